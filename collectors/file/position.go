package file

import (
	"encoding/json"
	"fmt"
	"time"
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
	// Copy says that its start is another file's, still being read.
	Copy bool `json:"copy,omitempty"`
	// Ghost says that the file itself is gone.
	Ghost bool `json:"ghost,omitempty"`
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
			if f.refused != "" {
				// A restart looks at it afresh.
				continue
			}
			s.Files = append(s.Files, savedFile{
				Path: f.path, Dev: f.dev, Ino: f.ino, Print: f.print.hash, PrintN: f.print.n, Packed: f.packed,
				Offset: at[f].offset, Number: at[f].number, Done: f.done, Copy: f.copyOf != nil, Ghost: f.ghost,
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
func (r *tailing) restore(position []byte) error {
	if len(position) == 0 {
		return nil
	}
	var saved savedPosition
	if err := json.Unmarshal(position, &saved); err != nil {
		return fmt.Errorf("read the position of source %q: %w", r.t.cfg.Source, err)
	}
	for name, s := range saved.Logs {
		l := &tailLog{name: name, format: s.Format, state: s.State}
		for _, f := range s.Files {
			l.files = append(l.files, &tailFile{
				path: f.Path, dev: f.Dev, ino: f.Ino, print: fingerprint{f.PrintN, f.Print}, packed: f.Packed,
				offset: f.Offset, number: f.Number, done: f.Done, last: time.Now(), gone: true, ghost: f.Ghost,
			})
		}
		for i, f := range s.Files {
			if f.Copy {
				l.files[i].copyOf = original(l.files, i)
			}
		}
		r.logs[name] = l
		r.names = append(r.names, name)
	}
	return nil
}

// original finds the file whose start the i-th shares.
func original(files []*tailFile, i int) *tailFile {
	for j, f := range files {
		if j != i && f.print == files[i].print && f.copyOf == nil && f.print.n >= printLeast {
			return f
		}
	}
	return nil
}
