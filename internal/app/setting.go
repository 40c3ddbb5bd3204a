package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// settingState is the name under which the ledger keeps what is decided.
const settingState = "setting"

// decided is what is proposed, what was confirmed and may not be in the log yet, and by
// whose decision rules judge.
type decided struct {
	Revision int
	Proposal *proposal           `json:",omitempty"`
	Granted  *vigil.BudgetChange `json:",omitempty"`
	// Rules hold whatever the configuration says; nil for the configuration's.
	Rules *ruling `json:",omitempty"`
	// GrantedRules is the decision that the log is to name.
	GrantedRules *ruling `json:",omitempty"`
}

// proposal is what is proposed, with all of its rules.
type proposal struct {
	api.Proposal
	// As are the pseudonyms of who proposed it: the same person with another account is no
	// second one.
	As    []string         `json:",omitempty"`
	Marks []vigil.RuleMark `json:",omitempty"`
}

// ruling is the decision of two people about which rules judge.
type ruling struct {
	ID, By, Confirmed, Why string
	Time                   time.Time
	// Own says that they are those of Marks, else the configuration's.
	Own   bool
	Marks []vigil.RuleMark `json:",omitempty"`
}

// decidedIn reads what is decided.
func decidedIn(ctx context.Context, l *ledger.Ledger) (d decided, err error) {
	data, err := l.Kept(ctx, settingState)
	if err != nil || data == nil {
		return d, err
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("read which setting is proposed: %w", err)
	}
	return d, nil
}

// shown is the proposal that waits, nil for none.
func (d *decided) shown() *api.Proposal {
	if d.Proposal == nil {
		return nil
	}
	p := d.Proposal.Proposal
	return &p
}

// settings changes the alert budget and the rules: by the configuration, until two people
// agree on others. Every change enters the log, and holds from its place there. It is safe
// for concurrent use.
type settings struct {
	app *App

	mu sync.Mutex // held while what is decided is read and changed
}

