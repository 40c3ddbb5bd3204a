package triage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sjwhitworth/golearn/base"
	"github.com/sjwhitworth/golearn/naive"

	"vigil"
)

// world makes n examples: some features tell, some follow them, most are noise.
func world(seed uint64, n int, voices ...string) []Example {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]Example, n)
	for i := range out {
		e := &out[i]
		e.Bad, e.Voice = rng.Float64() < 0.4, "ann"
		if len(voices) > 0 {
			e.Voice = voices[i%len(voices)]
		}
		odds := func(good, bad float64) bool {
			if e.Bad {
				return rng.Float64() < bad
			}
			return rng.Float64() < good
		}
		has := func(name string, ok bool) bool {
			if ok {
				e.Features = append(e.Features, name)
			}
			return ok
		}
		network := has("new network", odds(.15, .7))
		has("new network for everyone", network && rng.Float64() < .8)
		has("new network, beyond doubt", network && rng.Float64() < .7)
		has("customers", odds(.4, .8))
		has("begins: at night", odds(.1, .4))
		has("role: service", odds(.3, .1))
		for k := range 90 {
			has(fmt.Sprintf("noise %02d", k), rng.Float64() < .3)
		}
	}
	return out
}

func TestProbabilitiesAreAsGoodAsTheySay(t *testing.T) {
	t.Parallel()
	examples := world(3, 2_000)
	r, err := Evaluate(t.Context(), examples)
	if err != nil {
		t.Fatal(err)
	}
	if r.Error > 0.05 || r.Brier > 0.16 || r.Accuracy < 0.75 {
		t.Errorf("calibration error %.3f, Brier %.3f, accuracy %.3f", r.Error, r.Brier, r.Accuracy)
	}
	if got := r.Confusion[0][0] + r.Confusion[0][1] + r.Confusion[1][0] + r.Confusion[1][1]; got != len(examples) {
		t.Errorf("the confusion is of %d", got)
	}
	want := float64(r.Confusion[1][1]) / float64(r.Confusion[1][0]+r.Confusion[1][1])
	if math.Abs(r.Recall-want) > 1e-12 {
		t.Errorf("recall is %v, not %v", r.Recall, want)
	}
}

func TestTheSameExamplesGiveTheSameModel(t *testing.T) {
	t.Parallel()
	examples := world(1, 400, "ann", "bob", "eve")
	one, err := Train(t.Context(), examples)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Train(t.Context(), slices.Clone(examples))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one, two, cmp.AllowUnexported(Model{}, bayes{}, curve{})); diff != "" {
		t.Error(diff)
	}
	if why := one.Why([]string{"new network", "role: service", "never heard of"}); why != "for it: new network; against it: role: service" {
		t.Errorf("why is %q", why)
	}
	if p, q := one.P([]string{"new network", "customers", "begins: at night"}), one.P([]string{"role: service"}); !(p > 0.5 && q < 0.2) {
		t.Errorf("p is %v and %v", p, q)
	}
}

// What is read out of golearn says what golearn says.
func TestScoresAgreeWithGolearn(t *testing.T) {
	t.Parallel()
	examples := world(7, 300)
	b, err := fitBayes(t.Context(), examples)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for i := range examples {
		r := row{set: make([]bool, len(b.names)), bad: examples[i].Bad}
		for k, name := range b.names {
			r.set[k] = slices.Contains(examples[i].Features, name)
		}
		rows = append(rows, r, r, r, r)
	}
	grid, err := instances(rows, len(b.names))
	if err != nil {
		t.Fatal(err)
	}
	nb := naive.NewBernoulliNBClassifier()
	if err := nb.Fit(grid); err != nil {
		t.Fatal(err)
	}
	said, err := nb.Predict(grid)
	if err != nil {
		t.Fatal(err)
	}
	for i := range examples {
		if s := b.score(examples[i].Features); (s > 0) != (base.GetClass(said, 4*i) == classBad) && math.Abs(s) > 1e-9 {
			t.Errorf("example %d scores %v, golearn says %s", i, s, base.GetClass(said, 4*i))
		}
	}
}

func TestTooFewVerdictsAreNotLearntFrom(t *testing.T) {
	t.Parallel()
	var examples []Example
	for i := range 2*Enough - 1 {
		examples = append(examples, Example{Bad: i%2 == 1, Features: []string{"a"}})
	}
	if _, err := Train(t.Context(), examples); !errors.Is(err, errTooFew) {
		t.Errorf("got %v", err)
	}
	if _, why := Count(examples).Suffice(); !strings.HasPrefix(why, "it takes 20 verdicts of breach or misuse (19 so far)") {
		t.Errorf("why is %q", why)
	}
	if _, err := Evaluate(t.Context(), examples); !errors.Is(err, errTooFew) {
		t.Errorf("got %v", err)
	}
	// Enough of them, of which nothing tells anything apart.
	if _, err := Train(t.Context(), append(examples, Example{Bad: true, Features: []string{"a"}})); err == nil || errors.Is(err, errTooFew) {
		t.Errorf("got %v", err)
	}
}

