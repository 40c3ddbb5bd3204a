package nab_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"vigil/internal/metrics/nab"
)

// at makes a series of n points that are alarms where said.
func at(n int, alarms ...int) []float64 {
	s := make([]float64, n)
	for _, i := range alarms {
		s[i] = 1
	}
	return s
}

func sigmoid(y float64) float64 { return 2/(1+math.Exp(5*y)) - 1 }

func TestScoreByHand(t *testing.T) {
	t.Parallel()
	one := []nab.Window{{First: 50, Last: 59}}
	two := []nab.Window{{First: 50, Last: 59}, {First: 80, Last: 89}}
	for _, c := range []struct {
		name    string
		scores  []float64
		windows []nab.Window
		want    float64
		found   int
		alarms  int
	}{
		{"perfect", at(100, 50), one, 100, 1, 0},
		{"only the first alarm of a window counts", at(100, 50, 51, 59), one, 100, 1, 0},
		{"in the middle", at(100, 55), one, 50 * (sigmoid(-.5)/sigmoid(-1) + 1), 1, 0},
		{"one of two windows", at(100, 80), two, 50, 1, 0},
		{"a false alarm before", at(100, 30, 50), one, 100 - 50*.11, 1, 1},
		// The alarm lies a whole window length behind.
		{"a false alarm behind", at(100, 50, 68), one, 100 + 50*.11*sigmoid(1), 1, 1},
		{"a false alarm far behind", at(100, 50, 99), one, 100 - 50*.11, 1, 1},
		{"silence", at(100), one, 0, 0, 0},
		{"only false alarms are not worth speaking", at(100, 30), one, 0, 0, 0},
		{"probation is not judged", at(100, 3, 14, 50), one, 100, 1, 0},
		{"a window within probation is none", at(100, 50), append([]nab.Window{{First: 2, Last: 9}}, one...), 100, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for i, s := range c.scores {
				if s == 0 {
					c.scores[i] = math.NaN() // unjudged: else silence would be a threshold of 0
				}
			}
			got, err := nab.Evaluate([]nab.Series{{Scores: c.scores, Windows: c.windows}}, nab.Standard())
			if err != nil || math.Abs(got.Score-c.want) > 1e-9 || got.Found != c.found || got.FalseAlarms != c.alarms {
				t.Errorf("got %+v, %v; want %g", got, err, c.want)
			}
		})
	}
}

// The threshold is one for the whole corpus, and the best of all.
func TestThresholdIsBest(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var corpus []nab.Series
	for range 4 {
		s := nab.Series{Windows: []nab.Window{{First: 100, Last: 140}, {First: 300, Last: 340}}}
		for i := range 500 {
			x := math.Floor(10*r.Float64()) / 10
			if i%100 < 40 && i >= 100 {
				x += r.Float64()
			}
			s.Scores = append(s.Scores, x)
		}
		corpus = append(corpus, s)
	}
	best, err := nab.Evaluate(corpus, nab.Standard())
	if err != nil {
		t.Fatal(err)
	}
	// The same by trying thresholds one after the other.
	top := 0.0
	for threshold := 0.0; threshold < 2.1; threshold += 0.001 {
		binary := make([]nab.Series, len(corpus))
		for k, s := range corpus {
			binary[k].Windows = s.Windows
			for _, x := range s.Scores {
				if x >= threshold {
					binary[k].Scores = append(binary[k].Scores, 1)
				} else {
					binary[k].Scores = append(binary[k].Scores, math.NaN())
				}
			}
		}
		got, err := nab.Evaluate(binary, nab.Standard())
		if err != nil {
			t.Fatal(err)
		}
		top = math.Max(top, got.Score)
	}
	if best.Score < top || best.Score > top+1 {
		t.Errorf("best %g at %g, by trying %g", best.Score, best.Threshold, top)
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	s := nab.Series{Scores: at(100, 3, 30, 50, 52, 59, 60, 85), Windows: []nab.Window{{First: 50, Last: 59}, {First: 80, Last: 89}}}
	if found, alarms := nab.Count(s, 1); found != 2 || alarms != 2 {
		t.Errorf("found %d, %d false alarms", found, alarms)
	}
}

func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for name, w := range map[string][]nab.Window{
		"beyond":      {{First: 90, Last: 100}},
		"turned":      {{First: 60, Last: 50}},
		"overlapping": {{First: 50, Last: 60}, {First: 60, Last: 70}},
		"none":        nil,
	} {
		if _, err := nab.Evaluate([]nab.Series{{Scores: at(100), Windows: w}}, nab.Standard()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if nab.Probation(1000) != 150 || nab.Probation(100_000) != 750 || nab.Probation(0) != 0 {
		t.Error("probation")
	}
}
