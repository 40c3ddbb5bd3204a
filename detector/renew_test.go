package detector_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"vigil"
)

// stories are four weeks of a help desk in which one agent looks through a hundred
// customers in an afternoon and, later, exports invoices by the hundred from where
// nobody ever was.
func stories(later time.Duration) (events []*vigil.Event, agent string, first, second time.Time) {
	events = clones(stagedDesk().events)
	count := map[string]int{}
	for _, e := range events {
		if e.Actor.Role == "agent" && e.Actor.Kind == vigil.KindHuman {
			count[e.Actor.ID]++
		}
	}
	var who vigil.Actor
	for _, e := range events {
		if n := count[e.Actor.ID]; n > count[agent] || n == count[agent] && e.Actor.ID < agent {
			agent, who = e.Actor.ID, e.Actor
		}
	}
	var usual *vigil.Event
	for _, e := range events {
		if e.Actor.ID == agent && e.Action == vigil.ActionRead && len(e.Subjects) == 1 {
			usual = e
		}
	}
	first = events[0].Time.Truncate(24*time.Hour).AddDate(0, 0, 20).Add(13 * time.Hour)
	second = first.Add(later)
	for i := range 100 {
		e := *usual
		e.ID, e.Time, e.Ticket, e.Purpose = fmt.Sprint("first-", i), first.Add(time.Duration(i)*20*time.Second), "", ""
		e.Subjects = []string{fmt.Sprint("customer-of-old-", i)}
		events = append(events, &e)
	}
	for i := range 400 {
		e := vigil.NewEvent()
		e.ID, e.Time, e.Source, e.Actor = fmt.Sprint("second-", i), second.Add(time.Duration(i)*5*time.Second), usual.Source, who
		e.Action, e.Store, e.Resource, e.Shape = vigil.ActionExport, usual.Store, "invoices", "export invoices"
		e.Network, e.UserAgent, e.Outcome, e.Rows = "203.0.113.0/24", "curl/8", vigil.OutcomeSuccess, 500
		events = append(events, e)
	}
	slices.SortStableFunc(events, func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) })
	return events, agent, first, second
}

// storiesOf are the actor's findings by the order of their first word, each with all its
// words.
func storiesOf(all []vigil.Finding, actor string) (ids []string, words map[string][]vigil.Finding) {
	words = map[string][]vigil.Finding{}
	for _, f := range all {
		if f.Actor != actor || f.Rule != "" {
			continue
		}
		if words[f.ID] == nil {
			ids = append(ids, f.ID)
		}
		words[f.ID] = append(words[f.ID], f)
	}
	return ids, words
}

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
