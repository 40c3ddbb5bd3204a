package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// casebook is where cases change, by what the detector finds (see dispatch.go) and by what
// people do: one change at a time, each with what is told of it in one transaction. It is
// safe for concurrent use.
type casebook struct {
	ledger *ledger.Ledger
	outbox *outbox
	now    func() time.Time

	// mu is held from the reading of a case until its change is durable. It guards what
	// follows.
	mu       sync.Mutex
	pipeline *alerts.Pipeline
	// standing are the cases that were told within a day and are not resolved, by id.
	standing map[string]alerts.Standing
}

func newCasebook(l *ledger.Ledger, o *outbox, now func() time.Time) *casebook {
	return &casebook{ledger: l, outbox: o, now: now, standing: map[string]alerts.Standing{}}
}

// caseNote is what the pipeline remembers of a case.
type caseNote struct {
	Told       alerts.Told     `json:"told"`
	Escalation string          `json:"escalation,omitempty"`
	Members    []alerts.Member `json:"members,omitempty"`
}

// take remembers a member as it is now. When there are too many, the mildest is forgotten.
func (n *caseNote) take(m alerts.Member) {
	if i := n.index(m.ID); i >= 0 {
		n.Members[i] = m
	} else if len(n.Members) < vigil.MaxCaseFindings {
		n.Members = append(n.Members, m)
	} else if i := n.mildest(); n.Members[i].Compare(m) < 0 {
		n.Members[i] = m
	}
}

// with are the members, and among them one that belongs to the case and may have been
// forgotten: it was no graver than the mildest who is remembered.
func (n *caseNote) with(m alerts.Member) []alerts.Member {
	if len(n.Members) == 0 || n.index(m.ID) >= 0 {
		return n.Members
	}
	if mildest := n.Members[n.mildest()]; mildest.Compare(m) < 0 {
		m.Severity, m.Harm = mildest.Severity, mildest.Harm
	}
	return append(slices.Clip(n.Members), m)
}

func (n *caseNote) index(id string) int {
	return slices.IndexFunc(n.Members, func(m alerts.Member) bool { return m.ID == id })
}

func (n *caseNote) mildest() (at int) {
	for i := range n.Members {
		if n.Members[i].Compare(n.Members[at]) < 0 {
			at = i
		}
	}
	return at
}

// note reads what is remembered of a case. A damaged note is one that remembers nothing:
// the case is then told once more.
func (b *casebook) note(ctx context.Context, id string) (caseNote, error) {
	var n caseNote
	data, err := b.ledger.CaseNote(ctx, id)
	if err != nil || len(data) == 0 {
		return n, err
	}
	if json.Unmarshal(data, &n) != nil {
		return caseNote{}, nil
	}
	return n, nil
}

// deed is what somebody does to a case, for the records.
type deed struct {
	// id is the same when the same deed is asked for twice; empty where it can't be.
	id string
	by string
	// what is for the audit log.
	what string
	// seen is the revision that they looked at, 0 where it is not known.
	seen int
}

// stale is the error of a deed on a case that a person has changed since who does it
// looked at it, nil where nobody has. What the detector changes is no reason.
func (d deed) stale(c *vigil.Case) error {
	if d.seen <= 0 || c.Touched == nil || c.Touched.Revision <= d.seen {
		return nil
	}
	return fmt.Errorf("%w: %w", api.ErrStale, api.NewProblem(http.StatusConflict, "This case was changed while you looked at it",
		fmt.Sprintf("%s did so on %s. Nothing of yours was done: look at the case again, and send it once more if it is still right.", c.Touched.By, alerts.Moment(c.Touched.Time))))
}

// change is what becomes of a case.
type change struct {
	events  []vigil.CaseEvent
	replies []alerts.Reply
	// notices are notifications that change with it.
	notices []vigil.Notice
}

// note is a change by one event of the timeline, which is also told below the card.
func (d deed) note(now time.Time, kind vigil.CaseEventKind, text string) change {
	return change{
		events:  []vigil.CaseEvent{{Time: now, By: d.by, Kind: kind, Text: text}},
		replies: []alerts.Reply{{Kind: kind, Time: now, By: d.by, Text: text}},
	}
}

