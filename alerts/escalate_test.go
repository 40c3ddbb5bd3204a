package alerts_test

import (
	"slices"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
)

func TestNudge(t *testing.T) {
	t.Parallel()
	policy := alerts.Policy{
		Escalations: map[string]alerts.Escalation{"night": {Levels: []alerts.Level{
			{After: 15 * time.Minute, Notify: []string{"slack", "pager"}, Call: []string{"olga"}},
			{After: time.Hour, Rotas: []string{"soc"}},
		}}},
		Rotas: map[string]*alerts.Rota{"soc": {People: []string{"ann", "ben"}, From: "2026-11-02"}},
	}
	p, err := alerts.NewPipeline(policy, []string{"slack", "pager"}, alerts.State{}, "")
	if err != nil {
		t.Fatal(err)
	}
	type step struct {
		after               time.Duration
		reminded, escalated int
		call, notify        []string
	}
	for name, tc := range map[string]struct {
		severity   vigil.Severity
		escalation string
		change     func(*vigil.Case)
		steps      []step
	}{
		"high, doubling, three times": {severity: "high", steps: []step{
			{after: 29 * time.Minute}, {after: 30 * time.Minute, reminded: 1}, {after: 89 * time.Minute}, {after: 90 * time.Minute, reminded: 2},
			{after: 209 * time.Minute}, {after: 210 * time.Minute, reminded: 3}, {after: 500 * time.Hour},
		}},
		"critical": {severity: "critical", steps: []step{{after: 9 * time.Minute}, {after: 10 * time.Minute, reminded: 1}}},
		"medium":   {severity: "medium", steps: []step{{after: 7 * time.Hour}, {after: 8 * time.Hour, reminded: 1}}},
		"low":      {severity: "low", steps: []step{{after: 9999 * time.Hour}}},
		"all at once after a pause": {severity: "high", escalation: "night", steps: []step{
			{after: 30 * time.Hour, reminded: 3, escalated: 2, call: []string{"own", "olga", "ann"}, notify: []string{"pager"}},
		}, change: func(c *vigil.Case) { c.Owner = "own" }},
		"levels": {severity: "low", escalation: "night", steps: []step{
			{after: 14 * time.Minute}, {after: 15 * time.Minute, escalated: 1, call: []string{"olga"}, notify: []string{"pager"}},
			{after: 20 * time.Minute}, {after: time.Hour, escalated: 2, call: []string{"ann"}}, {after: 99 * time.Hour},
		}},
		"acknowledged": {severity: "critical", escalation: "night", change: func(c *vigil.Case) { c.State = vigil.CaseAcknowledged }, steps: []step{{after: 99 * time.Hour}}},
		"resolved":     {severity: "critical", escalation: "night", change: func(c *vigil.Case) { c.State = vigil.CaseResolved }, steps: []step{{after: 99 * time.Hour}}},
		"snoozed": {severity: "critical", escalation: "night", change: func(c *vigil.Case) { c.Snoozed = began.Add(5 * time.Hour) }, steps: []step{
			{after: 4 * time.Hour}, {after: 5 * time.Hour, reminded: 3, escalated: 2, call: []string{"olga", "ann"}, notify: []string{"pager"}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := about("f", "x", tc.severity)
			c, _ := alerts.Join(nil, nil, &f, began)
			if tc.change != nil {
				tc.change(&c)
			}
			told := alerts.Told{Notifiers: []string{"slack"}, Since: began}
			for _, s := range tc.steps {
				now := began.Add(s.after)
				n := p.Nudge(&c, &told, tc.escalation, now)
				due := s.reminded > 0 || s.escalated > 0
				if (n.Reply != nil) != due || (len(n.Events) > 0) != due {
					t.Fatalf("after %v: %+v", s.after, n)
				}
				if !due {
					if n.Reminded != c.Reminded || n.Escalated != c.Escalated {
						t.Errorf("after %v the counters move: %+v", s.after, n)
					}
					continue
				}
				if s.reminded > 0 && n.Reminded != s.reminded || s.escalated > 0 && n.Escalated != s.escalated ||
					!slices.Equal(n.Reply.Reply.Call, s.call) || !slices.Equal(n.Notify, s.notify) || !n.Reply.Reply.Loud {
					t.Errorf("after %v: %+v, %+v", s.after, n, n.Reply.Reply)
				}
				c.Reminded, c.Escalated, told = n.Reminded, n.Escalated, n.Told
				if again := p.Nudge(&c, &told, tc.escalation, now); again.Reply != nil || len(again.Notify) > 0 {
					t.Errorf("after %v it comes twice: %+v", s.after, again)
				}
			}
		})
	}
	f := about("f", "x", "critical")
	c, _ := alerts.Join(nil, nil, &f, began)
	if n := p.Nudge(&c, nil, "night", began.Add(time.Hour)); n.Reply != nil {
		t.Error("what was not told is reminded of")
	}
	if n := p.Nudge(&c, &alerts.Told{Notifiers: []string{"slack"}, Since: began}, "gone", began.Add(time.Hour)); n.Reply == nil || n.Escalated != 0 {
		t.Errorf("an escalation that is no more: %+v", n)
	}
}

func TestRota(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	three := []string{"ann", "ben", "eve"}
	for _, tc := range []struct {
		r    alerts.Rota
		at   string
		want string
	}{
		{alerts.Rota{People: three, From: "2026-01-05"}, "2026-01-05T00:00:00Z", "ann"},
		{alerts.Rota{People: three, From: "2026-01-05"}, "2026-01-11T23:59:59Z", "ann"},
		{alerts.Rota{People: three, From: "2026-01-05"}, "2026-01-12T00:00:00Z", "ben"},
		{alerts.Rota{People: three, From: "2026-01-05"}, "2026-01-26T00:00:00Z", "ann"},
		{alerts.Rota{People: three, From: "2026-01-05"}, "2026-01-04T23:59:59Z", "eve"}, // before the first turn it goes round as well
		{alerts.Rota{People: three, From: "2026-01-05", Every: "day"}, "2026-01-04T00:00:00Z", "eve"},
		{alerts.Rota{People: three, From: "2026-01-05", Every: "day"}, "2026-01-01T12:00:00Z", "eve"},
		{alerts.Rota{People: three, From: "2026-01-05", Every: "day", At: "09:00"}, "2026-01-06T08:59:59Z", "ann"},
		{alerts.Rota{People: three, From: "2026-01-05", Every: "day", At: "09:00"}, "2026-01-06T09:00:00Z", "ben"},
		{alerts.Rota{People: three, From: "2026-01-05", Every: "week", At: "09:00", Zone: "Europe/Berlin"}, "2026-01-12T07:59:00Z", "ann"},
		{alerts.Rota{People: three, From: "2026-01-05", Every: "week", At: "09:00", Zone: "Europe/Berlin"}, "2026-01-12T08:00:00Z", "ben"},
		// Clocks go forward on 29 March 2026, and back on 25 October: 9 o'clock stays 9 o'clock.
		{alerts.Rota{People: three, From: "2026-03-23", At: "09:00", Zone: "Europe/Berlin"}, "2026-03-30T06:59:59Z", "ann"},
		{alerts.Rota{People: three, From: "2026-03-23", At: "09:00", Zone: "Europe/Berlin"}, "2026-03-30T07:00:00Z", "ben"},
		{alerts.Rota{People: three, From: "2026-10-24", Every: "day", At: "02:30", Zone: "Europe/Berlin"}, "2026-10-24T12:00:00Z", "ann"},
		{alerts.Rota{People: three, From: "2026-10-24", Every: "day", At: "02:30", Zone: "Europe/Berlin"}, "2026-10-25T12:00:00Z", "ben"},
		{alerts.Rota{People: []string{"solo"}, From: "2026-01-05"}, "1990-01-01T00:00:00Z", "solo"},
		{alerts.Rota{}, "2026-01-05T00:00:00Z", ""},
	} {
		if got := tc.r.On(at(tc.at)); got != tc.want {
			t.Errorf("%+v at %s: %q, want %q", tc.r, tc.at, got, tc.want)
		}
	}
	for want, r := range map[string]alerts.Rota{
		`it names 0 people; name 1 to 100`:                      {From: "2026-01-05"},
		`a name among its people is empty`:                      {People: []string{" "}, From: "2026-01-05"},
		`every "month" is no turn; say day or week`:             {People: three, From: "2026-01-05", Every: "month"},
		`from "5.1.2026" is no day; write it as 2026-01-05`:     {People: three, From: "5.1.2026"},
		`at "9" is no time of day; write it as 09:00`:           {People: three, From: "2026-01-05", At: "9"},
		`zone "Berlin" is not known; write it as Europe/Berlin`: {People: three, From: "2026-01-05", Zone: "Berlin"},
	} {
		if err := r.Check(); err == nil || err.Error() != want {
			t.Errorf("%+v: %v", r, err)
		}
	}
}
