package traffic

import (
	"fmt"
	"math"
	"math/rand/v2"

	"vigil"
)

// Actor is one of the cast, as a test may want to know it.
type Actor struct {
	vigil.Actor
	// Offset is the difference of the actor's local time to UTC, in hours.
	Offset int
	// ShiftStart is the local hour at which work begins, ShiftHours how long it
	// lasts; a machine works all day.
	ShiftStart, ShiftHours int
}

// Actors lists the cast in the order in which it was hired.
func (w *World) Actors() []Actor {
	out := make([]Actor, len(w.actors))
	for i, a := range w.actors {
		out[i] = a.Actor
	}
	return out
}

// actor is one of the cast with its habits and where it stands.
type actor struct {
	Actor
	index int
	role  *role
	// pace is the personal factor on the role's rate; burst the gamma shape of
	// an hour's factor (small is wilder, 0 is none).
	pace, burst float64
	works       []bool // by local day of the shift's start, from day -1
	oncall      []bool // engineers: the same
	away        []days // ill or on leave, where nothing called them back
	comes, goes bool   // begins, or leaves for good, within the span

	office, home, mobile string // first three octets
	host                 int
	browser              int // which family
	updates              int // day of the month on which the browser updates
	taste                uint64

	newAgent string                // after a move
	bends    []func(h int) float64 // what happenings make of an hour's work
	moves    []move                // to another network, in order of time
	learns   span                  // is new and reads more than works
	hands    span                  // hands over before leaving

	rng *rand.Rand
	desk
}

// days are indices of works: from until before to.
type days struct{ from, to int }

// role is what a kind of actor does.
type role struct {
	name  string
	kind  vigil.ActorKind
	share float64 // of the cast
	rate  float64 // events in a full hour of work
	burst float64
	app   string
	store string
	// pattern says how a machine spends the day; people have shifts.
	pattern pattern
	// duties are done one at a time; cases while a conversation is open.
	duties, cases []op
	// caseLen is the mean number of events of a conversation beyond the first.
	caseLen float64
	// caseShare is the share of work begun that is a conversation.
	caseShare float64
}

// pattern is how a day goes.
type pattern int

const (
	shifts  pattern = iota + 1
	diurnal         // follows the customers
	nightly         // one window
	steady          // on a timer, all day
)

// whose says whose data an operation touches.
type whose int

const (
	nobody  whose = iota // none named
	current              // the customer of the open conversation
	another              // some customer
	several              // some dozen customers
	crowd                // too many to name: a number only
)

// op is one thing that actors of a role do.
type op struct {
	action   vigil.Action
	resource string
	class    string
	weight   float64
	rows     float64 // median; 0 is unknown
	spread   float64 // sigma of the log
	rowBytes float64
	limit    int64
	whose    whose
	shapes   int
	fields   []string
	store    string // instead of the role's
}

