package file

import (
	"bytes"
	"errors"
	"slices"
	"time"
)

const (
	// maxGhosts bounds the files of a log that are remembered beyond their end.
	maxGhosts = 16
	// maxLost bounds those of which something is lost unless a copy turns up.
	maxLost = 64
	// beingWritten is how long after its last change an archive is held to be
	// still in the making.
	beingWritten = 5 * time.Second
)

// adopt takes up a file that is not known by its inode: a new one, or one that
// is known by its start.
func (r *tailing) adopt(l *tailLog, s seen) {
	var err error
	a, known := r.archives[s.path]
	if !known || a.size != s.size || !a.modified.Equal(s.modified) {
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
	if len(a.head) == 0 && s.size > 0 && a.packed == packedPlain && err == nil {
		// It was truncated in this moment.
		return
	}
	now := time.Now()
	f := &tailFile{
		path: s.path, real: linked(s.path), dev: s.dev, ino: s.ino, size: s.size, before: s.size, modified: s.modified,
		packed: a.packed, last: now, grew: now,
	}
	f.known(a.head)
	f.copyOf = r.original(l, f, s)
	l.files = append(l.files, f)
	if k := f.copyOf; k != nil && k.ghost && l.heir(k) {
		k.forgotten = true
		l.clear()
	}
	r.touch()
}

// original finds the file that f is a copy of, nil when there is none.
func (r *tailing) original(l *tailLog, f *tailFile, s seen) *tailFile {
	for _, k := range slices.Backward(l.files) {
		if !k.print.same(f.head) {
			continue
		}
		if k.copyOf != nil {
			k = k.copyOf
		}
		if k.packed != packedPlain || f.packed != packedPlain {
			return k
		}
		m := k.marked()
		switch {
		case k.readTo() == 0 && !k.gone && s.size > k.size:
			// The longer one is read, the other holds nothing more.
			k.close()
			k.copyOf = f
			for _, c := range l.files {
				if c.copyOf == k {
					c.copyOf = f
				}
			}
			return nil
		case s.size >= m.at:
			if holdsMark(s, m) {
				return k
			}
			// The same start, as a long header gives it, and another text.
		case s.path == k.path && k.gone:
			// An older state has taken the place of what was read further.
			r.wentBack(k)
		default:
			return k
		}
	}
	return nil
}

func holdsMark(s seen, m mark) bool {
	file, err := openPlain(s.path, s.dev, s.ino)
	if err != nil {
		return false
	}
	defer file.Close()
	return m.holds(file)
}

// part tells apart what seemed to be a copy while it was young and the start was all
// there was, such as two files with the same header.
func (l *tailLog) part() {
	for _, f := range l.files {
		k := f.copyOf
		if k == nil || f.head == nil || k.head == nil {
			continue
		}
		n := min(len(f.head), len(k.head))
		longer := !k.gone && f.packed == packedPlain && k.packed == packedPlain && f.before > k.size
		if longer || !bytes.Equal(f.head[:n], k.head[:n]) {
			f.copyOf = nil
		}
	}
}

// heir lets the copy of a file take over what was not read of it, and tells
// whether there is one: the longest, and an archive where there is nothing else.
func (l *tailLog) heir(of *tailFile) bool {
	var heir *tailFile
	for _, f := range l.files {
		if f.copyOf != of || f.gone || f.packed == packedPlain && f.size < of.offset {
			continue
		}
		if heir == nil || f.packed == packedPlain && (heir.packed != packedPlain || f.size > heir.size) {
			heir = f
		}
	}
	if heir == nil {
		return false
	}
	for _, f := range l.files {
		if f.copyOf == of && f != heir {
			f.copyOf = heir
		}
	}
	heir.copyOf = nil
	heir.offset, heir.number, heir.done = of.offset, of.number, of.done && of.packed != packedPlain
	heir.mark, heir.doubt = mark{}, of.unread != 0
	if of.packed == packedPlain && (heir.packed != packedPlain || of.mark.at <= heir.size) {
		heir.mark = of.mark
	}
	if l.current == of {
		l.current = heir
	}
	if l.frozen != nil {
		if at, ok := l.frozen.at[of]; ok {
			l.frozen.at[heir] = at
		}
	}
	of.unread = 0
	return true
}

// orphan makes the copies of a file that was read whole files of their own that are read.
func (l *tailLog) orphan(of *tailFile) {
	for _, f := range l.files {
		if f.copyOf != of {
			continue
		}
		f.copyOf = nil
		if f.packed == packedPlain {
			f.offset = f.size
		} else {
			f.done = true
		}
	}
}
