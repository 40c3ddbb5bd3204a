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
	// maxBatches is how many batches one may hold that grew while the sink was at work.
	maxBatches = 4
	// idleAfter is after how many looks that found nothing the pauses grow, and idlePauses
	// to how many times as long.
	idleAfter, idlePauses = 40, 4
	// maxTailLogs bounds the logs that one source follows.
	maxTailLogs = 1_000
)

// TailConfig says which growing files are followed and how. Of Config it uses
// Source, Store, Formats, Format, Params and Mapping; what is set aside goes to
// the sink.
type TailConfig struct {
	Config
	// Poll is how often the files are looked at; zero means 250 ms. After a while in which
	// nothing comes it is up to four times as long.
	Poll time.Duration
	// BatchEvents is how many events make a batch; zero means 4096. While the sink is at
	// work on the one before, a batch may grow to four times as many.
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
// A file is known by its inode, by its first bytes and by those that were read last, so a
// rotation is seen for what it is: the renamed file is read to its end before the new one,
// a copy that copytruncate leaves takes over what was not read of the original, and an
// archive of a file that was followed goes on where that stood. What is missing is looked
// for beside where it lay, under any name. Files that appear while nothing runs are read
// whole. A line without its end waits for it. Positions are committed with the events; a
// restart reads again from the first line whose event had not come out, and ids stay the
// same. A batch is handed over while the next is being read, one after the other.
//
// What the operating system throws away unseen (lines written between the copy and the
// truncation) is lost. What was seen and is gone before it was read is told as a
// [vigil.LapseDropped], a file that went back as a [vigil.LapseReset]. UTF-16 is read in
// whole files alone. Memory is bounded by two batches and one line for each log; a log at
// rest has no buffer and one open file.
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
	// What is being handed over when the end is asked for may still arrive.
	handing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastHandOver, cancel) })()
	r := &tailing{
		t: t, logs: map[string]*tailLog{}, archives: map[string]archiveSeen{}, families: map[string]string{},
		accept: func(b collectors.Batch) error { return sink.Accept(handing, b) },
	}
	defer r.close()
	r.restore(position)
	tick := time.NewTimer(t.cfg.Poll)
	defer tick.Stop()
	quiet := 0
	for {
		before := r.reads
		more, err := r.poll(ctx)
		if err == nil && r.due() {
			err = r.hand()
		}
		if err != nil {
			return errors.Join(err, r.landed())
		}
		if more && ctx.Err() == nil {
			continue
		}
		if quiet++; r.dirty || r.reads != before {
			quiet = 0
		}
		tick.Reset(t.pause(quiet))
		select {
		case <-ctx.Done():
			return errors.Join(r.hand(), r.landed())
		case err := <-r.flying:
			if r.flying = nil; err != nil {
				return err
			}
		case <-tick.C:
		}
	}
}

// pause is how long to wait after so many looks that found nothing: a source that has
// nothing to say is asked less often, and still within a second or so.
func (t *Tail) pause(quiet int) time.Duration {
	if quiet < idleAfter {
		return t.cfg.Poll
	}
	r := min(idlePauses, 1+(quiet-idleAfter)/4)
	return time.Duration(r) * t.cfg.Poll
}

// tailing is one run of a Tail.
type tailing struct {
	t    *Tail
	logs map[string]*tailLog
	// names are the logs' names, sorted, so that turns have an order.
	names []string
	// archives remembers the archives whose start was looked at.
	archives map[string]archiveSeen
	tooMany  bool
	// families remembers which log a path belongs to.
	families map[string]string
	// sample is the start of the file that is being looked at.
	sample []byte
	// reads counts the readings of files.
	reads int64

	// accept hands a batch to the sink; flying gets the outcome of the one that is on its
	// way, nil when none is.
	accept func(collectors.Batch) error
	flying chan error

	batch collectors.Batch
	since time.Time
	dirty bool
}

func (r *tailing) due() bool {
	return r.full() || r.dirty && time.Since(r.since) >= r.t.cfg.BatchEvery
}

// full tells whether the batch must be handed over before more is read. While the one
// before it is on its way, it may grow: a sink that is slow to make a batch durable gets
// fewer and larger ones.
func (r *tailing) full() bool {
	n := r.batch.Len()
	flies := r.flying != nil && len(r.flying) == 0
	return n >= r.t.cfg.BatchEvents && !flies || n >= maxBatches*r.t.cfg.BatchEvents
}

// touch notes that something must be committed.
func (r *tailing) touch() {
	if !r.dirty {
		r.dirty, r.since = true, time.Now()
	}
}

// hand gives the batch to the sink with the position after it. It does not wait for the
// sink, so that reading goes on meanwhile; it waits for the batch before, because one
// must not be taken without those before it.
func (r *tailing) hand() error {
	if !r.dirty {
		return nil
	}
	if err := r.landed(); err != nil {
		return err
	}
	position, err := r.position()
	if err != nil {
		return err
	}
	b := r.batch
	b.Source, b.Position = r.t.cfg.Source, position
	r.batch, r.dirty = collectors.Batch{Events: make([]*vigil.Event, 0, len(b.Events))}, false
	r.flying = make(chan error, 1)
	go func(flying chan<- error) {
		err := r.accept(b)
		if err != nil {
			err = fmt.Errorf("hand over events of %s: %w", r.t.cfg.Source, err)
		}
		flying <- err
	}(r.flying)
	return nil
}

// landed waits for the batch that is being handed over.
func (r *tailing) landed() error {
	if r.flying == nil {
		return nil
	}
	err := <-r.flying
	r.flying = nil
	return err
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
	// A source that rests needs no buffer.
	r.sample = nil
	for _, name := range r.names {
		l := r.logs[name]
		turn := l.turn()
		for _, f := range turn[:min(len(turn), maxHeld)] {
			r.hold(f)
		}
		for _, f := range turn {
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
