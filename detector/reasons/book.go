package reasons

import (
	"hash/maphash"
	"time"

	"vigil"
)

// Limits bounds how many records of each kind a Book holds. Zero means the default.
// At the bound those that ended first make room, then the oldest.
type Limits struct {
	People, Assignments, Shifts, Changes, Consents, Contracts, Customers, Purposes, Honey int
}

// DefaultLimits bounds a book to some 600 MiB where every kind is full.
func DefaultLimits() Limits {
	return Limits{
		People: 200_000, Assignments: 300_000, Shifts: 300_000, Changes: 50_000, Consents: 500_000,
		Contracts: 10_000, Customers: 500_000, Purposes: 50_000, Honey: 100_000,
	}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, f := range [...]struct{ own, with *int }{
		{&l.People, &d.People}, {&l.Assignments, &d.Assignments}, {&l.Shifts, &d.Shifts}, {&l.Changes, &d.Changes},
		{&l.Consents, &d.Consents}, {&l.Contracts, &d.Contracts}, {&l.Customers, &d.Customers}, {&l.Purposes, &d.Purposes},
		{&l.Honey, &d.Honey},
	} {
		if *f.own <= 0 {
			*f.own = *f.with
		}
	}
	return l
}

// Book is what all feeds have told so far.
type Book struct {
	seed maphash.Seed

	people      *table[vigil.Person]
	assignments *table[vigil.Assignment]
	shifts      *table[vigil.Shift]
	changes     *table[vigil.Change]
	consents    *table[vigil.Consent]
	contracts   *table[contract]
	customers   *table[customer]
	purposes    *table[vigil.Purpose]
	honey       *table[vigil.Honey]

	// changed marks the roles of those whom changes name: for their colleagues a change
	// is looked for as well.
	changed map[uint64]struct{}
	// assignees are the roles of those whom assignments name, as events tell them.
	assignees map[string]struct{}

	refused int64
	any     bool
}

// New makes a book in which nothing stands.
func New(limits Limits) *Book {
	l := limits.orDefault()
	b := &Book{seed: maphash.MakeSeed(), assignees: map[string]struct{}{}}
	b.people = newTable(b, l.People, func(p *vigil.Person) (from, to time.Time) { return p.Started, time.Time{} },
		func(p *vigil.Person, into []mark) []mark {
			into = append(into, b.mark(ofActor, p.Actor))
			if p.Subject != "" {
				into = append(into, b.mark(ofSubject, p.Subject))
			}
			return into
		})
	b.assignments = newTable(b, l.Assignments, func(a *vigil.Assignment) (from, to time.Time) { return a.From, a.To }, b.assignmentMarks)
	b.shifts = newTable(b, l.Shifts, func(s *vigil.Shift) (from, to time.Time) { return s.From, s.To },
		func(s *vigil.Shift, into []mark) []mark { return b.whoMark(&s.Who, into) })
	b.changes = newTable(b, l.Changes, func(c *vigil.Change) (from, to time.Time) { return c.From, c.To }, b.changeMarks)
	b.consents = newTable(b, l.Consents, func(c *vigil.Consent) (from, to time.Time) { return c.Given, time.Time{} },
		func(c *vigil.Consent, into []mark) []mark { return append(into, b.mark(ofSubject, c.Subject)) })
	b.contracts = newTable(b, l.Contracts, func(c *contract) (from, to time.Time) { return c.From, c.To },
		func(c *contract, into []mark) []mark { return b.whoMark(&c.Who, into) })
	b.customers = newTable(b, l.Customers, func(*customer) (from, to time.Time) { return from, to },
		func(c *customer, into []mark) []mark {
			into = append(into, b.mark(ofSubject, c.Subject))
			if c.Household != "" {
				into = append(into, b.mark(ofHousehold, c.Household))
			}
			return into
		})
	b.purposes = newTable(b, l.Purposes, func(p *vigil.Purpose) (from, to time.Time) { return p.From, p.To },
		func(p *vigil.Purpose, into []mark) []mark { return b.whoMark(&p.Who, into) })
	b.assignments.names = func(a *vigil.Assignment) (*vigil.Who, uint64) { return &a.Who, 0 }
	b.changes.names = func(c *vigil.Change) (*vigil.Who, uint64) { return &c.Who, 0 }
	b.shifts.names = func(s *vigil.Shift) (*vigil.Who, uint64) { return &s.Who, dutySalt(s.Duty) }
	b.honey = newTable(b, l.Honey, func(h *vigil.Honey) (from, to time.Time) { return h.From, h.To },
		func(h *vigil.Honey, into []mark) []mark { return append(into, b.mark(ofSubject, h.Subject)) })
	return b
}

// mark hashes what a record is found by. Hashes of different things differ like those
// of different texts do.
func (b *Book) mark(of markOf, s string) mark {
	return mark{of, maphash.String(b.seed, s) + uint64(of)*0x9e3779b97f4a7c15}
}

// assignmentMarks finds an assignment by each piece of work that it names, one that
// names none by whose it is.
func (b *Book) assignmentMarks(a *vigil.Assignment, into []mark) []mark {
	if a.Conversation != "" {
		into = append(into, b.mark(ofConversation, a.Conversation))
	}
	if a.Ticket != "" {
		into = append(into, b.mark(ofTicket, a.Ticket))
	}
	if a.Subject != "" {
		into = append(into, b.mark(ofSubject, a.Subject))
	}
	if len(into) == 0 {
		into = b.whoMark(&a.Who, into)
	}
	return into
}

