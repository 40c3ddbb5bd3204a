package traffic

import (
	"fmt"
	"math/rand/v2"
	"time"

	"vigil"
)

// reading is what somebody new does for much of the day.
var reading = []op{
	{vigil.ActionRead, "articles", "public", 70, 4, 0.8, 2_500, 10, nobody, 6, nil, ""},
	{vigil.ActionRead, "queue", "metadata", 20, 20, 0.5, 150, 25, nobody, 4, nil, ""},
	{vigil.ActionSearch, "conversations", "metadata", 10, 12, 0.9, 180, 25, nobody, 8, nil, ""},
}

// arrange lays out what comes besides the staff's schedule, once that stands.
func (w *World) arrange() {
	if w.cfg.Crowd > 0 {
		w.sources = append(w.sources, newCrowd(w))
	}
	if w.cfg.Happenings == 0 {
		return
	}
	for _, p := range []struct {
		h    Happening
		days int
		plan func(rng *rand.Rand)
	}{
		{VIPIncident, 2, w.planVIP}, {Backlog, 2, w.planBacklog}, {Reindex, 2, w.planReindex},
		{CustomerPortal, 1, w.planPortal}, {EmployerNAT, 2, w.planEmployer}, {SharedLinks, 1, w.planSharedLinks},
	} {
		if w.has(p.h) && w.cfg.Days >= p.days {
			p.plan(w.luck(p.h))
		}
	}
	for _, c := range []struct {
		h          Happening
		role, text string
	}{
		{Tickets, "agent", "tickets reopen and move"}, {QASampling, "supervisor", "quality sampling"},
		{BotSessions, "bot", "a session for each conversation"}, {VectorSearch, "bot", "retrieval from the vector store"},
		{ETLOrder, "etl", "nightly export of everything"}, {SyncIncremental, "sync", "incremental sync"},
		{VPN, "agent", "the company's gateway in the middle of a session"},
	} {
		if w.has(c.h) {
			w.noteAlways(c.h, c.role, c.text)
		}
	}
	sortLog(w.log)
}

// extra is a task that one of the staff has besides the day's work.
type extra struct {
	a    *actor
	when span
	// rate is the number of events in each hour of the task that the actor works,
	// or of each hour where always says so.
	rate   float64
	always bool
	do     func(e *vigil.Event, rng *rand.Rand)
}

// extras are tasks, done in the hours in which they fall.
type extras struct {
	rng   *rand.Rand
	tasks []extra
}

func (x *extras) hour(w *World, h int, out []*vigil.Event) []*vigil.Event {
	from := w.cfg.Start.Add(time.Duration(h) * time.Hour)
	to := from.Add(time.Hour)
	hours := w.cfg.Days * 24
	for i := range x.tasks {
		t := &x.tasks[i]
		if !t.when.from.Before(to) || !from.Before(t.when.to) || !t.always && w.plan[t.a.index*hours+h] == 0 {
			continue
		}
		out = t.work(w, x.rng, from, out)
	}
	return out
}

// work appends one hour of the task, after what the actor did else in that hour.
func (t *extra) work(w *World, rng *rand.Rand, from time.Time, out []*vigil.Event) []*vigil.Event {
	at := from
	if t.when.from.After(at) {
		at = t.when.from
	}
	if t.a.last.After(at) {
		at = t.a.last
	}
	end := from.Add(time.Hour)
	if t.when.to.Before(end) {
		end = t.when.to
	}
	n := int(t.rate*(0.7+0.6*rng.Float64()) + 0.5)
	gap := float64(end.Sub(at)) / float64(n+1)
	for range n {
		at = at.Add(time.Duration(gap * (0.3 + 1.4*rng.Float64()) * 0.9)).Truncate(time.Millisecond)
		if !at.Before(end) {
			break
		}
		if t.a.session == "" || at.Sub(t.a.last) > sessionGap || !t.a.in && t.a.role.pattern == shifts {
			out = append(out, t.a.event(w, at)) // signs in first
			continue
		}
		e := t.a.stamp(w, at)
		t.do(e, rng)
		out = append(out, e)
	}
	return out
}

