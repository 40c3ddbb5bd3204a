package app

import (
	"context"
	"time"

	"vigil"
	"vigil/internal/activity"
	"vigil/internal/api"
	"vigil/internal/evidence"
	"vigil/internal/ledger"
)

const (
	// explorePast and exploreAfter are how far around a finding one can look.
	explorePast  = 8 * 7 * 24 * time.Hour
	exploreAfter = 24 * time.Hour
	// networksPast is how long before a finding a network counts as known.
	networksPast = 28 * 24 * time.Hour
	// singlesWithin is the longest span in which single accesses are shown.
	singlesWithin = 6 * time.Hour
	// maxTimes bounds the accesses among which sessions are told apart.
	maxTimes = 200_000
	// leastSpan is the shortest span that can be looked at.
	leastSpan = time.Second
)

// lookedAt is the finding that is asked for, after the look at it was recorded.
func (r *reader) lookedAt(ctx context.Context, id, what string) (vigil.Finding, ledger.EventQuery, bool, error) {
	f, err := r.app.ledger.Finding(ctx, id)
	if err == nil {
		err = r.keepOffFinding(ctx, &f)
	}
	if err == nil {
		err = r.record(ctx, what, id)
	}
	q, ok := queryOf(&f)
	return f, q, ok, err
}

// FindingAccesses implements api.FindingExplorer.
func (r *reader) FindingAccesses(ctx context.Context, id string, x api.EventFilter) (api.EventPage, error) {
	f, q, ok, err := r.lookedAt(ctx, id, "finding's events read")
	if err != nil || !ok {
		return api.EventPage{}, err
	}
	low, high := bounds(&f)
	q.From, q.To = eventsFrom(&f), f.End.Add(1)
	if !x.From.IsZero() {
		q.From = later(x.From, low)
	}
	if !x.To.IsZero() {
		q.To = earlier(x.To, high)
	}
	if !q.To.After(q.From) {
		return api.EventPage{}, nil
	}
	if x.Network != "" && q.Network != "" && x.Network != q.Network {
		return api.EventPage{}, nil
	}
	if x.Network != "" {
		q.Network = x.Network
	}
	q.Resource, q.Conversation, q.Session, q.Outcome = x.Resource, x.Conversation, x.Session, x.Outcome
	q.Offset, q.Limit = max(x.Offset, 0), min(max(x.Limit, 1), maxEvents)
	page, err := r.app.ledger.Events(ctx, q)
	return api.EventPage{Events: page.Events, Total: page.Total, More: page.More, Damaged: page.Damaged}, err
}

