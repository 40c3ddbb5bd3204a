package rules

import (
	"time"

	"vigil"
	"vigil/detector/reasons"
)

// Known is what is known of an access besides the event.
type Known struct {
	reasons.Checked
	// PeopleNetwork says that people worked from the event's network lately.
	PeopleNetwork bool
	// Linked reports whether two customers belong together, such as one household. Nil
	// links nobody.
	Linked func(one, other string) bool
	// Concerning says what speaks against the event because of one of its customers. Nil
	// tells them not apart.
	Concerning func(e *vigil.Event, customer string) reasons.Breach
}

// concerned lists those of an access's customers whom a rule that fired is about; nil
// for all of them.
func (k *Known) concerned(e *vigil.Event, r *Rule) (some []string) {
	if r.against == 0 || k.Concerning == nil || len(e.Subjects) < 2 && e.SubjectCount <= int64(len(e.Subjects)) {
		return nil
	}
	for _, s := range e.Subjects {
		if k.Concerning(e, s)&r.against != 0 {
			some = append(some, s)
		}
	}
	return some
}

// ways names the ways to be outside a contract.
var ways = [...]struct {
	breach reasons.Breach
	word   string
}{
	{reasons.OutsideExpired, "expired"}, {reasons.OutsideResource, "resource"}, {reasons.OutsideFields, "fields"},
	{reasons.OutsideAction, "action"}, {reasons.OutsideHours, "hours"}, {reasons.OutsideNetwork, "network"},
	{reasons.OutsideRegion, "region"}, {reasons.OutsideDestination, "destination"}, {reasons.OutsideVolume, "volume"},
	{reasons.OutsideCustomer, "customer"},
}

var weekdays = [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// fill makes env what expressions see of e. The list Outside is made anew only when
// there is something in it.
func (env *Env) fill(e *vigil.Event, k *Known) {
	t := e.Time.UTC()
	a := &e.Actor
	*env = Env{
		Actor: a.ID, Kind: string(a.Kind), Role: a.Role, Team: a.Team, Tenant: a.Tenant, App: a.App, UserAgent: e.UserAgent,
		Principal: e.Principal, Session: e.Session, Conversation: e.Conversation,
		Source: e.Source, Action: string(e.Action), Discloses: e.Action.Discloses(), Store: e.Store, Resource: e.Resource,
		ResourceClass: e.ResourceClass, ResourceTenant: e.ResourceTenant, Customers: customers(e), Rows: e.Rows, Bytes: e.Bytes, Limit: e.Limit,
		Fields: e.Fields, Unbounded: e.Unbounded, Outcome: string(e.Outcome), Ticket: e.Ticket, Purpose: e.Purpose,
		Network: e.Network, PeopleNetwork: k.PeopleNetwork, Country: e.Country, ASN: e.ASN,
		Hour: int64(t.Hour()), Weekday: weekdays[t.Weekday()], Late: e.Late,
		Justified: k.Found.Justifies(), Unjustified: k.Unjustified(),
		WithdrawnHours: vigil.Unknown, ExceptionDays: vigil.Unknown,
	}
	if len(e.Subjects) > 0 {
		env.Customer = e.Subjects[0]
	}
	if e.Destination != nil {
		env.DestinationKind, env.DestinationNetwork, env.DestinationRegion = e.Destination.Kind, e.Destination.Network, e.Destination.Region
	}
	if k.Ended != 0 {
		env.WithdrawnHours = max(0, (e.Time.UnixNano()-k.Ended)/int64(time.Hour))
	}
	env.ForeignTenant = a.Tenant != "" && e.ResourceTenant != "" && a.Tenant != e.ResourceTenant
	env.found(k.Found)
	env.against(k.Against)
}

// customers is how many an event touched, Unknown when it names none and does not
// count them.
func customers(e *vigil.Event) int64 {
	if e.SubjectCount < 0 && len(e.Subjects) > 0 {
		return int64(len(e.Subjects))
	}
	return e.SubjectCount
}

func (env *Env) found(r reasons.Reason) {
	if r == 0 {
		return
	}
	env.Named, env.Assigned = r&reasons.Named != 0, r&reasons.Assigned != 0
	env.OnShift, env.OnCall = r&reasons.OnShift != 0, r&reasons.OnCall != 0
	env.Approved, env.Declared = r&reasons.Approved != 0, r&reasons.Declared != 0
	env.Contracted, env.Own, env.Awaited = r&reasons.Contracted != 0, r&reasons.Own != 0, r&reasons.Awaited != 0
}

func (env *Env) against(b reasons.Breach) {
	if b == 0 {
		return
	}
	env.Left, env.Leaving, env.Absent = b&reasons.Left != 0, b&reasons.Leaving != 0, b&reasons.Absent != 0
	env.Withdrawn, env.Erased = b&reasons.Withdrawn != 0, b&reasons.Erased != 0
	env.ForeignTenant = env.ForeignTenant || b&reasons.ForeignTenant != 0
	env.ForeignRegion = b&reasons.ForeignRegion != 0
	env.Related, env.Colleague, env.Self = b&reasons.Related != 0, b&reasons.Colleague != 0, b&reasons.Self != 0
	env.VIP, env.Honey, env.Undeclared = b&reasons.VIP != 0, b&reasons.HoneyTouched != 0, b&reasons.NotDeclared != 0
	if env.OutsideContract = b&reasons.OutsideContract != 0; !env.OutsideContract {
		return
	}
	for _, w := range ways {
		if b&w.breach != 0 {
			env.Outside = append(env.Outside, w.word)
		}
	}
}

// Exception is that somebody silenced findings about an actor: it is a rule's
// business when both are one, or when it never ends.
type Exception struct {
	ID string
	// By made it, Actor is whom it protects, both in Tenant.
	By, Actor, Tenant string
	// At is when it was made, Until when it ends, zero for never.
	At, Until time.Time
}

// fillException makes env what expressions see of an exception.
func (env *Env) fillException(x *Exception) {
	t := x.At.UTC()
	*env = Env{
		Actor: x.By, Tenant: x.Tenant, Hour: int64(t.Hour()), Weekday: weekdays[t.Weekday()], Customers: vigil.Unknown, Rows: vigil.Unknown,
		Bytes: vigil.Unknown, Limit: vigil.Unknown, WithdrawnHours: vigil.Unknown,
		Exception: true, ByProtected: x.By != "" && x.By == x.Actor, ExceptionDays: vigil.Unknown,
	}
	if !x.Until.IsZero() {
		env.ExceptionDays = max(0, int64(x.Until.Sub(x.At)/(24*time.Hour)))
	}
}
