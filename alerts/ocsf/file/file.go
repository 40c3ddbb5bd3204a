// Package file appends findings and cases to a file, one OCSF event a line, for a SIEM's
// forwarder to follow.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently. An event is written by one write and, unless said otherwise, is on the
// disk before Notify returns. What fails is a *alerts.RetryError, so that nothing is lost
// while a disk is full; an event that was written in part is ended by a line break, and
// comes again whole. The file may be renamed, removed or cut back by others, as logrotate
// does: the next event goes to the file that is at the path by then. Files are made with
// mode 0600; one that is there keeps its mode, and hands it on to its successor.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"vigil/alerts"
	"vigil/alerts/ocsf"
)

// When the disk is told to keep an event.
const (
	SyncAlways = "always"
	SyncNever  = "never"
)

// The defaults of Config.
const (
	DefaultRotateBytes = 100 << 20
	DefaultRotateEvery = 24 * time.Hour
	DefaultKeep        = 30
)

// Config is what a user writes.
type Config struct {
	// Path is the file. Its folder must be there. Required.
	Path string `yaml:"path"`
	// RotateBytes is the size at which the file is set aside and a new one begun, in bytes;
	// zero means 100 MiB, less than zero never.
	RotateBytes int64 `yaml:"rotate_bytes"`
	// RotateEvery is the span of time, counted in UTC, of which one file holds the events:
	// 24h begins a new file with the first event of a day. Zero means 24 hours, less than
	// zero never.
	RotateEvery time.Duration `yaml:"rotate_every"`
	// Keep is how many files that were set aside are kept; zero means 30, less than zero
	// all.
	Keep int `yaml:"keep"`
	// Sync says when the disk is told to keep an event: "always", before the next, or
	// "never", when the system likes. Empty means always.
	Sync string `yaml:"sync"`
	// MaxBytes bounds one event, in bytes; zero means 64 KiB.
	MaxBytes int `yaml:"max_bytes"`
}

// Options is what code passes.
type Options struct {
	// Name tells several notifiers of this kind apart; empty means "siem-file".
	Name string
	// Console and Version are as in ocsf.Options.
	Console, Version string
	// Now tells the time; nil means the clock.
	Now func() time.Time
}

// Notifier appends to one file. It implements alerts.Notifier.
type Notifier struct {
	cfg  Config
	opts Options
	enc  *ocsf.Encoder

	mu sync.Mutex // guards the file
	// file is nil until it is needed, and after a failure.
	file *os.File
	size int64
	last time.Time
}

var _ alerts.Notifier = (*Notifier)(nil)

// New makes a notifier. It does not touch the disk: Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	if cfg.RotateBytes == 0 {
		cfg.RotateBytes = DefaultRotateBytes
	}
	if cfg.RotateEvery == 0 {
		cfg.RotateEvery = DefaultRotateEvery
	}
	if cfg.Keep == 0 {
		cfg.Keep = DefaultKeep
	}
	if cfg.Sync == "" {
		cfg.Sync = SyncAlways
	}
	if opts.Name == "" {
		opts.Name = "siem-file"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	switch {
	case cfg.Path == "":
		return nil, errors.New("siem file: no path is given")
	case cfg.Sync != SyncAlways && cfg.Sync != SyncNever:
		return nil, fmt.Errorf("siem file: sync %q is neither %q nor %q", cfg.Sync, SyncAlways, SyncNever)
	case cfg.RotateEvery > 0 && cfg.RotateEvery < time.Minute:
		return nil, fmt.Errorf("siem file: rotate_every %s is less than a minute", cfg.RotateEvery)
	}
	enc, err := ocsf.New(ocsf.Options{Console: opts.Console, Version: opts.Version, MaxBytes: cfg.MaxBytes, Now: opts.Now})
	if err != nil {
		return nil, fmt.Errorf("siem file: max_bytes: %w", err)
	}
	return &Notifier{cfg: cfg, opts: opts, enc: enc}, nil
}

// Name is the notifier's name.
func (n *Notifier) Name() string { return n.opts.Name }

// Notify appends the message's event and returns its uid. A message that a SIEM is not
// told is done with, without a receipt. Errors are *alerts.RetryError, or
// *alerts.RefusedError for what can't be an event.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	e, err := n.enc.Event(m)
	switch {
	case errors.Is(err, ocsf.ErrNoEvent):
		return "", nil
	case err != nil:
		return "", &alerts.RefusedError{Err: err, Remedy: "please report it, with the finding's ID"}
	case ctx.Err() != nil:
		return "", &alerts.RetryError{Err: ctx.Err()}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.opts.Now()
	if err := n.ready(now); err != nil {
		return "", &alerts.RetryError{Err: err}
	}
	if err := n.write(append(e.JSON, '\n')); err != nil {
		n.drop()
		// What was written in part is ended by a line break when the file is opened anew.
		return "", &alerts.RetryError{Err: err, InDoubt: true}
	}
	n.last = now
	return e.UID, nil
}

// Check opens the file for writing, makes it where it is not there, and writes nothing.
func (n *Notifier) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.follow()
}

// Close closes the file. A later Notify opens it again.
func (n *Notifier) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drop()
	return nil
}

