package api

import (
	"context"
	"time"

	"vigil"
)

// Touch says how sure it is that a customer's data was seen.
type Touch string

// The touches.
const (
	// TouchConfirmed is of a customer whom an access names that succeeded and shows data.
	TouchConfirmed Touch = "confirmed"
	// TouchPossible is of one whom accesses name of which that can't be said: they were
	// refused or failed, the source does not tell how they ended, or they show no data; and
	// of one whom a finding names and no access that is kept.
	TouchPossible Touch = "possible"
)

// Touched is a customer whom a case's accesses name, by pseudonym.
type Touched struct {
	Subject string `json:"subject"`
	Touch   Touch  `json:"touch"`
	// Classes are the classes of data, sorted; "" where the source tells none.
	Classes []string `json:"classes"`
	// Shown counts the accesses that surely showed their data, Unsure the others.
	Shown  int64 `json:"accesses_shown"`
	Unsure int64 `json:"accesses_unsure"`
	// First and Last bound the accesses.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Name is who it is, empty unless a reveal is in force for who asks.
	Name string `json:"name,omitempty"`
}

// ClassTouched counts the customers listed of one class of data. A customer may be in several.
type ClassTouched struct {
	Class     string `json:"class"`
	Confirmed int    `json:"confirmed"`
	Possible  int    `json:"possible"`
}

// TouchSum says whose data a case's accesses touched, in numbers.
type TouchSum struct {
	// Events were looked through, from which the rest follows.
	Events int64 `json:"accesses"`
	// Confirmed and Possible count the customers that are listed, each in one of the two.
	Confirmed int            `json:"confirmed"`
	Possible  int            `json:"possible"`
	Classes   []ClassTouched `json:"classes"`
	// Beyond estimates, within some per cent, how many more are named than can be listed:
	// those listed are then the first in the order of pseudonyms.
	Beyond int64 `json:"beyond,omitempty"`
	// Unnamed is how many more customers accesses counted without naming them: so many at
	// most, as one may be counted several times. Untold counts the accesses that show data
	// and tell neither whose nor of how many.
	Unnamed int64 `json:"unnamed_at_most"`
	Untold  int64 `json:"accesses_untold"`
	// Damaged counts parts of the store that could not be read: what they hold is missing.
	Damaged int `json:"damaged,omitempty"`
	// AsOf is when it was counted.
	AsOf time.Time `json:"as_of"`
}

// TouchFilter narrows a list of customers. The zero filter lists all.
type TouchFilter struct {
	Touch Touch
	// Class is a class of data; nil lists all, and one that is empty those without.
	Class *string
	// After is the pseudonym behind which the list goes on, Limit its length; zero means 100.
	After string
	Limit int
}

// TouchPage is a part of the customers of a case, in the order of their pseudonyms.
type TouchPage struct {
	Case vigil.Case
	Sum  TouchSum
	List []Touched
	// Total is how many the filter lets through, Next where the list goes on, empty at its end.
	Total int
	Next  string
}

// SubjectLister tells whose data a case's accesses touched. Every call is recorded before it
// is answered. The errors wrap ErrNotFound, ErrOwnCase, and ErrUnrecorded.
type SubjectLister interface {
	CaseSubjects(ctx context.Context, id string, f TouchFilter) (TouchPage, error)
	// ExportSubjects hands the whole list over, with the names of those who are revealed to
	// who asks. form is what it is written as, for the record.
	ExportSubjects(ctx context.Context, id, form string) (vigil.Case, TouchSum, []Touched, error)
}

// ReadersAsk asks who has read a customer.
type ReadersAsk struct {
	// Customer is their id as the store has it, or their pseudonym.
	Customer string
	// Tenant is whose customer it is, by the name in the sources' configuration; empty looks
	// in all.
	Tenant string
	// Purpose says why one asks. It is kept in the audit log. Required.
	Purpose string
}

// Reading is what one actor read of a customer.
type Reading struct {
	Actor  string          `json:"actor"`
	Kind   vigil.ActorKind `json:"actor_kind,omitempty"`
	Role   string          `json:"role,omitempty"`
	Team   string          `json:"team,omitempty"`
	Tenant string          `json:"tenant,omitempty"`
	// Shown counts the accesses that may have shown the customer's data, Refused those
	// that failed or were refused, Other those that show none, such as a change.
	Shown   int64     `json:"accesses_shown"`
	Refused int64     `json:"accesses_refused"`
	Other   int64     `json:"accesses_other"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	// Stores are where from, at most eight.
	Stores []string `json:"stores"`
	// Tickets counts the accesses that came with a ticket, Purposes are the purposes that
	// the source told, at most eight, and Bare counts the accesses that may have shown data
	// and came with neither.
	Tickets  int64    `json:"accesses_with_ticket"`
	Purposes []string `json:"purposes"`
	Bare     int64    `json:"accesses_without_reason"`
	// Cases are those about the actor in whose time it read, at most eight.
	Cases []string `json:"cases"`
}

// ReadersPage is who has read a customer, who read last first.
type ReadersPage struct {
	// Subjects are the customer's pseudonyms: one in each tenant that was asked for.
	Subjects []string `json:"subjects"`
	// Since is from when on events are kept, zero for none.
	Since time.Time `json:"since,omitzero"`
	// Readers are at most MaxReaders; More are not among them.
	Readers []Reading `json:"readers"`
	More    int       `json:"more,omitempty"`
	// Accesses counts all of them, of all readers.
	Accesses int64 `json:"accesses"`
	Damaged  int   `json:"damaged,omitempty"`
}

// MaxReaders bounds the readers that are listed.
const MaxReaders = 10_000

// ReaderFinder tells who has read a customer. Every call is recorded before it is answered.
type ReaderFinder interface {
	// AskReaders takes the question down, with its purpose, and returns the pseudonyms by
	// which to look up who read. The error wraps ErrRefused where something is missing.
	AskReaders(ctx context.Context, ask ReadersAsk) (subjects []string, err error)
	// Readers looks up who read. The error wraps ErrUnasked where who asks has told no
	// purpose for these within the last hours.
	Readers(ctx context.Context, subjects []string) (ReadersPage, error)
	// ExportReaders is Readers for a file of some form, which is recorded as one.
	ExportReaders(ctx context.Context, subjects []string, form string) (ReadersPage, error)
}
