package ledger

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Config is what a user may set. The zero value of each field but Dir means its
// default.
type Config struct {
	// Dir is the folder that holds everything; made when missing. Required.
	Dir string
	// Evidence is the URL or path of the segments; default Dir/evidence.
	Evidence string
	// Retention is how long events are kept after they were taken in; default
	// 400 days. At least 1 hour.
	Retention time.Duration
	// CaseHold is for how much longer than Retention events are kept that lie in the time of
	// a case which is not resolved; default 90 days, negative for not at all. MaxBytes comes
	// first.
	CaseHold time.Duration
	// FindingRetention is how long closed findings are kept after they closed;
	// default 3 years. Open findings stay.
	FindingRetention time.Duration
	// RollupRetention is how long time series are kept, by the time of their
	// points; default 2 years.
	RollupRetention time.Duration
	// MaxBytes bounds the ledger's file and all segments together. Beyond it
	// batches are refused, and Prune lets the oldest segments go early. Default 0:
	// no bound but the disk's.
	MaxBytes int64
	// MinFree is how much of the disk must stay free; below it batches are
	// refused. Default 64 MiB.
	MinFree int64
	// MaxPending bounds the events that are accepted and not applied yet; Accept
	// waits beyond it. One source alone may fill half of it, so that others have room
	// beside one that floods. Default 2,000,000; negative: no bound.
	MaxPending int64
	// SealAfter is the age that a batch must have to be sealed; default 5 minutes.
	SealAfter time.Duration
	// SealMaxAge is the age beyond which batches are sealed even when they fill
	// no segment; default 6 hours.
	SealMaxAge time.Duration
	// SegmentEvents is how many events fill a segment; default 65,536.
	SegmentEvents int
	// MaxBatches is how many unsealed batches there may be before they are sealed
	// whatever their age; default 512.
	MaxBatches int
	// Snapshots is how many snapshots are kept to fall back on; default 3.
	Snapshots int
	// Window is how many event ids are remembered, at least, to tell a batch that
	// is offered twice; default 1,000,000.
	Window int
	// MaxQuarantine is how many quarantined records are kept to look at; default
	// 10,000. They are counted without bound.
	MaxQuarantine int
	// Spool keeps note of which points of the time series changed, for a writer
	// outside of the ledger. Off, nothing waits and nothing grows.
	Spool bool
}

// Options is what code passes. All are optional.
type Options struct {
	Logger *slog.Logger
	// Now tells the time; default time.Now.
	Now func() time.Time
	// Free tells how many bytes are free on the disk of a folder.
	Free func(dir string) (int64, error)
	// Changed is told what has become durable, right after it has; nil for nobody. It must
	// not wait for anything.
	Changed func(Change)
}

// Change is what is other than before.
type Change struct {
	// Judged says that more of the log is judged.
	Judged bool
	// Findings and Cases are the ids of those that opened or changed.
	Findings, Cases []string
}

// tell passes on what changed.
func (l *Ledger) tell(c Change) {
	if l.changed != nil {
		l.changed(c)
	}
}

func (c *Config) defaults() error {
	if c.Dir == "" {
		return errors.New("ledger folder is not set")
	}
	if c.Evidence == "" {
		c.Evidence = filepath.Join(c.Dir, "evidence")
	}
	const day = 24 * time.Hour
	setDuration(&c.Retention, 400*day)
	setDuration(&c.CaseHold, 90*day)
	setDuration(&c.FindingRetention, 3*365*day)
	setDuration(&c.RollupRetention, 2*365*day)
	setDuration(&c.SealAfter, 5*time.Minute)
	setDuration(&c.SealMaxAge, 6*time.Hour)
	if c.Retention < time.Hour {
		return fmt.Errorf("retention of %s is shorter than an hour", c.Retention)
	}
	if c.MinFree == 0 {
		c.MinFree = 64 << 20
	}
	if c.MaxPending == 0 {
		c.MaxPending = 2_000_000
	}
	setInt(&c.SegmentEvents, 65_536)
	setInt(&c.MaxBatches, 512)
	setInt(&c.Snapshots, 3)
	setInt(&c.Window, 1_000_000)
	setInt(&c.MaxQuarantine, 10_000)
	return nil
}

func setDuration(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

func setInt(n *int, def int) {
	if *n <= 0 {
		*n = def
	}
}

func (o *Options) defaults() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Free == nil {
		o.Free = FreeOn
	}
}

// FreeOn tells how many bytes may still be written on the disk of a folder.
func FreeOn(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("ask for free space of %q: %w", dir, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}
