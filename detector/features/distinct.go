package features

import (
	"fmt"
	"slices"

	"github.com/axiomhq/hyperloglog"
	"github.com/cespare/xxhash/v2"
)

// Distinct counts distinct ids: exactly up to a limit, by a HyperLogLog sketch
// (error about 1%) beyond it.
type Distinct struct {
	// ids are those held exactly, in the order in which they came; tails the last
	// bytes of the first few, in which ids differ most: to look at them costs nothing.
	ids   []string
	tails [fewIDs]byte
	// extra counts ids that were counted by the source without being named.
	extra int64
	// many is what more than a few ids need: an actor has a dozen sets, most of
	// them small.
	many *many
}

// many is a large set's index and sketch.
type many struct {
	// index finds an id by its hash: the next free slot where that is taken. Its
	// length is a power of two, a quarter of it empty.
	index []slot
	// sketch counts all, once there are more than are held; estimate is what it
	// says, asked for many times an event: zero when stale.
	sketch   *hyperloglog.Sketch
	estimate int64
}

// count enters an id in the sketch.
func (m *many) count(id string) {
	m.sketch.Insert([]byte(id))
	m.estimate = 0
}

// overflow begins to count by a sketch, unless it has begun.
func (d *Distinct) overflow() {
	if d.many == nil {
		d.many = &many{}
		if len(d.ids) > 0 {
			d.rebuild(4 * fewIDs)
		}
	}
	if d.many.sketch != nil {
		return
	}
	d.many.sketch = hyperloglog.New14()
	for _, id := range d.ids {
		d.many.count(id)
	}
}

// ExactLimit is how many ids a span's set holds exactly.
const ExactLimit = 2048

// maxUnnamed bounds the unnamed ids, so that no sum of what sources claim turns
// negative.
const maxUnnamed = 1 << 60

// slot is an entry of the index: sixteen bits of the id's hash, so that few others
// are compared, and below them its place in ids, from one; zero is empty.
type slot uint32

const (
	// fewIDs is up to how many ids are looked through one by one: most spans hold
	// no more.
	fewIDs    = 8
	placeBits = 16
	// maxIDs is what a slot has room for.
	maxIDs = 1<<placeBits - 1
)

// find returns the id's place in ids, -1 where it is not.
func (d *Distinct) find(id string) int {
	if d.many == nil {
		last := tail(id)
		for i := range d.ids {
			if d.tails[i] == last && d.ids[i] == id {
				return i
			}
		}
		return -1
	}
	index := d.many.index
	if len(index) == 0 {
		return -1
	}
	h := xxhash.Sum64String(id)
	mask := len(index) - 1
	for i := int(h) & mask; ; i = (i + 1) & mask {
		s := index[i]
		if s == 0 {
			return -1
		}
		if s>>placeBits == slot(h>>48) {
			if at := int(s&maxIDs) - 1; d.ids[at] == id {
				return at
			}
		}
	}
}

func tail(id string) byte {
	if id == "" {
		return 0
	}
	return id[len(id)-1]
}

// hold appends an id that is not there yet.
func (d *Distinct) hold(id string) {
	if d.ids == nil {
		d.ids = make([]string, 0, fewIDs/2)
	}
	d.ids = append(d.ids, id)
	n := len(d.ids)
	switch {
	case d.many == nil && n <= fewIDs:
		d.tails[n-1] = tail(id)
	case d.many == nil:
		d.many = &many{}
		d.rebuild(4 * fewIDs)
	case 4*n > 3*len(d.many.index):
		d.rebuild(max(4*fewIDs, 2*len(d.many.index)))
	default:
		d.enter(n - 1)
	}
}

// rebuild makes an index of that size.
func (d *Distinct) rebuild(size int) {
	for 4*len(d.ids) > 3*size {
		size *= 2
	}
	d.many.index = make([]slot, size)
	for i := range d.ids {
		d.enter(i)
	}
}

