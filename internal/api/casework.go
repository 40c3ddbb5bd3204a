package api

import (
	"context"
	"time"

	"vigil"
	"vigil/internal/access"
)

// CaseAct is what somebody does with a case. Which fields count depends on the deed.
type CaseAct struct {
	Case string
	// Deed is one of acknowledge, assign, snooze, note, aware, verdict, expect and ask.
	Deed access.Deed
	// Key is the same when the same deed is asked for twice: it is done once. Required.
	Key string
	// Seen is the revision of the case that who acts looked at, 0 where they did not look.
	Seen int
	// Note is what they say: the note itself, or the reason.
	Note string
	// To is the pseudonym of who gets the case, empty for who acts.
	To string
	// For is how long it is snoozed, or an exception holds.
	For time.Duration
	// Word is the verdict; TakeBack takes the one in force back instead.
	Word     vigil.Word
	TakeBack bool
	// Scope and ForRole are an exception's. Preview asks what it would have covered, or what
	// the person would be asked, and does nothing.
	Scope   vigil.Scope
	ForRole bool
	Preview bool
}

// CaseDone is what came of an act.
type CaseDone struct {
	// Text says it to who acted.
	Text string
	// Case is as it is now.
	Case vigil.Case
	// Covered is what an exception covers, nil otherwise.
	Covered *CaseCovered
	// Question is what the person is asked, empty otherwise.
	Question string
}

// CaseCovered is what an exception would have covered since a time.
type CaseCovered struct {
	Since time.Time
	// Says tells in words for whom it holds, and what it expects.
	Says string
	// Events are the accesses within it, of Of by those for whom it holds.
	Events, Of int
	// Wholly are some of the findings that would not have been declared, of WhollyTotal;
	// Partly some of those with less evidence, of PartlyTotal.
	Wholly, Partly           []vigil.Finding
	WhollyTotal, PartlyTotal int
	// Breaches counts those among all of them that were judged breach or misuse.
	Breaches int
}

// Colleague is somebody to whom a case can be given.
type Colleague struct {
	By    string
	Roles []access.Role
}

// CaseWorker does what the person in the context asks to be done with a case. What is
// done is in the audit log before Work returns. Its errors wrap ErrNotFound for a case
// that is not there, ErrOwnCase, ErrStale for one that somebody else has changed since
// (it tells who and when), ErrRefused for what can't be done as asked, and ErrUnrecorded.
type CaseWorker interface {
	Work(ctx context.Context, a CaseAct) (CaseDone, error)
	// Colleagues lists those to whom cases can be given, but who asks.
	Colleagues(ctx context.Context) ([]Colleague, error)
	// SeeAll notes that who asks has seen all that is new by now.
	SeeAll(ctx context.Context) error
}
