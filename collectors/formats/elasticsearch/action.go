package elasticsearch

import (
	"regexp"
	"strings"

	"vigil"
)

// privileges says what an action of the cluster is, by the start of its name; the first
// that fits counts. An empty action is no access: metrics, and the cluster's own work.
var privileges = []struct {
	prefix   string
	action   vigil.Action
	resource string // where no index is named
}{
	{"internal:", "", ""}, {"indices:monitor/", "", ""}, {"cluster:monitor/", "", ""}, {"indices:internal/", "", ""},
	{"indices:data/read/get", vigil.ActionRead, ""}, {"indices:data/read/mget", vigil.ActionRead, ""}, {"indices:data/read/tv", vigil.ActionRead, ""},
	{"indices:data/read/mtv", vigil.ActionRead, ""}, {"indices:data/read/explain", vigil.ActionRead, ""},
	{"indices:data/read/field_caps", vigil.ActionOther, ""}, {"indices:data/read/xpack/application", vigil.ActionSearch, ""}, {"indices:data/read/", vigil.ActionSearch, ""},
	{"indices:data/write/delete", vigil.ActionDelete, ""}, {"indices:data/write/", vigil.ActionWrite, ""},
	{"indices:admin/delete", vigil.ActionDelete, ""}, {"indices:admin/data_stream/delete", vigil.ActionDelete, ""},
	{"indices:admin/get", vigil.ActionOther, ""}, {"indices:admin/mappings", vigil.ActionOther, ""}, {"indices:admin/mapping/get", vigil.ActionOther, ""},
	{"indices:admin/aliases/get", vigil.ActionOther, ""}, {"indices:admin/template/get", vigil.ActionOther, ""}, {"indices:admin/index_template/get", vigil.ActionOther, ""},
	{"indices:admin/resolve", vigil.ActionOther, ""}, {"indices:admin/validate", vigil.ActionOther, ""}, {"indices:admin/analyze", vigil.ActionOther, ""},
	{"indices:admin/refresh", "", ""}, {"indices:admin/flush", "", ""}, {"indices:admin/seq_no", "", ""}, {"indices:admin/", vigil.ActionConfigure, ""},
	{"cluster:admin/xpack/security/realm/cache", "", ""}, {"cluster:admin/xpack/security/user/authenticate", vigil.ActionLogin, ""},
	{"cluster:admin/xpack/security/user/has_privileges", "", ""}, {"cluster:admin/xpack/security/user/list_privileges", "", ""},
	{"cluster:admin/xpack/security/user/get", vigil.ActionRead, "users"}, {"cluster:admin/xpack/security/user/change_password", vigil.ActionConfigure, "users"},
	{"cluster:admin/xpack/security/user/delete", vigil.ActionConfigure, "users"}, {"cluster:admin/xpack/security/user/", vigil.ActionGrant, "users"},
	{"cluster:admin/xpack/security/role/get", vigil.ActionRead, "roles"}, {"cluster:admin/xpack/security/role/delete", vigil.ActionConfigure, "roles"},
	{"cluster:admin/xpack/security/role/", vigil.ActionGrant, "roles"}, {"cluster:admin/xpack/security/role_mapping/get", vigil.ActionRead, "roles"},
	{"cluster:admin/xpack/security/role_mapping/", vigil.ActionGrant, "roles"}, {"cluster:admin/xpack/security/api_key/get", vigil.ActionRead, "api keys"},
	{"cluster:admin/xpack/security/api_key/query", vigil.ActionRead, "api keys"}, {"cluster:admin/xpack/security/api_key/invalidate", vigil.ActionConfigure, "api keys"},
	{"cluster:admin/xpack/security/api_key/", vigil.ActionGrant, "api keys"}, {"cluster:admin/xpack/security/service_account/token/create", vigil.ActionGrant, "service accounts"},
	{"cluster:admin/xpack/security/token/", vigil.ActionGrant, "tokens"}, {"cluster:admin/xpack/security/", vigil.ActionConfigure, "security"},
	{"cluster:admin/opendistro_security", vigil.ActionConfigure, "security"}, {"cluster:admin/opensearch_security", vigil.ActionConfigure, "security"},
	{"cluster:admin/snapshot/create", vigil.ActionExport, "snapshots"}, {"cluster:admin/snapshot/get", vigil.ActionRead, "snapshots"}, {"cluster:admin/snapshot/status", "", ""},
	{"cluster:admin/snapshot/", vigil.ActionConfigure, "snapshots"}, {"cluster:admin/repository/get", vigil.ActionRead, "repositories"},
	{"cluster:admin/repository/", vigil.ActionConfigure, "repositories"}, {"cluster:admin/reindex/", vigil.ActionConfigure, "cluster"},
	{"cluster:admin/", vigil.ActionConfigure, "cluster"},
}

// part is what actions within a request end with: [s], [shard], [phase/query].
var part = regexp.MustCompile(`\[[a-z/_0-9]+\]+$`)

