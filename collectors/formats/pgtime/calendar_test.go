package pgtime

import (
	"testing"
	"time"
)

func TestCalendar(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		year   int
		place  *time.Location
		stamps []string
		want   string // of the last one
	}{
		"this year":          {0, nil, []string{"Feb 10 23:15:39"}, "2026-02-10T23:15:39Z"},
		"a clock ahead":      {0, nil, []string{"Mar  1 20:00:00"}, "2026-03-01T20:00:00Z"},
		"last year":          {0, nil, []string{"Apr 10 23:15:39"}, "2025-04-10T23:15:39Z"},
		"a leap day":         {0, nil, []string{"Feb 29 10:00:00"}, "2024-02-29T10:00:00Z"},
		"over New Year":      {0, nil, []string{"Dec 31 23:59:59", "Jan  1 00:00:01"}, "2026-01-01T00:00:01Z"},
		"a straggler":        {2019, nil, []string{"Dec 31 23:59:59", "Jan  1 00:00:01", "Dec 31 23:59:59"}, "2019-12-31T23:59:59Z"},
		"after a quiet time": {2019, nil, []string{"Nov 10 10:00:00", "Feb 10 10:00:00"}, "2020-02-10T10:00:00Z"},
		"of a place":         {2019, berlin, []string{"Jul 10 10:00:00"}, "2019-07-10T08:00:00Z"},
		"none":               {2019, nil, []string{"Foo 10 10:00:00"}, ""},
	} {
		cal := Calendar{Year: c.year, now: now}
		got := ""
		for _, s := range c.stamps {
			at, ok := cal.Read(s, c.place)
			if got = ""; ok {
				got = at.Format(time.RFC3339)
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
