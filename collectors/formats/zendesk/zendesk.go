// Package zendesk reads what Zendesk tells of its agents: access logs (who looked at
// what; a part of the Advanced Data Privacy and Protection add-on) and audit logs (what
// was changed, exported, who signed in), as its APIs, webhooks and the audit log's CSV
// export give them. Access logs follow Zendesk's API reference; none of an account was
// at hand.
package zendesk

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
		Name: "zendesk",
		Tells: formats.Tells{
			Title: "Zendesk", Group: formats.GroupDesks, Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.No,
			Bytes: formats.Partly, Outcome: formats.Partly, Address: formats.Yes,
			Note: "Reads are in the access logs alone, which need the Advanced Data Privacy and Protection add-on.",
		},
		JSON: sure,
		CSV:  func(columns []string) float64 { return sure(record.Columns(columns)) },
		New:  func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

func sure(v gjson.Result) float64 {
	if isAudit(v) || isAccess(v) {
		return 0.95
	}
	return 0
}

// isAudit knows entries of the audit log by keys that stand together here alone.
func isAudit(v gjson.Result) bool {
	return has(v, "actor_id", "source_type", "action", "created_at") && (has(v, "change_description") || has(v, "action_label") || has(v, "source_label"))
}

// isAccess knows entries of the access log.
func isAccess(v gjson.Result) bool {
	if !has(v, "timestamp", "user_id", "ip_address") || !has(v, "method") && !has(v, "graphql") {
		return false
	}
	if has(v, "authorization_type") || has(v, "graphql") || has(v, "origin_service") {
		return true
	}
	url := v.Get("url").Str
	return strings.HasPrefix(url, "/api/") || strings.HasPrefix(url, "/agent") || strings.Contains(url, ".zendesk.com/")
}

func has(v gjson.Result, keys ...string) bool {
	for _, k := range keys {
		if !v.Get(k).Exists() {
			return false
		}
	}
	return true
}

type reader struct{}

// Read makes an event of a record.
func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	field, at := "timestamp", r.Get("timestamp")
	if isAudit(r.JSON) {
		field, at = "created_at", r.Get("created_at")
	}
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(at, nil); !ok {
		return formats.ErrTime(field)
	}
	if e.Store == "" {
		e.Store = "zendesk"
	}
	e.ID = r.Get("id")
	e.IP = formats.Address(r.Get("ip_address"))
	if isAudit(r.JSON) {
		return audit(r, e, emit)
	}
	return access(r, e, emit)
}

// who sets the actor: an agent's number, else what is known of them.
func who(e *vigil.Event, id, name string) {
	switch {
	case id == "-1" || id == "" && name == "Zendesk":
		e.Actor.ID, e.Actor.Kind = "zendesk", vigil.KindService
	case id != "":
		e.Actor.ID = id
	case name != "":
		e.Actor.ID = name
	default:
		e.Actor.ID, e.Actor.Kind = "anonymous", vigil.KindAnonymous
		if e.IP != "" {
			e.Actor.ID = e.IP
		}
	}
}
