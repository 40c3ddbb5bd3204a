package drill

import (
	"cmp"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"vigil"
)

// The bounds of a scene.
const (
	maxPeople   = 5_000
	maxForms    = 32     // of a person
	maxSamples  = 6      // of a form
	maxPlaces   = 12     // of a person
	maxSittings = 60     // of a person, the latest
	maxOwn      = 48     // customers of a person
	maxKnown    = 40_000 // customers of all
	maxDays     = 800    // of which it is remembered who worked
	maxDaily    = 2_048  // customers that are told apart on one person's day
	maxNetworks = 50_000
	maxAlike    = 64 // tickets and conversations kept as examples
)

// profiler makes a Scene of traffic in one pass.
type profiler struct {
	scene  *Scene
	people map[personKey]*sitter
	rng    *rand.Rand
	// known holds the customers whose hash is below limit: a fair sample of the
	// distinct ones, however often they come (bottom-k; Bar-Yossef et al. 2002,
	// "Counting distinct elements in a data stream").
	known map[string]uint64
	limit uint64
	// talks and tickets seen, for reservoir sampling.
	talks, tickets int
}

type personKey struct{ tenant, id string }

// sitter is a Person under construction.
type sitter struct {
	*Person
	forms    map[formKey]*Form
	places   map[Place]*Place
	today    int
	subjects map[uint64]struct{} // of today
	counted  float64             // customers of all days
	own      int                 // customers seen, for the reservoir
	open     Sitting
}

type formKey struct {
	store, resource, class string
	action                 vigil.Action
}

func newProfiler() *profiler {
	return &profiler{
		scene:  &Scene{networks: map[string]bool{}, tells: map[string]bool{}, tenants: map[string]int64{}},
		people: map[personKey]*sitter{},
		rng:    rand.New(rand.NewPCG(1, 0x5ce9e)), // a fixed stream: the same traffic gives the same scene
		known:  map[string]uint64{},
		limit:  math.MaxUint64,
	}
}

// add folds one event. It keeps copies only.
func (p *profiler) add(e *vigil.Event) {
	s := p.scene
	s.Events++
	if s.Start.IsZero() { // what is late for the very first does not move the days
		s.Start = e.Time
	}
	if e.Time.After(s.End) {
		s.End = e.Time
	}
	s.told(e)
	s.stepped = s.stepped || e.Step != vigil.StepUnknown
	for _, c := range e.Subjects {
		p.customer(c)
	}
	if e.Conversation != "" {
		p.talks++
		sample(p.rng, &s.talks, p.talks, e.Conversation)
	}
	if e.Ticket != "" {
		p.tickets++
		sample(p.rng, &s.tickets, p.tickets, e.Ticket)
	}
	if n := networkOf(e); n != "" && len(s.networks) < maxNetworks {
		s.networks[n] = true
	}
	key := personKey{e.Actor.Tenant, e.Actor.ID}
	w := p.people[key]
	if w == nil {
		if len(p.people) >= maxPeople {
			p.thin()
		}
		w = &sitter{
			Person: &Person{Actor: e.Actor, Source: e.Source, First: e.Time},
			forms:  map[formKey]*Form{}, places: map[Place]*Place{}, today: -1, subjects: map[uint64]struct{}{},
		}
		p.people[key] = w
	}
	w.add(p, e)
}

// maxTenants bounds the tenants that are told apart.
const maxTenants = 64

// told notes which of the rarer fields an event has.
func (s *Scene) told(e *vigil.Event) {
	if e.ResourceTenant != "" {
		if _, ok := s.tenants[e.ResourceTenant]; ok || len(s.tenants) < maxTenants {
			s.tenants[e.ResourceTenant]++
		}
	}
	if e.Purpose != "" {
		s.tells["purpose"] = true
	}
	if e.Principal != "" {
		s.tells["principal"] = true
	}
	if e.Country != "" {
		s.tells["country"] = true
	}
	if e.Destination != nil {
		s.tells["destination"] = true
	}
}

// rich reports whether the source tells what databases and web servers don't: then
// it would tell where something went, too.
func (s *Scene) rich() bool {
	return len(s.tenants) > 0 || s.tells["purpose"] || s.tells["principal"] || s.tells["destination"]
}

