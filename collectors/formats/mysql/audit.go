package mysql

import (
	"bytes"
	"strings"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// audited is a line of the server_audit plugin: time (not in syslog), server's host,
// user, client's host, connection, query, operation, database, object, return code;
// newer servers of Amazon RDS add the kind of connection.
type audited struct {
	stamp, user, host, thread, query, operation, db, object string
	code                                                    string
}

// operations are what a line may tell, with what each does to a table.
var operations = map[string]vigil.Action{
	"CONNECT": vigil.ActionLogin, "DISCONNECT": vigil.ActionLogout, "FAILED_CONNECT": vigil.ActionLogin, "CHANGEUSER": vigil.ActionLogin, "PROXY_CONNECT": "",
	"QUERY": "", "READ": vigil.ActionRead, "WRITE": vigil.ActionWrite, "CREATE": vigil.ActionConfigure, "ALTER": vigil.ActionConfigure,
	"RENAME": vigil.ActionConfigure, "DROP": vigil.ActionConfigure, "AUDIT": "", "AUDIT_START": "", "AUDIT_STOP": "",
}

// readAudit reads a line of server_audit; ok is false for what is none. A user's name is
// not escaped and may hold commas, so a line whose end tells a connection is read from
// its end: nobody's name can make a statement of a refused login.
func readAudit(line []byte) (a audited, ok bool) {
	if len(line) < 12 || bytes.IndexByte(line, ',') < 0 {
		return a, false
	}
	head := line
	var tail []byte
	if q := bytes.IndexByte(line, '\''); q >= 0 {
		if end := bytes.LastIndexByte(line, '\''); end > q && isTail(line[end+1:]) {
			if q == 0 || line[q-1] != ',' {
				return a, false
			}
			head, tail = line[:q-1], line[end+1:]
			a.object = unescape(line[q+1 : end])
		} else if q > 0 && line[q-1] == ',' && len(line) > 500 && !isTail(lastFields(line)) {
			// Cut by what carried it: the statement goes on to the end.
			head = line[:q-1]
			a.object = unescape(line[q+1:])
		}
	}
	fields := strings.Split(string(head[:min(len(head), 4096)]), ",")
	op := -1
	if a.object != "" || tail != nil {
		// From the start: who runs statements has a name that an administrator gave.
		for i := 3; i+2 < len(fields) && op < 0; i++ {
			if isOperation(fields[i+2]) && allDigits(fields[i]) && allDigits(fields[i+1]) {
				op = i + 2
			}
		}
		if op < 0 || fields[op] != "QUERY" {
			return a, false
		}
		a.code = firstField(tail)
	} else {
		for i := len(fields) - 1; i >= 5 && op < 0; i-- {
			if isOperation(fields[i]) && allDigits(fields[i-1]) && allDigits(fields[i-2]) {
				op = i
			}
		}
		if op < 0 && isAuditStamp(fields[0]) {
			// An operation that is not known, where a known one stands.
			for i := len(fields) - 1; i >= 6 && op < 0; i-- {
				if isUpper(fields[i]) && allDigits(fields[i-1]) && allDigits(fields[i-2]) {
					op = i
				}
			}
		}
		if op < 0 || len(fields)-op > 8 {
			return a, false
		}
		if op+2 < len(fields) {
			a.object = fields[op+2]
		}
		if op+3 < len(fields) {
			a.code = fields[op+3]
		}
	}
	a.operation, a.query, a.thread = fields[op], fields[op-1], fields[op-2]
	if op+1 < len(fields) {
		a.db = fields[op+1]
	}
	before := fields[:op-2]
	if isAuditStamp(before[0]) {
		a.stamp, before = before[0], before[1:]
	}
	if len(before) < 3 || strings.ContainsRune(before[0], ':') { // behind syslog's header
		return a, false
	}
	a.host = before[len(before)-1]
	a.user = strings.Join(before[1:len(before)-1], ",")
	return a, true
}

// isTail knows what follows a statement: ",0" or ",1146,TCP/IP".
func isTail(b []byte) bool {
	if len(b) < 2 || len(b) > 64 || b[0] != ',' || bytes.Count(b, []byte{','}) > 2 {
		return false
	}
	return allDigits(firstField(b))
}

// firstField is the first field of ",a,b".
func firstField(b []byte) string {
	s, _, _ := strings.Cut(strings.TrimPrefix(string(b), ","), ",")
	return strings.TrimSpace(s)
}

func lastFields(line []byte) []byte {
	i := bytes.LastIndexByte(line, ',')
	return line[max(i, 0):]
}

func isUpper(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '_' && (s[i] < 'A' || s[i] > 'Z') {
			return false
		}
	}
	return len(s) > 3
}

