package mysql

import (
	"strings"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// general is a record of the general query log: time, thread, command, argument, with
// tabs between. MySQL from 5.7 prints each time with its zone; before that, and in
// MariaDB, it is the server's own and left out where the second has not changed.
type general struct {
	stamp, thread, command, argument string
}

// commands are those that the server has; true for those whose argument is a user's
// text and may have many lines.
var commands = map[string]bool{
	"Query": true, "Execute": true, "Prepare": true, "Connect": false, "Quit": false, "Init DB": true, "Field List": true, "Create DB": true,
	"Drop DB": true, "Refresh": false, "Shutdown": false, "Statistics": false, "Processlist": false, "Connect Out": false, "Kill": false,
	"Debug": false, "Ping": false, "Time": false, "Delayed insert": false, "Change user": false, "Binlog Dump": false,
	"Binlog Dump GTID": false, "Table Dump": false, "Register Slave": false, "Register Replica": false, "Long Data": false,
	"Close stmt": true, "Reset stmt": true, "Set option": false, "Fetch": true, "Daemon": false, "Error": false, "Reset Connection": false,
	"Reset connection": false, "Sleep": false, "Slave_IO": false, "Slave_SQL": false, "Slave_worker": false, "Bulk execute": true, "Com_multi": false,
	"Clone": false, "Unimpl get tid": false,
}

// multiline says that the record may go on in the next line.
func (g *general) multiline() bool { return commands[g.command] }

// readGeneral reads a record of the general log; ok is false for what is none.
func readGeneral(text []byte) (g general, ok bool) {
	// Cheap looks first: nearly all lines of other kinds end here.
	i := 0
	for i < len(text) && i < 40 && text[i] != '\t' && text[i] != '\n' {
		i++
	}
	stamp := 0
	if i > 0 && i < len(text) && text[i] == '\t' && isStamp(text[:i]) {
		stamp = i
	}
	j := stamp
	for j < len(text) && (text[j] == ' ' || text[j] == '\t') {
		j++
	}
	id := j
	for j < len(text) && text[j] >= '0' && text[j] <= '9' {
		j++
	}
	if j == id || j-id > 20 || j >= len(text) || text[j] != ' ' || stamp == 0 && j-id > 12 {
		return g, false
	}
	name := j + 1
	for j = name; j < len(text) && j-name < 20 && text[j] != '\t' && text[j] != '\n'; j++ {
	}
	command := string(text[name:j])
	if j == len(text) { // a shipper may have cut the last tab
		command = strings.TrimRight(command, " ")
	}
	// A command that is not known is one where the record has its time.
	if _, known := commands[command]; !known && (stamp == 0 || !isCommand(command)) || j < len(text) && text[j] != '\t' {
		return g, false
	}
	g = general{stamp: string(text[:stamp]), thread: string(text[id : name-1]), command: command}
	if j < len(text) {
		g.argument = string(text[j+1:])
	}
	return g, true
}

// isCommand knows what looks like one.
func isCommand(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != ' ' && c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return len(s) > 2 && s[0] >= 'A' && s[0] <= 'Z'
}

// isStamp knows "2026-11-26T08:03:01.123456Z" and "261126  8:03:01".
func isStamp(b []byte) bool {
	if len(b) >= 19 && b[4] == '-' && b[10] == 'T' && b[13] == ':' {
		return true
	}
	return len(b) == 15 && b[6] == ' ' && b[9] == ':' && b[12] == ':'
}

// readStamp reads a time of the text logs: with its zone, or the server's own.
func readStamp(s string, zone *time.Location) (time.Time, bool) {
	if len(s) > 10 && s[4] == '-' {
		return formats.Time(s, zone)
	}
	if len(s) != 15 {
		return time.Time{}, false
	}
	if s[7] == ' ' {
		s = s[:7] + "0" + s[8:]
	}
	at, err := time.ParseInLocation("060102 15:04:05", s, zone)
	return at.UTC(), err == nil
}

// general reads one record of the general log.
func (rd *reader) general(r *record.Record, emit func(*vigil.Event)) error {
	g, _ := readGeneral(r.Text)
	if g.stamp != "" {
		at, ok := readStamp(g.stamp, rd.zone)
		if !ok {
			return formats.ErrTime("the record's time")
		}
		rd.second = at
	}
	at := rd.second
	if at.IsZero() {
		at = r.Carrier.Time
	}
	rd.tick(at)
	a := access{At: at, Thread: g.thread, Rows: vigil.Unknown, Affected: vigil.Unknown, Bytes: vigil.Unknown}
	who := rd.threads.get(g.thread)
	refused := g.command == "Init DB" && strings.HasPrefix(g.argument, "Access denied for user '")
	if refused && rd.settle(g.thread, vigil.OutcomeDenied) {
		rd.threads.forget(g.thread)
		return nil // a login to a database that is not the user's
	}
	if g.command != "Connect" && g.command != "Change user" {
		if who != nil {
			a.User, a.Host, a.DB = who.User, who.Host, who.DB
		}
		rd.settle(g.thread, vigil.OutcomeSuccess)
	}
	switch g.command {
	case "Connect", "Change user":
		return rd.connect(r, &a, &g)
	case "Quit":
		rd.threads.forget(g.thread)
		if who == nil {
			return nil // nobody knows who left
		}
		return rd.simple(r, &a, vigil.ActionLogout, "", emit)
	case "Init DB":
		if refused {
			a.Outcome = vigil.OutcomeDenied
			_, db, _ := strings.Cut(g.argument, "' to database '")
			return rd.simple(r, &a, vigil.ActionOther, formats.Clean(strings.TrimSuffix(db, "'"), maxName), emit)
		}
		if who != nil {
			who.DB = formats.Clean(g.argument, maxName)
		}
		return nil
	case "Query", "Execute", "Bulk execute":
		return rd.statement(r, &a, g.argument, nil, emit)
	case "Create DB", "Drop DB", "Shutdown":
		return rd.simple(r, &a, vigil.ActionConfigure, formats.Clean(g.argument, maxName), emit)
	case "Kill":
		return rd.simple(r, &a, vigil.ActionOther, "kill", emit)
	case "Binlog Dump", "Binlog Dump GTID":
		return rd.simple(r, &a, vigil.ActionExport, "binary log", emit)
	case "Table Dump":
		return rd.simple(r, &a, vigil.ActionExport, formats.Clean(g.argument, maxName), emit)
	}
	return nil // no access: Ping, Prepare (its Execute is), Close stmt, ...
}

// connect reads "maria@198.51.100.7 on desk using TCP/IP" and
// "Access denied for user 'maria'@'198.51.100.7' (using password: YES)".
func (rd *reader) connect(r *record.Record, a *access, g *general) error {
	if at := strings.Index(g.argument, "Access denied for user '"); at >= 0 {
		user, rest, ok := cutLast(g.argument[at+len("Access denied for user '"):], "'@'")
		if !ok {
			return formats.Errorf("format", "the refused login names no user@host")
		}
		host, _, _ := strings.Cut(rest, "'")
		rd.threads.forget(g.thread)
		if rd.settle(g.thread, vigil.OutcomeDenied) {
			return nil
		}
		a.User, a.Host, a.Outcome = user, host, vigil.OutcomeDenied
		return rd.hold(r, a, vigil.ActionLogin, true)
	}
	rd.settle(g.thread, vigil.OutcomeUnspecified)
	text := g.argument
	if i := strings.LastIndex(text, " using "); i >= 0 {
		text = text[:i]
	}
	account, db, found := cutLast(text, " on ")
	if !found {
		account = strings.TrimSuffix(text, " on")
	}
	account, _, _ = strings.Cut(account, " as ")
	user, host, ok := cutLast(account, "@")
	if !ok {
		return formats.Errorf("format", "the connection names no user@host")
	}
	a.User, a.Host, a.DB = user, host, strings.TrimSpace(db)
	if background(a.User) {
		return nil
	}
	rd.threads.put(g.thread, &thread{User: formats.Clean(a.User, maxName), Host: formats.Clean(a.Host, maxName), DB: formats.Clean(a.DB, maxName)})
	return rd.hold(r, a, vigil.ActionLogin, false)
}

// cutLast cuts around the last sep.
func cutLast(s, sep string) (before, rest string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
