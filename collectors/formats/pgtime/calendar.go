package pgtime

import "time"

// Calendar dates lines of the older syslog, which have neither year nor zone. The zero
// value is ready.
type Calendar struct {
	// Year and Month are those of the last line; the year is that of the first line when
	// it is given, zero when it is to be guessed.
	Year  int
	Month time.Month
	// now is the time by which a year is guessed, set once.
	now time.Time
}

// Read dates a stamp such as "Jan  2 15:04:05" of a place. Where nobody gives the year, it
// is the last one in which the time is not a day ahead. Within a stream years follow one
// another: January comes after December.
func (c *Calendar) Read(stamp string, place *time.Location) (time.Time, bool) {
	if place == nil {
		place = time.UTC
	}
	// A leap year, so that every day of February can be read.
	t, err := time.Parse("2006 Jan _2 15:04:05", "2024 "+stamp)
	if err != nil {
		return time.Time{}, false
	}
	in := func(year int) time.Time {
		return time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, place)
	}
	switch {
	case c.Year == 0:
		if c.now.IsZero() {
			c.now = time.Now()
		}
		c.Year = c.now.Year() + 1
		for i := 0; i < 8 && (in(c.Year).After(c.now.Add(24*time.Hour)) || in(c.Year).Day() != t.Day()); i++ {
			c.Year--
		}
	case t.Month() < c.Month-6:
		c.Year++
	case c.Month == time.January && t.Month() == time.December:
		c.Year-- // a straggler
	}
	c.Month = t.Month()
	return in(c.Year).UTC(), true
}
