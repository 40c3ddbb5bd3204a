// Package ecs reads events in the Elastic Common Schema, as Beats, Elastic Agent, ECS
// loggers and Elasticsearch's own exports write them, with nested or with dotted keys.
// It is for what comes only in that schema: where the original record is within
// (event.original, message), the format of that record is found first and tells more.
// Metrics, alerts, processes and connections are no accesses.
package ecs

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/web"
)

// How sure the format is of an event, and of one that lacks what the schema asks for:
// many systems write their own logs in its manner. Both are less than a format of its own
// is of what is within.
const (
	sure    = 0.75
	perhaps = 0.45
)

// Format returns the format.
func Format() formats.Format {
	return record.New(record.Spec{
		Name: "ecs",
		Tells: formats.Tells{
			Title: "Elastic Common Schema, of Beats, Elastic Agent and ECS loggers", Group: formats.GroupAny,
			Actor: formats.Partly, Subjects: formats.Partly, Rows: formats.No, Bytes: formats.Partly, Outcome: formats.Partly, Address: formats.Partly,
			Note: "How much is told depends on the product that writes the events.",
		},
		JSON: recognise,
		New: func(opts formats.Options) (record.Reader, error) {
			w, err := web.New(opts)
			return &reader{web: w}, err
		},
	})
}

func recognise(v gjson.Result) float64 {
	switch {
	case get(v, "@timestamp") == "":
		return 0
	case get(v, "ecs.version") != "" && (get(v, "event.category") != "" || get(v, "event.action") != ""):
		return sure
	case get(v, "event.category") != "" && get(v, "event.kind") != "":
		return sure
	case get(v, "ecs.version") != "":
		return perhaps
	}
	return 0
}

// get is the value of a field, whose key may be nested, dotted, or half of each; of a
// list the first.
func get(v gjson.Result, field string) string {
	got := find(v, field)
	if got.IsArray() {
		got = got.Get("0")
	}
	if got.IsObject() {
		return ""
	}
	return got.String()
}

func find(v gjson.Result, field string) gjson.Result {
	if got := v.Get(strings.ReplaceAll(field, "@", `\@`)); got.Exists() {
		return got
	}
	if !strings.Contains(field, ".") {
		return gjson.Result{}
	}
	if got := v.Get(strings.ReplaceAll(field, ".", `\.`)); got.Exists() {
		return got
	}
	first, rest, _ := strings.Cut(field, ".")
	return v.Get(first + "." + strings.ReplaceAll(rest, ".", `\.`))
}

// list are all values of a field.
func list(v gjson.Result, field string) (out []string) {
	got := find(v, field)
	if !got.IsArray() {
		return append(out, got.String())
	}
	for _, item := range got.Array() {
		out = append(out, item.String())
	}
	return out
}

type reader struct {
	web    *web.Interpreter
	fields web.Fields
}

// RecogniseObject is less strict than detection: here the format is settled.
func (r *reader) RecogniseObject(v gjson.Result) float64 {
	if recognise(v) > 0 {
		return sure
	}
	return 0
}

