package slack_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/slack"
)

// TestFind: what was posted although its receipt was lost is found and edited.
func TestFind(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	n := newNotifier(t, f, nil)
	plain := newNotifier(t, f, func(c *slack.Config) { c.NoPictures = true })
	now := time.Now()
	opened := func(m alerts.Message) alerts.Message {
		m.Case.Opened = now
		if m.Reply != nil {
			m.Reply.Time = now
		}
		return m
	}
	f.set(func() { f.next = int(now.Unix()) - 1762160000 }) // the server's messages are of now
	m := opened(inCase(vendor(), nil))
	find := func(m alerts.Message) string {
		t.Helper()
		r, err := n.Find(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := find(m); r != "" {
		t.Fatalf("found %q in an empty channel", r)
	}
	// The program is killed between Slack's answer and the ledger's commit.
	card := notify(t, n, m)
	for i := range 7 {
		notify(t, plain, inCase(export(), func(c *vigil.Case) { c.ID = "other-" + string(rune('a'+i)) }))
	}
	m.InDoubt = true
	if m.Receipt = find(m); m.Receipt != card {
		t.Fatalf("found %q, want %q", m.Receipt, card)
	}
	before, posts, _ := f.state()
	if notify(t, n, m); len(posts) != 8 {
		t.Errorf("%d posts", len(posts))
	}
	if after, posts, _ := f.state(); len(posts) != 8 || after[len(before)] != "chat.update" {
		t.Errorf("told twice: %d posts, calls %q", len(posts), after[len(before):])
	}

	// A reply is looked for below its card, one that stands alone in the channel.
	below := opened(reply(alerts.Reply{Kind: vigil.CaseNoted, Text: "A note."}, card))
	if r := find(below); r != "" {
		t.Errorf("found %q before it was sent", r)
	}
	want := notify(t, n, below)
	if r := find(below); r != want {
		t.Errorf("found %q, want %q", r, want)
	}
	alone := opened(reply(alerts.Reply{Kind: vigil.CaseNoted, Text: "A note."}, ""))
	alone.ID = "case-7c41d9e2/reply/5"
	want = notify(t, n, alone)
	if r := find(alone); r != want {
		t.Errorf("found %q, want %q", r, want)
	}

	// Pages are followed, but not for ever, and not into the past.
	f.set(func() { f.page = 3 })
	if r := find(m); r != card {
		t.Errorf("on the third page: found %q", r)
	}
	f.set(func() { f.page = 1 })
	calls, _, _ := f.state()
	if r := find(m); r != "" {
		t.Errorf("found %q beyond five pages", r)
	}
	if after, _, _ := f.state(); len(after)-len(calls) != 5 {
		t.Errorf("%d pages", len(after)-len(calls))
	}
	f.set(func() { f.page = 0 })
	m.Case.Opened = now.Add(time.Hour - 30*time.Second) // a clock that is wrong by an hour is believed for a week back
	if r := find(m); r != card {
		t.Errorf("with a clock that goes fast: found %q", r)
	}
}

// TestFindFails: a search that can't be made lets the message be sent; one that may
// succeed later is tried again.
func TestFindFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		f     func(*fakeSlack)
		again bool
		warns string
	}{
		{"no scope", func(f *fakeSlack) { f.of["conversations.history"] = says("missing_scope") }, false, "channels:history"},
		{"no such channel", func(f *fakeSlack) { f.of["conversations.history"] = says("channel_not_found") }, false, "slack.channel"},
		{"not in it", func(f *fakeSlack) { f.of["conversations.history"] = says("not_in_channel") }, false, "invite"},
		{"unreadable", func(f *fakeSlack) { f.of["conversations.history"] = answer("text/html", "<html>") }, false, "twice"},
		{"odd metadata", func(f *fakeSlack) {
			f.of["conversations.history"] = answer("application/json", `{"ok":true,"messages":[{"ts":"<!channel>","metadata":{"event_type":"vigil_message","event_payload":{"id":["x"]}}},{"metadata":null},{"ts":"1.2"}]}`)
		}, false, ""},
		{"limited", func(f *fakeSlack) { f.of["conversations.history"] = status(429, "Retry-After", "30") }, true, ""},
		{"500", func(f *fakeSlack) { f.of["conversations.history"] = status(500) }, true, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			tc.f(f)
			n, log := loggingNotifier(t, f, nil)
			for range 2 {
				r, err := n.Find(t.Context(), inCase(vendor(), nil))
				var retry *alerts.RetryError
				if r != "" || errors.As(err, &retry) != tc.again || err != nil && !tc.again {
					t.Fatalf("found %q, %v", r, err)
				}
			}
			if tc.warns != "" && (!strings.Contains(log.String(), tc.warns) || strings.Count(log.String(), "WARN") != 1) {
				t.Errorf("the log says %s", log)
			}
		})
	}
}
