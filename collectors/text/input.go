// Package text is how the bytes of a log become lines: packing (gzip, zstd), encodings
// (UTF-8 with or without its mark, UTF-16), line ends, and what is no text at all. Ways
// in that read whole logs use it: files, and objects of a store.
//
// All of it works in bounded memory: one line of [formats.MaxLine] bytes, some buffers of
// 64 KiB, and the window of a zstd archive, 128 MiB at most. An archive that gives more
// than a log would is left. Nothing here is safe for concurrent use.
package text

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"vigil/collectors/formats"
)

// SampleLength is how much of the text's start can be looked at, in bytes.
const SampleLength = formats.MaxSample

// ByteOrderMark is that of UTF-8.
const ByteOrderMark = "\xef\xbb\xbf"

// The limits on compressed input. A bomb is told from a log by its ratio, and
// only once it has given enough for the ratio to mean something: the most
// repetitive logs we have seen stay below 150.
const (
	bombFloor   = 64 << 20
	bombRatio   = 300
	zstdWindow  = 128 << 20
	inputBuffer = 64 << 10
	// holeLeast is how many NULs in a row are a hole in a log, not binary data.
	holeLeast = 64
)

// The ways a text may be packed.
const (
	Plain = ""
	Gzip  = "gzip"
	Zstd  = "zstd"
)

// errBomb says that an archive unpacks to more than a log would.
var errBomb = fmt.Errorf("it unpacks to more than %d times its size: unpack it first if it is really a log", bombRatio)

// Refusal is why an input as a whole is not read, with the code for counting and the
// reason, with the remedy, for a person.
type Refusal struct{ Code, Reason string }

func (r *Refusal) Error() string { return r.Reason }

// Input is packed or plain input as a stream of UTF-8 text.
type Input struct {
	// Text is past the byte order mark, if there is one.
	Text *bufio.Reader
	// Packed is Plain, Gzip or Zstd.
	Packed string
	// UTF16 says that Text was that, so that its offsets are not those of the input.
	UTF16 bool
	// Mark is the length of a UTF-8 byte order mark, which Text is past.
	Mark int64

	unpack io.Closer
}

// Open looks at the start of r. count gets the bytes read of it as they come, packed; it
// may be read meanwhile. An input that can't be read is a *Refusal. The caller closes r
// itself, after the Input.
func Open(r io.Reader, count *atomic.Int64) (*Input, error) {
	in := &Input{}
	counted := &countingReader{r: r, n: count}
	raw := bufio.NewReaderSize(counted, inputBuffer)
	magic, err := raw.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &Refusal{"unreadable", fmt.Sprintf("the file can't be read: %v", PlainError(err))}
	}
	var unpacked io.Reader = raw
	switch {
	case isGzip(magic):
		in.Packed = Gzip
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, &Refusal{"corrupt", fmt.Sprintf("the gzip header is damaged: %v", err)}
		}
		in.unpack = z
		unpacked = &bombGuard{r: z, in: counted}
	case isZstd(magic):
		in.Packed = Zstd
		z, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, &Refusal{"corrupt", fmt.Sprintf("the zstd archive can't be opened: %v", err)}
		}
		in.unpack = z.IOReadCloser()
		unpacked = &bombGuard{r: z, in: counted}
	}
	in.Text = bufio.NewReaderSize(unpacked, SampleLength)
	head, _ := in.Text.Peek(SampleLength)
	if order := utf16Order(head); order != nil {
		in.UTF16 = true
		in.Text = bufio.NewReaderSize(&utf16Reader{r: in.Text, order: order}, SampleLength)
	} else if bytes.HasPrefix(head, []byte(ByteOrderMark)) {
		in.Mark = int64(len(ByteOrderMark))
		_, _ = in.Text.Discard(len(ByteOrderMark))
	}
	return in, nil
}

// Unpacked is the input of a text that is known to be neither packed nor UTF-16.
func Unpacked(r io.Reader) *Input { return &Input{Text: bufio.NewReaderSize(r, SampleLength)} }

func isGzip(head []byte) bool { return bytes.HasPrefix(head, []byte{0x1f, 0x8b}) }

func isZstd(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18})
}

