package alertmanager

import (
	"cmp"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
)

// The names of alerts.
const (
	nameCase   = "VigilCase"
	nameNotice = "VigilNotice"
)

// alert is one of the list that POST /api/v2/alerts takes.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// Bounds of what is foreign, in characters.
const (
	maxLabel = 200
	maxText  = 2000
)

// labels identify an alert to the Alertmanager: another set is another alert. So they
// hold what stays as it is, words from closed sets, and of what changes the severity
// alone, by which routes choose.
func (n *Notifier) labels(name, id string, severity vigil.Severity, about vigil.About) map[string]string {
	l := map[string]string{}
	for k, v := range n.cfg.Labels {
		l[k] = v
	}
	l["alertname"], l["service"], l["severity"], l["case"] = name, "vigil", severityWord(severity), cmp.Or(text(id, maxLabel), "none")
	if name == nameCase {
		l["about"] = aboutWord(about)
	}
	return l
}

// severityWord keeps to the closed set.
func severityWord(s vigil.Severity) string {
	if s.Rank() == 0 {
		return "none"
	}
	return string(s)
}

// aboutWord keeps to the closed set.
func aboutWord(a vigil.About) string {
	switch a {
	case vigil.AboutActor, vigil.AboutNetwork, vigil.AboutTeam, vigil.AboutSubject, vigil.AboutSource:
		return string(a)
	}
	return "other"
}

// annotations are what people read; they don't identify.
func annotations(m alerts.Message, card alerts.Card) map[string]string {
	a := map[string]string{}
	set := func(k, v string) {
		if k != "" && v != "" {
			a[k] = v
		}
	}
	// The facts come first: what follows has its name in any case.
	for _, f := range card.Fields {
		set(annotationName(f.Label), lines(f.Value.String()))
	}
	set("summary", text(card.Title, maxText))
	out := []string{text(card.Sentence, maxText)}
	for _, l := range card.Notes {
		out = append(out, "- "+text(l, maxText))
	}
	set("description", strings.Join(out, "\n"))
	var why []string
	for _, r := range card.Why {
		why = append(why, "- "+text(r.Text, maxText))
	}
	set("why", strings.Join(why, "\n"))
	set("counterfactual", text(card.Counterfactual, maxText))
	set("not_judged", text(card.NotJudged, maxText))
	set("link", card.Link)
	if c := m.Case; c != nil {
		set("state", string(c.State))
	}
	if f := m.Finding; f != nil {
		set("finding", text(f.ID, maxLabel))
		set("rule", text(f.Rule, maxLabel))
		set("lane", text(f.Lane, maxLabel))
	}
	return a
}

// annotationName makes a name of a card's label ("How much" becomes "how_much"): names
// are letters, digits and underscores, and begin with no digit. A label may be a user's.
func annotationName(label string) string {
	if label = alerts.Cut(label, maxLabel); label != "" && label[0] >= '0' && label[0] <= '9' {
		label = "_" + label
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, label)
}

// about is what the case, or the finding, is about.
func about(m alerts.Message) vigil.About {
	if m.Case != nil {
		return m.Case.About
	}
	if m.Finding != nil {
		return m.Finding.About
	}
	return ""
}

// began is when it began, zero where nothing tells.
func began(m alerts.Message) time.Time {
	switch {
	case m.Case != nil && !m.Case.Start.IsZero():
		return m.Case.Start.UTC()
	case m.Finding != nil && !m.Finding.Start.IsZero():
		return m.Finding.Start.UTC()
	}
	return time.Time{}
}

// text makes foreign text fit for a value: one line, nothing invisible, and no address
// that what the Alertmanager feeds would turn into a link. Its templates escape for HTML
// themselves; the marks of chats are taken out here, since its templates for chats do not.
func text(s string, max int) string {
	return alerts.Cut(marks.Replace(alerts.Clean(s)), max)
}

var marks = strings.NewReplacer("<", "‹", ">", "›", "&", "＆", "`", "ˋ", "*", "∗", "://", "[:]//")

// lines is text whose line breaks are vigil's own.
func lines(s string) string {
	parts := strings.Split(s, "\n")
	for i, p := range parts {
		parts[i] = text(p, maxText)
	}
	return strings.Join(parts, "; ")
}