// bounds are how far around a finding one can look.
func bounds(f *vigil.Finding) (low, high time.Time) {
	layout := newTimeline(f)
	return earlier(layout.start, f.Start.Add(-explorePast)), later(layout.end, f.End.Add(exploreAfter))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// FindingActivity implements api.FindingExplorer.
func (r *reader) FindingActivity(ctx context.Context, id string, from, to time.Time) (api.Activity, error) {
	f, q, ok, err := r.lookedAt(ctx, id, "finding's timeline read")
	if err != nil || !ok {
		return api.Activity{}, err
	}
	low, high := bounds(&f)
	if from.IsZero() && to.IsZero() {
		layout := newTimeline(&f)
		from, to = layout.start, layout.end
	}
	return r.activity(ctx, q, activitySpan{from, to, low, high}, f.About == vigil.AboutActor || f.About == "")
}

// activitySpan is what is looked at, and all that can be.
type activitySpan struct{ from, to, min, max time.Time }

// within keeps what is looked at within its bounds, and no shorter than makes sense.
func (s activitySpan) within() activitySpan {
	if s.from.IsZero() || s.from.Before(s.min) {
		s.from = s.min
	}
	if s.to.IsZero() || s.to.After(s.max) {
		s.to = s.max
	}
	if s.from.After(s.max.Add(-leastSpan)) {
		s.from = s.max.Add(-leastSpan)
	}
	if s.to.Before(s.from.Add(leastSpan)) {
		s.to = s.from.Add(leastSpan)
	}
	return s
}

// activity counts what a query matches within a span. What is far too much to be listed
// is counted all the same.
func (r *reader) activity(ctx context.Context, q ledger.EventQuery, span activitySpan, one bool) (api.Activity, error) {
	span = span.within()
	bucket := activity.Bucket(span.to.Sub(span.from), api.MaxBuckets-1)
	from := span.from.Truncate(bucket)
	n := int((span.to.Sub(from) + bucket - 1) / bucket)
	out := api.Activity{From: span.from, To: span.to, Min: span.min, Max: span.max, Bucket: bucket}
	// Whole buckets are counted, so that the first and the last are not too low.
	q.From, q.To = from, from.Add(time.Duration(n)*bucket)
	counts, rows, told := make([]float64, n), make([]float64, n), false
	named := activity.NewNamed(n, ledger.MaxNamed)
	var times []int64
	damaged, err := r.app.ledger.Tally(ctx, q, ledger.NamedTexts(), func(c evidence.Columns) {
		out.Total += len(c.Times)
		for j, t := range c.Times {
			i := int((t - from.UnixNano()) / int64(bucket))
			counts[i]++
			rows[i] += float64(max(c.Rows[j], 0))
			named.Add(i, c.Subjects[j], c.Texts[1][j])
			told = told || c.Rows[j] != vigil.Unknown
		}
		if one && out.Total <= maxTimes {
			times = append(times, c.Times...)
		}
	})
	if err != nil {
		return api.Activity{}, err
	}
	out.Damaged = damaged
	if one && out.Total <= maxTimes {
		out.Sessions, out.SessionsLeft = sessionsOf(times)
	}
	if out.Total <= api.MaxSingles && span.to.Sub(span.from) <= singlesWithin {
		q.From, q.To, q.Limit = span.from, span.to, api.MaxSingles
		page, err := r.app.ledger.Events(ctx, q)
		out.Bucket, out.Singles, out.Total = 0, page.Events, page.Total
		return out, err
	}
	out.From, out.To, out.Counts = q.From, q.To, counts
	if told {
		out.Rows = rows
	}
	out.Customers = named.Counts()
	return out, nil
}

func sessionsOf(times []int64) (out []api.Session, left int) {
	all, left := activity.Sessions(times, api.MaxSessions)
	for _, s := range all {
		out = append(out, api.Session{From: time.Unix(0, s.From).UTC(), To: time.Unix(0, s.To).UTC(), Accesses: s.Accesses})
	}
	return out, left
}

// FindingNetworks implements api.FindingExplorer.
func (r *reader) FindingNetworks(ctx context.Context, id string) (api.Networks, error) {
	f, q, ok, err := r.lookedAt(ctx, id, "finding's networks read")
	if err != nil || !ok {
		return api.Networks{}, err
	}
	start := eventsFrom(&f)
	q.From, q.To = start.Add(-networksPast), f.End.Add(1)
	n := activity.Networks{From: start.UnixNano()}
	if _, err := r.app.ledger.Tally(ctx, q, networkTexts(), func(c evidence.Columns) { addNetworks(&n, &c) }); err != nil {
		return api.Networks{}, err
	}
	out := networksOf(&n)
	out.Past = q.From
	return out, nil
}

// networkTexts are the columns that addNetworks reads.
func networkTexts() []evidence.Text {
	return []evidence.Text{evidence.TextNetwork, evidence.TextCountry, evidence.TextASN, evidence.TextOutcome}
}

func addNetworks(n *activity.Networks, c *evidence.Columns) {
	for i, t := range c.Times {
		outcome := vigil.Outcome(c.Texts[3][i])
		n.Add(t, c.Texts[0][i], c.Texts[1][i], c.Texts[2][i], outcome == vigil.OutcomeDenied || outcome == vigil.OutcomeError)
	}
}

func networksOf(n *activity.Networks) api.Networks {
	out := api.Networks{Unnamed: n.Unnamed, Others: n.Others}
	list, left := n.List(api.MaxNetworksTold)
	out.Left = left
	for _, x := range list {
		out.List = append(out.List, api.NetworkUse{
			Network: x.Name, Country: x.Country, ASN: x.ASN, Accesses: x.Accesses, Refused: x.Refused, Before: x.Before,
			First: time.Unix(0, x.First).UTC(), Last: time.Unix(0, x.Last).UTC(),
		})
	}
	return out
}

// FindingRelated implements api.FindingExplorer.
func (r *reader) FindingRelated(ctx context.Context, id string) ([]api.Related, int, error) {
	if _, _, _, err := r.lookedAt(ctx, id, "finding's related ones read"); err != nil {
		return nil, 0, err
	}
	all, left, err := r.app.ledger.Related(ctx, id, api.MaxRelatedFindings)
	if err != nil {
		return nil, 0, err
	}
	out := all[:0]
	for _, x := range all {
		if len(r.othersFindings(ctx, []vigil.Finding{x.Finding})) == 1 {
			out = append(out, x)
		}
	}
	return out, left, nil
}

var _ api.FindingExplorer = (*reader)(nil)
