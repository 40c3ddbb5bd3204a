// Package botpress reads the audit records of a Botpress Cloud workspace, as its API
// gives them (GET /v1/admin/workspaces/ID/audit-records). It follows Botpress' API
// reference; none of a workspace was at hand.
package botpress

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
		Name: "botpress",
		Tells: formats.Tells{
			Title: "Botpress", Group: formats.GroupBots, Actor: formats.Yes, Subjects: formats.No, Rows: formats.No,
			Bytes: formats.No, Outcome: formats.Partly, Address: formats.No,
			Note: "Members, bots and settings of a workspace; Botpress writes no log of who read a conversation.",
		},
		JSON: func(v gjson.Result) float64 {
			if v.Get("recordedAt").Exists() && v.Get("action").Exists() && (v.Get("userId").Exists() || v.Get("userEmail").Exists()) {
				return 0.95
			}
			return 0
		},
		New: func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

// actions are what the kinds of records stand for; any other is a setting.
var actions = map[string]vigil.Action{
	"ADD_WORKSPACE_MEMBER": vigil.ActionGrant, "UPDATE_WORKSPACE_MEMBER": vigil.ActionGrant, "TRANSFER_BOT": vigil.ActionShare,
	"DOWNLOAD_BOT_ARCHIVE": vigil.ActionExport, "DELETE_BOT": vigil.ActionDelete, "CLOSE_WORKSPACE": vigil.ActionDelete, "UNKNOWN": vigil.ActionOther,
}

type reader struct{}

// Read makes an event of an audit record.
func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(r.Get("recordedAt"), nil); !ok {
		return formats.ErrTime("recordedAt")
	}
	if e.Store == "" {
		e.Store = "botpress"
	}
	e.ID = r.Get("id")
	kind := r.Get("action")
	if e.Actor.ID = r.Get("userEmail", "userId"); e.Actor.ID == "" {
		e.Actor.ID, e.Actor.Kind = "botpress", vigil.KindService
	}
	switch e.Action, ok = actions[kind]; {
	case ok:
	case strings.Contains(kind, "DOWNLOAD") || strings.Contains(kind, "EXPORT"):
		e.Action = vigil.ActionExport
	case strings.Contains(kind, "VIEW") || strings.Contains(kind, "READ_"):
		e.Action = vigil.ActionRead
	default:
		e.Action = vigil.ActionConfigure
	}
	e.Outcome = vigil.OutcomeSuccess
	if strings.HasSuffix(kind, "_FAILED") {
		e.Outcome = vigil.OutcomeError
	}
	e.Resource = "workspace"
	if strings.Contains(kind, "BOT") {
		e.Resource = "bot"
	}
	e.Shape = strings.ToLower(kind)
	emit(e)
	return nil
}
