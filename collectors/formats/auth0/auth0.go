// Package auth0 reads Auth0's tenant logs, as log streams and the Management API give
// them.
//
// One record is one event. The type's code says what was done: by the table in types.go.
// Calls of the Management API are read by their method and path: they show and change
// the customers' records.
package auth0

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "auth0"

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Auth0 tenant logs", Group: formats.GroupIdentity,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.No, Bytes: formats.No, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Reads by the Management API are told in part only; changes and exports always.",
		},
		JSON: sure,
		New:  func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

func sure(v gjson.Result) float64 {
	d := v
	if v.Get("data.type").Exists() && v.Get("data.date").Exists() {
		d = v.Get("data")
	}
	if d.Get("type").Type != gjson.String || !d.Get("date").Exists() || len(d.Get("type").Str) > 40 {
		return 0
	}
	id := v.Get("log_id").Exists() || d.Get("log_id").Exists() || strings.HasPrefix(d.Get("_id").Str, "900")
	if !id {
		return 0
	}
	for _, key := range [...]string{"client_id", "client_name", "user_agent", "user_id", "connection", "hostname", "details", "tenant_name", "ip"} {
		if d.Get(key).Exists() {
			return 0.95
		}
	}
	return 0.4
}

type reader struct{}

func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	v := r.JSON
	if d := v.Get("data"); d.Get("type").Exists() && d.Get("date").Exists() {
		v = d
	}
	get := func(paths ...string) string {
		for _, p := range paths {
			if s := r.String(v.Get(p), 512); s != "" {
				return s
			}
		}
		return ""
	}
	code := get("type")
	t := typeOf(code)
	if t.action == "" {
		return nil
	}
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(v.Get("date").String(), nil); !ok {
		return formats.ErrTime("date")
	}
	e.ID = get("log_id", "_id")
	e.Action, e.Resource, e.Outcome, e.Shape = t.action, t.resource, t.outcome, code
	if e.Store == "" {
		e.Store = get("tenant_name", "hostname")
	}
	e.IP = formats.Address(get("ip", "details.request.ip"))
	e.UserAgent = get("user_agent")
	e.Actor.App = get("client_name", "client_id")
	e.Session = get("details.session_id")
	if request := v.Get("details.request"); t.action == byRequest {
		api(r, e, request)
		if status := formats.OutcomeOfStatus(formats.Count(v.Get("details.response.statusCode").String())); status != vigil.OutcomeUnspecified {
			e.Outcome = status
		}
	} else if e.Action == vigil.ActionLogin && e.Resource == "application" && e.Actor.App != "" {
		e.Resource = e.Actor.App
	}
	e.Actor.ID, e.Actor.Kind = get("user_id", "user_name", "details.request.auth.user.user_id", "details.request.auth.user.email"), vigil.KindHuman
	if e.Actor.ID == "" {
		// An application with a token of its own.
		e.Actor.ID, e.Actor.Kind = get("client_id", "client_name", "details.request.auth.credentials.clientId"), vigil.KindService
	}
	if e.Actor.ID == "" && e.IP != "" {
		e.Actor.ID, e.Actor.Kind = e.IP, vigil.KindAnonymous
	}
	if e.Actor.ID == "" {
		return formats.Errorf("actor", "the record names no user, client or address")
	}
	if len(e.Subjects) == 1 && e.Subjects[0] == e.Actor.ID {
		e.Subjects, e.SubjectCount = nil, vigil.Unknown
	}
	emit(e)
	return nil
}