// IsPacked tells an archive by its first bytes.
func IsPacked(head []byte) bool { return isGzip(head) || isZstd(head) }

// PlainError strips the path from an error of package os: the path is told apart.
func PlainError(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// Sample is the start of the text, at most [SampleLength] bytes. It does
// not move the reader.
func (in *Input) Sample() []byte {
	head, _ := in.Text.Peek(SampleLength)
	return head
}

// SkipHole moves past NULs that stand before the first text, as long as they
// fill the whole sample: else the hole hides what the text is. It returns how many.
func (in *Input) SkipHole() (skipped int64) {
	for {
		head := in.Sample()
		if len(head) == 0 || len(bytes.TrimLeft(head, "\x00")) > 0 {
			return skipped
		}
		n, _ := in.Text.Discard(len(head))
		skipped += int64(n)
	}
}

// Close ends the unpacking.
func (in *Input) Close() error {
	if in.unpack == nil {
		return nil
	}
	return in.unpack.Close()
}

// ReadError names what ended the reading of a text before its end: the code for counting,
// and the reason for a person.
func ReadError(err error, packed string) (code, reason string) {
	what := "the file"
	if packed != Plain {
		what = "the " + packed + " archive"
	}
	switch {
	case errors.Is(err, errBomb):
		return "bomb", what + " was left: " + errBomb.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "truncated", what + " ends too early: what came before was read"
	case packed != Plain:
		return "corrupt", what + " is damaged (" + PlainError(err).Error() + "): what came before was read"
	}
	return "unreadable", what + " can't be read on: " + PlainError(err).Error()
}

// countingReader adds what is read to n, and to its own sum.
type countingReader struct {
	r   io.Reader
	n   *atomic.Int64
	sum int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.sum += int64(n)
	c.n.Add(int64(n))
	return n, err
}

// bombGuard stops an archive that gives too much for its size.
type bombGuard struct {
	r   io.Reader
	in  *countingReader
	out int64
}

func (g *bombGuard) Read(p []byte) (int, error) {
	if g.out > bombFloor && g.out/bombRatio > g.in.sum {
		return 0, errBomb
	}
	n, err := g.r.Read(p)
	g.out += int64(n)
	return n, err
}

// magics are the kinds of file that people pass by mistake, with the remedy.
var magics = []struct {
	magic, what string
}{
	{"\x1f\x8b", "a gzip archive within an archive: unpack it once"},
	{"\x28\xb5\x2f\xfd", "a zstd archive within an archive: unpack it once"},
	{"\xfd7zXZ\x00", "an xz archive: unpack it first (xz -d)"},
	{"BZh", "a bzip2 archive: unpack it first (bzip2 -d)"},
	{"PK\x03\x04", "a zip archive: unpack it first"},
	{"7z\xbc\xaf", "a 7z archive: unpack it first"},
	{"\x04\x22\x4d\x18", "an lz4 archive: unpack it first (lz4 -d)"},
	{"\x7fELF", "a program"},
	{"%PDF-", "a PDF"},
	{"\x89PNG", "a picture"},
	{"\xff\xd8\xff", "a picture"},
	{"GIF8", "a picture"},
	{"SQLite format 3\x00", "an SQLite database"},
	{"PAR1", "a Parquet file"},
	{"LPKSHHRH", "a systemd journal: export it first (journalctl -o cat)"},
}

// RefuseBinary says why an input that starts with sample is no text, as a *Refusal, or
// returns nil. A long run of NULs is no reason: a crash or a truncation under writing
// leaves one among good lines.
func RefuseBinary(sample []byte) error {
	for _, m := range magics {
		if bytes.HasPrefix(sample, []byte(m.magic)) {
			return &Refusal{"binary", "the file is " + m.what}
		}
	}
	if len(sample) > 262 && string(sample[257:262]) == "ustar" {
		return &Refusal{"binary", "the file is a tar archive: unpack it first"}
	}
	control, text, nuls := 0, 0, 0
	for _, c := range sample {
		if c == 0 {
			nuls++
			continue
		}
		text++
		if nuls < holeLeast {
			control += nuls
		}
		nuls = 0
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b {
			control++
		}
	}
	if control*50 > text {
		return &Refusal{"binary", "the file is binary, no log text"}
	}
	return nil
}
