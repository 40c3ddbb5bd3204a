package identity_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity"
)

func TestGuessing(t *testing.T) {
	t.Parallel()
	for _, addresses := range []int{1, 1000} {
		t.Run(fmt.Sprintf("from %d addresses", addresses), func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
			o := open(t, func() time.Time { return now }, identity.DoorConfig{})
			victim := o.first("ann") // who has signed in from 192.0.2.1
			const guesses, minutes = 10_000, 10
			tried := 0
			for i := range guesses {
				now = now.Add(minutes * time.Minute / guesses)
				b := o.browser()
				b.address = fmt.Sprintf("198.51.%d.%d:7", i%addresses/250, i%addresses%250)
				err := b.signIn("ann", fmt.Sprintf("guess number %d", i))
				var p *api.Problem
				switch {
				case !errors.As(err, &p):
					t.Fatalf("guess %d: %v", i, err)
				case p.Status == http.StatusUnauthorized:
					tried++
				}
			}
			if most := 10 * (minutes + 1); tried > most || tried < minutes {
				t.Errorf("%d of %d guesses were tried in %d minutes, want at most %d", tried, guesses, minutes, most)
			}
			again := o.browser() // the victim, at another of their browsers, in the midst of it
			if err := again.signIn("ann", password); err != nil {
				t.Errorf("the victim is locked out where they are known: %v", err)
			}
			if victim.signed() == "" {
				t.Error("the victim is signed out")
			}
			now = now.Add(time.Minute)
			far := o.browser()
			far.address = "203.0.113.9:1"
			if err := far.signIn("ann", password); err != nil {
				t.Errorf("a minute later the victim is locked out elsewhere: %v", err)
			}
			if err := o.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			refusals := 0
			for _, line := range o.audited {
				if strings.Contains(line, "refused") {
					refusals++
				}
			}
			if refusals == 0 || refusals > minutes+2 {
				t.Errorf("%d records of refused sign-ins", refusals)
			}
		})
	}
}

// Strangers who sign in at once must not take up all the requests that the gate serves: few
// wait for their password to be hashed, the others are told to come back, and what was not
// tried does not count as a guess.
func TestACrowdIsToldToComeBack(t *testing.T) {
	t.Parallel()
	o := openAs(t, identity.DefaultHashing(), nil, identity.DoorConfig{})
	const crowd, turnedAway = 64, 32
	answers := make(chan error, crowd)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	for i := range crowd {
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/sign-in", nil)
		r.Host, r.RemoteAddr = "localhost:8470", fmt.Sprintf("198.51.100.%d:7", i)
		go func() { answers <- o.door.SignIn(httptest.NewRecorder(), r, fmt.Sprint("nobody", i), "a guess") }()
	}
	away, guessed := 0, 0
	for range crowd {
		var p *api.Problem
		switch err := <-answers; {
		case errors.As(err, &p) && p.Status == http.StatusServiceUnavailable:
			away++
		case errors.As(err, &p):
			guessed++
		}
		if away == turnedAway {
			leave() // those who wait give up
		}
	}
	if away < turnedAway {
		t.Fatalf("%d of %d were told to come back, %d waited for a guess", away, crowd, guessed)
	}
}