// thin makes room for further actors: the half that did least goes. Who comes
// back starts anew.
func (p *profiler) thin() {
	all := slices.Collect(maps.Values(p.people))
	slices.SortFunc(all, func(a, b *sitter) int {
		return cmp.Or(cmp.Compare(a.Events, b.Events), a.Last.Compare(b.Last), cmp.Compare(a.Actor.Tenant, b.Actor.Tenant), cmp.Compare(a.Actor.ID, b.Actor.ID))
	})
	for _, w := range all[:len(all)/2] {
		delete(p.people, keyOf(&w.Actor))
	}
}

func (w *sitter) add(p *profiler, e *vigil.Event) {
	w.Events++
	w.Last = e.Time
	w.hours[e.Time.Hour()]++
	day := p.scene.day(e.Time)
	if day >= 0 && day < maxDays {
		for len(w.days) <= day {
			w.days = append(w.days, 0)
		}
		w.days[day]++
	}
	if day != w.today {
		w.closeDay()
		w.today = day
	}
	for _, c := range e.Subjects {
		if len(w.subjects) < maxDaily {
			w.subjects[hash(c)] = struct{}{}
		}
	}
	if len(e.Subjects) > 0 && len(e.Subjects) < 4 {
		w.own++
		sampleN(p.rng, &w.Own, w.own, maxOwn, e.Subjects[0])
	} else if len(e.Subjects) == 0 && e.SubjectCount > 0 {
		w.counted += float64(e.SubjectCount)
	}
	place := placeOf(e)
	x := w.places[place]
	if x == nil && len(w.places) >= maxPlaces {
		w.forgetPlace()
	}
	if x == nil {
		c := place
		x = &c
		w.places[place] = x
	}
	x.Count++
	x.Last = e.Time
	w.sit(e, place)
	w.form(p, e)
}

// forgetPlace makes room: the place that was used longest ago goes.
func (w *sitter) forgetPlace() {
	var oldest Place
	for k, x := range w.places {
		if o := w.places[oldest]; o == nil || x.Last.Before(o.Last) || x.Last.Equal(o.Last) && k.IP+k.Agent < oldest.IP+oldest.Agent {
			oldest = k
		}
	}
	delete(w.places, oldest)
}

func (w *sitter) closeDay() {
	w.counted += float64(len(w.subjects))
	clear(w.subjects)
}

// sit keeps the sessions. Where the source names none, a pause of two hours
// parts them.
func (w *sitter) sit(e *vigil.Event, place Place) {
	if w.open.Events > 0 && w.open.ID == e.Session && e.Time.Sub(w.open.End) < 2*time.Hour {
		w.open.End = e.Time
		w.open.Events++
		if len(w.open.Moves) < maxMoves && place != w.open.placeAt(e.Time) {
			w.open.Moves = append(w.open.Moves, Move{e.Time, place})
		}
		return
	}
	w.closeSitting()
	w.open = Sitting{ID: e.Session, Start: e.Time, End: e.Time, Events: 1, Place: place}
}

func (w *sitter) closeSitting() {
	if w.open.Events < 10 {
		return
	}
	if len(w.Sittings) >= maxSittings {
		w.Sittings = append(w.Sittings[:0], w.Sittings[1:]...)
	}
	w.Sittings = append(w.Sittings, w.open)
}

func (w *sitter) form(p *profiler, e *vigil.Event) {
	key := formKey{e.Store, e.Resource, e.ResourceClass, e.Action}
	f := w.forms[key]
	if f == nil {
		if len(w.forms) >= maxForms {
			return
		}
		f = &Form{Store: e.Store, Resource: e.Resource, Class: e.ResourceClass, Action: e.Action}
		w.forms[key] = f
	}
	f.Count++
	n := max(e.SubjectCount, int64(len(e.Subjects)))
	switch {
	case len(e.Subjects) > 0:
		f.Named++
		if n == 1 {
			f.Single++
		}
	case n > 0:
		f.Counted++
	}
	f.Most = max(f.Most, e.Limit, e.Rows)
	if e.Rows > 0 {
		f.rows += float64(e.Rows)
		if n > 0 {
			f.subjects += float64(n)
		}
		if e.Bytes > 0 {
			f.bytes += float64(e.Bytes)
		}
	}
	if e.Outcome == vigil.OutcomeDenied || e.Outcome == vigil.OutcomeError {
		return
	}
	if len(f.Samples) < maxSamples {
		f.Samples = append(f.Samples, copyOf(e))
	} else if i := p.rng.Int64N(f.Count); i < maxSamples {
		f.Samples[i] = copyOf(e)
	}
}

