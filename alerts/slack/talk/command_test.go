package talk_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/alerts"
	"vigil/alerts/slack/talk"
	"vigil/alerts/slack/talk/talktest"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words string
		act   *alerts.Act
		says  []string
		not   []string
	}{
		{"", nil, []string{"/vigil top", "/vigil readers"}, nil},
		{"help", nil, []string{"/vigil silence"}, nil},
		{"  HELP me ", nil, []string{"/vigil silence"}, nil},
		{"status", &alerts.Act{Deed: alerts.DeedStatus}, []string{"vigil runs: 3 sources", "• pg-main", "Open"}, nil},
		{"top", &alerts.Act{Deed: alerts.DeedTop}, []string{"The gravest cases:", "actor-4"}, []string{"actor-5"}},
		{"top 2", &alerts.Act{Deed: alerts.DeedTop}, []string{"actor-1", "nobody has it"}, []string{"actor-2"}},
		{"top 99", &alerts.Act{Deed: alerts.DeedTop}, []string{"actor-9"}, []string{"actor-10"}},
		{"top -1", nil, []string{"a number from 1 to 10"}, nil},
		{"top many", nil, []string{"a number from 1 to 10"}, nil},
		{"readers", nil, []string{"Say whose"}, nil},
		{"readers customer 42", &alerts.Act{Deed: alerts.DeedReaders, Subject: "customer 42"}, []string{"Three people", "actor-1, 4 times", "&lt;!channel&gt;"}, []string{"<!channel>"}},
		{"staus", nil, []string{"There is no “staus”. Did you mean /vigil status?"}, nil},
		{"read x", nil, []string{"Did you mean /vigil readers?"}, nil},
		{"<!here>", nil, []string{"There is no “&lt;!here&gt;”.", "/vigil top"}, []string{"Did you mean"}},
		{"silence colour red", nil, []string{"nothing that can be silenced"}, nil},
		{"silence sorce pg", nil, []string{"Did you mean source?"}, nil},
		{"silence actor", nil, []string{"needs a name"}, nil},
		{"silence severity critical", nil, []string{"can't be silenced by way of Slack"}, nil},
		{"silence severity odd", nil, []string{"no such severity"}, nil},
	} {
		t.Run(c.words, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, r *room) {
				text, _ := r.Typed(t, "UANN", c.words)
				has(t, text, c.says...)
				lacks(t, text, c.not...)
				if c.act == nil {
					r.desk.none(t)
					return
				}
				want := *c.act
				want.By = ann
				if got := r.desk.next(t); !cmp.Equal(want, got) {
					t.Error(cmp.Diff(want, got))
				}
			})
		})
	}
}

func TestCommandsRefused(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"status", "top", "readers x"} {
		r := newRoom(t, "http")
		r.desk.will(failing(alerts.ErrMayNot))
		text, _ := r.Typed(t, "UANN", words)
		has(t, text, "Your role does not allow this.")
	}
	r := newRoom(t, "http")
	r.Expect("views.open", talktest.Refuse("expired_trigger_id"))
	text, _ := r.Typed(t, "UANN", "silence")
	has(t, text, "could not be opened in time")
	r.desk.will(func(context.Context, alerts.Act) (alerts.Outcome, error) { return alerts.Outcome{}, nil })
	text, _ = r.Typed(t, "UANN", "top")
	has(t, text, "There is no open case.")
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"staus": "status", "stat": "status", "tpo": "top", "hlep": "help", "silense": "silence", "reader": "readers", "dashboard": "", "": "", strings.Repeat("x", 1000): ""} {
		if got := talk.Nearest(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

// An answer that came late goes to Slack, and nowhere else, whatever a request says.
func TestAnswersGoToSlack(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.talk.Waits(1, 0, 0, nil)
	for _, to := range []string{"http://169.254.169.254/latest", "https://hooks.slack.com.evil.example/x", "https://u:p@hooks.slack.com/x", "file:///etc/passwd", r.URL + "@evil.example/", "http://hooks.slack.com/x", ""} {
		gate := make(chan struct{})
		r.desk.will(func(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
			<-gate
			return answers(ctx, a)
		})
		p := r.TypedPayload("UANN", "status")
		p["response_url"] = to
		r.Way.Deliver(t, "slash_commands", p)
		close(gate)
		r.desk.next(t)
	}
	if err := r.talk.Close(t.Context()); err != nil {
		t.Error(err)
	}
	r.Next(t, "auth.test") // once, and nothing else
	r.None(t)
	if n := r.talk.Counts()["untold"]; n != 7 {
		t.Errorf("%d untold", n)
	}
}
