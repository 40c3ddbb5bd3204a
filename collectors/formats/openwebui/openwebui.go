// Package openwebui reads Open WebUI's audit log (audit.log, one JSON object a request).
// It follows the product's source; none of an installation was at hand.
package openwebui

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
		Name: "openwebui",
		Tells: formats.Tells{
			Title: "Open WebUI", Group: formats.GroupBots, Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.Partly, Address: formats.Yes,
			Note: "Reads are audited with ENABLE_AUDIT_GET_REQUESTS alone, outcomes at the level REQUEST_RESPONSE.",
		},
		JSON: func(v gjson.Result) float64 {
			if v.Get("audit_level").Exists() && v.Get("verb").Exists() && v.Get("request_uri").Exists() {
				return 0.95
			}
			return 0
		},
		New: func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

// about says what a path is about: a prefix of it, below /api/v1 or from the root.
type about struct {
	prefix, resource string
	// action is what a request does, where its method alone would mislead.
	action vigil.Action
}

// paths are those that matter, the more particular first.
var paths = []about{
	{"auths/signin", "session", vigil.ActionLogin}, {"auths/ldap", "session", vigil.ActionLogin}, {"auths/signup", "users", vigil.ActionGrant},
	{"auths/signout", "session", vigil.ActionLogout}, {"auths/api_key", "api_keys", vigil.ActionGrant}, {"auths/add", "users", vigil.ActionGrant}, {"auths/admin", "configs", vigil.ActionConfigure},
	{"utils/db/download", "database", vigil.ActionExport}, {"utils/litellm", "configs", vigil.ActionExport},
	{"chats/all", "chats", vigil.ActionExport}, {"chats/search", "chats", vigil.ActionSearch}, {"chats", "chats", ""},
	{"channels", "channels", ""}, {"messages", "messages", ""}, {"memories/query", "memories", vigil.ActionSearch}, {"memories", "memories", ""}, {"notes", "notes", ""},
	{"files", "files", ""}, {"knowledge", "knowledge", ""}, {"retrieval/query", "documents", vigil.ActionSearch}, {"retrieval/process", "documents", vigil.ActionWrite}, {"retrieval", "documents", vigil.ActionConfigure},
	{"evaluations/feedbacks/all/export", "feedbacks", vigil.ActionExport}, {"evaluations/feedback", "feedbacks", ""},
	{"users/search", "users", vigil.ActionSearch}, {"users/permissions", "users", vigil.ActionGrant}, {"users/default/permissions", "users", vigil.ActionGrant}, {"users/update/role", "users", vigil.ActionGrant}, {"users", "users", ""},
	{"groups", "groups", vigil.ActionGrant}, {"configs/export", "configs", vigil.ActionExport}, {"configs", "configs", vigil.ActionConfigure},
	{"functions", "functions", vigil.ActionConfigure}, {"tools", "tools", vigil.ActionConfigure}, {"pipelines", "pipelines", vigil.ActionConfigure}, {"models", "models", vigil.ActionConfigure}, {"prompts", "prompts", vigil.ActionConfigure},
	{"chat/completions", "models", vigil.ActionExecute}, {"chat/completed", "models", vigil.ActionExecute}, {"embeddings", "models", vigil.ActionExecute}, {"generate", "models", vigil.ActionExecute},
}

type reader struct{}

// Read makes an event of a request.
func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(r.Get("timestamp"), nil); !ok {
		return formats.ErrTime("timestamp")
	}
	if e.Store == "" {
		e.Store = "openwebui"
	}
	e.ID = r.Get("id")
	e.IP, e.UserAgent = formats.Address(r.Get("source_ip")), r.Get("user_agent")
	if status := r.Int("response_status_code"); status > 0 {
		e.Outcome = formats.OutcomeOfStatus(status)
	}
	request(r, e)
	e.Actor.Role = r.Get("user.role")
	if e.Actor.ID = r.Get("user.email", "user.id", "user.name"); e.Actor.ID == "" && (e.Action == vigil.ActionLogin || e.Resource == "users") {
		// Nobody is signed in yet: the name is in what was sent.
		e.Actor.ID = sent(r, "email", "user")
	}
	switch {
	case e.Actor.ID == "":
		e.Actor.ID, e.Actor.Kind = "anonymous", vigil.KindAnonymous
		if e.IP != "" {
			e.Actor.ID = e.IP
		}
	case e.Actor.Role == "admin":
		e.Actor.Kind = vigil.KindAdmin
	}
	emit(e)
	return nil
}

