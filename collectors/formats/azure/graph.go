package azure

import (
	"net/url"
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// graph reads Microsoft Graph's activity: an application or a user calls the API.
func (a entry) graph() (*vigil.Event, error) {
	e, err := a.event()
	if err != nil {
		return nil, err
	}
	e.ID, e.Store = a.prop("requestId", "operationId"), "microsoft graph"
	e.IP = formats.Address(first(a.prop("ipAddress"), a.top("callerIpAddress")))
	if user := a.prop("userId"); user != "" {
		e.Actor.ID, e.Actor.Kind = user, vigil.KindHuman
	} else {
		e.Actor.ID, e.Actor.Kind = first(a.prop("servicePrincipalId"), a.prop("appId")), vigil.KindService
	}
	if err := nobody(e); err != nil {
		return nil, err
	}
	e.Actor.App, e.UserAgent, e.Session = a.prop("appId"), a.prop("userAgent"), a.prop("sessionId", "signInActivityId")
	method := strings.ToUpper(a.prop("requestMethod"))
	path, query := graphPath(a.r.String(a.p.Get("requestUri"), 4096))
	e.Resource, e.Shape = path.template, method+" "+path.template
	e.Action = graphAction(method, path, query)
	if path.user != "" && path.user != e.Actor.ID && path.user != "me" {
		e.Subjects, e.SubjectCount = []string{path.user}, 1
	}
	if top := query.Get("$top"); top != "" {
		e.Limit = formats.Count(top)
	}
	for f := range strings.SplitSeq(query.Get("$select"), ",") {
		if f = a.r.Clean(f, 64); f != "" && len(e.Fields) < 100 {
			e.Fields = append(e.Fields, f)
		}
	}
	e.Unbounded = e.Action == vigil.ActionSearch && query.Get("$filter") == "" && query.Get("$search") == "" && query.Get("$top") == ""
	e.Outcome = formats.OutcomeOfStatus(formats.Count(first(a.prop("responseStatusCode"), a.top("resultSignature"))))
	if e.Action.Discloses() {
		e.Bytes = formats.Count(a.prop("responseSizeBytes"))
	}
	return e, nil
}

type graphTarget struct {
	// template is the path without version and ids, user the id behind "users".
	template, user string
	// collection says that it ends in a name rather than in an id.
	collection bool
}

// graphPath takes the ids out of a path. Names that OData gives to functions stay, their
// arguments don't.
func graphPath(uri string) (t graphTarget, query url.Values) {
	query = url.Values{}
	if u, err := url.Parse(uri); err == nil {
		if q, err := url.ParseQuery(u.RawQuery); err == nil {
			query = q
		}
		uri = u.Path
	}
	var out []string
	last := ""
	for s := range strings.SplitSeq(strings.Trim(uri, "/"), "/") {
		if s == "" || len(out) == 0 && (s == "v1.0" || s == "beta") {
			continue
		}
		if len(out) == 12 {
			break
		}
		if s, _, _ = strings.Cut(s, "("); s == "" {
			continue
		}
		id := !isWord(s)
		if id && last == "users" {
			t.user = s
		}
		t.collection = !id
		if last = s; id {
			s = "{id}"
		}
		out = append(out, s)
	}
	t.template = strings.Join(out, "/")
	return t, query
}

// isWord says that a segment is a name of the API rather than an id: letters, with
// perhaps a $ or a dot, a small one first, no longer than names are.
func isWord(s string) bool {
	if len(s) > 40 || s[0] >= 'A' && s[0] <= 'Z' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '$' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}

func graphAction(method string, t graphTarget, query url.Values) vigil.Action {
	low := strings.ToLower(t.template)
	name := low[strings.LastIndexByte(low, '/')+1:]
	switch {
	case name == "search/query" || name == "query" && strings.HasPrefix(low, "search"):
		return vigil.ActionSearch
	case name == "content" || name == "$value" || strings.HasPrefix(name, "export"):
		if method == "GET" || method == "POST" {
			return vigil.ActionExport
		}
	case name == "createlink" || name == "invite" || low == "invitations" && method == "POST":
		return vigil.ActionShare
	case method != "GET" && (strings.Contains(low, "roleassignment") || strings.Contains(low, "oauth2permissiongrants") || name == "addpassword" || name == "addkey" || strings.HasSuffix(low, "members/$ref")):
		if method == "DELETE" {
			return vigil.ActionConfigure
		}
		return vigil.ActionGrant
	case method != "GET" && (strings.Contains(low, "polic") || strings.HasPrefix(low, "applications") || strings.HasPrefix(low, "serviceprincipals") || strings.Contains(low, "messagerules")):
		return vigil.ActionConfigure
	}
	switch method {
	case "GET", "HEAD":
		if query.Get("$search") != "" || query.Get("$filter") != "" || name == "delta" || t.collection && strings.HasSuffix(name, "s") {
			return vigil.ActionSearch
		}
		return vigil.ActionRead
	case "POST", "PUT", "PATCH":
		return vigil.ActionWrite
	case "DELETE":
		return vigil.ActionDelete
	}
	return vigil.ActionOther
}
