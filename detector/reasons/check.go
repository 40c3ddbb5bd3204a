package reasons

import (
	"time"

	"vigil"
)

// slack is by how much an access may come before its reason begins, or after it has
// ended: people open a customer's record and then take the ticket, and write the last
// line after closing it.
const slack = int64(15 * time.Minute)

// fewSubjects is how many customers one ticket or conversation may be about. What
// shows more is a list, which no single ticket is a reason for.
const fewSubjects = 3

// IsList reports whether an access shows so many customers that it is a list: none of
// them was looked up.
func IsList(e *vigil.Event) bool { return max(int64(len(e.Subjects)), e.SubjectCount) > fewSubjects }

// asker is whose access is checked, with what the directory says of it.
type asker struct {
	actor  vigil.Actor
	person *vigil.Person
	// who are the marks by which facts may name the actor: its id, team, role and kind.
	who [4]mark
}

// Identify fills in kind, role and team of the event's actor where a directory tells
// them: it knows better than the source. It reports whether it did. Where there is no
// directory it notes whose roles are given assignments, so it must be called for each
// event in turn.
func (b *Book) Identify(e *vigil.Event) bool {
	p := b.person(e.Actor.ID, e.Actor.Tenant)
	if p == nil {
		b.noteAssignee(&e.Actor)
		return false
	}
	placed(&e.Actor, p)
	return true
}

// maxRoles bounds the roles that are told to be given assignments.
const maxRoles = 1024

// noteAssignee notes the role of an actor whom assignments name: its colleagues' reads
// are looked up as well, and nobody else's, for a portal's customers have no tickets to
// answer.
func (b *Book) noteAssignee(a *vigil.Actor) {
	if a.Role == "" || !b.assignments.told || len(b.people.records) > 0 || len(b.assignees) >= maxRoles {
		return
	}
	if _, known := b.assignees[a.Role]; !known && b.assignments.named[b.mark(ofActor, a.ID).hash] > 0 {
		b.assignees[a.Role] = struct{}{}
	}
}

func placed(a *vigil.Actor, p *vigil.Person) {
	if p.Kind != "" {
		a.Kind = p.Kind
	}
	if p.Role != "" {
		a.Role = p.Role
	}
	if p.Team != "" {
		a.Team = p.Team
	}
}

// person finds an actor in the directory, nil where it is not. Of several directories
// the first by name counts.
func (b *Book) person(actor, tenant string) *vigil.Person {
	if len(b.people.records) == 0 || actor == "" {
		return nil
	}
	l := b.people.index[b.mark(ofActor, actor).hash]
	if l == nil {
		return nil
	}
	var found *entry[vigil.Person]
	for _, e := range l.entries {
		if e.rec.Actor == actor && agree(e.rec.Tenant, tenant) && (found == nil || e.id.compare(found.id) < 0) {
			found = e
		}
	}
	if found == nil {
		return nil
	}
	return &found.rec
}

// agree says that two tenants are not known to differ.
func agree(a, b string) bool { return a == "" || b == "" || a == b }

// told says that what a fact names is not contradicted by what the access tells.
func told(fact, access string) bool { return fact == "" || access == "" || fact == access }

// fits says that a fact's Who names the asker.
func (a *asker) fits(w *vigil.Who) bool {
	return !w.Nobody() && (w.Actor == "" || w.Actor == a.actor.ID) && (w.Kind == "" || w.Kind == a.actor.Kind) &&
		(w.Role == "" || w.Role == a.actor.Role) && (w.Team == "" || w.Team == a.actor.Team) && agree(w.Tenant, a.actor.Tenant)
}

// machine says that the asker is no person.
func (a *asker) machine() bool {
	switch a.actor.Kind {
	case vigil.KindBot, vigil.KindService, vigil.KindVendor, vigil.KindAnonymous:
		return true
	}
	return false
}

