package detector_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
)

var healthStart = time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC)

// lived is the log of a bot that reads something every so often, by day and night, with a
// tick each ten seconds, half a minute behind. It stops for good after a while, or for a
// gap only, and the clock goes on.
func lived(every time.Duration, stop, gap, span time.Duration, sources ...string) (log []vigil.Entry) {
	r := rand.New(rand.NewPCG(1, 2))
	next := make([]time.Time, len(sources))
	for i := range next {
		next[i] = healthStart
	}
	off := func(i int, at time.Time) bool {
		return i == 0 && !at.Before(healthStart.Add(stop)) && (gap == 0 || at.Before(healthStart.Add(stop+gap)))
	}
	n := 0
	for now := healthStart; now.Before(healthStart.Add(span)); now = now.Add(10 * time.Second) {
		for i, source := range sources {
			var events []*vigil.Event
			for ; next[i].Before(now); next[i] = next[i].Add(time.Duration(r.ExpFloat64() * float64(every))) {
				if off(i, next[i]) {
					continue
				}
				n++
				e := vigil.NewEvent()
				e.ID, e.Time, e.Source, e.Action, e.Store = fmt.Sprint(n), next[i], source, vigil.ActionRead, source
				e.Actor, e.Resource = vigil.Actor{ID: "bot-" + source, Kind: vigil.KindBot}, "messages"
				events = append(events, e)
			}
			if len(events) > 0 {
				log = append(log, vigil.Entry{Kind: vigil.EntryEvents, Source: source, Events: events})
			}
		}
		log = append(log, vigil.Entry{Kind: vigil.EntryTick, Tick: vigil.Tick{Watermark: now.Add(-30 * time.Second)}})
	}
	return log
}

// replayed folds a log and returns what was found of sources. At the entry of the number
// it goes on with an engine that was restored from the one before; zero for never.
func replayed(t *testing.T, workers int, log []vigil.Entry, restart int) (found []vigil.Finding) {
	t.Helper()
	e := newEngine(t, workers)
	for i := range log {
		if i == restart && restart != 0 {
			parts, err := e.Snapshot(true)
			if err != nil {
				t.Fatal(err)
			}
			e = newEngine(t, workers)
			if err := e.Restore(parts); err != nil {
				t.Fatal(err)
			}
		}
		entry := log[i]
		entry.Events = clones(entry.Events)
		told, err := e.Fold(&entry)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range told {
			if f.About == vigil.AboutSource {
				found = append(found, f)
			}
		}
	}
	return found
}

func lapseEntry(tb testing.TB, l vigil.Lapse) vigil.Entry {
	tb.Helper()
	data, err := json.Marshal(l)
	if err != nil {
		tb.Fatal(err)
	}
	return vigil.Entry{Kind: vigil.EntryControl, Source: l.Source, Control: vigil.Control{Type: vigil.ControlLapse, Data: data}}
}

