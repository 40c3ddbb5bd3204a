package evidence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"gocloud.dev/gcerrors"

	"vigil"
)

// Query narrows what Find visits. Empty fields match everything.
type Query struct {
	// Actor, Subject, Session and Conversation are exact ids, Network and Source
	// exact names.
	Actor, Subject, Session, Conversation, Network, Source string
	// Resource is an exact name, Outcome an exact one.
	Resource string
	Outcome  vigil.Outcome
	// Tenant is the actor's; nil matches any.
	Tenant *string
	// Actors, when there are any, are those of whom one at least must match.
	Actors []string
	// Subjects, when there are any, are those of whom one at least must be named.
	Subjects []string
	// From and To bound the event time: From inclusive, To exclusive; zero means
	// no bound.
	From, To time.Time
}

// Match reports whether the event is one that the query asks for.
func (q Query) Match(e *vigil.Event) bool {
	return (q.Actor == "" || e.Actor.ID == q.Actor) &&
		(q.Subject == "" || slices.Contains(e.Subjects, q.Subject)) &&
		(q.Session == "" || e.Session == q.Session) &&
		(q.Conversation == "" || e.Conversation == q.Conversation) &&
		(q.Network == "" || e.Network == q.Network) &&
		(q.Source == "" || e.Source == q.Source) &&
		(q.Resource == "" || e.Resource == q.Resource) &&
		(q.Outcome == "" || e.Outcome == q.Outcome) &&
		(q.Tenant == nil || e.Actor.Tenant == *q.Tenant) &&
		(len(q.Actors) == 0 || slices.Contains(q.Actors, e.Actor.ID)) &&
		(len(q.Subjects) == 0 || slices.ContainsFunc(e.Subjects, func(s string) bool { return slices.Contains(q.Subjects, s) })) &&
		q.covers(e.Time)
}

func (q Query) covers(t time.Time) bool {
	return (q.From.IsZero() || !t.Before(q.From)) && (q.To.IsZero() || t.Before(q.To))
}

// Check reads the segment's index and compares its count of rows.
func (s *Store) Check(ctx context.Context, seg Segment) error {
	return s.with(ctx, seg, func(f *parquet.File) error {
		if f.NumRows() != seg.Rows {
			return fmt.Errorf("%w: %q holds %d rows where %d are expected", ErrCorrupt, seg.Key, f.NumRows(), seg.Rows)
		}
		return nil
	})
}

// Read returns all rows in the order of the log.
func (s *Store) Read(ctx context.Context, seg Segment) ([]Row, error) {
	var rows []Row
	err := s.with(ctx, seg, func(f *parquet.File) error {
		for _, group := range f.RowGroups() {
			got, err := pick(group, []span{{0, group.NumRows()}}, nil)
			if err != nil {
				return err
			}
			rows = append(rows, got...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if int64(len(rows)) != seg.Rows {
		return nil, fmt.Errorf("%w: %q gave %d rows where %d are expected", ErrCorrupt, seg.Key, len(rows), seg.Rows)
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Offset, b.Offset))
	})
	return rows, nil
}

// Find returns the rows that the query asks for, in the segment's order (actor,
// then time). Bloom filters and the sort order keep it from reading more than it
// must.
func (s *Store) Find(ctx context.Context, seg Segment, q Query) ([]Row, error) {
	return s.Scan(ctx, seg, q, nil)
}

// with opens the segment for one use and turns panics of the library into
// errors.
func (s *Store) with(ctx context.Context, seg Segment, use func(*parquet.File) error) error {
	return s.reading(ctx, seg, func(in *chunks) error {
		f, err := openFile(in, seg)
		if err != nil {
			return err
		}
		return use(f)
	})
}

// reading lends what reads the segment's bytes, as with does.
func (s *Store) reading(ctx context.Context, seg Segment, use func(*chunks) error) (err error) {
	in := &chunks{ctx: ctx, store: s, seg: seg, held: make(map[int64]*chunk)}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %q: parquet reader panicked: %v", ErrCorrupt, seg.Key, p)
		}
		if err != nil && in.err != nil {
			err = in.err
		}
		in.giveBack()
	}()
	if err := use(in); err != nil {
		return fmt.Errorf("read %q: %w", seg.Key, err)
	}
	return nil
}

func openFile(in *chunks, seg Segment) (*parquet.File, error) {
	f, err := parquet.OpenFile(in, seg.Size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("%w: open %q: %w", ErrCorrupt, seg.Key, err)
	}
	return f, nil
}

