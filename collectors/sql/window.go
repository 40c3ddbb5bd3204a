package sqltable

import (
	"context"
	"errors"
	"time"

	"vigil"
)

const (
	// maxWindow bounds the rows that are looked at again at each poll.
	maxWindow = 200_000
	// maxTies bounds the rows that may share one value of the cursor.
	maxTies = 100_000
	// maxMarks bounds the ends that are remembered.
	maxMarks = 64
)

// look is one look at all rows from the low mark on, which takes as many reads as it has
// batches. Its rows are those that need no second look in the next one.
type look struct {
	// seen are the rows of the look before, now those of this one; order are the latter in
	// their order, by pages.
	seen, now map[uint64]struct{}
	pages     []page
	rows      int
	// tail are the rows that were last new, which a position keeps.
	tail []uint64
	// floor is the last row that was forgotten, since they were too many.
	floor *string
	// last is the end, limit how many rows are read at once.
	last  string
	limit int
	// known says that a row of the look before was seen again.
	known bool
}

type page struct {
	hashes []uint64
	last   string
}

func (l *look) restore(p *position) {
	l.seen, l.tail = map[uint64]struct{}{}, unpackHashes(p.Seen)
	for _, h := range l.tail {
		l.seen[h] = struct{}{}
	}
}

// add notes a page of rows and returns those that are new.
func (l *look) add(rows []row) (fresh []row) {
	if l.now == nil {
		l.now = map[uint64]struct{}{}
	}
	p := page{last: rows[len(rows)-1].cursor}
	for _, r := range rows {
		if _, twice := l.now[r.hash]; twice {
			continue
		}
		l.now[r.hash] = struct{}{}
		p.hashes = append(p.hashes, r.hash)
		if _, known := l.seen[r.hash]; known {
			l.known = true
			continue
		}
		fresh = append(fresh, r)
		l.tail = append(l.tail, r.hash)
	}
	l.tail = l.tail[max(0, len(l.tail)-maxSaved):]
	l.rows += len(p.hashes)
	l.pages = append(l.pages, p)
	l.last = p.last
	for l.rows > maxWindow && len(l.pages) > 1 {
		first := l.pages[0]
		l.pages = l.pages[1:]
		l.rows -= len(first.hashes)
		for _, h := range first.hashes {
			delete(l.now, h)
		}
		l.floor = &first.last
	}
	return fresh
}

// window reads what is new of a table whose cursor is no plain number, a batch at a time.
// more says that there is more to read at once.
func (r *reader) window(ctx context.Context) (more bool, err error) {
	rows, lapses, more, err := r.readWindow(ctx)
	if err != nil {
		return false, err
	}
	if len(rows) > 0 {
		r.p.Seen = packHashes(r.look.tail)
	}
	return more, r.hand(ctx, rows, lapses)
}

func (r *reader) readWindow(ctx context.Context) (rows []row, lapses []vigil.Lapse, more bool, err error) {
	s, m, err := r.began(ctx)
	if err != nil {
		return nil, nil, false, err
	}
	defer func() {
		if end := r.db.end(ctx); err == nil {
			err = end
		}
	}()
	if r.p.At == nil {
		r.p.Began = began{Time: m.now, Xmin: m.xmin}
	}
	from := r.p.At
	if from == nil {
		from = r.p.Low
	}
	limit := max(r.look.limit, r.t.cfg.Batch)
	rows, err = r.page(ctx, from, limit)
	if err != nil {
		return nil, nil, false, err
	}
	full := len(rows) == limit
	var fresh []row
	if len(rows) > 0 {
		fresh = r.look.add(rows)
	}
	if full {
		end := rows[len(rows)-1].cursor
		if r.look.limit = 0; rows[0].cursor == end {
			// All share one value: the next read must be longer to come to its end.
			if limit >= maxTies {
				return nil, nil, false, errors.New("cursor: more than 100,000 rows have the same value, and can't be told apart by it; choose another column")
			}
			r.look.limit = min(2*limit, maxTies)
		}
		r.p.At = &end
		return fresh, nil, true, nil
	}
	if len(r.look.pages) == 0 && r.p.Low != nil {
		gone, err := r.wentBack(ctx)
		if err != nil {
			return nil, nil, false, err
		}
		if gone {
			return nil, []vigil.Lapse{r.changed("went back: all its rows lie before those that were read, as after a restore, or when the newest rows were deleted", s.identity)}, true, nil
		}
	}
	if s.identity != r.p.Identity && s.identity != "" && r.p.Identity != "" && !r.look.known && len(r.look.seen) > 0 {
		return nil, []vigil.Lapse{r.changed("was emptied, made anew or restored", s.identity)}, true, nil
	}
	r.p.Identity = s.identity
	r.over(s, m)
	return fresh, nil, false, nil
}

