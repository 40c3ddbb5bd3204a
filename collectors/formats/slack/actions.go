package slack

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// meaning is what an action does; the entity is the resource where none is named. An
// empty action is no access.
type meaning struct {
	action   vigil.Action
	resource string
}

// actions has the actions whose name does not tell what they do. After Slack's reference
// of audit logs' actions.
var actions = map[string]meaning{
	"user_login": {vigil.ActionLogin, "slack"}, "user_login_failed": {vigil.ActionLogin, "slack"}, "user_logout": {vigil.ActionLogout, "slack"},
	"user_logout_compromised": {vigil.ActionLogout, "slack"}, "user_logout_non_compliant_mobile_app_version": {vigil.ActionLogout, "slack"}, "user_session_invalidated": {vigil.ActionConfigure, "session"},
	"user_session_reset_by_admin": {vigil.ActionConfigure, "session"}, "user_sessions_reset_by_admin": {vigil.ActionConfigure, "session"}, "user_force_upgrade_mobile_app_version": {},

	"role_assigned": {vigil.ActionGrant, "role"}, "role_removed": {vigil.ActionConfigure, "role"}, "role_created": {vigil.ActionGrant, "role"}, "role_updated": {vigil.ActionGrant, "role"}, "role_deleted": {vigil.ActionConfigure, "role"},
	"role_modified": {vigil.ActionGrant, "role"}, "permissions_assigned": {vigil.ActionGrant, "role"}, "permissions_removed": {vigil.ActionConfigure, "role"},
	"role_change_to_owner": {vigil.ActionGrant, "role/owner"}, "role_change_to_admin": {vigil.ActionGrant, "role/admin"}, "role_change_to_user": {vigil.ActionConfigure, "role"}, "role_change_to_guest": {vigil.ActionConfigure, "role"},
	"owner_transferred": {vigil.ActionGrant, "role/owner"}, "service_owner_transferred": {vigil.ActionGrant, "service"}, "user_added_to_usergroup": {vigil.ActionGrant, "usergroup"}, "user_removed_from_usergroup": {vigil.ActionConfigure, "usergroup"},
	"user_added_to_workspace": {vigil.ActionGrant, "workspace"}, "user_channel_join": {vigil.ActionGrant, ""}, "guest_channel_join": {vigil.ActionGrant, ""}, "user_channel_leave": {}, "guest_channel_leave": {},
	"user_created": {vigil.ActionWrite, "user"}, "guest_created": {vigil.ActionGrant, "guest"}, "user_deactivated": {vigil.ActionConfigure, "user"}, "guest_deactivated": {vigil.ActionConfigure, "user"}, "user_reactivated": {vigil.ActionConfigure, "user"},
	"user_email_updated": {vigil.ActionWrite, "user"}, "user_profile_updated": {vigil.ActionWrite, "user"}, "user_password_reset": {vigil.ActionConfigure, "user"}, "guest_expiration_set": {vigil.ActionConfigure, "guest"},

	"file_downloaded": {vigil.ActionExport, "file"}, "file_downloaded_failed": {vigil.ActionExport, "file"}, "file_download_blocked": {vigil.ActionExport, "file"}, "file_shared": {vigil.ActionShare, "file"},
	"file_public_link_created": {vigil.ActionShare, "file"}, "file_public_link_revoked": {vigil.ActionConfigure, "file"}, "file_uploaded": {vigil.ActionWrite, "file"}, "file_deleted": {vigil.ActionDelete, "file"},
	"file_malicious_content_detected": {vigil.ActionOther, "file"}, "canvas_opened": {vigil.ActionRead, "canvas"}, "canvas_downloaded": {vigil.ActionExport, "canvas"}, "huddle_transcript_viewed": {vigil.ActionRead, "transcript"},
	"public_channel_preview": {vigil.ActionRead, ""}, "channel_tab_added": {vigil.ActionWrite, ""}, "message_tombstoned": {vigil.ActionDelete, "message"}, "message_restored": {vigil.ActionWrite, "message"}, "message_flagged": {vigil.ActionOther, "message"},
	"manual_export_started": {vigil.ActionExport, "workspace export"}, "manual_export_completed": {vigil.ActionExport, "workspace export"}, "manual_export_downloaded": {vigil.ActionExport, "workspace export"},
	"manual_export_deleted": {vigil.ActionDelete, "workspace export"}, "scheduled_export_started": {vigil.ActionExport, "workspace export"}, "scheduled_export_completed": {vigil.ActionExport, "workspace export"},
	"scheduled_export_downloaded": {vigil.ActionExport, "workspace export"}, "corporate_exports_approved": {vigil.ActionGrant, "workspace export"}, "corporate_exports_enabled": {vigil.ActionConfigure, "workspace export"},
	"channel_email_address_created": {vigil.ActionShare, ""}, "external_shared_channel_connected": {vigil.ActionShare, ""}, "external_shared_channel_invite_sent": {vigil.ActionShare, ""}, "external_shared_channel_invite_created": {vigil.ActionShare, ""},
	"external_shared_channel_invite_accepted": {vigil.ActionShare, ""}, "external_shared_channel_invite_approved": {vigil.ActionShare, ""}, "external_shared_channel_disconnected": {vigil.ActionConfigure, ""},
	"external_shared_channel_host_transferred": {vigil.ActionShare, ""}, "channel_workspaces_updated": {vigil.ActionShare, ""}, "private_channel_converted_to_public": {vigil.ActionShare, ""}, "public_channel_converted_to_private": {vigil.ActionConfigure, ""},
	"workspace_invite_sent": {vigil.ActionShare, "invitation"}, "organization_invite_sent": {vigil.ActionShare, "invitation"},

	"app_approved": {vigil.ActionGrant, "app"}, "app_installed": {vigil.ActionGrant, "app"}, "app_scopes_expanded": {vigil.ActionGrant, "app"}, "app_resources_added": {vigil.ActionGrant, "app"}, "app_resources_granted": {vigil.ActionGrant, "app"},
	"app_token_preserved": {vigil.ActionGrant, "token"}, "bot_token_upgraded": {vigil.ActionGrant, "token"}, "bot_token_downgraded": {vigil.ActionConfigure, "token"}, "app_restricted": {vigil.ActionConfigure, "app"},
	"app_uninstalled": {vigil.ActionConfigure, "app"}, "app_removed_from_whitelist": {vigil.ActionConfigure, "app"}, "app_collaborator_added": {vigil.ActionGrant, "app"}, "app_manager_added": {vigil.ActionGrant, "app"},
	"org_app_workspace_added": {vigil.ActionGrant, "app"}, "org_app_workspace_removed": {vigil.ActionConfigure, "app"}, "workflow_responses_csv_download": {vigil.ActionExport, "workflow responses"}, "anomaly": {vigil.ActionOther, "anomaly"},
	"audit_logs_exported": {vigil.ActionExport, "audit log"}, "native_dlp_violation_deleted": {vigil.ActionConfigure, "dlp"},
}

// settings are beginnings of actions that are settings, whatever verb they end with.
var settings = []string{"pref.", "pref_", "ekm_", "idp_", "legal_hold_policy_", "native_dlp_rule_", "organization_", "workspace_", "domain_", "retention_", "barrier_", "approved_orgs_", "connected_account_", "mobile_", "saml_", "sso_", "billing_", "app_", "org_app_", "enterprise_"}

// meaningOf finds what an action does.
func meaningOf(name string) meaning {
	if m, ok := actions[name]; ok {
		return m
	}
	switch {
	case strings.Contains(name, "export") && !strings.HasPrefix(name, "pref"):
		return meaning{vigil.ActionExport, ""}
	case strings.Contains(name, "download") && !strings.HasPrefix(name, "pref"):
		return meaning{vigil.ActionExport, ""}
	}
	for _, s := range settings {
		if strings.HasPrefix(name, s) {
			if strings.HasPrefix(s, "pref") {
				s = "settings"
			}
			return meaning{vigil.ActionConfigure, strings.TrimRight(s, "_.")}
		}
	}
	return meaning{formats.Verb(name), ""}
}
