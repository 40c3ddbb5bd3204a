// Package cockroachdb reads the structured events of CockroachDB, 20.2 to 25: what SQL was
// run (channels SQL_EXEC and SENSITIVE_ACCESS), who logged in (SESSIONS), what was granted
// and changed (PRIVILEGES, USER_ADMIN, SQL_SCHEMA, OPS); in the formats json, json-compact,
// their Fluent variants, crdb-v1 and crdb-v2, or as bare events.
//
// A statement may be told of by several events, one for each table that is audited or for
// being slow. The first of them counts; what the others add is dropped. They are known by
// the session's transaction counter, among the latest keptStatements.
package cockroachdb

import (
	"bytes"
	"regexp"
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
const Name = "cockroachdb"

// The bounds of what is remembered.
const (
	shapesKept     = 4096
	keptStatements = 1024
)

// entry is how a line of crdb-v1 and crdb-v2 begins: severity, date, time, goroutine,
// perhaps the channel, the place in the source.
var entry = regexp.MustCompile(`^[IWEF]\d{6} \d\d:\d\d:\d\d\.\d{6} \d+ (?:\d+@)?[\w./()\[\]-]+:\d+ `)

// New returns the format. Its readers share what is known of statements.
func New() formats.Format {
	parser := sync.OnceValue(func() *statement.Parser { return statement.NewParser(shapesKept) })
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "CockroachDB's SQL audit and event logs", Group: formats.GroupDatabases,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Yes, Bytes: formats.No, Outcome: formats.Yes, Address: formats.Partly,
			Note: "Statements are logged for audited tables and roles, or all with sql.trace.log_statement_execute.",
		},
		JSON: sureOfJSON,
		Text: sureOfLine,
		New: func(opts formats.Options) (record.Reader, error) {
			p := parser()
			p.Warm()
			return &reader{statements: p.Reader(opts.Mapping), seen: make(map[string]struct{})}, nil
		},
	})
}

func sureOfJSON(v gjson.Result) float64 {
	if v.Get("EventType").Type == gjson.String && v.Get("Timestamp").Type == gjson.Number {
		return 0.97
	}
	if v.Get("event.EventType").Type == gjson.String && v.Get("event.Timestamp").Type == gjson.Number {
		return 0.98
	}
	// An entry without an event.
	if (v.Get("entry_counter").Exists() && v.Get("goroutine").Exists() || v.Get("sev").Exists() && v.Get("g").Exists() && v.Get("C").Exists()) && v.Get("message").Exists() {
		return 0.9
	}
	return 0
}

func sureOfLine(line []byte) float64 {
	if entry.Match(line) {
		return 0.9
	}
	return 0
}

type reader struct {
	statements *statement.Reader
	// seen are the latest statements, in ring.
	seen map[string]struct{}
	ring []string
	at   int
}

// Read reads an entry.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	v, tags := rec.JSON, ""
	if !v.Exists() {
		text := rec.Text
		at := bytes.IndexByte(text, '{')
		if m := bytes.Index(text, []byte(`{"Timestamp"`)); m >= 0 {
			at = m
		}
		if at < 0 || !bytes.HasSuffix(bytes.TrimRight(text[:at], " "), []byte("=")) && !bytes.HasSuffix(bytes.TrimRight(text[:at], " "), []byte(":")) {
			return nil // an entry without an event
		}
		if !record.Shallow(text[at:]) || !gjson.ValidBytes(text[at:]) {
			if !bytes.Contains(text[at:], []byte(`"EventType"`)) {
				return nil
			}
			return formats.Errorf("json", "the event's JSON can't be read: it was cut")
		}
		v, tags = gjson.ParseBytes(text[at:]), string(text[:at])
	}
	if e := v.Get("event"); e.IsObject() {
		tags = tagText(v.Get("tags"))
		v = e
	}
	if !v.Get("EventType").Exists() {
		return nil
	}
	return r.event(rec, v, tags, emit)
}

// tagText writes the tags of a JSON entry as the text formats have them.
func tagText(v gjson.Result) string {
	var b strings.Builder
	v.ForEach(func(k, x gjson.Result) bool {
		b.WriteString("," + k.Str + "=" + x.String())
		return true
	})
	return b.String() + ","
}