// TestNamesCantBeTold takes the median time of a wrong password for a name that there is
// and for one that there is not, in turn. Others at work on the machine can only make them
// look different, so that one of a few goes that is alike is enough.
func TestNamesCantBeTold(t *testing.T) {
	t.Parallel()
	now := time.Now()
	// A fiftieth of what is usual, so that what is done besides weighs fifty times as much.
	hashing := identity.Hashing{Memory: 2 << 10, Passes: 1, Threads: 1}
	o := openAs(t, hashing, func() time.Time { now = now.Add(10 * time.Second); return now }, identity.DoorConfig{})
	o.first("ann")
	var ratio float64
	for range 5 {
		var took [2][]time.Duration
		for i := range 1000 {
			for k, name := range []string{"ann", "eve"} {
				b := o.browser()
				b.address = fmt.Sprintf("198.51.%d.%d:7", i/250, i%250)
				began := time.Now()
				err := b.signIn(name, "not the password")
				took[k] = append(took[k], time.Since(began))
				var p *api.Problem
				if !errors.As(err, &p) || p.Headline != "Name or password is wrong" {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
		slices.Sort(took[0])
		slices.Sort(took[1])
		if ratio = float64(took[0][500]) / float64(took[1][500]); ratio > 0.95 && ratio < 1.05 {
			return
		}
	}
	t.Errorf("a name that there is takes %.3f times as long", ratio)
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := open(t, nil, identity.DoorConfig{})
		b := o.first("ann")
		for range 16 { // asked for something every 14 minutes
			if b.signed() == "" {
				t.Fatal("signed out while at work")
			}
			<-time.After(14 * time.Minute)
		}
		if b.signed() == "" {
			t.Fatal("signed out while at work")
		}
		<-time.After(15*time.Minute + time.Second)
		if b.signed() != "" {
			t.Error("signed in after 15 minutes of nothing")
		}
		if err := b.signIn("ann", password); err != nil {
			t.Fatal(err)
		}
		for range 15 { // a page that renews itself, alone
			<-time.After(time.Minute)
			r := httptest.NewRequestWithContext(api.WithUnattended(t.Context()), http.MethodGet, "/live", nil)
			r.Host = "localhost"
			r.AddCookie(&http.Cookie{Name: "vigil", Value: b.cookies["vigil"]})
			if _, err := o.door.Who(r); err != nil {
				t.Fatal(err)
			}
		}
		if b.signed() != "" {
			t.Error("a page that renews itself kept the session alive")
		}
		if err := b.signIn("ann", password); err != nil {
			t.Fatal(err)
		}
		for range 48 {
			<-time.After(10 * time.Minute)
			b.signed()
		}
		if b.signed() != "" {
			t.Error("signed in after 8 hours")
		}
	})
}

func TestWhoIsChangedIsOutAtOnce(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		do   func(o *office, admin, bob *browser) error
		back bool // may sign in again
	}{
		"disabled": {func(o *office, admin, _ *browser) error {
			return o.door.Disable(admin.request("/").Context(), "actor-bob", true, 1)
		}, false},
		"other roles": {func(o *office, admin, _ *browser) error {
			return o.door.SetRoles(admin.request("/").Context(), "actor-bob", []access.Role{access.RoleAnalyst}, 1)
		}, true},
		"signed out": {func(o *office, _, bob *browser) error {
			old := bob.cookies["vigil"]
			err := bob.do("/sign-out", o.door.SignOut)
			bob.cookies["vigil"] = old // as one who kept it
			return err
		}, true},
		"set up anew": {func(_ *office, admin, _ *browser) error {
			admin.invited("bob", access.RoleViewer)
			return nil
		}, true},
		"ended elsewhere": {func(o *office, _, bob *browser) error {
			other := o.browser()
			if err := other.signIn("bob", password); err != nil {
				return err
			}
			return o.door.EndSession(other.request("/account"), "")
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t, nil, identity.DoorConfig{})
			admin := o.first("ann")
			bob := admin.invited("bob", access.RoleViewer)
			if bob.signed() != "actor-bob" {
				t.Fatal("bob is not signed in")
			}
			if err := x.do(o, admin, bob); err != nil {
				t.Fatal(err)
			}
			if who := bob.signed(); who != "" {
				t.Errorf("%s is signed in still", who)
			}
			if err := o.browser().signIn("bob", password); (err == nil) != x.back {
				t.Errorf("sign in again: %v", err)
			}
		})
	}
}

