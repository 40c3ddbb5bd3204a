package file

import (
	"cmp"
	"errors"
	"hash/fnv"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"vigil/collectors/formats"
)

const (
	// printBytes is how much of a file's start makes its fingerprint.
	printBytes = 1024
	// printLeast is the shortest start by which two files are held to be one.
	printLeast = 48
	// restBeforeClose is how long a rotated file must rest until it is closed.
	restBeforeClose = 10 * time.Second
	// maxGhosts bounds the files of a log that are remembered beyond their end.
	maxGhosts = 16
	// beingWritten is how long after its last change an archive is held to be
	// still in the making.
	beingWritten = 5 * time.Second
)

// tailFile is one file of a log, known by its inode and its first bytes.
type tailFile struct {
	path     string
	dev, ino uint64
	print    fingerprint
	packed   string
	size     int64
	modified time.Time

	// offset and number tell how much is read, in unpacked bytes and lines.
	offset, number int64
	// last is when a line was last read.
	last time.Time
	// done says that nothing more is expected of it: an archive read, a file refused.
	done    bool
	refused string
	// rotated says that a newer file has taken its name; gone that it has none.
	rotated, gone bool
	// ghost says that it is remembered only so that a copy of it, which may
	// appear later, goes on where it stood.
	ghost bool
	// forgotten marks what is taken off the list.
	forgotten bool
	// copyOf is the file whose start this one shares, while that is being read.
	copyOf *tailFile

	in     *input
	lines  *lineReader
	sample []byte
}

func (f *tailFile) close() {
	if f.in != nil {
		// Nothing was written, so nothing can be lost by a failing close.
		_ = f.in.Close()
	}
	f.in, f.lines, f.sample = nil, nil, nil
}

// fingerprint is a hash over the first n bytes of a file's unpacked text.
type fingerprint struct {
	n    int
	hash uint64
}

func fingerprintOf(head []byte) fingerprint {
	h := fnv.New64a()
	h.Write(head)
	return fingerprint{len(head), h.Sum64()}
}

// fits tells whether head starts as the fingerprinted file did.
func (p fingerprint) fits(head []byte) bool {
	return len(head) >= p.n && fingerprintOf(head[:p.n]) == p
}

// same tells whether head is that of the same text, as far as can be told.
func (p fingerprint) same(head []byte) bool { return p.n >= printLeast && p.fits(head) }

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

// seen is a file as a look at the folder finds it.
type seen struct {
	path     string
	dev, ino uint64
	size     int64
	modified time.Time
}

// find looks at the folder and brings the logs' files up to date.
func (r *tailing) find() {
	byLog := map[string][]seen{}
	dup := map[string]bool{}
	for _, g := range r.t.globs {
		paths, err := glob(g)
		if err != nil {
			continue
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil || !info.Mode().IsRegular() || dup[path] {
				continue
			}
			dup[path] = true
			s := seen{path: path, size: info.Size(), modified: info.ModTime()}
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				s.dev, s.ino = st.Dev, st.Ino
			}
			byLog[familyOf(path)] = append(byLog[familyOf(path)], s)
		}
	}
	for name := range byLog {
		if r.logs[name] != nil {
			continue
		}
		if len(r.logs) >= maxTailLogs {
			if !r.tooMany {
				r.tooMany = true
				r.t.log.Warn("too many logs match: the rest is not followed", "source", r.t.cfg.Source, "limit", maxTailLogs)
			}
			continue
		}
		r.logs[name] = &tailLog{name: name}
		r.names = append(r.names, name)
	}
	slices.Sort(r.names)
	for _, name := range r.names {
		found := byLog[name]
		slices.SortStableFunc(found, func(a, b seen) int {
			if c := a.modified.Compare(b.modified); c != 0 {
				return c
			}
			return cmp.Compare(b.path, a.path)
		})
		r.update(r.logs[name], found)
	}
	for path := range r.archives {
		if !dup[path] {
			delete(r.archives, path)
		}
	}
}

// update brings one log's files up to date with what was found.
func (r *tailing) update(l *tailLog, found []seen) {
	here := map[*tailFile]bool{}
	var strangers []seen
	for _, s := range found {
		f := l.byInode(s)
		if f == nil || here[f] {
			strangers = append(strangers, s)
			continue
		}
		here[f] = true
		changed := f.size != s.size || !f.modified.Equal(s.modified) || f.path != s.path
		if !changed {
			continue
		}
		if f.print.n < printLeast {
			// So short a start proves little: read it again from the last whole line.
			f.close()
		}
		same, err := f.unchangedStart(s)
		if err != nil {
			// It moved in this moment, or can't be read just now: look again next time.
			continue
		}
		if !same {
			// Truncated, or another file with the inode of one that is gone: what
			// is there now is a stranger, and what was there lives on in a copy at best.
			f.close()
			f.dev, f.ino = 0, 0
			delete(here, f)
			strangers = append(strangers, s)
			continue
		}
		f.path, f.size, f.modified = s.path, s.size, s.modified
	}
	for _, f := range l.files {
		f.gone = f.ghost || !here[f]
		f.firmPrint()
	}
	for _, s := range strangers {
		r.adopt(l, s)
	}
	newest := l.newest()
	for _, f := range l.files {
		f.rotated = f != newest
	}
	r.drop(l)
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
		if f.dev == s.dev && f.ino == s.ino {
			return f
		}
	}
	return nil
}

