package evidence

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/bloom"
)

// maxOutlines bounds the outlines that are remembered, a few hundred bytes each.
const maxOutlines = 50_000

// outline tells where the bloom filters of a segment's row groups lie, by the column. A
// segment that does not hold what is asked for is passed over by it: to read all of the
// footer would cost several times as much as to look into the filter.
type outline []map[string]filter

// filter is where the bits of a bloom filter lie.
type filter struct{ offset, size int64 }

// outlineOf reads where a file's bloom filters are. One of an unknown kind is left out.
func outlineOf(f *parquet.File, in io.ReaderAt) (outline, error) {
	groups := f.RowGroups()
	out := make(outline, len(groups))
	for i, group := range groups {
		out[i] = make(map[string]filter, len(filtered()))
		for _, path := range filtered() {
			chunk, err := column(group, path)
			if err != nil {
				return nil, err
			}
			c, ok := chunk.(*parquet.FileColumnChunk)
			if !ok {
				continue
			}
			b, err := c.BloomFilterFrom(in)
			if errors.Is(err, parquet.ErrMissingBloomFilter) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("read bloom filter of %s: %w", path, err)
			}
			_, offset, size := b.Outer()
			out[i][path] = filter{offset, size}
		}
	}
	return out, nil
}

// mayHold reports for each row group whether it can hold rows that match all that is
// wanted, and whether some do.
func (o outline) mayHold(in io.ReaderAt, wanted []want) (groups []bool, some bool, err error) {
	groups = make([]bool, len(o))
	for i, filters := range o {
		if groups[i], err = groupMayHold(in, filters, wanted); err != nil {
			return nil, false, err
		}
		some = some || groups[i]
	}
	return groups, some, nil
}

func groupMayHold(in io.ReaderAt, filters map[string]filter, wanted []want) (bool, error) {
	for _, w := range wanted {
		f, ok := filters[w.path]
		if !ok {
			continue
		}
		bits, may := io.NewSectionReader(in, f.offset, f.size), false
		for _, value := range w.values {
			var err error
			if may, err = bloom.CheckSplitBlock(bits, f.size, bloom.XXH64{}.Sum64([]byte(value))); err != nil {
				return false, fmt.Errorf("read bloom filter of %s: %w", w.path, err)
			}
			if may {
				break
			}
		}
		if !may {
			return false, nil
		}
	}
	return true, nil
}

// outlines remembers the outlines of segments by their keys.
type outlines struct {
	mu    sync.Mutex
	known map[string]outline
}

func (o *outlines) get(key string) outline {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.known[key]
}

func (o *outlines) put(key string, of outline) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil || len(o.known) >= maxOutlines {
		o.known = make(map[string]outline)
	}
	o.known[key] = of
}

func (o *outlines) forget(key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.known, key)
}
