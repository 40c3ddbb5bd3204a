package talk

import (
	"context"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"vigil"
	"vigil/alerts"
)

const help = `/vigil status – how vigil is
/vigil top [n] – the gravest cases, at most 10
/vigil readers <customer> – who read a customer's data
/vigil silence [actor|source|scenario|severity <name>]… – keep something quiet for a time
/vigil help – this`

// words are the commands, in the order of help.
var words = []string{"status", "top", "readers", "silence", "help"}

// The bounds of /vigil top.
const (
	topUsual = 5
	topMost  = 10
)

// command does what /vigil says.
func (t *Talk) command(ctx context.Context, in incoming) outcome {
	fields := strings.Fields(in.words)
	if len(fields) == 0 {
		return reply(said(help))
	}
	word, rest := strings.ToLower(fields[0]), fields[1:]
	ask := func(a alerts.Act, otherwise string) outcome {
		a.By = in.by
		out, failed := t.do(ctx, a)
		if failed != nil {
			return reply(said(failed.words))
		}
		return reply(t.told(out, otherwise))
	}
	switch word {
	case "status":
		return ask(alerts.Act{Deed: alerts.DeedStatus}, "vigil runs.")
	case "top":
		return t.top(ctx, in, rest)
	case "readers":
		if len(rest) == 0 {
			return reply(said("Say whose: /vigil readers <customer>, by the id that your store knows them by, or by their pseudonym."))
		}
		return ask(alerts.Act{Deed: alerts.DeedReaders, Subject: cut(strings.Join(rest, " "), maxName)}, "Nobody read it, as far as vigil's logs reach.")
	case "silence":
		values, wrong := silenceWords(rest)
		if wrong != "" {
			return reply(said(wrong))
		}
		// Its answer is in the dialogue: the app need not be in the channel.
		in.meta, in.values, in.at = meta{}, values, place{}
		id, err := t.open(ctx, in.trigger, silenceForm().look(ctx, t, in))
		if err != nil || id == "" {
			t.counts.add("unopened")
			return reply(said("The dialogue could not be opened in time. Say it again."))
		}
		return outcome{}
	case "help":
		return reply(said(help))
	}
	text := "There is no “" + alerts.Cut(alerts.Clean(word), 40) + "”."
	if near := nearest(word, words); near != "" {
		text += " Did you mean /vigil " + near + "?"
	}
	return reply(said(text + "\n\n" + help))
}

func reply(m message) outcome {
	m.command = true
	return outcome{msg: m}
}

func (t *Talk) top(ctx context.Context, in incoming, rest []string) outcome {
	n := topUsual
	if len(rest) > 0 {
		var err error
		if n, err = strconv.Atoi(rest[0]); err != nil || n < 1 {
			return reply(said("/vigil top takes a number from 1 to 10."))
		}
		n = min(n, topMost)
	}
	out, failed := t.do(ctx, alerts.Act{By: in.by, Deed: alerts.DeedTop})
	if failed != nil {
		return reply(said(failed.words))
	}
	otherwise := "The gravest cases:"
	if len(out.Cases) == 0 {
		otherwise = "There is no open case."
	}
	link := out.Link
	out.Link = ""
	m := t.told(out, otherwise)
	for i := range out.Cases[:min(n, len(out.Cases))] {
		s := slack.NewSectionBlock(marked(t.caseLine(&out.Cases[i])), nil, nil)
		if i < len(out.CaseLinks) {
			if to := t.link(out.CaseLinks[i]); to != "" && len(to) <= maxLink {
				s.Accessory = slack.NewAccessory(open(to, "Open"))
			}
		}
		m.blocks = append(m.blocks, s)
	}
	if to := t.link(link); to != "" {
		m.blocks = append(m.blocks, slack.NewActionBlock("", open(to, "Open the console")))
	}
	return reply(m)
}

// silenceWords reads what is to be silenced: pairs of what and its name. A pseudonym
// stands for itself.
func silenceWords(rest []string) (values map[string]string, wrong string) {
	const say = "Say /vigil silence actor <pseudonym>, source <name>, scenario <name> or severity low, medium or high; or /vigil silence alone."
	values = map[string]string{}
	for len(rest) > 0 {
		key := strings.ToLower(rest[0])
		switch {
		case strings.HasPrefix(key, "actor-"):
			values["actor"] = rest[0]
			rest = rest[1:]
			continue
		case len(rest) < 2:
			return nil, "“" + alerts.Cut(alerts.Clean(key), 40) + "” needs a name. " + say
		}
		switch key {
		case "actor", "source", "scenario":
			if len(rest[1]) > maxName {
				return nil, "The name of the " + key + " is too long."
			}
			values[key] = rest[1]
		case "severity":
			s := strings.ToLower(rest[1])
			if !known(severities, s) {
				if s == string(vigil.SeverityCritical) {
					return nil, "Critical findings can't be silenced by way of Slack."
				}
				return nil, "There is no such severity. " + say
			}
			values[key] = s
		default:
			text := "“" + alerts.Cut(alerts.Clean(key), 40) + "” is nothing that can be silenced."
			if near := nearest(key, []string{"actor", "source", "scenario", "severity"}); near != "" {
				text += " Did you mean " + near + "?"
			}
			return nil, text + " " + say
		}
		rest = rest[2:]
	}
	return values, ""
}

// nearest is the word that differs least from what was typed, or "" when all differ in
// more than two letters.
func nearest(typed string, words []string) string {
	best, least := "", 3
	for _, w := range words {
		if len(typed) > 0 && strings.HasPrefix(w, typed) {
			return w
		}
		if d := distance(typed, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to change, to add and to leave out (Levenshtein, 1966).
func distance(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal, row[j] = row[j], min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// unescape undoes Slack's escaping of a text that Slack sends back.
func unescape(s string) string { return entities.Replace(s) }
