package page_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/drill"
	"vigil/internal/drill/page"
)

// result makes up what drills came to at an intensity.
func result(intensity float64, found bool) *drill.Result {
	start := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	seconds := 95.0
	hostile := `<script>alert(1)</script>"'` + "\x1b[31m\u202e"
	outcome := drill.Outcome{
		Seed: 1, Found: found, Exposed: 40, Taken: 2400, TrapFindings: []string{hostile},
		Truth: drill.Truth{Start: start, Since: start, End: start.Add(time.Hour), Actors: []string{hostile, "b", "c", "d", "e"}},
		Curve: &drill.Curve{Start: start.Add(-time.Hour), Step: 60, Line: 4, Values: make([]float64, 180), Shown: make([]int64, 180)},
	}
	for i := range outcome.Curve.Values {
		outcome.Curve.Values[i] = float64(i) / 20
		outcome.Curve.Shown[i] = int64(i)
	}
	figures := drill.Figures{ID: "T01", Row: "T01", Name: "Mass export", Kind: drill.Bulk, About: "About.", Quiet: "Quiet.", Of: 1, Exposed: 40, Taken: 2400, Runs: []drill.Outcome{outcome}}
	if found {
		at := start.Add(95 * time.Second)
		figures.Found, figures.Seconds = 1, &seconds
		figures.Runs[0].Detected, figures.Runs[0].Seconds = &at, &seconds
		figures.Runs[0].Finding = &vigil.Finding{Sentence: hostile, Counterfactual: hostile}
	} else {
		figures.Runs[0].Masked = hostile
	}
	return &drill.Result{
		Intensity: intensity, Seeds: []uint64{1},
		Traffic:   drill.Traffic{Events: 1000, Actors: 40, Customers: 900, Start: start, End: start.AddDate(0, 0, 30)},
		Scenarios: []drill.Figures{figures, {ID: "T05", Name: "Revival", Unfit: "it has 9 days"}},
	}
}

func TestPageShowsWhatMatters(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := page.HTML(&b, []*drill.Result{result(2, true), result(1, true), result(0.5, true), result(0.25, false)}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"Found in most worlds from intensity 0.5.", "40 of 2,400", "after 1 min", "found in 1 of 1", `class="chart evidence-over-time"`,
		"not run: it has 9 days", "stayed quiet in 0 of 1", "and 1 more", "× 0.25: 0 of 1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"<script", "\x1b", "\u202e", "NaN", "http://", "https://", "style="} {
		if strings.Contains(text, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	var again bytes.Buffer
	if err := page.HTML(&again, []*drill.Result{result(0.25, false), result(0.5, true), result(1, true), result(2, true)}); err != nil {
		t.Fatal(err)
	}
	if again.String() != text {
		t.Error("the same results gave another page")
	}
}

func TestPageOfMisses(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := page.HTML(&b, []*drill.Result{result(1, false)}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"missed in 1 of 1", "Not found in most worlds up to intensity 1.", "did not grow by it"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestPageOfNothing(t *testing.T) {
	t.Parallel()
	if err := page.HTML(&bytes.Buffer{}, nil); err == nil {
		t.Error("a page of nothing was written")
	}
	if err := page.HTML(broken{}, []*drill.Result{result(1, true)}); !errors.Is(err, errBroken) {
		t.Errorf("a broken writer: %v", err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
