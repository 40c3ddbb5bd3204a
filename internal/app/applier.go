package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"vigil"
	"vigil/detector"
	"vigil/detector/rules"
	"vigil/internal/ledger"
	"vigil/internal/series"
)

const (
	// entriesAtOnce bounds the entries that are judged before one commit.
	entriesAtOnce = 64
	// applyWait is the pause before a commit that failed is tried again.
	applyWait = time.Second
)

// applier folds the log through the detector, entry by entry in order, and
// writes down how far it is together with what came of it. One goroutine runs it;
// status, profile and askSnapshot may be called from any.
type applier struct {
	ledger *ledger.Ledger
	engine *detector.Engine
	caps   *series.Caps
	logger *slog.Logger
	// rules are those that judge, from the log's entry rulesFrom on.
	rules     *rules.Set
	rulesFrom uint64
	// messages makes what is to be told of findings.
	messages func([]vigil.Finding) ([]ledger.OutboxItem, error)

	seq    uint64 // folded, and applied
	saved  uint64 // covered by the newest snapshot
	whole  bool   // the next snapshot must hold all parts
	ahead  bool   // the engine holds what is not applied: it can't be kept or used further
	status atomic.Pointer[detector.Status]
	fault  atomic.Pointer[string]

	// folding is held while entries are folded and what came of them is committed.
	folding sync.Mutex
	// using is held while something is asked of the engine, or it folds. Who holds folding
	// may take it, never the other way round.
	using sync.Mutex

	mu    sync.Mutex   // guards the two below
	wants []chan error // askers for a snapshot
	ended bool         // run has returned: nobody answers
	kick  chan struct{}
}

// errEnded is the answer to whoever asks a judging that is over for a snapshot.
var errEnded = errors.New("judging is being exchanged or stopped: ask again later")

// errAhead is of an engine that has folded what could not be written down.
var errAhead = errors.New("the engine is ahead of what is written down: the log is judged again from the snapshot before")

// newApplier restores the newest snapshot and refolds what was applied after it,
// without telling it again.
func newApplier(ctx context.Context, l *ledger.Ledger, cfg detector.Config, opts detector.Options, logger *slog.Logger) (*applier, error) {
	a := &applier{ledger: l, logger: logger, whole: true, kick: make(chan struct{}, 1)}
	snapshot, ok, err := l.LoadSnapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("load snapshot: %w", err)
	}
	if a.engine, err = detector.New(cfg, opts); err != nil {
		return nil, fmt.Errorf("set up detector: %w", err)
	}
	if ok {
		parts := make([]detector.Part, len(snapshot.Parts))
		for i, p := range snapshot.Parts {
			parts[i] = detector.Part(p)
		}
		if err := a.engine.Restore(parts); err != nil {
			// Another version's state: the log itself is still there.
			logger.Warn("the snapshot does not fit this version; the log is judged again", "error", err.Error())
			if a.engine, err = detector.New(cfg, opts); err != nil {
				return nil, fmt.Errorf("set up detector: %w", err)
			}
			ok = false
		}
	}
	if ok {
		a.seq, a.saved = snapshot.Seq, snapshot.Seq
	}
	if err := a.refold(ctx, l.Applied()); err != nil {
		return nil, err
	}
	a.caps = series.NewCaps(0, l.SeriesKeys())
	a.publish()
	return a, nil
}

// refold brings the engine to where the ledger is. What it finds on the way is
// known already.
func (a *applier) refold(ctx context.Context, applied uint64) error {
	for a.seq < applied {
		entries, err := a.entries(ctx)
		if errors.Is(err, ledger.ErrCut) && a.seq == 0 {
			// Retention has taken the beginning; the engine learns from what is left.
			stats, serr := a.ledger.Stats(ctx)
			if serr != nil {
				return serr
			}
			a.logger.Warn("the log's beginning is past its retention and no snapshot covers it; judging starts with what is left")
			a.seq = stats.Cut
			continue
		}
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return fmt.Errorf("the log ends at entry %d, though %d are judged", a.seq, applied)
		}
		for i := range entries {
			if entries[i].Seq > applied {
				return nil
			}
			if _, err := a.engine.Fold(&entries[i]); err != nil {
				return fmt.Errorf("judge entry %d again: %w", entries[i].Seq, err)
			}
			a.seq = entries[i].Seq
		}
	}
	return nil
}

// entries returns the next ones. A damaged entry is set aside, loudly, and the
// log goes on without it.
func (a *applier) entries(ctx context.Context) ([]vigil.Entry, error) {
	for {
		entries, err := a.ledger.Entries(ctx, a.seq, entriesAtOnce)
		var damaged *ledger.CorruptError
		if !errors.As(err, &damaged) || damaged.Seq == 0 {
			return entries, err
		}
		a.logger.Error("an entry of the log is damaged and is left out", "entry", damaged.Seq, "error", err.Error())
		if err := a.ledger.SetAside(ctx, damaged.Seq, err.Error()); err != nil {
			return nil, fmt.Errorf("set entry %d aside: %w", damaged.Seq, err)
		}
	}
}

// run judges until ctx ends, then returns nil. An error means that judging can't
// go on.
func (a *applier) run(ctx context.Context) error {
	a.mu.Lock()
	a.ended = false
	a.mu.Unlock()
	defer a.end()
	if a.ahead {
		return errAhead
	}
	for {
		a.snapshotIfAsked(ctx)
		if err := a.wait(ctx); err != nil {
			return ignoreEnd(ctx, err)
		}
		if err := a.catchUp(ctx); err != nil {
			return ignoreEnd(ctx, err)
		}
	}
}

