package alerts_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
