// Package alerts is the pipeline from finding to message: it turns a finding
// into a card, hands it to a notifier, and says what became of it.
//
// Findings become rows of an outbox (the ledger's) in the same transaction that
// judges their events. A Deliverer takes due rows, the worst first, gives each
// to its notifier and records the outcome; all that must survive a restart is in
// the outbox. Each notifier has one goroutine and one message in flight. Nothing
// is dropped: what can't be delivered now waits in the outbox, whose size is the
// outbox's business, and is also printed by the fallback once it waits too long.
// When cancelled, the Deliverer lets a message in flight end for a few seconds,
// so that its receipt is kept, and returns.
package alerts

import (
	"context"
	"time"

	"vigil"
)

// The kinds of message.
const (
	// KindFinding is a finding by itself, without a case, as scans print them.
	KindFinding = "finding"
	// KindCase is a case's card, KindReply something new about it, below its card.
	KindCase  = "case"
	KindReply = "reply"
	// KindDigest is a day or a week in short.
	KindDigest = "digest"
	// KindNotice is anything else that people are told: a flood, a review, a report that
	// is ready, a test.
	KindNotice = "notice"
)

// Message is one thing to tell people: a finding's card, or a digest.
type Message struct {
	// ID is unique and stable: the same message offered twice has the same one,
	// and another revision of the same finding has another.
	ID string
	// Kind is one of the kinds above.
	Kind string
	// Finding is set for kinds "finding" and "case": a case's gravest one.
	Finding *vigil.Finding
	// Case is set for kinds "case" and "reply".
	Case *vigil.Case
	// Reply is set for kind "reply".
	Reply *Reply
	// Digest is set for kind "digest".
	Digest *Digest
	// Notice is set for kind "notice".
	Notice *Notice
	// Link opens it in the console, empty when there is none.
	Link string
	// Receipt is what the notifier returned for an earlier revision of the same
	// thread, so that the new one edits the old; empty for the first.
	Receipt string
	// Parent is the receipt of the card that a reply belongs below; empty when that
	// card was not sent: the reply then stands by itself.
	Parent string
	// InDoubt says that an earlier attempt may have been delivered without its receipt
	// being kept, as when the program was killed in between. A Finder looks first.
	InDoubt bool
	// Words are the user's own for the card, set just before it is sent; nil for none.
	Words *Words `json:"-"`
}

// Thread names what the messages that edit each other have in common: the case's
// ID, the finding's, or the message's own.
func (m *Message) Thread() string {
	switch {
	case m.Kind == KindReply:
		return m.ID
	case m.Case != nil && m.Case.ID != "":
		return m.Case.ID
	case m.Finding != nil && m.Finding.ID != "":
		return m.Finding.ID
	}
	return m.ID
}

// Severity is the case's, or the finding's or notice's where there is no case; empty for
// none.
func (m *Message) Severity() vigil.Severity {
	switch {
	case m.Case != nil:
		return m.Case.Severity
	case m.Finding != nil:
		return m.Finding.Severity
	case m.Notice != nil:
		return m.Notice.Severity
	}
	return ""
}

// Over reports whether people are done with it: a case that was resolved, or a finding
// without a case that has a verdict. That a finding went quiet is no reason to stop.
func (m *Message) Over() bool {
	if m.Case != nil {
		return m.Case.State == vigil.CaseResolved
	}
	return m.Finding != nil && m.Finding.Verdict != nil
}

// Reply is something new about a case: an answer, a finding that joined, a reminder.
type Reply struct {
	Kind vigil.CaseEventKind
	// Time is when, By the pseudonym of who did it, empty for the program.
	Time time.Time
	By   string
	// Text says it on one line.
	Text string
	// Call are pseudonyms of people whom it calls, by name where the channel can.
	Call []string
	// Loud says that it is to be seen by more than those who follow the case.
	Loud bool
}

// Notice is a message about no single case.
type Notice struct {
	// Severity is empty for what is no alarm.
	Severity vigil.Severity
	// Title is a few words, Sentence one or two sentences.
	Title, Sentence string
	// Lines are its details, at most MaxNoticeLines.
	Lines []string
}

// MaxNoticeLines bounds the lines of a notice.
const MaxNoticeLines = 20

// Digest is a day or a week in short.
type Digest struct {
	// From and To bound it, UTC.
	From, To time.Time
	// Events were judged in it, Quarantined records set aside.
	Events, Quarantined int64
	// Findings are its findings, worst first, at most MaxDigestFindings of Total.
	Findings []vigil.Finding
	Total    int
	// Counts says how many of Total there are of each severity.
	Counts map[vigil.Severity]int
	// Budget is the number of false findings a day that people accept.
	Budget float64
	// Notes hold what the operator should know (a source silent, a lane warming up).
	Notes []string
	// Waiting are the cases that nobody acknowledged, worst first, at most MaxDigestCases
	// of WaitingTotal.
	Waiting      []vigil.Case
	WaitingTotal int
	// Held counts the cases that were told by no message of their own, by reason.
	Held map[vigil.MuteReason]int
	// Reviews are the exceptions and silences that end soon, the first to end first, at
	// most MaxDigestReviews of ReviewsTotal.
	Reviews      []Review
	ReviewsTotal int
}

// Review is something that somebody made for a time, and that ends soon: is it still
// right?
type Review struct {
	// Kind is "exception" or "silence".
	Kind string
	// Says describes it in a few words, By is the pseudonym of its owner, Ends when it
	// ends.
	Says string
	By   string
	Ends time.Time
}

// ReviewWithin is how long before its end something is to be looked at again.
const ReviewWithin = 7 * 24 * time.Hour

// Notifier sends one message. It does not retry: it returns a *RetryError when
// trying again later may help, any other error when it will not.
type Notifier interface {
	// Notify returns a receipt by which the message can be edited later.
	Notify(ctx context.Context, m Message) (receipt string, err error)
	// Name is for logs and the outbox: "slack", "terminal".
	Name() string
}

// RetryError says that the send failed and when to try again.
type RetryError struct {
	Err error
	// After is how long to wait at least; zero leaves it to the caller.
	After time.Duration
	// InDoubt says that the message may have been delivered all the same: the answer did
	// not come, or could not be read.
	InDoubt bool
}

// Error tells the cause.
func (e *RetryError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryError) Unwrap() error { return e.Err }

// RefusedError says that the send was refused for good.
type RefusedError struct {
	Err error
	// Remedy says what an operator can do, in one sentence.
	Remedy string
	// All says that every message will be refused until something is changed (a
	// bad token, a missing channel), not only this one.
	All bool
}

// Error tells the cause and the remedy.
func (e *RefusedError) Error() string {
	if e.Remedy == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + ": " + e.Remedy
}

// Unwrap returns the cause.
func (e *RefusedError) Unwrap() error { return e.Err }

// Pacer is a Notifier that must not be called more often than it says.
type Pacer interface {
	// Pace is the least time between the starts of two sends; zero means none.
	Pace() time.Duration
}

// Finder is a Notifier that can look whether a message was delivered already.
type Finder interface {
	// Find returns the receipt of a message that was delivered before, empty when there
	// is none. Its errors are as Notify's.
	Find(ctx context.Context, m Message) (receipt string, err error)
}

// Threader is a Notifier that tells replies below their card. Others are not given
// any: their cards say what is new.
type Threader interface {
	Threads() bool
}

// Threads reports whether a notifier tells replies below their card.
func Threads(n Notifier) bool {
	t, ok := n.(Threader)
	return ok && t.Threads()
}