// unchangedStart tells whether the file found under f's inode still is f: not
// shorter than what is read of it, and with the same first bytes. The
// fingerprint grows with a young file.
func (f *tailFile) unchangedStart(s seen) (bool, error) {
	head, packed, err := headOf(s)
	if err != nil {
		return false, err
	}
	if f.print.n == 0 || packed != f.packed || packed == packedPlain && s.size < f.offset || !f.print.fits(head) {
		return false, nil
	}
	if len(head) > f.print.n {
		f.print = fingerprintOf(head)
	}
	return true, nil
}

// firmPrint extends the fingerprint of a young file that is open, so that a
// copy of it is known as one even when the file itself has lost its name.
func (f *tailFile) firmPrint() {
	if f.in == nil || f.packed != packedPlain || f.print.n >= printLeast {
		return
	}
	head := make([]byte, printBytes)
	n, _ := f.in.file.ReadAt(head, 0)
	if f.print.fits(head[:n]) {
		f.print = fingerprintOf(head[:n])
	}
}

// errMoved says that a name leads to another file than a moment ago.
var errMoved = errors.New("the file was moved in this moment")

// openSeen opens a file by its name and makes sure that it is the one that was
// seen there.
func openSeen(path string, dev, ino uint64) (*input, error) {
	in, err := openInput(path, new(atomic.Int64))
	if err != nil {
		if info, serr := os.Stat(path); serr != nil || !isInode(info, dev, ino) {
			return nil, errMoved
		}
		return nil, err
	}
	info, err := in.file.Stat()
	if err != nil || !isInode(info, dev, ino) {
		_ = in.Close()
		return nil, errMoved
	}
	return in, nil
}

func isInode(info os.FileInfo, dev, ino uint64) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Dev == dev && st.Ino == ino
}

// headOf reads the first unpacked bytes of a file.
func headOf(s seen) (head []byte, packed string, err error) {
	in, err := openSeen(s.path, s.dev, s.ino)
	if err != nil {
		return nil, "", err
	}
	defer in.Close()
	if in.packed == packedPlain {
		head = make([]byte, printBytes)
		n, err := in.file.ReadAt(head, 0)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return head[:n], packedPlain, err
	}
	sample := in.sample()
	return slices.Clone(sample[:min(len(sample), printBytes)]), in.packed, nil
}

// adopt takes up a file that is not known by its inode: a new one, or one that
// is known by its start.
func (r *tailing) adopt(l *tailLog, s seen) {
	a, known := r.archives[s.path]
	if !known || a.size != s.size || !a.modified.Equal(s.modified) {
		var err error
		a = archiveSeen{size: s.size, modified: s.modified}
		a.head, a.packed, err = headOf(s)
		if errors.Is(err, errMoved) {
			return
		}
		young := time.Since(s.modified) < beingWritten
		if young && (err != nil || a.packed != packedPlain && len(a.head) < printBytes) {
			// An archive that is just being written can't be told from another yet.
			return
		}
		if err != nil {
			// The reading will say why it can't be read.
			a.head, a.packed = nil, packedPlain
		}
		if a.packed != packedPlain {
			r.archives[s.path] = a
		}
	}
	f := &tailFile{path: s.path, dev: s.dev, ino: s.ino, size: s.size, modified: s.modified, packed: a.packed, last: time.Now()}
	f.print = fingerprintOf(a.head)
	for _, k := range l.files {
		if k.print.same(a.head) {
			f.copyOf = k
			if k.copyOf != nil {
				f.copyOf = k.copyOf
			}
			break
		}
	}
	l.files = append(l.files, f)
	if k := f.copyOf; k != nil && k.ghost {
		l.heir(k)
		l.files = slices.DeleteFunc(l.files, func(g *tailFile) bool { return g == k })
	}
	r.touch()
}

// heir lets the copy of a file take over what was not read of it, and tells
// whether there is one.
func (l *tailLog) heir(of *tailFile) bool {
	var heir *tailFile
	for _, f := range l.files {
		if f.copyOf != of {
			continue
		}
		if heir != nil {
			f.copyOf = heir
			continue
		}
		heir = f
		f.copyOf = nil
		f.offset, f.number, f.done = of.offset, of.number, of.done && of.packed != packedPlain
		if l.current == of {
			l.current = f
		}
		if l.frozen != nil {
			if at, ok := l.frozen.at[of]; ok {
				l.frozen.at[f] = at
			}
		}
	}
	return heir != nil
}

// drop lets go files that are gone and read, and closes those that rest.
func (r *tailing) drop(l *tailLog) {
	kept := l.files[:0]
	ghosts := 0
	for _, f := range slices.Backward(l.files) {
		switch {
		case f.ghost:
		case f.gone && (f.lines == nil || time.Since(f.last) >= r.t.cfg.Settle && f.drained()):
			f.ghost = !l.heir(f) && f.print.n >= printLeast && f.refused == ""
			f.close()
			f.dev, f.ino = 0, 0
			r.touch()
			if !f.ghost {
				f.forgotten = true
			}
		case !f.gone && f.rotated && f.lines != nil && f.packed == packedPlain && f.offset >= f.size && time.Since(f.last) >= restBeforeClose:
			f.close()
		}
		if f.ghost {
			if ghosts++; ghosts > maxGhosts {
				f.forgotten = true
			}
		}
	}
	for _, f := range l.files {
		if !f.forgotten {
			kept = append(kept, f)
		} else if l.frozen != nil {
			delete(l.frozen.at, f)
		}
	}
	clear(l.files[len(kept):])
	l.files = kept
}

// drained tells whether an open file that lost its name is read to its end.
func (f *tailFile) drained() bool {
	if f.packed != packedPlain {
		return true
	}
	info, err := f.in.file.Stat()
	return err != nil || f.offset >= info.Size()
}
