// Package identity knows who works with vigil: accounts and their passwords, one-time
// links that set them up, sessions, tokens for programs, and the sign-in with a provider
// (OpenID Connect). internal/app makes one Service, internal/gate asks its Door who
// asks, and the console's pages act through the interfaces of internal/api.
//
// People of the configuration are known without an account; the account keeps what the
// configuration can't: the password's hash, whether it is disabled, when it was used.
// Roles that the configuration gives win over those that are kept. Whoever is disabled, or
// is given other roles, is out at once: the account's generation goes up, and sessions of an
// older one count no more.
//
// At rest there are pseudonyms, argon2id hashes, SHA-256 of tokens, and names sealed under
// a key of their own. Each deed is in the audit log before it is done, and is refused
// when it can't be (api.ErrUnrecorded). When the store does not answer nobody is let in.
//
// Everything is safe for concurrent use. Tries of passwords are bounded by account and by
// address, hashing by maxHashing at once; maxWaiting more wait for their turn or until their
// request is given up, and further ones are told to come back: who is not signed in must not
// take up all requests that are served. Nothing runs in the background.
package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity/record"
)

// Store keeps records durably. A record whose end is past is not there. The errors wrap
// api.ErrNotFound for what is not there, and record.ErrChanged.
type Store interface {
	Credential(ctx context.Context, kind record.Kind, key string) (record.Record, error)
	// Credentials lists those of an owner, of all for the empty one, at most max, by key.
	Credentials(ctx context.Context, kind record.Kind, owner string, max int) ([]record.Record, error)
	// ChangeCredentials does all of it or nothing.
	ChangeCredentials(ctx context.Context, changes ...record.Change) error
}

// User is somebody of the configuration.
type User struct {
	// Name is by what they sign in, By their pseudonym, Email the address that a
	// provider may know them by; may be empty.
	Name, By, Email string
	Roles           []access.Role
	// Logins are by what the sources know them.
	Logins []string
}

// Directory is the people of the configuration in force.
type Directory interface {
	// All lists them.
	All() []User
	// Pseudonym is under what somebody of a name is written down, Logins by what the
	// sources may know somebody of these names.
	Pseudonym(name string) string
	Logins(names ...string) []string
}

// Options is what code passes to New. All are required but Now, Logger and Hashing.
type Options struct {
	// Secret is that from which the keys of this package are derived; at least 16 bytes.
	Secret []byte
	Store  Store
	// Directory returns the people in force.
	Directory func() Directory
	// Audit writes a deed down. Its error refuses the deed.
	Audit func(ctx context.Context, who, what, object string) error
	// Now tells the time; nil means the clock.
	Now    func() time.Time
	Logger *slog.Logger
	// Hashing is how passwords are hashed; zero means DefaultHashing.
	Hashing Hashing
}

const (
	// maxHashing bounds the passwords that are hashed at once: each takes Hashing.Memory.
	maxHashing = 2
	// maxWaiting bounds those that wait for that.
	maxWaiting = 16
)

// Service knows who works with vigil.
type Service struct {
	opts  Options
	keys  keys
	slots chan struct{} // of hashing
	line  chan struct{} // of hashing and of waiting for it
	// decoy is a hash that no password has: against it the password of nobody is tried,
	// so that it takes as long as somebody's.
	decoy string

	strangers, familiar, addresses *guesses
	tally                          tally

	mu    sync.Mutex
	glass time.Time // guarded by mu: when a password was used though there is a provider
}

// New makes a service.
func New(opts Options) (*Service, error) {
	if opts.Store == nil || opts.Directory == nil || opts.Audit == nil || len(opts.Secret) < 16 {
		return nil, errors.New("identity: a secret, a store, a directory and an audit log are needed")
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Hashing == (Hashing{}) {
		opts.Hashing = DefaultHashing()
	}
	k, err := newKeys(opts.Secret)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	return &Service{
		opts: opts, keys: k, slots: make(chan struct{}, maxHashing), line: make(chan struct{}, maxHashing+maxWaiting), decoy: opts.Hashing.hash(newSecret()),
		strangers: newGuesses(perAccount), familiar: newGuesses(perAccount), addresses: newGuesses(perAddress),
	}, nil
}

func (s *Service) now() time.Time { return s.opts.Now().UTC().Round(0) }

// audit writes a deed down before it is done.
func (s *Service) audit(ctx context.Context, who, what, object string) error {
	if err := s.opts.Audit(ctx, who, what, object); err != nil {
		return fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	return nil
}

// Close writes down what was counted and not written yet.
func (s *Service) Close(ctx context.Context) error {
	if n := s.tally.rest(); n > 0 {
		return s.audit(ctx, "console", fmt.Sprintf("sign-in refused %d more times", n), "")
	}
	return nil
}

// Notes are what whoever runs vigil must know now.
func (s *Service) Notes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.glass.IsZero() || s.now().Sub(s.glass) > glassTold {
		return nil
	}
	return []string{"Somebody signed in with a password, past the sign-in provider, at " + s.glass.Format("15:04 UTC on 2 January") + "."}
}

// glassTold is how long it is told that the provider was passed by.
const glassTold = 24 * time.Hour

// named finds who signs in by a name: how it is written does not count.
func named(d Directory, name string) (User, bool) {
	all := d.All()
	at := slices.IndexFunc(all, func(u User) bool { return strings.EqualFold(u.Name, name) })
	if at < 0 {
		return User{}, false
	}
	return all[at], true
}

// configured finds somebody of the configuration by their pseudonym.
func configured(d Directory, by string) (User, bool) {
	all := d.All()
	at := slices.IndexFunc(all, func(u User) bool { return u.By == by })
	if at < 0 {
		return User{}, false
	}
	return all[at], true
}

// canonical is the one form of a name under which somebody has a pseudonym.
func (s *Service) canonical(name string) string {
	name = strings.TrimSpace(name)
	if u, ok := named(s.opts.Directory(), name); ok {
		return u.Name
	}
	return strings.ToLower(name)
}

// nameable says what is wrong with the name of a new account.
func nameable(name string) *api.Problem {
	ok := name != "" && len(name) <= 100
	for _, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-@+", r))
	}
	if ok {
		return nil
	}
	return api.NewProblem(http.StatusUnprocessableEntity, "That name can't be taken",
		"Use up to 100 letters a to z, digits, and . _ - @ +, such as ann or ann@example.com.")
}
