package rules

import (
	"fmt"
	"slices"
	"time"

	"vigil"
	"vigil/detector/reasons"
	"vigil/internal/yaml"
)

// Example is a story that a rule must tell right: accesses one after the other, with
// what feeds say about all of them, and whether the rule fires at any.
type Example struct {
	Name  string `yaml:"name"`
	Fires bool   `yaml:"fires"`
	// Events have the fields of the native JSON form.
	Events []sample `yaml:"events"`
	// Facts are fields of Env that feeds bring and that are true, such as left; Outside
	// the ways outside a contract.
	Facts   []string `yaml:"facts"`
	Outside []string `yaml:"outside"`
	// WithdrawnHours is how long ago consent was withdrawn; Linked are customers who
	// belong together.
	WithdrawnHours int64    `yaml:"withdrawn_hours"`
	Linked         []string `yaml:"linked"`
	// Exception is one that was made, in place of events.
	Exception *madeException `yaml:"exception"`
}

// madeException is an Exception of an example; Days without end are 0.
type madeException struct {
	By       string `yaml:"by"`
	Protects string `yaml:"protects"`
	Days     int64  `yaml:"days"`
}

// sample is an event of an example, by the native names. The time may be left out.
type sample struct {
	Time           string      `yaml:"time"`
	Source         string      `yaml:"source"`
	Actor          string      `yaml:"actor"`
	ActorKind      string      `yaml:"actor_kind"`
	Role           string      `yaml:"role"`
	Team           string      `yaml:"team"`
	Tenant         string      `yaml:"tenant"`
	App            string      `yaml:"app"`
	Principal      string      `yaml:"principal"`
	Session        string      `yaml:"session"`
	Conversation   string      `yaml:"conversation"`
	Action         string      `yaml:"action"`
	Store          string      `yaml:"store"`
	Resource       string      `yaml:"resource"`
	ResourceClass  string      `yaml:"resource_class"`
	ResourceTenant string      `yaml:"resource_tenant"`
	Subjects       []string    `yaml:"subjects"`
	SubjectCount   *int64      `yaml:"subject_count"`
	Rows           *int64      `yaml:"rows"`
	Bytes          *int64      `yaml:"bytes"`
	Limit          *int64      `yaml:"limit"`
	Fields         []string    `yaml:"fields"`
	Unbounded      bool        `yaml:"unbounded"`
	Ticket         string      `yaml:"ticket"`
	Purpose        string      `yaml:"purpose"`
	Network        string      `yaml:"network"`
	Country        string      `yaml:"country"`
	ASN            string      `yaml:"asn"`
	UserAgent      string      `yaml:"user_agent"`
	Outcome        string      `yaml:"outcome"`
	Destination    destination `yaml:"destination"`
}

type destination struct {
	Kind    string `yaml:"kind"`
	Network string `yaml:"network"`
	Region  string `yaml:"region"`
}

// noon is when events of examples happen that name no time: a Monday.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// event makes the event.
func (s *sample) event() (*vigil.Event, error) {
	e := vigil.NewEvent()
	e.Time = noon
	if s.Time != "" {
		t, err := time.Parse(time.RFC3339, s.Time)
		if err != nil {
			return nil, fmt.Errorf("time %q is not of the form 2026-03-02T12:00:00Z", s.Time)
		}
		e.Time = t.UTC()
	}
	e.Source = s.Source
	e.Actor = vigil.Actor{ID: s.Actor, Kind: vigil.ActorKind(s.ActorKind), Role: s.Role, Team: s.Team, Tenant: s.Tenant, App: s.App}
	e.Principal, e.Session, e.Conversation = s.Principal, s.Session, s.Conversation
	e.Action, e.Store, e.Resource, e.ResourceClass, e.ResourceTenant = vigil.Action(s.Action), s.Store, s.Resource, s.ResourceClass, s.ResourceTenant
	e.Subjects, e.Fields, e.Unbounded, e.Ticket, e.Purpose = s.Subjects, s.Fields, s.Unbounded, s.Ticket, s.Purpose
	e.Network, e.Country, e.ASN, e.UserAgent, e.Outcome = s.Network, s.Country, s.ASN, s.UserAgent, vigil.Outcome(s.Outcome)
	for _, n := range []struct {
		from *int64
		to   *int64
	}{{s.SubjectCount, &e.SubjectCount}, {s.Rows, &e.Rows}, {s.Bytes, &e.Bytes}, {s.Limit, &e.Limit}} {
		if n.from != nil {
			*n.to = *n.from
		}
	}
	if s.Destination != (destination{}) {
		e.Destination = &vigil.Destination{Kind: s.Destination.Kind, Network: s.Destination.Network, Region: s.Destination.Region}
	}
	err := e.Validate()
	return e, err
}

