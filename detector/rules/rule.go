package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
	"vigil/internal/yaml"
)

// Once says what a rule makes one finding of, besides the actor.
type Once string

// The kinds of Once: all hits of an actor, those in one conversation, on one
// customer, or on one day (UTC).
const (
	OnceActor        Once = "actor"
	OnceConversation Once = "conversation"
	OnceCustomer     Once = "customer"
	OnceDay          Once = "day"
)

// Framework is a technique or risk by the number that a catalogue gives it.
type Framework struct {
	// Name is the catalogue's, Edition the one that the number is of.
	Name    string `yaml:"name"`
	Edition string `yaml:"edition"`
	ID      string `yaml:"id"`
}

// source is a rule's file.
type source struct {
	ID             string      `yaml:"id"`
	Name           string      `yaml:"name"`
	About          string      `yaml:"about"`
	Severity       string      `yaml:"severity"`
	Disabled       bool        `yaml:"disabled"`
	When           string      `yaml:"when"`
	Unless         string      `yaml:"unless"`
	Once           Once        `yaml:"once"`
	Sentence       string      `yaml:"sentence"`
	Reason         string      `yaml:"reason"`
	Counterfactual string      `yaml:"counterfactual"`
	Frameworks     []Framework `yaml:"frameworks"`
	Examples       []Example   `yaml:"examples"`
}

// Rule is one rule that is ready to run.
type Rule struct {
	ID, Name string
	// About says in a sentence or two what the rule is for.
	About    string
	Severity vigil.Severity
	// Disabled says that it is switched off by its file.
	Disabled   bool
	When       string
	Unless     string
	Once       Once
	Frameworks []Framework
	Examples   []Example
	// File is where it was read from; Text is what stands there.
	File, Text string
	// Builtin says that it came with the program.
	Builtin bool
	// Fingerprint is of Text: a rule that is changed is another one.
	Fingerprint string

	when, unless                     *expression
	sentence, reason, counterfactual template
	words                            []int // the fields that texts name
	// exceptional says that it is about exceptions, not accesses; whole that it is about
	// a conversation, all of whose customers belong to the finding.
	exceptional, whole bool
	// against is what the condition looks at that is of one customer and not of another.
	against reasons.Breach
}

var ruleID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// Load reads a rule's file, whose name is for messages. The rule is nil when there
// are problems; its examples are read and not yet run: see Try.
func Load(file string, text []byte) (*Rule, []yaml.Problem) {
	var s source
	doc := yaml.Decode(file, text, &s)
	if !doc.Whole() {
		return nil, doc.Sorted()
	}
	r := &Rule{
		ID: s.ID, Name: s.Name, About: s.About, Severity: vigil.Severity(s.Severity), Disabled: s.Disabled, When: s.When, Unless: s.Unless,
		Once: s.Once, Frameworks: s.Frameworks, Examples: s.Examples, File: file, Text: string(text),
		Fingerprint: fmt.Sprintf("%016x", features.Hash(string(text))),
	}
	if r.Once == "" {
		r.Once = OnceActor
	}
	r.check(doc)
	r.when = r.condition(doc, "when", s.When)
	if s.Unless != "" {
		r.unless = r.condition(doc, "unless", s.Unless)
	}
	var words []string
	for _, t := range []struct {
		field, text string
		into        *template
	}{{"sentence", s.Sentence, &r.sentence}, {"reason", s.Reason, &r.reason}, {"counterfactual", s.Counterfactual, &r.counterfactual}} {
		if t.text == "" && t.field != "reason" && !doc.Bad(t.field) {
			doc.At(t.field, "is missing", texts[t.field])
			continue
		}
		parsed, wrong := parseTemplate(strings.TrimSpace(t.text), &words)
		if wrong != nil {
			doc.Within(t.field, t.text, wrong.at, wrong.message, wrong.remedy)
		}
		*t.into = parsed
	}
	if len(r.reason) == 0 {
		r.reason = r.sentence
	}
	for _, w := range words {
		r.words = append(r.words, fieldIndex(w))
	}
	if r.when != nil {
		r.exceptional = r.looksAt("exception", "by_protected", "exception_days")
		r.whole = r.looksAt("first_customer", "conversation_customers", "further_customers")
		for name, breach := range againstFacts {
			if breach&reasons.OfCustomer != 0 && r.looksAt(name) {
				r.against |= breach
			}
		}
	}
	r.checkExamples(doc)
	if len(doc.Problems) > 0 {
		return nil, doc.Sorted()
	}
	return r, nil
}

