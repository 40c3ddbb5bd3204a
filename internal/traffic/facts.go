package traffic

import (
	"cmp"
	"slices"
	"time"

	"vigil"
)

// Told is a piece of what one feed tells, at the time at which it becomes known.
type Told struct {
	At    time.Time
	Facts vigil.Facts
}

// FeedName is how the made-up feed of a kind is called.
func FeedName(kind vigil.FactKind) string { return "company-" + string(kind) }

// poll is how often feeds are asked: what happens between is known at the next time.
const poll = 5 * time.Minute

// polled is when something that is entered at a time becomes known.
func polled(at time.Time) time.Time {
	t := at.UTC().Truncate(poll)
	if t.Before(at) {
		t = t.Add(poll)
	}
	return t
}

// Facts lists what the company's other systems tell, in the order in which it
// becomes known: who is who, who works when, what changes, what customers allow,
// what vendors and bots may do. It agrees with the events. Assignments arise with
// the work and are a Clerk's to tell; only standing ones are here.
//
// It draws from the world's plan alone, so that Events gives the same with and
// without it.
func (w *World) Facts() []Told {
	b := &facts{w: w, at: map[toldKey]*vigil.Facts{}}
	b.people()
	b.shifts()
	b.absences()
	b.changes()
	b.customers()
	b.consents()
	b.contracts()
	b.jobs()
	b.purposes()
	return b.done()
}

type toldKey struct {
	at   int64
	kind vigil.FactKind
}

// facts gathers what is told, by time and kind.
type facts struct {
	w  *World
	at map[toldKey]*vigil.Facts
}

// told is the record that becomes known at a time; what was before the world is
// known from its beginning.
func (b *facts) told(at time.Time, kind vigil.FactKind) *vigil.Facts {
	if at = polled(at); at.Before(b.w.cfg.Start) {
		at = b.w.cfg.Start
	}
	key := toldKey{at.UnixNano(), kind}
	f := b.at[key]
	if f == nil {
		f = &vigil.Facts{Feed: FeedName(kind), Kind: kind}
		b.at[key] = f
	}
	return f
}

func (b *facts) done() []Told {
	out := make([]Told, 0, len(b.at))
	for key, f := range b.at {
		out = append(out, Told{At: time.Unix(0, key.at).UTC(), Facts: *f})
	}
	sortTold(out)
	return out
}

// sortTold puts what is told in order of time, of kinds within it.
func sortTold(list []Told) {
	kinds := vigil.FactKinds()
	slices.SortStableFunc(list, func(a, b Told) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(slices.Index(kinds, a.Facts.Kind), slices.Index(kinds, b.Facts.Kind)))
	})
}

// start is the world's first instant.
func (b *facts) start() time.Time { return b.w.cfg.Start }

func (b *facts) end() time.Time {
	_, end := b.w.Span()
	return end
}

// who names an actor of the cast.
func who(a *actor) vigil.Who { return vigil.Who{Actor: a.ID} }

// lastShift is the last day (an index of works) on which somebody works, -1 for none.
func (a *actor) lastShift() int {
	for d := len(a.works) - 1; d >= 0; d-- {
		if a.works[d] {
			return d
		}
	}
	return -1
}

// firstShift is the first such day, -1 for none.
func (a *actor) firstShift() int { return slices.Index(a.works, true) }

// works at index d means the shift that begins on day d-1 of the actor's calendar.
func (w *World) shiftOf(a *actor, d int) span {
	from := w.midnight(d - 1).Add(time.Duration(a.ShiftStart-a.Offset) * time.Hour)
	return span{from, from.Add(time.Duration(a.ShiftHours) * time.Hour)}
}
