package notice

import (
	"slices"
	"strings"

	"vigil"
	"vigil/dashboards/phrase"
)

// class is what a kind of data means for whom it is about.
type class struct {
	// words are how sources may name it, in lower case.
	words []string
	name  string
	// harm may follow when strangers know it.
	harm string
	// grave says that it alone may be a high risk (article 34, and article 9 or 10).
	grave bool
}

// classes are the kinds of data that are known by name.
func classes() []class {
	return []class{
		{[]string{"health", "medical"}, "data about health", "discrimination, and loss of confidentiality of what is protected by professional secrecy", true},
		{[]string{"payment", "financial", "bank", "card"}, "payment data", "fraud and financial loss", true},
		{[]string{"credential", "credentials", "secret", "password", "authentication"}, "passwords and keys", "accounts taken over", true},
		{[]string{"identity", "id-document", "passport"}, "identity documents", "identity theft", true},
		{[]string{"religion", "politics", "political", "union", "sexual", "biometric", "genetic", "ethnic", "special"}, "special categories of data", "discrimination and damage to reputation", true},
		{[]string{"criminal"}, "data about offences", "discrimination and damage to reputation", true},
		{[]string{"children", "minor", "minors"}, "data of children", "harm to people who need special protection", true},
		{[]string{"location"}, "places where people were", "people followed or harassed", true},
		{[]string{"contact", "profile"}, "names and contact data", "unwanted contact, and messages that pretend to come from us (phishing)", false},
		{[]string{"chat", "conversation", "message", "transcript", "ticket", "case"}, "conversations with the customer service", "what people confided becomes known: complaints, circumstances of their lives, and what else they wrote", false},
		{[]string{"attachment", "file"}, "files that people sent", "copies of documents used against them", false},
		{[]string{"order", "purchase"}, "orders", "conclusions about habits and circumstances", false},
	}
}

// classOf finds a class by the name that a source gives it.
func classOf(name string) (class, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, c := range classes() {
		if slices.Contains(c.words, name) {
			return c, true
		}
	}
	return class{}, false
}

func className(name string) string {
	if c, ok := classOf(name); ok {
		return c.name
	}
	return phrase.Text(name, maxName)
}

// harm says what may follow for the people.
func harm(f *Facts) string {
	var lines []string
	for _, name := range union(f, func(x *vigil.Finding) []string { return x.Classes }) {
		if c, ok := classOf(name); ok {
			lines = append(lines, "– "+c.name+": "+c.harm+".")
		}
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if len(lines) == 0 {
		lines = []string{"– loss of control over personal data; what people confided to the customer service becomes known."}
	}
	return "Likely for the people concerned:\n" + strings.Join(lines, "\n") + "\nWhether any of it has come about is not known yet."
}

// manyPeople is from how many on a breach is told to be large.
const manyPeople = 1_000

// Concerns are what speaks for telling the people themselves, which the law asks for when
// the risk to them is likely to be high (article 34). Each is a question to whoever
// decides; none are where nothing speaks for it.
func Concerns(f *Facts) (out []string) {
	if f.Case.Word == vigil.WordExpected {
		return nil
	}
	for _, name := range union(f, func(x *vigil.Finding) []string { return x.Classes }) {
		if c, ok := classOf(name); ok && c.grave {
			out = append(out, "Kinds of data that can do great harm were read: "+c.name+". Is there anything, such as encryption, that keeps it from being used?")
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	for i := range f.Findings {
		if f.Findings[i].Subjects >= manyPeople {
			out = append(out, "The data of many people was read: "+phrase.Count(f.Findings[i].Subjects)+" in one finding. Can each of them be reached?")
			break
		}
	}
	if f.Case.Severity.Rank() >= vigil.SeverityCritical.Rank() && f.Case.Word != vigil.WordUnknown {
		out = append(out, "The case is of the gravest kind. Who may have the data now, and what could they do with it?")
	}
	return out
}
