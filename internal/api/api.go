// Package api is what the console and other readers see: types and one small
// interface, no behaviour.
package api

import (
	"context"
	"errors"
	"time"

	"vigil"
)

// ErrNotFound is returned for an id that names nothing.
var ErrNotFound = errors.New("not found")

// ErrUnrecorded is returned when a look can't be recorded, and so is not granted:
// the disk is full, most likely.
var ErrUnrecorded = errors.New("the look can't be recorded")

// ErrStale says that somebody else changed it since who asks looked at it.
var ErrStale = errors.New("somebody else has changed it meanwhile")

// ErrOwnCase says that who asks is among those whom it is about.
var ErrOwnCase = errors.New("nobody works on a case about themselves")

// Status is the state of the program that the console shows.
type Status struct {
	// Events is how many are judged; Quarantined how many records are set aside.
	Events, Quarantined int64
	// Watermark is the event time up to which the log is judged.
	Watermark time.Time
	// Lanes is how each lane stands.
	Lanes []Lane
	// Sources is what has arrived.
	Sources []Source
	// Rules is how many rules run; RulesOff are those that don't, sorted by id.
	Rules    int
	RulesOff []RuleOff
	// Budget is the asked number of false findings a day.
	Budget float64
	// Note is what the operator must know now (a demo is running, a disk is
	// full), empty when all is well.
	Note string
	// Progress is 0 to 1 while a bounded replay runs, else negative.
	Progress float64
}

// Lane is one lane's warm-up and threshold.
type Lane struct {
	Name string `json:"name"`
	// Ready says that the lane speaks; Why says why not, and for how long.
	Ready bool   `json:"ready"`
	Why   string `json:"why,omitempty"`
	// Theory and Threshold are log10 of the line by theory and of the fitted one.
	Theory    float64 `json:"theory"`
	Threshold float64 `json:"threshold"`
	// ActorEpochs is how many spans of how many accounts are judged a day.
	ActorEpochs float64 `json:"actor_epochs_per_day"`
}

// RuleOff is a rule that does not run.
type RuleOff struct {
	ID, Name string
	// Builtin says that it came with the program.
	Builtin bool
	// Why is RuleOffByFile or RuleOffByFailure.
	Why string
}

// Why rules don't run: their file says so, or they could not be judged too often.
const (
	RuleOffByFile    = "configuration"
	RuleOffByFailure = "failure"
)

// Point is one value of a rollup series.
type Point struct {
	Time  time.Time
	Value float64
}

// FindingFilter narrows a list. The zero filter lists all.
type FindingFilter struct {
	// MinSeverity drops milder ones; State "" lists open and closed.
	MinSeverity vigil.Severity
	State       vigil.FindingState
	// DetectedFrom and DetectedTo bound when they were declared, the second excluded; zero
	// for no bound.
	DetectedFrom, DetectedTo time.Time
	// Limit bounds the list; zero means 200. Offset skips.
	Limit, Offset int
	// After goes on behind a finding of an earlier list; nil begins with the first.
	After *FindingKey
}

// FindingPage is a part of the queue, worst first.
type FindingPage struct {
	Findings []vigil.Finding
	Total    int
	// Next is where the list goes on, nil at its end.
	Next *FindingKey
	// Cases are those to which they belong, by the finding's id; who belongs to none is
	// not in it.
	Cases map[string]vigil.Case
}

// EventPage is a part of a finding's events in event-time order.
type EventPage struct {
	Events []*vigil.Event
	Total  int
	More   bool
	// Damaged counts parts of the log that could not be read: what they hold is missing.
	Damaged int
}

// Reader is what the console reads through. Every call is recorded by the
// implementation as a look.
type Reader interface {
	Status(ctx context.Context) (Status, error)
	Findings(ctx context.Context, f FindingFilter) (FindingPage, error)
	Finding(ctx context.Context, id string) (vigil.Finding, error)
	// FindingEvents lists the events of the finding's actor within its span.
	FindingEvents(ctx context.Context, id string, offset, limit int) (EventPage, error)
	// FindingTimeline counts the actor's events, and rows where known, in equal
	// buckets around the finding's span (with some of the past before it).
	FindingTimeline(ctx context.Context, id string) (Timeline, error)
	CaseReader
}

