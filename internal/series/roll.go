package series

import (
	"cmp"
	"slices"
	"time"

	"vigil"
)

// Other is the tag value that stands for all that came after a tag had its full
// number of values.
const Other = "other"

// DefaultMaxValues is how many distinct values a tag may have by default.
const DefaultMaxValues = 200

// Caps bounds the values of each tag. The first values to be seen are admitted;
// once a tag is full, every further value becomes [Other]. The order is the
// log's, so the same log gives the same series. It is not safe for concurrent
// use.
type Caps struct {
	max  int
	tags [tags]map[string]bool
}

// tags is the number of fields of a Key.
const tags = 6

// NewCaps makes caps of max distinct values a tag (zero: DefaultMaxValues) that
// have already admitted the values in seen: those that the kept series have.
func NewCaps(max int, seen []Key) *Caps {
	if max <= 0 {
		max = DefaultMaxValues
	}
	c := &Caps{max: max}
	for i := range c.tags {
		c.tags[i] = map[string]bool{"": true, Other: true}
	}
	for _, k := range seen {
		for i, v := range k.fields() {
			c.tags[i][*v] = true
		}
	}
	return c
}

// Admit returns the key with each value that its tag has no room for replaced.
func (c *Caps) Admit(k Key) Key {
	for i, v := range k.fields() {
		if c.tags[i][*v] {
			continue
		}
		// The empty value and Other take no room of their own.
		if len(c.tags[i])-2 >= c.max {
			*v = Other
			continue
		}
		c.tags[i][*v] = true
	}
	return k
}

func (k *Key) fields() [tags]*string {
	return [tags]*string{&k.Source, &k.Store, &k.Action, &k.ActorKind, &k.Role, &k.Tenant}
}

// Compare orders keys, for a fixed order of output.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Source, o.Source), cmp.Compare(k.Store, o.Store), cmp.Compare(k.Action, o.Action),
		cmp.Compare(k.ActorKind, o.ActorKind), cmp.Compare(k.Role, o.Role), cmp.Compare(k.Tenant, o.Tenant))
}

// Roll sums events by minute and key. What it returns is to be added to what
// the same minutes already hold; it is ordered by time and key. The tag values
// that it lets through are kept in caps.
func Roll(events []*vigil.Event, caps *Caps) []Point {
	type cell struct {
		start int64
		key   Key
	}
	sums := make(map[cell]*Point)
	admitted := make(map[Key]Key)
	for _, e := range events {
		raw := Key{
			Source: e.Source, Store: e.Store, Action: string(e.Action),
			ActorKind: string(e.Actor.Kind), Role: e.Actor.Role, Tenant: e.Actor.Tenant,
		}
		// A value that was admitted once stays so, and one that was not has no room
		// later either: the answer for a key never changes.
		key, ok := admitted[raw]
		if !ok {
			key = caps.Admit(raw)
			admitted[raw] = key
		}
		start := WindowOf(e.Time)
		at := cell{start.Unix(), key}
		p := sums[at]
		if p == nil {
			p = &Point{Start: start, Key: key}
			sums[at] = p
		}
		p.add(e)
	}
	points := make([]Point, 0, len(sums))
	for _, p := range sums {
		points = append(points, *p)
	}
	slices.SortFunc(points, func(a, b Point) int {
		return cmp.Or(a.Start.Compare(b.Start), a.Key.Compare(b.Key))
	})
	return points
}

func (p *Point) add(e *vigil.Event) {
	p.Events++
	p.Rows += max(e.Rows, 0)
	p.Bytes += max(e.Bytes, 0)
	p.Subjects += max(e.SubjectCount, int64(len(e.Subjects)))
	if e.Outcome == vigil.OutcomeDenied {
		p.Denied++
	}
}

// WindowOf returns the start of the window that holds t.
func WindowOf(t time.Time) time.Time { return t.UTC().Truncate(Window) }
