package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"vigil"
	"vigil/internal/activity"
	"vigil/internal/api"
	"vigil/internal/evidence"
	"vigil/internal/evidence/columnar"
)

// EventQuery asks for events. Empty fields match everything.
type EventQuery struct {
	Actor, Subject, Session, Conversation, Network, Source string
	// Resource and Outcome are exact.
	Resource string
	Outcome  vigil.Outcome
	// Actors, when there are any, are those of whom one at least must match.
	Actors []string
	// Subjects, when there are any, are those of whom one at least must be named.
	Subjects []string
	// Tenant is the actor's tenant; nil matches any.
	Tenant *string
	// From and To bound the event time, From inclusive and To exclusive; zero
	// means no bound.
	From, To time.Time
	// Offset skips, Limit bounds; zero means 100. Together at most MaxPage.
	Offset, Limit int
}

// MaxPage is how far into a result one can page.
const MaxPage = 100_000

// EventPage is a part of the events that were asked for, in event-time order.
type EventPage struct {
	Events []*vigil.Event
	// Total counts all that match; More says that some come after this page.
	Total int
	More  bool
	// Damaged counts segments and batches that could not be read: what they hold
	// is missing here.
	Damaged int
}

func (q EventQuery) evidence() evidence.Query {
	return evidence.Query{
		Actor: q.Actor, Actors: q.Actors, Subject: q.Subject, Session: q.Session, Conversation: q.Conversation,
		Subjects: q.Subjects, Network: q.Network, Source: q.Source, Resource: q.Resource, Outcome: q.Outcome, Tenant: q.Tenant, From: q.From, To: q.To,
	}
}

// Match reports whether an event is one that the query asks for.
func (q EventQuery) Match(e *vigil.Event) bool { return q.match(e) }

func (q EventQuery) match(e *vigil.Event) bool { return q.evidence().Match(e) }

// times returns the bounds in nanoseconds, From inclusive and To exclusive.
func (q EventQuery) times() (from, to int64) {
	from, to = nanos(earliest), nanos(latest)
	if !q.From.IsZero() && q.From.After(earliest) {
		from = q.From.UnixNano()
	}
	if !q.To.IsZero() && q.To.Before(latest) {
		to = q.To.UnixNano()
	}
	return from, to
}

// Events returns the events that match, sealed or not, in event-time order. It counts
// all of them, and reads in full no more than those of the page: the number of matches
// costs time and no memory.
func (l *Ledger) Events(ctx context.Context, q EventQuery) (EventPage, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	q.Offset = max(0, q.Offset)
	if q.Offset+q.Limit > MaxPage {
		return EventPage{}, fmt.Errorf("events %d to %d asked for: at most the first %d can be paged through; narrow the time", q.Offset, q.Offset+q.Limit, MaxPage)
	}
	times := &earliestTimes{n: q.Offset + q.Limit}
	damaged, err := l.Tally(ctx, q, nil, func(c evidence.Columns) { times.add(c.Times) })
	if err != nil {
		return EventPage{}, fmt.Errorf("count events: %w", err)
	}
	page := EventPage{Total: times.total, More: times.total > q.Offset+q.Limit, Damaged: damaged}
	first := times.done()
	if q.Offset >= len(first) {
		return page, nil
	}
	from, to := first[q.Offset], first[len(first)-1]
	before, _ := slices.BinarySearch(first, from) // of those at the same instant the page may begin in the middle
	q.From, q.To = fromNanos(from), fromNanos(to+1)
	top := &earliestRows{n: q.Offset + q.Limit - before}
	if damaged, err = l.visit(ctx, q, top.add); err != nil {
		return EventPage{}, fmt.Errorf("read events: %w", err)
	}
	page.Damaged = max(page.Damaged, damaged)
	rows := top.done()
	for _, row := range rows[min(q.Offset-before, len(rows)):] {
		page.Events = append(page.Events, row.Event)
	}
	return page, nil
}

