package feeds

import (
	"fmt"
	"slices"
	"time"

	"vigil"
)

// RefusedError is a text that would make too much be forgotten, and of which nothing
// was taken.
type RefusedError struct {
	Feed       string
	Was, Would int
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("feed %s: the text has %d records where %d are known, fewer than half; it is refused and the old ones are kept. If so many are gone, set may_shrink: true for this feed",
		e.Feed, e.Would, e.Was)
}

// shrunk refuses a text that would make half of the records be forgotten: an export
// that broke off must not turn everybody into a stranger. Of shifts, tickets and
// changes it is usual that they come and go.
func (f *state) shrunk(r *Reading, partial bool) error {
	if partial {
		return nil
	}
	if refused := Shrinks(f.Kind, len(f.base), r, f.MayShrink); refused != nil {
		refused.Feed = f.Name
		return refused
	}
	return nil
}

// Shrinks says whether a text would be refused where so many records are known.
func Shrinks(kind vigil.FactKind, known int, r *Reading, may bool) *RefusedError {
	switch kind {
	case vigil.FactAssignment, vigil.FactShift, vigil.FactChange:
		return nil
	}
	would := len(records(&r.Facts))
	if may || known < shrinkFrom || 2*would >= known {
		return nil
	}
	return &RefusedError{Was: known, Would: would}
}

// heard notes that the feed gave a text.
func (f *state) heard(at time.Time) {
	at = at.UTC()
	if last := f.status.Told; !last.IsZero() && at.After(last) {
		f.gaps = append(f.gaps, at.Sub(last))
		f.gaps = f.gaps[max(0, len(f.gaps)-rhythmGaps):]
	}
	if at.After(f.status.Told) {
		f.status.Told = at
	}
}

// rhythm says whether the feed is silent for longer than it may, or than it ever was.
func (f *state) rhythm(now time.Time) {
	f.stale = false
	if f.status.Told.IsZero() || f.Optional {
		return
	}
	limit := f.StaleAfter
	if limit == 0 && len(f.gaps) == rhythmGaps {
		limit = rhythmFactor * slices.Max(f.gaps)
	}
	f.stale = limit > 0 && now.Sub(f.status.Told) > limit
}
