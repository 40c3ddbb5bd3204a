package triage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/sjwhitworth/golearn/base"
	"github.com/sjwhitworth/golearn/naive"
)

// The names of the classes in golearn.
const (
	classBad  = "breach"
	classGood = "expected"
)

// bayes is a fitted classifier: the logarithm of the odds of a breach when nothing
// holds, and by how much each feature moves it.
type bayes struct {
	base  float64
	names []string // sorted
	moves []float64
}

// score is the logarithm of the odds.
func (b *bayes) score(features []string) float64 {
	s := b.base
	for _, name := range features {
		if i, ok := slices.BinarySearch(b.names, name); ok {
			s += b.moves[i]
		}
	}
	return s
}

// says is by how much a feature moves the score, false for one that is not learnt.
func (b *bayes) says(name string) (float64, bool) {
	i, ok := slices.BinarySearch(b.names, name)
	if !ok {
		return 0, false
	}
	return b.moves[i], true
}

// fitBayes fits the classifier to the examples by their weights.
func fitBayes(ctx context.Context, examples []Example) (bayes, error) {
	if c := Count(examples); c.Bad == 0 || c.Good == 0 {
		return bayes{}, errTooFew
	}
	weights := Weights(examples)
	names := telling(examples, weights)
	if len(names) == 0 {
		return bayes{}, errors.New("no feature occurs often enough to be learnt")
	}
	at := make(map[string]int, len(names))
	for i, n := range names {
		at[n] = i
	}
	often := 1.0
	if slices.ContainsFunc(weights, func(w float64) bool { return w < 1 }) {
		often = copies
	}
	var rows []row
	owed := make([]float64, 2)
	for i := range examples {
		r := row{set: make([]bool, len(names)), bad: examples[i].Bad}
		for _, f := range examples[i].Features {
			if k, ok := at[f]; ok {
				r.set[k] = true
			}
		}
		// Weights become copies; what is cut off is owed to the next of its kind.
		owe := &owed[kind(r.bad)]
		for *owe += float64(often * weights[i]); *owe >= 1-1e-9; *owe-- {
			rows = append(rows, r)
		}
	}
	learnt, err := guarded(ctx, func() (learnt, error) { return learn(rows, len(names)) })
	if err != nil {
		return bayes{}, fmt.Errorf("fit classifier: %w", err)
	}
	return learnt.bayes(names)
}

func kind(bad bool) int {
	if bad {
		return 1
	}
	return 0
}

// telling are the features that tell most of the kind: by their mutual information
// with it (Manning, Raghavan & Schuetze, "Introduction to information retrieval",
// 2008, 13.5.1), of those that are neither always nor hardly ever there.
func telling(examples []Example, weights []float64) []string {
	type cell struct {
		n int
		w [2]float64 // by kind
	}
	var total [2]float64
	cells := map[string]*cell{}
	for i := range examples {
		k := kind(examples[i].Bad)
		total[k] += weights[i]
		for _, f := range examples[i].Features {
			c := cells[f]
			if c == nil {
				c = &cell{}
				cells[f] = c
			}
			c.n++
			c.w[k] += weights[i]
		}
	}
	type rated struct {
		name string
		bits float64
	}
	var all []rated
	for name, c := range cells {
		if c.n >= rareFeature && len(examples)-c.n >= rareFeature {
			all = append(all, rated{name, information(c.w, total)})
		}
	}
	slices.SortFunc(all, func(a, b rated) int { return cmp.Or(cmp.Compare(b.bits, a.bits), strings.Compare(a.name, b.name)) })
	names := make([]string, 0, maxFeatures)
	for _, r := range all[:min(len(all), maxFeatures)] {
		names = append(names, r.name)
	}
	slices.Sort(names)
	return names
}

// information is the mutual information of having a feature and of being bad.
func information(with, total [2]float64) (bits float64) {
	n := total[0] + total[1]
	have := with[0] + with[1]
	for k := range total {
		for _, x := range [...][2]float64{{with[k], have}, {total[k] - with[k], n - have}} {
			if joint := x[0] / n; joint > 0 {
				bits += joint * math.Log2(joint/(x[1]/n*(total[k]/n)))
			}
		}
	}
	return bits
}

// row is an example as golearn sees it.
type row struct {
	set []bool
	bad bool
}