// find calls use for each row group that holds rows which the query asks for, with the
// runs of those rows in order. Where the bloom filters rule a segment out, nothing else of
// it is read.
func (s *Store) find(ctx context.Context, seg Segment, q Query, use func(parquet.RowGroup, []span) error) error {
	wanted := q.wanted()
	return s.reading(ctx, seg, func(in *chunks) error {
		o := s.outlines.get(seg.Key)
		var f *parquet.File
		var err error
		if o == nil {
			if f, err = openFile(in, seg); err != nil {
				return err
			}
			if o, err = outlineOf(f, in); err != nil {
				return err
			}
			s.outlines.put(seg.Key, o)
		}
		may, some, err := o.mayHold(in, wanted)
		if err != nil || !some {
			return err
		}
		if f == nil {
			if f, err = openFile(in, seg); err != nil {
				return err
			}
		}
		for i, group := range f.RowGroups() {
			if i < len(may) && !may[i] {
				continue
			}
			spans, err := q.spans(group, wanted)
			if err == nil && len(spans) > 0 {
				err = use(group, spans)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// readError tells a segment that is gone or cut short from a store that can't
// be reached just now.
func (s *Store) readError(key string, err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %q is missing or cut short: %w", ErrCorrupt, key, err)
	}
	return fmt.Errorf("read segment %q: %w", key, err)
}

// want is one of the texts that a column must hold.
type want struct {
	path   string
	values []string
}

// wanted is what the query asks for of the columns of text, those with a bloom filter
// first.
func (q Query) wanted() (out []want) {
	for _, w := range []want{
		{pathActor, one(q.Actor)}, {pathActor, q.Actors}, {"session", one(q.Session)}, {"conversation", one(q.Conversation)},
		{pathSubjects, one(q.Subject)}, {pathSubjects, q.Subjects}, {"network", one(q.Network)}, {"source", one(q.Source)},
		{"resource", one(q.Resource)}, {"outcome", one(string(q.Outcome))}, {"tenant", q.tenants()},
	} {
		if len(w.values) > 0 {
			out = append(out, w)
		}
	}
	return out
}

// spans returns the runs of rows that match, in order.
func (q Query) spans(group parquet.RowGroup, wanted []want) ([]span, error) {
	keep := []span{{0, group.NumRows()}}
	for _, w := range wanted {
		chunk, err := column(group, w.path)
		if err != nil {
			return nil, err
		}
		if w.path == pathActor { // the order of the rows
			if keep, err = pagesFor(chunk, keep, w.values); err != nil {
				return nil, err
			}
		}
		if keep, err = narrowTo(chunk, keep, w.values); err != nil {
			return nil, err
		}
	}
	if (q.From.IsZero() && q.To.IsZero()) || len(keep) == 0 {
		return keep, nil
	}
	chunk, err := column(group, "time")
	if err != nil {
		return nil, err
	}
	return narrow(chunk, keep, func(v parquet.Value) bool { return q.covers(time.Unix(0, v.Int64())) })
}

// one is what to look for where one value is wanted, nothing where any will do.
func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// tenants is what to look for among tenants: none is one as well.
func (q Query) tenants() []string {
	if q.Tenant == nil {
		return nil
	}
	return []string{*q.Tenant}
}

func column(group parquet.RowGroup, path string) (parquet.ColumnChunk, error) {
	leaf, ok := group.Schema().Lookup(strings.Split(path, ".")...)
	if !ok {
		return nil, fmt.Errorf("%w: no column %q", ErrCorrupt, path)
	}
	return group.ColumnChunks()[leaf.ColumnIndex], nil
}

// pick reads the rows of the runs, column by column: those that are asked for, none for
// all.
func pick(group parquet.RowGroup, spans []span, columns []string) ([]Row, error) {
	total := int64(0)
	for _, s := range spans {
		total += s.to - s.from
	}
	rows := make([]Row, total)
	const slab = 64 // see the batch decoder: neither one allocation a row nor one for all
	for i := int64(0); i < total; i += slab {
		block := make([]vigil.Event, min(slab, total-i))
		for j := range block {
			rows[i+int64(j)].Event = &block[j]
		}
	}
	set := setters()
	for _, path := range group.Schema().Columns() {
		name := strings.Join(path, ".")
		put, ok := set[name]
		if !ok || !asked(path, columns) {
			continue // a later version's column, or one that nobody wants
		}
		chunk, err := column(group, name)
		if err != nil {
			return nil, err
		}
		if err := fill(chunk, spans, rows, put); err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
	}
	return rows, nil
}

// fill reads one column into the rows. Equal strings share their bytes.
func fill(chunk parquet.ColumnChunk, spans []span, rows []Row, put setter) error {
	shared := sharedTexts{}
	isText := chunk.Type().Kind() == parquet.ByteArray
	at, last := -1, int64(-1)
	return visit(chunk, spans, func(row int64, v parquet.Value) {
		if row != last {
			at, last = at+1, row
		}
		if v.IsNull() {
			return
		}
		s := ""
		if isText {
			s = shared.of(v)
		}
		put(&rows[at], v, s)
	})
}