// Whoever the configuration names no more has no name here: nobody could tell of which case
// they must keep off. They get no roles but by a link for their name.
func TestWhoHasNoNameHasNoRole(t *testing.T) {
	t.Parallel()
	o := open(t, nil, identity.DoorConfig{}, identity.User{Name: "bob", By: "actor-bob", Logins: []string{"bob_db"}, Roles: []access.Role{access.RoleViewer}})
	admin := o.first("ann")
	admin.invited("bob")
	o.users = nil
	err := o.door.SetRoles(admin.request("/people").Context(), "actor-bob", []access.Role{access.RoleResponder}, 1)
	if !errors.Is(err, api.ErrRefused) {
		t.Errorf("roles are given to who has no name: %v", err)
	}
	if err := o.browser().signIn("bob", password); err == nil {
		t.Error("bob signs in")
	}
	bob := admin.invited("bob", access.RoleResponder)
	if who := api.PersonOf(bob.request("/").Context()); who.Name != "bob" || !slices.Contains(who.Logins, "bob") {
		t.Errorf("made anew it is %+v", who)
	}
}

func TestATokenOfBeforeIsNeverTakenOver(t *testing.T) {
	t.Parallel()
	o := open(t, nil, identity.DoorConfig{})
	o.first("ann")
	b := o.browser()
	b.cookies["vigil"] = "set-by-somebody-else"
	if err := b.signIn("ann", password); err != nil {
		t.Fatal(err)
	}
	first := b.cookies["vigil"]
	if first == "set-by-somebody-else" || len(first) < 22 {
		t.Errorf("the session's token is %q", first)
	}
	if err := b.signIn("ann", password); err != nil { // proves it once more
		t.Fatal(err)
	}
	if b.cookies["vigil"] == first {
		t.Error("the token is the same after who they are was proved again")
	}
	b.cookies["vigil"] = first
	if b.signed() != "" {
		t.Error("the old token opens still")
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	o := open(t, nil, identity.DoorConfig{SecureHost: "vigil.example.com"})
	o.first("ann")
	for host, want := range map[string]struct {
		name   string
		secure bool
	}{"localhost:8470": {"vigil", false}, "vigil.example.com": {"__Host-vigil", true}, "vigil.lan": {"", false}} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sign-in", nil)
		r.Host = host
		err := o.door.SignIn(w, r, "ann", password)
		if want.name == "" {
			var p *api.Problem
			if !errors.As(err, &p) || p.Status != http.StatusForbidden {
				t.Errorf("%s: %v", host, err)
			}
			continue
		}
		cookies := w.Result().Cookies()
		if err != nil || len(cookies) == 0 {
			t.Errorf("%s: %v", host, err)
			continue
		}
		if c := cookies[0]; c.Name != want.name || c.Secure != want.secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s: %+v", host, c)
		}
	}
}