// Check says what is known for and against an access. It changes nothing and may be
// called from several goroutines while nothing is applied. The actor is taken as the
// directory knows it.
func (b *Book) Check(e *vigil.Event) (c Checked) {
	if e.Ticket != "" || e.Purpose != "" {
		c.Found = Named
	}
	if e.ResourceTenant != "" && e.Actor.Tenant != "" && e.ResourceTenant != e.Actor.Tenant {
		c.Against = ForeignTenant
	}
	if !b.any {
		return c
	}
	t := e.Time.UnixNano()
	a := asker{actor: e.Actor}
	if a.person = b.person(e.Actor.ID, e.Actor.Tenant); a.person != nil {
		placed(&a.actor, a.person)
		b.employed(a.person, e.Time, &c)
	}
	a.who = [4]mark{
		b.mark(ofActor, a.actor.ID), b.mark(ofTeam, a.actor.Team), b.mark(ofRole, a.actor.Role), b.mark(ofKind, string(a.actor.Kind)),
	}
	if b.shifts.told {
		b.onDuty(&a, t, &c)
	}
	if b.assignments.told {
		b.answers(&a, e, t, &c)
	}
	if b.changes.told {
		b.approved(&a, e, t, &c)
	}
	if b.purposes.told {
		b.declared(&a, e, t, &c)
	}
	if b.contracts.told {
		b.contracted(&a, e, t, &c)
	}
	b.about(&a, e, t, &c)
	b.contradict(e, &c)
	return c
}

// contradict takes back what the access says for itself where feeds know better.
func (b *Book) contradict(e *vigil.Event, c *Checked) {
	if c.Found.Justifies() {
		c.Against &^= ForeignTenant // somebody sent the actor there
	}
	if c.Found&Named == 0 {
		return
	}
	ticket := e.Ticket != "" && !(c.Looked&Assigned != 0 && b.assignments.kept[ofTicket] > 0 && c.Found&(Assigned|Approved) == 0)
	purpose := e.Purpose != "" && c.Against&NotDeclared == 0
	if !ticket && !purpose {
		c.Found &^= Named
	}
}

// employed says what the directory knows of a person's coming and going.
func (b *Book) employed(p *vigil.Person, t time.Time, c *Checked) {
	switch {
	case !p.Leaves.IsZero() && !t.Before(p.Leaves):
		c.Against |= Left
	case !p.Notice.IsZero() && !t.Before(p.Notice):
		c.Against |= Leaving
	}
}

// onDuty looks the actor up in the rota.
func (b *Book) onDuty(a *asker, t int64, c *Checked) {
	if b.shifts.namesAny(a, dutySalt(vigil.DutyShift)) {
		c.Looked |= OnShift
	}
	if b.shifts.namesAny(a, dutySalt(vigil.DutyOnCall)) {
		c.Looked |= OnCall
	}
	for _, m := range a.who {
		if b.shifts.kept[m.of] == 0 {
			continue
		}
		l := b.shifts.index[m.hash]
		if l == nil {
			continue
		}
		for en, i := l.holding(l.last(t), t, 0); en != nil; en, i = l.holding(i-1, t, 0) {
			if !a.fits(&en.rec.Who) {
				continue
			}
			switch en.rec.Duty {
			case vigil.DutyShift:
				c.Found |= OnShift
			case vigil.DutyOnCall:
				c.Found |= OnCall
			default:
				c.Against |= Absent
			}
		}
	}
	if c.Found&(OnShift|OnCall) != 0 {
		c.Against &^= Absent // who stands in for somebody is there
	}
}

