package nginx

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// The bounds of what is taken of one request.
const (
	maxSegments = 24
	maxResource = 256
	maxParams   = 48
	maxParam    = 64
	maxID       = 256
)

// limitNames are parameters that ask for a page of some size, whatever the
// mapping says of others.
var limitNames = map[string]bool{
	"limit": true, "per_page": true, "page_size": true, "pagesize": true, "perpage": true, "max_results": true, "top_k": true,
}

// pathTemplate is a compiled path of the mapping.
type pathTemplate struct {
	segments []string
	meanings []formats.Meaning
	resource string
	action   vigil.Action
	class    string
	shape    string
}

func compilePaths(m *formats.Mapping) ([]pathTemplate, error) {
	if m == nil {
		return nil, nil
	}
	var out []pathTemplate
	for _, p := range m.Paths {
		t := pathTemplate{resource: p.Resource, class: p.Class, action: vigil.Action(p.Action), shape: p.Template}
		if p.Action != "" && !t.action.Valid() {
			return nil, fmt.Errorf("mapping: path %q: action %q is not one of %v", p.Template, p.Action, vigil.Actions())
		}
		var fixed []string
		for _, seg := range split(p.Template) {
			meaning := formats.Meaning("")
			switch {
			case strings.HasPrefix(seg, "{") && strings.HasSuffix(seg, "}"):
				meaning = formats.Meaning(seg[1 : len(seg)-1])
				switch meaning {
				case formats.MeansSubject, formats.MeansConversation, formats.MeansTenant, formats.MeansTicket:
				default:
					return nil, fmt.Errorf("mapping: path %q: {%s} is not subject, conversation, tenant or ticket: for any other segment write *", p.Template, meaning)
				}
				seg = "*"
			case seg == "*" || seg == "**":
			default:
				fixed = append(fixed, seg)
			}
			t.segments = append(t.segments, seg)
			t.meanings = append(t.meanings, meaning)
		}
		if i := slices.Index(t.segments, "**"); i >= 0 && i != len(t.segments)-1 {
			return nil, fmt.Errorf("mapping: path %q: ** must be the last segment", p.Template)
		}
		if t.resource == "" {
			t.resource = "/" + strings.Join(fixed, "/")
		}
		out = append(out, t)
	}
	return out, nil
}

// split cuts a path into its segments, without empty ones, and resolves . and ..
func split(path string) []string {
	var out []string
	for seg := range strings.SplitSeq(path, "/") {
		switch seg {
		case "", ".":
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
		default:
			if len(out) < maxSegments {
				out = append(out, seg)
			}
		}
	}
	return out
}

func (t *pathTemplate) match(path []string) bool {
	for i, seg := range t.segments {
		if seg == "**" {
			return true
		}
		if i >= len(path) || seg != "*" && seg != path[i] {
			return false
		}
	}
	return len(path) == len(t.segments)
}

// request fills in what the method, the path and the query tell.
func (d *decoder) request(e *vigil.Event) {
	method, target := d.methodAndTarget()
	if method == "" {
		// A malformed request: an access that failed, of nothing in particular.
		e.Action, e.Shape = vigil.ActionOther, "malformed request"
		if e.Outcome == vigil.OutcomeUnspecified {
			e.Outcome = vigil.OutcomeError
		}
		return
	}
	path, query, _ := strings.Cut(target, "?")
	if d.fields.value[fieldArgs] != "" && d.fields.value[fieldArgs] != "-" {
		query = d.fields.value[fieldArgs]
	}
	path, _, _ = strings.Cut(path, "#")
	segments := split(unescape(path))
	for i, seg := range segments {
		if plain, err := url.PathUnescape(seg); err == nil && printable(plain) {
			segments[i] = plain
		}
	}
	params := d.params(e, unescape(query))
	var shape string
	var override vigil.Action
	if t := d.template(segments); t != nil {
		for i, m := range t.meanings {
			d.take(e, m, segments[i])
		}
		e.Resource, e.ResourceClass, override, shape = t.resource, t.class, t.action, t.shape
	} else {
		e.Resource = d.in.String([]byte(generic(segments)))
		shape = e.Resource
	}
	e.Action = action(method, segments, params)
	if override != "" {
		e.Action = override
	}
	if len(params) > 0 {
		shape += "?" + strings.Join(params, "&")
	}
	e.Shape = d.in.String([]byte(method + " " + shape))
	if n := int64(len(e.Subjects)); n > 0 {
		e.SubjectCount = n
	}
}

// methodAndTarget returns the request's method, empty when it is malformed, and
// its target.
func (d *decoder) methodAndTarget() (method, target string) {
	f := &d.fields
	method = f.value[fieldMethod]
	if request := f.value[fieldRequest]; request != "" && request != "-" {
		m, rest, ok := strings.Cut(request, " ")
		if ok {
			method = m
			target = rest
			if i := strings.LastIndex(rest, " HTTP/"); i >= 0 {
				target = rest[:i]
			}
		}
	}
	for _, k := range [...]field{fieldURI, fieldPath} {
		if v := f.value[k]; v != "" && v != "-" && (target == "" || target[0] != '/') {
			target = v
		}
	}
	if i := strings.Index(target, "://"); i > 0 && i < 8 {
		// The absolute form, with scheme and host.
		target = target[i+3:]
		slash := strings.IndexByte(target, '/')
		if slash < 0 {
			return clean(method), "/"
		}
		target = target[slash:]
	}
	if target == "" || target[0] != '/' && target != "*" {
		return "", ""
	}
	return clean(method), target
}

