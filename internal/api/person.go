package api

import (
	"context"
	"slices"
	"time"

	"vigil/internal/access"
)

// Way is how somebody came in.
type Way string

// The ways in.
const (
	// WaySession is a browser that has signed in.
	WaySession Way = "session"
	// WayToken is an API token.
	WayToken Way = "token"
	// WayLocal is a command on the machine that vigil runs on, by who may read its data folder.
	WayLocal Way = "local"
	// WayOpen is a demonstration, to which nobody signs in.
	WayOpen Way = "open"
)

// Person is who asks. The zero value is nobody.
type Person struct {
	// Name is by what the person signs in. It is shown to themselves alone.
	Name string
	// By is the pseudonym under which what they do is written down.
	By string
	// Logins are by what the sources may know them: of a case about one of these they
	// must keep off.
	Logins []string
	Roles  []access.Role
	Way    Way
	// Signed is when they last proved who they are.
	Signed time.Time
	// Form is what their forms must bring along, or else another site could send them.
	// Empty where nothing is sent along by itself, as with a token.
	Form string
}

// May reports whether the person's roles allow a deed.
func (p Person) May(d access.Deed) bool { return access.May(p.Roles, d) }

// Has reports whether the person has a role.
func (p Person) Has(r access.Role) bool { return slices.Contains(p.Roles, r) }

type personKey struct{}

// WithPerson returns a context in which p asks.
func WithPerson(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, personKey{}, p)
}

// PersonOf returns who asks in a context: nobody where it does not say.
func PersonOf(ctx context.Context) Person {
	p, _ := ctx.Value(personKey{}).(Person)
	return p
}

type unattendedKey struct{}

// WithUnattended returns a context in which a page asks by itself, as to renew itself: that
// keeps nobody's session alive.
func WithUnattended(ctx context.Context) context.Context {
	return context.WithValue(ctx, unattendedKey{}, true)
}

// Unattended reports whether a page asks by itself.
func Unattended(ctx context.Context) bool { return ctx.Value(unattendedKey{}) != nil }
