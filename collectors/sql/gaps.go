package sqltable

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// maxGaps bounds the gaps that are remembered.
	maxGaps = 2_000
	// maxHole is from how many missing numbers in a row a gap is told. What is harmless
	// takes fewer: a transaction that is rolled back takes a number for each of its rows, a
	// sequence with CACHE n up to n for each session that ends, a crash of PostgreSQL 32
	// (SEQ_LOG_VALS), a bulk insert into InnoDB as many as it has rows.
	maxHole = 1_000
	// wideGap is from where a gap is not given up: the numbers of new rows may lie in it,
	// since one far too high was given away, by mistake or to blind whoever reads.
	wideGap = 100_000
	// maxWide bounds the wide gaps.
	maxWide = 8
	// wideIdle is after how long a wide gap in which nothing came makes room.
	wideIdle = 24 * time.Hour
	// below is how far below the first row late ones are looked for.
	below = 10_000
)

// gap is a run of numbers of which no row was seen, both ends included.
type gap struct {
	From int64 `json:"f"`
	To   int64 `json:"t"`
	// Seen is when it was first missed, in seconds since 1970.
	Seen int64 `json:"s"`
	// Xmax is the first transaction that had not begun then; 0 when that isn't known.
	Xmax int64 `json:"x,omitempty"`
	// Quiet keeps it from being told: it was there when the table was first read.
	Quiet bool `json:"q,omitempty"`
	// Open says that it was a wide one when it was first missed: it is not given up, and
	// stays so when rows fill it. Told says that it was told, Active when a row last came
	// in it; both of open ones.
	Open   bool  `json:"o,omitempty"`
	Told   bool  `json:"d,omitempty"`
	Active int64 `json:"a,omitempty"`
	// asked says that this look at the table has shown that its numbers are missing.
	asked bool
}

// size is how many numbers it has, at most math.MaxInt64.
func (g *gap) size() int64 {
	if n := g.To - g.From + 1; n > 0 {
		return n
	}
	return math.MaxInt64
}

// moment is what is known of the time of a look at the table.
type moment struct {
	now        int64
	xmin, xmax int64
}

// settled reports whether nothing can come in it any more, as far as can be told.
func (g *gap) settled(m moment, settle time.Duration) bool {
	if g.Seen > m.now { // our clock went back
		g.Seen = m.now
	}
	return m.now-g.Seen >= int64(settle/time.Second) && (g.Xmax == 0 || m.xmin == 0 || m.xmin >= g.Xmax)
}

// between appends the gap between two numbers of which rows were seen one after the
// other, if there is one.
func between(gaps []gap, low, high int64, m moment, quiet bool) []gap {
	if high-1 <= low { // no room, or low is the highest there is
		return gaps
	}
	return append(gaps, newGap(low+1, high-1, m, quiet))
}

func newGap(from, to int64, m moment, quiet bool) gap {
	g := gap{From: from, To: to, Seen: m.now, Xmax: m.xmax, Quiet: quiet}
	if g.Open = g.size() > wideGap; g.Open {
		g.Active = m.now
	}
	return g
}

// fill returns what is left of a gap, in which rows of these numbers were found (rising,
// all within it). upTo is the last number for which the answer holds.
func (g gap) fill(found []int64, upTo int64, m moment) []gap {
	var left []gap
	next := g.From
	for _, id := range found {
		if id > next {
			part := g
			part.From, part.To = next, id-1
			if g.Open { // it was not known to be missing: rows above it only came now
				part = newGap(next, id-1, m, false)
			}
			part.asked = true
			left = append(left, part)
		}
		if id == math.MaxInt64 {
			return left
		}
		next = id + 1
	}
	if next > g.To {
		return left
	}
	rest := g
	rest.From, rest.asked = next, upTo >= g.To
	if len(found) > 0 {
		rest.Active = m.now
	}
	return append(left, rest)
}

// giveUp takes out the gaps that are settled, and says how many numbers are missing in
// those that are worth telling.
func giveUp(gaps []gap, m moment, settle time.Duration) (left []gap, missing int64, since int64) {
	tell := func(g *gap) {
		missing = add(missing, g.size())
		if since == 0 || g.Seen < since {
			since = g.Seen
		}
	}
	for i := range gaps {
		g := &gaps[i]
		switch {
		case !g.asked || !g.settled(m, settle):
		case g.Open:
			if !g.Told && !g.Quiet {
				tell(g)
			}
			g.Told = true
		default:
			if g.size() >= maxHole && !g.Quiet {
				tell(g)
			}
			continue
		}
		left = append(left, *g)
	}
	return left, missing, since
}

func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// bound keeps the gaps few. Of wide ones those make room in which nothing came for long,
// else the highest: a bogus number does not hide the ones where rows come.
func bound(gaps []gap, m moment) []gap {
	slices.SortFunc(gaps, func(a, b gap) int { return cmp.Compare(a.From, b.From) })
	for {
		wide, drop := 0, -1
		for i := range gaps {
			if !gaps[i].Open {
				continue
			}
			wide++
			idle := func(g gap) bool { return m.now-g.Active > int64(wideIdle/time.Second) }
			switch {
			case drop < 0 || !idle(gaps[drop]):
				drop = i
			case idle(gaps[i]) && gaps[i].Active < gaps[drop].Active:
				drop = i
			}
		}
		if wide <= maxWide {
			break
		}
		gaps = slices.Delete(gaps, drop, drop+1)
	}
	if len(gaps) <= maxGaps {
		return gaps
	}
	return merge(gaps, len(gaps)-maxGaps)
}

// merge takes n pairs of neighbours together, those with the fewest rows between them.
func merge(gaps []gap, n int) []gap {
	var distance []int64
	for i := 1; i < len(gaps); i++ {
		if !gaps[i-1].Open && !gaps[i].Open && gaps[i].To-gaps[i-1].From < wideGap {
			distance = append(distance, gaps[i].From-gaps[i-1].To)
		}
	}
	slices.Sort(distance)
	if len(distance) == 0 {
		return gaps[len(gaps)-maxGaps:]
	}
	most := distance[min(n, len(distance))-1]
	out := gaps[:1]
	for _, g := range gaps[1:] {
		last := &out[len(out)-1]
		if n > 0 && !last.Open && !g.Open && g.From-last.To <= most && g.To-last.From < wideGap {
			last.To, last.Seen, last.Xmax = g.To, max(last.Seen, g.Seen), max(last.Xmax, g.Xmax)
			last.Quiet, last.asked = last.Quiet && g.Quiet, false
			n--
			continue
		}
		out = append(out, g)
	}
	if len(out) > maxGaps {
		out = out[len(out)-maxGaps:]
	}
	return out
}
