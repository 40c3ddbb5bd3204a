package nginx

import (
	"errors"
	"fmt"
	"strings"

	"vigil/collectors/formats/web"
)

// compile reads the string of a log_format directive. Quotes and the directive
// itself around it are taken off, so that a copy of the whole line will do.
func compile(s string, names *chosen) (*web.Layout, error) {
	if len(s) > web.MaxLayout {
		return nil, fmt.Errorf("it has %d bytes, at most %d are read", len(s), web.MaxLayout)
	}
	s = directive(s)
	l := &web.Layout{}
	for i := 0; i < len(s); {
		if s[i] != '$' {
			n := strings.IndexByte(s[i:], '$')
			if n < 0 {
				n = len(s) - i
			}
			l.Literal(s[i : i+n])
			i += n
			continue
		}
		name, next, err := variableAt(s, i)
		if err != nil {
			return nil, err
		}
		p := web.Part{Name: name, Field: names.of(name)}
		if name == "time_local" {
			// It has a space of its own and always the same length.
			p.Least = 26
		}
		if !l.Value(p) {
			return nil, fmt.Errorf("$%s follows $%s with nothing between: where one ends can't be seen", name, l.Parts[len(l.Parts)-1].Name)
		}
		i = next
	}
	f := l.Fields()
	switch {
	case len(l.Parts) == 0:
		return nil, errors.New("it holds no variable")
	case !f.HasTime():
		return nil, errors.New("it needs a time: $time_local, $time_iso8601 or $msec")
	case !f.HasRequest():
		return nil, errors.New("it needs the request: $request, or $request_method with $request_uri or $uri")
	case !f.Has(web.FieldStatus):
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

// parse reads a line of a layout.
func (c *chosen) parse(l *web.Layout, s string, f *web.Fields) error {
	if len(s) > 0 && s[0] == '{' && strings.HasPrefix(strings.TrimSpace(l.Lead), "{") {
		return c.json(s, f)
	}
	if failed, ok := l.Parse(s, f); !ok {
		return errField(failed)
	}
	return nil
}

// proxyManagerLayouts are the two forms of the nginx proxy manager, for proxied
// hosts and for what it answers itself.
func proxyManagerLayouts(names *chosen) []*web.Layout {
	const tail = `[Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] `
	const agents = `"$http_user_agent" "$http_referer"`
	var out []*web.Layout
	for _, s := range [...]string{
		`[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host "$request_uri" ` + tail + `[Sent-to $server] ` + agents,
		`[$time_local] $status - $request_method $scheme $host "$request_uri" ` + tail + agents,
	} {
		if l, err := compile(s, names); err == nil {
			out = append(out, l)
		}
	}
	return out
}
