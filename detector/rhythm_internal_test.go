package detector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
)

// A beat makes the times at which a source tells something within one hour, in order.
type beat func(r *rand.Rand, hour time.Time) []time.Time

// atRandom is a Poisson process of so many events an hour.
func atRandom(perHour func(hour time.Time) float64) beat {
	return func(r *rand.Rand, hour time.Time) (out []time.Time) {
		rate := perHour(hour)
		if rate <= 0 {
			return nil
		}
		for at := 0.0; ; {
			if at += r.ExpFloat64() / rate; at >= 1 {
				return out
			}
			out = append(out, hour.Add(time.Duration(at*float64(time.Hour))))
		}
	}
}

func evenly(n float64) func(time.Time) float64 { return func(time.Time) float64 { return n } }

// workingHours is a desk's day: nobody at night and at weekends, a lull at noon.
func workingHours(n float64) func(time.Time) float64 {
	shape := [24]float64{8: 0.6, 9: 1, 10: 1.1, 11: 1, 12: 0.5, 13: 0.9, 14: 1, 15: 1, 16: 0.8, 17: 0.4}
	return func(hour time.Time) float64 {
		if d := hour.Weekday(); d == time.Saturday || d == time.Sunday {
			return 0
		}
		return n * shape[hour.Hour()]
	}
}

// bursts come at random, each of a very uneven number of events within minutes.
func bursts(perHour float64) beat {
	return func(r *rand.Rand, hour time.Time) (out []time.Time) {
		for _, start := range atRandom(evenly(perHour))(r, hour) {
			for range 1 + int(math.Exp(2+1.2*r.NormFloat64())) {
				start = start.Add(time.Duration(r.ExpFloat64() * 3 * float64(time.Second)))
				if start.Before(hour.Add(time.Hour)) {
					out = append(out, start)
				}
			}
		}
		slices.SortFunc(out, time.Time.Compare)
		return out
	}
}

// export is a run of about n events in a few minutes, from a minute of each hour for which
// when says so, early or late by a spread.
func export(n int, minute float64, spread time.Duration, when func(hour time.Time) bool) beat {
	return func(r *rand.Rand, hour time.Time) (out []time.Time) {
		if !when(hour) {
			return nil
		}
		at := hour.Add(time.Duration(minute*float64(time.Minute) + r.NormFloat64()*float64(spread)))
		for range n/2 + r.IntN(n) {
			at = at.Add(time.Duration(r.ExpFloat64() * float64(time.Second)))
			out = append(out, at)
		}
		return out
	}
}

var firstDay = time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC) // a Monday

// rhythmsOfSources are those that real sources have, more or less.
var rhythmsOfSources = map[string]beat{
	"five a second":        atRandom(evenly(5 * 3600)),
	"one in five seconds":  atRandom(evenly(720)),
	"desk in office hours": atRandom(workingHours(600)),
	"small desk":           atRandom(workingHours(40)),
	"nightly export":       export(120, 20, 6*time.Minute, func(h time.Time) bool { return h.Hour() == 2 }),
	"weekday export":       export(60, 30, 3*time.Minute, func(h time.Time) bool { return h.Hour() == 22 && h.Weekday() != 0 && h.Weekday() != 6 }),
	"hourly batch":         export(40, 5, 40*time.Second, func(time.Time) bool { return true }),
	"one in ten minutes":   atRandom(evenly(6)),
	"three a day":          atRandom(evenly(3.0 / 24)),
	"bursts":               bursts(4),
	"desk that grows": atRandom(func(h time.Time) float64 {
		return workingHours(200)(h) * math.Exp2(float64(h.Sub(firstDay))/float64(20*24*time.Hour))
	}),
	"batch each quarter of an hour": func(r *rand.Rand, hour time.Time) (out []time.Time) {
		for q := range 4 {
			for range 10 {
				out = append(out, hour.Add(time.Duration(q)*15*time.Minute+time.Duration(r.IntN(20))*time.Second))
			}
		}
		slices.SortFunc(out, time.Time.Compare)
		return out
	},
}

// listener drives what is known of sources, and nothing else of the engine.
type listener struct {
	shared *shared
	tick   time.Duration
	found  []vigil.Finding
	// quiet says that a source does not tell what is of that time.
	quiet func(source string, at time.Time) bool
}

func newListener(tb testing.TB) *listener {
	set, err := builtinRules()
	if err != nil {
		tb.Fatal(err)
	}
	l := &listener{shared: newShared(newBudget(0), set), tick: 10 * time.Second, quiet: func(string, time.Time) bool { return false }}
	return l
}

