// Package audit writes the regular audit report: who had access to customers'
// conversations and used it, what was outside of what was agreed, what was found and how
// it ended, and who watched the watcher. A privacy officer shows it to a regulator.
//
// The same Report gives the same bytes, as one page of HTML that needs nothing else, and
// as a PDF on A4: no clock is read. internal/app gathers what stands in it, signs it and
// keeps it. All functions are pure and safe for concurrent use. People stand in it by
// pseudonyms, and nobody's amount of work does: it is no means to measure staff. What
// comes from outside is shown as text, cut, with what does not show escaped; lists are
// bounded (see MaxRows), and what is left out is counted.
package audit

import (
	"time"

	"vigil"
)

// MaxRows bounds each table of a report, save that of accounts: MaxAccounts.
const (
	MaxRows     = 200
	MaxAccounts = 1_000
)

// Few is the least number of people whose sum may be shown: what fewer did would tell
// of each of them.
const Few = 5

// Report is what is written. Lists are in the order in which they are shown.
type Report struct {
	// ID names the report, such as "2026-10-r1"; Revision counts those of one period.
	ID       string
	Revision int
	// From and To bound the time that it is about, Made is when it was made.
	From, To, Made time.Time
	// Key is the public key with which the report is signed, as it is printed.
	Key string

	Access   Access
	Dormant  Dormant
	Vendors  Vendors
	Consent  Consent
	Coverage Coverage
	Findings Findings
	Watcher  Watcher
	// Notes are what a reader must know besides: what was damaged, or not to be had.
	Notes []string
}

// Sample says how much of what is kept was looked at for figures that need each event.
type Sample struct {
	Looked, Held int64
}

// Partial says that not everything was looked at.
func (s Sample) Partial() bool { return s.Looked < s.Held }

// Access is who has access and used it. An access is an event that shows data and was
// not refused.
type Access struct {
	// Directory says that a feed tells who has access. Known are the accounts that it
	// names for the period, Used all that used access, UsedKnown those of them that the
	// directory names.
	Directory              bool
	Known, Used, UsedKnown int
	// Accesses are all, Unnamed those that named no customer, Customers the distinct
	// customers that were named, counted to within some 1 %.
	Accesses, Unnamed, Customers int64
	Groups                       []Group
	// Accounts are those that the directory names, with whether they used access, and
	// those who used it unknown to the directory; More are left out.
	Accounts []Account
	More     int
	Sample   Sample
}

// Group is the accounts of one role and team.
type Group struct {
	Name string
	// Machine says that no people are in it, so that small numbers tell of nobody.
	Machine bool
	// With have access by the directory, Used used it.
	With, Used int
	// Withheld says that too few used it for the sums to be shown.
	Withheld            bool
	Accesses, Customers int64
	Stores              []StoreUse
}

// StoreUse is what a group did on one store.
type StoreUse struct {
	Store               string
	Used                int
	Withheld            bool
	Accesses, Customers int64
}

// Account is one account by its pseudonym.
type Account struct {
	Actor, Role, Team string
	Kind              vigil.ActorKind
	// Known says that the directory names it, Used that it used access in the period,
	// Left when its person left before the period's end, zero otherwise.
	Known, Used bool
	Left        time.Time
}

// Dormant is accounts that nobody uses, and accounts that should be used no more.
type Dormant struct {
	// Since is from when on an account without access is dormant; Watched is since when
	// accesses are kept, which may be later.
	Since, Watched time.Time
	Directory      bool
	// Active had some access since.
	Active   int
	Accounts []DormantAccount
	More     int
	Leavers  []Leaver
	// Looked says how far back accounts were looked for.
	Looked time.Time
}

// DormantAccount is one without access.
type DormantAccount struct {
	Actor, Role, Team string
	// Last is its last access that is kept, zero for none.
	Last  time.Time
	Known bool
}

// Leaver is an account that was used after its person had left.
type Leaver struct {
	Actor, Role, Team string
	Left, First, Last time.Time
}

// Vendors is what vendors and machines took, against what was agreed.
type Vendors struct {
	// Told says that a feed tells of contracts; Contracts are those in force in the period.
	Told      bool
	Contracts int
	Rows      []Vendor
	More      int
	// Without are the vendors' accounts for which no contract is known.
	Without []string
	Sample  Sample
}

// Vendor is one account of a vendor or a machine, and its contract.
type Vendor struct {
	Account, Contract, Agreed         string
	Accesses, Rows, Customers, MaxDay int64
	// Outside says what was outside the contract, and how often.
	Outside []Outside
}

// Outside is one way of being outside a contract. Accesses is how many were, Days on
// how many days; one of them may be zero.
type Outside struct {
	What           string
	Accesses, Days int64
}

// Consent is reads after consent had ended.
type Consent struct {
	// Told says that a feed tells of consent. Reads and Customers are of all Findings.
	Told             bool
	Reads, Customers int64
	Findings         []Finding
	More             int
}

// Finding is one finding in a line.
type Finding struct {
	ID       string
	Severity vigil.Severity
	Scenario string
	Who      string
	Detected time.Time
	Sentence string
	Verdict  vigil.Word
}
