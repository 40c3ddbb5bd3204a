package elasticsearch

import (
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// changes says what a change of the security configuration is, by the first word of its
// name; what is not here is vigil.ActionConfigure.
var changes = map[string]vigil.Action{
	"put": vigil.ActionGrant, "create": vigil.ActionGrant, "grant": vigil.ActionGrant, "update": vigil.ActionGrant,
}

// fields reads an audit record whatever its form.
type fields func(name string) string

// audit reads a record of Elasticsearch's JSON audit log.
func (d *reader) audit(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	get := func(name string) string { return r.String(v.Get(gjson.Escape(name)), 512) }
	if get("event.type") == "ip_filter" && get("event.action") == "connection_granted" {
		return nil
	}
	at, bad := d.when(v, "@timestamp", "timestamp")
	if bad != nil {
		return bad
	}
	var indices []string
	v.Get("indices").ForEach(func(_, i gjson.Result) bool {
		indices = append(indices, i.Str)
		return len(indices) < 1000
	})
	e := r.Event()
	e.Time = at
	d.tell(r, e, get, indices, v.Get(`request\.body`).Str, emit)
	return nil
}

// tell makes the event of an audit record.
func (d *reader) tell(r *record.Record, e *vigil.Event, get fields, indices []string, body string, emit func(*vigil.Event)) {
	e.IP = formats.Address(get("origin.address"))
	user := get("user.name")
	if by := get("user.run_by.name"); by != "" {
		user = by // who acts in another's name
	}
	what, id := get("event.action"), get("request.id")
	refused := strings.HasSuffix(what, "_denied") || strings.HasSuffix(what, "_failed") || what == "tampered_request"
	realm := get("user.realm") + get("realm")
	if strings.HasPrefix(user, "_") && user != "_anonymous" && !refused && (strings.HasPrefix(realm, "__") || get("origin.type") == "local_node") {
		return // the cluster's own work
	}
	act(e, user)
	if get("authentication.type") == "API_KEY" || get("apikey.id") != "" {
		e.Actor.Kind, e.Actor.App = vigil.KindService, get("apikey.name")
	}
	if e.Actor.App == "" {
		e.Actor.App = app(get("opaque_id"))
	}
	e.Outcome = vigil.OutcomeSuccess
	if refused {
		e.Outcome = vigil.OutcomeDenied
	}
	c := rest(get("request.method"), get("url.path"))
	switch {
	case get("event.type") == "security_config_change":
		word, about, _ := strings.Cut(what, "_")
		if e.Action = changes[word]; e.Action == "" {
			e.Action = vigil.ActionConfigure
		}
		e.Resource, e.Shape = strings.ReplaceAll(about, "_", " "), what
		if q, ok := d.requests.Get(id); ok && id != "" {
			if q.User != "" {
				return // the request itself has been told
			}
		}
		emit(e)
		return
	case strings.HasSuffix(what, "authentication_failed"):
		if strings.HasPrefix(what, "realm_") {
			return // one realm of several: what comes of it is told as well
		}
		e.Action, e.Shape = vigil.ActionLogin, what
	case strings.HasPrefix(what, "run_as_"):
		e.Action, e.Resource, e.Shape = vigil.ActionImpersonate, "users", what
		emit(e)
		return
	case strings.HasPrefix(what, "connection_"):
		e.Action, e.Shape = vigil.ActionLogin, what
	case get("action") != "":
		var isPart bool
		e.Action, e.Resource, isPart = privilege(get("action"))
		if e.Action == "" && refused {
			e.Action = vigil.ActionOther
		}
		if e.Action == "" || isPart && id == "" {
			return
		}
		e.Shape = part.ReplaceAllString(get("action"), "")
	default:
		e.Action, e.Resource, e.Shape = c.action, c.resource, c.shape
		if e.Action == "" && refused {
			e.Action = vigil.ActionOther
		}
		if e.Action == "" {
			return
		}
	}
	if d.again(r, id, e) && !refused {
		return
	}
	if len(indices) == 0 && c.index != "" {
		indices = strings.Split(c.index, ",")
	}
	table := d.resource(r, e, indices)
	if table.Ignore {
		return
	}
	if m := table.Columns["_id"]; m != "" && c.id != "" {
		var found formats.Found
		if plain, err := url.PathUnescape(c.id); err == nil {
			found.Add(m, plain)
		}
		found.Fill(e, true)
	}
	if body != "" && len(e.Subjects) == 0 {
		d.body(r, e, table, body, size(get("url.query")))
	}
	emit(e)
}

// size is what a request's parameters say of its page.
func size(query string) int64 {
	for pair := range strings.SplitSeq(query, "&") {
		if n, ok := strings.CutPrefix(pair, "size="); ok {
			return formats.Count(n)
		}
	}
	return vigil.Unknown
}
