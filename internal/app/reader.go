package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/detector/rules"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

const (
	// lookAgain is how long the same look counts as one: an open page renews
	// itself every few seconds.
	lookAgain = 10 * time.Minute
	// maxLooks bounds the looks remembered for that.
	maxLooks = 4_096
	// maxEvents bounds one page of events.
	maxEvents = 1_000
)

// reader is what the console reads through. Every look at a finding or at the
// queue is recorded in the audit log before it is answered; what can't be
// recorded is not shown. It is safe for concurrent use.
type reader struct {
	app     *App
	sources sourceWatch
	spent   spentWatch

	mu    sync.Mutex
	looks map[look]time.Time
}

type look struct{ who, what, object string }

func newReader(a *App) *reader { return &reader{app: a, looks: map[look]time.Time{}} }

// record writes down that who asks looks, once for the same look within a while.
func (r *reader) record(ctx context.Context, what, object string) error {
	now := r.app.opts.Now()
	who := cmp.Or(api.PersonOf(ctx).By, "console")
	key := look{who, what, object}
	r.mu.Lock()
	last, seen := r.looks[key]
	r.mu.Unlock()
	if seen && now.Sub(last) < lookAgain {
		return nil
	}
	_, err := r.app.ledger.Audit(ctx, ledger.AuditRecord{Time: now.UTC(), Who: who, What: what, Object: object})
	if err != nil {
		return fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.looks) >= maxLooks {
		clear(r.looks)
	}
	r.looks[key] = now
	return nil
}

// Status implements api.Reader. It holds no personal data and is not recorded.
func (r *reader) Status(ctx context.Context) (api.Status, error) {
	a := r.app
	stats, err := a.ledger.Stats(ctx)
	if err != nil {
		return api.Status{}, err
	}
	engine := *a.judge().status.Load()
	out := api.Status{
		Events: engine.Events, Watermark: engine.Watermark, Lanes: apiLanes(engine.Lanes), Budget: engine.Budget,
		Quarantined: stats.Quarantined, Note: a.note(), Progress: -1,
	}
	out.Rules, out.RulesOff = rulesOff(a.judge().rules, engine.RulesFailed)
	clock := a.opts.Now()
	now := clock
	if last := newestEvent(stats.Sources); !last.IsZero() && now.Sub(last) > ofThePast {
		now = last
	}
	look, err := r.sources.get(ctx, a.ledger, clock, now)
	if err != nil {
		return api.Status{}, err
	}
	var faults map[string]string
	if a.super != nil {
		faults = a.super.faulty()
	}
	out.Sources = sourcesOf(a.conf(), stats.Sources, faults, look, now)
	if a.opts.Progress != nil {
		out.Progress = a.opts.Progress()
	}
	return out, nil
}

// rulesOff counts the rules that run and lists the others.
func rulesOff(set *rules.Set, failed []string) (running int, off []api.RuleOff) {
	add := func(r *rules.Rule, why string) {
		off = append(off, api.RuleOff{ID: r.ID, Name: r.Name, Builtin: r.Builtin, Why: why})
	}
	for _, r := range set.Off() {
		add(r, api.RuleOffByFile)
	}
	for _, id := range failed {
		if r := set.Find(id); r != nil {
			add(r, api.RuleOffByFailure)
		}
	}
	slices.SortFunc(off, func(a, b api.RuleOff) int { return strings.Compare(a.ID, b.ID) })
	return len(set.Rules()) - len(failed), off
}

// note is what the operator must know now, the worst first.
func (a *App) note() string { return strings.Join(a.notes(), " ") }

func (a *App) notes() []string {
	var notes []string
	if full := a.intake.full.Load(); full != nil {
		notes = append(notes, "Nothing is taken in: "+*full+".")
	}
	if fault := a.judge().fault.Load(); fault != nil {
		notes = append(notes, "What was judged can't be written down: "+*fault+".")
	}
	if a.super != nil {
		faults := a.super.faulty()
		for _, source := range slices.Sorted(maps.Keys(faults)) {
			notes = append(notes, fmt.Sprintf("Source %s is not read: %s.", source, faults[source]))
		}
	}
	notes = append(notes, a.feedTroubles()...)
	notes = append(notes, a.troubles.list()...)
	notes = append(notes, a.audits.notes()...)
	if text := certificateNote(a.conf().PushTLS, a.opts.Now()); text != "" {
		notes = append(notes, text)
	}
	notes = append(notes, a.identity.Notes()...)
	if a.opts.Note != nil {
		notes = append(notes, a.opts.Note())
	}
	return notes
}

