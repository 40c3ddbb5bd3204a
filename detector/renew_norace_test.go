//go:build !race

package detector_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"vigil"
)

// What somebody does days after a finding, in quite another way, is a finding of its
// own, though the first may still take up evidence.
func TestAnotherStoryIsAnotherFinding(t *testing.T) {
	t.Parallel()
	events, agent, first, second := stories(3 * 24 * time.Hour)
	ids, words := storiesOf(judge(t, newEngine(t, 2), events, always(4096)), agent)
	if len(ids) != 2 {
		t.Fatalf("%d findings about %s, want 2", len(ids), agent)
	}
	a, b := words[ids[0]], words[ids[1]]
	if a[0].Detected.Before(first) || a[0].Detected.After(first.Add(2*time.Hour)) {
		t.Errorf("the first was found %s, began %s", a[0].Detected, first)
	}
	if last := a[len(a)-1]; last.State != vigil.StateClosed || !last.End.Before(second) {
		t.Errorf("the first is %s and ends %s", last.State, last.End)
	}
	if b[0].Detected.Before(second) || b[0].Detected.After(second.Add(time.Hour)) || b[0].Start.Before(second.Add(-time.Hour)) {
		t.Errorf("the second was found %s and starts %s, began %s", b[0].Detected, b[0].Start, second)
	}
	if b[0].Evidence < b[0].Threshold {
		t.Errorf("the second's evidence %.2f lies below the line %.2f", b[0].Evidence, b[0].Threshold)
	}
}

// On the next morning nobody can tell whether it is another story: the finding is
// told again at once, graver.
func TestAnotherStorySoonIsToldAgain(t *testing.T) {
	t.Parallel()
	events, agent, _, second := stories(20 * time.Hour)
	ids, words := storiesOf(judge(t, newEngine(t, 2), events, always(4096)), agent)
	if len(ids) != 1 {
		t.Fatalf("%d findings about %s, want 1", len(ids), agent)
	}
	var before, again *vigil.Finding
	for i := range words[ids[0]] {
		switch f := &words[ids[0]][i]; {
		case f.End.Before(second):
			before = f
		case again == nil:
			again = f
		}
	}
	if before == nil || again == nil {
		t.Fatalf("told before: %v, again: %v", before != nil, again != nil)
	}
	if again.End.After(second.Add(20*time.Minute)) || again.Severity.Rank() <= before.Severity.Rank() {
		t.Errorf("told again at %s as %s, before as %s; the story began %s", again.End, again.Severity, before.Severity, second)
	}
}

// More of the same on the next days is the same story.
func TestTheSameStoryIsOneFinding(t *testing.T) {
	t.Parallel()
	events, agent, first, _ := stories(9 * time.Hour)
	events = slices.DeleteFunc(events, func(e *vigil.Event) bool { return e.Resource == "invoices" })
	for day := 1; day <= 6; day += 2 {
		for _, e := range slices.Clone(events) {
			if e.Actor.ID == agent && !e.Time.Before(first) && e.Time.Before(first.Add(100*time.Minute)) && len(e.Subjects) == 1 {
				c := *e
				c.ID, c.Time = fmt.Sprint(e.ID, "-", day), e.Time.AddDate(0, 0, day)
				c.Subjects = []string{fmt.Sprint(e.Subjects[0], "-", day)}
				events = append(events, &c)
			}
		}
	}
	slices.SortStableFunc(events, func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) })
	if ids, _ := storiesOf(judge(t, newEngine(t, 2), events, always(4096)), agent); len(ids) != 1 {
		t.Errorf("%d findings about %s, want 1", len(ids), agent)
	}
}
