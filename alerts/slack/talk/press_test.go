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

var ann = alerts.Person{Channel: "slack", ID: "UANN", Workspace: "T1"}

func TestAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		action, value, says string
		deed                alerts.Deed
	}{
		{slack.ActionAcknowledge, "case-1", "You acknowledged it.", alerts.DeedAcknowledge},
		{slack.ActionAssignMe, "case-1", "It is yours now.", alerts.DeedAssign},
		{slack.ActionMore, slack.ActionAcknowledge, "You acknowledged it.", alerts.DeedAcknowledge},
		{slack.ActionMore, slack.ActionAssignMe, "It is yours now.", alerts.DeedAssign},
	} {
		t.Run(c.action+" "+c.value, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, r *room) {
				r.Press(t, "UANN", c.action, c.value)
				a := r.desk.next(t)
				if a.ID == "" || a.By != ann || a.Deed != c.deed || a.Case != "case-1" || a.To != (alerts.Person{}) {
					t.Errorf("%+v", a)
				}
				has(t, r.Told(t, "UANN"), c.says)
			})
		})
	}
}

func TestOpenLeadsElsewhere(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, r *room) {
		r.Press(t, "UANN", slack.ActionOpen, "")
		r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
		if a := r.desk.next(t); a.Deed != alerts.DeedAcknowledge {
			t.Errorf("%+v", a)
		}
	})
}

func TestUnknownButton(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.Press(t, "UANN", "vigil.reveal", "case-1")
	has(t, r.Told(t, "UANN"), "another version")
	r.Press(t, "UANN", slack.ActionMore, "vigil.silenced") // a page that no press opens
	has(t, r.Told(t, "UANN"), "another version")
	r.desk.none(t)
}

// TestForms presses, fills in and submits each simple dialogue.
func TestForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, action string
		empty        map[string]string // what is wrong when it is submitted as it opens
		values       map[string]string
		want         alerts.Act
		says         string
	}{
		{
			"verdict", slack.ActionVerdict, map[string]string{"word": "Choose one."},
			map[string]string{"word": "misuse", "note": "  looked up\n a neighbour "},
			alerts.Act{Deed: alerts.DeedVerdict, Word: vigil.WordMisuse, Note: "looked up a neighbour"}, "Your verdict is kept.",
		},
		{
			"snooze", slack.ActionSnooze, map[string]string{"for": "Choose one."},
			map[string]string{"for": "4h"}, alerts.Act{Deed: alerts.DeedSnooze, For: 4 * time.Hour}, "It is snoozed.",
		},
		{
			// In Tokyo it is 0:30 on the fifth.
			"snooze until tomorrow", slack.ActionSnooze, nil,
			map[string]string{"for": "tomorrow"}, alerts.Act{Deed: alerts.DeedSnooze, For: 32*time.Hour + 30*time.Minute}, "It is snoozed.",
		},
		{
			"assign", slack.ActionAssign, map[string]string{"to": "Choose somebody."},
			map[string]string{"to": "UBEN"}, alerts.Act{Deed: alerts.DeedAssign, To: alerts.Person{Channel: "slack", ID: "UBEN", Workspace: "T1"}}, "It is assigned.",
		},
		{
			"note", slack.ActionNote, map[string]string{"note": "Write something."},
			map[string]string{"note": "Asked the team lead."}, alerts.Act{Deed: alerts.DeedNote, Note: "Asked the team lead."}, "Your note is in the case.",
		},
		{"aware", slack.ActionAware, nil, nil, alerts.Act{Deed: alerts.DeedAware}, "The 72-hour clock runs."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, r *room) {
				r.Press(t, "UANN", slack.ActionMore, c.action)
				if a := r.desk.next(t); a.Deed != alerts.DeedLook || a.Case != "case-1" || a.By != ann {
					t.Errorf("%+v", a)
				}
				d := r.Opened(t)
				has(t, d.View.Text(), "High", "actor-7f3a91", "214 customers")
				golden(t, strings.Fields(c.name)[0], d.View.Raw)
				if c.empty != nil {
					if s := r.Submit(t, "UANN", &d, nil); s.Action != "errors" || !cmp.Equal(s.Errors, c.empty) {
						t.Errorf("%+v", s)
					}
					r.desk.none(t)
				}
				if s := r.Submit(t, "UANN", &d, c.values); s.Action != "" {
					t.Fatalf("%+v", s)
				}
				got := r.desk.next(t)
				want := c.want
				want.By, want.Case, want.ID = ann, "case-1", got.ID
				if got.ID == "" || !cmp.Equal(want, got) {
					t.Error(cmp.Diff(want, got))
				}
				has(t, r.Told(t, "UANN"), c.says)
			})
		})
	}
}

