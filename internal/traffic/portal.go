package traffic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"vigil"
)

// RoleCustomer is the role of a customer who signs in to the chat portal. Such an
// actor's ID is its subject ID.
const RoleCustomer = "customer"

// portalApp is what customers sign in to.
const portalApp = "chat-portal"

// Device is from where, and with what, a customer signs in.
type Device struct{ IP, UserAgent string }

// The devices that customers have.
var devices = []string{
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/%d.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Linux; Android 14; SM-A546B) Chrome/%d.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/%d.0 Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/%d.0 Edg/%[1]d.0",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15",
	"Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%[1]d.0",
}

// DeviceOf returns a customer's usual device and address at a time: a home
// network, by IPv6 for some, and a carrier's on one day in five.
func (w *World) DeviceOf(customer int, at time.Time) Device {
	u := mix(w.cfg.Seed<<32 ^ uint64(customer))
	day := int(at.Sub(w.cfg.Start) / (24 * time.Hour))
	agent := devices[u%uint64(len(devices))]
	if i := u % uint64(len(devices)); i != 0 && i != 5 {
		agent = fmt.Sprintf(agent, 141+(day+int(u>>8%28))/28)
	}
	d := Device{UserAgent: agent}
	switch {
	case mix(u+uint64(day))%5 == 0:
		d.IP = fmt.Sprintf("100.%d.%d.%d", 96+u>>16%8, u>>24%256, 2+mix(u+uint64(day)+1)%250)
	case u>>40%5 < 2:
		d.IP = fmt.Sprintf("2001:db8:%x:%x::%x", u>>16&0xffff, u>>44&0xff, 1+u>>52&0xff)
	default:
		d.IP = fmt.Sprintf("100.%d.%d.%d", 104+u>>16%24, u>>24%256, 2+u>>32%250)
	}
	return d
}

// mix is the finaliser of SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable
// pseudorandom number generators").
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// CustomerActor is a customer as an actor.
func CustomerActor(customer int) vigil.Actor {
	return vigil.Actor{ID: Customer(customer), Kind: vigil.KindHuman, Role: RoleCustomer, Tenant: Tenant, App: portalApp}
}

// visit is one sign-in of a customer.
type visit struct {
	w        *World
	rng      *rand.Rand
	customer int
	device   Device
	session  string
	prefix   string
	n        int
	at       time.Time
	out      []*vigil.Event
}

// visit begins one; its events are appended to out.
func (w *World) visit(rng *rand.Rand, h string, customer int, at time.Time, d Device, out []*vigil.Event) *visit {
	w.serial++
	id := h + "." + strconv.Itoa(w.serial)
	return &visit{w: w, rng: rng, customer: customer, device: d, session: "p-" + id, prefix: id, at: at, out: out}
}

// event appends what the customer does, after a pause with that median in seconds.
func (v *visit) event(pause float64, action vigil.Action, resource, class string, n int) *vigil.Event {
	v.at = v.at.Add(time.Duration(lognormal(v.rng, pause, 0.7) * float64(time.Second)))
	e := vigil.NewEvent()
	e.ID = v.prefix + "." + strconv.Itoa(v.n)
	v.n++
	e.Time = v.at.Truncate(time.Millisecond)
	e.Actor = CustomerActor(v.customer)
	e.Principal = e.Actor.ID
	e.Session, e.IP, e.UserAgent = v.session, v.device.IP, v.device.UserAgent
	e.Action, e.Resource, e.ResourceClass = action, resource, class
	e.Country, _ = RegionOf(v.w.cfg.Seed, v.customer)
	if e.Country == "EU" {
		e.Country = homeCountry
	}
	e.Store, e.ResourceTenant = "helpdesk", Tenant
	e.Shape = shape(action, resource, 40+n)
	e.Outcome = vigil.OutcomeSuccess
	v.out = append(v.out, e)
	return e
}

// signIn mistypes the password now and then.
func (v *visit) signIn() {
	for v.rng.Float64() < 0.05 {
		v.event(2, vigil.ActionLogin, "login", "", 0).Outcome = vigil.OutcomeDenied
	}
	v.event(4, vigil.ActionLogin, "login", "", 0)
}

// own reads some of the customer's own history, and answers perhaps.
func (v *visit) own(reads int) {
	list := v.event(6, vigil.ActionRead, "conversations", "metadata", 0)
	about(list, v.customer, "", "", "")
	list.Rows, list.Limit = int64(1+v.rng.IntN(12)), 20
	list.Bytes = 120 + 420*list.Rows
	talk := v.w.ownTalk(v.rng, v.customer)
	for range reads {
		e := v.event(20, vigil.ActionRead, "messages", "content", v.rng.IntN(2))
		about(e, v.customer, talk, "", "")
		e.Limit, e.Rows = 50, int64(1+v.rng.IntN(20))
		e.Bytes = 120 + int64(float64(e.Rows)*lognormal(v.rng, 310, 0.3))
	}
	if v.rng.Float64() < 0.35 {
		e := v.event(50, vigil.ActionWrite, "messages", "content", 0)
		about(e, v.customer, talk, "", "")
		e.Rows = 1
	}
	if v.rng.Float64() < 0.25 {
		v.event(15, vigil.ActionLogout, "login", "", 1)
	}
}

// ownTalk names one of a customer's conversations.
func (w *World) ownTalk(rng *rand.Rand, customer int) string {
	return Conversation(customer, rng.IntN(max(1, w.cfg.Days)))
}

// portal is the customers' everyday visits.
type portal struct {
	rng  *rand.Rand
	rate float64 // visits in an hour, on average
}

