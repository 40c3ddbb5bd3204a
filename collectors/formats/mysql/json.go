package mysql

import (
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// dialect is who wrote a JSON record.
type dialect uint8

const (
	dialectNone       dialect = iota
	dialectEnterprise         // MySQL Enterprise Audit: class, event, account, login
	dialectPercona            // Percona's audit_log: {"audit_record": {...}}
	dialectAzure              // Azure: properties.event_class
	dialectMcAfee             // the AUDIT plugin of McAfee and Trellix: msg-type, query-id
	dialectGoogle             // Cloud SQL's plugin within a Cloud Audit Logs entry
	dialectError              // MySQL's error log as JSON
)

// dialectOf tells JSON records by keys that others do not have.
func dialectOf(v gjson.Result) dialect {
	switch {
	case v.Get("class").Type == gjson.String && v.Get("event").Type == gjson.String && v.Get("timestamp").Exists() &&
		(v.Get("connection_id").Exists() && v.Get("account").IsObject() || v.Get("class").Str == "audit" && v.Get("connection_id").Exists()):
		return dialectEnterprise
	case v.Get("audit_record.name").Exists() && (v.Get("audit_record.record").Exists() || v.Get("audit_record.record_id").Exists()):
		return dialectPercona
	case v.Get("err_code").Exists() && v.Get("subsystem").Exists() && v.Get("prio").Exists():
		return dialectError
	case v.Get("msg-type").Exists() && (v.Get("query-id").Exists() || v.Get("thread-id").Exists()):
		return dialectMcAfee
	case azureClasses[azureValue(azureProperties(v), "event_class").Str]:
		return dialectAzure
	case strings.Contains(v.Get("protoPayload.request.@type").Str, "MysqlAuditEntry"):
		return dialectGoogle
	}
	return dialectNone
}

// azureClasses are the kinds of Azure's records.
var azureClasses = map[string]bool{"general_log": true, "connection_log": true, "table_access_log": true, "slow_log": true}

// azureProperties are the values of one of Azure's records: its properties, as an object
// or as text that holds one, or a row of Log Analytics, whose columns they are.
func azureProperties(v gjson.Result) gjson.Result {
	p := v.Get("properties")
	switch {
	case p.IsObject():
		return p
	case p.Type == gjson.String && strings.HasPrefix(p.Str, "{") && gjson.Valid(p.Str):
		return gjson.Parse(p.Str)
	}
	return v
}

// azureValue is a value by its name in a diagnostic log, "event_class"; the table
// AzureDiagnostics has it as "event_class_s", the tables of their own as "EventClass".
func azureValue(p gjson.Result, name string) gjson.Result {
	for _, suffix := range [...]string{"", "_s", "_d", "_t"} {
		if v := p.Get(name + suffix); v.Exists() {
			return v
		}
	}
	var camel strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		camel.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return p.Get(camel.String())
}

func sureOfJSON(v gjson.Result) float64 {
	if dialectOf(v) == dialectNone {
		return 0
	}
	return sure
}

func (rd *reader) json(r *record.Record, emit func(*vigil.Event)) error {
	switch dialectOf(r.JSON) {
	case dialectEnterprise:
		return rd.enterprise(r, emit)
	case dialectPercona:
		rec := r.JSON.Get("audit_record")
		return rd.percona(r, func(name string) string { return rec.Get(name).String() }, emit)
	case dialectAzure:
		return rd.azure(r, emit)
	case dialectMcAfee:
		return rd.mcafee(r, emit)
	case dialectGoogle:
		return rd.google(r, emit)
	}
	return nil
}

// phase is what a record tells of a statement: a plugin may write several of one.
type phase uint8

const (
	phaseBegun phase = iota // it begins; how it ends comes later, or never
	phaseFails              // it failed; it is over with the next record of its kind, if that is written
	phaseOver
)

// stage gives out a statement that one record or several tell of, joined by key.
func (rd *reader) stage(r *record.Record, a *access, sql, class string, ph phase, emit func(*vigil.Event)) error {
	key := keyOf(a, sql)
	if w := rd.byKey[key]; w != nil && w.Event != nil && ph != phaseBegun {
		if a.Outcome != vigil.OutcomeUnspecified {
			w.Event.Outcome = a.Outcome
		}
		if w.Event.Rows == vigil.Unknown && w.Event.Action.Discloses() {
			w.Event.Rows = a.Rows
		}
		if w.Event.Bytes == vigil.Unknown {
			w.Event.Bytes = a.Bytes
		}
		if ph == phaseOver {
			rd.release(w)
		}
		return nil
	}
	if e, ok := rd.endings[key]; ok && e.class != class && a.At.Sub(e.at).Abs() <= waitTime {
		return nil // another class of records told of it
	}
	tables := rd.ended(key, class, a.At)
	if ph == phaseOver {
		return rd.statement(r, a, sql, tables, emit)
	}
	events, err := rd.events(a, sql, tables)
	if err != nil || len(events) == 0 {
		return err
	}
	for _, e := range events[:len(events)-1] {
		emit(e)
	}
	w := &waiting{Key: key, Thread: a.Thread, Class: class, Event: events[len(events)-1], Access: *a}
	rd.wait(w, r)
	if len(events) > 1 {
		w.ID += ".last" // the first has the record's own
	}
	return nil
}

// touched notes a table that a statement touches.
func (rd *reader) touched(r *record.Record, a *access, sql, class string, t table) {
	rd.table(r, a, keyOf(a, sql), class, t)
}

// keyOf tells a statement that has no number.
func keyOf(a *access, sql string) string {
	return strings.ToValidUTF8(a.Thread, "_") + "/" + strconv.FormatUint(xxhash.Sum64String(sql), 36)
}

// tableActions are what records of table accesses name.
var tableActions = map[string]vigil.Action{
	"read": vigil.ActionRead, "insert": vigil.ActionWrite, "update": vigil.ActionWrite, "delete": vigil.ActionDelete,
}

// enterprise reads a record of MySQL Enterprise Audit.
func (rd *reader) enterprise(r *record.Record, emit func(*vigil.Event)) error {
	class, event := r.Get("class"), r.Get("event")
	at, ok := formats.Time(r.JSON.Get("timestamp").String(), nil)
	if !ok {
		return formats.ErrTime("timestamp")
	}
	rd.tick(at)
	a := access{At: at, Thread: r.Get("connection_id"), User: r.Get("account.user", "login.user"), Host: r.Get("account.host"), IP: r.Get("login.ip"),
		App:  r.Get("connection_data.connection_attributes.program_name", "connection_data.connection_attributes._client_name"),
		Rows: r.Int("query_statistics.rows_sent"), Affected: vigil.Unknown, Bytes: r.Int("query_statistics.bytes_sent")}
	if background(a.User) {
		return nil
	}
	if who := rd.threads.get(a.Thread); who != nil {
		a.DB = who.DB
	}
	switch class {
	case "connection":
		a.DB = r.Get("connection_data.db")
		a.Outcome = outcomeOf(r.Int("connection_data.status"))
		switch event {
		case "connect", "change_user":
			if a.Outcome == vigil.OutcomeSuccess {
				rd.threads.put(a.Thread, &thread{DB: a.DB})
			}
			return rd.simple(r, &a, vigil.ActionLogin, "", emit)
		case "disconnect":
			rd.threads.forget(a.Thread)
			return rd.simple(r, &a, vigil.ActionLogout, "", emit)
		}
		return nil
	case "general":
		command := r.Get("general_data.command")
		if command != "Query" && command != "Execute" {
			return nil
		}
		a.Outcome = outcomeOf(r.Int("general_data.status"))
		sql := r.JSON.Get("general_data.query").Str
		switch event {
		case "log":
			a.Outcome = vigil.OutcomeUnspecified
			return rd.stage(r, &a, sql, class, phaseBegun, emit)
		case "error":
			if a.Outcome == vigil.OutcomeUnspecified || a.Outcome == vigil.OutcomeSuccess {
				a.Outcome = vigil.OutcomeError
			}
			return rd.stage(r, &a, sql, class, phaseFails, emit)
		case "result":
			return rd.stage(r, &a, sql, class, phaseFails, emit)
		}
		return rd.stage(r, &a, sql, class, phaseOver, emit)
	case "query":
		if event != "query_status_end" && event != "status_end" {
			return nil
		}
		a.Outcome = outcomeOf(r.Int("query_data.status"))
		return rd.stage(r, &a, r.JSON.Get("query_data.query").Str, class, phaseOver, emit)
	case "table_access":
		action, ok := tableActions[event]
		if !ok {
			action = vigil.ActionOther
		}
		a.DB = r.Get("table_access_data.db")
		rd.touched(r, &a, r.JSON.Get("table_access_data.query").Str, class, table{DB: a.DB, Name: r.Get("table_access_data.table"), Action: action})
	case "audit", "message", "authentication", "stored_program", "command", "parse", "authorization", "global_variable", "server_startup", "server_shutdown":
		// The server's start and stop, and what statements tell of too.
	default:
		if a.User != "" {
			return rd.simple(r, &a, vigil.ActionOther, class, emit)
		}
	}
	return nil
}

// percona reads a record of Percona's audit_log, and of MySQL Enterprise Audit's XML.
func (rd *reader) percona(r *record.Record, get func(string) string, emit func(*vigil.Event)) error {
	at, ok := formats.Time(strings.TrimSuffix(get("timestamp"), " UTC"), nil)
	if !ok {
		return formats.ErrTime("timestamp")
	}
	rd.tick(at)
	name := get("name")
	a := access{At: at, Thread: get("connection_id"), Host: get("host"), IP: get("ip"), DB: get("db"), Rows: vigil.Unknown, Affected: vigil.Unknown, Bytes: vigil.Unknown}
	user := get("user")
	// A statement's user is written as the slow log does.
	if !strings.HasSuffix(user, "]") || !readAccount(user, &a) {
		a.User = user
	}
	status := get("status")
	if status == "" {
		status = get("status_code")
	}
	a.Outcome = outcomeOf(formats.Count(status))
	if background(a.User) {
		return nil
	}
	switch name {
	case "Connect", "Change user":
		return rd.simple(r, &a, vigil.ActionLogin, "", emit)
	case "Quit":
		a.Outcome = vigil.OutcomeSuccess
		return rd.simple(r, &a, vigil.ActionLogout, "", emit)
	case "Query", "Execute":
		sql := get("sqltext")
		return rd.statement(r, &a, sql, rd.ended(keyOf(&a, sql), "general", at), emit)
	case "TableRead", "TableInsert", "TableUpdate", "TableDelete":
		rd.touched(r, &a, get("sqltext"), "table", table{DB: a.DB, Name: formats.Clean(get("table"), maxName), Action: tableActions[strings.ToLower(name[5:])]})
	case "Audit", "NoAudit":
	default:
		if _, known := commands[name]; !known && a.User != "" {
			return rd.simple(r, &a, vigil.ActionOther, formats.Clean(name, maxName), emit)
		}
	}
	return nil
}

// azure reads a record of Azure Database for MySQL.
func (rd *reader) azure(r *record.Record, emit func(*vigil.Event)) error {
	p := azureProperties(r.JSON)
	get := func(names ...string) string {
		for _, n := range names {
			if s := r.String(azureValue(p, n), 512); s != "" {
				return s
			}
		}
		return ""
	}
	at, ok := formats.Time(get("event_time", "start_time"), nil)
	if !ok {
		at, ok = formats.Time(r.Get("time", "TimeGenerated"), nil)
	}
	if !ok {
		at = r.Carrier.Time
	}
	if at.IsZero() {
		at = rd.last // connections have no time of their own
	}
	rd.tick(at)
	a := access{At: at, Thread: get("thread_id", "connection_id"), IP: get("ip"), Host: get("host"), DB: get("db"),
		Rows: formats.Count(get("rows_sent")), Affected: vigil.Unknown, Bytes: vigil.Unknown}
	user := get("user", "user_host")
	if !strings.HasSuffix(user, "]") || !readAccount(user, &a) {
		a.User = user
	}
	code := get("error_code", "status")
	a.Outcome = outcomeOf(formats.Count(code))
	subclass := get("event_subclass")
	sql := azureValue(p, "sql_text").Str
	if background(a.User) {
		return nil
	}
	switch get("event_class") {
	case "connection_log":
		switch subclass {
		case "CONNECT", "CHANGE USER", "CHANGE_USER":
			return rd.simple(r, &a, vigil.ActionLogin, "", emit)
		case "DISCONNECT":
			return rd.simple(r, &a, vigil.ActionLogout, "", emit)
		}
		return nil
	case "general_log":
		if sql == "" {
			return nil
		}
		switch subclass {
		case "LOG":
			a.Outcome = vigil.OutcomeUnspecified
			return rd.stage(r, &a, sql, "general", phaseBegun, emit)
		case "ERROR":
			if a.Outcome != vigil.OutcomeDenied {
				a.Outcome = vigil.OutcomeError
			}
			return rd.stage(r, &a, sql, "general", phaseFails, emit)
		}
		return rd.stage(r, &a, sql, "general", phaseOver, emit)
	case "table_access_log":
		action, ok := tableActions[strings.ToLower(subclass)]
		if !ok {
			action = vigil.ActionOther
		}
		rd.touched(r, &a, sql, "table", table{DB: a.DB, Name: get("table_name"), Action: action})
		return nil
	}
	return rd.statement(r, &a, sql, nil, emit) // slow_log
}

// mcafee reads a record of the AUDIT plugin of McAfee and Trellix.
func (rd *reader) mcafee(r *record.Record, emit func(*vigil.Event)) error {
	if r.Get("msg-type") == "header" {
		return nil
	}
	at, ok := formats.Time(r.Get("date"), nil)
	if !ok {
		return formats.ErrTime("date")
	}
	a := access{At: at, Thread: r.Get("thread-id"), User: r.Get("user", "priv_user"), Host: r.Get("host"), IP: r.Get("ip"),
		App: r.Get("connect_attrs.program_name", "appname"), Rows: r.Int("rows"), Affected: r.Int("rows"), Bytes: vigil.Unknown, Outcome: outcomeOf(r.Int("status"))}
	return rd.plugin(r, &a, r.Get("cmd"), r.JSON.Get("query").Str, r.JSON.Get("objects"), emit)
}

// google reads an entry of Cloud SQL's audit plugin.
func (rd *reader) google(r *record.Record, emit func(*vigil.Event)) error {
	at, ok := formats.Time(r.Get("timestamp"), nil)
	if !ok {
		return formats.ErrTime("timestamp")
	}
	const q = "protoPayload.request."
	if n := r.Int(q + "chunkIndex"); n > 1 {
		return nil // the rest of a long statement
	}
	a := access{At: at, Thread: r.Get(q + "threadId"), User: r.Get(q+"user", q+"privUser"), Host: r.Get(q + "host"), IP: r.Get(q + "ip"),
		Rows: vigil.Unknown, Affected: vigil.Unknown, Bytes: vigil.Unknown}
	if code := r.Get(q+"errCode", q+"status"); code != "" {
		a.Outcome = outcomeOf(formats.Count(code))
	}
	return rd.plugin(r, &a, r.Get(q+"cmd"), r.JSON.Get(q+"query").Str, r.JSON.Get(q+"objects"), emit)
}

// plugin gives out what the plugins of McAfee's line tell: a command and its objects.
func (rd *reader) plugin(r *record.Record, a *access, command, sql string, objects gjson.Result, emit func(*vigil.Event)) error {
	rd.tick(a.At)
	if background(a.User) {
		return nil
	}
	var tables []table
	objects.ForEach(func(_, o gjson.Result) bool {
		if a.DB == "" {
			a.DB = r.String(o.Get("db"), maxName)
		}
		tables = append(tables, table{DB: r.String(o.Get("db"), maxName), Name: r.String(o.Get("name"), maxName), Action: vigil.ActionRead})
		return len(tables) < maxTables
	})
	switch strings.ToLower(command) {
	case "connect":
		return rd.simple(r, a, vigil.ActionLogin, "", emit)
	case "failed login":
		a.Outcome = vigil.OutcomeDenied
		return rd.simple(r, a, vigil.ActionLogin, "", emit)
	case "quit":
		return rd.simple(r, a, vigil.ActionLogout, "", emit)
	}
	return rd.statement(r, a, sql, tables, emit)
}
