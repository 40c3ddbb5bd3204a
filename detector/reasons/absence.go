package reasons

import "vigil"

// Announced is the share of the time from one moment to a later one (Unix nanoseconds)
// for which a deploy or maintenance of a whole store is announced, whoever does it: 0 to
// 1. What has no end, and what is of a resource only, announces no outage.
func (b *Book) Announced(store string, from, to int64) float64 {
	if !b.changes.told || to <= from {
		return 0
	}
	l := b.changes.index[b.mark(ofPlace, store).hash]
	if l == nil {
		return 0
	}
	// They are in the order of their begin: what an earlier one covers counts once.
	covered, sum := from, int64(0)
	for _, en := range l.entries {
		r := &en.rec
		if r.Store != store || r.Resource != "" || !outage(r) || en.from == always || en.to == never {
			continue
		}
		begin, end := max(en.from-slack, covered), min(en.to+slack, to)
		if end > begin {
			sum += end - begin
			covered = end
		}
	}
	return float64(sum) / float64(to-from)
}

// dayNanos is a day, in nanoseconds.
const dayNanos = float64(24 * 3600 * 1e9)

// Absence is for how many days between two times (Unix nanoseconds) the event's actor
// was known to be away.
func (b *Book) Absence(e *vigil.Event, from, to int64) (days float64) {
	if !b.shifts.told || to <= from {
		return 0
	}
	a := b.ask(e)
	l := b.shifts.index[b.mark(ofActor, e.Actor.ID).hash]
	if l == nil {
		return 0
	}
	// They are in the order of their begin: what an earlier one covers counts once.
	covered := from
	for _, en := range l.entries {
		if en.rec.Duty != vigil.DutyAbsent || !a.fits(&en.rec.Who) {
			continue
		}
		begin, end := max(en.from, covered), min(en.to, to)
		if end > begin {
			days += float64(end-begin) / dayNanos
			covered = end
		}
	}
	return days
}
