package talk_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/slack/talk/talktest"
)

var person = alerts.Person{Channel: "slack", ID: "U0PERSON", Workspace: "T1"}

// asks presses, looks and sends.
func (r *room) asks(t *testing.T) talktest.Dialogue {
	t.Helper()
	r.Press(t, "UANN", slack.ActionAsk, "case-1")
	if a := r.desk.next(t); a.Deed != alerts.DeedAsk || !a.Preview || a.Case != "case-1" {
		t.Errorf("%+v", a)
	}
	return r.Opened(t)
}

func TestAsk(t *testing.T) {
	t.Parallel()
	for _, mine := range []bool{true, false} {
		t.Run(fmt.Sprint(mine), func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, r *room) {
				d := r.asks(t)
				golden(t, "ask", d.View.Raw)
				// What is sent is shown, and to whom, but not by name.
				has(t, d.View.Text(), "Was this you?", "actor-7f3a91", "security team")
				lacks(t, string(d.View.Raw), "U0PERSON")
				r.None(t)

				s := r.Submit(t, "UANN", &d, nil)
				a := r.desk.next(t)
				want := alerts.Act{ID: a.ID, By: ann, Deed: alerts.DeedAsk, Case: "case-1"}
				if a.ID == "" || !cmp.Equal(want, a) {
					t.Error(cmp.Diff(want, a))
				}
				if c := r.Next(t, "conversations.open"); c.Str("users") != "U0PERSON" {
					t.Errorf("%v", c.Args)
				}
				dm := r.Next(t, "chat.postMessage")
				talktest.CheckBlocks(t, dm.JSON("blocks"))
				if dm.Str("channel") != "DU0PERSON" {
					t.Errorf("%v", dm.Args)
				}
				has(t, talktest.Texts(dm.JSON("blocks")), "Was this you?", "security team", "Your answer goes to them", "Yes, that was me…", "No, that wasn't me")
				if s.Action != "update" {
					t.Errorf("%+v", s)
				}
				has(t, d.View.Text(), "The question is sent.")

				// They answer, in the direct message.
				action := "vigil.not_mine"
				if mine {
					action = "vigil.mine"
				}
				p := r.PressPayload("U0PERSON", action, "case-1")
				p["channel"], p["container"] = map[string]any{"id": "DU0PERSON"}, map[string]any{"type": "message", "channel_id": "DU0PERSON", "message_ts": "1700000000.000900"}
				r.Way.Deliver(t, "interactive", p)
				answer, note := "You answered: No, that wasn't me", ""
				if mine {
					d := r.Opened(t)
					golden(t, "mine", d.View.Raw)
					if s := r.Submit(t, "U0PERSON", &d, nil); s.Errors["note"] == "" {
						t.Errorf("%+v", s)
					}
					r.desk.none(t)
					note = "The refund campaign."
					if s := r.Submit(t, "U0PERSON", &d, map[string]string{"note": note}); s.Action != "" {
						t.Errorf("%+v", s)
					}
					answer = "You answered: Yes, that was me: " + note
				}
				a = r.desk.next(t)
				want = alerts.Act{ID: a.ID, By: person, Deed: alerts.DeedAnswer, Case: "case-1", Mine: mine, Note: note}
				if a.ID == "" || !cmp.Equal(want, a) {
					t.Error(cmp.Diff(want, a))
				}
				up := r.Next(t, "chat.update")
				talktest.CheckBlocks(t, up.JSON("blocks"))
				if up.Str("channel") != "DU0PERSON" || up.Str("ts") != "1700000000.000900" {
					t.Errorf("%v", up.Args)
				}
				has(t, talktest.Texts(up.JSON("blocks")), answer, "Thank you", "Was this you at 14:00? &lt;b&gt;")
				lacks(t, talktest.Texts(up.JSON("blocks")), "Yes, that was me…")
			})
		})
	}
}

// A question that can't be delivered is told to who asked, and noted in the case.
func TestUndelivered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, code, says string
	}{
		{"conversations.open", "user_disabled", "deactivated"},
		{"conversations.open", "user_not_found", "does not know this account"},
		{"conversations.open", "missing_scope", "im:write"},
		{"conversations.open", "cannot_dm_bot", "a program's"},
		{"chat.postMessage", "messages_tab_disabled", "Messages Tab"},
		{"chat.postMessage", "weird_code", "weird_code"},
		{"chat.postMessage", "", "may not have arrived"},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, "http")
			h := talktest.Refuse(c.code)
			if c.code == "" {
				h = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
			}
			r.Expect(c.method, h)
			d := r.asks(t)
			r.Submit(t, "UANN", &d, nil)
			has(t, d.View.Text(), "could not be delivered", c.says)
			asked, noted := r.desk.next(t), r.desk.next(t)
			if noted.Deed != alerts.DeedUnasked || noted.By != ann || noted.Case != "case-1" || noted.ID != asked.ID+"-undelivered" || !strings.Contains(noted.Note, "could not be delivered") {
				t.Errorf("%+v", noted)
			}
		})
	}
}

// A note that fails as well is told too.
func TestUndeliveredUnnoted(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.Expect("conversations.open", talktest.Refuse("user_disabled"))
	d := r.asks(t)
	r.desk.will(func(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
		if a.Deed == alerts.DeedUnasked {
			return alerts.Outcome{}, alerts.ErrMayNot
		}
		return answers(ctx, a)
	})
	r.Submit(t, "UANN", &d, nil)
	has(t, d.View.Text(), "deactivated", "The case does not say so: Your role does not allow this.")
}

// Somebody whose account is not known can't be asked.
func TestNobodyToAsk(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.desk.will(func(_ context.Context, a alerts.Act) (alerts.Outcome, error) {
		return alerts.Outcome{Case: sampleCase()}, nil
	})
	r.Press(t, "UANN", slack.ActionAsk, "case-1")
	d := r.Opened(t)
	has(t, d.View.Text(), "nobody whom vigil could ask")
	for _, to := range []alerts.Person{{}, {Channel: "teams", ID: "U1"}, {Channel: "slack", ID: "U1,U2"}} {
		r.desk.will(func(_ context.Context, a alerts.Act) (alerts.Outcome, error) {
			return alerts.Outcome{Question: &alerts.Question{Case: "case-1", To: to, Text: "?"}}, nil
		})
		r.Press(t, "UANN", slack.ActionAsk, "case-1")
		d = r.Opened(t)
		r.Submit(t, "UANN", &d, nil)
		has(t, d.View.Text(), "does not know this person's Slack account")
	}
	r.None(t)
}

// Somebody else than whom it is about presses: the desk says no, and they are told.
func TestAnswerOfAnother(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	r.desk.will(failing(fmt.Errorf("%w: the question is another's", alerts.ErrMayNot)))
	r.Press(t, "UEVE", "vigil.not_mine", "case-1")
	has(t, r.Told(t, "UEVE"), "the question is another's.")
	r.Press(t, "UEVE", "vigil.mine", "case-1")
	d := r.Opened(t)
	r.Submit(t, "UEVE", &d, map[string]string{"note": "n"})
	has(t, d.View.Text(), "the question is another's.")
	r.None(t)
}
