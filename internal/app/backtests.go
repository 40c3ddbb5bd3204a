package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/internal/api"
	"vigil/internal/ledger"
)

const (
	// keptReplays is how many back-tests are kept.
	keptReplays = 20
	// maxReplayFile bounds a file of one, in bytes.
	maxReplayFile = 64 << 20
	// listedOfMany bounds the differences that are kept of each of several budgets.
	listedOfMany = 50
)

// backtests judges history again while the service runs: one back-test at a time, on one
// core, reading the ledger beside it. The latest are kept as files in the data folder. It
// is safe for concurrent use.
type backtests struct {
	reader *reader
	dir    string
	logger *slog.Logger
	now    func() time.Time
	ending context.Context

	mu      sync.Mutex
	running *api.Replay // guarded by mu; nil where none runs
	stop    context.CancelFunc
	over    chan struct{} // closed when it is over
	done    sync.WaitGroup
	// kept are those that are kept, by their ids, without their reports: a list need not
	// read the files. Guarded by mu.
	kept map[string]api.Replay
	// left says why the last preview that was due was left out; guarded by mu.
	left string

	triedMu sync.Mutex
	tried   map[string][]api.Below // by id, of those that are over; guarded by triedMu
}

func newBacktests(ending context.Context, r *reader, dir string, logger *slog.Logger, now func() time.Time) (*backtests, error) {
	b := &backtests{reader: r, dir: filepath.Join(dir, "replays"), logger: logger, now: now, ending: ending, kept: map[string]api.Replay{}}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of back-tests: %w", err)
	}
	return b, nil
}

// wait returns once none runs; ending must be over.
func (b *backtests) wait(context.Context) error {
	b.done.Wait()
	return nil
}

// checkReplay says what is wrong with what is asked for.
func checkReplay(ask *api.ReplayAsk) error {
	if ask.Rule != "" {
		if len(ask.Budgets)+len(ask.Without) > 0 {
			return fmt.Errorf("%w: a rule is tried alone: leave out budgets and rules to leave out", api.ErrRefused)
		}
		if _, err := triedRule(ask.Rule); err != nil {
			return err
		}
	}
	if ask.Proposal != "" && (ask.Rule != "" || len(ask.Budgets)+len(ask.Without) > 0) {
		return fmt.Errorf("%w: a proposal is tried as it is: leave out budgets and rules", api.ErrRefused)
	}
	if len(ask.Budgets) > api.MaxReplayBudgets {
		return fmt.Errorf("%w: %d budgets are more than %d", api.ErrRefused, len(ask.Budgets), api.MaxReplayBudgets)
	}
	for _, n := range ask.Budgets {
		if !(n >= 0 && n <= vigil.MaxBudget) {
			return fmt.Errorf("%w: a budget of %g a day is none: say 0 for the default, or up to %d", api.ErrRefused, n, vigil.MaxBudget)
		}
	}
	if !ask.From.IsZero() && !ask.To.IsZero() && !ask.From.Before(ask.To) {
		return fmt.Errorf("%w: the time ends before it begins", api.ErrRefused)
	}
	return nil
}

// StartReplay implements api.Replayer.
func (b *backtests) StartReplay(ctx context.Context, ask api.ReplayAsk) (api.Replay, error) {
	r, _, err := b.begin(ctx, ask)
	return r, err
}

