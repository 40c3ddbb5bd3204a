package keycloak

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// meaning is what events of a type are. An empty action is no access.
type meaning struct {
	action   vigil.Action
	resource string
}

// types are Keycloak's event types, without _ERROR. A resource of "client" is the
// application that was entered.
var types = map[string]meaning{
	"LOGIN": {vigil.ActionLogin, "client"}, "REGISTER": {vigil.ActionWrite, "user"}, "LOGOUT": {vigil.ActionLogout, "client"}, "CODE_TO_TOKEN": {vigil.ActionLogin, "client"},
	"CLIENT_LOGIN": {vigil.ActionLogin, "client"}, "REFRESH_TOKEN": {vigil.ActionLogin, "client"}, "VALIDATE_ACCESS_TOKEN": {}, "INTROSPECT_TOKEN": {}, "USER_INFO_REQUEST": {vigil.ActionRead, "user info"},
	"TOKEN_EXCHANGE": {vigil.ActionGrant, "token"}, "PERMISSION_TOKEN": {vigil.ActionGrant, "token"}, "REVOKE_GRANT": {vigil.ActionConfigure, "consent"}, "GRANT_CONSENT": {vigil.ActionGrant, "consent"},
	"UPDATE_CONSENT": {vigil.ActionGrant, "consent"}, "IMPERSONATE": {vigil.ActionImpersonate, "user"}, "USER_IMPERSONATED": {vigil.ActionImpersonate, "user"},
	"FEDERATED_IDENTITY_LINK": {vigil.ActionConfigure, "identity"}, "REMOVE_FEDERATED_IDENTITY": {vigil.ActionConfigure, "identity"}, "FEDERATED_IDENTITY_OVERRIDE_LINK": {vigil.ActionConfigure, "identity"},
	"UPDATE_PROFILE": {vigil.ActionWrite, "user"}, "UPDATE_EMAIL": {vigil.ActionWrite, "user"}, "VERIFY_EMAIL": {vigil.ActionWrite, "user"}, "VERIFY_PROFILE": {vigil.ActionWrite, "user"},
	"UPDATE_PASSWORD": {vigil.ActionConfigure, "password"}, "RESET_PASSWORD": {vigil.ActionConfigure, "password"}, "UPDATE_TOTP": {vigil.ActionConfigure, "credential"}, "REMOVE_TOTP": {vigil.ActionConfigure, "credential"},
	"UPDATE_CREDENTIAL": {vigil.ActionConfigure, "credential"}, "REMOVE_CREDENTIAL": {vigil.ActionConfigure, "credential"}, "DELETE_ACCOUNT": {vigil.ActionDelete, "user"},
	"SEND_VERIFY_EMAIL": {}, "SEND_RESET_PASSWORD": {}, "SEND_IDENTITY_PROVIDER_LINK": {}, "RESTART_AUTHENTICATION": {}, "PUSHED_AUTHORIZATION_REQUEST": {}, "REGISTER_NODE": {}, "UNREGISTER_NODE": {},
	"EXECUTE_ACTIONS": {}, "EXECUTE_ACTION_TOKEN": {vigil.ActionOther, "user"}, "CUSTOM_REQUIRED_ACTION": {vigil.ActionOther, "user"}, "CLIENT_INITIATED_ACCOUNT_LINKING": {vigil.ActionConfigure, "identity"},
	"IDENTITY_PROVIDER_LOGIN": {vigil.ActionLogin, "client"}, "IDENTITY_PROVIDER_FIRST_LOGIN": {vigil.ActionLogin, "client"}, "IDENTITY_PROVIDER_POST_LOGIN": {vigil.ActionLogin, "client"},
	"IDENTITY_PROVIDER_RESPONSE": {vigil.ActionLogin, "client"}, "IDENTITY_PROVIDER_RETRIEVE_TOKEN": {vigil.ActionGrant, "token"}, "OAUTH2_DEVICE_AUTH": {vigil.ActionLogin, "client"},
	"OAUTH2_DEVICE_CODE_TO_TOKEN": {vigil.ActionLogin, "client"}, "OAUTH2_DEVICE_VERIFY_USER_CODE": {vigil.ActionLogin, "client"}, "OAUTH2_EXTENSION_GRANT": {vigil.ActionGrant, "token"},
	"AUTHREQID_TO_TOKEN": {vigil.ActionLogin, "client"}, "CLIENT_REGISTER": {vigil.ActionGrant, "client registration"}, "CLIENT_UPDATE": {vigil.ActionConfigure, "client registration"},
	"CLIENT_DELETE": {vigil.ActionConfigure, "client registration"}, "CLIENT_INFO": {vigil.ActionRead, "client registration"}, "USER_DISABLED_BY_PERMANENT_LOCKOUT": {vigil.ActionLogin, "client"},
	"USER_DISABLED_BY_TEMPORARY_LOCKOUT": {vigil.ActionLogin, "client"}, "INVITE_ORG": {vigil.ActionGrant, "organization"}, "USER_SESSION_DELETED": {vigil.ActionLogout, "client"}, "INVALID_SIGNATURE": {vigil.ActionOther, "client"},
}

