package talk

import (
	"context"
	"strings"

	"github.com/slack-go/slack"

	"vigil"
	"vigil/alerts"
)

var (
	severities = []choice{
		{string(vigil.SeverityLow), "low", ""},
		{string(vigil.SeverityMedium), "low and medium", ""},
		{string(vigil.SeverityHigh), "low, medium and high", ""},
	}
	silences = []choice{
		{"1h", "1 hour", ""}, {"4h", "4 hours", ""}, {"24h", "1 day", ""}, {"72h", "3 days", ""},
		{"168h", "7 days", ""}, {"336h", "14 days", ""}, {"720h", "30 days", ""},
	}
)

const maxName = 200

// silenceForm asks what is to be silenced; its next page shows what that would have
// hidden, and makes it.
func silenceForm() dialogue {
	return dialogue{
		title: "Silence", submit: "Show what it hides",
		look: func(ctx context.Context, t *Talk, in incoming) slack.ModalViewRequest {
			d := silenceForm()
			if in.meta.Case == "" {
				return *d.form(ShortcutSilence, draft{values: in.values})
			}
			out, failed := t.do(ctx, alerts.Act{By: in.by, Deed: alerts.DeedLook, Case: in.meta.Case})
			if failed != nil {
				return *page(d.title, said(failed.words))
			}
			values := map[string]string{}
			if c := out.Case; c != nil {
				values["actor"] = c.Actor
				if c.Actor == "" {
					values["source"] = c.Source
				}
			}
			return *d.form(ShortcutSilence, draft{meta: in.meta, head: t.headOf(out), values: values})
		},
		blocks: func(d draft) []slack.Block {
			return []slack.Block{
				section("All that you name must fit. Findings are kept and are in the console and in the digest; critical ones are told all the same."),
				write("actor", "Actor", "A pseudonym, as on a card.", d.values["actor"], false).WithOptional(true),
				write("source", "Source", "The name of a log source.", d.values["source"], false).WithOptional(true),
				write("scenario", "Scenario", "A lane, such as day, or a rule, such as honey-record.", d.values["scenario"], false).WithOptional(true),
				pick("severity", "Severity", severities, d.values["severity"]).WithOptional(true),
				pick("for", "For how long?", silences, d.values["for"]),
				write("note", "Why", "In a sentence. Name no customer.", d.values["note"], true),
			}
		},
		wrong: func(in incoming, wrong map[string]string) {
			named := false
			for _, name := range []string{"actor", "source", "scenario"} {
				v := in.values[name]
				named = named || v != ""
				if len(v) > maxName || strings.Contains(v, " ") {
					wrong[name] = "One name, without spaces."
				}
			}
			switch v := in.values["severity"]; {
			case v == "" && !named:
				wrong["actor"] = "Name at least one: an actor, a source, a scenario or a severity."
			case v != "" && !known(severities, v):
				wrong["severity"] = "Choose one."
			}
			if !known(silences, in.values["for"]) {
				wrong["for"] = "Choose one."
			}
			if in.values["note"] == "" {
				wrong["note"] = "Say why, in a sentence."
			}
		},
		act: func(_ context.Context, _ *Talk, in incoming) alerts.Act {
			a := silenced(in, silenceOf(in.values))
			a.ID, a.Preview = "", true
			return a
		},
		after: func(_ context.Context, _ *Talk, in incoming, out alerts.Outcome) outcome {
			d := silencedForm()
			if out.Covered == nil {
				return outcome{view: page(d.title, said("vigil can't tell what this would hide, so it is not offered."))}
			}
			m := meta{Case: in.meta.Case, At: in.meta.At, Silence: silenceOf(in.values)}
			return outcome{view: d.form(actionSilenced, draft{meta: m, covered: out.Covered})}
		},
	}
}

// silencedForm is the second page.
func silencedForm() dialogue {
	return dialogue{
		title: "Silence", submit: "Silence it", done: "It is silenced.",
		blocks: func(d draft) []slack.Block {
			if d.covered == nil {
				return []slack.Block{section("Submit again, or cancel.")}
			}
			return covered(d.covered)
		},
		wrong: nil,
		act: func(_ context.Context, _ *Talk, in incoming) alerts.Act {
			return silenced(in, in.meta.Silence)
		},
	}
}

func silenceOf(values map[string]string) *silence {
	return &silence{
		Actor: values["actor"], Source: values["source"], Scenario: values["scenario"],
		Severity: vigil.Severity(values["severity"]), For: values["for"], Note: values["note"],
	}
}

func silenced(in incoming, s *silence) alerts.Act {
	a := act(in, alerts.DeedSilence, in.meta.Case)
	if s == nil {
		s = &silence{}
	}
	list := func(v string) []string {
		if v == "" {
			return nil
		}
		return []string{v}
	}
	a.Match = vigil.Match{MaxSeverity: s.Severity, Actors: list(s.Actor), Sources: list(s.Source), Scenarios: list(s.Scenario)}
	a.For, a.Note = lasts(s.For), s.Note
	return a
}