// live lets sources tell from a full hour on, with the watermark close behind and ticks.
func (l *listener) live(r *rand.Rand, beats map[string]beat, from time.Time, hours int) {
	type told struct {
		source string
		at     time.Time
	}
	var names []string
	for name := range beats {
		names = append(names, name)
	}
	slices.Sort(names)
	for h := range hours {
		hour := from.Add(time.Duration(h) * time.Hour)
		var all []told
		for _, name := range names {
			for _, at := range beats[name](r, hour) {
				if !l.quiet(name, at) {
					all = append(all, told{name, at})
				}
			}
		}
		slices.SortStableFunc(all, func(a, b told) int { return a.at.Compare(b.at) })
		e := vigil.NewEvent()
		for at := hour; at.Before(hour.Add(time.Hour)); at = at.Add(l.tick) {
			next := at.Add(l.tick)
			for len(all) > 0 && (all[0].at.Before(next) || !next.Before(hour.Add(time.Hour))) {
				e.Source, e.Time = all[0].source, all[0].at
				all = all[1:]
				l.shared.hear(e, e.Time.UnixNano())
				t := l.shared.told[e.Source]
				if t == nil {
					t = &teller{Name: e.Source, Born: hour.Unix() / 3600}
					l.shared.told[e.Source] = t
				}
				t.now++
			}
			l.shared.rhythms.tick(next.UnixNano())
			if !next.Before(hour.Add(time.Hour)) {
				l.shared.closeRhythms(hour.Unix() / 3600)
				l.shared.closeHour(hour.Unix() / 3600)
				l.shared.heard = hour.Unix()/3600 + 1
			}
			l.shared.look(next.UnixNano())
			l.shared.tellOutages()
			l.found = append(l.found, l.shared.found...)
			l.shared.found = l.shared.found[:0]
		}
	}
}

func latestOf(all []vigil.Finding) (out []vigil.Finding) {
	for _, f := range all {
		if at := slices.IndexFunc(out, func(o vigil.Finding) bool { return o.ID == f.ID }); at >= 0 {
			out[at] = f
		} else {
			out = append(out, f)
		}
	}
	return out
}

// clockAt is so many days after the first, at a time of day.
func clockAt(day, hour, minute int) time.Time {
	return firstDay.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}

// stopped lets a source tell from the first day until it stops, and returns after how long
// it was missed, by the ticks' watermark; zero when it was not. It listens on for a while
// after the stop, in which the source begins again where it is a gap only.
func stopped(tb testing.TB, seed uint64, b beat, begin, from time.Time, gap, listen time.Duration) (after time.Duration, l *listener) {
	l = newListener(tb)
	var last time.Time
	l.quiet = func(_ string, at time.Time) bool {
		off := !at.Before(from) && (gap == 0 || at.Before(from.Add(gap)))
		if !off && at.Before(from) && at.After(last) {
			last = at
		}
		return off
	}
	l.live(rand.New(rand.NewPCG(seed, 11)), map[string]beat{"it": b}, begin, int(from.Add(listen).Sub(begin)/time.Hour)+1)
	for _, f := range l.found {
		if f.Revision == 1 && !f.Detected.Before(from) {
			return f.Detected.Sub(last), l
		}
	}
	return 0, l
}

func newTold(sources ...string) (out []*vigil.Event) {
	for _, s := range sources {
		e := vigil.NewEvent()
		e.Source = s
		out = append(out, e)
	}
	return out
}

// tell hands over one event of a source, with the log judged up to now.
func (l *listener) tell(source string, at, now time.Time) {
	e := newTold(source)[0]
	e.Time, e.Late = at, at.Before(now)
	l.shared.hear(e, now.UnixNano())
	l.shared.tellOutages()
	l.take()
}

func (l *listener) take() {
	l.found = append(l.found, l.shared.found...)
	l.shared.found = l.shared.found[:0]
}

