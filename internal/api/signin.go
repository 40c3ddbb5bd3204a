package api

import (
	"context"
	"net/http"

	"vigil/internal/access"
)

// SignInWays are the ways in that there are.
type SignInWays struct {
	// Provider is what people know the sign-in provider by; empty for none.
	Provider string
	// Name is who is signed in and proves it once more; empty for nobody.
	Name string
}

// SetUp is what a link that sets an account up stands for.
type SetUp struct {
	// First is the link of the first run: who uses it picks their name, which must be one
	// of the configuration's administrators where it has some (Admins).
	First, Admins bool
	// Name is whose account it is, where it is not the first.
	Name  string
	Roles []access.Role
}

// SignIns lets people in and out. Each sign-in is in the audit log before it is one. The
// errors that a person may read are a *Problem.
type SignIns interface {
	// Ready gives who is not signed in what their forms must bring along.
	Ready(w http.ResponseWriter, r *http.Request) (form string)
	// Ways tells which ways in there are for whoever asks.
	Ways(r *http.Request) SignInWays
	// SignIn begins a session; of one who is signed in it renews the proof, and the
	// name does not count.
	SignIn(w http.ResponseWriter, r *http.Request, name, password string) error
	SignOut(w http.ResponseWriter, r *http.Request) error
}

// ProviderSignIn lets people in with the provider that SignInWays names; the errors wrap
// ErrNotFound where there is none.
type ProviderSignIn interface {
	// Begin returns where at the provider a browser is sent, End takes it as it comes back,
	// and returns where on to. Again has somebody who is signed in type their proof anew.
	Begin(w http.ResponseWriter, r *http.Request, next string, again bool) (address string, err error)
	End(w http.ResponseWriter, r *http.Request) (next string, err error)
}

// SetUps sets accounts up by links that are used once.
type SetUps interface {
	// SetUp looks what a link stands for; it is not used up by that.
	SetUp(ctx context.Context, token string) (SetUp, error)
	// Accept uses a link up, and begins a session.
	Accept(w http.ResponseWriter, r *http.Request, token, name, password string) error
}

// Accounts is what the pages of sign-in and of accounts work with.
type Accounts interface {
	SignIns
	ProviderSignIn
	SetUps
	OwnAccount
	Tokens
	People
}

// Guise is one of the people as whom a demonstration can be looked at.
type Guise struct {
	Key, Name string
	Current   bool
}

// Guises are those of a demonstration, to which nobody signs in.
type Guises interface {
	Guises(r *http.Request) []Guise
	// Take goes on as another one; a key that is none changes nothing.
	Take(w http.ResponseWriter, key string)
}