var (
	helpdeskCases = []op{
		{vigil.ActionRead, "messages", "content", 38, 9, 0.8, 310, 50, current, 7, []string{"content", "sender_type", "created_at"}, ""},
		{vigil.ActionRead, "contacts", "personal", 14, 1, 0, 640, 0, current, 4, []string{"name", "email", "phone"}, ""},
		{vigil.ActionRead, "conversations", "metadata", 12, 1, 0.2, 420, 0, current, 5, nil, ""},
		{vigil.ActionWrite, "messages", "content", 22, 1, 0, 0, 0, current, 3, nil, ""},
		{vigil.ActionWrite, "notes", "content", 5, 1, 0, 0, 0, current, 2, nil, ""},
		{vigil.ActionRead, "attachments", "content", 4, 1, 0.5, 90_000, 0, current, 2, nil, ""},
		{vigil.ActionRead, "orders", "payment", 5, 3, 0.7, 380, 20, current, 4, []string{"number", "total", "address"}, ""},
	}
	agentDuties = []op{
		{vigil.ActionSearch, "conversations", "metadata", 30, 12, 0.9, 180, 25, nobody, 8, nil, ""},
		{vigil.ActionRead, "queue", "metadata", 38, 20, 0.5, 150, 25, nobody, 4, nil, ""},
		{vigil.ActionRead, "articles", "public", 22, 4, 0.8, 2_500, 10, nobody, 6, nil, ""},
		{vigil.ActionSearch, "contacts", "personal", 9, 5, 0.9, 260, 25, several, 3, nil, ""},
		{vigil.ActionExport, "conversations", "content", 0.25, 40, 0.8, 900, 0, crowd, 1, nil, ""},
	}
	supervisorDuties = []op{
		{vigil.ActionRead, "reports", "metadata", 34, 60, 0.9, 120, 0, nobody, 9, nil, ""},
		{vigil.ActionRead, "messages", "content", 24, 14, 0.8, 310, 50, another, 4, []string{"content"}, ""},
		{vigil.ActionRead, "queue", "metadata", 24, 40, 0.5, 150, 50, nobody, 4, nil, ""},
		{vigil.ActionRead, "csat", "metadata", 12, 50, 0.9, 160, 100, nobody, 3, nil, ""},
		{vigil.ActionExport, "reports", "metadata", 3, 500, 0.9, 110, 0, nobody, 2, nil, ""},
		{vigil.ActionExport, "conversations", "content", 0.8, 150, 0.9, 900, 0, crowd, 2, nil, ""},
	}
	adminDuties = []op{
		{vigil.ActionRead, "users", "personal", 40, 25, 0.5, 240, 50, nobody, 4, nil, ""},
		{vigil.ActionConfigure, "settings", "", 25, 1, 0, 0, 0, nobody, 8, nil, ""},
		{vigil.ActionGrant, "roles", "", 8, 1, 0, 0, 0, nobody, 3, nil, ""},
		{vigil.ActionRead, "audit_log", "metadata", 20, 80, 0.8, 220, 100, nobody, 3, nil, ""},
		{vigil.ActionRead, "reports", "metadata", 7, 60, 0.9, 120, 0, nobody, 4, nil, ""},
	}
	engineerDuties = []op{
		{vigil.ActionRead, "pg_stat_activity", "", 28, 30, 0.6, 200, 0, nobody, 6, nil, ""},
		{vigil.ActionRead, "conversations", "metadata", 24, 10, 1.3, 420, 100, nobody, 14, []string{"id", "status", "updated_at"}, ""},
		{vigil.ActionRead, "messages", "content", 12, 8, 1.2, 310, 50, another, 10, []string{"id", "content_type", "created_at"}, ""},
		{vigil.ActionRead, "events", "metadata", 24, 60, 1.4, 150, 500, nobody, 12, nil, ""},
		{vigil.ActionWrite, "conversations", "metadata", 6, 3, 1.2, 0, 0, nobody, 6, nil, ""},
		{vigil.ActionConfigure, "schema", "", 6, 0, 0, 0, 0, nobody, 8, nil, ""},
	}
	analystDuties = []op{
		{vigil.ActionRead, "conversations", "metadata", 45, 400, 1.5, 90, 0, nobody, 22, []string{"status", "inbox_id", "created_at"}, ""},
		{vigil.ActionRead, "csat", "metadata", 25, 900, 1.2, 60, 0, nobody, 12, nil, ""},
		{vigil.ActionRead, "events", "metadata", 25, 2_500, 1.4, 70, 0, nobody, 16, nil, ""},
		{vigil.ActionExport, "csat", "metadata", 5, 3_000, 0.8, 60, 0, nobody, 4, nil, ""},
	}
	botCases = []op{
		{vigil.ActionRead, "contacts", "personal", 22, 1, 0, 640, 0, current, 2, []string{"name", "locale"}, ""},
		{vigil.ActionRead, "orders", "payment", 24, 3, 0.7, 380, 10, current, 4, []string{"number", "status"}, ""},
		{vigil.ActionRead, "messages", "content", 22, 6, 0.6, 310, 20, current, 2, nil, ""},
		{vigil.ActionWrite, "messages", "content", 28, 1, 0, 0, 0, current, 2, nil, ""},
		{vigil.ActionRead, "articles", "public", 20, 4, 0.4, 2_500, 5, nobody, 10, nil, ""},
	}
	etlDuties = []op{
		{vigil.ActionRead, "conversations", "metadata", 26, 4_200, 0.25, 420, 5_000, crowd, 2, nil, ""},
		{vigil.ActionRead, "messages", "content", 40, 5_000, 0.1, 310, 5_000, crowd, 2, nil, ""},
		{vigil.ActionRead, "contacts", "personal", 18, 3_000, 0.3, 640, 5_000, crowd, 2, nil, ""},
		{vigil.ActionRead, "csat", "metadata", 10, 700, 0.4, 60, 5_000, nobody, 2, nil, ""},
		{vigil.ActionWrite, "etl_marks", "", 6, 1, 0, 0, 0, nobody, 1, nil, ""},
	}
	syncDuties = []op{
		{vigil.ActionRead, "conversations", "metadata", 55, 14, 0.6, 420, 200, several, 3, []string{"id", "contact_id", "status"}, ""},
		{vigil.ActionRead, "contacts", "personal", 35, 10, 0.6, 640, 200, several, 3, []string{"id", "email"}, ""},
		{vigil.ActionRead, "accounts", "metadata", 10, 1, 0, 300, 0, nobody, 1, nil, ""},
	}
	indexDuties = []op{
		{vigil.ActionRead, "messages", "content", 70, 90, 0.5, 310, 500, crowd, 2, nil, ""},
		{vigil.ActionRead, "articles", "public", 20, 12, 0.6, 2_500, 100, nobody, 2, nil, ""},
		{vigil.ActionWrite, "search_index", "", 10, 80, 0.5, 0, 0, nobody, 1, nil, ""},
	}
)

