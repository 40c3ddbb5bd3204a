package traffic

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
)

// Happening is a benign thing that goes on in a help desk and that a naive
// detector takes for a breach.
type Happening uint8

// The happenings. The zero value is none.
const (
	// Tickets lets conversations live: they stay open over days, are reopened by
	// their customer, and move to another agent or team, keeping id and customer.
	Tickets Happening = iota + 1
	// QASampling lets supervisors read other people's conversations to judge
	// them, with the purpose "qa".
	QASampling
	// BotSessions gives each of the bot's conversations a session of its own,
	// many at once, with several tool calls about its own customer within each.
	BotSessions
	// VectorSearch lets the bot search a vector store first, with a top-k limit.
	VectorSearch
	// ETLOrder lets the nightly export cover every customer, ids rising.
	ETLOrder
	// SyncIncremental lets vendors' syncs fetch what changed since the last one.
	SyncIncremental
	// OnCall gives engineers a rota by week and wakes them for incidents, in
	// which they query the database directly, with a ticket.
	OnCall
	// Holiday is a public holiday of one region.
	Holiday
	// Joiners begin in the middle and take two weeks to come up to speed.
	Joiners
	// Leavers hand over for some days and are gone for good.
	Leavers
	// LongLeave has one agent come back after most of the span, from a new home
	// and with a new browser.
	LongLeave
	// Spike is two days on which customers want two to three times as much.
	Spike
	// Replatform has a vendor move to another cloud: new network, new agent string.
	Replatform
	// MonthEnd lets supervisors and analysts export large reports on the last
	// three days of a month; at a quarter's end larger ones.
	MonthEnd
	// Reindex builds the search index and the vector store anew, from everything.
	Reindex
	// CustomerPortal lets customers sign in and read their own history.
	CustomerPortal
	// EmployerNAT lets many customers sign in from the one address of their employer.
	EmployerNAT
	// SharedLinks lets customers browse conversations that were shared with them.
	SharedLinks
	// VIPIncident has one well-known customer's case worked on by many agents,
	// each of them assigned.
	VIPIncident
	// Backlog splits old conversations among agents of a team by ranges of ids.
	Backlog
	// VPN switches a person's network in the middle of a session now and then.
	VPN

	happenings = iota
)

var happeningNames = [happenings + 1]string{
	"", "tickets", "qa", "bot-sessions", "vector-search", "etl-order", "sync-incremental", "on-call", "holiday",
	"joiners", "leavers", "long-leave", "spike", "replatform", "month-end", "reindex", "customer-portal",
	"employer-nat", "shared-links", "vip-incident", "backlog", "vpn",
}

// String returns the happening's name, as ParseSet takes it.
func (h Happening) String() string {
	if h == 0 || h > happenings {
		return fmt.Sprintf("happening(%d)", uint8(h))
	}
	return happeningNames[h]
}

// Set is a set of happenings. The zero value is empty.
type Set uint64

// SetOf returns the set of those happenings.
func SetOf(hs ...Happening) Set {
	var s Set
	for _, h := range hs {
		s |= 1 << h
	}
	return s
}

// Everything returns the set of all happenings.
func Everything() Set { return 1<<(happenings+1) - 2 }

// Has reports whether h is in the set.
func (s Set) Has(h Happening) bool { return s>>h&1 == 1 }

// Without returns the set less those happenings.
func (s Set) Without(hs ...Happening) Set { return s &^ SetOf(hs...) }

// List returns what is in the set, in a fixed order.
func (s Set) List() []Happening {
	var out []Happening
	for h := Happening(1); h <= happenings; h++ {
		if s.Has(h) {
			out = append(out, h)
		}
	}
	return out
}

// String returns the names separated by commas, as ParseSet takes them.
func (s Set) String() string {
	names := make([]string, 0, happenings)
	for _, h := range s.List() {
		names = append(names, h.String())
	}
	return strings.Join(names, ",")
}

// ParseSet reads names separated by commas. "all" stands for all of them,
// "none" and the empty string for none; a name after "-" is taken out.
func ParseSet(text string) (Set, error) {
	var s Set
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		out := strings.HasPrefix(name, "-")
		name = strings.TrimPrefix(name, "-")
		var these Set
		switch name {
		case "", "none":
		case "all":
			these = Everything()
		default:
			i := slices.Index(happeningNames[:], name)
			if i < 1 {
				return 0, fmt.Errorf("happening %q is not known: all, none, or some of %s", name, Everything())
			}
			these = SetOf(Happening(i))
		}
		if out {
			s &^= these
		} else {
			s |= these
		}
	}
	return s, nil
}

// MaxListed bounds the actors that an Occurrence names.
const MaxListed = 10_000

// Occurrence is a happening that takes place: the log in which a test or a drill
// looks up when and by whom.
type Occurrence struct {
	Happening Happening
	// Start and End are its span: what belongs to it lies in [Start, End).
	Start, End time.Time
	// Actors are the ids of those concerned, at most MaxListed; none where it is
	// about customers at large.
	Actors []string
	// Subjects are the customers concerned, where it is about particular ones.
	Subjects []string
	// Ticket is the reason that its events carry, where they carry one.
	Ticket string
	// Network is where from, where that is what is new: an address or the first
	// octets of one.
	Network string
	// Note says in a few words what it is.
	Note string
}

// Happenings lists what will happen, by start and then in the order of the
// constants. It is complete before Events is ranged over. A happening for which
// the world is too short or too small is not listed, and doesn't take place.
func (w *World) Happenings() []Occurrence { return slices.Clone(w.log) }

// note adds to the log.
func (w *World) note(o Occurrence) {
	if len(o.Actors) > MaxListed {
		o.Actors = o.Actors[:MaxListed]
	}
	w.log = append(w.log, o)
}

// noteAlways logs what goes on all the time, by everybody of a role.
func (w *World) noteAlways(h Happening, role, text string) {
	start, end := w.Span()
	o := Occurrence{Happening: h, Start: start, End: end, Note: text}
	for _, a := range w.actors {
		if a.role.name == role && len(o.Actors) < MaxListed {
			o.Actors = append(o.Actors, a.ID)
		}
	}
	if len(o.Actors) > 0 {
		w.note(o)
	}
}

// has reports whether a happening is on.
func (w *World) has(h Happening) bool { return w.cfg.Happenings.Has(h) }

// source makes events besides the staff's ordinary work, an hour at a time. It
// may give events of later hours, which wait for their turn.
type source interface {
	hour(w *World, h int, out []*vigil.Event) []*vigil.Event
}

// sortLog puts occurrences in order.
func sortLog(log []Occurrence) {
	slices.SortStableFunc(log, func(a, b Occurrence) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Happening, b.Happening))
	})
}
