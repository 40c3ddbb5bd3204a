package traffic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"vigil"
)

// span is a stretch of time; the zero span is empty.
type span struct{ from, to time.Time }

func (s span) has(at time.Time) bool { return !at.Before(s.from) && at.Before(s.to) }

// part is how much of the span has passed, from 0 to 1.
func (s span) part(at time.Time) float64 {
	if !s.to.After(s.from) {
		return 1
	}
	return min(1, max(0, float64(at.Sub(s.from))/float64(s.to.Sub(s.from))))
}

// move is a change of where an actor works from, and with what.
type move struct {
	at      time.Time
	network string // first three octets; empty keeps it
	agent   string // a machine's new agent string
	browser int    // a person's new browser, plus one; 0 keeps it
}

// move lets it take place: a new session begins.
func (a *actor) move(m move) {
	a.session = ""
	if m.network != "" {
		a.home = m.network
		if a.role.pattern != shifts {
			a.office, a.mobile = m.network, m.network
		}
	}
	if m.browser > 0 {
		a.browser = m.browser - 1
	}
	if m.agent != "" {
		a.newAgent = m.agent
	}
}

// vpnNetwork is the company's gateway: the first three octets.
const vpnNetwork = "10.250.0"

// luck returns the random stream of one happening.
func (w *World) luck(h Happening) *rand.Rand {
	return stream(w.cfg.Seed, int(h), streamHappening)
}

// midnight is the first instant, in UTC, of the d-th calendar day.
func (w *World) midnight(d int) time.Time {
	s := w.cfg.Start
	return time.Date(s.Year(), s.Month(), s.Day()+d, 0, 0, 0, 0, time.UTC)
}

// workday returns a Tuesday, Wednesday or Thursday near a part of the span.
func (w *World) workday(part float64) int {
	d := int(part * float64(w.cfg.Days))
	for k := range 7 {
		if wd := w.midnight(d + k).Weekday(); wd >= time.Tuesday && wd <= time.Thursday && d+k < w.cfg.Days-1 {
			return d + k
		}
		if wd := w.midnight(d - k).Weekday(); wd >= time.Tuesday && wd <= time.Thursday && d-k > 0 {
			return d - k
		}
	}
	return min(max(d, 0), w.cfg.Days-1)
}

// local is the instant at which the d-th day begins where the actor is.
func (w *World) local(a *actor, d int) time.Time {
	return w.midnight(d).Add(-time.Duration(a.Offset) * time.Hour)
}