// begin begins one. over is closed when it is over.
func (b *backtests) begin(ctx context.Context, ask api.ReplayAsk) (begun api.Replay, over <-chan struct{}, err error) {
	if err := checkReplay(&ask); err != nil {
		return api.Replay{}, nil, err
	}
	if ask.Proposal != "" {
		if _, err := b.proposed(ctx, ask.Proposal); err != nil {
			return api.Replay{}, nil, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.running; r != nil {
		if ask.Key != "" && r.Ask.Key == ask.Key {
			return *r, b.over, nil // the same press came twice
		}
		return api.Replay{}, nil, fmt.Errorf("%w: a back-test runs: wait for its end, or stop it", api.ErrRefused)
	}
	if b.ending.Err() != nil {
		return api.Replay{}, nil, fmt.Errorf("%w: vigil is stopping", api.ErrRefused)
	}
	now := b.now().UTC().Round(0)
	r := api.Replay{ID: "r-" + strconv.FormatInt(now.UnixMilli(), 36), Ask: ask, State: api.ReplayRunning, By: cmp.Or(api.PersonOf(ctx).By, commandLine), Asked: now}
	if err := b.audit(ctx, "back-test begun", r.ID); err != nil {
		return api.Replay{}, nil, err
	}
	if err := b.write(&r); err != nil {
		return api.Replay{}, nil, err
	}
	run, stop := context.WithCancel(b.ending)
	ended := make(chan struct{})
	b.running, b.stop, b.over = &r, stop, ended
	b.done.Go(func() {
		defer close(ended)
		defer stop()
		b.run(run, r)
	})
	return r, ended, nil
}

func (b *backtests) audit(ctx context.Context, what, id string) error {
	who := cmp.Or(api.PersonOf(ctx).By, commandLine)
	if _, err := b.reader.app.ledger.Audit(ctx, ledger.AuditRecord{Time: b.now().UTC(), Who: who, What: what, Object: "back-test " + id}); err != nil {
		return fmt.Errorf("%w: %w", api.ErrUnrecorded, err)
	}
	return nil
}

// run makes the reports one after the other and writes down what came of it.
func (b *backtests) run(ctx context.Context, r api.Replay) {
	err := b.judge(ctx, &r)
	b.end(ctx, &r, err)
	b.prune(&r)
}

// end writes down what came of one.
func (b *backtests) end(ctx context.Context, r *api.Replay, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running, b.stop = nil, nil
	r.Ended, r.State = b.now().UTC().Round(0), api.ReplayDone
	switch {
	case ctx.Err() != nil:
		r.State, r.Reports, r.Preview = api.ReplayStopped, nil, nil
	case err != nil:
		r.State, r.Error = api.ReplayFailed, err.Error()
	default:
		r.Done = 1
	}
	if err := b.write(r); err != nil {
		b.logger.Error("what came of a back-test can't be kept", "id", r.ID, "error", err.Error())
	}
}

// judge tries what is asked for. It runs on a goroutine of its own, where a panic would end
// the program.
func (b *backtests) judge(ctx context.Context, r *api.Replay) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if r.Ask.Rule != "" {
		r.Preview, err = b.tryRule(ctx, &r.Ask)
	} else {
		r.Reports, err = b.reports(ctx, &r.Ask)
	}
	return err
}

func (b *backtests) reports(ctx context.Context, ask *api.ReplayAsk) (out []api.ReplayReport, err error) {
	opts := BacktestOptions{From: ask.From, To: ask.To, Without: ask.Without, Workers: 1}
	tries := []*float64{nil}
	if ask.Proposal != "" {
		p, err := b.proposed(ctx, ask.Proposal)
		if err != nil {
			return nil, err
		}
		if opts.Rules, err = b.rulesOf(ctx, p); err != nil {
			return nil, err
		}
		if p.Budget != nil {
			tries = []*float64{&p.Budget.PerDay}
		}
	}
	if n := len(ask.Budgets); n > 0 {
		tries = nil
		for i := range ask.Budgets {
			tries = append(tries, &ask.Budgets[i])
		}
	}
	for i, budget := range tries {
		opts.Budget = budget
		opts.Progress = func(done float64) { b.progress((float64(i) + done) / float64(len(tries))) }
		report, err := Backtest(ctx, b.reader.app.conf(), opts)
		if err != nil {
			return out, err
		}
		// The next one is of the same time, though more has come meanwhile.
		opts.From, opts.To = report.From, report.To
		if n := len(report.Differences); len(tries) > 1 && n > listedOfMany {
			report.More += n - listedOfMany
			report.Differences = report.Differences[:listedOfMany]
		}
		out = append(out, *report)
	}
	return out, nil
}

func (b *backtests) progress(done float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running != nil {
		b.running.Done = done
	}
}

// StopReplay implements api.Replayer.
func (b *backtests) StopReplay(ctx context.Context, id string) error {
	if _, err := b.read(id); err != nil {
		return err
	}
	if err := b.audit(ctx, "back-test stopped", id); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running != nil && b.running.ID == id {
		b.stop()
	}
	return nil
}

// Replay implements api.Replayer.
func (b *backtests) Replay(ctx context.Context, id string) (api.Replay, error) {
	r, err := b.read(id)
	if err != nil {
		return r, err
	}
	if err := b.reader.record(ctx, "look", "back-test "+id); err != nil {
		return api.Replay{}, err
	}
	b.keepOff(ctx, &r)
	return r, nil
}

// keepOff drops the findings about who looks: nobody is shown a finding about themselves.
func (b *backtests) keepOff(ctx context.Context, r *api.Replay) {
	names := api.PersonOf(ctx).Logins
	if len(names) == 0 {
		return
	}
	p := b.reader.app.people.Load()
	for i := range r.Reports {
		r.Reports[i].Differences = slices.DeleteFunc(r.Reports[i].Differences, func(d api.ReplayDifference) bool {
			f := cmp.Or(d.Again, d.Live)
			return p.is(names, f.Tenant, f.Actors...)
		})
	}
	if r.Preview != nil {
		top := slices.Clone(r.Preview.Top)
		r.Preview.Top = slices.DeleteFunc(top, func(a api.PreviewActor) bool { return p.is(names, a.Tenant, a.Actor) })
	}
}

// Replays implements api.Replayer.
func (b *backtests) Replays(ctx context.Context) ([]api.Replay, error) {
	if err := b.reader.record(ctx, "look", "back-tests"); err != nil {
		return nil, err
	}
	ids, err := b.ids()
	if err != nil {
		return nil, err
	}
	out := []api.Replay{}
	for _, id := range ids {
		r, err := b.head(id)
		if err != nil {
			b.logger.Warn("a back-test that is kept can't be read and is left out", "id", id, "error", err.Error())
			continue
		}
		out = append(out, r)
	}
	return out, nil
}

// head is one that is kept without what came of it.
func (b *backtests) head(id string) (api.Replay, error) {
	b.mu.Lock()
	r, ok := b.kept[id]
	if b.running != nil && b.running.ID == id {
		r, ok = *b.running, true
	}
	b.mu.Unlock()
	if ok {
		return r, nil
	}
	r, err := b.read(id)
	if r.Reports, r.Preview = nil, nil; err == nil && r.State != api.ReplayRunning {
		b.mu.Lock()
		b.kept[id] = r
		b.mu.Unlock()
	}
	return r, err
}

// ids lists what is kept, the newest first: ids grow with time.
func (b *backtests) ids() (ids []string, err error) {
	files, err := os.ReadDir(b.dir)
	if err != nil {
		return nil, fmt.Errorf("list back-tests: %w", err)
	}
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), ".json"); ok && replayID(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids, nil
}