// One analyst who says much, and nonsense, does not outweigh the others.
func TestNoVoiceOutweighsTheOthers(t *testing.T) {
	t.Parallel()
	honest := world(5, 200, "ann", "bob")
	loud := world(6, 2_000, "mallory")
	for i := range loud {
		loud[i].Bad = !loud[i].Bad
	}
	all := append(slices.Clone(honest), loud...)
	var mallory, others float64
	for i, w := range Weights(all) {
		if all[i].Voice == "mallory" {
			mallory += w
		} else {
			others += w
		}
	}
	if math.Abs(mallory-others) > 1e-6 || others != 200 {
		t.Errorf("mallory weighs %v, all others %v", mallory, others)
	}
	b, err := fitBayes(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	if move, _ := b.says("new network"); move < -0.2 {
		t.Errorf("one voice turned what a new network says: %v", move)
	}
	for _, alone := range [][]Example{honest[:1], loud} {
		for _, w := range Weights(alone) {
			if w != 1 {
				t.Fatalf("who is alone weighs %v", w)
			}
		}
	}
}

func TestGroupsStayTogetherInFolds(t *testing.T) {
	t.Parallel()
	examples := world(2, 500)
	for i := range examples {
		examples[i].Group = fmt.Sprint("staging ", i/7)
	}
	of := deal(examples)
	seen := map[string]int{}
	var count [folds]int
	for i := range examples {
		if k, ok := seen[examples[i].Group]; ok && k != of[i] {
			t.Fatalf("%s is in two folds", examples[i].Group)
		}
		seen[examples[i].Group] = of[i]
		count[of[i]]++
	}
	for k, n := range count {
		if n < 50 || n > 170 {
			t.Errorf("fold %d has %d of 500", k, n)
		}
	}
}

func TestGuardEndsWhatPanicsOrNeverEnds(t *testing.T) {
	t.Parallel()
	if _, err := guarded(t.Context(), func() (int, error) { panic("index out of range") }); err == nil || !strings.Contains(err.Error(), "gave up: index") {
		t.Errorf("got %v", err)
	}
	never := make(chan struct{})
	defer close(never)
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := guarded(ended, func() (int, error) { <-never; return 1, nil }); err == nil || !strings.Contains(err.Error(), "not come to an end") {
		t.Errorf("got %v", err)
	}
	if v, err := guarded(t.Context(), func() (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
	// What golearn could give back and should not.
	for _, bad := range []float64{math.NaN(), 0, -1, 1.5} {
		l := learnt{count: [2]int{3, 3}, prob: [2][]float64{{0.5}, {bad}}}
		if _, err := l.bayes([]string{"a"}); err == nil {
			t.Errorf("the probability %v was taken", bad)
		}
	}
}

func TestFeaturesSayWhichReasonsWereFound(t *testing.T) {
	t.Parallel()
	const looked, none, some = "reasons were looked for", "no reason for most customers", "a reason for some customers"
	for name, c := range map[string]struct {
		looked               []string
		subjects, unreasoned int64
		want                 []string
	}{
		"nothing to look in":  {nil, 10, 0, nil},
		"a reason for all":    {[]string{"assignment"}, 10, 0, []string{some, looked}},
		"none for half":       {[]string{"assignment"}, 10, 5, []string{some, looked}},
		"none for most":       {[]string{"assignment", "change or incident"}, 10, 6, []string{some, none, looked}},
		"none for anybody":    {[]string{"assignment"}, 10, 10, []string{none, looked}},
		"nobody is named":     {[]string{"contract"}, vigil.Unknown, 0, []string{looked}},
		"nobody was touched":  {[]string{"contract"}, 0, 0, []string{looked}},
		"more than are known": {[]string{"contract"}, 3, 4, []string{none, looked}},
	} {
		var got []string
		for _, feature := range Features(&vigil.Finding{Subjects: c.subjects, ReasonsLooked: c.looked, Unreasoned: c.unreasoned}) {
			if strings.Contains(feature, "reason") {
				got = append(got, feature)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestFeaturesSayWhatFired(t *testing.T) {
	t.Parallel()
	f := vigil.Finding{
		About: vigil.AboutActor, Actor: "actor-secret", Role: "agent", Lane: "day", Severity: vigil.SeverityHigh,
		Start: time.Date(2026, 11, 3, 2, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 3, 16, 0, 0, 0, time.UTC),
		Subjects: 120, Conversations: vigil.Unknown, Rows: vigil.Unknown, Evidence: 6, Threshold: 4, NotJudged: []string{"rows"},
		Contributions: []vigil.Contribution{
			{Model: "novelty", Observation: "network", Span: "day", Frame: "everyone", SeenLabel: "203.0.113.0/24", P: 1e-5, Share: .6},
			{Model: "volume", Observation: "subjects", Span: "day", Frame: "self", P: .04, Share: .01},
		},
	}
	got := Features(&f)
	for _, want := range []string{
		"about: actor", "role: agent", "begins: at night", "new network for everyone", "new network, beyond doubt", "mainly novelty",
		"customers from 100 on", "decades over the line from 1 on", "hours long from 12 on", "not told: rows",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is missing in %q", want, got)
		}
	}
	for _, name := range got {
		if strings.Contains(name, "secret") || strings.Contains(name, "203.0.113") || strings.HasPrefix(name, "subjects") || strings.HasPrefix(name, "conversations") {
			t.Errorf("%q should not be a feature", name)
		}
	}
	if !slices.IsSorted(got) {
		t.Error("features are not sorted")
	}
}