// A clock that runs is not started again.
func TestAwareAlready(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.desk.will(func(context.Context, alerts.Act) (alerts.Outcome, error) {
		c := sampleCase()
		c.Aware = &vigil.Mark{By: "user-1", Time: epoch.Add(-time.Hour)}
		return alerts.Outcome{Case: c}, nil
	})
	r.Press(t, "UANN", slack.ActionAware, "case-1")
	d := r.Opened(t)
	has(t, d.View.Text(), "runs already", "Sat 7 Mar 2026, 14:30 UTC")
	if d.View.Submit != nil {
		t.Error("it can be started again")
	}
}

// Where somebody is is not known: nine o'clock is that of UTC.
func TestTomorrowWithoutZone(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.Expect("users.info", talktest.Refuse("missing_scope"))
	r.Press(t, "UANN", slack.ActionSnooze, "case-1")
	d := r.Opened(t)
	r.desk.next(t)
	r.Submit(t, "UANN", &d, map[string]string{"for": "tomorrow"})
	if a := r.desk.next(t); a.For != 17*time.Hour+30*time.Minute {
		t.Errorf("%s", a.For)
	}
}

var refusals = []struct {
	err  error
	says string
}{
	{alerts.ErrStranger, "You are no user of vigil"},
	{alerts.ErrMayNot, "Your role does not allow this."},
	{alerts.ErrOwnCase, "You can't work on a case about yourself: somebody else has to."},
	{alerts.ErrNoCase, "There is no such case any more."},
	{fmt.Errorf("%w: the finding names no network", alerts.ErrNotDone), "the finding names no network."},
	{fmt.Errorf("save the verdict: %w", errInner), "vigil could not do it; why is written in its log."},
	{fmt.Errorf("ask: %w", context.DeadlineExceeded), "vigil did not get to it in time."},
}

// What the desk refuses is said in plain words to who asked, and nobody else.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range refusals {
		t.Run(c.says, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, "http")
			r.desk.will(failing(c.err))
			r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
			text := r.Told(t, "UANN")
			has(t, text, c.says)
			lacks(t, text, "UNIQUE", "canary")

			// The same before a dialogue opens: it shows why it can't be filled in.
			for _, action := range []string{slack.ActionVerdict, slack.ActionAware, slack.ActionAsk} {
				r.Press(t, "UANN", action, "case-1")
				d := r.Opened(t)
				has(t, d.View.Text(), c.says)
				if d.View.Submit != nil {
					t.Errorf("%s can be submitted", action)
				}
			}

			// And after it was filled in: what may go well another time keeps what was typed.
			r.desk.will(answers)
			r.Press(t, "UANN", slack.ActionVerdict, "case-1")
			d := r.Opened(t)
			r.desk.will(failing(c.err))
			s := r.Submit(t, "UANN", &d, map[string]string{"word": "breach", "note": "my words"})
			if s.Action != "update" {
				t.Fatalf("%+v", s)
			}
			has(t, d.View.Text(), c.says)
			lacks(t, d.View.Text(), "UNIQUE", "canary")
			if again := d.View.Submit != nil; again != strings.Contains(string(d.View.Raw), "my words") {
				t.Error("what was typed is lost")
			}
			for range len(r.desk.acts) {
				<-r.desk.acts
			}
			if d.View.Submit != nil {
				r.desk.will(answers)
				if s := r.Submit(t, "UANN", &d, nil); s.Action != "" {
					t.Errorf("%+v", s)
				}
				if a := r.desk.next(t); a.Word != vigil.WordBreach || a.Note != "my words" {
					t.Errorf("%+v", a)
				}
			}
		})
	}
}

// What Slack delivers twice is done once.
func TestTwice(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, r *room) {
		p := r.PressPayload("UANN", slack.ActionAcknowledge, "case-1")
		r.Way.Deliver(t, "interactive", p)
		p["trigger_id"] = r.Trigger()
		r.Way.Deliver(t, "interactive", p)
		first := r.desk.next(t)
		r.Press(t, "UANN", slack.ActionAcknowledge, "case-1") // pressed again, which is another press
		second := r.desk.next(t)
		if first.ID == second.ID {
			t.Error("two presses have one id")
		}
		r.Press(t, "UANN", slack.ActionNote, "case-1")
		r.desk.next(t)
		d := r.Opened(t)
		s := r.SubmitPayload("UANN", d, map[string]string{"note": "once"})
		for range 3 {
			if _, ok := r.Way.Deliver(t, "interactive", s); !ok {
				t.Error("refused")
			}
		}
		r.desk.next(t)
		c := r.TypedPayload("UANN", "status")
		for range 2 {
			r.Way.Deliver(t, "slash_commands", c)
		}
		r.desk.next(t)
		r.desk.none(t)
		if n := r.talk.Counts()["repeated"]; n != 4 {
			t.Errorf("%d were told apart as repeated", n)
		}
	})
}

