package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vigil"
)

// Day is what a digest is made of; a week is one that is longer.
type Day struct {
	// From and To bound it, UTC.
	From, To time.Time
	// Events were judged, Quarantined records set aside.
	Events, Quarantined int64
	// Findings that were declared in it, in any order; of one finding's revisions
	// only the latest counts.
	Findings []vigil.Finding
	// Budget is the number of false findings a day that people accept; zero means
	// that it is not told.
	Budget float64
	// Notes hold what the operator should know.
	Notes []string
	// Waiting are the cases that nobody acknowledged, Reviews what may end soon; both in
	// any order. Those that end later than ReviewWithin after To, or ended before, are
	// left out.
	Waiting []vigil.Case
	Reviews []Review
	// Held counts the cases that were told by no message of their own, by reason.
	Held map[vigil.MuteReason]int
	// Link opens the queue in the console.
	Link string
}

// NewDigest sums up a day or a week. The same one has the same message ID, so that a job
// that runs twice does not tell it twice.
func NewDigest(d Day) Message {
	latest := map[string]vigil.Finding{}
	var order []string
	for _, f := range d.Findings {
		old, ok := latest[f.ID]
		if !ok {
			order = append(order, f.ID)
		}
		if !ok || f.Revision > old.Revision {
			latest[f.ID] = f
		}
	}
	out := make([]vigil.Finding, 0, len(order))
	counts := map[vigil.Severity]int{}
	for _, id := range order {
		f := latest[id]
		counts[f.Severity]++
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b vigil.Finding) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(b.Harm, a.Harm), a.Detected.Compare(b.Detected), cmp.Compare(a.ID, b.ID))
	})
	total := len(out)
	if total > MaxDigestFindings {
		out = slices.Clip(out[:MaxDigestFindings])
	}
	waiting := slices.SortedFunc(slices.Values(d.Waiting), func(a, b vigil.Case) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), a.Opened.Compare(b.Opened), cmp.Compare(a.ID, b.ID))
	})
	reviews := slices.DeleteFunc(slices.Clone(d.Reviews), func(r Review) bool {
		return r.Ends.Before(d.To) || r.Ends.After(d.To.Add(ReviewWithin))
	})
	slices.SortStableFunc(reviews, func(a, b Review) int { return a.Ends.Compare(b.Ends) })
	return Message{
		ID:   "digest/" + d.From.UTC().Format("2006-01-02T15:04") + "/" + d.To.UTC().Format("2006-01-02T15:04"),
		Kind: KindDigest,
		Link: d.Link,
		Digest: &Digest{
			From: d.From.UTC(), To: d.To.UTC(), Events: d.Events, Quarantined: d.Quarantined, Findings: out, Total: total,
			Counts: counts, Budget: d.Budget, Notes: slices.Clone(d.Notes),
			Waiting: slices.Clip(waiting[:min(len(waiting), MaxDigestCases)]), WaitingTotal: len(waiting), Held: maps.Clone(d.Held),
			Reviews: slices.Clip(reviews[:min(len(reviews), MaxDigestReviews)]), ReviewsTotal: len(reviews),
		},
	}
}

// weekly is from which length on a digest is a week's.
const weekly = 6 * 24 * time.Hour

