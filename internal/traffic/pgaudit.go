package traffic

import (
	"strconv"
	"strings"
	"time"

	"vigil"
)

// LogLinePrefix is the server's setting of that name in what is written as PgAudit.
const LogLinePrefix = "%m [%p] %q%u@%d %a %h %c "

// maxConnections bounds the connections that a serverLog tells apart. When there
// are more, all are taken to have been closed: their sessions go on as new ones.
const maxConnections = 100_000

// connection is one session as the server sees it.
type connection struct {
	pid        int
	since      int64 // seconds since 1970
	statements int
}

// serverLog writes events as a PostgreSQL server would log the statements that
// cause them.
type serverLog struct {
	open map[string]*connection
	pids int
	sql  []byte
}

func newServerLog() *serverLog { return &serverLog{open: make(map[string]*connection), pids: 4000} }

// connection finds an event's session, or opens it.
func (l *serverLog) connection(e *vigil.Event) *connection {
	key := e.Session
	if key == "" {
		key = "actor " + e.Actor.ID
	}
	c := l.open[key]
	if c == nil {
		if len(l.open) >= maxConnections {
			clear(l.open)
		}
		l.pids++
		c = &connection{pid: 1000 + l.pids%4_000_000, since: e.Time.Unix()}
		l.open[key] = c
	}
	return c
}

// prefix begins a line.
func (l *serverLog) prefix(b []byte, e *vigil.Event, c *connection) []byte {
	b = e.Time.UTC().AppendFormat(b, "2006-01-02 15:04:05.000 MST")
	b = append(b, " ["...)
	b = strconv.AppendInt(b, int64(c.pid), 10)
	b = append(b, "] "...)
	b = appendClean(b, e.Actor.ID)
	b = append(b, '@')
	b = appendClean(b, e.Store)
	b = append(b, ' ')
	app := e.Actor.App
	if app == "" {
		app = "[unknown]"
	}
	b = appendClean(b, app)
	b = append(b, ' ')
	ip := e.IP
	if ip == "" {
		ip = "[local]"
	}
	b = appendClean(b, ip)
	b = append(b, ' ')
	b = strconv.AppendInt(b, c.since, 16)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(c.pid), 16)
	return append(b, ' ')
}

// appendClean writes a name as the server prints an application's: what is not
// printable ASCII as a question mark; a space would end the field.
func appendClean(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' {
			b = append(b, '?')
		} else {
			b = append(b, c)
		}
	}
	return b
}

// append writes the lines of one event.
func (l *serverLog) append(b []byte, e *vigil.Event) []byte {
	c := l.connection(e)
	b = l.prefix(b, e, c)
	switch e.Action {
	case vigil.ActionLogin:
		if e.Outcome == vigil.OutcomeSuccess || e.Outcome == vigil.OutcomeUnspecified {
			b = append(b, "LOG:  connection authorized: user="...)
			b = appendClean(b, e.Actor.ID)
			b = append(b, " database="...)
			b = appendClean(b, e.Store)
			if e.Actor.App != "" {
				b = append(b, " application_name="...)
				b = appendClean(b, e.Actor.App)
			}
		} else {
			b = append(b, `FATAL:  password authentication failed for user "`...)
			b = appendClean(b, e.Actor.ID)
			b = append(b, '"')
		}
		return append(b, '\n')
	case vigil.ActionLogout:
		b = append(b, "LOG:  disconnection: session time: "...)
		b = appendDuration(b, e.Time.Unix()-c.since)
		b = append(b, " user="...)
		b = appendClean(b, e.Actor.ID)
		b = append(b, " database="...)
		b = appendClean(b, e.Store)
		b = append(b, " host="...)
		b = appendClean(b, e.IP)
		b = append(b, " port="...)
		b = strconv.AppendInt(b, int64(32768+c.pid%28000), 10)
		delete(l.open, e.Session)
		return append(b, '\n')
	}
	class, command := l.statement(e)
	if e.Outcome == vigil.OutcomeDenied || e.Outcome == vigil.OutcomeError {
		if e.Outcome == vigil.OutcomeDenied {
			b = append(b, "ERROR:  permission denied for table "...)
			b = append(b, identifier(e.Resource)...)
		} else {
			b = append(b, "ERROR:  canceling statement due to statement timeout"...)
		}
		b = append(b, '\n')
		b = l.prefix(b, e, c)
		b = append(b, "STATEMENT:  "...)
		b = append(b, l.sql...)
		return append(b, '\n')
	}
	c.statements++
	rows := max(e.Rows, 0)
	if command == "COPY" {
		// The query within is told of first, with its rows; COPY itself has none.
		b = l.audit(b, e, c, 1, "READ", "SELECT", rows)
		b = l.prefix(b, e, c)
		return l.audit(b, e, c, 2, class, command, 0)
	}
	return l.audit(b, e, c, 1, class, command, rows)
}

