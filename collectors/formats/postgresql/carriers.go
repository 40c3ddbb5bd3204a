package postgresql

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil/collectors/formats"
	"vigil/collectors/formats/pgtime"
	carry "vigil/collectors/formats/record"
)

// json reads a JSON value and reports whether it holds anything that is known: records, or
// what is no access.
func (w *wrapped) json(t []byte, c carrier, depth int) bool {
	if !carry.Shallow(t) {
		return false
	}
	if !gjson.ValidBytes(t) {
		// Some exports escape the quotes within strings twice.
		t = bytes.ReplaceAll(t, []byte(`\\"`), []byte(`\"`))
		if !gjson.ValidBytes(t) {
			return false
		}
	}
	return w.value(gjson.ParseBytes(t), c, depth)
}

func (w *wrapped) value(v gjson.Result, c carrier, depth int) bool {
	if depth > maxCarriers {
		return false
	}
	if v.IsObject() {
		return w.object(v, c, depth)
	}
	known := false
	empty := true
	v.ForEach(func(_, item gjson.Result) bool {
		empty = false
		known = (item.IsObject() || item.IsArray()) && w.value(item, c, depth+1) || known
		return true
	})
	return known || empty
}

// members are the keys of an object by which carriers are told apart.
type members struct {
	text    map[string]gjson.Result // strings that may be a line
	holders []gjson.Result          // objects that may hold a record
	rest    []gjson.Result          // other objects and arrays

	record, request, properties                            gjson.Result
	logger, level, logName, category, messageType, program string
	insertID                                               string
	severity                                               string // jsonlog's
	container                                              string
}

// texts are the keys under which carriers put a line, in the order in which they are tried.
var texts = []string{"textPayload", "message", "log", "msg", "MESSAGE", "@message", "Message", "_raw", "event.original", "original", "_line", "event_message"}

// cloudWatchID says that a text has the form of CloudWatch's ids: 56 digits.
func cloudWatchID(s string) bool {
	for i := 0; i < len(s); i++ {
		if !digit(s[i]) {
			return false
		}
	}
	return len(s) == 56
}

