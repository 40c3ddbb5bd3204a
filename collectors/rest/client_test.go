package rest_test

import (
	"compress/gzip"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigil/collectors/rest"
)

func noProxy(*http.Request) (*url.URL, error) { return nil, nil }

// client asks a server of the test's.
func client(t *testing.T, h http.HandlerFunc, o rest.ClientOptions) *rest.Client {
	t.Helper()
	return clientWithin(t, 0, h, o)
}

func clientWithin(t *testing.T, timeout time.Duration, h http.HandlerFunc, o rest.ClientOptions) *rest.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := rest.NewClient(rest.ClientConfig{Product: "Test", URL: s.URL, Timeout: timeout, MaxAnswer: 4 << 20}, direct(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// waits is an Options.Wait that notes what it was to wait for, and lets the clock jump.
type waits struct {
	at   time.Time
	told []time.Duration
}

func (w *waits) now() time.Time { return w.at }

func (w *waits) wait(_ context.Context, d time.Duration) error {
	w.told = append(w.told, d)
	w.at = w.at.Add(d)
	return nil
}

func TestLimits(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name   string
		status int
		header map[string]string
		waits  time.Duration
		until  time.Duration // of a LimitError
	}{
		{name: "seconds", status: 429, header: map[string]string{"Retry-After": "7"}, waits: 7 * time.Second},
		{name: "a date", status: 429, header: map[string]string{"Retry-After": begin.Add(20 * time.Second).Format(http.TimeFormat)}, waits: 20 * time.Second},
		{name: "503", status: 503, header: map[string]string{"Retry-After": "30"}, waits: 30 * time.Second},
		{name: "reset as time", status: 429, header: map[string]string{"X-Rate-Limit-Reset": strconv.FormatInt(begin.Unix()+9, 10)}, waits: 10 * time.Second},
		{name: "reset as seconds", status: 429, header: map[string]string{"RateLimit-Reset": "11"}, waits: 11 * time.Second},
		{name: "nothing said", status: 429, waits: time.Minute},
		{name: "rubbish", status: 429, header: map[string]string{"Retry-After": "soon", "X-RateLimit-Reset": "NaN"}, waits: time.Minute},
		{name: "negative", status: 429, header: map[string]string{"Retry-After": "-5"}, waits: time.Minute},
		{name: "an hour", status: 429, header: map[string]string{"Retry-After": "3600"}, until: time.Hour},
		{name: "for ever", status: 429, header: map[string]string{"Retry-After": "1e30"}, until: 24 * time.Hour},
		{name: "the last for now", status: 200, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": strconv.FormatInt(begin.Unix()+4, 10)}, waits: 5 * time.Second},
		{name: "a day's quota", status: 200, header: map[string]string{"Sforce-Limit-Info": "api-usage=4900/5000"}, until: 15 * time.Minute},
		{name: "enough left", status: 200, header: map[string]string{"Sforce-Limit-Info": "api-usage=18/5000", "X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "99"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := &waits{at: begin}
			asked := 0
			c := client(t, func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Date", w.at.Format(http.TimeFormat))
				if asked++; asked == 1 {
					for k, v := range test.header {
						rw.Header().Set(k, v)
					}
					rw.WriteHeader(test.status)
					return
				}
				io.WriteString(rw, "[]")
			}, rest.ClientOptions{Now: w.now, Wait: w.wait})
			_, err := c.Get(t.Context(), "/a")
			if err == nil {
				_, err = c.Get(t.Context(), "/b")
			}
			if test.until > 0 {
				var limit *rest.LimitError
				if !errors.As(err, &limit) || !limit.Until.Equal(begin.Add(test.until)) {
					t.Fatalf("%v, want a limit until %s", err, begin.Add(test.until))
				}
				if asked != 1 {
					t.Errorf("it was asked %d times within the limit", asked)
				}
				w.at = begin.Add(test.until)
				if _, err := c.Get(t.Context(), "/c"); err != nil {
					t.Errorf("after the limit: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var sum time.Duration
			for _, d := range w.told {
				sum += d
			}
			if sum != test.waits {
				t.Errorf("waited %s, want %s", sum, test.waits)
			}
		})
	}
}

// TestLimitsEnd is told to wait again and again.
func TestLimitsEnd(t *testing.T) {
	t.Parallel()
	w := &waits{at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	asked := 0
	c := client(t, func(rw http.ResponseWriter, _ *http.Request) {
		asked++
		rw.Header().Set("Retry-After", "0")
		rw.WriteHeader(429)
	}, rest.ClientOptions{Now: w.now, Wait: w.wait})
	var e *rest.StatusError
	if _, err := c.Get(t.Context(), "/"); !errors.As(err, &e) || e.Status != 429 {
		t.Errorf("%v, want a StatusError", err)
	}
	if asked != 4 {
		t.Errorf("it was asked %d times, want 4", asked)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	big := strings.Repeat(" ", 1<<16)
	for _, test := range []struct {
		name, want string
		answer     http.HandlerFunc
	}{
		{"a web page", "web page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<!doctype html><title>Sign in</title>")
		}},
		{"cut JSON", "cut off", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"list":[{"id":1},{"id"`) }},
		{"cut connection", "cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"list":[`)
		}},
		{"empty", "empty", func(http.ResponseWriter, *http.Request) {}},
		{"text", "not JSON", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "pong") }},
		{"another list", "has no list", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"items":[]}`) }},
		{"no list", "has no list", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"list":{"a":1}}`) }},
		{"a number", "has no list", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `7`) }},
		{"too large", "too large", func(w http.ResponseWriter, _ *http.Request) {
			z := gzip.NewWriter(w)
			w.Header().Set("Content-Encoding", "gzip")
			for range 65 {
				io.WriteString(z, big)
			}
			z.Close()
		}},
		{"500", "500 Internal Server Error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }},
		{"code", "(E0000011)", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			io.WriteString(w, `{"errorCode":"E0000011","errorSummary":"of Jane Doe"}`)
		}},
		{"no code", "403 Forbidden to GET /", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			io.WriteString(w, `{"error":"Jane Doe may not"}`)
		}},
		{"hung up", "ask Test at", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := client(t, test.answer, rest.ClientOptions{Auth: rest.NewStatic("Bearer canary")})
			a, err := c.Get(t.Context(), "/?secret=canary")
			if err == nil {
				_, _, err = c.List(a, "list")
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%v, want it to hold %q", err, test.want)
			}
			if text := err.Error(); strings.Contains(text, "canary") || strings.Contains(text, "Doe") {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}

// TestSlow gets the beginning of an answer and then nothing, and an answer that never
// begins.
func TestSlow(t *testing.T) {
	t.Parallel()
	for _, begins := range []bool{true, false} {
		over := make(chan struct{})
		c := clientWithin(t, 100*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
			if begins {
				io.WriteString(w, "[")
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
			close(over)
		}, rest.ClientOptions{})
		var network *rest.NetworkError
		if _, err := c.Get(t.Context(), "/"); !errors.As(err, &network) {
			t.Errorf("begins %v: %v", begins, err)
		}
		<-over // the connection was let go
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := &waits{at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	given, good := 0, 0
	answer := `{"access_token":"canary-%d","token_type":"bearer","expires_in":3600}`
	c := client(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			given++
			good = given
			fmt.Fprintf(rw, answer, given)
			return
		}
		if r.Header.Get("Authorization") != fmt.Sprintf("Bearer canary-%d", good) {
			rw.WriteHeader(401)
			io.WriteString(rw, `[{"errorCode":"INVALID_SESSION_ID"}]`)
			return
		}
		io.WriteString(rw, "[]")
	}, rest.ClientOptions{Now: w.now, Wait: w.wait, Auth: &rest.Tokens{Ask: func(time.Time) (rest.TokenRequest, error) {
		return rest.TokenRequest{Path: "/token", Kind: "text/plain", Body: []byte("x")}, nil
	}}})
	get := func(want int) {
		t.Helper()
		if _, err := c.Get(t.Context(), "/"); err != nil {
			t.Fatal(err)
		}
		if given != want {
			t.Errorf("%d tokens were got, want %d", given, want)
		}
	}
	get(1)
	get(1)
	w.at = w.at.Add(59 * time.Minute) // just before its end another is got
	get(2)
	good = 0 // the session was ended at the server's side
	get(3)
	// A token that is refused at once is not got again and again.
	answer = `{"access_token":"other-%d","expires_in":3600}`
	good = 0
	var e *rest.StatusError
	if _, err := c.Get(t.Context(), "/"); !errors.As(err, &e) || e.Status != 401 || e.Code != "INVALID_SESSION_ID" {
		t.Errorf("%v, want a 401", err)
	}
	if given != 4 {
		t.Errorf("%d tokens were got, want 4", given)
	}
	for _, bad := range []string{``, `<html>`, `{}`, `{"access_token":""}`, `{"access_token":"a\nb%d"}`, `{"access_token":"a","token_type":"DPoP"}`} {
		answer = bad
		w.at = w.at.Add(2 * time.Hour)
		if _, err := c.Get(t.Context(), "/"); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	k, err := rest.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), "")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%v %+v %#v %s", rest.Secret("canary"), rest.NewStatic("canary"), struct{ S rest.Secret }{"canary"}, rest.NewStatic("canary"))
	text += fmt.Sprintf("%v %+v %#v", k, k, k)
	if strings.Contains(text, "canary") || strings.Contains(text, key.D.String()) { //nolint:staticcheck // it is looked for, not used
		t.Error(text)
	}
}

