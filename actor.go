package vigil

// ActorKind says what sort of identity an actor is. The set is closed.
type ActorKind string

// The kinds of actor. The empty string is "unspecified".
const (
	KindUnspecified ActorKind = ""
	KindHuman       ActorKind = "human"
	KindService     ActorKind = "service"
	KindBot         ActorKind = "bot"
	KindVendor      ActorKind = "vendor"
	KindAdmin       ActorKind = "admin"
	KindAnonymous   ActorKind = "anonymous"
)

// Valid reports whether k is one of the closed set, unspecified included.
func (k ActorKind) Valid() bool {
	switch k {
	case KindUnspecified, KindHuman, KindService, KindBot, KindVendor, KindAdmin, KindAnonymous:
		return true
	}
	return false
}

// Actor is who did an access, as far as the source tells.
type Actor struct {
	// ID names the actor within its tenant. Never empty in an accepted event.
	ID string
	// Kind is what sort of identity it is; unspecified when nobody says.
	Kind ActorKind
	// Role and Team come from the source or the configuration, and may be empty.
	Role, Team string
	// Tenant is the organisation or brand the actor belongs to.
	Tenant string
	// App is the client application the actor used.
	App string
}
