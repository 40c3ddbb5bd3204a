package traffic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"vigil"
)

// Threat names a kind of breach that a World can stage.
type Threat string

// The breaches that can be staged.
const (
	// MassExport: in the course of an ordinary shift, from the usual place, an
	// agent exports hundreds of conversations.
	MassExport Threat = "mass-export"
	// SlowScrape: a service account reads customer after customer in rising
	// order, a few an hour, for two weeks.
	SlowScrape Threat = "slow-scrape"
	// VendorToken: a vendor's stolen token looks around from a new network, two
	// days later reads cases in bulk, and removes its traces.
	VendorToken Threat = "vendor-token"
	// InjectedBot: one conversation makes the bot read other customers.
	InjectedBot Threat = "injected-bot"
	// TableDump: an engineer reads whole tables in the night.
	TableDump Threat = "table-dump"
)

// Threats lists what can be staged, in a fixed order.
func Threats() []Threat {
	return []Threat{MassExport, SlowScrape, VendorToken, InjectedBot, TableDump}
}

// Breach is a staged breach: the truth against which findings are held.
type Breach struct {
	Threat Threat
	// Actor did it.
	Actor string
	// Start and End are the times of the first and the last event.
	Start, End time.Time
	// Subjects is the number of customers whose data was taken.
	Subjects int64
	// Events are its events in time order; give them to Inject.
	Events []*vigil.Event
}

// Stage says who does a breach, when, and how hard.
type Stage struct {
	Threat Threat
	// Actor is the ID of who does it; empty picks somebody who fits.
	Actor string
	// At is when it begins; zero is a Tuesday late in the world's span.
	At time.Time
	// Intensity scales how much is taken; 1 by default.
	Intensity float64
	// Seed tells stagings of one threat apart.
	Seed uint64
}

// Stage makes the events of a breach without adding them. It draws from a stream
// of its own and changes nothing about the clean traffic.
func (w *World) Stage(s Stage) (Breach, error) {
	if s.Intensity == 0 {
		s.Intensity = 1
	}
	i := slices.Index(Threats(), s.Threat)
	if i < 0 {
		return Breach{}, fmt.Errorf("stage breach %q: not one of %q", s.Threat, Threats())
	}
	rng := rand.New(rand.NewPCG(w.cfg.Seed^s.Seed<<16, uint64(i)<<32|0xb4ea))
	a, err := w.culprit(rng, s)
	if err != nil {
		return Breach{}, err
	}
	if s.At.IsZero() {
		s.At = w.lateTuesday(a, s.Threat)
	}
	st := &staging{w: w, a: a, rng: rng, at: s.At.UTC().Truncate(time.Millisecond), intensity: s.Intensity}
	st.prefix = fmt.Sprintf("%s.%d.%s", s.Threat, s.Seed, a.ID)
	st.ip = fmt.Sprintf("%s.%d", a.office, a.host)
	st.agent = a.role.app + "/1.0"
	switch s.Threat {
	case MassExport:
		st.massExport()
	case SlowScrape:
		st.slowScrape()
	case VendorToken:
		st.vendorToken()
	case InjectedBot:
		st.injectedBot()
	case TableDump:
		st.tableDump()
	}
	slices.SortStableFunc(st.out, byTime)
	b := Breach{Threat: s.Threat, Actor: a.ID, Events: st.out, Subjects: st.subjects}
	if len(st.out) > 0 {
		b.Start, b.End = st.out[0].Time, st.out[len(st.out)-1].Time
	}
	return b, nil
}

// culprit finds who does it.
func (w *World) culprit(rng *rand.Rand, s Stage) (*actor, error) {
	if s.Actor != "" {
		if a := w.byID[s.Actor]; a != nil {
			return a, nil
		}
		return nil, fmt.Errorf("stage breach %q: no actor %q in this world", s.Threat, s.Actor)
	}
	role := map[Threat]string{MassExport: "agent", SlowScrape: "index", VendorToken: "sync", InjectedBot: "bot", TableDump: "engineer"}[s.Threat]
	var fit []*actor
	// Who has a part in a happening is taken only where there is nobody else.
	for _, engaged := range []bool{false, true} {
		for _, a := range w.actors {
			if a.role.name == role && w.engaged[a.index] == engaged {
				fit = append(fit, a)
			}
		}
		if len(fit) > 0 {
			break
		}
	}
	return fit[rng.IntN(len(fit))], nil
}

// lateTuesday picks an hour in the last week in which the culprit may act.
func (w *World) lateTuesday(a *actor, t Threat) time.Time {
	_, end := w.Span()
	if t == SlowScrape {
		end = end.AddDate(0, 0, -13)
	}
	day := end.AddDate(0, 0, -1)
	for day.Weekday() != time.Tuesday && day.After(w.cfg.Start.AddDate(0, 0, 1)) {
		day = day.AddDate(0, 0, -1)
	}
	day = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
	switch t {
	case MassExport:
		return day.Add(time.Duration(a.ShiftStart+2-a.Offset) * time.Hour)
	case VendorToken, TableDump:
		return day.Add(2*time.Hour + 7*time.Minute)
	default:
		return day.Add(11 * time.Hour)
	}
}

// staging gathers a breach's events.
type staging struct {
	w         *World
	a         *actor
	rng       *rand.Rand
	at        time.Time
	intensity float64
	prefix    string
	ip, agent string
	session   string // one for the whole breach when empty
	out       []*vigil.Event
	subjects  int64
}

// times scales a number by the intensity, at least one.
func (s *staging) times(n float64) int { return max(1, int(n*s.intensity+0.5)) }

