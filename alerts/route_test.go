package alerts_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	policy := alerts.Policy{
		Routes: []alerts.Route{
			{Match: vigil.Match{MinSeverity: vigil.SeverityCritical}, Target: alerts.Target{Notify: []string{"pager"}, Escalation: "night"}, Continue: true},
			{Match: vigil.Match{Teams: []string{"emea"}}, Target: alerts.Target{Notify: []string{"mail", "pager"}}},
			{Match: vigil.Match{Teams: []string{"test"}}},
		},
		Default:     alerts.Target{Notify: []string{"slack"}, Escalation: "day"},
		Escalations: map[string]alerts.Escalation{"day": {Levels: []alerts.Level{{After: time.Hour, Notify: []string{"mail"}}}}, "night": {Levels: []alerts.Level{{After: time.Minute, Call: []string{"ann"}}}}},
	}
	for _, tc := range []struct {
		name, team string
		severity   vigil.Severity
		notify     []string
		escalation string
		held       vigil.MuteReason
	}{
		{"the first that fits", "emea", "low", []string{"mail", "pager"}, "", ""},
		{"continue adds", "emea", "critical", []string{"pager", "mail"}, "night", ""},
		{"continue alone", "apac", "critical", []string{"pager"}, "night", ""},
		{"nobody is named", "test", "high", nil, "", vigil.HeldRoute},
		{"continue into nobody", "test", "critical", []string{"pager"}, "night", ""},
		{"none fits", "apac", "low", []string{"slack"}, "day", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, policy, "slack", "mail", "pager")
			f := about("f", "ann", tc.severity)
			f.Team = tc.team
			got := d.take(f, began)
			if !slices.Equal(got.New, tc.notify) || got.Escalation != tc.escalation || got.Held != tc.held {
				t.Errorf("%v, %q, %q", got.New, got.Escalation, got.Held)
			}
		})
	}
	if got := newDesk(t, alerts.Policy{}, "a", "b").take(about("f", "ann", "low"), began); !slices.Equal(got.New, []string{"a", "b"}) {
		t.Errorf("without a policy %v are told", got.New)
	}
	// Who is routed to later gets the card, who has it keeps it current.
	d := newDesk(t, policy, "slack", "mail", "pager")
	f := about("f", "ann", "high")
	d.take(f, began)
	f.Severity = "critical"
	got := d.take(f, began.Add(time.Second))
	if !slices.Equal(got.New, []string{"pager"}) || !slices.Equal(got.Edit, []string{"slack"}) || got.Reply == nil || !slices.Equal(got.Reply.Notify, []string{"slack"}) {
		t.Errorf("%+v", got)
	}
}

func TestPolicyIsChecked(t *testing.T) {
	t.Parallel()
	p := alerts.Policy{
		Routes:  []alerts.Route{{Match: vigil.Match{MinSeverity: "awful"}, Target: alerts.Target{Notify: []string{"slak"}, Escalation: "nigth"}}},
		Inhibit: []alerts.InhibitRule{{}, {Mute: vigil.Match{Teams: []string{"a"}}, Equal: []string{"moon"}}},
		Limits:  alerts.Limits{Mild: -1},
		Escalations: map[string]alerts.Escalation{
			"empty": {}, "back": {Levels: []alerts.Level{{After: time.Hour, Notify: []string{"slack"}}, {After: time.Minute, Rotas: []string{"soc"}}}}, "nobody": {Levels: []alerts.Level{{After: 1}}},
		},
		Rotas: map[string]*alerts.Rota{"nil": nil, "bad": {People: []string{"a"}, From: "monday"}},
	}
	_, err := alerts.NewPipeline(p, []string{"slack"}, alerts.State{}, "")
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`routes[0].match: "awful" is no severity`, `routes[0].notify: there is no notifier "slak"; configured are: slack`,
		`routes[0].escalation: there is no escalation "nigth"`, "inhibit[0]: it would keep back everything", `inhibit[1].equal: "moon"`,
		"limits: a number is negative", "escalations.empty: it has 0 levels", "escalations.back.levels[1].after: each level comes after",
		`escalations.back.levels[1].rotas: there is no rota "soc"`, "escalations.nobody.levels[0]: nobody is called", "rotas.nil: it is empty", `rotas.bad: from "monday" is no day`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("does not say %q:\n%v", want, err)
		}
	}
	if _, err := alerts.NewPipeline(alerts.Policy{}, nil, alerts.State{}, ""); err == nil {
		t.Error("a pipeline that tells nobody is accepted")
	}
}
