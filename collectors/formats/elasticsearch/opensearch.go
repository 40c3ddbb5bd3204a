package elasticsearch

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// security reads a record of the audit log of OpenSearch's security plugin.
func (d *reader) security(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {

	text := func(paths ...string) string {
		for _, p := range paths {
			if s := r.String(v.Get(p), 512); s != "" {
				return s
			}
		}
		return ""
	}
	category := text("audit_category")
	switch category {
	case "COMPLIANCE_EXTERNAL_CONFIG", "COMPLIANCE_INTERNAL_CONFIG_READ":
		return nil // what a node reads when it starts
	}
	at, bad := d.when(v, "@timestamp", "audit_utc_timestamp")
	if bad != nil {
		return bad
	}
	e := r.Event()
	e.Time, e.IP = at, formats.Address(text("audit_request_remote_address"))
	user := text("audit_request_initiating_user", "audit_request_effective_user")
	if user == "<NONE>" {
		user = ""
	}
	act(e, user)
	if e.Store == "" {
		e.Store = text("audit_cluster_name")
	}
	v.Get("audit_rest_request_headers").ForEach(func(k, h gjson.Result) bool {
		switch strings.ToLower(k.Str) {
		case "user-agent":
			e.UserAgent = r.String(h.Get("0"), 256)
		case "x-opaque-id":
			e.Actor.App = app(r.String(h.Get("0"), 128))
		}
		return true
	})
	if user == "" && (text("audit_request_origin") == "LOCAL" || text("audit_request_layer") == "TRANSPORT" && e.IP == "") {
		return nil // the cluster's own work
	}
	e.Outcome = vigil.OutcomeSuccess
	var indices []string
	for _, path := range []string{"audit_trace_resolved_indices", "audit_trace_indices"} {
		v.Get(path).ForEach(func(_, i gjson.Result) bool {
			indices = append(indices, i.Str)
			return len(indices) < 1000
		})
		if len(indices) > 0 {
			break
		}
	}
	if i := text("audit_trace_index"); i != "" && len(indices) == 0 {
		indices = []string{i}
	}
	c := rest(text("audit_rest_request_method"), text("audit_rest_request_path"))
	name := text("audit_request_privilege")
	doc := text("audit_trace_doc_id")
	request := first(text("audit_trace_task_parent_id"), text("audit_trace_task_id"))
	body := v.Get("audit_request_body").Str
	switch category {
	case "COMPLIANCE_DOC_READ":
		// Of each document that was read; the body holds the fields that were.
		e.Action, e.Shape, e.Rows = vigil.ActionRead, "document read", 1
		gjson.Parse(body).ForEach(func(k, _ gjson.Result) bool {
			if f := r.Clean(formats.GeneralName(k.Str), 64); f != "" {
				e.Fields = append(e.Fields, f)
			}
			return len(e.Fields) < maxFields
		})
		body, request = "", ""
	case "COMPLIANCE_DOC_WRITE":
		e.Action, e.Shape = vigil.ActionWrite, "document written"
		if text("audit_compliance_operation") == "DELETE" {
			e.Action, e.Shape = vigil.ActionDelete, "document deleted"
		}
		body, request = "", ""
	case "COMPLIANCE_INTERNAL_CONFIG_WRITE":
		e.Action, e.Resource, e.Shape = vigil.ActionGrant, "security", "security configuration written"
		indices = nil
	case "FAILED_LOGIN", "BAD_HEADERS", "SSL_EXCEPTION":
		e.Action, e.Shape, e.Outcome = vigil.ActionLogin, strings.ToLower(category), vigil.OutcomeDenied
		request = ""
	default:
		refused := category == "MISSING_PRIVILEGES" || strings.HasSuffix(category, "_INDEX_ATTEMPT")
		if refused {
			e.Outcome = vigil.OutcomeDenied
		}
		switch {
		case name != "":
			e.Action, e.Resource, _ = privilege(name)
			e.Shape = part.ReplaceAllString(name, "")
		case text("audit_rest_request_path") != "":
			e.Action, e.Resource, e.Shape = c.action, c.resource, c.shape
		default:
			e.Action, e.Shape = vigil.ActionOther, first(text("audit_transport_request_type"), category)
		}
		if e.Action == "" && refused {
			e.Action = vigil.ActionOther
		}
		if e.Action == "" {
			return nil
		}
		if refused {
			request = ""
		}
	}
	if d.again(r, request, e) {
		return nil
	}
	if len(indices) == 0 && c.index != "" {
		indices = strings.Split(c.index, ",")
	}
	table := d.resource(r, e, indices)
	if table.Ignore {
		return nil
	}
	if m := table.Columns["_id"]; m != "" && doc != "" {
		var found formats.Found
		found.Add(m, doc)
		found.Fill(e, true)
	}
	if body != "" && len(e.Subjects) == 0 {
		d.body(r, e, table, body, size(text("audit_rest_request_params.size")))
	}
	emit(e)
	return nil
}

// dashboards reads a record of the request log of OpenSearch Dashboards: who asked is not
// in it, but for the address.
func (d *reader) dashboards(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	if v.Get("type").Str != "response" {
		return nil
	}
	at, bad := d.when(v, "@timestamp")
	if bad != nil {
		return bad
	}
	text := func(p string) string { return r.String(v.Get(p), 512) }
	e := r.Event()
	e.Time, e.IP, e.UserAgent = at, formats.Address(text("req.remoteAddress")), text("req.userAgent")
	act(e, "")
	method := strings.ToUpper(text("method"))
	path, _, _ := strings.Cut(text("req.url"), "?")
	e.Bytes = formats.Count(v.Get("res.contentLength").String())
	e.Outcome = formats.OutcomeOfStatus(v.Get("res.statusCode").Int())
	switch {
	case strings.HasSuffix(path, "/auth/login") || path == "/auth/openid/login" || path == "/auth/saml/login":
		e.Action, e.Shape = vigil.ActionLogin, method+" /auth/login"
	case strings.HasSuffix(path, "/auth/logout"):
		e.Action, e.Shape = vigil.ActionLogout, method+" /auth/logout"
	case strings.Contains(path, "/api/console/proxy"):
		e.Action, e.Shape = vigil.ActionSearch, method+" /api/console/proxy"
	case strings.Contains(path, "/internal/search") || strings.HasSuffix(path, "/_msearch"):
		e.Action, e.Shape = vigil.ActionSearch, method+" /internal/search"
	case strings.Contains(path, "/api/reporting"):
		e.Action, e.Shape = vigil.ActionExport, method+" /api/reporting"
	case strings.Contains(path, "/api/saved_objects/_export"):
		e.Action, e.Shape = vigil.ActionExport, method+" /api/saved_objects/_export"
	case strings.Contains(path, "/api/v1/configuration/") && method != "GET":
		e.Action, e.Resource, e.Shape = vigil.ActionGrant, "users", method+" /api/v1/configuration"
	default:
		return nil // pages, scripts, and the status that is asked for all the time
	}
	emit(e)
	return nil
}

// kibana reads a record of Kibana's audit log.
func (d *reader) kibana(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	at, bad := d.when(v, "@timestamp")
	if bad != nil {
		return bad
	}
	text := func(p string) string { return r.String(v.Get(p), 512) }
	name := text("event.action")
	e := r.Event()
	e.Time, e.IP = at, formats.Address(first(text("client.ip"), text("source.ip")))
	act(e, text("user.name"))
	e.Actor.Role, e.Session = text("user.roles.0"), text("kibana.session_id")
	switch {
	case name == "user_login":
		e.Action = vigil.ActionLogin
	case name == "user_logout":
		e.Action = vigil.ActionLogout
	case name == "http_request":
		return nil // what the request did is told by the records that follow
	case strings.HasSuffix(name, "_get") || strings.HasSuffix(name, "_resolve") || strings.HasSuffix(name, "_find") || strings.HasSuffix(name, "_open_point_in_time"):
		if e.Action = vigil.ActionRead; strings.HasSuffix(name, "_find") {
			e.Action = vigil.ActionSearch
		}
	default:
		e.Action = formats.Verb(name)
		switch text("event.type.0") {
		case "access":
			e.Action = vigil.ActionRead
		case "creation", "change":
			e.Action = vigil.ActionWrite
		case "deletion":
			e.Action = vigil.ActionDelete
		}
	}
	e.Resource, e.Shape = text("kibana.saved_object.type"), name
	switch text("event.outcome") {
	case "success", "unknown":
		e.Outcome = vigil.OutcomeSuccess
	case "failure":
		e.Outcome = vigil.OutcomeDenied
	}
	emit(e)
	return nil
}
