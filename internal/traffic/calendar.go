package traffic

import (
	"math"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// calendar decides on which days a person works: five in seven, minus illness
// and holidays. Index 0 is the day before the first, since shifts cross midnight.
func (a *actor) calendar(cfg Config) {
	rng := stream(cfg.Seed, a.index, streamCalendar)
	a.works = make([]bool, cfg.Days+3)
	a.oncall = make([]bool, cfg.Days+3)
	// Most rest on Saturday and Sunday, a quarter of the agents on other days.
	rest := int(time.Saturday)
	if a.role.name == "agent" && rng.Float64() < 0.25 {
		rest = rng.IntN(7)
	}
	for d := range a.works {
		day := int(cfg.Start.AddDate(0, 0, d-1).Weekday())
		a.works[d] = day != rest && day != (rest+1)%7
	}
	for d := 0; d < len(a.works); d++ {
		switch u := rng.Float64(); {
		case u < 0.008: // ill for some days
			n := 1 + rng.IntN(4)
			a.absent(d, d+n)
			a.away = append(a.away, days{d, d + n})
			d += n
		case u < 0.011: // away for a week or two
			n := 7 * (1 + rng.IntN(2))
			a.absent(d, d+n)
			a.away = append(a.away, days{d, d + n})
			d += n
		}
	}
	// An engineer is on call for about one week in six, and woken now and then.
	if a.role.name == "engineer" {
		for d := range a.oncall {
			week := (d + a.index*7) / 7
			a.oncall[d] = week%6 == 0 && rng.Float64() < 0.3
		}
	}
}

// absent marks the days from until before to as not worked.
func (a *actor) absent(from, to int) {
	for d := max(0, from); d < min(to, len(a.works)); d++ {
		a.works[d] = false
	}
}

// means fills in the expected number of events of each hour, before the number
// asked for scales everybody alike. It draws from a stream that is made anew, so
// that calling it twice gives the same.
func (a *actor) means(w *World, out []float32) {
	rng := stream(w.cfg.Seed, a.index, streamMeans)
	clear(out)
	days := make([]float64, w.cfg.Days+3)
	for d := range days {
		// A person's good and bad days; a machine's are nearly alike.
		alpha := 12.0
		if a.role.pattern != shifts {
			alpha = 90
		}
		days[d] = distuv.Gamma{Alpha: alpha, Beta: alpha, Src: rng}.Rand()
	}
	window := 1 + rng.IntN(3)
	for h := range out {
		at := w.cfg.Start.Add(time.Duration(h) * time.Hour)
		day := h / 24
		m := 0.0
		switch a.role.pattern {
		case shifts:
			d, part := a.shiftPart(at, w.cfg.Start)
			if d >= 0 && d < len(days) {
				m = part * days[d]
				if a.role.cases != nil {
					m *= w.demand[min(max(d-1, 0), len(w.demand)-1)]
				}
			}
			m *= monthEnd(a.role.name, at)
		case diurnal:
			m = days[day] * w.demand[day] * customers(at)
		case nightly:
			if at.Hour() == window {
				m = days[day]
			}
		case steady:
			m = days[day]
		}
		for _, bend := range a.bends {
			m *= bend(h)
		}
		out[h] = float32(m * a.pace * a.role.rate)
	}
}

// shiftPart returns the day to which an hour's work belongs and how much of the
// hour is worked: less at the beginning, at lunch and at the end, a little after.
func (a *actor) shiftPart(at, start time.Time) (day int, part float64) {
	local := int(at.Sub(start)/time.Hour) + start.Hour() + a.Offset
	d := floorDiv(local-a.ShiftStart, 24)
	k := local - a.ShiftStart - 24*d
	day = d + 1
	if day < 0 || day >= len(a.works) {
		return -1, 0
	}
	if !a.works[day] {
		return day, 0
	}
	switch {
	case k == 0:
		part = 0.7
	case k == a.ShiftHours/2 && a.ShiftHours > 5:
		part = 0.3
	case k == a.ShiftHours-1:
		part = 0.65
	case k < a.ShiftHours:
		part = 1
	case k == a.ShiftHours:
		part = 0.06
	case a.oncall[day] && k >= a.ShiftHours+6 && k < a.ShiftHours+8:
		part = 0.8
	}
	return day, part
}

// monthEnd is the reporting of the last three days of a month.
func monthEnd(role string, at time.Time) float64 {
	if (role == "analyst" || role == "supervisor") && at.AddDate(0, 0, 3).Month() != at.Month() {
		return 1.5
	}
	return 1
}

// customers is how awake the customers are, around one on average.
func customers(at time.Time) float64 {
	hour := float64(at.Hour()) + 0.5
	return 1 + 0.62*math.Cos((hour-14)/24*2*math.Pi) + 0.12*math.Cos((hour-19)/12*2*math.Pi)
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
