package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity/record"
)

// How long a link that sets an account up can be used.
const (
	firstFor   = 30 * time.Minute
	invitedFor = 24 * time.Hour
)

var (
	errLink  = api.NewProblem(http.StatusGone, "This link can't be used any more", "It was used already, or its time is over. Ask an administrator for a new one; the first one is printed anew when vigil starts.").With(api.CodeNotFound)
	errAdmin = api.NewProblem(http.StatusUnprocessableEntity, "That name is no administrator's", "The configuration names who administers vigil: take the name of one of them.")
	errThere = api.NewProblem(http.StatusUnprocessableEntity, "That name has an account already", "Take another name, or ask for a link to set that account up anew.")
)

// invitation is what a link that sets an account up stands for.
type invitation struct {
	// First is the link of the first run, by which who uses it picks their name; else By
	// is whose account it sets up, and Sealed what their name is where the configuration
	// does not know it.
	First  bool          `json:"first,omitempty"`
	By     string        `json:"by,omitempty"`
	Sealed []byte        `json:"sealed,omitempty"`
	Roles  []access.Role `json:"roles,omitempty"`
}

// FirstRun returns the token of a link by which somebody sets up the first account, and
// until when; empty where somebody can sign in already. Each call makes a new one, and
// those of before are over.
func (s *Service) FirstRun(ctx context.Context) (token string, ends time.Time, err error) {
	if can, err := s.anybody(ctx); err != nil || can {
		return "", time.Time{}, err
	}
	old, err := s.firstOnes(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	return s.invite(ctx, "console", deed{secret: newSecret()}, invitation{First: true}, old...)
}

// anybody reports whether somebody can sign in already: with a password, or as an
// administrator who came by the provider.
func (s *Service) anybody(ctx context.Context) (bool, error) {
	all, err := s.everybody(ctx)
	return slices.ContainsFunc(all, func(p someone) bool {
		provided := !p.account.Signed.IsZero() && slices.Contains(p.roles, access.RoleAdmin)
		return p.in() && (p.account.Hash != "" || provided)
	}), err
}

// firstOnes takes away the links of the first run.
func (s *Service) firstOnes(ctx context.Context) (out []record.Change, err error) {
	rows, err := s.opts.Store.Credentials(ctx, record.KindInvitation, "", maxAccounts)
	for _, r := range rows {
		if r.Owner == "" {
			out = append(out, record.Change{Record: record.Record{Kind: r.Kind, Key: r.Key}, Delete: true, Was: record.Any})
		}
	}
	return out, err
}

// invite makes a link out of a deed's secret, of which only a hash is kept.
func (s *Service) invite(ctx context.Context, who string, by deed, inv invitation, more ...record.Change) (token string, ends time.Time, err error) {
	data, err := json.Marshal(inv)
	if err != nil {
		return "", ends, err
	}
	what, object, lasts := "link made to set up an account", "account "+inv.By, invitedFor
	if inv.First {
		what, object, lasts = "link made to set up the first account", "", firstFor
	}
	token, ends = by.secret, s.now().Add(lasts)
	if err := s.audit(ctx, who, what, object); err != nil {
		return "", ends, err
	}
	c := record.Change{Record: record.Record{Kind: record.KindInvitation, Key: digest(token), Owner: inv.By, Ends: ends, Data: data}}
	if err := s.opts.Store.ChangeCredentials(ctx, s.remembered(by, who, append(more, c)...)...); err != nil {
		return "", ends, fmt.Errorf("keep link: %w", err)
	}
	return token, ends, nil
}

// invited looks up what a link stands for.
func (s *Service) invited(ctx context.Context, token string) (inv invitation, r record.Record, err error) {
	if len(token) > 100 || token == "" {
		return inv, r, errLink
	}
	r, err = s.opts.Store.Credential(ctx, record.KindInvitation, digest(token))
	if errors.Is(err, api.ErrNotFound) || err == nil && !s.now().Before(r.Ends) {
		return inv, r, errLink
	}
	if err == nil {
		err = json.Unmarshal(r.Data, &inv)
	}
	return inv, r, err
}

// SetUp implements api.SignIns.
func (d *Door) SetUp(ctx context.Context, token string) (api.SetUp, error) {
	inv, _, err := d.invited(ctx, token)
	if err != nil {
		return api.SetUp{}, err
	}
	out := api.SetUp{First: inv.First, Roles: inv.Roles}
	if inv.First {
		out.Admins = d.adminsOnly()
		out.Roles = access.Roles()
		return out, nil
	}
	p := someone{by: inv.By, account: account{Sealed: inv.Sealed, Roles: inv.Roles}}
	d.fill(&p)
	out.Name, out.Roles = p.name, p.roles
	return out, nil
}

// adminsOnly reports whether the configuration names who administers vigil.
func (s *Service) adminsOnly() bool {
	return slices.ContainsFunc(s.opts.Directory().All(), func(u User) bool { return slices.Contains(u.Roles, access.RoleAdmin) })
}

// Accept implements api.SignIns.
func (d *Door) Accept(w http.ResponseWriter, r *http.Request, token, name, password string) error {
	if err := d.bearable(r); err != nil {
		return err
	}
	ctx := r.Context()
	if !d.addresses.try(addressOf(r), d.now()) {
		return errTooMany
	}
	inv, row, err := d.invited(ctx, token)
	if err != nil {
		return err
	}
	used := []record.Change{{Record: record.Record{Kind: row.Kind, Key: row.Key}, Delete: true, Was: row.Version}}
	p, err := d.accepted(ctx, inv, name)
	if err != nil {
		return err
	}
	if bad := weak(password, p.name); bad != nil {
		return bad
	}
	if p.account.Hash, err = d.hashed(ctx, password); err != nil {
		return err
	}
	// Whoever had a session or a token of this account has it no more.
	over, err := d.ends(ctx, p.by, record.KindSession, record.KindToken)
	if err != nil {
		return err
	}
	p.account.Generation++
	p.account.Disabled = false
	now := d.now()
	if p.version == 0 {
		p.account.Made = now
	}
	p.account.Signed = now
	p.account.Familiar = []string{mark(d.keys.marks, "address", p.by, addressOf(r))}
	if err := d.audit(ctx, p.by, "account set up", "account "+p.by); err != nil {
		return err
	}
	switch err := d.keep(ctx, &p, append(used, over...)...); {
	case errors.Is(err, api.ErrStale):
		return errLink // somebody else was faster
	case err != nil:
		return err
	}
	return d.begin(w, r, &p, false)
}

// accepted is whose account a link sets up.
func (d *Door) accepted(ctx context.Context, inv invitation, name string) (someone, error) {
	if !inv.First {
		p, err := d.someone(ctx, inv.By)
		if err == nil && !p.configured {
			p.account.Sealed, p.account.Roles = inv.Sealed, inv.Roles
			d.fill(&p)
		}
		if err == nil && len(p.roles) == 0 {
			return p, errLink // they are in the configuration no more
		}
		return p, err
	}
	if can, err := d.anybody(ctx); err != nil || can {
		return someone{}, errors.Join(err, errLink)
	}
	name = d.canonical(name)
	u, known := named(d.opts.Directory(), name)
	if d.adminsOnly() && !(known && slices.Contains(u.Roles, access.RoleAdmin)) {
		return someone{}, errAdmin
	}
	if !known {
		if bad := nameable(name); bad != nil {
			return someone{}, bad
		}
	}
	p, err := d.someone(ctx, d.opts.Directory().Pseudonym(name))
	if err != nil || p.configured {
		return p, err
	}
	if p.version > 0 {
		return p, errThere // disabled, or there by the provider
	}
	p.account.Roles = access.Roles()
	if p.account.Sealed, err = d.sealName(p.by, whoIs{Name: name}); err != nil {
		return p, err
	}
	d.fill(&p)
	return p, nil
}
