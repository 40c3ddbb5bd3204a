package drill

import (
	"math/rand/v2"
	"slices"
	"time"

	"vigil"
)

// Scene is what is known of the traffic in which breaches are staged.
type Scene struct {
	// Start and End are the times of the first and the last event.
	Start, End time.Time
	// Events counts all of them.
	Events int64
	// People are the actors, by tenant and id.
	People []*Person
	// Customers are the subjects that occur.
	Customers Customers

	knowledge knowledge

	// tells are the fields that some event has; tenants those whose data it is, by
	// how often.
	tells   map[string]bool
	tenants map[string]int64
	// stepped says that the source tells how ids follow each other.
	stepped  bool
	networks map[string]bool // all that were seen
	tickets  []string        // a few, to make others like them
	talks    []string        // conversation ids, the same
}

// Actors is how many there are, without customers who look after themselves: they
// may be many, each with little to be wrong about, and would make the share of
// false findings look small.
func (s *Scene) Actors() int {
	return len(s.find(func(p *Person) bool { return !p.customer() }))
}

// Days is the length of the traffic in days.
func (s *Scene) Days() float64 { return s.End.Sub(s.Start).Hours() / 24 }

// Person is one actor: somebody or something.
type Person struct {
	Actor vigil.Actor
	// Source is the collector's name on its events.
	Source      string
	First, Last time.Time
	Events      int64
	// Forms are the ways in which it accesses data, the commonest first.
	Forms []*Form
	// Places are from where and with what it works, the commonest first.
	Places []Place
	// Sittings are its sessions of late, oldest first.
	Sittings []Sitting
	// Own are some of its customers.
	Own []string
	// PerDay is the mean number of distinct customers, counted ones included, on a
	// day on which it works; EventsPerDay that of events.
	PerDay, EventsPerDay float64

	days []int32 // events by day of the scene
	// tireless is true of who works on nearly every day of weeks.
	tireless bool
	hours    [24]int64 // events by hour of the day, UTC
}

// Place is from where and with what an actor works.
type Place struct {
	IP, Network, Country, ASN, Agent string
	Count                            int64
	Last                             time.Time
}

// Sitting is one session.
type Sitting struct {
	ID         string
	Start, End time.Time
	Events     int64
	// Place is where it began, Moves where it went on from: a gateway that is switched
	// on in the middle. No more than maxMoves are kept.
	Place Place
	Moves []Move
}

// Move is a change of place within a session.
type Move struct {
	At    time.Time
	Place Place
}

// maxMoves bounds the moves of a session.
const maxMoves = 32

// placeAt is where a session goes on from at a time.
func (x *Sitting) placeAt(at time.Time) Place {
	place := x.Place
	for _, m := range x.Moves {
		if m.At.After(at) {
			break
		}
		place = m.Place
	}
	return place
}

// Form is one way of accessing data: an action on a resource.
type Form struct {
	Store, Resource, Class string
	Action                 vigil.Action
	// Count is how often it occurred, Named how often with customers named, Single
	// how often with exactly one, Counted how often with a number of customers
	// alone, Unticketed how often without a ticket.
	Count, Named, Single, Counted int64
	// Most is the largest limit, else the largest number of rows.
	Most int64
	// RowsEach is the mean number of rows for each customer, BytesEach of bytes for
	// each row; zero when unknown.
	RowsEach, BytesEach float64
	// Samples are some such accesses.
	Samples []*vigil.Event

	rows, bytes, subjects float64
}

// personal reports whether the form shows somebody's data.
func (f *Form) personal() bool {
	return f.Action.Discloses() && (f.Named > 0 || f.Counted > 0)
}

// single reports whether the form mostly shows the data of one customer. What is
// public is nobody's, though it may be looked up for a customer.
func (f *Form) single() bool {
	return f.Action.Discloses() && f.Single*2 > f.Count && f.Class != "public"
}

// form returns the person's commonest form of which fit holds, or nil.
func (p *Person) form(fit func(*Form) bool) *Form {
	for _, f := range p.Forms {
		if fit(f) {
			return f
		}
	}
	return nil
}

// forms returns all of which fit holds.
func (p *Person) forms(fit func(*Form) bool) []*Form {
	var out []*Form
	for _, f := range p.Forms {
		if fit(f) {
			out = append(out, f)
		}
	}
	return out
}

// has tells whether the person ever did that.
func (p *Person) has(f *Form) bool {
	return p.form(func(o *Form) bool { return o.Action == f.Action && o.Store == f.Store && o.Resource == f.Resource }) != nil
}

// customer reports whether it is one of those whose data it is, who only ever
// reads what is its own.
func (p *Person) customer() bool {
	if p.machine() || p.Events < 2 {
		return false
	}
	if p.Actor.Role == "customer" {
		return true
	}
	for _, c := range p.Own {
		if c != p.Actor.ID {
			return false
		}
	}
	return len(p.Own) > 0
}

// machine reports whether it works without a person at it: by its kind, or, where
// nobody says, because it has no weekends.
func (p *Person) machine() bool {
	switch p.Actor.Kind {
	case vigil.KindService, vigil.KindBot, vigil.KindVendor:
		return true
	case vigil.KindUnspecified:
		return p.tireless
	}
	return false
}

// worked reports whether it was active on a day of the scene.
func (p *Person) worked(day int) bool { return day >= 0 && day < len(p.days) && p.days[day] > 0 }

// activeDays counts the days on which it was active.
func (p *Person) activeDays() int {
	n := 0
	for _, d := range p.days {
		if d > 0 {
			n++
		}
	}
	return n
}

// hour draws an hour of the day at which the person works.
func (p *Person) hour(rng *rand.Rand) int {
	var total int64
	for _, n := range p.hours {
		total += n
	}
	if total == 0 {
		return 12
	}
	u := rng.Int64N(total)
	for h, n := range p.hours {
		if u -= n; u < 0 {
			return h
		}
	}
	return 12
}

// busyHour draws an hour that is followed by hours of work: the most worked of
// four draws, an hour earlier, so that there is time left.
func (p *Person) busyHour(rng *rand.Rand) int {
	best := p.hour(rng)
	score := func(h int) int64 { return p.hours[h] + p.hours[(h+1)%24] + p.hours[(h+2)%24] }
	for range 3 {
		if h := p.hour(rng); score(h) > score(best) {
			best = h
		}
	}
	return best
}

// find returns the people of which fit holds.
func (s *Scene) find(fit func(*Person) bool) []*Person {
	return slices.DeleteFunc(slices.Clone(s.People), func(p *Person) bool { return !fit(p) })
}