// page reads the rows from a value on; nil is the beginning.
func (r *reader) page(ctx context.Context, from *string, limit int) ([]row, error) {
	low := r.db.least(r.cursor.kind)
	if r.cursor.kind == kindInteger {
		low = lowest
	}
	if from != nil {
		low = *from
	}
	return r.find(ctx, low, limit, func(args *[]string) string {
		if from == nil {
			return ""
		}
		return r.column() + " >= " + r.literal(*from, args)
	})
}

// wentBack reports whether there are rows, though none where the last ones were.
func (r *reader) wentBack(ctx context.Context) (bool, error) {
	top, err := r.highest(ctx)
	return top != nil, err
}

// over ends a look: the next one begins where the end was Settle before this one began, if
// no transaction of then ran any more: then this one has seen all that was before.
func (r *reader) over(s snapshot, m moment) {
	if high := r.capped(s); high != "" {
		last := len(r.p.Marks) - 1
		apart := int64(r.t.cfg.Settle/time.Second) / (maxMarks - 4)
		if last < 0 || m.now-r.p.Marks[last].Time >= max(1, apart) {
			r.p.Marks = append(r.p.Marks, mark{High: high, Time: m.now, Xmax: m.xmax})
		}
	}
	start := moment{now: r.p.Began.Time, xmin: r.p.Began.Xmin}
	for i := len(r.p.Marks) - 1; i >= 0; i-- {
		at := &r.p.Marks[i]
		at.Time = min(at.Time, m.now) // our clock may have gone back
		g := gap{Seen: at.Time, Xmax: at.Xmax}
		if g.settled(start, r.t.cfg.Settle) {
			high := at.High
			r.p.Low, r.p.Marks = &high, r.p.Marks[i:]
			break
		}
	}
	if n := len(r.p.Marks); n > maxMarks {
		// A transaction that never ends holds all of them: the newest ones make room, so
		// that the oldest stays what is waited for.
		r.p.Marks = append(r.p.Marks[:maxMarks-1], r.p.Marks[n-1])
	}
	if r.look.floor != nil {
		r.p.Low = r.look.floor
		r.p.Marks = nil
		r.t.log.Warn("more rows came within settle than are looked at again; those that are committed late may be missed: set a shorter settle, or a cursor that counts up", "source", r.t.cfg.Decode.Source)
	}
	r.p.At, r.p.Began = nil, began{}
	r.look = look{seen: r.look.now, tail: r.look.tail}
	if r.look.seen == nil {
		r.look.seen = map[uint64]struct{}{}
	}
}

// capped is the end of the look, and not after the server's clock: a row from the future
// must not hide those of the present.
func (r *reader) capped(s snapshot) string {
	k := r.cursor.kind
	if k != kindTime && k != kindLocal && k != kindDate || r.look.last == "" {
		return r.look.last
	}
	if at, ok := parseTime(k, r.look.last, r.t.cfg.Timezone); ok && !at.After(s.now) {
		return r.look.last
	}
	switch {
	case k == kindLocal:
		return s.now.In(r.t.cfg.Timezone).Format("2006-01-02 15:04:05.999999")
	case k == kindDate:
		return s.now.Format(time.DateOnly)
	case r.t.target.mysql:
		return s.now.Format("2006-01-02 15:04:05.999999")
	}
	return s.now.Format("2006-01-02 15:04:05.999999") + "+00"
}
