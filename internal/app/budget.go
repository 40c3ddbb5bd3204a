package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// budgetState is the name under which the ledger keeps what is proposed.
const budgetState = "budget"

// budgeting is what is proposed, and what was confirmed and may not be in the log yet.
type budgeting struct {
	Revision int
	Proposal *api.BudgetProposal `json:",omitempty"`
	Granted  *vigil.BudgetChange `json:",omitempty"`
}

// budgets changes the alert budget: by the configuration, until two people agree on
// another. Every change enters the log, and holds from its place there. It is safe for
// concurrent use.
type budgets struct {
	app *App

	mu sync.Mutex // held while what is proposed is read and changed
}

// state reads what is proposed. It needs mu where it is changed after.
func (b *budgets) state(ctx context.Context) (budgeting, error) {
	var s budgeting
	data, err := b.app.ledger.Kept(ctx, budgetState)
	if err != nil || data == nil {
		return s, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("read what budget is proposed: %w", err)
	}
	return s, nil
}

// keep writes down what is proposed, with the deed that changed it.
func (b *budgets) keep(ctx context.Context, s budgeting, deed string, audit ...ledger.AuditRecord) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return b.app.ledger.Work(ctx, ledger.Casework{Audit: audit, Deed: deed, Keep: map[string][]byte{budgetState: data}})
}

func (b *budgets) now() time.Time { return b.app.opts.Now().UTC().Round(0) }

// propose takes a proposal of who asks.
func (b *budgets) propose(ctx context.Context, p api.BudgetProposing) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := b.state(ctx)
	if err != nil {
		return err
	}
	who, deed := api.PersonOf(ctx), ""
	if p.Key != "" {
		deed = "budget/" + p.Key
		if done, err := b.app.ledger.Did(ctx, deed); done || err != nil {
			return err
		}
	}
	if s.Revision != p.Seen {
		return api.ErrStale
	}
	if s.Proposal != nil {
		return fmt.Errorf("%w: a budget is proposed already: have it confirmed or withdrawn first", api.ErrRefused)
	}
	if p.File {
		p.PerDay = b.app.conf().Budget
	}
	now := b.now()
	c := vigil.BudgetChange{ID: "b-" + strconv.Itoa(s.Revision+1) + "-" + strconv.FormatInt(now.Unix(), 36), Time: now, PerDay: p.PerDay, Own: !p.File, By: who.By, Confirmed: "?", Why: p.Why}
	if err := c.Clean(); err != nil {
		return fmt.Errorf("%w: %w", api.ErrRefused, err)
	}
	if c.Why == "" {
		return fmt.Errorf("%w: say why, so that who confirms it can judge", api.ErrRefused)
	}
	s.Revision++
	s.Proposal = &api.BudgetProposal{ID: c.ID, PerDay: c.PerDay, Own: c.Own, By: c.By, Why: c.Why, Time: now}
	return budgetKept(b.keep(ctx, s, deed, ledger.AuditRecord{Time: now, Who: who.By, What: "budget proposed", Object: describeBudget(&c)}))
}

// answer confirms or withdraws a proposal in the name of who asks. Who proposed it does
// not confirm it.
func (b *budgets) answer(ctx context.Context, a api.BudgetAnswering) error {
	if err := b.decide(ctx, a); err != nil || !a.Confirm {
		return err
	}
	return b.note(ctx)
}

