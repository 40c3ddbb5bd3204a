package detector

import (
	"math"
	"time"

	"vigil/detector/features"
)

// The grid of a tally: so many bounds to a decade, for so many decades.
const (
	TallySteps   = 4
	TallyDecades = 6
	// TallyBounds is how many bounds there are: the n-th is ten to the power of
	// -n/TallySteps.
	TallyBounds = TallySteps*TallyDecades + 1
)

// TallyOptions asks an engine to count the p-values of the spans that it closes. It
// changes nothing of what is found or learnt.
type TallyOptions struct {
	// From and To bound when a span ended, the second excluded.
	From, To time.Time
	// Without are times of actors that are left out, such as confirmed breaches: on what
	// is left p-values should lie below a bound as often as the bound says.
	Without []Untaught
}

// Tally is how often the answers of one model lie at or below each bound. Only lanes that
// speak are counted: the others move no evidence.
type Tally struct {
	Model string `json:"model"`
	// Answers is how many there were: one for each question about each span.
	Answers int64 `json:"answers"`
	// Below counts the p-values that became evidence.
	Below [TallyBounds]int64 `json:"below"`
	// Scored is how many of the answers are a probability by the model itself, and Scores
	// counts those, as they were before they were ranked among what came before.
	Scored int64              `json:"scored"`
	Scores [TallyBounds]int64 `json:"scores"`
}

// tallied are the models that answer questions about spans, sorted.
var tallied = [...]string{"affinity", "forest", "novelty", "sequence", "together", "volume"}

// tally counts the answers of one shard.
type tally struct {
	from, to int64 // Unix nanoseconds
	without  map[string][]stretch
	// p and score count by bound, the last one open; answers that are 1 are at 0.
	p, score       [len(tallied)][TallyBounds]int64
	answers, asked [len(tallied)]int64
}

func newTally(o *TallyOptions, without map[string][]stretch) *tally {
	return &tally{from: o.From.UnixNano(), to: o.To.UnixNano(), without: without}
}

// take counts the answers about an actor's span that is over.
func (t *tally) take(a *actor, s *features.Span, all []judged) {
	if s.Last < t.from || s.Last >= t.to {
		return
	}
	for _, out := range t.without[a.Key] {
		if s.First <= out.to && s.Last >= out.from {
			return
		}
	}
	for i := range all {
		j := &all[i]
		m := modelOf(j.Term)
		t.answers[m]++
		t.p[m][bound(-math.Log10(j.P))]++
		if _, category := termCategory(j.Term); category || probability(j.Term) {
			t.asked[m]++
			t.score[m][bound(j.Raw)]++
		}
	}
}

// bound is the last bound of the grid that a p-value of so many decades lies at or below.
func bound(decades float64) int {
	if !(decades > 0) {
		return 0
	}
	return int(min(decades*TallySteps, TallyBounds-1))
}

// modelOf is the place in tallied of the model that answers a term.
func modelOf(term int) int {
	name := "volume"
	if _, ok := termCategory(term); ok {
		name = "novelty"
	} else if m, ok := termMeasure(term); ok {
		name = m.Model()
	}
	for i := range tallied {
		if tallied[i] == name {
			return i
		}
	}
	return len(tallied) - 1
}

// Tallies are what Options.Tally asked for, one for each model that was asked anything,
// sorted by name; nil where nothing was asked for.
func (e *Engine) Tallies() (out []Tally) {
	if e.opts.Tally == nil {
		return nil
	}
	for m := range tallied {
		t := Tally{Model: tallied[m]}
		for _, sh := range e.shards {
			t.Answers += sh.tally.answers[m]
			t.Scored += sh.tally.asked[m]
			for i := range TallyBounds {
				t.Below[i] += sh.tally.p[m][i]
				t.Scores[i] += sh.tally.score[m][i]
			}
		}
		for i := TallyBounds - 2; i >= 0; i-- {
			t.Below[i] += t.Below[i+1]
			t.Scores[i] += t.Scores[i+1]
		}
		if t.Answers > 0 {
			out = append(out, t)
		}
	}
	return out
}