// Read reads an event.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	v := rec.JSON
	text := func(most int, fields ...string) string {
		for _, f := range fields {
			if s := rec.Clean(get(v, f), most); s != "" && s != "-" {
				return s
			}
		}
		return ""
	}
	user := text(256, "user.email", "user.name", "client.user.email", "client.user.name", "source.user.email", "source.user.name", "user.id", "client.user.id", "source.user.id")
	ip := formats.Address(text(64, "client.ip", "source.ip", "client.address", "source.address"))
	action, ok := action(v)
	if !ok || user == "" && ip == "" {
		return nil
	}
	e := rec.Event()
	if e.Time, ok = formats.Time(get(v, "@timestamp"), nil); !ok {
		return formats.ErrTime("@timestamp")
	}
	e.Action, e.IP = action, ip
	e.Actor = vigil.Actor{ID: user, Role: text(128, "user.roles", "user.group.name"), Tenant: text(128, "organization.id", "organization.name")}
	if user == "" {
		e.Actor = vigil.Actor{ID: ip, Kind: vigil.KindAnonymous}
	}
	e.UserAgent = text(512, "user_agent.original")
	e.Session = text(256, "session.id", "event.session.id", "transaction.id")
	if e.Store == "" {
		e.Store = text(128, "service.name", "event.dataset", "event.module", "observer.product")
	}
	e.Resource = text(256, "file.path", "file.name", "elasticsearch.index.name", "orchestrator.resource.name", "group.name", "user.target.name")
	e.Shape = text(128, "event.action", "event.code")
	e.Bytes = formats.Count(text(32, "http.response.body.bytes", "http.response.bytes", "destination.bytes", "file.size"))
	status := formats.Count(text(32, "http.response.status_code"))
	switch strings.ToLower(get(v, "event.outcome")) {
	case "success":
		e.Outcome = vigil.OutcomeSuccess
	case "failure":
		e.Outcome = vigil.OutcomeError
		if formats.OutcomeOfStatus(status) == vigil.OutcomeDenied || action == vigil.ActionLogin || has(list(v, "event.type"), "denied") {
			e.Outcome = vigil.OutcomeDenied
		}
	default:
		if e.Outcome = formats.OutcomeOfStatus(status); e.Outcome == vigil.OutcomeUnspecified && has(list(v, "event.type"), "denied") {
			e.Outcome = vigil.OutcomeDenied
		}
	}
	if path := get(v, "url.path"); path != "" || get(v, "url.original") != "" {
		f := &r.fields
		f.Reset()
		f.Set(web.FieldMethod, strings.ToUpper(get(v, "http.request.method")))
		if path == "" {
			path = get(v, "url.original")
		}
		f.Set(web.FieldURI, path)
		f.Set(web.FieldArgs, get(v, "url.query"))
		if f.Get(web.FieldMethod) != "" {
			r.web.Request(e, f)
		}
	}
	emit(e)
	return nil
}

func has(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// categories say what is done where neither the action's name nor the type tells. A
// category that is not here is no access.
var categories = map[string]vigil.Action{
	"api": vigil.ActionOther, "authentication": vigil.ActionLogin, "configuration": vigil.ActionConfigure, "database": vigil.ActionOther, "email": vigil.ActionOther,
	"file": vigil.ActionOther, "iam": vigil.ActionConfigure, "library": vigil.ActionOther, "session": vigil.ActionLogin, "web": vigil.ActionRead,
}

// types say what an event's type does, the most telling first.
var types = []struct {
	name   string
	action vigil.Action
}{
	{"deletion", vigil.ActionDelete}, {"creation", vigil.ActionWrite}, {"change", vigil.ActionWrite}, {"access", vigil.ActionRead}, {"admin", vigil.ActionConfigure},
}

// action is what an event is; ok is false for no access.
func action(v gjson.Result) (a vigil.Action, ok bool) {
	switch get(v, "event.kind") {
	case "metric", "alert", "signal", "state", "pipeline_error", "enrichment", "asset":
		return "", false
	}
	var by vigil.Action
	category := ""
	for _, c := range list(v, "event.category") {
		if by, ok = categories[c]; ok {
			category = c
			break
		}
		if c == "" && get(v, "event.action") != "" {
			by, ok = vigil.ActionOther, true // the schema asks for a category, not all give one
		}
	}
	if !ok {
		return "", false
	}
	kinds := list(v, "event.type")
	if category == "authentication" || category == "session" {
		if has(kinds, "end") || formats.Verb(get(v, "event.action")) == vigil.ActionLogout {
			return vigil.ActionLogout, true
		}
		return vigil.ActionLogin, true
	}
	if category == "iam" {
		for _, word := range [...]string{"member", "role", "privilege", "permission", "polic", "grant"} {
			if strings.Contains(strings.ToLower(get(v, "event.action")), word) {
				return vigil.ActionGrant, true
			}
		}
	}
	if verb := formats.Verb(get(v, "event.action")); verb != vigil.ActionOther {
		return verb, true
	}
	for _, t := range types {
		if has(kinds, t.name) && by != vigil.ActionConfigure {
			return t.action, true
		}
	}
	return by, true
}
