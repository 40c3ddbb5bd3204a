package evidence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"gocloud.dev/blob"
)

// bloomBits is the size of the bloom filters, in bits per value: about 1 % of
// segments are opened in vain.
const bloomBits = 10

// pageBytes is the size of a column's pages before they are compressed. A page must be read
// and unpacked whole for the sake of one row, and the usual query is for a few rows of many
// segments.
const pageBytes = 32 << 10

// The columns of who read, which the rows are sorted by, and of whose data.
const (
	pathActor    = "actor"
	pathSubjects = "subjects.list.element"
)

// filtered are the columns with a bloom filter.
func filtered() []string { return []string{pathActor, pathSubjects, "session", "conversation"} }

func blooms() (out []parquet.BloomFilterColumn) {
	for _, path := range filtered() {
		out = append(out, parquet.SplitBlockFilter(bloomBits, strings.Split(path, ".")...))
	}
	return out
}

// writeChunk is how many rows are converted at a time.
const writeChunk = 2048

// Write makes a segment of the rows, which it sorts in place by actor and time.
// It returns when the segment is durable and its row count was read back. On an
// error nothing stands under the key, or what stands there is worthless and may
// be deleted.
func (s *Store) Write(ctx context.Context, key string, rows []Row) (seg Segment, err error) {
	if len(rows) == 0 {
		return Segment{}, errors.New("a segment without rows")
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(
			cmp.Compare(a.Event.Actor.ID, b.Event.Actor.ID),
			a.Event.Time.Compare(b.Event.Time),
			cmp.Compare(a.Seq, b.Seq),
			cmp.Compare(a.Offset, b.Offset),
		)
	})
	// Cancelling its context is how a blob writer is told not to finish.
	wctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := s.bucket.NewWriter(wctx, key, &blob.WriterOptions{ContentType: "application/vnd.apache.parquet", DisableContentTypeDetection: true})
	if err != nil {
		return Segment{}, fmt.Errorf("begin segment %q: %w", key, err)
	}
	sums := &summer{w: w}
	if err := writeParquet(sums, rows); err != nil {
		cancel()
		_ = w.Close() // a cancelled writer always says so
		return Segment{}, fmt.Errorf("write segment %q: %w", key, err)
	}
	if err := w.Close(); err != nil {
		return Segment{}, fmt.Errorf("finish segment %q: %w", key, err)
	}
	if err := s.harden(key); err != nil {
		return Segment{}, err
	}
	seg = Segment{Key: key, Size: sums.size, Rows: int64(len(rows)), Sums: sums.sums, First: rows[0].Event.Time, Last: rows[0].Event.Time}
	for _, row := range rows {
		if row.Event.Time.Before(seg.First) {
			seg.First = row.Event.Time
		}
		if row.Event.Time.After(seg.Last) {
			seg.Last = row.Event.Time
		}
	}
	if err := s.Check(ctx, seg); err != nil {
		return Segment{}, fmt.Errorf("read back segment %q: %w", key, err)
	}
	return seg, nil
}

// writeParquet recovers at the library's boundary: a panic there must cost a
// segment, not the program.
func writeParquet(sums *summer, rows []Row) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("parquet writer panicked: %v", p)
		}
	}()
	w := parquet.NewGenericWriter[record](sums,
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1}),
		parquet.CreatedBy("vigil", "1", ""),
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("actor"), parquet.Ascending("time"))),
		parquet.BloomFilters(blooms()...),
		parquet.PageBufferSize(pageBytes),
		parquet.SkipPageBounds("id"),
	)
	buf := make([]record, 0, writeChunk)
	for chunk := range slices.Chunk(rows, writeChunk) {
		buf = buf[:0]
		for _, row := range chunk {
			buf = append(buf, recordOf(row))
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return w.Close()
}
