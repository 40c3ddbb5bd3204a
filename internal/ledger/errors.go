package ledger

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("ledger is closed")

// ErrReadOnly is returned by what would write to a ledger that OpenReader opened.
var ErrReadOnly = errors.New("this ledger is open for reading only")

// ErrCut is returned when entries are asked for that retention has removed.
var ErrCut = errors.New("this part of the log is past its retention")

// ErrOrder is returned by Apply when the entry is not the next one.
var ErrOrder = errors.New("entries are applied one after the other")

// FullError says that there is no room. Nothing of the call was taken; the same
// call succeeds when room is made, with no restart.
type FullError struct {
	// Dir is the folder that is full.
	Dir string
	// Free is what is left in bytes, Floor what must stay free; both zero when it
	// is the configured size that was reached.
	Free, Floor int64
	// Size and Max are what is kept and what may be, both zero when it is the
	// disk that is full.
	Size, Max int64
	// Err is the cause when the disk itself refused.
	Err error
}

// Error implements error.
func (e *FullError) Error() string {
	if e.Max > 0 {
		return fmt.Sprintf("ledger %q holds %d of at most %d MiB: raise max_size or shorten retention", e.Dir, e.Size>>20, e.Max>>20)
	}
	return fmt.Sprintf("disk of %q has %d MiB left, %d MiB must stay free: make room, and it goes on by itself", e.Dir, e.Free>>20, e.Floor>>20)
}

// Unwrap returns the cause.
func (e *FullError) Unwrap() error { return e.Err }

// Retryable reports that the same call may succeed later.
func (e *FullError) Retryable() bool { return true }

// LockedError says that another process uses the folder.
type LockedError struct {
	Dir string
	// PID is the other process as it noted itself, 0 when it did not.
	PID int
}

// Error implements error.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("folder %q is in use by another vigil", e.Dir)
	}
	return fmt.Sprintf("folder %q is in use by process %d: stop that one first, or use another folder", e.Dir, e.PID)
}

// CorruptError says that something kept is damaged. What is damaged is named;
// the rest goes on.
type CorruptError struct {
	// What is damaged: "entry", "position", "finding", "snapshot", "segment",
	// "audit", "outbox", "verdict", "exception", "change of rules".
	What string
	// Name tells which one.
	Name string
	// Seq is the log entry, 0 when it is none.
	Seq uint64
	Err error
}

// Error implements error.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s %s is damaged: %v", e.What, e.Name, e.Err)
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

var errChecksum = errors.New("checksum differs")

// The primary result codes of SQLite that matter here.
const (
	sqliteIOErr = 10
	sqliteFull  = 13
)

// classify turns SQLite's word for a full disk into ours.
func (l *Ledger) classify(err error) error {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return err
	}
	code := se.Code() & 0xff
	if code != sqliteFull && code != sqliteIOErr {
		return err
	}
	free, ferr := l.free(l.cfg.Dir)
	if ferr != nil {
		free = 0
	}
	// An I/O error is a full disk only when the disk is full: the shared memory
	// file's growth fails that way.
	if code == sqliteIOErr && (ferr != nil || free >= l.cfg.MinFree) {
		return err
	}
	return &FullError{Dir: l.cfg.Dir, Free: free, Floor: l.cfg.MinFree, Err: err}
}
