package talk

import (
	"context"
	"strings"

	"github.com/slack-go/slack"

	"vigil"
	"vigil/alerts"
	cards "vigil/alerts/slack"
)

// most lets the desk take the scope that carries most of the finding.
const most = "most"

var (
	scopes = []choice{
		{most, "What carries most of it", "vigil takes the one of these that explains most"},
		{string(vigil.ScopeNetwork), "These networks", "From where it was read"},
		{string(vigil.ScopeResource), "These resources", "What was read"},
		{string(vigil.ScopeAmount), "As much as this", "How much was read"},
	}
	whom = []choice{
		{"actor", "Only whom it is about", ""},
		{"role", "Everybody of the same role", ""},
	}
	terms = []choice{
		{"24h", "1 day", ""}, {"72h", "3 days", ""}, {"168h", "7 days", ""}, {"336h", "14 days", ""},
		{"720h", "30 days", ""}, {"1440h", "60 days", ""}, {"2160h", "90 days", ""},
	}
	// usual is what the dialogue begins with: the narrowest that is of use.
	usual = map[string]string{"scope": most, "who": "actor", "for": "168h"}
)

// expectForm makes an exception. What it would have hidden is shown for each choice,
// and no choice is taken whose consequences were not shown.
func expectForm() dialogue {
	return dialogue{
		title: "Expected", submit: "Expect it", done: "It is expected from now on.",
		look: func(ctx context.Context, t *Talk, in incoming) slack.ModalViewRequest {
			in.values = usual
			return expectView(ctx, t, in)
		},
		blocks: func(d draft) []slack.Block {
			var out []slack.Block
			if d.covered != nil {
				out = append(out, covered(d.covered)...)
			}
			return append(out, slack.NewDividerBlock(),
				pick("scope", "What is expected?", scopes, d.values["scope"]).WithDispatchAction(true),
				radio("who", "Of whom?", whom, d.values["who"]).WithDispatchAction(true),
				pick("for", "For how long?", terms, d.values["for"]).WithDispatchAction(true),
				write("note", "Why", "In a sentence. Name no customer.", d.values["note"], true),
			)
		},
		wrong: func(in incoming, wrong map[string]string) {
			for name, cs := range map[string][]choice{"scope": scopes, "who": whom, "for": terms} {
				if !known(cs, in.values[name]) {
					wrong[name] = "Choose one."
				}
			}
			if in.values["note"] == "" {
				wrong["note"] = "Say why, in a sentence."
			}
			if len(wrong) == 0 && in.meta.Seen != choicesOf(in.values) {
				wrong["scope"] = "What this would hide is not shown above yet. Look at it, then submit again."
			}
		},
		act: func(_ context.Context, _ *Talk, in incoming) alerts.Act {
			a := expectation(in)
			a.ID, a.Note = in.id, in.values["note"]
			return a
		},
	}
}

// choicesOf is what an exception hangs on.
func choicesOf(values map[string]string) string {
	return strings.Join([]string{values["scope"], values["who"], values["for"]}, "|")
}

func expectation(in incoming) alerts.Act {
	a := alerts.Act{By: in.by, Deed: alerts.DeedExpect, Case: in.meta.Case, ForRole: in.values["who"] == "role", For: lasts(in.values["for"])}
	if s := in.values["scope"]; s != most {
		a.Scope = vigil.Scope(s)
	}
	return a
}

// expectView is the dialogue with what its choices would have hidden.
func expectView(ctx context.Context, t *Talk, in incoming) slack.ModalViewRequest {
	d := expectForm()
	dr := draft{meta: in.meta, values: in.values}
	dr.meta.Seen = ""
	for name, cs := range map[string][]choice{"scope": scopes, "who": whom, "for": terms} {
		if !known(cs, in.values[name]) {
			return *d.form(cards.ActionExpect, dr)
		}
	}
	a := expectation(in)
	a.Preview = true
	out, failed := t.do(ctx, a)
	switch {
	case failed != nil && failed.lasting:
		return *page(d.title, said(failed.words))
	case failed != nil:
		dr.failed = failed.words
	case out.Covered == nil:
		dr.failed = "vigil can't tell what this would hide. Choose another."
	default:
		dr.covered, dr.meta.Seen = out.Covered, choicesOf(in.values)
	}
	return *d.form(cards.ActionExpect, dr)
}
