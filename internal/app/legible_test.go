package app

import (
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/internal/ledger"
)

// A source's records are handed over in batches of a minute: so many good and bad ones.
func TestASourceThatCantBeReadIsTold(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	well := []ledger.SourceStats{{Name: "pg", Events: 10_000, Quarantined: 3}}
	for name, c := range map[string]struct {
		before           []ledger.SourceStats
		good, bad        int // of each minute
		code             string
		minutes, pending int // of which the ledger took none at first
		want             int
		kind             vigil.LapseKind
	}{
		"most can't be read":          {well, 1, 4, "format", 50, 0, 1, vigil.LapseUnread},
		"for three hours":             {well, 1, 4, "format", 180, 0, 3, vigil.LapseUnread},
		"the ledger is full at first": {well, 1, 4, "format", 50, 20, 1, vigil.LapseUnread},
		"some can't be read":          {well, 6, 4, "format", 50, 0, 0, ""},
		"a few records":               {well, 0, 4, "format", 4, 0, 0, ""},
		"it was never better":         {[]ledger.SourceStats{{Name: "pg", Events: 900, Quarantined: 100}}, 1, 4, "format", 50, 0, 0, ""},
		"nothing is known of it":      {nil, 1, 4, "format", 50, 0, 0, ""},
		"its clock is ahead":          {nil, 1, 4, clockCode, 50, 0, 1, vigil.LapseClock},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLegible(c.before)
			var told []vigil.Lapse
			for m := range c.minutes {
				b := collectors.Batch{Source: "pg", Events: make([]*vigil.Event, c.good), Quarantined: make([]vigil.Quarantined, c.bad)}
				for i := range b.Quarantined {
					b.Quarantined[i].Code = c.code
				}
				lapses, done := l.look(&b, start.Add(time.Duration(m)*time.Minute))
				if m >= c.pending {
					done()
					told = append(told, lapses...)
				}
			}
			if len(told) != c.want {
				t.Fatalf("%+v", told)
			}
			for _, one := range told {
				if one.Kind != c.kind || one.Missing < unreadLeast || one.Source != "pg" || one.Start.After(one.End) || !strings.Contains(one.Text, "Within an hour") {
					t.Errorf("%+v", one)
				}
			}
		})
	}
}

// What is well again becomes the usual, what was told does not.
func TestWhatCantBeReadIsNotToBecomeTheUsual(t *testing.T) {
	t.Parallel()
	l := newLegible(nil)
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	told := 0
	for hour := range 200 {
		for range 30 {
			b := collectors.Batch{Source: "pg", Events: make([]*vigil.Event, 10)}
			if hour >= 100 {
				b = collectors.Batch{Source: "pg", Quarantined: make([]vigil.Quarantined, 10)}
			}
			lapses, done := l.look(&b, now.Add(time.Duration(hour)*time.Hour))
			done()
			told += len(lapses)
		}
	}
	if told != 100 {
		t.Errorf("told in %d hours of a hundred", told)
	}
}
