package vigil

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ControlFacts is the type of the control record that brings Facts.
const ControlFacts = "facts"

// FactKind is what a feed tells about. The set is closed.
type FactKind string

// The kinds of fact.
const (
	FactPerson     FactKind = "person"
	FactAssignment FactKind = "assignment"
	FactShift      FactKind = "shift"
	FactChange     FactKind = "change"
	FactConsent    FactKind = "consent"
	FactContract   FactKind = "contract"
	FactCustomer   FactKind = "customer"
	FactPurpose    FactKind = "purpose"
	FactHoney      FactKind = "honey"
)

// FactKinds lists the closed set in a fixed order.
func FactKinds() []FactKind {
	return []FactKind{
		FactPerson, FactAssignment, FactShift, FactChange, FactConsent, FactContract, FactCustomer, FactPurpose, FactHoney,
	}
}

// Facts is a change of what one feed tells: the reasons for which reads are
// legitimate, and what makes them illegitimate. It enters the log as a control
// record, with its people and customers as pseudonyms, so that a replay knows the
// same at the same place.
//
// Of the lists only that of Kind is filled. A record replaces the one of the same
// key (see Key); keys in Removed are forgotten; Whole forgets all that the feed told
// before.
type Facts struct {
	// Feed is the feed's name in the configuration.
	Feed    string   `json:"feed"`
	Kind    FactKind `json:"kind"`
	Whole   bool     `json:"whole,omitempty"`
	Removed []string `json:"removed,omitempty"`

	People      []Person     `json:"people,omitempty"`
	Assignments []Assignment `json:"assignments,omitempty"`
	Shifts      []Shift      `json:"shifts,omitempty"`
	Changes     []Change     `json:"changes,omitempty"`
	Consents    []Consent    `json:"consents,omitempty"`
	Contracts   []Contract   `json:"contracts,omitempty"`
	Customers   []Customer   `json:"customers,omitempty"`
	Purposes    []Purpose    `json:"purposes,omitempty"`
	Honey       []Honey      `json:"honey,omitempty"`
}

// Period is a stretch of time: from From on, until and without To. Zero leaves an
// end open.
type Period struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// Holds reports whether t lies in the period.
func (p Period) Holds(t time.Time) bool {
	return (p.From.IsZero() || !t.Before(p.From)) && (p.To.IsZero() || t.Before(p.To))
}

// Check says what is wrong with a period: one that ends before it begins.
func (p Period) Check() error {
	if !p.From.IsZero() && !p.To.IsZero() && p.To.Before(p.From) {
		return fmt.Errorf("it ends (%s) before it begins (%s)", p.To.Format(time.RFC3339), p.From.Format(time.RFC3339))
	}
	return nil
}

// Who is whom a fact is about: one actor, else all of a role or team. Fields that are
// empty fit anybody; one that says nothing at all fits nobody.
type Who struct {
	Actor  string    `json:"actor,omitempty"`
	Kind   ActorKind `json:"actor_kind,omitempty"`
	Role   string    `json:"role,omitempty"`
	Team   string    `json:"team,omitempty"`
	Tenant string    `json:"tenant,omitempty"`
}

// Nobody says that w names nobody.
func (w Who) Nobody() bool { return w == Who{} || w == Who{Tenant: w.Tenant} }

// Fits reports whether a is one of those whom w names.
func (w Who) Fits(a *Actor) bool {
	if w.Nobody() {
		return false
	}
	return (w.Actor == "" || w.Actor == a.ID) && (w.Kind == "" || w.Kind == a.Kind) && (w.Role == "" || w.Role == a.Role) &&
		(w.Team == "" || w.Team == a.Team) && (w.Tenant == "" || w.Tenant == a.Tenant)
}

// Attributes are keyed hashes by which it can be seen that two people are one, or
// live together, without knowing who they are. Empty ones are not known.
type Attributes struct {
	Surname string `json:"surname,omitempty"`
	Address string `json:"address,omitempty"`
	Phone   string `json:"phone,omitempty"`
	Email   string `json:"email,omitempty"`
}

// Shared counts the attributes that are known of both and equal.
func (a Attributes) Shared(b Attributes) (n int) {
	for _, x := range [...][2]string{{a.Surname, b.Surname}, {a.Address, b.Address}, {a.Phone, b.Phone}, {a.Email, b.Email}} {
		if x[0] != "" && x[0] == x[1] {
			n++
		}
	}
	return n
}

// Person is what the directory tells of an actor.
type Person struct {
	Actor   string    `json:"actor"`
	Tenant  string    `json:"tenant,omitempty"`
	Kind    ActorKind `json:"actor_kind,omitempty"`
	Role    string    `json:"role,omitempty"`
	Team    string    `json:"team,omitempty"`
	Manager string    `json:"manager,omitempty"`
	// Started, Notice and Leaves are the first day, when notice was given, and when
	// the person is gone: the first moment at which nothing may be read.
	Started time.Time `json:"started,omitzero"`
	Notice  time.Time `json:"notice,omitzero"`
	Leaves  time.Time `json:"leaves,omitzero"`
	// Subject is the person's own record where the person is a customer too.
	Subject string `json:"subject,omitempty"`
	Attributes
}

