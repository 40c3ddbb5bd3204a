//go:build !race

package affinity_test

import (
	"bytes"
	"math"
	"testing"

	"vigil/models/affinity"
)

func TestABurstStandsOut(t *testing.T) {
	t.Parallel()
	e := model(t, affinity.Config{}).Edges()
	usual := 0.0
	tick := int64(1000)
	for ; tick < 1000+5*1440; tick++ {
		for i := range uint64(3) {
			s := e.Add(i, 100+i, tick)
			if tick > 1000+1440 {
				usual = max(usual, s)
			}
		}
	}
	burst := 0.0
	for range 50 {
		burst = e.Add(1, 101, tick)
	}
	if burst < 20*usual || burst < 20 {
		t.Errorf("a burst of fifty scores %v, the usual at most %v", burst, usual)
	}
}

// TestAFloodDoesNotBecomeUsual floods for hours, from the first tick on and after
// a quiet week: after four hours it must still be worth hundreds of nats.
func TestAFloodDoesNotBecomeUsual(t *testing.T) {
	t.Parallel()
	for _, quiet := range []int64{0, 7 * 1440} {
		e := model(t, affinity.Config{}).Edges()
		for tick := range quiet {
			e.Add(1, 2, tick)
		}
		var early, late float64
		for tick := quiet; tick < quiet+240; tick++ {
			for range 2000 {
				late = e.Add(1, 2, tick)
			}
			if tick == quiet+10 {
				early = late
			}
		}
		if late < 500 || late < early/12 {
			t.Errorf("after %d quiet ticks the flood scores %v at first and %v in the end", quiet, early, late)
		}
	}
}

// TestTheSteadyBecomesUsual has a new key come and stay, at a rate that is calm.
func TestTheSteadyBecomesUsual(t *testing.T) {
	t.Parallel()
	s := model(t, affinity.Config{}).Sketch()
	s.Begin(0)
	var first, last float64
	for tick := int64(10 * 1440); tick < 40*1440; tick++ {
		for range 10 {
			last = s.Add(7, tick)
		}
		if tick == 10*1440+60 {
			first = last
		}
	}
	if last > first/50 {
		t.Errorf("%v on the first day, %v after a month", first, last)
	}
}

// TestTheNightlyJobBecomesUsual has a job read five hundred times in the same two
// minutes each night, and someone else do so for the first time.
func TestTheNightlyJobBecomesUsual(t *testing.T) {
	t.Parallel()
	e := model(t, affinity.Config{}).Edges()
	var first, last, other float64
	for d := range int64(21) {
		for i := range int64(500) {
			last = e.Add(1, 2, d*day+60+i/250)
			if d == 20 {
				other = e.Add(3, 4, d*day+60+i/250)
			}
		}
		if d == 1 {
			first = last
		}
	}
	if last > first/10 || last > other/10 {
		t.Errorf("the job scores %v in its second night, %v after three weeks, another %v", first, last, other)
	}
}

func TestFanOutAndFanInStandOut(t *testing.T) {
	t.Parallel()
	m := model(t, affinity.Config{})
	for _, c := range []struct {
		name string
		edge func(i uint64) (src, dst uint64)
	}{
		{"one reads everything", func(i uint64) (uint64, uint64) { return 1, 1000 + i }},
		{"everyone reads one", func(i uint64) (uint64, uint64) { return 1000 + i, 1 }},
	} {
		// Each end is busy, so that its number of events is nothing new.
		e := m.Edges()
		tick := int64(0)
		for ; tick < 4*1440; tick++ {
			for i := range uint64(10) {
				e.Add(1, 500+i, tick)
				e.Add(500+i, 1, tick)
			}
		}
		same, fan := 0.0, 0.0
		for i := range uint64(10) {
			same = max(same, e.Add(1, 500+i, tick))
		}
		for i := range uint64(10) {
			src, dst := c.edge(i)
			fan = max(fan, e.Add(src, dst, tick))
		}
		if fan < 3*same {
			t.Errorf("%s: %v against %v", c.name, fan, same)
		}
	}
}

func run(tb testing.TB, e *affinity.Edges, n int) (scores []float64) {
	tb.Helper()
	src, dst, tick := skewed(n)
	for i := range src {
		scores = append(scores, e.Add(src[i], dst[i], tick[i]))
	}
	return scores
}

func TestTheSameEventsGiveTheSameScores(t *testing.T) {
	t.Parallel()
	m := model(t, affinity.Config{Limit: 1 << 12})
	a, b := m.Edges(), m.Edges()
	x, y := run(t, a, 50_000), run(t, b, 50_000)
	for i := range x {
		if x[i] != y[i] {
			t.Fatalf("event %d: %v and %v", i, x[i], y[i])
		}
	}
	if !bytes.Equal(encode(t, a.Sources), encode(t, b.Sources)) {
		t.Error("the states differ")
	}
}

