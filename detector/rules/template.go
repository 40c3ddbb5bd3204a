package rules

import (
	"fmt"
	"slices"
	"strings"

	"vigil"
)

// template is a text with fields in braces: {resource} is a field of Env at the last
// hit, {who} the actor with kind and team, and {customers}, {accesses},
// {conversations} and {rows} count what the finding covers. A count may bring its
// noun: {customers|customer's|customers'}.
type template []piece

// piece is literal text, a field of Env (its place in the rule's words), or a count.
type piece struct {
	literal   string
	word      int
	count     string
	one, many string
}

// Counts are what a finding covers so far; Customers, Conversations and Rows may be
// Unknown.
type Counts struct{ Accesses, Customers, Conversations, Rows int64 }

var counted = []string{"accesses", "customers", "conversations", "rows"}

// maxTemplate bounds a text, in bytes.
const maxTemplate = 2_000

// parseTemplate reads a text. words collects the fields that it names.
func parseTemplate(s string, words *[]string) (template, *mistake) {
	var out template
	if len(s) > maxTemplate {
		return nil, &mistake{0, fmt.Sprintf("has %d bytes, at most %d are read", len(s), maxTemplate), "say it shorter"}
	}
	at := 0 // in runes, of rest
	for rest := s; rest != ""; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			return append(out, piece{literal: rest, word: -1}), nil
		}
		if open > 0 {
			out = append(out, piece{literal: rest[:open], word: -1})
		}
		at += len([]rune(rest[:open]))
		rest = rest[open:]
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			return nil, &mistake{at, "a brace is not closed", "write a field's name in braces, such as {resource}"}
		}
		p, wrong := parsePiece(rest[1:end], words)
		if wrong != nil {
			wrong.at += at + 1
			return nil, wrong
		}
		out = append(out, p)
		at += len([]rune(rest[:end+1]))
		rest = rest[end+1:]
	}
	return out, nil
}

func parsePiece(s string, words *[]string) (piece, *mistake) {
	name, forms, plural := strings.Cut(s, "|")
	if slices.Contains(counted, name) {
		one, many, both := strings.Cut(forms, "|")
		if plural && !both {
			return piece{}, &mistake{0, "one form of the noun is missing", fmt.Sprintf("write both: {%s|one|many}", name)}
		}
		return piece{word: -1, count: name, one: one, many: many}, nil
	}
	if name != "who" && fieldIndex(name) < 0 {
		known := append(append([]string{"who"}, counted...), names()...)
		return piece{}, &mistake{0, fmt.Sprintf("there is no field %q", name), suggest(name, known, "docs/rules.md lists the fields")}
	}
	if plural {
		return piece{}, &mistake{0, fmt.Sprintf("%s is no count", name), "only " + strings.Join(counted, ", ") + " bring a noun"}
	}
	if name == "who" {
		return piece{word: -1, count: name}, nil
	}
	i := slices.Index(*words, name)
	if i < 0 {
		i = len(*words)
		*words = append(*words, name)
	}
	return piece{word: i}, nil
}

// say fills the template in.
func (t template) say(who string, words []string, c Counts) string {
	var b strings.Builder
	for _, p := range t {
		switch {
		case p.word >= 0 && p.word < len(words):
			b.WriteString(words[p.word])
		case p.count == "who":
			b.WriteString(who)
		case p.count != "":
			n := map[string]int64{"accesses": c.Accesses, "customers": c.Customers, "conversations": c.Conversations, "rows": c.Rows}[p.count]
			b.WriteString(amount(n, p.one, p.many))
		default:
			b.WriteString(p.literal)
		}
	}
	return b.String()
}

func amount(n int64, one, many string) string {
	noun := many
	s := group(n)
	switch n {
	case 1:
		noun = one
	case vigil.Unknown:
		s = "an unknown number of"
	}
	if noun == "" {
		return s
	}
	return s + " " + noun
}
