package evidence

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

// chunkSize is the unit of checksums and of reading: 256 KiB.
const chunkSize = 256 << 10

// castagnoli is read only.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// summer passes bytes on and keeps a checksum of each chunk of them.
type summer struct {
	w    io.Writer
	sums []uint32
	size int64
}

// Write implements io.Writer.
func (s *summer) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	for rest := p[:n]; len(rest) > 0; {
		used := int(s.size % chunkSize)
		if used == 0 {
			s.sums = append(s.sums, 0)
		}
		take := min(chunkSize-used, len(rest))
		last := len(s.sums) - 1
		s.sums[last] = crc32.Update(s.sums[last], castagnoli, rest[:take])
		s.size += int64(take)
		rest = rest[take:]
	}
	return n, err
}

// chunk is the memory of one, lent from the pool.
type chunk [chunkSize]byte

var chunkPool = sync.Pool{New: func() any { return new(chunk) }}

// chunks reads a segment chunk by chunk and hands on no byte that was not
// checked. It serves one reader at a time, and keeps what it read until it gives it back:
// a segment is a few megabytes.
type chunks struct {
	ctx   context.Context
	store *Store
	seg   Segment
	held  map[int64]*chunk
	// err is the first failure. A Parquet reader may hide an error of its input
	// behind one of its own; this is the true one.
	err error
}

// giveBack lets go of what was read. What was copied out of it stays.
func (c *chunks) giveBack() {
	for _, b := range c.held {
		chunkPool.Put(b)
	}
	clear(c.held)
}

// ReadAt implements io.ReaderAt.
func (c *chunks) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= c.seg.Size {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && off < c.seg.Size {
		chunk, err := c.chunk(off / chunkSize)
		if err != nil {
			if c.err == nil {
				c.err = err
			}
			return n, err
		}
		m := copy(p[n:], chunk[off%chunkSize:])
		n += m
		off += int64(m)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (c *chunks) chunk(i int64) ([]byte, error) {
	if i >= int64(len(c.seg.Sums)) {
		return nil, fmt.Errorf("%w: %q has no checksum for chunk %d", ErrCorrupt, c.seg.Key, i)
	}
	size := min(chunkSize, c.seg.Size-i*chunkSize)
	if b, ok := c.held[i]; ok {
		return b[:size], nil
	}
	b := chunkPool.Get().(*chunk)
	if err := c.load(b[:size], i); err != nil {
		chunkPool.Put(b)
		return nil, err
	}
	c.held[i] = b
	return b[:size], nil
}

// load reads a chunk and checks it.
func (c *chunks) load(b []byte, i int64) error {
	r, err := c.store.bucket.NewRangeReader(c.ctx, c.seg.Key, i*chunkSize, int64(len(b)), nil)
	if err != nil {
		return c.store.readError(c.seg.Key, err)
	}
	_, err = io.ReadFull(r, b)
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return c.store.readError(c.seg.Key, err)
	}
	if crc32.Checksum(b, castagnoli) != c.seg.Sums[i] {
		return fmt.Errorf("%w: %q: checksum of chunk %d differs", ErrCorrupt, c.seg.Key, i)
	}
	return nil
}
