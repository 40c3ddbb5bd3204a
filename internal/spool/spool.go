// Package spool keeps what a remote collector has read until the central vigil has it.
//
// It is one SQLite file. A batch and its source's position are one transaction, synced
// to disk before Accept returns, so that a source is acknowledged only for what is
// durable; a frame is forgotten only after the receiver has kept it. What lies there is
// encrypted (AES-256-GCM with a key made from the collector's own, HKDF, RFC 5869), since
// identifiers are not pseudonyms yet; positions are encrypted too. When the spool is
// full, Accept refuses with a [FullError]: sources that can wait do, senders are told. One
// source may hold at most four times of what is left free, so that one which the central
// vigil refuses leaves room for the others. A batch that is too large for one frame
// becomes several; what no frame can hold is set aside in it.
//
// A Spool is safe for concurrent use.
package spool

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"vigil/collectors"
	"vigil/collectors/relay"
)

// Config says where the spool is and how large it may be.
type Config struct {
	// Dir is the folder of the spool, made when missing. Required.
	Dir string
	// Key is the collector's key, at least 16 bytes.
	Key []byte
	// MaxBytes bounds the frames that wait; zero means 10 GiB.
	MaxBytes int64
	// MinFree is how much of the disk must stay free; zero means 64 MiB.
	MinFree int64
	// Free tells how many bytes are free on the disk of a folder; nil asks the system.
	Free func(dir string) (int64, error)
}

// FullError says that the spool takes nothing more for now.
type FullError struct {
	Dir string
	// Why says what is full.
	Why string
}

func (e *FullError) Error() string {
	return fmt.Sprintf("the spool %s is full: %s; it takes in again by itself once the central vigil has taken what waits, or there is room", e.Dir, e.Why)
}

// RetryAfter implements collectors.Later.
func (e *FullError) RetryAfter() time.Duration { return 5 * time.Second }

const schema = `
CREATE TABLE IF NOT EXISTS spool (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	stream TEXT NOT NULL,
	proof  BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS source (
	name     TEXT PRIMARY KEY,
	sequence INTEGER NOT NULL DEFAULT 0,
	sum      BLOB NOT NULL DEFAULT x'',
	position BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS frame (
	source   TEXT NOT NULL,
	sequence INTEGER NOT NULL,
	previous BLOB NOT NULL,
	body     BLOB NOT NULL,
	PRIMARY KEY (source, sequence)
) STRICT;
`

// Spool is an open one.
type Spool struct {
	cfg    Config
	db     *sql.DB
	seal   cipher.AEAD
	stream string

	mu sync.Mutex // guards all below; held during a write
	// bytes wait, as they lie on disk; bySource says whose they are.
	bytes    int64
	bySource map[string]int64
	news     chan struct{}
}

// ownShare is how many times of what is left free a source may hold.
const ownShare = 4

// Open opens the spool in its folder, or makes it. The error says what is wrong: another
// process has it, or it was written with another key.
func Open(ctx context.Context, cfg Config) (*Spool, error) {
	if cfg.Dir == "" || len(cfg.Key) < 16 {
		return nil, errors.New("open spool: it needs a folder and a key of at least 16 bytes")
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 10 << 30
	}
	if cfg.MinFree <= 0 {
		cfg.MinFree = 64 << 20
	}
	if cfg.Free == nil {
		cfg.Free = freeOn
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make spool folder: %w", err)
	}
	key, err := hkdf.Key(sha256.New, cfg.Key, nil, "vigil spool", 32)
	if err != nil {
		return nil, fmt.Errorf("make the spool's key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make the spool's key: %w", err)
	}
	s := &Spool{cfg: cfg, bySource: map[string]int64{}, news: make(chan struct{})}
	if s.seal, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("make the spool's key: %w", err)
	}
	dsn := url.URL{Scheme: "file", Path: filepath.Join(cfg.Dir, "spool.db"), RawQuery: "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=locking_mode(EXCLUSIVE)&_pragma=busy_timeout(2000)&_txlock=immediate"}
	if s.db, err = sql.Open("sqlite", dsn.String()); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	s.db.SetMaxOpenConns(1)
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open spool %s: %w", cfg.Dir, err), s.db.Close())
	}
	return s, nil
}

