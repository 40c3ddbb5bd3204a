// Package slack reads Slack's audit logs, as the Audit Logs API of an Enterprise
// organisation gives them.
//
// One entry is one event. The action's name says what was done: by the table in
// actions.go, else by the verb in it. Names of files and channels are not kept.
package slack

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "slack"

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Slack audit logs", Group: formats.GroupIdentity,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.No, Outcome: formats.Partly, Address: formats.Yes,
			Note: "Enterprise plans only; tells downloads, exports and shares, not which messages are read.",
		},
		JSON: sure,
		New:  func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

func sure(v gjson.Result) float64 {
	if v.Get("action").Type != gjson.String || !v.Get("actor").IsObject() {
		return 0
	}
	n := 0
	for _, path := range [...]string{"date_create", "entity.type", "context.location", "context.ua", "context.ip_address", "actor.user.team"} {
		if v.Get(path).Exists() {
			n++
		}
	}
	switch {
	case v.Get("date_create").Exists() && v.Get("entity.type").Exists():
		return 0.95
	case n >= 3:
		return 0.7
	}
	return 0
}

type reader struct{}

func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	name := r.Get("action")
	m := meaningOf(name)
	if m.action == "" {
		return nil
	}
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(r.JSON.Get("date_create").String(), nil); !ok {
		return formats.ErrTime("date_create")
	}
	e.ID, e.Action, e.Shape = r.Get("id"), m.action, name
	e.IP, e.UserAgent, e.Session = formats.Address(r.Get("context.ip_address")), r.Get("context.ua"), r.Get("context.session_id")
	if e.Store == "" {
		e.Store = r.Get("context.location.domain", "context.location.name")
	}
	e.Actor.ID = r.Get("actor.user.email", "actor.user.id", "actor.user.name", "actor.app.name", "actor.app.id", "actor.bot.id")
	switch strings.ToLower(r.Get("actor.type")) {
	case "user":
		e.Actor.Kind = vigil.KindHuman
	case "app", "bot", "workflow", "system", "service":
		e.Actor.Kind = vigil.KindService
	case "anonymous":
		e.Actor.ID, e.Actor.Kind = first(e.Actor.ID, e.IP, "anonymous"), vigil.KindAnonymous
	}
	if e.Actor.ID == "" && e.IP != "" {
		e.Actor.ID, e.Actor.Kind = e.IP, vigil.KindAnonymous
	}
	if e.Actor.ID == "" && e.Actor.Kind == vigil.KindService {
		e.Actor.ID = "slack"
	}
	if e.Actor.ID == "" {
		return formats.Errorf("actor", "the entry names no actor")
	}
	e.Actor.App = r.Get("context.app.name", "details.app_name")
	entity(r, e)
	if m.resource != "" {
		e.Resource = m.resource
	}
	if role := r.Get("details.role_name", "entity.role.name", "details.type"); role != "" && e.Action == vigil.ActionGrant && strings.Contains(name, "role") {
		e.Resource = "role/" + role
	}
	for s := range strings.FieldsFuncSeq(r.String(joined(r.JSON.Get("details.new_scopes")), 4096), func(c rune) bool { return c == ',' }) {
		if len(e.Fields) < 100 {
			e.Fields = append(e.Fields, s)
		}
	}
	e.Outcome = vigil.OutcomeSuccess
	switch {
	case strings.HasSuffix(name, "_failed") && e.Action == vigil.ActionLogin, strings.HasSuffix(name, "_blocked"), strings.HasSuffix(name, "_denied"):
		e.Outcome = vigil.OutcomeDenied
	case strings.HasSuffix(name, "_failed"):
		e.Outcome = vigil.OutcomeError
	}
	emit(e)
	return nil
}

// joined makes one text of a list of texts.
func joined(list gjson.Result) gjson.Result {
	var out []string
	if list.IsArray() {
		list.ForEach(func(_, s gjson.Result) bool {
			out = append(out, s.String())
			return len(out) < 100
		})
	}
	return gjson.Result{Type: gjson.String, Str: strings.Join(out, ",")}
}

// entity says what it was done to.
func entity(r *record.Record, e *vigil.Event) {
	kind := r.Get("entity.type")
	e.Resource = first(kind, "slack")
	switch kind {
	case "user":
		if user := r.Get("entity.user.email", "entity.user.id"); user != "" && !strings.EqualFold(user, e.Actor.ID) && e.Action != vigil.ActionLogin && e.Action != vigil.ActionLogout {
			e.Subjects, e.SubjectCount = []string{user}, 1
		}
	case "channel":
		if id := r.Get("entity.channel.id"); id != "" {
			e.Resource = "channel/" + id
		}
		if r.JSON.Get("entity.channel.is_shared").Bool() && e.Action == vigil.ActionShare {
			e.Destination = &vigil.Destination{Kind: "shared channel"}
		}
	case "file":
		if e.Action == vigil.ActionExport || e.Action == vigil.ActionRead {
			e.Rows = 1
		}
		if strings.Contains(e.Shape, "public_link") {
			e.Destination = &vigil.Destination{Kind: "public link"}
		}
	}
}

func first(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}