// planPortal lets two in a hundred customers sign in on a day.
func (w *World) planPortal(rng *rand.Rand) {
	start, end := w.Span()
	w.sources = append(w.sources, &portal{rng: rng, rate: 0.02 * float64(w.Customers(start)) / 24})
	w.note(Occurrence{Happening: CustomerPortal, Start: start, End: end, Note: "customers read their own history"})
}

func (p *portal) hour(w *World, h int, out []*vigil.Event) []*vigil.Event {
	from := w.cfg.Start.Add(time.Duration(h) * time.Hour)
	lambda := p.rate * w.demand[h/24] * math.Max(0.02, customers(from))
	for range int(distuv.Poisson{Lambda: lambda, Src: p.rng}.Rand()) {
		at := from.Add(time.Duration(p.rng.Float64() * float64(time.Hour)))
		c := w.customer(p.rng, at)
		v := w.visit(p.rng, "portal", c, at, w.DeviceOf(c, at), out)
		v.signIn()
		v.own(1 + int(p.rng.ExpFloat64()*1.2))
		out = v.out
	}
	return out
}

// employer is a company many of whose people are customers, behind one address.
type employer struct {
	rng   *rand.Rand
	ip    string
	staff []int
	rush  span // the morning on which most of them sign in
}

// planEmployer gives the employer's people a reason to sign in on one morning.
func (w *World) planEmployer(rng *rand.Rand) {
	d := w.workday(0.5 + 0.3*rng.Float64())
	at := w.midnight(d).Add(8 * time.Hour)
	start, _ := w.Span()
	known := w.Customers(start)
	e := &employer{rng: rng, ip: fmt.Sprintf("198.51.100.%d", 2+rng.IntN(250)), rush: span{at, at.Add(2 * time.Hour)}}
	o := Occurrence{Happening: EmployerNAT, Start: e.rush.from, End: e.rush.to.Add(2 * time.Hour), Network: e.ip, Note: "a large employer's people sign in from one address"}
	for _, c := range rng.Perm(min(known, 1<<20))[:min(known/4, max(40, min(400, known/30)))] {
		e.staff = append(e.staff, c)
		o.Actors = append(o.Actors, Customer(c))
	}
	w.sources = append(w.sources, e)
	w.note(o)
}

func (e *employer) hour(w *World, h int, out []*vigil.Event) []*vigil.Event {
	from := w.cfg.Start.Add(time.Duration(h) * time.Hour)
	wd := from.Weekday()
	if wd == time.Saturday || wd == time.Sunday || from.Hour() < 7 || from.Hour() > 17 {
		return out
	}
	who := make([]int, 0, len(e.staff))
	if e.rush.has(from) {
		half := len(e.staff) / 2
		part := int(from.Sub(e.rush.from)/time.Hour) % 2
		who = append(who, e.staff[part*half:(part+1)*half]...)
	} else {
		for range int(distuv.Poisson{Lambda: float64(len(e.staff)) / 80, Src: e.rng}.Rand()) {
			who = append(who, e.staff[e.rng.IntN(len(e.staff))])
		}
	}
	for _, c := range who {
		at := from.Add(time.Duration(e.rng.Float64() * float64(time.Hour)))
		d := w.DeviceOf(c, at)
		d.IP = e.ip
		v := w.visit(e.rng, "employer", c, at, d, out)
		v.signIn()
		v.own(1 + int(e.rng.ExpFloat64()))
		out = v.out
	}
	return out
}

// links is customers who look through conversations that were shared with them.
type links struct {
	rng   *rand.Rand
	times []time.Time
	who   []int
}

// planSharedLinks has somebody do so about twice a week.
func (w *World) planSharedLinks(rng *rand.Rand) {
	l := &links{rng: rng}
	n := max(1, w.cfg.Days*2/7)
	for i := range n {
		at := w.midnight(i * w.cfg.Days / n).Add(time.Duration(8*60+rng.IntN(12*60)) * time.Minute)
		if at.Before(w.cfg.Start) || !at.Add(4*time.Hour).Before(w.midnight(w.cfg.Days)) {
			continue
		}
		c := w.customer(rng, at)
		l.times, l.who = append(l.times, at), append(l.who, c)
		w.note(Occurrence{Happening: SharedLinks, Start: at, End: at.Add(3 * time.Hour), Actors: []string{Customer(c)}, Note: "a customer follows links to shared conversations"})
	}
	w.sources = append(w.sources, l)
}

func (l *links) hour(w *World, h int, out []*vigil.Event) []*vigil.Event {
	from := w.cfg.Start.Add(time.Duration(h) * time.Hour)
	for i, at := range l.times {
		if at.Before(from) || !at.Before(from.Add(time.Hour)) {
			continue
		}
		v := w.visit(l.rng, "links", l.who[i], at, w.DeviceOf(l.who[i], at), out)
		v.signIn()
		end := at.Add(3 * time.Hour)
		for range 12 + l.rng.IntN(28) {
			if v.at.Add(40 * time.Minute).After(end) {
				break
			}
			e := v.event(70, vigil.ActionRead, "shared_conversations", "content", 0)
			c := l.rng.IntN(w.Customers(at))
			about(e, c, w.ownTalk(l.rng, c), "", "shared-link")
			if e.Rows, e.Limit = int64(1+l.rng.IntN(20)), 50; l.rng.Float64() < 0.12 { // has expired
				e.Outcome, e.Rows, e.Bytes = vigil.OutcomeError, 0, 120
				continue
			}
			e.Bytes = 120 + 310*e.Rows
		}
		out = v.out
	}
	return out
}
