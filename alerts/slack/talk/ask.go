package talk

import (
	"context"
	"fmt"

	"github.com/slack-go/slack"

	"vigil/alerts"
	cards "vigil/alerts/slack"
)

// Asking the person: the desk records that they are asked, then the question goes to
// them, and an answer becomes a deed of theirs. When the question can't be delivered
// after it was recorded, who asked is told, and a note in the case says so, as theirs:
// the case then shows both, and they may ask again. Who it goes to is shown by
// pseudonym alone, for a name here would be a reveal.

const (
	yes = "Yes, that was me…"
	no  = "No, that wasn't me"
)

func askForm() dialogue {
	return dialogue{
		title: "Ask the person", submit: "Send",
		look: func(ctx context.Context, t *Talk, in incoming) slack.ModalViewRequest {
			d := askForm()
			out, failed := t.do(ctx, alerts.Act{By: in.by, Deed: alerts.DeedAsk, Case: in.meta.Case, Preview: true})
			switch {
			case failed != nil:
				return *page(d.title, said(failed.words))
			case out.Question == nil:
				return *page(d.title, said("There is nobody whom vigil could ask about this case."))
			}
			dr := draft{meta: in.meta, question: out.Question}
			if out.Case != nil {
				dr.actor = out.Case.Actor
			}
			return *d.form(cards.ActionAsk, dr)
		},
		blocks: func(d draft) []slack.Block {
			if d.question == nil {
				return []slack.Block{section("Send it again, or cancel.")}
			}
			whom := "the person whom the case is about"
			if d.actor != "" {
				whom += ", " + alerts.Cut(alerts.Clean(d.actor), 80)
			}
			out := []slack.Block{
				section("This goes to " + whom + ", as a direct message from vigil. Nobody else sees it, and their name is not shown here."),
				slack.NewDividerBlock(),
			}
			out = append(out, question(d.question)...)
			return append(out, slack.NewDividerBlock(), note("They answer by “"+yes+"”, with a reason, or by “"+no+"”. Whoever is asked knows that they are watched: don't ask where you suspect intent."))
		},
		act: func(_ context.Context, _ *Talk, in incoming) alerts.Act {
			return act(in, alerts.DeedAsk, in.meta.Case)
		},
		after: func(ctx context.Context, t *Talk, in incoming, out alerts.Outcome) outcome {
			if out.Question == nil { // pressed twice: the first press delivers it
				return outcome{view: page("Ask the person", t.told(out, out.Text))}
			}
			failed := t.Ask(ctx, out.Question)
			if failed == "" {
				return outcome{view: page("Ask the person", t.told(out, "The question is sent."))}
			}
			t.counts.add("undelivered")
			words := "The question could not be delivered: " + failed
			a := act(in, alerts.DeedUnasked, in.meta.Case)
			a.ID += "-undelivered"
			a.Note = words
			if _, noted := t.do(ctx, a); noted != nil {
				words += " The case does not say so: " + noted.words
			}
			return outcome{view: page("Ask the person", said("⚠ "+words))}
		},
	}
}

// question is what the person reads.
func question(q *alerts.Question) []slack.Block {
	return []slack.Block{
		section(q.Text),
		note("Your organisation's security team asks this by way of vigil, which watches who reads customers' data. Your answer goes to them and is kept with the case."),
	}
}

