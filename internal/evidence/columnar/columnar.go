// Package columnar is the form in which the ledger keeps a batch of events:
// column by column, strings by dictionary, numbers by difference, compressed
// with zstd and guarded by a CRC32C.
//
// The ledger calls it once for each batch on the way in, and again when a batch
// is judged, sealed or searched. A [Codec] is safe for concurrent use and keeps no
// state between calls. Every field of an event comes back exactly, save that an
// empty list comes back as nil and every time in UTC. Damaged input gives an
// error that wraps [ErrCorrupt], never a panic, and what is allocated for it is
// bounded by the size that its header states, which in turn is bounded by
// [MaxRaw].
package columnar

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/zstd"

	"vigil"
)

// MaxRaw bounds the uncompressed bytes of one batch: 512 MiB.
const MaxRaw = 512 << 20

// ErrCorrupt is wrapped by every error that stands for damaged bytes.
var ErrCorrupt = errors.New("batch is damaged")

// ErrTooLarge is returned for a batch beyond MaxRaw, with more than some four
// million subjects or fields, or with an event that names too many of them.
var ErrTooLarge = errors.New("batch is too large to be kept as one")

const (
	magic      = "VGC1"
	headerSize = len(magic) + 4 + 4 // magic, raw size, checksum
)

// castagnoli is read only.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Columns says which columns Decode fills in.
type Columns uint8

// The groups of columns that can be asked for.
const (
	// Identity is the event's source and id.
	Identity Columns = 1 << iota
	// Who is the actor's id and tenant, and the event's time.
	Who
	// Whose is the subjects.
	Whose
	// Rest is everything else.
	Rest

	// All is every column.
	All = Identity | Who | Whose | Rest
)

// Codec turns batches into bytes and back.
type Codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// New returns a codec.
func New() (*Codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("make compressor: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxRaw))
	if err != nil {
		return nil, fmt.Errorf("make decompressor: %w", err)
	}
	return &Codec{enc: enc, dec: dec}, nil
}

// Encode returns the batch as bytes. The events are only read.
func (c *Codec) Encode(events []*vigil.Event) ([]byte, error) {
	subjects, fields := 0, 0
	for _, e := range events {
		subjects += len(e.Subjects)
		fields += len(e.Fields)
		if len(e.Subjects) > vigil.MaxSubjects || len(e.Fields) > vigil.MaxSubjects {
			return nil, ErrTooLarge
		}
	}
	if subjects > maxFlat || fields > maxFlat {
		return nil, ErrTooLarge
	}
	raw := encodeRaw(events)
	if len(raw) > MaxRaw {
		return nil, ErrTooLarge
	}
	return c.frame(magic, raw), nil
}

// Decode returns the batch's events with the columns asked for; the other
// fields are left empty, and counts that were not asked for are zero.
func (c *Codec) Decode(data []byte, cols Columns) ([]*vigil.Event, error) {
	raw, err := c.unframe(magic, data)
	if err != nil {
		return nil, err
	}
	return decodeRaw(raw, cols)
}

// The same frame keeps other bytes than batches (a snapshot's parts).
const bytesMagic = "VGB1"

// Pack compresses bytes of any kind and guards them with a checksum.
func (c *Codec) Pack(data []byte) ([]byte, error) {
	if len(data) > MaxRaw {
		return nil, ErrTooLarge
	}
	return c.frame(bytesMagic, data), nil
}

// Unpack returns what Pack was given.
func (c *Codec) Unpack(data []byte) ([]byte, error) { return c.unframe(bytesMagic, data) }

func (c *Codec) frame(kind string, raw []byte) []byte {
	out := make([]byte, headerSize, headerSize+len(raw)/3+64)
	copy(out, kind)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(raw)))
	out = c.enc.EncodeAll(raw, out)
	binary.LittleEndian.PutUint32(out[8:], checksum(out))
	return out
}

func (c *Codec) unframe(kind string, data []byte) ([]byte, error) {
	if len(data) < headerSize || string(data[:4]) != kind {
		return nil, fmt.Errorf("%w: no %s header", ErrCorrupt, kind)
	}
	if binary.LittleEndian.Uint32(data[8:]) != checksum(data) {
		return nil, fmt.Errorf("%w: checksum differs", ErrCorrupt)
	}
	size := int(binary.LittleEndian.Uint32(data[4:]))
	if size > MaxRaw {
		return nil, fmt.Errorf("%w: header states %d bytes", ErrCorrupt, size)
	}
	// A lying header must not make us allocate what the bytes can't hold: the
	// buffer starts small and grows as the decompressor proves it.
	raw, err := c.dec.DecodeAll(data[headerSize:], make([]byte, 0, min(size, 64*len(data))))
	if err != nil {
		return nil, fmt.Errorf("%w: decompress: %w", ErrCorrupt, err)
	}
	if len(raw) != size {
		return nil, fmt.Errorf("%w: %d bytes where the header states %d", ErrCorrupt, len(raw), size)
	}
	return raw, nil
}

// checksum covers the whole frame but its own four bytes.
func checksum(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[:8], castagnoli), castagnoli, frame[headerSize:])
}
