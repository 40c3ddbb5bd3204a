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
	"vigil/internal/api"
	"vigil/internal/evidence"
	"vigil/internal/evidence/columnar"
)

// EventQuery asks for events. Empty fields match everything.
type EventQuery struct {
	Actor, Subject, Session, Conversation, Network, Source string
	// Actors, when there are any, are those of whom one at least must match.
	Actors []string
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
		Network: q.Network, Source: q.Source, From: q.From, To: q.To,
	}
}

func (q EventQuery) match(e *vigil.Event) bool {
	return q.evidence().Match(e) && (q.Tenant == nil || e.Actor.Tenant == *q.Tenant)
}

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

// Events returns the events that match, sealed or not, in event-time order.
func (l *Ledger) Events(ctx context.Context, q EventQuery) (EventPage, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	q.Offset = max(0, q.Offset)
	if q.Offset+q.Limit > MaxPage {
		return EventPage{}, fmt.Errorf("events %d to %d asked for: at most the first %d can be paged through; narrow the time", q.Offset, q.Offset+q.Limit, MaxPage)
	}
	top := &earliestRows{n: q.Offset + q.Limit}
	damaged, err := l.visit(ctx, q, top.add)
	if err != nil {
		return EventPage{}, fmt.Errorf("read events: %w", err)
	}
	rows := top.done()
	page := EventPage{Total: top.total, More: top.total > q.Offset+q.Limit, Damaged: damaged}
	for _, row := range rows[min(q.Offset, len(rows)):] {
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
	t := api.Timeline{Start: q.From, Bucket: bucket, Events: make([]float64, n), Rows: make([]float64, n), SubjectsNamed: make([]float64, n)}
	distinct := make([]map[string]struct{}, n)
	_, err := l.visit(ctx, q, func(rows []evidence.Row) {
		for _, row := range rows {
			e := row.Event
			i := int(e.Time.Sub(q.From) / bucket)
			t.Events[i]++
			t.Rows[i] += float64(max(e.Rows, 0))
			named := e.Subjects
			if len(named) == 0 && e.Conversation != "" {
				named = []string{e.Conversation}
			}
			if distinct[i] == nil {
				distinct[i] = make(map[string]struct{})
			}
			for _, s := range named {
				distinct[i][s] = struct{}{}
			}
		}
	})
	if err != nil {
		return api.Timeline{}, fmt.Errorf("draw timeline: %w", err)
	}
	for i, d := range distinct {
		t.SubjectsNamed[i] = float64(len(d))
	}
	return t, nil
}

// visit hands all matching rows to f, in no particular order, and never at the
// same time. It returns how much could not be read.
func (l *Ledger) visit(ctx context.Context, q EventQuery, f func([]evidence.Row)) (damaged int, err error) {
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
			f(found)
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
			rows, err := l.findIn(gctx, s, q)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, evidence.ErrCorrupt) {
				damaged++
				return nil
			}
			if err == nil {
				f(rows)
			}
			return err
		})
	}
	err = group.Wait()
	return damaged, err
}

// findIn searches one segment. Retention may take a segment away while it is
// searched: then it holds nothing any more, which is no damage.
func (l *Ledger) findIn(ctx context.Context, s segmentRow, q EventQuery) ([]evidence.Row, error) {
	var rows []evidence.Row
	err := s.damage
	if err == nil {
		rows, err = l.store.Find(ctx, s.Segment, q.evidence())
	}
	if errors.Is(err, evidence.ErrCorrupt) {
		if _, gone := l.segment(ctx, s.id); errors.Is(gone, sql.ErrNoRows) {
			return nil, nil
		}
		l.log.Error("a segment is damaged and can't be searched", "segment", s.Key, "error", err)
	}
	return slices.DeleteFunc(rows, func(r evidence.Row) bool { return !q.match(r.Event) }), err
}

// search looks into one unsealed batch: first at the columns that most queries
// ask for, and at the rest only when something matches there.
func (l *Ledger) search(m meta, body []byte, q EventQuery) ([]evidence.Row, error) {
	if err := m.check(body); err != nil {
		return nil, err
	}
	light := EventQuery{Actor: q.Actor, Actors: q.Actors, Subject: q.Subject, From: q.From, To: q.To, Tenant: q.Tenant}
	cols := columnar.Who
	if q.Subject != "" {
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
