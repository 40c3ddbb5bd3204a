//go:build !race

package series_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"vigil/models/series"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) // a Monday

// judge gives a model n points at the interval and returns the scores.
func judge(t *testing.T, cfg series.Config, n int, every time.Duration, value func(int, time.Time) float64) []series.Score {
	t.Helper()
	m, err := series.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]series.Score, n)
	for i := range out {
		at := start.Add(time.Duration(i) * every)
		if out[i], err = m.Observe(at, value(i, at)); err != nil {
			t.Fatal(err)
		}
		s := out[i]
		if !(s.P > 0 && s.P <= 1) || math.IsNaN(s.Expected) || s.Low > s.High || s.News != 0 && s.News != s.Surprise {
			t.Fatalf("point %d: %+v", i, s)
		}
	}
	return out
}

func noise(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// daily is a working day's traffic.
func daily(at time.Time) float64 {
	h := float64(at.Hour()) + float64(at.Minute())/60
	return 100 + 80*math.Sin((h-8)/24*2*math.Pi)
}

func TestSpikesAndDipsStandOut(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3} {
		r := noise(seed)
		for _, at := range []float64{300, -300} {
			scores := judge(t, series.Config{}, 3000, 5*time.Minute, func(i int, when time.Time) float64 {
				if i == 2500 {
					return at
				}
				return daily(when) + 5*r.NormFloat64()
			})
			if s := scores[2500]; s.Surprise < 2.5 || s.News == 0 {
				t.Errorf("seed %d: %g at %+v", seed, at, s)
			}
		}
	}
}

// At night the day's usual traffic is a breach, although it is no unusual height.
func TestSeasonIsLearnt(t *testing.T) {
	t.Parallel()
	r := noise(4)
	scores := judge(t, series.Config{}, 21*24, time.Hour, func(i int, when time.Time) float64 {
		if i == 20*24+3 {
			return 170
		}
		return daily(when) + 4*r.NormFloat64()
	})
	if s := scores[20*24+3]; s.Surprise < 2 {
		t.Errorf("a day's load at night: %+v", s)
	}
	// What comes back each day is no news in the third week.
	loud := 0
	for _, s := range scores[14*24 : 20*24] {
		if s.Surprise > 2 {
			loud++
		}
	}
	if loud > 5 {
		t.Errorf("%d of 144 usual points are loud", loud)
	}
}

func TestUsualPointsAreRarelyRare(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3, 4} {
		r := noise(seed)
		for name, value := range map[string]func(int, time.Time) float64{
			"normal":    func(int, time.Time) float64 { return 50 + 3*r.NormFloat64() },
			"heavy":     func(int, time.Time) float64 { return math.Exp(1.5 * r.NormFloat64()) },
			"counts":    func(int, time.Time) float64 { return math.Floor(3 * r.ExpFloat64()) },
			"season":    func(_ int, at time.Time) float64 { return daily(at) + 5*r.NormFloat64() },
			"mostly 0s": func(int, time.Time) float64 { return math.Floor(1.01 * r.Float64()) },
		} {
			rare := 0
			scores := judge(t, series.Config{}, 10_000, time.Minute, value)
			for _, s := range scores[2000:] {
				if s.P < 1e-3 {
					rare++
				}
			}
			// 8 are due.
			if rare > 24 {
				t.Errorf("%s, seed %d: %d of 8,000 points have p below 1e-3", name, seed, rare)
			}
		}
	}
}

func TestConstantSeriesAreQuiet(t *testing.T) {
	t.Parallel()
	for _, v := range []float64{0, 45, -1e9, 1e-9, 1e149} {
		for i, s := range judge(t, series.Config{}, 1000, time.Minute, func(int, time.Time) float64 { return v }) {
			if s.P != 1 && s.P < 0.9 {
				t.Fatalf("%g, point %d: %+v", v, i, s)
			}
		}
		scores := judge(t, series.Config{}, 1001, time.Minute, func(i int, _ time.Time) float64 {
			if i == 1000 {
				return v + 1 + math.Abs(v)
			}
			return v
		})
		if s := scores[1000]; s.Surprise < 2 {
			t.Errorf("the first change of %g: %+v", v, s)
		}
	}
}

