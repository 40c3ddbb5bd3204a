package mysql

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// slowStatement is the statement in a slow log's record: what stands behind the lines
// that begin with "#", "use db;" and "SET timestamp=..;". Empty while there is none.
func slowStatement(text string) string {
	rest := text
	for head := true; rest != ""; {
		line, after, _ := strings.Cut(rest, "\n")
		switch {
		case head && strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# administrator command"):
		case head && hasFold(line, "use ") && strings.HasSuffix(strings.TrimSpace(line), ";"):
		case head && isTimestamp(line):
			head = false
		default:
			return rest
		}
		rest = after
	}
	return ""
}

// isTimestamp knows "SET timestamp=1528898676;", before which other settings may stand.
func isTimestamp(line string) bool {
	return hasFold(line, "set ") && strings.Contains(line, "timestamp=") && !strings.ContainsAny(line, "'\"")
}

func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// slow reads a record of the slow query log.
func (rd *reader) slow(r *record.Record, emit func(*vigil.Event)) error {
	text := string(r.Text)
	a := access{Rows: vigil.Unknown, Affected: vigil.Unknown, Bytes: vigil.Unknown}
	sql := slowStatement(text)
	errno := vigil.Unknown
	var printed string
	for line := range strings.Lines(text[:len(text)-len(sql)]) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "# Time: "):
			printed = line[len("# Time: "):]
		case strings.HasPrefix(line, "# User@Host: "):
			if !readAccount(line[len("# User@Host: "):], &a) {
				return formats.Errorf("actor", "the line User@Host names no user")
			}
		case strings.HasPrefix(line, "#"):
			errno = max(errno, readFigures(line[1:], &a))
		case hasFold(line, "use "):
			rd.slowDB = formats.Clean(strings.Trim(strings.TrimRight(line[len("use "):], "; "), "`"), maxName)
		case isTimestamp(line):
			_, v, _ := cutLast(line, "timestamp=")
			a.At, _ = formats.Time(strings.TrimRight(v, "; "), nil)
		}
	}
	if a.At.IsZero() {
		a.At, _ = readStamp(printed, rd.zone)
	}
	if a.At.IsZero() {
		a.At = r.Carrier.Time
	}
	if a.User == "" && a.Host == "" {
		return formats.Errorf("actor", "the record has no line User@Host: the file was cut here")
	}
	rd.tick(a.At)
	if a.DB == "" {
		a.DB = rd.slowDB
	}
	sql = strings.TrimRight(sql, " \r\n")
	if sql == "" || strings.HasPrefix(sql, "# administrator command") || background(a.User) {
		return nil
	}
	a.Outcome = outcomeOf(errno)
	return rd.statement(r, &a, sql, nil, emit)
}

// readAccount reads "privileges[user] @ host [address]  Id:  12".
func readAccount(s string, a *access) bool {
	account, place, ok := cutLast(s, " @ ")
	if !ok {
		return false
	}
	priv, login, ok := cutLast(strings.TrimSuffix(account, "]"), "[")
	if a.User = strings.TrimSpace(login); !ok || a.User == "" {
		a.User = strings.TrimSpace(priv)
	}
	host, rest, ok := strings.Cut(place, "[")
	a.Host = strings.TrimSpace(host)
	if ok {
		ip, after, _ := strings.Cut(rest, "]")
		if ip != "" {
			a.IP = ip
		}
		if _, id, ok := strings.Cut(after, "Id:"); ok {
			a.Thread = strings.TrimSpace(id)
		}
	}
	return true
}

// readFigures reads "Name: value  Name: value" and returns the error's number, -1 where
// none is told.
func readFigures(line string, a *access) (errno int64) {
	errno = vigil.Unknown
	words := strings.Fields(line)
	for i, w := range words {
		if !strings.HasSuffix(w, ":") || i+1 == len(words) || strings.HasSuffix(words[i+1], ":") {
			continue
		}
		v := words[i+1]
		switch w {
		case "Thread_id:":
			a.Thread = v
		case "Schema:":
			a.DB = v
		case "Rows_sent:":
			a.Rows = formats.Count(v)
		case "Rows_affected:":
			a.Affected = formats.Count(v)
		case "Bytes_sent:":
			a.Bytes = formats.Count(v)
		case "Errno:", "Last_errno:":
			errno = formats.Count(v)
		}
	}
	return errno
}

// outcomeOf is how a statement ended, by the server's error number.
func outcomeOf(errno int64) vigil.Outcome {
	switch errno {
	case vigil.Unknown:
		return vigil.OutcomeUnspecified
	case 0:
		return vigil.OutcomeSuccess
	// Access denied, to databases, tables, columns, routines, for want of a privilege.
	case 1044, 1045, 1142, 1143, 1148, 1227, 1290, 1370, 1410, 1449, 1698, 1873, 3118, 3159, 3530, 3748, 3955, 4151, 4031, 1130, 1129, 1862, 1820:
		return vigil.OutcomeDenied
	}
	return vigil.OutcomeError
}

// background names the server's own threads.
func background(user string) bool {
	switch strings.TrimSpace(user) {
	case "system user", "SQL_SLAVE", "event_scheduler", "boot", "mysql.session", "mysql.sys", "skip-grants user":
		return true
	}
	return false
}
