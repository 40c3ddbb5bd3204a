// Package relay carries batches from a remote collector to a central vigil: what the one
// has spooled ([Sender]) to what the other keeps ([Receiver]), over HTTPS.
//
// Each source's batches are frames of a chain: numbered from 1 without holes, each with
// the sum of the one before it, and signed with the collector's key (HMAC-SHA-256), which
// itself never travels. The receiver keeps the place in the chain as the source's
// position, together with the events: so a frame that comes again counts once, and one
// that is missing, replayed or of another chain is told as a lapse of the source. Frames
// are taken all the same where the signature is right, since a repeated event counts once
// and a lost one is lost. The collector's name and key are the receiver's to
// configure, and so is which sources it may bring: the payload's word is not taken for
// it.
//
// A Receiver takes many requests at once, those of one source one after the other, and
// holds at most a bounded number of bodies. A Sender sends the frames of each source in
// order, one at a time, and repeats a frame until it is taken.
package relay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"

	"vigil"
	"vigil/collectors"
)

// Path is where a receiver is mounted.
const Path = "/v1/collect"

// The bounds of a frame.
const (
	// MaxBody is the most that a frame has packed, in bytes.
	MaxBody = 32 << 20
	// maxUnpacked is the most that it has unpacked.
	maxUnpacked = 256 << 20
	// maxEvents bounds what one frame may hold of each kind.
	maxEvents = 100_000
)

// Sum is the SHA-256 of a frame.
type Sum [sha256.Size]byte

// Frame is one batch on its way, as it is signed and sent.
type Frame struct {
	// Stream tells one spool from another of the same collector: 16 random bytes, made
	// with the spool, in hexadecimal.
	Stream string
	// Source is the source's name as the collector has it; Sequence numbers its
	// frames from 1; Previous is the sum of the one before, zero for the first.
	Source   string
	Sequence uint64
	Previous Sum
	// Body is the packed batch.
	Body []byte
}

// Sum is what the next frame of the chain names as the one before it.
func (f *Frame) Sum() Sum {
	h := sha256.New()
	body := sha256.Sum256(f.Body)
	write(h, []byte(f.Stream), []byte(f.Source), binary.BigEndian.AppendUint64(nil, f.Sequence), f.Previous[:], body[:])
	return Sum(h.Sum(nil))
}

// write hashes parts with their lengths, so that no two lists run together.
func write(h io.Writer, parts ...[]byte) {
	for _, p := range parts {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p)))) // a hash never fails
		_, _ = h.Write(p)
	}
}

// sign makes the signature of a frame as the named collector sends it at a time, given
// as Unix seconds.
func sign(key []byte, collector, sent string, f *Frame) []byte {
	mac := hmac.New(sha256.New, key)
	sum := f.Sum()
	write(mac, []byte("vigil frame"), []byte(collector), []byte(sent), sum[:])
	return mac.Sum(nil)
}

// batch is what a body holds.
type batch struct {
	Events      []*vigil.Event      `cbor:"events,omitempty"`
	Quarantined []vigil.Quarantined `cbor:"quarantined,omitempty"`
	Lapses      []vigil.Lapse       `cbor:"lapses,omitempty"`
}

// codecs are what bodies are written and read with, for any number of goroutines.
type codecs struct {
	write  cbor.EncMode
	read   cbor.DecMode
	pack   *zstd.Encoder
	unpack *zstd.Decoder
}

// packing makes them once: they are the same for every body.
var packing = sync.OnceValues(func() (c codecs, err error) {
	if c.write, err = (cbor.EncOptions{Time: cbor.TimeRFC3339NanoUTC}).EncMode(); err != nil {
		return c, fmt.Errorf("set up packing: %w", err)
	}
	// Logs hold text that is not UTF-8; who keeps it makes it so. Refused, it would hold up
	// its source for ever.
	if c.read, err = (cbor.DecOptions{
		UTF8: cbor.UTF8DecodeInvalid, MaxArrayElements: maxEvents, MaxMapPairs: 1_000, MaxNestedLevels: 16, DupMapKey: cbor.DupMapKeyEnforcedAPF,
	}).DecMode(); err != nil {
		return c, fmt.Errorf("set up packing: %w", err)
	}
	if c.pack, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest)); err != nil {
		return c, fmt.Errorf("set up packing: %w", err)
	}
	if c.unpack, err = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxUnpacked)); err != nil {
		return c, fmt.Errorf("set up packing: %w", err)
	}
	return c, nil
})

// ErrTooLarge is of a batch that is more than one frame may hold.
var ErrTooLarge = errors.New("more than one frame may hold")

// Pack makes the body of a batch. Its source and position are not in it. The error of one
// that must be sent in several frames wraps ErrTooLarge.
func Pack(b *collectors.Batch) ([]byte, error) {
	if n := max(len(b.Events), len(b.Quarantined), len(b.Lapses)); n > maxEvents {
		return nil, fmt.Errorf("pack a batch: %d records, at most %d are sent at once: %w", n, maxEvents, ErrTooLarge)
	}
	p, err := packing()
	if err != nil {
		return nil, err
	}
	plain, err := p.write.Marshal(batch{b.Events, b.Quarantined, b.Lapses})
	if err != nil {
		return nil, fmt.Errorf("pack a batch: %w", err)
	}
	if len(plain) > maxUnpacked {
		return nil, fmt.Errorf("pack a batch: %d events are %d bytes, at most %d are sent at once: %w", len(b.Events), len(plain), maxUnpacked, ErrTooLarge)
	}
	body := p.pack.EncodeAll(plain, nil)
	if len(body) > MaxBody {
		return nil, fmt.Errorf("pack a batch: %d events are %d bytes packed, at most %d are sent at once: %w", len(b.Events), len(body), MaxBody, ErrTooLarge)
	}
	return body, nil
}

// errBody is of a body that is signed and yet no batch: that of another version.
var errBody = errors.New("the frame's body is no batch that this version reads")

// Unpack reads a body.
func Unpack(body []byte) (collectors.Batch, error) {
	p, err := packing()
	if err != nil {
		return collectors.Batch{}, err
	}
	plain, err := p.unpack.DecodeAll(body, nil)
	if err != nil {
		return collectors.Batch{}, fmt.Errorf("%w: %w", errBody, err)
	}
	var b batch
	if err := p.read.Unmarshal(plain, &b); err != nil {
		return collectors.Batch{}, fmt.Errorf("%w: %w", errBody, err)
	}
	out := collectors.Batch{Quarantined: b.Quarantined, Lapses: b.Lapses}
	out.Events = slices.DeleteFunc(b.Events, func(e *vigil.Event) bool { return e == nil })
	return out, nil
}
