package file

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/formats"
)

// The defaults of TailConfig.
const (
	defaultPoll       = 250 * time.Millisecond
	defaultTailBatch  = 4096
	defaultBatchEvery = time.Second
	defaultSettle     = 2 * time.Second
)

const (
	// lastHandOver bounds the hand-over after the end was asked for.
	lastHandOver = 5 * time.Second
	// turnBytes is what one log may give before the next has its turn.
	turnBytes = 4 << 20
	// maxTailLogs bounds the logs that one source follows.
	maxTailLogs = 1_000
)

// TailConfig says which growing files are followed and how. Of Config it uses
// Source, Store, Formats, Format, Params and Mapping; what is set aside goes to
// the sink.
type TailConfig struct {
	Config
	// Poll is how often the files are looked at; zero means 250 ms.
	Poll time.Duration
	// BatchEvents is the most events of one batch; zero means 4096.
	BatchEvents int
	// BatchEvery is how long an event may wait for its batch to fill; zero means
	// 1 s.
	BatchEvery time.Duration
	// Settle is how long a record may be held for its continuation, and how long a
	// file that was rotated away must rest before its last line counts as ended;
	// zero means 2 s.
	Settle time.Duration
}

// TailOptions are what code passes.
type TailOptions struct {
	// Logger gets what an operator should know; nil means none does.
	Logger *slog.Logger
}

// Tail follows growing files as one source; it is a [collectors.Collector].
//
// A file is known by its inode and by its first bytes, so a rotation is seen
// for what it is: the renamed file is read to its end before the new one, a copy that
// copytruncate leaves takes over what was not read of the original, and an archive
// of a file that was followed goes on where that stood. Files that appear while nothing
// runs are read whole. A line without its end waits for it. Positions
// are committed with the events; a restart reads again from the first line whose
// event had not come out, and ids stay the same. What the operating system
// throws away unseen (lines written between the copy and the truncation) is lost, and
// only that. UTF-16 is read in whole files alone. Memory is bounded by the
// batch and one line for each log.
type Tail struct {
	globs []string
	cfg   TailConfig
	log   *slog.Logger
}

// NewTail makes the collector that follows the files that globs match.
func NewTail(globs []string, cfg TailConfig, opts TailOptions) (*Tail, error) {
	if len(globs) == 0 {
		return nil, errors.New("follow files: no path is given")
	}
	for _, g := range globs {
		if _, err := filepath.Match(g, ""); err != nil {
			return nil, fmt.Errorf("follow files: path %q: %w", g, err)
		}
	}
	if len(cfg.Formats) == 0 {
		return nil, errors.New("follow files: no formats are given")
	}
	if cfg.Format != "" {
		f, err := formats.ByName(cfg.Formats, cfg.Format)
		if err != nil {
			return nil, err
		}
		cfg.Formats = []formats.Format{f}
	}
	if cfg.Poll <= 0 {
		cfg.Poll = defaultPoll
	}
	if cfg.BatchEvents <= 0 {
		cfg.BatchEvents = defaultTailBatch
	}
	if cfg.BatchEvery <= 0 {
		cfg.BatchEvery = defaultBatchEvery
	}
	if cfg.Settle <= 0 {
		cfg.Settle = defaultSettle
	}
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Tail{globs: globs, cfg: cfg, log: log}, nil
}

// Run follows the files until ctx is cancelled.
func (t *Tail) Run(ctx context.Context, position []byte, sink collectors.Sink) error {
	r := &tailing{t: t, sink: sink, logs: map[string]*tailLog{}, archives: map[string]archiveSeen{}}
	defer r.close()
	if err := r.restore(position); err != nil {
		return err
	}
	tick := time.NewTicker(t.cfg.Poll)
	defer tick.Stop()
	for {
		more, err := r.poll(ctx)
		if err != nil {
			return r.end(ctx, err)
		}
		if r.due() {
			if err := r.hand(ctx); err != nil {
				return r.end(ctx, err)
			}
		}
		if more && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return r.end(ctx, nil)
		case <-tick.C:
		}
	}
}

// tailing is one run of a Tail.
type tailing struct {
	t    *Tail
	sink collectors.Sink
	logs map[string]*tailLog
	// names are the logs' names, sorted, so that turns have an order.
	names []string
	// archives remembers the archives whose start was looked at.
	archives map[string]archiveSeen
	tooMany  bool

	batch collectors.Batch
	since time.Time
	dirty bool
}

// end hands over what is whole and returns what Run returns.
func (r *tailing) end(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastHandOver)
	defer cancel()
	return r.hand(ctx)
}

func (r *tailing) due() bool {
	n := len(r.batch.Events) + len(r.batch.Quarantined)
	return n >= r.t.cfg.BatchEvents || (n > 0 || r.dirty) && time.Since(r.since) >= r.t.cfg.BatchEvery
}

// touch notes that something must be committed.
func (r *tailing) touch() {
	if !r.dirty {
		r.dirty, r.since = true, time.Now()
	}
}

// hand gives the batch to the sink with the position after it.
func (r *tailing) hand(ctx context.Context) error {
	if !r.dirty {
		return nil
	}
	position, err := r.position()
	if err != nil {
		return err
	}
	b := r.batch
	b.Source, b.Position = r.t.cfg.Source, position
	r.batch, r.dirty = collectors.Batch{}, false
	if err := r.sink.Accept(ctx, b); err != nil {
		return fmt.Errorf("hand over events of %s: %w", r.t.cfg.Source, err)
	}
	return nil
}

func (r *tailing) quarantine(f *tailFile, q vigil.Quarantined) {
	r.touch()
	q.Source, q.File, q.Time = r.t.cfg.Source, f.path, time.Now().UTC()
	r.batch.Quarantined = append(r.batch.Quarantined, q)
}

// poll looks at all files once and reads what is new. more says that there is
// more to read already.
func (r *tailing) poll(ctx context.Context) (more bool, err error) {
	r.find()
	for _, name := range r.names {
		l := r.logs[name]
		for _, f := range l.turn() {
			again, err := r.read(ctx, l, f)
			if err != nil {
				return false, err
			}
			if again {
				// The files of a log come one after the other.
				more = true
				break
			}
		}
		r.release(l)
		if ctx.Err() != nil {
			return false, nil
		}
	}
	return more, nil
}

func (r *tailing) close() {
	for _, l := range r.logs {
		for _, f := range l.files {
			f.close()
		}
	}
}