// answers looks for an assignment: for whom assignments name, and for other people
// whom the directory knows or, where there is none, whose role is given assignments. A
// portal's customers have no tickets to answer.
func (b *Book) answers(a *asker, e *vigil.Event, t int64, c *Checked) {
	stranger := len(b.people.records) > 0 && a.person == nil
	if len(b.people.records) == 0 && len(b.assignees) > 0 && a.actor.Role != "" {
		_, given := b.assignees[a.actor.Role]
		stranger = !given
	}
	if (a.machine() || stranger) && !b.assignments.namesAny(a, 0) {
		return
	}
	c.Looked |= Assigned
	many := IsList(e)
	if e.Conversation != "" && !many && b.assigned(a, e, t, b.mark(ofConversation, e.Conversation)) != nil ||
		e.Ticket != "" && !many && b.assigned(a, e, t, b.mark(ofTicket, e.Ticket)) != nil {
		c.Found |= Assigned | Particular
		return
	}
	for _, m := range a.who {
		if r := b.assigned(a, e, t, m); r != nil {
			if c.Found |= Assigned; task(r.Period) {
				c.Found |= Particular
				return
			}
		}
	}
	if b.assignments.kept[ofSubject] == 0 || len(e.Subjects) == 0 && e.Principal == "" || e.SubjectCount > int64(len(e.Subjects)) && len(e.Subjects) > 0 {
		return
	}
	// Each customer must be somebody's whom the actor answers for.
	if len(e.Subjects) == 0 {
		if b.assignedSubject(a, e, t, e.Principal) {
			c.Found |= Assigned | Particular
		}
		return
	}
	for _, s := range e.Subjects {
		if !b.assignedSubject(a, e, t, s) {
			return
		}
	}
	c.Found |= Assigned | Particular
}

// taskDays is how long a task may last: what is assigned for longer, or for good, is a
// job.
const taskDays = 14 * 24 * time.Hour

// task says that what is assigned for a period is a task.
func task(p vigil.Period) bool {
	return !p.From.IsZero() && !p.To.IsZero() && p.To.Sub(p.From) <= taskDays
}

// assigned is the assignment that is found by m and covers the access, nil for none.
func (b *Book) assigned(a *asker, e *vigil.Event, t int64, m mark) *vigil.Assignment {
	if b.assignments.kept[m.of] == 0 {
		return nil
	}
	l := b.assignments.index[m.hash]
	if l == nil {
		return nil
	}
	for en, i := l.holding(l.last(t+slack), t, slack); en != nil; en, i = l.holding(i-1, t, slack) {
		r := &en.rec
		if a.fits(&r.Who) && b.covers(r, e) {
			return r
		}
	}
	return nil
}

// covers says that an assignment's work is what the access was about.
func (b *Book) covers(r *vigil.Assignment, e *vigil.Event) bool {
	if !told(r.Conversation, e.Conversation) || !told(r.Ticket, e.Ticket) || !told(r.Store, e.Store) || !told(r.Resource, e.Resource) ||
		!told(r.Purpose, e.Purpose) {
		return false
	}
	if r.Subject != "" {
		for _, s := range e.Subjects {
			if s != r.Subject && !b.SameHousehold(s, r.Subject) {
				return false
			}
		}
		if len(e.Subjects) > 0 || e.Principal == r.Subject {
			return true
		}
	}
	// What the access does not tell is no contradiction, but something must agree.
	return r.Conversation != "" && r.Conversation == e.Conversation || r.Ticket != "" && r.Ticket == e.Ticket ||
		r.Conversation == "" && r.Ticket == "" && r.Subject == "" &&
			(r.Store != "" && r.Store == e.Store || r.Resource != "" && r.Resource == e.Resource || r.Purpose != "" && r.Purpose == e.Purpose)
}

// assignedSubject says that the actor answers for one customer, or for another of the
// household.
func (b *Book) assignedSubject(a *asker, e *vigil.Event, t int64, subject string) bool {
	if b.assignedTo(a, e, t, subject) {
		return true
	}
	h := b.household(subject)
	if h == "" {
		return false
	}
	l := b.customers.index[b.mark(ofHousehold, h).hash]
	if l == nil {
		return false
	}
	for _, en := range l.entries[:min(len(l.entries), maxHousehold)] {
		if en.rec.Household == h && b.assignedTo(a, e, t, en.rec.Subject) {
			return true
		}
	}
	return false
}

// maxHousehold bounds the members of a household that are looked at.
const maxHousehold = 64

func (b *Book) assignedTo(a *asker, e *vigil.Event, t int64, subject string) bool {
	l := b.assignments.index[b.mark(ofSubject, subject).hash]
	if l == nil {
		return false
	}
	for en, i := l.holding(l.last(t+slack), t, slack); en != nil; en, i = l.holding(i-1, t, slack) {
		r := &en.rec
		if r.Subject == subject && a.fits(&r.Who) && told(r.Conversation, e.Conversation) && told(r.Ticket, e.Ticket) &&
			told(r.Store, e.Store) && told(r.Resource, e.Resource) && told(r.Purpose, e.Purpose) {
			return true
		}
	}
	return false
}

