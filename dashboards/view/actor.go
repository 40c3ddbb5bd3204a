package view

import (
	"html/template"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/chart"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// Actor is what is known of an actor ready to print.
type Actor struct {
	ID     string
	Traits []string
	Source string
	Stores List

	First, Last Moment
	// Unknown says why the model can't tell of it, empty when it can.
	Unknown string

	Week      template.HTML
	WeekTable []WeekDay
	Weeks     int
	Expected  bool

	Peers  string
	Levels []Level

	Firsts   []FirstSeen
	Evidence []Evidence

	Networks Networks

	Sessions     []Session
	SessionsLeft string

	Findings      []Finding
	FindingsTotal string
	FindingsLeft  bool
	Verdicts      []Figure
}

// WeekDay is a day of the map of the week as numbers: seen, and expected.
type WeekDay struct {
	Name  string
	Hours []WeekHour
}

// WeekHour is one of its hours.
type WeekHour struct{ Seen, Expected string }

// Level is what is usual on a day.
type Level struct{ Name, Own, High, Peers, Everyone, Against string }

// FirstSeen is a thing that an actor uses.
type FirstSeen struct {
	Kind, Label, Share string
	First              Moment
	// Fresh says that it came within a week.
	Fresh bool
}

// Evidence is how the evidence went in a lane.
type Evidence struct {
	Lane, Now, Line, Why string
	Chart                template.HTML
	Steps                []EvidenceStep
	Learning             bool
}

// EvidenceStep is a line of the table beside it.
type EvidenceStep struct {
	Time     Moment
	Evidence string
	Over     bool
}

// Session is a run of accesses, and where it stands alone.
type Session struct {
	From, To               Moment
	Length, Accesses, Only string
}

// NewActor makes it. place says where a finding stands.
func NewActor(a *api.ActorView, place func(id string) Options) Actor {
	v := Actor{
		ID: phrase.Text(a.Actor.ID, maxName), Source: phrase.Text(a.Source, maxName),
		First: moment(a.First, a.Now), Last: moment(a.Last, a.Now), Expected: a.Expected != nil, Unknown: modelWords(a.Known),
	}
	_, v.Traits = who(&vigil.Finding{About: vigil.AboutActor, ActorKind: a.Actor.Kind, Role: a.Actor.Role, Team: a.Actor.Team, Tenant: a.Actor.Tenant})
	v.Peers = peersWords(&a.Peers)
	for _, l := range a.Levels {
		v.Levels = append(v.Levels, level(&l))
	}
	for _, f := range a.Firsts {
		v.Firsts = append(v.Firsts, FirstSeen{
			Kind: phrase.Observation(f.Category), Label: phrase.Text(f.Label, maxName), Share: phrase.Percent(f.Share), First: moment(f.First, a.Now),
			Fresh: a.Now.Sub(f.First) < 7*24*time.Hour,
		})
	}
	for i := range a.Paths {
		v.Evidence = append(v.Evidence, evidence(&a.Paths[i], a.Now))
	}
	words := map[vigil.Word]int64{}
	for i := range a.Findings {
		f := &a.Findings[i]
		v.Findings = append(v.Findings, NewFinding(f, place(f.ID)))
		if f.Verdict != nil && !f.Verdict.Undone() {
			words[f.Verdict.Word]++
		}
	}
	v.FindingsTotal, v.FindingsLeft = phrase.Count(int64(a.FindingsTotal)), a.FindingsTotal > len(a.Findings)
	for _, w := range []vigil.Word{vigil.WordBreach, vigil.WordMisuse, vigil.WordExpected, vigil.WordUnknown} {
		if n := words[w]; n > 0 {
			v.Verdicts = append(v.Verdicts, Figure{Value: phrase.Count(n), Word: phrase.Verdict(w)})
		}
	}
	return v
}

// Lately adds what the actor did in the last weeks. only says where a span of the accesses
// stands.
func (v *Actor) Lately(a *api.ActorView, l *api.ActorLately, only func(from, to time.Time) string) {
	v.Weeks, v.Stores = l.Weeks, list(l.Stores, maxList)
	v.week(l, a.Expected)
	v.Networks = NewNetworks(&l.Networks, "actor", nil)
	for i := len(l.Sessions) - 1; i >= 0; i-- {
		s := &l.Sessions[i]
		v.Sessions = append(v.Sessions, Session{
			From: moment(s.From, a.Now), To: second(s.To), Length: phrase.Length(s.To.Sub(s.From)), Accesses: phrase.Count(int64(s.Accesses)), Only: only(s.From, s.To.Add(time.Second)),
		})
	}
	if l.SessionsLeft > 0 {
		v.SessionsLeft = phrase.Count(int64(l.SessionsLeft))
	}
}

// week draws the hours of the week: means of one hour.
func (v *Actor) week(l *api.ActorLately, expected []float64) {
	if len(l.Seen) != 168 || l.Weeks < 1 {
		return
	}
	seen := make([]float64, 168)
	for h := range seen {
		seen[h] = l.Seen[h] / float64(l.Weeks)
	}
	v.Week = chart.Week("week", seen, expected)
	for d, name := range [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"} {
		day := WeekDay{Name: name}
		for h := d * 24; h < (d+1)*24; h++ {
			hour := WeekHour{Seen: phrase.Number(round1(seen[h]))}
			if len(expected) == 168 {
				hour.Expected = phrase.Number(round1(expected[h]))
			}
			day.Hours = append(day.Hours, hour)
		}
		v.WeekTable = append(v.WeekTable, day)
	}
}

func modelWords(k api.ModelKnowledge) string {
	switch k {
	case api.ModelOutline:
		return "The model keeps only an outline of this actor, who was away for long or makes room for others: what is usual is learnt again when they return."
	case api.ModelStranger:
		return "The model does not know this actor any more: what it had learnt has made room for others."
	case api.ModelBusy:
		return "The model is busy judging and could not be asked just now. Reload to try again."
	}
	return ""
}

func peersWords(p *api.Peers) string {
	if p.Members == 0 {
		return ""
	}
	var of []string
	if w := phrase.Kind(vigil.ActorKind(p.Kind)); w != "" {
		of = append(of, w)
	}
	if p.Role != "" && !p.Learned {
		of = append(of, "role "+phrase.Text(p.Role, 60))
	}
	if p.Team != "" && !p.Learned {
		of = append(of, "team "+phrase.Text(p.Team, 60))
	}
	s := "a group of " + phrase.Count(int64(p.Members))
	if len(of) > 0 {
		s += " (" + strings.Join(of, ", ") + ")"
	}
	if p.Learned {
		s += ", put together by what its members do, since no source says who belongs together"
	}
	return s
}

func level(l *api.Level) Level {
	out := Level{Name: phrase.Observation(l.Observation), Own: phrase.Usual(l.Own), High: phrase.About(l.High), Everyone: phrase.Usual(l.Everyone)}
	if l.Peers >= 0 {
		out.Peers = phrase.Usual(l.Peers)
		if l.Peers > 0.05 && l.Own > 0 {
			out.Against = phrase.Times(l.Own / l.Peers)
		}
	}
	return out
}

func evidence(p *api.EvidencePath, now time.Time) Evidence {
	e := Evidence{Lane: phrase.Lane(p.Lane), Now: phrase.Number(round1(p.Now)), Learning: !p.Ready}
	line := 0.0
	if p.Ready && p.Line > 0 {
		line, e.Line = p.Line, phrase.Number(round1(p.Line))
	}
	var steps []chart.PathStep
	for _, s := range p.Steps {
		steps = append(steps, chart.PathStep{Time: s.Time, Evidence: s.Value})
	}
	if n := len(steps); n > 0 && now.After(steps[n-1].Time) {
		steps = append(steps, chart.PathStep{Time: now, Evidence: p.Now})
	}
	e.Chart = chart.Path("path-"+key(p.Lane), steps, line)
	for i := len(p.Steps) - 1; i >= 0; i-- {
		s := p.Steps[i]
		e.Steps = append(e.Steps, EvidenceStep{Time: moment(s.Time, now), Evidence: phrase.Number(round1(s.Value)), Over: line > 0 && s.Value >= line})
	}
	return e
}
