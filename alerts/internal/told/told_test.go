package told_test

import (
	"slices"
	"strings"
	"testing"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/internal/told"
)

func TestNews(t *testing.T) {
	t.Parallel()
	story := alertstest.Story()
	var was told.State
	for i, want := range [][]string{nil, nil, {"now critical"}, {"acknowledged"}, {"resolved", "judged breach"}} {
		now := told.Of(story[alertstest.Chapters[i]])
		if i > 0 {
			if got := was.News(now); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", alertstest.Chapters[i], got, want)
			}
			now = was.After(now)
		}
		back, ok := told.Parse(now.Receipt())
		if !ok || back != now {
			t.Errorf("%s: the receipt becomes %+v, %v", alertstest.Chapters[i], back, ok)
		}
		if again := back.News(now); len(again) != 0 {
			t.Errorf("%s: the same is news: %q", alertstest.Chapters[i], again)
		}
		was = back
	}
	again := was
	again.State, again.Rank = vigil.CaseNew, vigil.SeverityHigh.Rank()
	if got := was.News(again); !slices.Equal(got, []string{"open again"}) {
		t.Errorf("open again: %q", got)
	}
	if was.After(again).Rank != vigil.SeverityCritical.Rank() {
		t.Error("the gravest severity is forgotten")
	}
	for _, tc := range []struct {
		change func(*told.State)
		want   string
	}{
		{func(s *told.State) { s.Reminded++ }, "still waits for somebody"},
		{func(s *told.State) { s.Reminded++; s.Escalated = 2 }, "passed on (level 2)"},
		{func(s *told.State) { s.Aware = true }, "the clock to notify the authority runs"},
		{func(s *told.State) { s.Answered = true }, "the person whom it is about has answered"},
	} {
		now := was
		tc.change(&now)
		if got := told.Words(was.News(now)); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

func TestReceipts(t *testing.T) {
	t.Parallel()
	for name, m := range alertstest.Samples() {
		s := told.Of(m)
		if back, ok := told.Parse(s.Receipt()); !ok || back != s {
			t.Errorf("%s: %+v becomes %+v", name, s, back)
		}
	}
	for _, bad := range []string{"", "r1", "{}", `{"v":2,"thread":"x"}`, `{"v":1}`, "null", strings.Repeat("x", 9999)} {
		if _, ok := told.Parse(bad); ok {
			t.Errorf("%q is a receipt", bad)
		}
	}
	long := told.Of(alerts.Message{ID: strings.Repeat("é", 9000)})
	long.Subject = strings.Repeat("x", 5000)
	if back, ok := told.Parse(long.Receipt()); !ok || back.Thread != long.Thread {
		t.Error("a long receipt is none")
	}
}
