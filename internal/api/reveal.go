package api

import (
	"context"
	"errors"
	"time"
)

// ErrUnasked says that no purpose was told for a look that wants one.
var ErrUnasked = errors.New("no purpose was told for this")

// RevealState is where a request for a name stands.
type RevealState string

// The states of a reveal. The last three are ends.
const (
	// RevealOpen waits for a second person.
	RevealOpen RevealState = "open"
	// RevealGranted shows the name, until it ends by itself.
	RevealGranted   RevealState = "granted"
	RevealRefused   RevealState = "refused"
	RevealWithdrawn RevealState = "withdrawn"
	// RevealEnded is over: its time is, or nobody decided in time, or somebody ended it.
	RevealEnded RevealState = "ended"
)

// The bounds of a reveal.
const (
	// RevealFor is how long a name is shown when nothing else is asked, RevealMost at most.
	RevealFor  = 30 * time.Minute
	RevealMost = time.Hour
	// RevealWaits is how long a request waits for a second person.
	RevealWaits = 24 * time.Hour
	// MaxRevealReason bounds the reason, in bytes.
	MaxRevealReason = 500
)

// Reveal is a request for the name behind one pseudonym of one case. It holds no name.
type Reveal struct {
	ID string `json:"id"`
	// Revision grows by one with each change.
	Revision  int    `json:"revision"`
	Case      string `json:"case"`
	Pseudonym string `json:"pseudonym"`
	// Reason is why the name is needed.
	Reason string      `json:"reason"`
	State  RevealState `json:"state"`
	// By asked, at Asked, for For seconds; As are the pseudonyms of the logins by which
	// sources may know them, so that nobody approves their own request by another account.
	By    string    `json:"by"`
	As    []string  `json:"as,omitempty"`
	Asked time.Time `json:"asked"`
	For   float64   `json:"for_seconds"`
	// Decider granted or refused it, at Decided; Open says that they came in by a
	// demonstration's open door, which knows no accounts. Until is when a granted one ends.
	Decider string    `json:"decider,omitempty"`
	Open    bool      `json:"open_door,omitempty"`
	Decided time.Time `json:"decided,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	// Ender ended it before its time, empty where nobody did.
	Ender string `json:"ender,omitempty"`
}

// StateAt is the state at a time: what nobody ended ends by itself.
func (r *Reveal) StateAt(now time.Time) RevealState {
	switch {
	case r.State == RevealOpen && !now.Before(r.Asked.Add(RevealWaits)),
		r.State == RevealGranted && !now.Before(r.Until):
		return RevealEnded
	}
	return r.State
}

// RevealAsk asks for a name.
type RevealAsk struct {
	Case, Pseudonym, Reason string
	// For is how long the name is to be shown; zero means RevealFor.
	For time.Duration
	// Key is the same when the same form is sent twice.
	Key string
}

// Revealer leads pseudonyms back to names, for two people who agree that it must be. All
// that is asked, decided and shown is in the audit log before it takes effect. The errors
// wrap ErrNotFound, ErrOwnCase, ErrUnrecorded, ErrStale for one that was changed since
// revision seen, and ErrRefused with the reason.
type Revealer interface {
	AskReveal(ctx context.Context, ask RevealAsk) (Reveal, error)
	ApproveReveal(ctx context.Context, id string, seen int) (Reveal, error)
	// EndReveal refuses, withdraws or ends one, whichever it is to who asks.
	EndReveal(ctx context.Context, id string, seen int) (Reveal, error)
	// Reveal returns one and, while it is in force for who asks, the name. why says in
	// words why there is none.
	Reveal(ctx context.Context, id string) (r Reveal, name, why string, err error)
	// WaitingReveals counts those that wait for somebody and that who asks may approve. It
	// tells of none what it is, and is not written down.
	WaitingReveals(ctx context.Context) (int, error)
	// Reveals lists those of a case, or, for no case, those that are open or were asked for
	// lately, the newest first.
	Reveals(ctx context.Context, caseID string) ([]Reveal, error)
}