// TestHalvesMakeTheWhole runs the ends apart, as two shards do.
func TestHalvesMakeTheWhole(t *testing.T) {
	t.Parallel()
	m := model(t, affinity.Config{})
	whole, source, destination := m.Edges(), m.Sketch(), m.Sketch()
	src, dst, tick := skewed(20_000)
	for i := range src {
		s, fresh := source.AddSource(src[i], dst[i], tick[i])
		d, _ := destination.AddFan(dst[i], tick[i], fresh)
		if got, want := affinity.Combine(s, d), whole.Add(src[i], dst[i], tick[i]); got != want {
			t.Fatalf("edge %d: %v in halves, %v at once", i, got, want)
		}
	}
}

func TestAFullSketchKeepsOldFriends(t *testing.T) {
	t.Parallel()
	const limit = 1 << 10
	s := model(t, affinity.Config{Limit: limit}).Sketch()
	for tick := range int64(1440) {
		for k := range uint64(50) {
			s.Add(k, tick)
		}
	}
	for i := range uint64(100_000) {
		s.Add(1_000_000+i, 1440+int64(i/100))
		if s.Slots() > limit || s.Len() > limit {
			t.Fatalf("%d keys in %d slots, at most %d", s.Len(), s.Slots(), limit)
		}
	}
	for k := range uint64(50) {
		if _, first := s.AddFan(k, 2500, false); first {
			t.Errorf("key %d was driven out by keys that came once", k)
		}
	}
	if s.Evicted() == 0 {
		t.Error("nothing was evicted")
	}
}

func TestASketchIsSmallWhenLittleUsed(t *testing.T) {
	t.Parallel()
	s := model(t, affinity.Config{}).Sketch()
	for k := range uint64(100) {
		s.Add(k, 1)
	}
	if bytes := 96 * s.Slots(); bytes > 32<<10 {
		t.Errorf("%d bytes for 100 keys", bytes)
	}
}

// TestTicksMayJump goes through clocks that no clock should show.
func TestTicksMayJump(t *testing.T) {
	t.Parallel()
	e := model(t, affinity.Config{}).Edges()
	const year = 525_600
	for _, tick := range []int64{0, 60, 60 + year, 59 + year, year, 3, math.MaxInt64, 5, math.MinInt64, -1, 100 * year, 0} {
		for range 100 {
			if s := e.Add(1, 2, tick); !(s >= 0) || math.IsInf(s, 0) {
				t.Fatalf("tick %d: score %v", tick, s)
			}
		}
	}
}

// TestASilentYearIsForgotten has a key come back as one that was never there.
func TestASilentYearIsForgotten(t *testing.T) {
	t.Parallel()
	s := model(t, affinity.Config{}).Sketch()
	for tick := range int64(30 * 1440) {
		s.Add(1, tick)
	}
	const back = 30*1440 + 10*525_600
	var known, unknown float64
	for range 20 {
		known, unknown = s.Add(1, back), s.Add(2, back)
	}
	if math.Abs(known-unknown) > 1e-3*unknown {
		t.Errorf("%v after ten years, %v for a key never seen", known, unknown)
	}
}

func TestCountsDoNotOverflow(t *testing.T) {
	t.Parallel()
	m := model(t, affinity.Config{})
	s := m.Sketch()
	s.Add(1, 0)
	st := s.State()
	for i := range st.Counts {
		st.Counts[i] = math.MaxFloat32
	}
	big, err := m.Restore(st)
	if err != nil {
		t.Fatal(err)
	}
	for tick := range int64(10) {
		if x := big.Add(1, tick); !(x >= 0) || math.IsInf(x, 0) {
			t.Fatalf("score %v", x)
		}
	}
	if err := big.Merge(big); err != nil {
		t.Fatal(err)
	}
	if x := big.Add(1, 10); !(x >= 0) || math.IsInf(x, 0) {
		t.Fatalf("score %v after merging", x)
	}
	if _, err := m.Restore(big.State()); err != nil {
		t.Errorf("its own state is refused: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]affinity.Config{
		"day":       {Day: -1},
		"slow":      {Slow: 1},
		"half-life": {HalfLife: -5},
		"calm":      {Calm: math.NaN()},
		"calm inf":  {Calm: math.Inf(1)},
		"limit":     {Limit: 10},
	} {
		if _, err := affinity.New(cfg); err == nil {
			t.Errorf("took a bad %s", name)
		}
	}
}

func TestCombineIsTheLargest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parts []float64
		want  float64
	}{
		{nil, 0},
		{[]float64{1, 3, 2}, 3},
		{[]float64{math.NaN(), 2, math.NaN()}, 2},
		{[]float64{-1}, 0},
	} {
		if got := affinity.Combine(c.parts...); got != c.want {
			t.Errorf("%v: %v, want %v", c.parts, got, c.want)
		}
	}
}
