package web

import "strings"

// MaxLayout bounds what describes a layout, in bytes.
const MaxLayout = 8 << 10

// Layout is how each line of a log is written, as its server's configuration says:
// literals and values in turn.
type Layout struct {
	// Lead is the literal before the first value.
	Lead  string
	Parts []Part
}

// Part is a value and the literal that ends it.
type Part struct {
	// Name is what the configuration calls the value; Field is what it means.
	Name  string
	Field Field
	// Least is how many bytes it has at least, for values that may hold the literal.
	Least int
	// Until is the literal; it may be empty in the last part only.
	Until string
}

// Literal adds a literal.
func (l *Layout) Literal(s string) {
	if n := len(l.Parts); n > 0 {
		l.Parts[n-1].Until += s
	} else {
		l.Lead += s
	}
}

// Value adds a value, and reports whether it can be told from the one before it.
func (l *Layout) Value(p Part) bool {
	if n := len(l.Parts); n > 0 && l.Parts[n-1].Until == "" {
		return false
	}
	l.Parts = append(l.Parts, p)
	return true
}

// Fields are the fields that the layout has, without values.
func (l *Layout) Fields() *Fields {
	var f Fields
	for _, p := range l.Parts {
		f.Set(p.Field, "")
	}
	return &f
}

// Parse reads a line into f. Of one that is written otherwise it returns the value where
// it differs.
func (l *Layout) Parse(s string, f *Fields) (failed string, ok bool) {
	// The line was trimmed; a literal's outer spaces must not matter.
	lead := strings.TrimLeft(l.Lead, " ")
	if !strings.HasPrefix(s, lead) {
		return l.Parts[0].Name, false
	}
	s = s[len(lead):]
	for i := range l.Parts {
		p := &l.Parts[i]
		until := p.Until
		if i == len(l.Parts)-1 {
			until = strings.TrimRight(until, " ")
		}
		if until == "" {
			f.Set(p.Field, s)
			return "", true
		}
		n := valueEnd(s, until, p.Least)
		if n < 0 {
			return p.Name, false
		}
		f.Set(p.Field, s[:n])
		s = s[n+len(until):]
	}
	return "", true
}

// valueEnd finds where the value at the start of s ends: at the literal, yet
// not at one that belongs to the value.
func valueEnd(s, until string, least int) int {
	from := 0
	if len(s) >= least {
		from = least
	}
	for from <= len(s) {
		i := strings.Index(s[from:], until)
		if i < 0 {
			return -1
		}
		n := from + i
		switch {
		case until[0] == ' ' && n > 0 && (s[n-1] == ',' || strings.HasPrefix(s[n:], " : ") || strings.HasSuffix(s[:n], " :")):
			// Lists of upstreams and of addresses: "a, b : c".
			from = n + 1
		case n > 0 && until[0] == '"' && backslashes(s[:n])%2 == 1:
			from = n + 1
		default:
			return n
		}
	}
	return -1
}

func backslashes(s string) int {
	n := 0
	for n < len(s) && s[len(s)-1-n] == '\\' {
		n++
	}
	return n
}
