package vigil

import (
	"errors"
	"fmt"
	"time"
)

// Unknown is the value of a count that the source does not tell. Unknown is not
// zero: it yields no observation.
const Unknown int64 = -1

// Action is what was done. The set is closed.
type Action string

// The actions. The empty string is "unspecified" and not accepted in an event.
const (
	ActionLogin       Action = "login"
	ActionLogout      Action = "logout"
	ActionRead        Action = "read"
	ActionSearch      Action = "search"
	ActionExport      Action = "export"
	ActionWrite       Action = "write"
	ActionDelete      Action = "delete"
	ActionShare       Action = "share"
	ActionGrant       Action = "grant"
	ActionConfigure   Action = "configure"
	ActionImpersonate Action = "impersonate"
	ActionExecute     Action = "execute"
	ActionOther       Action = "other"
)

// Actions lists the closed set in a fixed order.
func Actions() []Action {
	return []Action{
		ActionLogin, ActionLogout, ActionRead, ActionSearch, ActionExport, ActionWrite,
		ActionDelete, ActionShare, ActionGrant, ActionConfigure, ActionImpersonate, ActionExecute, ActionOther,
	}
}

// Valid reports whether a is one of the closed set.
func (a Action) Valid() bool {
	switch a {
	case ActionLogin, ActionLogout, ActionRead, ActionSearch, ActionExport, ActionWrite, ActionDelete,
		ActionShare, ActionGrant, ActionConfigure, ActionImpersonate, ActionExecute, ActionOther:
		return true
	}
	return false
}

// Discloses reports whether the action shows data to its actor. What only writes,
// deletes or signs in does not.
func (a Action) Discloses() bool {
	switch a {
	case ActionRead, ActionSearch, ActionExport, ActionShare, ActionImpersonate, ActionExecute, ActionOther:
		return true
	}
	return false
}

// Outcome is how an access ended.
type Outcome string

// The outcomes. The empty string is "unspecified": the source does not say.
const (
	OutcomeUnspecified Outcome = ""
	OutcomeSuccess     Outcome = "success"
	OutcomeDenied      Outcome = "denied"
	OutcomeError       Outcome = "error"
)

// Valid reports whether o is one of the closed set, unspecified included.
func (o Outcome) Valid() bool {
	switch o {
	case OutcomeUnspecified, OutcomeSuccess, OutcomeDenied, OutcomeError:
		return true
	}
	return false
}

// Step is how one id lies to the one before it, so that walking through ids in
// order can be seen without keeping them.
type Step int8

// The steps. StepUnknown also stands for the same id again.
const (
	StepFell    Step = -1
	StepUnknown Step = 0
	// StepNext rose by at most StepNear, StepRose by more.
	StepNext Step = 1
	StepRose Step = 2
)

// StepNear is how much an id may rise and still count as the next one.
const StepNear = 16

// Valid reports whether s is one of the closed set.
func (s Step) Valid() bool { return s >= StepFell && s <= StepRose }

// MaxSubjects bounds the subjects that one event names. What goes beyond is in
// SubjectCount alone.
const MaxSubjects = 10_000

// Event is one access: an actor did an action on a resource, touching subjects,
// at a time. It follows the fields of OCSF Datastore Activity (class 6005).
//
// Strings are as the source gives them until the privacy stage has replaced
// people's identifiers with pseudonyms; everything kept or sent is past that
// stage.
type Event struct {
	// ID is stable: the provider's own, else a hash of source and position. The
	// same record read twice has the same ID.
	ID string
	// Time is when it happened (UTC), Received when vigil took it in (UTC; zero
	// when a file is read after the fact).
	Time, Received time.Time
	// Source is the configured collector instance it came through.
	Source string

	// Actor did it; Principal is the customer on whose behalf a bot acts.
	Actor     Actor
	Principal string
	// Session is the source's own session id, Conversation one chat.
	Session, Conversation string

	Action Action
	// Store is the system that holds the data; Resource the table, collection,
	// index, bucket or endpoint within it; ResourceClass its sensitivity.
	Store, Resource, ResourceClass string
	// ResourceTenant is the organisation whose data it is.
	ResourceTenant string

	// Subjects are the customers whose data was touched, at most MaxSubjects.
	Subjects []string
	// SubjectCount is the true number of subjects, or Unknown. It is never less
	// than len(Subjects) when known.
	SubjectCount int64
	// Rows and Bytes are what was returned, Limit what was asked for (LIMIT, page
	// size, top-k). Each is Unknown when the source does not say.
	Rows, Bytes, Limit int64
	// Fields are the columns or attributes named by the access.
	Fields []string
	// Unbounded says that the access selected with no predicate at all: the
	// whole of a table, collection or index.
	Unbounded bool

	// Step is how the number in the customer's (or conversation's) id lies to the
	// one that the actor touched before. It is taken where events come in: ids are
	// pseudonyms afterwards, and tell no order.
	Step Step

	// Ticket and Purpose are reasons as the source gives them.
	Ticket, Purpose string

	// IP is the client's address; the privacy stage empties it once Network (/24
	// or /48) is known.
	IP, Network string
	// Country and ASN are of the client's network, when a database tells.
	Country, ASN string
	// UserAgent is the client's own description of itself.
	UserAgent string

	Outcome Outcome
	// Shape is the fingerprint of the query or call, its literals removed.
	Shape string
	// Destination is where the data went, when the source tells.
	Destination *Destination
	// Origin is where the record stands, so that evidence can be checked.
	Origin Origin
	// Late marks an event that came after its place in event time had passed.
	Late bool
}

// Destination is where data went: an export, a share, a webhook, a snapshot.
type Destination struct {
	Kind, Network, Region string
}

// Origin locates the raw record without keeping it.
type Origin struct {
	// File is a path or a provider's reference.
	File string
	// Offset is the byte position in the uncompressed file, Line its line
	// number from 1; zero when there is none.
	Offset, Line int64
	// Hash is the first 8 bytes of the record's SHA-256.
	Hash uint64
}

// The bounds of a valid event time.
var (
	minTime = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	maxTime = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Validate reports the first thing that makes e unacceptable, or nil.
func (e *Event) Validate() error {
	switch {
	case e.Time.IsZero():
		return errors.New("time is missing")
	case e.Time.Before(minTime) || !e.Time.Before(maxTime):
		return fmt.Errorf("time %s is outside 1990 to 2100", e.Time.UTC().Format(time.RFC3339))
	case e.Actor.ID == "":
		return errors.New("actor is missing")
	case e.Action == "":
		return errors.New("action is missing")
	case !e.Action.Valid():
		return fmt.Errorf("action %q is not one of %v", e.Action, Actions())
	case !e.Actor.Kind.Valid():
		return fmt.Errorf("actor_kind %q is not human, service, bot, vendor, admin or anonymous", e.Actor.Kind)
	case !e.Outcome.Valid():
		return fmt.Errorf("outcome %q is not success, denied or error", e.Outcome)
	case e.Rows < Unknown || e.Bytes < Unknown || e.Limit < Unknown || e.SubjectCount < Unknown:
		return errors.New("a count is negative")
	case !e.Step.Valid():
		return fmt.Errorf("step %d is not -1, 0, 1 or 2", e.Step)
	case len(e.Subjects) > MaxSubjects:
		return fmt.Errorf("%d subjects named, at most %d", len(e.Subjects), MaxSubjects)
	}
	return nil
}

// NewEvent returns an event whose counts are Unknown.
func NewEvent() *Event {
	return &Event{SubjectCount: Unknown, Rows: Unknown, Bytes: Unknown, Limit: Unknown}
}