// roles are the kinds of staff and machine. Shares add up to one.
func roles() []*role {
	return []*role{
		{name: "agent", kind: vigil.KindHuman, share: 0.84, rate: 26, burst: 5, app: "helpdesk-web", store: "helpdesk",
			pattern: shifts, duties: agentDuties, cases: helpdeskCases, caseLen: 6, caseShare: 0.45},
		{name: "supervisor", kind: vigil.KindHuman, share: 0.06, rate: 14, burst: 3, app: "helpdesk-web", store: "helpdesk",
			pattern: shifts, duties: supervisorDuties, cases: helpdeskCases, caseLen: 3, caseShare: 0.12},
		{name: "admin", kind: vigil.KindAdmin, share: 0.01, rate: 5, burst: 1.5, app: "helpdesk-web", store: "helpdesk",
			pattern: shifts, duties: adminDuties},
		{name: "engineer", kind: vigil.KindHuman, share: 0.03, rate: 5, burst: 0.8, app: "psql", store: "support_db",
			pattern: shifts, duties: engineerDuties},
		{name: "analyst", kind: vigil.KindHuman, share: 0.015, rate: 7, burst: 1.2, app: "metabase", store: "support_db",
			pattern: shifts, duties: analystDuties},
		{name: "bot", kind: vigil.KindBot, share: 0.015, rate: 90, burst: 20, app: "assistant", store: "helpdesk",
			pattern: diurnal, cases: botCases, caseLen: 7, caseShare: 1},
		{name: "etl", kind: vigil.KindService, share: 0.008, rate: 160, burst: 60, app: "warehouse-export", store: "support_db",
			pattern: nightly, duties: etlDuties},
		{name: "sync", kind: vigil.KindVendor, share: 0.012, rate: 12, burst: 25, app: "crm-sync", store: "helpdesk",
			pattern: steady, duties: syncDuties},
		{name: "index", kind: vigil.KindService, share: 0.01, rate: 30, burst: 12, app: "search-indexer", store: "support_db",
			pattern: diurnal, duties: indexDuties},
	}
}

