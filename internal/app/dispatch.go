package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

const (
	// dispatchedAtOnce bounds the findings that are decided on in one transaction.
	dispatchedAtOnce = 64
	// dispatchPoll is how often the dispatcher looks although nothing wakes it.
	dispatchPoll = 5 * time.Second
	// floodLook is how often floods are looked at although no finding comes.
	floodLook = time.Minute
	// candidateCases bounds the cases that a finding may join.
	candidateCases = 32
	// nudgedAtMost bounds the cases that are looked at for reminders, those first that may
	// do most harm.
	nudgedAtMost = 5_000
	// pipelineState is the name under which the pipeline's state is kept.
	pipelineState = "pipeline"
)

// dispatcher takes what the detector found, the worst first, puts it into cases, asks the
// pipeline what is to be told, and puts that into the outbox. What it has not decided on
// stays in the outbox over any crash, and is decided on by the newest configuration.
type dispatcher struct {
	book   *casebook
	logger *slog.Logger
	// called returns the pseudonym of a user whom the policy names.
	called func(name string) string
	// flood records that a flood began.
	flood func(ctx context.Context, n alerts.FloodNotice) error

	fault string // what failed last, for the log
}

// run dispatches until ctx ends.
func (d *dispatcher) run(ctx context.Context) error {
	if err := d.remember(ctx); err != nil && ctx.Err() == nil {
		d.logger.Warn("which cases were told lately can't be read; more may be told", "error", err.Error())
	}
	looked := d.book.now()
	for ctx.Err() == nil {
		news := d.book.ledger.MailSignal()
		more, err := d.step(ctx)
		if err == nil && !more && d.book.now().Sub(looked) >= floodLook {
			looked = d.book.now()
			err = d.tick(ctx)
		}
		d.say(ctx, err)
		if more && err == nil {
			continue
		}
		wait := time.NewTimer(dispatchPoll)
		if err != nil {
			news = nil // what failed is not tried again at once
		}
		select {
		case <-ctx.Done():
		case <-news:
		case <-wait.C:
		}
		wait.Stop()
	}
	return nil
}

func (d *dispatcher) say(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err == nil && d.fault != "":
		d.fault = ""
		d.logger.Info("findings are told again")
	case err != nil && err.Error() != d.fault:
		d.fault = err.Error()
		d.logger.Error("what is to be told of findings can't be decided; it is tried again", "error", d.fault)
	}
}

// remember reads which cases were told lately.
func (d *dispatcher) remember(ctx context.Context) error {
	b := d.book
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []string
	notes := map[string]caseNote{}
	err := b.ledger.CaseNotes(ctx, b.now().Add(-24*time.Hour), func(id string, data []byte) {
		var n caseNote
		if json.Unmarshal(data, &n) == nil && len(n.Told.Notifiers) > 0 && len(ids) < maxStanding {
			ids, notes[id] = append(ids, id), n
		}
	})
	for _, id := range ids {
		c, lead, err := b.look(ctx, id)
		if err != nil {
			return err
		}
		n := notes[id]
		b.stand(&c, &lead, &n.Told)
	}
	return err
}

// batch is what is decided in one transaction, on top of what is in the ledger.
type batch struct {
	work  ledger.Casework
	cases map[string]*batched
	of    map[string]string // case by finding
}

// batched is a case that has changed in the batch.
type batched struct {
	change ledger.CaseChange
	note   caseNote
	lead   vigil.Finding
}

// step decides on what is due, and reports whether there may be more.
func (d *dispatcher) step(ctx context.Context) (more bool, err error) {
	b := d.book
	rows, err := b.ledger.Due(ctx, ledger.Pipeline, b.now(), dispatchedAtOnce)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	silences, err := b.ledger.Silences(ctx)
	if err != nil {
		return false, err
	}
	t := &batch{cases: map[string]*batched{}, of: map[string]string{}}
	before := b.pipeline.State()
	for i := range rows {
		if err = d.decide(ctx, t, rows[i], silences); err != nil {
			break
		}
	}
	if err == nil {
		err = d.commit(ctx, t)
	}
	if err != nil {
		// What the pipeline has counted of it, and what stands by it, did not happen.
		b.pipeline.Restore(before)
		clear(b.standing)
		return false, err
	}
	return len(rows) == dispatchedAtOnce, nil
}

