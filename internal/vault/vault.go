// Package vault keeps what leads a pseudonym back to a name: the one place where an
// identifier outlives its arrival, sealed, for a reveal that two people approved.
//
// The intake hands every actor and customer that it makes a pseudonym of to
// [Vault.Saw], which never waits: what is new today is queued, and a goroutine of the
// vault's own seals it and writes it, about once a second and many in a transaction.
// [Vault.Name] reads one back. A Vault is safe for concurrent use.
//
// Each name is encrypted by AES-256-GCM under a key made from the vault's own (HKDF, RFC
// 5869), bound to its pseudonym, and padded so that its length tells little. Who has the file alone
// learns how many there are. It is a file of its own (SQLite), so that it can be left out of a backup, or
// deleted: what else vigil keeps then leads to nobody.
//
// When more is new than the queue holds, the rest is dropped and counted, and taken the
// next time that it is seen; so is what a crash kept from being written. While the disk is
// full what is new waits in the queue.
// [Vault.Prune] removes who was not seen for as long as events are kept.
package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// MinKey is the least length of a key, in bytes.
const MinKey = 16

// MaxName is the longest identifier that is kept, in bytes. A longer one is none that a
// person has.
const MaxName = 1_000

// FileName is the vault's name in its folder.
const FileName = "vault.db"

var (
	// ErrUnknown says that the vault has no name for a pseudonym.
	ErrUnknown = errors.New("the vault has no name for this pseudonym")
	// ErrKey says that a name is there, and was sealed under another key, or damaged.
	ErrKey = errors.New("the vault's entry can't be opened with the vault's key")
)

// Config says where a vault is.
type Config struct {
	// Dir is the folder of its file, which must exist.
	Dir string
	// Key is what its keys are made from, at least MinKey bytes.
	Key []byte
	// Every is how often what is new is written; zero means a second.
	Every time.Duration
}

// Options is what code passes. All are optional.
type Options struct {
	// Now tells the time; nil means the clock.
	Now func() time.Time
	// Logger gets what can't be written, when that changes.
	Logger *slog.Logger
}

const schema = `
-- day counts days since 1970: when the pseudonym was last seen.
CREATE TABLE IF NOT EXISTS name (
	pseudonym TEXT PRIMARY KEY,
	key       BLOB NOT NULL,
	sealed    BLOB NOT NULL,
	day       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`

// Vault is an open one.
type Vault struct {
	db   *sql.DB
	seal cipher.AEAD
	// keyID tells which key sealed an entry, and nothing of the key.
	keyID []byte
	now   func() time.Time
	log   *slog.Logger
	every time.Duration

	seen    seen
	dropped atomic.Int64
	stop    context.CancelFunc
	done    chan struct{}

	queueMu sync.Mutex // guards queue; taken alone
	queue   []entry
	// writing is held while entries are written, and guards day and fault.
	writing sync.Mutex
	day     int64
	fault   string
}

// entry is a name that waits to be written.
type entry struct{ pseudonym, name string }

// maxQueue bounds the names that wait: some 25 MB.
const maxQueue = 1 << 18

// Open opens the vault in a folder, or makes it.
func Open(ctx context.Context, cfg Config, opts Options) (*Vault, error) {
	if len(cfg.Key) < MinKey {
		return nil, fmt.Errorf("the vault's key has %d bytes, at least %d are needed", len(cfg.Key), MinKey)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Every <= 0 {
		cfg.Every = time.Second
	}
	v := &Vault{now: opts.Now, log: opts.Logger, every: cfg.Every, done: make(chan struct{})}
	if err := v.keys(cfg.Key); err != nil {
		return nil, err
	}
	path := filepath.Join(cfg.Dir, FileName)
	// Made here, or it would be readable by others.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the vault: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("make the vault: %w", err)
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(),
		RawQuery: url.Values{"_txlock": {"immediate"}, "_pragma": {"journal_mode(WAL)", "synchronous(NORMAL)", "busy_timeout(10000)", "secure_delete(1)"}}.Encode()}
	if v.db, err = sql.Open("sqlite", u.String()); err != nil {
		return nil, fmt.Errorf("open the vault: %w", err)
	}
	v.db.SetMaxOpenConns(2)
	if _, err := v.db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("open the vault %s: %w; if it is damaged, move it away: names are kept anew as they are seen", path, err), v.db.Close())
	}
	v.day = v.today()
	ctx, v.stop = context.WithCancel(context.WithoutCancel(ctx))
	go v.run(ctx)
	return v, nil
}

