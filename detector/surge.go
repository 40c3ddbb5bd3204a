package detector

import (
	"slices"

	"vigil"
	"vigil/detector/features"
)

// surge is how busy the whole desk is against its usual: a marketing campaign, an
// outage, the Monday after a holiday. What everybody does more of is expected
// more of each; one actor, or a few, can't move it, since it is a median over
// actors' spans.
type surge struct {
	// Ratios are seen over expected counts of the spans that closed since the
	// last merge.
	Ratios []float64
	// Credit is the weight that has not made a whole voice yet.
	Credit float64
	// Usual is the long-run median ratio, and Now the present factor, at least
	// 1; Today is its mean over about a day.
	Usual, Now, Today float64
}

const (
	// surgeSpans is how many closed spans a median needs.
	surgeSpans = 12
	maxSurge   = 4.0
)

// observe takes a span's ratio, or one in so many where a group of many speaks with
// the weight w each.
func (s *surge) observe(ratio, w float64) {
	if s.Credit += w; s.Credit >= 1 {
		s.Credit--
		s.Ratios = append(s.Ratios, ratio)
	}
}

// settle moves the factors at an hourly merge.
func (s *surge) settle() {
	now := 1.0
	if n := len(s.Ratios); n >= surgeSpans {
		slices.Sort(s.Ratios)
		median := (s.Ratios[(n-1)/2] + s.Ratios[n/2]) / 2
		if s.Usual == 0 {
			s.Usual = median
		}
		if s.Usual > 0 {
			now = min(max(median/s.Usual, 1), maxSurge)
		}
		s.Usual += (median - s.Usual) / 200
	}
	s.Ratios = s.Ratios[:0]
	s.Now = max(1, (s.Now+now)/2)
	s.Today = max(1, s.Today+(s.Now-s.Today)/24)
}

// factor is by how much more is expected in a lane's present span.
func (s *surge) factor(l features.Lane) float64 {
	switch l {
	case features.Quarter:
		return max(1, s.Now)
	case features.Day:
		return max(1, s.Today)
	}
	return 1
}

// The classes of actors that are busy at different times: people come in shifts,
// machines with the customers.
const (
	people = iota
	machines
)

// class is the actor's.
func (a *actor) class() int {
	switch a.Kind {
	case vigil.KindBot, vigil.KindService, vigil.KindVendor:
		return machines
	}
	return people
}
