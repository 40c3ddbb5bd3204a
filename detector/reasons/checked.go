// Package reasons joins accesses with what feeds tell: who answers for what, who works
// when, what customers allowed, what vendors agreed to. With reasons known,
// "unusual" becomes "unjustified".
//
// A Book is the fold of all vigil.Facts records of the log. The engine applies
// records between events and asks the book while none is applied, from several
// goroutines. Its memory is bounded (see Limits). It counts nothing: how much of a
// day's quota is used up is known to who asks (see Bounds).
package reasons

// Reason is a set of reasons for which a read may be legitimate.
type Reason uint16

// The reasons.
const (
	// Named: the access itself names a ticket or a purpose, and no feed contradicts it.
	Named Reason = 1 << iota
	// Assigned: an assignment covers the actor and the conversation, ticket, customer
	// or work.
	Assigned
	// OnShift and OnCall: the actor works then.
	OnShift
	OnCall
	// Approved: a change, an incident or a maintenance window covers the access.
	Approved
	// Declared: the actor's purpose is declared, and its daily quota not used up.
	Declared
	// Contracted: a contract covers the access.
	Contracted
	// Own: the customer's own record, or that of the own household.
	Own
	// Awaited: a deploy, a maintenance window or an event of the calendar makes much
	// unusual at present. It justifies no read, and tempers what is new and how much.
	Awaited
	// Particular: the assignment names this conversation, ticket or customer, or is a
	// task with its days. A standing one covers all that somebody ever does, and says
	// nothing about how much of it is too much.
	Particular
	// Metered: the declared purpose is the one that the access names, and has a quota.
	Metered
)

// work are the reasons for a kind or a piece of work that somebody else has put down,
// counted those that also say how much of it there is.
const (
	work    = Assigned | Approved | Declared | Contracted
	counted = Particular | Approved | Metered
)

// Justifies reports whether any of the reasons in r makes a read legitimate by itself:
// being at work does not.
func (r Reason) Justifies() bool { return r&(work|OnCall|Own) != 0 }

// Counted reports whether any of the reasons in r was put down by somebody else than the
// reader for this piece of work, so that much of it is no oddity.
func (r Reason) Counted() bool { return r&counted != 0 }

// Work reports whether any of the reasons in r is one for work, rather than for a time.
func (r Reason) Work() bool { return r&work != 0 }

// Excuses reports whether there is a reason for this piece of work, if only one that
// the access itself names. A job is none: who may read everything may not therefore
// walk through it, nor look at it and do nothing.
func (r Reason) Excuses() bool { return r&(Named|counted) != 0 }

// Explains reports whether there is any reason to be at a customer's record, a job
// included.
func (r Reason) Explains() bool { return r&(Named|work) != 0 }

// reasonWords are the reasons for a person, in the order of their bits.
var reasonWords = [...]string{"ticket or purpose", "assignment", "shift", "on-call duty", "change or incident", "declared purpose", "contract", "own record", "window"}

// Words lists the reasons for a person.
func (r Reason) Words() (words []string) {
	for i, w := range reasonWords {
		if r>>i&1 != 0 {
			words = append(words, w)
		}
	}
	return words
}

// Breach is a set of facts that speak against an access.
type Breach uint32

// What speaks against an access.
const (
	// Left: after the actor's last day. Leaving: notice is given. Absent: on leave.
	Left Breach = 1 << iota
	Leaving
	Absent
	// Withdrawn, Erased: the customer's consent for the purpose was withdrawn before,
	// or the record should be gone, and no legal hold stands.
	Withdrawn
	Erased
	// ForeignTenant: the resource or customer belongs to another tenant than the actor's.
	ForeignTenant
	// ForeignRegion: read from a country where the customer's data may not go.
	ForeignRegion
	// Related, Colleague: actor and customer share two attributes at least, or the
	// customer is a member of staff. Self: the actor's own record.
	Related
	Colleague
	Self
	// VIP: a customer whom people are curious about.
	VIP
	// HoneyTouched: a record that nobody has a reason to read.
	HoneyTouched
	// The ways to be outside a contract.
	OutsideExpired
	OutsideResource
	OutsideFields
	OutsideAction
	OutsideHours
	OutsideNetwork
	OutsideRegion
	OutsideDestination
	OutsideVolume
	// OutsideCustomer: the contract asks for a customer, and none was named.
	OutsideCustomer
	// NotDeclared: a purpose was named that the actor has not declared, or beyond its quota.
	NotDeclared
)

// OfCustomer is what can speak against an access because of one customer in it and not
// of another.
const OfCustomer = Withdrawn | Erased | ForeignTenant | ForeignRegion | Related | Colleague | Self | VIP | HoneyTouched

// OutsideContract are all the ways to be outside a contract.
const OutsideContract = OutsideExpired | OutsideResource | OutsideFields | OutsideAction | OutsideHours | OutsideNetwork |
	OutsideRegion | OutsideDestination | OutsideVolume | OutsideCustomer

// Checked is what the book says of one access.
type Checked struct {
	// Looked are the reasons that could have been found: their feed has told
	// something. Found are those that were.
	Looked, Found Reason
	// Against is what speaks against the access.
	Against Breach
	// Ended is when the consent that is missing ended, or the record should have been
	// gone: the earliest among the customers, in Unix nanoseconds; zero for none.
	Ended int64
	// Bounds is how much of a day what was found covers.
	Bounds Bounds
}

// Bounds are quotas of a day (UTC); zero sets none. The book does not count: who does
// calls ExceedDeclared and ExceedContract.
type Bounds struct {
	// Declared bounds the customers that a declared purpose covers, Customers and Rows
	// what a contract does.
	Declared, Customers, Rows int64
}

// Any says that there is something to count.
func (b Bounds) Any() bool { return b != Bounds{} }

// ExceedDeclared takes away the declared purpose, whose quota of the day is used up.
// That speaks against an access that named the purpose; one that named none is merely
// not covered by it.
func (c *Checked) ExceedDeclared(named bool) {
	if c.Found&Declared == 0 {
		return
	}
	c.Found &^= Declared | Metered
	if named {
		c.Against |= NotDeclared
	}
}

// ExceedContract takes away the contract, whose quota of the day is used up.
func (c *Checked) ExceedContract() {
	if c.Looked&Contracted == 0 {
		return
	}
	c.Found &^= Contracted
	c.Against |= OutsideVolume
}

// Unjustified reports whether a reason was looked for and none was found that makes a
// read legitimate.
func (c Checked) Unjustified() bool {
	return c.Looked.Work() && !c.Found.Justifies()
}
