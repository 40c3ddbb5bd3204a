package file

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"vigil/collectors/formats"
	"vigil/collectors/text"
)

const (
	// printBytes is how much of a file's start makes its fingerprint.
	printBytes = 1024
	// printLeast is the shortest start by which two files are held to be one.
	printLeast = 48
	// markBytes is how much of what was read last is known again, tailBytes how much is
	// kept for that: more, as the last line may have no end.
	markBytes = 256
	tailBytes = 1024
	// restBeforeClose is how long a rotated file must rest until it is closed.
	restBeforeClose = 10 * time.Second
)

// tailFile is one file of a log, known by its inode, by its first bytes and by those that
// were read last.
type tailFile struct {
	path string
	// real is where a link at path leads, empty when path is none.
	real     string
	dev, ino uint64
	print    fingerprint
	// head is the start that print is of, nil until the file was looked at.
	head   []byte
	mark   mark
	packed string
	// size and modified are those of the last look, before is the size in the one before.
	size, before int64
	modified     time.Time

	// offset and number tell how much is read, in unpacked bytes and lines.
	offset, number int64
	// last is when a line was last read, grew when anything was.
	last, grew time.Time
	// done says that nothing more is expected of it: an archive read, a file refused.
	done    bool
	refused string
	// rotated says that a newer file has taken its name; gone that it has none.
	rotated, gone bool
	// written says that it was the one being written when the position was saved, and has
	// not been seen since.
	written bool
	// ghost says that it is remembered only so that a copy of it, which may
	// appear later, goes on where it stood.
	ghost bool
	// unread is how many of its bytes are lost unless a copy turns up, [vigil.Unknown] when
	// that can't be told; lost is since when.
	unread int64
	lost   time.Time
	// overwritten says that it was truncated or written anew.
	overwritten bool
	// doubt says that this copy took over from a file whose end we have not seen: it may be
	// of an older state.
	doubt bool
	// forgotten marks what is taken off the list.
	forgotten bool
	// copyOf is the file whose start this one shares, while that is being read.
	copyOf *tailFile

	// file is a plain file that is held open, in an archive's stream, with skip bytes yet
	// to pass over.
	file *os.File
	in   *input
	skip int64
	// retry is when an archive that ended too early is tried again.
	retry time.Time

	lines *lineReader
	watch *watched
	// sample is the start of an archive that is not read from its start, skipped the last
	// that was passed over.
	sample, skipped []byte
}

func (f *tailFile) close() {
	if f.watch != nil {
		f.mark = f.watch.mark()
	}
	// Nothing was written, so nothing can be lost by a failing close.
	if f.in != nil {
		_ = f.in.Close()
	}
	if f.file != nil {
		_ = f.file.Close()
	}
	f.in, f.file, f.lines, f.watch, f.sample, f.skipped = nil, nil, nil, nil, nil, nil
}

// lookAgain closes the file and lets the next look find out what became of it.
func (f *tailFile) lookAgain() {
	f.close()
	f.size = -1
}

func (f *tailFile) isOpen() bool { return f.file != nil || f.in != nil }

// readTo is up to where the file was read, with a line whose end has not come.
func (f *tailFile) readTo() int64 {
	if f.watch != nil {
		return f.watch.at
	}
	return f.offset
}

// marked returns the mark as it stands.
func (f *tailFile) marked() mark {
	if f.watch != nil {
		return f.watch.mark()
	}
	return f.mark
}

// known notes what the file's start is.
func (f *tailFile) known(head []byte) {
	if f.head == nil || len(head) > f.print.n {
		f.head = bytes.Clone(head)
		f.print = fingerprintOf(head)
	}
}

// young tells whether nothing is read of a file and too little is there to tell what it is.
func (f *tailFile) young() bool { return f.offset == 0 && f.print.n < printLeast && !f.ghost }

// anonymous forgets the start, so that nothing is held to be a copy of this file.
func (f *tailFile) anonymous() { f.head, f.print = nil, fingerprint{} }

// fingerprint is a hash over the first n bytes of a file's unpacked text.
type fingerprint struct {
	n    int
	hash uint64
}

func hashOf(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}

func fingerprintOf(head []byte) fingerprint { return fingerprint{len(head), hashOf(head)} }

// fits tells whether head starts as the fingerprinted file did.
func (p fingerprint) fits(head []byte) bool {
	return len(head) >= p.n && fingerprintOf(head[:p.n]) == p
}

// same tells whether head is that of the same text, as far as can be told.
func (p fingerprint) same(head []byte) bool { return p.n >= printLeast && p.fits(head) }

// mark is a hash over the n bytes before a place up to which a file was read. A file
// with another text there is another one, however it starts.
type mark struct {
	at   int64
	n    int
	hash uint64
}

// holds tells whether the file has these bytes there; one that is too short has not.
func (m mark) holds(file io.ReaderAt) bool {
	if m.n == 0 {
		return true
	}
	b := make([]byte, m.n)
	n, _ := file.ReadAt(b, m.at-int64(m.n))
	return n == m.n && hashOf(b) == m.hash
}

