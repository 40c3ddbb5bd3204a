package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/detector"
	"vigil/detector/rules"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

// The bounds of a preview: whom it counts, and whom it names.
const (
	maxPreviewed = 1_000_000
	topPreviewed = 10
)

// previewer runs one rule over a log.
type previewer struct {
	rule    *rules.Rule
	trial   *detector.Trial
	out     api.RulePreview
	actors  map[[2]string]struct{}
	days    map[int64]struct{}
	hitDays map[int64]struct{}
	hits    map[[2]string]*api.PreviewActor
	told    map[[3]string]struct{}
	// assumed says where from what feeds told before the log's beginning is known; empty
	// where it begins with its first entry. pruned says that a part went meanwhile.
	assumed string
	pruned  bool
	// from and to bound what is counted, the second excluded; zero for no bound. What lies
	// before is looked at, since rules ask what was before.
	from, to time.Time
}

func newPreviewer(r *rules.Rule) *previewer {
	running := *r
	running.Disabled = false
	p := &previewer{
		rule: r, out: api.RulePreview{Rule: r.ID}, actors: map[[2]string]struct{}{}, days: map[int64]struct{}{},
		hitDays: map[int64]struct{}{}, hits: map[[2]string]*api.PreviewActor{}, told: map[[3]string]struct{}{},
	}
	p.trial = detector.NewTrial(rules.New([]*rules.Rule{&running}), detector.TrialOptions{Each: p.event, Hit: p.hit})
	return p
}

// dayOf numbers the day (UTC) of an event.
func dayOf(e *vigil.Event) int64 { return e.Time.UnixNano() / int64(24*time.Hour) }

// counts reports whether an event is in the time that is counted.
func (p *previewer) counts(e *vigil.Event) bool {
	return !e.Time.Before(p.from) && (p.to.IsZero() || e.Time.Before(p.to))
}

func (p *previewer) event(e *vigil.Event) {
	if !p.counts(e) {
		return
	}
	p.out.Events++
	remember(p.actors, [2]string{e.Actor.Tenant, e.Actor.ID})
	remember(p.days, dayOf(e))
}

func (p *previewer) hit(e *vigil.Event, h rules.Hit) {
	if !p.counts(e) {
		return
	}
	who := [2]string{e.Actor.Tenant, e.Actor.ID}
	p.out.Hits++
	remember(p.hitDays, dayOf(e))
	remember(p.told, [3]string{who[0], who[1], h.Key})
	a := p.hits[who]
	if a == nil {
		if len(p.hits) >= maxPreviewed {
			return
		}
		a = &api.PreviewActor{Tenant: who[0], Actor: who[1], Kind: e.Actor.Kind, First: e.Time, Last: e.Time}
		p.hits[who] = a
	}
	a.Hits++
	if e.Time.Before(a.First) {
		a.First = e.Time
	}
	if e.Time.After(a.Last) {
		a.Last = e.Time
	}
}

// remember puts a key into a set that is bounded.
func remember[K comparable](set map[K]struct{}, k K) {
	if len(set) < maxPreviewed {
		set[k] = struct{}{}
	}
}

func (p *previewer) result(budget float64) *api.RulePreview {
	p.trial.Finish()
	out := &p.out
	out.Actors, out.Days, out.HitActors, out.HitDays, out.Findings = len(p.actors), len(p.days), len(p.hits), len(p.hitDays), len(p.told)
	if out.Budget = budget; budget == 0 {
		out.Budget = max(float64(out.Actors)/1000, 1.0/30)
	}
	out.PerDay = float64(out.Findings) / float64(max(1, out.Days))
	for _, f := range p.trial.Failures() {
		out.Failed, out.Failure = f.Events, f.Message
	}
	for _, a := range p.hits {
		out.Top = append(out.Top, *a)
	}
	slices.SortFunc(out.Top, func(a, b api.PreviewActor) int {
		return cmp.Or(cmp.Compare(b.Hits, a.Hits), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Actor, b.Actor))
	})
	out.Top = out.Top[:min(len(out.Top), topPreviewed)]
	p.warn()
	return out
}