// team is a place from which people work.
type team struct {
	name   string
	offset int
	share  float64
	office int // the second octet of its 10.x network
}

var teams = []team{{"emea", 1, 0.5, 20}, {"amer", -5, 0.3, 60}, {"apac", 8, 0.2, 110}}

// Tenant is the organisation that all of the cast belongs to.
const Tenant = "acme"

// cast hires everybody: at least one of each role, agents making up the rest.
func cast(cfg Config, rng *rand.Rand) []*actor {
	var out []*actor
	all := roles()
	numbers := make([]int, len(all))
	left := cfg.Actors
	for i, r := range all[1:] {
		numbers[i+1] = max(1, int(math.Round(r.share*float64(cfg.Actors))))
		left -= numbers[i+1]
	}
	numbers[0] = left
	for i, r := range all {
		for n := range numbers[i] {
			out = append(out, hire(cfg, r, len(out), n+1))
		}
	}
	// Joiners and leavers are spread over everybody, so nobody's number tells.
	for _, a := range out {
		if a.Kind == vigil.KindHuman && cfg.Days >= 14 {
			switch u := rng.Float64(); {
			case u < 0.04:
				a.absent(0, rng.IntN(cfg.Days))
				a.comes = true
			case u < 0.06:
				a.absent(rng.IntN(cfg.Days), cfg.Days+1)
				a.goes = true
			}
		}
	}
	return out
}

// hire makes one actor.
func hire(cfg Config, r *role, index, n int) *actor {
	rng := stream(cfg.Seed, index, streamCast)
	a := &actor{index: index, role: r, rng: stream(cfg.Seed, index, streamWork), taste: rng.Uint64()}
	a.ID = fmt.Sprintf("%s-%03d", r.name, n)
	a.Kind, a.Role, a.Tenant, a.App = r.kind, r.name, Tenant, r.app
	t := pickTeam(rng)
	a.burst = r.burst * lognormal(rng, 1, 0.25)
	a.pace = lognormal(rng, 1, 0.35)
	a.host = 2 + rng.IntN(250)
	a.browser = zipf(rng, len(browsers), 1)
	a.updates = rng.IntN(28)
	if r.pattern == shifts {
		a.Team, a.Offset = t.name, t.offset
		a.office = fmt.Sprintf("10.%d.%d", t.office, rng.IntN(4))
		a.home = fmt.Sprintf("100.%d.%d", 64+rng.IntN(64), rng.IntN(256))
		a.mobile = fmt.Sprintf("100.%d.%d", 64+rng.IntN(8), rng.IntN(32))
		a.ShiftStart, a.ShiftHours = shift(rng, r)
		a.calendar(cfg)
		return a
	}
	a.ShiftHours = 24
	a.pace = lognormal(rng, 1, 0.2)
	a.office = fmt.Sprintf("10.200.%d", index%200)
	if r.kind == vigil.KindVendor {
		a.office = fmt.Sprintf("198.18.%d", rng.IntN(256))
	}
	a.home, a.mobile = a.office, a.office
	return a
}

func pickTeam(rng *rand.Rand) team {
	u := rng.Float64()
	for _, t := range teams {
		if u -= t.share; u < 0 {
			return t
		}
	}
	return teams[0]
}

// shift draws a working day: office hours for most, late and night for some agents.
func shift(rng *rand.Rand, r *role) (start, hours int) {
	hours = 8 + rng.IntN(2)
	if rng.Float64() < 0.1 {
		hours = 5 // part-time
	}
	switch u := rng.Float64(); {
	case r.name != "agent" || u < 0.7:
		return 7 + rng.IntN(4), hours
	case u < 0.92:
		return 13 + rng.IntN(3), hours
	default:
		return 21 + rng.IntN(2), hours
	}
}
