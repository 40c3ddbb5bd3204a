package okta

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// meaning is what events of a type are. An empty action is no access.
type meaning struct {
	action   vigil.Action
	resource string
}

// byVerb stands for the action that the rest of the type's words tell.
const byVerb vigil.Action = "verb"

// types has beginnings of event types, cut at dots. The longest one that fits counts.
// After Okta's event types catalogue.
var types = map[string]meaning{
	"user.session.start": {vigil.ActionLogin, "okta"}, "user.session.end": {vigil.ActionLogout, "okta"}, "user.session.expire": {vigil.ActionLogout, "okta"},
	"user.session.clear": {vigil.ActionConfigure, "session"}, "user.session.access_admin_app": {vigil.ActionLogin, "admin console"},
	"user.session.impersonation.grant": {vigil.ActionGrant, "impersonation"}, "user.session.impersonation.extend": {vigil.ActionGrant, "impersonation"},
	"user.session.impersonation.initiate": {vigil.ActionImpersonate, "impersonation"}, "user.session.impersonation.end": {vigil.ActionLogout, "impersonation"},
	"user.session.impersonation.revoke": {vigil.ActionConfigure, "impersonation"}, "user.session": {vigil.ActionOther, "session"},
	"user.authentication": {vigil.ActionLogin, "okta"}, "user.authentication.slo": {vigil.ActionLogout, "okta"},
	"user.authentication.universal_logout": {vigil.ActionLogout, "okta"}, "user.identity_verification": {vigil.ActionLogin, "okta"},
	"user.mfa": {byVerb, "mfa factor"}, "user.mfa.factor": {vigil.ActionConfigure, "mfa factor"}, "user.mfa.okta_verify": {vigil.ActionLogin, "okta"},
	"user.mfa.attempt_bypass": {vigil.ActionLogin, "okta"}, "user.mfa.factor.challenge": {vigil.ActionLogin, "okta"},
	"user.account.privilege.grant": {vigil.ActionGrant, "role"}, "user.account.privilege.revoke": {vigil.ActionConfigure, "role"},
	"user.account": {vigil.ActionConfigure, "account"}, "user.account.update_profile": {vigil.ActionWrite, "user"},
	"user.account.report_suspicious_activity_by_enduser": {vigil.ActionOther, "account"},
	"user.credential": {vigil.ActionConfigure, "credential"}, "user.lifecycle": {byVerb, "user"}, "user.lifecycle.delete": {vigil.ActionDelete, "user"},
	"user.import": {vigil.ActionWrite, "user"}, "user.risk": {vigil.ActionOther, "user"}, "user.registration": {vigil.ActionWrite, "user"}, "user": {byVerb, "user"},

	"group.user_membership.add": {vigil.ActionGrant, "group"}, "group.user_membership": {vigil.ActionConfigure, "group"},
	"group.privilege.grant": {vigil.ActionGrant, "group"}, "group.privilege": {vigil.ActionConfigure, "group"},
	"group.application_assignment.add": {vigil.ActionGrant, "application"}, "group.application_assignment": {vigil.ActionConfigure, "application"}, "group": {byVerb, "group"},

	"application.user_membership.add": {vigil.ActionGrant, "application"}, "application.user_membership.provision": {vigil.ActionGrant, "application"},
	"application.user_membership.approve": {vigil.ActionGrant, "application"}, "application.user_membership.show_password": {vigil.ActionRead, "application password"},
	"application.user_membership.remove": {vigil.ActionConfigure, "application"}, "application.user_membership": {byVerb, "application"},
	"application.policy.sign_on.deny_access": {vigil.ActionLogin, "application"}, "application.provision": {vigil.ActionWrite, "application"},
	"application.provision.user.password": {vigil.ActionWrite, "application"}, "application": {vigil.ActionConfigure, "application"},
	"application.integration.authentication_failure": {vigil.ActionLogin, "application"}, "application.integration.rate_limit_exceeded": {},
	"app.access_request.approver": {vigil.ActionConfigure, "access request"}, "app.access_request": {vigil.ActionGrant, "access request"},
	"app.access_request.deny": {vigil.ActionConfigure, "access request"}, "app.access_request.expire": {}, "app.access_request.delete": {vigil.ActionConfigure, "access request"},
	"app.oauth2.authorize": {vigil.ActionLogin, "application"}, "app.oauth2.as.authorize": {vigil.ActionLogin, "application"}, "app.oauth2.signon": {vigil.ActionLogin, "application"},
	"app.oauth2.token.grant": {vigil.ActionGrant, "token"}, "app.oauth2.as.token.grant": {vigil.ActionGrant, "token"}, "app.oauth2.as.token": {vigil.ActionConfigure, "token"},
	"app.oauth2.token": {vigil.ActionConfigure, "token"}, "app.oauth2.token.detect_reuse": {vigil.ActionOther, "token"}, "app.oauth2.as.token.detect_reuse": {vigil.ActionOther, "token"},
	"app.oauth2.as.consent.grant": {vigil.ActionGrant, "consent"}, "app.oauth2.consent.grant": {vigil.ActionGrant, "consent"}, "app.oauth2.admin.consent.grant": {vigil.ActionGrant, "consent"},
	"app.oauth2.client.lifecycle.create": {vigil.ActionGrant, "oauth client"}, "app.oauth2.client": {vigil.ActionConfigure, "oauth client"},
	"app.oauth2.client_id_rate_limit_warning": {}, "app.oauth2": {vigil.ActionConfigure, "oauth"},
	"app.generic.unauth_app_access_attempt": {vigil.ActionLogin, "application"}, "app.inbound_del_auth": {vigil.ActionLogin, "okta"}, "app.rich_client": {vigil.ActionLogin, "application"},
	"app.radius": {vigil.ActionLogin, "radius"}, "app.ldap": {vigil.ActionLogin, "ldap"}, "app.ldap.password": {vigil.ActionConfigure, "password"},
	"app.audit_report.download": {vigil.ActionExport, "audit report"}, "app.user_management": {vigil.ActionWrite, "application"}, "app.realtimesync": {vigil.ActionWrite, "user"},
	"app.user_management.update_from_master_failed": {}, "app.kerberos_rich_client": {vigil.ActionLogin, "application"}, "app.saml": {vigil.ActionConfigure, "application"},
	"app.keys": {vigil.ActionConfigure, "application key"}, "app": {byVerb, "application"},

	"policy.evaluate_sign_on": {vigil.ActionLogin, "okta"}, "policy.auth_reevaluate": {vigil.ActionLogin, "okta"}, "policy.continuous_access": {vigil.ActionLogin, "okta"},
	"policy.entity_risk": {vigil.ActionOther, "policy"}, "policy.scheduled": {}, "policy": {vigil.ActionConfigure, "policy"},

	"system.api_token.create": {vigil.ActionGrant, "api token"}, "system.api_token": {vigil.ActionConfigure, "api token"},
	"system.agent.ad.agent_instance_added": {vigil.ActionConfigure, "directory agent"}, "system.agent.ad.config_change_detected": {vigil.ActionConfigure, "directory agent"},
	"system.agent.ad.create": {vigil.ActionConfigure, "directory agent"}, "system.agent.ad.update": {vigil.ActionConfigure, "directory agent"},
	"system.agent.ad.delete": {vigil.ActionConfigure, "directory agent"}, "system.agent.ad.deactivate": {vigil.ActionConfigure, "directory agent"},
	"system.agent.ad.reactivate": {vigil.ActionConfigure, "directory agent"}, "system.agent.ad.unknown_event": {vigil.ActionOther, "directory agent"},
	"system.agent.ad.reset_user_password": {vigil.ActionConfigure, "password"}, "system.agent.ad.invoke_dir": {}, "system.agent": {},
	"system.org.rate_limit": {}, "system.operation": {}, "system.client": {}, "system.rate_limit": {}, "core.concurrency": {},
	"system.email": {}, "system.sms": {}, "system.voice": {}, "system.push": {}, "system.telephony": {}, "system.import.schedule": {},
	"system.mfa.factor.deactivate": {vigil.ActionConfigure, "mfa factor"}, "system.import": {vigil.ActionWrite, "user"}, "system.csv": {vigil.ActionWrite, "user"},
	"system.log_stream": {vigil.ActionConfigure, "log stream"}, "system.idp": {vigil.ActionConfigure, "identity provider"}, "system": {vigil.ActionConfigure, "settings"},
	"event_hook.delivered": {}, "event_hook": {vigil.ActionConfigure, "event hook"}, "inline_hook.executed": {}, "inline_hook.response": {},
	"inline_hook": {vigil.ActionConfigure, "inline hook"},

	"iam.role.assign": {vigil.ActionGrant, "role"}, "iam.resourceset.bindings.add": {vigil.ActionGrant, "role"}, "iam.role.permissions.add": {vigil.ActionGrant, "role"},
	"iam.resourceset.resources.add": {vigil.ActionGrant, "resource set"}, "iam.role": {vigil.ActionConfigure, "role"}, "iam.resourceset": {vigil.ActionConfigure, "resource set"},
	"iam": {vigil.ActionConfigure, "role"},

	"security.request.blocked": {vigil.ActionLogin, "okta"}, "security.authenticator": {vigil.ActionConfigure, "authenticator"}, "security.threat": {vigil.ActionOther, "threat"},
	"security.attack": {vigil.ActionOther, "threat"}, "security.breached_credential": {vigil.ActionOther, "threat"}, "security.session": {vigil.ActionOther, "session"},
	"security": {vigil.ActionConfigure, "security settings"}, "zone": {vigil.ActionConfigure, "network zone"}, "network": {vigil.ActionConfigure, "network zone"},
	"device.user.add": {vigil.ActionConfigure, "device"}, "device": {vigil.ActionConfigure, "device"}, "device.signals": {},
	"master_application": {vigil.ActionWrite, "user"}, "oauth2": {vigil.ActionConfigure, "authorization server"}, "org": {vigil.ActionConfigure, "settings"},
	"scheduled_action": {}, "credential": {vigil.ActionConfigure, "credential"}, "certification": {byVerb, "access review"}, "governance": {byVerb, "governance"},
	"access.request": {vigil.ActionOther, "access request"}, "workflows.user.table": {byVerb, "workflow table"}, "workflows": {byVerb, "workflow"},
	"workflows.user.delegatedflow.run": {vigil.ActionExecute, "workflow"}, "analytics.reports": {byVerb, "report"}, "analytics.reports.export": {vigil.ActionExport, "report"},
	"pam.secret": {byVerb, "secret"}, "pam.session": {vigil.ActionLogin, "server"}, "pam.user_creds": {vigil.ActionGrant, "server credential"}, "pam": {byVerb, "privileged access"},
	"support": {vigil.ActionGrant, "support access"}, "scim": {vigil.ActionWrite, "user"}, "self_service": {vigil.ActionConfigure, "account"},
}

// typeOf finds what an event type is.
func typeOf(kind string) meaning {
	for t := strings.ToLower(kind); t != ""; {
		if m, ok := types[t]; ok {
			if m.action == byVerb {
				// The words before say what it is about, and may look like verbs.
				if m.action = formats.Verb(strings.ToLower(kind)[len(t):]); m.action == vigil.ActionOther {
					m.action = formats.Verb(kind)
				}
			}
			return m
		}
		at := strings.LastIndexByte(t, '.')
		if at < 0 {
			break
		}
		t = t[:at]
	}
	return meaning{formats.Verb(kind), "okta"}
}