// appendDuration writes seconds as the server does in a session's last line.
func appendDuration(b []byte, s int64) []byte {
	d := time.Duration(s) * time.Second
	b = strconv.AppendInt(b, int64(d/time.Hour), 10)
	for _, n := range []int64{s / 60 % 60, s % 60} {
		b = append(b, ':', byte('0'+n/10), byte('0'+n%10))
	}
	return append(b, ".000"...)
}

// audit writes what pgaudit says of a statement, with pgaudit.log_rows on.
func (l *serverLog) audit(b []byte, e *vigil.Event, c *connection, sub int, class, command string, rows int64) []byte {
	b = append(b, "LOG:  AUDIT: SESSION,"...)
	b = strconv.AppendInt(b, int64(c.statements), 10)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(sub), 10)
	b = append(b, ',')
	b = append(b, class...)
	b = append(b, ',')
	b = append(b, command...)
	if class == "ROLE" || command == "COPY" || strings.HasPrefix(e.Resource, "pg_") {
		b = append(b, ",,,"...)
	} else {
		b = append(b, ",TABLE,"...)
		b = appendCSV(b, "public."+identifier(e.Resource))
		b = append(b, ',')
	}
	b = appendCSV(b, string(l.sql))
	b = append(b, ",<none>,"...)
	b = strconv.AppendInt(b, rows, 10)
	return append(b, '\n')
}

// appendCSV writes a column of CSV as pgaudit does: in quotes where it must be.
func appendCSV(b []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// statement writes the event's SQL into l.sql, and returns pgaudit's class and command.
func (l *serverLog) statement(e *vigil.Event) (class, command string) {
	l.sql = l.sql[:0]
	table := identifier(e.Resource)
	switch e.Action {
	case vigil.ActionWrite:
		if len(e.Subjects) == 1 {
			l.insert(e, table)
			class, command = "WRITE", "INSERT"
			break
		}
		l.text("UPDATE ", table, " SET updated_at = now()")
		l.where(e)
		class, command = "WRITE", "UPDATE"
	case vigil.ActionDelete:
		l.text("DELETE FROM ", table)
		l.where(e)
		class, command = "WRITE", "DELETE"
	case vigil.ActionConfigure:
		l.text("ALTER TABLE ", table, " ALTER COLUMN updated_at SET STATISTICS ", strconv.Itoa(100+spelling(e.Shape)%8*50))
		class, command = "DDL", "ALTER TABLE"
	case vigil.ActionGrant:
		l.text("GRANT SELECT ON ", table, " TO support_", strconv.Itoa(spelling(e.Shape)%4))
		class, command = "ROLE", "GRANT"
	case vigil.ActionImpersonate:
		l.text("SET ROLE ", table)
		class, command = "MISC", "SET"
	case vigil.ActionExecute:
		l.text("CALL ", table, "()")
		class, command = "FUNCTION", "CALL"
	case vigil.ActionExport:
		l.text("COPY (")
		l.query(e, table)
		l.text(") TO STDOUT WITH CSV HEADER")
		class, command = "READ", "COPY"
	default:
		l.query(e, table)
		class, command = "READ", "SELECT"
	}
	l.comment(e)
	return class, command
}

func (l *serverLog) text(parts ...string) {
	for _, p := range parts {
		l.sql = append(l.sql, p...)
	}
}

// value writes a string literal.
func (l *serverLog) value(s string) {
	l.sql = append(l.sql, '\'')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'':
			l.sql = append(l.sql, '\'', '\'')
		case c < ' ':
			l.sql = append(l.sql, '?')
		default:
			l.sql = append(l.sql, c)
		}
	}
	l.sql = append(l.sql, '\'')
}

