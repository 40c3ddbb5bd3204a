package detector

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// BenchmarkSilence counts how often sources that go on as ever are told of as silent, and
// after how long one that stops is missed: by each rhythm, over 60 days of ten seeds, and
// after three weeks of ten others, stopped at ten in the morning.
func BenchmarkSilence(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(rhythmsOfSources)) {
		b.Run(name, func(b *testing.B) {
			seeds := uint64(10)
			if name == "five a second" {
				seeds = 1
			}
			for b.Loop() {
				found := 0
				var missed []time.Duration
				for seed := range seeds {
					l := newListener(b)
					l.tick = time.Minute
					l.live(rand.New(rand.NewPCG(seed, 7)), map[string]beat{name: rhythmsOfSources[name]}, firstDay, 60*24)
					found += len(latestOf(l.found))
					after, _ := stopped(b, 100+seed, rhythmsOfSources[name], firstDay, clockAt(21, 10, 0), 0, 20*24*time.Hour)
					missed = append(missed, cmp.Or(after, 1000*time.Hour))
				}
				slices.Sort(missed)
				b.ReportMetric(float64(found)/float64(2*seeds), "false/source-month")
				b.ReportMetric(missed[len(missed)/2].Minutes(), "minutes-to-miss")
				b.ReportMetric(missed[len(missed)-1].Minutes(), "minutes-at-most")
			}
		})
	}
}

// BenchmarkHear is what one event costs.
func BenchmarkHear(b *testing.B) {
	l := newListener(b)
	l.live(rand.New(rand.NewPCG(1, 1)), map[string]beat{"a": rhythmsOfSources["one in five seconds"], "b": rhythmsOfSources["one in ten minutes"]}, firstDay, 72)
	events := newTold("a", "b")
	at := firstDay.AddDate(0, 0, 3)
	for i := 0; b.Loop(); i++ {
		e := events[i%2]
		at = at.Add(time.Millisecond)
		e.Time = at
		l.shared.hear(e, at.UnixNano())
	}
}
