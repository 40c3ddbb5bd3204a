package drill

import (
	"fmt"
	"slices"
	"time"

	"vigil"
)

// visit is one person at work, from one place, in one session: the hand that
// makes staged events.
type visit struct {
	*stage
	p       *Person
	place   Place
	session string
	// sitting, when set, is the person's own session at the time, whose place it is.
	sitting *Sitting
	at      time.Time
	// talk and ticket are of the customer who is being served.
	talk, ticket, principal string
	// ordered says that customer follows customer; it is told where the traffic tells
	// it, since pseudonyms hide it.
	ordered bool
	last    string
}

// visit begins one, with a session of its own.
func (s *stage) visit(p *Person, place Place, at time.Time) *visit {
	v := &visit{stage: s, p: p, place: place, at: at.Truncate(time.Millisecond)}
	var ids []string
	for _, x := range p.Sittings {
		if x.ID != "" {
			ids = append(ids, x.ID)
		}
	}
	v.session = s.alike(ids)
	return v
}

// wait lets time pass.
func (v *visit) wait(median time.Duration, sigma float64) { v.at = v.at.Add(v.pause(median, sigma)) }

// do makes one access of a form, showing nobody yet.
func (v *visit) do(f *Form) *vigil.Event {
	e := copyOf(f.Samples[v.rng.IntN(len(f.Samples))])
	v.serial++
	if v.sitting != nil {
		v.place = v.sitting.placeAt(v.at)
	}
	e.ID = fmt.Sprintf("%s.%d.%t.%d", v.act.Scenario, v.seed, v.act.Trap, v.serial)
	e.Time = v.at
	e.Source, e.Actor, e.Session = v.p.Source, v.p.Actor, v.session
	e.IP, e.Network, e.Country, e.ASN, e.UserAgent = v.place.IP, v.place.Network, v.place.Country, v.place.ASN, v.place.Agent
	e.Outcome = vigil.OutcomeSuccess
	e.Subjects, e.SubjectCount = nil, vigil.Unknown
	if e.Conversation != "" {
		e.Conversation = v.talk
	}
	e.Ticket, e.Principal = v.ticket, v.principal
	e.Purpose = ""
	v.act.events = append(v.act.events, e)
	return e
}

// other makes an access that the traffic has no form of, in the manner of one that
// it has: to another resource, showing nobody yet.
func (v *visit) other(f *Form, action vigil.Action, resource, class string) *vigil.Event {
	e := v.do(f)
	e.Action, e.Resource, e.ResourceClass = action, resource, class
	e.Conversation, e.Fields, e.Unbounded = "", nil, false
	e.Rows, e.Bytes, e.Limit = vigil.Unknown, vigil.Unknown, vigil.Unknown
	if e.Shape != "" {
		e.Shape = string(action) + " " + resource
	}
	return e
}

// sized gives an access as many rows as it shows customers, each of so many bytes,
// where the source tells such things.
func (v *visit) sized(e *vigil.Event, f *Form, rows, each int64) {
	if f.rows > 0 {
		e.Rows = rows
	}
	if f.bytes > 0 {
		e.Bytes = rows * each
	}
}

// whyOf is a purpose where the source tells purposes.
func (s *stage) whyOf(purpose string) string {
	if s.scene.tells["purpose"] {
		return purpose
	}
	return ""
}

// goes says where an access sends what it shows, where the source would tell.
func (s *stage) goes(e *vigil.Event, kind, network, region string) {
	if s.scene.rich() {
		e.Destination = &vigil.Destination{Kind: kind, Network: network, Region: region}
	}
}

// stranger is an actor who was never there before: an application, a key, somebody
// without a name. It works by the forms of others, from a place of its own.
func (s *stage) stranger(a vigil.Actor, like *Person, place Place, forms ...*Form) *Person {
	p := &Person{Actor: a, Source: like.Source, Forms: forms, Places: []Place{place}}
	s.claim(p)
	return p
}

// administrator is an actor of the company who administers, else one who looks after
// databases, else anybody experienced who does not serve customers.
func (s *stage) administrator() (*Person, error) {
	desk := func(p *Person) bool { return s.established(p) && !p.machine() && !p.customer() }
	return s.one("administrator", func(p *Person) bool { return desk(p) && p.Actor.Kind == vigil.KindAdmin }, s.technical,
		func(p *Person) bool { return desk(p) && !s.frontline(p) }, desk)
}

// read shows one customer by a form.
func (v *visit) read(f *Form, customer string) *vigil.Event {
	e := v.do(f)
	e.Subjects, e.SubjectCount = []string{customer}, 1
	v.step(e, customer)
	return e
}

// step says how the customer's id follows the last one's, as it was before
// pseudonyms. The same again is unknown.
func (v *visit) step(e *vigil.Event, customer string) {
	if v.scene.stepped && v.last != "" && v.last != customer {
		switch {
		case v.ordered:
			e.Step = vigil.StepNext
		case v.rng.IntN(2) == 0:
			e.Step = vigil.StepFell
		default:
			e.Step = vigil.StepRose
		}
	}
	v.last = customer
}

// serve opens a conversation with a customer.
func (v *visit) serve(ticket bool) {
	v.talk = v.alike(v.scene.talks)
	v.ticket = ""
	if ticket {
		if v.ticket = v.alike(v.scene.tickets); v.ticket == "" {
			v.ticket = fmt.Sprintf("T-%d", 10_000+v.rng.IntN(90_000))
		}
	}
}

// take shows many customers by a form: by name where the form names any, else by
// their number.
func (v *visit) take(f *Form, customers []string) *vigil.Event {
	e := v.do(f)
	n := int64(len(customers))
	e.SubjectCount = n
	if f.Named > 0 {
		e.Subjects = slices.Clone(customers[:min(len(customers), vigil.MaxSubjects)])
	}
	v.size(e, f, n)
	return e
}

// count shows a number of customers without a name.
func (v *visit) count(f *Form, n int64) *vigil.Event {
	e := v.do(f)
	e.SubjectCount = n
	v.size(e, f, n)
	return e
}

// size gives an access of n customers as many rows and bytes as such accesses
// have for each; what the source does not tell stays unknown.
func (v *visit) size(e *vigil.Event, f *Form, n int64) {
	if f.rows > 0 {
		each := f.RowsEach
		if each == 0 {
			each = 1
		}
		e.Rows = max(n, int64(float64(n)*each))
	}
	if f.bytes > 0 && e.Rows > 0 {
		e.Bytes = int64(float64(e.Rows) * f.BytesEach)
	}
	if e.Limit != vigil.Unknown && n > 1 {
		e.Limit = max(e.Limit, f.Most)
	}
}

// login signs in, the way others do; where the source has no logins, it leaves it.
func (v *visit) login(ok bool) {
	f, err := v.borrow(v.p, func(f *Form) bool { return f.Action == vigil.ActionLogin })
	if err != nil {
		return
	}
	e := v.do(f)
	e.Conversation, e.Ticket, e.Principal = "", "", ""
	if !ok {
		e.Outcome = vigil.OutcomeDenied
	}
	v.wait(8*time.Second, 0.4)
}
