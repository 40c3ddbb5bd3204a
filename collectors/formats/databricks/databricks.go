// Package databricks reads what Databricks tells of accesses: its audit log as delivered
// to a bucket, as rows of system.access.audit, and as Azure's diagnostic log; and rows of
// system.query.history, which tell how much came back.
//
// Source: Databricks documentation, "Audit log reference", "Query history system table
// reference".
package databricks

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/statement"
)

// Name is what the configuration calls the format.
const Name = "databricks"

// shapesKept bounds the statement shapes that are remembered.
const shapesKept = 8192

// New returns the format.
func New() formats.Format {
	parser := sync.OnceValue(func() *statement.Parser { return statement.NewParser(shapesKept) })
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Databricks", Group: formats.GroupDatabases,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.Partly, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Statements are in the audit log only with verbose audit logs; how much they gave is in system.query.history.",
		},
		JSON: isJSON,
		CSV: func(columns []string) float64 {
			return sure(func(name string) bool { return slices.Contains(columns, name) })
		},
		New: func(opts formats.Options) (record.Reader, error) {
			p := parser()
			p.Warm()
			return &reader{opts: opts, statements: p.Reader(opts.Mapping)}, nil
		},
	})
}

func sure(has func(string) bool) float64 {
	switch {
	case has("serviceName") && has("actionName") && (has("userIdentity") || has("requestParams") || has("auditLevel")):
		return 0.97
	case has("service_name") && has("action_name") && (has("user_identity") || has("request_params") || has("audit_level")):
		return 0.97
	case has("statement_id") && has("executed_by") && has("statement_text"):
		return 0.95
	}
	return 0
}

func isJSON(v gjson.Result) float64 {
	if strings.HasPrefix(v.Get("operationName").Str, "Microsoft.Databricks/") && v.Get("properties").Exists() {
		return 0.98
	}
	return sure(func(name string) bool { return v.Get(name).Exists() })
}

type reader struct {
	opts       formats.Options
	statements *statement.Reader
}

// object is a value that may be JSON within a string.
func object(v gjson.Result) gjson.Result {
	if v.Type == gjson.String && len(v.Str) < 1<<20 && strings.HasPrefix(v.Str, "{") && strings.Count(v.Str, "{")+strings.Count(v.Str, "[") < 10_000 && gjson.Valid(v.Str) {
		return gjson.Parse(v.Str)
	}
	return v
}

// Read gives out what a record says.
func (d *reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	v := r.JSON
	if v.Get("statement_id").Exists() {
		return d.query(r, v, emit)
	}
	times := []gjson.Result{v.Get("timestamp"), v.Get("event_time"), v.Get("time")}
	identity := v.Get("userIdentity")
	if p := object(v.Get("properties")); p.IsObject() {
		identity, v = v.Get("identity"), p
	}
	if !identity.Exists() {
		identity = v.Get("user_identity")
	}
	identity = object(identity)
	text := func(paths ...string) string {
		for _, p := range paths {
			if s := r.String(v.Get(p), 512); s != "" {
				return s
			}
		}
		return ""
	}
	params := v.Get("requestParams")
	if !params.Exists() {
		params = v.Get("request_params")
	}
	params = object(params)
	param := func(names ...string) string {
		for _, n := range names {
			if s := r.String(params.Get(n), 512); s != "" {
				return s
			}
		}
		return ""
	}
	service, name := text("serviceName", "service_name"), text("actionName", "action_name")
	k := kindOf(service, name)
	if k.action == "" {
		return nil
	}
	at, ok := when(times...)
	if !ok {
		return formats.ErrTime("timestamp")
	}
	e := r.Event()
	e.Time, e.ID = at, text("event_id", "logId")
	e.IP = formats.Address(text("sourceIPAddress", "source_ip_address"))
	e.UserAgent, e.Session = text("userAgent", "user_agent"), text("sessionId", "session_id")
	user := r.String(identity.Get("email"), 256)
	for _, s := range []string{r.String(identity.Get("subjectName"), 256), r.String(identity.Get("subject_name"), 256), param("user", "userName", "user_name")} {
		if user == "" {
			user = s
		}
	}
	act(e, user)
	if param("authentication_method", "authenticationMethod") == "GENIE_AUTH" {
		e.Actor.Kind = vigil.KindVendor // the provider's own people
	}
	if e.Store == "" {
		// Workspace 0 is the account itself.
		if e.Store = text("workspaceId", "workspace_id"); e.Store == "0" {
			e.Store = text("accountId", "account_id")
		}
	}
	e.Action, e.Shape = k.action, strings.TrimSpace(service+" "+name)
	response := object(v.Get("response"))
	status := formats.Count(response.Get("statusCode").String())
	if status == vigil.Unknown {
		status = formats.Count(response.Get("status_code").String())
	}
	if status != vigil.Unknown {
		e.Outcome = formats.OutcomeOfStatus(status)
	}
	if strings.Contains(name, "Denied") || strings.HasSuffix(name, "ValidationFailed") {
		e.Outcome = vigil.OutcomeDenied
	}
	sql := params.Get("commandText").Str
	if sql == "" {
		sql = params.Get("statement").Str
	}
	if k.reads && sql != "" {
		if !d.statement(e, sql) {
			return nil
		}
	} else if e.Resource = param("full_name_arg", "table_full_name", "full_name", "securable_full_name", "index_name", "name_arg", "volume_full_name",
		"table_name", "share", "share_name"); e.Resource != "" {
		e.Resource = bare(e.Resource)
	} else if e.Resource = k.resource; e.Resource == "" {
		e.Resource = service
	}
	if m := d.opts.Mapping; m != nil && e.ResourceClass == "" {
		t := m.Tables[strings.ToLower(e.Resource)]
		if t.Ignore {
			return nil
		}
		e.ResourceClass = t.Class
	}
	if n := formats.Count(param("num_results", "max_results", "limit")); n != vigil.Unknown {
		e.Limit = n
	}
	emit(e)
	return nil
}