// keep writes down what is decided, with the deed that changed it.
func (s *settings) keep(ctx context.Context, d decided, deed string, audit ...ledger.AuditRecord) error {
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	err = s.app.ledger.Work(ctx, ledger.Casework{Audit: audit, Deed: deed, Keep: map[string][]byte{settingState: data}})
	if errors.Is(err, ledger.ErrDone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	return nil
}

func (s *settings) now() time.Time { return s.app.opts.Now().UTC().Round(0) }

// propose takes a proposal of who asks.
func (s *settings) propose(ctx context.Context, ask *api.Proposing) (api.Proposal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := decidedIn(ctx, s.app.ledger)
	if err != nil {
		return api.Proposal{}, err
	}
	who, deed := api.PersonOf(ctx), ""
	if ask.Key != "" {
		deed = "setting/" + ask.Key
		if done, err := s.app.ledger.Did(ctx, deed); err != nil || done {
			return *cmp.Or(d.shown(), &api.Proposal{}), err
		}
	}
	if ask.Seen != api.AnyRevision && ask.Seen != d.Revision {
		return api.Proposal{}, api.ErrStale
	}
	if d.Proposal != nil {
		return api.Proposal{}, refused("something is proposed already: have it confirmed or withdrawn first")
	}
	p, texts, err := s.wanted(ctx, &d, ask)
	if err != nil {
		return api.Proposal{}, err
	}
	now := s.now()
	p.ID, p.By, p.Why, p.Time = "s-"+strconv.Itoa(d.Revision+1)+"-"+strconv.FormatInt(now.Unix(), 36), who.By, ask.Why, now
	// What can't be confirmed is refused now. Who confirms it is not known yet.
	b := p.budget("?")
	b.Own = true
	if err := b.Clean(); err != nil {
		return api.Proposal{}, fmt.Errorf("%w: %w", api.ErrRefused, err)
	}
	if p.By, p.Why = b.By, b.Why; p.Why == "" {
		return api.Proposal{}, refused("say why, so that who confirms it can judge")
	}
	if err := s.app.ledger.KeepRuleTexts(ctx, texts); err != nil {
		return api.Proposal{}, err
	}
	p.As = s.aliases(who)
	d.Revision++
	d.Proposal = p
	return p.Proposal, s.keep(ctx, d, deed, ledger.AuditRecord{Time: now, Who: who.By, What: "setting proposed", Object: p.describe()})
}

// budget is the change of the budget that a proposal asks for; one of the default where it
// asks for none.
func (p *proposal) budget(confirmed string) vigil.BudgetChange {
	b := cmp.Or(p.Budget, &api.ProposedBudget{})
	return vigil.BudgetChange{ID: p.ID, Time: p.Time, PerDay: b.PerDay, Own: b.Own, By: p.By, Confirmed: confirmed, Why: p.Why}
}

// describe says in the audit log what is proposed.
func (p *proposal) describe() string {
	parts := []string{}
	if b := p.Budget; b != nil {
		words := fmt.Sprintf("%g false findings a day", b.PerDay)
		if !b.Own {
			words += ", as the configuration says"
		}
		parts = append(parts, words)
	}
	if r := p.Rules; r != nil {
		parts = append(parts, describeProposedRules(r))
	}
	switch {
	case p.Version > 0:
		parts = append(parts, fmt.Sprintf("back to version %d", p.Version))
	case p.Replay != "":
		parts = append(parts, "as back-test "+p.Replay+" tried it")
	}
	return p.ID + ": " + strings.Join(append(parts, p.Why), "; ")
}

func describeProposedRules(r *api.ProposedRules) string {
	words := "rules:"
	if !r.Own {
		words = "rules as the configuration says:"
	}
	for _, x := range []struct {
		what string
		ids  []string
	}{{"added", r.Added}, {"changed", r.Changed}, {"removed", r.Removed}} {
		if n := len(x.ids); n > 0 {
			words += " " + x.what + " " + strings.Join(x.ids[:min(n, listedRules)], ", ")
		}
		if more := len(x.ids) - listedRules; more > 0 {
			words += fmt.Sprintf(" and %d more", more)
		}
	}
	return words
}

// answer confirms or withdraws a proposal in the name of who asks. Who proposed it does
// not confirm it.
func (s *settings) answer(ctx context.Context, a api.Answering) error {
	ruled, err := s.decide(ctx, a)
	if err != nil || !a.Confirm {
		return err
	}
	if err := s.note(ctx); err != nil || !ruled {
		return err
	}
	return s.app.rejudge()
}

// decide writes the answer down. ruled says that other rules are to judge.
func (s *settings) decide(ctx context.Context, a api.Answering) (ruled bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := decidedIn(ctx, s.app.ledger)
	if err != nil {
		return false, err
	}
	who, word := api.PersonOf(ctx), "withdrawn"
	if a.Confirm {
		word = "confirmed"
	}
	deed := "setting/" + a.ID + "/" + word
	if done, err := s.app.ledger.Did(ctx, deed); done || err != nil {
		return false, err
	}
	p := d.Proposal
	if p == nil || p.ID != a.ID {
		return false, api.ErrStale
	}
	now := s.now()
	if a.Confirm {
		if err := s.mayConfirm(who, p); err != nil {
			return false, err
		}
		b := p.budget(who.By)
		if b.Time = now; p.Budget != nil {
			d.Granted = &b
		}
		if r := p.Rules; r != nil {
			ruled = true
			d.GrantedRules = &ruling{ID: p.ID, By: b.By, Confirmed: b.Confirmed, Why: b.Why, Time: now, Own: r.Own, Marks: p.Marks}
			if d.Rules = nil; r.Own {
				d.Rules = d.GrantedRules
			}
		}
	}
	d.Revision, d.Proposal = d.Revision+1, nil
	return ruled, s.keep(ctx, d, deed, ledger.AuditRecord{Time: now, Who: who.By, What: "setting " + word, Object: p.describe()})
}

// mayConfirm refuses who is not known to be a second person.
func (s *settings) mayConfirm(who api.Person, p *proposal) error {
	switch {
	case who.By == p.By || slices.ContainsFunc(s.aliases(who), func(a string) bool { return slices.Contains(p.As, a) }):
		return refused("who proposes a setting does not confirm it: ask a second person")
	case who.Way == api.WayLocal:
		// It says by itself whose command it is.
		return refused("a command on vigil's own machine can't prove to be a second person: confirm it in the console, or with --server and a token of your own")
	}
	return nil
}

// aliases are the pseudonyms by which somebody may stand in the logs.
func (s *settings) aliases(who api.Person) []string { return s.app.people.Load().aliases(who.Logins) }

// note has the log name the budget that is to hold: the one that two people agreed on, else
// the configuration's. It does nothing where the log does already. What can't be written
// now is tried again.
func (s *settings) note(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.app.ledger
	d, err := decidedIn(ctx, l)
	if err != nil {
		return err
	}
	last, err := l.BudgetChanges(ctx, 1)
	if err != nil {
		return err
	}
	if d.Granted != nil {
		if len(last) == 0 || last[0].ID != d.Granted.ID {
			if _, err := l.AcceptBudget(ctx, *d.Granted); err != nil {
				return err
			}
			s.app.logger.Info("the alert budget was changed", "per_day", d.Granted.PerDay)
		}
		granted := *d.Granted
		d.Granted = nil
		if err := s.keep(ctx, d, ""); err != nil {
			return err
		}
		last = []ledger.BudgetAt{{BudgetChange: granted}}
	}
	file := s.app.conf().Budget
	if len(last) > 0 && (last[0].Own || last[0].PerDay == file) {
		return nil
	}
	c := vigil.BudgetChange{Time: s.now(), PerDay: file}
	if _, err := l.Audit(ctx, ledger.AuditRecord{Time: c.Time, Who: "vigil", What: "budget by the configuration", Object: fmt.Sprintf("%g false findings a day", file)}); err != nil {
		return err
	}
	_, err = l.AcceptBudget(ctx, c)
	s.app.intake.note(err)
	return err
}

// noted forgets that the log is to name a decision about rules.
func (s *settings) noted(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := decidedIn(ctx, s.app.ledger)
	if err != nil || d.GrantedRules == nil || d.GrantedRules.ID != id {
		return err
	}
	d.GrantedRules = nil
	return s.keep(ctx, d, "")
}
