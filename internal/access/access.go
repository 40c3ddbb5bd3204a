// Package access says who may do what: the one table of roles and deeds. It is asked
// wherever somebody acts, by the desk of the service above all, and knows nobody: whose
// roles they are is the caller's business. It holds no state.
package access

import "slices"

// Role is what somebody is in vigil. One may have several.
type Role string

// The roles.
const (
	// RoleViewer sees the state of vigil and its cases.
	RoleViewer Role = "viewer"
	// RoleResponder works on cases: takes them, asks, judges, starts the clock.
	RoleResponder Role = "responder"
	// RoleAnalyst also says what is expected, and tunes.
	RoleAnalyst Role = "analyst"
	// RolePrivacy answers for customers' data: sees who read whose, and starts the clock.
	RolePrivacy Role = "privacy_officer"
	// RoleAdmin runs vigil and works on cases; what shows whose data was read, and the
	// clock of the law, are not theirs.
	RoleAdmin Role = "admin"
)

// Roles lists the closed set in a fixed order.
func Roles() []Role {
	return []Role{RoleViewer, RoleResponder, RoleAnalyst, RolePrivacy, RoleAdmin}
}

// Known reports whether r is one of the roles.
func (r Role) Known() bool { return slices.Contains(Roles(), r) }

// Deed is something that somebody may do.
type Deed string

// The deeds.
const (
	DeedLook        Deed = "look" // at a case and its findings
	DeedStatus      Deed = "status"
	DeedTop         Deed = "top"
	DeedReaders     Deed = "readers" // who read a customer's data
	DeedActor       Deed = "actor"   // look at what is known of one actor
	DeedAcknowledge Deed = "acknowledge"
	DeedAssign      Deed = "assign"
	DeedSnooze      Deed = "snooze"
	DeedNote        Deed = "note"
	DeedAsk         Deed = "ask"     // the person whom a case is about
	DeedUnasked     Deed = "unasked" // say that the question did not reach them
	DeedVerdict     Deed = "verdict"
	DeedAware       Deed = "aware"   // start the 72-hour clock
	DeedExpect      Deed = "expect"  // make or end an exception
	DeedSilence     Deed = "silence" // make or end a silence
	DeedSample      Deed = "sample"  // have a piece of a log read, in memory
	DeedDrill       Deed = "drill"   // stage breaches beside what is live
	DeedPeople      Deed = "people"  // give people their accounts and roles
	DeedReport      Deed = "report"  // make or read the audit report
	DeedNotice      Deed = "notice"  // write the notification to the authority
	DeedPack        Deed = "pack"    // take the evidence of a case out of vigil
	DeedAudit       Deed = "audit"   // see who did and saw what
	DeedReveal      Deed = "reveal"  // ask for the name behind a pseudonym
	DeedApprove     Deed = "approve" // that a name is shown to somebody else
	DeedTune        Deed = "tune"    // try settings, propose and confirm them
)

// table says which roles may do a deed. Every deed has a row.
func table() map[Deed][]Role {
	everybody := Roles()
	working := []Role{RoleResponder, RoleAnalyst, RoleAdmin}
	return map[Deed][]Role{
		DeedLook: everybody, DeedStatus: everybody, DeedTop: everybody,
		DeedReaders:     {RoleResponder, RoleAnalyst, RolePrivacy},
		DeedActor:       {RoleResponder, RoleAnalyst, RolePrivacy},
		DeedAcknowledge: working, DeedAssign: working, DeedSnooze: working, DeedAsk: working, DeedUnasked: working, DeedVerdict: working,
		DeedNote:   {RoleResponder, RoleAnalyst, RolePrivacy, RoleAdmin},
		DeedAware:  {RoleResponder, RoleAnalyst, RolePrivacy},
		DeedExpect: {RoleAnalyst}, DeedSilence: {RoleAnalyst, RoleAdmin},
		DeedDrill: {RoleAnalyst, RoleAdmin}, DeedSample: {RoleAnalyst, RoleAdmin},
		DeedPeople: {RoleAdmin},
		DeedReport: {RolePrivacy, RoleAdmin},
		DeedNotice: {RoleResponder, RoleAnalyst, RolePrivacy},
		DeedPack:   {RoleResponder, RoleAnalyst, RolePrivacy},
		DeedAudit:  {RolePrivacy, RoleAdmin},
		DeedReveal: {RoleResponder, RoleAnalyst, RolePrivacy},
		// The officer answers for it; a second responder is there at three in the morning. Who
		// runs vigil could make themselves a second account, and so may not.
		DeedApprove: {RoleResponder, RolePrivacy},
		DeedTune:    {RoleAnalyst, RoleAdmin},
	}
}

// Deeds lists all deeds, sorted.
func Deeds() []Deed {
	var out []Deed
	for d := range table() {
		out = append(out, d)
	}
	slices.Sort(out)
	return out
}

// May reports whether somebody of these roles may do a deed. What the table does not
// know nobody may.
func May(roles []Role, d Deed) bool {
	switch d {
	case DeedPublic:
		return true
	case DeedSelf:
		return len(roles) > 0
	}
	allowed := table()[d]
	return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(allowed, r) })
}
