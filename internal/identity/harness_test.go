package identity_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity"
	"vigil/internal/identity/record"
)

// memory is a store for tests.
type memory struct {
	mu   sync.Mutex
	rows map[record.Kind]map[string]record.Record
	fail error
	now  func() time.Time
}

func (m *memory) Credential(_ context.Context, kind record.Kind, key string) (record.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rows[kind][key]
	if m.fail != nil {
		return r, m.fail
	}
	if !ok || !r.Ends.IsZero() && !r.Ends.After(m.now()) {
		return record.Record{}, api.ErrNotFound
	}
	return r, nil
}

func (m *memory) Credentials(_ context.Context, kind record.Kind, owner string, max int) (out []record.Record, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows[kind] {
		if (owner == "" || r.Owner == owner) && (r.Ends.IsZero() || r.Ends.After(m.now())) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b record.Record) int { return strings.Compare(a.Key, b.Key) })
	return out[:min(len(out), max)], m.fail
}

func (m *memory) ChangeCredentials(_ context.Context, changes ...record.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	for _, c := range changes {
		if have := m.rows[c.Record.Kind][c.Record.Key]; c.Was != record.Any && c.Was != have.Version {
			return record.ErrChanged
		}
	}
	for _, c := range changes {
		have := m.rows[c.Record.Kind][c.Record.Key]
		if c.Delete {
			delete(m.rows[c.Record.Kind], c.Record.Key)
			continue
		}
		if m.rows[c.Record.Kind] == nil {
			m.rows[c.Record.Kind] = map[string]record.Record{}
		}
		c.Record.Version = have.Version + 1
		m.rows[c.Record.Kind][c.Record.Key] = c.Record
	}
	return nil
}

// users is a directory for tests.
type users []identity.User

func (u users) All() []identity.User { return u }
func (users) Pseudonym(name string) string {
	return "actor-" + strings.NewReplacer("@", "-", ".", "-").Replace(name)
}
func (users) Logins(names ...string) []string { return names }

// office is a service in which people work.
type office struct {
	t     *testing.T
	store *memory
	*identity.Service
	door  *identity.Door
	users users
	// clock is fixed unless it is nil.
	clock    func() time.Time
	mu       sync.Mutex
	audited  []string
	unlogged error
}

// quick makes tries of passwords cheap.
func quick() identity.Hashing { return identity.Hashing{Memory: 64, Passes: 1, Threads: 1} }

func open(t *testing.T, clock func() time.Time, cfg identity.DoorConfig, people ...identity.User) *office {
	t.Helper()
	return openAs(t, quick(), clock, cfg, people...)
}

func openAs(t *testing.T, hashing identity.Hashing, clock func() time.Time, cfg identity.DoorConfig, people ...identity.User) *office {
	t.Helper()
	if clock == nil {
		clock = time.Now
	}
	o := &office{t: t, users: people, clock: clock, store: &memory{rows: map[record.Kind]map[string]record.Record{}, now: clock}}
	s, err := identity.New(identity.Options{
		Secret: []byte("a secret of the tests"), Store: o.store, Directory: func() identity.Directory { return o.users }, Now: clock, Hashing: hashing,
		Audit: func(_ context.Context, who, what, object string) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.unlogged == nil {
				o.audited = append(o.audited, who+": "+what+": "+object)
			}
			return o.unlogged
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Service, o.door = s, s.Door(cfg)
	return o
}

// browser is somebody's, with its cookies.
type browser struct {
	o       *office
	cookies map[string]string
	address string
}

func (o *office) browser() *browser {
	return &browser{o: o, cookies: map[string]string{}, address: "192.0.2.1:5"}
}

// request is one by which this browser comes, as the gate hands it on.
func (b *browser) request(path string) *http.Request {
	b.o.t.Helper()
	r := httptest.NewRequestWithContext(b.o.t.Context(), http.MethodGet, path, nil)
	r.Host, r.RemoteAddr = "localhost:8470", b.address
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r.WithContext(api.WithPerson(r.Context(), b.who(r)))
}

func (b *browser) who(r *http.Request) api.Person {
	b.o.t.Helper()
	who, err := b.o.door.Who(r)
	if err != nil {
		b.o.t.Fatal(err)
	}
	return who
}

// signed is who the browser is signed in as; empty for nobody.
func (b *browser) signed() string { return api.PersonOf(b.request("/").Context()).By }

// do has something answered, and keeps its cookies.
func (b *browser) do(path string, what func(w http.ResponseWriter, r *http.Request) error) error {
	w := httptest.NewRecorder()
	err := what(w, b.request(path))
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
			continue
		}
		b.cookies[c.Name] = c.Value
	}
	return err
}

func (b *browser) signIn(name, password string) error {
	return b.do("/sign-in", func(w http.ResponseWriter, r *http.Request) error { return b.o.door.SignIn(w, r, name, password) })
}

// first sets up the first account.
func (o *office) first(name string) *browser {
	o.t.Helper()
	token, _, err := o.FirstRun(o.t.Context())
	if err != nil || token == "" {
		o.t.Fatalf("no first link: %v", err)
	}
	return o.accept(token, name)
}

func (o *office) accept(token, name string) *browser {
	o.t.Helper()
	b := o.browser()
	if err := b.do("/set-up", func(w http.ResponseWriter, r *http.Request) error { return o.door.Accept(w, r, token, name, password) }); err != nil {
		o.t.Fatal(err)
	}
	return b
}

// invited sets up an account by an invitation of somebody.
func (b *browser) invited(name string, roles ...access.Role) *browser {
	b.o.t.Helper()
	link, _, err := b.o.door.Invite(b.request("/people").Context(), name, roles)
	if err != nil {
		b.o.t.Fatal(err)
	}
	return b.o.accept(link[strings.Index(link, "=")+1:], "")
}

const password = "gravel lantern seven"
