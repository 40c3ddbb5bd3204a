// Package ledger keeps everything: the log of numbered entries, how far it is
// judged, findings, outgoing messages, time series, snapshots and the audit log,
// in one SQLite file, with sealed events in Parquet segments beside it.
//
// internal/app opens one [Ledger] and hands it round. There are two transactions
// that matter. Accept makes a batch and its source's position durable; when it
// returns nil the source may be acknowledged, and not before. Apply makes durable
// how far the log is judged, together with all that followed from it. So after
// any crash each event has counted exactly once.
//
// A Ledger is safe for concurrent use. There is one writer connection; Accept
// calls that come together share one commit. Readers see a consistent state of
// their own and wait for nobody. Lock order: queueMu, dedupMu and keysMu are
// never held together, and none across a call into SQLite save dedupMu, which only
// the leader of a group of Accept calls takes.
//
// When the disk is nearly full, Accept refuses with a [FullError] and everything
// else goes on with the reserve; it recovers by itself. When more is accepted
// than applied, Accept waits. A cancelled context ends a call before its
// transaction begins; a transaction that has begun is finished, so that an error
// always means that nothing was taken. What is damaged on disk is found by
// checksum and answered with a [CorruptError] that names it.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"

	"vigil/internal/evidence"
	"vigil/internal/evidence/columnar"
	"vigil/internal/series"
)

// Ledger is the store of one vigil.
type Ledger struct {
	cfg  Config
	log  *slog.Logger
	now  func() time.Time
	free func(dir string) (int64, error)
	// changed is told what has become durable, nil for nobody.
	changed func(Change)

	lock  *os.File
	w     *sql.DB // one connection, the only one that writes
	r     *sql.DB
	codec *columnar.Codec
	store *evidence.Store

	// last and applied are the newest durable entry and the newest judged one;
	// pending counts the events between them.
	last, applied atomic.Uint64
	pending       backlog
	segmentBytes  atomic.Int64
	closed        atomic.Bool

	// Each is broadcast when its kind of news is durable.
	accepted, progress, mail, dirty *signal

	queueMu sync.Mutex
	queue   []*request
	leading bool

	dedupMu sync.Mutex
	window  *window

	keysMu sync.Mutex
	keys   map[series.Key]int64

	// applying, sealing and saving let one of each kind run at a time.
	applying, sealing, saving sync.Mutex

	replayMu sync.Mutex
	replay   replay
}

// Open opens the ledger in cfg.Dir, making it when it is not there, and puts
// right what a crash left behind. It takes the folder for this process alone:
// while another has it, the error is a *LockedError.
func Open(ctx context.Context, cfg Config, opts Options) (l *Ledger, err error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	opts.defaults()
	l = &Ledger{
		cfg: cfg, log: opts.Logger, now: opts.Now, free: opts.Free, changed: opts.Changed,
		accepted: newSignal(), progress: newSignal(), mail: newSignal(), dirty: newSignal(),
		keys: make(map[series.Key]int64),
	}
	defer func() {
		if err != nil {
			_ = l.release() // the first error is the one to tell
			l = nil
		}
	}()
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		return l, fmt.Errorf("make ledger folder: %w", err)
	}
	if l.lock, err = lockDir(cfg.Dir); err != nil {
		return l, err
	}
	if l.codec, err = columnar.New(); err != nil {
		return l, err
	}
	if err := l.openDatabase(ctx); err != nil {
		return l, fmt.Errorf("open ledger in %q: %w", cfg.Dir, l.classify(err))
	}
	if l.store, err = evidence.Open(ctx, evidence.Config{URL: cfg.Evidence}); err != nil {
		return l, err
	}
	if err := l.recover(ctx); err != nil {
		return l, fmt.Errorf("recover ledger in %q: %w", cfg.Dir, err)
	}
	return l, nil
}

// lockDir takes the folder. The lock goes with the process, however it ends.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open lock of %q: %w", dir, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %q: %w", dir, err)
		}
		note := make([]byte, 20)
		n, _ := f.ReadAt(note, 0)                                   // a lock without a note is still a lock
		pid, _ := strconv.Atoi(strings.TrimSpace(string(note[:n]))) // as above
		return nil, &LockedError{Dir: dir, PID: pid}
	}
	// The note is for people; a disk too full for it must not keep us out.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}

func (l *Ledger) openDatabase(ctx context.Context) error {
	path, common := l.path(), commonPragmas()
	writer := append([]string{
		"page_size(8192)", "auto_vacuum(INCREMENTAL)", "journal_mode(WAL)", "synchronous(FULL)",
		"wal_autocheckpoint(1000)", "journal_size_limit(67108864)",
	}, common...)
	err := ownFile(path)
	if err != nil {
		return err
	}
	if l.w, err = connect(path, writer, "immediate"); err != nil {
		return err
	}
	l.w.SetMaxOpenConns(1)
	if err := migrate(ctx, l.w); err != nil {
		return err
	}
	return l.openReaders()
}

// ownFile makes the file of the database where there is none, readable by its owner alone:
// hashes of passwords stand in it. SQLite would make it as the folder is, and gives its
// neighbours the same rights. From one that is there the rights of everybody are taken.
func ownFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Mode().Perm()&0o007 == 0 {
		return err
	}
	return f.Chmod(info.Mode().Perm() &^ 0o007)
}

