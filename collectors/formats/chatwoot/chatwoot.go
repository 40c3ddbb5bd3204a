// Package chatwoot reads Chatwoot's audit log (Enterprise): rows of its table audits, or
// what its API gives (GET /api/v1/accounts/ID/audit_logs). It follows the product's
// schema; none of an installation was at hand.
package chatwoot

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
		Name: "chatwoot",
		Tells: formats.Tells{
			Title: "Chatwoot", Group: formats.GroupDesks, Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.No, Address: formats.Yes,
			Note: "Sign-ins, settings and deletions; reads are in its web server's and its database's logs.",
		},
		JSON: sure,
		CSV:  func(columns []string) float64 { return sure(record.Columns(columns)) },
		New:  func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

func sure(v gjson.Result) float64 {
	for _, k := range []string{"auditable_type", "auditable_id", "action", "created_at"} {
		if !v.Get(k).Exists() {
			return 0
		}
	}
	for _, k := range []string{"associated_type", "remote_address", "request_uuid", "audited_changes"} {
		if v.Get(k).Exists() {
			return 0.95
		}
	}
	return 0.4
}

// things are what making or changing an audited thing stands for, where it is more than
// a setting, and the table that holds it.
var things = map[string]struct {
	table  string
	action vigil.Action
}{
	"Account": {"accounts", vigil.ActionConfigure}, "AccountUser": {"account_users", vigil.ActionGrant}, "User": {"users", vigil.ActionConfigure},
	"InboxMember": {"inbox_members", vigil.ActionGrant}, "TeamMember": {"team_members", vigil.ActionGrant}, "AccessToken": {"access_tokens", vigil.ActionGrant},
	"CustomRole": {"custom_roles", vigil.ActionGrant}, "AgentBot": {"agent_bots", vigil.ActionGrant}, "PlatformApp": {"platform_apps", vigil.ActionGrant},
	"Webhook": {"webhooks", vigil.ActionShare}, "Integrations::Hook": {"integrations_hooks", vigil.ActionShare}, "Captain::McpServer": {"captain_mcp_servers", vigil.ActionShare},
	"Conversation": {"conversations", vigil.ActionWrite}, "Contact": {"contacts", vigil.ActionWrite}, "Message": {"messages", vigil.ActionWrite},
	"Inbox": {"inboxes", vigil.ActionConfigure}, "Team": {"teams", vigil.ActionConfigure}, "Macro": {"macros", vigil.ActionConfigure},
	"AutomationRule": {"automation_rules", vigil.ActionConfigure},
}

type reader struct{}

// Read makes an event of a row.
func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(r.Get("created_at"), nil); !ok {
		return formats.ErrTime("created_at")
	}
	if e.Store == "" {
		e.Store = "chatwoot"
	}
	e.ID = r.Get("id")
	e.IP = formats.Address(r.Get("remote_address"))
	switch name, id := r.Get("username", "user.email"), r.Get("user_id", "user.id"); {
	case name != "":
		e.Actor.ID = name
	case id != "":
		e.Actor.ID = id
	default: // the installation's own jobs, or its console
		e.Actor.ID, e.Actor.Kind = "chatwoot", vigil.KindService
	}
	if kind := r.Get("user_type"); kind != "" && kind != "User" {
		e.Actor.Role = kind
		if kind == "AgentBot" {
			e.Actor.Kind = vigil.KindBot
		} else if kind == "SuperAdmin" {
			e.Actor.Kind = vigil.KindAdmin
		}
	}
	if r.Get("associated_type") == "Account" {
		e.Actor.Tenant = r.Get("associated_id")
		e.ResourceTenant = e.Actor.Tenant
	}
	kind, id, did := r.Get("auditable_type"), r.Get("auditable_id"), strings.ToLower(r.Get("action"))
	thing, known := things[kind]
	if !known {
		thing.table, thing.action = strings.ToLower(strings.ReplaceAll(kind, "::", "_")), vigil.ActionConfigure
	}
	e.Resource, e.Action = thing.table, thing.action
	switch {
	case did == "sign_in":
		e.Action = vigil.ActionLogin
	case did == "sign_out":
		e.Action = vigil.ActionLogout
	case did == "destroy":
		e.Action = vigil.ActionDelete
		if thing.action == vigil.ActionGrant {
			e.Action = vigil.ActionConfigure // a right was taken away
		}
	case strings.Contains(did, "export"):
		e.Action = vigil.ActionExport
	}
	switch {
	case e.Action == vigil.ActionLogin || e.Action == vigil.ActionLogout:
	case kind == "Conversation":
		e.Conversation = id
	case kind == "Contact" && id != "":
		e.Subjects, e.SubjectCount = []string{id}, 1
	}
	if e.Resource == "" {
		e.Resource = "audits"
	}
	e.Shape = strings.TrimSpace(did + " " + e.Resource)
	changes := r.JSON.Get("audited_changes")
	if changes.Type == gjson.String && gjson.Valid(changes.Str) {
		changes = gjson.Parse(changes.Str)
	}
	if changes.IsObject() {
		changes.ForEach(func(key, _ gjson.Result) bool {
			e.Fields = append(e.Fields, r.Clean(key.Str, 80))
			return len(e.Fields) < 100
		})
	}
	emit(e)
	return nil
}