// A desk that takes long: a button is acknowledged at once, a dialogue says that
// vigil is looking, and what comes late is shown where it was waited for.
func TestSlowDesk(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, r *room) {
		gate := make(chan struct{})
		slow := func(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
			select {
			case <-gate:
			case <-ctx.Done():
			}
			return answers(ctx, a)
		}
		r.desk.will(slow)
		r.Press(t, "UANN", slack.ActionAcknowledge, "case-1") // returns: it is acknowledged
		r.talk.Waits(20*time.Millisecond, 20*time.Millisecond, 0, nil)
		r.Press(t, "UANN", slack.ActionVerdict, "case-1")
		d := r.Opened(t)
		has(t, d.View.Text(), "One moment")
		gate <- struct{}{}
		gate <- struct{}{}
		d.View = talktest.ReadView(t, r.Next(t, "views.update").JSON("view"))
		s := r.Submit(t, "UANN", &d, map[string]string{"word": "breach"})
		if s.Action != "update" {
			t.Fatalf("%+v", s)
		}
		has(t, d.View.Text(), "One moment")
		close(gate)
		has(t, talktest.Texts(r.Next(t, "views.update").JSON("view")), "Your verdict is kept.")

		gate = make(chan struct{})
		again := gate
		r.desk.will(func(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
			<-again
			return answers(ctx, a)
		})
		if text, _ := r.Typed(t, "UANN", "status"); text != "" {
			t.Errorf("answered %q", text)
		}
		close(again)
		c := r.Next(t, "respond")
		has(t, talktest.Texts(c.JSON("blocks")), "3 sources")
		if c.Str("response_type") != "ephemeral" {
			t.Error("everybody sees it")
		}
	})
}

// What comes late waits until Slack shows the answer that it is to replace.
func TestLateAnswerWaits(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	waited, on := make(chan time.Duration, 1), make(chan struct{})
	r.talk.Waits(time.Millisecond, 0, 0, func(_ context.Context, d time.Duration) error {
		waited <- d
		<-on
		return nil
	})
	r.Press(t, "UANN", slack.ActionNote, "case-1")
	d := r.Opened(t)
	gate := make(chan struct{})
	r.desk.will(func(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
		<-gate
		return answers(ctx, a)
	})
	r.Submit(t, "UANN", &d, map[string]string{"note": "n"})
	has(t, d.View.Text(), "One moment")
	close(gate)
	select {
	case d := <-waited:
		if d != 500*time.Millisecond {
			t.Errorf("it waits for %s", d)
		}
	case <-time.After(patient):
		t.Fatal("it does not wait")
	}
	r.None(t)
	close(on)
	has(t, talktest.Texts(r.Next(t, "views.update").JSON("view")), "Your note is in the case.")
}

// A panic in what is behind a button ends nothing.
func TestStumble(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.desk.will(func(context.Context, alerts.Act) (alerts.Outcome, error) { panic("boom") })
	r.Press(t, "UANN", slack.ActionVerdict, "case-1")
	d := r.Opened(t)
	has(t, d.View.Text(), "written in its log")
	if text, _ := r.Typed(t, "UANN", "status"); !strings.Contains(text, "written in its log") {
		t.Error(text)
	}
	r.desk.will(answers)
	r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
	has(t, r.Told(t, "UANN"), "You acknowledged it.")
	if n := r.talk.Counts()["panics"]; n != 2 {
		t.Errorf("%d panics are counted", n)
	}
	r.logs.b.Reset()
}

// What is beyond what may be under way is refused, and can be pressed again.
func TestBusy(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.talk.Slots(2)
	gate := make(chan struct{})
	r.desk.will(func(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
		<-gate
		return answers(ctx, a)
	})
	for range 2 {
		r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
	}
	p := r.PressPayload("UANN", slack.ActionAcknowledge, "case-2")
	if _, ok := r.Way.Deliver(t, "interactive", p); ok {
		t.Error("taken")
	}
	if n := r.talk.Counts()["busy"]; n != 1 {
		t.Errorf("%d are counted", n)
	}
	close(gate)
	r.Told(t, "UANN")
	r.Told(t, "UANN")
	for {
		if _, ok := r.Way.Deliver(t, "interactive", p); ok { // the same press: it was not taken before
			break
		}
	}
	r.Told(t, "UANN")
}

func TestClosed(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	if err := r.talk.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Way.Deliver(t, "interactive", r.PressPayload("UANN", slack.ActionAcknowledge, "case-1")); ok {
		t.Error("taken")
	}
	r.desk.none(t)
}

