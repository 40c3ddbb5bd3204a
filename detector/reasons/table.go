package reasons

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"vigil"
)

// The ends of time, where a period has none of its own.
const (
	always = math.MinInt64
	never  = math.MaxInt64
)

// id names a record: its key is unique within its feed only.
type id struct{ feed, key string }

func (a id) compare(b id) int {
	return cmp.Or(strings.Compare(a.feed, b.feed), strings.Compare(a.key, b.key))
}

// entry is a record as it is held.
type entry[T any] struct {
	id       id
	from, to int64 // Unix nanoseconds
	rec      T
}

// table holds the records of one kind, and finds them by what they are about.
type table[T any] struct {
	limit   int
	records map[id]*entry[T]
	index   map[uint64]*timeline[T]
	// kept counts the index's marks by what they are of: what nobody is found by need
	// not be looked for.
	kept [marks]int
	// marks is what a record is found by, at most four.
	marks func(*T, []mark) []mark
	// span is when it holds.
	span func(*T) (from, to time.Time)
	// names says whom a record is for, and salts the marks by which named counts them:
	// nil where nobody asks.
	names func(*T) (*vigil.Who, uint64)
	named map[uint64]int
	// namedBy counts the marks in named by what they are of.
	namedBy [marks]int
	book    *Book
	// dropped counts those that made room.
	dropped int64
	told    bool
	dirty   [buckets]bool
}

func newTable[T any](b *Book, limit int, span func(*T) (from, to time.Time), by func(*T, []mark) []mark) *table[T] {
	return &table[T]{book: b, limit: limit, records: map[id]*entry[T]{}, index: map[uint64]*timeline[T]{}, named: map[uint64]int{}, marks: by, span: span}
}

// put takes in a record in place of the one of the same name.
func (t *table[T]) put(name id, rec T) {
	t.told = true
	old := t.records[name]
	if old == nil && len(t.records) >= t.limit {
		t.makeRoom()
	}
	t.remove(name)
	from, to := t.span(&rec)
	e := &entry[T]{id: name, from: always, to: never, rec: rec}
	if !from.IsZero() {
		e.from = from.UnixNano()
	}
	if !to.IsZero() {
		e.to = to.UnixNano()
	}
	t.records[name] = e
	t.dirty[bucketOf(name)] = true
	var room [4]mark
	for _, m := range t.marks(&e.rec, room[:0]) {
		l := t.index[m.hash]
		if l == nil {
			l = &timeline[T]{}
			t.index[m.hash] = l
			t.kept[m.of]++
		}
		l.add(e)
	}
	t.name(&e.rec, 1)
}

// name counts whom a record is for.
func (t *table[T]) name(rec *T, by int) {
	if t.names == nil {
		return
	}
	who, salt := t.names(rec)
	var room [4]mark
	for _, m := range t.book.whoMark(who, room[:0]) {
		m.hash += salt
		was := t.named[m.hash]
		switch now := was + by; now {
		case 0:
			delete(t.named, m.hash)
			t.namedBy[m.of]--
		default:
			t.named[m.hash] = now
			if was == 0 {
				t.namedBy[m.of]++
			}
		}
	}
}

// namesAny says that some record is for the asker, now or ever.
func (t *table[T]) namesAny(a *asker, salt uint64) bool {
	for _, m := range a.who {
		if t.namedBy[m.of] > 0 && t.named[m.hash+salt] > 0 {
			return true
		}
	}
	return false
}

// remove forgets a record, if there is one of that name.
func (t *table[T]) remove(name id) {
	e := t.records[name]
	if e == nil {
		return
	}
	delete(t.records, name)
	t.dirty[bucketOf(name)] = true
	t.name(&e.rec, -1)
	var room [4]mark
	for _, m := range t.marks(&e.rec, room[:0]) {
		l := t.index[m.hash]
		if l == nil {
			continue
		}
		if l.remove(e); len(l.entries) == 0 {
			delete(t.index, m.hash)
			t.kept[m.of]--
		}
	}
}

