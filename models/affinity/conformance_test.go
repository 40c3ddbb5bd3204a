//go:build !race

package affinity_test

import (
	"math/rand/v2"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"vigil/models/affinity"
	"vigil/models/modelstest"
)

// conforming is a model of small sketches, so that copies of them are cheap.
func conforming() *affinity.Model {
	m, err := affinity.New(affinity.Config{Limit: 1 << 10, Seed: 5})
	if err != nil {
		panic(err) // a constant configuration
	}
	return m
}

// watched is how long the sketches have watched when they meet their first event.
const watched = 14 * 1440

// sketch is a sketch that is saved as its State.
type sketch struct {
	m *affinity.Model
	s *affinity.Sketch
}

func (k sketch) MarshalCBOR() ([]byte, error) { return cbor.Marshal(k.s.State()) }

func (k *sketch) UnmarshalCBOR(b []byte) (err error) {
	var st affinity.State
	if err := cbor.Unmarshal(b, &st); err != nil {
		return err
	}
	k.s, err = k.m.Restore(st)
	return err
}

// visit is an event of a key within one minute.
type visit struct {
	key   uint64
	fresh bool
}

// Nothing that a sketch is given is nonsense: keys and ticks are any numbers, and
// TestRestoreRefuses and TestCombineIsTheLargest have what is no number.
func TestSketchConforms(t *testing.T) {
	t.Parallel()
	m := conforming()
	modelstest.Run(t, modelstest.Model[sketch, visit]{
		New: func() *sketch {
			s := m.Sketch()
			s.Begin(-watched)
			return &sketch{m, s}
		},
		Learn: func(k *sketch, v visit) { k.s.AddFan(v.key, 0, v.fresh) },
		Score: func(k *sketch, v visit) float64 {
			c, err := m.Restore(k.s.State()) // to score is to learn
			if err != nil {
				panic(err)
			}
			score, _ := c.AddFan(v.key, 0, v.fresh)
			return score
		},
		// Some forty keys, few of them often.
		Draw: func(r *rand.Rand) visit {
			return visit{rand.NewZipf(r, 1.3, 4, 39).Uint64(), r.IntN(8) == 0}
		},
		Merge: func(dst, src *sketch) {
			if err := dst.s.Merge(src.s); err != nil {
				panic(err)
			}
		},
		Flood:    func(i uint64) visit { return visit{1_000 + i, true} },
		Floods:   200_000,
		MaxBytes: 120 << 10, // 96 bytes and their headers for each of 1024 slots
	})
}

// sources is a Sources that is saved as its SourcesState.
type sources struct {
	m *affinity.Model
	s *affinity.Sources
}

func (k sources) MarshalCBOR() ([]byte, error) { return cbor.Marshal(k.s.State()) }

func (k *sources) UnmarshalCBOR(b []byte) (err error) {
	var st affinity.SourcesState
	if err := cbor.Unmarshal(b, &st); err != nil {
		return err
	}
	k.s, err = k.m.RestoreSources(st)
	return err
}

// entrance is an actor coming in from a network, or being turned away.
type entrance struct {
	network, actor uint64
	denied         bool
}

// They learn one minute and judge another, three days later: within the first, all
// that comes is a wave.
func TestSourcesConform(t *testing.T) {
	t.Parallel()
	m := conforming()
	modelstest.Run(t, modelstest.Model[sources, entrance]{
		New:   func() *sources { return &sources{m, m.Sources()} },
		Learn: func(k *sources, l entrance) { k.s.Add(l.network, l.actor, l.denied, 0) },
		Score: func(k *sources, l entrance) float64 {
			c, err := m.RestoreSources(k.s.State())
			if err != nil {
				panic(err)
			}
			return c.Add(l.network, l.actor, l.denied, 3*1440)
		},
		Draw: func(r *rand.Rand) entrance {
			actor := rand.NewZipf(r, 1.5, 2, 29).Uint64()
			return entrance{actor % 5, actor, r.IntN(20) == 0}
		},
		Merge: func(dst, src *sources) {
			if err := dst.s.Merge(src.s); err != nil {
				panic(err)
			}
		},
		Learnt:   60, // so that some are still unknown
		Ranked:   true,
		Flood:    func(i uint64) entrance { return entrance{1_000 + i, 1_000 + i, i%2 == 0} },
		Floods:   100_000,
		MaxBytes: 3 * 120 << 10, // three sketches
	})
}
