package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
	"vigil/internal/subjects"
)

const (
	// askedFor is how long a purpose that was told for a customer holds.
	askedFor = 8 * time.Hour
	// maxAsked bounds the purposes that are remembered.
	maxAsked = 10_000
	// maxTenants bounds the tenants in which a customer is looked for.
	maxTenants = 64
	// readersInCase bounds the readers whose cases are looked up.
	readersInCase = 500
)

// whoRead tells who has read a customer. It is safe for concurrent use.
type whoRead struct {
	reader *reader

	mu    sync.Mutex
	asked map[askedKey]time.Time
}

type askedKey struct{ by, subject string }

// AskReaders implements api.ReaderFinder. What was typed is never written down: its pseudonyms
// are.
func (w *whoRead) AskReaders(ctx context.Context, ask api.ReadersAsk) ([]string, error) {
	a := w.reader.app
	customer, purpose := strings.TrimSpace(ask.Customer), strings.TrimSpace(ask.Purpose)
	switch {
	case customer == "" || len(customer) > 1_000:
		return nil, fmt.Errorf("%w: name the customer, by the id that the store has or by the pseudonym", api.ErrRefused)
	case len(purpose) < 5:
		return nil, fmt.Errorf("%w: say why you ask: it is kept with the question", api.ErrRefused)
	}
	ids := w.pseudonyms(customer, strings.TrimSpace(ask.Tenant))
	// The reason may repeat the id.
	purpose = privacy.Text(strings.ReplaceAll(purpose, customer, ids[0]))
	if err := a.desk.audit(ctx, api.PersonOf(ctx).By, "asked who read a customer", "readers of "+strings.Join(ids[:min(len(ids), 8)], ", ")+": "+purpose); err != nil {
		return nil, err
	}
	if len(ids) > 1 {
		found, err := w.known(ctx, ids)
		if err != nil {
			return nil, err
		}
		if ids = ids[:1]; len(found) > 0 {
			ids = found
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked == nil || len(w.asked)+len(ids) > maxAsked {
		w.asked = map[askedKey]time.Time{}
	}
	for _, id := range ids {
		w.asked[askedKey{api.PersonOf(ctx).By, id}] = a.opts.Now()
	}
	return ids, nil
}

// pseudonyms are those that a customer may have: their own, or one in each tenant.
func (w *whoRead) pseudonyms(customer, tenant string) []string {
	a := w.reader.app
	if strings.HasPrefix(customer, "subject-") {
		return []string{privacy.Text(customer)}
	}
	tenants := []string{tenant}
	if tenant == "" {
		tenants = tenantsOf(a.people.Load(), a.ledger)
	}
	var ids []string
	for _, t := range tenants[:min(len(tenants), maxTenants)] {
		ids = append(ids, a.intake.pseudonyms.Subject(t, customer))
	}
	return ids
}

// known are those of the pseudonyms that any event names.
func (w *whoRead) known(ctx context.Context, ids []string) ([]string, error) {
	found := map[string]bool{}
	_, err := w.reader.app.ledger.EachEvent(ctx, ledger.EventQuery{Subjects: ids}, []string{"time", "subjects.list.element"}, func(e *vigil.Event) {
		for _, s := range e.Subjects {
			found[s] = true
		}
	})
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !found[id] }), err
}

// Readers implements api.ReaderFinder.
func (w *whoRead) Readers(ctx context.Context, ids []string) (api.ReadersPage, error) {
	return w.lookUp(ctx, ids, "looked up who read a customer")
}

// ExportReaders implements api.ReaderFinder.
func (w *whoRead) ExportReaders(ctx context.Context, ids []string, form string) (api.ReadersPage, error) {
	return w.lookUp(ctx, ids, "who read a customer exported as "+form)
}

// lookUp tells who read, after it is on record.
func (w *whoRead) lookUp(ctx context.Context, ids []string, look string) (api.ReadersPage, error) {
	a := w.reader.app
	if len(ids) == 0 || len(ids) > maxTenants {
		return api.ReadersPage{}, api.ErrNotFound
	}
	for _, id := range ids {
		if !w.wasAsked(ctx, id) {
			return api.ReadersPage{Subjects: ids}, api.ErrUnasked
		}
	}
	if err := w.reader.record(ctx, look, "readers of "+strings.Join(ids, ", ")); err != nil {
		return api.ReadersPage{}, err
	}
	out := api.ReadersPage{Subjects: ids}
	var err error
	if out.Since, err = a.ledger.Earliest(ctx); err != nil {
		return out, err
	}
	var tally subjects.Readers
	out.Damaged, err = a.ledger.EachEvent(ctx, ledger.EventQuery{Subjects: ids}, subjects.ReaderColumns(), tally.Add)
	if err != nil {
		return out, err
	}
	out.Readers, out.More, out.Accesses = tally.Done()
	return out, w.inCases(ctx, out.Readers)
}

func (w *whoRead) wasAsked(ctx context.Context, id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok := w.asked[askedKey{api.PersonOf(ctx).By, id}]
	return ok && w.reader.app.opts.Now().Sub(at) < askedFor
}

// inCases notes the cases about the readers, those about who asks aside.
func (w *whoRead) inCases(ctx context.Context, readers []api.Reading) error {
	a := w.reader.app
	own := a.people.Load().aliases(api.PersonOf(ctx).Logins)
	for i := range readers[:min(len(readers), readersInCase)] {
		x := &readers[i]
		if slices.Contains(own, x.Actor) {
			continue
		}
		c := vigil.Case{About: vigil.AboutActor, Actor: x.Actor, Tenant: x.Tenant}
		ids, err := a.ledger.CaseIDsAbout(ctx, c.Topic(), x.First, x.Last, 8)
		if err != nil {
			return err
		}
		for _, id := range ids {
			subjects.InCase(x, id)
		}
	}
	return nil
}

var _ api.ReaderFinder = (*whoRead)(nil)