// customer counts one in.
func (p *profiler) customer(c string) {
	if c == "" {
		return
	}
	h := hash(c)
	if h > p.limit {
		return
	}
	p.known[c] = h
	if len(p.known) < maxKnown+maxKnown/4 {
		return
	}
	hashes := slices.Sorted(maps.Values(p.known))
	p.limit = hashes[maxKnown-1]
	maps.DeleteFunc(p.known, func(_ string, h uint64) bool { return h > p.limit })
}

// done returns the scene.
func (p *profiler) done() *Scene {
	s := p.scene
	for _, w := range p.people {
		w.closeDay()
		w.closeSitting()
		if n := float64(w.activeDays()); n > 0 {
			w.PerDay, w.EventsPerDay = w.counted/n, float64(w.Events)/n
		}
		if span := w.Last.Sub(w.First).Hours() / 24; span >= 10 {
			w.tireless = float64(w.activeDays()) > 0.93*span
		}
		for _, f := range w.forms {
			if f.subjects > 0 {
				f.RowsEach = f.rows / f.subjects
			}
			if f.rows > 0 {
				f.BytesEach = f.bytes / f.rows
			}
			if len(f.Samples) > 0 {
				w.Forms = append(w.Forms, f)
			}
		}
		slices.SortFunc(w.Forms, func(a, b *Form) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Store, b.Store), cmp.Compare(a.Resource, b.Resource),
				cmp.Compare(a.Action, b.Action), cmp.Compare(a.Class, b.Class))
		})
		for _, place := range w.places {
			w.Places = append(w.Places, *place)
		}
		slices.SortFunc(w.Places, func(a, b Place) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.IP, b.IP), cmp.Compare(a.Network, b.Network), cmp.Compare(a.Agent, b.Agent))
		})
		s.People = append(s.People, w.Person)
	}
	slices.SortFunc(s.People, func(a, b *Person) int {
		return cmp.Or(cmp.Compare(a.Actor.Tenant, b.Actor.Tenant), cmp.Compare(a.Actor.ID, b.Actor.ID))
	})
	s.Customers = p.customers()
	return s
}

// day numbers the days of the scene from 0; they turn over at midnight UTC.
func (s *Scene) day(t time.Time) int {
	start := s.Start.UTC().Truncate(24 * time.Hour)
	return int(t.Sub(start) / (24 * time.Hour))
}

// midnight is when a day of the scene begins.
func (s *Scene) midnight(day int) time.Time {
	return s.Start.UTC().Truncate(24*time.Hour).AddDate(0, 0, day)
}

func placeOf(e *vigil.Event) Place {
	return Place{IP: e.IP, Network: networkOf(e), Country: e.Country, ASN: e.ASN, Agent: e.UserAgent}
}

func networkOf(e *vigil.Event) string {
	if e.Network != "" {
		return e.Network
	}
	return vigil.NetworkOf(e.IP)
}

// copyOf copies an event that somebody else owns.
func copyOf(e *vigil.Event) *vigil.Event {
	c := *e
	c.Subjects = slices.Clone(e.Subjects[:min(len(e.Subjects), 8)])
	c.Fields = slices.Clone(e.Fields)
	c.Late = false
	c.Step = vigil.StepUnknown
	c.Origin = vigil.Origin{}
	c.Received = time.Time{}
	return &c
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // a hash always takes it
	// FNV's high bits are poor for short strings that differ at their end.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// sample keeps a fair sample of strings: the n-th is coming.
func sample(rng *rand.Rand, kept *[]string, n int, s string) { sampleN(rng, kept, n, maxAlike, s) }

func sampleN(rng *rand.Rand, kept *[]string, n, most int, s string) {
	if len(*kept) < most {
		*kept = append(*kept, s)
	} else if i := rng.IntN(n); i < most {
		(*kept)[i] = s
	}
}
