// Package nab scores detectors of anomalies in time series as the Numenta Anomaly
// Benchmark does (Lavin and Ahmad, "Evaluating real-time anomaly detection
// algorithms: the Numenta Anomaly Benchmark", 2015), written from the paper.
//
// An anomaly is a window of points. Of the alarms within a window only the
// first counts, and the earlier it comes the more it is worth; an alarm outside
// costs, less so shortly after a window; a window without alarm costs the most. A corpus is judged by
// one threshold, the best one, and the sum of all is put on a scale on which a detector
// that never speaks has 0 and a perfect one 100.
//
// Everything is a plain function of its arguments, without state.
package nab

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Profile says what each kind of answer is worth.
type Profile struct {
	// TP is the most that a found window earns, FP what a false alarm far from
	// any window costs, FN what a missed window costs; all at least 0.
	TP, FP, FN float64
}

// Standard is the profile of the published scoreboard.
func Standard() Profile { return Profile{TP: 1, FP: 0.11, FN: 1} }

// Probation is how many points at the start of a series of n are not judged: the
// first 15% of it, of 5,000 points at most.
func Probation(n int) int { return int(0.15 * float64(min(n, 5000))) }

// Window is one anomaly: the first and the last of its points.
type Window struct {
	First, Last int
}

// Series is a judged series.
type Series struct {
	// Scores has one score per point; higher is more anomalous.
	Scores []float64
	// Windows are in order and do not overlap.
	Windows []Window
}

// Result is what a detector reached on a corpus.
type Result struct {
	// Score is on the scale of 0 (silence) to 100 (perfect); it may be negative.
	Score float64
	// Threshold is the best one: a point whose score is at least that is an
	// alarm. It is +Inf where silence is best.
	Threshold float64
	// Found and Missed count windows, FalseAlarms points outside of them.
	Found, Missed, FalseAlarms int
}

// sigmoid is the paper's scoring function: 1 at the far left, 0 at y = 0 and -1
// at the far right.
func sigmoid(y float64) float64 { return 2/(1+math.Exp(5*y)) - 1 }

// Evaluate finds the threshold that is best for the whole corpus.
func Evaluate(corpus []Series, p Profile) (Result, error) {
	alarms, windows, err := collect(corpus, p)
	if err != nil {
		return Result{}, err
	}
	if windows == 0 {
		return Result{}, errors.New("score a corpus: no window lies beyond the probation of its series")
	}
	// Lower the threshold alarm by alarm. found is the best position so far of
	// each window's alarms.
	slices.SortStableFunc(alarms, func(a, b alarm) int { return cmp.Compare(b.score, a.score) })
	found := map[int]float64{}
	sum, falseAlarms := -p.FN*float64(windows), 0
	best, silent := Result{Threshold: math.Inf(1), Missed: windows}, sum
	top := sum
	for i, a := range alarms {
		if a.window < 0 {
			sum += a.gain
			falseAlarms++
		} else if old, ok := found[a.window]; !ok {
			sum += a.gain + p.FN
			found[a.window] = a.gain
		} else if a.gain > old {
			sum += a.gain - old
			found[a.window] = a.gain
		}
		if i+1 < len(alarms) && alarms[i+1].score == a.score {
			continue // they pass the threshold together
		}
		if sum > top {
			top = sum
			best.Threshold, best.Found, best.Missed, best.FalseAlarms = a.score, len(found), windows-len(found), falseAlarms
		}
	}
	best.Score = 100 * (top - silent) / (p.TP*float64(windows) - silent)
	return best, nil
}

// alarm is what a point is worth when it is reported.
type alarm struct {
	score, gain float64
	// window is the window's number in the corpus, -1 outside of any.
	window int
}

func collect(corpus []Series, p Profile) (alarms []alarm, windows int, err error) {
	for k, s := range corpus {
		from := Probation(len(s.Scores))
		last := -1
		for _, w := range s.Windows {
			if w.First <= last || w.Last < w.First || w.Last >= len(s.Scores) {
				return nil, 0, fmt.Errorf("score series %d: window %d to %d of %d points is out of place", k, w.First, w.Last, len(s.Scores))
			}
			last = w.Last
		}
		// A window that ends before anything is judged can't be found.
		for len(s.Windows) > 0 && s.Windows[0].Last < from {
			s.Windows = s.Windows[1:]
		}
		next := 0
		for i, score := range s.Scores {
			for next < len(s.Windows) && s.Windows[next].Last < i {
				next++
			}
			if i < from || math.IsNaN(score) {
				continue
			}
			a := alarm{score: score, window: -1, gain: -p.FP}
			if next < len(s.Windows) && s.Windows[next].First <= i {
				w := s.Windows[next]
				a.window = windows + next
				a.gain = p.TP * inside(i, w)
			} else if next > 0 {
				a.gain = p.FP * after(i, s.Windows[next-1])
			}
			alarms = append(alarms, a)
		}
		windows += len(s.Windows)
	}
	return alarms, windows, nil
}

// inside is the worth of an alarm at point i of a window, 1 at its start: the
// position runs from -1 at the first point to nearly 0 at the last.
func inside(i int, w Window) float64 {
	width := float64(w.Last - w.First + 1)
	return sigmoid(-float64(w.Last-i+1)/width) / sigmoid(-1)
}

// after is the cost of an alarm at point i behind a window: nearly nothing just
// behind it, -1 from three window lengths on.
func after(i int, w Window) float64 {
	y := float64(i-w.Last) / math.Max(1, float64(w.Last-w.First))
	if y > 3 {
		return -1
	}
	return sigmoid(y)
}

// Count tells how many windows of a series are found with a threshold, and how
// many judged points outside of them pass it.
func Count(s Series, threshold float64) (found, falseAlarms int) {
	next, counted := 0, -1
	for i, score := range s.Scores {
		for next < len(s.Windows) && s.Windows[next].Last < i {
			next++
		}
		if i < Probation(len(s.Scores)) || !(score >= threshold) {
			continue
		}
		if next == len(s.Windows) || s.Windows[next].First > i {
			falseAlarms++
		} else if counted != next {
			counted = next
			found++
		}
	}
	return found, falseAlarms
}
