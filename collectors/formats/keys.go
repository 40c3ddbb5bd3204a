package formats

import (
	"fmt"
	"strings"

	"vigil"
)

// Keys reads the keys of stores that have no tables, such as Redis, by the mapping's
// paths that begin with no slash: "conversation:{conversation}:messages". There {…} is a
// meaning and * anything, each at least one character and none of ":" and "/"; ** is the
// rest. The first that fits counts. It is safe for concurrent use.
type Keys struct{ templates []keyTemplate }

type keyTemplate struct {
	Path
	parts []keyPart
}

// keyPart is a piece of a template: literal text, or what stands for text.
type keyPart struct {
	literal string
	meaning Meaning // empty for *
	rest    bool    // **
}

// NewKeys compiles the key templates of a mapping, which may be nil. A template that
// can't be used is an error that names it.
func NewKeys(m *Mapping) (*Keys, error) {
	k := &Keys{}
	if m == nil {
		return k, nil
	}
	for _, p := range m.Paths {
		if p.Template == "" || p.Template[0] == '/' {
			continue
		}
		if p.Action != "" && !vigil.Action(p.Action).Valid() {
			return nil, fmt.Errorf("mapping: key %q: action %q is not one of %v", p.Template, p.Action, vigil.Actions())
		}
		t := keyTemplate{Path: p}
		if t.Resource == "" {
			t.Resource = p.Template
		}
		for rest := p.Template; rest != ""; {
			var part keyPart
			switch end := strings.IndexByte(rest, '}'); {
			case strings.HasPrefix(rest, "**"):
				part.rest, rest = true, rest[2:]
				if rest != "" {
					return nil, fmt.Errorf("mapping: key %q: ** must be at the end", p.Template)
				}
			case rest[0] == '*':
				rest = rest[1:]
			case rest[0] == '{' && end > 0:
				part.meaning, rest = Meaning(rest[1:end]), rest[end+1:]
				switch part.meaning {
				case MeansSubject, MeansConversation, MeansTenant, MeansTicket:
				default:
					return nil, fmt.Errorf("mapping: key %q: {%s} is not subject, conversation, tenant or ticket: for anything else write *", p.Template, part.meaning)
				}
			default:
				n := strings.IndexAny(rest[1:], "*{") + 1
				if n == 0 {
					n = len(rest)
				}
				part.literal, rest = rest[:n], rest[n:]
			}
			if n := len(t.parts); n > 0 && part.literal == "" && t.parts[n-1].literal == "" {
				return nil, fmt.Errorf("mapping: key %q: there must be text between two variable parts", p.Template)
			}
			t.parts = append(t.parts, part)
		}
		k.templates = append(k.templates, t)
	}
	return k, nil
}

// Match adds the ids in a key to found and returns the path that fits it; ok is false
// when none does.
func (k *Keys) Match(key string, found *Found) (p Path, ok bool) {
	for i := range k.templates {
		if t := &k.templates[i]; t.match(key, nil) {
			t.match(key, found)
			return t.Path, true
		}
	}
	return Path{}, false
}

func (t *keyTemplate) match(key string, found *Found) bool {
	for i, part := range t.parts {
		switch {
		case part.rest:
			return true
		case part.literal != "":
			rest, ok := strings.CutPrefix(key, part.literal)
			if !ok {
				return false
			}
			key = rest
		default:
			n := len(key)
			if i+1 < len(t.parts) && t.parts[i+1].literal != "" {
				// From the second byte on: the part has one character at least.
				if n == 0 {
					return false
				}
				if n = strings.Index(key[1:], t.parts[i+1].literal) + 1; n == 0 {
					return false
				}
			}
			if n == 0 || strings.ContainsAny(key[:n], ":/") {
				return false
			}
			if found != nil {
				// In a cluster braces choose the node: they are no part of the id.
				found.Add(part.meaning, strings.Trim(key[:n], "{}"))
			}
			key = key[n:]
		}
	}
	return key == ""
}

var noBraces = strings.NewReplacer("{", "", "}", "")

// GeneralKey is what a key that no template knows is called: its first part, numbers
// and ids replaced, and stars for the parts behind it, so that it names nobody.
func GeneralKey(key string) string {
	key = strings.TrimLeft(key, "{}:/")
	n := strings.IndexAny(key, ":/")
	if n < 0 {
		n = len(key)
	}
	first, rest := GeneralName(noBraces.Replace(key[:n])), key[n:]
	var b strings.Builder
	b.WriteString(first)
	for i := 0; i < len(rest); i++ {
		if rest[i] == ':' || rest[i] == '/' {
			if b.Len() > len(first)+12 {
				b.WriteString("**")
				break
			}
			b.WriteByte(rest[i])
			b.WriteByte('*')
		}
	}
	return b.String()
}

// GeneralName replaces what in a name looks like an id by {id}: runs of two digits or
// more, and the whole of what is long, has an @, or is hexadecimal.
func GeneralName(name string) string {
	name = Clean(name, 2*maxName)
	hex, digits := 0, 0
	for i := range len(name) {
		switch c := name[i]; {
		case c >= '0' && c <= '9':
			digits++
			hex++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '-':
			hex++
		}
	}
	if len(name) > maxName || strings.Contains(name, "@") || hex == len(name) && hex >= 8 && digits > 0 {
		return "{id}"
	}
	if digits < 2 {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		n := i
		for n < len(name) && name[n] >= '0' && name[n] <= '9' {
			n++
		}
		switch {
		case n-i >= 2:
			b.WriteString("{id}")
			i = n
		default:
			b.WriteByte(name[i])
			i++
		}
	}
	return b.String()
}

// maxName is how long a name can be that is no id.
const maxName = 48