// tag is the value of a tag, such as user or client.
func tag(tags, name string) string {
	for _, before := range []string{",", "["} {
		if i := strings.Index(tags, before+name+"="); i >= 0 {
			rest := tags[i+len(before)+len(name)+1:]
			if strings.HasPrefix(rest, "‹") {
				rest, _, _ = strings.Cut(rest, "›")
				return bare(rest)
			}
			return rest[:strings.IndexAny(rest+",", ",] ")]
		}
	}
	return ""
}

// bare is a value without the marks of what is sensitive.
func bare(s string) string {
	if !strings.Contains(s, "‹") {
		return s
	}
	return strings.NewReplacer("‹", "", "›", "").Replace(s)
}

// actions of events by their type; what runs statements is not among them. The empty
// action is no access.
var actions = map[string]vigil.Action{
	"client_authentication_ok": vigil.ActionLogin, "client_authentication_failed": vigil.ActionLogin, "client_session_end": vigil.ActionLogout,
	"client_authentication_info": "", "client_session_start": "", "client_connection_start": "", "client_connection_end": "",
	"grant_role": vigil.ActionGrant, "revoke_role": vigil.ActionGrant, "create_role": vigil.ActionGrant, "drop_role": vigil.ActionGrant, "alter_role": vigil.ActionGrant,
	"change_database_privilege": vigil.ActionGrant, "change_schema_privilege": vigil.ActionGrant, "change_table_privilege": vigil.ActionGrant,
	"change_type_privilege": vigil.ActionGrant, "change_function_privilege": vigil.ActionGrant, "alter_default_privileges": vigil.ActionGrant,
	"alter_database_owner": vigil.ActionGrant, "alter_schema_owner": vigil.ActionGrant, "alter_table_owner": vigil.ActionGrant, "alter_type_owner": vigil.ActionGrant, "alter_function_owner": vigil.ActionGrant,
	"password_hash_converted": "", "truncate_table": vigil.ActionDelete,
	"set_cluster_setting": vigil.ActionConfigure, "set_tenant_cluster_setting": vigil.ActionConfigure, "set_zone_config": vigil.ActionConfigure, "remove_zone_config": vigil.ActionConfigure,
	"unsafe_delete_descriptor": vigil.ActionDelete, "unsafe_delete_namespace_entry": vigil.ActionDelete, "unsafe_upsert_descriptor": vigil.ActionWrite, "unsafe_upsert_namespace_entry": vigil.ActionWrite,
	"finish_schema_change": "", "finish_schema_change_rollback": "", "reverse_schema_change": "",
}

// statements are the events that tell of a statement that was run.
var statements = map[string]bool{
	"query_execute": true, "sensitive_table_access": true, "admin_query": true, "role_based_audit_event": true, "slow_query": true, "sampled_query": true,
	"large_row": false, "unsafe_internals_accessed": true,
}

// resources are the keys under which events name what they are about, in this order.
var resources = []string{"TableName", "ViewName", "SequenceName", "FunctionName", "TypeName", "SchemaName", "NewDatabaseName", "RoleName", "SettingName", "Target", "DatabaseName"}