// change lets fn change a case, and keeps it with its audit record. It returns the case
// as it is then and its lead. A deed that was done before changes nothing and is no error.
func (b *casebook) change(ctx context.Context, id string, d deed, fn func(c *vigil.Case, lead *vigil.Finding) (change, error)) (c vigil.Case, lead vigil.Finding, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, lead, err = b.look(ctx, id); err != nil {
		return c, lead, err
	}
	note, err := b.note(ctx, id)
	if err != nil {
		return c, lead, err
	}
	if err := d.stale(&c); err != nil {
		if done, derr := b.ledger.Did(ctx, d.id); done || derr != nil {
			return c, lead, derr // the same deed came twice at once: it is what has changed
		}
		return c, lead, err
	}
	was := c.Revision
	next := c
	ch, err := fn(&next, &lead)
	if err != nil {
		return c, lead, err
	}
	next.Revision++
	next.Touched = &vigil.Touch{Mark: vigil.Mark{By: d.by, Time: b.now().UTC().Round(0)}, Revision: next.Revision}
	decision := b.pipeline.Edit(alerts.Input{Finding: &lead, Case: &next, Told: &note.Told, Now: b.now()})
	note.Told = decision.Told
	work := ledger.Casework{
		Deed:    d.id,
		Notices: ch.notices,
		Audit:   []ledger.AuditRecord{{Time: b.now().UTC(), Who: d.by, What: d.what, Object: "case " + id}},
	}
	cc := ledger.CaseChange{Case: next, Was: was, Events: ch.events}
	if cc.Note, err = json.Marshal(note); err != nil {
		return c, lead, fmt.Errorf("write note of case %q: %w", id, err)
	}
	work.Cases = []ledger.CaseChange{cc}
	if work.Outbox, err = b.outbox.cards(decision.Edit, &next, &lead); err != nil {
		return c, lead, err
	}
	for i := range ch.replies {
		items, err := b.outbox.replies(note.Told.Notifiers, &next, fmt.Sprintf("%s-%d-%d", id, next.Revision, i), id, &ch.replies[i])
		if err != nil {
			return c, lead, err
		}
		work.Outbox = append(work.Outbox, items...)
	}
	switch err := b.ledger.Work(ctx, work); {
	case errors.Is(err, ledger.ErrDone):
		return c, lead, nil
	case err != nil:
		return c, lead, err
	}
	b.stand(&next, &lead, &note.Told)
	return next, lead, nil
}

// look reads a case and its lead.
func (b *casebook) look(ctx context.Context, id string) (vigil.Case, vigil.Finding, error) {
	c, err := b.ledger.Case(ctx, id)
	if err != nil {
		return c, vigil.Finding{}, err
	}
	lead, err := leadOf(ctx, b.ledger, &c)
	return c, lead, err
}

// leadOf reads the finding that speaks for a case. The case itself tells the most of one
// that is past its retention, or damaged.
func leadOf(ctx context.Context, l *ledger.Ledger, c *vigil.Case) (vigil.Finding, error) {
	f, err := l.Finding(ctx, c.Lead)
	if gone(err) {
		return ghost(c), nil
	}
	return f, err
}

// gone reports whether what was to be read is not there, or can't be read ever again.
func gone(err error) bool {
	var damage *ledger.CorruptError
	return errors.Is(err, api.ErrNotFound) || errors.As(err, &damage)
}

// holding are the silences that hold now. It needs mu.
func (b *casebook) holding(ctx context.Context) ([]vigil.Silence, error) {
	all, err := b.ledger.Silences(ctx)
	now := b.now()
	return slices.DeleteFunc(all, func(s vigil.Silence) bool { return !s.Holds(now) }), err
}

// keep makes casework durable between two decisions, such as a silence: none is made by
// what was before and kept after it.
func (b *casebook) keep(ctx context.Context, w ledger.Casework) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ledger.Work(ctx, w)
}

// ghost stands for a lead that is not kept any more.
func ghost(c *vigil.Case) vigil.Finding {
	return vigil.Finding{
		ID: c.Lead, State: vigil.StateClosed, About: c.About, Actor: c.Actor, ActorKind: c.ActorKind, Role: c.Role, Team: c.Team, Tenant: c.Tenant,
		Subject: c.Subject, Source: c.Source, Network: c.Network, Start: c.Start, End: c.End, Severity: c.Severity,
		Sentence: "The finding of this case is no longer kept.", Subjects: vigil.Unknown, Rows: vigil.Unknown, Conversations: vigil.Unknown,
	}
}

