package detector_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"vigil"
	"vigil/internal/traffic"
)

// poisonWorlds are the worlds in which poisonings are staged: long enough for a
// ramp of ninety days or a theft of weeks, and with twelve agents for a group.
var poisonWorlds = map[traffic.Poison]traffic.Config{
	traffic.SlowRamp:    {Events: 150_000, Actors: 40, Days: 120},
	traffic.Chaff:       {Events: 60_000, Actors: 40, Days: 42},
	traffic.LoudMember:  {Events: 60_000, Actors: 40, Days: 42},
	traffic.OpenFinding: {Events: 80_000, Actors: 40, Days: 63},
}

// poisoned is how a staged poisoning went.
type poisoned struct {
	traffic.Poisoned
	// first is when the thief was first found once the theft had begun, zero for
	// never; customers were read by name until then.
	first     time.Time
	customers int
	// early are findings about the poisoner before the theft, others those about
	// somebody else.
	early, others int
	// last is the last evidence against the thief, weeks those of the theft in
	// which there was any.
	last time.Time
	told []vigil.Finding
}

// stagePoison stages a poisoning in a world of its own and judges it.
func stagePoison(tb testing.TB, p traffic.Poison, cfg traffic.Config) poisoned {
	tb.Helper()
	w, err := traffic.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	staged, err := w.Poison(traffic.PoisonStage{Poison: p})
	if err != nil {
		tb.Fatal(err)
	}
	w.Inject(staged.Events...)
	var events []*vigil.Event
	for e := range w.Events() {
		events = append(events, e)
	}
	out := poisoned{Poisoned: staged}
	seen, others, early := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, f := range judge(tb, newEngine(tb, 2), events, always(4096)) {
		switch {
		case f.Actor != staged.Actor && f.Actor != staged.Loud:
			others[f.ID] = true
		case f.Detected.Before(staged.Theft):
			early[f.ID] = true
		}
		if f.Actor != staged.Actor {
			continue
		}
		out.told = append(out.told, f)
		// A finding that was open before says so again when the theft makes it grow.
		if at := f.Detected; !at.Before(staged.Theft) && at.Before(staged.End.Add(48*time.Hour)) && (out.first.IsZero() || at.Before(out.first)) {
			out.first = at
		}
		if f.End.After(out.last) {
			out.last = f.End
		}
	}
	out.early, out.others = len(early), len(others)
	for _, e := range staged.Events {
		if e.Actor.ID == staged.Actor && !e.Time.Before(staged.Theft) && !out.first.IsZero() && !e.Time.After(out.first) {
			for _, s := range e.Subjects {
				seen[s] = true
			}
		}
	}
	out.customers = len(seen)
	return out
}

// BenchmarkPoisoning is a measure of quality, not of speed: each poisoning in ten
// worlds. It logs in how many the theft was found, after how long and how many
// customers; and how many findings were about somebody else.
//
//	go test ./detector -run '^$' -bench Poisoning -benchtime 1x -v
func BenchmarkPoisoning(b *testing.B) {
	const worlds = 10
	for b.Loop() {
		total := 0
		for _, p := range traffic.Poisons() {
			var delays []time.Duration
			var customers []int
			early, others, goes := 0, 0, 0
			for seed := uint64(301); seed < 301+worlds; seed++ {
				cfg := poisonWorlds[p]
				cfg.Seed = seed
				r := stagePoison(b, p, cfg)
				others += r.others
				if r.early > 0 {
					early++
				}
				if r.first.IsZero() {
					continue
				}
				delays = append(delays, r.first.Sub(r.Theft))
				customers = append(customers, r.customers)
				if r.End.Sub(r.last) < 7*24*time.Hour {
					goes++
				}
			}
			n := len(delays)
			total += n
			line := fmt.Sprintf("%-12s found in %d of %d worlds", p, n, worlds)
			if n > 0 {
				slices.Sort(delays)
				slices.Sort(customers)
				line += fmt.Sprintf(", median %.1f days after it began, %d customers read by name; evidence until the last week in %d", delays[n/2].Hours()/24, customers[n/2], goes)
			}
			b.Logf("%s; poisoner found before in %d; %d findings about others in %d days", line, early, others, worlds*poisonWorlds[p].Days)
		}
		b.ReportMetric(float64(total)/float64(worlds*len(traffic.Poisons())), "found/theft")
	}
}