// approved looks for a change: of the ticket that is named, or where none is, of the
// actor. It is looked for where changes name the actor or its role's people, of
// administrators, and where the ticket is a change's.
func (b *Book) approved(a *asker, e *vigil.Event, t int64, c *Checked) {
	if a.actor.Kind == vigil.KindAdmin || b.changes.namesAny(a, 0) {
		c.Looked |= Approved
	} else if _, ok := b.changed[a.who[2].hash]; ok && a.actor.Role != "" {
		c.Looked |= Approved
	}
	if e.Ticket != "" {
		if l := b.changes.index[b.mark(ofTicket, e.Ticket).hash]; l != nil {
			for _, en := range l.entries {
				if r := &en.rec; r.ID == e.Ticket {
					c.Looked |= Approved
					if b.allows(a, e, en, t) {
						c.Found |= Approved
					}
				}
			}
		}
	}
	for _, m := range a.who {
		b.changing(a, e, t, m, c)
	}
	b.changing(a, e, t, b.mark(ofPlace, e.Store), c)
	if e.Store != "" {
		b.changing(a, e, t, b.mark(ofPlace, ""), c)
	}
}

// allows says that a change of a named ticket covers the access.
func (b *Book) allows(a *asker, e *vigil.Event, en *entry[vigil.Change], t int64) bool {
	r := &en.rec
	return r.Type != vigil.ChangeEvent && (r.Nobody() && agree(r.Tenant, a.actor.Tenant) || a.fits(&r.Who)) &&
		told(r.Store, e.Store) && told(r.Resource, e.Resource) &&
		en.from <= t+slack && (en.to == never || en.to > t-slack)
}

// changing folds the changes that are found by m in.
func (b *Book) changing(a *asker, e *vigil.Event, t int64, m mark, c *Checked) {
	if b.changes.kept[m.of] == 0 {
		return
	}
	l := b.changes.index[m.hash]
	if l == nil {
		return
	}
	for en, i := l.holding(l.last(t+slack), t, slack); en != nil; en, i = l.holding(i-1, t, slack) {
		r := &en.rec
		nobody := r.Nobody()
		if nobody && !agree(r.Tenant, a.actor.Tenant) || !nobody && !a.fits(&r.Who) || !told(r.Store, e.Store) || !told(r.Resource, e.Resource) {
			continue
		}
		switch r.Type {
		case vigil.ChangeDeploy, vigil.ChangeMaintenance, vigil.ChangeEvent:
			c.Found |= Awaited
		}
		// What is nobody's is a reason only for who names it, and a campaign for nobody;
		// and who names another ticket did not come for this one.
		if !nobody && r.Type != vigil.ChangeEvent && told(r.ID, e.Ticket) {
			c.Found |= Approved
			c.Looked |= Approved
		}
	}
}

// declared looks for a purpose that the actor declared.
func (b *Book) declared(a *asker, e *vigil.Event, t int64, c *Checked) {
	named, unbounded := false, false
	var perDay int64
	for _, m := range a.who {
		if b.purposes.kept[m.of] == 0 {
			continue
		}
		l := b.purposes.index[m.hash]
		if l == nil {
			continue
		}
		for _, en := range l.entries {
			r := &en.rec
			if !a.fits(&r.Who) {
				continue
			}
			named = true
			if en.from > t || en.to != never && en.to <= t || !told(r.Purpose, e.Purpose) {
				continue
			}
			c.Found |= Declared
			if r.PerDay > 0 && r.Purpose == e.Purpose {
				c.Found |= Metered
			}
			perDay += r.PerDay
			unbounded = unbounded || r.PerDay == 0
		}
	}
	if named || e.Purpose != "" {
		c.Looked |= Declared
	}
	switch {
	case c.Found&Declared == 0 && e.Purpose != "":
		c.Against |= NotDeclared
	case c.Found&Declared != 0 && !unbounded:
		c.Bounds.Declared = perDay
	}
}
