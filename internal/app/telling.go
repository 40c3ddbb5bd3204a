package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/email"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// tell starts the dispatcher and the delivery of messages.
func (a *App) tell(ctx context.Context, next *edition) (stop func(context.Context) error, err error) {
	a.tellers.Store(next.ways)
	a.outbox.tell(next.ways.notes())
	dispatch := &dispatcher{book: a.book, logger: a.logger, flood: a.recordFlood, called: func(name string) string { return next.people.pseudonyms.Actor("", name) }}
	if err := a.book.use(ctx, next.policy, next.ways.names()); err != nil {
		return nil, fmt.Errorf("set up the pipeline: %w", err)
	}
	a.dispatcher.Store(dispatch)
	if err := dispatch.rehome(ctx); err != nil {
		return nil, fmt.Errorf("find other ways for what waits: %w", err)
	}
	a.troubles.clear()
	d, err := alerts.NewDeliverer(alerts.Config{SendTimeout: sendTime}, alerts.Options{
		Outbox: a.outbox, Notifiers: next.ways.notifiers, Fallbacks: next.ways.fallbacks, Templates: next.templates, Logger: a.logger,
	})
	if err != nil {
		return nil, fmt.Errorf("set up delivery: %w", err)
	}
	if err := next.templates.Problem(); err != nil {
		a.logger.Warn("templates of messages can't be used; vigil's own words are told in their stead", "error", err.Error())
		a.troubles.set("A template", err.Error())
	}
	checks, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a.checkWays(checks, next.ways)
	return stopAll(
		func(context.Context) error {
			a.checking.Wait()
			a.troubles.clear()
			return next.ways.close()
		},
		a.background(ctx, "delivery", d.Run),
		a.background(ctx, "delivery's bell", bell(a.ledger, d)),
		a.background(ctx, "dispatch", dispatch.run),
		a.background(ctx, "channels' watch", func(ctx context.Context) error { return a.watchWays(ctx, d) }),
		a.talk(ctx, next.cfg, next.talk),
		func(context.Context) error { cancel(); return nil }), nil
}

// bell wakes the delivery whenever there is something to tell.
func bell(l *ledger.Ledger, d *alerts.Deliverer) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			news := l.MailSignal()
			d.Wake()
			select {
			case <-news:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// sendTime bounds one send for which no way to tell has a bound of its own: each keeps to
// its timeout, which may be as long as a mail server takes to look at a mail. What is cut
// off then is in doubt and sent again.
const sendTime = email.MaxTimeout

// use has the casebook decide by a policy from now on.
func (b *casebook) use(ctx context.Context, policy alerts.Policy, notifiers []string) error {
	var state alerts.State
	data, err := b.ledger.Kept(ctx, pipelineState)
	if err != nil {
		return err
	}
	if len(data) > 0 && json.Unmarshal(data, &state) != nil {
		state = alerts.State{} // only spares messages
	}
	p, err := alerts.NewPipeline(policy, notifiers, state, "/")
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pipeline = p
	return nil
}

// orphansAtOnce bounds the messages that find other ways in one go.
const orphansAtOnce = 200

// rehome decides anew on cases whose cards wait for channels that are no longer
// configured, so that a change of the configuration loses nothing. What is of no case is
// given up: it was told by the other channels too.
func (d *dispatcher) rehome(ctx context.Context) error {
	b := d.book
	names := b.outbox.told()
	for {
		rows, err := b.ledger.Orphans(ctx, append([]string{ledger.Pipeline}, names...), orphansAtOnce)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if row.Case != "" {
				if err := d.rehomeCase(ctx, row.Case, names); err != nil {
					return err
				}
			}
			if err := b.ledger.Failed(ctx, row, errNobody, time.Time{}, false); err != nil {
				return err
			}
		}
	}
}

func (d *dispatcher) rehomeCase(ctx context.Context, id string, names []string) error {
	b := d.book
	b.mu.Lock()
	defer b.mu.Unlock()
	c, lead, err := b.look(ctx, id)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	note, err := b.note(ctx, id)
	if err != nil {
		return err
	}
	note.Told.Notifiers = slices.DeleteFunc(note.Told.Notifiers, func(n string) bool { return !slices.Contains(names, n) })
	silences, err := b.holding(ctx)
	if err != nil {
		return err
	}
	x := &batched{change: ledger.CaseChange{Case: c, Was: c.Revision}, note: note, lead: lead}
	x.change.Case.Revision++
	t := &batch{cases: map[string]*batched{id: x}}
	told := note.Told
	decision := b.pipeline.Decide(alerts.Input{Finding: &lead, Case: &x.change.Case, Told: &told, Silences: silences, Cases: b, Now: b.now()})
	decision.Later = time.Time{}
	if err := d.take(ctx, t, x, ledger.OutboxItem{}, &decision); err != nil {
		return err
	}
	t.work.Taken = nil
	return d.commit(ctx, t)
}

