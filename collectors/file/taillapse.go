package file

import (
	"fmt"
	"time"

	"vigil"
)

// lapse tells what was seen of the source itself.
func (r *tailing) lapse(f *tailFile, kind vigil.LapseKind, text string) {
	now := time.Now().UTC()
	r.touch()
	r.batch.Lapses = append(r.batch.Lapses, vigil.Lapse{
		Source: r.t.cfg.Source, Kind: kind, Start: f.last.UTC(), End: now, Missing: vigil.Unknown, Text: text,
	})
}

// wentBack tells that a file was replaced by an older state of itself, or cut short. What
// is there now is read from its start: records with the same ids count once.
func (r *tailing) wentBack(f *tailFile) {
	f.anonymous()
	r.lapse(f, vigil.LapseReset, fmt.Sprintf(
		"The file %q went back behind byte %d, up to which it had been read: it was cut short, or replaced by an older state. It is read again from its start.",
		f.path, f.readTo()))
}

// shortened tells that a file lost its end before that was read.
func (r *tailing) shortened(f *tailFile, n int64) {
	r.lapse(f, vigil.LapseDropped, fmt.Sprintf(
		"The file %q was cut by at least %d bytes that had not been read. Find out who did it, and rotate by renaming.", f.path, n))
}

// lost tells that text was lost before it was read, as no copy of it turned up. A
// shorter file that starts as it did may be an older state which was put in its place, and
// written on, while nobody looked: it is read whole.
func (r *tailing) lost(l *tailLog, f *tailFile) {
	what := "Lines that were not read"
	if f.unread != vigil.Unknown {
		what = fmt.Sprintf("At least %d bytes that were not read", f.unread)
	}
	f.unread = 0
	for _, k := range l.files {
		if k.copyOf == f && !k.gone {
			r.wentBack(f)
			k.copyOf = nil
			return
		}
	}
	r.lapse(f, vigil.LapseDropped, fmt.Sprintf(
		"%s are lost: the file %q, read up to byte %d, was removed or overwritten, and no copy of it is found beside it. Keep rotated files until they are read, and where vigil sees them.",
		what, f.path, f.offset))
}
