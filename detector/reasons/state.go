package reasons

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"vigil"
)

// buckets is into how many parts the records of a kind are kept: a few that change
// must not write all of them again.
const buckets = 8

// bucketOf is where a record is kept: FNV-1a of its name.
func bucketOf(n id) int {
	h := uint32(2166136261)
	for _, s := range [...]string{n.feed, n.key} {
		for i := 0; i < len(s); i++ {
			h = (h ^ uint32(s[i])) * 16777619
		}
	}
	return int(h % buckets)
}

// Part is a piece of the book, by name.
type Part struct {
	Name string
	Data []byte
}

// summaryPart holds what is not in the records.
const summaryPart = "summary"

type summary struct {
	Told    []vigil.FactKind
	Dropped map[vigil.FactKind]int64
	Refused int64
	// Assignees are the roles that are given assignments, sorted.
	Assignees []string
}

// State returns the parts that changed since the last call, or all of them. A book
// in which nothing ever stood has none.
func (b *Book) State(all bool) ([]Part, error) {
	if !b.any {
		return nil, nil
	}
	var parts []Part
	put := func(name string, v any) error {
		data, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encode %q: %w", name, err)
		}
		parts = append(parts, Part{name, data})
		return nil
	}
	s := summary{Told: b.Told(), Dropped: map[vigil.FactKind]int64{}, Refused: b.refused, Assignees: slices.Sorted(maps.Keys(b.assignees))}
	for _, k := range vigil.FactKinds() {
		h := b.holder(k)
		s.Dropped[k] = *h.droppedCount()
		for i, changed := range h.changed() {
			if !all && !*changed {
				continue
			}
			*changed = false
			if err := put(string(k)+"/"+strconv.Itoa(i), b.facts(k, func(n id) bool { return bucketOf(n) == i })); err != nil {
				return nil, err
			}
		}
	}
	return parts, put(summaryPart, s)
}

// Restore takes back the latest version of every part. The book must be new.
func (b *Book) Restore(parts []Part) error {
	for _, p := range parts {
		if p.Name == summaryPart {
			continue
		}
		var facts []vigil.Facts
		if err := json.Unmarshal(p.Data, &facts); err != nil {
			return fmt.Errorf("decode %q: %w", p.Name, err)
		}
		for _, f := range facts {
			b.Apply(f)
		}
	}
	at := slices.IndexFunc(parts, func(p Part) bool { return p.Name == summaryPart })
	if at < 0 {
		if len(parts) > 0 {
			return fmt.Errorf("part %q is missing", summaryPart)
		}
		return nil
	}
	var s summary
	if err := json.Unmarshal(parts[at].Data, &s); err != nil {
		return fmt.Errorf("decode %q: %w", summaryPart, err)
	}
	b.any, b.refused = true, s.Refused
	for _, role := range s.Assignees {
		b.assignees[role] = struct{}{}
	}
	for _, k := range vigil.FactKinds() {
		h := b.holder(k)
		*h.droppedCount() = s.Dropped[k]
		*h.toldAny() = slices.Contains(s.Told, k)
		for _, changed := range h.changed() {
			*changed = false
		}
	}
	return nil
}

// Facts lists all that is known of a kind, one record a feed, in a fixed order: applied
// to a new book they give the same.
func (b *Book) Facts(kind vigil.FactKind) []vigil.Facts {
	return b.facts(kind, func(id) bool { return true })
}

func (b *Book) facts(kind vigil.FactKind, include func(id) bool) []vigil.Facts {
	switch kind {
	case vigil.FactPerson:
		return collect(b.people, kind, include, func(f *vigil.Facts, r *vigil.Person) { f.People = append(f.People, *r) })
	case vigil.FactAssignment:
		return collect(b.assignments, kind, include, func(f *vigil.Facts, r *vigil.Assignment) { f.Assignments = append(f.Assignments, *r) })
	case vigil.FactShift:
		return collect(b.shifts, kind, include, func(f *vigil.Facts, r *vigil.Shift) { f.Shifts = append(f.Shifts, *r) })
	case vigil.FactChange:
		return collect(b.changes, kind, include, func(f *vigil.Facts, r *vigil.Change) { f.Changes = append(f.Changes, *r) })
	case vigil.FactConsent:
		return collect(b.consents, kind, include, func(f *vigil.Facts, r *vigil.Consent) { f.Consents = append(f.Consents, *r) })
	case vigil.FactContract:
		return collect(b.contracts, kind, include, func(f *vigil.Facts, r *contract) { f.Contracts = append(f.Contracts, r.Contract) })
	case vigil.FactCustomer:
		return collect(b.customers, kind, include, func(f *vigil.Facts, r *customer) { f.Customers = append(f.Customers, r.Customer) })
	case vigil.FactPurpose:
		return collect(b.purposes, kind, include, func(f *vigil.Facts, r *vigil.Purpose) { f.Purposes = append(f.Purposes, *r) })
	default:
		return collect(b.honey, kind, include, func(f *vigil.Facts, r *vigil.Honey) { f.Honey = append(f.Honey, *r) })
	}
}

func collect[T any](t *table[T], kind vigil.FactKind, include func(id) bool, add func(*vigil.Facts, *T)) (all []vigil.Facts) {
	for _, e := range t.sorted() {
		if !include(e.id) {
			continue
		}
		if n := len(all); n == 0 || strings.Compare(all[n-1].Feed, e.id.feed) != 0 {
			all = append(all, vigil.Facts{Feed: e.id.feed, Kind: kind})
		}
		add(&all[len(all)-1], &e.rec)
	}
	return all
}

// holder is a table of whatever kind.
type holder interface {
	droppedCount() *int64
	toldAny() *bool
	changed() []*bool
	size() int
}

func (t *table[T]) droppedCount() *int64 { return &t.dropped }
func (t *table[T]) toldAny() *bool       { return &t.told }
func (t *table[T]) size() int            { return len(t.records) }

func (t *table[T]) changed() (marks []*bool) {
	for i := range t.dirty {
		marks = append(marks, &t.dirty[i])
	}
	return marks
}

func (b *Book) holder(k vigil.FactKind) holder {
	switch k {
	case vigil.FactPerson:
		return b.people
	case vigil.FactAssignment:
		return b.assignments
	case vigil.FactShift:
		return b.shifts
	case vigil.FactChange:
		return b.changes
	case vigil.FactConsent:
		return b.consents
	case vigil.FactContract:
		return b.contracts
	case vigil.FactCustomer:
		return b.customers
	case vigil.FactPurpose:
		return b.purposes
	default:
		return b.honey
	}
}