func TestAssertions(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	pkcs8, err8 := x509.MarshalPKCS8PrivateKey(rsaKey)
	ec, errEC := x509.MarshalECPrivateKey(ecKey)
	ec8, errEC8 := x509.MarshalPKCS8PrivateKey(ecKey)
	for name, text := range map[string][]byte{
		"pkcs1": block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil), "pkcs8": block("PRIVATE KEY", pkcs8, err8),
		"ec": block("EC PRIVATE KEY", ec, errEC), "ec pkcs8": block("PRIVATE KEY", ec8, errEC8),
	} {
		k, err := rest.ParseKey(text, "kid-1")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		token, err := k.Assertion(map[string]any{"iss": "me", "exp": 5})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		parts := strings.Split(token, ".")
		head, _ := base64.RawURLEncoding.DecodeString(parts[0])
		body, _ := base64.RawURLEncoding.DecodeString(parts[1])
		sig, _ := base64.RawURLEncoding.DecodeString(parts[2])
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		good := rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, sum[:], sig) == nil
		if strings.Contains(name, "ec") {
			good = len(sig) == 64 && ecdsa.Verify(&ecKey.PublicKey, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
		}
		if !good || string(body) != `{"exp":5,"iss":"me"}` || !strings.Contains(string(head), `"kid":"kid-1"`) {
			t.Errorf("%s: signed %v: %s %s", name, good, head, body)
		}
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err == nil {
		if _, err := rest.ParseKey(block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(weak), nil), ""); err == nil {
			t.Error("a key of 1024 bits was taken")
		}
	}
	for _, bad := range []string{"", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"} {
		if _, err := rest.ParseKey([]byte(bad), ""); err == nil {
			t.Errorf("%q was taken for a key", bad)
		}
	}
}