// forget removes all that a feed told.
func (t *table[T]) forget(feed string) {
	for name := range t.records {
		if name.feed == feed {
			t.remove(name)
		}
	}
}

// roomShare is the part of a full table that makes room at once.
const roomShare = 16

// makeRoom drops a sixteenth of the records: those that ended first, and of those
// that did not end the oldest. Which they are depends on what is held alone, never
// on the order in which it came.
func (t *table[T]) makeRoom() {
	all := t.sorted()
	slices.SortStableFunc(all, func(a, b *entry[T]) int {
		return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from))
	})
	n := max(1, t.limit/roomShare)
	for _, e := range all[:min(n, len(all))] {
		t.remove(e.id)
		t.dropped++
	}
}

// sorted lists the records by name.
func (t *table[T]) sorted() []*entry[T] {
	all := make([]*entry[T], 0, len(t.records))
	for _, e := range t.records {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry[T]) int { return a.id.compare(b.id) })
	return all
}

// timeline is the records of one mark, by when they begin.
type timeline[T any] struct {
	entries []*entry[T]
	// reach is, for each entry, the latest end of those up to it.
	reach []int64
}

func (l *timeline[T]) place(e *entry[T]) (at int, found bool) {
	return slices.BinarySearchFunc(l.entries, e, func(a, b *entry[T]) int {
		return cmp.Or(cmp.Compare(a.from, b.from), a.id.compare(b.id))
	})
}

func (l *timeline[T]) add(e *entry[T]) {
	at, found := l.place(e)
	if found {
		return // found by the same mark twice
	}
	l.entries = slices.Insert(l.entries, at, e)
	l.reach = append(l.reach, 0)
	l.measure(at)
}

func (l *timeline[T]) remove(e *entry[T]) {
	at, found := l.place(e)
	if !found {
		return
	}
	l.entries = slices.Delete(l.entries, at, at+1)
	l.reach = l.reach[:len(l.entries)]
	l.measure(at)
}

// measure sums the reach up again from an entry on.
func (l *timeline[T]) measure(at int) {
	for i := at; i < len(l.entries); i++ {
		l.reach[i] = l.entries[i].to
		if i > 0 {
			l.reach[i] = max(l.reach[i], l.reach[i-1])
		}
	}
}

// last is the place of the latest entry that has begun by t, -1 where none has.
// Walking back from it while reach is after t meets all that hold at t.
func (l *timeline[T]) last(t int64) int {
	lo, hi := 0, len(l.entries)
	for lo < hi {
		if mid := (lo + hi) / 2; l.entries[mid].from <= t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

// holding returns the next entry at or before place i that holds at some time
// within slack of t, and its place; nil when there is none. Begin with
// last(t + slack).
func (l *timeline[T]) holding(i int, t, slack int64) (*entry[T], int) {
	for ; i >= 0 && (l.reach[i] == never || l.reach[i] > t-slack); i-- {
		if e := l.entries[i]; e.to == never || e.to > t-slack {
			return e, i
		}
	}
	return nil, -1
}

// mark is one thing that records are found by, as a hash: those of other things that
// fall on the same are told apart by the record itself.
type mark struct {
	of   markOf
	hash uint64
}

// markOf says what a mark is of.
type markOf uint8

const (
	ofActor markOf = iota
	ofTeam
	ofRole
	ofKind
	ofConversation
	ofTicket
	ofSubject
	ofHousehold
	ofPlace
	marks int = iota
)

// whoMark is the narrowest thing by which somebody is named.
func (b *Book) whoMark(w *vigil.Who, into []mark) []mark {
	switch {
	case w.Actor != "":
		return append(into, b.mark(ofActor, w.Actor))
	case w.Team != "":
		return append(into, b.mark(ofTeam, w.Team))
	case w.Role != "":
		return append(into, b.mark(ofRole, w.Role))
	case w.Kind != "":
		return append(into, b.mark(ofKind, string(w.Kind)))
	}
	return into
}
