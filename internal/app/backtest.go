package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vigil"
	"vigil/detector"
	"vigil/detector/rules"
	"vigil/internal/api"
	"vigil/internal/backtest"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// backtestFindings bounds the live findings that a back-test compares with.
const backtestFindings = 50_000

// replayedDays is the time that is judged again where none is named.
const replayedDays = 30 * 24 * time.Hour

// BacktestOptions says what is judged again.
type BacktestOptions struct {
	// From and To bound when the compared findings were declared, the second excluded. Zero
	// means up to the newest event, and 30 days before To.
	From, To time.Time
	// Other is the configuration to judge with; nil means the live one.
	Other *config.Config
	// Budget is the false findings a day to judge with; nil means what was live, or Other's
	// where that is another.
	Budget *float64
	// Without are ids of rules that are left out.
	Without []string
	// Rules are to judge; nil means those of Other, or those in force.
	Rules *rules.Set
	// Workers is how many goroutines judge; zero means as many as there are cores. The
	// report does not depend on it.
	Workers int
	// Progress gets how much is done, 0 to 1; nil for none.
	Progress func(done float64)
}

// Backtest judges what a service has kept in its data folder again, and holds it against
// what it told then. It reads beside the service, takes nothing and changes nothing.
func Backtest(ctx context.Context, cfg *config.Config, opts BacktestOptions) (r *api.ReplayReport, err error) {
	l, err := ledger.OpenReader(ctx, ledgerConfig(cfg), ledger.Options{})
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := l.Close(); err == nil && cerr != nil {
			err = cerr
		}
	}()
	h := &history{ledger: l}
	if err := h.span(ctx, &opts); err != nil {
		return nil, err
	}
	t := backtest.Task{From: opts.From, To: opts.To, Workers: opts.Workers, Progress: opts.Progress}
	used, unused, err := h.setting(ctx, &t, cfg, &opts)
	if err != nil {
		return nil, err
	}
	if err := h.live(ctx, &t); err != nil {
		return nil, err
	}
	if err := h.beginning(ctx, &t); err != nil {
		return nil, err
	}
	if t.Judged, err = l.Judged(ctx, judgedAtMost); err != nil {
		return nil, err
	}
	if r, err = backtest.Run(ctx, h, t); err != nil {
		return nil, err
	}
	r.Used, r.Unused = used, unused
	r.Warnings = append(r.Warnings, h.warnings...)
	return r, nil
}

// history is the log of a data folder, and what must be known of it.
type history struct {
	ledger   *ledger.Ledger
	stats    ledger.Stats
	warnings []string
	damaged  int
}

func (h *history) warn(format string, args ...any) {
	h.warnings = append(h.warnings, fmt.Sprintf(format, args...))
}

var errNothingKept = errors.New("no event has been kept yet, so there is nothing to judge again")

// span settles the time that is judged again.
func (h *history) span(ctx context.Context, opts *BacktestOptions) (err error) {
	if h.stats, err = h.ledger.Stats(ctx); err != nil {
		return fmt.Errorf("look at the log: %w", err)
	}
	if opts.To.IsZero() {
		newest := newestEvent(h.stats.Sources)
		if newest.IsZero() {
			return errNothingKept
		}
		opts.To = newest.UTC().Truncate(time.Second).Add(time.Second)
	}
	if opts.From.IsZero() {
		opts.From = opts.To.Add(-replayedDays)
	}
	if !opts.From.Before(opts.To) {
		return fmt.Errorf("the time to judge again ends %s and begins %s: name an end that is later", opts.To.UTC().Format(time.DateTime), opts.From.UTC().Format(time.DateTime))
	}
	return nil
}

// setting fills in by what is judged, and tells which differences from the live setting
// are used and which are not.
func (h *history) setting(ctx context.Context, t *backtest.Task, cfg *config.Config, opts *BacktestOptions) (used, unused []string, err error) {
	other := opts.Other
	if other == nil {
		other = cfg
	}
	live, unkept, err := rulesToJudge(ctx, h.ledger, cfg)
	if err != nil {
		return nil, nil, err
	}
	if unkept != nil {
		h.warn("the rules that two people agreed on can't be had, the configuration's judge instead: %s", unkept)
	}
	set := live
	if opts.Other != nil {
		var wrong []config.Problem
		if set, wrong = LoadRules(other.Rules); len(wrong) > 0 {
			return nil, nil, &config.Error{Problems: wrong}
		}
	}
	set = cmp.Or(opts.Rules, set)
	if set, err = without(set, opts.Without); err != nil {
		return nil, nil, err
	}
	t.Rules = set
	t.Detector = detector.Config{Budget: other.Budget, MaxActors: other.MaxActors, MaxCold: other.MaxCold}
	t.OwnBudget = opts.Budget != nil || other.Budget != cfg.Budget
	if opts.Budget != nil {
		t.Detector.Budget = *opts.Budget
	}
	if t.OwnBudget {
		used = append(used, "budget")
	}
	if other.MaxActors != cfg.MaxActors || other.MaxCold != cfg.MaxCold {
		used = append(used, "max_actors")
	}
	if _, differ := vigil.NewRulesChange(live.Marks(), set.Marks()); differ || len(opts.Without) > 0 {
		used = append(used, "rules")
	}
	t.Changed = len(used) > 0
	for _, name := range differing(cfg, other, false) {
		if !slices.Contains([]string{"budget", "max_actors", "rules"}, name) {
			unused = append(unused, name)
		}
	}
	return used, unused, nil
}

