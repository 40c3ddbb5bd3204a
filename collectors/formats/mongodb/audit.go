package mongodb

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// kind is what an audited action does: nothing where it is no access.
type kind struct {
	action   vigil.Action
	resource string // where the namespace names none
}

// kinds are the actions ("atype") of the audit logs of MongoDB and DocumentDB, but for
// authCheck, whose command tells. What is not here is vigil.ActionOther.
var kinds = map[string]kind{
	"authenticate": {vigil.ActionLogin, ""}, "logout": {vigil.ActionLogout, ""},
	"createCollection": {vigil.ActionConfigure, ""}, "createDatabase": {vigil.ActionConfigure, "database"}, "createIndex": {vigil.ActionConfigure, ""},
	"renameCollection": {vigil.ActionConfigure, ""}, "dropIndex": {vigil.ActionConfigure, ""}, "modifyCollection": {vigil.ActionConfigure, ""},
	"dropCollection": {vigil.ActionDelete, ""}, "dropDatabase": {vigil.ActionDelete, "database"},
	"importCollection": {vigil.ActionConfigure, ""}, "exportCollection": {vigil.ActionExport, ""},
	"createUser": {vigil.ActionGrant, "users"}, "updateUser": {vigil.ActionGrant, "users"}, "grantRolesToUser": {vigil.ActionGrant, "users"},
	"createRole": {vigil.ActionGrant, "roles"}, "updateRole": {vigil.ActionGrant, "roles"}, "grantRolesToRole": {vigil.ActionGrant, "roles"},
	"grantPrivilegesToRole": {vigil.ActionGrant, "roles"}, "directAuthMutation": {vigil.ActionGrant, "users"},
	"dropUser": {vigil.ActionConfigure, "users"}, "dropAllUsersFromDatabase": {vigil.ActionConfigure, "users"}, "revokeRolesFromUser": {vigil.ActionConfigure, "users"},
	"dropRole": {vigil.ActionConfigure, "roles"}, "dropAllRolesFromDatabase": {vigil.ActionConfigure, "roles"}, "revokeRolesFromRole": {vigil.ActionConfigure, "roles"},
	"revokePrivilegesFromRole": {vigil.ActionConfigure, "roles"},
	"replSetReconfig":          {vigil.ActionConfigure, "cluster"}, "enableSharding": {vigil.ActionConfigure, "cluster"}, "shardCollection": {vigil.ActionConfigure, ""},
	"addShard": {vigil.ActionConfigure, "cluster"}, "removeShard": {vigil.ActionConfigure, "cluster"}, "refineCollectionShardKey": {vigil.ActionConfigure, ""},
	"auditConfigure": {vigil.ActionConfigure, "audit"}, "setClusterParameter": {vigil.ActionConfigure, "cluster"}, "shutdown": {vigil.ActionConfigure, "server"},
	"applicationMessage": {}, "clientMetadata": {}, "startup": {}, "rotateLog": {}, "getClusterParameter": {},
}

// audit reads a record of the audit log.
func (d *reader) audit(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	at, ok := d.when(v.Get("ts"))
	if !ok {
		return formats.ErrTime("ts")
	}
	text := func(paths ...string) string {
		for _, p := range paths {
			if s := r.String(v.Get(p), 256); s != "" {
				return s
			}
		}
		return ""
	}
	atype := text("atype")
	e := r.Event()
	e.Time = at
	remote := text("remote.ip", "remote_ip", "remote.unix")
	e.IP = formats.Address(remote)
	if port := text("remote.port"); e.IP != "" && port != "" && port != "0" {
		remote = e.IP + " " + port
	}
	if e.IP != "" && remote != e.IP {
		e.Session = remote // the connection's two ends tell it apart
	}
	if s := uuid(v.Get("uuid.$binary"), text("uuid.$type")); s != "" {
		e.Session = s
	}
	c, _ := d.conns.Get("addr " + remote)
	e.Actor.App, e.UserAgent = c.App, c.Agent
	user := text("users.0.user", "user")
	e.Actor.Role = text("roles.0.role")
	param := v.Get("param")
	code := count(v, "result", "param.result")
	if s, ok := param.Get("success"), param.Get("error"); s.Exists() && ok.Exists() && code == vigil.Unknown {
		if code = count(param, "error"); code == 0 && !s.Bool() {
			code = 18
		}
	}
	e.Outcome = outcome(code)
	act(e, user)
	switch atype {
	case "clientMetadata":
		c := conn{App: text("param.clientMetadata.application.name"),
			Agent: strings.TrimSpace(text("param.clientMetadata.driver.name") + " " + text("param.clientMetadata.driver.version"))}
		if remote != "" && c != (conn{}) {
			d.conns.Put("addr "+remote, c)
		}
		return nil
	case "authenticate":
		who := text("param.user", "param.name")
		if who == "" {
			who = user
		}
		act(e, who)
		if e.Outcome == vigil.OutcomeError {
			e.Outcome = vigil.OutcomeDenied
		}
		e.Action = vigil.ActionLogin
		if e.Store == "" {
			e.Store = text("param.db")
		}
		emit(e)
		return nil
	case "authCheck":
		args := param.Get("args")
		if !d.fill(r, e, param.Get("command").Str, param.Get("ns").Str, args) {
			return nil
		}
		emit(e)
		return nil
	}
	k, known := kinds[atype]
	switch {
	case !known:
		k.action = vigil.ActionOther
	case k.action == "":
		return nil
	}
	db, collection := split(text("param.ns", "param.old"))
	if db == "" {
		db = text("param.db")
	}
	e.Action, e.Resource, e.Shape = k.action, collection, atype
	if e.Resource == "" {
		e.Resource = first(k.resource, db)
	}
	if e.Store == "" {
		e.Store = db
	}
	if m := d.opts.Mapping; m != nil {
		e.ResourceClass = m.Tables[strings.ToLower(e.Resource)].Class
	}
	emit(e)
	return nil
}

// profile reads a document of system.profile, or the DocumentDB profiler's.
func (d *reader) profile(r *record.Record, v gjson.Result, emit func(*vigil.Event)) error {
	at, ok := d.when(v.Get("ts"))
	if !ok {
		return formats.ErrTime("ts")
	}
	l := line{r: r, at: at, ctx: "client " + r.String(v.Get("client"), 64)}
	e := r.Event()
	e.Time, e.IP = at, formats.Address(r.String(v.Get("client"), 64))
	e.Actor.App = r.String(v.Get("appName"), 128)
	user := r.String(v.Get("allUsers.0.user"), 256)
	if user == "" {
		user = r.String(v.Get("user"), 256)
		if i := strings.LastIndexByte(user, '@'); i > 0 && v.Get("allUsers").Exists() {
			user = user[:i]
		}
	}
	act(e, user)
	doc := v.Get("command")
	for _, key := range []string{"query", "updateobj"} { // before 3.6
		if !doc.IsObject() {
			doc = v.Get(key)
		}
	}
	if orig := v.Get("originatingCommand"); orig.IsObject() && doc.IsObject() {
		doc = join(doc, orig)
	}
	ns := v.Get("ns").Str
	_, collection := split(ns)
	if collection == "system.profile" {
		// Reading the profile is an access, too; only what the profiler adds is none.
		l.ctx = "profile"
	}
	if !d.operation(&l, e, v.Get("op").Str, ns, doc, v) {
		return nil
	}
	emit(e)
	return nil
}
