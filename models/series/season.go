package series

import "math"

// Day and week, in seconds.
const (
	day  = 86400
	week = 7 * day
)

// periods are the layers of the season: hours of the day, hours of the week,
// five minutes of the day. Each learns what those before it leave over, so that the
// weekly and the fine pattern only say what the coarse one doesn't.
var periods = [...]struct{ length, bin int64 }{{day, 3600}, {week, 3600}, {day, 300}}

// How many visits a bin remembers, and by how many visits of no deviation it is
// held back.
const (
	maxVisits   = 20
	visitsPrior = 1
)

// gainHalf is the half-life, in seconds, of what is known about a layer's worth.
const gainHalf = 14 * day

// layer is one additive part of the season.
type layer struct {
	// mean is each bin's deviation, averaged over visits.
	mean   []float64
	visits []float64
	// now is the bin being visited; what is seen in it enters when the visit
	// ends, so that a bin never predicts itself. It is -1 before the first.
	now      int
	sum, num float64
	// cross and square are the forgetting sums of what was left over times what the
	// layer said, and of the square of that: their ratio regresses one on the other.
	cross, square float64
}

// season is an additive seasonal pattern. Each layer is believed as far as
// its predictions have come true, so a series without a season has none.
type season struct {
	layers [len(periods)]layer
	last   int64
}

func newSeason() *season {
	s := &season{}
	for i, p := range periods {
		n := p.length / p.bin
		s.layers[i] = layer{mean: make([]float64, n), visits: make([]float64, n), now: -1}
	}
	return s
}

// binOf finds a layer's bin at t, in seconds since 1970-01-01 00:00 UTC.
func binOf(i int, t int64) int {
	t += 3 * day // so that weeks begin on Monday: 1970 began on a Thursday
	return int((t%periods[i].length + periods[i].length) % periods[i].length / periods[i].bin)
}

// at returns the seasonal deviation at t.
func (s *season) at(t int64) float64 {
	sum := 0.0
	for i := range s.layers {
		l := &s.layers[i]
		sum += float64(l.gain() * l.mean[binOf(i, t)])
	}
	return sum
}

// gain is how much of what the layer says is believed, 0 to 1.
func (l *layer) gain() float64 {
	if l.square <= 0 {
		return 0
	}
	return math.Min(math.Max(l.cross/l.square, 0), 1)
}

// learn is told the deviation from the level at t. Times may not go back.
func (s *season) learn(t int64, rest float64) {
	keep := math.Exp2(-float64(t-s.last) / gainHalf)
	s.last = t
	for i := range s.layers {
		l := &s.layers[i]
		b := binOf(i, t)
		if b != l.now {
			l.endVisit()
			l.now = b
		}
		l.sum += rest
		l.num++
		said := l.mean[b]
		left := rest - float64(l.gain()*said)
		l.cross = float64(l.cross*keep) + float64(said*rest)
		l.square = float64(l.square*keep) + float64(said*said)
		rest = left
	}
}

func (l *layer) endVisit() {
	if l.num > 0 {
		b := l.now
		l.visits[b] = math.Min(l.visits[b]+1, maxVisits)
		l.mean[b] += (l.sum/l.num - l.mean[b]) / (l.visits[b] + visitsPrior)
	}
	l.sum, l.num = 0, 0
}