// archiveSeen remembers the start of an archive, so that it is unpacked once.
type archiveSeen struct {
	size     int64
	modified time.Time
	head     []byte
	packed   string
}

// tailLog is one log: its files and the decoder that reads them in turn.
type tailLog struct {
	name   string
	format string
	files  []*tailFile
	// dec is nil until there is something to decode; state is what it takes back then.
	dec   formats.Decoder
	state []byte

	// current is the file whose lines were decoded last, before the one before it.
	current, before *tailFile
	fed             int64
	// starts holds where the latest lines of current start, by their number.
	starts [recentLines]int64
	frozen *frozen
}

// newest is the file that is being written: the one changed last.
func (l *tailLog) newest() *tailFile {
	var newest *tailFile
	for _, f := range l.files {
		if f.gone || f.packed != packedPlain || f.copyOf != nil {
			continue
		}
		if newest == nil || f.path == l.name || newest.path != l.name && f.modified.After(newest.modified) {
			newest = f
		}
	}
	return newest
}

func (l *tailLog) byInode(s seen) *tailFile {
	for _, f := range l.files {
		if f.dev == s.dev && f.ino == s.ino && !f.ghost {
			return f
		}
	}
	return nil
}

// still tells whether the file found under f's inode still is f: not shorter than what
// is read of it, with the same first bytes and the same ones where reading stands. The
// fingerprint grows with a young file. back says that it starts as f did, and is another
// text from some place on that was read.
func (f *tailFile) still(s seen) (same, back bool, err error) {
	if f.packed != packedPlain {
		head, packed, err := headOf(s)
		return err == nil && packed == f.packed && f.print.fits(head), false, err
	}
	file := f.file
	if file == nil {
		if file, err = openPlain(s.path, s.dev, s.ino); err != nil {
			return false, false, err
		}
		defer file.Close()
	}
	head, err := headAt(file)
	if err != nil {
		return false, false, err
	}
	if !f.print.fits(head) {
		return false, false, nil
	}
	m := f.marked()
	if s.size < max(f.offset, m.at) || !m.holds(file) {
		return false, f.print.n >= printLeast, nil
	}
	f.known(head)
	return true, false, nil
}

// firmPrint extends the fingerprint of a young file that is open, so that a
// copy of it is known as one even when the file itself has lost its name.
func (f *tailFile) firmPrint() {
	if f.file == nil || f.print.n >= printLeast {
		return
	}
	if head, err := headAt(f.file); err == nil && f.print.fits(head) {
		f.known(head)
	}
}

// drained tells whether an open file that lost its name is read to its end.
func (f *tailFile) drained() bool {
	if f.packed != packedPlain {
		return f.done
	}
	info, err := f.file.Stat()
	return err != nil || f.offset >= info.Size()
}

// errMoved says that a name leads to another file than a moment ago.
var errMoved = errors.New("the file was moved in this moment")

// openPlain opens a file by its name and makes sure that it is the one that was
// seen there.
func openPlain(path string, dev, ino uint64) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		if info, serr := os.Stat(path); serr != nil || !isInode(info, dev, ino) {
			return nil, errMoved
		}
		return nil, &refusal{Code: "unreadable", Reason: fmt.Sprintf("the file can't be opened: %v", text.PlainError(err))}
	}
	info, err := file.Stat()
	if err != nil || !isInode(info, dev, ino) {
		_ = file.Close()
		return nil, errMoved
	}
	return file, nil
}

// openPacked opens an archive that was seen.
func openPacked(path string, dev, ino uint64) (*input, error) {
	file, err := openPlain(path, dev, ino)
	if err != nil {
		return nil, err
	}
	in, err := newInput(file, new(atomic.Int64))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return in, nil
}

func isInode(info os.FileInfo, dev, ino uint64) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Dev == dev && st.Ino == ino
}

// headAt reads the first bytes of a plain file.
func headAt(file *os.File) ([]byte, error) {
	head := make([]byte, printBytes)
	n, err := file.ReadAt(head, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

// headOf reads the first unpacked bytes of a file.
func headOf(s seen) (head []byte, packed string, err error) {
	file, err := openPlain(s.path, s.dev, s.ino)
	if err != nil {
		return nil, "", err
	}
	head, err = headAt(file)
	if err != nil || !text.IsPacked(head) {
		return head, packedPlain, errors.Join(err, file.Close())
	}
	in, err := newInput(file, new(atomic.Int64))
	if err != nil {
		return nil, "", errors.Join(err, file.Close())
	}
	defer in.Close()
	if in.Mark > 0 {
		head = append(head[:0], text.ByteOrderMark...)
	} else {
		head = head[:0]
	}
	sample := in.Sample()
	return append(head, sample[:min(len(sample), printBytes-len(head))]...), in.Packed, nil
}

// linked tells where a link leads, empty for what is none.
func linked(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil || real == filepath.Clean(path) {
		return ""
	}
	return real
}
