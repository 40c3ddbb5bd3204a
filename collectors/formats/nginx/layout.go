package nginx

import (
	"errors"
	"fmt"
	"strings"
)

// layout is a compiled log_format: literals and variables in turn.
type layout struct {
	lead  string
	parts []layoutPart
}

// layoutPart is a variable and the literal that ends it.
type layoutPart struct {
	name, until string
}

// maxLayout bounds a log_format, in bytes.
const maxLayout = 8 << 10

// compile reads the string of a log_format directive. Quotes and the directive
// itself around it are taken off, so that a copy of the whole line will do.
func compile(s string) (*layout, error) {
	if len(s) > maxLayout {
		return nil, fmt.Errorf("it has %d bytes, at most %d are read", len(s), maxLayout)
	}
	s = directive(s)
	l := &layout{}
	literal := &l.lead
	for i := 0; i < len(s); {
		if s[i] != '$' {
			*literal += s[i : i+1]
			i++
			continue
		}
		name, next, err := variableAt(s, i)
		if err != nil {
			return nil, err
		}
		if len(l.parts) > 0 && *literal == "" {
			return nil, fmt.Errorf("$%s follows $%s with nothing between: where one ends can't be seen", name, l.parts[len(l.parts)-1].name)
		}
		l.parts = append(l.parts, layoutPart{name: name})
		literal = &l.parts[len(l.parts)-1].until
		i = next
	}
	var f fields
	for _, p := range l.parts {
		f.setVariable(p.name, "")
	}
	switch {
	case len(l.parts) == 0:
		return nil, errors.New("it holds no variable")
	case !f.hasTime():
		return nil, errors.New("it needs a time: $time_local, $time_iso8601 or $msec")
	case !f.request():
		return nil, errors.New("it needs the request: $request, or $request_method with $request_uri or $uri")
	case !f.has(fieldStatus):
		return nil, errors.New("it needs $status")
	}
	return l, nil
}

// directive takes "log_format NAME [escape=...] '...' '...';" apart.
func directive(s string) string {
	t := strings.TrimSpace(s)
	if !strings.HasPrefix(t, "log_format") {
		return strings.TrimRight(s, "\r\n")
	}
	var out strings.Builder
	for {
		i := strings.IndexAny(t, `'"`)
		if i < 0 {
			return out.String()
		}
		quote := t[i]
		t = t[i+1:]
		for len(t) > 0 && t[0] != quote {
			if t[0] == '\\' && len(t) > 1 && (t[1] == quote || t[1] == '\\') {
				t = t[1:]
			}
			out.WriteByte(t[0])
			t = t[1:]
		}
		if t != "" {
			t = t[1:]
		}
	}
}

func variableAt(s string, i int) (name string, next int, err error) {
	j := i + 1
	if j < len(s) && s[j] == '{' {
		end := strings.IndexByte(s[j:], '}')
		if end < 0 {
			return "", 0, errors.New("a ${ has no }")
		}
		return s[j+1 : j+end], j + end + 1, nil
	}
	for j < len(s) && (s[j] == '_' || s[j] >= '0' && s[j] <= '9' || s[j] >= 'a' && s[j] <= 'z' || s[j] >= 'A' && s[j] <= 'Z') {
		j++
	}
	if j == i+1 {
		return "", 0, fmt.Errorf("a $ at byte %d names no variable", i)
	}
	return s[i+1 : j], j, nil
}

// parse reads a line of this layout into f.
func (l *layout) parse(s string, f *fields) error {
	if len(s) > 0 && s[0] == '{' && strings.HasPrefix(strings.TrimSpace(l.lead), "{") {
		return f.json(s)
	}
	// The line was trimmed; a literal's outer spaces must not matter.
	lead := strings.TrimLeft(l.lead, " ")
	if !strings.HasPrefix(s, lead) {
		return errField(l.parts[0].name)
	}
	s = s[len(lead):]
	for i, p := range l.parts {
		until := p.until
		if i == len(l.parts)-1 {
			until = strings.TrimRight(until, " ")
		}
		if until == "" {
			f.setVariable(p.name, s)
			return nil
		}
		n := valueEnd(p.name, s, until)
		if n < 0 {
			return errField(p.name)
		}
		f.setVariable(p.name, s[:n])
		s = s[n+len(until):]
	}
	return nil
}

// valueEnd finds where the value at the start of s ends: at the literal, yet
// not at one that belongs to the value.
func valueEnd(name, s, until string) int {
	from := 0
	if name == "time_local" && len(s) >= 26 {
		// It has a space of its own and always the same length.
		from = 26
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

// proxyManagerLayouts are the two forms of the nginx proxy manager, for proxied
// hosts and for what it answers itself.
func proxyManagerLayouts() []*layout {
	const tail = `[Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] `
	const agents = `"$http_user_agent" "$http_referer"`
	var out []*layout
	for _, s := range [...]string{
		`[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host "$request_uri" ` + tail + `[Sent-to $server] ` + agents,
		`[$time_local] $status - $request_method $scheme $host "$request_uri" ` + tail + agents,
	} {
		if l, err := compile(s); err == nil {
			out = append(out, l)
		}
	}
	return out
}
