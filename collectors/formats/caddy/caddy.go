// Package caddy reads the access log of the Caddy web server, version 2: its JSON, and
// the lines of its console encoder. What Caddy logs beside (its own start, certificates,
// a firewall's warnings) is no access. What a request becomes is said in package web.
package caddy

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// How sure the format is of an access, and of another line that Caddy logs.
const (
	sure   = 0.97
	ownLog = 0.6
)

// errorLog is the logger of errors in handling requests.
const errorLog = "http.log.error"

// Format returns the format.
func Format() formats.Format {
	return record.New(record.Spec{
		Name: "caddy",
		Tells: formats.Tells{
			Title: "Caddy", Group: formats.GroupWeb, Actor: formats.Partly, Subjects: formats.Partly,
			Rows: formats.No, Bytes: formats.Yes, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Who it was is told where Caddy authenticates, or a request header names the user.",
		},
		JSON: jsonRecord, Text: textRecord,
		Params: web.Params(),
		New: func(opts formats.Options) (record.Reader, error) {
			w, err := web.New(opts)
			return &reader{web: w, actor: opts.Params[web.ParamActor], session: opts.Params[web.ParamSession], address: opts.Params[web.ParamAddress]}, err
		},
	})
}

// isAccess tells the object of an access: a request with method and path, and a status.
// An error is logged with its request too, beside the access.
func isAccess(v gjson.Result) bool {
	request := v.Get("request")
	return !strings.HasPrefix(v.Get("logger").Str, errorLog) && request.Get("uri").Exists() && request.Get("method").Exists() && v.Get("status").Exists() && !v.Get("attributes").Exists()
}

func jsonRecord(v gjson.Result) float64 {
	logger := v.Get("logger").Str
	switch {
	case isAccess(v) && (strings.HasPrefix(logger, "http.log.") || v.Get("ts").Exists() || v.Get("msg").Str == "handled request"):
		return sure
	case v.Get("level").Exists() && v.Get("ts").Exists() && v.Get("msg").Exists() && isLogger(logger):
		return ownLog
	}
	return 0
}

// isLogger tells the names of Caddy's own loggers.
func isLogger(name string) bool {
	first, _, _ := strings.Cut(name, ".")
	switch first {
	case "http", "tls", "admin", "pki", "events", "caddy", "caddyfile":
		return true
	}
	return false
}

// console takes a line of the console encoder apart: time, level, logger, message and
// what belongs to it as JSON, between tabs.
func console(line []byte) (at, logger string, fields gjson.Result, ok bool) {
	parts := bytes.SplitN(line, []byte{'\t'}, 5)
	if len(parts) < 4 || len(parts[0]) < 19 {
		return "", "", fields, false
	}
	switch string(bytes.TrimSpace(parts[1])) {
	case "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "PANIC":
	default:
		return "", "", fields, false
	}
	if last := parts[len(parts)-1]; len(last) > 1 && last[0] == '{' && gjson.ValidBytes(last) {
		fields = gjson.ParseBytes(last)
	}
	return string(parts[0]), string(parts[2]), fields, true
}

func textRecord(line []byte) float64 {
	_, logger, fields, ok := console(line)
	switch {
	case !ok:
		return 0
	case isAccess(fields):
		return sure
	case isLogger(logger):
		return ownLog
	}
	return 0
}

type reader struct {
	web                     *web.Interpreter
	actor, session, address string
	fields                  web.Fields
}

// Read reads a record.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	v, at, logger := rec.JSON, rec.JSON.Get("ts").String(), ""
	if !v.Exists() {
		at, logger, v, _ = console(rec.Text)
	}
	if strings.HasPrefix(logger, errorLog) || !isAccess(v) {
		return nil
	}
	f := &r.fields
	f.Reset()
	f.Set(web.FieldTimeISO, r.moment(at))
	request := v.Get("request")
	f.Set(web.FieldMethod, request.Get("method").Str)
	f.Set(web.FieldURI, request.Get("uri").Str)
	f.Set(web.FieldStatus, v.Get("status").String())
	f.Set(web.FieldBodyBytes, v.Get("size").String())
	f.Set(web.FieldUser, v.Get("user_id").String())
	f.Set(web.FieldActor, value(v, r.actor))
	f.Set(web.FieldSession, value(v, r.session))
	headers := request.Get("headers")
	f.Set(web.FieldUserAgent, header(headers, "User-Agent"))
	// client_ip is what Caddy found with its own trusted_proxies; before 2.7 there is none,
	// before 2.5 the address has its port.
	for _, a := range [...]string{value(v, r.address), request.Get("client_ip").Str, request.Get("remote_ip").Str, request.Get("remote_addr").Str} {
		if a != "" {
			f.Set(web.FieldAddress, web.WithoutPort(a))
			break
		}
	}
	if !request.Get("client_ip").Exists() {
		f.Set(web.FieldForwarded, header(headers, "X-Forwarded-For"))
	}
	if f.Get(web.FieldStatus) == "0" {
		// Nothing was written: a handler that hijacked the connection, or who asked went away.
		f.Set(web.FieldStatus, "-")
	}
	e := rec.Event()
	if err := r.web.Fill(e, f); err != nil {
		return err
	}
	emit(e)
	return nil
}

// moment gives a time in a form that package web reads. Caddy's time_format may be any
// of those that formats.Time knows, or the wall clock's.
func (r *reader) moment(s string) string {
	if strings.Contains(s, "/") && len(s) >= 19 && s[4] == '/' && s[7] == '/' {
		s = s[:4] + "-" + s[5:7] + "-" + s[8:]
	}
	if at, ok := formats.Time(s, r.web.Times.Zone); ok {
		return at.Format("2006-01-02T15:04:05.999999999Z07:00")
	}
	return s
}

// value is the value at a path of the record, the first of a list.
func value(v gjson.Result, path string) string {
	if path == "" {
		return ""
	}
	got := v.Get(path)
	if got.IsArray() {
		got = got.Get("0")
	}
	return got.String()
}

// header is the value of a request header, whatever its case.
func header(headers gjson.Result, name string) string {
	if v := value(headers, name); v != "" {
		return v
	}
	out := ""
	headers.ForEach(func(key, v gjson.Result) bool {
		if strings.EqualFold(key.Str, name) {
			out = v.Get("0").String()
		}
		return out == ""
	})
	return out
}
