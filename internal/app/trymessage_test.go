package app_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigil/alerts/slack/talk/talktest"
	"vigil/internal/app"
	"vigil/internal/config"
)

// A test message goes by each channel at once, says what it is, and one channel that
// refuses keeps none of the others from it.
func TestTestChannels(t *testing.T) {
	t.Parallel()
	var got atomic.Pointer[string]
	taking := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		text := string(body)
		got.Store(&text)
		w.WriteHeader(http.StatusNoContent)
	})
	refusing := serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	s := talktest.New(t)
	cfg := slackConfig(t, s)
	const secret = "a-canary-of-at-least-24-characters"
	for name, url := range map[string]string{"taking": taking, "refusing": refusing} {
		cfg.Alerts.Channels = append(cfg.Alerts.Channels, config.Channel{Name: name, Webhook: &config.Webhook{
			URL: config.NewSecret(url + "/canary-path"), Secret: config.NewSecret(secret), AllowPrivate: true, Timeout: config.Duration(5 * time.Second),
		}})
	}
	results, err := app.TestChannels(t.Context(), cfg, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]app.ChannelTest{}
	for _, r := range results {
		by[r.Channel] = r
		if strings.Contains(r.Problem, "canary") {
			t.Errorf("a secret is told: %s", r.Problem)
		}
	}
	if r := by["slack"]; !r.OK || r.Receipt == "" || r.Problem != "" {
		t.Errorf("slack: %+v", r)
	}
	m := s.Find(t, "the test", func(c talktest.Call) bool { return c.Method == "chat.postMessage" })
	if !strings.Contains(text(m), "This is a test") || !strings.Contains(text(m), "nothing is to be done") {
		t.Errorf("Slack is told %s", text(m))
	}
	if r := by["taking"]; !r.OK {
		t.Errorf("taking: %+v", r)
	}
	if body := got.Load(); body == nil || !strings.Contains(*body, "This is a test") {
		t.Errorf("the webhook got %v", body)
	}
	if r := by["refusing"]; r.OK || !strings.Contains(r.Problem, "403") {
		t.Errorf("refusing: %+v", r)
	}

	// One alone.
	before := got.Swap(nil)
	results, err = app.TestChannels(t.Context(), cfg, []string{"refusing"}, time.Now())
	if err != nil || len(results) != 1 || results[0].Channel != "refusing" || got.Load() != nil || before == nil {
		t.Errorf("%+v, %v", results, err)
	}
	if _, err := app.TestChannels(t.Context(), cfg, []string{"mail"}, time.Now()); err == nil || !strings.Contains(err.Error(), `no channel "mail"`) {
		t.Errorf("a channel that is not there: %v", err)
	}
	if _, err := app.TestChannels(t.Context(), config.DefaultConfig(), nil, time.Now()); err == nil || !strings.Contains(err.Error(), "no way to tell is configured") {
		t.Errorf("none: %v", err)
	}
}

// What Slack refuses is told with its remedy.
func TestTestChannelsRefused(t *testing.T) {
	t.Parallel()
	s := talktest.New(t)
	cfg := slackConfig(t, s)
	s.Expect("chat.postMessage", talktest.Refuse("channel_not_found"))
	results, err := app.TestChannels(t.Context(), cfg, nil, time.Now())
	if err != nil || len(results) != 1 || results[0].OK || !strings.Contains(results[0].Problem, "slack.channel") {
		t.Errorf("%+v, %v", results, err)
	}
}
