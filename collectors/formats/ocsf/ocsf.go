// Package ocsf reads events in the Open Cybersecurity Schema Framework, versions 1.0 to
// 1.5, whoever writes them: Amazon Security Lake, a SIEM, an application. What is an
// access is an event; findings, discovery, processes and connections are not. The fields
// are read by the schema's names, whatever the product puts beside them.
package ocsf

import (
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

const sure = 0.97

// Format returns the format.
func Format() formats.Format {
	return record.New(record.Spec{
		Name: "ocsf",
		Tells: formats.Tells{
			Title: "Open Cybersecurity Schema Framework, also Amazon Security Lake", Group: formats.GroupAny,
			Actor: formats.Partly, Subjects: formats.Partly, Rows: formats.No, Bytes: formats.Partly, Outcome: formats.Yes, Address: formats.Partly,
			Note: "How much is told depends on the product that writes the events.",
		},
		JSON: func(v gjson.Result) float64 {
			if v.Get("class_uid").Type == gjson.Null || v.Get("metadata").Type != gjson.JSON || v.Get("time").Type == gjson.Null && v.Get("time_dt").Type == gjson.Null {
				return 0
			}
			return sure
		},
		New: func(opts formats.Options) (record.Reader, error) {
			w, err := web.New(opts)
			return &reader{web: w}, err
		},
	})
}

type reader struct {
	web    *web.Interpreter
	fields web.Fields
}

// Read reads an event.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	class := int(rec.Int("class_uid"))
	action, ok := r.action(rec, class)
	if !ok {
		return nil
	}
	e := rec.Event()
	e.Time = moment(rec)
	if e.Time.IsZero() {
		return formats.ErrTime("time")
	}
	e.Action = action
	e.IP = formats.Address(rec.Get("src_endpoint.ip"))
	e.UserAgent = rec.Get("http_request.user_agent")
	e.Session = rec.Get("actor.session.uid", "session.uid")
	e.Bytes = rec.Int("query_info.bytes", "http_response.length", "http_response.body_length", "traffic.bytes_out", "file.size")
	actor(rec, class, e)
	outcome(rec, class, e)
	if store := rec.Get("database.name", "databucket.name", "api.service.name", "app.name", "dst_endpoint.svc_name", "dst_endpoint.hostname", "service.name", "metadata.product.name"); e.Store == "" {
		e.Store = store
	}
	e.Resource = rec.Get("table.name", "databucket.file.name", "databucket.name", "file.path", "file.name", "web_resources.0.name", "web_resources.0.url_string",
		"resources.0.type", "resources.0.name", "resource.name", "entity.name", "group.name", "user.name", "database.name", "table.uid")
	if e.Shape = rec.Get("api.operation", "query_info.name", "activity_name"); class/1000 != 6 || e.Shape == "" {
		e.Shape = strings.TrimSpace(rec.Get("class_name") + " " + rec.Get("activity_name"))
	}
	if method, path := rec.Get("http_request.http_method"), rec.Get("http_request.url.path"); method != "" && path != "" && (class == classHTTP || class/1000 == 6) {
		f := &r.fields
		f.Reset()
		f.Set(web.FieldMethod, strings.ToUpper(method))
		f.Set(web.FieldURI, path)
		f.Set(web.FieldArgs, rec.Get("http_request.url.query_string"))
		was := *e
		if r.web.Request(e, f); class != classHTTP && e.Action != vigil.ActionSearch && e.Action != vigil.ActionExport {
			e.Action = was.Action
		}
	}
	// metadata.uid is the id that the product gave the event.
	if uid := rec.Get("metadata.uid"); uid != "" {
		e.ID = uid
	}
	emit(e)
	return nil
}

// moment is the record's time: the milliseconds that the schema requires, or time_dt, its
// finer twin for people, where that is the same or stands alone.
func moment(rec *record.Record) time.Time {
	at, ok := formats.Time(rec.JSON.Get("time").String(), nil)
	finer, found := formats.Time(rec.JSON.Get("time_dt").String(), nil)
	if found && (!ok || finer.Truncate(time.Millisecond).Equal(at)) {
		return finer
	}
	return at
}

// actor fills in who did it.
func actor(rec *record.Record, class int, e *vigil.Event) {
	at := "actor.user."
	if !rec.JSON.Get("actor.user").Exists() && (class == classAuthentication || class == classSession) {
		// Of a login the user is the one who logs in.
		at = "user."
	}
	e.Actor = vigil.Actor{
		ID:     rec.Get(at+"email_addr", at+"name", at+"uid", at+"credential_uid", "actor.session.issuer", "actor.app_name", "actor.invoked_by", "actor.process.user.name", "actor.idp.name"),
		Tenant: rec.Get(at+"org.name", at+"org.uid"),
		App:    rec.Get("actor.app_name", "actor.invoked_by", "actor.process.name"),
		Role:   rec.Get(at + "groups.0.name"),
	}
	switch rec.Int(at + "type_id") {
	case 2:
		e.Actor.Kind = vigil.KindAdmin
	case 3, 4:
		e.Actor.Kind = vigil.KindService
	}
	if e.Actor.ID != "" {
		return
	}
	// The schema lets products leave the actor out.
	if e.Actor.ID, e.Actor.Kind = e.IP, vigil.KindAnonymous; e.IP == "" {
		e.Actor.ID = "anonymous"
	}
}

// outcome fills in how it ended.
func outcome(rec *record.Record, class int, e *vigil.Event) {
	status := rec.Int("http_response.code", "http_response.status_code")
	switch rec.Int("status_id") {
	case 1:
		e.Outcome = vigil.OutcomeSuccess
	case 2:
		e.Outcome = vigil.OutcomeError
		detail := strings.ToLower(rec.Get("status_code") + " " + rec.Get("status_detail") + " " + rec.Get("api.response.error") + " " + rec.Get("disposition"))
		if class == classAuthentication || formats.OutcomeOfStatus(status) == vigil.OutcomeDenied || denied(detail) {
			e.Outcome = vigil.OutcomeDenied
		}
	default:
		e.Outcome = formats.OutcomeOfStatus(status)
	}
	if rec.Int("disposition_id") == 2 { // Blocked
		e.Outcome = vigil.OutcomeDenied
	}
}

func denied(s string) bool {
	for _, word := range [...]string{"denied", "unauthorized", "forbidden", "403", "401", "not authorized"} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}
