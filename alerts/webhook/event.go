package webhook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
)

// The types of events.
const (
	typePrefix = "dev.vigil."
	typeDigest = typePrefix + "digest"
	typeNotice = typePrefix + "notice"
	typeReply  = typePrefix + "reply"
	// of a case or a finding
	opened, updated, resolved = "opened", "updated", "resolved"
)

// event is a CloudEvents 1.0 event.
type event struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject,omitempty"`
	Time        time.Time       `json:"time"`
	ContentType string          `json:"datacontenttype"`
	Data        json.RawMessage `json:"data"`
}

// data is what an event says; docs/alerts/webhook.md describes it.
type data struct {
	// Title and Text say it in words.
	Title string `json:"title"`
	Text  string `json:"text"`
	// Link opens it in the console; absent when there is none.
	Link    string         `json:"link,omitempty"`
	Case    *vigil.Case    `json:"case,omitempty"`
	Finding *vigil.Finding `json:"finding,omitempty"`
	Reply   *reply         `json:"reply,omitempty"`
	Digest  *digest        `json:"digest,omitempty"`
	Notice  *notice        `json:"notice,omitempty"`
}

type reply struct {
	Kind vigil.CaseEventKind `json:"kind"`
	Time time.Time           `json:"time"`
	By   string              `json:"by,omitempty"`
	Text string              `json:"text"`
	Call []string            `json:"call,omitempty"`
	Loud bool                `json:"loud"`
}

type digest struct {
	From        time.Time              `json:"from"`
	To          time.Time              `json:"to"`
	Events      int64                  `json:"events"`
	Quarantined int64                  `json:"quarantined"`
	Findings    []vigil.Finding        `json:"findings"`
	Total       int                    `json:"total"`
	Counts      map[vigil.Severity]int `json:"counts,omitempty"`
	Budget      float64                `json:"budget,omitempty"`
	Notes       []string               `json:"notes,omitempty"`
}

type notice struct {
	Severity vigil.Severity `json:"severity,omitempty"`
	Title    string         `json:"title"`
	Sentence string         `json:"sentence"`
	Lines    []string       `json:"lines,omitempty"`
}

// event makes a message's event.
func (n *Notifier) event(m alerts.Message) (event, error) {
	card := alerts.CardOf(m, n.cfg.ConsoleURL)
	e := event{SpecVersion: "1.0", ID: eventID(m.ID), Source: n.cfg.Source, Subject: alerts.Cut(alerts.Clean(m.Thread()), maxName), ContentType: "application/json"}
	d := data{Title: card.Title, Text: card.Sentence, Link: card.Link, Case: m.Case}
	if m.Finding != nil {
		f := public(m.Finding)
		d.Finding = &f
	}
	stage := opened
	if m.Receipt != "" {
		stage = updated
	}
	switch {
	case m.Kind == alerts.KindReply && m.Reply != nil:
		e.Type, e.Time = typeReply, m.Reply.Time
		if m.Case != nil {
			e.Subject = alerts.Cut(alerts.Clean(m.Case.ID), maxName)
		}
		d.Reply = &reply{m.Reply.Kind, m.Reply.Time.UTC(), m.Reply.By, m.Reply.Text, m.Reply.Call, m.Reply.Loud}
	case m.Digest != nil:
		e.Type, e.Time = typeDigest, m.Digest.To
		d.Digest = &digest{m.Digest.From.UTC(), m.Digest.To.UTC(), m.Digest.Events, m.Digest.Quarantined, make([]vigil.Finding, 0, len(m.Digest.Findings)), m.Digest.Total, m.Digest.Counts, finite(m.Digest.Budget), m.Digest.Notes}
		for i := range m.Digest.Findings {
			d.Digest.Findings = append(d.Digest.Findings, public(&m.Digest.Findings[i]))
		}
	case m.Case != nil:
		e.Type, e.Time = typePrefix+"case."+stage, m.Case.End
		if m.Case.State == vigil.CaseResolved {
			e.Type = typePrefix + "case." + resolved
		}
		c := *m.Case
		c.Harm = finite(c.Harm)
		d.Case = &c
	case m.Finding != nil:
		e.Type, e.Time = typePrefix+"finding."+stage, m.Finding.End
		if m.Finding.State == vigil.StateClosed {
			e.Type = typePrefix + "finding." + resolved
		}
	default:
		e.Type = typeNotice
		if m.Notice != nil {
			d.Notice = &notice{m.Notice.Severity, m.Notice.Title, m.Notice.Sentence, m.Notice.Lines}
		}
	}
	if e.Time.IsZero() {
		e.Time = n.now()
	}
	e.Time = e.Time.UTC()
	var err error
	e.Data, err = bounded(d)
	return e, err
}

// eventID makes an event's id, which is also a header's value.
func eventID(id string) string {
	if id != "" && len(id) <= maxName && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/:.") == "" {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "m-" + hex.EncodeToString(sum[:16])
}

// public is a finding as others may have it: without customers' identifiers as the
// stores know them.
func public(f *vigil.Finding) vigil.Finding {
	out := *f
	out.SubjectIDs = nil
	out.Evidence, out.Threshold, out.Harm = finite(f.Evidence), finite(f.Threshold), finite(f.Harm)
	out.Contributions = make([]vigil.Contribution, len(f.Contributions))
	for i, c := range f.Contributions {
		for _, v := range []*float64{&c.Seen, &c.Expected, &c.Low, &c.High, &c.P, &c.E, &c.Share} {
			*v = finite(*v)
		}
		out.Contributions[i] = c
	}
	// How likely a breach it is, is for those who look at it in the console.
	out.Triage = nil
	return out
}

// finite makes a number one that JSON has.
func finite(v float64) float64 {
	switch {
	case math.IsNaN(v):
		return 0
	case math.IsInf(v, 0):
		return math.Copysign(math.MaxFloat64, v)
	}
	return v
}

// Bounds of an event: its data in bytes, a string in characters, a list in elements, an
// id in bytes.
const (
	maxData   = 200 << 10
	maxString = 2000
	maxList   = 200
	maxName   = 200
	// What is always left of a text and a list.
	leastString, leastList = 50, 5
)

// bounded writes the data, with long texts and lists cut, the shorter the less fits.
func bounded(d data) (json.RawMessage, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("the event's data can't be written: %w", err)
	}
	text, list := maxString, maxList
	for {
		var v any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			return nil, fmt.Errorf("the event's data can't be read back: %w", err)
		}
		out, err := json.Marshal(cut(v, text, list))
		if err != nil {
			return nil, err
		}
		if len(out) <= maxData {
			return out, nil
		}
		if text == leastString && list == leastList {
			return nil, fmt.Errorf("the event has %d bytes, at most %d can be sent", len(out), maxData)
		}
		text, list = max(text/2, leastString), max(list/2, leastList)
		raw = out
	}
}

func cut(v any, text, list int) any {
	switch v := v.(type) {
	case string:
		return alerts.Cut(v, text)
	case []any:
		v = v[:min(len(v), list)]
		for i := range v {
			v[i] = cut(v[i], text, list)
		}
		return v
	case map[string]any:
		for k := range v {
			v[k] = cut(v[k], text, list)
		}
		return v
	}
	return v
}
