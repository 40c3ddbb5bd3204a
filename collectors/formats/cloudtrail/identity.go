package cloudtrail

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats/record"
)

// hidden is what CloudTrail writes in place of what nobody shall read, such as the name
// that somebody typed who does not exist.
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// actor is who the record's userIdentity names; ok is false when it names nobody.
func (r *reader) actor(rec *record.Record) (vigil.Actor, bool) {
	f := &r.f
	var kind, arn, principal, account, user, invoker, behalf, issuer gjson.Result
	f.identity.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "type":
			kind = value
		case "arn":
			arn = value
		case "principalId", "principalid":
			principal = value
		case "accountId", "accountid":
			account = value
		case "userName", "username":
			user = value
		case "invokedBy", "invokedby":
			invoker = value
		case "accessKeyId", "accesskeyid":
			f.key = value.Str
		case "onBehalfOf", "onbehalfof":
			behalf = value
		case "sessionContext", "sessioncontext":
			if issuer = value.Get("sessionIssuer.arn"); !issuer.Exists() {
				issuer = value.Get("sessionissuer.arn")
			}
		}
		return true
	})
	app := ""
	if invoker.Str != "" {
		app = rec.String(invoker, 128)
	}
	if arn.Str != "" && kind.Str != "AWSService" {
		who := r.actors.Of(arn.Str)
		if strings.Contains(issuer.Str, ":role/aws-service-role/") {
			who.Kind = vigil.KindService
		}
		if who.Kind == vigil.KindUnspecified {
			if k, ok := r.sessions.Get(who.ID); ok {
				who.Kind = k
			} else if f.console.Str == "true" || f.console.Type == gjson.True || f.name.Str == "ConsoleLogin" {
				who.Kind = vigil.KindHuman
			}
		}
		who.App = app
		return who, true
	}
	name := func(v gjson.Result) string {
		if v.Str == hidden || strings.HasPrefix(v.Str, "ANONYMOUS") || v.Str == "anonymous" {
			return ""
		}
		return rec.String(v, 256)
	}
	switch {
	case kind.Str == "AWSService" && app != "":
		return vigil.Actor{ID: app, Kind: vigil.KindService}, true
	case behalf.IsObject() && name(behalf.Get("userId")) != "":
		return vigil.Actor{ID: name(behalf.Get("userId")), Kind: vigil.KindHuman, App: app}, true
	case kind.Str == "IAMUser" && name(user) != "" && name(account) != "":
		// Sign-ins that failed leave out the ARN.
		return vigil.Actor{ID: rec.Clean("arn:aws:iam::"+name(account)+":user/"+name(user), 512), App: app}, true
	case name(user) != "":
		who := vigil.Actor{ID: name(user), App: app}
		switch kind.Str {
		case "Root":
			who.Kind = vigil.KindAdmin
		case "SAMLUser", "IdentityCenterUser", "Directory":
			who.Kind = vigil.KindHuman
		case "WebIdentityUser":
			if strings.HasPrefix(who.ID, "system:serviceaccount:") {
				who.Kind = vigil.KindService
			}
		}
		return who, true
	case name(principal) != "":
		who := vigil.Actor{ID: name(principal), App: app}
		if kind.Str == "Root" {
			who.Kind = vigil.KindAdmin
		}
		return who, true
	case app != "":
		return vigil.Actor{ID: app, Kind: vigil.KindService}, true
	case account.Str != "" && name(account) == "", user.Str == hidden, kind.Str == "AWSAccount" && name(account) == "":
		return vigil.Actor{ID: "anonymous", Kind: vigil.KindAnonymous}, true
	case kind.Str == "AWSAccount":
		return vigil.Actor{ID: name(account), App: app}, true
	case f.kind.Str == "AwsServiceEvent" || strings.HasSuffix(f.address.Str, ".amazonaws.com"):
		// What a service does by itself, it does in nobody's name.
		return vigil.Actor{ID: rec.String(f.source, 128), Kind: vigil.KindService}, true
	case name(account) != "":
		return vigil.Actor{ID: name(account)}, true
	}
	return vigil.Actor{}, false
}

// session is the id of temporary credentials. A key that stays for years is no session.
func (r *reader) session(rec *record.Record) string {
	if id := r.f.key; strings.HasPrefix(id, "ASIA") {
		return strings.Clone(rec.Clean(id, 64))
	}
	return ""
}

// assumed remembers who began a role's session.
func (r *reader) assumed(who vigil.Actor) {
	arn := r.f.response.Get("assumedRoleUser.arn").Str
	if arn == "" {
		return
	}
	kind := who.Kind
	switch r.f.name.Str {
	case "AssumeRoleWithSAML":
		kind = vigil.KindHuman
	case "AssumeRoleWithWebIdentity":
	default:
		if kind == vigil.KindAdmin {
			kind = vigil.KindHuman
		}
	}
	if kind == vigil.KindHuman || kind == vigil.KindService {
		r.sessions.Put(r.actors.Of(arn).ID, kind)
	}
}
