package features

import (
	"fmt"
	"slices"

	"github.com/axiomhq/hyperloglog"
)

// Distinct counts distinct ids: exactly up to a limit, by a HyperLogLog sketch
// (error about 1%) beyond it.
type Distinct struct {
	ids    map[string]struct{}
	sketch *hyperloglog.Sketch
	// extra counts ids that were counted by the source without being named.
	extra int64
	// estimate is the sketch's, asked for many times an event: zero when stale.
	estimate int64
}

// ExactLimit is how many ids a span's set holds exactly.
const ExactLimit = 2048

// maxUnnamed bounds the unnamed ids, so that no sum of what sources claim turns
// negative.
const maxUnnamed = 1 << 60

// Add counts id and reports whether it was certainly new. limit is the most ids
// held exactly.
func (d *Distinct) Add(id string, limit int) bool {
	if _, ok := d.ids[id]; ok {
		return false
	}
	if d.sketch != nil {
		d.sketch.Insert([]byte(id))
		d.estimate = 0
		return false
	}
	if d.ids == nil {
		d.ids = make(map[string]struct{})
	}
	if len(d.ids) < limit {
		d.ids[id] = struct{}{}
		return true
	}
	d.sketch = hyperloglog.New14()
	for have := range d.ids {
		d.sketch.Insert([]byte(have))
	}
	d.sketch.Insert([]byte(id))
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
	if d.sketch != nil {
		if d.estimate == 0 {
			d.estimate = int64(d.sketch.Estimate())
		}
		return d.estimate + d.extra
	}
	return int64(len(d.ids)) + d.extra
}

// Merge adds the ids of o.
func (d *Distinct) Merge(o *Distinct, limit int) {
	if o.sketch != nil {
		d.estimate = 0
		if d.sketch == nil {
			d.sketch = hyperloglog.New14()
			for have := range d.ids {
				d.sketch.Insert([]byte(have))
			}
		}
		// Both are of the same precision, the only thing that can differ.
		if err := d.sketch.Merge(o.sketch); err != nil {
			d.AddUnnamed(int64(o.sketch.Estimate()))
		}
	}
	for _, id := range o.IDs() {
		d.Add(id, limit)
	}
	d.AddUnnamed(o.extra)
}

// IDs returns the ids that are held exactly, sorted.
func (d *Distinct) IDs() []string {
	ids := make([]string, 0, len(d.ids))
	for id := range d.ids {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Reset empties the set and keeps its memory.
func (d *Distinct) Reset() {
	if len(d.ids) > 256 {
		d.ids = nil
	}
	clear(d.ids)
	d.sketch = nil
	d.extra, d.estimate = 0, 0
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
	if d.sketch != nil {
		b, err := d.sketch.MarshalBinary()
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
	if len(s.IDs) > 0 {
		d.ids = make(map[string]struct{}, len(s.IDs))
		for _, id := range s.IDs {
			d.ids[id] = struct{}{}
		}
	}
	if len(s.Sketch) > 0 {
		d.sketch = hyperloglog.New14()
		if err := d.sketch.UnmarshalBinary(s.Sketch); err != nil {
			return fmt.Errorf("decode sketch: %w", err)
		}
	}
	return nil
}
