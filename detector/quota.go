package detector

import (
	"cmp"
	"slices"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
)

// quotas counts what of a day's quota (see reasons.Bounds) the actors of a shard have
// used up, in the order of their events. Where more than quotaActors have one on the
// same day, those of the others are not counted: they are covered as if unused.
type quotas struct {
	Day  int64
	used map[uint64]*used
}

const (
	// quotaActors bounds the actors of a shard that are counted on one day.
	quotaActors = 1024
	// quotaSubjects bounds the customers of each that are told apart; beyond, they are
	// counted by a sketch.
	quotaSubjects = 4096
)

// used is one actor's day: the customers that were read for a declared purpose by name,
// those that it covered with or without being named, and what a contract covered.
type used struct {
	Rows                         int64
	declared, covered, customers features.Distinct
}

// check asks the book about an access and takes back what is beyond the day's quota.
func (q *quotas) check(book *reasons.Book, e *vigil.Event) reasons.Checked {
	why := book.Check(e)
	if why.Bounds.Any() && e.Action.Discloses() {
		q.count(e, &why)
	}
	return why
}

// count uses the day's quota up.
func (q *quotas) count(e *vigil.Event, why *reasons.Checked) {
	day := features.Day.Index(e.Time.UnixNano())
	if day < q.Day {
		return // a late one, whose day is over
	}
	if day > q.Day || q.used == nil {
		q.Day, q.used = day, map[uint64]*used{}
	}
	who := actorHash(e)
	u := q.used[who]
	if u == nil {
		if len(q.used) >= quotaActors {
			return
		}
		u = &used{}
		q.used[who] = u
	}
	b := why.Bounds
	beyond := func(d *features.Distinct, bound int64) bool {
		if bound == 0 {
			return false
		}
		for _, s := range e.Subjects {
			d.Add(s, quotaSubjects)
		}
		d.AddUnnamed(features.Unnamed(e))
		return d.Len() > bound
	}
	contracted := beyond(&u.customers, b.Customers)
	if b.Rows > 0 && e.Rows > 0 {
		u.Rows += min(e.Rows, 1<<40)
		contracted = contracted || u.Rows > b.Rows
	}
	// What other reasons cover uses up no purpose's quota, and who names no purpose does
	// not use up that of what is read for it.
	if other := why.Found &^ reasons.Declared; !other.Work() {
		named := e.Purpose != ""
		exceeded := beyond(&u.covered, b.Declared)
		if named {
			exceeded = beyond(&u.declared, b.Declared)
		}
		if exceeded {
			why.ExceedDeclared(named)
		}
	}
	if contracted {
		why.ExceedContract()
	}
}

// quotasState is quotas in the form that is kept.
type quotasState struct {
	Day  int64
	Used []usedState
}

type usedState struct {
	Actor                        uint64
	Rows                         int64
	Declared, Covered, Customers features.DistinctState
}

func (q *quotas) state() (quotasState, error) {
	st := quotasState{Day: q.Day}
	for who, u := range q.used {
		s := usedState{Actor: who, Rows: u.Rows}
		var err error
		if s.Declared, err = u.declared.State(); err != nil {
			return st, err
		}
		if s.Covered, err = u.covered.State(); err != nil {
			return st, err
		}
		if s.Customers, err = u.customers.State(); err != nil {
			return st, err
		}
		st.Used = append(st.Used, s)
	}
	slices.SortFunc(st.Used, func(a, b usedState) int { return cmp.Compare(a.Actor, b.Actor) })
	return st, nil
}

func (st *quotasState) restore() (quotas, error) {
	q := quotas{Day: st.Day, used: map[uint64]*used{}}
	for _, s := range st.Used {
		u := &used{Rows: s.Rows}
		if err := u.declared.Restore(s.Declared); err != nil {
			return q, err
		}
		if err := u.covered.Restore(s.Covered); err != nil {
			return q, err
		}
		if err := u.customers.Restore(s.Customers); err != nil {
			return q, err
		}
		q.used[s.Actor] = u
	}
	return q, nil
}