// Assignment says who answers for what, and when: a conversation, a ticket, a
// customer, a queue's or a resource's work, or a task named by its purpose. Of those
// that are named all must fit.
type Assignment struct {
	ID string `json:"id,omitempty"`
	Who
	Conversation string `json:"conversation,omitempty"`
	Ticket       string `json:"ticket,omitempty"`
	Subject      string `json:"subject,omitempty"`
	Store        string `json:"store,omitempty"`
	Resource     string `json:"resource,omitempty"`
	Purpose      string `json:"purpose,omitempty"`
	Period
}

// The duties of a Shift.
const (
	DutyShift  = "shift"
	DutyOnCall = "on-call"
	DutyAbsent = "absent" // leave, illness, holiday
)

// Shift says when somebody works, is on call, or is away.
type Shift struct {
	ID string `json:"id,omitempty"`
	Who
	Duty string `json:"duty"`
	Period
}

// The types of a Change.
const (
	ChangeChange      = "change"
	ChangeIncident    = "incident"
	ChangeDeploy      = "deploy"
	ChangeMaintenance = "maintenance"
	ChangeBreakGlass  = "break-glass"
	ChangeEvent       = "event" // of a calendar: a campaign, a month-end
)

// Change is an approved departure from the usual: who may do what besides the daily
// work, or what makes everything unusual for a while. Of the store, resource and
// people that are named all must fit.
type Change struct {
	// ID is the ticket's, as events name it; it may be empty for what has none.
	ID   string `json:"id,omitempty"`
	Type string `json:"type"`
	Who
	Store    string `json:"store,omitempty"`
	Resource string `json:"resource,omitempty"`
	Period
}

// Consent is what a customer allowed for one purpose; an empty purpose stands for
// all. Erased says when the record should be gone. A legal hold outweighs a
// withdrawal and an erasure.
type Consent struct {
	Subject   string    `json:"subject"`
	Tenant    string    `json:"tenant,omitempty"`
	Purpose   string    `json:"purpose,omitempty"`
	Given     time.Time `json:"given,omitzero"`
	Withdrawn time.Time `json:"withdrawn,omitzero"`
	Erased    time.Time `json:"erased,omitzero"`
	LegalHold bool      `json:"legal_hold,omitempty"`
}

// Contract is what a vendor, or a bot, may do. An empty list allows all; a zero
// number sets no bound.
type Contract struct {
	ID string `json:"id,omitempty"`
	Who
	Stores    []string `json:"stores,omitempty"`
	Resources []string `json:"resources,omitempty"`
	Fields    []string `json:"fields,omitempty"`
	Actions   []Action `json:"actions,omitempty"`
	// PerDay bounds the customers and RowsPerDay the rows of a day (UTC).
	PerDay     int64 `json:"per_day,omitempty"`
	RowsPerDay int64 `json:"rows_per_day,omitempty"`
	// Hours are those of the day (UTC, 0 to 23) in which it may read.
	Hours []int `json:"hours,omitempty"`
	// Networks it comes from (as events name them, or a prefix such as 10.0.0.0/8),
	// Regions and Destinations that it may send to: countries or regions, and networks
	// or kinds of its sub-processors.
	Networks     []string `json:"networks,omitempty"`
	Regions      []string `json:"regions,omitempty"`
	Destinations []string `json:"destinations,omitempty"`
	// One conversation, one customer: true says that the customer must be named.
	PerCustomer bool `json:"per_customer,omitempty"`
	Period
}

// Customer is what is known of a customer besides the conversations.
type Customer struct {
	Subject string `json:"subject"`
	Tenant  string `json:"tenant,omitempty"`
	// Household links customers who may be read together: families, resellers.
	Household string `json:"household,omitempty"`
	VIP       bool   `json:"vip,omitempty"`
	// Region is where the customer's data may be read: a country or a region of the
	// Contract's kind. Regions lists the readers' countries that are allowed.
	Region  string   `json:"region,omitempty"`
	Regions []string `json:"regions,omitempty"`
	Attributes
}

// Purpose declares what somebody reads for, and how much a day at most.
type Purpose struct {
	ID string `json:"id,omitempty"`
	Who
	Purpose string `json:"purpose"`
	// PerDay bounds the customers of a day (UTC) that it covers; zero for no bound.
	PerDay int64 `json:"per_day,omitempty"`
	Period
}

// Honey is a customer who does not exist: nobody has a reason to read the record.
type Honey struct {
	Subject string `json:"subject"`
	Tenant  string `json:"tenant,omitempty"`
	// Variant names whom it was planted for: a vendor, a store.
	Variant string `json:"variant,omitempty"`
	Period
}

// Key names a record among those of its feed and kind: its own id, else what it is
// about.
func (p *Person) Key() string { return join(p.Tenant, p.Actor) }

// Key is the customer and what was agreed to.
func (c *Consent) Key() string { return join(c.Tenant, c.Subject, c.Purpose) }

