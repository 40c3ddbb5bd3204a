package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
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
	// undecidedAtMost is how long a finding rests at most that could not be decided on.
	undecidedAtMost = 10 * time.Minute
	// floodsAtMost bounds the floods that wait to be recorded.
	floodsAtMost = 100
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

	fault  string               // what failed last, for the log
	floods []alerts.FloodNotice // began, and are not recorded yet
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
		d.record(ctx)
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
		c, lead, lerr := b.look(ctx, id)
		if lerr != nil {
			err = errors.Join(err, lerr)
			continue
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

// step decides on what is due, and reports whether there may be more. What can't be
// decided on together is decided on one by one, so that a finding that can't be decided on
// at all holds up no other.
func (d *dispatcher) step(ctx context.Context) (more bool, err error) {
	l := d.book.ledger
	rows, err := l.Due(ctx, ledger.Pipeline, d.book.now(), dispatchedAtOnce)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	more = len(rows) == dispatchedAtOnce
	if err = d.together(ctx, rows); err == nil || ctx.Err() != nil {
		return more, err
	}
	for i := range rows {
		if len(rows) > 1 {
			err = d.together(ctx, rows[i:i+1])
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err == nil {
			continue
		}
		next := d.book.now().Add(min(undecidedAtMost, dispatchPoll<<min(rows[i].Attempts, 10)))
		if err := errors.Join(err, l.Failed(ctx, rows[i], err, next, false)); errors.Is(err, ledger.ErrClosed) {
			return false, err
		}
		d.logger.Error("what is to be told of a finding can't be decided; the others go on, and it is tried again",
			"finding", fmt.Sprintf("%q", rows[i].FindingID), "at", next.UTC(), "error", err.Error())
	}
	return more, nil
}

// together decides on some revisions in one transaction.
func (d *dispatcher) together(ctx context.Context, rows []ledger.OutboxItem) (err error) {
	b := d.book
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.pipeline.State()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
			d.logger.Error("the pipeline panicked", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		}
		if err != nil {
			// What the pipeline has counted of it, and what stands by it, did not happen.
			b.pipeline.Restore(before)
			clear(b.standing)
		}
	}()
	silences, err := b.holding(ctx)
	if err != nil {
		return err
	}
	t := &batch{cases: map[string]*batched{}, of: map[string]string{}}
	for i := range rows {
		if err := d.decide(ctx, t, rows[i], silences); err != nil {
			return err
		}
	}
	return d.commit(ctx, t)
}

// decide decides on one revision of a finding.
func (d *dispatcher) decide(ctx context.Context, t *batch, row ledger.OutboxItem, silences []vigil.Silence) error {
	var f vigil.Finding
	if json.Unmarshal(row.Payload, &f) != nil {
		// The finding itself is kept apart from what waits to be told of it.
		var err error
		if f, err = d.book.ledger.Finding(ctx, row.FindingID); gone(err) {
			d.logger.Error("a finding in the outbox can't be read and is not told", "finding", fmt.Sprintf("%q", row.FindingID))
			t.work.Taken = append(t.work.Taken, row)
			return nil
		} else if err != nil {
			return err
		}
		f.SubjectIDs = nil // as in the outbox
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
	c, belongs, err := d.known(ctx, t, f, now)
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
	members := c.note.Members
	if belongs {
		members = c.note.with(alerts.MemberOf(f))
	} else {
		c.change.Join = append(c.change.Join, f.ID)
	}
	next, events := alerts.Join(&c.change.Case, members, f, now)
	c.change.Case, c.change.Events = next, append(c.change.Events, events...)
	c.note.take(alerts.MemberOf(f))
	t.of[f.ID] = next.ID
	switch {
	case next.Lead == f.ID:
		c.lead = *f
	case next.Lead != c.lead.ID:
		c.lead, err = leadOf(ctx, d.book.ledger, &next)
	}
	return c, err
}

// known returns the case that a finding belongs to already, or that it joins; nil for
// none: as the batch has it, else as the ledger has.
func (d *dispatcher) known(ctx context.Context, t *batch, f *vigil.Finding, now time.Time) (c *batched, belongs bool, err error) {
	b := d.book
	if id, ok := t.of[f.ID]; ok {
		return t.cases[id], true, nil
	}
	own, err := b.ledger.CaseOf(ctx, f.ID)
	var damage *ledger.CorruptError
	switch {
	case err == nil:
		c, err = d.into(ctx, t, &own)
		return c, true, err
	case errors.As(err, &damage) && own.ID != "":
		c, err = d.anew(ctx, t, &own, f, now)
		return c, true, err
	case !errors.Is(err, api.ErrNotFound):
		return nil, false, err
	}
	candidates, err := b.ledger.CasesAbout(ctx, f.Topic(), candidateCases)
	if err != nil {
		return nil, false, err
	}
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
		return nil, false, nil
	}
	c, err = d.into(ctx, t, picked)
	return c, false, err
}

// into takes a case into the batch, unless it is there already.
func (d *dispatcher) into(ctx context.Context, t *batch, k *vigil.Case) (c *batched, err error) {
	if c := t.cases[k.ID]; c != nil {
		return c, nil
	}
	c = &batched{change: ledger.CaseChange{Case: *k, Was: k.Revision}}
	if c.note, err = d.book.note(ctx, k.ID); err != nil {
		return nil, err
	}
	if c.lead, err = leadOf(ctx, d.book.ledger, k); err != nil {
		return nil, err
	}
	t.cases[k.ID] = c
	return c, nil
}

// anew begins a case that is damaged a second time, out of one of its findings: under its
// id and after its revision, so that its cards are edited. The 72-hour clock outlives it.
func (d *dispatcher) anew(ctx context.Context, t *batch, damaged *vigil.Case, f *vigil.Finding, now time.Time) (*batched, error) {
	if c := t.cases[damaged.ID]; c != nil {
		return c, nil
	}
	d.logger.Error("a case is damaged and begins anew", "case", damaged.ID)
	k, _ := alerts.Join(nil, nil, f, now)
	k.ID, k.Revision = damaged.ID, damaged.Revision
	events, err := d.book.ledger.CaseEvents(ctx, k.ID, 0, anewEvents)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if e.Kind == vigil.CaseAware {
			k.Aware = &vigil.Mark{By: e.By, Time: e.Time}
		}
	}
	return d.into(ctx, t, &k)
}

// anewEvents bounds the lines of a timeline that are looked through for the clock.
const anewEvents = 10_000

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
		if n.Began && len(d.floods) < floodsAtMost {
			// Before it is told: a flood that is recorded twice is better than one that
			// is not.
			d.floods = append(d.floods, n)
			d.record(ctx)
		}
		item, err := noticeItem(n.Notifier, n.Message, n.Revision)
		if err != nil {
			return err
		}
		t.work.Outbox = append(t.work.Outbox, item)
	}
	return nil
}

// record writes down which floods began. The log takes nothing while the disk is nearly
// full: that keeps nobody from being told.
func (d *dispatcher) record(ctx context.Context) {
	for len(d.floods) > 0 {
		if err := d.flood(ctx, d.floods[0]); err != nil {
			return // intake says so
		}
		d.floods = d.floods[1:]
	}
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
	var errs []error
	for i := range cases {
		if len(cases[i].Told) == 0 {
			continue
		}
		if err := d.nudgeOne(ctx, cases[i].ID); err != nil {
			errs = append(errs, fmt.Errorf("remind of case %q: %w", cases[i].ID, err))
		}
	}
	return errors.Join(errs...)
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
	t.work.Outbox = slices.Concat(items, replies)
	return d.commit(ctx, t)
}
