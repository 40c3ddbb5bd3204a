package view_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/dashboards/internal/sample"
	"vigil/dashboards/view"
	"vigil/internal/api"
)

func TestFindingIsBoundedAndSaysWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	f := sample.Vendor()
	for len(f.Contributions) < 55 {
		f.Contributions = append(f.Contributions, f.Contributions[0])
	}
	v := view.NewFinding(&f, view.Options{Now: sample.Now()})
	v.Draw(&f)
	v.DrawTimeline(&f, api.Timeline{})
	if len(v.Subjects.Items) != view.MaxSubjects || v.Subjects.More != 1940 || v.SubjectsKnown != "2,140" {
		t.Errorf("subjects: %d shown, %d more, %s known", len(v.Subjects.Items), v.Subjects.More, v.SubjectsKnown)
	}
	if len(v.Contributions) != 6 || len(v.Smaller) != 34 || v.MoreTerms != 15 {
		t.Errorf("contributions: %d shown, %d smaller, %d more", len(v.Contributions), len(v.Smaller), v.MoreTerms)
	}
	if v.Timeline != "" || v.Chart == "" {
		t.Error("a timeline without data, or no chart")
	}
}

func TestTheSmallestPIsABound(t *testing.T) {
	t.Parallel()
	f := vigil.Finding{Contributions: []vigil.Contribution{{Model: "volume", P: 1e-9}, {Model: "volume", P: 2e-9}}}
	v := view.NewFinding(&f, view.Options{})
	v.Draw(&f)
	if a, b := v.Contributions[0].Rare, v.Contributions[1].Rare; a != "under 1 in 1 billion" || b != "1 in 500 million" {
		t.Errorf("%q, %q", a, b)
	}
}

func TestWhoAFindingIsAbout(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		f      vigil.Finding
		who    string
		traits []string
	}{
		"actor":   {vigil.Finding{About: vigil.AboutActor, Actor: "p_1", ActorKind: vigil.KindHuman, Team: "emea"}, "p_1", []string{"person", "team emea"}},
		"subject": {vigil.Finding{About: vigil.AboutSubject, Subject: "s_1", Tenant: "acme"}, "s_1", []string{"a customer, read by others", "tenant acme"}},
		"network": {vigil.Finding{About: vigil.AboutNetwork, Network: "192.0.2.0/24"}, "192.0.2.0/24", []string{"a network, from which accounts came"}},
		"team":    {vigil.Finding{About: vigil.AboutTeam, Team: "emea"}, "emea", []string{"a team, its members together"}},
		"source":  {vigil.Finding{About: vigil.AboutSource, Source: "nginx"}, "nginx", []string{"a source of logs"}},
		"nobody":  {vigil.Finding{}, "nobody named", nil},
	} {
		v := view.NewFinding(&x.f, view.Options{})
		if diff := cmp.Diff(append([]string{x.who}, x.traits...), append([]string{v.Who}, v.Traits...)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestCountsThatNoSourceTold(t *testing.T) {
	t.Parallel()
	f := sample.Scrape()
	v := view.NewFinding(&f, view.Options{})
	want := []view.Figure{{Value: "3,906", Word: "customers"}, {Value: "9,214", Word: "accesses"}, {Value: "not told", Word: "rows", Untold: true}}
	if diff := cmp.Diff(want, v.Figures); diff != "" {
		t.Error(diff)
	}
}

func TestStatusInPlainWords(t *testing.T) {
	t.Parallel()
	for perDay, want := range map[float64]string{
		5: "about 5 false findings a day", 1: "about 1 false finding a day", 1.0 / 7: "about 1 false finding a week", 0.5: "about 3.5 false findings a week",
		1.0 / 30: "about 1 false finding a month", 0: "", -1: "", math.Inf(1): "",
	} {
		if got := view.NewStatus(api.Status{Budget: perDay}, time.Time{}).Budget; got != want {
			t.Errorf("budget %g: %q, want %q", perDay, got, want)
		}
	}
	if got := view.NewStatus(api.Status{Budget: math.NaN(), Progress: math.NaN()}, time.Time{}); got.Budget != "" || got.Replaying {
		t.Errorf("what is no number: %+v", got)
	}
	v := view.NewStatus(sample.Status(), sample.Now())
	if diff := cmp.Diff([]string{"weeks", "teams", "log sources"}, v.Silent); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]view.Reason{{Code: "truncated", Count: "2"}, {Code: "time", Count: "1"}}, v.Sources[0].Reasons); diff != "" {
		t.Error(diff)
	}
	off := api.Status{RulesOff: make([]api.RuleOff, 102)}
	off.RulesOff[0] = api.RuleOff{ID: "a", Name: "A", Why: api.RuleOffByFailure}
	off.RulesOff[1] = api.RuleOff{ID: "b", Name: "B", Why: api.RuleOffByFile, Builtin: true}
	off.RulesOff[2] = api.RuleOff{ID: "c", Name: "C", Why: api.RuleOffByFile}
	got := view.NewStatus(off, time.Time{})
	want := []view.RuleOff{{ID: "a", Name: "A", Why: "could not be judged too often; mend its file"}, {ID: "b", Name: "B", Why: "switched off"}, {ID: "c", Name: "C", Why: "switched off by your file"}}
	if diff := cmp.Diff(want, got.RulesOff[:3]); diff != "" || len(got.RulesOff) != 100 || got.MoreRulesOff != 2 {
		t.Errorf("%d rules and %d more: %s", len(got.RulesOff), got.MoreRulesOff, diff)
	}
}

func TestEventsSkipWhatIsNotThere(t *testing.T) {
	t.Parallel()
	e := vigil.NewEvent()
	e.Subjects, e.SubjectCount, e.Store = []string{"s_1", "s_2"}, 300, "helpdesk"
	e.Origin = vigil.Origin{File: "a.log", Line: 41200}
	got := view.NewEvents([]*vigil.Event{nil, e})
	if len(got) != 1 || got[0].Subjects != "s_1 and 299 more" || got[0].Rows != "" || got[0].Resource != "helpdesk" || got[0].Origin != "a.log, line 41,200" {
		t.Errorf("%+v", got)
	}
}

func TestARoleThatIsTheKindIsToldOnce(t *testing.T) {
	t.Parallel()
	f := sample.Vendor()
	f.ActorKind, f.Role, f.Team, f.Tenant = vigil.KindVendor, "vendor", "", ""
	if got := view.NewFinding(&f, view.Options{}).Traits; !slices.Equal(got, []string{"vendor"}) {
		t.Errorf("traits are %q", got)
	}
}

// A verdict is given by the clock, while "ago" counts from the time of the log, which
// may be of long ago: a verdict never comes "in 23 days".
func TestAVerdictsTimeIsNotHeldAgainstTheLogs(t *testing.T) {
	t.Parallel()
	f := sample.Vendor()
	f.Verdict = &vigil.Verdict{Word: vigil.WordBreach, By: "ann", Time: sample.Now().Add(23 * 24 * time.Hour)}
	if got := view.NewFinding(&f, view.Options{Now: sample.Now()}).VerdictAt; got.Text == "" || got.Ago != "" {
		t.Errorf("the verdict's time is %+v", got)
	}
}
