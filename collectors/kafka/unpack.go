package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// unpackRatio is what a batch of records may unpack to at any time, as a multiple of
	// its size packed. The client's own bound is one for a batch, however small it is
	// packed, of which a fetch can hold thousands.
	unpackRatio = 300
	// unpackSpare is what batches may take beyond that together, in bytes. It comes back
	// within spareTime: single batches of much the same are read, floods of them are not.
	unpackSpare = 64 << 20
	spareTime   = 10 * time.Second
	// unpackMost bounds one batch unpacked, in bytes.
	unpackMost = 64 << 20
	// maxWindow bounds how far back zstd may look, in bytes.
	maxWindow = 16 << 20
)

// unpacker unpacks batches of records within bounds. It is safe for concurrent use.
type unpacker struct {
	zstd sync.Pool

	mu sync.Mutex // guards all below
	// spent is what was taken of the spare room, as of since.
	spent int
	since time.Time
}

// room is what a batch may unpack to.
func (u *unpacker) room(size int, now time.Time) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	back := float64(now.Sub(u.since)) / float64(spareTime) * unpackSpare
	u.spent, u.since = int(max(float64(u.spent)-back, 0)), now
	return min(size*unpackRatio+unpackSpare-u.spent, unpackMost)
}

// spend notes what a batch took.
func (u *unpacker) spend(size, unpacked int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.spent = min(u.spent+max(unpacked-size*unpackRatio, 0), unpackSpare)
}

// Decompress implements kgo.Decompressor.
func (u *unpacker) Decompress(src []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	if codec == kgo.CodecNone {
		return src, nil
	}
	out, err := u.unpack(src, codec, u.room(len(src), time.Now()))
	if err != nil {
		return nil, err
	}
	u.spend(len(src), len(out))
	return out, nil
}

func (u *unpacker) unpack(src []byte, codec kgo.CompressionCodecType, most int) ([]byte, error) {
	switch codec {
	case kgo.CodecGzip:
		r, err := gzip.NewReader(bytes.NewReader(src))
		if err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
		return unpackStream(r, most)
	case kgo.CodecLz4:
		return unpackStream(lz4.NewReader(bytes.NewReader(src)), most)
	case kgo.CodecSnappy:
		return unpackSnappy(src, most)
	case kgo.CodecZstd:
		return u.unpackZstd(src, most)
	}
	return nil, fmt.Errorf("codec %d is not known", codec)
}

// unpackStream reads at most most bytes.
func unpackStream(r io.Reader, most int) ([]byte, error) {
	var out bytes.Buffer
	n, err := out.ReadFrom(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	if n > int64(most) {
		return nil, kgo.ErrMaxDecompress
	}
	return out.Bytes(), nil
}

func (u *unpacker) unpackZstd(src []byte, most int) ([]byte, error) {
	d, _ := u.zstd.Get().(*zstd.Decoder)
	if d == nil {
		var err error
		// One that works alone has no goroutines: it may be left to the collector of garbage.
		d, err = zstd.NewReader(nil, zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderMaxMemory(unpackMost), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("set up zstd: %w", err)
		}
	}
	defer u.zstd.Put(d)
	if err := d.Reset(bytes.NewReader(src)); err != nil {
		return nil, fmt.Errorf("unpack zstd: %w", err)
	}
	out, err := unpackStream(d, most)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return nil, kgo.ErrMaxDecompress
	}
	return out, err
}

// xerial begins what the Java client packs with snappy: blocks, each after its length.
var xerial = []byte{130, 83, 78, 65, 80, 80, 89, 0}

func unpackSnappy(src []byte, most int) ([]byte, error) {
	if len(src) <= 16 || !bytes.HasPrefix(src, xerial) {
		return unpackBlock(nil, src, most)
	}
	var out []byte
	for src = src[16:]; len(src) > 0; {
		if len(src) < 4 {
			return nil, io.ErrUnexpectedEOF
		}
		size := int64(binary.BigEndian.Uint32(src))
		if src = src[4:]; size > int64(len(src)) {
			return nil, io.ErrUnexpectedEOF
		}
		var err error
		if out, err = unpackBlock(out, src[:size], most); err != nil {
			return nil, err
		}
		src = src[size:]
	}
	return out, nil
}

// unpackBlock appends a block of snappy to out.
func unpackBlock(out, src []byte, most int) ([]byte, error) {
	n, err := s2.DecodedLen(src)
	if err != nil {
		return nil, fmt.Errorf("unpack snappy: %w", err)
	}
	if len(out)+n > most {
		return nil, kgo.ErrMaxDecompress
	}
	block, err := s2.Decode(nil, src)
	if err != nil {
		return nil, fmt.Errorf("unpack snappy: %w", err)
	}
	if out == nil {
		return block, nil
	}
	return append(out, block...), nil
}