// enter notes the id at place i in the index.
func (d *Distinct) enter(i int) {
	h := xxhash.Sum64String(d.ids[i])
	index := d.many.index
	mask := len(index) - 1
	at := int(h) & mask
	for index[at] != 0 {
		at = (at + 1) & mask
	}
	index[at] = slot(h>>48)<<placeBits | slot(i+1)
}

// Add counts id and reports whether it was certainly new. limit is the most ids
// held exactly.
func (d *Distinct) Add(id string, limit int) bool {
	if d.find(id) >= 0 {
		return false
	}
	if d.many != nil && d.many.sketch != nil {
		d.many.count(id)
		return false
	}
	if len(d.ids) < min(limit, maxIDs) {
		d.hold(id)
		return true
	}
	d.overflow()
	d.many.count(id)
	return true
}

// AddUnnamed counts n more that the source counted without naming.
func (d *Distinct) AddUnnamed(n int64) {
	if n > 0 {
		d.extra = min(d.extra, maxUnnamed-min(n, maxUnnamed)) + min(n, maxUnnamed)
	}
}

// Len is the number of distinct ids, unnamed ones included.
func (d *Distinct) Len() int64 {
	if m := d.many; m != nil && m.sketch != nil {
		if m.estimate == 0 {
			m.estimate = int64(m.sketch.Estimate())
		}
		return m.estimate + d.extra
	}
	return int64(len(d.ids)) + d.extra
}

// Merge adds the ids of o.
func (d *Distinct) Merge(o *Distinct, limit int) {
	if o.many != nil && o.many.sketch != nil {
		d.overflow()
		d.many.estimate = 0
		// Both are of the same precision, the only thing that can differ.
		if err := d.many.sketch.Merge(o.many.sketch); err != nil {
			d.AddUnnamed(int64(o.many.sketch.Estimate()))
		}
	}
	ids := o.ids
	if len(d.ids)+len(ids) > limit {
		// Which are held shows now, and must not hang on the order in which they came:
		// a set that was restored has forgotten it.
		ids = o.IDs()
	}
	for _, id := range ids {
		d.Add(id, limit)
	}
	d.AddUnnamed(o.extra)
}

// IDs returns the ids that are held exactly, sorted.
func (d *Distinct) IDs() []string {
	ids := append(make([]string, 0, len(d.ids)), d.ids...)
	slices.Sort(ids)
	return ids
}

// Reset empties the set. A small one keeps its memory; none keeps an id alive.
func (d *Distinct) Reset() {
	clear(d.ids)
	if d.ids = d.ids[:0]; cap(d.ids) > fewIDs {
		d.ids = nil
	}
	d.many, d.extra = nil, 0
}

// DistinctState is a Distinct in the form that is kept.
type DistinctState struct {
	_      struct{} `cbor:",toarray"`
	IDs    []string
	Sketch []byte
	Extra  int64
}

// State returns what Restore takes.
func (d *Distinct) State() (DistinctState, error) {
	s := DistinctState{IDs: d.IDs(), Extra: d.extra}
	if d.many != nil && d.many.sketch != nil {
		b, err := d.many.sketch.MarshalBinary()
		if err != nil {
			return s, fmt.Errorf("encode sketch: %w", err)
		}
		s.Sketch = b
	}
	return s, nil
}

// Restore takes back a state.
func (d *Distinct) Restore(s DistinctState) error {
	*d = Distinct{extra: s.Extra}
	for _, id := range s.IDs[:min(len(s.IDs), maxIDs)] {
		if d.find(id) < 0 {
			d.hold(id)
		}
	}
	if len(s.Sketch) > 0 {
		d.overflow()
		d.many.sketch = hyperloglog.New14()
		if err := d.many.sketch.UnmarshalBinary(s.Sketch); err != nil {
			return fmt.Errorf("decode sketch: %w", err)
		}
	}
	return nil
}
