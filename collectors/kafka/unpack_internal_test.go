package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"

	"vigil/collectors"
)

// packed packs a text in each way that producers do.
func packed(tb testing.TB, text []byte) map[string]struct {
	codec kgo.CompressionCodecType
	data  []byte
} {
	tb.Helper()
	stream := func(open func(w io.Writer) (io.WriteCloser, error)) []byte {
		var b bytes.Buffer
		w, err := open(&b)
		if err == nil {
			_, err = w.Write(text)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			tb.Fatal(err)
		}
		return b.Bytes()
	}
	all, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	java := append(bytes.Clone(xerial), 0, 0, 0, 1, 0, 0, 0, 1)
	for rest := text; len(rest) > 0; {
		n := min(len(rest), 32<<10)
		block := s2.EncodeSnappy(nil, rest[:n])
		java = append(binary.BigEndian.AppendUint32(java, uint32(len(block))), block...)
		rest = rest[n:]
	}
	return map[string]struct {
		codec kgo.CompressionCodecType
		data  []byte
	}{
		"none":          {kgo.CodecNone, text},
		"gzip":          {kgo.CodecGzip, stream(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })},
		"lz4":           {kgo.CodecLz4, stream(func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil })},
		"zstd":          {kgo.CodecZstd, all.EncodeAll(text, nil)},
		"zstd stream":   {kgo.CodecZstd, stream(func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })},
		"snappy":        {kgo.CodecSnappy, s2.EncodeSnappy(nil, text)},
		"snappy (Java)": {kgo.CodecSnappy, java},
	}
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	u := &unpacker{}
	text := bytes.Repeat([]byte("who read whose conversation\n"), 9_000)
	for name, p := range packed(t, text) {
		for range 2 { // the second with what the first left in the pool
			got, err := u.Decompress(p.data, p.codec)
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
		if name == "none" {
			continue
		}
		if _, err := u.Decompress(p.data[:len(p.data)/2], p.codec); err == nil {
			t.Errorf("%s: half of it unpacks", name)
		}
	}
	for name, p := range packed(t, make([]byte, 2<<20)) {
		if name == "none" {
			continue
		}
		if got, err := u.unpack(p.data, p.codec, 1<<20); !errors.Is(err, kgo.ErrMaxDecompress) {
			t.Errorf("%s: %d bytes unpack to %d: %v", name, len(p.data), len(got), err)
		}
	}
	// Many small ones together come to an end too, and one that packs well goes on.
	now := time.Now()
	u = &unpacker{}
	taken := 0
	for range 100 {
		const packedSize, size = 100, 1 << 20
		if u.room(packedSize, now) >= size {
			u.spend(packedSize, size)
			taken++
		}
	}
	if taken < unpackSpare>>20 || taken > unpackSpare>>20+2 {
		t.Errorf("%d MiB of small bombs were taken", taken)
	}
	if got := u.room(1000, now); got < 1000*unpackRatio {
		t.Errorf("a usual batch has room for %d", got)
	}
	now = now.Add(spareTime)
	if got := u.room(0, now); got != unpackSpare {
		t.Errorf("after a while there is room for %d", got)
	}
	if _, err := u.Decompress([]byte("x"), 9); err == nil {
		t.Error("an unknown codec unpacks")
	}
}

// FuzzUnpack unpacks anything: an error, or a text within bounds.
func FuzzUnpack(f *testing.F) {
	for _, p := range packed(f, []byte("who read whose conversation, and why")) {
		f.Add(byte(p.codec), p.data)
	}
	u := &unpacker{}
	f.Fuzz(func(t *testing.T, codec byte, data []byte) {
		got, err := u.Decompress(data, kgo.CompressionCodecType(codec))
		if err == nil && len(got) > max(unpackMost, len(data)) {
			t.Errorf("%d bytes unpack to %d", len(data), len(got))
		}
	})
}

// FuzzPosition reads any bytes as a position: none, or one that can be kept again.
func FuzzPosition(f *testing.F) {
	f.Add([]byte(`{"ledger":"ab","topics":{"a":{"id":"x","partitions":{"0":{"next":5,"epoch":1,"state":{}}}},"b":null}}`))
	f.Add([]byte(`{"ledger":"ab","topics":{"a":{"partitions":{"0":null,"1":{"next":-5}}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		read := func(text []byte) *position {
			return collectors.Position("", text, slog.New(slog.DiscardHandler), (*position).sound)
		}
		p := read(text)
		if p == nil {
			return
		}
		again, err := p.text()
		if err != nil {
			t.Fatal(err)
		}
		if read(again) == nil {
			t.Fatalf("%s is not read again", again)
		}
	})
}
