package traffic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"vigil"
)

// desk is where an actor stands in its work.
type desk struct {
	serial  int       // events made
	last    time.Time // of the last event
	session string
	ip      string
	agent   string
	in      bool // logged in

	left     int // events left in the open conversation
	customer int
	talk     string
	ticket   string
	recent   []int // customers of late

	ticketOf *ticket // what is being worked on, where tickets live
	mine     []*ticket
	purpose  string    // why, beyond the ticket
	samples  bool      // the open conversation is judged, not answered
	synced   time.Time // up to when changes have been fetched
	vpn      bool
	chats    int
}

var browsers = []string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/%d.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/%d.0 Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/%d.0 Edg/%[1]d.0",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15) Gecko/20100101 Firefox/%d.0",
}

// sessionGap is the pause after which a new session begins.
const sessionGap = 2 * time.Hour

// work appends the n events of one hour to out.
func (a *actor) work(w *World, h, n int, out []*vigil.Event) []*vigil.Event {
	start := w.cfg.Start.Add(time.Duration(h) * time.Hour)
	switch {
	case a.role.name == "bot" && w.has(BotSessions):
		return a.converse(w, h, n, out)
	case a.role.name == "etl" && w.has(ETLOrder):
		return a.exportAll(w, start, n, out)
	}
	for _, at := range a.instants(n) {
		out = append(out, a.event(w, start.Add(at)))
	}
	return out
}

// instants draws when in an hour n things happen. People work in spurts: each
// quarter of an hour gets a weight of its own. A timer fires at its minute.
func (a *actor) instants(n int) []time.Duration {
	out := make([]time.Duration, n)
	if a.role.pattern == steady || a.role.pattern == nightly {
		step := 15 * time.Minute
		at := time.Duration(a.taste%600) * time.Second
		for i := range out {
			slot := time.Duration(i*4/max(n, 1)) * step
			out[i] = min(slot+at%step+time.Duration(a.rng.ExpFloat64()*float64(20*time.Second)), time.Hour-time.Millisecond)
		}
	} else {
		var cut [4]float64
		sum := 0.0
		for q := range cut {
			cut[q] = 0.15 + a.rng.ExpFloat64()
			sum += cut[q]
		}
		for i := range out {
			u, q := a.rng.Float64()*sum, 0
			for q < 3 && u > cut[q] {
				u -= cut[q]
				q++
			}
			out[i] = time.Duration(q)*15*time.Minute + time.Duration(a.rng.Float64()*float64(15*time.Minute))
		}
	}
	for i := range out {
		out[i] = out[i].Truncate(time.Millisecond)
	}
	slices.Sort(out)
	return out
}

// event makes the actor's next event, at a time.
func (a *actor) event(w *World, at time.Time) *vigil.Event {
	e := a.stamp(w, at)
	if !a.in && a.role.pattern == shifts {
		e.Action, e.Resource = vigil.ActionLogin, "login"
		e.Outcome = vigil.OutcomeSuccess
		if a.in = a.rng.Float64() > 0.02; !a.in {
			e.Outcome = vigil.OutcomeDenied
		}
		e.Shape = shape(e.Action, e.Resource, 0)
		return e
	}
	o := a.next(w, at)
	a.fill(w, e, o)
	return e
}

// stamp makes an event of the actor's that says everything but what was done.
func (a *actor) stamp(w *World, at time.Time) *vigil.Event {
	for len(a.moves) > 0 && !at.Before(a.moves[0].at) {
		a.move(a.moves[0])
		a.moves = a.moves[1:]
	}
	if a.session == "" || at.Sub(a.last) > sessionGap {
		a.begin(w, at)
	}
	if w.cfg.Happenings.Has(VPN) && a.in && !a.vpn && a.role.store == "helpdesk" && a.rng.Float64() < 0.002 {
		a.vpn = true
		a.ip = fmt.Sprintf("%s.%d", vpnNetwork, 2+a.index%250)
	}
	a.last = at
	e := vigil.NewEvent()
	e.ID = a.ID + "." + strconv.Itoa(a.serial)
	a.serial++
	e.Time = at
	e.Actor = a.Actor.Actor
	e.Session, e.IP, e.UserAgent = a.session, a.ip, a.agent
	e.Country = a.country()
	e.Store, e.ResourceTenant = a.role.store, Tenant
	e.Outcome = vigil.OutcomeSuccess
	return e
}

