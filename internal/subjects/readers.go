package subjects

import (
	"cmp"
	"slices"

	"vigil"
	"vigil/internal/api"
)

// ReaderColumns are the columns of an event that Readers reads.
func ReaderColumns() []string {
	return []string{
		"actor", "time", "actor_kind", "role", "team", "tenant", "action", "outcome", "store", "ticket", "purpose",
	}
}

// Readers counts who read a customer. The zero value is ready.
type Readers struct {
	by       map[reader]*api.Reading
	accesses int64
}

type reader struct{ tenant, actor string }

// Add counts an event that names the customer.
func (r *Readers) Add(e *vigil.Event) {
	r.accesses++
	if r.by == nil {
		r.by = map[reader]*api.Reading{}
	}
	key := reader{e.Actor.Tenant, e.Actor.ID}
	x := r.by[key]
	if x == nil {
		x = &api.Reading{Actor: e.Actor.ID, Tenant: e.Actor.Tenant, First: e.Time, Last: e.Time}
		r.by[key] = x
	}
	// Of several roles the latest counts: it is what the actor is now.
	if x.Kind == "" && x.Role == "" && x.Team == "" || e.Time.After(x.Last) ||
		e.Time.Equal(x.Last) && cmp.Or(cmp.Compare(e.Actor.Role, x.Role), cmp.Compare(e.Actor.Team, x.Team), cmp.Compare(e.Actor.Kind, x.Kind)) > 0 {
		x.Kind, x.Role, x.Team = e.Actor.Kind, e.Actor.Role, e.Actor.Team
	}
	if e.Time.Before(x.First) {
		x.First = e.Time
	}
	if e.Time.After(x.Last) {
		x.Last = e.Time
	}
	x.Stores = add(x.Stores, e.Store)
	x.Purposes = add(x.Purposes, e.Purpose)
	if e.Ticket != "" {
		x.Tickets++
	}
	switch {
	case failed(e):
		x.Refused++
	case !e.Action.Discloses():
		x.Other++
	default:
		x.Shown++
		if e.Ticket == "" && e.Purpose == "" {
			x.Bare++
		}
	}
}

// Done returns the readers, who read last first, at most api.MaxReaders of them, and how many
// there are besides.
func (r *Readers) Done() (list []api.Reading, more int, accesses int64) {
	for _, x := range r.by {
		x.First, x.Last = x.First.UTC().Round(0), x.Last.UTC().Round(0)
		list = append(list, *x)
	}
	slices.SortFunc(list, func(a, b api.Reading) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Actor, b.Actor))
	})
	if n := len(list); n > api.MaxReaders {
		list, more = list[:api.MaxReaders], n-api.MaxReaders
	}
	return list, more, r.accesses
}

// InCase notes that a reader has a case.
func InCase(x *api.Reading, id string) { x.Cases = add(x.Cases, id) }
