//go:build !race

package affinity_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"vigil/models/affinity"
)

const day = 1440

// office has forty actors log in from their two networks each, most days, with a
// slip now and then, and returns the largest score of the last week.
func office(s *affinity.Sources, days int64) (most float64) {
	r := rand.New(rand.NewPCG(3, 4))
	for d := range days {
		for minute := int64(480); minute < 1080; minute += 10 {
			actor := r.Uint64N(40)
			x := s.Add(1000+2*actor+r.Uint64N(2), actor, r.IntN(20) == 0, d*day+minute)
			if d >= days-7 {
				most = max(most, x)
			}
		}
	}
	return most
}

func TestWhatSourcesAreRare(t *testing.T) {
	t.Parallel()
	const at = 30*day + 600
	for _, c := range []struct {
		name string
		part func(p affinity.Parts) float64
		// act returns the parts of the last event.
		act func(s *affinity.Sources) affinity.Parts
		// more than so many nats.
		want float64
	}{
		{"a network nobody came from", func(p affinity.Parts) float64 { return p.Network },
			func(s *affinity.Sources) affinity.Parts { return s.Judge(7, 3, false, at) }, 2},
		{"a colleague's network", func(p affinity.Parts) float64 { return p.Pair },
			func(s *affinity.Sources) affinity.Parts { return s.Judge(1000, 3, false, at) }, 2},
		{"an unheard-of actor", func(p affinity.Parts) float64 { return p.Actor },
			func(s *affinity.Sources) affinity.Parts { return s.Judge(1000, 999, false, at) }, 2},
		{"many unknown networks at once", func(p affinity.Parts) float64 { return p.Wave },
			func(s *affinity.Sources) (p affinity.Parts) {
				for i := range uint64(30) {
					p = s.Judge(50_000+i, i, false, at)
				}
				return p
			}, 50},
		{"passwords tried from a known network", func(p affinity.Parts) float64 { return p.Denied },
			func(s *affinity.Sources) (p affinity.Parts) {
				for i := range uint64(30) {
					p = s.Judge(1000, i, true, at)
				}
				return p
			}, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := model(t, affinity.Config{}).Sources()
			usual := office(s, 30)
			p := c.act(s)
			if got := c.part(p); got < c.want || p.Total() < usual {
				t.Errorf("%v nats, want %v; in all %v, the usual at most %v", got, c.want, p.Total(), usual)
			}
		})
	}
}

// TestTheTurnedAwayStayUnknown tries passwords for a week from one network.
func TestTheTurnedAwayStayUnknown(t *testing.T) {
	t.Parallel()
	s := model(t, affinity.Config{}).Sources()
	office(s, 30)
	var first, last affinity.Parts
	for i := range int64(7 * 24) {
		last = s.Judge(7, 3, true, 30*day+i*60)
		if i == 0 {
			first = last
		}
	}
	if last.Network < first.Network*.9 || last.Denied < first.Denied {
		t.Errorf("first %+v, last %+v", first, last)
	}
}

func TestANewNetworkBecomesKnown(t *testing.T) {
	t.Parallel()
	s := model(t, affinity.Config{}).Sources()
	office(s, 30)
	first := s.Add(7, 3, false, 30*day)
	sameDay := s.Judge(7, 3, false, 30*day+300).Network
	var last float64
	for d := range int64(10) {
		last = s.Add(7, 3, false, (31+d)*day)
	}
	if last > first/3 || sameDay < first/3 {
		t.Errorf("%v, the same day %v, after ten days %v", first, sameDay, last)
	}
}

func TestWhereNobodyIsKnownNobodyIsRare(t *testing.T) {
	t.Parallel()
	s := model(t, affinity.Config{}).Sources()
	for i := range uint64(40) {
		if p := s.Judge(i, i, false, int64(10*i)); p.Network+p.Actor+p.Pair > .1 {
			t.Fatalf("event %d: %+v", i, p)
		}
	}
}

