package alerts_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigil"
	"vigil/alerts"
)

func TestPick(t *testing.T) {
	t.Parallel()
	f := about("f", "ann", "low")
	base, _ := alerts.Join(nil, nil, &f, began)
	next := func(change func(*vigil.Finding)) *vigil.Finding {
		g := about("g", "ann", "low")
		change(&g)
		return &g
	}
	span := func(start, end time.Duration) func(*vigil.Finding) {
		return func(g *vigil.Finding) { g.Start, g.End = began.Add(start), began.Add(end) }
	}
	for name, tc := range map[string]struct {
		g        *vigil.Finding
		resolved bool
		joins    bool
	}{
		"the same finding":           {g: &f, joins: true},
		"the same finding, resolved": {g: &f, resolved: true, joins: true},
		"the same actor":             {g: next(func(*vigil.Finding) {}), joins: true},
		"resolved":                   {g: next(func(*vigil.Finding) {}), resolved: true},
		"72 hours after":             {g: next(span(73*time.Hour, 80*time.Hour)), joins: true},
		"more than 72 hours after":   {g: next(span(73*time.Hour+1, 80*time.Hour))},
		"72 hours before":            {g: next(span(-80*time.Hour, -72*time.Hour)), joins: true},
		"more than 72 hours before":  {g: next(span(-80*time.Hour, -72*time.Hour-1))},
		"another actor":              {g: next(func(g *vigil.Finding) { g.Actor = "ben" })},
		"another tenant":             {g: next(func(g *vigil.Finding) { g.Tenant = "t" })},
		"about something else":       {g: next(func(g *vigil.Finding) { g.About, g.Network = vigil.AboutNetwork, "ann" })},
		"nobody":                     {g: next(func(g *vigil.Finding) { g.Actor = "" })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := base
			if tc.resolved {
				c.State = vigil.CaseResolved
			}
			if got := alerts.Pick([]vigil.Case{c}, tc.g); (got != nil) != tc.joins {
				t.Errorf("%v", got)
			}
		})
	}
	far := base
	far.ID, far.End = "c-far", began.Add(-24*time.Hour)
	far.Start, far.Findings = far.End, []string{"h"}
	g := about("g", "ann", "low")
	if got := alerts.Pick([]vigil.Case{far, base}, &g); got == nil || got.ID != base.ID {
		t.Errorf("not the nearest: %v", got)
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change  func(f *vigil.Finding)
		reopens bool
	}{
		"it closes":          {func(f *vigil.Finding) { f.State = vigil.StateClosed }, false},
		"it counts on":       {func(f *vigil.Finding) { f.Events, f.Harm = 900, 50 }, false},
		"it gets graver":     {func(f *vigil.Finding) { f.Severity = "high" }, true},
		"another one joins":  {func(f *vigil.Finding) { f.ID = "g" }, true},
		"it gets milder too": {func(f *vigil.Finding) { f.Severity = "low" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := about("f", "ann", "medium")
			c, _ := alerts.Join(nil, nil, &f, began)
			before := []alerts.Member{alerts.MemberOf(&f)}
			c.State, c.Acknowledged, c.Owner, c.Reminded, c.Escalated = vigil.CaseResolved, &vigil.Mark{By: "ben", Time: began}, "ben", 2, 1
			was, _ := json.Marshal(c)
			tc.change(&f)
			got, events := alerts.Join(&c, before, &f, began.Add(time.Hour))
			if is := got.State == vigil.CaseNew && got.Acknowledged == nil && got.Reminded == 0 && got.Escalated == 0 && got.Owner == "ben"; is != tc.reopens {
				t.Errorf("%+v", got)
			}
			if has := slices.ContainsFunc(events, func(e vigil.CaseEvent) bool { return e.Kind == vigil.CaseReopened }); has != tc.reopens {
				t.Errorf("%+v", events)
			}
			if now, _ := json.Marshal(c); string(now) != string(was) || got.Revision != c.Revision+1 {
				t.Errorf("the case before was changed, or the revision did not grow: %s", now)
			}
		})
	}
}

// TestLead: whatever comes in whatever order, the gravest leads, the span covers all, and
// the case is open while one of its findings is.
func TestLead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var c *vigil.Case
		state := map[string]vigil.Finding{}
		var order []string
		var quiet, joined int
		for range rapid.IntRange(1, 30).Draw(rt, "revisions") {
			f := about(rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "id"), "ann", rapid.SampledFrom([]vigil.Severity{"low", "medium", "high", "critical"}).Draw(rt, "severity"))
			f.Harm = float64(rapid.IntRange(0, 2).Draw(rt, "harm"))
			f.Start = began.Add(time.Duration(rapid.IntRange(-9, 9).Draw(rt, "start")) * time.Hour)
			f.End = f.Start.Add(time.Hour)
			if rapid.Bool().Draw(rt, "closed") {
				f.State = vigil.StateClosed
			}
			var members []alerts.Member
			for _, id := range order {
				f := state[id]
				members = append(members, alerts.MemberOf(&f))
			}
			n, events := alerts.Join(c, members, &f, began)
			for _, e := range events {
				switch e.Kind {
				case vigil.CaseQuiet:
					quiet++
					if n.Open {
						rt.Fatal("quiet and open")
					}
				case vigil.CaseJoined, vigil.CaseOpened:
					joined++
				}
				if e.Case != n.ID || e.By != "vigil" || e.Time.IsZero() {
					rt.Fatalf("%+v", e)
				}
			}
			if _, ok := state[f.ID]; !ok {
				order = append(order, f.ID)
			}
			state[f.ID], c = f, &n

			lead, open := state[n.Lead], false
			for _, f := range state {
				open = open || f.State == vigil.StateOpen
				if f.Severity.Rank() > lead.Severity.Rank() || f.Severity == lead.Severity && f.Harm > lead.Harm {
					rt.Fatalf("%s leads, %s is graver", n.Lead, f.ID)
				}
				if f.Start.Before(n.Start) || f.End.After(n.End) {
					rt.Fatal("the span does not cover all")
				}
			}
			if n.Severity != lead.Severity || n.Harm != lead.Harm || n.Open != open || n.Total != len(state) || !slices.Equal(n.Findings, order) || joined != len(state) {
				rt.Fatalf("%+v", n)
			}
		}
	})
}
