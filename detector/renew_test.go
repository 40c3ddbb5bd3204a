package detector_test

import (
	"fmt"
	"slices"
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