func encodeSources(tb testing.TB, s *affinity.Sources) []byte {
	tb.Helper()
	b, err := cbor.Marshal(s.State())
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestSavedSourcesGoOnAsBefore(t *testing.T) {
	t.Parallel()
	m := model(t, affinity.Config{Limit: 64})
	s, twin := m.Sources(), m.Sources()
	office(s, 20)
	office(twin, 20)
	if !bytes.Equal(encodeSources(t, s), encodeSources(t, twin)) {
		t.Error("the same events gave different states")
	}
	var st affinity.SourcesState
	if err := cbor.Unmarshal(encodeSources(t, s), &st); err != nil {
		t.Fatal(err)
	}
	back, err := m.RestoreSources(st)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(5000) {
		if a, b := s.Add(i%700, i%90, i%9 == 0, 20*day+int64(i)), back.Add(i%700, i%90, i%9 == 0, 20*day+int64(i)); a != b {
			t.Fatalf("event %d: %v, restored %v", i, a, b)
		}
	}
	if n := len(s.State().Known.Slots); n > 64 {
		t.Errorf("%d keys, at most 64", n)
	}
}

func TestRestoreSourcesRefuses(t *testing.T) {
	t.Parallel()
	m := model(t, affinity.Config{})
	s := m.Sources()
	office(s, 3)
	for name, spoil := range map[string]func(st *affinity.SourcesState){
		"a NaN":             func(st *affinity.SourcesState) { st.Events = math.NaN() },
		"a NaN in sums":     func(st *affinity.SourcesState) { st.Accepted[2][1] = math.NaN() },
		"a negative sum":    func(st *affinity.SourcesState) { st.Denied = -1 },
		"an infinite sum":   func(st *affinity.SourcesState) { st.Accepted[0][0] = math.Inf(1) },
		"more than all":     func(st *affinity.SourcesState) { st.Denied = st.Events + 1 },
		"a spoilt sketch":   func(st *affinity.SourcesState) { st.Known.Counts[0] = float32(math.NaN()) },
		"no denials":        func(st *affinity.SourcesState) { st.Denials = affinity.State{} },
		"a wave of nothing": func(st *affinity.SourcesState) { st.Wave.Room = 3 },
	} {
		st := s.State()
		spoil(&st)
		if _, err := m.RestoreSources(st); err == nil {
			t.Errorf("took %s", name)
		}
	}
}

// TestMergedSourcesKnowBoth has two halves of an office meet.
func TestMergedSourcesKnowBoth(t *testing.T) {
	t.Parallel()
	m := model(t, affinity.Config{})
	a, b := m.Sources(), m.Sources()
	for d := range int64(20) {
		for i := range uint64(30) {
			a.Add(i, i, false, d*day+int64(i))
			b.Add(100+i, 100+i, false, d*day+int64(i))
		}
	}
	alone := a.Judge(105, 105, false, 20*day).Network
	if err := a.Merge(b); err != nil {
		t.Fatal(err)
	}
	if both := a.Judge(106, 106, false, 20*day).Network; both > alone/3 {
		t.Errorf("the other half's network scores %v before, %v after", alone, both)
	}
	if other := model(t, affinity.Config{Seed: 9}).Sources(); a.Merge(other) == nil {
		t.Error("merged sources of different seeds")
	}
}

func TestSourcesTakeAnyClock(t *testing.T) {
	t.Parallel()
	s := model(t, affinity.Config{}).Sources()
	for _, tick := range []int64{0, -5, 525_600, 0, math.MaxInt64, math.MinInt64, 1, 525_600_000, 2} {
		for i := range uint64(50) {
			if x := s.Add(i%3, i%5, i%7 == 0, tick); !(x >= 0) || math.IsInf(x, 0) {
				t.Fatalf("tick %d: score %v", tick, x)
			}
		}
	}
	if _, err := model(t, affinity.Config{}).RestoreSources(s.State()); err != nil {
		t.Errorf("its own state is refused: %v", err)
	}
}

func BenchmarkSources(b *testing.B) {
	s := model(b, affinity.Config{}).Sources()
	office(s, 30)
	b.ReportAllocs()
	start := cpu(b)
	for i := uint64(0); b.Loop(); i++ {
		s.Add(1000+i%80, i%80/2, i%20 == 0, 30*day+int64(i/10))
	}
	perCPU(b, start, b.N, "Mlogins")
}