// without leaves rules out of a set.
func without(set *rules.Set, ids []string) (*rules.Set, error) {
	if len(ids) == 0 {
		return set, nil
	}
	for _, id := range ids {
		if set.Find(id) == nil {
			return nil, fmt.Errorf("there is no rule %q to leave out; vigil rules list shows them", id)
		}
	}
	var left []*rules.Rule
	for _, r := range set.Rules() {
		if !slices.Contains(ids, r.ID) {
			left = append(left, r)
		}
	}
	return rules.New(left), nil
}

// beginning settles where judging begins: with the log's first entry where it is still
// there, else with a snapshot from before the time, else with what is left.
func (h *history) beginning(ctx context.Context, t *backtest.Task) error {
	if err := h.changes(ctx); err != nil {
		return err
	}
	if h.stats.Cut == 0 {
		return nil
	}
	seqs, err := h.ledger.SnapshotSeqs(ctx)
	if err != nil {
		return err
	}
	for _, seq := range seqs {
		parts, ok, err := h.snapshot(ctx, seq)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if at, err := watermarkOf(parts); err == nil && !at.After(t.From) {
			t.After, t.State = seq, parts
			return nil
		}
	}
	t.After = h.stats.Cut
	h.warn("the log's beginning is past its retention: judging begins with what is left, and knows less of the past than it did live")
	for _, seq := range seqs {
		parts, ok, err := h.snapshot(ctx, seq)
		if err != nil {
			return err
		}
		if ok {
			t.Facts = parts
			h.warn("what feeds had told by then is taken as it stood at the last snapshot")
			return nil
		}
	}
	return nil
}

func (h *history) snapshot(ctx context.Context, seq uint64) (parts []detector.Part, ok bool, err error) {
	s, err := h.ledger.SnapshotAt(ctx, seq)
	var damaged *ledger.CorruptError
	if errors.As(err, &damaged) || errors.Is(err, api.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for _, p := range s.Parts {
		parts = append(parts, detector.Part(p))
	}
	return parts, true, nil
}

// watermarkOf is up to which event time a snapshot has judged.
func watermarkOf(parts []detector.Part) (time.Time, error) {
	e, err := detector.New(detector.Config{}, detector.Options{Workers: 1})
	if err != nil {
		return time.Time{}, err
	}
	if err := e.Restore(parts); err != nil {
		return time.Time{}, err
	}
	return e.Status().Watermark, nil
}

// changes warns where other rules judged live than now.
func (h *history) changes(ctx context.Context) error {
	all, err := h.ledger.RulesChanges(ctx, 200)
	if err != nil {
		return err
	}
	n := 0
	for i := range all {
		if i+1 < len(all) && all[i].From > h.stats.Cut { // the first one tells how it began
			n++
		}
	}
	if n > 0 {
		h.warn("the rules changed %d times in this log; all of it is judged again by one set of rules, so findings of rules may differ for that", n)
	}
	return nil
}

// liveReads is how often what was found live is read until nothing was judged meanwhile.
const liveReads = 20

// live reads what was found live, and up to which entry: what is not judged yet has nothing
// to be held against.
func (h *history) live(ctx context.Context, t *backtest.Task) error {
	for range liveReads {
		var err error
		if t.Live, err = h.findings(ctx, t.From.Add(-backtest.Settle), t.To.Add(backtest.Settle)); err != nil {
			return err
		}
		t.Last = h.stats.Applied
		if h.stats, err = h.ledger.Stats(ctx); err != nil {
			return fmt.Errorf("look at the log: %w", err)
		}
		if h.stats.Applied == t.Last {
			return nil
		}
	}
	h.warn("the service judged on while this was read: what was found in its last seconds may differ")
	return nil
}

// findings lists those that were declared in a time.
func (h *history) findings(ctx context.Context, from, to time.Time) ([]vigil.Finding, error) {
	var out []vigil.Finding
	for {
		page, err := h.ledger.Findings(ctx, api.FindingFilter{DetectedFrom: from, DetectedTo: to, Limit: 1_000, Offset: len(out)})
		if err != nil {
			return nil, err
		}
		out = append(out, page.Findings...)
		if len(page.Findings) == 0 || len(out) >= page.Total {
			return out, nil
		}
		if len(out) >= backtestFindings {
			return nil, fmt.Errorf("%d findings were declared in this time, more than %d: name a shorter one", page.Total, backtestFindings)
		}
	}
}

// Entries implements backtest.Log. A damaged entry is left out, as the service leaves it
// out: it comes empty.
func (h *history) Entries(ctx context.Context, after uint64, max int) ([]vigil.Entry, error) {
	entries, err := h.ledger.Entries(ctx, after, max)
	var damaged *ledger.CorruptError
	switch {
	case errors.As(err, &damaged) && damaged.Seq == after+1:
		if h.damaged++; h.damaged == 1 {
			h.warn("parts of the log are damaged and left out")
		}
		return []vigil.Entry{{Seq: damaged.Seq, Kind: vigil.EntryEvents}}, nil
	case errors.Is(err, ledger.ErrCut):
		return nil, fmt.Errorf("%w meanwhile: begin anew", err)
	}
	return entries, err
}
