// Package anthropic reads the activity feed of Anthropic's Compliance API
// (GET /v1/compliance/activities): what people, keys and integrations did in Claude and
// in the console.
package anthropic

import (
	"net/url"
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
			Title: "Anthropic", Group: formats.GroupBots, Actor: formats.Yes, Subjects: formats.No, Rows: formats.No,
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
	if kind == "compliance_api_accessed" {
		api(r, e)
	}
	if id := r.Get("claude_chat_id", "chat_id"); id != "" {
		e.Conversation = id
	}
	if e.Conversation == "" && e.Resource == "claude_chat" {
		e.Conversation = r.Get("resource_id")
	}
	emit(e)
	return nil
}

// api reads what a program asked of the Compliance API, which gives out chats and files.
func api(r *record.Record, e *vigil.Event) {
	if status := r.Int("status_code"); status != vigil.Unknown {
		e.Outcome = formats.OutcomeOfStatus(status)
	}
	u, err := url.Parse(r.Get("url"))
	if err != nil {
		return
	}
	var shape []string
	for seg := range strings.SplitSeq(strings.Trim(strings.TrimPrefix(u.Path, "/v1/compliance"), "/"), "/") {
		if seg = formats.Clean(seg, 64); strings.HasPrefix(seg, "claude_chat_") {
			e.Conversation = seg
		}
		if strings.ContainsAny(seg, "0123456789") || strings.HasPrefix(seg, "claude_") {
			seg = "{id}"
		}
		if shape = append(shape, seg); len(shape) == 12 {
			break
		}
	}
	method := strings.ToUpper(r.Get("request_method"))
	e.Shape = strings.TrimSpace(method + " /" + strings.Join(shape, "/"))
	e.Limit = formats.Count(u.Query().Get("limit"))
	if method == "DELETE" {
		e.Action = vigil.ActionDelete
	}
}

// exceptions are activities whose names would mislead.
var exceptions = map[string]vigil.Action{
	"claude_chat_snapshot_created": vigil.ActionShare, "claude_user_role_updated": vigil.ActionGrant, "org_user_updated": vigil.ActionGrant,
	"session_revoked": vigil.ActionConfigure, "phone_code_sent": vigil.ActionOther, "phone_code_verified": vigil.ActionLogin, "age_verified": vigil.ActionOther,
	"lti_launch_initiated": vigil.ActionLogin, "lti_launch_success": vigil.ActionLogin, "sso_second_factor_magic_link": vigil.ActionLogin,
	"org_invite_link_generated": vigil.ActionGrant, "org_invite_link_regenerated": vigil.ActionGrant, "primary_owner_transferred": vigil.ActionGrant,
	"extra_usage_credit_granted": vigil.ActionConfigure, "abuse_decision_received": vigil.ActionOther, "org_sync_synchronized_files_deleted": vigil.ActionDelete,
}

// results are endings that tell how it went, with what they tell.
var results = map[string]vigil.Outcome{
	"failed": vigil.OutcomeDenied, "denied": vigil.OutcomeDenied, "blocked": vigil.OutcomeDenied, "rejected": vigil.OutcomeDenied, "invalid": vigil.OutcomeDenied,
	"initiated": vigil.OutcomeUnspecified, "attempted": vigil.OutcomeUnspecified, "started": vigil.OutcomeUnspecified, "requested": vigil.OutcomeUnspecified,
}

// verbs are endings that tell what was done, whatever it was done to.
var verbs = map[string]vigil.Action{
	"viewed": vigil.ActionRead, "accessed": vigil.ActionRead, "access": vigil.ActionRead, "opened": vigil.ActionRead, "listed": vigil.ActionRead, "retrieved": vigil.ActionRead,
	"downloaded": vigil.ActionExport, "exported": vigil.ActionExport, "export": vigil.ActionExport, "shared": vigil.ActionShare, "published": vigil.ActionShare,
	"granted": vigil.ActionGrant, "impersonated": vigil.ActionImpersonate,
}

// action is what the name of an activity says. Names end with what was done, and some
// with how it went behind that.
func action(kind string) (vigil.Action, vigil.Outcome) {
	outcome := vigil.OutcomeSuccess
	name, last := kind, ending(kind)
	if o, ok := results[last]; ok {
		outcome = o
	}
	if a, ok := exceptions[kind]; ok {
		return a, outcome
	}
	if _, ok := results[last]; ok || last == "succeeded" || last == "success" || last == "completed" {
		name = strings.TrimSuffix(kind, "_"+last)
		last = ending(name)
	}
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains("_"+name+"_", "_"+w+"_") {
				return true
			}
		}
		return false
	}
	if a, ok := verbs[last]; ok && !strings.Contains(name, "_export_") {
		return a, outcome
	}
	made := last == "created" || last == "added" || last == "assigned" || last == "sent" || last == "accepted" || last == "approved" || last == "connected"
	admin := has("org", "organization", "platform_workspace", "rbac", "group", "marketplace")
	data := has("chat", "project", "file", "files", "artifact", "conversation", "document", "message", "memory", "snapshot", "comments")
	switch {
	case has("login", "logged_in", "signed_in"):
		return vigil.ActionLogin, outcome
	case has("logout", "logged_out", "signed_out"):
		return vigil.ActionLogout, outcome
	case has("export"):
		return vigil.ActionExport, outcome
	case strings.HasSuffix(name, "_sharing_updated"), has("share") && last == "created":
		return vigil.ActionShare, outcome
	case made && has("key", "service", "integration", "connector", "member", "user", "invite", "re_sent", "request", "mcp_server", "role", "permission", "token", "owner", "seat"):
		return vigil.ActionGrant, outcome
	case data && !admin && (last == "deleted" || last == "deletion"):
		return vigil.ActionDelete, outcome
	case data && !admin && !has("integration", "source", "code_review"):
		return vigil.ActionWrite, outcome
	}
	return vigil.ActionConfigure, outcome
}

// ending is the last word of a name.
func ending(name string) string { return name[strings.LastIndexByte(name, '_')+1:] }

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