// Timeline counts what matches in buckets of equal length from q.From to q.To,
// which must both be set and make at most 10,000 buckets.
func (l *Ledger) Timeline(ctx context.Context, q EventQuery, bucket time.Duration) (api.Timeline, error) {
	if bucket <= 0 || q.From.IsZero() || !q.To.After(q.From) || q.To.Sub(q.From)/bucket >= 10_000 {
		return api.Timeline{}, fmt.Errorf("timeline from %s to %s by %s can't be drawn", q.From, q.To, bucket)
	}
	n := int((q.To.Sub(q.From) + bucket - 1) / bucket)
	t := api.Timeline{Start: q.From, Bucket: bucket, Events: make([]float64, n), Rows: make([]float64, n)}
	from, named := q.From.UnixNano(), activity.NewNamed(n, MaxNamed)
	_, err := l.Tally(ctx, q, NamedTexts(), func(c evidence.Columns) {
		for j, at := range c.Times {
			i := int((at - from) / int64(bucket))
			t.Events[i]++
			t.Rows[i] += float64(max(c.Rows[j], 0))
			named.Add(i, c.Subjects[j], c.Texts[1][j])
		}
	})
	if err != nil {
		return api.Timeline{}, fmt.Errorf("draw timeline: %w", err)
	}
	t.SubjectsNamed = named.Counts()
	return t, nil
}

// MaxNamed is among how many accesses customers are told apart over time: all of their
// names are held at once.
const MaxNamed = 100_000

// NamedTexts are the columns by which customers are told apart.
func NamedTexts() []evidence.Text {
	return []evidence.Text{evidence.TextSubjects, evidence.TextConversation}
}

// visit hands all matching rows to f, in no particular order, and never at the
// same time. It returns how much could not be read.
func (l *Ledger) visit(ctx context.Context, q EventQuery, f func([]evidence.Row)) (damaged int, err error) {
	return each(ctx, l, q, f, func(ctx context.Context, s evidence.Segment) ([]evidence.Row, error) {
		return l.store.Find(ctx, s, q.evidence())
	}, f)
}

// EachEvent hands all events that match to visit, in no particular order and never at the
// same time; they belong to visit during the call only. However many there are, one segment
// for each processor is in memory at once. columns are those of segments that are filled in
// (see evidence.Store.Scan); none means all. It returns how many segments and batches could
// not be read.
func (l *Ledger) EachEvent(ctx context.Context, q EventQuery, columns []string, visit func(*vigil.Event)) (damaged int, err error) {
	give := func(rows []evidence.Row) {
		for _, row := range rows {
			visit(row.Event)
		}
	}
	damaged, err = each(ctx, l, q, give, func(ctx context.Context, s evidence.Segment) ([]evidence.Row, error) {
		return l.store.Scan(ctx, s, q.evidence(), columns)
	}, give)
	if err != nil {
		return damaged, fmt.Errorf("read events: %w", err)
	}
	return damaged, nil
}

// Tally hands columns of all matching rows to f, in no particular order, and never at the
// same time. It returns how many segments and batches could not be read.
func (l *Ledger) Tally(ctx context.Context, q EventQuery, texts []evidence.Text, f func(evidence.Columns)) (damaged int, err error) {
	return each(ctx, l, q, func(rows []evidence.Row) { f(evidence.ColumnsOf(rows, texts...)) }, func(ctx context.Context, s evidence.Segment) (evidence.Columns, error) {
		return l.store.Columns(ctx, s, q.evidence(), texts...)
	}, f)
}

