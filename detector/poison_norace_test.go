//go:build !race

package detector_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/traffic"
)

// TestPoisonsDoNotHideTheThefts stages each poisoning in a small world. The
// benchmark says in how many worlds and how soon; here it must be found at all,
// and nobody else be blamed for it.
func TestPoisonsDoNotHideTheThefts(t *testing.T) {
	t.Parallel()
	for poison, c := range map[traffic.Poison]struct {
		cfg  traffic.Config
		days float64 // until it is found, at most
	}{
		traffic.SlowRamp:    {traffic.Config{Events: 60_000, Actors: 32, Days: 112, Seed: 5}, 88},
		traffic.Chaff:       {traffic.Config{Events: 30_000, Actors: 32, Days: 35, Seed: 5}, 1},
		traffic.LoudMember:  {traffic.Config{Events: 30_000, Actors: 32, Days: 35, Seed: 5}, 1},
		traffic.OpenFinding: {traffic.Config{Events: 50_000, Actors: 32, Days: 77, Seed: 5}, 42},
	} {
		t.Run(string(poison), func(t *testing.T) {
			t.Parallel()
			r := stagePoison(t, poison, c.cfg)
			if r.first.IsZero() {
				t.Fatalf("the theft by %s from %s on was not found", r.Actor, r.Theft)
			}
			if d := r.first.Sub(r.Theft).Hours() / 24; d > c.days {
				t.Errorf("found after %.1f days, at most %.0f", d, c.days)
			}
			// One a month is the budget of so few; twice that is within its promise.
			if most := max(3, c.cfg.Days/15); r.others > most {
				t.Errorf("%d findings about others, at most %d", r.others, most)
			}
			if left := r.End.Sub(r.last); poison == traffic.OpenFinding && left > 7*24*time.Hour {
				t.Errorf("the theft goes on, and the last evidence is %s before its end", left)
			}
			t.Logf("found after %.1f days and %d customers of %d; evidence until %.0f days before the end; %d findings about others",
				r.first.Sub(r.Theft).Hours()/24, r.customers, r.Subjects, r.End.Sub(r.last).Hours()/24, r.others)
		})
	}
}

// TestHonestGrowthIsNoDrift: newcomers who come up to speed, the end of the month,
// and a team that all grows busier.
func TestHonestGrowthIsNoDrift(t *testing.T) {
	t.Parallel()
	cfg := traffic.Config{Events: 50_000, Actors: 32, Days: 98, Seed: 9}
	for name, set := range map[string]traffic.Set{
		"newcomers and the month's end": traffic.SetOf(traffic.Joiners, traffic.MonthEnd, traffic.Leavers, traffic.LongLeave, traffic.Tickets),
		"a busy team":                   0,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := cfg
			cfg.Happenings = set
			events := makeDesk(t, cfg, false).events
			if set == 0 {
				events = busier(events, 30)
			}
			all := judge(t, newEngine(t, 2), events, always(4096))
			for _, f := range drifted(all) {
				t.Errorf("a finding about %s: %s", f.Actor, f.Sentence)
			}
			// The budget is one a month; seven have one chance in twenty.
			if n := len(latest(all)); n > 6 {
				t.Errorf("%d findings, at most 6", n)
			}
		})
	}
}

// drifted are the findings to which a drift brought the most.
func drifted(all []vigil.Finding) (out []vigil.Finding) {
	for _, f := range latest(all) {
		if len(f.Contributions) > 0 && f.Contributions[0].Observation == "drift" {
			out = append(out, f)
		}
	}
	return out
}

// busier has all agents do 1% more each day from a day on, of the same kind and at
// the same hours.
func busier(events []*vigil.Event, from int) []*vigil.Event {
	out := slices.Clone(events)
	start := events[0].Time.Truncate(24 * time.Hour)
	carry := map[string]float64{}
	for i, e := range events {
		day := int(e.Time.Sub(start).Hours()/24) - from
		if e.Actor.Role != "agent" || day < 0 {
			continue
		}
		carry[e.Actor.ID] += math.Pow(1.01, float64(day+1)) - 1
		for n := 0; carry[e.Actor.ID] >= 1; n++ {
			carry[e.Actor.ID]--
			more := *e
			more.ID += "-more" + strings.Repeat("+", n)
			more.Time = e.Time.Add(time.Duration(1+i%7+n) * time.Second)
			out = append(out, &more)
		}
	}
	slices.SortStableFunc(out, func(a, b *vigil.Event) int { return a.Time.Compare(b.Time) })
	return out
}
