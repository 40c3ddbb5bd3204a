package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/slack"
)

func TestPostUpdateRepost(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	n := newNotifier(t, f, nil)
	if err := n.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := message(vendor())
	receipt, err := n.Notify(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if receipt != "C1/1762160001.000001" {
		t.Fatalf("receipt %q", receipt)
	}
	_, posts, forms := f.state()
	want, err := n.Blocks(m)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, want); err != nil {
		t.Fatal(err)
	}
	if got := posts["1762160001.000001"]; got.blocks != compact.String() || !strings.HasPrefix(got.text, "🔴 Critical: vendor account v-3f9a2c.") {
		t.Errorf("posted %+v\nwant blocks %s", got, compact.String())
	}
	if form := forms[2]; form["unfurl_links"] != "false" || form["unfurl_media"] != "false" || form["mrkdwn"] != "false" || form["parse"] != "none" {
		t.Errorf("the call lets Slack make links: %v", form)
	}

	// A later revision edits; its receipt stays.
	grown := vendor()
	grown.Revision, grown.State, m.Receipt = 4, "closed", receipt
	m.Finding = grown
	again, err := n.Notify(t.Context(), m)
	if err != nil || again != receipt {
		t.Fatal(again, err)
	}
	if _, posts, _ := f.state(); len(posts) != 1 || !strings.Contains(posts["1762160001.000001"].blocks, "Closed") {
		t.Errorf("after the edit: %v", posts)
	}

	// Somebody deleted it: it is posted anew.
	f.forget()
	again, err = n.Notify(t.Context(), m)
	if err != nil || again == receipt {
		t.Fatal(again, err)
	}
	// So is one whose receipt makes no sense, or is of another notifier.
	for _, bad := range []string{"printed", "C1/", "/1", "C1/x", "C1/1/2", "<!channel>/1.2", strings.Repeat("C", 500) + "/1.2", "CGONE/1.2"} {
		m.Receipt = bad
		if again, err = n.Notify(t.Context(), m); err != nil || !strings.HasPrefix(again, "C1/") {
			t.Fatalf("receipt %q: %q, %v", bad, again, err)
		}
	}
}

// TestNothingForeignActs looks at what reaches the server for the hostile cards.
func TestNothingForeignActs(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	n := newNotifier(t, f, func(c *slack.Config) { c.NoPictures = true })
	for name, m := range samples() {
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	_, posts, _ := f.state()
	if len(posts) < len(samples()) {
		t.Fatalf("%d posts", len(posts))
	}
	for _, p := range posts {
		checkBlocks(t, []byte(p.blocks))
		checkText(t, textObject{Type: "plain_text", Text: p.text})
		p.blocks = strings.NewReplacer(`\u003c@U0ANA11\u003e`, "", `\u003c@W0BO222\u003e`, "").Replace(p.blocks)
		for _, bad := range []string{"<!", "<@", "<#", "<http", `\u003c`, "javascript:"} {
			if strings.Contains(p.text, bad) || strings.Contains(p.blocks, bad) {
				t.Errorf("%q in %+v", bad, p)
			}
		}
	}
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, "<html>"+canary)
	}
}

func answer(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		fmt.Fprint(w, body)
	}
}

func says(code string) http.HandlerFunc {
	return answer("application/json", fmt.Sprintf(`{"ok":false,"error":%q}`, code))
}

func TestRetryable(t *testing.T) {
	t.Parallel()
	big := `{"ok":true,"channel":"C1","pad":"` + strings.Repeat("x", 10<<20) + `","ts":"1.2"}`
	for _, tc := range []struct {
		name   string
		handle http.HandlerFunc
		after  time.Duration
		// doubt says that the message may have been posted all the same.
		doubt bool
	}{
		{"429 in 1 s", status(429, "Retry-After", "1"), time.Second, false},
		{"429 in 30 s", status(429, "Retry-After", "30"), 30 * time.Second, false},
		{"429 in an hour", status(429, "Retry-After", "3600"), time.Hour, false},
		{"429 in a year", status(429, "Retry-After", "31536000"), time.Hour, false},
		{"429 overflow", status(429, "Retry-After", "9223372036854775807"), 0, false},
		{"429 nonsense", status(429, "Retry-After", "soon"), 0, false},
		{"429 a date", status(429, "Retry-After", "Tue, 03 Nov 2026 11:00:00 GMT"), 0, false},
		{"429 negative", status(429, "Retry-After", "-5"), 0, false},
		{"429 bare", status(429), 0, false},
		{"500", status(500), 0, true},
		{"fatal_error", says("fatal_error"), 0, true},
		{"503", status(503, "Retry-After", "3"), 0, true},
		{"404", status(404), 0, false},
		{"redirect", status(307, "Location", "http://127.0.0.1:1/steal"), 0, false},
		{"ratelimited in a 200", says("ratelimited"), 0, false},
		{"internal_error", says("internal_error"), 0, true},
		{"unknown code", says("brand_new_" + canary), 0, false},
		{"html in a 200", answer("text/html", "<html><body>"+canary), 0, true},
		{"empty", answer("application/json", ""), 0, true},
		{"not ok, no error", answer("application/json", `{"ok":false}`), 0, true},
		{"no receipt", answer("application/json", `{"ok":true}`), 0, true},
		{"odd receipt", answer("application/json", `{"ok":true,"channel":"<!channel>","ts":"1.2"}`), 0, true},
		{"an array", answer("application/json", `[1,2]`), 0, true},
		{"big body", answer("application/json", big), 0, true},
		{"reset", func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				c.Close()
			}
		}, 0, true},
		{"half a body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			fmt.Fprint(w, `{"ok":tr`)
		}, 0, true},
		{"hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 0, true},
		{"header, then hang", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tc.handle)
			n := newNotifier(t, f, func(c *slack.Config) {
				if strings.HasSuffix(tc.name, "hang") {
					c.Timeout = 500 * time.Millisecond // what is waited for; elsewhere a busy machine may take its time
				}
			})
			receipt, err := n.Notify(t.Context(), message(vendor()))
			var retry *alerts.RetryError
			if !errors.As(err, &retry) || receipt != "" {
				t.Fatalf("got %q, %v, want a RetryError", receipt, err)
			}
			// Net of what overflow made of it: within sane bounds.
			if tc.after != 0 && retry.After != tc.after || retry.After < 0 || retry.After > time.Hour {
				t.Errorf("after %v, want %v", retry.After, tc.after)
			}
			if retry.InDoubt != tc.doubt {
				t.Errorf("in doubt: %v, want %v (%v)", retry.InDoubt, tc.doubt, err)
			}
			if strings.Contains(err.Error(), "canary") || len(err.Error()) > 500 || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q", err)
			}
			// The next try, with the server well again, succeeds.
			if _, err := n.Notify(t.Context(), message(vendor())); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		f := newFake(t)
		n := newNotifier(t, f, nil)
		f.Close()
		_, err := n.Notify(t.Context(), message(vendor()))
		var retry *alerts.RetryError
		if !errors.As(err, &retry) || strings.Contains(err.Error(), "canary") || retry.InDoubt {
			t.Errorf("got %v, in doubt %v", err, retry != nil && retry.InDoubt)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		n := newNotifier(t, newFake(t), nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var retry *alerts.RetryError
		if _, err := n.Notify(ctx, message(vendor())); !errors.As(err, &retry) || retry.InDoubt {
			t.Errorf("got %v", err)
		}
	})
}