// ready sees to it that the file at the path is open and is not due to be set aside.
func (n *Notifier) ready(now time.Time) error {
	if err := n.follow(); err != nil {
		return err
	}
	if n.size == 0 || !n.due(now) {
		return nil
	}
	info, err := n.file.Stat()
	if err != nil {
		return fmt.Errorf("siem file: look at %q: %w", n.cfg.Path, err)
	}
	if err := n.setAside(now); err != nil {
		return err
	}
	n.drop()
	if err := n.open(info.Mode().Perm()); err != nil {
		return err
	}
	n.prune()
	return nil
}

func (n *Notifier) due(now time.Time) bool {
	if n.cfg.RotateBytes > 0 && n.size >= n.cfg.RotateBytes {
		return true
	}
	every := n.cfg.RotateEvery
	return every > 0 && now.UTC().Truncate(every).After(n.last.UTC().Truncate(every))
}

// follow opens the file, anew where another one is at the path by now.
func (n *Notifier) follow() error {
	if n.file != nil {
		mine, err := n.file.Stat()
		if err == nil {
			var there os.FileInfo
			if there, err = os.Stat(n.cfg.Path); err == nil && os.SameFile(mine, there) {
				n.size = there.Size()
				return nil
			}
		}
		mode := fs.FileMode(0o600)
		if mine != nil {
			mode = mine.Mode().Perm()
		}
		n.drop()
		return n.open(mode)
	}
	return n.open(0o600)
}

// open opens or makes the file, and ends a line that was written in part.
func (n *Notifier) open(mode fs.FileMode) error {
	// What is no file, such as a pipe without a reader, would hold us up.
	info, err := os.Stat(n.cfg.Path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("siem file: %q is no ordinary file", n.cfg.Path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("siem file: %w", err)
	}
	made := err != nil
	f, err := os.OpenFile(n.cfg.Path, os.O_RDWR|os.O_APPEND|os.O_CREATE, mode)
	if err != nil {
		return fmt.Errorf("siem file: open for writing: %w", err)
	}
	if info, err = f.Stat(); err != nil {
		_ = f.Close()
		return fmt.Errorf("siem file: look at %q: %w", n.cfg.Path, err)
	}
	n.file, n.size, n.last = f, info.Size(), info.ModTime()
	if made {
		// The mask of the process may have taken from the mode that is handed on.
		_ = f.Chmod(mode)
		n.last = n.opts.Now()
		return n.syncFolder()
	}
	if n.size > 0 {
		var end [1]byte
		if _, err := f.ReadAt(end[:], n.size-1); err != nil && !errors.Is(err, io.EOF) {
			n.drop()
			return fmt.Errorf("siem file: read the end of %q: %w", n.cfg.Path, err)
		}
		if end[0] != '\n' {
			if err := n.write([]byte("\n")); err != nil {
				n.drop()
				return err
			}
		}
	}
	return nil
}

func (n *Notifier) write(p []byte) error {
	w, err := n.file.Write(p)
	n.size += int64(w)
	if err != nil {
		return fmt.Errorf("siem file: write: %w", err)
	}
	if n.cfg.Sync == SyncAlways {
		if err := n.file.Sync(); err != nil {
			return fmt.Errorf("siem file: sync %q: %w", n.cfg.Path, err)
		}
	}
	return nil
}

// drop closes the file; what it says is of no use any more.
func (n *Notifier) drop() {
	if n.file != nil {
		_ = n.file.Close()
		n.file = nil
	}
}

// stamp is the form of the time in the names of files that were set aside, so that the
// names' order is that of the files.
const stamp = "20060102T150405.000000000Z"

// aside are the names of the files that were set aside, the oldest first.
func (n *Notifier) aside() ([]string, error) {
	dir, name := filepath.Split(n.cfg.Path)
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	if err != nil {
		return nil, fmt.Errorf("siem file: read the folder: %w", err)
	}
	var old []string
	for _, e := range entries {
		if at, ok := strings.CutPrefix(e.Name(), name+"."); ok && e.Type().IsRegular() {
			if _, err := time.Parse(stamp, at); err == nil {
				old = append(old, e.Name())
			}
		}
	}
	slices.Sort(old)
	return old, nil
}

// setAside renames the file, to a name after all others.
func (n *Notifier) setAside(now time.Time) error {
	old, err := n.aside()
	if err != nil {
		return err
	}
	if len(old) > 0 {
		newest := old[len(old)-1]
		// It was read by the same form before.
		if at, err := time.Parse(stamp, newest[len(newest)-len(stamp):]); err == nil && !now.After(at) {
			now = at.Add(1)
		}
	}
	if err := os.Rename(n.cfg.Path, n.cfg.Path+"."+now.UTC().Format(stamp)); err != nil {
		return fmt.Errorf("siem file: set aside: %w", err)
	}
	return n.syncFolder()
}

// prune removes the oldest files that were set aside, beyond those to keep. What can't be
// removed stays: it is tried again at the next turn.
func (n *Notifier) prune() {
	if n.cfg.Keep < 0 {
		return
	}
	old, err := n.aside()
	if err != nil {
		return
	}
	for _, name := range old[:max(0, len(old)-n.cfg.Keep)] {
		_ = os.Remove(filepath.Join(filepath.Dir(n.cfg.Path), name))
	}
}

// syncFolder makes a name's coming or going last.
func (n *Notifier) syncFolder() error {
	if n.cfg.Sync != SyncAlways {
		return nil
	}
	d, err := os.Open(filepath.Dir(n.cfg.Path))
	if err != nil {
		return fmt.Errorf("siem file: open the folder: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("siem file: sync the folder of %q: %w", n.cfg.Path, err)
	}
	return nil
}
