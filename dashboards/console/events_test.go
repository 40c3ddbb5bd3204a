package console_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vigil/dashboards/console"
	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
	"vigil/internal/api"
	"vigil/internal/news"
)

// watching serves a console that tells what the hub does.
func watching(t *testing.T, cfg console.Config, r api.Reader, hub *news.Hub) string {
	t.Helper()
	s := httptest.NewServer(serving(t, cfg, console.Services{Reader: r, Watcher: hub}))
	t.Cleanup(func() { hub.End(); s.Close() })
	return s.URL
}

// stream opens a stream; next returns its next event as "name id data".
func stream(t *testing.T, address string, head ...string) (next func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("%s: %d %q", address, res.StatusCode, res.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(res.Body)
	return func() string {
		var event []string
		for lines.Scan() {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); {
			case lines.Text() == "" && len(event) > 0:
				return strings.Join(event, " ")
			case name != "retry" && value != "":
				event = append(event, value)
			}
		}
		return "over"
	}
}

func TestAStreamTellsWhatChangedAndGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	hub := news.New()
	url := watching(t, console.Config{Refresh: 100 * time.Millisecond, Beat: 50 * time.Millisecond}, sample.NewReader(), hub)
	next := stream(t, url+"/live/events?topic=queue&topic=finding/f-1")
	name, mark, _ := strings.Cut(next(), " ")
	mark, _, _ = strings.Cut(mark, " ")
	if name != "beat" || mark == "" {
		t.Fatalf("no beat: %q %q", name, mark)
	}
	hub.Publish(api.TopicStatus)
	hub.Publish(api.FindingTopic("f-1"))
	hub.Publish(api.TopicQueue)
	for {
		event := next()
		if strings.HasPrefix(event, "beat ") {
			continue
		}
		if !strings.HasPrefix(event, "changed ") || !strings.Contains(event, "finding/f-1") || strings.Contains(event, "status") {
			t.Errorf("%q", event)
		}
		break
	}
	// A connection that was lost: what came since the mark is told at once.
	for _, again := range []func() string{
		stream(t, url+"/live/events?topic=queue", "Last-Event-ID", mark),
		stream(t, url+"/live/events?topic=queue&last="+mark),
		stream(t, url+"/live/events?topic=queue&last=of-another-run"),
	} {
		if event := again(); !strings.HasPrefix(event, "changed ") || !strings.HasSuffix(event, " queue") {
			t.Errorf("%q", event)
		}
	}
	hub.End()
	for event := next(); event != "over"; event = next() {
		if !strings.HasPrefix(event, "beat ") && !strings.HasPrefix(event, "changed ") {
			t.Fatalf("%q", event)
		}
	}
}

func TestAStreamRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	h := serving(t, console.Config{}, console.Services{Reader: sample.NewReader(), Watcher: news.New()})
	for _, query := range []string{
		"", "?topic=", "?topic=everything", "?topic=finding/", "?topic=finding/%0Aid:", "?topic=case/a%20b", "?topic=finding/" + strings.Repeat("a", 129),
		"?" + strings.Repeat("topic=queue&", api.MaxTopics+1),
	} {
		if got := get(t, h, "/live/events"+query); got.code != http.StatusBadRequest {
			t.Errorf("%q: %d", query, got.code)
		}
	}
}

// browserIsToldOfChanges has a page that asks by itself so seldom that only the stream can
// have told it, and whose connection is lost and comes back.
func browserIsToldOfChanges(t *testing.T, b *browser.Browser) {
	hub, r := news.New(), sample.NewReader(sample.Export())
	served := serving(t, console.Config{Refresh: time.Hour}, console.Services{Reader: r, Watcher: hub})
	quick := serving(t, console.Config{Refresh: 100 * time.Millisecond}, console.Services{Reader: r, Watcher: hub})
	cut := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/live/events" {
			served.ServeHTTP(w, q)
			return
		}
		ctx, cancel := context.WithCancel(q.Context())
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		go func() {
			select {
			case <-cut:
				cancel()
			case <-ctx.Done():
			}
		}()
		quick.ServeHTTP(w, q.WithContext(ctx))
	}))
	t.Cleanup(func() { hub.End(); s.Close() })
	p := b.Open(t, s.URL, browser.Look{})
	p.Wait(`document.getElementById("live-mark").textContent === "live"`)
	r.Add(sample.Scrape())
	hub.Publish(api.TopicQueue)
	p.Wait(`document.querySelectorAll(".card").length === 2`)

	cut <- struct{}{}
	r.Add(sample.Vendor())
	hub.Publish(api.TopicQueue)
	p.Wait(`document.querySelectorAll(".card").length === 3 && document.getElementById("live-mark").textContent === "live"`)
	p.Faults()
}
