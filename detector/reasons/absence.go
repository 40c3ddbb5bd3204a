package reasons

import "vigil"

// dayNanos is a day, in nanoseconds.
const dayNanos = float64(24 * 3600 * 1e9)

// Absence is for how many days between two times (Unix nanoseconds) the event's actor
// was known to be away.
func (b *Book) Absence(e *vigil.Event, from, to int64) (days float64) {
	if !b.shifts.told || to <= from {
		return 0
	}
	a := asker{actor: e.Actor}
	if a.person = b.person(e.Actor.ID, e.Actor.Tenant); a.person != nil {
		placed(&a.actor, a.person)
	}
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
