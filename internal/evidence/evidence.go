// Package evidence keeps judged events for good: Parquet segments in a blob
// store, sorted by actor and time, that any tool can read.
//
// The ledger calls it: its sealer writes a segment and then, in a transaction of
// its own, lets go of the batches that are in it; queries and replays read
// segments back. A [Store] is safe for concurrent use.
//
// A segment is written once and never changed. [Store.Write] returns when the
// segment is durable and was read back; only then may its batches go. A segment
// that nobody asks for by name is an orphan of a crash: the ledger remembers what
// it was about to write and deletes that at its next start. Every byte that is
// read is checked against the checksums that Write returned, so damage is found
// before a Parquet reader sees it. When the disk is full or the context is
// cancelled, Write fails and leaves nothing behind that counts.
package evidence

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"

	"vigil"
)

// ErrCorrupt is wrapped by errors that stand for a damaged or missing segment.
var ErrCorrupt = errors.New("segment is damaged")

// Config says where segments are kept.
type Config struct {
	// URL names the blob store: a path or file:// URL for a local folder, made
	// when it is missing, else the URL of a store whose driver is built in. It
	// must not be empty.
	URL string
}

// Row is one event with its place in the log.
type Row struct {
	// Seq is the number of the log entry, Offset the event's place in it from 0.
	Seq    uint64
	Offset uint32
	Event  *vigil.Event
}

// Segment describes one written segment. It is what must be kept to read it.
type Segment struct {
	// Key is its name in the store.
	Key string
	// Size is in bytes, Rows the number of events.
	Size, Rows int64
	// First and Last bound the events' times.
	First, Last time.Time
	// Sums are the CRC32C of each 256 KiB of the segment, in order.
	Sums []uint32
}

// Store keeps segments in a bucket.
type Store struct {
	bucket *blob.Bucket
	// dir is the local folder, empty for a remote store.
	dir string
	// outlines are of the segments that were looked into.
	outlines outlines
}

// Open opens the store and clears what an interrupted write left half done.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	dir, err := localDir(cfg.URL)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		return openURL(ctx, cfg.URL)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make evidence folder: %w", err)
	}
	stranded, err := filepath.Glob(filepath.Join(dir, "*.parquet.*.tmp"))
	if err != nil {
		return nil, fmt.Errorf("look for half-written segments: %w", err)
	}
	for _, name := range stranded {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("remove half-written segment: %w", err)
		}
	}
	return openDir(dir)
}

// OpenReader opens the store for reading beside the process that writes to it: nothing
// is made, and nothing half-written is taken away.
func OpenReader(ctx context.Context, cfg Config) (*Store, error) {
	dir, err := localDir(cfg.URL)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		return openURL(ctx, cfg.URL)
	}
	return openDir(dir)
}

func openURL(ctx context.Context, url string) (*Store, error) {
	bucket, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open evidence store: %w (built in: a local folder)", err)
	}
	return &Store{bucket: bucket}, nil
}

func openDir(dir string) (*Store, error) {
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{
		DirFileMode: 0o750, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
	})
	if err != nil {
		return nil, fmt.Errorf("open evidence folder %q: %w", dir, err)
	}
	return &Store{bucket: bucket, dir: dir}, nil
}

// localDir returns the folder that a path or file URL names, or "" for a URL of
// another kind.
func localDir(raw string) (string, error) {
	if raw == "" {
		return "", errors.New("evidence store has no URL")
	}
	if !strings.Contains(raw, "://") {
		return raw, nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		// The error of url.Parse repeats the URL, which may carry a password.
		return "", errors.New("evidence store's URL can't be read")
	}
	if u.Scheme != "file" {
		return "", nil
	}
	if u.Path == "" || (u.Host != "" && u.Host != "localhost") {
		return "", fmt.Errorf("evidence folder %q must be file:///absolute/path", raw)
	}
	return filepath.FromSlash(u.Path), nil
}

// Delete removes a segment. That it is not there is no error.
func (s *Store) Delete(ctx context.Context, key string) error {
	s.outlines.forget(key)
	if err := s.bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("delete segment %q: %w", key, err)
	}
	return nil
}

// Close lets go of the store.
func (s *Store) Close() error {
	if err := s.bucket.Close(); err != nil {
		return fmt.Errorf("close evidence store: %w", err)
	}
	return nil
}

// harden makes a local segment survive a power cut: the file, then its name. The
// blob library renames a finished file into place but syncs neither.
func (s *Store) harden(key string) error {
	if s.dir == "" {
		return nil
	}
	for _, name := range []string{filepath.Join(s.dir, key), s.dir} {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("open %q to sync it: %w", name, err)
		}
		err = f.Sync()
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return fmt.Errorf("sync %q: %w", name, err)
		}
	}
	return nil
}
