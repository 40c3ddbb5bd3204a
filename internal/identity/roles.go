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