func (l *Ledger) path() string { return filepath.Join(l.cfg.Dir, "ledger.db") }

// commonPragmas are those of every connection.
func commonPragmas() []string {
	return []string{"busy_timeout(10000)", "foreign_keys(0)", "cache_size(-16000)", "temp_store(MEMORY)"}
}

func (l *Ledger) openReaders() (err error) {
	if l.r, err = connect(l.path(), append([]string{"query_only(1)"}, commonPragmas()...), "deferred"); err != nil {
		return err
	}
	l.r.SetMaxOpenConns(4)
	l.r.SetMaxIdleConns(4)
	return nil
}

func connect(path string, pragmas []string, lock string) (*sql.DB, error) {
	q := url.Values{"_txlock": {lock}, "_pragma": pragmas}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	c, err := sqlite.NewConnector(u.String())
	if err != nil {
		return nil, fmt.Errorf("connect to %q: %w", path, err)
	}
	return sql.OpenDB(c), nil
}

// recover puts right what a crash left: segments that were begun and not
// finished, or given up and not deleted; and it reads back what is kept in memory.
func (l *Ledger) recover(ctx context.Context) error {
	if err := l.readEnds(ctx); err != nil {
		return err
	}
	if err := l.clearSegments(ctx); err != nil {
		return err
	}
	if err := l.loadKeys(ctx); err != nil {
		return err
	}
	return l.loadWindow(ctx)
}

// readEnds reads how far the log goes, and how far it is judged.
func (l *Ledger) readEnds(ctx context.Context) error {
	var last, applied int64
	err := l.r.QueryRowContext(ctx, `SELECT
		(SELECT value FROM meta WHERE name = 'last'),
		(SELECT value FROM meta WHERE name = 'applied')`).Scan(&last, &applied)
	if err != nil {
		return fmt.Errorf("read how far the log goes: %w", err)
	}
	behind, err := waiting(ctx, l.r, applied+1, last)
	if err != nil {
		return fmt.Errorf("count what is not judged: %w", err)
	}
	l.last.Store(uint64(last))
	l.applied.Store(uint64(applied))
	for source, n := range behind {
		l.pending.add(source, n)
	}
	return nil
}

// Close ends all use of the ledger and gives the folder free. Calls that run
// are finished first.
func (l *Ledger) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	for _, s := range []*signal{l.accepted, l.progress, l.mail, l.dirty} {
		s.broadcast()
	}
	l.sealing.Lock()
	defer l.sealing.Unlock()
	l.saving.Lock()
	defer l.saving.Unlock()
	l.applying.Lock()
	defer l.applying.Unlock()
	l.dedupMu.Lock()
	defer l.dedupMu.Unlock()
	return l.release()
}

func (l *Ledger) release() error {
	var errs []error
	if l.r != nil {
		errs = append(errs, l.r.Close())
	}
	if l.w != nil {
		errs = append(errs, l.w.Close())
	}
	if l.store != nil {
		errs = append(errs, l.store.Close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close ledger: %w", err)
	}
	return nil
}

// write runs fn in a transaction of the writer. Once begun it is finished
// whatever becomes of ctx: whoever called must know whether it was taken.
func (l *Ledger) write(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	if l.closed.Load() {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.w == nil {
		return ErrReadOnly
	}
	ctx = context.WithoutCancel(ctx)
	tx, err := l.w.BeginTx(ctx, nil)
	if err != nil {
		return l.classify(l.gone(err))
	}
	if err := fn(ctx, tx); err != nil {
		_ = tx.Rollback() // the first error is the one to tell
		return l.classify(err)
	}
	if err := tx.Commit(); err != nil {
		_ = tx.Rollback() // as above
		return l.classify(fmt.Errorf("commit: %w", err))
	}
	return nil
}

// read runs fn in a read transaction: one consistent state.
func (l *Ledger) read(ctx context.Context, fn func(tx *sql.Tx) error) error {
	if l.closed.Load() {
		return ErrClosed
	}
	tx, err := l.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return l.gone(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return fn(tx)
}

// gone says ErrClosed where database/sql says that its pool is closed.
func (l *Ledger) gone(err error) error {
	if l.closed.Load() {
		return ErrClosed
	}
	return err
}

// room refuses when less than floor bytes are free.
func (l *Ledger) room(floor int64) error {
	free, err := l.free(l.cfg.Dir)
	if err != nil {
		return err
	}
	if free < floor {
		return &FullError{Dir: l.cfg.Dir, Free: free, Floor: floor}
	}
	return nil
}

// size is what is kept, in bytes: the segments and the used part of the
// database. Pages that sealing left unused are taken again by the next batches
// and don't count.
func (l *Ledger) size(ctx context.Context) (int64, error) {
	var pages, free, bytes int64
	err := l.r.QueryRowContext(ctx, `SELECT (SELECT page_count FROM pragma_page_count), (SELECT freelist_count FROM pragma_freelist_count),
		(SELECT page_size FROM pragma_page_size)`).Scan(&pages, &free, &bytes)
	if err != nil {
		return 0, fmt.Errorf("ask for the size of the ledger: %w", l.gone(err))
	}
	return (pages-free)*bytes + l.segmentBytes.Load(), nil
}
