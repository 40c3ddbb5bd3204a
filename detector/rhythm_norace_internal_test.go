//go:build !race

package detector

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
)

// Sources that go on as ever are hardly ever told of as silent: at most once in a
// source's month, and all of them together far less often.
func TestRhythmsAreNoSilence(t *testing.T) {
	t.Parallel()
	for name, b := range rhythmsOfSources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seeds, days := uint64(1), 30
			if os.Getenv("VIGIL_TORTURE") != "" {
				seeds = 4
			}
			if name == "five a second" {
				seeds, days = 1, 5
			}
			all := 0
			for seed := range seeds {
				l := newListener(t)
				l.live(rand.New(rand.NewPCG(seed, 7)), map[string]beat{name: b}, firstDay, days*24)
				found := latestOf(l.found)
				all += len(found)
				for _, f := range found {
					t.Logf("seed %d: %s", seed, f.Sentence)
				}
			}
			if all > 1 {
				t.Errorf("%d findings in %d source-months", all, seeds)
			}
		})
	}
}

// A source that tells nothing more is missed, by its own rhythm.
func TestSilenceIsFound(t *testing.T) {
	t.Parallel()
	busy, growing := rhythmsOfSources["five a second"], firstDay
	for name, c := range map[string]struct {
		beat            beat
		begin, from     time.Time
		gap             time.Duration // zero for good
		soonest, latest time.Duration // after its last event; zero for never
	}{
		"five a second, by day":      {busy, growing, clockAt(2, 10, 30), 2 * time.Minute, 2 * time.Minute, 2*time.Minute + 10*time.Second},
		"five a second, by night":    {busy, growing, clockAt(3, 3, 7), 2 * time.Minute, 2 * time.Minute, 2*time.Minute + 10*time.Second},
		"five a second, on Saturday": {busy, clockAt(3, 0, 0), clockAt(5, 11, 30), 2 * time.Minute, 2 * time.Minute, 2*time.Minute + 10*time.Second},
		"too young to be judged":     {busy, growing, clockAt(1, 10, 0), time.Hour, 0, 0},
		"a pause of a minute":        {busy, growing, clockAt(3, 10, 0), time.Minute, 0, 0},
		"one in five seconds":        {rhythmsOfSources["one in five seconds"], growing, clockAt(12, 10, 0), 0, 2 * time.Minute, 4 * time.Minute},
		"desk at ten":                {rhythmsOfSources["desk in office hours"], growing, clockAt(11, 10, 0), 0, 2 * time.Minute, 6 * time.Minute},
		"small desk at ten":          {rhythmsOfSources["small desk"], growing, clockAt(11, 10, 0), 0, 5 * time.Minute, 3 * time.Hour},
		"desk that does not begin":   {rhythmsOfSources["desk in office hours"], growing, clockAt(11, 1, 0), 0, 15 * time.Hour, 17 * time.Hour},
		"nightly run stays out":      {rhythmsOfSources["nightly export"], growing, clockAt(14, 1, 0), 0, 24 * time.Hour, 27 * time.Hour},
		"hourly batch stays out":     {rhythmsOfSources["hourly batch"], growing, clockAt(14, 10, 30), 0, 65 * time.Minute, 2 * time.Hour},
		"batch of a quarter":         {rhythmsOfSources["batch each quarter of an hour"], growing, clockAt(14, 10, 10), 0, 15 * time.Minute, 30 * time.Minute},
		"bursts":                     {rhythmsOfSources["bursts"], growing, clockAt(14, 10, 0), 0, time.Hour, 12 * time.Hour},
		"one in ten minutes":         {rhythmsOfSources["one in ten minutes"], growing, clockAt(14, 10, 0), 0, time.Hour, 8 * time.Hour},
		"three a day":                {rhythmsOfSources["three a day"], growing, clockAt(20, 10, 0), 0, 24 * time.Hour, 20 * 24 * time.Hour},
		"weekday run, on Tuesday":    {rhythmsOfSources["weekday export"], growing, clockAt(22, 20, 0), 0, 24 * time.Hour, 28 * time.Hour},
		"weekday run, on Monday":     {rhythmsOfSources["weekday export"], growing, clockAt(28, 20, 0), 0, 72 * time.Hour, 78 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after, l := stopped(t, 3, c.beat, c.begin, c.from, c.gap, max(2*time.Hour, c.latest))
			for _, f := range l.found {
				t.Log(f.State, f.Severity, f.Sentence, f.Counterfactual)
			}
			if after < c.soonest || after > c.latest {
				t.Errorf("missed %s after its last event, want %s to %s", after, c.soonest, c.latest)
			}
			if all := latestOf(l.found); len(all) > 1 || c.gap != 0 && len(all) == 1 && all[0].State != vigil.StateClosed {
				t.Errorf("%+v", all)
			}
		})
	}
}

// TestSourcesFallSilentTogether is about what is one happening and one finding.
func TestSourcesFallSilentTogether(t *testing.T) {
	t.Parallel()
	desk, bot := rhythmsOfSources["desk in office hours"], rhythmsOfSources["one in five seconds"]
	holiday := func(d int) func(string, time.Time) bool {
		return func(source string, at time.Time) bool {
			return source != "bot" && !at.Before(clockAt(d, 0, 0)) && at.Before(clockAt(d+1, 0, 0))
		}
	}
	stop := func(sources ...string) func(string, time.Time) bool {
		return func(source string, at time.Time) bool {
			return slices.Contains(sources, source) && !at.Before(clockAt(15, 10, 20)) && at.Before(clockAt(15, 12, 0))
		}
	}
	all := map[string]beat{"crm": atRandom(workingHours(300)), "desk": desk, "bot": bot, "mail": atRandom(workingHours(900))}
	people := map[string]beat{"crm": all["crm"], "desk": all["desk"], "mail": all["mail"]}
	for name, c := range map[string]struct {
		beats    map[string]beat
		quiet    func(string, time.Time) bool
		sources  []string // of the only finding
		severity vigil.Severity
		says     string
	}{
		"everything stops":       {all, stop("bot", "crm", "desk", "mail"), []string{"bot", "crm", "desk", "mail"}, vigil.SeverityHigh, "any of the 4 sources"},
		"two of four stop":       {all, stop("crm", "mail"), []string{"crm", "mail"}, vigil.SeverityMedium, "Nothing came from 2 sources (crm, mail)"},
		"one of four stops":      {all, stop("crm"), []string{"crm"}, vigil.SeverityMedium, "Source crm told nothing"},
		"a holiday of the desk":  {people, holiday(15), []string{"crm", "desk", "mail"}, vigil.SeverityLow, "any of the 3 sources"},
		"a holiday, with robots": {all, holiday(15), []string{"crm", "desk", "mail"}, vigil.SeverityMedium, "Nothing came from 3 sources"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newListener(t)
			l.quiet = c.quiet
			l.live(rand.New(rand.NewPCG(5, 5)), c.beats, firstDay, 18*24)
			found := latestOf(l.found)
			if len(found) != 1 {
				t.Fatalf("%d findings: %+v", len(found), found)
			}
			f := found[0]
			names := f.Sources
			if names == nil {
				names = []string{f.Source}
			}
			if !slices.Equal(names, c.sources) || f.Severity != c.severity || f.State != vigil.StateClosed || !strings.Contains(f.Sentence, c.says) {
				t.Errorf("%s %s %v: %s", f.State, f.Severity, names, f.Sentence)
			}
			t.Log(f.Revision, f.Sentence)
		})
	}
}