// TestABacklogFillsTheGap lets a source come back with what it had kept, at once or later.
func TestABacklogFillsTheGap(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, last int // minutes of the backlog's events, of sixty
		live        bool
		severity    vigil.Severity
		says        string
	}{
		"all of it, first":           {0, 60, false, vigil.SeverityLow, "Nothing seems to be lost"},
		"all of it, behind the news": {0, 60, true, vigil.SeverityLow, "Nothing seems to be lost"},
		"a part of it":               {40, 60, true, vigil.SeverityMedium, "Ask where the others are"},
		"nothing":                    {0, 0, true, vigil.SeverityMedium, "Nothing of that time has come"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newListener(t)
			stop := clockAt(4, 10, 0)
			l.quiet = func(_ string, at time.Time) bool { return !at.Before(stop) }
			l.live(rand.New(rand.NewPCG(5, 5)), map[string]beat{"it": rhythmsOfSources["one in five seconds"]}, firstDay, 4*24+11)
			if len(l.found) == 0 || l.found[0].State != vigil.StateOpen {
				t.Fatalf("not missed: %+v", l.found)
			}
			now := stop.Add(time.Hour)
			if c.live {
				l.tell("it", now.Add(time.Second), now)
			}
			for at := stop.Add(time.Duration(c.first) * time.Minute); at.Before(stop.Add(time.Duration(c.last) * time.Minute)); at = at.Add(5 * time.Second) {
				l.tell("it", at.Add(time.Second), now)
			}
			if !c.live {
				l.tell("it", now.Add(time.Second), now)
			}
			l.quiet = func(string, time.Time) bool { return false }
			l.live(rand.New(rand.NewPCG(6, 6)), map[string]beat{"it": rhythmsOfSources["one in five seconds"]}, now, 30)
			found := latestOf(l.found)
			if len(found) != 1 || found[0].State != vigil.StateClosed || found[0].Severity != c.severity || !strings.Contains(found[0].Sentence, c.says) {
				t.Errorf("%+v", found)
			}
			// What came late because it was kept is no lateness of the source's.
			if d := l.shared.rhythms.known["it"].delay(); d > int64(time.Minute) {
				t.Errorf("its events are taken for %s late", time.Duration(d))
			}
		})
	}
}

// TestOneWhoComesAndGoesIsOneFinding stops a source for five minutes of each twenty.
func TestOneWhoComesAndGoesIsOneFinding(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	l.quiet = func(_ string, at time.Time) bool {
		return !at.Before(clockAt(4, 10, 0)) && at.Before(clockAt(5, 10, 0)) && at.Minute()%20 < 5
	}
	l.live(rand.New(rand.NewPCG(5, 5)), map[string]beat{"it": rhythmsOfSources["one in five seconds"]}, firstDay, 7*24)
	found := latestOf(l.found)
	if len(found) != 1 || found[0].State != vigil.StateClosed {
		t.Fatalf("%+v", found)
	}
	if f := found[0]; f.Revision > 30 || !strings.Contains(f.Sentence, "72 silences in a row") {
		t.Errorf("%d revisions: %s", f.Revision, f.Sentence)
	}
}

// TestNobodyListened stops the listener itself: what sources could not tell is not their
// silence, but one that does not come back is missed.
func TestNobodyListened(t *testing.T) {
	t.Parallel()
	from, to := clockAt(4, 10, 0), clockAt(4, 12, 0)
	for name, back := range map[string]time.Duration{"at once": 10 * time.Second, "after a while": 50 * time.Minute, "never": 0} {
		for _, kept := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", kept ", kept), func(t *testing.T) {
				t.Parallel()
				l := newListener(t)
				beats := map[string]beat{"it": rhythmsOfSources["one in five seconds"], "other": rhythmsOfSources["one in five seconds"]}
				l.live(rand.New(rand.NewPCG(5, 5)), beats, firstDay, 4*24+10)
				l.shared.rhythms.absent(from.UnixNano(), to.UnixNano())
				l.shared.closeRhythms(from.Unix() / 3600)
				l.shared.closeRhythms(from.Unix()/3600 + 1)
				l.shared.heard = to.Unix() / 3600
				l.tell("other", to.Add(time.Second), to)
				l.quiet = func(source string, at time.Time) bool {
					return source == "it" && (back == 0 || at.Before(to.Add(back)))
				}
				if kept && back != 0 {
					for at := from; at.Before(to); at = at.Add(5 * time.Second) {
						l.tell("it", at.Add(time.Second), to.Add(30*time.Second))
					}
				}
				l.live(rand.New(rand.NewPCG(6, 6)), beats, to, 3)
				found := latestOf(l.found)
				if missed := len(found) > 0; missed != (back == 0) {
					t.Errorf("%+v", found)
				}
				if len(found) == 1 && found[0].Source != "it" {
					t.Errorf("%+v", found)
				}
				if d := l.shared.rhythms.known["it"].delay(); d > int64(time.Minute) {
					t.Errorf("its events are taken for %s late", time.Duration(d))
				}
			})
		}
	}
}

// TestASourceThatIsGoneIsForgotten closes what was told of it.
func TestASourceThatIsGoneIsForgotten(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	l.tick = 10 * time.Minute
	l.quiet = func(source string, at time.Time) bool { return source == "gone" && at.After(clockAt(4, 10, 0)) }
	l.live(rand.New(rand.NewPCG(5, 5)), map[string]beat{"gone": rhythmsOfSources["one in five seconds"], "it": rhythmsOfSources["hourly batch"]}, firstDay, 37*24)
	found := latestOf(l.found)
	if len(found) != 1 || found[0].State != vigil.StateClosed || l.shared.rhythms.known["gone"] != nil {
		t.Errorf("%+v", found)
	}
}