// refresher is a way to tell that forgets what it is not told again.
type refresher interface {
	Refresh(ctx context.Context, open []alerts.Message) error
}

// refreshed bounds the cases that such a way is told again at once.
const refreshed = 5_000

// refreshWays tells such ways again which cases are open.
func (a *App) refreshWays(ctx context.Context) error {
	var errs []error
	for _, n := range a.tellers.Load().notifiers {
		r, ok := n.(refresher)
		if !ok {
			continue
		}
		receipts, err := a.ledger.CaseReceipts(ctx, n.Name(), refreshed)
		if err != nil {
			return err
		}
		var open []alerts.Message
		for id, receipt := range receipts {
			c, lead, err := a.book.look(ctx, id)
			if gone(err) {
				continue
			}
			if err != nil {
				return err
			}
			m := cardOf(&c, &lead)
			m.Receipt = receipt
			open = append(open, m)
		}
		errs = append(errs, r.Refresh(ctx, open))
	}
	return errors.Join(errs...)
}

// recordFlood writes into the log that more came than people can be told one by one: it
// becomes a finding of its own.
func (a *App) recordFlood(ctx context.Context, n alerts.FloodNotice) error {
	now := a.opts.Now().UTC()
	data, err := json.Marshal(vigil.Lapse{
		Source: vigil.FloodSource, Kind: vigil.LapseFlood, Start: now, End: now, Missing: vigil.Unknown,
		Text: alerts.Clean(n.Message.Notice.Sentence),
	})
	if err != nil {
		return fmt.Errorf("write flood: %w", err)
	}
	_, err = a.ledger.AcceptControl(ctx, vigil.Control{Type: vigil.ControlLapse, Data: data})
	a.intake.note(err)
	return err
}

// policyOf is the configured policy in the pipeline's form.
func policyOf(c *config.Alerts) alerts.Policy {
	p := alerts.Policy{
		Default: alerts.Target(c.Default),
		Limits: alerts.Limits{
			Mild: c.Limits.Mild, High: c.Limits.High, Period: c.Limits.Period.Std(), EditEvery: c.Limits.EditEvery.Std(),
		},
		Remind: alerts.Remind{Critical: c.Reminders.Critical.Std(), High: c.Reminders.High.Std(), Medium: c.Reminders.Medium.Std()},
	}
	if c.Reminders.Off {
		p.Remind = alerts.Remind{Critical: -1, High: -1, Medium: -1}
	}
	for i := range c.Routes {
		r := &c.Routes[i]
		p.Routes = append(p.Routes, alerts.Route{
			Match: vigil.Match(r.Match), Target: alerts.Target{Notify: r.Notify, Escalation: r.Escalation}, Continue: r.Continue,
		})
	}
	for i := range c.Inhibit {
		r := &c.Inhibit[i]
		p.Inhibit = append(p.Inhibit, alerts.InhibitRule{When: vigil.Match(r.When), Mute: vigil.Match(r.Mute), Equal: r.Equal})
	}
	for i := range c.Escalations {
		e := &c.Escalations[i]
		var levels []alerts.Level
		for _, l := range e.Levels {
			levels = append(levels, alerts.Level{After: l.After.Std(), Notify: l.Notify, Call: l.Call, Rotas: l.Rotas})
		}
		if p.Escalations == nil {
			p.Escalations = map[string]alerts.Escalation{}
		}
		p.Escalations[e.Name] = alerts.Escalation{Levels: levels}
	}
	for i := range c.Rotas {
		r := &c.Rotas[i]
		if p.Rotas == nil {
			p.Rotas = map[string]*alerts.Rota{}
		}
		p.Rotas[r.Name] = &alerts.Rota{People: r.People, Every: r.Every, From: r.From, At: r.At, Zone: r.Zone}
	}
	return p
}
