package alerts_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vigil"
	"vigil/alerts"
)

var began = time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)

// about makes a finding about an actor.
func about(id, actor string, s vigil.Severity) vigil.Finding {
	return vigil.Finding{
		ID: id, Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, Actor: actor, ActorKind: vigil.KindHuman,
		Severity: s, Harm: float64(s.Rank()), Sentence: actor + " read much.", Start: began, End: began.Add(time.Hour), Detected: began.Add(time.Hour),
		Stores: []string{"crm"}, Lane: "day", Subjects: vigil.Unknown, Rows: vigil.Unknown, Conversations: vigil.Unknown, Events: 3,
	}
}

// desk does what the dispatcher does with decisions: it keeps cases and what was told, and
// notes what goes out.
type desk struct {
	t        *testing.T
	p        *alerts.Pipeline
	silences []vigil.Silence

	cases    []vigil.Case
	findings map[string]vigil.Finding
	told     map[string]alerts.Told
	sent     []string // "new slack c-1", "edit slack c-1", "reply c-1: text", "notice slack 1: title"
	events   []vigil.CaseEvent
}

func newDesk(t *testing.T, policy alerts.Policy, notifiers ...string) *desk {
	t.Helper()
	if len(notifiers) == 0 {
		notifiers = []string{"slack"}
	}
	p, err := alerts.NewPipeline(policy, notifiers, alerts.State{}, "/cases")
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, p: p, findings: map[string]vigil.Finding{}, told: map[string]alerts.Told{}}
}

func (d *desk) members(c *vigil.Case) (out []alerts.Member) {
	for _, id := range c.Findings {
		f := d.findings[id]
		out = append(out, alerts.MemberOf(&f))
	}
	return out
}

// Told implements alerts.Cases; it returns more than it is asked for.
func (d *desk) Told(time.Time) (out []alerts.Standing) {
	for _, c := range d.cases {
		lead := d.findings[c.Lead]
		out = append(out, alerts.Standing{Case: c, Lead: &lead, Told: d.told[c.ID]})
	}
	return out
}

// take takes a revision in at a time, and returns the decision.
func (d *desk) take(f vigil.Finding, now time.Time) alerts.Decision {
	c := alerts.Pick(d.cases, &f)
	var members []alerts.Member
	if c != nil {
		members = d.members(c)
	}
	n, events := alerts.Join(c, members, &f, now)
	d.events = append(d.events, events...)
	d.findings[f.ID] = f
	if c == nil {
		d.cases = append(d.cases, n)
		c = &d.cases[len(d.cases)-1]
	}
	*c = n
	return d.decide(c, f, now)
}

func (d *desk) decide(c *vigil.Case, f vigil.Finding, now time.Time) alerts.Decision {
	lead := d.findings[c.Lead]
	in := alerts.Input{Finding: &f, Case: c, Lead: &lead, Silences: d.silences, Cases: d, Now: now}
	if t, ok := d.told[c.ID]; ok {
		in.Told = &t
	}
	out := d.p.Decide(in)
	d.keep(c, out)
	return out
}

func (d *desk) keep(c *vigil.Case, out alerts.Decision) {
	d.told[c.ID] = out.Told
	c.Held = out.Held
	d.events = append(d.events, out.Events...)
	for _, n := range out.New {
		d.sent = append(d.sent, "new "+n+" "+c.ID)
	}
	for _, n := range out.Edit {
		d.sent = append(d.sent, "edit "+n+" "+c.ID)
	}
	if r := out.Reply; r != nil {
		d.sent = append(d.sent, "reply "+r.Case+": "+r.Reply.Text)
	}
	d.notices(out.Notices)
}

func (d *desk) notices(all []alerts.FloodNotice) {
	for _, n := range all {
		d.sent = append(d.sent, fmt.Sprintf("notice %s %d: %s", n.Notifier, n.Revision, n.Message.Notice.Title))
	}
}

// out returns what went out since it was called last.
func (d *desk) out() []string {
	s := d.sent
	d.sent = nil
	return s
}

