package reasons

import "vigil"

// about says what is known of the customers whom an access was about.
func (b *Book) about(a *asker, e *vigil.Event, t int64, c *Checked) {
	own := e.Principal != "" && len(e.Subjects) > 0
	for _, s := range e.Subjects {
		own = own && (s == e.Principal || b.SameHousehold(s, e.Principal))
		b.subject(a, e, t, s, c)
	}
	if len(e.Subjects) == 0 && e.Principal != "" {
		b.subject(a, e, t, e.Principal, c)
	}
	if own {
		c.Found |= Own
	}
}

// Concerning says what speaks against an access because of one of its customers.
func (b *Book) Concerning(e *vigil.Event, subject string) Breach {
	if !b.any {
		return 0
	}
	var c Checked
	a := b.ask(e)
	b.subject(&a, e, e.Time.UnixNano(), subject, &c)
	return c.Against
}

// ask is the event's actor as the directory knows it.
func (b *Book) ask(e *vigil.Event) asker {
	a := asker{actor: e.Actor}
	if a.person = b.person(e.Actor.ID, e.Actor.Tenant); a.person != nil {
		placed(&a.actor, a.person)
	}
	return a
}

// subject says what is known of one customer.
func (b *Book) subject(a *asker, e *vigil.Event, t int64, subject string, c *Checked) {
	m := b.mark(ofSubject, subject)
	shown := e.Action.Discloses() && e.Outcome != vigil.OutcomeDenied && e.Outcome != vigil.OutcomeError
	if l := b.honey.index[m.hash]; l != nil {
		for _, en := range l.entries {
			if r := &en.rec; r.Subject == subject && b.theirs(r.Tenant, e) && en.from <= t && (en.to == never || en.to > t) {
				c.Against |= HoneyTouched
			}
		}
	}
	if !shown {
		return
	}
	if l := b.consents.index[m.hash]; l != nil {
		against, ended := b.consent(l, e, t, subject)
		c.Against |= against
		c.Ended = earlier(c.Ended, ended)
	}
	known := b.customer(subject, e)
	if known != nil {
		if known.VIP {
			c.Against |= VIP
		}
		if known.foreign(e.Country) || e.Destination != nil && known.foreign(e.Destination.Region) {
			c.Against |= ForeignRegion
		}
		if e.ResourceTenant == "" && !agree(known.Tenant, a.actor.Tenant) {
			c.Against |= ForeignTenant
		}
	}
	b.relation(a, m, subject, known, c)
}

// theirs says that a customer's tenant is not known to be another than the access's.
func (b *Book) theirs(tenant string, e *vigil.Event) bool { return agree(tenant, e.ResourceTenant) }

// consent asks all that a customer allowed and took back. A hold outweighs all of it,
// and a consent that was given again the withdrawal before.
func (b *Book) consent(l *timeline[vigil.Consent], e *vigil.Event, t int64, subject string) (against Breach, ended int64) {
	for _, en := range l.entries {
		r := &en.rec
		if r.Subject != subject || !b.theirs(r.Tenant, e) {
			continue
		}
		if r.LegalHold {
			return 0, 0
		}
		if !r.Erased.IsZero() && r.Erased.UnixNano() <= t {
			against |= Erased
			ended = earlier(ended, r.Erased.UnixNano())
		}
		if r.Purpose != "" && r.Purpose != e.Purpose || r.Withdrawn.IsZero() || r.Withdrawn.UnixNano() > t {
			continue
		}
		again := r.Given.After(r.Withdrawn) && r.Given.UnixNano() <= t
		if !again {
			against |= Withdrawn
			ended = earlier(ended, r.Withdrawn.UnixNano())
		}
	}
	return against, ended
}

// earlier is the earlier of two times, of which zero is none.
func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// customer finds what is known of a customer, nil where nothing is. Of several feeds
// the first by name counts.
func (b *Book) customer(subject string, e *vigil.Event) *customer {
	if len(b.customers.records) == 0 || subject == "" {
		return nil
	}
	l := b.customers.index[b.mark(ofSubject, subject).hash]
	if l == nil {
		return nil
	}
	var found *entry[customer]
	for _, en := range l.entries {
		if en.rec.Subject == subject && (e == nil || b.theirs(en.rec.Tenant, e)) && (found == nil || en.id.compare(found.id) < 0) {
			found = en
		}
	}
	if found == nil {
		return nil
	}
	return &found.rec
}

func (b *Book) household(subject string) string {
	if b.customers.kept[ofHousehold] == 0 {
		return ""
	}
	if c := b.customer(subject, nil); c != nil {
		return c.Household
	}
	return ""
}

// SameHousehold reports whether two customers are one, or known to belong together: a
// family, a reseller's clients.
func (b *Book) SameHousehold(one, other string) bool {
	if one == other {
		return true
	}
	h := b.household(one)
	return h != "" && h == b.household(other)
}

// related is how many attributes two people must share: of common surnames there are
// many, and of people in one house.
const related = 2

// relation says how reader and customer stand to each other. The customer is known by
// the feed of customers, or as a member of staff.
func (b *Book) relation(a *asker, m mark, subject string, known *customer, c *Checked) {
	if l := b.people.index[m.hash]; l != nil {
		for _, en := range l.entries {
			r := &en.rec
			switch {
			case r.Subject != subject:
			case r.Actor == a.actor.ID && agree(r.Tenant, a.actor.Tenant):
				c.Against |= Self
			default:
				c.Against |= Colleague
				if a.person != nil && a.person.Shared(r.Attributes) >= related {
					c.Against |= Related
				}
			}
		}
	}
	if a.person == nil || known == nil || c.Against&Self != 0 && a.person.Subject == subject {
		return
	}
	if a.person.Shared(known.Attributes) >= related ||
		a.person.Subject != "" && a.person.Subject != subject && b.SameHousehold(a.person.Subject, subject) {
		c.Against |= Related
	}
}