// sent is a value of the body of a request, which may be cut off. No other part of a
// body is looked at.
func sent(r *record.Record, keys ...string) string {
	body := r.JSON.Get("request_object")
	text := body.Raw
	if body.Type == gjson.String {
		text = body.Str
	}
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return ""
	}
	for _, k := range keys {
		if v := gjson.Get(text, k); v.Type == gjson.String {
			return r.String(v, 256)
		}
	}
	return ""
}

// request reads the method and the address.
func request(r *record.Record, e *vigil.Event) {
	verb := strings.ToUpper(r.Get("verb"))
	target := r.Get("request_uri")
	if u, err := url.Parse(target); err == nil {
		target = u.Path
		for _, key := range []string{"limit", "count"} {
			if n := formats.Count(u.Query().Get(key)); n != vigil.Unknown {
				e.Limit = n
			}
		}
	} else {
		target, _, _ = strings.Cut(target, "?")
	}
	target = strings.Trim(target, "/")
	for _, prefix := range []string{"api/v1/", "api/", "ollama/", "openai/", "api/"} {
		target = strings.TrimPrefix(target, prefix)
	}
	var found about
	for _, p := range paths {
		if target == p.prefix || strings.HasPrefix(target, p.prefix+"/") {
			found = p
			break
		}
	}
	var shape []string
	segments := strings.Split(target, "/")
	last := ""
	for i, seg := range segments[:min(len(segments), 16)] {
		if isID(seg) {
			switch {
			case found.resource == "chats" && i > 0 && segments[i-1] == "user", found.resource == "users":
				e.Subjects, e.SubjectCount = []string{formats.Clean(seg, 64)}, 1
			case found.resource == "chats" && e.Conversation == "" || found.resource == "channels" && e.Conversation == "":
				e.Conversation = formats.Clean(seg, 64)
			}
			seg = "{id}"
		}
		last = formats.Clean(seg, 60)
		shape = append(shape, last)
	}
	e.Shape = strings.TrimSpace(verb + " /" + strings.Join(shape, "/"))
	if e.Resource = found.resource; e.Resource == "" {
		e.Resource = shape[0]
	}
	if e.Resource == "" {
		e.Resource = "/"
	}
	switch verb {
	case "GET", "HEAD":
		e.Action = vigil.ActionRead
	case "DELETE":
		e.Action = vigil.ActionDelete
	case "POST", "PUT", "PATCH":
		e.Action = vigil.ActionWrite
	default:
		e.Action = vigil.ActionOther
	}
	switch reads := e.Action == vigil.ActionRead; {
	case found.action == "":
	case reads && (found.action == vigil.ActionConfigure || found.action == vigil.ActionGrant || found.action == vigil.ActionExecute):
	case e.Action == vigil.ActionDelete && found.action != vigil.ActionConfigure && found.action != vigil.ActionGrant:
	case e.Action == vigil.ActionDelete:
		e.Action = vigil.ActionConfigure
	default:
		e.Action = found.action
	}
	switch {
	case last == "share" && verb != "DELETE":
		e.Action = vigil.ActionShare
	case e.Action == vigil.ActionRead && (last == "content" || last == "export" || last == "download" || last == "db"):
		e.Action = vigil.ActionExport
	case found.resource == "users" && last == "role":
		e.Action = vigil.ActionGrant
	}
	if e.Action == vigil.ActionExecute {
		e.Conversation = sent(r, "chat_id")
	}
}

// isID says that a segment is a UUID or a long number of hexadecimal digits.
func isID(s string) bool {
	return len(s) >= 16 && strings.Trim(s, "0123456789abcdefABCDEF-") == ""
}
