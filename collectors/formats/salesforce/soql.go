package salesforce

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// maxQuery bounds how much of a query is looked at, in bytes; maxFields how many columns
// are taken.
const (
	maxQuery  = 32 << 10
	maxFields = 200
)

// token is a word, a number, a sign or, quoted, a literal of a query.
type token struct {
	text    string
	literal bool
}

// tokens cuts a SOQL query up.
func tokens(q string) (out []token) {
	for i := 0; i < len(q); {
		switch c := q[i]; {
		case c <= ' ':
			i++
		case c == '\'':
			j := i + 1
			for j < len(q) && q[j] != '\'' {
				if q[j] == '\\' {
					j++
				}
				j++
			}
			out = append(out, token{q[i+1 : min(j, len(q))], true})
			i = min(j, len(q)) + 1
		case wordy(c):
			j := i
			for j < len(q) && wordy(q[j]) {
				j++
			}
			out = append(out, token{text: q[i:j]})
			i = j
		default:
			out = append(out, token{text: q[i : i+1]})
			i++
		}
	}
	return out
}

func wordy(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c >= 0x80
}

// query notes what a query (SOQL, the query language of Salesforce) says: its object and
// columns, the ids in its conditions, its limit, whether it has any condition. No literal
// but ids of known objects is kept.
func query(e *vigil.Event, q string) {
	if q == "" {
		return
	}
	if len(q) > maxQuery {
		q = q[:maxQuery]
	}
	toks := tokens(q)
	if len(toks) == 0 || !strings.EqualFold(toks[0].text, "select") {
		return
	}
	const (
		columns = iota
		from
		conditions
		rest
	)
	depth, part := 0, columns
	var object string
	where, limited, confined := false, false, false
	for i, t := range toks[1:] {
		next := ""
		if i+2 < len(toks) {
			next = toks[i+2].text
		}
		if t.literal {
			if part >= conditions || depth > 0 {
				touch(e, t.text)
				o, ok := objectOf(t.text)
				confined = ok && o.person && strings.EqualFold(o.name, object)
			}
			continue
		}
		switch t.text {
		case "(":
			depth++
			continue
		case ")":
			depth--
			continue
		}
		if depth > 0 {
			continue
		}
		switch word := strings.ToLower(t.text); {
		case word == "from" && part == columns:
			part, object = from, formats.Clean(next, 80)
		case word == "where":
			part, where = conditions, true
		case word == "limit" && part >= from:
			part, limited = rest, true
			e.Limit = formats.Count(next)
		case part == columns && wordy(t.text[0]) && next != "(" && len(e.Fields) < maxFields:
			e.Fields = append(e.Fields, formats.Clean(t.text, 80))
		}
	}
	if object == "" {
		return
	}
	e.Resource = object
	e.Unbounded = !where && !limited
	e.Shape = "select " + object
	if where {
		e.Shape += " where"
	}
	// Of a query for named customers the names are all; one for what belongs to them may
	// touch more.
	if confined && len(e.Subjects) > 0 {
		e.SubjectCount = int64(len(e.Subjects))
	}
}