func (b *budgets) decide(ctx context.Context, a api.BudgetAnswering) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := b.state(ctx)
	if err != nil {
		return err
	}
	who, word := api.PersonOf(ctx), "withdrawn"
	if a.Confirm {
		word = "confirmed"
	}
	deed := "budget/" + a.ID + "/" + word
	if done, err := b.app.ledger.Did(ctx, deed); done || err != nil {
		return err
	}
	p := s.Proposal
	if p == nil || p.ID != a.ID {
		return api.ErrStale
	}
	now := b.now()
	c := vigil.BudgetChange{ID: p.ID, Time: now, PerDay: p.PerDay, Own: p.Own, By: p.By, Confirmed: who.By, Why: p.Why}
	if a.Confirm {
		if who.By == p.By {
			return fmt.Errorf("%w: who proposes a budget does not confirm it: ask a second person", api.ErrRefused)
		}
		if err := c.Clean(); err != nil {
			return fmt.Errorf("%w: %w", api.ErrRefused, err)
		}
		s.Granted = &c
	}
	s.Revision, s.Proposal = s.Revision+1, nil
	return budgetKept(b.keep(ctx, s, deed, ledger.AuditRecord{Time: now, Who: who.By, What: "budget " + word, Object: describeBudget(&c)}))
}

// budgetKept turns what the ledger says into what who asks may read.
func budgetKept(err error) error {
	if errors.Is(err, ledger.ErrDone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	return nil
}

func describeBudget(c *vigil.BudgetChange) string {
	where := ""
	if !c.Own {
		where = ", as the configuration says"
	}
	return fmt.Sprintf("%s: %g false findings a day%s; %s", c.ID, c.PerDay, where, c.Why)
}

// note has the log name the budget that is to hold: the one that two people agreed on, else
// the configuration's. It does nothing where the log does already. What can't be written
// now is tried again.
func (b *budgets) note(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := b.state(ctx)
	if err != nil {
		return err
	}
	l := b.app.ledger
	last, err := l.BudgetChanges(ctx, 1)
	if err != nil {
		return err
	}
	if s.Granted != nil {
		if len(last) == 0 || last[0].ID != s.Granted.ID {
			if _, err := l.AcceptBudget(ctx, *s.Granted); err != nil {
				return err
			}
			b.app.logger.Info("the alert budget was changed", "per_day", s.Granted.PerDay)
		}
		granted := *s.Granted
		s.Granted = nil
		if err := b.keep(ctx, s, ""); err != nil {
			return err
		}
		last = []ledger.BudgetAt{{BudgetChange: granted}}
	}
	file := b.app.conf().Budget
	if len(last) > 0 && (last[0].Own || last[0].PerDay == file) {
		return nil
	}
	c := vigil.BudgetChange{Time: b.now(), PerDay: file}
	if _, err := l.Audit(ctx, ledger.AuditRecord{Time: c.Time, Who: "vigil", What: "budget by the configuration", Object: fmt.Sprintf("%g false findings a day", file)}); err != nil {
		return err
	}
	_, err = l.AcceptBudget(ctx, c)
	b.app.intake.note(err)
	return err
}

// Budgets is the alert budget of a data folder.
type Budgets struct {
	// File is what the configuration says, in false findings a day; zero for the default.
	File float64 `json:"file"`
	// Changes are the newest changes, the one in force first.
	Changes []vigil.BudgetChange `json:"changes"`
	// Proposal waits for a second person; nil where none does.
	Proposal *api.BudgetProposal `json:"proposal,omitempty"`
}

// listedBudgets bounds the changes that BudgetHistory lists.
const listedBudgets = 20

// BudgetHistory tells which alert budgets held. It reads the data folder beside the
// service that writes to it.
func BudgetHistory(ctx context.Context, cfg *config.Config) (b *Budgets, err error) {
	l, err := ledger.OpenReader(ctx, ledgerConfig(cfg), ledger.Options{})
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := l.Close(); err == nil && cerr != nil {
			err = cerr
		}
	}()
	b = &Budgets{File: cfg.Budget, Changes: []vigil.BudgetChange{}}
	changes, err := l.BudgetChanges(ctx, listedBudgets)
	if err != nil {
		return nil, err
	}
	for i := range changes {
		b.Changes = append(b.Changes, changes[i].BudgetChange)
	}
	s, err := (&budgets{app: &App{ledger: l}}).state(ctx)
	b.Proposal = s.Proposal
	return b, err
}
