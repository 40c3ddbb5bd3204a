package talk_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/slack/talk"
	"vigil/alerts/slack/talk/talktest"
)

// An exception is made only when what it would have hidden was shown.
func TestExpect(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, r *room) {
		r.Press(t, "UANN", slack.ActionExpect, "case-1")
		want := alerts.Act{By: ann, Deed: alerts.DeedExpect, Case: "case-1", For: 7 * 24 * time.Hour, Preview: true}
		if got := r.desk.next(t); !cmp.Equal(want, got) {
			t.Error(cmp.Diff(want, got))
		}
		d := r.Opened(t)
		golden(t, "expect", d.View.Raw)
		has(t, d.View.Text(), "*1 finding among what this would have hidden was judged breach or misuse.*",
			"3 findings wholly", "1 finding partly", "412 of 9,310 accesses", "_and 1 more_", "Since 2 February")

		// Another choice: looked up anew, and shown.
		r.desk.will(func(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
			out, err := answers(ctx, a)
			if a.Preview {
				out.Covered.Breaches, out.Covered.Wholly, out.Covered.WhollyTotal = 0, nil, 0
			}
			return out, err
		})
		values := map[string]string{"scope": "amount", "who": "role", "for": "2160h", "note": ""}
		r.Choose(t, "UANN", &d, values, "scope")
		want = alerts.Act{By: ann, Deed: alerts.DeedExpect, Case: "case-1", Scope: vigil.ScopeAmount, ForRole: true, For: 90 * 24 * time.Hour, Preview: true}
		if got := r.desk.next(t); !cmp.Equal(want, got) {
			t.Error(cmp.Diff(want, got))
		}
		lacks(t, d.View.Text(), "breach or misuse", "wholly")

		// No reason; then choices that were not shown.
		if s := r.Submit(t, "UANN", &d, values); s.Errors["note"] == "" {
			t.Errorf("%+v", s)
		}
		values["note"], values["for"] = "The quarter's audit.", "24h"
		if s := r.Submit(t, "UANN", &d, values); !strings.Contains(s.Errors["scope"], "not shown above yet") {
			t.Errorf("%+v", s)
		}
		r.desk.none(t)

		values["for"] = "2160h"
		if s := r.Submit(t, "UANN", &d, values); s.Action != "" {
			t.Errorf("%+v", s)
		}
		got := r.desk.next(t)
		want.Preview, want.Note, want.ID = false, "The quarter's audit.", got.ID
		if got.ID == "" || !cmp.Equal(want, got) {
			t.Error(cmp.Diff(want, got))
		}
		has(t, r.Told(t, "UANN"), "expected from now on")
	})
}

// A scope that the finding has nothing of is said, and another can be chosen.
func TestExpectImpossible(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.desk.will(func(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
		if a.Scope == "" {
			return alerts.Outcome{}, fmt.Errorf("%w: the finding rests on no amount", alerts.ErrNotDone)
		}
		return answers(ctx, a)
	})
	r.Press(t, "UANN", slack.ActionExpect, "case-1")
	d := r.Opened(t)
	has(t, d.View.Text(), "rests on no amount")
	values := map[string]string{"note": "n"}
	if s := r.Submit(t, "UANN", &d, values); s.Errors["scope"] == "" {
		t.Errorf("%+v", s)
	}
	values["scope"] = "network"
	r.Choose(t, "UANN", &d, values, "scope")
	has(t, d.View.Text(), "would have hidden")
	if s := r.Submit(t, "UANN", &d, values); s.Action != "" {
		t.Errorf("%+v", s)
	}
}

// Of two changes the newer is shown, however long the older takes.
func TestExpectNewestIsShown(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.Press(t, "UANN", slack.ActionExpect, "case-1")
	d := r.Opened(t)
	gate, begun := make(chan struct{}), make(chan struct{})
	r.desk.will(func(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
		if a.Scope == vigil.ScopeNetwork {
			close(begun)
			<-gate
		}
		return answers(ctx, a)
	})
	choose := func(scope string) {
		r.Way.Deliver(t, "interactive", map[string]any{
			"type": "block_actions", "user": talktest.By("UANN"), "trigger_id": r.Trigger(),
			"actions": []any{map[string]any{"action_id": "scope", "block_id": "scope", "action_ts": r.TS(), "selected_option": map[string]any{"value": scope}}},
			"view":    r.ViewPayload(d, map[string]string{"scope": scope}),
		})
	}
	choose("network")
	<-begun
	choose("resource")
	d.View = talktest.ReadView(t, r.Next(t, "views.update").JSON("view"))
	close(gate)
	if err := r.talk.Close(t.Context()); err != nil {
		t.Error(err)
	}
	r.None(t)
	if !strings.Contains(d.View.Meta, "resource|actor") {
		t.Errorf("shown is %s", d.View.Meta)
	}
}

// A silence is made on a second page, which shows what it would have hidden.
func TestSilence(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, r *room) {
		if text, _ := r.Typed(t, "UANN", "silence actor actor-7f3a91 severity medium"); text != "" {
			t.Errorf("answered %q", text)
		}
		d := r.Opened(t)
		golden(t, "silence", d.View.Raw)
		if s := r.Submit(t, "UANN", &d, map[string]string{"actor": "", "source": "two words", "severity": ""}); len(s.Errors) != 3 {
			t.Errorf("%+v", s)
		}
		if s := r.Submit(t, "UANN", &d, map[string]string{"actor": "", "severity": "", "for": "720h", "note": "n"}); s.Errors["actor"] == "" {
			t.Errorf("%+v", s)
		}
		r.desk.none(t)
		r.Submit(t, "UANN", &d, map[string]string{"source": "pg-main", "scenario": "day", "for": "720h", "note": "A migration."})
		want := alerts.Act{
			By: ann, Deed: alerts.DeedSilence, For: 30 * 24 * time.Hour, Note: "A migration.", Preview: true,
			Match: vigil.Match{MaxSeverity: vigil.SeverityMedium, Actors: []string{"actor-7f3a91"}, Sources: []string{"pg-main"}, Scenarios: []string{"day"}},
		}
		if got := r.desk.next(t); !cmp.Equal(want, got) {
			t.Error(cmp.Diff(want, got))
		}
		golden(t, "silenced", d.View.Raw)
		has(t, d.View.Text(), "would have hidden", "judged breach or misuse")
		if s := r.Submit(t, "UANN", &d, nil); s.Action != "update" {
			t.Errorf("%+v", s)
		}
		got := r.desk.next(t)
		want.Preview, want.ID = false, got.ID
		if got.ID == "" || !cmp.Equal(want, got) {
			t.Error(cmp.Diff(want, got))
		}
		has(t, d.View.Text(), "It is silenced.")
	})
}

// The shortcut opens the same dialogue; from a card, it knows the case.
func TestSilenceElsewhere(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, r *room) {
		r.Way.Deliver(t, "interactive", map[string]any{
			"type": "shortcut", "callback_id": talk.ShortcutSilence, "user": talktest.By("UANN"), "team": map[string]any{"id": "T1"}, "trigger_id": r.Trigger(), "action_ts": r.TS(),
		})
		d := r.Opened(t)
		if d.View.Callback != talk.ShortcutSilence {
			t.Errorf("%s", d.View.Raw)
		}
		r.desk.none(t)
		r.Press(t, "UANN", slack.ActionMore, talk.ShortcutSilence)
		r.desk.next(t)
		d = r.Opened(t)
		if !strings.Contains(string(d.View.Raw), `"initial_value":"actor-7f3a91"`) {
			t.Errorf("%s", d.View.Raw)
		}
	})
}