// TestTwentyFailures: however long Slack is ill, each attempt says so, and the one after
// it delivers.
func TestTwentyFailures(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	n := newNotifier(t, f, func(c *slack.Config) { c.NoPictures = true })
	for i := range 20 {
		f.set(func() { f.script = append(f.script, status(500+i%4)) })
		var retry *alerts.RetryError
		if _, err := n.Notify(t.Context(), inCase(vendor(), nil)); !errors.As(err, &retry) {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	notify(t, n, inCase(vendor(), nil))
	if _, posts, _ := f.state(); len(posts) != 1 {
		t.Errorf("%d posts", len(posts))
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		handle http.HandlerFunc
		change func(*slack.Config)
		remedy string
		all    bool
	}{
		{"bad token", nil, func(c *slack.Config) { c.Token = "xoxb-canary-other" }, "bot token", true},
		{"no such channel", nil, func(c *slack.Config) { c.Channel = "C404" }, "slack.channel", true},
		{"archived", nil, func(c *slack.Config) { c.Channel = "CARCHIVED" }, "archived", true},
		{"not invited", says("not_in_channel"), nil, "/invite", true},
		{"revoked", says("token_revoked"), nil, "install the Slack app again", true},
		{"missing scope", answer("application/json", `{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"users:read"}`), nil, `"chat:write"`, true},
		{"missing scope, unnamed", says("missing_scope"), nil, "chat:write", true},
		{"removed", says("account_inactive"), nil, "install the Slack app again", true},
		{"expired", says("token_expired"), nil, "rotation", true},
		{"too long", says("msg_too_long"), nil, "finding's ID", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var script []http.HandlerFunc
			if tc.handle != nil {
				script = append(script, tc.handle)
			}
			n := newNotifier(t, newFake(t, script...), tc.change)
			_, err := n.Notify(t.Context(), message(vendor()))
			var refused *alerts.RefusedError
			if !errors.As(err, &refused) || refused.All != tc.all || !strings.Contains(refused.Remedy, tc.remedy) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("error tells the token: %v", err)
			}
		})
	}
}

// TestBlocksRefused: a card whose form Slack does not take goes as text.
func TestBlocksRefused(t *testing.T) {
	t.Parallel()
	f := newFake(t, says("invalid_blocks"))
	n := newNotifier(t, f, nil)
	receipt, err := n.Notify(t.Context(), message(vendor()))
	if err != nil {
		t.Fatal(err)
	}
	_, posts, _ := f.state()
	p, ok := posts[strings.TrimPrefix(receipt, "C1/")]
	if !ok || p.blocks != "" || !strings.Contains(p.text, "2,113 customers") {
		t.Errorf("%q: %+v", receipt, posts)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := slack.Config{Token: canary, Channel: "C1"}
	if _, err := slack.New(good, slack.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*slack.Config){
		func(c *slack.Config) { c.Token = "" },
		func(c *slack.Config) { c.Token += "\n" },
		func(c *slack.Config) { c.Channel = "" },
		func(c *slack.Config) { c.Channel = "a b" },
		func(c *slack.Config) { c.APIURL = "slack.com" },
		func(c *slack.Config) { c.APIURL = "http://u:canary@slack.com/api/" },
		func(c *slack.Config) { c.ConsoleURL = "javascript:alert(1)" },
		func(c *slack.Config) { c.Timeout = -1 },
	} {
		cfg := good
		change(&cfg)
		if _, err := slack.New(cfg, slack.Options{}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	js, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", good.Token, "cfg", good)
	if all := fmt.Sprintf("%v %+v %#v %s %q", good, good, good, js, good.Token) + log.String(); strings.Contains(all, "canary") {
		t.Errorf("the token shows: %s", all)
	}
}
