//go:build unix

package detector_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"vigil"
	"vigil/detector"
)

// cpuTime is what the process has used of the processor.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// live is the memory that is in use after a collection, in bytes.
func live() float64 {
	runtime.GC()
	runtime.GC() // what pools held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// town is actors who read about customers. Visitors come once in so many days;
// regulars come daily, each for a number of hours, with some events in a row in
// each. The first of the visitors are the regulars, too.
type town struct {
	visitors, regulars int
	days, hours, burst int
	customers          int
}

// each yields the town's events hour by hour.
func (w town) each(tb testing.TB, fold func([]*vigil.Event)) (events int) {
	tb.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	read := func(who int, at time.Time) *vigil.Event {
		e := vigil.NewEvent()
		e.Time, e.Source, e.Action = at, "portal", vigil.ActionRead
		e.Actor = vigil.Actor{ID: fmt.Sprintf("reader-%07d", who), Kind: vigil.KindHuman, Role: "reader"}
		e.Store, e.Resource = "desk", fmt.Sprint("table-", (who+r.IntN(3))%20)
		e.Network, e.UserAgent, e.Shape = fmt.Sprintf("192.0.%d.0/24", who%250), "web", fmt.Sprint("q", (who+r.IntN(2))%30)
		e.Subjects = []string{fmt.Sprint("customer-", (who*7+r.IntN(40))%w.customers)}
		e.Rows, e.Bytes = int64(1+r.IntN(5)), int64(200+r.IntN(900))
		return e
	}
	hours := w.days * 24
	for h := range hours {
		begin := hostileStart.Add(time.Duration(h) * time.Hour)
		var who []int
		for k := w.visitors * h / hours; k < w.visitors*(h+1)/hours; k++ {
			who = append(who, k*7919%w.visitors)
		}
		for k := range w.regulars {
			if (h+24-k%24)%24 >= w.hours {
				continue
			}
			for range w.burst {
				who = append(who, k)
			}
		}
		out := make([]*vigil.Event, len(who))
		for i, k := range who {
			out[i] = read(k, begin.Add(time.Hour/time.Duration(len(who))*time.Duration(i)))
		}
		events += len(out)
		fold(out)
	}
	return events
}

// BenchmarkMillionActors is a measure of memory and of scale: a million actors, one
// in ten of them daily and each of the others once, against a thousand who work
// eight hours a day. It logs the live memory after a collection, and the processor
// time for each event, generating them not counted.
//
//	go test ./detector -run '^$' -bench MillionActors -benchtime 1x -v
func BenchmarkMillionActors(b *testing.B) {
	cost := func(w town) (perEvent time.Duration, bytes float64, st detector.Status) {
		before := live()
		e, err := detector.New(detector.Config{}, detector.Options{Workers: 1})
		if err != nil {
			b.Fatal(err)
		}
		used := time.Duration(0)
		n := w.each(b, func(events []*vigil.Event) {
			from := cpuTime(b)
			if _, err := e.Fold(entry(events)); err != nil {
				b.Fatal(err)
			}
			used += cpuTime(b) - from
		})
		bytes = live() - before
		st = e.Status()
		runtime.KeepAlive(e)
		b.Logf("%d actors, %d events: %s an event, %.0f MB; %d hot, %d cold, %d gone",
			max(w.visitors, w.regulars), n, used/time.Duration(n), bytes/1e6, st.Hot, st.Cold, st.Gone)
		return used / time.Duration(n), bytes, st
	}
	for b.Loop() {
		few, _, _ := cost(town{regulars: 1000, days: 5, hours: 8, burst: 4, customers: 100_000})
		many, bytes, st := cost(town{visitors: 1_000_000, regulars: 100_000, days: 5, hours: 1, burst: 4, customers: 100_000})
		b.ReportMetric(bytes/float64(st.Actors), "B/actor")
		b.ReportMetric(bytes/1e6, "MB")
		b.ReportMetric(float64(many.Nanoseconds()), "cpu-ns/event")
		b.ReportMetric(float64(many)/float64(few), "cost/thousand")
	}
}

// BenchmarkHotActor is a measure of memory: what an actor takes that has worked for
// two weeks.
//
//	go test ./detector -run '^$' -bench HotActor -benchtime 1x
func BenchmarkHotActor(b *testing.B) {
	measure := func(actors int) float64 {
		before := live()
		e, err := detector.New(detector.Config{}, detector.Options{})
		if err != nil {
			b.Fatal(err)
		}
		w := town{regulars: actors, days: 14, hours: 1, burst: 6, customers: 5000}
		w.each(b, func(events []*vigil.Event) {
			if _, err := e.Fold(entry(events)); err != nil {
				b.Fatal(err)
			}
		})
		after := live() - before
		if st := e.Status(); st.Hot != actors {
			b.Fatalf("%d hot actors, want %d", st.Hot, actors)
		}
		runtime.KeepAlive(e)
		return after
	}
	for b.Loop() {
		few, many := measure(2000), measure(20_000)
		b.ReportMetric((many-few)/18_000, "B/actor")
	}
}