// keys makes the key that seals and the one by which it is told apart.
func (v *Vault) keys(from []byte) error {
	key, err := hkdf.Key(sha256.New, from, nil, "vigil vault: names", 32)
	if err != nil {
		return fmt.Errorf("make the vault's key: %w", err)
	}
	if v.keyID, err = hkdf.Key(sha256.New, from, nil, "vigil vault: which key", 8); err != nil {
		return fmt.Errorf("make the vault's key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err == nil {
		v.seal, err = cipher.NewGCMWithRandomNonce(block)
	}
	if err != nil {
		return fmt.Errorf("make the vault's key: %w", err)
	}
	return nil
}

// Saw takes note that an identifier has a pseudonym. It never waits.
func (v *Vault) Saw(pseudonym, name string) {
	if pseudonym == "" || name == "" || len(name) > MaxName || !v.seen.first(pseudonym) {
		return
	}
	v.queueMu.Lock()
	full := len(v.queue) >= maxQueue
	if !full {
		v.queue = append(v.queue, entry{pseudonym, name})
	}
	v.queueMu.Unlock()
	if full {
		v.dropped.Add(1)
		v.seen.forget(pseudonym) // so that it is taken the next time
	}
}

// Dropped counts the names that came while the queue was full. They are taken the next time that
// they are seen.
func (v *Vault) Dropped() int64 { return v.dropped.Load() }

// Name returns the identifier behind a pseudonym. The error wraps ErrUnknown where there
// is none, and ErrKey where it can't be opened.
func (v *Vault) Name(ctx context.Context, pseudonym string) (string, error) {
	// Who asks and leaves must not take along what others' names wait for.
	if err := v.flush(context.WithoutCancel(ctx)); err != nil {
		return "", err
	}
	var sealed []byte
	err := v.db.QueryRowContext(ctx, `SELECT sealed FROM name WHERE pseudonym = ?`, pseudonym).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrUnknown
	}
	if err != nil {
		return "", fmt.Errorf("read the vault: %w", err)
	}
	padded, err := v.seal.Open(nil, nil, sealed, bound(pseudonym))
	if err != nil {
		return "", ErrKey // the library's error says no more
	}
	if len(padded) < 2 || int(binary.BigEndian.Uint16(padded)) > len(padded)-2 {
		return "", ErrKey
	}
	return string(padded[2 : 2+binary.BigEndian.Uint16(padded)]), nil
}

// sealed encrypts a name for its pseudonym.
func (v *Vault) sealed(e entry) []byte {
	// In steps of 32 bytes, so that the length does not tell whose it is.
	padded := make([]byte, (2+len(e.name)+31)/32*32)
	binary.BigEndian.PutUint16(padded, uint16(len(e.name)))
	copy(padded[2:], e.name)
	return v.seal.Seal(nil, nil, padded, bound(e.pseudonym)) //nolint:gosec // it draws the nonce itself
}

// bound ties what is sealed to its pseudonym: moved to another, it can't be opened.
func bound(pseudonym string) []byte { return append([]byte("vigil vault 1\x00"), pseudonym...) }

// Count tells how many names are kept.
func (v *Vault) Count(ctx context.Context) (n int64, err error) {
	if err := v.db.QueryRowContext(ctx, `SELECT count(*) FROM name`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the vault's names: %w", err)
	}
	return n, nil
}

// Prune removes the names that were not seen since before, and says how many.
func (v *Vault) Prune(ctx context.Context, before time.Time) (int64, error) {
	v.writing.Lock()
	defer v.writing.Unlock()
	res, err := v.db.ExecContext(ctx, `DELETE FROM name WHERE day < ?`, dayOf(before))
	if err != nil {
		return 0, fmt.Errorf("prune the vault: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("prune the vault: %w", err)
	}
	return n, nil
}

// Close writes what waits and closes the file.
func (v *Vault) Close(ctx context.Context) error {
	v.stop()
	<-v.done
	return errors.Join(v.flush(context.WithoutCancel(ctx)), v.db.Close())
}

func (v *Vault) today() int64 { return dayOf(v.now()) }

func dayOf(t time.Time) int64 {
	const day = 24 * 60 * 60
	return t.Unix() / day
}