func (s *Spool) begin(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("%w; is another vigil collect running on it?", err)
	}
	var proof []byte
	err := s.db.QueryRowContext(ctx, `SELECT stream, proof FROM spool`).Scan(&s.stream, &proof)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		var id [16]byte
		_, _ = rand.Read(id[:]) // never fails
		s.stream = hex.EncodeToString(id[:])
		proof = s.seal.Seal(nil, nil, []byte(s.stream), nil) //nolint:gosec // the nonce is random, and made within
		if _, err := s.db.ExecContext(ctx, `INSERT INTO spool (one, stream, proof) VALUES (1, ?, ?)`, s.stream, proof); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if _, err := s.seal.Open(nil, nil, proof, nil); err != nil {
			return errors.New("it was written with another key; start with the old key until it is empty, or remove the folder and lose what waits in it")
		}
	}
	rows, err := s.db.QueryContext(ctx, `SELECT source, sum(length(body)) FROM frame GROUP BY source`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var source string
		var n int64
		if err := rows.Scan(&source, &n); err != nil {
			return err
		}
		s.count(source, n)
	}
	return rows.Err()
}

// count adds to what waits. It needs mu.
func (s *Spool) count(source string, n int64) {
	s.bytes += n
	if s.bySource[source] += n; s.bySource[source] <= 0 {
		delete(s.bySource, source)
	}
}

// size is what a body has on disk.
func (s *Spool) size(body []byte) int64 { return int64(len(body) + s.seal.Overhead()) }

// Close closes it. Calls that run are finished first.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.db.Close()
}

// about is what is bound into what is encrypted: a frame can't be put in another's place.
func about(kind, source string, sequence uint64) []byte {
	out := binary.BigEndian.AppendUint64([]byte(kind), uint64(len(source)))
	return binary.BigEndian.AppendUint64(append(out, source...), sequence)
}