func digestCard(d *Digest) Card {
	// Digests that were made by hand may not have the counts.
	total, counts := max(d.Total, len(d.Findings)), d.Counts
	if counts == nil {
		counts = map[vigil.Severity]int{}
		for _, f := range d.Findings {
			counts[f.Severity]++
		}
	}
	c := Card{Title: "Digest · " + period(d.From, d.To)}
	if d.To.Sub(d.From) >= weekly {
		c.Title = "Week · " + period(d.From, d.To)
	}
	var by []string
	for _, s := range []vigil.Severity{vigil.SeverityCritical, vigil.SeverityHigh, vigil.SeverityMedium, vigil.SeverityLow} {
		if n := counts[s]; n > 0 {
			by = append(by, fmt.Sprintf("%d %s", n, s))
			if c.Severity == "" {
				c.Severity = s
			}
		}
	}
	switch total {
	case 0:
		c.Sentence = "No findings."
	default:
		c.Sentence = Count(int64(total), "finding", "findings")
		if len(by) > 0 {
			c.Sentence += ": " + strings.Join(by, ", ")
		}
		c.Sentence += "."
	}
	judged := Count(d.Events, "access", "accesses")
	if d.Events == 0 {
		judged = "none: does anything arrive?"
	}
	c.Fields = append(c.Fields, Field{"Judged", Text{{S: judged}}})
	if d.Quarantined > 0 {
		c.Fields = append(c.Fields, Field{"Set aside", Text{{S: Count(d.Quarantined, "record that could not be read", "records that could not be read")}}})
	}
	if d.Budget > 0 {
		c.Fields = append(c.Fields, Field{"Alert budget", Text{{S: budgetWords(d.Budget)}}})
	}
	if s := heldWords(d.Held); s != "" {
		c.Fields = append(c.Fields, Field{"Held back", Text{{S: s}}})
	}
	if n := max(d.WaitingTotal, len(d.Waiting)); n > 0 {
		c.Fields = append(c.Fields, Field{"Not acknowledged", Text{{S: Count(int64(n), "case", "cases")}}})
	}
	if n := max(d.ReviewsTotal, len(d.Reviews)); n > 0 {
		c.Fields = append(c.Fields, Field{"To be reviewed", Text{{S: Count(int64(n), "exception or silence that ends", "exceptions and silences that end") + " within a week"}}})
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		if i == MaxDigestFindings {
			break
		}
		c.Lines = append(c.Lines, Line{Severity: f.Severity, Who: subjectOf(f), Text: Cut(Clean(f.Sentence), maxReason), At: f.Detected})
	}
	c.More = total - len(c.Lines)
	for i, n := range d.Notes {
		if i == maxNotes {
			c.Notes = append(c.Notes, fmt.Sprintf("and %d more notes", len(d.Notes)-maxNotes))
			break
		}
		c.Notes = append(c.Notes, Cut(Clean(n), maxReason))
	}
	for i := range d.Waiting[:min(len(d.Waiting), MaxDigestCases)] {
		k := &d.Waiting[i]
		c.Notes = append(c.Notes, "Nobody acknowledged: "+SeverityWord(k.Severity)+", "+CaseTitle(k)+", since "+Moment(k.Opened))
	}
	for i := range d.Reviews[:min(len(d.Reviews), MaxDigestReviews)] {
		r := &d.Reviews[i]
		what := "Exception"
		if r.Kind == "silence" {
			what = "Silence"
		}
		c.Notes = append(c.Notes, Cut(fmt.Sprintf("%s of %s ends %s: %s", what, name(r.By), Moment(r.Ends), Clean(r.Says)), maxReason))
	}
	return c
}

// heldWords says how many cases were held, and why.
func heldWords(held map[vigil.MuteReason]int) string {
	var parts []string
	for _, r := range []struct {
		why  vigil.MuteReason
		word string
	}{
		{vigil.HeldSilence, "silenced"}, {vigil.HeldSnooze, "snoozed"}, {vigil.HeldInhibit, "told by a graver case"},
		{vigil.HeldFlood, "too many at once"}, {vigil.HeldRoute, "for nobody by their route"},
	} {
		if n := held[r.why]; n > 0 {
			parts = append(parts, thousands(int64(n))+" "+r.word)
		}
	}
	return strings.Join(parts, ", ")
}

func period(from, to time.Time) string {
	from, to = from.UTC(), to.UTC()
	if from.Equal(from.Truncate(24*time.Hour)) && to.Sub(from) == 24*time.Hour {
		return from.Format("Monday 2 January 2006")
	}
	if last := to.Add(-time.Nanosecond); from.Equal(from.Truncate(24*time.Hour)) && to.Equal(to.Truncate(24*time.Hour)) && to.After(from) {
		return from.Format("2 January") + " to " + last.Format("2 January 2006")
	}
	return Moment(from) + " to " + Moment(to)
}

func budgetWords(b float64) string {
	switch {
	case b >= 1:
		return "about " + Number(b) + " false a day"
	case b*7 >= 1:
		return "about " + Number(b*7) + " false a week"
	}
	return "about " + Number(b*30) + " false a month"
}
