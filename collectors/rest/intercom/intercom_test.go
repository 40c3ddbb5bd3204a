package intercom_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/rest/intercom"
)

// workspace is a server that speaks Intercom's API as it is documented: pages by number,
// newest first, filters by UNIX time. It filters by when it got an activity.
type workspace struct {
	srv *httptest.Server

	mu         sync.Mutex
	activities []activity
	down       bool
	// asked counts requests; each third finds no more left of its limit, when limited.
	asked   int
	limited bool
	// form is how the next page is told: "url", "cursor", "number", or an address.
	form   string
	status int
}

type activity struct {
	at   time.Time
	text string
}

func newWorkspace(t testing.TB) *workspace {
	ws := &workspace{form: "url"}
	ws.srv = httptest.NewServer(ws)
	t.Cleanup(ws.srv.Close)
	return ws
}

func (ws *workspace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.down {
		panic(http.ErrAbortHandler)
	}
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"type":"error.list","request_id":"x","errors":[{"code":%q,"message":"Jane Doe"}]}`, code)
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.Header.Get("Authorization") != "Bearer canary":
		refuse(http.StatusUnauthorized, "token_unauthorized")
		return
	case ws.status != 0:
		refuse(ws.status, "api_plan_restricted")
		return
	case r.Header.Get("Intercom-Version") == "" || r.URL.Path != "/admins/activity_logs":
		refuse(http.StatusNotFound, "not_found")
		return
	}
	if ws.asked++; ws.limited {
		w.Header().Set("X-RateLimit-Limit", "10000")
		w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(ws.asked%3))
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Unix()-1, 10))
		if ws.asked%5 == 0 {
			refuse(http.StatusTooManyRequests, "rate_limit_exceeded")
			return
		}
	}
	q := r.URL.Query()
	after, err1 := strconv.ParseInt(q.Get("created_at_after"), 10, 64)
	before, err2 := strconv.ParseInt(q.Get("created_at_before"), 10, 64)
	per, err3 := strconv.Atoi(q.Get("per_page"))
	number, err4 := strconv.Atoi(q.Get("page"))
	if cursor := q.Get("starting_after"); cursor != "" {
		number, err4 = strconv.Atoi(strings.TrimPrefix(cursor, "behind-"))
		number++
	}
	if err := errors.Join(err1, err2, err3, err4); err != nil || per < 1 || per > 250 || number < 1 {
		refuse(http.StatusBadRequest, "parameter_invalid")
		return
	}
	found := []json.RawMessage{}
	for i := len(ws.activities) - 1; i >= 0; i-- {
		if a := ws.activities[i]; a.at.Unix() >= after && a.at.Unix() <= before {
			found = append(found, json.RawMessage(a.text))
		}
	}
	total := max(1, (len(found)+per-1)/per)
	found = found[min(len(found), (number-1)*per):min(len(found), number*per)]
	pages := map[string]any{"type": "pages", "page": number, "per_page": per, "total_pages": total, "next": nil}
	if number < total {
		switch ws.form {
		case "url":
			q.Set("page", strconv.Itoa(number+1))
			pages["next"] = ws.srv.URL + r.URL.Path + "?" + q.Encode()
		case "cursor":
			pages["next"] = map[string]any{"page": number + 1, "starting_after": "behind-" + strconv.Itoa(number)}
		case "number":
		default:
			pages["next"] = ws.form
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "activity_log.list", "pages": pages, "activity_logs": found})
}

func (ws *workspace) Write(_ context.Context, rs ...collectorstest.Record) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, r := range rs {
		at := strconv.FormatInt(r.Time.Unix(), 10)
		if r.Poison {
			at = `"yesterday"`
		}
		ws.activities = append(ws.activities, activity{time.Now(), fmt.Sprintf(
			`{"id":"act-%d","performed_by":{"type":"admin","id":"%d","email":"agent-%d@example.com","ip":"192.0.2.10"},"metadata":{"contact_id":"c%d"},"created_at":%s,"activity_type":"app_data_export","activity_description":"Jane Doe"}`,
			r.N, r.N%7, r.N%7, r.N, at)})
	}
	return nil
}

func (ws *workspace) Down(context.Context) error { return ws.set(func() { ws.down = true }) }

func (ws *workspace) Up(context.Context) error { return ws.set(func() { ws.down = false }) }

func (ws *workspace) set(f func()) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	f()
	return nil
}

func (ws *workspace) config() intercom.Config {
	return intercom.Config{Decode: decode.Config{Source: "intercom", Formats: catalog.All()}, URL: ws.srv.URL, Token: "canary", Poll: 20 * time.Millisecond, Start: 24 * time.Hour}
}

func (ws *workspace) Collector() (collectors.Collector, error) {
	return intercom.New(ws.config(), intercom.Options{})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: "intercom", Peer: func(t *testing.T) collectorstest.Peer { return newWorkspace(t) }})
}

// TestSuiteLimited runs the suite with limits that are used up again and again.
func TestSuiteLimited(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: "intercom", Peer: func(t *testing.T) collectorstest.Peer {
		ws := newWorkspace(t)
		ws.limited = true
		return ws
	}})
}

// TestForms reads pages however the next one is told, and refuses one elsewhere.
func TestForms(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another server was asked") }))
	t.Cleanup(inside.Close)
	for _, form := range []string{"url", "cursor", "number", inside.URL + "/admins/activity_logs?page=2"} {
		ws := newWorkspace(t)
		ws.form = form
		for n := 1; n <= 330; n++ {
			if err := ws.Write(t.Context(), collectorstest.Record{N: n, Time: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		c, err := intercom.New(ws.config(), intercom.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o := collectorstest.NewOracle("intercom", nil)
		if strings.HasPrefix(form, "http") {
			if err := c.Run(t.Context(), nil, o); err == nil || !strings.Contains(err.Error(), "set url to it") || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v", form, err)
			}
			continue
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx, nil, o) }()
		o.AwaitRecords(t, 330)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", form, err)
		}
		o.Check(t, 330)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		want   string
		change func(*intercom.Config, *workspace)
	}{
		{"another region", func(c *intercom.Config, _ *workspace) { c.Token = "canary-2" }},
		{"read_admins", func(_ *intercom.Config, ws *workspace) { ws.status = http.StatusForbidden }},
		{"500 Internal", func(_ *intercom.Config, ws *workspace) { ws.status = http.StatusInternalServerError }},
	} {
		ws := newWorkspace(t)
		cfg := ws.config()
		test.change(&cfg, ws)
		c, err := intercom.New(cfg, intercom.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{c.Check(t.Context()), c.Run(t.Context(), nil, collectorstest.NewOracle("intercom", nil))} {
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "Doe") {
				t.Errorf("%v, want %q", err, test.want)
			}
		}
	}
	if _, err := intercom.New(intercom.Config{Decode: decode.Config{Source: "x", Formats: catalog.All()}}, intercom.Options{}); err == nil {
		t.Error("it was taken without a token")
	}
	if _, err := intercom.New(intercom.Config{Decode: decode.Config{Source: "x", Formats: catalog.All()}, Token: "x"}, intercom.Options{}); err != nil {
		t.Error(err)
	}
}
