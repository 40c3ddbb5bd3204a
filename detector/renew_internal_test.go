package detector

import (
	"testing"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
)

// TestWhatIsAnotherStory weighs spans against a finding that stands on customers
// (ten of them, of which an e-value of 1000 told).
func TestWhatIsAnotherStory(t *testing.T) {
	t.Parallel()
	customers, network := kindTerm(features.Subjects, frameSelf), categoryTerm(features.Network)
	span := func(e float64, term int) []judged { return []judged{{Term: term, E: e, P: 1 / e}} }
	const line = 2.5
	for name, c := range map[string]struct {
		all        []judged
		e          float64
		people     int
		after      int64 // hours
		again, own bool
	}{
		"more of the same":             {span(1e3, customers), 1e3, 10, 30, false, false},
		"the same, held against all":   {span(1e3, kindTerm(features.Subjects, frameEveryone)), 1e3, 10, 30, false, false},
		"the same, ten times as odd":   {span(1e4, customers), 1e4, 10, 3, true, false},
		"the same, of many more":       {span(1e3, customers), 1e3, 40, 3, true, false},
		"another sign, soon":           {span(1e3, network), 1e3, 10, 3, true, false},
		"another sign, a day later":    {span(1e3, network), 1e3, 10, 30, true, true},
		"another sign, below the line": {span(1e2, network), 1e2, 10, 30, false, false},
		"another sign, told already":   {span(1e3, network), 1e3, 10, 0, false, false},
	} {
		sh := &shard{shared: newShared(newBudget(0), nil)}
		sh.shared.budget.Line[features.Quarter] = line
		in := &incident{Terms: map[int]trail{customers: {Log: 3}}, held: newHolding(), since: newHolding(), LastEvidence: hourNanos}
		in.New.tell(hourNanos, 1e3, 10)
		a := &actor{open: in}
		at := hourNanos + c.after*hourNanos
		e := vigil.NewEvent()
		e.Time, e.Action, e.SubjectCount = utc(at), vigil.ActionRead, int64(c.people)
		la := &a.Lane[features.Quarter]
		la.span.Begin(features.Quarter.Index(at))
		la.span.Add(e, reasons.Checked{})
		again, own := sh.renewed(a, features.Quarter, c.all, c.e)
		if again > 0 != c.again || own != c.own {
			t.Errorf("%s: told again %v, a finding of its own %v", name, again > 0, own)
		}
		if again > 0 && again < line {
			t.Errorf("%s: evidence %.2f below the line", name, again)
		}
	}
}

// TestAStoryTwiceToldIsGraver raises severity by one step for each story.
func TestAStoryTwiceToldIsGraver(t *testing.T) {
	t.Parallel()
	in := &incident{held: newHolding(), since: newHolding()}
	in.held.subjects.AddUnnamed(20)
	for steps, want := range []vigil.Severity{vigil.SeverityMedium, vigil.SeverityHigh, vigil.SeverityCritical, vigil.SeverityCritical} {
		in.New.Raised = steps
		if got := in.severity(); got != want {
			t.Errorf("raised by %d: %s, want %s", steps, got, want)
		}
	}
}
