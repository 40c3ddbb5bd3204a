// Package triage learns from what people said of findings how likely the next one
// is a breach. It orders the queue; it hides nothing.
//
// The classifier is golearn's Bernoulli naive Bayes over what fired in a finding
// and under which circumstances (see Features). Its scores, which are overconfident
// because what fires together counts twice, are turned into probabilities by a
// logistic curve fitted on scores of examples that the classifier had not seen
// (Platt, "Probabilistic outputs for support vector machines", 1999).
//
// internal/app calls it. Training is deterministic: the same examples give the same
// model. A Model is immutable and safe for concurrent use. golearn panics on what it
// does not expect, and parts of it never end, so it is called behind a guard: what goes
// in and what comes out is checked, a panic is an error, and when the context ends
// nobody waits for it any more.
package triage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Enough is how many examples of each kind it takes to know anything.
const Enough = 20

const (
	// maxExamples bounds what is learnt from: the first so many.
	maxExamples = 20_000
	// maxFeatures bounds the features of a model: those that tell most.
	maxFeatures = 60
	// rareFeature is in how many examples a feature must occur, and be missing.
	rareFeature = 3
	// folds is into how many parts examples are dealt for scores of the unseen.
	folds = 5
	// copies is how often an example of weight one is shown to the classifier, which
	// knows of no weights, where others weigh less.
	copies = 4
)

// Example is a finding of which somebody said what it was.
type Example struct {
	// Features name what holds of the finding, each once.
	Features []string
	// Bad says that it was a breach.
	Bad bool
	// Voice is who said so. No voice weighs more than all others together.
	Voice string
	// Group names what belongs together, such as the findings of one staged breach:
	// what is learnt from one is never judged by another of its group. Empty is a
	// group of its own.
	Group string
}

// Counts are how many examples say what.
type Counts struct{ Bad, Good int }

// Count counts examples.
func Count(examples []Example) (c Counts) {
	for i := range examples {
		if examples[i].Bad {
			c.Bad++
		} else {
			c.Good++
		}
	}
	return c
}

// Suffice says whether there are enough of each kind, and else what is lacking.
func (c Counts) Suffice() (ok bool, why string) {
	if c.Bad >= Enough && c.Good >= Enough {
		return true, ""
	}
	return false, fmt.Sprintf("it takes %d verdicts of breach or misuse (%d so far) and %d of expected (%d so far)", Enough, c.Bad, Enough, c.Good)
}

// Model gives probabilities.
type Model struct {
	bayes bayes
	curve curve
}

// errTooFew is returned where nothing can be learnt.
var errTooFew = errors.New("too few examples of each kind")

// Train learns from the examples, Enough of each kind at least. ctx bounds how long it
// is waited for.
func Train(ctx context.Context, examples []Example) (*Model, error) {
	if ok, why := Count(examples).Suffice(); !ok {
		return nil, fmt.Errorf("%w: %s", errTooFew, why)
	}
	examples = examples[:min(len(examples), maxExamples)]
	scores, err := unseen(ctx, examples)
	if err != nil {
		return nil, err
	}
	b, err := fitBayes(ctx, examples)
	if err != nil {
		return nil, err
	}
	return &Model{bayes: b, curve: fitCurve(scores, examples, Weights(examples))}, nil
}

// P is the probability, strictly between 0 and 1, that a finding of which the
// features hold is a breach.
func (m *Model) P(features []string) float64 { return m.curve.p(m.bayes.score(features)) }

// Why names the features that speak most for a breach, and most against.
func (m *Model) Why(features []string) string {
	type says struct {
		name   string
		weight float64
	}
	var all []says
	for _, name := range features {
		if w, ok := m.bayes.says(name); ok {
			all = append(all, says{name, w})
		}
	}
	slices.SortFunc(all, func(a, b says) int { return cmp.Or(cmp.Compare(b.weight, a.weight), strings.Compare(a.name, b.name)) })
	const most, least = 3, 0.2
	var parts, with, against []string
	for i := 0; i < len(all) && len(with) < most && all[i].weight > least; i++ {
		with = append(with, all[i].name)
	}
	for i := len(all) - 1; i >= 0 && len(against) < most && all[i].weight < -least; i-- {
		against = append(against, all[i].name)
	}
	if len(with) > 0 {
		parts = append(parts, "for it: "+strings.Join(with, ", "))
	}
	if len(against) > 0 {
		parts = append(parts, "against it: "+strings.Join(against, ", "))
	}
	if len(parts) == 0 {
		return "nothing about it tells either way"
	}
	return strings.Join(parts, "; ")
}

// Weights are how much each example counts: 1, and less for those of a voice that
// would outweigh all others together. A voice that is alone has nobody to outweigh.
func Weights(examples []Example) []float64 {
	said := map[string]int{}
	for i := range examples {
		said[examples[i].Voice]++
	}
	loudest, n := "", 0
	for voice, of := range said { // the largest; only one can outweigh all others
		if of > n || of == n && voice < loudest {
			loudest, n = voice, of
		}
	}
	share := 1.0
	if others := len(examples) - n; others > 0 && n > others {
		share = float64(others) / float64(n)
	}
	out := make([]float64, len(examples))
	for i := range examples {
		out[i] = 1
		if examples[i].Voice == loudest {
			out[i] = share
		}
	}
	return out
}

// unseen scores each example by a classifier that has not seen its group.
func unseen(ctx context.Context, examples []Example) ([]float64, error) {
	of := deal(examples)
	scores := make([]float64, len(examples))
	for k := range folds {
		var rest []Example
		for i := range examples {
			if of[i] != k {
				rest = append(rest, examples[i])
			}
		}
		b, err := fitBayes(ctx, rest)
		if err != nil {
			return nil, fmt.Errorf("fold %d of %d: %w", k+1, folds, err)
		}
		for i := range examples {
			if of[i] == k {
				scores[i] = b.score(examples[i].Features)
			}
		}
	}
	return scores, nil
}

// deal gives each example a fold: groups stay together, and both kinds are spread,
// in an order that depends on names alone.
func deal(examples []Example) []int {
	type group struct {
		hash      uint64
		members   []int
		bad, good int
	}
	byName := map[string]*group{}
	var groups []*group
	for i := range examples {
		e := &examples[i]
		g := byName[e.Group]
		if g == nil || e.Group == "" {
			g = &group{hash: hash(fmt.Sprintf("%s\x00%d", e.Group, i))}
			groups = append(groups, g)
			if e.Group != "" {
				g.hash = hash(e.Group)
				byName[e.Group] = g
			}
		}
		g.members = append(g.members, i)
		if e.Bad {
			g.bad++
		} else {
			g.good++
		}
	}
	// Large groups first, each to the fold that has least of what it has most of.
	slices.SortStableFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(len(b.members), len(a.members)), cmp.Compare(a.hash, b.hash))
	})
	of := make([]int, len(examples))
	var bad, good [folds]int
	for _, g := range groups {
		at := 0
		for k := 1; k < folds; k++ {
			less := good[k] < good[at] || good[k] == good[at] && bad[k] < bad[at]
			if g.bad > g.good {
				less = bad[k] < bad[at] || bad[k] == bad[at] && good[k] < good[at]
			}
			if less {
				at = k
			}
		}
		bad[at], good[at] = bad[at]+g.bad, good[at]+g.good
		for _, i := range g.members {
			of[i] = at
		}
	}
	return of
}

// hash is FNV-1a.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