// end answers those who still wait for a snapshot.
func (a *applier) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	for _, w := range a.wants {
		w <- errEnded
	}
	a.wants = nil
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// wait returns when there is an entry to judge or a snapshot to take.
func (a *applier) wait(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	kicked := make(chan struct{})
	go func() {
		defer close(kicked)
		select {
		case <-a.kick:
			cancel(errKicked)
		case <-ctx.Done():
		}
	}()
	err := a.ledger.Wait(ctx, a.seq)
	cancel(nil)
	<-kicked
	if err != nil && errors.Is(context.Cause(ctx), errKicked) {
		return nil
	}
	return err
}

// errKicked says that somebody wants something of the applier.
var errKicked = errors.New("asked for a snapshot")

// catchUp judges everything that is accepted.
func (a *applier) catchUp(ctx context.Context) error {
	for a.seq < a.ledger.Last() {
		a.snapshotIfAsked(ctx)
		entries, err := a.entries(ctx)
		if err != nil {
			return fmt.Errorf("read the log after entry %d: %w", a.seq, err)
		}
		if len(entries) == 0 {
			return nil
		}
		if err := a.fold(ctx, entries); err != nil {
			return err
		}
	}
	return nil
}

// fold judges entries and commits what came of them. Once an entry is in the
// engine its outcome must reach the ledger, so the commit is tried at least once, and
// until it succeeds or ctx ends; then the next start judges these entries again, and
// this engine, which holds them, is of no more use.
func (a *applier) fold(ctx context.Context, entries []vigil.Entry) error {
	a.folding.Lock()
	defer a.folding.Unlock()
	a.ahead = true
	applied := ledger.Applied{From: entries[0].Seq}
	for i := range entries {
		e := &entries[i]
		applied.Points = append(applied.Points, series.Roll(e.Events, a.caps)...)
		findings, err := a.judge(e)
		if err != nil {
			return fmt.Errorf("judge entry %d: %w", e.Seq, err)
		}
		for j := range findings {
			finite(&findings[j])
		}
		applied.Seq = e.Seq
		applied.Findings = append(applied.Findings, findings...)
		applied.Events += int64(len(e.Events))
		for _, event := range e.Events {
			if event.Late {
				applied.Late++
			}
		}
	}
	var err error
	if applied.Outbox, err = a.messages(applied.Findings); err != nil {
		return err
	}
	for {
		err := a.ledger.Apply(context.WithoutCancel(ctx), applied)
		if err == nil {
			break
		}
		if ctx.Err() != nil || errors.Is(err, ledger.ErrOrder) || errors.Is(err, ledger.ErrClosed) {
			return err
		}
		a.setFault(err.Error())
		select {
		case <-ctx.Done():
			return err
		case <-time.After(applyWait):
		}
	}
	a.setFault("")
	a.seq, a.ahead = applied.Seq, false
	a.publish()
	return nil
}

// judge folds one entry while nothing else is asked of the engine.
func (a *applier) judge(e *vigil.Entry) ([]vigil.Finding, error) {
	a.using.Lock()
	defer a.using.Unlock()
	return a.engine.Fold(e)
}

func (a *applier) setFault(text string) {
	old := a.fault.Load()
	if text == "" {
		a.fault.Store(nil)
		return
	}
	if old == nil || *old != text {
		a.logger.Error("what was judged can't be written down; it is tried again", "error", text)
	}
	a.fault.Store(&text)
}

func (a *applier) publish() {
	s := a.engine.Status()
	a.status.Store(&s)
}

// askSnapshot has a snapshot taken between two entries, and waits for it.
func (a *applier) askSnapshot(ctx context.Context) error {
	done := make(chan error, 1)
	a.mu.Lock()
	if a.ended {
		a.mu.Unlock()
		return errEnded
	}
	a.wants = append(a.wants, done)
	a.mu.Unlock()
	select {
	case a.kick <- struct{}{}:
	default:
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("wait for snapshot: %w", ctx.Err())
	}
}

// snapshotIfAsked takes one for everybody who asked.
func (a *applier) snapshotIfAsked(ctx context.Context) {
	a.mu.Lock()
	wants := a.wants
	a.wants = nil
	a.mu.Unlock()
	if len(wants) == 0 {
		return
	}
	err := a.snapshot(ctx)
	for _, w := range wants {
		w <- err
	}
}

// snapshot keeps the engine's state as of the last applied entry. While entries are
// being folded, as when the program must stop before judging has, there is none to
// keep: the next start goes on from the one before.
func (a *applier) snapshot(ctx context.Context) error {
	if !a.folding.TryLock() {
		return errors.New("judging goes on: the next start judges again from the snapshot before")
	}
	defer a.folding.Unlock()
	if a.ahead {
		return errAhead
	}
	if a.seq == 0 || a.seq == a.saved {
		return nil
	}
	a.using.Lock()
	parts, err := a.engine.Snapshot(a.whole)
	a.using.Unlock()
	if err != nil {
		return fmt.Errorf("take snapshot: %w", err)
	}
	s := ledger.Snapshot{Seq: a.seq, All: a.whole, Parts: make([]ledger.SnapshotPart, len(parts))}
	for i, p := range parts {
		s.Parts[i] = ledger.SnapshotPart(p)
	}
	// The parts that changed are known to the engine only since the last call; if
	// this one is lost, the next must hold all.
	a.whole = true
	if err := a.ledger.SaveSnapshot(ctx, s); err != nil {
		return fmt.Errorf("keep snapshot: %w", err)
	}
	a.whole = false
	a.saved = a.seq
	return nil
}