func TestNobodyIsLetInWhenItCantBeTold(t *testing.T) {
	t.Parallel()
	o := open(t, nil, identity.DoorConfig{})
	b := o.first("ann")
	o.unlogged = errors.New("the disk is full")
	if err := o.browser().signIn("ann", password); !errors.Is(err, api.ErrUnrecorded) {
		t.Errorf("a sign-in that can't be written down: %v", err)
	}
	r := b.request("/")
	o.store.fail = errors.New("the store is away")
	if who, err := o.door.Who(r); err == nil || who.By != "" {
		t.Errorf("the store is away, and %q comes in", who.By)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	now := time.Now()
	o := open(t, func() time.Time { return now }, identity.DoorConfig{Idle: 20 * time.Hour, Absolute: 23 * time.Hour})
	admin := o.first("ann")
	bob := admin.invited("bob", access.RoleViewer, access.RoleAnalyst)
	make := func(b *browser, roles ...access.Role) (string, error) {
		secret, _, err := o.door.MakeToken(b.request("/account").Context(), api.NewToken{Name: "a script", Roles: roles, For: 24 * 60 * 60})
		return secret, err
	}
	if _, err := make(bob, access.RoleAdmin); !errors.Is(err, api.ErrRefused) {
		t.Errorf("a role that bob has not: %v", err)
	}
	secret, err := make(bob, access.RoleAnalyst)
	if err != nil {
		t.Fatal(err)
	}
	come := func() api.Person {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/status", nil)
		r.Header.Set("Authorization", "Bearer "+secret)
		who, err := o.door.Who(r)
		if err != nil {
			t.Fatal(err)
		}
		return who
	}
	if who := come(); who.By != "actor-bob" || len(who.Roles) != 1 || who.Way != api.WayToken || who.Form != "" {
		t.Errorf("%+v", who)
	}
	if _, _, err := o.door.MakeToken(api.WithPerson(t.Context(), come()), api.NewToken{}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("a token made a token: %v", err)
	}
	if err := o.door.SetRoles(admin.request("/").Context(), "actor-bob", []access.Role{access.RoleViewer}, 1); err != nil {
		t.Fatal(err)
	}
	if who := come(); who.By != "" {
		t.Errorf("bob is no analyst any more, and the token is: %+v", who)
	}
	if err := o.door.SetRoles(admin.request("/").Context(), "actor-bob", []access.Role{access.RoleAnalyst}, 9); err != nil {
		t.Fatal(err)
	}
	if come().By == "" {
		t.Fatal("the token is refused")
	}
	now = now.Add(25 * time.Hour)
	if come().By != "" {
		t.Error("the token is over and opens")
	}
}

// Who takes an account back from somebody else takes back all that it opened.
func TestTokensEndWithTheAccount(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(o *office, admin *browser) error{
		"disabled, and let in again": func(o *office, admin *browser) error {
			ctx := admin.request("/people").Context()
			return cmp.Or(o.door.Disable(ctx, "actor-bob", true, api.AnyVersion), o.door.Disable(ctx, "actor-bob", false, api.AnyVersion))
		},
		"set up anew": func(_ *office, admin *browser) error { admin.invited("bob", access.RoleViewer); return nil },
	} {
		o := open(t, nil, identity.DoorConfig{})
		admin := o.first("ann")
		bob := admin.invited("bob", access.RoleViewer)
		secret, _, err := o.door.MakeToken(bob.request("/account").Context(), api.NewToken{Name: "a script", Roles: []access.Role{access.RoleViewer}, For: 24 * 60 * 60})
		if err != nil {
			t.Fatal(err)
		}
		come := func() string {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/status", nil)
			r.Header.Set("Authorization", "Bearer "+secret)
			who, err := o.door.Who(r)
			if err != nil {
				t.Fatal(err)
			}
			return who.By
		}
		if come() == "" {
			t.Fatal("the token is refused")
		}
		if err := end(o, admin); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if come() != "" {
			t.Errorf("%s: the token opens still", name)
		}
		if o.browser().signIn("bob", password) != nil {
			t.Errorf("%s: bob is out himself", name)
		}
	}
}

func TestAdministratorsOfOneAnother(t *testing.T) {
	t.Parallel()
	o := open(t, nil, identity.DoorConfig{}, identity.User{Name: "carl", By: "actor-carl", Roles: []access.Role{access.RoleViewer}})
	ann := o.first("ann")
	bob := ann.invited("bob", access.RoleAdmin)
	eve := ann.invited("eve", access.RoleViewer)
	asAnn, asBob := ann.request("/").Context(), bob.request("/").Context()
	if err := o.door.SetRoles(asBob, "actor-bob", access.Roles(), 9); !errors.Is(err, api.ErrRefused) {
		t.Errorf("bob gave himself roles: %v", err)
	}
	if err := o.door.SetRoles(asBob, "actor-carl", access.Roles(), 0); !errors.Is(err, api.ErrRefused) {
		t.Errorf("roles of the configuration were changed: %v", err)
	}
	if err := o.door.SetRoles(asBob, "actor-eve", []access.Role{"root"}, 1); !errors.Is(err, api.ErrRefused) {
		t.Errorf("a role that is none: %v", err)
	}
	if err := o.door.Disable(asBob, "actor-nobody", true, 0); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("nobody was disabled: %v", err)
	}
	if err := o.door.Disable(asAnn, "actor-eve", true, 1); err != nil {
		t.Fatal(err)
	}
	if err := o.door.SetRoles(asBob, "actor-eve", []access.Role{access.RoleAnalyst}, 1); !errors.Is(err, api.ErrStale) || !strings.Contains(err.Error(), "actor-ann") {
		t.Errorf("bob had not seen what ann did: %v", err)
	}
	if eve.signed() != "" {
		t.Error("eve is signed in")
	}
}