// Findings implements api.Reader.
func (r *reader) Findings(ctx context.Context, f api.FindingFilter) (api.FindingPage, error) {
	if err := r.record(ctx, "findings listed", ""); err != nil {
		return api.FindingPage{}, err
	}
	page, err := r.app.desk.list(ctx, f)
	if err != nil {
		return page, err
	}
	listed := len(page.Findings)
	page.Findings = r.othersFindings(ctx, page.Findings)
	page.Total -= listed - len(page.Findings) // or the count would tell of what is not listed
	ids := make([]string, len(page.Findings))
	for i := range page.Findings {
		ids[i] = page.Findings[i].ID
	}
	page.Cases, err = r.app.ledger.CasesOf(ctx, ids)
	return page, err
}

// Finding implements api.Reader.
func (r *reader) Finding(ctx context.Context, id string) (vigil.Finding, error) {
	f, err := r.app.desk.one(ctx, id)
	if err != nil {
		return vigil.Finding{}, err
	}
	if err := r.keepOffFinding(ctx, &f); err != nil {
		return vigil.Finding{}, err
	}
	return f, r.record(ctx, "finding read", id)
}

// FindingEvents implements api.Reader.
func (r *reader) FindingEvents(ctx context.Context, id string, offset, limit int) (api.EventPage, error) {
	f, err := r.app.ledger.Finding(ctx, id)
	if err != nil {
		return api.EventPage{}, err
	}
	if err := r.keepOffFinding(ctx, &f); err != nil {
		return api.EventPage{}, err
	}
	if err := r.record(ctx, "finding's events read", id); err != nil {
		return api.EventPage{}, err
	}
	q, ok := queryOf(&f)
	if !ok {
		return api.EventPage{}, nil
	}
	q.From, q.To = eventsFrom(&f), f.End.Add(1)
	q.Offset, q.Limit = offset, min(max(limit, 0), maxEvents)
	page, err := r.app.ledger.Events(ctx, q)
	if err != nil {
		return api.EventPage{}, err
	}
	return api.EventPage{Events: page.Events, Total: page.Total, More: page.More}, nil
}

// FindingTimeline implements api.Reader.
func (r *reader) FindingTimeline(ctx context.Context, id string) (api.Timeline, error) {
	f, err := r.app.ledger.Finding(ctx, id)
	if err != nil {
		return api.Timeline{}, err
	}
	if err := r.keepOffFinding(ctx, &f); err != nil {
		return api.Timeline{}, err
	}
	if err := r.record(ctx, "finding's timeline read", id); err != nil {
		return api.Timeline{}, err
	}
	layout := newTimeline(&f)
	q, ok := queryOf(&f)
	if !ok {
		return api.Timeline{}, nil
	}
	q.From, q.To = layout.start, layout.end
	return r.app.ledger.Timeline(ctx, q, layout.bucket)
}

// beforeSilence is from when on the events of a source that fell silent are
// shown: what it told last.
const beforeSilence = time.Hour

func eventsFrom(f *vigil.Finding) time.Time {
	if f.About == vigil.AboutSource {
		return f.Start.Add(-beforeSilence)
	}
	return f.Start
}

// queryOf asks for the events of what a finding is about: an actor's, those that
// read a customer, came from a network or were told by a source; of a team those of
// the members that the finding names. It reports false when the finding names
// nothing to ask for: an empty question would be answered with everything.
func queryOf(f *vigil.Finding) (q ledger.EventQuery, ok bool) {
	switch f.About {
	case vigil.AboutSubject:
		return ledger.EventQuery{Subject: f.Subject}, f.Subject != ""
	case vigil.AboutSource:
		return ledger.EventQuery{Source: f.Source}, f.Source != ""
	case vigil.AboutNetwork:
		return ledger.EventQuery{Network: f.Network}, f.Network != ""
	case vigil.AboutTeam:
		return ledger.EventQuery{Actors: f.Actors}, len(f.Actors) > 0
	}
	return ledger.EventQuery{Actor: f.Actor, Tenant: &f.Tenant}, f.Actor != ""
}

var _ api.Reader = (*reader)(nil)