// texts say what the texts of a rule are for.
var texts = map[string]string{
	"sentence":       `say who did what, such as "{who} read {customers|customer|customers} of another brand."`,
	"counterfactual": `say what would have kept it silent, such as "No finding with an open ticket."`,
}

func (r *Rule) check(doc *yaml.Document) {
	switch {
	case r.ID == "":
		doc.At("id", "is missing", `give the rule a name of its own, such as "night-export"`)
	case !ruleID.MatchString(r.ID):
		doc.At("id", fmt.Sprintf("%q is no id", r.ID), "use small letters, digits and hyphens, at most 64")
	}
	if r.Name == "" {
		doc.At("name", "is missing", "say in a few words what happened when the rule fires")
	}
	if r.When == "" && !doc.Bad("when") {
		doc.At("when", "is missing", `write a condition, such as: action == "export" and hour < 6`)
	}
	severities := []string{"low", "medium", "high", "critical"}
	if !slices.Contains(severities, string(r.Severity)) {
		doc.At("severity", fmt.Sprintf("%q is no severity", r.Severity), suggest(string(r.Severity), severities, "it is one of low, medium, high, critical"))
	}
	onces := []string{string(OnceActor), string(OnceConversation), string(OnceCustomer), string(OnceDay)}
	if !slices.Contains(onces, string(r.Once)) {
		doc.At("once", fmt.Sprintf("%q is not known", r.Once), suggest(string(r.Once), onces, "it is one of actor, conversation, customer, day"))
	}
	for i, f := range r.Frameworks {
		if f.Name == "" || f.Edition == "" || f.ID == "" {
			doc.At(fmt.Sprintf("frameworks[%d]", i), "needs name, edition and id", "numbers change between editions")
		}
	}
}

// condition compiles one of the expressions.
func (r *Rule) condition(doc *yaml.Document, field, text string) *expression {
	if text == "" {
		return nil
	}
	x, wrong := compile(text)
	for _, m := range wrong {
		doc.Within(field, text, m.at, m.message, m.remedy)
	}
	return x
}

// Needs lists the kinds of feed that the rule's condition asks for: of each entry at
// least one must be there for it ever to fire, though it may fire by other fields.
func (r *Rule) Needs() [][]string {
	var out [][]string
	for i, f := range Fields() {
		if len(f.Needs) > 0 && r.when.fields[i] && !slices.ContainsFunc(out, func(have []string) bool { return slices.Equal(have, f.Needs) }) {
			out = append(out, f.Needs)
		}
	}
	return out
}

// Names lists the fields that the rule's conditions look at, sorted by their place in
// Env.
func (r *Rule) Names() []string {
	var out []string
	for i, f := range Fields() {
		if r.when.fields[i] || r.unless != nil && r.unless.fields[i] {
			out = append(out, f.Name)
		}
	}
	return out
}

// looksAt reports whether the condition names a field.
func (r *Rule) looksAt(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return r.when.fields[fieldIndex(n)] })
}

// Say writes a finding's texts. words are the last hit's.
func (r *Rule) Say(who string, words []string, c Counts) (sentence, reason, counterfactual string) {
	return r.sentence.say(who, words, c), r.reason.say(who, words, c), r.counterfactual.say(who, words, c)
}

// AsksReason says that it asks whether reasons were looked for in vain, of single
// accesses: a reason that is told afterwards may explain them (see Watch.Fires).
func (r *Rule) AsksReason() bool {
	return r.looksAt("unjustified") && !r.exceptional && !r.whole && !r.looksAt("memory_of_another")
}

// PerConversation says that the rule is about who belongs to a conversation.
func (r *Rule) PerConversation() bool { return r.whole }
