package pagerduty

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
)

// PagerDuty's bounds: characters of a summary and of a deduplication key, bytes of an
// event.
const (
	maxSummary = 1024
	maxKey     = 255
	maxEvent   = 512 << 10
	// maxWord bounds what PagerDuty sorts and groups by; it names no bound itself.
	maxWord = 255
)

// The actions of the Events API.
const (
	actTrigger     = "trigger"
	actAcknowledge = "acknowledge"
	actResolve     = "resolve"
)

// event is a request to /v2/enqueue.
type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Payload    *payload `json:"payload,omitempty"`
	Links      []link   `json:"links,omitempty"`
	Client     string   `json:"client,omitempty"`
	ClientURL  string   `json:"client_url,omitempty"`
}

type link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// payload is the common event format.
type payload struct {
	Summary   string  `json:"summary"`
	Source    string  `json:"source"`
	Severity  string  `json:"severity"`
	Timestamp string  `json:"timestamp,omitempty"`
	Component string  `json:"component,omitempty"`
	Group     string  `json:"group,omitempty"`
	Class     string  `json:"class,omitempty"`
	Details   details `json:"custom_details"`
}

// details are what responders read, and what rules of an event orchestration may look
// at. The order of the fields is the order in which they are shown.
type details struct {
	What           string            `json:"what,omitempty"`
	Facts          map[string]string `json:"facts,omitempty"`
	Why            []string          `json:"why,omitempty"`
	Lines          []string          `json:"lines,omitempty"`
	Counterfactual string            `json:"counterfactual,omitempty"`
	NotJudged      string            `json:"not_judged,omitempty"`
	Counts         *counts           `json:"counts,omitempty"`
	Severity       vigil.Severity    `json:"severity,omitempty"`
	Case           string            `json:"case,omitempty"`
	Findings       int               `json:"findings,omitempty"`
	Finding        string            `json:"finding,omitempty"`
	Rule           string            `json:"rule,omitempty"`
	Lane           string            `json:"lane,omitempty"`
}

// counts leaves out what no source told.
type counts struct {
	Accesses      int64 `json:"accesses"`
	Customers     int64 `json:"customers,omitempty"`
	Conversations int64 `json:"conversations,omitempty"`
	Rows          int64 `json:"rows,omitempty"`
}

// trigger makes the event that opens an incident, or adds to it.
func (n *Notifier) trigger(m alerts.Message) event {
	e := event{RoutingKey: string(n.cfg.RoutingKey), Action: actTrigger, DedupKey: dedupKey(m.Thread()), Client: "vigil", ClientURL: n.cfg.ConsoleURL}
	card := alerts.CardOf(m, n.cfg.ConsoleURL)
	if m.Notice != nil {
		e.Payload = noticePayload(card)
	} else {
		e.Payload = findingPayload(m, card)
	}
	if card.Link != "" {
		e.Links = []link{{Href: card.Link, Text: "Open in vigil"}}
	}
	return e
}

func noticePayload(card alerts.Card) *payload {
	p := &payload{Summary: text(card.Title, maxSummary), Source: "vigil", Severity: severityOf(card.Severity), Class: "notice",
		Details: details{What: text(card.Sentence, maxText), Severity: card.Severity}}
	for _, l := range card.Notes {
		p.Details.Lines = append(p.Details.Lines, text(l, maxText))
	}
	return p
}

func findingPayload(m alerts.Message, card alerts.Card) *payload {
	p := &payload{
		Summary:  text(strings.TrimSpace(card.Title+". "+card.Sentence), maxSummary),
		Source:   "vigil",
		Severity: severityOf(m.Severity()),
		Details:  details{What: text(card.Sentence, maxText), Counterfactual: text(card.Counterfactual, maxText), NotJudged: text(card.NotJudged, maxText), Severity: m.Severity()},
	}
	for _, f := range card.Fields {
		if p.Details.Facts == nil {
			p.Details.Facts = map[string]string{}
		}
		p.Details.Facts[text(f.Label, maxWord)] = lines(f.Value.String())
	}
	for _, r := range card.Why {
		p.Details.Why = append(p.Details.Why, text(r.Text, maxText))
	}
	if f := m.Finding; f != nil {
		if len(f.Stores) > 0 {
			p.Source = text(f.Stores[0], maxWord)
		} else if f.Source != "" {
			p.Source = text(f.Source, maxWord)
		}
		if len(f.Resources) > 0 {
			p.Component = text(f.Resources[0], maxWord)
		}
		p.Group = text(f.Tenant, maxWord)
		p.Class = text(f.Lane, maxWord)
		if f.Rule != "" {
			p.Class = text(f.Rule, maxWord)
		}
		if !f.Detected.IsZero() {
			p.Timestamp = f.Detected.UTC().Format(time.RFC3339)
		}
		p.Details.Counts = &counts{Accesses: max(0, f.Events), Customers: max(0, f.Subjects), Conversations: max(0, f.Conversations), Rows: max(0, f.Rows)}
		p.Details.Finding, p.Details.Rule, p.Details.Lane = text(f.ID, maxWord), text(f.Rule, maxWord), text(f.Lane, maxWord)
	}
	if c := m.Case; c != nil {
		p.Details.Case, p.Details.Findings = text(c.ID, maxWord), c.Total
	}
	return p
}

// severityOf is PagerDuty's word. What has no severity informs.
func severityOf(s vigil.Severity) string {
	switch s {
	case vigil.SeverityCritical:
		return "critical"
	case vigil.SeverityHigh:
		return "error"
	case vigil.SeverityMedium:
		return "warning"
	}
	return "info"
}

// dedupKey is what the events of one case have in common: its ID, or the ID's digest
// where PagerDuty would not take it whole.
func dedupKey(id string) string {
	plain := id != "" && len(id) <= maxKey && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
	if plain {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "vigil-" + hex.EncodeToString(sum[:])
}

// maxText bounds a text of the details, in characters: cards hold less.
const maxText = 2000

// text makes foreign text fit for a field: one line, nothing invisible, and no address
// that a screen would turn into a link.
func text(s string, max int) string {
	return alerts.Cut(strings.ReplaceAll(alerts.Clean(s), "://", "[:]//"), max)
}

// lines is text whose line breaks are vigil's own.
func lines(s string) string {
	parts := strings.Split(s, "\n")
	for i, p := range parts {
		parts[i] = text(p, maxText)
	}
	return strings.Join(parts, "; ")
}

// encode is the event's body. Cards are bounded far below PagerDuty's limit; should one
// exceed it all the same, the reasons and lines go first, then all details.
func encode(e event) ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil || len(body) <= maxEvent || e.Payload == nil {
		return body, err
	}
	p := *e.Payload
	p.Details.Why, p.Details.Lines, p.Details.Facts = nil, nil, nil
	e.Payload = &p
	if body, err = json.Marshal(e); err == nil && len(body) > maxEvent {
		p.Details = details{Case: p.Details.Case, Finding: p.Details.Finding}
		body, err = json.Marshal(e)
	}
	return body, err
}