func when(times ...gjson.Result) (time.Time, bool) {
	for _, v := range times {
		if t, ok := formats.Time(v.String(), nil); ok {
			return t, true
		}
	}
	return time.Time{}, false
}

func act(e *vigil.Event, user string) {
	e.Actor.ID = user
	switch user {
	case "", "unknown":
		e.Actor.Kind = vigil.KindAnonymous
		if e.Actor.ID = e.IP; e.IP == "" {
			e.Actor.ID = "anonymous"
		}
	case "System-User", "__SYSTEM":
		e.Actor.Kind = vigil.KindService
	}
}

// bare is a name without the catalog and schema before it.
func bare(name string) string {
	return strings.Trim(name[strings.LastIndexByte(name, '.')+1:], "`\"")
}

// statement adds what a statement's text says, and reports whether it is an access.
func (d *reader) statement(e *vigil.Event, text string) bool {
	results := d.statements.Read(strings.ReplaceAll(text, "`", `"`), nil)
	if len(results) == 0 {
		return true // no SQL
	}
	res := &results[0]
	for i := range results {
		if len(results[i].Tables) > 0 {
			res = &results[i]
			break
		}
	}
	if res.Ignored || res.Action == "" && len(res.Tables) == 0 && res.Command != "" && !res.Lexical {
		return false
	}
	if res.Action != "" {
		e.Action = res.Action
	}
	e.Resource, e.ResourceClass, e.Shape = res.Resource, res.Class, res.Shape
	e.Subjects, e.SubjectCount, e.Limit = res.Subjects, res.SubjectCount, res.Limit
	e.Fields, e.Unbounded = res.Fields, res.Unbounded
	if len(res.Conversations) == 1 {
		e.Conversation = res.Conversations[0]
	}
	if len(res.Tenants) == 1 {
		e.ResourceTenant = res.Tenants[0]
	}
	if len(res.Tickets) > 0 {
		e.Ticket = res.Tickets[0]
	}
	if res.Destination != "" {
		e.Destination = &vigil.Destination{Kind: res.Destination}
	}
	return true
}

// query reads a row of system.query.history.
func (d *reader) query(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	at, ok := when(v.Get("start_time"), v.Get("end_time"))
	if !ok {
		return formats.ErrTime("start_time")
	}
	text := func(p string) string { return r.String(v.Get(p), 512) }
	e := r.Event()
	e.Time, e.ID, e.Session = at, text("statement_id"), text("session_id")
	act(e, text("executed_by"))
	e.Actor.App, e.UserAgent = text("client_application"), text("client_driver")
	if e.Store == "" {
		e.Store = text("workspace_id")
	}
	e.Action = vigil.ActionOther
	switch strings.ToUpper(text("statement_type")) {
	case "SELECT":
		e.Action = vigil.ActionRead
	case "INSERT", "UPDATE", "MERGE", "COPY":
		e.Action = vigil.ActionWrite
	case "DELETE", "TRUNCATE", "DROP":
		e.Action = vigil.ActionDelete
	case "GRANT":
		e.Action = vigil.ActionGrant
	case "SHOW", "DESCRIBE", "USE", "SET", "EXPLAIN", "REFRESH", "ANALYZE", "OPTIMIZE":
		return nil
	}
	if !d.statement(e, v.Get("statement_text").Str) {
		return nil
	}
	e.Rows = formats.Count(text("produced_rows"))
	switch text("execution_status") {
	case "FINISHED":
		e.Outcome = vigil.OutcomeSuccess
	case "FAILED", "CANCELED":
		e.Outcome = vigil.OutcomeError
		if strings.Contains(v.Get("error_message").Str, "PERMISSION") || strings.Contains(v.Get("error_message").Str, "INSUFFICIENT_PRIVILEGES") {
			e.Outcome = vigil.OutcomeDenied
		}
	}
	emit(e)
	return nil
}