// pick draws somebody of a role who has no part in a happening yet and who works
// in most of the weeks; nil when there is nobody.
func (w *World) pick(rng *rand.Rand, role string) *actor {
	var fit []*actor
	for _, a := range w.actors {
		if a.role.name != role || w.engaged[a.index] {
			continue
		}
		days := 0
		for _, works := range a.works {
			if works {
				days++
			}
		}
		if a.role.pattern != shifts || days*2 >= len(a.works) {
			fit = append(fit, a)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	a := fit[rng.IntN(len(fit))]
	w.engaged[a.index] = true
	return a
}

// few is a share of the agents, at least one and at most a tenth of them.
func (w *World) few(share float64) int {
	agents := 0
	for _, a := range w.actors {
		if a.role.name == "agent" {
			agents++
		}
	}
	return max(1, min(int(share*float64(agents)+0.5), agents/10))
}

// prepare plans what changes the staff's own work, before it is scheduled.
func (w *World) prepare() {
	if w.cfg.Happenings == 0 {
		return
	}
	w.engaged = make(map[int]bool)
	if w.cfg.Happenings&SetOf(Tickets, QASampling, SyncIncremental) != 0 {
		w.pool = &pool{lives: w.has(Tickets)}
	}
	for _, p := range []struct {
		h    Happening
		days int // the shortest world in which there is room for it
		plan func(rng *rand.Rand)
	}{
		{Joiners, 14, w.planJoiners}, {Leavers, 14, w.planLeavers},
		{LongLeave, 14, w.planLongLeave}, {Spike, 7, w.planSpike}, {Replatform, 7, w.planReplatform},
		{MonthEnd, 1, w.planMonthEnd}, {OnCall, 2, w.planOnCall},
		{Holiday, 7, w.planHoliday}, // last: it has precedence over anybody's working week
	} {
		if w.has(p.h) && w.cfg.Days >= p.days {
			p.plan(w.luck(p.h))
		}
	}
}

// planHoliday lets nearly everybody of one region stay at home.
func (w *World) planHoliday(rng *rand.Rand) {
	day := w.workday(0.3 + 0.5*rng.Float64())
	d := -1
	for _, try := range []int{day, day + 7, day - 7} {
		if try > 0 && try < w.cfg.Days-1 && !w.campaigning(try) {
			d = try
			break
		}
	}
	if d < 0 {
		return
	}
	first := rng.IntN(len(teams))
	for k := range teams {
		t := teams[(first+k)%len(teams)]
		o := Occurrence{Happening: Holiday, Start: w.midnight(d).Add(-time.Duration(t.offset) * time.Hour), Note: "public holiday in " + t.name}
		o.End = o.Start.Add(24 * time.Hour)
		for _, a := range w.actors {
			if a.Team != t.name || d+1 >= len(a.works) {
				continue
			}
			// Night shifts run on; some agents hold the fort.
			if a.role.name != "agent" || rng.Float64() < 0.85 {
				a.works[d+1] = false
				a.away = append(a.away, days{d + 1, d + 2})
			}
			if d > 0 && a.ShiftStart+a.ShiftHours > 24 && rng.Float64() < 0.85 {
				a.works[d] = false
			}
			o.Actors = append(o.Actors, a.ID)
		}
		if len(o.Actors) > 2 {
			w.note(o)
			return
		}
	}
}

// campaigning says that a day is one of the spike's or next to it: nobody launches
// a campaign around a holiday.
func (w *World) campaigning(d int) bool {
	return slices.ContainsFunc(w.log, func(o Occurrence) bool {
		return o.Happening == Spike && w.midnight(d+1).After(o.Start.AddDate(0, 0, -1)) && w.midnight(d).Before(o.End.AddDate(0, 0, 1))
	})
}

// planJoiners has new agents come up to speed within two weeks.
func (w *World) planJoiners(rng *rand.Rand) {
	for range w.few(0.015) {
		a := w.pick(rng, "agent")
		if a == nil {
			return
		}
		d := int((0.25 + 0.3*rng.Float64()) * float64(w.cfg.Days))
		for d > 0 && w.midnight(d).Weekday() != time.Monday {
			d--
		}
		d = max(d, 1)
		a.absent(0, d+1)
		a.comes, a.goes = true, false
		a.employ(w, d, len(a.works))
		a.learns = span{w.local(a, d), w.local(a, d+14)}
		learns, start := a.learns, w.cfg.Start
		a.bends = append(a.bends, func(h int) float64 {
			return 0.25 + 0.75*learns.part(start.Add(time.Duration(h)*time.Hour))
		})
		w.note(Occurrence{Happening: Joiners, Start: a.learns.from, End: a.learns.to, Actors: []string{a.ID}, Note: "new agent"})
	}
}

// employ gives an actor an ordinary working week from the day from until before to.
func (a *actor) employ(w *World, from, to int) {
	for d := from; d+1 < len(a.works) && d < to; d++ {
		wd := w.midnight(d).Weekday()
		a.works[d+1] = wd != time.Saturday && wd != time.Sunday
	}
}

// planLeavers has agents hand over for a working week and go.
func (w *World) planLeavers(rng *rand.Rand) {
	for range w.few(0.01) {
		a := w.pick(rng, "agent")
		if a == nil {
			return
		}
		d := w.workday(0.6 + 0.2*rng.Float64())
		a.employ(w, max(0, d-7), d+1)
		a.absent(d+2, len(a.works))
		a.goes = true
		a.hands = span{w.local(a, max(0, d-7)), w.local(a, d+2)}
		w.note(Occurrence{Happening: Leavers, Start: a.hands.from, End: a.hands.to, Actors: []string{a.ID}, Note: "hands over, then gone for good"})
	}
}

// handover is the purpose of what a leaver does in the last days.
func (a *actor) handover(at time.Time) string {
	if a.hands.has(at) && a.rng.Float64() < 0.5 {
		return "handover"
	}
	return ""
}

// planLongLeave has somebody work at the beginning and come back near the end.
func (w *World) planLongLeave(rng *rand.Rand) {
	a := w.pick(rng, "agent")
	if a == nil {
		return
	}
	gone, back := max(2, w.cfg.Days*15/100), w.cfg.Days*75/100
	a.employ(w, 0, gone)
	a.absent(gone+1, back+1)
	a.comes, a.goes = false, false
	a.away = append(a.away, days{gone + 1, back + 1})
	a.employ(w, back, len(a.works))
	home := fmt.Sprintf("100.%d.%d", 64+rng.IntN(64), rng.IntN(256))
	a.moves = append(a.moves, move{at: w.local(a, back), network: home, browser: 1 + (a.browser+1)%len(browsers)})
	w.note(Occurrence{
		Happening: LongLeave, Start: w.local(a, back), End: w.midnight(w.cfg.Days), Actors: []string{a.ID},
		Network: home, Note: fmt.Sprintf("back after %d days of leave", back-gone),
	})
}

// planSpike multiplies demand on two days. Machines take all of it; people work
// harder, within limits, and some are called in.
func (w *World) planSpike(rng *rand.Rand) {
	d := w.workday(0.35 + 0.2*rng.Float64())
	factor := 2 + rng.Float64()
	o := Occurrence{Happening: Spike, Start: w.midnight(d), End: w.midnight(d + 2), Note: fmt.Sprintf("campaign: %.1f times the demand", factor)}
	for k := d; k < d+2 && k < len(w.demand); k++ {
		w.demand[k] *= factor
	}
	start, days := w.cfg.Start, span{w.midnight(d).Add(-12 * time.Hour), w.midnight(d + 3)}
	tired := min(factor, 2) / factor
	for _, a := range w.actors {
		if a.role.pattern != shifts || a.role.cases == nil {
			continue
		}
		a.bends = append(a.bends, func(h int) float64 {
			at := start.Add(time.Duration(h) * time.Hour)
			if day, _ := a.shiftPart(at, start); days.has(at) && (day == d+1 || day == d+2) {
				return tired
			}
			return 1
		})
		if o.Actors = append(o.Actors, a.ID); w.engaged[a.index] || a.role.name != "agent" {
			continue
		}
		near := false
		for k := max(0, d-6); k < min(d+8, len(a.works)); k++ {
			near = near || a.works[k]
		}
		for k := d + 1; near && k <= d+2 && k < len(a.works); k++ {
			a.works[k] = a.works[k] || rng.Float64() < 0.35
		}
	}
	w.note(o)
}

// planReplatform moves a vendor's sync to another cloud, early on a working day.
func (w *World) planReplatform(rng *rand.Rand) {
	a := w.pick(rng, "sync")
	if a == nil {
		return
	}
	at := w.midnight(w.workday(0.5 + 0.3*rng.Float64())).Add(6 * time.Hour)
	network := "203.0.113"
	if rng.IntN(2) == 0 {
		network = fmt.Sprintf("198.19.%d", rng.IntN(256))
	}
	a.moves = append(a.moves, move{at: at, network: network, agent: a.role.app + "/5.0 (cloud-native)"})
	_, end := w.Span()
	w.note(Occurrence{Happening: Replatform, Start: at, End: end, Actors: []string{a.ID}, Network: network, Note: "vendor moved to another cloud"})
}

// The reports of the last days of a month; of a quarter, three times as long.
var (
	monthReports = []op{
		{vigil.ActionExport, "reports", "metadata", 40, 4_000, 0.7, 110, 0, nobody, 3, nil, ""},
		{vigil.ActionExport, "csat", "metadata", 30, 6_000, 0.7, 60, 0, nobody, 3, nil, ""},
		{vigil.ActionExport, "conversations", "content", 12, 1_500, 0.6, 900, 0, crowd, 2, nil, ""},
	}
	quarterReports = []op{
		{vigil.ActionExport, "reports", "metadata", 40, 12_000, 0.7, 110, 0, nobody, 3, nil, ""},
		{vigil.ActionExport, "csat", "metadata", 30, 18_000, 0.7, 60, 0, nobody, 3, nil, ""},
		{vigil.ActionExport, "conversations", "content", 12, 4_500, 0.6, 900, 0, crowd, 2, nil, ""},
	}
)

// reporting says whether a time is among the last three days of a month.
func reporting(at time.Time) (month, quarter bool) {
	month = at.AddDate(0, 0, 3).Month() != at.Month()
	return month, month && at.Month()%3 == 0
}

// report picks a report to export where the calendar asks for one, else nil.
func (a *actor) report(at time.Time) *op {
	if a.role.name != "supervisor" && a.role.name != "analyst" {
		return nil
	}
	month, quarter := reporting(at)
	if !month || a.rng.Float64() > 0.3 {
		return nil
	}
	a.purpose = "reporting"
	if quarter {
		return pickOp(a.rng, quarterReports)
	}
	return pickOp(a.rng, monthReports)
}

// planMonthEnd logs the days on which reports are due.
func (w *World) planMonthEnd(*rand.Rand) {
	for d := 0; d < w.cfg.Days; d++ {
		month, quarter := reporting(w.midnight(d))
		if before, _ := reporting(w.midnight(d - 1)); !month || before && d > 0 {
			continue
		}
		o := Occurrence{Happening: MonthEnd, Start: w.midnight(d), Note: "month-end reporting"}
		if quarter {
			o.Note = "quarter-end reporting"
		}
		for o.End = o.Start; ; o.End = o.End.AddDate(0, 0, 1) {
			if m, _ := reporting(o.End); !m {
				break
			}
		}
		for _, a := range w.actors {
			if a.role.name == "supervisor" || a.role.name == "analyst" {
				o.Actors = append(o.Actors, a.ID)
			}
		}
		w.note(o)
	}
}

// pace is the staff's pace, kept within bounds: what happenings scale by.
func (w *World) pace() float64 { return math.Min(1, math.Max(0.15, w.scale)) }
