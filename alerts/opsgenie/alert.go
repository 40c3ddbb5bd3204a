package opsgenie

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"vigil"
	"vigil/alerts"
)

// Opsgenie's bounds, in characters.
const (
	maxMessage     = 130
	maxAlias       = 512
	maxDescription = 15_000
	maxEntity      = 512
	maxTag         = 50
	maxTags        = 20
	maxNote        = 25_000
	maxSource      = 100
	// maxDetails bounds all properties together, keys and values; maxDetail one value.
	maxDetails = 8000
	maxDetail  = 1000
)

// alert is a request to create an alert.
type alert struct {
	Message     string            `json:"message"`
	Alias       string            `json:"alias"`
	Description string            `json:"description,omitempty"`
	Responders  []responder       `json:"responders,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	Details     map[string]string `json:"details,omitempty"`
	Entity      string            `json:"entity,omitempty"`
	Source      string            `json:"source,omitempty"`
	Priority    string            `json:"priority,omitempty"`
}

type responder struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// action is what acknowledge, close and notes take.
type action struct {
	Source string `json:"source,omitempty"`
	Note   string `json:"note,omitempty"`
}

// alertOf makes the alert of a message.
func (n *Notifier) alertOf(m alerts.Message, alias string) alert {
	a := alert{Alias: alias, Source: "vigil", Priority: priorityOf(m.Severity()), Details: map[string]string{}}
	for _, t := range n.cfg.Teams {
		a.Responders = append(a.Responders, responder{t, "team"})
	}
	for _, t := range n.cfg.Tags {
		a.tag(t)
	}
	a.tag("vigil")
	a.tag(string(m.Severity()))
	card := alerts.CardOf(m, n.cfg.ConsoleURL)
	a.Message = text(card.Title, maxMessage)
	out := []string{text(card.Sentence, maxSentence)}
	for _, l := range card.Notes {
		out = append(out, "- "+text(l, maxSentence))
	}
	out = append(out, "")
	for _, f := range card.Fields {
		out = append(out, text(f.Label, maxTag)+": "+lines(f.Value.String()))
	}
	if len(card.Why) > 0 {
		out = append(out, "", "Why:")
		for _, r := range card.Why {
			out = append(out, "- "+text(r.Text, maxSentence))
		}
	}
	for _, s := range []string{card.Counterfactual, card.NotJudged} {
		if s != "" {
			out = append(out, "", text(s, maxSentence))
		}
	}
	a.Description = describe(out, card.Link)
	if c := m.Case; c != nil {
		a.detail("case", c.ID)
	}
	if f := m.Finding; f != nil {
		a.tag(string(f.About))
		a.tag(f.Lane)
		a.tag(f.Rule)
		if len(f.Stores) > 0 {
			a.Entity = text(f.Stores[0], maxEntity)
		} else {
			a.Entity = text(f.Source, maxEntity)
		}
		a.detail("finding", f.ID)
		a.detail("actor", f.Actor)
		a.detail("team", f.Team)
		a.detail("tenant", f.Tenant)
		a.detail("source", f.Source)
		a.detail("network", f.Network)
		a.detail("rule", f.Rule)
		a.detail("stores", strings.Join(f.Stores, ", "))
	}
	if card.Link != "" {
		a.Details["link"] = card.Link
	}
	return a
}

// describe joins the lines and keeps room for the link.
func describe(out []string, link string) string {
	tail := ""
	if link != "" {
		tail = "\n\nOpen in vigil: " + link
	}
	return alerts.Cut(strings.TrimSpace(strings.Join(out, "\n")), maxDescription-utf8.RuneCountInString(tail)) + tail
}

// tag adds a word. A comma would make two of it on Opsgenie's pages.
func (a *alert) tag(s string) {
	if s = text(strings.ReplaceAll(s, ",", " "), maxTag); s != "" && len(a.Tags) < maxTags {
		for _, t := range a.Tags {
			if t == s {
				return
			}
		}
		a.Tags = append(a.Tags, s)
	}
}

// detail adds a property where there is still room.
func (a *alert) detail(key, value string) {
	value = text(value, maxDetail)
	size := len(key) + len(value)
	for k, v := range a.Details {
		size += len(k) + len(v)
	}
	if value != "" && size <= maxDetails {
		a.Details[key] = value
	}
}

// priorityOf is Opsgenie's word.
func priorityOf(s vigil.Severity) string {
	switch s {
	case vigil.SeverityCritical:
		return "P1"
	case vigil.SeverityHigh:
		return "P2"
	case vigil.SeverityMedium:
		return "P3"
	case vigil.SeverityLow:
		return "P4"
	}
	return "P5"
}

// aliasOf is by what Opsgenie knows an alert: the case's ID, or the ID's digest where
// an address would not take it whole.
func aliasOf(id string) string {
	plain := id != "" && len(id) <= maxAlias/2 && !strings.ContainsFunc(id, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`/?#%&+\"<>`, r)
	})
	if plain && id != "." && id != ".." {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "vigil-" + hex.EncodeToString(sum[:])
}

// maxSentence bounds one sentence of an alert, in characters: cards hold less.
const maxSentence = 2000

// marks are what Opsgenie's pages, which show HTML, would take for it. Entities would
// be read as they are on a phone, so look-alikes stand in.
var marks = strings.NewReplacer("<", "‹", ">", "›", "&", "＆", "://", "[:]//")

// text makes foreign text fit for a field: one line, nothing invisible, no HTML, and no
// address that a screen would turn into a link.
func text(s string, max int) string {
	return alerts.Cut(marks.Replace(alerts.Clean(s)), max)
}

// lines is text whose line breaks are vigil's own.
func lines(s string) string {
	parts := strings.Split(s, "\n")
	for i, p := range parts {
		parts[i] = text(p, maxSentence)
	}
	return strings.Join(parts, "; ")
}