// changeMarks finds a change by its ticket and by whose it is; what is nobody's by
// its place, and so is what may make a whole store silent.
func (b *Book) changeMarks(c *vigil.Change, into []mark) []mark {
	if c.ID != "" {
		into = append(into, b.mark(ofTicket, c.ID))
	}
	if c.Nobody() {
		return append(into, b.mark(ofPlace, c.Store))
	}
	if c.Store != "" && outage(c) {
		into = append(into, b.mark(ofPlace, c.Store))
	}
	return b.whoMark(&c.Who, into)
}

// outage says that a change is of a type during which a store may be down.
func outage(c *vigil.Change) bool {
	return c.Type == vigil.ChangeDeploy || c.Type == vigil.ChangeMaintenance
}

// keyed gives a record with its key, and what is wrong with it.
func keyed[T any, P interface {
	*T
	Key() string
	Check() error
}](rec T) (T, string, error) {
	key, err := P(&rec).Key(), P(&rec).Check()
	return rec, key, err
}

// Apply folds one record of the log. What is not valid in it is left out and
// counted: the log is what it is.
func (b *Book) Apply(f vigil.Facts) {
	b.any = true
	switch f.Kind {
	case vigil.FactPerson:
		apply(b, b.people, &f, f.People, keyed[vigil.Person])
	case vigil.FactAssignment:
		apply(b, b.assignments, &f, f.Assignments, keyed[vigil.Assignment])
	case vigil.FactShift:
		apply(b, b.shifts, &f, f.Shifts, keyed[vigil.Shift])
	case vigil.FactChange:
		apply(b, b.changes, &f, f.Changes, keyed[vigil.Change])
	case vigil.FactConsent:
		apply(b, b.consents, &f, f.Consents, keyed[vigil.Consent])
	case vigil.FactContract:
		apply(b, b.contracts, &f, f.Contracts, func(c vigil.Contract) (contract, string, error) {
			c, key, err := keyed(c)
			return newContract(c), key, err
		})
	case vigil.FactCustomer:
		apply(b, b.customers, &f, f.Customers, func(c vigil.Customer) (customer, string, error) {
			c, key, err := keyed(c)
			return newCustomer(c), key, err
		})
	case vigil.FactPurpose:
		apply(b, b.purposes, &f, f.Purposes, keyed[vigil.Purpose])
	case vigil.FactHoney:
		apply(b, b.honey, &f, f.Honey, keyed[vigil.Honey])
	default:
		b.refused++ // of a later version
		return
	}
	b.concern(f.Kind)
}

// apply folds a record's lists into the table of its kind.
func apply[R, T any](b *Book, t *table[T], f *vigil.Facts, records []R, take func(R) (T, string, error)) {
	t.told = true
	if f.Whole {
		t.forget(f.Feed)
	}
	for _, key := range f.Removed {
		t.remove(id{f.Feed, key})
	}
	for _, r := range records {
		rec, key, err := take(r)
		if err != nil {
			b.refused++
			continue
		}
		t.put(id{f.Feed, key}, rec)
	}
}

// concern sums up the roles of those whom changes name.
func (b *Book) concern(kind vigil.FactKind) {
	if kind != vigil.FactChange && kind != vigil.FactPerson {
		return
	}
	b.changed = map[uint64]struct{}{}
	for _, e := range b.changes.records {
		if p := b.person(e.rec.Actor, e.rec.Tenant); p != nil && p.Role != "" {
			b.changed[b.mark(ofRole, p.Role).hash] = struct{}{}
		}
	}
}

// dutySalt tells the duties apart among those whom shifts name.
func dutySalt(duty string) uint64 {
	switch duty {
	case vigil.DutyShift:
		return 1
	case vigil.DutyOnCall:
		return 2
	}
	return 3
}

// Assigns says that some feed tells of assignments.
func (b *Book) Assigns() bool { return b.assignments.told }

// Told lists the kinds of which some feed has told something, in the order of
// vigil.FactKinds.
func (b *Book) Told() (kinds []vigil.FactKind) {
	for _, k := range vigil.FactKinds() {
		if *b.holder(k).toldAny() {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// Missing lists the kinds of feed that give reasons and of which none has told
// anything: assignments, changes, purposes and shifts.
func (b *Book) Missing() (kinds []vigil.FactKind) {
	for _, k := range [...]vigil.FactKind{vigil.FactAssignment, vigil.FactShift, vigil.FactChange, vigil.FactPurpose} {
		if !*b.holder(k).toldAny() {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// Empty says that no feed has told anything yet.
func (b *Book) Empty() bool { return !b.any }

// Counts tells how many records are held, were dropped at a bound, and were not
// valid.
type Counts struct {
	Held             map[vigil.FactKind]int
	Dropped, Refused int64
}

// Counts sums up the book.
func (b *Book) Counts() Counts {
	c := Counts{Held: map[vigil.FactKind]int{}, Refused: b.refused}
	for _, k := range vigil.FactKinds() {
		h := b.holder(k)
		if n := h.size(); n > 0 {
			c.Held[k] = n
		}
		c.Dropped += *h.droppedCount()
	}
	return c
}