// write fills in what a task does, much as fill does for the day's work.
func put(rng *rand.Rand, e *vigil.Event, o *op) {
	e.Action, e.Resource, e.ResourceClass, e.Fields = o.action, o.resource, o.class, o.fields
	if o.limit > 0 {
		e.Limit = o.limit
	}
	if o.store != "" {
		e.Store = o.store
	}
	e.Shape = shape(o.action, o.resource, zipf(rng, o.shapes, 1.2))
	if o.rows > 0 {
		e.Rows = max(1, int64(lognormal(rng, o.rows, o.spread)+0.5))
		if o.limit > 0 {
			e.Rows = min(e.Rows, o.limit)
		}
		e.Bytes = 120 + int64(float64(e.Rows)*o.rowBytes)
	}
}

// about names the one customer whom an event is about.
func about(e *vigil.Event, customer int, talk, ticket, purpose string) {
	e.Subjects, e.SubjectCount = []string{Customer(customer)}, 1
	e.Conversation, e.Ticket, e.Purpose = talk, ticket, purpose
}

// incidentOps is what an engineer does with the database in an incident.
var incidentOps = []op{
	{vigil.ActionRead, "pg_stat_activity", "", 20, 30, 0.6, 200, 0, nobody, 4, nil, ""},
	{vigil.ActionRead, "conversations", "metadata", 25, 60, 1.2, 420, 500, nobody, 12, []string{"*"}, ""},
	{vigil.ActionRead, "messages", "content", 25, 25, 1.2, 310, 200, current, 10, []string{"*"}, ""},
	{vigil.ActionRead, "events", "metadata", 20, 200, 1.2, 150, 1_000, nobody, 8, nil, ""},
	{vigil.ActionWrite, "conversations", "metadata", 10, 3, 1, 0, 0, nobody, 4, nil, ""},
}

// planOnCall draws up the engineers' rota and the nights on which it rings.
func (w *World) planOnCall(rng *rand.Rand) {
	var engineers []*actor
	for _, a := range w.actors {
		if a.role.name == "engineer" {
			clear(a.oncall)
			engineers = append(engineers, a)
		}
	}
	x := &extras{rng: rng}
	for week := 0; week*7 < w.cfg.Days; week++ {
		a := engineers[week%len(engineers)]
		d, next := week*7, min(week*7+7, w.cfg.Days)
		w.note(Occurrence{Happening: OnCall, Start: w.midnight(d), End: w.midnight(next), Actors: []string{a.ID}, Note: "rota"})
		nights := 0
		if u := rng.Float64(); u < 0.6 || week == 0 {
			nights = 1 + int(u*10)%2
		}
		for k := range nights {
			at := w.local(a, d+1+(k*3+rng.IntN(3))%max(1, next-d-1)).Add(time.Duration(60+rng.IntN(180)) * time.Minute)
			t := extra{a: a, when: span{at, at.Add(time.Duration(60+rng.IntN(120)) * time.Minute)}, rate: max(8, 28*w.pace()), always: true}
			if !t.when.to.Before(w.midnight(w.cfg.Days)) || at.Before(w.cfg.Start) {
				continue
			}
			ticket := fmt.Sprintf("INC-%d", 1000+week*10+k)
			t.do = func(e *vigil.Event, rng *rand.Rand) {
				o := pickOp(rng, incidentOps)
				put(rng, e, o)
				e.Ticket, e.Purpose = ticket, "incident"
				if o.whose == current {
					c, talk := w.someTalk(rng, e.Time)
					about(e, c, talk, ticket, "incident")
				}
			}
			x.tasks = append(x.tasks, t)
			w.note(Occurrence{Happening: OnCall, Start: at, End: t.when.to, Actors: []string{a.ID}, Ticket: ticket, Note: "incident at night"})
		}
	}
	w.sources = append(w.sources, x)
}

