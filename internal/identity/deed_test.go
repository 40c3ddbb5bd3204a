package identity_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity"
)

const aDay = float64(24 * 60 * 60)

// What is sent twice makes one secret, which is told again and kept nowhere.
func TestTheSameDeedMakesOneSecret(t *testing.T) {
	t.Parallel()
	now := time.Now()
	o := open(t, func() time.Time { return now }, identity.DoorConfig{Base: "https://vigil.example.com"})
	ann := o.first("ann").request("/people").Context()
	once := func(key string) context.Context { return api.WithDeed(ann, key) }
	ask := api.NewToken{Name: "a script", Roles: []access.Role{access.RoleViewer}, For: 2 * aDay}

	token, made, err := o.door.MakeToken(once("1"), ask)
	if err != nil {
		t.Fatal(err)
	}
	if again, view, err := o.door.MakeToken(once("1"), ask); err != nil || again != token || view.ID != made.ID {
		t.Errorf("the same deed: %v, another token %v", err, again != token)
	}
	if other, _, err := o.door.MakeToken(once("2"), ask); err != nil || other == token {
		t.Errorf("another deed: %v", err)
	}
	link, ends, err := o.door.Invite(once("1"), "bob", []access.Role{access.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	if again, until, err := o.door.Invite(once("1"), "bob", []access.Role{access.RoleViewer}); err != nil || again != link || !until.Equal(ends) {
		t.Errorf("the same invitation: %q %v", again, err)
	}
	if again, _, err := o.door.Invite(once("1"), "eve", []access.Role{access.RoleViewer}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("the same deed for somebody else: %q %v", again, err)
	}
	if strings.Contains(link, strings.TrimPrefix(token, identity.TokenPrefix)) {
		t.Error("the link's secret is the token's")
	}
	if tokens, err := o.door.Tokens(ann); err != nil || len(tokens) != 2 {
		t.Errorf("%d tokens, %v", len(tokens), err)
	}
	dump, err := json.Marshal(o.store.rows)
	if err != nil || strings.Contains(string(dump), token) || strings.Contains(string(dump), strings.TrimPrefix(token, identity.TokenPrefix)) {
		t.Errorf("the token is kept: %v", err)
	}
	// What is over does not come back when it is sent once more.
	o.accept(link[strings.Index(link, "=")+1:], "")
	if again, _, err := o.door.Invite(once("1"), "bob", []access.Role{access.RoleViewer}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("a link that was used is told again: %q %v", again, err)
	}
	if err := o.door.RevokeToken(ann, made.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.door.MakeToken(once("1"), ask); !errors.Is(err, api.ErrRefused) {
		t.Errorf("a revoked token is made again: %v", err)
	}
}

func TestTheSameDeedAtOnce(t *testing.T) {
	t.Parallel()
	o := open(t, nil, identity.DoorConfig{})
	ctx := api.WithDeed(o.first("ann").request("/").Context(), "k")
	secrets := make(chan string, 8)
	var all sync.WaitGroup
	for range cap(secrets) {
		all.Go(func() {
			secret, _, err := o.door.MakeToken(ctx, api.NewToken{Name: "a script", Roles: []access.Role{access.RoleViewer}, For: aDay})
			if err != nil {
				t.Error(err)
			}
			secrets <- secret
		})
	}
	all.Wait()
	close(secrets)
	first := <-secrets
	for s := range secrets {
		if s != first {
			t.Error("two tokens were told")
		}
	}
	if tokens, err := o.door.Tokens(ctx); err != nil || len(tokens) != 1 {
		t.Errorf("%d tokens, %v", len(tokens), err)
	}
}

// A token takes away and gives nothing.
func TestATokenLetsNobodyIn(t *testing.T) {
	t.Parallel()
	o := open(t, nil, identity.DoorConfig{})
	ann := o.first("ann")
	bob := ann.invited("bob", access.RoleViewer)
	program := api.PersonOf(ann.request("/").Context())
	program.Way = api.WayToken
	ctx := api.WithPerson(t.Context(), program)
	if _, _, err := o.door.Invite(ctx, "eve", []access.Role{access.RoleViewer}); !errors.Is(err, api.ErrRefused) {
		t.Errorf("invite: %v", err)
	}
	if err := o.door.SetRoles(ctx, "actor-bob", []access.Role{access.RoleAdmin}, api.AnyVersion); !errors.Is(err, api.ErrRefused) {
		t.Errorf("give roles: %v", err)
	}
	if err := o.door.Disable(ctx, "actor-bob", true, api.AnyVersion); err != nil || bob.signed() != "" {
		t.Errorf("disable: %v, signed in as %q", err, bob.signed())
	}
	if err := o.door.Disable(ctx, "actor-bob", false, api.AnyVersion); !errors.Is(err, api.ErrRefused) {
		t.Errorf("enable: %v", err)
	}
}

// The last administrator has a way back: the machine itself.
func TestOnTheMachineItself(t *testing.T) {
	t.Parallel()
	o := open(t, nil, identity.DoorConfig{Base: "http://localhost:8470"}, identity.User{Name: "ann", By: "actor-ann", Roles: []access.Role{access.RoleAdmin}})
	o.first("ann")
	here := api.WithPerson(t.Context(), o.Local("ann"))
	link, _, err := o.door.Invite(here, "Ann", nil)
	if err != nil {
		t.Fatal(err)
	}
	if b := o.accept(link[strings.Index(link, "=")+1:], ""); b.signed() != "actor-ann" {
		t.Error("ann is not let in again")
	}
	// A token is its owner's, whatever a command may.
	ask := api.NewToken{Name: "a script", Roles: []access.Role{access.RoleAdmin}, For: aDay}
	if _, _, err := o.door.MakeToken(here, ask); err != nil {
		t.Error(err)
	}
	ask.Roles = []access.Role{access.RoleAnalyst}
	if _, _, err := o.door.MakeToken(here, ask); !errors.Is(err, api.ErrRefused) {
		t.Errorf("more than ann may: %v", err)
	}
	if _, _, err := o.door.MakeToken(api.WithPerson(t.Context(), o.Local("root")), ask); !errors.Is(err, api.ErrRefused) {
		t.Errorf("for nobody: %v", err)
	}
	if err := o.door.Disable(here, "actor-ann", true, api.AnyVersion); err != nil {
		t.Error(err)
	}
	if err := o.door.Disable(here, "actor-ann", false, api.AnyVersion); err != nil {
		t.Errorf("ann is disabled and can't be let in on the machine: %v", err)
	}
}
