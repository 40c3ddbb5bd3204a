//go:build !race

package affinity_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"vigil/models/affinity"
)

func encode(tb testing.TB, s *affinity.Sketch) []byte {
	tb.Helper()
	b, err := cbor.Marshal(s.State())
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestASavedSketchGoesOnAsBefore(t *testing.T) {
	t.Parallel()
	m := model(t, affinity.Config{Limit: 1 << 10})
	s := m.Sketch()
	src, _, tick := skewed(60_000)
	for i := range 30_000 {
		s.Add(src[i], tick[i])
	}
	var st affinity.State
	if err := cbor.Unmarshal(encode(t, s), &st); err != nil {
		t.Fatal(err)
	}
	back, err := m.Restore(st)
	if err != nil {
		t.Fatal(err)
	}
	for i := 30_000; i < len(src); i++ {
		if a, b := s.Add(src[i], tick[i]), back.Add(src[i], tick[i]); a != b {
			t.Fatalf("event %d: %v, restored %v", i, a, b)
		}
	}
	if !bytes.Equal(encode(t, s), encode(t, back)) {
		t.Error("the states differ")
	}
}

func TestMergeOfPartsIsTheWhole(t *testing.T) {
	t.Parallel()
	m := model(t, affinity.Config{})
	whole, parts := m.Sketch(), [2]*affinity.Sketch{m.Sketch(), m.Sketch()}
	src, _, tick := skewed(50_000)
	for _, p := range parts {
		p.Begin(tick[0])
	}
	for i := range src {
		whole.Add(src[i], tick[i])
		parts[src[i]%2].Add(src[i], tick[i])
	}
	if err := parts[0].Merge(parts[1]); err != nil {
		t.Fatal(err)
	}
	if whole.Len() != parts[0].Len() {
		t.Errorf("%d keys merged, %d at once", parts[0].Len(), whole.Len())
	}
	at := tick[len(tick)-1] + 5
	for _, k := range src[:2000] {
		if a, b := whole.Add(k, at), parts[0].Add(k, at); a != b {
			t.Fatalf("key %d: %v at once, %v merged", k, a, b)
		}
	}
	other := model(t, affinity.Config{Seed: 1}).Sketch()
	if err := whole.Merge(other); err == nil {
		t.Error("merged sketches of different seeds")
	}
}

// TestMergeAddsWhatBothMet gives each sketch half of a key's events.
func TestMergeAddsWhatBothMet(t *testing.T) {
	t.Parallel()
	m := model(t, affinity.Config{})
	whole, a, b := m.Sketch(), m.Sketch(), m.Sketch()
	for tick := range int64(5000) {
		whole.Add(1, tick)
		a.Begin(0)
		b.Begin(0)
		if tick%2 == 0 {
			a.Add(1, tick)
		} else {
			b.Add(1, tick)
		}
	}
	if err := a.Merge(b); err != nil {
		t.Fatal(err)
	}
	var x, y float64
	for range 30 {
		x, y = whole.Add(1, 5000), a.Add(1, 5000)
	}
	if math.Abs(x-y) > .1*x {
		t.Errorf("%v at once, %v merged", x, y)
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	m := model(t, affinity.Config{})
	s := m.Sketch()
	for k := range uint64(20) {
		s.Add(k, 1)
	}
	for name, spoil := range map[string]func(st *affinity.State){
		"a NaN":              func(st *affinity.State) { st.Counts[3] = float32(math.NaN()) },
		"a negative count":   func(st *affinity.State) { st.Counts[3] = -1 },
		"an infinite count":  func(st *affinity.State) { st.Counts[3] = float32(math.Inf(1)) },
		"a missing count":    func(st *affinity.State) { st.Counts = st.Counts[1:] },
		"odd room":           func(st *affinity.State) { st.Room = 65 },
		"no room":            func(st *affinity.State) { st.Room = 0 },
		"too much room":      func(st *affinity.State) { st.Room = 1 << 40 },
		"a slot twice":       func(st *affinity.State) { st.Slots[1] = st.Slots[0] },
		"a slot outside":     func(st *affinity.State) { st.Slots[19] = 1 << 20 },
		"a key from another": func(st *affinity.State) { st.Hashes[2] += window },
		"an empty key":       func(st *affinity.State) { st.Hashes[2] = 0 },
		"keys before begin":  func(st *affinity.State) { st.Started = false },
	} {
		st := s.State()
		spoil(&st)
		if _, err := m.Restore(st); err == nil {
			t.Errorf("took %s", name)
		}
	}
	if _, err := m.Restore(s.State()); err != nil {
		t.Errorf("a sound state is refused: %v", err)
	}
}

// window is as far as a key may lie from its home.
const window = 8
