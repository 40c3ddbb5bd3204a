package identity

import (
	"context"

	"vigil/internal/access"
)

// Roles are those that somebody has as of now, by their pseudonym: none where they are
// disabled. known is false for one who is neither configured nor has an account.
func (s *Service) Roles(ctx context.Context, by string) (roles []access.Role, known bool, err error) {
	p, err := s.someone(ctx, by)
	if err != nil {
		return nil, false, err
	}
	if p.in() {
		roles = p.roles
	}
	return roles, p.configured || p.version > 0, nil
}

// Member is who has a pseudonym, as of now; ok is false for one who may not sign in: a
// stranger, or somebody who is disabled.
func (s *Service) Member(ctx context.Context, by string) (u User, ok bool, err error) {
	p, err := s.someone(ctx, by)
	if err != nil || !p.in() {
		return User{}, false, err
	}
	return p.user(), true, nil
}

// Members are all who may sign in as of now, whether the configuration names them or they
// have an account.
func (s *Service) Members(ctx context.Context) (out []User, err error) {
	all, err := s.everybody(ctx)
	for i := range all {
		if all[i].in() {
			out = append(out, all[i].user())
		}
	}
	return out, err
}

func (p *someone) user() User {
	return User{Name: p.name, By: p.by, Roles: p.roles, Logins: p.logins}
}
