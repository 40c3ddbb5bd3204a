package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"vigil"
	"vigil/client"
)

// serving is a service that answers as fn says.
func serving(t *testing.T, fn func(n int, w http.ResponseWriter, r *http.Request)) *client.Client {
	t.Helper()
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		fn(n, w, r)
	}))
	t.Cleanup(s.Close)
	c, err := client.New(client.Config{URL: s.URL, Token: "vgl_secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // only lets go of idle connections
	return c
}

func TestListIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	c := serving(t, func(n int, w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.Header.Get("Authorization") != "Bearer vgl_secret" || q.Get("min") != "high" || q.Get("limit") != "2" || (q.Get("cursor") == "") != (n == 1) {
			t.Errorf("asked for %s", r.URL)
		}
		next := `,"next":"x"`
		if n == 3 {
			next = ""
		}
		fmt.Fprintf(w, `{"findings":[{"id":"f-%d"},{"id":"f-%d"}]%s}`, 2*n, 2*n+1, next)
	})
	var got []string
	for f, err := range c.Findings(t.Context(), client.FindingFilter{Min: vigil.SeverityHigh, Page: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, f.ID)
	}
	if fmt.Sprint(got) != "[f-2 f-3 f-4 f-5 f-6 f-7]" {
		t.Errorf("got %v", got)
	}
}

// What is busy is asked again, with the same key.
func TestBusyIsAskedAgain(t *testing.T) {
	t.Parallel()
	keys := map[string]bool{}
	c := serving(t, func(n int, w http.ResponseWriter, r *http.Request) {
		keys[r.Header.Get("Idempotency-Key")] = true
		if n < 3 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, `{"finding":"f-1","word":"breach"}`)
	})
	v, err := c.GiveVerdict(t.Context(), "f-1", vigil.WordBreach, "sure")
	if err != nil || v.Word != vigil.WordBreach || len(keys) != 1 || keys[""] {
		t.Errorf("%+v, %v, keys %v", v, err, keys)
	}
}

func TestErrorsAreTyped(t *testing.T) {
	t.Parallel()
	asked := 0
	c := serving(t, func(n int, w http.ResponseWriter, r *http.Request) {
		asked = n
		if r.Header.Get("If-Match") != `"7"` {
			t.Errorf("If-Match is %s", r.Header.Get("If-Match"))
		}
		w.WriteHeader(http.StatusPreconditionFailed)
		fmt.Fprint(w, `{"status":412,"code":"stale","title":"Somebody was here","detail":"Read it again."}`)
	})
	_, err := c.Acknowledge(t.Context(), client.On{Case: "c-1", Seen: 7})
	var e *client.Error
	if client.CodeOf(err) != client.CodeStale || !errors.As(err, &e) || e.Status != 412 || e.Detail != "Read it again." || asked != 1 {
		t.Errorf("%v after %d questions", err, asked)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	c := serving(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Finding(ctx, "f-1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestAddressIsLookedAtFirst(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "vigil.example.com", "ftp://vigil.example.com", "https://ann@vigil.example.com", "https://vigil.example.com?token=x"} {
		if _, err := client.New(client.Config{URL: bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