// replayID reports whether a text is an id of a back-test.
func replayID(id string) bool {
	n, ok := strings.CutPrefix(id, "r-")
	if !ok || len(n) > 13 {
		return false
	}
	ms, err := strconv.ParseInt(n, 36, 64)
	return err == nil && ms >= 0 && strconv.FormatInt(ms, 36) == n
}

func (b *backtests) file(id string) string { return filepath.Join(b.dir, id+".json") }

// read reads one that is kept, or tells how far the one that runs is.
func (b *backtests) read(id string) (r api.Replay, err error) {
	if !replayID(id) {
		return r, fmt.Errorf("back-test %q: %w", id, api.ErrNotFound)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running != nil && b.running.ID == id {
		return *b.running, nil
	}
	info, err := os.Stat(b.file(id))
	if errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("back-test %q: %w", id, api.ErrNotFound)
	}
	if err == nil && info.Size() > maxReplayFile {
		err = fmt.Errorf("its file is longer than %d MiB", maxReplayFile>>20)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(b.file(id))
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read back-test %s: %w", id, err)
	}
	if r.State == api.ReplayRunning {
		r.State = api.ReplayStopped // with the service that made it
	}
	return r, nil
}

// write keeps one, in one step.
func (b *backtests) write(r *api.Replay) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep back-test %s: %w", r.ID, err)
	}
	half := b.file(r.ID) + ".half"
	if err := os.WriteFile(half, data, 0o600); err != nil {
		return fmt.Errorf("keep back-test %s: %w", r.ID, err)
	}
	if err := os.Rename(half, b.file(r.ID)); err != nil {
		return fmt.Errorf("keep back-test %s: %w", r.ID, err)
	}
	return nil
}

// prune removes all but the latest, and the previews that nobody asked for whose place the
// newest takes.
func (b *backtests) prune(newest *api.Replay) {
	ids, err := b.ids()
	if err != nil {
		return
	}
	for i, id := range ids {
		if i < keptReplays {
			if older, err := b.head(id); err != nil || !replaces(newest, &older) {
				continue
			}
		}
		if err := os.Remove(b.file(id)); err != nil {
			b.logger.Warn("an old back-test can't be removed", "id", id, "error", err.Error())
		}
		b.mu.Lock()
		delete(b.kept, id)
		b.mu.Unlock()
	}
}

var _ api.Replayer = (*backtests)(nil)