func (w *wrapped) object(v gjson.Result, c carrier, depth int) bool {
	m := members{text: make(map[string]gjson.Result, 2)}
	var named []string // what may name the stream
	cloudWatch := false
	v.ForEach(func(k, item gjson.Result) bool {
		key := k.Str
		switch {
		case item.Type == gjson.String:
			m.string(key, item, &c, &named)
		case key == "timestamp" && item.Type == gjson.Number, key == "ts" && item.Type == gjson.Number:
			if at, ok := formats.Time(item.Raw, nil); ok && c.at.IsZero() {
				c.at = at
			}
			cloudWatch = key == "timestamp"
		case key == "record" && item.IsObject():
			m.record = item
		case key == "request" && item.IsObject():
			m.request = item
		case key == "properties" && item.IsObject():
			m.properties = item
		case key == "kubernetes" && item.IsObject():
			c.container = true
			named = append(named, item.Get("namespace_name").Str+"/"+item.Get("pod_name").Str+item.Get("pod.name").Str)
			m.program = item.Get("container_name").Str + item.Get("container.name").Str
		case key == "resource" && item.IsObject():
			labels := item.Get("labels")
			named = append(named, labels.Get("database_id").Str+labels.Get("instance_id").Str+labels.Get("pod_name").Str)
		case item.IsObject() && (key == "jsonPayload" || key == "data" || key == "message" || key == "_source" || key == "detail" || key == "json" || key == "event" || key == "log" || key == "payload" || key == "protoPayload" || key == "body"):
			m.holders = append(m.holders, item)
		case item.IsArray() || item.IsObject():
			m.rest = append(m.rest, item)
		}
		return true
	})
	// Ids are the provider's own only in its own records: elsewhere anybody may write one.
	switch {
	case m.logName != "" && len(m.insertID) <= 256:
		c.id = formats.Clean(m.insertID, 256)
	case cloudWatch:
		for _, key := range [...]string{"id", "eventId"} {
			if id := v.Get(key).Str; cloudWatchID(id) {
				c.id = strings.Clone(id)
			}
		}
	}
	for _, n := range named {
		if n != "" && n != "/" {
			c.stream = strings.Clone(n[:min(len(n), 256)])
			break
		}
	}
	switch {
	case m.record.Exists() && (m.logger == "postgres" || m.logger == "pgaudit"):
		return w.columns(m.record, c)
	case m.severity != "":
		return w.jsonRecord(v, c)
	case m.request.Exists() && m.request.Get("auditClass").Exists() && m.request.Get("statementId").Exists():
		return w.auditEntry(m.request, c)
	case m.messageType == "CONTROL_MESSAGE":
		return true
	case m.properties.Exists():
		if message := m.properties.Get("message"); message.Type == gjson.String && (m.category == "" || m.category == "PostgreSQLLogs") {
			return w.azure(m.properties, message.Str, c)
		}
	}
	switch {
	case strings.Contains(m.logName, "postgres") || m.category == "PostgreSQLLogs" || m.logger == "postgres" || m.program == "postgres":
		c.mine = true
	case strings.Contains(m.logName, "/logs/cloud") || m.logger != "" && m.level != "" && m.record.Raw == "" && m.logger != "pgaudit":
		c.foreign = true // another log of the same database, or another part of an operator
	}
	if m.container == "stdout" || m.container == "stderr" {
		c.container = true
	}
	for _, key := range texts {
		text, ok := m.text[key]
		if !ok {
			continue
		}
		if t := strings.TrimRight(text.Str, "\r\n"); strings.HasPrefix(t, "{") && carry.StartsJSON([]byte(t)) {
			if w.json([]byte(t), c, depth+1) {
				return true
			}
			continue
		}
		if len(m.holders) > 0 && key != "textPayload" && key != "message" {
			continue
		}
		w.text([]byte(text.Str), c, depth+1)
		return true
	}
	known := c.foreign || m.logName != ""
	for _, item := range append(m.holders, m.rest...) {
		known = w.value(item, c, depth+1) || known
	}
	return known
}

// string notes a member that is a string.
func (m *members) string(key string, item gjson.Result, c *carrier, named *[]string) {
	switch s := item.Str; key {
	case "time", "@timestamp", "timestamp", "receiveTimestamp", "log_time", "eventTime":
		if at, err := time.Parse(time.RFC3339Nano, s); err == nil && (c.at.IsZero() || key != "receiveTimestamp") {
			c.at = at
		}
	case "logger":
		m.logger = s
	case "level":
		m.level = s
	case "logName":
		m.logName = s
	case "category", "Category":
		m.category = s
	case "messageType":
		m.messageType = s
	case "error_severity":
		m.severity = s
	case "stream":
		m.container = s
	case "SYSLOG_IDENTIFIER", "_COMM", "container_name", "appname", "ident":
		if s = strings.TrimPrefix(s, "/"); m.program != "postgres" {
			m.program = s
		}
	case "_PID", "procid":
		c.process = s[:min(len(s), 32)]
	case "logStream", "logStreamName", "logging_pod", "resourceId", "_host", "hostname", "host", "_HOSTNAME", "pod":
		*named = append(*named, s)
	case "insertId":
		m.insertID = s
	}
	for _, t := range texts {
		if key == t {
			m.text[key] = item
			break
		}
	}
}

// give hands on a record that needs no joining of lines.
func (w *wrapped) give(r *record, c carrier) bool {
	r.from = formats.Line{Offset: w.frame.Offset, Number: w.frame.Number}
	r.nth, r.id, r.origin = w.nth, c.id, c.stream
	w.nth++
	w.read++
	if r.at.IsZero() {
		r.at = c.at.UTC()
	}
	switch {
	case r.at.IsZero():
		w.d.fail(w.frame, "time", "the record's time is not read: set log_timezone to the server's own, as an IANA name")
	case !isSeverity(r.severity):
		w.d.fail(w.frame, "format", "severity %q is not PostgreSQL's: set lc_messages to C on the server", cut(r.severity, 40))
	default:
		w.d.record(r)
	}
	return true
}