// privilege reads the name of an action.
func privilege(name string) (action vigil.Action, resource string, isPart bool) {
	whole := part.ReplaceAllString(name, "")
	for _, p := range privileges {
		if strings.HasPrefix(whole, p.prefix) {
			return p.action, p.resource, whole != name
		}
	}
	return vigil.ActionOther, "", whole != name
}

// apis says what a path's part that begins with "_" stands for.
var apis = map[string]vigil.Action{
	"_search": vigil.ActionSearch, "_msearch": vigil.ActionSearch, "_async_search": vigil.ActionSearch, "_sql": vigil.ActionSearch, "_eql": vigil.ActionSearch,
	"_query": vigil.ActionSearch, "_esql": vigil.ActionSearch, "_graph": vigil.ActionSearch, "_knn_search": vigil.ActionSearch, "_scroll": vigil.ActionSearch,
	"_count": vigil.ActionSearch, "_ppl": vigil.ActionSearch, "_terms_enum": vigil.ActionSearch, "_application": vigil.ActionSearch, "_mvt": vigil.ActionSearch,
	"_source": vigil.ActionRead, "_mget": vigil.ActionRead, "_termvectors": vigil.ActionRead, "_mtermvectors": vigil.ActionRead, "_explain": vigil.ActionRead,
	"_bulk": vigil.ActionWrite, "_update": vigil.ActionWrite, "_create": vigil.ActionWrite, "_update_by_query": vigil.ActionWrite, "_reindex": vigil.ActionWrite,
	"_delete_by_query": vigil.ActionDelete, "_snapshot": vigil.ActionExport,
}

// call is a request by its method and path.
type call struct {
	action           vigil.Action
	index, id, shape string
	resource         string
}

// rest reads a request. The action is empty where it is no access.
func rest(method, path string) (c call) {
	path, _, _ = strings.Cut(path, "?")
	segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	method = strings.ToUpper(method)
	if method == "" {
		method = "GET"
	}
	looks := method == "GET" || method == "HEAD" || method == "POST"
	if len(segments) == 0 {
		return call{action: vigil.ActionLogin, shape: method + " /"}
	}
	if segments[0][0] != '_' {
		c.index = segments[0]
		segments = segments[1:]
	}
	shape := []string{method}
	if c.index != "" {
		shape = append(shape, "{index}")
	}
	for i, s := range segments {
		if s[0] != '_' {
			if i < 3 && c.index == "" && !strings.HasPrefix(path, "/_application") {
				shape = append(shape, s)
			}
			continue
		}
		if len(shape) < 8 {
			shape = append(shape, s)
		}
		if c.action == "" {
			c.action = apis[s]
		}
		switch s {
		case "_doc", "_create", "_update", "_source":
			if i+1 < len(segments) {
				c.id = segments[i+1]
			}
		case "_authenticate":
			c.action = vigil.ActionLogin
		}
		if s == "_doc" {
			switch method {
			case "DELETE":
				c.action = vigil.ActionDelete
			case "GET", "HEAD":
				c.action = vigil.ActionRead
			default:
				c.action = vigil.ActionWrite
			}
		}
	}
	c.shape = strings.Join(shape, " ")
	first := ""
	if len(segments) > 0 {
		first = segments[0]
	}
	switch {
	case c.action == vigil.ActionExport && (method == "GET" || method == "HEAD"):
		c.action, c.resource = vigil.ActionRead, "snapshots"
	case c.action == vigil.ActionExport && method == "DELETE":
		c.action, c.resource = vigil.ActionDelete, "snapshots"
	case c.action == vigil.ActionExport:
		c.resource = "snapshots"
	case first == "_application" && method != "GET" && method != "POST":
		c.action, c.resource = vigil.ActionConfigure, "search applications"
	case c.action == vigil.ActionSearch && !looks && method != "DELETE":
		c.action = vigil.ActionConfigure
	case c.action != "":
	case strings.Contains(path, "/security/") || strings.HasPrefix(path, "/_security") || strings.HasPrefix(path, "/_plugins/_security") || strings.HasPrefix(path, "/_opendistro/_security"):
		c.resource = "users"
		switch {
		case strings.HasSuffix(path, "/authinfo") || strings.HasSuffix(path, "/_authenticate"):
			c.action, c.resource = vigil.ActionLogin, ""
		case strings.HasSuffix(path, "_password"), method == "DELETE":
			c.action = vigil.ActionConfigure
		case method == "GET" || method == "HEAD":
			c.action = vigil.ActionRead
		default:
			c.action = vigil.ActionGrant
		}
	case c.index != "" && first == "" && method == "DELETE":
		c.action = vigil.ActionDelete
	case c.index != "" && len(segments) == 1 && first[0] != '_': // 6.x and before: /index/type/id
		c.action = vigil.ActionOther
	case first == "_cat" || first == "_nodes" || first == "_stats" || first == "_cluster" && (method == "GET" || method == "HEAD") || first == "_tasks" || first == "_stats_":
		c.action = ""
	case method == "GET" || method == "HEAD":
		c.action = vigil.ActionOther
	default:
		c.action = vigil.ActionConfigure
	}
	return c
}