// judged follows a verdict that was given on a finding by itself: the lead's is the
// case's.
func (b *casebook) judged(ctx context.Context, v vigil.Verdict) error {
	c, err := b.ledger.CaseOf(ctx, v.Finding)
	if errors.Is(err, api.ErrNotFound) {
		return nil
	}
	if err != nil || c.Lead != v.Finding {
		return err
	}
	d, now := deed{by: v.By, what: "case follows verdict"}, b.now().UTC().Round(0)
	_, _, err = b.change(ctx, c.ID, d, func(c *vigil.Case, _ *vigil.Finding) (change, error) {
		if c.Lead != v.Finding {
			return change{}, errOutdone
		}
		if v.Undone() {
			c.Word, c.State = "", vigil.CaseAcknowledged
			return d.note(now, vigil.CaseReopened, "took the verdict back"), nil
		}
		resolve(c, d, v.Word, now)
		return d.note(now, vigil.CaseJudged, "judged it: "+string(v.Word)), nil
	})
	if errors.Is(err, errOutdone) {
		return nil
	}
	return err
}

// errOutdone is of a verdict on a finding that has ceased to lead its case.
var errOutdone = errors.New("a graver finding leads the case")

// stand notes a case among those that were told, for what it may inhibit.
func (b *casebook) stand(c *vigil.Case, lead *vigil.Finding, told *alerts.Told) {
	if c.State == vigil.CaseResolved || len(told.Notifiers) == 0 {
		delete(b.standing, c.ID)
		return
	}
	if len(b.standing) >= maxStanding {
		clear(b.standing) // only spares messages: without it more is told
	}
	short := *lead
	short.SubjectIDs, short.Contributions = nil, slices.Clone(lead.Contributions[:min(len(lead.Contributions), 2)])
	b.standing[c.ID] = alerts.Standing{Case: *c, Lead: &short, Told: *told}
}

// maxStanding bounds the cases that are remembered for what they inhibit.
const maxStanding = 20_000

// Told implements alerts.Cases. It needs mu.
func (b *casebook) Told(since time.Time) []alerts.Standing {
	var out []alerts.Standing
	for id, s := range b.standing {
		if s.Told.At.Before(since) {
			delete(b.standing, id)
			continue
		}
		out = append(out, s)
	}
	return out
}

// cardOf is the message of a case's card.
func cardOf(c *vigil.Case, lead *vigil.Finding) alerts.Message {
	f := *lead
	f.SubjectIDs = nil // cards count subjects and never list them
	return alerts.Message{ID: fmt.Sprintf("%s-%d", c.ID, c.Revision), Kind: alerts.KindCase, Case: c, Finding: &f, Link: findingPath(f.ID)}
}

// cards makes the rows of a case's card for some notifiers.
func (o *outbox) cards(notifiers []string, c *vigil.Case, lead *vigil.Finding) ([]ledger.OutboxItem, error) {
	// One that is no longer configured keeps the card that it has.
	there := o.told()
	notifiers = slices.DeleteFunc(slices.Clone(notifiers), func(n string) bool { return !slices.Contains(there, n) })
	if len(notifiers) == 0 {
		return nil, nil
	}
	payload, err := json.Marshal(cardOf(c, lead))
	if err != nil {
		return nil, fmt.Errorf("write message of case %q: %w", c.ID, err)
	}
	var items []ledger.OutboxItem
	for _, n := range notifiers {
		items = append(items, ledger.OutboxItem{
			ID: fmt.Sprintf("%s-%s-%d", n, c.ID, c.Revision), Notifier: n, Kind: alerts.KindCase,
			Case: c.ID, Revision: c.Revision, Priority: c.Severity.Rank(), Payload: payload,
		})
	}
	return items, nil
}

// replies makes the rows of a reply below the card of a case, for those notifiers that
// thread. about is the case that it is of.
func (o *outbox) replies(notifiers []string, about *vigil.Case, id, card string, r *alerts.Reply) ([]ledger.OutboxItem, error) {
	payload, err := json.Marshal(alerts.Message{ID: id, Kind: alerts.KindReply, Case: about, Reply: r, Link: findingPath(about.Lead)})
	if err != nil {
		return nil, fmt.Errorf("write reply %q: %w", id, err)
	}
	var items []ledger.OutboxItem
	for _, n := range notifiers {
		if !o.threads(n) {
			continue
		}
		items = append(items, ledger.OutboxItem{
			ID: n + "-" + id, Notifier: n, Kind: alerts.KindReply, ReplyTo: card, Priority: about.Severity.Rank(), Payload: payload,
		})
	}
	return items, nil
}
