package sqltable

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"vigil"
)

// lowest is below the numbers of all rows.
const lowest = "-9223372036854775807"

// rangesAtOnce is for how many gaps one statement asks.
const rangesAtOnce = 50

// sequence reads what is new of a table whose rows are numbered. more says that there is
// more to read at once.
func (r *reader) sequence(ctx context.Context) (more bool, err error) {
	rows, lapses, more, err := r.readSequence(ctx)
	if err != nil {
		return false, err
	}
	return more, r.hand(ctx, rows, lapses)
}

func (r *reader) readSequence(ctx context.Context) (rows []row, lapses []vigil.Lapse, more bool, err error) {
	s, m, err := r.began(ctx)
	if err != nil {
		return nil, nil, false, err
	}
	defer func() {
		if end := r.db.end(ctx); err == nil {
			err = end
		}
	}()
	if r.p.High != nil && s.identity != r.p.Identity && s.identity != "" && r.p.Identity != "" {
		same, err := r.sameRow(ctx)
		if err != nil {
			return nil, nil, false, err
		}
		if !same {
			lapses = append(lapses, r.changed("was emptied, made anew or restored, or its server lost rows in a crash or when another took over", s.identity))
		}
	}
	r.p.Identity = s.identity
	rows, full, err := r.head(ctx, m)
	if err != nil {
		return nil, nil, false, err
	}
	if len(rows) == 0 && r.p.High != nil {
		top, err := r.highest(ctx)
		if err != nil {
			return nil, nil, false, err
		}
		if n, bad := number(top); top != nil && (bad != nil || n < *r.p.High) {
			lapses = append(lapses, r.changed(fmt.Sprintf("went back: its highest %s was %d and is %d, as after a restore, or when the newest rows were deleted", r.cursor.name, *r.p.High, n), s.identity))
			if rows, full, err = r.head(ctx, m); err != nil {
				return nil, nil, false, err
			}
		}
	}
	if !full {
		r.p.Caught = true
	}
	late, unfinished, missing, since, err := r.ask(ctx, m)
	if err != nil {
		return nil, nil, false, err
	}
	if missing > 0 {
		lapses = append(lapses, r.lapse(vigil.LapseHole, since, missing, fmt.Sprintf(
			"%d numbers of the table %s are missing, at least %d of them in a row: more than rolled back transactions explain. Ask who deleted rows; if %s is not counted up one by one, set sparse: true",
			missing, r.t.name(), maxHole, r.cursor.name)))
	}
	return append(rows, late...), lapses, full || unfinished, nil
}

func number(s *string) (int64, error) {
	if s == nil {
		return 0, nil
	}
	n, err := strconv.ParseInt(*s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("cursor: %q is beyond the numbers that are read (9223372036854775807)", *s)
	}
	return n, nil
}

// sameRow reports whether the highest row that was seen is still there as it was.
func (r *reader) sameRow(ctx context.Context) (bool, error) {
	high := strconv.FormatInt(*r.p.High, 10)
	rows, err := r.find(ctx, high, 2, func(*[]string) string { return r.column() + " = " + high })
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		if row.hash == r.p.Anchor {
			return true, nil
		}
	}
	return false, nil
}

// head reads the rows above the highest, and notes the gaps between them.
func (r *reader) head(ctx context.Context, m moment) (rows []row, full bool, err error) {
	low := lowest
	if r.p.High != nil {
		low = strconv.FormatInt(*r.p.High, 10)
	}
	limit := r.t.cfg.Batch
	rows, err = r.find(ctx, low, limit, func(*[]string) string {
		if r.p.High == nil {
			return ""
		}
		return r.column() + " > " + low
	})
	if err != nil || len(rows) == 0 {
		return nil, false, err
	}
	for i := range rows {
		id, err := number(&rows[i].cursor)
		if err != nil {
			return nil, false, err
		}
		rows[i].place = placeOf(id, rows[i].place)
		switch {
		case r.p.High != nil:
			r.p.Gaps = between(r.p.Gaps, *r.p.High, id, m, !r.p.Caught)
		case id > 1:
			// Those that were numbered before the first row may be about to be committed.
			r.p.Gaps = between(r.p.Gaps, max(0, id-1-below), id, m, true)
		}
		r.p.High, r.p.Anchor = &id, rows[i].hash
	}
	r.p.Gaps = bound(r.p.Gaps, m)
	return rows, len(rows) == limit, nil
}

// placeOf is where a row stands in its stream: its number, where that has room.
func placeOf(id, hash int64) int64 {
	if id >= 0 && id < 1<<placeBits {
		return id
	}
	return hash
}

// ask asks for the rows of the gaps, once in a poll, and gives up those that are settled.
func (r *reader) ask(ctx context.Context, m moment) (rows []row, unfinished bool, missing, since int64, err error) {
	now := r.t.now()
	if len(r.p.Gaps) == 0 || now.Sub(r.asked).Abs() < r.t.cfg.Poll {
		return nil, false, 0, 0, nil
	}
	r.asked = now
	var left []gap
	for at := 0; at < len(r.p.Gaps); {
		// An open gap is a statement of its own: it has many rows, or none.
		end := at + 1
		for !r.p.Gaps[at].Open && end < len(r.p.Gaps) && end-at < rangesAtOnce && !r.p.Gaps[end].Open {
			end++
		}
		some, found, full, err := r.askFor(ctx, r.p.Gaps[at:end], m)
		if err != nil {
			return nil, false, 0, 0, err
		}
		left, rows, at = append(left, some...), append(rows, found...), end
		if full || len(rows) >= r.t.cfg.Batch {
			// The rest waits for the next look, which is at once.
			for _, g := range r.p.Gaps[at:] {
				g.asked = false
				left = append(left, g)
			}
			unfinished, at = true, len(r.p.Gaps)
		}
	}
	if unfinished {
		r.asked = r.asked.Add(-2 * r.t.cfg.Poll)
	}
	left, missing, since = giveUp(left, m, r.t.cfg.Settle)
	r.p.Gaps = bound(left, m)
	return rows, unfinished, missing, since, nil
}

// askFor asks for the rows of some gaps, and returns what is left of them.
func (r *reader) askFor(ctx context.Context, gaps []gap, m moment) (left []gap, rows []row, full bool, err error) {
	var parts []string
	for i := range gaps {
		parts = append(parts, fmt.Sprintf("%s BETWEEN %d AND %d", r.column(), gaps[i].From, gaps[i].To))
	}
	limit := r.t.cfg.Batch
	rows, err = r.find(ctx, strconv.FormatInt(gaps[0].From, 10), limit, func(*[]string) string { return "(" + strings.Join(parts, " OR ") + ")" })
	if err != nil {
		return nil, nil, false, err
	}
	full = len(rows) == limit
	upTo := int64(math.MaxInt64)
	var ids []int64
	for i := range rows {
		id, err := number(&rows[i].cursor)
		if err != nil {
			return nil, nil, false, err
		}
		rows[i].place = placeOf(id, rows[i].place)
		ids = append(ids, id)
		if full {
			upTo = id
		}
	}
	for i := range gaps {
		n := 0
		for n < len(ids) && ids[n] <= gaps[i].To {
			n++
		}
		left = append(left, gaps[i].fill(ids[:n], upTo, m)...)
		ids = ids[n:]
	}
	return left, rows, full, nil
}
