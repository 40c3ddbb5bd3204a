package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"vigil"
	"vigil/detector/rules"
	"vigil/internal/api"
	"vigil/internal/backtest"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// previewBy is in whose name previews are made that nobody asked for.
const previewBy = "vigil"

// leastBudgets is how many budgets a preview compares at least.
const leastBudgets = 2

// preview judges the last 30 days again, by what is proposed and by other budgets, so that
// who opens the page finds what they would have told. What was judged by the same setting
// up to the same access is not judged again. How much is judged is bounded: fewer budgets are
// tried, or none.
func (b *backtests) preview(ctx context.Context) error {
	a := b.reader.app
	pass, to, err := passOf(ctx, a.conf())
	if errors.Is(err, errNothingKept) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make a preview: %w", err)
	}
	b.leave("")
	fits := passesWithin(a.conf().PreviewAccesses, pass)
	d, err := decidedIn(ctx, a.ledger)
	if err != nil {
		return err
	}
	var asks []api.ReplayAsk
	if p := d.Proposal; p != nil && fits > 0 {
		asks = append(asks, api.ReplayAsk{Proposal: p.ID})
		fits--
	}
	if fits >= leastBudgets {
		asks = append(asks, api.ReplayAsk{Budgets: budgetsAround(a.judge().status.Load().Budget, fits)})
	} else {
		b.leave(fmt.Sprintf("Judging what is kept once reads %d accesses, and preview_accesses in the configuration allows %d for all budgets together.", pass, a.conf().PreviewAccesses))
	}
	since, err := b.settingSince(ctx)
	if err != nil {
		return err
	}
	for _, ask := range asks {
		ask.From, ask.To = to.Add(-replayedDays), to
		if err := b.previewOf(ctx, ask, since); err != nil {
			return err
		}
	}
	return nil
}

// previewOf makes one, and returns when it is over, unless there is the same since a time.
func (b *backtests) previewOf(ctx context.Context, ask api.ReplayAsk, since time.Time) error {
	ids, err := b.ids()
	if err != nil {
		return err
	}
	for _, id := range ids {
		r, err := b.head(id)
		if err == nil && r.State == api.ReplayDone && !r.Asked.Before(since) && sameAsk(&r.Ask, &ask) {
			return nil
		}
	}
	r, over, err := b.begin(api.WithPerson(ctx, api.Person{By: previewBy}), ask)
	if errors.Is(err, api.ErrRefused) {
		b.leave("Another back-test ran when it was due.")
		return nil
	}
	if err != nil {
		return err
	}
	select {
	case <-over:
	case <-ctx.Done(): // it goes on: a reload that exchanges the schedule does not concern it
		return ctx.Err()
	}
	if r, err = b.head(r.ID); err == nil && r.State == api.ReplayFailed {
		err = errors.New(r.Error)
	}
	return err
}

func sameAsk(a, b *api.ReplayAsk) bool {
	return a.Proposal == b.Proposal && a.Rule == b.Rule && a.From.Equal(b.From) && a.To.Equal(b.To) && slices.Equal(a.Budgets, b.Budgets) && slices.Equal(a.Without, b.Without)
}

// replaces reports whether a preview that nobody asked for takes the place of an older one.
func replaces(newest, older *api.Replay) bool {
	return newest.By == previewBy && older.By == previewBy && newest.ID != older.ID && newest.State == api.ReplayDone && (newest.Ask.Proposal == "") == (older.Ask.Proposal == "")
}

// settingSince is since when the setting in force is.
func (b *backtests) settingSince(ctx context.Context) (time.Time, error) {
	versions, err := settingVersions(ctx, b.reader.app.ledger)
	if err != nil || len(versions) == 0 {
		return time.Time{}, err
	}
	return versions[0].Time, nil
}

// leave notes why the last preview that was due was left out, in a sentence; empty for one
// that was made.
func (b *backtests) leave(why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = why
}

func (b *backtests) leftOut() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left
}

// proposed is the proposal of an id, which waits.
func (b *backtests) proposed(ctx context.Context, id string) (*proposal, error) {
	d, err := decidedIn(ctx, b.reader.app.ledger)
	if err != nil {
		return nil, err
	}
	if d.Proposal == nil || d.Proposal.ID != id {
		return nil, refused("that is not proposed any more")
	}
	return d.Proposal, nil
}

// rulesOf are the rules that a proposal asks for; nil for those in force.
func (b *backtests) rulesOf(ctx context.Context, p *proposal) (*rules.Set, error) {
	if p.Rules == nil {
		return nil, nil
	}
	if p.Rules.Own {
		return keptRules(ctx, b.reader.app.ledger, p.Marks)
	}
	set, wrong := LoadRules(b.reader.app.conf().Rules)
	if len(wrong) > 0 {
		return nil, &config.Error{Problems: wrong}
	}
	return set, nil
}

// passOf tells how many accesses are judged where history is judged again once, and up to
// when it goes.
func passOf(ctx context.Context, cfg *config.Config) (n int64, to time.Time, err error) {
	err = readBeside(ctx, cfg, func(l *ledger.Ledger) error {
		h, opts := &history{ledger: l}, BacktestOptions{}
		if err := h.span(ctx, &opts); err != nil {
			return err
		}
		t := backtest.Task{From: opts.From, To: opts.To}
		if err := h.beginning(ctx, &t); err != nil {
			return err
		}
		to = opts.To
		n, err = l.EventsAfter(ctx, t.After)
		return err
	})
	return n, to, err
}

// passesWithin is how often so many accesses can be judged within a bound, zero for none.
func passesWithin(bound, pass int64) int {
	if bound == 0 || pass == 0 {
		return math.MaxInt
	}
	return int(min(bound/pass, math.MaxInt32))
}

// budgetsAround are at most n budgets to try, in order of size.
func budgetsAround(budget float64, n int) (out []float64) {
	for _, f := range api.PreviewFactors() {
		if len(out) < n {
			out = append(out, min(rounded(budget*f), vigil.MaxBudget))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rounded is a number of three digits.
func rounded(x float64) float64 {
	n, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64) // it was just written
	return n
}