// Ask sends a question to the person; the words say why it could not be, empty once it was.
func (t *Talk) Ask(ctx context.Context, q *alerts.Question) string {
	if q.To.Channel != Channel || !isID(q.To.ID) {
		return "vigil does not know this person's Slack account."
	}
	var channel string
	err := t.call(ctx, func(ctx context.Context) error {
		c, _, _, err := t.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{q.To.ID}})
		if err == nil && c != nil {
			channel = c.ID
		}
		return err
	})
	if err == nil && channel == "" {
		return "Slack opened no direct message."
	}
	if err == nil {
		deny := slack.NewButtonBlockElement(actionNotMine, q.Case, plain(no, 75))
		deny.Confirm = slack.NewConfirmationBlockObject(plain("It wasn't you?", 100),
			plain("The security team is told that somebody else used your account.", 300), plain("It wasn't me", 30), plain("Cancel", 30))
		m := message{text: q.Text, blocks: append(question(q), slack.NewActionBlock("",
			slack.NewButtonBlockElement(actionMine, q.Case, plain(yes, 75)), deny))}
		err = t.call(ctx, func(ctx context.Context) error {
			_, _, err := t.api.PostMessageContext(ctx, channel, m.options()...)
			return err
		})
	}
	if err == nil {
		return ""
	}
	t.untold("a question can't be delivered", err)
	if why, ok := undeliverable[code(err)]; ok {
		return why
	}
	if c := code(err); c != "" {
		return fmt.Sprintf("Slack says %q.", t.scrub(c))
	}
	return "it may not have arrived, since " + t.plainly(err) + "."
}

var undeliverable = map[string]string{
	"user_disabled":              "their Slack account is deactivated.",
	"user_not_found":             "Slack does not know this account.",
	"users_not_found":            "Slack does not know this account.",
	"user_not_visible":           "the app may not see this account.",
	"cannot_dm_bot":              "the account is a program's.",
	"messages_tab_disabled":      "direct messages from the app are off: switch on the Messages Tab on the Slack app's page, App Home.",
	"missing_scope":              "the Slack app lacks the scope im:write: add it and install the app again.",
	"restricted_action":          "the workspace's settings forbid the app to write to people.",
	"invalid_user_combination":   "the person is in another organisation.",
	"not_in_channel":             "the app can't write to this person.",
	"channel_not_found":          "the app can't write to this person.",
	"is_archived":                "their Slack account is deactivated.",
	"team_access_not_granted":    "the app is not installed in this person's workspace.",
	"external_channel_migrating": "Slack is moving this conversation; ask again later.",
}

// notMine is the answer that needs no reason.
func (t *Talk) notMine(ctx context.Context, in incoming, id string) {
	out, failed := t.do(ctx, act(in, alerts.DeedAnswer, id))
	if failed != nil {
		t.say(ctx, in.by, in.at, said(failed.words))
		return
	}
	t.thank(ctx, in.at, unescape(in.text), no, out)
}

func mineForm() dialogue {
	return dialogue{
		title: "That was me", submit: "Answer",
		// Nothing is looked up: who is asked may be no user of vigil.
		look: func(_ context.Context, _ *Talk, in incoming) slack.ModalViewRequest {
			in.meta.Question = alerts.Cut(unescape(in.text), 1_000)
			return *mineForm().form(actionMine, draft{meta: in.meta})
		},
		blocks: func(d draft) []slack.Block {
			return []slack.Block{write("note", "What was it for?", "The security team reads this. Name no customer.", d.values["note"], true)}
		},
		wrong: func(in incoming, wrong map[string]string) {
			if in.values["note"] == "" {
				wrong["note"] = "Say what it was for, in a sentence."
			}
		},
		act: func(_ context.Context, _ *Talk, in incoming) alerts.Act {
			a := act(in, alerts.DeedAnswer, in.meta.Case)
			a.Mine, a.Note = true, in.values["note"]
			return a
		},
		after: func(ctx context.Context, t *Talk, in incoming, out alerts.Outcome) outcome {
			t.thank(ctx, in.meta.At, in.meta.Question, "Yes, that was me: "+in.values["note"], out)
			return outcome{}
		},
	}
}

// thank replaces the question by what was answered, so that it can't be answered twice.
func (t *Talk) thank(ctx context.Context, at place, asked, answer string, out alerts.Outcome) {
	text := "You answered: " + answer
	end := out.Text
	if end == "" {
		end = "Thank you. The security team has your answer."
	}
	m := message{text: text}
	if asked != "" {
		m.blocks = append(m.blocks, section(asked))
	}
	m.blocks = append(m.blocks, section(text), note(end))
	err := t.call(ctx, func(ctx context.Context) error {
		_, _, _, err := t.api.UpdateMessageContext(ctx, at.Channel, at.Message, m.options()...)
		return err
	})
	if err != nil {
		t.untold("a question can't be marked as answered", err)
	}
}