// Key is the customer.
func (c *Customer) Key() string { return join(c.Tenant, c.Subject) }

// Key is the planted customer.
func (h *Honey) Key() string { return join(h.Tenant, h.Subject) }

func (w Who) key() string { return join(w.Tenant, w.Actor, string(w.Kind), w.Role, w.Team) }

func (p Period) key() string { return join(stamp(p.From), stamp(p.To)) }

// Key is its id, else whose it is and what work.
func (a *Assignment) Key() string {
	if a.ID != "" {
		return a.ID
	}
	return join(a.Who.key(), a.Conversation, a.Ticket, a.Subject, a.Store, a.Resource, a.Purpose, a.Period.key())
}

// Key is its id, else who is on duty, and when.
func (s *Shift) Key() string {
	if s.ID != "" {
		return s.ID
	}
	return join(s.Who.key(), s.Duty, s.Period.key())
}

// Key is its id for each whom it is for, else what is changed, by whom and when.
func (c *Change) Key() string {
	if c.ID != "" {
		return join(c.ID, c.Who.key())
	}
	return join(c.Type, c.Who.key(), c.Store, c.Resource, c.Period.key())
}

// Key is its id, else whose it is.
func (c *Contract) Key() string {
	if c.ID != "" {
		return c.ID
	}
	return c.Who.key()
}

// Key is its id, else who declared it, and what for.
func (p *Purpose) Key() string {
	if p.ID != "" {
		return p.ID
	}
	return join(p.Who.key(), p.Purpose)
}

func join(parts ...string) string { return strings.Join(parts, "\x1f") }

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Check says what is wrong with a person's record, nil when nothing is.
func (p *Person) Check() error {
	switch {
	case p.Actor == "":
		return errors.New("actor is missing")
	case !p.Kind.Valid():
		return fmt.Errorf("actor_kind %q is not human, service, bot, vendor, admin or anonymous", p.Kind)
	case !p.Started.IsZero() && !p.Leaves.IsZero() && p.Leaves.Before(p.Started):
		return fmt.Errorf("leaves (%s) is before started (%s)", p.Leaves.Format(time.DateOnly), p.Started.Format(time.DateOnly))
	}
	return nil
}

// Check says what is wrong with an assignment.
func (a *Assignment) Check() error {
	if a.Nobody() {
		return errors.New("it names nobody: give actor, role, team or actor_kind")
	}
	if a.Conversation == "" && a.Ticket == "" && a.Subject == "" && a.Store == "" && a.Resource == "" && a.Purpose == "" {
		return errors.New("it names no work: give conversation, ticket, subject, store, resource or purpose")
	}
	return a.Period.Check()
}

// Check says what is wrong with a shift.
func (s *Shift) Check() error {
	if s.Nobody() {
		return errors.New("it names nobody: give actor, role, team or actor_kind")
	}
	switch s.Duty {
	case DutyShift, DutyOnCall, DutyAbsent:
		return s.Period.Check()
	}
	return fmt.Errorf("duty %q is not %s, %s or %s", s.Duty, DutyShift, DutyOnCall, DutyAbsent)
}

// Check says what is wrong with a change.
func (c *Change) Check() error {
	switch c.Type {
	case ChangeChange, ChangeIncident, ChangeDeploy, ChangeMaintenance, ChangeBreakGlass, ChangeEvent:
		return c.Period.Check()
	}
	return fmt.Errorf("type %q is not change, incident, deploy, maintenance, break-glass or event", c.Type)
}

// Check says what is wrong with a consent.
func (c *Consent) Check() error {
	if c.Subject == "" {
		return errors.New("subject is missing")
	}
	return nil
}

// Check says what is wrong with a contract.
func (c *Contract) Check() error {
	if c.Nobody() {
		return errors.New("it names nobody: give actor, role, team or actor_kind")
	}
	for _, h := range c.Hours {
		if h < 0 || h > 23 {
			return fmt.Errorf("hour %d is not 0 to 23", h)
		}
	}
	for _, a := range c.Actions {
		if !a.Valid() {
			return fmt.Errorf("action %q is not one of %v", a, Actions())
		}
	}
	if c.PerDay < 0 || c.RowsPerDay < 0 {
		return errors.New("a bound is negative")
	}
	return c.Period.Check()
}

// Check says what is wrong with a customer's record.
func (c *Customer) Check() error {
	if c.Subject == "" {
		return errors.New("subject is missing")
	}
	return nil
}

// Check says what is wrong with a declared purpose.
func (p *Purpose) Check() error {
	switch {
	case p.Nobody():
		return errors.New("it names nobody: give actor, role, team or actor_kind")
	case p.Purpose == "":
		return errors.New("purpose is missing")
	case p.PerDay < 0:
		return errors.New("per_day is negative")
	}
	return p.Period.Check()
}

// Check says what is wrong with a honey record.
func (h *Honey) Check() error {
	if h.Subject == "" {
		return errors.New("subject is missing")
	}
	return h.Period.Check()
}
