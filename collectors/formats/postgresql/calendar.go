package postgresql

import "time"

// calendar dates lines of the older syslog, which have neither year nor zone.
type calendar struct {
	// year and month are those of the last line; the year is that of the first line when
	// it is given, zero when it is to be guessed.
	year  int
	month time.Month
	// now is the time by which a year is guessed, set once.
	now time.Time
}

// read dates a stamp such as "Jan  2 15:04:05" of a place. Where nobody gives the year, it
// is the last one in which the time is not a day ahead. Within a stream years follow one
// another: January comes after December.
func (c *calendar) read(stamp string, place *time.Location) (time.Time, bool) {
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
	if c.year == 0 {
		if c.now.IsZero() {
			c.now = time.Now()
		}
		c.year = c.now.Year() + 1
		for i := 0; i < 8 && (in(c.year).After(c.now.Add(24*time.Hour)) || in(c.year).Day() != t.Day()); i++ {
			c.year--
		}
	} else if t.Month() < c.month-6 {
		c.year++
	} else if c.month == time.January && t.Month() == time.December {
		c.year-- // a straggler
	}
	c.month = t.Month()
	return in(c.year).UTC(), true
}
