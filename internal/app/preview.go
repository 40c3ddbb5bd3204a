package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigil"
	"vigil/detector/rules"
	"vigil/internal/ledger"
)

// The bounds of a preview: whom it counts, and whom it names.
const (
	maxPreviewed = 1_000_000
	topPreviewed = 10
)

// Preview is what a rule would have found in a history.
type Preview struct {
	Rule string `json:"rule"`
	// Events is how many accesses were looked at, by Actors, on Days days (UTC).
	Events int64 `json:"events"`
	Actors int   `json:"actors"`
	Days   int   `json:"days"`
	// Hits is on how many the rule fired, of HitActors, on HitDays, and Findings what it
	// would have told, at least.
	Hits      int64 `json:"hits"`
	HitActors int   `json:"hit_actors"`
	HitDays   int   `json:"hit_days"`
	Findings  int   `json:"findings"`
	// PerDay is findings by day, Budget how many false ones people accept.
	PerDay float64 `json:"per_day"`
	Budget float64 `json:"budget"`
	// Failed counts accesses on which the condition could not be judged, Failure says
	// why.
	Failed  int64  `json:"failed,omitempty"`
	Failure string `json:"failure,omitempty"`
	// Top are the actors that were hit most.
	Top []PreviewActor `json:"top"`
	// Warnings say what to think about before the rule goes live.
	Warnings []string `json:"warnings,omitempty"`
}

// PreviewActor is one actor in a preview.
type PreviewActor struct {
	Tenant string          `json:"tenant,omitempty"`
	Actor  string          `json:"actor"`
	Kind   vigil.ActorKind `json:"actor_kind,omitempty"`
	Hits   int64           `json:"hits"`
	First  time.Time       `json:"first"`
	Last   time.Time       `json:"last"`
}

// previewer runs one rule over events.
type previewer struct {
	rule    *rules.Rule
	watch   *rules.Watch
	out     Preview
	actors  map[[2]string]struct{}
	days    map[int64]struct{}
	hitDays map[int64]struct{}
	hits    map[[2]string]*PreviewActor
	told    map[[3]string]struct{}
	offices map[string]struct{}
}

func newPreviewer(r *rules.Rule) *previewer {
	running := *r
	running.Disabled = false
	return &previewer{
		rule: r, watch: rules.New([]*rules.Rule{&running}).Watch(nil), out: Preview{Rule: r.ID}, actors: map[[2]string]struct{}{}, days: map[int64]struct{}{},
		hitDays: map[int64]struct{}{}, hits: map[[2]string]*PreviewActor{}, told: map[[3]string]struct{}{}, offices: map[string]struct{}{},
	}
}

func (p *previewer) add(e *vigil.Event) {
	const day = 24 * time.Hour
	who := [2]string{e.Actor.Tenant, e.Actor.ID}
	p.out.Events++
	remember(p.actors, who)
	remember(p.days, e.Time.UnixNano()/int64(day))
	if e.Actor.Kind == vigil.KindHuman || e.Actor.Kind == vigil.KindAdmin {
		remember(p.offices, e.Network)
	}
	_, people := p.offices[e.Network]
	for _, h := range p.watch.Check(e, &rules.Known{PeopleNetwork: people && e.Network != ""}) {
		p.out.Hits++
		remember(p.hitDays, e.Time.UnixNano()/int64(day))
		remember(p.told, [3]string{who[0], who[1], h.Key})
		a := p.hits[who]
		if a == nil {
			if len(p.hits) >= maxPreviewed {
				continue
			}
			a = &PreviewActor{Tenant: who[0], Actor: who[1], Kind: e.Actor.Kind, First: e.Time}
			p.hits[who] = a
		}
		a.Hits++
		a.Last = e.Time
	}
}

// remember puts a key into a set that is bounded.
func remember[K comparable](set map[K]struct{}, k K) {
	if len(set) < maxPreviewed {
		set[k] = struct{}{}
	}
}

func (p *previewer) result(budget float64) *Preview {
	out := &p.out
	out.Actors, out.Days, out.HitActors, out.HitDays, out.Findings = len(p.actors), len(p.days), len(p.hits), len(p.hitDays), len(p.told)
	if out.Budget = budget; budget == 0 {
		out.Budget = max(float64(out.Actors)/1000, 1.0/30)
	}
	out.PerDay = float64(out.Findings) / float64(max(1, out.Days))
	for _, f := range p.watch.Failures() {
		out.Failed, out.Failure = f.Events, f.Message
	}
	for _, a := range p.hits {
		out.Top = append(out.Top, *a)
	}
	slices.SortFunc(out.Top, func(a, b PreviewActor) int {
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
	if len(p.rule.Needs()) > 0 {
		warn("the rule asks what feeds say (see vigil rules list); a preview knows none, so there it fires less")
	}
}

// PreviewFiles runs a rule over log files. Budget zero is the default.
func PreviewFiles(ctx context.Context, r *rules.Rule, in Input, budget float64) (*Preview, error) {
	p := newPreviewer(r)
	if _, err := in.each(ctx, func(events []*vigil.Event) error {
		for _, e := range events {
			p.add(e)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return p.result(budget), nil
}

// previewEntries is how many entries of the ledger are read at once.
const previewEntries = 64

// PreviewLedger runs a rule over what a stopped service has kept in its data folder.
func PreviewLedger(ctx context.Context, r *rules.Rule, dataDir string, budget float64) (out *Preview, err error) {
	l, err := ledger.Open(ctx, ledger.Config{Dir: dataDir, Retention: forever, FindingRetention: forever, RollupRetention: forever}, ledger.Options{})
	var locked *ledger.LockedError
	if errors.As(err, &locked) {
		return nil, fmt.Errorf("%w; stop vigil serve, or preview over logs with --input", err)
	}
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
	for seq := stats.Cut; ; {
		entries, err := l.Entries(ctx, seq, previewEntries)
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			return p.result(budget), nil
		}
		for i := range entries {
			seq = entries[i].Seq
			for _, e := range entries[i].Events {
				p.add(e)
			}
		}
	}
}