// Timeline is an actor's accesses in equal buckets.
type Timeline struct {
	Start  time.Time
	Bucket time.Duration
	Events []float64
	Rows   []float64
	// SubjectsNamed counts distinct subjects (conversations where none are named).
	SubjectsNamed []float64
}

// Saying is what somebody says of a finding.
type Saying struct {
	Finding string `json:"-"`
	// Word is the verdict; empty takes the one in force back.
	Word vigil.Word `json:"word"`
	// By is the name of who says so: it is kept as a pseudonym.
	By   string `json:"by"`
	Note string `json:"note,omitempty"`
}

// Expecting asks for an exception out of a finding.
type Expecting struct {
	Finding string      `json:"-"`
	By      string      `json:"by"`
	Note    string      `json:"note,omitempty"`
	Scope   vigil.Scope `json:"scope,omitempty"` // empty takes what covers most
	ForRole bool        `json:"for_role,omitempty"`
	// For is how long it holds, in seconds from now on in event time.
	For float64 `json:"for_seconds"`
	// Preview asks what it would have covered, and makes nothing.
	Preview bool `json:"preview,omitempty"`
}

// Covered is an exception and what it would have covered from a time on.
type Covered struct {
	Exception vigil.Exception `json:"exception"`
	Since     time.Time       `json:"since"`
	// Events are the accesses within its scope, of Of by those for whom it holds.
	Events int `json:"events"`
	Of     int `json:"of"`
	// Wholly are the findings of which nothing would have been left, Partly those
	// with less evidence.
	Wholly []string `json:"findings_wholly"`
	Partly []string `json:"findings_partly"`
}

// Decider takes what people say. Each saying is in the audit log before it takes
// effect, and is refused when it can't be. The errors wrap ErrNotFound for what is
// not there and ErrRefused for what can't be done as asked.
type Decider interface {
	Decide(ctx context.Context, s Saying) (vigil.Verdict, error)
	Expect(ctx context.Context, x Expecting) (Covered, error)
	EndException(ctx context.Context, id, by string) (vigil.Exception, error)
	Exceptions(ctx context.Context) ([]vigil.Exception, error)
	// Judged lists the findings with a verdict, the newest first.
	Judged(ctx context.Context) ([]vigil.Finding, error)
}

// ErrRefused says that what was asked can't be done; the error says why.
var ErrRefused = errors.New("refused")

// Silencing asks for a silence.
type Silencing struct {
	By    string      `json:"by"`
	Note  string      `json:"note"`
	Match vigil.Match `json:"match"`
	// For is how long it holds, in seconds from now on.
	For float64 `json:"for_seconds"`
	// Preview asks what it would have kept back, and makes nothing.
	Preview bool `json:"preview,omitempty"`
}

// Silenced is a silence and what it would have kept back from a time on.
type Silenced struct {
	Silence vigil.Silence `json:"silence"`
	Since   time.Time     `json:"since"`
	// Findings are some of those that would not have been told, of Total; Breaches are
	// those among all of them that were judged breach or misuse.
	Findings []string `json:"findings"`
	Total    int      `json:"total"`
	Breaches int      `json:"breaches"`
	// Says says in words of what it is.
	Says string `json:"says"`
}

// Silencer takes silences. Each is in the audit log with what it keeps back. The errors
// are as a Decider's.
type Silencer interface {
	Silence(ctx context.Context, s Silencing) (Silenced, error)
	EndSilence(ctx context.Context, id, by string) (vigil.Silence, error)
	// Silences lists all that were made, the newest first.
	Silences(ctx context.Context) ([]vigil.Silence, error)
}