func TestNextLink(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ header, want string }{
		{`<https://a.okta.com/api/v1/logs?limit=20>; rel="self", <https://a.okta.com/api/v1/logs?after=x,y&limit=20>; rel="next"`, "https://a.okta.com/api/v1/logs?after=x,y&limit=20"},
		{`</logs?after=1>;title="a, <b>; rel=\"self\"" ; REL=next`, "/logs?after=1"},
		{`<a>; rel="self"`, ""}, {`<a; rel="next"`, ""}, {``, ""}, {`;;;<>`, ""}, {`<>; rel=next`, ""},
	} {
		if got := rest.NextLink(http.Header{"Link": {test.header}}); got != test.want {
			t.Errorf("%s: %q, want %q", test.header, got, test.want)
		}
	}
	two := http.Header{}
	two.Add("Link", `<a>; rel="self"`)
	two.Add("Link", `<b>; rel="next"`)
	if got := rest.NextLink(two); got != "b" {
		t.Errorf("of two headers: %q", got)
	}
}

func FuzzPages(f *testing.F) {
	f.Add(`[{"id":1}]`, `<a>; rel="next"`)
	f.Add(`{"list":[1,"a",null]}`, `<a>;;<`)
	c, err := rest.NewClient(rest.ClientConfig{Product: "Test", URL: "https://example.com"}, rest.ClientOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body, link string) {
		next := rest.NextLink(http.Header{"Link": {link}})
		if u, err := c.Resolve(next); err == nil && (u.Host != "example.com" || u.Scheme != "https") {
			t.Errorf("%q leads to %s", link, u)
		}
		for _, path := range []string{"", "list"} {
			records, _, err := c.List(&rest.Answer{Body: []byte(body)}, path)
			if err == nil && len(records) > len(body) {
				t.Errorf("%d records of %d bytes", len(records), len(body))
			}
		}
	})
}

// TestManyAsk shares a client.
func TestManyAsk(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		n.Add(1)
		io.WriteString(w, "[]")
	}, rest.ClientOptions{})
	errs := make(chan error)
	for range 8 {
		go func() {
			_, err := c.Get(context.WithoutCancel(t.Context()), "/")
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n.Load() != 8 {
		t.Errorf("%d requests", n.Load())
	}
}
