package drill

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/internal/traffic"
)

// knowledge is what feeds have told about a scene before anything is staged in it.
type knowledge struct {
	people    map[personKey]vigil.Person
	contracts map[string]vigil.Contract // by actor
	customers map[string]vigil.Customer
}

// know takes in what feeds tell of a scene's people: of each the last word.
func (s *Scene) know(told []traffic.Told) {
	k := knowledge{people: map[personKey]vigil.Person{}, contracts: map[string]vigil.Contract{}, customers: map[string]vigil.Customer{}}
	for i := range told {
		f := &told[i].Facts
		for _, p := range f.People {
			k.people[personKey{p.Tenant, p.Actor}] = p
		}
		for _, c := range f.Contracts {
			if c.Actor != "" {
				k.contracts[c.Actor] = c
			}
		}
		for _, c := range f.Customers {
			k.customers[c.Subject] = c
		}
	}
	s.knowledge = k
}

// person is what the directory says of somebody; where there is none, what the
// events say.
func (s *Scene) person(a *vigil.Actor) vigil.Person {
	if p, ok := s.knowledge.people[keyOf(a)]; ok {
		return p
	}
	return vigil.Person{Actor: a.ID, Tenant: a.Tenant, Kind: a.Kind, Role: a.Role, Team: a.Team}
}

// contract is an actor's; where there is none, one that allows what it does.
func (s *Scene) contract(p *Person) vigil.Contract {
	if c, ok := s.knowledge.contracts[p.Actor.ID]; ok {
		c.Resources, c.Fields, c.Networks = slices.Clone(c.Resources), slices.Clone(c.Fields), slices.Clone(c.Networks)
		c.Stores, c.Regions, c.Destinations = slices.Clone(c.Stores), slices.Clone(c.Regions), slices.Clone(c.Destinations)
		c.Actions = slices.Clone(c.Actions)
		return c
	}
	c := vigil.Contract{ID: "contract-" + p.Actor.ID, Who: vigil.Who{Actor: p.Actor.ID}, PerDay: int64(50 + 4*p.PerDay)}
	for _, f := range p.Forms {
		c.Stores, c.Resources, c.Actions = oneMore(c.Stores, f.Store), oneMore(c.Resources, f.Resource), oneMore(c.Actions, f.Action)
		for _, e := range f.Samples {
			for _, field := range e.Fields {
				c.Fields = oneMore(c.Fields, field)
			}
		}
	}
	for _, x := range p.Places {
		c.Networks = oneMore(c.Networks, x.Network)
	}
	return c
}

// client is what is known of a customer.
func (s *Scene) client(subject, tenant string) vigil.Customer {
	if c, ok := s.knowledge.customers[subject]; ok {
		return c
	}
	return vigil.Customer{Subject: subject, Tenant: tenant}
}

func oneMore[T comparable](list []T, x T) []T {
	var zero T
	if x == zero || slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}

// tell stages that a feed tells something at a time. A time before the traffic is
// its beginning.
func (s *stage) tell(at time.Time, f vigil.Facts) {
	if at.Before(s.scene.Start) {
		at = s.scene.Start
	}
	f.Feed = traffic.FeedName(f.Kind)
	s.act.told = append(s.act.told, traffic.Told{At: at, Facts: f})
}

func (s *stage) tellPerson(at time.Time, p vigil.Person) {
	s.tell(at, vigil.Facts{Kind: vigil.FactPerson, People: []vigil.Person{p}})
}

func (s *stage) tellShift(at time.Time, list ...vigil.Shift) {
	s.tell(at, vigil.Facts{Kind: vigil.FactShift, Shifts: list})
}

func (s *stage) tellChange(at time.Time, c vigil.Change) {
	s.tell(at, vigil.Facts{Kind: vigil.FactChange, Changes: []vigil.Change{c}})
}

func (s *stage) tellContract(at time.Time, c vigil.Contract) {
	s.tell(at, vigil.Facts{Kind: vigil.FactContract, Contracts: []vigil.Contract{c}})
}

func (s *stage) tellAssignment(at time.Time, list ...vigil.Assignment) {
	s.tell(at, vigil.Facts{Kind: vigil.FactAssignment, Assignments: list})
}

func (s *stage) tellConsents(at time.Time, list ...vigil.Consent) {
	s.tell(at, vigil.Facts{Kind: vigil.FactConsent, Consents: list})
}

func (s *stage) tellCustomers(at time.Time, list ...vigil.Customer) {
	s.tell(at, vigil.Facts{Kind: vigil.FactCustomer, Customers: list})
}

func (s *stage) tellPurpose(at time.Time, p vigil.Purpose) {
	s.tell(at, vigil.Facts{Kind: vigil.FactPurpose, Purposes: []vigil.Purpose{p}})
}

// only names one actor.
func only(p *Person) vigil.Who { return vigil.Who{Actor: p.Actor.ID} }

// number makes the id of a change or an incident.
func (s *stage) number(prefix string) string { return prefix + padded(int64(s.rng.IntN(9000)+1000), 4) }

// feeder hands what feeds tell to the detector, between the events, as of the time
// at which it is known. Kinds that are not wanted are left out.
type feeder struct {
	kinds map[vigil.FactKind]bool
	told  []traffic.Told // in order of time
	clerk *traffic.Clerk // nil without assignments, or where they are real ones
}

