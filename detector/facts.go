package detector

import (
	"encoding/json"
	"fmt"
	"strings"

	"vigil"
	"vigil/detector/reasons"
)

// control folds a control record. Unknown ones are the future's. One that can't be
// read changes nothing: what is in the log must not stop judging for good.
func (e *Engine) control(c *vigil.Control) []vigil.Finding {
	switch c.Type {
	case vigil.ControlFacts:
		var f vigil.Facts
		if json.Unmarshal(c.Data, &f) != nil {
			e.unread++
			return nil
		}
		e.shared.book.Apply(f)
		if f.Kind == vigil.FactChange || f.Kind == vigil.FactAssignment {
			return e.explain()
		}
	case vigil.ControlRules:
		// Rules come with the configuration: the record tells which they were.
		var r vigil.RulesChange
		if json.Unmarshal(c.Data, &r) != nil || r.Check() != nil {
			e.unread++
		}
	case vigil.ControlBudget:
		var b vigil.BudgetChange
		if json.Unmarshal(c.Data, &b) != nil || b.Check() != nil {
			e.unread++
			return nil
		}
		e.shared.budget.say(e.shared, b.PerDay, e.hour*hourNanos)
	case vigil.ControlVerdict:
		var v vigil.Verdict
		if json.Unmarshal(c.Data, &v) != nil {
			e.unread++
			return nil
		}
		e.verdict(&v)
	case vigil.ControlLapse:
		if !e.shared.lapse(c.Data) {
			e.unread++
			return nil
		}
		return e.collect()
	case vigil.ControlAbsence:
		var a vigil.Absence
		if json.Unmarshal(c.Data, &a) != nil || a.From.IsZero() || !a.To.After(a.From) {
			e.unread++
			return nil
		}
		e.shared.rhythms.absent(a.From.UnixNano(), a.To.UnixNano())
	case vigil.ControlException:
		var x vigil.Exception
		if json.Unmarshal(c.Data, &x) != nil || x.ID == "" || x.By == "" || x.Time.IsZero() {
			e.unread++
			return nil
		}
		if x.Ended {
			return nil
		}
		e.except(x)
		return e.collect()
	}
	return nil
}

// Facts lists all that feeds have told of a kind, one record a feed: applied to an
// engine that knows none they give the same.
func (e *Engine) Facts(kind vigil.FactKind) []vigil.Facts { return e.shared.book.Facts(kind) }

// Assume takes over what feeds had told by a snapshot of an engine, and nothing else of it:
// for a log whose beginning is gone. It is called before any Fold.
func (e *Engine) Assume(parts []Part) error {
	book, err := restoreBook(parts)
	if err != nil {
		return err
	}
	e.shared.book = book
	return nil
}

// restoreBook takes back the parts of what feeds have told.
func restoreBook(parts []Part) (*reasons.Book, error) {
	var own []reasons.Part
	for _, p := range parts {
		if name, ok := strings.CutPrefix(p.Name, bookPart); ok {
			own = append(own, reasons.Part{Name: name, Data: p.Data})
		}
	}
	book := reasons.New(reasons.Limits{})
	if err := book.Restore(own); err != nil {
		return nil, fmt.Errorf("restore reasons: %w", err)
	}
	return book, nil
}

// reasons writes into a finding which reasons were looked for, and for how many
// customers none was found.
func (sh *shard) reasons(f *vigil.Finding, h *holding) {
	f.ReasonsLooked, f.ReasonsMissing, f.Unreasoned = nil, nil, 0
	if !h.Looked.Work() {
		return
	}
	f.ReasonsLooked = h.Looked.Words()
	f.Unreasoned = h.without.Len()
	for _, k := range sh.shared.book.Missing() {
		f.ReasonsMissing = append(f.ReasonsMissing, string(k))
	}
}

// unreasoned says in words that no reason was found; empty where one was for
// everybody, or none was looked for.
func unreasoned(f *vigil.Finding) string {
	if len(f.ReasonsLooked) == 0 || f.Unreasoned == 0 {
		return ""
	}
	whom := plural(f.Unreasoned, "customer", "customers")
	if f.Subjects > f.Unreasoned {
		whom = number(float64(f.Unreasoned)) + " of " + plural(f.Subjects, "customer", "customers")
	}
	return "No " + oneOf(f.ReasonsLooked) + " was found for " + whom
}

// oneOf lists words of which none holds: "assignment, change or shift".
func oneOf(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
