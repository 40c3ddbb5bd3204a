package detector_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"vigil"
	"vigil/internal/traffic"
)

// BenchmarkDetection is a measure of quality, not of speed: five staged breaches
// in each of ten worlds of fifty actors and five weeks. It logs, for each breach,
// in how many worlds it was found, after how long and how many customers; and
// how many findings were about nothing.
//
//	go test ./detector -run '^$' -bench Detection -benchtime 1x -v
func BenchmarkDetection(b *testing.B) {
	detection(b, func(events []*vigil.Event) []*vigil.Event { return events })
}

// BenchmarkRolesWithheld is the same where nobody says who is what, so that groups
// are learnt; and where everybody is of one role, so that everyone is the only
// frame beside an actor's own past.
//
//	go test ./detector -run '^$' -bench RolesWithheld -benchtime 1x -v
func BenchmarkRolesWithheld(b *testing.B) {
	b.Run("learned", func(b *testing.B) {
		detection(b, func(events []*vigil.Event) []*vigil.Event { return withheld(events, noKind) })
	})
	b.Run("learned within kinds", func(b *testing.B) {
		detection(b, func(events []*vigil.Event) []*vigil.Event { return withheld(events, ownKind) })
	})
	b.Run("one for all", func(b *testing.B) {
		detection(b, func(events []*vigil.Event) []*vigil.Event {
			out := withheld(events, noKind)
			for _, e := range out {
				e.Actor.Role = "all"
			}
			return out
		})
	})
}

// detection judges the worlds, their events altered, and logs what was found.
func detection(b *testing.B, alter func([]*vigil.Event) []*vigil.Event) {
	b.Helper()
	const worlds, actors, days = 10, 50, 35
	for b.Loop() {
		delays := map[traffic.Threat][]time.Duration{}
		exposed := map[traffic.Threat][]int{}
		false_ := 0
		for seed := uint64(101); seed < 101+worlds; seed++ {
			d := makeDesk(b, traffic.Config{Events: 300_000, Actors: actors, Days: days, Seed: seed}, true)
			found := map[string]vigil.Finding{} // the first word on each
			for _, f := range judge(b, newEngine(b, 0), alter(d.events), always(4096)) {
				if _, ok := found[f.ID]; !ok {
					found[f.ID] = f
				}
			}
			of := map[string]bool{}
			for _, breach := range d.breaches {
				first := time.Time{}
				for id, f := range found {
					if f.Actor == breach.Actor && !f.Detected.Before(breach.Start) && f.Detected.Before(breach.End.Add(24*time.Hour)) {
						of[id] = true
						if first.IsZero() || f.Detected.Before(first) {
							first = f.Detected
						}
					}
				}
				if first.IsZero() {
					continue
				}
				seen := map[string]bool{}
				for _, e := range breach.Events {
					if !e.Time.After(first) {
						for _, s := range e.Subjects {
							seen[s] = true
						}
					}
				}
				delays[breach.Threat] = append(delays[breach.Threat], first.Sub(breach.Start))
				exposed[breach.Threat] = append(exposed[breach.Threat], len(seen))
			}
			false_ += len(found) - len(of)
		}
		total := 0
		for _, t := range traffic.Threats() {
			n := len(delays[t])
			total += n
			line := fmt.Sprintf("%-13s found in %d of %d worlds", t, n, worlds)
			if n > 0 {
				slices.Sort(delays[t])
				slices.Sort(exposed[t])
				line += fmt.Sprintf(", median %s after it began, %d customers read by name", delays[t][n/2].Round(time.Second), exposed[t][n/2])
			}
			b.Log(line)
		}
		perDay := float64(false_) / (worlds * days) / (actors / 1000.0)
		b.Logf("%d findings about nothing: %.2f a day for each 1,000 actors", false_, perDay)
		b.ReportMetric(float64(total)/float64(worlds*len(traffic.Threats())), "found/breach")
		b.ReportMetric(perDay, "false/1000actors/day")
	}
}
