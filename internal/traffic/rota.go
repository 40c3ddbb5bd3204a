package traffic

import (
	"fmt"
	"time"

	"vigil"
)

// shifts tells who works when, a week at a time, at noon on the day before it.
func (b *facts) shifts() {
	for _, a := range b.w.actors {
		for d, works := range a.works {
			if !works {
				continue
			}
			s := b.w.shiftOf(a, d)
			week := b.w.midnight(d - 1 - floorMod(d-1, 7))
			f := b.told(week.Add(-12*time.Hour), vigil.FactShift)
			// People are there a little before and after.
			f.Shifts = append(f.Shifts, vigil.Shift{
				ID: fmt.Sprintf("shift-%s-%d", a.ID, d), Who: who(a), Duty: vigil.DutyShift,
				Period: vigil.Period{From: s.from.Add(-30 * time.Minute), To: s.to.Add(2 * time.Hour)},
			})
		}
	}
	for _, o := range b.w.log {
		if o.Happening != OnCall || o.Ticket != "" {
			continue
		}
		for _, id := range o.Actors {
			f := b.told(o.Start.Add(-12*time.Hour), vigil.FactShift)
			f.Shifts = append(f.Shifts, vigil.Shift{
				ID: "oncall-" + o.Start.Format(time.DateOnly), Who: vigil.Who{Actor: id}, Duty: vigil.DutyOnCall,
				Period: vigil.Period{From: o.Start.Add(-12 * time.Hour), To: o.End.Add(12 * time.Hour)},
			})
		}
	}
	b.oldRota()
}

// oldRota tells the engineers' weeks on call where no happening draws them up.
func (b *facts) oldRota() {
	for _, a := range b.w.actors {
		for d := 0; d < len(a.oncall); d++ {
			if !a.oncall[d] {
				continue
			}
			from := b.w.midnight(d - 1)
			f := b.told(from.Add(-12*time.Hour), vigil.FactShift)
			f.Shifts = append(f.Shifts, vigil.Shift{
				ID: fmt.Sprintf("oncall-%s-%d", a.ID, d), Who: who(a), Duty: vigil.DutyOnCall,
				Period: vigil.Period{From: from, To: from.AddDate(0, 0, 2)},
			})
		}
	}
}

// absences tells who is away: leave a week before, illness on the morning.
func (b *facts) absences() {
	for _, a := range b.w.actors {
		for _, away := range a.away {
			from := max(away.from, 0)
			for from < min(away.to, len(a.works)) {
				to := from
				for to < min(away.to, len(a.works)) && !a.works[to] {
					to++
				}
				if to > from {
					b.absence(a, from, to)
				}
				from = to + 1
			}
		}
	}
}

// absence is of the days from until before to, all of which are free.
func (b *facts) absence(a *actor, from, to int) {
	period := span{b.w.local(a, from-1), b.w.local(a, to-1)}
	// A night shift of the day before runs on, and so does a night on call.
	if from > 0 && a.works[from-1] {
		margin := 2 * time.Hour
		if a.oncall[from-1] {
			margin = 9 * time.Hour
		}
		if end := b.w.shiftOf(a, from-1).to.Add(margin); end.After(period.from) {
			period.from = end
		}
	}
	for _, o := range b.w.log { // woken all the same
		if o.Happening == OnCall && o.Ticket != "" && o.Actors[0] == a.ID && o.Start.Before(period.to) && period.from.Before(o.End) {
			return
		}
	}
	if !period.to.After(period.from) || !period.to.After(b.start()) {
		return
	}
	known := period.from.AddDate(0, 0, -7)
	if to-from < 5 {
		known = period.from
	}
	f := b.told(known, vigil.FactShift)
	f.Shifts = append(f.Shifts, vigil.Shift{
		ID: fmt.Sprintf("absent-%s-%d", a.ID, from), Who: who(a), Duty: vigil.DutyAbsent, Period: vigil.Period{From: period.from, To: period.to},
	})
}

// changes tells what departs from the usual: of the calendar, of operations.
func (b *facts) changes() {
	add := func(at time.Time, c vigil.Change) {
		f := b.told(at, vigil.FactChange)
		f.Changes = append(f.Changes, c)
	}
	for i, o := range b.w.log {
		period := vigil.Period{From: o.Start, To: o.End}
		id := fmt.Sprintf("CHG-%d", 2_000+i)
		switch o.Happening {
		case Spike:
			add(b.start(), vigil.Change{ID: id, Type: vigil.ChangeEvent, Period: period})
		case Holiday:
			if len(o.Actors) > 0 {
				add(b.start(), vigil.Change{ID: id, Type: vigil.ChangeEvent, Who: vigil.Who{Team: b.w.byID[o.Actors[0]].Team}, Period: period})
			}
		case MonthEnd:
			for _, role := range []string{"supervisor", "analyst"} {
				add(b.start(), vigil.Change{ID: id, Type: vigil.ChangeEvent, Who: vigil.Who{Role: role}, Period: period})
			}
		case Replatform, Reindex:
			for _, who := range o.Actors {
				// The first weeks after a move are watched; a job ends with a margin.
				period.To = o.Start.Add(min(o.End.Sub(o.Start)+2*time.Hour, 14*24*time.Hour))
				add(o.Start.AddDate(0, 0, -2), vigil.Change{ID: id, Type: vigil.ChangeChange, Who: vigil.Who{Actor: who}, Period: period})
			}
		case OnCall:
			if o.Ticket == "" {
				continue
			}
			for _, who := range o.Actors { // opened as it rings
				period.From = o.Start.Add(-5 * time.Minute)
				add(o.Start.Add(2*time.Minute), vigil.Change{ID: o.Ticket, Type: vigil.ChangeIncident, Who: vigil.Who{Actor: who}, Period: period})
			}
		}
	}
	// The bot comes out anew every three weeks; the databases rest once a month.
	for d := 21; d < b.w.cfg.Days; d += 21 {
		at := b.start().AddDate(0, 0, d)
		for _, a := range b.w.actors {
			if a.role.name == "bot" {
				add(at.AddDate(0, 0, -1), vigil.Change{
					ID: fmt.Sprintf("REL-%d", d/21), Type: vigil.ChangeDeploy, Who: who(a), Period: vigil.Period{From: at, To: at.AddDate(0, 0, 3)},
				})
			}
		}
	}
	for d := range b.w.cfg.Days {
		if at := b.w.midnight(d); at.Weekday() == time.Sunday && at.Day() <= 7 {
			add(b.start(), vigil.Change{
				ID: "MNT-" + at.Format(time.DateOnly), Type: vigil.ChangeMaintenance, Who: vigil.Who{Role: "admin"}, Store: "support_db",
				Period: vigil.Period{From: at.Add(2 * time.Hour), To: at.Add(4 * time.Hour)},
			})
		}
	}
}

func floorMod(a, b int) int { return a - b*floorDiv(a, b) }