// event appends the culprit's next event, so long after the breach began.
func (s *staging) event(after time.Duration, action vigil.Action, resource, class string) *vigil.Event {
	e := vigil.NewEvent()
	e.ID = s.prefix + "." + strconv.Itoa(len(s.out))
	e.Time = s.at.Add(after.Truncate(time.Millisecond))
	e.Actor = s.a.Actor.Actor
	if e.Session = s.session; e.Session == "" {
		e.Session = "s-" + s.prefix
	}
	e.Action, e.Resource, e.ResourceClass = action, resource, class
	e.Store, e.ResourceTenant = s.a.role.store, Tenant
	e.IP, e.UserAgent = s.ip, s.agent
	e.Shape = shape(action, resource, 0)
	e.Outcome = vigil.OutcomeSuccess
	s.out = append(s.out, e)
	return e
}

// take fills in what an event got of whom.
func (s *staging) take(e *vigil.Event, rows int64, subjects []string, count int64) {
	e.Rows = rows
	e.Bytes = 120 + int64(float64(rows)*lognormal(s.rng, 400, 0.3))
	e.Subjects, e.SubjectCount = subjects, count
	if count != vigil.Unknown {
		s.subjects += count
	}
}

func (s *staging) massExport() {
	if s.a.taste&1 == 0 {
		s.ip = fmt.Sprintf("%s.%d", s.a.home, s.a.host)
	}
	s.agent = fmt.Sprintf(browsers[s.a.browser], 141)
	at := time.Duration(0)
	for range s.times(24) {
		list := s.event(at, vigil.ActionSearch, "conversations", "metadata")
		s.take(list, 25, nil, vigil.Unknown)
		list.Limit = 100
		at += time.Duration(lognormal(s.rng, 25, 0.5) * float64(time.Second))
		n := int64(lognormal(s.rng, 90, 0.3))
		s.take(s.event(at, vigil.ActionExport, "conversations", "content"), n*8, nil, n)
		at += time.Duration(lognormal(s.rng, 120, 0.6) * float64(time.Second))
	}
}

func (s *staging) slowScrape() {
	_, end := s.w.Span()
	s.ip = fmt.Sprintf("%s.%d", s.a.office, s.a.host)
	s.agent = s.a.role.app + "/1.0"
	id := s.rng.IntN(max(1, s.w.Customers(s.at)/3))
	gap := time.Duration(float64(9*time.Minute) / s.intensity)
	for at := time.Duration(0); at < 14*24*time.Hour && s.at.Add(at).Before(end); {
		e := s.event(at, vigil.ActionRead, "contacts", "personal")
		s.take(e, 1, []string{Customer(id)}, 1)
		id += 1 + s.rng.IntN(2)
		at += gap + time.Duration(s.rng.NormFloat64()*float64(gap)/20)
	}
}

func (s *staging) vendorToken() {
	s.ip = fmt.Sprintf("198.19.%d.%d", s.rng.IntN(256), 2+s.rng.IntN(250))
	s.agent = "python-requests/2.32"
	look := s.at.AddDate(0, 0, -2)
	begin := s.at
	if look.Before(s.w.cfg.Start) {
		look = s.at
	}
	s.at = look
	at := time.Duration(0)
	for i := range s.times(14) {
		e := s.event(at, vigil.ActionRead, []string{"accounts", "users", "conversations", "attachments"}[i%4], "metadata")
		s.take(e, 1, nil, 0)
		at += time.Duration(lognormal(s.rng, 40, 0.7) * float64(time.Second))
	}
	s.at, at = begin, 0
	for i := range s.times(110) {
		resource, class := "messages", "content"
		if i%3 == 2 {
			resource, class = "contacts", "personal"
		}
		e := s.event(at, vigil.ActionRead, resource, class)
		first := s.rng.IntN(max(1, s.w.Customers(s.at)-20))
		subjects := make([]string, 20)
		for k := range subjects {
			subjects[k] = Customer(first + k)
		}
		e.Limit = 200
		s.take(e, 200, subjects, 20)
		at += time.Duration(lognormal(s.rng, 55, 0.5) * float64(time.Second))
	}
	s.take(s.event(at, vigil.ActionDelete, "jobs", "metadata"), 2, nil, 0)
}

func (s *staging) injectedBot() {
	own := s.w.customer(s.rng, s.at)
	talk := Conversation(own, int(s.at.Sub(s.w.cfg.Start)/(24*time.Hour)))
	at := time.Duration(0)
	first := s.rng.IntN(max(1, s.w.Customers(s.at)-50))
	for i := range s.times(14) + 2 {
		who := Customer(own)
		if i >= 2 {
			who = Customer(first + i)
		}
		e := s.event(at, vigil.ActionRead, []string{"contacts", "orders"}[i%2], "personal")
		e.Principal, e.Conversation = Customer(own), talk
		s.take(e, 1, []string{who}, 1)
		at += time.Duration(lognormal(s.rng, 4, 0.5) * float64(time.Second))
	}
}

func (s *staging) tableDump() {
	s.agent = s.a.role.app
	s.ip = fmt.Sprintf("%s.%d", s.a.home, s.a.host)
	at := time.Duration(0)
	known := int64(s.w.Customers(s.at))
	for _, t := range []string{"contacts", "conversations", "messages"} {
		e := s.event(at, vigil.ActionRead, t, "content")
		e.Unbounded = true
		e.Fields = []string{"*"}
		e.Shape = shape(e.Action, t, 99)
		n := int64(float64(known) * min(s.intensity, 1))
		s.take(e, n*4, nil, n)
		at += time.Duration(lognormal(s.rng, 180, 0.4) * float64(time.Second))
	}
}
