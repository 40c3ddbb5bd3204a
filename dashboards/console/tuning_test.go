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
		"as two people agreed", "actor-bea", "The configuration says 5 a day, which is not in force", "1 a day; 1 rule removed (leaver); back to version 3", `value="confirm"`,
		`value="1" checked`, "1 of 1 breach or misuse confirmed found, 1 earlier", "0 of 1 finding judged expected found, 1 no more",
		"learns: ", "rule added", "91\u202f%", `href="/tuning/replays"`, `/tuning/versions?to=2`, "34 rules", "1 rule added (night)", "30 1 * * *", "it would have told", "/tuning/replays/r-4",
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
	if got := sendForm(t, h, "/tuning/proposals/s-2", url.Values{"answer": {"confirm"}}); got.code != http.StatusSeeOther || got.head.Get("Location") != "/tuning?said=setting-confirm" || tuner.View.Budget != 1 {
		t.Errorf("confirm: %d to %q, budget %g", got.code, got.head.Get("Location"), tuner.View.Budget)
	}
	if got := sendForm(t, h, "/tuning/proposals/s-2", url.Values{"answer": {"confirm"}}); got.code != http.StatusConflict {
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
		if got := sendForm(t, h, "/tuning/proposals", c.values); got.code != c.code {
			t.Errorf("%s: %d, want %d", name, got.code, c.code)
		}
	}
	if got := sendForm(t, h, "/tuning/proposals", url.Values{"seen": {"4"}, "per_day": {"0,5"}, "why": {"fewer"}}); got.code != http.StatusSeeOther || tuner.View.Proposal.Budget.PerDay != .5 {
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

// Two versions are compared by their address, and the older one is proposed from there.
func TestVersionsAreComparedAndBroughtBack(t *testing.T) {
	t.Parallel()
	tuner, h := tuningAt(t)
	body := get(t, h, "/tuning/versions?from=4&to=3").body
	for _, want := range []string{
		"From version 4 to version 3", "<ins>&#43;severity: low</ins>", "<del>-severity: high</del>", "is not kept", "The text of night", "have it confirmed or withdrawn first",
		"learnt from verdicts", "learnt from the log",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	tuner.View.Proposal = nil
	body = get(t, h, "/tuning/versions?from=4&to=3").body
	for _, want := range []string{`name="version" value="3"`, `name="only" value="budget"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in the form of what can be brought back", want)
		}
	}
	for _, bad := range []string{"?from=9", "?to=0", "?from=x", "?to=-1"} {
		if got := get(t, h, "/tuning/versions"+bad); got.code != http.StatusNotFound || !strings.Contains(got.body, "no such version") {
			t.Errorf("%s: %d", bad, got.code)
		}
	}
	form := url.Values{"seen": {"4"}, "version": {"3"}, "only": {"budget"}, "why": {"back"}}
	if got := sendForm(t, h, "/tuning/proposals", form); got.code != http.StatusSeeOther || got.head.Get("Location") != "/tuning?said=setting-proposed" {
		t.Errorf("propose: %d to %q", got.code, got.head.Get("Location"))
	}
	if p := tuner.Proposed; len(p) != 1 || p[0].Version != 3 || p[0].Only != api.PartBudget || p[0].PerDay != nil || p[0].Key == "" {
		t.Errorf("proposed %+v", p)
	}
}

// What a back-test has tried is proposed from its page.
func TestWhatABackTestTriedIsProposed(t *testing.T) {
	t.Parallel()
	tuner, h := tuningAt(t)
	body := get(t, h, "/tuning/replays/r-2").body
	if !strings.Contains(body, `name="report" value="3"`) || !strings.Contains(body, "Propose this setting") {
		t.Error("what was tried can't be proposed")
	}
	if strings.Contains(get(t, h, "/tuning/replays/r-4").body, "Propose this setting") {
		t.Error("what is proposed can be proposed again")
	}
	tuner.View.Proposal = nil
	if got := sendForm(t, h, "/tuning/proposals", url.Values{"seen": {"-1"}, "replay": {"r-2"}, "report": {"3"}, "why": {"it tells less"}}); got.code != http.StatusSeeOther {
		t.Errorf("propose: %d", got.code)
	}
	if p := tuner.Proposed; len(p) != 1 || p[0].Replay != "r-2" || p[0].Report != 3 {
		t.Errorf("proposed %+v", p)
	}
	if got := sendForm(t, h, "/tuning/replays", url.Values{"proposal": {"s-9"}}); got.code != http.StatusSeeOther || tuner.Asked[0].Proposal != "s-9" {
		t.Errorf("try a proposal: %d, %+v", got.code, tuner.Asked)
	}
}

// Where budgets would have told the same, the one in force is closest to what was live; it
// alone is not offered.
func TestThePreviewOpensWithTheBudgetInForce(t *testing.T) {
	t.Parallel()
	tuner, h := tuningAt(t)
	reports := tuner.Kept[1].Reports
	for i := range reports {
		reports[i].All = reports[0].All
	}
	body := get(t, h, "/tuning").body
	if !strings.Contains(body, `value="3" checked`) {
		t.Error("not the budget in force, of 2 a day, is chosen")
	}
	if strings.Contains(body, "per_day=2#propose") || !strings.Contains(body, "per_day=1#propose") {
		t.Error("the budget in force is offered, or another is not")
	}
}