// begin opens a session: where from, and with what.
func (a *actor) begin(w *World, at time.Time) {
	day := int(at.Sub(w.cfg.Start) / (24 * time.Hour))
	a.in, a.left, a.vpn = false, 0, false
	a.session = fmt.Sprintf("s-%x-%x", a.index, at.Unix())
	if a.role.pattern != shifts {
		a.ip = fmt.Sprintf("%s.%d", a.office, a.host)
		a.agent = a.role.app + "/" + strconv.Itoa(1+a.index%4) + "." + strconv.Itoa(day/21)
		if a.newAgent != "" {
			a.agent = a.newAgent
		}
		return
	}
	if a.rng.Float64() < 0.004 { // moved, or a new provider
		a.home = fmt.Sprintf("100.%d.%d", 64+a.rng.IntN(64), a.rng.IntN(256))
	}
	network, host := a.home, a.host
	weekday := int(at.Weekday())
	switch {
	case a.rng.Float64() < 0.015: // on the road
		network, host = a.mobile, 2+a.rng.IntN(250)
	case a.taste>>weekday&1 == 1: // office days are the same each week
		network = a.office
	}
	a.ip = fmt.Sprintf("%s.%d", network, host)
	if a.role.store != "helpdesk" {
		a.agent = a.role.app
		return
	}
	// Browsers come out every four weeks; people update at their own pace.
	a.agent = fmt.Sprintf(browsers[a.browser], 141+(day+a.updates)/28)
}

// next decides what the actor does now.
func (a *actor) next(w *World, at time.Time) *op {
	if a.left > 0 {
		a.left--
		return a.step(w, false)
	}
	a.samples = false
	if a.learns.has(at) && a.rng.Float64() > 0.3+0.7*a.learns.part(at) {
		a.talk, a.purpose = "", ""
		return pickOp(a.rng, reading)
	}
	if a.role.caseShare > 0 && a.rng.Float64() < a.role.caseShare {
		a.open(w, at)
		return a.step(w, true)
	}
	a.talk, a.purpose = "", ""
	if w.cfg.Happenings.Has(MonthEnd) {
		if o := a.report(at); o != nil {
			return o
		}
	}
	if a.role.name == "index" && w.cfg.Happenings&SetOf(VectorSearch, Reindex) != 0 {
		return pickOp(a.rng, vectorDuties)
	}
	o := pickOp(a.rng, a.role.duties)
	if o.whose == another && a.role.name == "supervisor" && w.has(QASampling) && a.sample(w) {
		return pickOp(a.rng, qaCases)
	}
	return o
}

// step picks what is done next within a conversation; first says that it has
// just been opened.
func (a *actor) step(w *World, first bool) *op {
	switch {
	case a.samples:
		return pickOp(a.rng, qaCases)
	case a.role.name == "bot" && w.has(VectorSearch) && (first || a.rng.Float64() < 0.1):
		return pickOp(a.rng, vectorCases)
	}
	return pickOp(a.rng, a.role.cases)
}

// open takes up a conversation: of a customer of late, or of somebody else.
func (a *actor) open(w *World, at time.Time) {
	if w.pool != nil {
		a.openTicket(w, at)
		return
	}
	a.purpose = a.handover(at)
	if len(a.recent) > 0 && a.rng.Float64() < 0.22 && a.role.kind == vigil.KindHuman {
		a.customer = a.recent[a.rng.IntN(len(a.recent))]
	} else {
		a.customer = w.customer(a.rng, at)
		if len(a.recent) < 24 {
			a.recent = append(a.recent, a.customer)
		} else {
			a.recent[a.rng.IntN(len(a.recent))] = a.customer
		}
	}
	a.left = int(a.rng.ExpFloat64() * a.role.caseLen)
	a.talk = Conversation(a.customer, int(at.Sub(w.cfg.Start)/(24*time.Hour)))
	a.ticket = ""
	if a.role.kind == vigil.KindHuman && a.rng.Float64() < 0.7 {
		a.ticket = "T-" + a.talk[2:]
	}
}

// customer draws a customer who exists at a time. New ones keep arriving, and
// those who came of late write most.
func (w *World) customer(rng *rand.Rand, at time.Time) int {
	known := w.Customers(at)
	if rng.Float64() < 0.6 {
		return known - 1 - zipf(rng, known, 0.8)
	}
	return rng.IntN(known)
}

