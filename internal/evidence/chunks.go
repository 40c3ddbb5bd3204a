package evidence

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
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

// chunks reads a segment chunk by chunk and hands on no byte that was not
// checked. It serves one reader at a time, and keeps what it read: a segment is
// a few megabytes.
type chunks struct {
	ctx   context.Context
	store *Store
	seg   Segment
	held  map[int64][]byte
	// err is the first failure. A Parquet reader may hide an error of its input
	// behind one of its own; this is the true one.
	err error
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
	if b, ok := c.held[i]; ok {
		return b, nil
	}
	if i >= int64(len(c.seg.Sums)) {
		return nil, fmt.Errorf("%w: %q has no checksum for chunk %d", ErrCorrupt, c.seg.Key, i)
	}
	size := min(chunkSize, c.seg.Size-i*chunkSize)
	r, err := c.store.bucket.NewRangeReader(c.ctx, c.seg.Key, i*chunkSize, size, nil)
	if err != nil {
		return nil, c.store.readError(c.seg.Key, err)
	}
	b := make([]byte, size)
	_, err = io.ReadFull(r, b)
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, c.store.readError(c.seg.Key, err)
	}
	if crc32.Checksum(b, castagnoli) != c.seg.Sums[i] {
		return nil, fmt.Errorf("%w: %q: checksum of chunk %d differs", ErrCorrupt, c.seg.Key, i)
	}
	c.held[i] = b
	return b, nil
}
