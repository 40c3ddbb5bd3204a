package app

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/access"
	"vigil/internal/api"
)

// slackOf is a Slack in which questions are put; refuse says why they can't be.
type slackOf struct {
	asked  []alerts.Question
	refuse string
}

func (*slackOf) Workspace(context.Context) (string, error) { return "T0", nil }

func (s *slackOf) Ask(_ context.Context, q *alerts.Question) string {
	s.asked = append(s.asked, *q)
	return s.refuse
}

// In the console the person is asked by the same rules as in Slack, once, and it is they
// who can answer.
func TestAskInTheConsole(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	bob := o.desk.desk.pseudonyms.Actor("", "bob_db")
	o.find(bulk("f-1", bob, vigil.SeverityHigh))
	bot := bulk("f-2", "actor-2", vigil.SeverityHigh)
	bot.ActorKind = vigil.KindBot
	o.find(bot)
	id := o.theCase("f-1").ID
	ask := func(who, key, of string) error {
		_, err := o.desk.Work(o.as(who), api.CaseAct{Case: of, Deed: access.DeedAsk, Key: key})
		return err
	}
	if err := ask("ann", "no-slack", id); !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), "slack.app_token") {
		t.Errorf("without Slack: %v", err)
	}
	s := &slackOf{}
	o.desk.asker = func() asker { return s }
	shown, err := o.desk.Work(o.as("ann"), api.CaseAct{Case: id, Deed: access.DeedAsk, Preview: true})
	if err != nil || !strings.Contains(shown.Question, "212 customers") || len(s.asked) != 0 || !o.audited("person looked up") {
		t.Errorf("preview %+v, %v, asked %v", shown, err, s.asked)
	}
	var p *api.Problem
	if err := ask("vic", "vic", id); !errors.As(err, &p) || p.Code != api.CodeForbidden {
		t.Errorf("by a viewer: %v", err)
	}
	if err := ask("bob", "bob", id); !errors.Is(err, api.ErrOwnCase) {
		t.Errorf("by whom it is about: %v", err)
	}
	if err := ask("ann", "bot", o.theCase("f-2").ID); !errors.Is(err, api.ErrRefused) {
		t.Errorf("of a bot: %v", err)
	}
	for range 2 { // pressed twice
		if err := ask("ann", "once", id); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.asked) != 1 || s.asked[0].To.ID != "U0BOB" || s.asked[0].Text != shown.Question || o.theCase("f-1").Asked == nil || !o.audited("person asked") {
		t.Errorf("asked %+v", s.asked)
	}
	if err := ask("ann", "at once", id); !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), "not answered yet") {
		t.Errorf("again at once: %v", err)
	}
	o.clock = o.clock.Add(2 * time.Hour)
	if err := ask("ann", "later", id); err != nil || len(s.asked) != 2 {
		t.Errorf("again later: %v", err)
	}
	if _, err := o.act("U0VIC", alerts.Act{Deed: alerts.DeedAnswer, Case: id, Mine: true}); !errors.Is(err, alerts.ErrNoCase) {
		t.Errorf("answered by somebody else: %v", err)
	}
	o.must("U0BOB", alerts.Act{Deed: alerts.DeedAnswer, Case: id, Mine: true, Note: "the campaign"})
	if a := o.theCase("f-1").Asked; a.Answered.IsZero() || !a.Mine {
		t.Errorf("answer %+v", a)
	}
}

// A question that did not arrive is taken back, also when who asked has gone away, and can
// be put again at once.
func TestAskInTheConsoleNotDelivered(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.find(bulk("f-1", o.desk.desk.pseudonyms.Actor("", "bob_db"), vigil.SeverityHigh))
	id := o.theCase("f-1").ID
	ctx, leave := context.WithCancel(o.as("ann"))
	s := &slackOf{refuse: "their Slack account is deactivated."}
	o.desk.asker = func() asker { return leaving{s, leave} }
	_, err := o.desk.Work(ctx, api.CaseAct{Case: id, Deed: access.DeedAsk, Key: "one"})
	if c := o.theCase("f-1"); !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), "deactivated") || c.Asked != nil {
		t.Errorf("%v, asked %+v", err, c.Asked)
	}
	s.refuse = ""
	if _, err := o.desk.Work(o.as("ann"), api.CaseAct{Case: id, Deed: access.DeedAsk, Key: "two"}); err != nil || len(s.asked) != 2 {
		t.Errorf("again: %v", err)
	}
}

// leaving is a Slack in the middle of whose answer who asks goes away.
type leaving struct {
	*slackOf
	leave func()
}

func (l leaving) Ask(ctx context.Context, q *alerts.Question) string {
	l.leave()
	return l.slackOf.Ask(ctx, q)
}
