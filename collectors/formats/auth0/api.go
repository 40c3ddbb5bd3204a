package auth0

import (
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// grantPaths are ends of paths by which somebody gets rights or credentials.
var grantPaths = []string{"/roles", "/permissions", "/members", "/client-grants", "/clients", "/credentials", "/rotate-secret", "/password-change", "/invitations", "/assign", "/users"}

// api reads a call of the Management API.
func api(r *record.Record, e *vigil.Event, request gjson.Result) {
	method := strings.ToUpper(r.String(request.Get("method"), 16))
	path := r.String(request.Get("path"), 1024)
	path, query, _ := strings.Cut(path, "?")
	if p, err := url.PathUnescape(path); err == nil {
		path = r.Clean(p, 1024)
	}
	parts := strings.Split(strings.Trim(strings.TrimPrefix(strings.Trim(path, "/"), "api/v2"), "/"), "/")
	if len(parts) > 1 && parts[0] == "users" && parts[1] != "" {
		e.Subjects, e.SubjectCount = []string{parts[1]}, 1
	}
	for i := range parts {
		// A name is followed by an id, but for the few that are followed by a name.
		if i%2 == 1 && !names[parts[i]] {
			parts[i] = "{id}"
		}
	}
	template := "/" + strings.Join(parts[:min(len(parts), 8)], "/")
	e.Resource, e.Shape = parts[0], method+" "+template
	if parts[0] == "" {
		e.Resource = "management api"
	}
	e.Action = apiAction(method, template, parts[0])
	if q, err := url.ParseQuery(query); err == nil {
		e.Limit = formats.Count(first(q.Get("per_page"), q.Get("take"), r.String(request.Get("query.per_page"), 16), r.String(request.Get("query.take"), 16)))
	}
}

// names are words in places where ids stand otherwise.
var names = map[string]bool{
	"users-exports": true, "users-imports": true, "factors": true, "policies": true, "settings": true, "brute-force-protection": true, "suspicious-ip-throttling": true,
	"breached-password-detection": true, "actions": true, "triggers": true, "bindings": true, "password-change": true, "email-verification": true, "installed": true,
	"provider": true, "signing": true, "enrollments": true, "risk-assessments": true, "verification-email": true, "blacklists": true, "domain": true, "daily": true,
	"active-users": true, "universal-login": true, "catalog": true,
}

func apiAction(method, template, kind string) vigil.Action {
	switch method {
	case "GET", "HEAD":
		if strings.Contains(template, "{id}") {
			return vigil.ActionRead
		}
		return vigil.ActionSearch
	case "DELETE":
		if kind == "users" && strings.Count(template, "/") <= 2 {
			return vigil.ActionDelete
		}
		if kind == "log-streams" || strings.HasSuffix(template, "/roles") || strings.HasSuffix(template, "/permissions") || strings.HasSuffix(template, "/members") {
			return vigil.ActionConfigure
		}
		return vigil.ActionDelete
	}
	switch {
	case strings.Contains(template, "users-exports"):
		return vigil.ActionExport
	case strings.Contains(template, "users-imports"):
		return vigil.ActionWrite
	case kind == "users" && strings.Count(template, "/") <= 2:
		return vigil.ActionWrite
	case method == "POST":
		for _, p := range grantPaths {
			if strings.HasSuffix(template, p) {
				return vigil.ActionGrant
			}
		}
	}
	return vigil.ActionConfigure
}

func first(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}