func (d *desk) want(lines ...string) {
	d.t.Helper()
	if diff := cmp.Diff(lines, d.out()); diff != "" {
		d.t.Error(diff)
	}
}

func id(f vigil.Finding) string { return alerts.CaseID(&f) }

// TestOneCaseOneCard: a case is told once, edited when it says something new, and joined
// by what belongs to it.
func TestOneCaseOneCard(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{})
	a := about("f-a", "ann", vigil.SeverityMedium)
	c := id(a)
	d.take(a, began)
	d.want("new slack " + c)

	// The same again says nothing new, whatever its revision.
	a.Revision = 2
	d.take(a, began.Add(time.Hour))
	d.want()

	a.Revision, a.Events, a.Sentence = 3, 9, "ann read more."
	d.take(a, began.Add(2*time.Hour))
	d.want("edit slack " + c)

	// Graver is said below the card, and at once.
	a.Revision, a.Severity = 4, vigil.SeverityHigh
	got := d.take(a, began.Add(2*time.Hour+time.Second))
	d.want("edit slack "+c, "reply "+c+": Now high, medium before. ann read more.")
	if !got.Reply.Reply.Loud || got.Told.Since != began.Add(2*time.Hour+time.Second) {
		t.Errorf("%+v", got)
	}

	b := about("f-b", "ann", vigil.SeverityLow)
	b.Start, b.End = began.Add(50*time.Hour), began.Add(51*time.Hour)
	d.take(b, began.Add(51*time.Hour))
	d.want("edit slack "+c, "reply "+c+": 1 more finding. ann read much.")
	if len(d.cases) != 1 || d.cases[0].Lead != "f-a" || d.cases[0].Severity != vigil.SeverityHigh || d.cases[0].Total != 2 {
		t.Errorf("%+v", d.cases)
	}
	// More that join soon after are counted by the card alone, and told with the next reply.
	for i := range 3 {
		b.ID = fmt.Sprint("f-c", i)
		d.take(b, began.Add(51*time.Hour+time.Duration(i+1)*time.Minute))
	}
	d.want("edit slack "+c, "edit slack "+c, "edit slack "+c)
	b.ID = "f-d"
	d.take(b, began.Add(52*time.Hour))
	d.want("edit slack "+c, "reply "+c+": 4 more findings. ann read much.")
}

// TestEditStorm: a case that changes each second is edited twice a minute, and its last
// state is told.
func TestEditStorm(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{})
	f := about("f", "ann", vigil.SeverityLow)
	var later time.Time
	var last string
	now := began
	for i := range 600 {
		if now = began.Add(time.Duration(i) * time.Second); !later.IsZero() && !now.Before(later) {
			d.decide(&d.cases[0], f, now)
		}
		f.Revision, f.Sentence = i+1, fmt.Sprintf("ann read %d.", i)
		got := d.take(f, now)
		later, last = got.Later, got.Told.Print
	}
	if n := len(d.out()); n < 19 || n > 21 {
		t.Errorf("%d messages in ten minutes", n)
	}
	if later.IsZero() || later.After(now.Add(30*time.Second)) {
		t.Fatalf("the last state is decided again at %v, now is %v", later, now)
	}
	got := d.decide(&d.cases[0], f, later)
	d.want("edit slack " + id(f))
	if got.Told.Print == last || !got.Later.IsZero() {
		t.Errorf("the last state was not told: %+v", got)
	}
}

