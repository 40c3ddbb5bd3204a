package app

import (
	"testing"
	"time"

	"vigil"
)

func TestTicksWaitForSourcesThatReadThePast(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	p := newPace(func() time.Time { return now })
	at := func(when time.Time) []*vigil.Event {
		e := event("maria")
		e.Time = when
		return []*vigil.Event{e}
	}
	check := func(what string, want time.Time, wantOK bool) {
		t.Helper()
		if got, ok := p.watermark(); ok != wantOK || (ok && !got.Equal(want)) {
			t.Errorf("%s: %s, %v; not %s, %v", what, got, ok, want, wantOK)
		}
	}
	check("at the start, before any source had time to show itself", time.Time{}, false)
	now = now.Add(time.Minute)
	check("nothing comes", now.Add(-patience), true)

	weeks := now.Add(-20 * 24 * time.Hour)
	p.saw("old", at(weeks))
	p.saw("live", at(now.Add(-time.Second)))
	check("one source reads the past", weeks.Add(-patience), true)
	now = now.Add(10 * time.Second)
	p.saw("old", at(weeks.Add(time.Hour)))
	p.saw("old", at(weeks)) // an event before the newest does not set it back
	check("it comes on", weeks.Add(time.Hour-patience), true)
	now = now.Add(time.Second)
	p.saw("old", at(now))
	check("it has caught up", now.Add(-patience), true)

	p.saw("old", at(now))
	now = now.Add(10 * time.Minute)
	check("silence holds nothing back", now.Add(-patience), true)
}
