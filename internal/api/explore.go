package api

import (
	"context"
	"time"

	"vigil"
)

// The bounds of what is told at once of a finding or an actor.
const (
	// MaxBuckets bounds the values of an Activity, MaxSingles its single accesses.
	MaxBuckets = 600
	MaxSingles = 500
	// MaxSessions bounds the sessions that are marked.
	MaxSessions = 200
	// MaxRelatedFindings bounds the findings that are told as related, MaxHistory those of an actor.
	MaxRelatedFindings = 20
	MaxHistory         = 50
	// MaxNetworksTold bounds the networks that are listed.
	MaxNetworksTold = 40
)

// EventFilter narrows the accesses of a finding. Empty fields match everything.
type EventFilter struct {
	// From and To bound when, the second excluded. Both zero mean the finding's own span.
	From, To                                 time.Time
	Resource, Network, Conversation, Session string
	Outcome                                  vigil.Outcome
	Offset, Limit                            int
}

// Activity is what somebody did within a span.
type Activity struct {
	// From and To are what is looked at; Min and Max all that can be.
	From, To, Min, Max time.Time
	// Total counts the accesses within it. Damaged counts parts of the log that could not
	// be read: what they hold is missing.
	Total, Damaged int
	// Bucket is the length of those in which accesses are counted. It is zero where Singles
	// are told instead.
	Bucket time.Duration
	Counts []float64
	// Rows adds up the rows that were returned, nil where no source told them.
	Rows []float64
	// Customers counts distinct ones of each bucket, conversations where none are named;
	// nil where there are too many to tell apart.
	Customers []float64
	Singles   []*vigil.Event
	// Sessions are those that came last, SessionsLeft how many came before them. None are
	// told of more than one actor.
	Sessions     []Session
	SessionsLeft int
}

// Session is a run of accesses with less than half an hour between them.
type Session struct {
	From, To time.Time
	Accesses int
}

// NetworkUse is how a network was used.
type NetworkUse struct {
	Network, Country, ASN string
	// Accesses are those that are told of, Refused those of them that were denied or
	// failed, Before those in the time before.
	Accesses, Refused, Before int
	First, Last               time.Time
}

// New reports whether the network was not used in the time before.
func (n *NetworkUse) New() bool { return n.Before == 0 }

// Networks are from where accesses came, those first from which most did.
type Networks struct {
	List []NetworkUse
	// Left are networks that are not listed. Unnamed are accesses whose source tells no
	// network, Others those of so many networks that they are not told apart.
	Left, Unnamed, Others int
	// Past is from when on the time before was looked at.
	Past time.Time
}

// Relation is what two findings have in common.
type Relation string

// The relations.
const (
	RelatedActor   Relation = "actor"
	RelatedSubject Relation = "subject"
	RelatedNetwork Relation = "network"
	RelatedShape   Relation = "shape"
	RelatedCase    Relation = "case"
)

// Tie is a thing in common.
type Tie struct {
	Relation Relation
	Name     string
}

// Related is a finding that has something in common with another.
type Related struct {
	Finding vigil.Finding
	Ties    []Tie
}

// FindingExplorer goes into what is behind a finding. Every call is recorded by the
// implementation as a look. The errors wrap ErrNotFound for what is not there and
// ErrOwnCase for what is about who asks.
type FindingExplorer interface {
	// FindingAccesses lists the accesses of what a finding is about, in order of time.
	FindingAccesses(ctx context.Context, id string, f EventFilter) (EventPage, error)
	// FindingActivity tells of a span; both zero take one around the finding.
	FindingActivity(ctx context.Context, id string, from, to time.Time) (Activity, error)
	FindingNetworks(ctx context.Context, id string) (Networks, error)
	// FindingRelated lists others, worst first, and how many more there are.
	FindingRelated(ctx context.Context, id string) ([]Related, int, error)
}

// ActorView is what is known of an actor.
type ActorView struct {
	Actor  vigil.Actor
	Source string
	// First and Last are the event times of the first and the last access, as far as is
	// known. Now is the time up to which the log is judged.
	First, Last, Now time.Time
	// Expected is how many accesses of each hour of a week, from Monday 00:00 UTC, the model
	// expects, nil where it can't tell.
	Expected []float64
	// Known says what the model knows: ModelKnows, or why it can't tell.
	Known ModelKnowledge

	Peers  Peers
	Levels []Level
	Firsts []FirstSeen
	Paths  []EvidencePath

	// Findings are the newest of FindingsTotal that they took part in.
	Findings      []vigil.Finding
	FindingsTotal int
}

// ActorLately is what the log tells of an actor's last Weeks weeks.
type ActorLately struct {
	Weeks int
	// First and Last are the event times of the first and the last access among them, zero
	// for none.
	First, Last time.Time
	Stores      []string
	// Seen counts the accesses that show data by the hour of the week, from Monday 00:00 UTC.
	Seen []float64
	// Networks are those of the last week.
	Networks     Networks
	Sessions     []Session
	SessionsLeft int
}

// ModelKnowledge is how much the model can tell of an actor.
type ModelKnowledge string

// How much the model can tell.
const (
	ModelKnows ModelKnowledge = "known"
	// ModelOutline is of an actor who was away for long: the model keeps an outline.
	ModelOutline ModelKnowledge = "outline"
	// ModelStranger is of one whom the model does not know, or no longer.
	ModelStranger ModelKnowledge = "stranger"
	// ModelBusy says that the model could not be asked just now.
	ModelBusy ModelKnowledge = "busy"
)

// Peers are whom the model holds an actor against. Members is zero for nobody: groups of
// fewer than five are not told of.
type Peers struct {
	Kind, Role, Team string
	// Learned says that the group came of what its members do.
	Learned bool
	Members int
}

// Level is how much of something is usual on a day: the mean of the actor, of one of its
// peers (negative for none) and of anyone. High is what the actor stays below on 99 of
// 100 days.
type Level struct {
	Observation                string
	Own, High, Peers, Everyone float64
}

// FirstSeen is a thing that an actor uses, and since when. Share is its part, 0 to 1, of
// what the actor lately used of its kind.
type FirstSeen struct {
	Category, Label string
	First           time.Time
	Share           float64
}

// EvidencePath is how the evidence against an actor went in a lane, as log10: at the ends
// of those spans that left some. Line is what it would have to cross now.
type EvidencePath struct {
	Lane      string
	Ready     bool
	Line, Now float64
	Steps     []Point
}

// ActorExplorer tells of single actors. There is no list of them: one comes to an actor
// by way of what they did. Every call is recorded by the implementation as a look. The
// errors wrap ErrNotFound for whom nothing is known of and ErrOwnCase for who asks.
type ActorExplorer interface {
	// Actor tells what is known without a look into the log: of a stranger without findings
	// nothing.
	Actor(ctx context.Context, tenant, id string) (ActorView, error)
	// ActorLately reads the actor's last weeks in the log.
	ActorLately(ctx context.Context, tenant, id string) (ActorLately, error)
	// ActorActivity tells of a span; both zero take the last two weeks.
	ActorActivity(ctx context.Context, tenant, id string, from, to time.Time) (Activity, error)
}