// someTalk draws a customer and a conversation of theirs.
func (w *World) someTalk(rng *rand.Rand, at time.Time) (customer int, talk string) {
	if t := w.pool.some(rng); t != nil {
		return t.customer, t.talk
	}
	c := w.customer(rng, at)
	return c, Conversation(c, int(at.Sub(w.cfg.Start)/(24*time.Hour)))
}

// onShift lists who of a role works between two instants, with a free hand.
func (w *World) onShift(role, team string, when span) []*actor {
	hours := w.cfg.Days * 24
	from, to := int(when.from.Sub(w.cfg.Start)/time.Hour), int(when.to.Sub(w.cfg.Start)/time.Hour)
	var out []*actor
	for _, a := range w.actors {
		if a.role.name != role || team != "" && a.Team != team {
			continue
		}
		for h := max(0, from); h < min(to, hours); h++ {
			if w.plan[a.index*hours+h] > 0 {
				out = append(out, a)
				break
			}
		}
	}
	return out
}

// planVIP gives one customer's case to many agents within a day and a half.
func (w *World) planVIP(rng *rand.Rand) {
	d := w.workday(0.5 + 0.3*rng.Float64())
	when := span{w.midnight(d).Add(7 * time.Hour), w.midnight(d + 1).Add(19 * time.Hour)}
	who := w.onShift("agent", "", when)
	if len(who) < 3 {
		return
	}
	rng.Shuffle(len(who), func(i, j int) { who[i], who[j] = who[j], who[i] })
	who = who[:min(len(who), max(6, min(40, len(who)*15/100)))]
	customer := rng.IntN(max(1, w.Customers(w.cfg.Start)/2))
	talk := Conversation(customer, d)
	if w.pool != nil {
		talk = w.pool.newTicket(customer).talk
	}
	ticket := "T-" + talk[2:]
	x := &extras{rng: rng}
	o := Occurrence{Happening: VIPIncident, Start: when.from, End: when.to, Subjects: []string{Customer(customer)}, Ticket: ticket, Note: "a well-known customer's case, all assigned"}
	for _, a := range who {
		o.Actors = append(o.Actors, a.ID)
		x.tasks = append(x.tasks, extra{a: a, when: when, rate: max(1, 2*w.pace()), do: func(e *vigil.Event, rng *rand.Rand) {
			put(rng, e, pickOp(rng, helpdeskCases))
			about(e, customer, talk, ticket, "assigned")
		}})
	}
	w.sources = append(w.sources, x)
	w.note(o)
}

// planBacklog splits old conversations among some agents of one team, by id.
func (w *World) planBacklog(rng *rand.Rand) {
	d := w.workday(0.4 + 0.4*rng.Float64())
	team := teams[rng.IntN(len(teams))]
	when := span{w.midnight(d), w.midnight(d + 1)}
	who := w.onShift("agent", team.name, when)
	if len(who) < 2 {
		who, team.name = w.onShift("agent", "", when), "all teams"
	}
	if len(who) < 2 {
		return
	}
	rng.Shuffle(len(who), func(i, j int) { who[i], who[j] = who[j], who[i] })
	who = who[:min(len(who), 8)]
	rate := max(3, 14*w.pace())
	each := int(rate * 1.3 * 10)
	first := rng.IntN(max(1, w.Customers(w.cfg.Start)-each*len(who)))
	x := &extras{rng: rng}
	o := Occurrence{Happening: Backlog, Start: when.from, End: when.to, Note: "old conversations split by id among agents of " + team.name}
	for i, a := range who {
		o.Actors = append(o.Actors, a.ID)
		next := first + i*each
		x.tasks = append(x.tasks, extra{a: a, when: when, rate: rate, do: func(e *vigil.Event, rng *rand.Rand) {
			put(rng, e, &helpdeskCases[rng.IntN(3)])
			talk := Conversation(next, 0)
			about(e, next, talk, "T-"+talk[2:], "backlog")
			next++
		}})
	}
	w.sources = append(w.sources, x)
	w.note(o)
}
