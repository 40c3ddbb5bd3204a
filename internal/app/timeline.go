package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/picture"
	"vigil/internal/api"
)

// maxBuckets bounds a timeline's length.
const maxBuckets = 96

// pastSpans is how many times a finding's own length of the time before it is
// shown, within leastPast and mostPast.
const (
	pastSpans = 6
	leastPast = 12 * time.Hour
	mostPast  = 28 * 24 * time.Hour
)

// pastOf is at least how much of the past is shown: for what is held against whole
// days, some of them, and for a source, whose hours are, a week.
func pastOf(f *vigil.Finding) time.Duration {
	const day = 24 * time.Hour
	switch f.About {
	case vigil.AboutSubject, vigil.AboutTeam:
		return 14 * day
	case vigil.AboutSource:
		return 7 * day
	case vigil.AboutNetwork:
		return 2 * day
	}
	return leastPast
}

// timeline counts the accesses of what a finding is about in equal buckets.
type timeline struct {
	start, end time.Time
	bucket     time.Duration
	events     []float64
	rows       []float64
	names      []map[string]struct{}
	chats      []map[string]struct{}
	anyRows    bool
	anyNames   bool
	// last is the latest event counted.
	last *vigil.Event
}

// newTimeline lays the buckets around a finding: its span, some of the past
// before it and a little after it.
func newTimeline(f *vigil.Finding) *timeline {
	span := max(f.End.Sub(f.Start), time.Minute)
	past := min(max(pastSpans*span, pastOf(f)), mostPast)
	start, end := f.Start.Add(-past), f.End.Add(max(span/10, time.Minute))
	bucket := 28 * 24 * time.Hour
	for _, b := range []time.Duration{
		time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
		3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
	} {
		if end.Sub(start) <= (maxBuckets-1)*b {
			bucket = b
			break
		}
	}
	start = start.Truncate(bucket)
	n := min(int(end.Sub(start)/bucket)+1, maxBuckets)
	return &timeline{
		start: start, end: start.Add(time.Duration(n) * bucket), bucket: bucket,
		events: make([]float64, n), rows: make([]float64, n),
		names: make([]map[string]struct{}, n), chats: make([]map[string]struct{}, n),
	}
}

// add counts an event. One outside of the buckets is left out.
func (t *timeline) add(e *vigil.Event) {
	if e.Time.Before(t.start) || !e.Time.Before(t.end) {
		return
	}
	i := int(e.Time.Sub(t.start) / t.bucket)
	t.events[i]++
	if e.Rows > 0 {
		t.rows[i] += float64(e.Rows)
	}
	t.anyRows = t.anyRows || e.Rows != vigil.Unknown
	for _, s := range e.Subjects {
		note(&t.names[i], s)
		t.anyNames = true
	}
	if e.Conversation != "" {
		note(&t.chats[i], e.Conversation)
	}
}

func note(set *map[string]struct{}, name string) {
	if *set == nil {
		*set = map[string]struct{}{}
	}
	(*set)[name] = struct{}{}
}

// done returns the counts. Rows are left out when no source told them, subjects
// are conversations when no subject was named.
func (t *timeline) done() api.Timeline {
	out := api.Timeline{Start: t.start, Bucket: t.bucket, Events: t.events}
	if t.anyRows {
		out.Rows = t.rows
	}
	sets := t.names
	if !t.anyNames {
		sets = t.chats
	}
	named := false
	out.SubjectsNamed = make([]float64, len(sets))
	for i, s := range sets {
		out.SubjectsNamed[i] = float64(len(s))
		named = named || len(s) > 0
	}
	if !named {
		out.SubjectsNamed = nil
	}
	return out
}

// isAbout reports whether an event belongs to what a finding is about.
func isAbout(e *vigil.Event, f *vigil.Finding) bool {
	switch f.About {
	case vigil.AboutSubject:
		return slices.Contains(e.Subjects, f.Subject) && (f.Tenant == "" || f.Tenant == cmp.Or(e.ResourceTenant, e.Actor.Tenant))
	case vigil.AboutSource:
		return e.Source == f.Source
	case vigil.AboutNetwork:
		return e.Network == f.Network
	case vigil.AboutTeam:
		return slices.Contains(f.Actors, e.Actor.ID)
	}
	return e.Actor.ID == f.Actor && e.Actor.Tenant == f.Tenant
}

// timelineOf draws what a finding is about over time, nil where it can't.
type timelineOf = func(ctx context.Context, f *vigil.Finding) *picture.Timeline

// pictured counts the accesses around a finding, for a picture in a message. Nobody is
// named by it, and what can't be read is left out of the message.
func (a *App) pictured(ctx context.Context, f *vigil.Finding) *picture.Timeline {
	layout := newTimeline(f)
	q, ok := queryOf(f)
	if !ok {
		return nil
	}
	q.From, q.To = layout.start, layout.end
	t, err := a.ledger.Timeline(ctx, q, layout.bucket)
	if err != nil {
		return nil
	}
	return &picture.Timeline{Label: "accesses in " + alerts.Span(layout.bucket), From: t.Start, Span: t.Bucket, Counts: t.Events}
}