// Customers returns how many customers exist at a time; they are numbered from 0.
func (w *World) Customers(at time.Time) int {
	base := max(500, w.cfg.Events/40)
	return base + int(at.Sub(w.cfg.Start).Hours()*float64(base)/24/90)
}

// Customer returns the identifier of a customer's number.
func Customer(n int) string { return "cust-" + strconv.Itoa(100_000+n) }

// Conversation returns the identifier of the talk that a customer has on a day.
// A conversation belongs to one customer.
func Conversation(customer, day int) string {
	return "c-" + strconv.Itoa((customer+1000)*1000+max(day, 0)%1000)
}

// fill writes an operation into an event.
func (a *actor) fill(w *World, e *vigil.Event, o *op) {
	rng := a.rng
	e.Action, e.Resource, e.ResourceClass = o.action, o.resource, o.class
	e.Fields = o.fields
	e.Limit = vigil.Unknown
	if o.limit > 0 {
		e.Limit = o.limit
	}
	// A person prefers another spelling of the same query now and then.
	rank := zipf(rng, o.shapes, 1.2)
	if o.shapes > 2 && a.taste%5 == 0 && rank == 0 {
		rank = 1 + int(a.taste%uint64(o.shapes-1))
	}
	e.Shape = shape(o.action, o.resource, rank)
	if o.store != "" {
		e.Store = o.store
	}
	if o.rows > 0 {
		rows := int64(lognormal(rng, o.rows, o.spread) + 0.5)
		if o.limit > 0 {
			rows = min(rows, o.limit)
		}
		e.Rows = max(rows, 0)
		if o.rowBytes > 0 {
			e.Bytes = 120 + int64(float64(e.Rows)*lognormal(rng, o.rowBytes, 0.35))
		}
	}
	a.whom(w, e, o)
	switch u := rng.Float64(); {
	case u < 0.004:
		e.Outcome, e.Rows, e.Bytes = vigil.OutcomeDenied, 0, 120
	case u < 0.01:
		e.Outcome, e.Rows, e.Bytes = vigil.OutcomeError, 0, 120
	}
}

// whom names the customers that an operation touches.
func (a *actor) whom(w *World, e *vigil.Event, o *op) {
	e.Purpose = a.purpose
	switch o.whose {
	case current:
		if a.talk == "" {
			a.open(w, e.Time)
		}
		e.Subjects, e.SubjectCount = []string{Customer(a.customer)}, 1
		e.Conversation, e.Ticket, e.Purpose = a.talk, a.ticket, a.purpose
		if a.Kind == vigil.KindBot {
			e.Principal = e.Subjects[0]
		}
	case another:
		if t := w.pool.some(a.rng); t != nil {
			e.Subjects, e.SubjectCount, e.Conversation = []string{Customer(t.customer)}, 1, t.talk
			break
		}
		c := w.customer(a.rng, e.Time)
		e.Subjects, e.SubjectCount = []string{Customer(c)}, 1
		e.Conversation = Conversation(c, int(e.Time.Sub(w.cfg.Start)/(24*time.Hour)))
		if a.Role == "supervisor" {
			e.Purpose = "quality"
		}
	case several:
		if a.role.name == "sync" && w.has(SyncIncremental) {
			a.fetch(w, e)
			return
		}
		n := max(1, min(int(e.Rows), 200))
		e.Subjects = make([]string, 0, n)
		for range n {
			if c := Customer(w.customer(a.rng, e.Time)); !slices.Contains(e.Subjects, c) {
				e.Subjects = append(e.Subjects, c)
			}
		}
		e.SubjectCount = int64(len(e.Subjects))
	case crowd:
		e.SubjectCount = max(1, e.Rows*3/4)
	case nobody:
	}
}

func pickOp(rng *rand.Rand, ops []op) *op {
	total := 0.0
	for i := range ops {
		total += ops[i].weight
	}
	u := rng.Float64() * total
	for i := range ops {
		if u -= ops[i].weight; u < 0 {
			return &ops[i]
		}
	}
	return &ops[len(ops)-1]
}

// shape names the n-th spelling of an operation.
func shape(action vigil.Action, resource string, n int) string {
	hash := uint32(2166136261)
	for _, s := range []string{string(action), resource, strconv.Itoa(n)} {
		for i := range len(s) {
			hash = (hash ^ uint32(s[i])) * 16777619
		}
	}
	return fmt.Sprintf("%s %s#%08x", action, resource, hash)
}