// The facts that an example can name.
var (
	foundFacts = map[string]reasons.Reason{
		"named": reasons.Named, "assigned": reasons.Assigned, "on_shift": reasons.OnShift, "on_call": reasons.OnCall,
		"approved": reasons.Approved, "declared": reasons.Declared, "contracted": reasons.Contracted, "own": reasons.Own, "awaited": reasons.Awaited,
	}
	againstFacts = map[string]reasons.Breach{
		"left": reasons.Left, "leaving": reasons.Leaving, "absent": reasons.Absent, "withdrawn": reasons.Withdrawn, "erased": reasons.Erased,
		"foreign_tenant": reasons.ForeignTenant, "foreign_region": reasons.ForeignRegion, "related": reasons.Related,
		"colleague": reasons.Colleague, "self": reasons.Self, "vip": reasons.VIP, "honey": reasons.HoneyTouched, "undeclared": reasons.NotDeclared,
	}
)

// unjustified and peopleNetwork are facts that an example can name besides: that
// reasons were looked for, and that people work in the network.
const (
	unjustified   = "unjustified"
	peopleNetwork = "people_network"
)

// facts lists what an example can name.
func facts() []string {
	out := []string{unjustified, peopleNetwork}
	for _, f := range Fields() {
		if foundFacts[f.Name] != 0 || againstFacts[f.Name] != 0 {
			out = append(out, f.Name)
		}
	}
	return out
}

// known is what feeds say in the example.
func (x *Example) known() *Known {
	k := &Known{}
	for _, f := range x.Facts {
		k.Found |= foundFacts[f]
		k.Against |= againstFacts[f]
		k.PeopleNetwork = k.PeopleNetwork || f == peopleNetwork
		if f == unjustified {
			k.Looked = reasons.Assigned | reasons.Approved | reasons.Declared | reasons.Contracted
		}
	}
	for _, word := range x.Outside {
		for _, w := range ways {
			if w.word == word {
				k.Against |= w.breach
			}
		}
	}
	if len(x.Linked) > 0 {
		linked := map[string]bool{}
		for _, s := range x.Linked {
			linked[s] = true
		}
		k.Linked = func(a, b string) bool { return linked[a] && linked[b] }
	}
	return k
}

// fires tells whether the rule fires at the example.
func (x *Example) fires(r *Rule) (hit bool, err error) {
	w := New([]*Rule{r}).Watch(nil)
	if x.Exception != nil {
		made := Exception{By: x.Exception.By, Actor: x.Exception.Protects, At: noon}
		if x.Exception.Days > 0 {
			made.Until = noon.AddDate(0, 0, int(x.Exception.Days))
		}
		hit = len(w.CheckException(&made)) > 0
	}
	k := x.known()
	for i := range x.Events {
		e, err := x.Events[i].event()
		if err != nil {
			return false, fmt.Errorf("event %d: %w", i, err)
		}
		if x.WithdrawnHours > 0 {
			k.Ended = e.Time.Add(-time.Duration(x.WithdrawnHours) * time.Hour).UnixNano()
		}
		hit = len(w.Check(e, k)) > 0 || hit
	}
	if f := w.Failures(); len(f) > 0 {
		return hit, fmt.Errorf("the condition fails: %s", f[0].Message)
	}
	return hit, nil
}

// checkExamples looks whether examples are there, and of what they are made.
func (r *Rule) checkExamples(doc *yaml.Document) {
	fires, silent := false, false
	for i := range r.Examples {
		x := &r.Examples[i]
		fires, silent = fires || x.Fires, silent || !x.Fires
		at := fmt.Sprintf("examples[%d]", i)
		if len(x.Events) == 0 && x.Exception == nil {
			doc.At(at, "has no events", `write for example: events: [{actor: ann, action: read}]`)
		}
		for j := range x.Events {
			if _, err := x.Events[j].event(); err != nil {
				doc.At(fmt.Sprintf("%s.events[%d]", at, j), err.Error(), "events have the fields of docs/events.md")
			}
		}
		for j, f := range x.Facts {
			if known := facts(); !slices.Contains(known, f) {
				doc.At(fmt.Sprintf("%s.facts[%d]", at, j), fmt.Sprintf("%q is no fact", f), suggest(f, known, "docs/rules.md lists what feeds bring"))
			}
		}
		for j, o := range x.Outside {
			var known []string
			for _, w := range ways {
				known = append(known, w.word)
			}
			if !slices.Contains(known, o) {
				doc.At(fmt.Sprintf("%s.outside[%d]", at, j), fmt.Sprintf("%q is no way to be outside a contract", o), suggest(o, known, ""))
			}
		}
	}
	if !fires || !silent {
		doc.At("examples", "needs one that fires and one that does not", "an example has fires: true or false, events, and facts")
	}
}

// Try runs the rule's examples and returns a problem for each that goes otherwise.
func (r *Rule) Try() []yaml.Problem {
	var s source
	doc := yaml.Decode(r.File, []byte(r.Text), &s)
	enabled := *r
	enabled.Disabled = false
	for i := range r.Examples {
		x := &r.Examples[i]
		at := fmt.Sprintf("examples[%d]", i)
		switch hit, err := x.fires(&enabled); {
		case err != nil:
			doc.At(at, err.Error(), "make sure that the condition holds or fails for any access")
		case hit && !x.Fires:
			doc.At(at, "the rule fires, and should not", "narrow when, or say unless")
		case !hit && x.Fires:
			doc.At(at, "the rule does not fire, and should", "look at when and unless, and at the example's fields and facts")
		}
	}
	return doc.Sorted()
}