func isOperation(s string) bool {
	_, ok := operations[s]
	return ok
}

// isAuditStamp knows "20261126 08:03:01" and Aurora's microseconds since 1970.
func isAuditStamp(s string) bool {
	return len(s) == 17 && s[8] == ' ' && s[11] == ':' && allDigits(s[:8]) || len(s) >= 13 && len(s) <= 19 && allDigits(s)
}

// unescape undoes the plugin's escapes; RDS escapes line ends twice.
func unescape(b []byte) string {
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b)
	}
	var out strings.Builder
	out.Grow(len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out.WriteByte(b[i])
			continue
		}
		i++
		switch b[i] {
		case 'n':
			out.WriteByte('\n')
		case 'r':
			out.WriteByte('\r')
		case 't':
			out.WriteByte('\t')
		case '\'', '"':
			out.WriteByte(b[i])
		case '\\':
			if i+1 < len(b) && (b[i+1] == 'n' || b[i+1] == 'r' || b[i+1] == 't') {
				out.WriteByte(' ')
				i++
				continue
			}
			out.WriteByte('\\')
		default:
			out.WriteByte('\\')
			out.WriteByte(b[i])
		}
	}
	return out.String()
}

// auditTime is the line's time, or its carrier's.
func (rd *reader) auditTime(a *audited, r *record.Record) (time.Time, error) {
	if a.stamp == "" {
		if r.Carrier.Time.IsZero() {
			return time.Time{}, formats.Errorf("time", "syslog's header has no year: let the syslog server write times of ISO 8601 (rsyslog: template RSYSLOG_FileFormat), or server_audit into a file")
		}
		return r.Carrier.Time, nil
	}
	if allDigits(a.stamp) {
		if at, ok := formats.Time(a.stamp, nil); ok {
			return at, nil
		}
		return time.Time{}, formats.ErrTime("the first column")
	}
	at, err := time.ParseInLocation("20060102 15:04:05", a.stamp, rd.zone)
	if err != nil {
		return time.Time{}, formats.ErrTime("the first column")
	}
	return at.UTC(), nil
}

// audit reads one line of server_audit.
func (rd *reader) audit(r *record.Record, emit func(*vigil.Event)) error {
	line, _ := readAudit(r.Text)
	at, err := rd.auditTime(&line, r)
	if err != nil {
		return err
	}
	rd.tick(at)
	a := access{At: at, User: line.user, Host: line.host, Thread: line.thread, DB: line.db, Rows: vigil.Unknown, Affected: vigil.Unknown, Bytes: vigil.Unknown,
		Outcome: outcomeOf(formats.Count(line.code))}
	if background(a.User) || a.User == "" && a.Host == "" {
		return nil
	}
	key := line.thread + "/" + line.query
	switch action := operations[line.operation]; line.operation {
	case "CONNECT", "FAILED_CONNECT", "CHANGEUSER", "DISCONNECT":
		who := rd.threads.get(line.thread)
		if who != nil {
			rd.threads.forget(line.thread)
		}
		switch {
		case line.operation == "FAILED_CONNECT":
			rd.threads.put(line.thread, &thread{Refused: true})
		case line.operation != "DISCONNECT":
		case who != nil && who.Refused:
			return nil
		default:
			a.Outcome = vigil.OutcomeSuccess
		}
		return rd.simple(r, &a, action, "", emit)
	case "QUERY":
		return rd.statement(r, &a, line.object, rd.ended(key, "QUERY", at), emit)
	case "READ", "WRITE", "CREATE", "ALTER", "RENAME", "DROP":
		a.Outcome = vigil.OutcomeUnspecified
		rd.table(r, &a, key, "TABLE", table{DB: formats.Clean(line.db, maxName), Name: formats.Clean(line.object, maxName), Action: action})
	default:
		if !isOperation(line.operation) {
			return rd.simple(r, &a, vigil.ActionOther, formats.Clean(line.object, maxName), emit)
		}
	}
	return nil
}