// TestUpAndDown: a severity that goes up and down is news once, and edited at the pace of
// any other change.
func TestUpAndDown(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{})
	f := about("f", "ann", "low")
	d.take(f, began)
	f.Severity = "medium"
	d.take(f, began.Add(time.Second))
	d.want("new slack "+id(f), "edit slack "+id(f), "reply "+id(f)+": Now medium, low before. ann read much.")
	for i := range 60 {
		f.Severity = []vigil.Severity{"low", "medium"}[i%2]
		d.take(f, began.Add(time.Duration(i+2)*time.Second))
	}
	d.want("edit slack " + id(f))
	told, c := d.told[id(f)], d.cases[0]
	c.Reminded = 3
	told.Nudged = began.Add(20 * time.Hour)
	if n := d.p.Nudge(&c, &told, "", began.Add(30*time.Hour)); n.Reply != nil {
		t.Errorf("it is reminded of anew: %+v", n.Reply)
	}
	// Graver than ever is, from the start.
	f.Severity = "critical"
	at := began.Add(31 * time.Hour)
	told, c = d.take(f, at).Told, d.cases[0]
	told.Nudged, c.Reminded = began.Add(20*time.Hour), 3
	n := d.p.Nudge(&c, &told, "", at.Add(10*time.Minute))
	if n.Reply == nil || n.Reminded != 1 {
		t.Fatalf("%+v", n)
	}
	c.Reminded = n.Reminded
	if again := d.p.Nudge(&c, &n.Told, "", at.Add(11*time.Minute)); again.Reply != nil || again.Reminded != 1 {
		t.Errorf("twice: %+v", again)
	}
}

// TestPeopleEdit: what a person did shows at once, also when the case is snoozed.
func TestPeopleEdit(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{})
	f := about("f", "ann", vigil.SeverityLow)
	d.take(f, began)
	d.out()
	c := &d.cases[0]
	c.Snoozed, c.SnoozedBy = began.Add(time.Hour), "ben"
	told := d.told[c.ID]
	got := d.p.Edit(alerts.Input{Finding: &f, Case: c, Told: &told, Now: began.Add(time.Second)})
	d.keep(c, got)
	d.want("edit slack " + c.ID)
	told = d.told[c.ID]
	if got := d.p.Edit(alerts.Input{Finding: &f, Case: c, Told: &told, Now: began.Add(time.Second)}); len(got.Edit) != 0 {
		t.Errorf("the same card again: %+v", got)
	}
}

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

// TestEscalationStays: a milder finding that joins calls no fewer people.
func TestEscalationStays(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{
		Routes:      []alerts.Route{{Match: vigil.Match{MinSeverity: "high"}, Target: alerts.Target{Notify: []string{"slack"}, Escalation: "night"}}},
		Escalations: map[string]alerts.Escalation{"night": {Levels: []alerts.Level{{After: time.Minute, Call: []string{"ann"}}}}},
	})
	d.take(about("a", "ann", "high"), began)
	if got := d.take(about("b", "ann", "low"), began.Add(time.Minute)); got.Escalation != "night" {
		t.Errorf("%q", got.Escalation)
	}
	e := newDesk(t, alerts.Policy{Default: alerts.Target{Escalation: "day"}, Escalations: map[string]alerts.Escalation{"day": {Levels: []alerts.Level{{After: time.Minute, Call: []string{"ann"}}}}}})
	if got := e.take(about("a", "ann", "low"), began); got.Escalation != "day" {
		t.Errorf("%q", got.Escalation)
	}
}

// TestResolvedUntold: what was held and then resolved in the console gets no card for
// counting on.
func TestResolvedUntold(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{Limits: alerts.Limits{Mild: 1}})
	d.take(about("x", "x", "low"), began)
	f := about("f", "ann", "low")
	d.take(f, began)
	d.out()
	d.cases[1].State = vigil.CaseResolved
	f.Events = 99
	if got := d.take(f, began.Add(5*time.Hour)); got.Held != vigil.HeldFlood || len(got.Events) != 0 {
		t.Errorf("%+v", got)
	}
	d.want()
	f.Severity = "medium"
	d.take(f, began.Add(6*time.Hour))
	d.want("new slack "+id(f), "notice slack 2: The flood of cases is over")
}