// learnt is what golearn's classifier knows: of each class how many it saw, and the
// probability of each feature.
type learnt struct {
	count [2]int
	prob  [2][]float64
}

// bayes checks what was learnt and puts it into the form of odds. It mirrors golearn's own
// sum, with its way around a probability of one.
func (l *learnt) bayes(names []string) (bayes, error) {
	b := bayes{names: names, moves: make([]float64, len(names)), base: math.Log(float64(l.count[1])) - math.Log(float64(l.count[0]))}
	for i := range names {
		var with, without [2]float64
		for k := range l.prob {
			p := l.prob[k][i]
			if !(p > 0 && p <= 1) {
				return bayes{}, fmt.Errorf("golearn gives feature %q the probability %v", names[i], p)
			}
			rest := 1 - p
			if p == 1 {
				rest = 1 / float64(l.count[k]+1)
			}
			with[k], without[k] = math.Log(p), math.Log(rest)
		}
		b.base += without[1] - without[0]
		b.moves[i] = with[1] - with[0] - (without[1] - without[0])
		if !finite(b.moves[i]) {
			return bayes{}, fmt.Errorf("feature %q moves the score by %v", names[i], b.moves[i])
		}
	}
	if !finite(b.base) {
		return bayes{}, fmt.Errorf("the score begins at %v", b.base)
	}
	return b, nil
}

// learn runs golearn's classifier over the rows. It hands out classes only; the
// probabilities, by which to tell how sure it is, are read from where it keeps them.
func learn(rows []row, features int) (learnt, error) {
	grid, err := instances(rows, features)
	if err != nil {
		return learnt{}, err
	}
	nb := naive.NewBernoulliNBClassifier()
	if err := nb.Fit(grid); err != nil {
		return learnt{}, err
	}
	inside := reflect.ValueOf(nb).Elem()
	prob, count := inside.FieldByName("condProb"), inside.FieldByName("classInstances")
	if prob.Kind() != reflect.Map || count.Kind() != reflect.Map {
		return learnt{}, errors.New("this golearn keeps what it learnt elsewhere")
	}
	var out learnt
	for k, class := range [...]string{classGood, classBad} {
		n, ps := count.MapIndex(reflect.ValueOf(class)), prob.MapIndex(reflect.ValueOf(class))
		if !n.IsValid() || !ps.IsValid() || ps.Len() != features || n.Int() <= 0 {
			return learnt{}, fmt.Errorf("golearn knows nothing of the class %q", class)
		}
		out.count[k] = int(n.Int())
		out.prob[k] = make([]float64, features)
		for i := range features {
			out.prob[k][i] = ps.Index(i).Float()
		}
	}
	return out, nil
}

// instances makes golearn's form of the rows.
func instances(rows []row, features int) (*base.DenseInstances, error) {
	grid := base.NewDenseInstances()
	specs := make([]base.AttributeSpec, features)
	for i := range specs {
		specs[i] = grid.AddAttribute(base.NewBinaryAttribute(fmt.Sprintf("f%04d", i)))
	}
	class := base.NewCategoricalAttribute()
	class.SetName("class")
	// Both classes in an order of their own, whichever comes first.
	names := [...][]byte{class.GetSysValFromString(classGood), class.GetSysValFromString(classBad)}
	spec := grid.AddAttribute(class)
	if err := grid.AddClassAttribute(class); err != nil {
		return nil, fmt.Errorf("add class: %w", err)
	}
	if err := grid.Extend(len(rows)); err != nil {
		return nil, fmt.Errorf("make room for %d rows: %w", len(rows), err)
	}
	one := []byte{1}
	for r := range rows {
		if len(rows[r].set) != features {
			return nil, fmt.Errorf("row %d has %d features, not %d", r, len(rows[r].set), features)
		}
		for i, set := range rows[r].set {
			if set {
				grid.Set(specs[i], r, one)
			}
		}
		grid.Set(spec, r, names[kind(rows[r].bad)])
	}
	return grid, nil
}

// guarded calls what may panic or never end. What is still running when ctx ends is
// left behind.
func guarded[T any](ctx context.Context, call func() (T, error)) (T, error) {
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if p := recover(); p != nil {
				o.err = fmt.Errorf("golearn gave up: %v", p)
			}
			done <- o
		}()
		o.v, o.err = call()
	}()
	select {
	case o := <-done:
		return o.v, o.err
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("golearn has not come to an end: %w", ctx.Err())
	}
}
