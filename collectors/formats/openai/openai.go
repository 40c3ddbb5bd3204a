// Package openai reads the audit log of an OpenAI organisation, as the API gives it
// (GET /v1/organization/audit_logs).
package openai

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: "openai",
		Tells: formats.Tells{
			Title: "OpenAI", Group: formats.GroupBots, Actor: formats.Yes, Subjects: formats.No, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.Partly, Address: formats.Partly,
			Note: "Keys, members, roles, sign-ins and settings; not what was asked of a model, nor who read it.",
		},
		JSON: func(v gjson.Result) float64 {
			if v.Get("object").Str == "organization.audit_log" || v.Get("effective_at").Exists() && v.Get("type").Exists() && v.Get("actor").Exists() {
				return 0.95
			}
			return 0
		},
		New: func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

// actions are what the kinds of entries stand for; any other is a setting.
var actions = map[string]vigil.Action{
	"login.succeeded": vigil.ActionLogin, "login.failed": vigil.ActionLogin, "logout.succeeded": vigil.ActionLogout, "logout.failed": vigil.ActionLogout,
	"api_key.created": vigil.ActionGrant, "service_account.created": vigil.ActionGrant, "user.added": vigil.ActionGrant, "user.updated": vigil.ActionGrant,
	"invite.sent": vigil.ActionGrant, "invite.accepted": vigil.ActionGrant, "role.assignment.created": vigil.ActionGrant, "role.bound_to_resource": vigil.ActionGrant,
	"checkpoint.permission.created": vigil.ActionGrant, "checkpoint_permission.created": vigil.ActionGrant, "external_key.registered": vigil.ActionGrant,
	"group.created": vigil.ActionGrant, "certificate.created": vigil.ActionGrant,
	"resource.deleted": vigil.ActionDelete, "project.deleted": vigil.ActionDelete, "file.deleted": vigil.ActionDelete, "data.export.created": vigil.ActionExport,
}

type reader struct{}

// Read makes an event of an entry.
func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(r.Get("effective_at", "created_at"), nil); !ok {
		return formats.ErrTime("effective_at")
	}
	if e.Store == "" {
		e.Store = "openai"
	}
	e.ID = r.Get("id")
	e.IP = formats.Address(r.Get("actor.session.ip_address", "actor.ip_address"))
	e.UserAgent = r.Get("actor.session.user_agent", "actor.user_agent")
	kind := r.Get("type")
	switch id, key := r.Get("actor.session.user.email", "actor.session.user.id", "actor.api_key.user.email", "actor.api_key.user.id"), r.Get("actor.api_key.service_account.id", "actor.api_key.id"); {
	case id != "":
		e.Actor.ID = id
	case key != "":
		e.Actor.ID, e.Actor.Kind = key, vigil.KindService
	case strings.HasPrefix(kind, "login"):
		e.Actor.ID, e.Actor.Kind = "anonymous", vigil.KindAnonymous
		if e.IP != "" {
			e.Actor.ID = e.IP
		}
	default:
		return formats.Errorf("actor", "actor names nobody")
	}
	if r.Get("actor.type") == "api_key" {
		e.Actor.App = "api key"
	}
	if e.Action, ok = actions[kind]; !ok {
		e.Action = vigil.ActionConfigure
	}
	e.Outcome = vigil.OutcomeSuccess
	if kind == "login.failed" {
		e.Outcome = vigil.OutcomeDenied
	} else if strings.HasSuffix(kind, ".failed") {
		e.Outcome = vigil.OutcomeError
	}
	if e.Resource, _, _ = strings.Cut(kind, "."); e.Resource == "" {
		e.Resource = "organization"
	}
	e.Shape = kind
	emit(e)
	return nil
}
