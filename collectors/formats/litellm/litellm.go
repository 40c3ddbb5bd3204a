// Package litellm reads what the LiteLLM proxy tells of its use: spend logs (rows of
// LiteLLM_SpendLogs), the payload that it gives its logging callbacks, and its audit log
// of keys, users, teams and models.
package litellm

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: "litellm",
		Tells: formats.Tells{
			Title: "LiteLLM", Group: formats.GroupBots, Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.Yes, Address: formats.Partly,
			Note: "Calls of models and tools by key and user; give end_user and session_id with each call, or nobody is known for whom it was.",
		},
		JSON: sure,
		CSV:  func(columns []string) float64 { return sure(record.Columns(columns)) },
		New:  func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

func has(v gjson.Result, keys ...string) bool {
	for _, k := range keys {
		if !v.Get(k).Exists() {
			return false
		}
	}
	return true
}

func isAudit(v gjson.Result) bool {
	return has(v, "table_name", "action", "object_id") && (has(v, "changed_by") || has(v, "changed_by_api_key"))
}

func sure(v gjson.Result) float64 {
	switch {
	case has(v, "request_id", "call_type", "startTime") && (has(v, "spend") || has(v, "api_key")),
		has(v, "call_type", "startTime", "response_cost") && (has(v, "model_group") || has(v, "hidden_params") || has(v, "metadata")):
		return 0.95
	case isAudit(v):
		if table := v.Get("table_name").Str; table == "" || strings.HasPrefix(table, "LiteLLM_") {
			return 0.95
		}
	}
	return 0
}

type reader struct{}

// held is a value that is JSON, or a string that holds JSON.
func held(v gjson.Result) gjson.Result {
	if v.Type == gjson.String && gjson.Valid(v.Str) {
		return gjson.Parse(v.Str)
	}
	return v
}

// Read makes events of a record.
func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	if isAudit(r.JSON) {
		return audit(r, emit)
	}
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(r.Get("startTime"), nil); !ok {
		return formats.ErrTime("startTime")
	}
	// The id alone could be a client's own; the same record again is the same event.
	e.ID = fmt.Sprintf("%s-%016x", r.Get("request_id", "id"), formats.RecordHash(r.Text))
	meta := held(r.JSON.Get("metadata"))
	get := func(keys ...string) string {
		for _, k := range keys {
			if s := r.Get(k); s != "" {
				return s
			}
			if s := r.String(meta.Get(k), 512); s != "" {
				return s
			}
		}
		return ""
	}
	e.IP = formats.Address(get("requester_ip_address"))
	e.UserAgent = get("user_agent")
	e.Conversation = get("session_id", "trace_id")
	e.Actor.App = get("user_api_key_alias", "agent_id")
	e.Actor.Team, e.Actor.Tenant = get("user_api_key_team_alias", "team_id", "user_api_key_team_id"), get("organization_id", "user_api_key_org_id")
	who(e, get)
	e.Outcome = vigil.OutcomeSuccess
	if s := get("status"); s == "failure" || s == "error" {
		e.Outcome = vigil.OutcomeError
		if code := formats.Count(r.String(meta.Get("error_information.error_code"), 8)); code != vigil.Unknown && code >= 100 {
			e.Outcome = formats.OutcomeOfStatus(code)
		}
	}
	e.Action, e.Resource = vigil.ActionExecute, get("model_group", "model")
	if e.Resource == "" {
		e.Resource = "model"
	}
	e.Shape = get("call_type")
	if tool := get("mcp_namespaced_tool_name", "mcp_tool_call_metadata.namespaced_tool_name", "mcp_tool_call_metadata.name"); tool != "" {
		e.Resource, e.Shape = tool, "tool "+tool
		if e.Action = formats.Verb(tool); e.Action == vigil.ActionOther {
			e.Action = vigil.ActionExecute
		}
	}
	plain := *e
	emit(e)
	// What was looked for in stores of documents, for the model to read.
	n := 0
	stores := held(meta.Get("vector_store_request_metadata"))
	look := func(_, one gjson.Result) bool {
		if n++; n > 32 {
			return false
		}
		f := plain
		f.Action, f.Shape = vigil.ActionSearch, "retrieve"
		if f.Resource = r.String(one.Get("vector_store_id"), 256); f.Resource == "" {
			return true
		}
		if found := one.Get("vector_store_search_response.data"); found.IsArray() {
			f.Rows = found.Get("#").Int()
		}
		emit(&f)
		return true
	}
	if stores.IsArray() {
		stores.ForEach(look)
	} else if stores.IsObject() {
		look(gjson.Result{}, stores)
	}
	return nil
}

// who sets the actor: the user of the key, else the key. A call for an end user is a
// bot's, and the end user its principal.
func who(e *vigil.Event, get func(...string) string) {
	user, alias, key := get("user", "user_api_key_user_id"), get("user_api_key_alias"), get("api_key", "user_api_key_hash", "user_api_key")
	switch {
	case user != "" && user != "default_user_id":
		e.Actor.ID = user
	case alias != "":
		e.Actor.ID, e.Actor.Kind = alias, vigil.KindService
	case key != "":
		e.Actor.ID, e.Actor.Kind = key, vigil.KindService
	case user != "":
		e.Actor.ID, e.Actor.Kind = user, vigil.KindAdmin
	default:
		e.Actor.ID, e.Actor.Kind = "anonymous", vigil.KindAnonymous
		if e.IP != "" {
			e.Actor.ID = e.IP
		}
	}
	if end := get("end_user", "user_api_key_end_user_id"); end != "" {
		e.Principal, e.Actor.Kind = end, vigil.KindBot
	}
}

// audit reads a row of the audit log.
func audit(r *record.Record, emit func(*vigil.Event)) error {
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(r.Get("updated_at", "created_at"), nil); !ok {
		return formats.ErrTime("updated_at")
	}
	e.ID = r.Get("id")
	switch by, key := r.Get("changed_by"), r.Get("changed_by_api_key"); {
	case by == "default_user_id":
		e.Actor.ID, e.Actor.Kind = by, vigil.KindAdmin
	case by != "":
		e.Actor.ID = by
	case key != "":
		e.Actor.ID, e.Actor.Kind = key, vigil.KindService
	default:
		return formats.Errorf("actor", "changed_by and changed_by_api_key name nobody")
	}
	e.Resource = strings.TrimPrefix(r.Get("table_name"), "LiteLLM_")
	did := r.Get("action")
	switch {
	case did == "deleted":
		e.Action = vigil.ActionDelete
	case did == "created" && (strings.Contains(e.Resource, "Token") || strings.Contains(e.Resource, "User") || strings.Contains(e.Resource, "Team")):
		e.Action = vigil.ActionGrant
	default:
		e.Action = vigil.ActionConfigure
	}
	e.Shape, e.Outcome = strings.TrimSpace(did+" "+e.Resource), vigil.OutcomeSuccess
	emit(e)
	return nil
}
