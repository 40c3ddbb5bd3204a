// Package notice fills in the notification of a personal data breach to the supervisory
// authority (Regulation (EU) 2016/679, article 33) as far as a case tells, and sets it on
// paper.
//
// What it proposes is a draft for a person to check: it says what was seen and what was
// not, and gives no legal advice. The same Facts give the same words. All functions are
// pure and safe for concurrent use. People stand in it by pseudonyms. internal/app gathers
// the Facts and keeps what people write instead.
package notice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// The bounds of what is told in one part.
const (
	maxListed  = 20
	maxStory   = 60
	maxName    = 80
	maxSaid    = 400
	maxSubject = 1_000_000
)

// Facts are what is known of a case.
type Facts struct {
	Case vigil.Case
	// Findings are those of the case that are kept, Events its timeline.
	Findings     []vigil.Finding
	Events       []vigil.CaseEvent
	Exceptions   []vigil.Exception
	Organisation api.Organisation
	Now          time.Time
}

// Propose writes each part as far as the facts tell of it.
func Propose(f *Facts) map[vigil.NoticeField]string {
	out := map[vigil.NoticeField]string{}
	for field, text := range map[vigil.NoticeField]string{
		vigil.NoticeNature: nature(f), vigil.NoticePeople: people(f), vigil.NoticePeopleCount: peopleCount(f),
		vigil.NoticeRecords: records(f), vigil.NoticeRecordCount: recordCount(f), vigil.NoticeContact: contact(&f.Organisation),
		vigil.NoticeHarm: harm(f), vigil.NoticeMeasures: measures(f), vigil.NoticeFacts: facts(f),
	} {
		if text = cut(text); text != "" {
			out[field] = text
		}
	}
	return out
}

// cut bounds a part, at the end of a line where it can.
func cut(text string) string {
	text = strings.TrimSpace(text)
	letters := []rune(text)
	if len(letters) <= vigil.MaxNoticeText {
		return text
	}
	short := string(letters[:vigil.MaxNoticeText-100])
	if i := strings.LastIndexByte(short, '\n'); i > len(short)/2 {
		short = short[:i]
	}
	return short + "\n(cut: the evidence pack of the case has the rest)"
}

func nature(f *Facts) string {
	c := &f.Case
	var b strings.Builder
	b.WriteString("A breach of confidentiality: personal data was read by somebody who, as far as is known, had no reason to.\n")
	if lead := leadOf(f); lead != nil {
		b.WriteString(phrase.Prose(lead.Sentence, maxSaid) + "\n")
	}
	fmt.Fprintf(&b, "It began on %s and was seen last on %s. It was detected on %s.\n", phrase.Moment(c.Start), phrase.Moment(c.End), phrase.Moment(detected(f)))
	if c.Aware != nil {
		fmt.Fprintf(&b, "We became aware of the breach on %s.\n", phrase.Moment(c.Aware.Time))
	}
	b.WriteString(verdict(c.Word))
	if networks := union(f, func(x *vigil.Finding) []string { return x.Networks }); len(networks) > 0 {
		b.WriteString("\nThe accesses came from: " + listed(networks) + ".")
	}
	return b.String()
}

func verdict(w vigil.Word) string {
	switch w {
	case vigil.WordBreach:
		return "The investigation confirmed that it is a breach."
	case vigil.WordMisuse:
		return "The investigation confirmed that it is a misuse of a right of access."
	case vigil.WordExpected:
		return "The investigation came to the end that the accesses were expected."
	case vigil.WordUnknown:
		return "The investigation could not tell whether it is a breach."
	}
	return "The investigation is under way; whether it is a breach is not confirmed yet."
}

func detected(f *Facts) time.Time {
	first := f.Case.Opened
	for i := range f.Findings {
		if d := f.Findings[i].Detected; d.Before(first) {
			first = d
		}
	}
	return first
}

func leadOf(f *Facts) *vigil.Finding {
	for i := range f.Findings {
		if f.Findings[i].ID == f.Case.Lead {
			return &f.Findings[i]
		}
	}
	return nil
}

func people(f *Facts) string {
	text := "Customers who wrote to the customer service"
	if stores := union(f, func(x *vigil.Finding) []string { return x.Stores }); len(stores) > 0 {
		text += ", whose data is kept in: " + listed(stores)
	}
	return text + "."
}

// peopleCount counts the customers whom the findings name, each once.
func peopleCount(f *Facts) string {
	named := map[string]bool{}
	var most int64
	whole := true
	for i := range f.Findings {
		x := &f.Findings[i]
		if x.Subject != "" {
			named[x.Subject] = true
		}
		for _, s := range x.SubjectIDs[:min(len(x.SubjectIDs), maxSubject)] {
			named[s] = true
		}
		most = max(most, x.Subjects)
		// A finding may count more than it can name, or nobody may have told.
		whole = whole && x.Subjects >= 0 && x.Subjects <= int64(len(x.SubjectIDs))
	}
	n := max(most, int64(len(named)))
	whole = whole && len(f.Findings) == f.Case.Total
	switch {
	case n == 0:
		return "Not known yet: the logs do not name whose data was read."
	case whole:
		return phrase.Plural(n, "person", "people") + ", each counted once."
	}
	return "At least " + phrase.Plural(n, "person", "people") + "; not every access names whose data it read."
}