func (p *previewer) warn() {
	out := &p.out
	warn := func(format string, args ...any) { out.Warnings = append(out.Warnings, fmt.Sprintf(format, args...)) }
	if out.Failed > 0 {
		warn("the condition can't be judged on %d accesses (%s); a rule that fails on 100 is switched off", out.Failed, out.Failure)
	}
	if out.Events > 0 && out.Hits*10 > out.Events {
		warn("the rule fires on %.0f of 100 accesses: that is what is usual here, not a breach; narrow when, or say unless", 100*float64(out.Hits)/float64(out.Events))
	}
	if out.PerDay > out.Budget {
		warn("it would tell %.3g a day; the budget is %.3g false findings a day for all that is judged", out.PerDay, out.Budget)
	}
	told := p.trial.Told()
	for _, kinds := range p.rule.Needs() {
		if !slices.ContainsFunc(kinds, func(k string) bool { return slices.Contains(told, vigil.FactKind(k)) }) {
			warn("the rule asks feeds of %s, and none told anything in this history: there it fires less; see --feed", strings.Join(kinds, " or "))
		}
	}
	if p.assumed != "" && len(p.rule.Needs()) > 0 {
		warn("%s", p.assumed)
	}
	if p.pruned {
		warn("a part of the log went past its retention while it was read")
	}
	if n := p.trial.Unread(); n > 0 {
		warn("%d control records of the log can't be read and are left out", n)
	}
}

// PreviewFiles runs a rule over log files, with what the input's feeds tell. Budget zero
// is the default.
func PreviewFiles(ctx context.Context, r *rules.Rule, in Input, budget float64) (*api.RulePreview, error) {
	p := newPreviewer(r)
	if _, err := in.entries(ctx, p.trial.Fold); err != nil {
		return nil, err
	}
	return p.result(budget), nil
}

// previewEntries is how many entries of the ledger are read at once.
const previewEntries = 64

// PreviewLedger runs a rule over what a service has kept in its data folder, with what
// its feeds told, up to the newest entry by now. The service may run meanwhile.
func PreviewLedger(ctx context.Context, r *rules.Rule, dataDir string, budget float64) (out *api.RulePreview, err error) {
	cfg := ledger.Config{Dir: dataDir, Retention: forever, FindingRetention: forever, RollupRetention: forever}
	l, err := ledger.OpenReader(ctx, cfg, ledger.Options{})
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := l.Close(); err == nil && cerr != nil {
			err = cerr
		}
	}()
	stats, err := l.Stats(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the log: %w", err)
	}
	p := newPreviewer(r)
	if err := p.overLedger(ctx, l, stats, nil); err != nil {
		return nil, err
	}
	return p.result(budget), nil
}

// overLedger runs the rule over what a ledger holds. progress gets how much is done, 0 to
// 1; nil for none.
func (p *previewer) overLedger(ctx context.Context, l *ledger.Ledger, stats ledger.Stats, progress func(float64)) error {
	seq := stats.Cut
	if seq > 0 {
		if err := p.assume(ctx, l); err != nil {
			return err
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := l.Entries(ctx, seq, previewEntries)
		if err != nil {
			// The service may have let the log's beginning go meanwhile.
			if now, serr := l.Stats(ctx); serr == nil && now.Cut > seq {
				p.pruned = true
				seq = now.Cut
				continue
			}
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		if progress != nil && stats.Applied > stats.Cut {
			progress(min(1, float64(seq-stats.Cut)/float64(stats.Applied-stats.Cut)))
		}
		for i := range entries {
			seq = entries[i].Seq
			if err := p.trial.Fold(&entries[i]); err != nil {
				return err
			}
		}
	}
}

// assume takes what feeds told before the log's beginning from the newest snapshot.
func (p *previewer) assume(ctx context.Context, l *ledger.Ledger) error {
	s, ok, err := l.LoadSnapshot(ctx)
	var damaged *ledger.CorruptError
	switch {
	case errors.As(err, &damaged), errors.Is(err, ledger.ErrReadOnly): // a damaged one is the service's to mend
	case err != nil:
		return fmt.Errorf("load snapshot: %w", err)
	}
	if ok && err == nil {
		parts := make([]detector.Part, len(s.Parts))
		for i, part := range s.Parts {
			parts[i] = detector.Part(part)
		}
		if p.trial.Assume(parts) == nil {
			p.assumed = assumedFacts
			return nil
		}
	}
	p.assumed = noFacts
	return nil
}

// What is known of feeds where the log's beginning is gone.
const (
	assumedFacts = "the log's beginning is past its retention: what feeds had told by then is taken as it stood at the last snapshot"
	noFacts      = "the log's beginning is past its retention, and no snapshot tells what feeds had told by then: there the rule may fire less"
)
