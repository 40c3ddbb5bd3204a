package alerts

import (
	"context"
	"errors"
	"time"

	"vigil"
)

// Deed is what somebody does by way of a message: what a button or a command asks.
type Deed string

// The deeds.
const (
	DeedAcknowledge Deed = "acknowledge"
	DeedAssign      Deed = "assign"  // Act.To gets it; empty for who asks
	DeedSnooze      Deed = "snooze"  // for Act.For
	DeedVerdict     Deed = "verdict" // Act.Word, Act.Note
	DeedExpect      Deed = "expect"  // Act.Scope, ForRole, For, Note; Preview asks only
	DeedAsk         Deed = "ask"     // the person whom it is about
	DeedUnasked     Deed = "unasked" // the question did not reach them: Act.Note says why
	DeedAnswer      Deed = "answer"  // Act.Mine, Act.Note, by that person
	DeedAware       Deed = "aware"   // starts the 72-hour clock
	DeedNote        Deed = "note"    // Act.Note
	DeedLook        Deed = "look"    // at the case, as before a dialogue is shown

	DeedStatus  Deed = "status"  // how vigil is
	DeedTop     Deed = "top"     // the gravest cases
	DeedReaders Deed = "readers" // who read Act.Subject
	DeedSilence Deed = "silence" // Act.Match, For, Note; Preview asks only
)

// Person is who acts, as a channel knows them.
type Person struct {
	// Channel is the notifier's name, such as "slack"; ID and Workspace are the
	// channel's, such as "U0123ABC" and "T0123ABC".
	Channel, ID, Workspace string
}

// Act is one deed of one person.
type Act struct {
	// ID is the same when the same press is delivered twice: it is done once. Required
	// for what changes something.
	ID   string
	By   Person
	Deed Deed
	// Case is the case's id, empty for deeds about none.
	Case string

	To      Person
	Word    vigil.Word
	Note    string
	Scope   vigil.Scope
	ForRole bool
	For     time.Duration
	Mine    bool
	Match   vigil.Match
	// Subject is a customer's pseudonym, or the id by which the store knows them.
	Subject string
	Preview bool
	// TakeBack takes the verdict back instead, for DeedVerdict.
	TakeBack bool
	// Seen is the revision of the case that who acts looked at. What somebody else has
	// changed since is not changed again. 0 where it is not known.
	Seen int
}

// Outcome is what came of an act.
type Outcome struct {
	// Text says it to who acted, in one or two sentences. It names no person.
	Text string
	// Case is as it is now, and Finding its lead; nil for deeds about none.
	Case    *vigil.Case
	Finding *vigil.Finding
	// Lines are the answer to a question, the most important first.
	Lines []string
	// Cases are the answer to DeedTop, and CaseLinks lead to each of them as Link does.
	Cases     []vigil.Case
	CaseLinks []string
	// Covered is what an exception or silence would have covered, nil otherwise.
	Covered *Covered
	// Question is whom to ask and what, for DeedAsk; nil otherwise.
	Question *Question
	// Link leads to the console, relative to its address; empty when there is none.
	Link string
}

// Covered is what an exception or a silence would have covered since a time.
type Covered struct {
	Since time.Time
	// Says describes the scope in words: for whom, what, until when.
	Says string
	// Events are the accesses within it, of Of; both zero for a silence.
	Events, Of int
	// Wholly are the findings that would not have been declared or told, Partly those
	// with less evidence: at most MaxCovered each, of WhollyTotal and PartlyTotal.
	Wholly, Partly           []vigil.Finding
	WhollyTotal, PartlyTotal int
	// Breaches counts those among them that were judged breach or misuse.
	Breaches int
}

// MaxCovered bounds the findings that Covered lists.
const MaxCovered = 10

// Question is a message to the person whom a case is about.
type Question struct {
	Case string
	// To is who gets it.
	To Person
	// Text asks; it names stores, times and counts, and no customer.
	Text string
}

// Desk is where deeds are done. Whoever acts is looked up there: their role must allow
// the deed, and nobody acts on a case about themselves but to answer its question. What
// is done is in the audit log before Do returns.
//
// The errors wrap ErrStranger, ErrMayNot, ErrOwnCase, ErrNoCase or ErrNotDone; their
// text is fit to be shown to who acted.
type Desk interface {
	Do(ctx context.Context, a Act) (Outcome, error)
}

// Why a deed is not done.
var (
	// ErrStranger is of somebody who is no user of vigil.
	ErrStranger = errors.New("you are no user of vigil: ask its administrator to add you")
	// ErrMayNot is of a role that does not allow it.
	ErrMayNot = errors.New("your role does not allow this")
	// ErrOwnCase is of somebody whom the case is about.
	ErrOwnCase = errors.New("you can't work on a case about yourself: somebody else has to")
	// ErrNoCase is of a case that is not there.
	ErrNoCase = errors.New("there is no such case any more")
	// ErrNotDone is of what can't be done as asked: the error says why.
	ErrNotDone = errors.New("this can't be done")
)