// decide decides on one revision of a finding.
func (d *dispatcher) decide(ctx context.Context, t *batch, row ledger.OutboxItem, silences []vigil.Silence) error {
	var f vigil.Finding
	if err := json.Unmarshal(row.Payload, &f); err != nil {
		d.logger.Error("a finding in the outbox can't be read and is not told; it is in the queue of the console", "finding", fmt.Sprintf("%q", row.FindingID))
		t.work.Taken = append(t.work.Taken, row)
		return nil
	}
	now := d.book.now().UTC()
	c, err := d.caseFor(ctx, t, &f, now)
	if err != nil {
		return err
	}
	in := alerts.Input{
		Finding: &f, Case: &c.change.Case, Silences: silences, Cases: d.book, Now: now,
	}
	if c.lead.ID != f.ID {
		in.Lead = &c.lead
	}
	if c.change.Was > 0 || c.note.Told.Total > 0 || len(c.note.Told.Notifiers) > 0 {
		told := c.note.Told
		in.Told = &told
	}
	decision := d.book.pipeline.Decide(in)
	return d.take(ctx, t, c, row, &decision)
}

// caseFor finds or makes the case of a finding, and takes its revision into it.
func (d *dispatcher) caseFor(ctx context.Context, t *batch, f *vigil.Finding, now time.Time) (*batched, error) {
	b := d.book
	c, err := d.known(ctx, t, f)
	if err != nil {
		return nil, err
	}
	if c == nil {
		next, events := alerts.Join(nil, nil, f, now)
		c = &batched{change: ledger.CaseChange{Case: next, Join: []string{f.ID}, Events: events}, lead: *f}
		c.note.take(alerts.MemberOf(f))
		t.cases[next.ID], t.of[f.ID] = c, next.ID
		return c, nil
	}
	next, events := alerts.Join(&c.change.Case, c.note.Members, f, now)
	if !slices.Contains(c.change.Case.Findings, f.ID) {
		c.change.Join = append(c.change.Join, f.ID)
	}
	c.change.Case, c.change.Events = next, append(c.change.Events, events...)
	c.note.take(alerts.MemberOf(f))
	t.of[f.ID] = next.ID
	switch {
	case next.Lead == f.ID:
		c.lead = *f
	case next.Lead != c.lead.ID:
		if c.lead, err = b.ledger.Finding(ctx, next.Lead); errors.Is(err, api.ErrNotFound) {
			c.lead, err = ghost(&next), nil
		}
	}
	return c, err
}

// known returns the case that a finding belongs to, nil for none: as the batch has it,
// else as the ledger has.
func (d *dispatcher) known(ctx context.Context, t *batch, f *vigil.Finding) (*batched, error) {
	b := d.book
	var candidates []vigil.Case
	if id, ok := t.of[f.ID]; ok {
		return t.cases[id], nil
	}
	own, err := b.ledger.CaseOf(ctx, f.ID)
	switch {
	case err == nil:
		candidates = append(candidates, own)
	case !errors.Is(err, api.ErrNotFound):
		return nil, err
	}
	about, err := b.ledger.CasesAbout(ctx, f.Topic(), candidateCases)
	if err != nil {
		return nil, err
	}
	candidates = append(candidates, about...)
	for i := range candidates {
		if c := t.cases[candidates[i].ID]; c != nil {
			candidates[i] = c.change.Case
		}
	}
	for _, id := range slices.Sorted(maps.Keys(t.cases)) {
		if c := t.cases[id]; c.change.Was == 0 && c.change.Case.Topic() == f.Topic() {
			candidates = append(candidates, c.change.Case)
		}
	}
	picked := alerts.Pick(candidates, f)
	if picked == nil {
		return nil, nil
	}
	if c := t.cases[picked.ID]; c != nil {
		return c, nil
	}
	c := &batched{change: ledger.CaseChange{Case: *picked, Was: picked.Revision}}
	if c.note, err = b.note(ctx, picked.ID); err != nil {
		return nil, err
	}
	if c.lead, err = b.ledger.Finding(ctx, picked.Lead); errors.Is(err, api.ErrNotFound) {
		c.lead, err = ghost(picked), nil
	}
	if err != nil {
		return nil, err
	}
	t.cases[picked.ID] = c
	return c, nil
}

// take puts a decision into the batch.
func (d *dispatcher) take(ctx context.Context, t *batch, c *batched, row ledger.OutboxItem, decision *alerts.Decision) error {
	b, x := d.book, &c.change.Case
	x.Told, x.Held = decision.Told.Notifiers, decision.Held
	c.note.Told, c.note.Escalation = decision.Told, decision.Escalation
	c.change.Events = append(c.change.Events, decision.Events...)
	items, err := b.outbox.cards(append(slices.Clone(decision.New), decision.Edit...), x, &c.lead)
	if err != nil {
		return err
	}
	t.work.Outbox = append(t.work.Outbox, items...)
	if r := decision.Reply; r != nil {
		items, err := b.outbox.replies(r.Notify, x, r.ID, r.Case, &r.Reply)
		if err != nil {
			return err
		}
		t.work.Outbox = append(t.work.Outbox, items...)
	}
	if err := d.notices(ctx, t, decision.Notices); err != nil {
		return err
	}
	if decision.Later.IsZero() {
		t.work.Taken = append(t.work.Taken, row)
	} else {
		row.NotBefore = decision.Later
		t.work.Later = append(t.work.Later, row)
	}
	b.stand(x, &c.lead, &c.note.Told)
	return nil
}