// TestGoneNotifier: a flood of a notifier that is no longer configured is told nobody.
func TestGoneNotifier(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{Limits: alerts.Limits{Mild: 1}}, "slack", "mail")
	for _, a := range []string{"a", "b"} {
		d.take(about(a, a, "low"), began)
	}
	p, err := alerts.NewPipeline(alerts.Policy{}, []string{"mail"}, d.p.State(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range p.Tick(began.Add(time.Hour)) {
		if n.Notifier != "mail" {
			t.Errorf("%+v", n)
		}
	}
	if s := p.State(); len(s.Buckets) != 1 || s.Buckets["mail/mild"].At.IsZero() {
		t.Errorf("%+v", s)
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

func TestMute(t *testing.T) {
	t.Parallel()
	silence := func(m vigil.Match) []vigil.Silence {
		return []vigil.Silence{{ID: "s", Match: m, From: began.Add(-time.Hour), To: began.Add(24 * time.Hour)}}
	}
	ann := vigil.Match{Actors: []string{"ann"}}
	t.Run("a silence holds, and graver is told", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{})
		d.silences = silence(ann)
		f := about("f", "ann", "medium")
		if got := d.take(f, began); got.Held != vigil.HeldSilence || !got.Later.IsZero() || len(got.Events) != 1 || got.Events[0].Kind != vigil.CaseHeld {
			t.Errorf("%+v", got)
		}
		f.Sentence = "ann read more."
		if got := d.take(f, began.Add(time.Minute)); got.Held != vigil.HeldSilence || len(got.Events) != 0 {
			t.Errorf("it is held twice: %+v", got)
		}
		d.want()
		f.Severity = "high"
		d.take(f, began.Add(2*time.Minute))
		d.want("new slack " + id(f))
		// It is known now, so that further news wait until the silence is over.
		f.Sentence = "ann read even more."
		got := d.take(f, began.Add(time.Hour))
		d.want()
		if got.Later != began.Add(24*time.Hour) {
			t.Errorf("decided again at %v", got.Later)
		}
		d.decide(&d.cases[0], f, got.Later)
		d.want("edit slack " + id(f))
	})
	t.Run("a silence that is over leaves nothing behind", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{})
		d.silences = silence(ann)
		f := about("f", "ann", "low")
		d.take(f, began)
		f.State = vigil.StateClosed
		d.take(f, began.Add(30*time.Hour)) // only that it is over
		d.want()
		g := about("g", "ann", "low")
		d.take(g, began.Add(31*time.Hour)) // something else
		d.want("new slack " + id(f))
	})
	for name, tc := range map[string]struct {
		m    vigil.Match
		held bool
	}{
		"no bound":     {ann, false},
		"min high":     {vigil.Match{Actors: []string{"ann"}, MinSeverity: "high"}, false},
		"max critical": {vigil.Match{Actors: []string{"ann"}, MaxSeverity: "critical"}, true},
		"min critical": {vigil.Match{Actors: []string{"ann"}, MinSeverity: "critical"}, true},
	} {
		t.Run("critical, "+name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, alerts.Policy{})
			d.silences = silence(tc.m)
			if got := d.take(about("f", "ann", "critical"), began); (got.Held == vigil.HeldSilence) != tc.held {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Run("a snooze holds, and graver is told", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{})
		f := about("f", "ann", "medium")
		d.take(f, began)
		d.out()
		d.cases[0].Snoozed = began.Add(3 * time.Hour)
		f.Sentence = "ann read more."
		got := d.take(f, began.Add(time.Hour))
		if d.want(); got.Held != "" || got.Later != began.Add(3*time.Hour) || d.cases[0].Held != "" {
			t.Errorf("%+v", got)
		}
		f.Severity = "high"
		d.take(f, began.Add(2*time.Hour))
		d.want("edit slack "+id(f), "reply "+id(f)+": Now high, medium before. ann read more.")
	})
}

