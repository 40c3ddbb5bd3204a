package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"vigil/internal/evidence"
	"vigil/internal/evidence/columnar"
)

// OpenReader opens the ledger in cfg.Dir for reading, beside the process that writes to
// it, if there is one. It sees the log up to the newest entry that was durable by now,
// and takes, changes and removes nothing: what would write fails with ErrReadOnly. What
// the writer prunes meanwhile is gone for the reader too, who gets ErrCut or the error of
// a segment that is not there: Stats then tells where the log begins.
//
// A ledger of another version is refused: only the service brings it to a newer form.
func OpenReader(ctx context.Context, cfg Config, opts Options) (l *Ledger, err error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	opts.defaults()
	l = &Ledger{
		cfg: cfg, log: opts.Logger, now: opts.Now, free: opts.Free,
		accepted: newSignal(), progress: newSignal(), mail: newSignal(), dirty: newSignal(),
	}
	defer func() {
		if err != nil {
			_ = l.release() // the first error is the one to tell
			l = nil
		}
	}()
	if _, err := os.Stat(l.path()); errors.Is(err, fs.ErrNotExist) {
		return l, fmt.Errorf("folder %q holds no log of vigil serve: %w", cfg.Dir, err)
	} else if err != nil {
		return l, fmt.Errorf("look for the ledger: %w", err)
	}
	if l.codec, err = columnar.New(); err != nil {
		return l, err
	}
	if err := l.openReaders(); err != nil {
		return l, fmt.Errorf("open ledger in %q: %w", cfg.Dir, err)
	}
	if err := l.sameSchema(ctx); err != nil {
		return l, fmt.Errorf("open ledger in %q: %w", cfg.Dir, err)
	}
	if l.store, err = evidence.OpenReader(ctx, evidence.Config{URL: cfg.Evidence}); err != nil {
		return l, err
	}
	if err := l.readEnds(ctx); err != nil {
		return l, fmt.Errorf("open ledger in %q: %w", cfg.Dir, err)
	}
	return l, nil
}

// sameSchema refuses a database of another form than this program writes.
func (l *Ledger) sameSchema(ctx context.Context) error {
	var have int
	if err := l.r.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&have); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	switch want := len(migrations()); {
	case have > want:
		return fmt.Errorf("ledger has schema %d, this vigil knows up to %d: a newer vigil wrote it", have, want)
	case have < want:
		return fmt.Errorf("ledger has schema %d, this vigil reads %d: start vigil serve of this version once", have, want)
	}
	return nil
}
