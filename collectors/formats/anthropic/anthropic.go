// Package anthropic reads the activity feed of Anthropic's Compliance API
// (GET /v1/compliance/activities): what people, keys and integrations did in Claude and
// in the console.
package anthropic

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
		Name: "anthropic",
		Tells: formats.Tells{
			Title: "Anthropic", Group: "chatbot", Actor: formats.Yes, Subjects: formats.No, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.Partly, Address: formats.Yes,
			Note: "Chats, files and projects that were opened, shared and exported, keys, roles, sign-ins and settings.",
		},
		JSON: func(v gjson.Result) float64 {
			if actor := v.Get("actor.type").Str; strings.HasSuffix(actor, "_actor") && v.Get("type").Exists() && v.Get("created_at").Exists() {
				return 0.95
			}
			return 0
		},
		New: func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
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
		e.Store = "anthropic"
	}
	e.ID = r.Get("id")
	e.IP, e.UserAgent = formats.Address(r.Get("actor.ip_address")), r.Get("actor.user_agent")
	switch kind, id := r.Get("actor.type"), r.Get("actor.email_address", "actor.user_id", "actor.service_account_id", "actor.api_key_id", "actor.admin_api_key_id", "actor.client_id", "actor.id", "actor.unauthenticated_email_address"); {
	case strings.HasPrefix(kind, "unauthenticated") || strings.HasPrefix(kind, "anonymous"):
		e.Actor.Kind = vigil.KindAnonymous
		if e.Actor.ID = id; id == "" {
			e.Actor.ID = e.IP
		}
		if e.Actor.ID == "" {
			e.Actor.ID = "anonymous"
		}
	case id != "":
		if e.Actor.ID = id; kind != "user_actor" {
			e.Actor.Kind, e.Actor.App = vigil.KindService, strings.TrimSuffix(kind, "_actor")
		}
	case kind != "user_actor": // Anthropic's own, a directory's synchronisation
		e.Actor.ID, e.Actor.Kind = strings.TrimSuffix(kind, "_actor"), vigil.KindService
	default:
		return formats.Errorf("actor", "actor names nobody")
	}
	kind := r.Get("type")
	e.Action, e.Outcome = action(kind)
	e.Resource, e.Shape = resource(kind), kind
	if e.Conversation = r.Get("claude_chat_id", "chat_id"); e.Conversation == "" && e.Resource == "claude_chat" {
		e.Conversation = r.Get("resource_id")
	}
	emit(e)
	return nil
}

// credentials are what lets somebody in: making it grants.
var credentials = []string{"api_key", "access_key", "service_account", "mcp_server", "integration", "connector", "invite", "member", "user_added", "oauth", "token", "owner_transferred", "role_assignment", "seat_assigned", "group_member"}

// action is what the name of an activity says: names end with what was done.
func action(kind string) (vigil.Action, vigil.Outcome) {
	outcome := vigil.OutcomeSuccess
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(kind, w) {
				return true
			}
		}
		return false
	}
	if has("_failed", "_denied", "_blocked", "_rejected") {
		outcome = vigil.OutcomeDenied
	}
	data := has("chat", "project", "file", "artifact", "conversation", "document", "message", "memory", "session_")
	done := kind[strings.LastIndexByte(kind, '_')+1:]
	switch {
	case has("logout", "logged_out", "signed_out"):
		return vigil.ActionLogout, outcome
	case has("login", "logged_in", "signed_in", "magic_link", "sso_second_factor"):
		return vigil.ActionLogin, outcome
	case has("export", "download"):
		return vigil.ActionExport, outcome
	case has("impersonat"):
		return vigil.ActionImpersonate, outcome
	case has("shar", "published"):
		return vigil.ActionShare, outcome
	case done == "granted", done == "transferred", (done == "created" || done == "added" || done == "assigned" || done == "accepted" || done == "sent" || done == "enabled") && hasAny(kind, credentials):
		return vigil.ActionGrant, outcome
	case done == "viewed", done == "accessed", done == "opened", done == "listed", has("access_failed", "retrieved"):
		return vigil.ActionRead, outcome
	case has("search", "queried"):
		return vigil.ActionSearch, outcome
	case data && done == "deleted":
		return vigil.ActionDelete, outcome
	case data && !has("settings", "org_", "organization"):
		return vigil.ActionWrite, outcome
	}
	return vigil.ActionConfigure, outcome
}

func hasAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// resource is the name of an activity without what was done.
func resource(kind string) string {
	for _, end := range []string{"_access_failed", "_sharing_updated"} {
		if s, ok := strings.CutSuffix(kind, end); ok {
			return s
		}
	}
	if i := strings.LastIndexByte(kind, '_'); i > 0 {
		return kind[:i]
	}
	if kind == "" {
		return "activity"
	}
	return kind
}
