package feeds

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"vigil"
)

// Piece is how many records one control record of the log holds at most.
const Piece = 5_000

// Base is what is known of a feed: each record's key, and a hash of what it says.
type Base map[string]uint64

// NewBase is what facts tell. Facts of one feed and kind are taken in the order of the
// log.
func NewBase(facts ...vigil.Facts) (Base, error) {
	b := Base{}
	for i := range facts {
		if err := b.apply(&facts[i]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b Base) apply(f *vigil.Facts) error {
	if f.Whole {
		clear(b)
	}
	for _, key := range f.Removed {
		delete(b, key)
	}
	for _, r := range records(f) {
		h, err := content(r)
		if err != nil {
			return err
		}
		b[r.Key()] = h
	}
	return nil
}

// content hashes what a record says.
func content(r record) (uint64, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("encode record: %w", err)
	}
	h := fnv.New64a()
	h.Write(text)
	return h.Sum64(), nil
}

// Diff is what must be told so that who knows base knows next, in pieces of at most
// Piece records, in a fixed order. With partial set next only adds and replaces. Where
// next is the first that is ever told and empty, an empty piece says that there is
// such a feed.
func Diff(base Base, next *vigil.Facts, partial bool) ([]vigil.Facts, error) {
	seen := make(map[string]bool, len(base))
	var changed []record
	keys := map[record]string{}
	for _, r := range records(next) {
		key := r.Key()
		seen[key] = true
		h, err := content(r)
		if err != nil {
			return nil, err
		}
		if old, ok := base[key]; !ok || old != h {
			changed = append(changed, r)
			keys[r] = key
		}
	}
	slices.SortStableFunc(changed, func(a, b record) int { return cmp.Compare(keys[a], keys[b]) })
	var removed []string
	if !partial {
		for _, key := range slices.Sorted(maps.Keys(base)) {
			if !seen[key] {
				removed = append(removed, key)
			}
		}
	}
	var out []vigil.Facts
	piece := func() *vigil.Facts {
		out = append(out, vigil.Facts{Feed: next.Feed, Kind: next.Kind})
		return &out[len(out)-1]
	}
	for part := range slices.Chunk(removed, Piece) {
		piece().Removed = part
	}
	for part := range slices.Chunk(changed, Piece) {
		f := piece()
		for _, r := range part {
			put(f, r)
		}
	}
	return out, nil
}

// overlapping notes periods of one person and duty or work that overlap: what is
// meant is likely something else.
func overlapping(file string, r *Reading) {
	type stretch struct {
		who  string
		from time.Time
		to   time.Time
	}
	var all []stretch
	for i := range r.Facts.Shifts {
		s := &r.Facts.Shifts[i]
		all = append(all, stretch{fmt.Sprint(s.Who, s.Duty), s.From, s.To})
	}
	for i := range r.Facts.Contracts {
		c := &r.Facts.Contracts[i]
		all = append(all, stretch{fmt.Sprint(c.Who), c.From, c.To})
	}
	slices.SortStableFunc(all, func(a, b stretch) int { return cmp.Or(cmp.Compare(a.who, b.who), a.from.Compare(b.from)) })
	n := 0
	for i := 1; i < len(all); i++ {
		before, s := &all[i-1], &all[i]
		if before.who == s.who && (before.to.IsZero() || s.from.Before(before.to)) {
			n++
		}
	}
	if n > 0 {
		r.problem(Problem{File: file, Message: fmt.Sprintf("%d periods of the same person and duty overlap; each counts", n), Remedy: "look whether the times are in the feed's time zone"})
	}
}