// columns reads the csvlog's columns by name, as CloudNativePG writes them.
func (w *wrapped) columns(v gjson.Result, c carrier) bool {
	g := func(name string) string { return v.Get(name).String() }
	r := record{
		hash: w.d.hashOf([]byte(v.Raw)), user: g("user_name"), db: g("database_name"), pid: g("process_id"), session: g("session_id"),
		severity: g("error_severity"), state: g("sql_state_code"), message: g("message"), detail: g("detail"),
		statement: g("query"), app: g("application_name"), host: hostOf(g("connection_from")),
	}
	r.at, _ = w.d.clock.Read(g("log_time"))
	r.start, _ = w.d.clock.Read(g("session_start_time"))
	if a := v.Get("audit"); a.IsObject() {
		r.message = auditMessage(a, "audit_type", "statement_id", "substatement_id", "class", "command", "object_type", "object_name", "statement", "parameter", "rows")
	}
	return w.give(&r, c)
}

// jsonRecord reads an object of a jsonlog.
func (w *wrapped) jsonRecord(v gjson.Result, c carrier) bool {
	g := func(name string) string { return v.Get(name).String() }
	r := record{
		hash: w.d.hashOf([]byte(v.Raw)), user: g("user"), db: g("dbname"), pid: g("pid"), session: g("session_id"), severity: g("error_severity"),
		state: g("state_code"), message: g("message"), detail: g("detail"), statement: g("statement"), app: g("application_name"), host: g("remote_host"),
	}
	r.at, _ = w.d.clock.Read(g("timestamp"))
	r.start, _ = w.d.clock.Read(g("session_start"))
	return w.give(&r, c)
}

// auditEntry reads the PgAuditEntry of Google's Cloud SQL and AlloyDB: the columns of an
// audit line by name. Of a statement that was cut into chunks the first is read.
func (w *wrapped) auditEntry(v gjson.Result, c carrier) bool {
	if v.Get("chunkIndex").Int() > 1 {
		return true
	}
	r := record{
		hash: w.d.hashOf([]byte(v.Raw)), user: v.Get("user").String(), db: v.Get("database").String(), session: v.Get("databaseSessionId").String(), severity: "LOG",
		message: auditMessage(v, "auditType", "statementId", "substatementId", "auditClass", "command", "objectType", "object", "statement", "parameter", ""),
	}
	w.shared++
	w.read--
	return w.give(&r, c)
}

// auditMessage writes an audit line of columns that have names; an empty name leaves the last
// one out.
func auditMessage(v gjson.Result, names ...string) string {
	var b strings.Builder
	b.WriteString("AUDIT: ")
	for i, n := range names {
		if n == "" || i == auditRows && !v.Get(n).Exists() {
			continue
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(strings.ReplaceAll(v.Get(n).String(), `"`, `""`))
		b.WriteByte('"')
	}
	return b.String()
}

// azure reads the properties of a record of Azure's: a line with its prefix, or, of the
// older single server, the message alone with its fields beside it.
func (w *wrapped) azure(v gjson.Result, message string, c carrier) bool {
	c.mine = true
	if pgtime.Scan(message) > 0 || strings.HasPrefix(message, "\t") {
		w.lineOf(message, c, maxCarriers)
		return true
	}
	severity := v.Get("errorLevel").String()
	if !isSeverity(severity) {
		w.lineOf(message, c, maxCarriers)
		return true
	}
	if isSecondary(severity) {
		return true // adds to a message that is told apart from it by nothing
	}
	r := record{
		hash: w.d.hashOf([]byte(v.Raw)), severity: severity, state: v.Get("sqlerrcode").String(), message: message, detail: v.Get("detail").String(),
		user: v.Get("user").String(), db: v.Get("database").String(), session: v.Get("sessionId").String(),
	}
	if pid := v.Get("processId").Int(); pid > 0 {
		r.pid = strconv.FormatInt(pid, 10)
	}
	r.at, _ = w.d.clock.Read(v.Get("timestamp").String())
	return w.give(&r, c)
}