func TestLapsesBecomeFindings(t *testing.T) {
	t.Parallel()
	at := func(minutes int) time.Time { return healthStart.Add(time.Duration(minutes) * time.Minute) }
	lapse := func(kind vigil.LapseKind, minute int, missing int64) vigil.Lapse {
		return vigil.Lapse{Source: "pg", Kind: kind, Start: at(minute - 1), End: at(minute), Missing: missing, Text: "Seen at the server."}
	}
	many := func(n int, l vigil.Lapse) (all []vigil.Lapse) {
		for i := range n {
			x := l
			x.End = x.End.Add(time.Duration(i) * time.Minute)
			all = append(all, x)
		}
		return all
	}
	for name, c := range map[string]struct {
		lapses   []vigil.Lapse
		findings int
		severity vigil.Severity
		says     string
	}{
		"a small hole":              {[]vigil.Lapse{lapse(vigil.LapseHole, 5, 3)}, 1, vigil.SeverityLow, "3 records missing"},
		"holes add up":              {many(4, lapse(vigil.LapseHole, 5, 300)), 1, vigil.SeverityMedium, "4 holes in the numbers of its records, 1,200 records missing"},
		"a large one":               {[]vigil.Lapse{lapse(vigil.LapseHole, 5, 30_000)}, 1, vigil.SeverityHigh, "30,000 records missing"},
		"of unknown size":           {[]vigil.Lapse{lapse(vigil.LapseDropped, 5, vigil.Unknown)}, 1, vigil.SeverityMedium, "nobody can tell how many"},
		"known and not":             {[]vigil.Lapse{lapse(vigil.LapseDropped, 5, vigil.Unknown), lapse(vigil.LapseDropped, 6, 40)}, 1, vigil.SeverityMedium, "at least 40 records"},
		"auditing switched off":     {[]vigil.Lapse{lapse(vigil.LapseUnaudited, 5, vigil.Unknown)}, 1, vigil.SeverityHigh, "Auditing was switched off"},
		"a forged stream":           {[]vigil.Lapse{lapse(vigil.LapseForged, 5, 0)}, 1, vigil.SeverityHigh, "not its own stream"},
		"a reset":                   {[]vigil.Lapse{lapse(vigil.LapseReset, 5, 0)}, 1, vigil.SeverityLow, "began anew"},
		"a clock that jumps about":  {many(12, lapse(vigil.LapseClock, 5, 0)), 1, vigil.SeverityMedium, "12 jumps of its clock"},
		"what can't be read":        {[]vigil.Lapse{lapse(vigil.LapseUnread, 5, 80)}, 1, vigil.SeverityMedium, "80 records set aside"},
		"two kinds":                 {[]vigil.Lapse{lapse(vigil.LapseHole, 5, 1), lapse(vigil.LapseReset, 5, 0)}, 2, "", ""},
		"again after a day":         {[]vigil.Lapse{lapse(vigil.LapseHole, 5, 1), lapse(vigil.LapseHole, 5+24*60, 1)}, 2, "", ""},
		"again within the day":      {[]vigil.Lapse{lapse(vigil.LapseHole, 5, 1), lapse(vigil.LapseHole, 4+24*60, 1)}, 1, vigil.SeverityLow, "2 holes"},
		"a flood":                   {many(1000, lapse(vigil.LapseHole, 5, 1)), 1, vigil.SeverityMedium, ""},
		"a kind that nobody knows":  {[]vigil.Lapse{{Source: "pg", Kind: "odd", End: at(5)}}, 0, "", ""},
		"one of no source":          {[]vigil.Lapse{{Kind: vigil.LapseHole, End: at(5)}}, 0, "", ""},
		"more than can be summed":   {many(3, lapse(vigil.LapseHole, 5, 1<<62)), 1, vigil.SeverityHigh, ""},
		"a beginning after its end": {[]vigil.Lapse{{Source: "pg", Kind: vigil.LapseHole, Start: at(9), End: at(5), Missing: 2}}, 1, vigil.SeverityLow, "2 records"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log []vigil.Entry
			for _, l := range c.lapses {
				log = append(log, lapseEntry(t, l))
			}
			found := replayed(t, 1, log, 0)
			all := latest(found)
			if len(all) != c.findings {
				t.Fatalf("%d findings, want %d", len(all), c.findings)
			}
			if len(found) > 40 {
				t.Errorf("told %d times", len(found))
			}
			for _, f := range all {
				if f.Source != "pg" || f.Counterfactual == "" || len(f.Contributions) != 1 || f.Harm <= 0 || f.End.Before(f.Start) {
					t.Errorf("%+v", f)
				}
				if c.findings == 1 && (f.Severity != c.severity || !strings.Contains(f.Sentence, c.says)) {
					t.Errorf("%s: %s", f.Severity, f.Sentence)
				}
			}
			if len(log) > 1 {
				if diff := cmp.Diff(found, replayed(t, 2, log, len(log)-1)); diff != "" {
					t.Error("after a restart: ", diff)
				}
			}
		})
	}
}

// TestLapsesClose lets a day go by, and bounds those that are remembered.
func TestLapsesClose(t *testing.T) {
	t.Parallel()
	log := lived(time.Minute, 40*time.Hour, time.Second, 40*time.Hour, "bot")
	log = slices.Insert(log, 900, lapseEntry(t, vigil.Lapse{Source: "bot", Kind: vigil.LapseHole, End: healthStart.Add(2 * time.Hour), Missing: 7}))
	found := replayed(t, 1, log, 0)
	if len(found) != 2 || found[1].State != vigil.StateClosed || found[1].ID != found[0].ID {
		t.Errorf("%+v", found)
	}
	var flood []vigil.Entry
	for i := range 3000 {
		flood = append(flood, lapseEntry(t, vigil.Lapse{Source: fmt.Sprint("s", i), Kind: vigil.LapseHole, End: healthStart.Add(time.Duration(i) * time.Second), Missing: 7}))
	}
	closed := 0
	for _, f := range latest(replayed(t, 1, flood, 0)) {
		if f.State == vigil.StateClosed {
			closed++
		}
	}
	if closed != 3000-1024 {
		t.Errorf("%d are closed", closed)
	}
}
