// Package intercom reads Intercom's admin activity logs, as its API gives them
// (GET /admins/activity_logs). It follows Intercom's API reference; none of a workspace
// was at hand.
package intercom

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
		Name: "intercom",
		Tells: formats.Tells{
			Title: "Intercom", Group: formats.GroupDesks, Actor: formats.Yes, Subjects: formats.No, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.Partly, Address: formats.Yes,
			Note: "Changes, exports and sign-ins of teammates; Intercom writes no log of who read a conversation.",
		},
		JSON: func(v gjson.Result) float64 {
			if v.Get("activity_type").Exists() && v.Get("performed_by").IsObject() && v.Get("created_at").Exists() {
				return 0.95
			}
			return 0
		},
		New: func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

// actions are the activities whose words alone would mislead.
var actions = map[string]vigil.Action{
	"admin_login_success": vigil.ActionLogin, "admin_login_failure": vigil.ActionLogin, "admin_unauthorized_sign_in_method": vigil.ActionLogin,
	"admin_logout": vigil.ActionLogout, "admin_impersonation_start": vigil.ActionImpersonate, "admin_impersonation_end": vigil.ActionOther,
	"admin_impersonation_consent_approved": vigil.ActionGrant, "admin_permission_change": vigil.ActionGrant, "admin_provisioned": vigil.ActionGrant, "app_admin_join": vigil.ActionGrant,
	"admin_invite_creation": vigil.ActionGrant, "admin_invite_change": vigil.ActionGrant, "role_change": vigil.ActionGrant, "role_creation": vigil.ActionGrant,
	"inbox_access_change": vigil.ActionGrant, "team_membership_change": vigil.ActionGrant,
	"app_data_export": vigil.ActionExport, "bulk_export": vigil.ActionExport, "conversation_export": vigil.ActionExport,
	"app_data_deletion": vigil.ActionDelete, "bulk_delete": vigil.ActionDelete, "conversation_deletion": vigil.ActionDelete, "conversation_part_deletion": vigil.ActionDelete,
	"message_deletion": vigil.ActionDelete, "message_state_change": vigil.ActionWrite, "app_package_installation": vigil.ActionGrant,
	"app_webhook_creation": vigil.ActionShare, "oauth_client_creation": vigil.ActionGrant, "access_token_creation": vigil.ActionGrant,
	"admin_away_mode_change": vigil.ActionOther, "admin_assignment_limit_change": vigil.ActionOther, "temporary_expectation_change": vigil.ActionOther,
}

type reader struct{}

// Read makes an event of an activity.
func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(r.Get("created_at"), nil); !ok {
		return formats.ErrTime("created_at")
	}
	if e.Store == "" {
		e.Store = "intercom"
	}
	e.ID = r.Get("id")
	e.IP = formats.Address(r.Get("performed_by.ip"))
	switch id := r.Get("performed_by.email", "performed_by.id"); {
	case id != "":
		e.Actor.ID = id
	case r.Get("performed_by.type") != "admin" && r.Get("performed_by.type") != "":
		e.Actor.ID, e.Actor.Kind = r.Get("performed_by.type"), vigil.KindService
	default:
		return formats.Errorf("actor", "performed_by names nobody")
	}
	kind := r.Get("activity_type")
	switch e.Action, ok = actions[kind]; {
	case ok:
	case strings.HasSuffix(kind, "_export"):
		e.Action = vigil.ActionExport
	default:
		// A change of what Intercom does, one of its settings or somebody's.
		e.Action = vigil.ActionConfigure
	}
	e.Outcome = vigil.OutcomeSuccess
	if kind == "admin_login_failure" || kind == "admin_unauthorized_sign_in_method" {
		e.Outcome = vigil.OutcomeDenied
	}
	e.Shape = kind
	e.Resource, _, _ = strings.Cut(kind, "_")
	if e.Resource == "" {
		e.Resource = "workspace"
	}
	e.Conversation = r.Get("metadata.conversation_id", "metadata.conversation.id")
	for _, path := range []string{"metadata.contact_id", "metadata.contact.id", "metadata.user_id", "metadata.external_id"} {
		if id := r.Get(path); id != "" {
			e.Subjects, e.SubjectCount = []string{id}, 1
			break
		}
	}
	e.Rows = r.Int("metadata.count", "metadata.contact_count", "metadata.user_count", "metadata.total")
	emit(e)
	return nil
}
