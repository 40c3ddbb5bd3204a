package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"vigil/collectors"
	"vigil/internal/config"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
)

// TailBench is the way of a file's lines into a ledger, without judging.
type TailBench struct {
	ledger *ledger.Ledger
	intake *intake
	tail   collectors.Collector
}

// NewTailBench sets up the way of one file.
func NewTailBench(ctx context.Context, dir, path string) (*TailBench, error) {
	// What is not applied would hold the intake back.
	l, err := ledger.Open(ctx, ledger.Config{Dir: dir, MaxPending: -1}, ledger.Options{})
	if err != nil {
		return nil, err
	}
	key, err := serviceKey(config.Secret{}, dir, true)
	if err != nil {
		return nil, err
	}
	p, err := privacy.New(key, privacy.Options{})
	if err != nil {
		return nil, err
	}
	rules, err := newActorRules(nil)
	if err != nil {
		return nil, err
	}
	src := &config.Source{Name: "web", File: []string{path}}
	in := &intake{
		ledger: l, pseudonyms: p, pace: newPace(time.Now), legible: newLegible(nil), now: time.Now,
	}
	in.use(map[string]*normaliser{"web": {source: "web", store: "web", rules: rules}})
	t, err := tailOf(src, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	return &TailBench{ledger: l, intake: in, tail: t}, err
}

// Until follows until so many events are durable.
func (t *TailBench) Until(ctx context.Context, n int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	got := 0
	return t.tail.Run(ctx, nil, collectors.SinkFunc(func(ctx context.Context, b collectors.Batch) error {
		if err := t.intake.Accept(ctx, b); err != nil {
			return err
		}
		if len(b.Quarantined) > 0 {
			return errors.New("a line was set aside: " + b.Quarantined[0].Reason)
		}
		if got += len(b.Events); got >= n {
			cancel()
		}
		return nil
	}))
}

// Close closes the ledger.
func (t *TailBench) Close() error { return t.ledger.Close() }
