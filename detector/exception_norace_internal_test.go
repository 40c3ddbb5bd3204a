//go:build !race

package detector

import (
	"testing"
	"time"

	"vigil"
)

// What is excepted gives no evidence while the exception holds, by event time; all
// else does, and before and after it everything does.
func TestExceptionsAreNarrowAndEnd(t *testing.T) {
	t.Parallel()
	const until = 3 * time.Hour
	_, without, f := course(t, true, until, false)
	if f.ID == "" {
		t.Fatal("the theft was not found")
	}
	except := func(name string, from, to time.Duration, ended bool) (all []saying) {
		for _, scope := range vigil.Scopes() {
			x, err := vigil.NewException(&f, scope, false)
			if err != nil {
				continue // the finding tells of nothing such
			}
			x.ID, x.By, x.Time = "x-"+name+"-"+string(scope), "x", f.Start
			x.Period = vigil.Period{From: f.Start.Add(from), To: f.Start.Add(to)}
			x.Ended = ended
			if err := x.Clean(); err != nil {
				t.Fatal(err)
			}
			all = append(all, saying{after: -48 * time.Hour, except: &x})
		}
		if len(all) < 2 {
			t.Fatalf("only %d exceptions fit the finding", len(all))
		}
		return all
	}
	const day = 24 * time.Hour
	holding := except("holds", -day, 30*day, false)
	_, a, g := course(t, true, until, true, holding...)
	for i := range g.Contributions {
		for _, s := range holding {
			if c := &g.Contributions[i]; s.except.Covers(c) {
				t.Errorf("the %s exception did not cover %s by the %s: %v", s.except.Scope, c.Observation, c.Span, c.Seen)
			}
		}
	}
	if g.Evidence >= f.Evidence {
		t.Errorf("evidence is %.2f with the exceptions, %.2f without", g.Evidence, f.Evidence)
	}
	if x, y := a.Lane[0].Counts[0].W, without.Lane[0].Counts[0].W; x < y {
		t.Errorf("%.1f spans are learnt with the exceptions, %.1f without", x, y)
	}
	// Of those that begin later, are over, or were ended by hand, none matters.
	none := except("later", 10*day, 30*day, false)
	none = append(none, except("over", -20*day, -10*day, false)...)
	none = append(none, except("ended", -day, 30*day, true)...)
	if _, _, g := course(t, true, until, false, none...); g.ID != f.ID || g.Evidence != f.Evidence {
		t.Errorf("finding %s with evidence %.3f, not %s with %.3f", g.ID, g.Evidence, f.ID, f.Evidence)
	}
}