// newFeeder takes what the company tells and what acts add to it.
func newFeeder(kinds []vigil.FactKind, seed uint64, told []traffic.Told, acts []*Act) *feeder {
	f := &feeder{kinds: map[vigil.FactKind]bool{}}
	for _, k := range kinds {
		f.kinds[k] = true
	}
	if len(kinds) == 0 {
		return f
	}
	if f.kinds[vigil.FactAssignment] {
		f.clerk = traffic.NewClerk(seed)
	}
	add := func(list []traffic.Told) {
		for _, t := range list {
			if f.kinds[t.Facts.Kind] {
				f.told = append(f.told, t)
			}
		}
	}
	staged := map[recordKey]time.Time{}
	for _, a := range acts {
		add(a.told)
		for i := range a.told {
			note(staged, &a.told[i])
		}
	}
	for i := range told {
		if t, ok := unsaid(told[i], staged); ok {
			add([]traffic.Told{t})
		}
	}
	slices.SortStableFunc(f.told, func(a, b traffic.Told) int { return a.At.Compare(b.At) })
	return f
}

// recordKey is a record that stands for somebody: a person, a customer, a contract.
type recordKey struct {
	kind vigil.FactKind
	key  string
}

// note remembers since when what is staged stands.
func note(staged map[recordKey]time.Time, t *traffic.Told) {
	at := func(kind vigil.FactKind, key string) {
		k := recordKey{kind, key}
		if was, ok := staged[k]; !ok || t.At.Before(was) {
			staged[k] = t.At
		}
	}
	for i := range t.Facts.People {
		at(vigil.FactPerson, t.Facts.People[i].Key())
	}
	for i := range t.Facts.Customers {
		at(vigil.FactCustomer, t.Facts.Customers[i].Key())
	}
	for i := range t.Facts.Contracts {
		at(vigil.FactContract, t.Facts.Contracts[i].Key())
	}
}

// unsaid is what the company tells without what would undo what is staged: what is
// staged was made of its last word. It reports false when nothing is left.
func unsaid(t traffic.Told, staged map[recordKey]time.Time) (traffic.Told, bool) {
	undoes := func(kind vigil.FactKind, key string) bool {
		since, ok := staged[recordKey{kind, key}]
		return ok && !t.At.Before(since)
	}
	f := &t.Facts
	switch f.Kind {
	case vigil.FactPerson:
		f.People = slices.DeleteFunc(slices.Clone(f.People), func(p vigil.Person) bool { return undoes(f.Kind, p.Key()) })
		return t, len(f.People) > 0
	case vigil.FactCustomer:
		f.Customers = slices.DeleteFunc(slices.Clone(f.Customers), func(c vigil.Customer) bool { return undoes(f.Kind, c.Key()) })
		return t, len(f.Customers) > 0
	case vigil.FactContract:
		f.Contracts = slices.DeleteFunc(slices.Clone(f.Contracts), func(c vigil.Contract) bool { return undoes(f.Kind, c.Key()) })
		return t, len(f.Contracts) > 0
	}
	return t, true
}

// see lets the clerk take note of an event that is no breach's.
func (f *feeder) see(e *vigil.Event, breach bool) {
	if f.clerk != nil && !breach {
		f.clerk.See(e)
	}
}

// deal hands out a batch of events in parts, each after what was known before it.
func (f *feeder) deal(events []*vigil.Event, control func(*vigil.Facts) error, fold func([]*vigil.Event) error) error {
	if len(events) == 0 {
		return nil
	}
	last := events[len(events)-1].Time
	if f.clerk != nil {
		f.told = slices.Concat(f.clerk.Due(last), f.told)
		slices.SortStableFunc(f.told, func(a, b traffic.Told) int { return a.At.Compare(b.At) })
	}
	done := 0
	for len(f.told) > 0 && !f.told[0].At.After(last) {
		at := f.told[0].At
		n := done
		for n < len(events) && events[n].Time.Before(at) {
			n++
		}
		if err := fold(events[done:n:n]); err != nil {
			return err
		}
		done = n
		for len(f.told) > 0 && f.told[0].At.Equal(at) {
			if err := control(&f.told[0].Facts); err != nil {
				return err
			}
			f.told = f.told[1:]
		}
	}
	return fold(events[done:])
}

// controlOf is the log's record of facts.
func controlOf(f *vigil.Facts) (vigil.Control, error) {
	data, err := json.Marshal(f)
	if err != nil {
		return vigil.Control{}, fmt.Errorf("write facts of kind %s: %w", f.Kind, err)
	}
	return vigil.Control{Type: vigil.ControlFacts, Data: data}, nil
}

// ParseFeeds reads the names of kinds separated by commas: all for "all", none for
// "none" or nothing.
func ParseFeeds(text string) ([]vigil.FactKind, error) {
	switch text {
	case "", "none":
		return nil, nil
	case "all":
		return slices.DeleteFunc(vigil.FactKinds(), func(k vigil.FactKind) bool { return k == vigil.FactHoney }), nil
	}
	wanted := map[vigil.FactKind]bool{}
	for _, name := range strings.Split(text, ",") {
		kind := vigil.FactKind(strings.TrimSpace(name))
		if !slices.Contains(vigil.FactKinds(), kind) {
			return nil, fmt.Errorf("feed %q is not known: all, none, or some of %v", name, vigil.FactKinds())
		}
		wanted[kind] = true
	}
	return slices.DeleteFunc(vigil.FactKinds(), func(k vigil.FactKind) bool { return !wanted[k] }), nil
}
