// Package panther reads the audit log of the Panther SIEM: who looked at and changed its
// settings, users, roles and searches.
package panther

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

const sure = 0.97

// Format returns the format.
func Format() formats.Format {
	return record.New(record.Spec{
		Name: "panther",
		Tells: formats.Tells{
			Title: "Panther's audit log", Group: formats.GroupAny,
			Actor: formats.Yes, Subjects: formats.No, Rows: formats.No, Bytes: formats.No, Outcome: formats.Yes, Address: formats.Yes,
		},
		JSON: func(v gjson.Result) float64 {
			if v.Get("actionName").Type == gjson.String && v.Get("actionResult").Exists() && v.Get("actor.type").Exists() {
				return sure
			}
			return 0
		},
		New: func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

// actions are those whose first word tells less than what they do.
var actions = map[string]vigil.Action{
	"SIGN_IN": vigil.ActionLogin, "SIGN_OUT": vigil.ActionLogout, "EXECUTE_DATALAKE_QUERY": vigil.ActionSearch, "EXECUTE_DATA_LAKE_QUERY": vigil.ActionSearch,
	"CREATE_USER_ROLE": vigil.ActionGrant, "UPDATE_USER_ROLE": vigil.ActionGrant, "CREATE_API_TOKEN": vigil.ActionGrant, "ROTATE_API_TOKEN": vigil.ActionConfigure,
	"UPDATE_USER": vigil.ActionConfigure, "INVITE_USER": vigil.ActionGrant,
}

type reader struct{}

// Read reads a record.
func (reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	e := rec.Event()
	var ok bool
	if e.Time, ok = formats.Time(rec.Get("timestamp", "p_event_time"), nil); !ok {
		return formats.ErrTime("timestamp")
	}
	name := rec.Get("actionName")
	if e.Action, ok = actions[name]; !ok {
		e.Action = formats.Verb(name)
		if e.Action == vigil.ActionWrite && strings.HasSuffix(name, "_SETTINGS") {
			e.Action = vigil.ActionConfigure
		}
	}
	e.Shape = name
	if _, object, found := strings.Cut(strings.ToLower(name), "_"); found {
		e.Resource = object
	}
	e.Actor.ID = rec.Get("actor.attributes.email", "actor.name", "actor.id")
	e.Actor.Role = rec.Get("actor.attributes.roleName")
	if kind := rec.Get("actor.type"); kind != "" && kind != "USER" || rec.Get("actor.name") == "System" {
		e.Actor.Kind = vigil.KindService
	}
	if e.Actor.ID == "" {
		return formats.Errorf("actor", "the record names no actor")
	}
	e.IP = formats.Address(rec.Get("sourceIP"))
	e.UserAgent = rec.Get("userAgent")
	switch rec.Get("actionResult") {
	case "SUCCEEDED", "SUCCESS":
		e.Outcome = vigil.OutcomeSuccess
	case "DENIED", "UNAUTHORIZED":
		e.Outcome = vigil.OutcomeDenied
	case "FAILED", "FAILURE", "PARTIALLY_FAILED":
		e.Outcome = vigil.OutcomeError
	}
	emit(e)
	return nil
}