// Slack's wish to wait is met once, while there is time.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.Expect("chat.postEphemeral", talktest.Limited("1"))
	r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
	r.Next(t, "chat.postEphemeral")
	has(t, r.Told(t, "UANN"), "You acknowledged it.")

	r.Expect("views.open", talktest.Limited("1"))
	r.Press(t, "UANN", slack.ActionVerdict, "case-1")
	r.Next(t, "views.open")
	r.Opened(t)

	// A trigger does not live that long: who pressed is told.
	r.Expect("views.open", talktest.Limited("30"))
	r.Press(t, "UANN", slack.ActionVerdict, "case-1")
	has(t, r.Told(t, "UANN"), "Press again.")

	r.Expect("views.open", talktest.Refuse("expired_trigger_id"))
	r.Press(t, "UANN", slack.ActionVerdict, "case-1")
	has(t, r.Told(t, "UANN"), "Press again.")

	// Twice is enough.
	r.Expect("chat.postEphemeral", talktest.Times(2, talktest.Limited("1"))...)
	r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
	r.Next(t, "chat.postEphemeral")
	r.Next(t, "chat.postEphemeral")
	if err := r.talk.Close(t.Context()); err != nil {
		t.Error(err)
	}
	r.None(t)
}

// Slack is away: what was pressed is done all the same.
func TestSlackAway(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	for _, code := range []string{"not_in_channel", "channel_not_found", "fatal_error"} {
		r.Expect("chat.postEphemeral", talktest.Refuse(code))
		r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
		r.desk.next(t)
		r.Next(t, "chat.postEphemeral")
	}
	if err := r.talk.Close(t.Context()); err != nil {
		t.Error(err)
	}
	has(t, r.logs.String(), "invite it there", "fatal_error")
	if n := r.talk.Counts()["untold"]; n != 3 {
		t.Errorf("%d untold", n)
	}
}

// Hostile names of a log do nothing, wherever they are shown.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "socket")
	long := strings.Repeat("🦊", 1200)
	for _, s := range []string{evil, long} {
		r.desk.will(func(_ context.Context, a alerts.Act) (alerts.Outcome, error) {
			f := vigil.Finding{About: vigil.AboutActor, Actor: s, Severity: vigil.Severity(s), Sentence: s, Start: epoch}
			c := vigil.Case{ID: s, About: vigil.About(s), Actor: s, Owner: s, Network: s, State: vigil.CaseAcknowledged, Total: 1 << 40}
			cov := &alerts.Covered{Since: epoch, Says: s, WhollyTotal: 50, PartlyTotal: 50, Breaches: 3, Events: 1, Of: 1 << 40}
			for range 12 {
				cov.Wholly, cov.Partly = append(cov.Wholly, f), append(cov.Partly, f)
			}
			out := alerts.Outcome{Text: s, Case: &c, Finding: &f, Link: s, Covered: cov, Question: &alerts.Question{Case: "case-1", To: alerts.Person{Channel: "slack", ID: "U9"}, Text: s}}
			for range 20 {
				out.Lines = append(out.Lines, s)
			}
			for i := range 12 {
				c.About = []vigil.About{vigil.AboutActor, vigil.AboutNetwork, vigil.AboutTeam, vigil.AboutSubject, vigil.AboutSource}[i%5]
				c.Team, c.Subject, c.Source = s, s, s
				out.Cases = append(out.Cases, c)
			}
			if a.Deed == alerts.DeedNote {
				return out, fmt.Errorf("%w: %s", alerts.ErrNotDone, s)
			}
			return out, nil
		})
		r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
		r.Told(t, "UANN")
		for _, action := range []string{slack.ActionVerdict, slack.ActionExpect, slack.ActionAware, slack.ActionAsk, talk.ShortcutSilence} {
			r.Press(t, "UANN", action, "case-1")
			d := r.Opened(t)
			if action == talk.ShortcutSilence {
				continue
			}
			r.Submit(t, "UANN", &d, map[string]string{"word": "breach", "note": "n"})
		}
		r.Press(t, "UANN", slack.ActionNote, "case-1")
		d := r.Opened(t)
		if s := r.Submit(t, "UANN", &d, map[string]string{"note": "n"}); s.Action != "update" {
			t.Errorf("%+v", s)
		}
		for _, c := range []string{"status", "top 10", "readers x", evil} {
			if _, raw := r.Typed(t, "UANN", c); len(raw) >= 20<<10 {
				t.Errorf("/vigil %s: an answer of %d bytes is dropped by Slack", c, len(raw))
			}
		}
		r.Typed(t, "UANN", "silence")
		d = r.Opened(t)
		r.Submit(t, "UANN", &d, map[string]string{"actor": strings.Repeat("ä", 90), "for": "1h", "note": strings.Repeat("\"", 500)})
		if d.View.Callback != "vigil.silenced" {
			t.Errorf("%s", d.View.Raw)
		}
	}
}
