package alerts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
)

// cardData is what a template sees: the card's own words and the facts behind them. All
// text in it is cleaned.
type cardData struct {
	Severity, State, Title, Sentence, Footer string
	Fields                                   []fieldData

	About, Who, Kind, Actor, Role, Team, Tenant, Customer, Source, Network string
	Rule, Lane                                                             string
	Stores, Resources, Networks                                            []string
	// Counts are -1 where the source does not tell.
	Customers, Events, Rows, Conversations float64
	Start, End                             time.Time
	Length                                 time.Duration
	Why                                    []string
	Looked                                 []string
	Counterfactual                         string

	Case, Owner, Verdict string
	Findings             float64
	Closed               bool

	steps int
	began time.Time
}

type fieldData struct{ Label, Value string }

// Step counts a round of a loop, and looks at the clock: what a round takes is bounded by
// the length of the file. It is called by templates, and writes nothing.
func (d *cardData) Step() (string, error) {
	if d.steps++; d.steps > maxSteps || time.Since(d.began) > maxTime {
		return "", fmt.Errorf("its loops go round more than %d times, or take more than %s", maxSteps, maxTime)
	}
	return "", nil
}

func templateData(m Message) *cardData {
	m.Words = nil
	c, f := CardOf(m, ""), m.Finding
	d := &cardData{
		Severity: SeverityWord(f.Severity), Title: c.Title, Sentence: c.Sentence, Footer: c.Footer,
		About: Clean(string(f.About)), Who: subjectOf(f), Kind: kindWord(f.ActorKind),
		Actor: brief(f.Actor), Role: brief(f.Role), Team: brief(f.Team), Tenant: brief(f.Tenant),
		Customer: brief(f.Subject), Source: brief(f.Source), Network: brief(f.Network), Rule: brief(f.Rule), Lane: brief(f.Lane),
		Stores: briefs(f.Stores), Resources: briefs(f.Resources), Networks: briefs(f.Networks), Looked: briefs(f.ReasonsLooked),
		Customers: float64(f.Subjects), Events: float64(f.Events), Rows: float64(f.Rows), Conversations: float64(f.Conversations),
		Start: f.Start, End: f.End, Length: f.End.Sub(f.Start), Counterfactual: c.Counterfactual, Closed: c.Closed, Findings: 1, began: time.Now(),
	}
	for _, field := range c.Fields {
		d.Fields = append(d.Fields, fieldData{field.Label, line(field.Value.String())})
	}
	for _, w := range c.Why {
		d.Why = append(d.Why, w.Text)
	}
	if k := m.Case; k != nil {
		d.Case, d.Owner, d.Verdict, d.State = brief(k.ID), brief(k.Owner), brief(string(k.Word)), brief(string(k.State))
		d.Findings, d.Severity = float64(k.Total), SeverityWord(k.Severity)
	}
	return d
}

func brief(s string) string { return Cut(Clean(s), maxName) }

// briefs are at most as many as a card could show.
func briefs(all []string) []string {
	var out []string
	for _, s := range all[:min(len(all), actorList)] {
		out = append(out, brief(s))
	}
	return out
}

// templateFuncs are the functions of templates. Those that are built into the language
// and make text of any length, or escape for one channel, are bounded or taken away.
var templateFuncs = template.FuncMap{
	"number": func(v any) (string, error) {
		switch n := v.(type) {
		case float64:
			if n < 0 {
				return "?", nil // of counts: not told
			}
			return Number(n), nil
		case int:
			return Number(float64(n)), nil
		}
		return "", fmt.Errorf("number is for numbers, not %T", v)
	},
	"span":   Span,
	"moment": Moment,
	"cut":    func(max int, s string) string { return Cut(s, max) },
	"join": func(sep string, all []string) (string, error) {
		return within(strings.Join(all, sep))
	},
	"upper": strings.ToUpper,
	"lower": strings.ToLower,
	"print": func(args ...any) (string, error) {
		return within(fmt.Sprint(args...))
	},
	"println":  func(...any) (string, error) { return "", errors.New("println is not there; say print") },
	"printf":   func(...any) (string, error) { return "", errors.New("printf is not there; say print, number or cut") },
	"html":     escapes,
	"js":       escapes,
	"urlquery": escapes,
}

func escapes(...any) (string, error) {
	return "", errors.New("templates make plain text: each channel escapes by itself")
}

// within refuses a text that is longer than a template may write.
func within(s string) (string, error) {
	if len(s) > maxOutput {
		return "", fmt.Errorf("it makes a text of more than %d bytes", maxOutput)
	}
	return s, nil
}

// bound makes every loop of a template count its rounds, and refuses what could go on
// without one: templates that call others, and so themselves. So each ends soon, whatever
// it says.
func bound(t *template.Template) error {
	if len(t.Templates()) > 1 || t.Tree == nil {
		return errors.New("it defines further templates; write it as one")
	}
	step, err := template.New("step").Parse("{{$.Step}}")
	if err != nil {
		return err
	}
	return boundList(t.Tree.Root, step.Tree.Root.Nodes[0], 0)
}

// maxNesting bounds how deep a template's blocks lie in one another.
const maxNesting = 20

func boundList(l *parse.ListNode, step parse.Node, depth int) error {
	if l == nil {
		return nil
	}
	if depth > maxNesting {
		return fmt.Errorf("its blocks lie more than %d deep", maxNesting)
	}
	for _, n := range l.Nodes {
		var err error
		switch n := n.(type) {
		case *parse.RangeNode:
			if err = errors.Join(boundList(n.List, step, depth+1), boundList(n.ElseList, step, depth+1)); err == nil {
				n.List.Nodes = slices.Insert(n.List.Nodes, 0, step.Copy())
			}
		case *parse.IfNode:
			err = errors.Join(boundList(n.List, step, depth+1), boundList(n.ElseList, step, depth+1))
		case *parse.WithNode:
			err = errors.Join(boundList(n.List, step, depth+1), boundList(n.ElseList, step, depth+1))
		case *parse.TemplateNode:
			err = errors.New("it calls a template; write it as one")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