// orders are the columns by which a query may be sorted: its spelling shows by them.
var orders = []string{"created_at", "updated_at", "id", "status", "priority", "locale", "channel", "version"}

func (l *serverLog) query(e *vigil.Event, table string) {
	l.text("SELECT ")
	if len(e.Fields) == 0 {
		l.text("id")
	}
	for i, f := range e.Fields {
		if i > 0 {
			l.text(", ")
		}
		if f == "*" {
			l.text("*")
		} else {
			l.text(identifier(f))
		}
	}
	l.text(" FROM ", table)
	if !e.Unbounded {
		l.where(e)
	}
	n := spelling(e.Shape)
	if e.Store == vectorStore {
		// The nearest to what was asked, which is never quite the same.
		u := mix(uint64(e.Time.UnixMilli()))
		l.text(" ORDER BY embedding <=> '[0.", strconv.FormatUint(u%10_000, 10), ",-0.", strconv.FormatUint(u>>32%10_000, 10), "]', ", orders[n%8])
	} else {
		l.text(" ORDER BY ", orders[n%8])
	}
	if n/8%8 != n%8 {
		l.text(", ", orders[n/8%8])
	}
	if n/64%2 == 1 {
		l.text(" DESC")
	}
	if e.Limit != vigil.Unknown && !e.Unbounded {
		l.text(" LIMIT ", strconv.FormatInt(e.Limit, 10))
	}
}

// where names what a statement is confined to. It always names something.
func (l *serverLog) where(e *vigil.Event) {
	glue := " WHERE "
	if strings.HasPrefix(e.Resource, "pg_") {
		l.text(" WHERE state <> 'idle'")
		return
	}
	if e.ResourceTenant != "" {
		l.text(glue, columnTenant, " = ")
		l.value(e.ResourceTenant)
		glue = " AND "
	} else {
		l.text(glue, "updated_at > '2000-01-01'")
		glue = " AND "
	}
	switch len(e.Subjects) {
	case 0:
	case 1:
		l.text(glue, columnSubject, " = ")
		l.value(e.Subjects[0])
	default:
		l.text(glue, columnSubject, " IN (")
		for i, s := range e.Subjects {
			if i > 0 {
				l.text(", ")
			}
			l.value(s)
		}
		l.text(")")
	}
	if e.Conversation != "" {
		l.text(" AND ", columnConversation, " = ")
		l.value(e.Conversation)
	}
}

func (l *serverLog) insert(e *vigil.Event, table string) {
	l.text("INSERT INTO ", table, " (", columnTenant, ", ", columnSubject)
	if e.Conversation != "" {
		l.text(", ", columnConversation)
	}
	l.text(", body) VALUES (")
	l.value(e.ResourceTenant)
	l.text(", ")
	l.value(e.Subjects[0])
	if e.Conversation != "" {
		l.text(", ")
		l.value(e.Conversation)
	}
	l.text(", '')")
}

// comment names the reason, and a bot's call, as applications do for tracing. A bot
// may ask the same twice within a second; the number of the call is what tells a
// failure of the second from one of the first.
func (l *serverLog) comment(e *vigil.Event) {
	open := " /*"
	tag := func(name, value string) {
		l.text(open, name, "='")
		open = ","
		for i := range len(value) {
			if c := value[i]; c == '-' || c == '.' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
				l.sql = append(l.sql, c)
			} else {
				l.sql = append(l.sql, '_')
			}
		}
		l.text("'")
	}
	if e.Ticket != "" {
		tag(paramTicket, e.Ticket)
	}
	if e.Actor.Kind == vigil.KindBot {
		tag("call", e.ID)
	}
	if open == "," {
		l.text("*/")
	}
}

// identifier writes a name, quoted where it must be.
func identifier(s string) string {
	plain := s != ""
	for i := range len(s) {
		c := s[i]
		plain = plain && (c == '_' || c >= 'a' && c <= 'z' || i > 0 && c >= '0' && c <= '9')
	}
	if plain {
		return s
	}
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
	return `"` + strings.ReplaceAll(clean, `"`, `""`) + `"`
}
