// Package told says what is news of a case for channels whose messages can't be edited,
// so that people get a few of them rather than one for each revision.
//
// What was told is kept in the receipt that the pipeline hands back with the next
// revision. The package has no state and does no input or output.
package told

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"vigil"
	"vigil/alerts"
)

// version is that of the receipt's form; another one is taken for none.
const version = 1

// maxReceipt bounds what is read of a receipt, in bytes.
const maxReceipt = 2000

// State is what was told last of a thread.
type State struct {
	V int `json:"v"`
	// Thread is alerts.Message's.
	Thread string `json:"thread"`
	// Message is the id of what was told, for messages that are told once.
	Message string `json:"message,omitempty"`
	// Rank is that of the gravest severity that was told.
	Rank  int             `json:"rank,omitempty"`
	State vigil.CaseState `json:"state,omitempty"`
	Word  vigil.Word      `json:"word,omitempty"`
	// Reminded and Escalated count as in vigil.Case; Aware and Answered say that the
	// clock runs, and that the person whom the case is about has answered.
	Reminded  int  `json:"reminded,omitempty"`
	Escalated int  `json:"escalated,omitempty"`
	Aware     bool `json:"aware,omitempty"`
	Answered  bool `json:"answered,omitempty"`
	// Subject is the first message's, by which mail programs keep a thread together.
	Subject string `json:"subject,omitempty"`
}

// Of is a message's state.
func Of(m alerts.Message) State {
	s := State{V: version, Thread: alerts.Cut(alerts.Clean(m.Thread()), 200)}
	if m.Kind == alerts.KindReply || m.Finding == nil && m.Case == nil {
		s.Message = alerts.Cut(alerts.Clean(m.ID), 200)
		return s
	}
	if f := m.Finding; f != nil {
		s.Rank, s.State = f.Severity.Rank(), vigil.CaseNew
		if f.State == vigil.StateClosed {
			s.State = vigil.CaseResolved
		}
	}
	if c := m.Case; c != nil {
		s.Rank, s.State, s.Word = c.Severity.Rank(), c.State, c.Word
		s.Reminded, s.Escalated, s.Aware = c.Reminded, c.Escalated, c.Aware != nil
		s.Answered = c.Asked != nil && !c.Asked.Answered.IsZero()
	}
	return s
}

// Parse reads a receipt. What is none is as if nothing had been told.
func Parse(receipt string) (State, bool) {
	var s State
	if receipt == "" || len(receipt) > maxReceipt || json.Unmarshal([]byte(receipt), &s) != nil || s.V != version || s.Thread == "" {
		return State{}, false
	}
	return s, true
}

// Receipt writes the state down.
func (s State) Receipt() string {
	b, err := json.Marshal(s)
	if err != nil || len(b) > maxReceipt {
		// Only an overlong subject could do it.
		s.Subject = ""
		b, _ = json.Marshal(s) //nolint:errchkjson // strings, numbers and booleans can be marshalled
	}
	return string(b)
}

var severities = []vigil.Severity{vigil.SeverityLow, vigil.SeverityMedium, vigil.SeverityHigh, vigil.SeverityCritical}

// News says in a few words each what is new in now, after s was told: nothing when it is
// no more than growth.
func (s State) News(now State) []string {
	var news []string
	if now.Rank > s.Rank {
		i := slices.IndexFunc(severities, func(v vigil.Severity) bool { return v.Rank() == now.Rank })
		news = append(news, "now "+string(severities[max(i, 0)]))
	}
	if now.State != s.State {
		switch {
		case now.State == vigil.CaseAcknowledged:
			news = append(news, "acknowledged")
		case now.State == vigil.CaseResolved:
			news = append(news, "resolved")
		case s.State != "":
			news = append(news, "open again")
		}
	}
	if now.Word != s.Word && now.Word.Known() {
		news = append(news, "judged "+string(now.Word))
	}
	if now.Answered && !s.Answered {
		news = append(news, "the person whom it is about has answered")
	}
	if now.Aware && !s.Aware {
		news = append(news, "the clock to notify the authority runs")
	}
	switch {
	case now.Escalated > s.Escalated:
		news = append(news, fmt.Sprintf("passed on (level %d)", now.Escalated))
	case now.Reminded > s.Reminded:
		news = append(news, "still waits for somebody")
	}
	return news
}

// After is what was told once now is told too: the gravest severity stays.
func (s State) After(now State) State {
	now.Rank, now.Subject = max(now.Rank, s.Rank), s.Subject
	return now
}

// Words joins news to a sentence.
func Words(news []string) string { return strings.Join(news, "; ") }
