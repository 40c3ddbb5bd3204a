package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"vigil/alerts"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/ledger"
	"vigil/internal/reveal"
	"vigil/internal/vault"
)

// openSubjects makes what tells whose data was touched, and who it was.
func (a *App) openSubjects() {
	a.whose, a.askers = &caseSubjects{reader: a.reader}, &whoRead{reader: a.reader}
	a.reveals = reveal.New(revealStore{a.ledger, a.opts.Now}, revealWorld{a, a.whose}, a.opts.Now)
	a.whose.names = a.reveals.Names
	a.clean.add("counting of customers", func(context.Context) error { a.whose.making.Wait(); return nil })
}

// revealStore keeps requests for names in the ledger.
type revealStore struct {
	ledger *ledger.Ledger
	now    func() time.Time
}

// Keep implements reveal.Store.
func (s revealStore) Keep(ctx context.Context, r api.Reveal, was int, a reveal.Audit) error {
	err := s.ledger.KeepReveal(ctx, r, was, ledger.AuditRecord{Time: s.now().UTC(), Who: a.Who, What: a.What, Object: a.Object})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ledger.ErrStale):
		return fmt.Errorf("%w: %w", api.ErrStale, err)
	}
	return fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
}

// Write implements reveal.Store.
func (s revealStore) Write(ctx context.Context, a reveal.Audit) error {
	if _, err := s.ledger.Audit(ctx, ledger.AuditRecord{Time: s.now().UTC(), Who: a.Who, What: a.What, Object: a.Object}); err != nil {
		return fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	return nil
}

// One implements reveal.Store.
func (s revealStore) One(ctx context.Context, id string) (api.Reveal, error) {
	return s.ledger.Reveal(ctx, id)
}

// OfCase implements reveal.Store.
func (s revealStore) OfCase(ctx context.Context, caseID string, most int) ([]api.Reveal, error) {
	return s.ledger.RevealsOf(ctx, caseID, most)
}

// Since implements reveal.Store.
func (s revealStore) Since(ctx context.Context, from time.Time, most int) ([]api.Reveal, error) {
	return s.ledger.RevealsSince(ctx, from, most)
}

// revealWorld is what a reveal asks of the rest of the program.
type revealWorld struct {
	app      *App
	subjects *caseSubjects
}

// Mine implements reveal.World.
func (w revealWorld) Mine(ctx context.Context) []string {
	return w.app.people.Load().aliases(api.PersonOf(ctx).Logins)
}

// Case implements reveal.World.
func (w revealWorld) Case(ctx context.Context, id string) error {
	c, err := w.app.ledger.Case(ctx, id)
	if err != nil {
		return err
	}
	return w.app.reader.keepOff(ctx, &c)
}

// Concerns implements reveal.World.
func (w revealWorld) Concerns(ctx context.Context, id string) (bool, error) {
	c, err := w.app.ledger.Case(ctx, id)
	if err != nil {
		return false, err
	}
	return w.app.book.concerns(ctx, w.app.people.Load(), api.PersonOf(ctx).Logins, &c)
}

// Waits implements reveal.World: by the channels of those who answer for names. A message
// holds neither the reason nor the pseudonym, which are for who decides.
func (w revealWorld) Waits(ctx context.Context, r api.Reveal) {
	err := w.app.outbox.enqueueTo(ctx, w.app.conf().Alerts.Officers, alerts.Message{
		ID: "reveal/" + r.ID, Kind: alerts.KindNotice, Link: "/reveals/" + url.PathEscape(r.ID),
		Notice: &alerts.Notice{
			Title:    "A name was asked for, and waits for a second person",
			Sentence: r.By + " asks for the name behind one pseudonym of case " + r.Case + ". Somebody else decides in the console, within " + strconv.Itoa(int(api.RevealWaits/time.Hour)) + " hours.",
		},
	})
	if err != nil {
		w.app.logger.Error("nobody is told that a name was asked for", "reveal", r.ID, "error", err.Error())
	}
}

// Involved implements reveal.World.
func (w revealWorld) Involved(ctx context.Context, id, pseudonym string) (bool, error) {
	c, err := w.app.ledger.Case(ctx, id)
	if err != nil {
		return false, err
	}
	if err := w.app.reader.keepOff(ctx, &c); err != nil {
		return false, err
	}
	return w.subjects.involved(ctx, &c, pseudonym)
}

// May implements reveal.World.
func (w revealWorld) May(ctx context.Context, by string, d access.Deed) (may, known bool, err error) {
	roles, known, err := w.app.identity.Roles(ctx, by)
	return access.May(roles, d), known, err
}

// Name implements reveal.World.
func (w revealWorld) Name(ctx context.Context, pseudonym string) (string, error) {
	if w.app.vault == nil {
		return "", reveal.ErrNoName
	}
	name, err := w.app.vault.Name(ctx, pseudonym)
	if errors.Is(err, vault.ErrUnknown) || errors.Is(err, vault.ErrKey) {
		return "", fmt.Errorf("%w: %w", reveal.ErrNoName, err)
	}
	return name, err
}

var (
	_ reveal.Store = revealStore{}
	_ reveal.World = revealWorld{}
)
