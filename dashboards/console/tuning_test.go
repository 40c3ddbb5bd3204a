package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/dashboards/console"
	"vigil/dashboards/internal/sample"
	"vigil/internal/api"
)

// send sends a form as ann does.
func sendForm(t *testing.T, h http.Handler, path string, values url.Values) answer {
	t.Helper()
	values.Set("form", sample.Person().Form)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(values.Encode()))
	r.Host = "localhost:8080"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://localhost:8080")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{code: w.Code, head: w.Header(), body: w.Body.String()}
}

func tuningAt(t *testing.T) (*sample.Tuner, http.Handler) {
	t.Helper()
	tuner := sample.NewTuner()
	return tuner, serving(t, console.Config{}, console.Services{Reader: sample.NewReader(), Tuner: tuner, Replayer: tuner})
}

func TestTuningShowsWhatIsInForceAndWhatAnotherBudgetWouldTell(t *testing.T) {
	t.Parallel()
	_, h := tuningAt(t)
	body := get(t, h, "/tuning").body
	for _, want := range []string{
		"as two people agreed", "actor-bea", "The configuration says 5 a day, which is not in force", "Proposed: 1 a day", `value="confirm"`,
		`value="1" checked`, "1 of 1 breach or misuse confirmed found, 1 earlier", "0 of 1 finding judged expected found, 1 no more",
		"learns: ", "rule added", "91\u202f%", `href="/tuning/replays"`, `/tuning?per_day=3&amp;version=2#propose`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Contains(body, "Propose another budget") {
		t.Error("a second one can be proposed beside the first")
	}
	body = get(t, h, "/tuning/replays/r-2").body
	for _, want := range []string{"found earlier by 3 h", "a breach", "not found any more", "Budget 0.5 a day", "the rules changed"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in the report", want)
		}
	}
	if got := get(t, h, "/tuning/replays/r-9"); got.code != http.StatusNotFound || !strings.Contains(got.body, "no such back-test") {
		t.Errorf("one that is not: %d", got.code)
	}
}

func TestABudgetIsProposedAndAnswered(t *testing.T) {
	t.Parallel()
	tuner, h := tuningAt(t)
	if got := sendForm(t, h, "/tuning/budget/b-2", url.Values{"answer": {"confirm"}}); got.code != http.StatusSeeOther || got.head.Get("Location") != "/tuning?said=budget-confirm" || tuner.View.Budget != 1 {
		t.Errorf("confirm: %d to %q, budget %g", got.code, got.head.Get("Location"), tuner.View.Budget)
	}
	if got := sendForm(t, h, "/tuning/budget/b-2", url.Values{"answer": {"confirm"}}); got.code != http.StatusConflict {
		t.Errorf("confirm what is answered: %d", got.code)
	}
	for name, c := range map[string]struct {
		values url.Values
		code   int
	}{
		"no number":  {url.Values{"seen": {"4"}, "per_day": {"many"}, "why": {"x"}}, http.StatusUnprocessableEntity},
		"negative":   {url.Values{"seen": {"4"}, "per_day": {"-1"}, "why": {"x"}}, http.StatusUnprocessableEntity},
		"not a form": {url.Values{"per_day": {"3"}}, http.StatusBadRequest},
		"stale":      {url.Values{"seen": {"3"}, "per_day": {"3"}, "why": {"x"}}, http.StatusConflict},
	} {
		if got := sendForm(t, h, "/tuning/budget", c.values); got.code != c.code {
			t.Errorf("%s: %d, want %d", name, got.code, c.code)
		}
	}
	if got := sendForm(t, h, "/tuning/budget", url.Values{"seen": {"4"}, "per_day": {"0,5"}, "why": {"fewer"}}); got.code != http.StatusSeeOther || tuner.View.Proposal.PerDay != .5 {
		t.Errorf("propose: %d, %+v", got.code, tuner.View.Proposal)
	}
	body := get(t, h, "/tuning").body
	if !strings.Contains(body, "a second person has to confirm it") || strings.Contains(body, `value="confirm"`) {
		t.Error("who proposed can confirm")
	}
}

func TestABackTestIsBegunAndStopped(t *testing.T) {
	t.Parallel()
	tuner, h := tuningAt(t)
	got := sendForm(t, h, "/tuning/replays", url.Values{"from": {"2026-10-01"}, "budgets": {"0.5 2  2"}, "without": {"leaver"}})
	if got.code != http.StatusSeeOther || got.head.Get("Location") != "/tuning/replays/r-3?said=replay-begun" || len(tuner.Asked) != 1 {
		t.Fatalf("begin: %d to %q", got.code, got.head.Get("Location"))
	}
	ask := tuner.Asked[0]
	if ask.Key == "" || ask.From.IsZero() || !ask.To.IsZero() || cmp.Diff(ask.Budgets, []float64{.5, 2}) != "" || cmp.Diff(ask.Without, []string{"leaver"}) != "" {
		t.Errorf("asked for %+v", ask)
	}
	for _, bad := range []url.Values{{"from": {"October"}}, {"budgets": {"few"}}} {
		if got := sendForm(t, h, "/tuning/replays", bad); got.code != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, got.code)
		}
	}
	if got := sendForm(t, h, "/tuning/replays/r-3/stop", url.Values{}); got.code != http.StatusSeeOther || len(tuner.Stopped) != 1 {
		t.Errorf("stop: %d", got.code)
	}
}

// A rule is tried by its text; what is wrong with one is told beside the text, which is not
// lost.
func TestARuleIsTried(t *testing.T) {
	t.Parallel()
	tuner, h := tuningAt(t)
	tuner.Kept = tuner.Kept[1:] // none runs
	got := sendForm(t, h, "/tuning/replays", url.Values{"rule": {"id: night\r\nwhen: x\r\n"}})
	if got.code != http.StatusSeeOther || len(tuner.Asked) != 1 || tuner.Asked[0].Rule != "id: night\nwhen: x\n" {
		t.Fatalf("try: %d, asked %+v", got.code, tuner.Asked)
	}
	got = sendForm(t, h, "/tuning/replays", url.Values{"rule": {sample.BadRule}})
	for _, want := range []string{"can&#39;t be tried", "Rule:1:1: when: is missing", "rule:2:3: sentence: is missing", "id: &lt;/textarea&gt;&lt;b&gt;bad", `aria-invalid="true"`} {
		if got.code != http.StatusUnprocessableEntity || !strings.Contains(strings.ReplaceAll(got.body, "can't", "can&#39;t"), want) {
			t.Errorf("a bad rule: %d without %q", got.code, want)
		}
	}
	body := get(t, h, "/tuning/replays/r-0").body
	for _, want := range []string{"It fires on 12 of 166", "1 of 41 actors", "2 of 30 days", "actor-7f3", "none told anything", "hour &lt; 5", "a rule alone"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on the page of a rule that was tried", want)
		}
	}
}

var (
	_ api.Tuner    = (*sample.Tuner)(nil)
	_ api.Replayer = (*sample.Tuner)(nil)
)
