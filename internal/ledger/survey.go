package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigil"
	"vigil/internal/evidence"
	"vigil/internal/evidence/columnar"
)

// Survey asks for all events of a time, a part at a time, to be counted.
type Survey struct {
	// From and To bound the event time, From inclusive and To exclusive; zero means
	// no bound.
	From, To time.Time
	// Actors, when there are any, are those whose events are asked for.
	Actors []string
	// Columns are the columns of segments that are needed (see evidence.Store.Scan);
	// none means all.
	Columns []string
	// Most bounds the events that are looked at; zero means no bound. When there are
	// more, segments are left out: evenly, or with Newest set the oldest.
	Most   int64
	Newest bool
}

// Surveyed says what a Survey has seen.
type Surveyed struct {
	// Events were visited. Held are those in all segments and batches that overlap the
	// time: what was Looked into of them is less where the survey was bounded.
	Events, Held, Looked int64
	// Since is where the segments that were looked into begin, with Newest set.
	Since time.Time
	// Damaged counts segments and batches that could not be read: what they hold is
	// missing here.
	Damaged int
}

// Sampled says that not everything was looked into.
func (s Surveyed) Sampled() bool { return s.Looked < s.Held }

// Survey hands all events that are asked for to visit, in no particular order and
// never at the same time; one segment or batch is in memory at once. The events belong
// to visit during the call only.
func (l *Ledger) Survey(ctx context.Context, q Survey, visit func([]*vigil.Event)) (Surveyed, error) {
	var out Surveyed
	var segments []segmentRow
	query := EventQuery{Actors: q.Actors, From: q.From, To: q.To}
	from, to := query.times()
	give := func(rows []evidence.Row) {
		events := make([]*vigil.Event, 0, len(rows))
		for _, r := range rows {
			events = append(events, r.Event)
		}
		out.Events += int64(len(events))
		visit(events)
	}
	// One read transaction sees each batch either in the ledger or in a segment.
	err := l.read(ctx, func(tx *sql.Tx) (err error) {
		if segments, err = liveSegments(ctx, tx, from, to); err != nil {
			return err
		}
		return l.surveyBatches(ctx, tx, q, &out, give)
	})
	if err != nil {
		return out, fmt.Errorf("survey events: %w", err)
	}
	for _, s := range choose(segments, q, &out) {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		rows, err := l.scanIn(ctx, s, query, q.Columns)
		if errors.Is(err, evidence.ErrCorrupt) {
			out.Damaged++
			continue
		}
		if err != nil {
			return out, fmt.Errorf("survey events: %w", err)
		}
		give(rows)
	}
	return out, nil
}

// surveyBatches looks into what is not sealed: little beside the rest, and the newest.
func (l *Ledger) surveyBatches(ctx context.Context, tx *sql.Tx, q Survey, out *Surveyed, give func([]evidence.Row)) error {
	query := EventQuery{Actors: q.Actors, From: q.From, To: q.To}
	from, to := query.times()
	rows, err := tx.QueryContext(ctx, `SELECT `+metaColumns+`, b.data FROM entry e INDEXED BY entry_unsealed JOIN body b ON b.seq = e.seq
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
		if out.Held += int64(m.events); q.Most > 0 && out.Looked >= q.Most {
			continue
		}
		out.Looked += int64(m.events)
		found, err := l.search(m, body, query)
		if err != nil {
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) && !errors.Is(err, columnar.ErrCorrupt) {
				return err
			}
			out.Damaged++
			continue
		}
		give(found)
	}
	return rows.Err()
}

// choose takes as many segments as may be looked at, the newest first, or evenly
// spread over the time.
func choose(segments []segmentRow, q Survey, out *Surveyed) []segmentRow {
	slices.SortFunc(segments, func(a, b segmentRow) int { return b.Last.Compare(a.Last) })
	var held int64
	for _, s := range segments {
		held += s.Rows
	}
	out.Held += held
	most := held
	if q.Most > 0 {
		most = max(0, q.Most-out.Looked)
	}
	if !q.Newest && held > most && len(segments) > 0 {
		n := min(len(segments), max(1, int(float64(len(segments))*float64(most)/float64(held))))
		even := make([]segmentRow, n)
		for i := range even {
			even[i] = segments[i*len(segments)/n]
		}
		segments = even
	}
	var chosen []segmentRow
	for _, s := range segments {
		if len(chosen) > 0 && most < s.Rows {
			break
		}
		most -= s.Rows
		out.Looked += s.Rows
		out.Since = s.First
		chosen = append(chosen, s)
	}
	return chosen
}

// scanIn reads some columns of one segment; see each.
func (l *Ledger) scanIn(ctx context.Context, s segmentRow, q EventQuery, columns []string) ([]evidence.Row, error) {
	err := s.damage
	var rows []evidence.Row
	if err == nil {
		query := q.evidence()
		if inside(s, q) {
			query.From, query.To = time.Time{}, time.Time{} // every row is: none need be asked
		}
		rows, err = l.store.Scan(ctx, s.Segment, query, columns)
	}
	if errors.Is(err, evidence.ErrCorrupt) {
		if _, gone := l.segment(ctx, s.id); errors.Is(gone, sql.ErrNoRows) {
			return nil, nil
		}
		l.log.Error("a segment is damaged and can't be surveyed", "segment", s.Key, "error", err)
	}
	return rows, err
}

// inside reports whether all of a segment lies in the time asked for.
func inside(s segmentRow, q EventQuery) bool {
	return (q.From.IsZero() || !s.First.Before(q.From)) && (q.To.IsZero() || s.Last.Before(q.To))
}
