// Package traefik reads the access log of the Traefik proxy: its common log and its JSON
// log. What a request becomes is said in package web. Traefik's own log lines, which may
// stand between, are no accesses.
package traefik

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// The certainties: of Traefik's own keys and tail, of its own log, and of a line that
// any web server may have written.
const (
	sure    = 0.98
	ownLog  = 0.6
	perhaps = 0.45
)

// Format returns the format.
func Format() formats.Format {
	return record.New(record.Spec{
		Name: "traefik",
		Tells: formats.Tells{
			Title: "Traefik", Group: formats.GroupWeb, Actor: formats.Partly, Subjects: formats.Partly,
			Rows: formats.No, Bytes: formats.Yes, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Who it was is told where Traefik authenticates, or a header is kept that names the user.",
		},
		JSON: jsonRecord, Text: textRecord,
		Params: web.Params(),
		New: func(opts formats.Options) (record.Reader, error) {
			w, err := web.New(opts)
			return &reader{web: w, actor: opts.Params[web.ParamActor], session: opts.Params[web.ParamSession], address: opts.Params[web.ParamAddress]}, err
		},
	})
}

func jsonRecord(v gjson.Result) float64 {
	switch {
	case v.Get("RequestMethod").Exists() && v.Get("RequestPath").Exists() && (v.Get("StartUTC").Exists() || v.Get("time").Exists() || v.Get("StartLocal").Exists()):
		return sure
	case isOwnLog(v):
		return ownLog
	}
	return 0
}

// isOwnLog tells what Traefik logs of itself.
func isOwnLog(v gjson.Result) bool {
	return v.Get("level").Exists() && v.Get("time").Exists() &&
		(v.Get("entryPointName").Exists() || v.Get("providerName").Exists() || v.Get("routerName").Exists() || strings.Contains(v.Get("message").Str+v.Get("msg").Str, "Traefik"))
}

func textRecord(line []byte) float64 {
	if ownLine(line) && strings.Contains(string(line), "raefik") {
		return ownLog
	}
	var f web.Fields
	rest, ok := f.Combined(string(line))
	switch {
	case !ok || line[0] == '<' || line[0] == '{':
		return 0
	case web.IsTraefik(rest):
		return sure
	}
	return perhaps
}

// ownLine tells what Traefik and its plugins log of themselves as text.
func ownLine(line []byte) bool {
	s := string(line[:min(len(line), 80)])
	if strings.HasPrefix(s, `time="`) {
		return strings.Contains(s, ` level=`)
	}
	first, rest, _ := strings.Cut(s, " ")
	switch strings.TrimSuffix(first, ":") {
	case "DEBUG", "INFO", "WARN", "WARNING", "ERROR":
		return strings.HasSuffix(first, ":")
	}
	if len(first) >= 20 && first[4] == '-' && first[10] == 'T' {
		switch level, _, _ := strings.Cut(rest, " "); level {
		case "TRC", "DBG", "INF", "WRN", "ERR", "FTL", "PNC":
			return true
		}
	}
	return false
}

// keys are the JSON log's names.
var keys = map[string]web.Field{
	"StartUTC": web.FieldTimeISO, "ClientHost": web.FieldAddress, "ClientUsername": web.FieldUser, "DownstreamStatus": web.FieldStatus,
	"DownstreamContentSize": web.FieldBodyBytes, "RequestMethod": web.FieldMethod, "RequestPath": web.FieldURI,
}

// headers are the names of kept request headers, without "request_", in lower case.
var headers = map[string]web.Field{"user-agent": web.FieldUserAgent, "x-forwarded-for": web.FieldForwarded}

type reader struct {
	web                     *web.Interpreter
	actor, session, address string
	fields                  web.Fields
}

// Recognise is less strict than detection: here the format is settled.
func (r *reader) Recognise(line []byte) float64 {
	if textRecord(line) > 0 || ownLine(line) {
		return sure
	}
	return 0
}

// Read reads a record.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	f := &r.fields
	f.Reset()
	switch {
	case !rec.JSON.Exists() && ownLine(rec.Text):
		return nil
	case !rec.JSON.Exists():
		// The common log of Traefik names no header, and no user but its own.
		f.Combined(string(rec.Text))
	case isOwnLog(rec.JSON) && !rec.JSON.Get("RequestMethod").Exists():
		return nil
	default:
		r.object(rec.JSON)
	}
	e := rec.Event()
	if err := r.web.Fill(e, f); err != nil {
		return err
	}
	emit(e)
	return nil
}

// object takes the fields out of a JSON record.
func (r *reader) object(v gjson.Result) {
	f := &r.fields
	var spare string
	v.ForEach(func(key, value gjson.Result) bool {
		name, text := key.Str, value.String()
		switch {
		case name == "":
		case name == r.actor:
			f.Set(web.FieldActor, text)
		case name == r.session:
			f.Set(web.FieldSession, text)
		case name == r.address:
			f.Set(web.FieldAddress, web.WithoutPort(text))
		case name == "time" || name == "StartLocal" && spare == "":
			spare = text
		case name == "ClientHost" && r.address != "":
		case strings.HasPrefix(name, "request_"):
			f.Set(headers[strings.ToLower(name[len("request_"):])], text)
		default:
			f.Set(keys[name], text)
		}
		return true
	})
	if !f.HasTime() {
		f.Set(web.FieldTimeISO, spare)
	}
	if !f.Has(web.FieldAddress) {
		f.Set(web.FieldAddress, web.WithoutPort(v.Get("ClientAddr").Str))
	}
}
