package file

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"vigil"
)

// copyComes is how long a copy of a file that was truncated is looked for.
const copyComes = 10 * time.Second

// maxKin bounds the files of a folder that are looked at for one that is missing.
const maxKin = 1_000

// seen is a file as a look at the folder finds it.
type seen struct {
	path     string
	dev, ino uint64
	size     int64
	modified time.Time
}

// look finds what lies at a path; ok is false for what can't be followed.
func lookAt(path string) (s seen, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return s, false
	}
	s = seen{path: path, size: info.Size(), modified: info.ModTime()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.dev, s.ino = st.Dev, st.Ino
	}
	return s, true
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
			if dup[path] {
				continue
			}
			if s, ok := lookAt(path); ok {
				dup[path] = true
				name := r.family(path)
				byLog[name] = append(byLog[name], s)
			}
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
		slices.Sort(r.names)
	}
	for _, name := range r.names {
		l := r.logs[name]
		found := slices.Concat(byLog[name], l.kindred(dup))
		slices.SortStableFunc(found, func(a, b seen) int {
			if c := a.modified.Compare(b.modified); c != 0 {
				return c
			}
			return cmp.Compare(b.path, a.path)
		})
		r.update(l, found)
	}
	for path := range r.archives {
		if !dup[path] {
			delete(r.archives, path)
		}
	}
}

// missing tells whether f may have text that was not read and has no name that we know.
func (f *tailFile) missing() bool {
	if f.ghost {
		return f.unread != 0 || f.overwritten && time.Since(f.lost) < copyComes
	}
	return f.gone && !f.isOpen() && !f.done && f.copyOf == nil && (f.packed != packedPlain || f.size > f.offset || f.written)
}

// kindred looks beyond the patterns: at files that are followed and lie there, and in the
// folders where files that are missing lay, for these very files under other names and
// for copies of them.
func (l *tailLog) kindred(dup map[string]bool) []seen {
	var out []seen
	here := map[string]bool{}
	add := func(path string, wanted func(seen) bool) {
		if dup[path] || here[path] {
			return
		}
		if s, ok := lookAt(path); ok && wanted(s) {
			here[path] = true
			out = append(out, s)
		}
	}
	dirs := map[string]bool{}
	for _, f := range l.files {
		if !f.ghost && f.ino != 0 {
			add(f.path, func(s seen) bool { return s.dev == f.dev && s.ino == f.ino })
		}
		if f.missing() {
			dirs[filepath.Dir(f.path)] = true
			if f.real != "" {
				dirs[filepath.Dir(f.real)] = true
			}
		}
	}
	for dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries[:min(len(entries), maxKin)] {
			if e.Type().IsRegular() {
				add(filepath.Join(dir, e.Name()), l.isKin)
			}
		}
	}
	return out
}

// isKin tells whether s is a file that is missing, or a copy of one.
func (l *tailLog) isKin(s seen) bool {
	var head []byte
	for _, f := range l.files {
		if !f.missing() {
			continue
		}
		itself := f.dev == s.dev && f.ino == s.ino && !f.ghost
		if f.print.n < printLeast || !itself && familyOf(s.path) != l.name {
			continue
		}
		if head == nil {
			// What can't be read is none; a copy in the making is looked at again.
			head, _, _ = headOf(s)
		}
		if f.print.same(head) {
			return true
		}
	}
	return false
}

