package web

import (
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
	maxParams   = 48
	maxParam    = 64
	maxID       = 256
)

// limitNames are parameters that ask for a page of some size, whatever the
// mapping says of others.
var limitNames = map[string]bool{
	"limit": true, "per_page": true, "page_size": true, "pagesize": true, "perpage": true, "max_results": true, "top_k": true,
}

// Request fills in what the method, the path and the query of f tell: action, resource,
// shape, and the ids that the mapping names.
func (p *Interpreter) Request(e *vigil.Event, f *Fields) { p.request(e, f) }

func (p *Interpreter) request(e *vigil.Event, f *Fields) {
	method, target := methodAndTarget(f)
	if method == "" {
		// A malformed request: an access that failed, of nothing in particular.
		e.Action, e.Shape = vigil.ActionOther, "malformed request"
		if e.Outcome == vigil.OutcomeUnspecified {
			e.Outcome = vigil.OutcomeError
		}
		return
	}
	path, query, _ := strings.Cut(target, "?")
	if args := f.value[FieldArgs]; args != "" && args != "-" {
		query = strings.TrimPrefix(args, "?")
	}
	path, _, _ = strings.Cut(path, "#")
	segments := split(p.segments[:0], Unescape(path))
	p.segments = segments
	for i, seg := range segments {
		if strings.IndexByte(seg, '%') < 0 {
			continue
		}
		if plain, err := url.PathUnescape(seg); err == nil && Printable(plain) {
			segments[i] = plain
		}
	}
	params := p.params(e, Unescape(query))
	b := append(append(p.text[:0], method...), ' ')
	var override vigil.Action
	if t := p.template(segments); t != nil {
		// What ** stands for may be nothing.
		for i, m := range t.meanings[:min(len(t.meanings), len(segments))] {
			p.take(e, m, segments[i])
		}
		e.Resource, e.ResourceClass, override = t.resource, t.class, t.action
		b = append(b, t.shape...)
	} else {
		b = learn(b, segments)
		e.Resource = p.in.String(b[len(method)+1:])
	}
	if e.Action = override; override == "" {
		e.Action = action(method, segments, params)
	}
	for i, name := range params {
		if i == 0 {
			b = append(b, '?')
		} else {
			b = append(b, '&')
		}
		b = append(b, name...)
	}
	e.Shape = p.in.String(b)
	p.text = b
	if n := int64(len(e.Subjects)); n > 0 {
		e.SubjectCount = n
	}
}

// methodAndTarget returns the request's method, empty when it is malformed, and
// its target.
func methodAndTarget(f *Fields) (method, target string) {
	method = f.value[FieldMethod]
	if request := f.value[FieldRequest]; request != "" && request != "-" {
		m, rest, ok := strings.Cut(request, " ")
		if ok {
			method = m
			target = rest
			if i := strings.LastIndex(rest, " HTTP/"); i >= 0 {
				target = rest[:i]
			}
		}
	}
	for _, k := range [...]Field{FieldURI, FieldPath} {
		if v := f.value[k]; v != "" && v != "-" && (target == "" || target[0] != '/') {
			target = v
		}
	}
	if i := strings.Index(target, "://"); i > 0 && i < 8 {
		// The absolute form, with scheme and host.
		target = target[i+3:]
		slash := strings.IndexByte(target, '/')
		if slash < 0 {
			return known(method), "/"
		}
		target = target[slash:]
	}
	if target == "" || target[0] != '/' && target != "*" {
		return "", ""
	}
	return known(method), target
}

// known returns the method if it is one of HTTP's.
func known(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "PROPFIND", "REPORT", "SEARCH":
		return method
	}
	return ""
}

func (p *Interpreter) template(segments []string) *template {
	for i := range p.templates {
		if p.templates[i].match(segments) {
			return &p.templates[i]
		}
	}
	return nil
}

// params returns the sorted names of the query's parameters, and takes the ids
// that the mapping names. No other value is kept.
func (p *Interpreter) params(e *vigil.Event, query string) []string {
	names := p.names[:0]
	for n := 0; query != "" && n < maxParams; n++ {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		name, ok := plain(key)
		if !ok || !Printable(name) {
			continue
		}
		name = strings.TrimSuffix(name, "[]")
		if name == "" || len(name) > maxParam || LooksLikeID(name) {
			continue
		}
		meaning := formats.Meaning("")
		if p.opts.Mapping != nil {
			meaning = p.opts.Mapping.Params[name]
		}
		if meaning == "" && limitNames[strings.ToLower(name)] {
			meaning = formats.MeansLimit
		}
		if meaning != "" {
			if value, ok = plain(value); ok {
				for v := range strings.SplitSeq(value, ",") {
					p.take(e, meaning, v)
				}
			}
		}
		names = append(names, name)
	}
	p.names = names
	slices.Sort(names)
	return slices.Compact(names)
}

// plain undoes the escaping of a name or value of a query.
func plain(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, true
	}
	s, err := url.QueryUnescape(s)
	return s, err == nil
}

// take stores an id under its meaning.
func (p *Interpreter) take(e *vigil.Event, m formats.Meaning, v string) {
	if m == "" {
		return
	}
	if v = strings.TrimSpace(v); v == "" || len(v) > maxID || !Printable(v) {
		return
	}
	switch m {
	case formats.MeansSubject:
		if len(e.Subjects) < vigil.MaxSubjects && !slices.Contains(e.Subjects[:min(len(e.Subjects), 64)], v) {
			e.Subjects = append(e.Subjects, strings.Clone(v))
		}
	case formats.MeansConversation:
		e.Conversation = p.keep(v)
	case formats.MeansTenant:
		e.ResourceTenant = p.keep(v)
	case formats.MeansTicket:
		e.Ticket = p.keep(v)
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
	search := false
	for _, seg := range path {
		switch lower := strings.ToLower(seg); lower {
		case "search", "filter", "_search":
			search = true
		default:
			// export.csv too.
			name, _, _ := strings.Cut(lower, ".")
			switch name {
			case "export", "exports", "download", "downloads", "dump":
				return vigil.ActionExport
			}
		}
	}
	if search {
		return vigil.ActionSearch
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
