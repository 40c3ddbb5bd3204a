// Package view turns findings, events and the program's state into what a page
// shows: texts ready to print, pictures, bounded lists. It also holds the
// templates that the console and the report share.
//
// The console and the report call it. All functions are pure and safe for
// concurrent use. Every list is bounded and tells how much is left out; every
// foreign text is cleaned (see phrase.Text) here and escaped by html/template
// when it is printed.
package view

import (
	"cmp"
	"embed"
	"html/template"
	"math"
	"slices"
	"time"

	"vigil"
	"vigil/dashboards/chart"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// The bounds of what one page shows of a finding, and of a text.
const (
	MaxSubjects = 200
	maxList     = 24
	maxActors   = 50
	maxName     = 120
	maxSentence = 600
)

//go:embed *.gohtml
var files embed.FS

// Templates returns a new set with the shared templates: "card" takes a Finding
// and draws it for a list, "finding" draws it in full, "status" takes a Status.
func Templates() (*template.Template, error) {
	return template.New("view").ParseFS(files, "*.gohtml")
}

// Moment is an instant ready to print.
type Moment struct{ ISO, Text, Ago string }

func moment(t, now time.Time) Moment {
	return Moment{ISO: phrase.ISO(t), Text: phrase.Moment(t), Ago: phrase.Ago(t, now)}
}

// Figure is a number with its word.
type Figure struct {
	Value, Word string
	// Untold says that the value is words, for no source told it.
	Untold bool
}

func count(n int64, one, many string) Figure {
	if n == 1 {
		many = one
	}
	return Figure{Value: phrase.Count(n), Word: many, Untold: n == vigil.Unknown}
}

// List is a bounded list; More counts what is left out.
type List struct {
	Items []string
	More  int64
}

// MoreText is More with separators.
func (l List) MoreText() string { return phrase.Count(l.More) }

// NewList bounds a list of foreign texts.
func NewList(items []string) List { return list(items, maxList) }

func list(items []string, most int) List {
	var l List
	if len(items) > most {
		l.More = int64(len(items) - most)
		items = items[:most]
	}
	for _, s := range items {
		l.Items = append(l.Items, phrase.Text(s, maxName))
	}
	return l
}

// Finding is a finding ready to print.
type Finding struct {
	// ID is the finding's own; Key is safe to stand in an HTML id.
	ID, Key string
	// Path leads to it in full, JSON to it as data (empty: nowhere).
	Path, JSON string
	// Severity is its word, Class the word for the style sheet, Icon its steps.
	Severity, Class string
	Icon            template.HTML

	// Sentence is the finding's sentence, Headline its first part and Rest what
	// follows, empty when all of it is one.
	Sentence, Headline, Rest string
	// About is what it is about: "actor", "subject", "network", "team" or "source".
	About string
	// Who is the name of whom it is about; Traits what is known of them, such as
	// kind, role and team.
	Who    string
	Traits []string

	When, Length   string
	Start, End     Moment
	Detected       Moment
	Open           bool
	Found          string
	Revision       int
	Figures        []Figure
	Counterfactual string

	// Verdict is what was said of it, in words, by whom and when; empty when nothing
	// was. Likely says how likely a breach it is, empty when that is not asked; Triage
	// why, or why it is not known.
	Verdict, VerdictBy, Note string
	VerdictAt                Moment
	Likely, Triage           string

	// Hands says in whose hands its case is, nil for none.
	Hands *Hands

	// Gauge draws evidence against its line (empty for a rule), EvidenceText says it.
	Gauge        template.HTML
	EvidenceText string

	// Contributions are the terms that weigh most, Smaller those after them, which have
	// SmallerShare of the evidence together.
	Contributions, Smaller []Contribution
	SmallerShare           string
	MoreTerms              int
	ByRule                 bool
	Chart                  template.HTML
	Timeline               template.HTML

	// Actors are those who took part, TookPart the words over them.
	Actors   List
	TookPart string
	// TimelineOf and EventsOf say whose accesses the timeline and the list are.
	TimelineOf, EventsOf string

	Subjects      List
	SubjectsKnown string
	// NamesCustomers says that customers are of interest beyond the one it is about.
	NamesCustomers bool
	NotJudged      []string
	Stores         List
	Resources      List
	Networks       List
	Classes        List
}

// Contribution is one term of the evidence ready to print.
type Contribution struct {
	Name, Span, Frame    string
	Seen, Usual, Between string
	// Rare is how rare that is when nothing is wrong: "1 in 5 000".
	Rare     string
	Share    string
	ShareBar template.HTML
	Text     string
	// Code says that Seen and Usual are names, Words that they are words.
	Code, Words bool
	SpanStart   Moment
}

// Options is what the place of a finding decides.
type Options struct {
	// Now is the time by which "ago" is told; zero leaves it out.
	Now time.Time
	// Key makes the HTML ids of the finding's parts unique on the page. It is
	// made of letters, digits and hyphens; empty takes the finding's own id.
	Key string
	// Path leads to the finding in full, JSON to it as data; empty leaves it out.
	Path, JSON string
}

// NewFinding makes a finding ready to print. The pictures of the full view are
// drawn by Draw.
func NewFinding(f *vigil.Finding, o Options) Finding {
	now := o.Now
	if o.Key == "" {
		o.Key = f.ID
	}
	v := Finding{
		ID: f.ID, Key: key(o.Key), Path: o.Path, JSON: o.JSON,
		Severity: phrase.Severity(f.Severity), Class: class(f.Severity), Icon: chart.Severity(f.Severity),
		Sentence:       phrase.Prose(f.Sentence, maxSentence),
		When:           phrase.Range(f.Start, f.End),
		Length:         phrase.Length(f.End.Sub(f.Start)),
		Start:          moment(f.Start, now),
		End:            moment(f.End, now),
		Detected:       moment(f.Detected, now),
		Open:           f.State == vigil.StateOpen,
		Found:          phrase.Found(f.Lane, f.Rule),
		Revision:       f.Revision,
		Counterfactual: phrase.Prose(f.Counterfactual, maxSentence),
		SubjectsKnown:  phrase.Count(int64(len(f.SubjectIDs))),
		Subjects:       list(f.SubjectIDs, MaxSubjects),
		Stores:         list(f.Stores, maxList),
		Resources:      list(f.Resources, maxList),
		Networks:       list(f.Networks, maxList),
		Classes:        list(f.Classes, maxList),
	}
	if v.Sentence == "" {
		v.Sentence = "A finding without words"
	}
	v.Headline, v.Rest = phrase.Headline(v.Sentence)
	v.Headline = unbroken(v.Headline)
	v.Who, v.Traits = who(f)
	v.About, v.Figures = about(f), figures(f)
	v.Actors, v.TookPart, v.TimelineOf, v.EventsOf = list(f.Actors, maxActors), tookPart(f.About), timelineOf(f.About), eventsOf(f.About)
	v.NamesCustomers = f.About == vigil.AboutActor || f.About == vigil.AboutNetwork || f.About == "" || len(f.SubjectIDs) > 0
	v.EvidenceText = "a rule was broken: nothing to weigh"
	if f.Threshold > 0 {
		evidence, line := phrase.Number(round1(f.Evidence)), phrase.Number(round1(f.Threshold))
		v.EvidenceText = evidence + " over a line of " + line
		if evidence == line {
			v.EvidenceText = "just over the line of " + line
		}
		v.Gauge = chart.Evidence("g-"+v.Key, f.Evidence, f.Threshold)
	}
	if said := f.Verdict; said != nil {
		v.Verdict, v.VerdictBy, v.Note, v.VerdictAt = phrase.Verdict(said.Word), phrase.Text(said.By, maxName), phrase.Prose(said.Note, maxSentence), At(said.Time)
	}
	if t := f.Triage; t != nil {
		v.Triage = phrase.Prose(t.Why, maxSentence)
		if t.Known {
			v.Likely = phrase.Percent(t.P)
		}
	}
	for _, s := range f.NotJudged[:min(len(f.NotJudged), maxList)] {
		v.NotJudged = append(v.NotJudged, phrase.NotJudged(s))
	}
	for _, s := range f.ReasonsMissing[:min(len(f.ReasonsMissing), maxList)] {
		v.NotJudged = append(v.NotJudged, "reasons: no feed tells of any "+phrase.Text(s, 40))
	}
	return v
}

// Draw adds the picture and the table of contributions.
func (v *Finding) Draw(f *vigil.Finding) {
	// What decides is seen at a glance; who asks on gets the rest.
	const leading, most = 6, 40
	terms := byQuestion(f.Contributions)
	if len(terms) > most {
		v.MoreTerms = len(terms) - most
		terms = terms[:most]
	}
	first, smaller := terms[:min(len(terms), leading)], 0.0
	for i := range terms {
		if i < leading {
			v.Contributions = append(v.Contributions, contribution(&terms[i]))
			continue
		}
		v.Smaller, smaller = append(v.Smaller, contribution(&terms[i])), smaller+terms[i].Share
	}
	v.SmallerShare = phrase.Percent(smaller)
	v.ByRule = f.Rule != ""
	v.Chart = chart.Contributions("c-"+v.Key, first)
}

// DrawTimeline adds the picture of the accesses over time.
func (v *Finding) DrawTimeline(f *vigil.Finding, t api.Timeline) {
	if f.About == vigil.AboutSubject {
		t.SubjectsNamed = nil // it is one
	}
	v.Timeline = chart.Timeline("t-"+v.Key, t, f.Start, f.End)
}

// byQuestion puts together what was asked of the same thing in the same span, held against
// the actor's own past, its peers and everyone: the thing first that weighs most in all.
func byQuestion(terms []vigil.Contribution) []vigil.Contribution {
	type question struct{ observation, span string }
	share, first := map[question]float64{}, map[question]int{}
	of := func(k *vigil.Contribution) question { return question{k.Observation, k.Span} }
	for i := range terms {
		q := of(&terms[i])
		if _, ok := first[q]; !ok {
			first[q] = i
		}
		if s := terms[i].Share; s > 0 && !math.IsInf(s, 1) {
			share[q] += s
		}
	}
	out := slices.Clone(terms)
	slices.SortStableFunc(out, func(a, b vigil.Contribution) int {
		p, q := of(&a), of(&b)
		return cmp.Or(cmp.Compare(share[q], share[p]), cmp.Compare(first[p], first[q]))
	})
	return out
}

func contribution(k *vigil.Contribution) Contribution {
	c := Contribution{
		Name: phrase.Observation(k.Observation), Span: phrase.Span(k.Span), Frame: phrase.Frame(k.Frame),
		Seen: phrase.Number(k.Seen), Usual: phrase.Usual(k.Expected), Rare: phrase.Rare(k.P),
		Share: phrase.Percent(k.Share), ShareBar: chart.Share(k.Share),
		Text: phrase.Prose(k.Text, maxSentence), SpanStart: moment(k.SpanStart, time.Time{}),
	}
	switch form := k.Form(); {
	case form == vigil.FormPattern:
		c.Words = true
		c.Seen, c.Usual = phrase.Pattern(k.Observation)
	case form == vigil.FormValue:
		c.Code = true
		c.Seen, c.Usual = phrase.Text(k.SeenLabel, maxName), phrase.Text(k.ExpectedLabel, maxName)
		if c.Usual == "" {
			c.Usual = phrase.None
		}
	case form == vigil.FormRule:
		c.Rare, c.Between, c.Span, c.Frame = "a rule", "allowed", "", ""
	case k.High > 0:
		c.Between = phrase.About(k.Low) + " to " + phrase.About(k.High)
	}
	return c
}

func who(f *vigil.Finding) (name string, traits []string) {
	add := func(word, s string) {
		if s != "" {
			traits = append(traits, word+phrase.Text(s, 60))
		}
	}
	switch f.About {
	case vigil.AboutSubject:
		name = f.Subject
		traits = append(traits, "a customer, read by others")
	case vigil.AboutSource:
		name = f.Source
		traits = append(traits, "a source of logs")
	case vigil.AboutNetwork:
		name = f.Network
		traits = append(traits, "a network, from which accounts came")
	case vigil.AboutTeam:
		name = f.Team
		traits = append(traits, "a team, its members together")
	default:
		name = f.Actor
		add("", phrase.Kind(f.ActorKind))
		if f.Role != string(f.ActorKind) {
			add("", f.Role)
		}
		add("team ", f.Team)
	}
	add("tenant ", f.Tenant)
	if name == "" {
		name = "nobody named"
	}
	return phrase.Text(name, maxName), traits
}

// At is an instant ready to print, without how long ago it was.
func At(t time.Time) Moment { return moment(t, time.Time{}) }

// Class is the word of a severity for the style sheet.
func Class(s vigil.Severity) string { return class(s) }

func class(s vigil.Severity) string {
	if s.Rank() == 0 {
		return "unrated"
	}
	return string(s)
}

// key makes an id that may stand in HTML. Findings' own ids pass unchanged.
func key(id string) string {
	b := []byte(id)
	if len(b) > 128 {
		b = b[:128]
	}
	for i, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			b[i] = '-'
		}
	}
	return string(b)
}

func round1(f float64) float64 { return math.Round(f*10) / 10 }
