package talk

import (
	"context"
	"time"

	"github.com/slack-go/slack"

	"vigil"
	"vigil/alerts"
	cards "vigil/alerts/slack"
)

func proseOf(s string) string { return cards.Prose(alerts.Cut(alerts.Clean(s), 300), 600) }

var verdicts = []choice{
	{string(vigil.WordBreach), "Breach", "Somebody got data that they had no right to"},
	{string(vigil.WordMisuse), "Misuse", "Read without a reason that the work gives"},
	{string(vigil.WordExpected), "Expected", "It belongs to the work"},
	{string(vigil.WordUnknown), "Can't be told", "Teaches vigil nothing"},
}

func verdictForm() dialogue {
	return dialogue{
		title: "Verdict", submit: "Say so", done: "Your verdict is kept.",
		look: looked(cards.ActionVerdict, verdictForm),
		blocks: func(d draft) []slack.Block {
			return []slack.Block{
				radio("word", "What was it?", verdicts, d.values["word"]),
				write("note", "Why", "What you saw, in a sentence. Name no customer.", d.values["note"], true).WithOptional(true),
			}
		},
		wrong: func(in incoming, wrong map[string]string) {
			if !known(verdicts, in.values["word"]) {
				wrong["word"] = "Choose one."
			}
		},
		act: func(_ context.Context, _ *Talk, in incoming) alerts.Act {
			a := act(in, alerts.DeedVerdict, in.meta.Case)
			a.Word, a.Note = vigil.Word(in.values["word"]), in.values["note"]
			return a
		},
	}
}

// tomorrow is the choice that depends on where somebody is.
const tomorrow = "tomorrow"

var snoozes = []choice{
	{"1h", "1 hour", ""},
	{"4h", "4 hours", ""},
	{tomorrow, "until tomorrow 9:00", ""},
	{"24h", "1 day", ""},
	{"72h", "3 days", ""},
	{"168h", "7 days", ""},
}

func snoozeForm() dialogue {
	return dialogue{
		title: "Snooze", submit: "Snooze", done: "It is snoozed.",
		look: looked(cards.ActionSnooze, snoozeForm),
		blocks: func(d draft) []slack.Block {
			return []slack.Block{
				radio("for", "For how long?", snoozes, d.values["for"]),
				note("Nothing of this case is told until then, unless it gets graver."),
			}
		},
		wrong: func(in incoming, wrong map[string]string) {
			if !known(snoozes, in.values["for"]) {
				wrong["for"] = "Choose one."
			}
		},
		act: func(ctx context.Context, t *Talk, in incoming) alerts.Act {
			a := act(in, alerts.DeedSnooze, in.meta.Case)
			if in.values["for"] == tomorrow {
				a.For = t.untilTomorrow(ctx, in.by.ID)
			} else {
				a.For = lasts(in.values["for"])
			}
			return a
		},
	}
}

// lasts is a choice's duration; choices are checked before.
func lasts(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0
	}
	return d
}

// untilTomorrow is how long it is until nine o'clock tomorrow where somebody is, as
// Slack knows them; in UTC where it does not tell.
func (t *Talk) untilTomorrow(ctx context.Context, user string) time.Duration {
	zone := time.UTC
	err := t.call(ctx, func(ctx context.Context) error {
		u, err := t.api.GetUserInfoContext(ctx, user)
		if err != nil {
			return err
		}
		if u.TZ == "" {
			return nil
		}
		if loc, err := time.LoadLocation(u.TZ); err == nil {
			zone = loc
		} else if abs(int64(u.TZOffset)) < 24*3600 {
			zone = time.FixedZone("", u.TZOffset)
		}
		return nil
	})
	if err != nil {
		t.untold("somebody's time zone is not known; UTC is taken", err)
	}
	now := t.now().In(zone)
	return time.Date(now.Year(), now.Month(), now.Day()+1, 9, 0, 0, 0, zone).Sub(now)
}

func assignForm() dialogue {
	return dialogue{
		title: "Assign", submit: "Assign", done: "It is assigned.",
		look: looked(cards.ActionAssign, assignForm),
		blocks: func(d draft) []slack.Block {
			e := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, plain("Choose", 30), "to")
			e.InitialUser = d.values["to"]
			return []slack.Block{
				slack.NewInputBlock("to", plain("Who gets it?", 100), plain("A user of vigil.", 100), e),
			}
		},
		wrong: func(in incoming, wrong map[string]string) {
			if !isID(in.values["to"]) {
				wrong["to"] = "Choose somebody."
			}
		},
		act: func(_ context.Context, _ *Talk, in incoming) alerts.Act {
			a := act(in, alerts.DeedAssign, in.meta.Case)
			a.To = alerts.Person{Channel: Channel, ID: in.values["to"], Workspace: in.by.Workspace}
			return a
		},
	}
}

func noteForm() dialogue {
	return dialogue{
		title: "Note", submit: "Add", done: "Your note is in the case.",
		look: looked(cards.ActionNote, noteForm),
		blocks: func(d draft) []slack.Block {
			return []slack.Block{write("note", "Note", "It goes to the case. Name no customer.", d.values["note"], true)}
		},
		wrong: func(in incoming, wrong map[string]string) {
			if in.values["note"] == "" {
				wrong["note"] = "Write something."
			}
		},
		act: func(_ context.Context, _ *Talk, in incoming) alerts.Act {
			a := act(in, alerts.DeedNote, in.meta.Case)
			a.Note = in.values["note"]
			return a
		},
	}
}

func awareForm() dialogue {
	return dialogue{
		title: "72-hour clock", submit: "Start the clock", done: "The 72-hour clock runs.",
		look: func(ctx context.Context, t *Talk, in incoming) slack.ModalViewRequest {
			d := awareForm()
			out, failed := t.do(ctx, alerts.Act{By: in.by, Deed: alerts.DeedLook, Case: in.meta.Case})
			if failed != nil {
				return *page(d.title, said(failed.words))
			}
			if c := out.Case; c != nil && c.Aware != nil {
				return *page(d.title, said("The clock runs already, since "+alerts.Moment(c.Aware.Time)+". The authority is to be notified until "+alerts.Moment(c.Due())+"."))
			}
			v := d.form(cards.ActionAware, draft{meta: in.meta, head: t.headOf(out)})
			v.Blocks.BlockSet = append(v.Blocks.BlockSet, note("If you start it now, that is until "+alerts.Moment(t.now().Add(vigil.NotificationPeriod))+"."))
			return *v
		},
		blocks: func(draft) []slack.Block {
			return []slack.Block{
				section("By this you say that your organisation is aware of a personal data breach, in the sense of Article 33 of the GDPR (Regulation (EU) 2016/679)."),
				section("From then on it has 72 hours to notify the supervisory authority, unless the breach is unlikely to put people's rights and freedoms at risk. Your name and the time are kept."),
			}
		},
		act: func(_ context.Context, _ *Talk, in incoming) alerts.Act {
			return act(in, alerts.DeedAware, in.meta.Case)
		},
	}
}

// isID reports whether s looks like one of Slack's ids.
func isID(s string) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	for _, r := range s {
		if !('A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9') {
			return false
		}
	}
	return true
}
