// Package record is the form in which accounts, sessions, tokens and invitations are
// kept: what internal/identity keeps, and the ledger has a table for. It has no
// behaviour.
package record

import (
	"errors"
	"time"
)

// Kind is what sort of thing a record holds.
type Kind string

// The kinds.
const (
	KindAccount    Kind = "account"
	KindInvitation Kind = "invitation"
	KindSession    Kind = "session"
	KindToken      Kind = "token"
	// KindLink ties a provider's subject to an account.
	KindLink Kind = "link"
	// KindDeed says that a deed was done which is not done twice.
	KindDeed Kind = "deed"
)

// Record is one thing that is kept. Key names it within its kind; for what a secret opens
// it is a hash of the secret.
type Record struct {
	Kind Kind
	Key  string
	// Owner is the pseudonym of whose it is; may be empty.
	Owner string
	// Ends is when it is over: from then on it is not there. Zero for never.
	Ends time.Time
	Data []byte
	// Version counts its changes, from 1 on; filled in by who keeps it.
	Version int64
}

// Any is the version of a Change that is made whatever was there before.
const Any int64 = -1

// Change puts a record in the place of what was there, or takes it away.
type Change struct {
	Record Record
	Delete bool
	// Was is the version that must stand there: 0 for none, Any for whatever.
	Was int64
}

// ErrChanged says that something else stood there than a Change expected; then nothing of
// what was asked together with it is done.
var ErrChanged = errors.New("it has changed meanwhile")