// access makes an event of what Keycloak tells.
func (ev event) access(r *record.Record) (*vigil.Event, error) {
	f := ev.fields
	e := r.Event()
	e.Time, e.ID = ev.at, ev.id
	e.IP = formats.Address(f["ipAddress"])
	e.Actor.App, e.Session = f["clientId"], first(f["sessionId"], f["code_id"], f["authSessionParentId"])
	if e.Store == "" {
		e.Store = first(f["realmName"], f["realmId"])
	}
	failed := f["error"] != ""
	if op := f["operationType"]; op != "" {
		admin(e, op, f["resourceType"], f["resourcePath"])
	} else {
		kind, isError := strings.CutSuffix(f["type"], "_ERROR")
		failed = failed || isError
		m, known := types[kind]
		switch {
		case !known:
			m = meaning{vigil.ActionOther, "client"}
			if strings.Contains(kind, "LOGIN") {
				m.action = vigil.ActionLogin
			}
		case m.action == "":
			return nil, nil
		}
		e.Action, e.Resource, e.Shape = m.action, m.resource, f["type"]
		if m.resource == "client" {
			e.Resource = first(f["clientId"], "keycloak")
		}
		failed = failed || strings.HasPrefix(kind, "USER_DISABLED")
	}
	switch {
	case failed && (e.Action == vigil.ActionLogin || e.Action == vigil.ActionImpersonate):
		e.Outcome = vigil.OutcomeDenied
	case failed:
		e.Outcome = vigil.OutcomeError
	default:
		e.Outcome = vigil.OutcomeSuccess
	}
	e.Actor.ID, e.Actor.Kind = first(f["userId"], f["username"]), vigil.KindHuman
	if by := f["impersonator"]; by != "" && e.Action == vigil.ActionImpersonate {
		if e.Actor.ID != "" {
			e.Subjects, e.SubjectCount = []string{e.Actor.ID}, 1
		}
		e.Actor.ID = by
	}
	if f["type"] == "CLIENT_LOGIN" || strings.HasPrefix(f["username"], "service-account-") {
		e.Actor.Kind = vigil.KindService
	}
	if e.Actor.ID == "" && e.IP != "" {
		e.Actor.ID, e.Actor.Kind = e.IP, vigil.KindAnonymous
	}
	if e.Actor.ID == "" {
		e.Actor.ID, e.Actor.Kind = f["clientId"], vigil.KindService
	}
	if e.Actor.ID == "" {
		return nil, formats.Errorf("actor", "the event names no user, client or address")
	}
	if len(e.Subjects) == 1 && e.Subjects[0] == e.Actor.ID {
		e.Subjects, e.SubjectCount = nil, vigil.Unknown
	}
	return e, nil
}

// admin reads an admin event: an operation on a kind of thing at a path.
func admin(e *vigil.Event, operation, kind, path string) {
	e.Shape = operation + "-" + kind
	e.Resource = strings.ReplaceAll(strings.ToLower(first(kind, "realm")), "_", " ")
	parts := strings.Split(path, "/")
	if len(parts) >= 2 && parts[0] == "users" && parts[1] != "" {
		e.Subjects, e.SubjectCount = []string{parts[1]}, 1
	}
	last := parts[len(parts)-1]
	removes := operation == "DELETE"
	switch {
	case last == "impersonation":
		e.Action = vigil.ActionImpersonate
	case last == "client-secret" || last == "registration-access-token":
		e.Action = vigil.ActionGrant
	case strings.Contains(kind, "ROLE_MAPPING") || kind == "GROUP_MEMBERSHIP" || kind == "ORGANIZATION_MEMBERSHIP" || strings.HasPrefix(kind, "AUTHORIZATION_"):
		e.Action = vigil.ActionGrant
		if removes {
			e.Action = vigil.ActionConfigure
		}
	case strings.Contains(last, "partial-export") || strings.Contains(last, "partialExport"):
		e.Action = vigil.ActionExport
	case kind == "USER" && operation == "ACTION":
		e.Action = vigil.ActionConfigure // passwords, sessions, mails with actions
	case kind == "USER" || kind == "USER_PROFILE" || kind == "GROUP":
		e.Action = vigil.ActionWrite
		if removes {
			e.Action = vigil.ActionDelete
		}
	default:
		e.Action = vigil.ActionConfigure
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