// update brings one log's files up to date with what was found.
func (r *tailing) update(l *tailLog, found []seen) {
	here := map[*tailFile]bool{}
	var strangers []seen
	for _, s := range found {
		f := l.byInode(s)
		if f == nil {
			strangers = append(strangers, s)
			continue
		}
		if here[f] {
			// Another name of the same file, or it was moved in this moment.
			continue
		}
		here[f] = true
		f.before = f.size
		if f.size == s.size && f.modified.Equal(s.modified) && f.path == s.path {
			continue
		}
		if f.young() {
			// What it is can be told better now.
			f.forget()
			delete(here, f)
			strangers = append(strangers, s)
			continue
		}
		if f.print.n < printLeast && f.file != nil {
			// So short a start proves little: read it again from the last whole line.
			f.close()
		}
		same, back, err := f.still(s)
		if err != nil {
			// It moved in this moment, or can't be read just now: look again next time.
			continue
		}
		if !same {
			// Truncated, or another file with the inode of one that is gone: what
			// is there now is a stranger, and what was there lives on in a copy at best.
			f.lose()
			f.close()
			if back {
				r.wentBack(f)
			}
			f.dev, f.ino = 0, 0
			delete(here, f)
			strangers = append(strangers, s)
			continue
		}
		if s.size < f.size && f.packed == packedPlain {
			r.shortened(f, f.size-s.size)
		}
		if f.path != s.path {
			f.real = linked(s.path)
		}
		f.path, f.size, f.modified = s.path, s.size, s.modified
	}
	l.clear()
	for _, f := range l.files {
		f.gone = f.ghost || !here[f]
		f.firmPrint()
	}
	for _, s := range strangers {
		r.adopt(l, s)
	}
	l.part()
	newest := l.newest()
	for _, f := range l.files {
		f.rotated = f != newest
		f.written = f.written && !here[f]
	}
	if newest != nil {
		// What is written to it must be read even when it has just lost its name.
		r.hold(newest)
	}
	r.drop(l)
}

// lose notes what of a file that was overwritten is not read.
func (f *tailFile) lose() {
	if f.packed != packedPlain || f.done || f.copyOf != nil {
		return
	}
	f.overwritten, f.lost = true, time.Now()
	if f.written {
		f.unread = vigil.Unknown
	}
	if n := max(f.size, f.readTo()) - f.offset; n > 0 {
		f.unread = n
	}
}

// goneRest is how long a file that has no name any more must rest before it is closed,
// and how long a copy of what was lost is waited for.
func (r *tailing) goneRest() time.Duration { return 15 * r.t.cfg.Settle }

// drop lets go files that are gone and read, and closes those that rest.
func (r *tailing) drop(l *tailLog) {
	for _, f := range l.files {
		switch {
		case f.ghost:
			// A copy may have been too short when it was seen first.
			if l.heir(f) {
				f.forgotten = true
				r.touch()
			}
		case f.gone && f.isOpen():
			if time.Since(f.grew) >= r.goneRest() && f.drained() {
				// Nobody has written to it for long: all there will be was read, and
				// its copies hold nothing more.
				f.close()
				l.orphan(f)
				r.lay(f)
			}
		case f.gone:
			if f.missing() && f.unread == 0 {
				f.unread, f.lost = vigil.Unknown, time.Now()
				if f.packed == packedPlain && f.size > f.offset {
					f.unread = f.size - f.offset
				}
			}
			if l.heir(f) {
				f.forgotten = true
				r.touch()
			} else {
				r.lay(f)
			}
		case f.rotated && f.file != nil && f.offset >= f.size && time.Since(f.last) >= restBeforeClose:
			f.close()
		}
	}
	ghosts, lost := 0, 0
	for _, f := range slices.Backward(l.files) {
		if !f.ghost {
			continue
		}
		if f.unread != 0 {
			if lost++; lost > maxLost || time.Since(f.lost) >= r.goneRest() {
				r.lost(l, f)
			}
		}
		if f.unread == 0 {
			ghosts++
			f.forgotten = f.forgotten || ghosts > maxGhosts || f.print.n < printLeast
		}
	}
	l.clear()
}

// forget takes a file off the list of which nothing is read.
func (f *tailFile) forget() {
	f.close()
	f.forgotten = true
}

// lay makes a ghost of a file that is closed.
func (r *tailing) lay(f *tailFile) {
	f.ghost, f.dev, f.ino = true, 0, 0
	f.forgotten = f.refused != "" || f.copyOf != nil
	r.touch()
}

// clear takes the forgotten off the list.
func (l *tailLog) clear() {
	kept := l.files[:0]
	for _, f := range l.files {
		if !f.forgotten {
			kept = append(kept, f)
			continue
		}
		l.orphan(f)
		if l.frozen != nil {
			delete(l.frozen.at, f)
		}
	}
	clear(l.files[len(kept):])
	l.files = kept
}

// maxFamilies bounds the paths whose log is remembered.
const maxFamilies = 10_000

// family names the log that path is a piece of.
func (r *tailing) family(path string) string {
	name, ok := r.families[path]
	if !ok {
		if len(r.families) >= maxFamilies {
			clear(r.families)
		}
		name = familyOf(path)
		r.families[path] = name
	}
	return name
}