func (r *reader) event(rec *record.Record, v gjson.Result, tags string, emit func(*vigil.Event)) error {
	get := func(key string) string { return rec.Clean(bare(v.Get(key).String()), 256) }
	kind := get("EventType")
	user := get("User")
	if user == "" {
		user = rec.Clean(tag(tags, "user"), 256)
	}
	app := get("ApplicationName")
	if user == "node" || strings.HasPrefix(app, "$ internal") || kind == "slow_query_internal" {
		return nil // the database's own work
	}
	action, known := actions[kind]
	ddl := strings.HasPrefix(kind, "create_") || strings.HasPrefix(kind, "alter_") || strings.HasPrefix(kind, "drop_") || strings.HasPrefix(kind, "rename_") || strings.HasPrefix(kind, "comment_") || strings.HasPrefix(kind, "set_")
	switch {
	case statements[kind]:
	case known && action == "":
		return nil
	case known:
	case ddl:
		action = vigil.ActionConfigure
	case get("User") == "":
		return nil // of the cluster, its jobs and nodes
	default:
		action = vigil.ActionOther
	}
	at, ok := formats.Time(v.Get("Timestamp").Raw, nil)
	if !ok || at.Before(time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)) {
		return formats.ErrTime("Timestamp")
	}
	e := rec.Event()
	e.Time, e.Action, e.Outcome = at, action, vigil.OutcomeSuccess
	e.Actor.ID, e.Actor.App = user, app
	if e.Store == "" {
		e.Store = get("DatabaseName")
	}
	client := tag(tags, "client")
	for _, a := range []string{get("RemoteAddress"), get("ClientIP"), bare(client)} {
		if e.IP = formats.Address(a); e.IP != "" {
			break
		}
	}
	e.Session = rec.Clean(client, 128)
	if e.Session == "" {
		e.Session = get("RemoteAddress")
	}
	switch {
	case kind == "client_authentication_failed":
		e.Outcome = vigil.OutcomeDenied
	case v.Get("SQLSTATE").Str == "42501":
		e.Outcome = vigil.OutcomeDenied
	case v.Get("SQLSTATE").Exists() && v.Get("SQLSTATE").Str != "00000" || get("ErrorText") != "":
		e.Outcome = vigil.OutcomeError
	}
	if statements[kind] {
		return r.statement(e, v, emit)
	}
	if user == "" {
		if action != vigil.ActionLogin || e.IP == "" {
			if action == vigil.ActionLogout {
				return nil // of a client that never logged in
			}
			return formats.Errorf("actor", "the event %s names no user", kind)
		}
		e.Actor.ID, e.Actor.Kind = e.IP, vigil.KindAnonymous
	}
	for _, key := range resources {
		if e.Resource = get(key); e.Resource != "" && action != vigil.ActionLogin && action != vigil.ActionLogout {
			break
		}
		e.Resource = ""
	}
	e.Shape = strings.ReplaceAll(kind, "_", " ")
	emit(e)
	return nil
}

// statement gives out what a statement does.
func (r *reader) statement(e *vigil.Event, v gjson.Result, emit func(*vigil.Event)) error {
	text := v.Get("Statement").String()
	if r.again(e, v, text) {
		return nil
	}
	var params []string
	v.Get("PlaceholderValues").ForEach(func(_, p gjson.Result) bool {
		params = append(params, literal(bare(p.String())))
		return len(params) < 1000
	})
	results := r.statements.Read(plainSQL(text), params)
	rows := vigil.Unknown
	if n := v.Get("NumRows"); n.Exists() {
		rows = formats.Count(n.String())
	} else if v.Get("ExecMode").Exists() && e.Outcome == vigil.OutcomeSuccess {
		rows = 0 // a count of nought is left out
	}
	for i := range results {
		res := &results[i]
		if res.Action == "" || res.Ignored || res.Prepares != "" {
			continue
		}
		if e.Actor.ID == "" {
			return formats.Errorf("actor", "the statement's event names no user")
		}
		one := *e
		res.Fill(&one)
		if len(results) == 1 {
			one.Rows = rows
		}
		emit(&one)
	}
	return nil
}

// literal is the value of a literal of SQL.
func literal(s string) string {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return strings.ReplaceAll(s[1:len(s)-1], "''", "'")
	}
	return s
}

// marks are those of what is sensitive, what was taken out of them, and the empty names of
// the current database and schema.
var marks = strings.NewReplacer("‹×›", "NULL", "‹", "", "›", "", `"".`, "")

// plainSQL makes the text of an event a statement again.
func plainSQL(s string) string { return marks.Replace(s) }

// again says that a statement was told of before, and notes it.
func (r *reader) again(e *vigil.Event, v gjson.Result, text string) bool {
	txn := v.Get("TxnCounter")
	if !txn.Exists() {
		return false
	}
	key := strings.Join([]string{e.Session, e.Actor.ID, e.Actor.App, txn.Raw, v.Get("StmtPosInTxn").Raw, v.Get("Age").Raw, text}, "\x00")
	if len(key) > 4096 {
		key = key[:4096]
	}
	if _, ok := r.seen[key]; ok {
		return true
	}
	if len(r.ring) < keptStatements {
		r.ring = append(r.ring, key)
	} else {
		delete(r.seen, r.ring[r.at])
		r.ring[r.at] = key
		r.at = (r.at + 1) % keptStatements
	}
	r.seen[key] = struct{}{}
	return false
}
