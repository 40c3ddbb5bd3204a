package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/identity/record"
)

const (
	// maxAccounts bounds the accounts that there are.
	maxAccounts = 10_000
	// maxFamiliar bounds the addresses of an account that are remembered.
	maxFamiliar = 8
)

// account is what is kept of somebody.
type account struct {
	// Sealed holds a whoIs of one whom the configuration does not name.
	Sealed []byte        `json:"sealed,omitempty"`
	Roles  []access.Role `json:"roles,omitempty"`
	// Hash is that of the password; empty for one who signs in with the provider alone.
	Hash     string `json:"hash,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
	// Generation goes up when sessions of before shall count no more.
	Generation int64     `json:"generation"`
	Made       time.Time `json:"made"`
	// Changed is when, and By by whom, roles or state were changed last.
	Changed   time.Time `json:"changed,omitzero"`
	ChangedBy string    `json:"changed_by,omitempty"`
	// ChangedAt is the record's version that this change made.
	ChangedAt int64     `json:"changed_at,omitempty"`
	Signed    time.Time `json:"signed,omitzero"`
	// Familiar are marks of the addresses from which they signed in, the latest last.
	Familiar []string `json:"familiar,omitempty"`
}

// whoIs is what is sealed of an account.
type whoIs struct {
	Name   string   `json:"name"`
	Logins []string `json:"logins,omitempty"`
}

// someone is an account with what the configuration says, as it counts now.
type someone struct {
	by, name   string
	logins     []string
	roles      []access.Role
	configured bool
	account    account
	// version is that of the account's record, 0 where there is none.
	version int64
}

// nameless reports whether nothing tells who they are: the configuration named them once,
// and does so no more.
func (p *someone) nameless() bool { return !p.configured && len(p.account.Sealed) == 0 }

// in reports whether they may sign in at all.
func (p *someone) in() bool { return !p.account.Disabled && len(p.roles) > 0 }

// someone looks up who has a pseudonym. One who is neither configured nor has an account
// has no roles.
func (s *Service) someone(ctx context.Context, by string) (someone, error) {
	out := someone{by: by}
	r, err := s.opts.Store.Credential(ctx, record.KindAccount, by)
	switch {
	case err == nil:
		if err := json.Unmarshal(r.Data, &out.account); err != nil {
			return out, fmt.Errorf("read account %s: %w", by, err)
		}
		out.version = r.Version
	case !errors.Is(err, api.ErrNotFound):
		return out, fmt.Errorf("read account %s: %w", by, err)
	}
	s.fill(&out)
	return out, nil
}

// fill adds what the configuration and the sealed name tell.
func (s *Service) fill(p *someone) {
	d := s.opts.Directory()
	if u, ok := configured(d, p.by); ok {
		p.name, p.logins, p.roles, p.configured = u.Name, u.Logins, u.Roles, true
		return
	}
	if p.nameless() {
		return // without roles: nobody can tell of which case they must keep off
	}
	p.roles = p.account.Roles
	text, err := open(s.keys.names, p.account.Sealed, p.by)
	var who whoIs
	if err == nil {
		err = json.Unmarshal(text, &who)
	}
	if err != nil {
		s.opts.Logger.Error("the name of an account can't be opened", "account", p.by, "error", err.Error())
		p.roles = nil // as above
		return
	}
	p.name, p.logins = who.Name, s.opts.Directory().Logins(append([]string{who.Name}, who.Logins...)...)
}

// sealName hides a name that the configuration does not know.
func (s *Service) sealName(by string, who whoIs) ([]byte, error) {
	text, err := json.Marshal(who)
	if err != nil {
		return nil, err
	}
	return seal(s.keys.names, text, by), nil
}

// change is what puts an account in the place of the one that was looked up.
func (p *someone) change() (record.Change, error) {
	data, err := json.Marshal(p.account)
	if err != nil {
		return record.Change{}, err
	}
	return record.Change{Record: record.Record{Kind: record.KindAccount, Key: p.by, Owner: p.by, Data: data}, Was: p.version}, nil
}

// keep writes an account down together with other changes.
func (s *Service) keep(ctx context.Context, p *someone, more ...record.Change) error {
	c, err := p.change()
	if err != nil {
		return err
	}
	if err := s.opts.Store.ChangeCredentials(ctx, append(more, c)...); err != nil {
		if errors.Is(err, record.ErrChanged) {
			return fmt.Errorf("%w: %w", api.ErrStale, err)
		}
		return fmt.Errorf("keep account %s: %w", p.by, err)
	}
	return nil
}

// everybody lists those of the configuration and those who have an account, by
// pseudonym.
func (s *Service) everybody(ctx context.Context) ([]someone, error) {
	rows, err := s.opts.Store.Credentials(ctx, record.KindAccount, "", maxAccounts)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	var out []someone
	have := map[string]bool{}
	for _, r := range rows {
		p := someone{by: r.Key, version: r.Version}
		if err := json.Unmarshal(r.Data, &p.account); err != nil {
			s.opts.Logger.Error("an account can't be read and is left out", "account", r.Key)
			continue
		}
		s.fill(&p)
		have[p.by] = true
		out = append(out, p)
	}
	for _, u := range s.opts.Directory().All() {
		if !have[u.By] {
			out = append(out, someone{by: u.By, name: u.Name, logins: u.Logins, roles: u.Roles, configured: true})
		}
	}
	slices.SortFunc(out, func(a, b someone) int { return compare(a.name, b.name, a.by, b.by) })
	return out, nil
}

// ends are what takes away all that somebody has of some kinds.
func (s *Service) ends(ctx context.Context, by string, kinds ...record.Kind) (out []record.Change, err error) {
	for _, kind := range kinds {
		rows, err := s.opts.Store.Credentials(ctx, kind, by, maxAccounts)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out = append(out, record.Change{Record: record.Record{Kind: r.Kind, Key: r.Key}, Delete: true, Was: record.Any})
		}
	}
	return out, nil
}