// Accept implements collectors.Sink.
func (s *Spool) Accept(ctx context.Context, b collectors.Batch) error {
	bodies, err := pack(b)
	if err != nil {
		return err
	}
	n := int64(0)
	for _, body := range bodies {
		n += s.size(body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.room(b.Source, n); err != nil {
		return err
	}
	// What is begun is finished: a caller that gives up must not tear a batch from its
	// position.
	ctx = context.WithoutCancel(ctx)
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("spool a batch: %w", err)
	}
	if err := s.write(ctx, tx, &b, bodies); err != nil {
		return errors.Join(fmt.Errorf("spool a batch of %q: %w", b.Source, err), tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("spool a batch of %q: %w", b.Source, err)
	}
	if len(bodies) > 0 {
		s.count(b.Source, n)
		close(s.news)
		s.news = make(chan struct{})
	}
	return nil
}

func (s *Spool) room(source string, n int64) error {
	if s.bytes > 0 && s.bytes+n > s.cfg.MaxBytes {
		return &FullError{s.cfg.Dir, fmt.Sprintf("%d MB wait for the central vigil, at most %d may", s.bytes>>20, s.cfg.MaxBytes>>20)}
	}
	if own := s.bySource[source]; own > 0 && own+n > ownShare*(s.cfg.MaxBytes-s.bytes-n) {
		return &FullError{s.cfg.Dir, fmt.Sprintf("%d MB of source %q alone wait for the central vigil, and room is left for others", own>>20, source)}
	}
	free, err := s.cfg.Free(s.cfg.Dir)
	if err != nil {
		return fmt.Errorf("ask how much of the disk is free: %w", err)
	}
	if free < s.cfg.MinFree {
		return &FullError{s.cfg.Dir, fmt.Sprintf("only %d MB of the disk are free", free>>20)}
	}
	return nil
}

func (s *Spool) write(ctx context.Context, tx *sql.Tx, b *collectors.Batch, bodies [][]byte) error {
	f := relay.Frame{Stream: s.stream, Source: b.Source}
	var sequence int64
	var sum []byte
	err := tx.QueryRowContext(ctx, `SELECT sequence, sum FROM source WHERE name = ?`, b.Source).Scan(&sequence, &sum)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for _, body := range bodies {
		sequence++
		f.Sequence, f.Body, f.Previous = uint64(sequence), body, relay.Sum{}
		copy(f.Previous[:], sum)
		sealed := s.seal.Seal(nil, nil, f.Body, about("frame", b.Source, f.Sequence)) //nolint:gosec // as above
		if _, err := tx.ExecContext(ctx, `INSERT INTO frame (source, sequence, previous, body) VALUES (?, ?, ?, ?)`,
			b.Source, sequence, f.Previous[:], sealed); err != nil {
			return err
		}
		next := f.Sum()
		sum = next[:]
	}
	if sum == nil {
		sum = []byte{}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO source (name, sequence, sum) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence, sum = excluded.sum`, b.Source, sequence, sum); err != nil {
		return err
	}
	if b.Position == nil {
		return nil
	}
	sealed := s.seal.Seal(nil, nil, b.Position, about("position", b.Source, 0)) //nolint:gosec // as above
	_, err = tx.ExecContext(ctx, `UPDATE source SET position = ? WHERE name = ?`, sealed, b.Source)
	return err
}

// Position is what is kept for a source, nil for one that was never read.
func (s *Spool) Position(ctx context.Context, source string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sealed []byte
	err := s.db.QueryRowContext(ctx, `SELECT position FROM source WHERE name = ?`, source).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) || err == nil && sealed == nil {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the position of %q: %w", source, err)
	}
	position, err := s.seal.Open(nil, nil, sealed, about("position", source, 0))
	if err != nil {
		return nil, fmt.Errorf("read the position of %q: it is damaged", source)
	}
	return position, nil
}

// Sources implements relay.Queue.
func (s *Spool) Sources(ctx context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.db.QueryContext(ctx, `SELECT DISTINCT source FROM frame ORDER BY source`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		out = append(out, name)
	}
	return out, rows.Err()
}

// Next implements relay.Queue. A frame that is damaged on disk is let go: the receiver
// sees that its number is missing, and tells.
func (s *Spool) Next(ctx context.Context, source string) (*relay.Frame, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		f := &relay.Frame{Stream: s.stream, Source: source}
		var sequence int64
		var previous, sealed []byte
		err := s.db.QueryRowContext(ctx, `SELECT sequence, previous, body FROM frame WHERE source = ? ORDER BY sequence LIMIT 1`, source).
			Scan(&sequence, &previous, &sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		f.Sequence = uint64(sequence)
		copy(f.Previous[:], previous)
		if f.Body, err = s.seal.Open(nil, nil, sealed, about("frame", source, f.Sequence)); err == nil {
			return f, nil
		}
		if _, err := s.db.ExecContext(ctx, `DELETE FROM frame WHERE source = ? AND sequence = ?`, source, sequence); err != nil {
			return nil, err
		}
		s.count(source, -int64(len(sealed)))
	}
}

// Sent implements relay.Queue.
func (s *Spool) Sent(ctx context.Context, f *relay.Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	res, err := s.db.ExecContext(context.WithoutCancel(ctx), `DELETE FROM frame WHERE source = ? AND sequence = ?`, f.Source, int64(f.Sequence))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err == nil && n == 1 {
		s.count(f.Source, -s.size(f.Body))
	}
	return nil
}

// News implements relay.Queue.
func (s *Spool) News() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.news
}

// Waiting is how many bytes wait to be sent.
func (s *Spool) Waiting() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

var (
	_ collectors.Sink  = (*Spool)(nil)
	_ relay.Queue      = (*Spool)(nil)
	_ collectors.Later = (*FullError)(nil)
)