func TestInhibit(t *testing.T) {
	t.Parallel()
	network := func(s vigil.Severity, actors ...string) vigil.Finding {
		f := about("f-net", "", s)
		f.About, f.Network, f.Actors, f.Sentence = vigil.AboutNetwork, "192.0.2.0/24", actors, "Many came from there."
		return f
	}
	ann, ben := about("f-ann", "ann", "high"), about("f-ben", "ben", "medium")
	t.Run("each who took part has a case", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{})
		d.take(ben, began)
		d.take(ann, began)
		d.out()
		n := network("medium", "ann", "ben")
		if got := d.take(n, began.Add(time.Hour)); got.Held != vigil.HeldInhibit {
			t.Errorf("%+v", got)
		}
		d.want("reply " + id(ann) + ": Also network 192.0.2.0/24: Many came from there.")
		n.Sentence = "More came."
		d.take(n, began.Add(2*time.Hour)) // once
		d.want()
		n.Severity = "high" // graver than ben's
		d.take(n, began.Add(3*time.Hour))
		d.want("new slack " + id(n))
	})
	for name, tc := range map[string]struct {
		f    vigil.Finding
		at   time.Duration
		does func(d *desk)
	}{
		"one has none":        {f: network("medium", "ann", "ben", "eve")},
		"graver than one":     {f: network("high", "ann", "ben")},
		"nobody is named":     {f: network("low")},
		"told too long ago":   {f: network("low", "ann"), at: 25 * time.Hour},
		"resolved":            {f: network("low", "ann"), does: func(d *desk) { d.cases[0].State = vigil.CaseResolved }},
		"another tenant's":    {f: func() vigil.Finding { f := network("low", "ann"); f.Tenant = "t"; return f }()},
		"more than are named": {f: network("low", slices.Repeat([]string{"ann"}, 50)...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, alerts.Policy{})
			d.take(ann, began)
			d.take(ben, began)
			d.out()
			if tc.does != nil {
				tc.does(d)
			}
			d.take(tc.f, began.Add(tc.at))
			d.want("new slack " + id(tc.f))
		})
	}
	source := func(id, name, what string, s vigil.Severity, all ...string) vigil.Finding {
		f := about(id, "", s)
		f.About, f.Source, f.Sources, f.Contributions = vigil.AboutSource, name, all, []vigil.Contribution{{Model: "volume", Observation: what}}
		return f
	}
	t.Run("an outage tells a source's silence, and no lapse", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{})
		out := source("f-out", "a", "silence", "high", "a", "b", "c")
		d.take(out, began)
		d.out()
		d.take(source("f-b", "b", "silence", "medium"), began)
		d.want("reply " + id(out) + ": Also source b:  read much.")
		c := source("f-c", "c", "lapse", "medium")
		d.take(c, began)
		d.want("new slack " + id(c))
	})
	t.Run("rules of the user's own", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{Inhibit: []alerts.InhibitRule{{
			When: vigil.Match{About: []vigil.About{vigil.AboutSource}}, Mute: vigil.Match{About: []vigil.About{vigil.AboutActor}}, Equal: []string{"store", "tenant"},
		}}})
		s := source("f-s", "pg", "lapse", "low")
		d.take(s, began)
		d.out()
		d.take(ann, began)
		d.want("reply " + id(s) + ": Also person ann: ann read much.")
		crit := about("f-crit", "eve", "critical")
		other := about("f-other", "ben", "low")
		other.Stores = []string{"bot"}
		d.take(crit, began)
		d.take(other, began)
		d.want("new slack "+id(crit), "new slack "+id(other))
	})
}

