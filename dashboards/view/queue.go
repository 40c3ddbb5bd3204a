package view

import (
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// QueueCard is a case ready to print in the queue. The finding is its lead.
type QueueCard struct {
	Finding
	// CaseID is the case's own; CaseKey is safe to stand in an HTML id, and CasePath leads
	// to it. Seen is the revision that is shown.
	CaseID, CaseKey, CasePath string
	Seen                      int
	Hands                     Hands
	// New says that it holds news for who looks; Open that a finding of it goes on.
	New, Open bool
	// Count says how many findings it has, empty for one. Opened is when it began.
	Count  string
	Opened Moment
	// Clock says how the 72 hours stand, empty while they don't run; Over that they are
	// over.
	Clock string
	Over  bool
	// Word is the verdict in force, Snoozed until when it is left alone; empty for none.
	Word, Snoozed string
}

// NewQueueCard makes a case ready to print. now is the time by which "ago" is told, clock
// that by which people are bound; path makes the address of a case.
func NewQueueCard(it *api.QueueItem, now, clock time.Time, path func(id string) string) QueueCard {
	c := &it.Case
	v := QueueCard{
		Finding: NewFinding(&it.Lead, Options{Now: now, Key: c.ID}), CaseID: phrase.Text(c.ID, maxName), CaseKey: key(c.ID), CasePath: path(c.ID), Seen: c.Revision,
		Hands: NewHands(c), New: it.New, Open: c.Open, Opened: moment(c.Opened, clock), Word: phrase.Verdict(c.Word),
	}
	if c.Total > 1 {
		v.Count = phrase.Count(int64(c.Total)) + " findings"
	}
	if c.Aware != nil {
		v.Clock, v.Over = due(c, clock)+" "+phrase.Moment(c.Due()), !c.Due().After(clock)
	}
	if c.Snoozing(clock) && c.State != vigil.CaseResolved {
		v.Snoozed = phrase.Moment(c.Snoozed)
	}
	return v
}

// Spent is what came of the alert budget ready to print.
type Spent struct {
	// Asked is the budget in words; Sum what came in the last 30 days, in words.
	Asked, Sum string
	Lanes      []SpentLane
	// Below says what a larger budget would have brought besides, BelowPath leads to it, and
	// BelowSum says it in a few words; all empty where nobody has counted it. Counting leads
	// to the back-test that counts it just now.
	Below, BelowSum, BelowPath string
	Counting                   string
}

// SpentLane is what came of one lane.
type SpentLane struct {
	Name              string
	Week, Month, Rate string
	// ByRule says that the budget is not for these.
	ByRule bool
}

// ruleLane is the lane of findings that rules declare.
const ruleLane = "rule"

// NewSpent makes what came of a budget, in false findings a day, ready to print.
func NewSpent(s *api.Spent, asked float64) Spent {
	v := Spent{Asked: budget(asked)}
	if b := s.Below; b != nil {
		v.BelowPath = replayPath(b.Replay)
		v.BelowSum = phrase.Count(int64(b.New)) + " more would have come with " + BudgetWords(b.Budget)
		v.Below = "With " + BudgetWords(b.Budget) + ", " + phrase.Plural(int64(b.New), "more finding", "more findings") + " would have come from " +
			phrase.Range(b.From, b.To) + ". That was counted on " + phrase.Moment(b.Asked)
	}
	if s.Counting != "" {
		v.Counting = replayPath(s.Counting)
	}
	var counted, ruled int64
	for _, l := range s.Lanes {
		row := SpentLane{
			Name: phrase.Lane(l.Lane), Week: phrase.Count(l.Week), Month: phrase.Count(l.Month), Rate: phrase.Number(float64(l.Month) / 30), ByRule: l.Lane == ruleLane,
		}
		if row.ByRule {
			ruled += l.Month
			row.Name = "rules"
		} else {
			counted += l.Month
		}
		v.Lanes = append(v.Lanes, row)
	}
	v.Sum = phrase.Plural(counted, "finding", "findings") + " came in the last 30 days"
	if ruled > 0 {
		v.Sum += ", and " + phrase.Count(ruled) + " by rules, which the budget does not count"
	}
	return v
}
