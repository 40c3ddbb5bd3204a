package alerts

import (
	"fmt"
	"strings"
	"time"
)

// Rota says whose turn it is: people take turns from a day on, handing over at an hour.
type Rota struct {
	// People are in the order of their turns, at most 100.
	People []string
	// Every is "day" or "week"; default week.
	Every string
	// From is the day on which the first one's first turn begins, as 2026-01-05; a week's
	// turn begins on its day of the week.
	From string
	// At is when turns begin, as 09:00; default 00:00. Zone is by which clock, as
	// Europe/Berlin; default UTC.
	At   string
	Zone string
}

// Check says what is wrong with it, nil when nothing is.
func (r *Rota) Check() error {
	_, err := r.turns()
	return err
}

// On says whose turn it is at t; empty when the rota is not in order.
func (r *Rota) On(t time.Time) string {
	turns, err := r.turns()
	if err != nil {
		return ""
	}
	n := len(r.People)
	return r.People[((turns.number(t)%n)+n)%n]
}

// turns is a rota that was read.
type turns struct {
	from  time.Time // midnight of the day, UTC
	at    time.Duration
	every int // days
	zone  *time.Location
}

func (r *Rota) turns() (turns, error) {
	t := turns{every: 7, zone: time.UTC}
	if len(r.People) == 0 || len(r.People) > maxRota {
		return t, fmt.Errorf("it names %d people; name 1 to %d", len(r.People), maxRota)
	}
	for _, p := range r.People {
		if strings.TrimSpace(p) == "" {
			return t, fmt.Errorf("a name among its people is empty")
		}
	}
	switch r.Every {
	case "", "week":
	case "day":
		t.every = 1
	default:
		return t, fmt.Errorf("every %q is no turn; say day or week", r.Every)
	}
	var err error
	if t.from, err = time.Parse(time.DateOnly, r.From); err != nil {
		return t, fmt.Errorf("from %q is no day; write it as 2026-01-05", r.From)
	}
	if r.At != "" {
		at, err := time.Parse("15:04", r.At)
		if err != nil {
			return t, fmt.Errorf("at %q is no time of day; write it as 09:00", r.At)
		}
		t.at = time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	}
	if r.Zone != "" {
		if t.zone, err = time.LoadLocation(r.Zone); err != nil {
			return t, fmt.Errorf("zone %q is not known; write it as Europe/Berlin", r.Zone)
		}
	}
	return t, nil
}

// number counts the turns since the first, by the days of its calendar, so that an hour
// that clocks skip or repeat moves no hand-over.
func (t turns) number(at time.Time) int {
	local := at.In(t.zone)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second
	days := int(day.Sub(t.from) / (24 * time.Hour))
	if clock < t.at {
		days--
	}
	if days < 0 {
		days -= t.every - 1 // rounds down
	}
	return days / t.every
}