// TestFlood: ten thousand mild findings in ten minutes are twenty messages at most, and
// the severe one among them is told at once.
func TestFlood(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{}, "slack")
	const many = 10_000
	severe := about("f-severe", "eve", "high")
	at := func(i int) time.Time { return began.Add(time.Duration(i) * 10 * time.Minute / many) }
	var sent []string
	flood := 0
	for i := range many {
		f := about(fmt.Sprint("f-", i), fmt.Sprint("a-", i), "low")
		f.Source = "pg"
		c, events := alerts.Join(nil, nil, &f, at(i))
		_ = events
		got := d.p.Decide(alerts.Input{Finding: &f, Case: &c, Now: at(i)})
		d.keep(&c, got)
		if got.Held == vigil.HeldFlood {
			flood++
		}
		if i == many/2 {
			before := len(d.sent)
			d.take(severe, at(i))
			if len(d.sent) != before+1 || d.sent[before] != "new slack "+id(severe) {
				t.Errorf("the severe one: %v", d.sent[before:])
			}
		}
		if i%1000 == 0 {
			// The state survives restarts.
			text, err := json.Marshal(d.p.State())
			if err != nil {
				t.Fatal(err)
			}
			var s alerts.State
			if err := json.Unmarshal(text, &s); err != nil {
				t.Fatal(err)
			}
			if d.p, err = alerts.NewPipeline(alerts.Policy{}, []string{"slack"}, s, "/cases"); err != nil {
				t.Fatal(err)
			}
			d.notices(d.p.Tick(at(i)))
		}
	}
	sent = d.out()
	if len(sent) > 20 || flood != many-10 {
		t.Errorf("%d messages, %d held: %v", len(sent), flood, sent)
	}
	// It ends once it has been quiet, with the whole count.
	var last []alerts.FloodNotice
	ended := time.Time{}
	for now := began.Add(10 * time.Minute); now.Before(began.Add(time.Hour)) && ended.IsZero(); now = now.Add(time.Minute) {
		if got := d.p.Tick(now); len(got) > 0 {
			if last = got; got[0].Ended {
				ended = now
			}
		}
	}
	if ended.IsZero() || ended.After(began.Add(31*time.Minute)) {
		t.Fatalf("it ended at %v", ended)
	}
	n := last[0].Message.Notice
	if !strings.Contains(n.Sentence, "9,990 cases are told (9,990 low) in no message of their own") || !slices.Equal(n.Lines, []string{"From: pg 9,990", "By: day 9,990"}) {
		t.Errorf("%+v", n)
	}
	f := about("f-after", "zoe", "low")
	d.take(f, ended)
	d.want("new slack " + id(f))
	if got := d.p.Tick(ended.Add(time.Hour)); len(got) != 0 {
		t.Errorf("more is said after the end: %v", got)
	}
}

// TestFloodGrades: high ones have a bucket of their own, critical ones none, each
// notifier its own; what was counted is counted once, and told when it gets graver.
func TestFloodGrades(t *testing.T) {
	t.Parallel()
	d := newDesk(t, alerts.Policy{Limits: alerts.Limits{Mild: 1, High: 2}, Routes: []alerts.Route{
		{Match: vigil.Match{Teams: []string{"x"}}, Target: alerts.Target{Notify: []string{"mail"}}},
	}, Default: alerts.Target{Notify: []string{"slack"}}}, "slack", "mail")
	told := func(id string, s vigil.Severity) bool {
		return len(d.take(about(id, id, s), began).New) > 0
	}
	for _, tc := range []struct {
		id   string
		s    vigil.Severity
		told bool
	}{{"a", "low", true}, {"b", "medium", false}, {"c", "high", true}, {"d", "high", true}, {"e", "high", false}, {"f", "critical", true}, {"g", "critical", true}} {
		if got := told(tc.id, tc.s); got != tc.told {
			t.Errorf("%s of severity %s: told %v", tc.id, tc.s, got)
		}
	}
	x := about("x", "x", "low")
	x.Team = "x"
	if got := d.take(x, began); !slices.Equal(got.New, []string{"mail"}) {
		t.Errorf("another notifier: %+v", got)
	}
	var begun, total int
	b := about("b", "b", "medium")
	for i := range 5 {
		b.Sentence = fmt.Sprint("more ", i)
		got := d.take(b, began.Add(time.Duration(i+1)*2*time.Minute))
		for _, n := range got.Notices {
			total++
			if n.Began {
				begun++
			}
		}
	}
	if s := d.p.State().Buckets["slack/mild"].Flood; s == nil || s.Counts["medium"] != 1 || begun != 0 || total != 0 {
		t.Errorf("%+v, %d notices", s, total)
	}
	b.Severity = "critical"
	d.out()
	d.take(b, began.Add(11*time.Minute))
	d.want("new slack " + id(b))
}

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