func TestLastingChangesAreLearnt(t *testing.T) {
	t.Parallel()
	r := noise(5)
	scores := judge(t, series.Config{}, 8000, time.Minute, func(i int, _ time.Time) float64 {
		v := 100 + r.NormFloat64()
		if i >= 4000 {
			v += 50
		}
		return v
	})
	if scores[4000].Surprise < 2.5 {
		t.Errorf("the change itself: %+v", scores[4000])
	}
	loud := 0
	for _, s := range scores[5000:] {
		if s.Surprise > 2 {
			loud++
		}
	}
	if loud > 60 {
		t.Errorf("%d of 3,000 points are loud long after the change", loud)
	}
	if s := scores[7999]; math.Abs(s.Expected-150) > 2 || s.Low > 149 || s.High < 151 || s.High > 170 {
		t.Errorf("expected at the end: %+v", s)
	}
}

func TestSides(t *testing.T) {
	t.Parallel()
	for side, want := range map[series.Side][2]bool{series.High: {true, false}, series.Low: {false, true}, series.Both: {true, true}} {
		r := noise(6)
		scores := judge(t, series.Config{Side: side}, 2000, time.Minute, func(i int, _ time.Time) float64 {
			switch i {
			case 1500:
				return 200
			case 1700:
				return 0
			}
			return 100 + r.NormFloat64()
		})
		if got := [2]bool{scores[1500].Surprise > 2, scores[1700].Surprise > 2}; got != want {
			t.Errorf("%s: high and low told %v", side, got)
		}
	}
	if _, err := series.New(series.Config{Side: "up"}); err == nil {
		t.Error("an unknown side")
	}
}

// Trouble that goes on is told once.
func TestNewsIsToldOnce(t *testing.T) {
	t.Parallel()
	r := noise(7)
	told := 0
	for _, s := range judge(t, series.Config{}, 2100, time.Minute, func(i int, _ time.Time) float64 {
		if i >= 2000 && i < 2050 {
			return 400 + r.NormFloat64()
		}
		return 100 + r.NormFloat64()
	})[2000:] {
		if s.News > 2 {
			told++
		}
	}
	if told == 0 || told > 3 {
		t.Errorf("told %d times", told)
	}
}

func TestRefusedPointsChangeNothing(t *testing.T) {
	t.Parallel()
	clean, _ := series.New(series.Config{})
	dirty, _ := series.New(series.Config{})
	r := noise(8)
	for i := range 1000 {
		at, v := start.Add(time.Duration(i)*time.Minute), 10+r.NormFloat64()
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300} {
			if _, err := dirty.Observe(at, bad); !errors.Is(err, series.ErrNotFinite) {
				t.Fatalf("%g: %v", bad, err)
			}
		}
		if i > 0 {
			if _, err := dirty.Observe(start.Add(-time.Hour), v); !errors.Is(err, series.ErrOrder) {
				t.Fatalf("an early time: %v", err)
			}
		}
		a, _ := clean.Observe(at, v)
		if b, err := dirty.Observe(at, v); err != nil || a != b {
			t.Fatalf("point %d: %+v, %+v, %v", i, a, b, err)
		}
	}
}

// A gap breaks the neighbourhood: coming back elsewhere is no step.
func TestGapsAndOddIntervals(t *testing.T) {
	t.Parallel()
	r := noise(9)
	m, _ := series.New(series.Config{})
	at := start
	for i := range 3000 {
		at = at.Add(time.Duration(r.IntN(900)) * time.Second)
		if i == 2000 {
			at = at.Add(400 * 24 * time.Hour)
		}
		s, err := m.Observe(at, 100+10*r.NormFloat64())
		if err != nil || !(s.P > 0) {
			t.Fatalf("point %d: %+v, %v", i, s, err)
		}
		if i == 2000 && s.Surprise > 2.5 {
			t.Errorf("the first point after the gap: %+v", s)
		}
	}
}
