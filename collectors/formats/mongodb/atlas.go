package mongodb

import (
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// atlasKinds say what an event of Atlas is by words of its name; the first that the name
// holds counts. What holds none is vigil.ActionOther.
var atlasKinds = []struct {
	word string
	kind
}{
	{"ALERT", kind{}}, {"OUTSIDE_METRIC_THRESHOLD", kind{}}, {"INSIDE_METRIC_THRESHOLD", kind{}}, {"HOST_", kind{}}, {"_PRIMARY", kind{}},
	{"MAINTENANCE", kind{}}, {"BILLING", kind{}}, {"CHARGE_", kind{}}, {"CREDIT_CARD", kind{}},
	{"DATA_EXPLORER", kind{vigil.ActionRead, "data explorer"}},
	{"LOGIN", kind{vigil.ActionLogin, ""}}, {"LOGOUT", kind{vigil.ActionLogout, ""}},
	{"AUDIT_LOG", kind{vigil.ActionConfigure, "audit"}}, {"LOG_DOWNLOAD", kind{vigil.ActionExport, "logs"}}, {"LOGS_DOWNLOADED", kind{vigil.ActionExport, "logs"}},
	{"SNAPSHOT_DOWNLOAD", kind{vigil.ActionExport, "snapshots"}}, {"RESTORE", kind{vigil.ActionExport, "snapshots"}}, {"EXPORT", kind{vigil.ActionExport, "snapshots"}},
	{"NETWORK_PERMISSION", kind{vigil.ActionConfigure, "access list"}}, {"ACCESS_LIST", kind{vigil.ActionConfigure, "access list"}},
	{"PEERING", kind{vigil.ActionConfigure, "network"}}, {"PRIVATE_ENDPOINT", kind{vigil.ActionConfigure, "network"}},
	{"API_KEY", kind{vigil.ActionGrant, "api keys"}}, {"SERVICE_ACCOUNT", kind{vigil.ActionGrant, "service accounts"}},
	{"MONGODB_USER", kind{vigil.ActionGrant, "database users"}}, {"MONGODB_ROLE", kind{vigil.ActionGrant, "database roles"}}, {"DATABASE_USER", kind{vigil.ActionGrant, "database users"}},
	{"INVITED", kind{vigil.ActionGrant, "members"}}, {"JOINED", kind{vigil.ActionGrant, "members"}}, {"USER_ROLES_CHANGED", kind{vigil.ActionGrant, "members"}},
	{"ROLE_GRANTED", kind{vigil.ActionGrant, "members"}}, {"ADDED_TO_TEAM", kind{vigil.ActionGrant, "members"}}, {"TEAM_", kind{vigil.ActionGrant, "teams"}},
	{"REMOVED_FROM", kind{vigil.ActionConfigure, "members"}}, {"ORG_", kind{vigil.ActionConfigure, "organisation"}}, {"GROUP_", kind{vigil.ActionConfigure, "project"}},
	{"CLUSTER_DELETED", kind{vigil.ActionDelete, "cluster"}}, {"CLUSTER", kind{vigil.ActionConfigure, "cluster"}}, {"ENCRYPTION", kind{vigil.ActionConfigure, "encryption"}},
	{"BACKUP", kind{vigil.ActionConfigure, "backup"}}, {"FEDERATION", kind{vigil.ActionConfigure, "federation"}}, {"IDENTITY_PROVIDER", kind{vigil.ActionConfigure, "federation"}},
	{"CREATED", kind{vigil.ActionConfigure, ""}}, {"UPDATED", kind{vigil.ActionConfigure, ""}}, {"DELETED", kind{vigil.ActionDelete, ""}}, {"REMOVED", kind{vigil.ActionDelete, ""}},
}

// atlas reads an event of an organisation or a project.
func (d *reader) atlas(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	name := strings.ToUpper(r.String(v.Get("eventTypeName"), 128))
	if v.Get("alertConfigId").Exists() && !v.Get("username").Exists() {
		return nil // an alert
	}
	k := kind{action: vigil.ActionOther}
	for _, a := range atlasKinds {
		if strings.Contains(name, a.word) {
			k = a.kind
			break
		}
	}
	if k.action == "" {
		return nil
	}
	at, ok := d.when(v.Get("created"))
	if !ok {
		return formats.ErrTime("created")
	}
	text := func(paths ...string) string { return first(strings.TrimSpace(r.Get(paths...))) }
	e := r.Event()
	e.Time, e.ID = at, text("id")
	e.IP = formats.Address(text("remoteAddress"))
	act(e, text("username", "publicKey", "userId"))
	if text("username") == "" && text("publicKey") != "" {
		e.Actor.Kind = vigil.KindService
	}
	if v.Get("isGlobalAdmin").Bool() {
		e.Actor.Kind = vigil.KindVendor // a person of MongoDB's own
	}
	if e.Actor.Kind == vigil.KindAnonymous && e.IP == "" {
		return nil // Atlas itself
	}
	e.Action, e.Resource, e.Shape, e.Outcome = k.action, k.resource, name, vigil.OutcomeSuccess
	if db, c := text("database"), text("collection"); db != "" || c != "" {
		e.Resource = first(c, db)
	}
	if strings.Contains(name, "FAIL") || strings.Contains(name, "DENIED") {
		e.Outcome = vigil.OutcomeDenied
	}
	if e.Store == "" {
		e.Store = text("groupId", "orgId") // the project, or the organisation
	}
	emit(e)
	return nil
}

// history reads an entry of the access history of a cluster.
func (d *reader) history(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	at, ok := d.when(v.Get("timestamp"))
	if t, err := time.Parse("Mon Jan 02 15:04:05 MST 2006", v.Get("timestamp").Str); err == nil {
		at, ok = t.UTC(), true
	}
	if !ok {
		if i := strings.Index(v.Get("logLine").Str, "{"); i >= 0 {
			at, ok = d.when(gjson.Get(v.Get("logLine").Str[i:], "t"))
		}
	}
	if !ok {
		return formats.ErrTime("timestamp")
	}
	e := r.Event()
	e.Time, e.IP, e.Action = at, formats.Address(r.Get("ipAddress")), vigil.ActionLogin
	act(e, r.Get("username"))
	e.Outcome = vigil.OutcomeDenied
	if v.Get("authResult").Bool() {
		e.Outcome = vigil.OutcomeSuccess
	}
	emit(e)
	return nil
}