// each visits all that may match: the batches that are not sealed, and the segments, of
// which several are read at once. What is read of one goes to its f, one at a time.
func each[T any](ctx context.Context, l *Ledger, q EventQuery, unsealed func([]evidence.Row), read func(context.Context, evidence.Segment) (T, error), sealed func(T)) (damaged int, err error) {
	var segments []segmentRow
	from, to := q.times()
	// One read transaction sees each batch either in the ledger or in a segment,
	// never in both or neither.
	err = l.read(ctx, func(tx *sql.Tx) error {
		var err error
		if segments, err = liveSegments(ctx, tx, from, to); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+metaColumns+`, b.data FROM entry e JOIN body b ON b.seq = e.seq
			WHERE e.segment = 0 AND e.events > 0 AND e.damaged = '' AND e.last >= ? AND e.first < ? ORDER BY e.seq`, from, to)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m meta
			var body sql.RawBytes
			if err := rows.Scan(append(m.targets(), &body)...); err != nil {
				return err
			}
			found, err := l.search(m, body, q)
			if err != nil {
				l.log.Error("a batch is damaged and can't be searched", "seq", m.seq, "error", err)
				damaged++
				continue
			}
			unsealed(found)
		}
		return rows.Err()
	})
	if err != nil {
		return damaged, err
	}
	var mu sync.Mutex
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, s := range segments {
		group.Go(func() error {
			var got T
			err := s.damage
			if err == nil {
				got, err = read(gctx, s.Segment)
			}
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, evidence.ErrCorrupt) {
				// Retention may take a segment away while it is searched: then it holds
				// nothing any more, which is no damage.
				if _, gone := l.segment(ctx, s.id); errors.Is(gone, sql.ErrNoRows) {
					return nil
				}
				l.log.Error("a segment is damaged and can't be searched", "segment", s.Key, "error", err)
				damaged++
				return nil
			}
			if err == nil {
				sealed(got)
			}
			return err
		})
	}
	err = group.Wait()
	return damaged, err
}

// search looks into one unsealed batch: first at the columns that most queries
// ask for, and at the rest only when something matches there.
func (l *Ledger) search(m meta, body []byte, q EventQuery) ([]evidence.Row, error) {
	if err := m.check(body); err != nil {
		return nil, err
	}
	light := EventQuery{Actor: q.Actor, Actors: q.Actors, Subject: q.Subject, Subjects: q.Subjects, From: q.From, To: q.To, Tenant: q.Tenant}
	cols := columnar.Who
	if q.Subject != "" || len(q.Subjects) > 0 {
		cols |= columnar.Whose
	}
	events, err := l.codec.Decode(body, cols)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(events, light.match) {
		return nil, nil
	}
	if events, err = l.codec.Decode(body, columnar.All); err != nil {
		return nil, err
	}
	var rows []evidence.Row
	for i, e := range events {
		if q.match(e) {
			rows = append(rows, evidence.Row{Seq: m.seq, Offset: uint32(i), Event: e})
		}
	}
	return rows, nil
}

// earliestRows keeps the n earliest rows and counts all. It holds at most twice
// n, and sorts when that is full.
type earliestRows struct {
	n, total int
	rows     []evidence.Row
}

func (t *earliestRows) add(rows []evidence.Row) {
	t.total += len(rows)
	for _, row := range rows {
		t.rows = append(t.rows, row)
		if len(t.rows) >= 2*t.n+1024 {
			t.done()
		}
	}
}

func (t *earliestRows) done() []evidence.Row {
	slices.SortFunc(t.rows, func(a, b evidence.Row) int {
		return cmp.Or(a.Event.Time.Compare(b.Event.Time), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Offset, b.Offset))
	})
	if len(t.rows) > t.n {
		clear(t.rows[t.n:])
		t.rows = t.rows[:t.n]
	}
	return t.rows
}

// earliestTimes keeps the n earliest times and counts all, as earliestRows does.
type earliestTimes struct {
	n, total int
	times    []int64
}

func (t *earliestTimes) add(times []int64) {
	t.total += len(times)
	for _, at := range times {
		t.times = append(t.times, at)
		if len(t.times) >= 2*t.n+1024 {
			t.done()
		}
	}
}

func (t *earliestTimes) done() []int64 {
	slices.Sort(t.times)
	t.times = t.times[:min(len(t.times), t.n)]
	return t.times
}
