package identity

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity/record"
)

// TokenPrefix stands before every token, so that one that leaked is known for what it is.
const TokenPrefix = "vgl_"

const (
	// maxTokenFor is how long a token holds at most, maxTokens how many somebody may
	// have.
	maxTokenFor = 366 * 24 * time.Hour
	maxTokens   = 50
)

// token is what is kept of a token for programs, under a hash of it.
type token struct {
	ID    string        `json:"id"`
	Name  string        `json:"name"`
	Roles []access.Role `json:"roles"`
	Made  time.Time     `json:"made"`
	Used  time.Time     `json:"used,omitzero"`
}

// bearer is who made the token that a request brings: with the roles that it was given,
// as far as they have them still.
func (d *Door) bearer(ctx context.Context, text string) (api.Person, error) {
	if !strings.HasPrefix(text, TokenPrefix) || len(text) > 100 {
		return api.Person{}, nil
	}
	r, err := d.opts.Store.Credential(ctx, record.KindToken, digest(text))
	if errors.Is(err, api.ErrNotFound) || err == nil && !r.Ends.After(d.now()) {
		return api.Person{}, nil
	}
	var t token
	if err == nil {
		err = json.Unmarshal(r.Data, &t)
	}
	if err != nil {
		return api.Person{}, err
	}
	p, err := d.someone(ctx, r.Owner)
	if err != nil || !p.in() {
		return api.Person{}, err
	}
	if now := d.now(); now.Sub(t.Used) >= usedEvery {
		t.Used = now
		if r.Data, err = json.Marshal(t); err == nil {
			// When it was used last is for the eye: it can be a minute off.
			_ = d.opts.Store.ChangeCredentials(ctx, record.Change{Record: r, Was: r.Version})
		}
	}
	roles := slices.DeleteFunc(slices.Clone(t.Roles), func(role access.Role) bool { return !slices.Contains(p.roles, role) })
	if len(roles) == 0 {
		return api.Person{}, nil
	}
	return api.Person{Name: p.name, By: p.by, Logins: p.logins, Roles: roles, Way: api.WayToken, Signed: t.Made}, nil
}
