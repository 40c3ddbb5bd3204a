package file

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

// The limits on compressed input. A bomb is told from a log by its ratio, and
// only once it has given enough for the ratio to mean something: the most
// repetitive logs we have seen stay below 150.
const (
	bombFloor    = 64 << 20
	bombRatio    = 300
	zstdWindow   = 128 << 20
	inputBuffer  = 64 << 10
	sampleLength = formats.MaxSample
	// holeLeast is how many NULs in a row are a hole in a log, not binary data.
	holeLeast = 64
	// byteOrderMark is that of UTF-8.
	byteOrderMark = "\xef\xbb\xbf"
)

// The ways a file may be packed.
const (
	packedPlain = ""
	packedGzip  = "gzip"
	packedZstd  = "zstd"
)

// errBomb says that an archive unpacks to more than a log would.
var errBomb = fmt.Errorf("it unpacks to more than %d times its size: unpack it first if it is really a log", bombRatio)

// refusal is why a file as a whole is not read, with the code for counting.
type refusal struct{ code, reason string }

func (r *refusal) Error() string { return r.reason }

// input is one open file as a stream of UTF-8 text.
type input struct {
	file   *os.File
	unpack io.Closer
	text   *bufio.Reader
	packed string
	utf16  bool
	// mark is the length of a UTF-8 byte order mark, which text is past.
	mark int64
}

// openInput opens path and looks at its start. packedBytes counts what is read of the file
// as it lies on disk.
func openInput(path string, packedBytes *atomic.Int64) (*input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &refusal{"unreadable", fmt.Sprintf("the file can't be opened: %v", errors.Unwrap(err))}
	}
	in, err := newInput(f, packedBytes)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return in, nil
}

func newInput(f *os.File, packedBytes *atomic.Int64) (*input, error) {
	in := &input{file: f}
	counted := &countingReader{r: f, n: packedBytes}
	raw := bufio.NewReaderSize(counted, inputBuffer)
	magic, err := raw.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &refusal{"unreadable", fmt.Sprintf("the file can't be read: %v", plain(err))}
	}
	var r io.Reader = raw
	switch {
	case isGzip(magic):
		in.packed = packedGzip
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, &refusal{"corrupt", fmt.Sprintf("the gzip header is damaged: %v", err)}
		}
		in.unpack = z
		r = &bombGuard{r: z, in: counted}
	case isZstd(magic):
		in.packed = packedZstd
		z, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, &refusal{"corrupt", fmt.Sprintf("the zstd archive can't be opened: %v", err)}
		}
		in.unpack = z.IOReadCloser()
		r = &bombGuard{r: z, in: counted}
	}
	in.text = bufio.NewReaderSize(r, sampleLength)
	head, _ := in.text.Peek(sampleLength)
	if order := utf16Order(head); order != nil {
		in.utf16 = true
		in.text = bufio.NewReaderSize(&utf16Reader{r: in.text, order: order}, sampleLength)
	} else if bytes.HasPrefix(head, []byte(byteOrderMark)) {
		in.mark = int64(len(byteOrderMark))
		_, _ = in.text.Discard(len(byteOrderMark))
	}
	return in, nil
}

func isGzip(head []byte) bool { return bytes.HasPrefix(head, []byte{0x1f, 0x8b}) }

func isZstd(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18})
}

// isPacked tells an archive by its first bytes.
func isPacked(head []byte) bool { return isGzip(head) || isZstd(head) }

// plain strips the path from an error of package os: the path is told apart.
func plain(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// sample is the start of the text, at most [formats.MaxSample] bytes. It does
// not move the reader.
func (in *input) sample() []byte {
	head, _ := in.text.Peek(sampleLength)
	return head
}

// skipHole moves past NULs that stand before the first text, as long as they
// fill the whole sample: else the hole hides what the file is.
func (in *input) skipHole() {
	for {
		head := in.sample()
		if len(head) == 0 || len(bytes.TrimLeft(head, "\x00")) > 0 {
			return
		}
		_, _ = in.text.Discard(len(head))
	}
}

func (in *input) Close() error {
	var err error
	if in.unpack != nil {
		err = in.unpack.Close()
	}
	return errors.Join(err, in.file.Close())
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

// refuseBinary says why a file that starts with sample is no text, or returns
// nil. A long run of NULs is no reason: a crash or a truncation under writing
// leaves one among good lines.
func refuseBinary(sample []byte) error {
	for _, m := range magics {
		if bytes.HasPrefix(sample, []byte(m.magic)) {
			return &refusal{"binary", "the file is " + m.what}
		}
	}
	if len(sample) > 262 && string(sample[257:262]) == "ustar" {
		return &refusal{"binary", "the file is a tar archive: unpack it first"}
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
		return &refusal{"binary", "the file is binary, no log text"}
	}
	return nil
}
