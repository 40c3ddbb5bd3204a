package file

import (
	"encoding/json"
	"fmt"
	"time"

	"vigil/collectors"
)

// thaw is when a position that was frozen at a change of files is let go: by
// then what the decoder held has come out.
const (
	thawLines = 1_000
	thawAfter = time.Minute
)

// recentLines is for how many lines the number is known by the start.
const recentLines = 1_024

// numberAt tells how many lines of current come before the one that starts at
// offset, 0 when that is too long ago.
func (l *tailLog) numberAt(offset int64) int64 {
	for i := range int64(recentLines) {
		if n := l.current.number - i; n > 0 && l.starts[n%recentLines] == offset {
			return n - 1
		}
	}
	return 0
}

// frozen are the positions as they must be committed while the decoder may still
// hold a record of the file before: its offset does not tell of which file it is.
type frozen struct {
	at    map[*tailFile]place
	since time.Time
	fed   int64
}

type place struct{ offset, number int64 }

// feeds notes that the decoder's next lines are f's.
func (l *tailLog) feeds(f *tailFile) {
	if l.current == f {
		return
	}
	if l.current != nil && l.frozen == nil {
		if off, held := l.dec.Pending(); held {
			l.frozen = &frozen{at: map[*tailFile]place{}, since: time.Now(), fed: l.fed}
			for _, g := range l.files {
				l.frozen.at[g] = place{g.offset, g.number}
			}
			if off < l.current.offset {
				l.frozen.at[l.current] = place{off, l.numberAt(off)}
			}
		}
	}
	if l.frozen != nil {
		if _, known := l.frozen.at[f]; !known {
			l.frozen.at[f] = place{f.offset, f.number}
		}
	}
	l.before, l.current = l.current, f
}

// places tells up to where each file is read for good.
func (l *tailLog) places() map[*tailFile]place {
	at := map[*tailFile]place{}
	for _, f := range l.files {
		at[f] = place{f.offset, f.number}
	}
	if l.dec == nil || l.current == nil {
		return at
	}
	off, held := l.dec.Pending()
	if l.frozen != nil && (!held || l.fed-l.frozen.fed > thawLines && time.Since(l.frozen.since) > thawAfter) {
		l.frozen = nil
	}
	switch {
	case l.frozen != nil:
		for f, p := range l.frozen.at {
			if _, still := at[f]; still && p.offset <= at[f].offset {
				at[f] = p
			}
		}
	case held && off < l.current.offset:
		at[l.current] = place{off, l.numberAt(off)}
	}
	return at
}

// savedPosition is the position as it is kept: JSON that only this package
// reads.
type savedPosition struct {
	Logs map[string]savedLog `json:"logs"`
}

type savedLog struct {
	Format string      `json:"format,omitempty"`
	State  []byte      `json:"state,omitempty"`
	Files  []savedFile `json:"files"`
}

type savedFile struct {
	Path   string `json:"path"`
	Dev    uint64 `json:"dev"`
	Ino    uint64 `json:"ino"`
	Print  uint64 `json:"print"`
	PrintN int    `json:"print_bytes"`
	Packed string `json:"packed,omitempty"`
	Offset int64  `json:"offset"`
	// Number is the line number at Offset; where it is not known, when a decoder held
	// a record, it is 0 and lines are numbered from there.
	Number int64 `json:"line"`
	Done   bool  `json:"done,omitempty"`
	// Ghost says that the file itself is gone.
	Ghost bool `json:"ghost,omitempty"`
	// Real is where a link led, Size how long the file was; Written says that it was
	// being written, or may still be under a name that we don't know.
	Real    string `json:"real,omitempty"`
	Size    int64  `json:"size,omitempty"`
	Written bool   `json:"written,omitempty"`
	// Mark is of the bytes before MarkAt.
	Mark   uint64 `json:"mark,omitempty"`
	MarkN  int    `json:"mark_bytes,omitempty"`
	MarkAt int64  `json:"mark_at,omitempty"`
	// Unread is what is lost of it unless a copy turns up, Lost since when, in
	// milliseconds since 1970.
	Unread int64 `json:"unread,omitempty"`
	Lost   int64 `json:"lost,omitempty"`
}

// position tells where all logs stand.
func (r *tailing) position() ([]byte, error) {
	saved := savedPosition{Logs: map[string]savedLog{}}
	for name, l := range r.logs {
		s := savedLog{Format: l.format, State: l.state}
		if l.dec != nil {
			var err error
			if s.State, err = l.dec.State(); err != nil {
				return nil, fmt.Errorf("save how the log %q stands: %w", name, err)
			}
		}
		at := l.places()
		for _, f := range l.files {
			if f.refused != "" || f.copyOf != nil {
				// A restart looks at it afresh: nothing is read of it.
				continue
			}
			m := f.marked()
			lost := int64(0)
			if f.unread != 0 {
				lost = f.lost.UnixMilli()
			}
			s.Files = append(s.Files, savedFile{
				Real: f.real, Size: f.size, Mark: m.hash, MarkN: m.n, MarkAt: m.at, Unread: f.unread, Lost: lost,
				Written: f.written || f.size > 0 && (f.gone && f.isOpen() || !f.gone && !f.rotated),
				Path:    f.path, Dev: f.dev, Ino: f.ino, Print: f.print.hash, PrintN: f.print.n, Packed: f.packed,
				Offset: at[f].offset, Number: at[f].number, Done: f.done, Ghost: f.ghost,
			})
		}
		saved.Logs[name] = s
	}
	b, err := json.Marshal(saved)
	if err != nil {
		return nil, fmt.Errorf("save the position: %w", err)
	}
	return b, nil
}

// restore takes a position back.
func (r *tailing) restore(position []byte) {
	saved := collectors.Position(r.t.cfg.Source, position, r.t.log, func(p *savedPosition) bool { return p.Logs != nil })
	if saved == nil {
		return
	}
	now := time.Now()
	for name, s := range saved.Logs {
		l := &tailLog{name: name, format: s.Format, state: s.State}
		for _, f := range s.Files {
			l.files = append(l.files, &tailFile{
				path: f.Path, dev: f.Dev, ino: f.Ino, print: fingerprint{f.PrintN, f.Print}, packed: f.Packed,
				offset: f.Offset, number: f.Number, done: f.Done, last: now, grew: now, gone: true, ghost: f.Ghost,
				real: f.Real, size: f.Size, mark: mark{at: f.MarkAt, n: f.MarkN, hash: f.Mark}, written: f.Written,
				unread: f.Unread, lost: time.UnixMilli(f.Lost),
			})
		}
		r.logs[name] = l
		r.names = append(r.names, name)
	}
}
