// Package reasons joins accesses with what feeds tell: who answers for what, who works
// when, what customers allowed, what vendors agreed to. With reasons known,
// "unusual" becomes "unjustified".
//
// A Book is the fold of all vigil.Facts records of the log. The engine applies
// records between events and asks the book while none is applied, from several
// goroutines. Its memory is bounded.
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
)

// reasonCount is how many there are.
const reasonCount = 8

// Justifies reports whether any of the reasons in r makes a read legitimate by itself:
// being at work does not.
func (r Reason) Justifies() bool { return r&(Assigned|OnCall|Approved|Declared|Contracted|Own) != 0 }

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
}

// Unjustified reports whether a reason was looked for and none was found that makes a
// read legitimate.
func (c Checked) Unjustified() bool {
	return c.Looked&(Assigned|Approved|Declared|Contracted) != 0 && !c.Found.Justifies()
}