// notices puts what is told of floods into the batch.
func (d *dispatcher) notices(ctx context.Context, t *batch, notices []alerts.FloodNotice) error {
	for _, n := range notices {
		if n.Began {
			// Before it is told: a flood that is recorded twice is better than one that
			// is not.
			if err := d.flood(ctx, n); err != nil {
				return err
			}
		}
		item, err := noticeItem(n.Notifier, n.Message, n.Revision)
		if err != nil {
			return err
		}
		t.work.Outbox = append(t.work.Outbox, item)
	}
	return nil
}

// noticeItem is the row of a message about no case. Later revisions edit the first.
func noticeItem(notifier string, m alerts.Message, revision int) (ledger.OutboxItem, error) {
	payload, err := json.Marshal(m)
	if err != nil {
		return ledger.OutboxItem{}, fmt.Errorf("write message %q: %w", m.ID, err)
	}
	item := ledger.OutboxItem{ID: notifier + "-" + m.ID, Notifier: notifier, Kind: m.Kind, Revision: revision, Payload: payload}
	if m.Notice != nil {
		item.Priority = m.Notice.Severity.Rank()
	}
	return item, nil
}

// commit makes the batch durable.
func (d *dispatcher) commit(ctx context.Context, t *batch) error {
	for _, id := range slices.Sorted(maps.Keys(t.cases)) {
		c := t.cases[id]
		note, err := json.Marshal(&c.note)
		if err != nil {
			return fmt.Errorf("write note of case %q: %w", id, err)
		}
		c.change.Note = note
		t.work.Cases = append(t.work.Cases, c.change)
	}
	state, err := json.Marshal(d.book.pipeline.State())
	if err != nil {
		return fmt.Errorf("write the pipeline's state: %w", err)
	}
	t.work.Keep = map[string][]byte{pipelineState: state}
	return d.book.ledger.Work(ctx, t.work)
}

// tick tells what is to be told of floods although no finding comes.
func (d *dispatcher) tick(ctx context.Context) error {
	b := d.book
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.pipeline.State()
	t := &batch{}
	notices := b.pipeline.Tick(b.now())
	if len(notices) == 0 {
		return nil
	}
	err := d.notices(ctx, t, notices)
	if err == nil {
		err = d.commit(ctx, t)
	}
	if err != nil {
		b.pipeline.Restore(before)
	}
	return err
}

// nudge reminds people of cases that nobody acknowledged, and calls the next ones. It is
// a regular job.
func (d *dispatcher) nudge(ctx context.Context) error {
	cases, _, err := d.book.ledger.Cases(ctx, ledger.CaseFilter{State: vigil.CaseNew, Limit: nudgedAtMost})
	if err != nil {
		return err
	}
	for i := range cases {
		if len(cases[i].Told) == 0 {
			continue
		}
		if err := d.nudgeOne(ctx, cases[i].ID); err != nil && !errors.Is(err, ledger.ErrStale) {
			return err
		}
	}
	return nil
}

func (d *dispatcher) nudgeOne(ctx context.Context, id string) error {
	b := d.book
	b.mu.Lock()
	defer b.mu.Unlock()
	c, lead, err := b.look(ctx, id)
	if errors.Is(err, api.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	note, err := b.note(ctx, id)
	if err != nil {
		return err
	}
	n := b.pipeline.Nudge(&c, &note.Told, note.Escalation, b.now())
	if n.Reply == nil {
		return nil
	}
	was := c.Revision
	c.Revision++
	c.Reminded, c.Escalated, c.Told, note.Told = n.Reminded, n.Escalated, n.Told.Notifiers, n.Told
	for i, who := range n.Reply.Reply.Call {
		if !strings.HasPrefix(who, "actor-") {
			n.Reply.Reply.Call[i] = d.called(who)
		}
	}
	t := &batch{cases: map[string]*batched{id: {change: ledger.CaseChange{Case: c, Was: was, Events: n.Events}, note: note, lead: lead}}}
	items, err := b.outbox.cards(n.Told.Notifiers, &c, &lead)
	if err != nil {
		return err
	}
	replies, err := b.outbox.replies(n.Reply.Notify, &c, n.Reply.ID, n.Reply.Case, &n.Reply.Reply)
	if err != nil {
		return err
	}
	t.work.Outbox = append(items, replies...)
	return d.commit(ctx, t)
}
