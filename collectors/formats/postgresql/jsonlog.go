package postgresql

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"vigil/collectors/formats"
)

// jsonlog reads one object a line.
type jsonlog struct{ d *decoder }

func newJSON(d *decoder) framer { return &jsonlog{d: d} }

func (*jsonlog) open() (int64, bool) { return 0, false }
func (*jsonlog) flush()              {}

// jsonRecord are the keys that are used.
type jsonRecord struct {
	Timestamp string `json:"timestamp"`
	User      string `json:"user"`
	Database  string `json:"dbname"`
	PID       int64  `json:"pid"`
	Host      string `json:"remote_host"`
	Session   string `json:"session_id"`
	Start     string `json:"session_start"`
	Severity  string `json:"error_severity"`
	State     string `json:"state_code"`
	Message   string `json:"message"`
	Detail    string `json:"detail"`
	Statement string `json:"statement"`
	App       string `json:"application_name"`
}

func (j *jsonlog) line(l formats.Line) {
	if len(bytes.TrimSpace(l.Text)) == 0 {
		return
	}
	var v jsonRecord
	if err := json.Unmarshal(l.Text, &v, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)); err != nil {
		j.d.fail(l, "json", "line is not an object of a jsonlog: cut, or not from PostgreSQL")
		return
	}
	at, ok := j.d.clock.Read(v.Timestamp)
	if !ok {
		j.d.fail(l, "time", "timestamp %q is not read: set log_timezone to the server's own, as an IANA name", cut(v.Timestamp, 40))
		return
	}
	if !isSeverity(v.Severity) {
		j.d.fail(l, "format", "error_severity %q is not PostgreSQL's: set lc_messages to C on the server", cut(v.Severity, 40))
		return
	}
	r := record{
		from: formats.Line{Offset: l.Offset, Number: l.Number}, hash: j.d.hashOf(l.Text), at: at,
		user: v.User, db: v.Database, app: v.App, host: v.Host, session: v.Session, severity: v.Severity,
		state: v.State, message: v.Message, detail: v.Detail, statement: v.Statement,
	}
	if v.PID > 0 {
		r.pid = strconv.FormatInt(v.PID, 10)
	}
	r.start, _ = j.d.clock.Read(v.Start)
	j.d.record(&r)
}
