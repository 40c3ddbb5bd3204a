package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"vigil/internal/api"
)

// The answers to a sign-in. That of a wrong name, a wrong password and a disabled account
// is the same, and takes as long.
var (
	errWrong   = api.NewProblem(http.StatusUnauthorized, "Name or password is wrong", "Type both again. Whoever runs vigil can give you a new link to set up your account.")
	errTooMany = api.NewProblem(http.StatusTooManyRequests, "Too many tries", "Wait a minute, and try again.")
	errCrowded = api.NewProblem(http.StatusServiceUnavailable, "Too many sign in at once", "Try again in a few seconds.")
)

// attempt is one try to sign in.
type attempt struct {
	name, password string
	// address is from where; again says that somebody who is signed in as name proves it
	// once more.
	address string
	again   bool
}

// check tells who signs in with a name and a password.
func (s *Service) check(ctx context.Context, a attempt) (someone, error) {
	by := s.opts.Directory().Pseudonym(s.canonical(a.name))
	if by == "" || len(a.name) > 200 || len(a.password) > maxPassword || a.password == "" {
		return someone{}, errWrong
	}
	p, err := s.someone(ctx, by)
	if err != nil {
		return p, err
	}
	address := mark(s.keys.marks, "address", by, a.address)
	limit, key := s.strangers, by
	if a.again || slices.Contains(p.account.Familiar, address) {
		// Who is known here must not be locked out by who is not.
		limit, key = s.familiar, by+address
	}
	now := s.now()
	if !limit.try(key, now) || !s.addresses.try(a.address, now) {
		if err := s.refused(ctx, by); err != nil {
			return p, err
		}
		return p, errTooMany
	}
	right, err := s.matches(ctx, p.account.Hash, a.password)
	if err != nil {
		limit.right(key) // nothing was tried
		s.addresses.right(a.address)
		return p, err
	}
	if !right || !p.in() {
		if err := s.refused(ctx, by); err != nil {
			return p, err
		}
		return p, errWrong
	}
	limit.right(key)
	s.addresses.right(a.address)
	p.account.Familiar = slices.DeleteFunc(p.account.Familiar, func(m string) bool { return m == address })
	p.account.Familiar = append(p.account.Familiar, address)
	if n := len(p.account.Familiar); n > maxFamiliar {
		p.account.Familiar = p.account.Familiar[n-maxFamiliar:]
	}
	return p, nil
}

// matches tries a password against a hash; against one that nothing matches where there is
// none, which takes as long.
func (s *Service) matches(ctx context.Context, hash, password string) (bool, error) {
	over, err := s.turn(ctx)
	if err != nil {
		return false, err
	}
	defer over()
	right, err := verify(cmp.Or(hash, s.decoy), password)
	return right && hash != "", err
}

// hashed hashes a new password.
func (s *Service) hashed(ctx context.Context, password string) (string, error) {
	over, err := s.turn(ctx)
	if err != nil {
		return "", err
	}
	defer over()
	return s.opts.Hashing.hash(password), nil
}

// turn waits until a password can be hashed; errCrowded where too many wait already.
func (s *Service) turn(ctx context.Context) (over func(), err error) {
	select {
	case s.line <- struct{}{}:
	default:
		return nil, errCrowded
	}
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots; <-s.line }, nil
	case <-ctx.Done():
		<-s.line
		return nil, ctx.Err()
	}
}

// refused writes down that a sign-in was refused: not each one when there are many.
func (s *Service) refused(ctx context.Context, by string) error {
	write, more := s.tally.failed(by, s.now())
	if !write {
		return nil
	}
	what := "sign-in refused"
	if more > 0 {
		what = fmt.Sprintf("sign-in refused, and %d more times before", more)
	}
	return s.audit(ctx, "console", what, "account "+by)
}

// signedIn writes down that somebody signed in, before they are.
func (s *Service) signedIn(ctx context.Context, p *someone, how string) error {
	if err := s.audit(ctx, p.by, "signed in "+how, "account "+p.by); err != nil {
		return err
	}
	p.account.Signed = s.now()
	if p.version == 0 {
		p.account.Made = p.account.Signed
	}
	// When and from where they signed in last is no reason to refuse it because another
	// sign-in was a little faster.
	if err := s.keep(ctx, p); err != nil && !errors.Is(err, api.ErrStale) {
		return err
	}
	return nil
}

func compare(pairs ...string) int {
	for i := 0; i+1 < len(pairs); i += 2 {
		if n := strings.Compare(pairs[i], pairs[i+1]); n != 0 {
			return n
		}
	}
	return 0
}