// clean returns the method if it is one of HTTP's.
func clean(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "PROPFIND", "REPORT", "SEARCH":
		return method
	}
	return ""
}

func (d *decoder) template(segments []string) *pathTemplate {
	for i := range d.paths {
		if d.paths[i].match(segments) {
			return &d.paths[i]
		}
	}
	return nil
}

// params returns the sorted names of the query's parameters, and takes the ids
// that the mapping names. No other value is kept.
func (d *decoder) params(e *vigil.Event, query string) []string {
	var names []string
	for n := 0; query != "" && n < maxParams; n++ {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(key)
		if err != nil || !printable(name) {
			continue
		}
		name = strings.TrimSuffix(name, "[]")
		if name == "" || len(name) > maxParam || idLike(name) {
			continue
		}
		meaning := formats.Meaning("")
		if d.opts.Mapping != nil {
			meaning = d.opts.Mapping.Params[name]
		}
		if meaning == "" && limitNames[strings.ToLower(name)] {
			meaning = formats.MeansLimit
		}
		if meaning != "" {
			if value, err = url.QueryUnescape(value); err == nil {
				for v := range strings.SplitSeq(value, ",") {
					d.take(e, meaning, v)
				}
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// take stores an id under its meaning.
func (d *decoder) take(e *vigil.Event, m formats.Meaning, v string) {
	if v = strings.TrimSpace(v); v == "" || len(v) > maxID || !printable(v) {
		return
	}
	switch m {
	case formats.MeansSubject:
		if len(e.Subjects) < vigil.MaxSubjects && !slices.Contains(e.Subjects[:min(len(e.Subjects), 64)], v) {
			e.Subjects = append(e.Subjects, strings.Clone(v))
		}
	case formats.MeansConversation:
		e.Conversation = d.in.String([]byte(v))
	case formats.MeansTenant:
		e.ResourceTenant = d.in.String([]byte(v))
	case formats.MeansTicket:
		e.Ticket = d.in.String([]byte(v))
	case formats.MeansLimit:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n >= 0 {
			e.Limit = n
		}
	}
}

// action tells what the request does, from its method and what its path says.
func action(method string, path, params []string) vigil.Action {
	last := ""
	if len(path) > 0 {
		last = strings.ToLower(path[len(path)-1])
	}
	switch last {
	case "logout", "signout", "sign_out", "sign-out":
		return vigil.ActionLogout
	case "login", "signin", "sign_in", "sign-in", "log_in", "authenticate":
		return vigil.ActionLogin
	}
	switch method {
	case "DELETE":
		return vigil.ActionDelete
	case "OPTIONS", "TRACE", "CONNECT":
		return vigil.ActionOther
	}
	for _, seg := range path {
		// export.csv too.
		name, _, _ := strings.Cut(seg, ".")
		switch strings.ToLower(name) {
		case "export", "exports", "download", "downloads", "dump":
			return vigil.ActionExport
		}
	}
	for _, seg := range path {
		switch strings.ToLower(seg) {
		case "search", "filter", "_search":
			return vigil.ActionSearch
		}
	}
	switch method {
	case "POST", "PUT", "PATCH":
		return vigil.ActionWrite
	case "SEARCH", "QUERY", "REPORT":
		return vigil.ActionSearch
	}
	if slices.Contains(params, "q") || slices.Contains(params, "search") {
		return vigil.ActionSearch
	}
	return vigil.ActionRead
}

// generic names a resource by its path, with {id} for what looks like one.
func generic(segments []string) string {
	var b strings.Builder
	for i, seg := range segments {
		if i >= 12 || b.Len()+len(seg) > maxResource {
			b.WriteString("/**")
			break
		}
		b.WriteByte('/')
		if idLike(seg) {
			b.WriteString("{id}")
		} else {
			b.WriteString(seg)
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// idLike tells whether a path segment is somebody's or something's id: digits, a
// UUID, eight or more hexadecimal digits, an address of mail, or a long token.
func idLike(s string) bool {
	if len(s) > 48 || strings.ContainsRune(s, '@') {
		return true
	}
	digit, hex, other := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digit++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			hex++
		case c == '-' && len(s) == 36:
		default:
			other++
		}
	}
	switch {
	case other == 0 && hex == 0:
		return digit > 0
	case other == 0 && digit > 0:
		return len(s) >= 8
	}
	return len(s) >= 20 && digit >= 4 && !strings.ContainsAny(s, " .")
}

// printable tells whether s holds no control character and is UTF-8.
func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return false
		}
	}
	return true
}