func records(f *Facts) string {
	var lines []string
	if classes := union(f, func(x *vigil.Finding) []string { return x.Classes }); len(classes) > 0 {
		var named []string
		for _, c := range classes {
			named = append(named, className(c))
		}
		slices.Sort(named)
		lines = append(lines, "Kinds of data: "+listed(slices.Compact(named))+".")
	}
	if resources := union(f, func(x *vigil.Finding) []string { return x.Resources }); len(resources) > 0 {
		lines = append(lines, "Read from: "+listed(resources)+".")
	}
	if len(lines) == 0 {
		return "Conversations with the customer service, and the data that goes with them. The logs do not tell more."
	}
	return strings.Join(lines, "\n")
}

func recordCount(f *Facts) string {
	var events, rows, conversations int64
	rowsTold := true
	for i := range f.Findings {
		x := &f.Findings[i]
		events += max(0, x.Events)
		rows += max(0, x.Rows)
		conversations = max(conversations, x.Conversations)
		rowsTold = rowsTold && x.Rows >= 0
	}
	var parts []string
	if conversations > 0 {
		parts = append(parts, phrase.Plural(conversations, "conversation", "conversations"))
	}
	switch {
	case rowsTold && rows > 0:
		parts = append(parts, phrase.Plural(rows, "record", "records"))
	case rows > 0:
		parts = append(parts, "at least "+phrase.Plural(rows, "record", "records")+" (not every source tells)")
	}
	if events > 0 {
		parts = append(parts, "in "+phrase.Plural(events, "access", "accesses"))
	}
	if len(parts) == 0 {
		return "Not known yet."
	}
	text := "Approximately " + strings.Join(parts, ", ") + "."
	if len(f.Findings) > 1 {
		text += " Findings of the same time may count a record twice."
	}
	return text
}

func contact(o *api.Organisation) string {
	var lines []string
	for _, l := range []struct{ name, value string }{
		{"Controller", o.Name}, {"Address", o.Address}, {"Data protection officer or other contact", o.Officer}, {"Reached by", o.Contact},
	} {
		if v := phrase.Prose(l.value, maxSaid); v != "" {
			lines = append(lines, l.name+": "+v)
		}
	}
	return strings.Join(lines, "\n")
}

func measures(f *Facts) string {
	c := &f.Case
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, "– "+fmt.Sprintf(format, args...)) }
	if c.Acknowledged != nil {
		add("%s: the security team took the case on.", phrase.Moment(c.Acknowledged.Time))
	}
	if a := c.Asked; a != nil {
		add("%s: the holder of the account was asked.", phrase.Moment(a.Time))
		if !a.Answered.IsZero() {
			said := "says that it was not them"
			if a.Mine {
				said = "says that it was them"
			}
			add("%s: the holder %s.", phrase.Moment(a.Answered), said)
		}
	}
	for i := range f.Exceptions {
		if x := &f.Exceptions[i]; x.Finding != "" && slices.Contains(c.Findings, x.Finding) {
			add("%s: part of the accesses was found to be expected, until %s.", phrase.Moment(x.Time), phrase.Moment(x.To))
		}
	}
	if c.Word != "" {
		add("The case was judged: %s.", phrase.Verdict(c.Word))
	}
	add("The accounts' accesses go on being watched.")
	return "Taken so far:\n" + strings.Join(lines, "\n") + "\nProposed: (say what is done to end the access, and to keep it from happening again)"
}

// facts is the documentation that the controller keeps: what happened, its effects, and
// what was done.
func facts(f *Facts) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Case %s, opened on %s.\n", phrase.Text(f.Case.ID, maxName), phrase.Moment(f.Case.Opened))
	for i := range f.Findings {
		if i == maxListed {
			break
		}
		x := &f.Findings[i]
		fmt.Fprintf(&b, "Finding %s, %s: %s\n", phrase.Text(x.ID, maxName), phrase.Severity(x.Severity), phrase.Prose(x.Sentence, maxSaid))
	}
	if more := f.Case.Total - min(len(f.Findings), maxListed); more > 0 {
		fmt.Fprintf(&b, "%s not listed here.\n", phrase.Plural(int64(more), "more finding", "more findings"))
	}
	if len(f.Events) > 0 {
		b.WriteString("What happened with it:\n")
	}
	for _, e := range f.Events[max(0, len(f.Events)-maxStory):] {
		fmt.Fprintf(&b, "– %s %s: %s\n", phrase.Moment(e.Time), phrase.Text(e.By, maxName), phrase.Prose(told(&e), maxSaid))
	}
	return b.String()
}

// told says what happened to a case in a line.
func told(e *vigil.CaseEvent) string {
	switch e.Kind {
	case vigil.CaseOpened:
		return "opened the case, severity " + e.Text
	case vigil.CaseGrew:
		return "it got graver: " + e.Text
	case vigil.CaseHeld:
		return "kept the message back: " + e.Text
	}
	return cmp.Or(e.Text, string(e.Kind))
}

// union is what the findings name, each once, sorted.
func union(f *Facts, of func(*vigil.Finding) []string) (all []string) {
	for i := range f.Findings {
		for _, s := range of(&f.Findings[i]) {
			if s = phrase.Text(s, maxName); s != "" {
				all = append(all, s)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func listed(all []string) string {
	more := ""
	if len(all) > maxListed {
		more = fmt.Sprintf(" and %s more", phrase.Count(int64(len(all)-maxListed)))
		all = all[:maxListed]
	}
	return strings.Join(all, ", ") + more
}
