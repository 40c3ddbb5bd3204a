package anthropic

import (
	"testing"

	"vigil"
)

func TestActions(t *testing.T) {
	t.Parallel()
	const none, denied, ok = vigil.OutcomeUnspecified, vigil.OutcomeDenied, vigil.OutcomeSuccess
	for kind, want := range map[string]struct {
		action  vigil.Action
		outcome vigil.Outcome
	}{
		"claude_chat_viewed": {vigil.ActionRead, ok}, "claude_chat_access_failed": {vigil.ActionRead, denied}, "claude_project_document_viewed": {vigil.ActionRead, ok},
		"session_share_accessed": {vigil.ActionRead, ok}, "group_list_viewed": {vigil.ActionRead, ok}, "org_users_listed": {vigil.ActionRead, ok},
		"claude_chat_created": {vigil.ActionWrite, ok}, "claude_chat_updated": {vigil.ActionWrite, ok}, "claude_file_uploaded": {vigil.ActionWrite, ok},
		"claude_chat_deleted": {vigil.ActionDelete, ok}, "claude_chat_deletion_failed": {vigil.ActionDelete, denied}, "platform_file_deleted": {vigil.ActionDelete, ok},
		"claude_artifact_sharing_updated": {vigil.ActionShare, ok}, "claude_chat_snapshot_created": {vigil.ActionShare, ok}, "session_share_created": {vigil.ActionShare, ok}, "claude_artifact_published": {vigil.ActionShare, ok},
		"org_data_export_started": {vigil.ActionExport, none}, "audit_log_export_accessed": {vigil.ActionExport, ok}, "org_members_exported": {vigil.ActionExport, ok}, "platform_file_content_downloaded": {vigil.ActionExport, ok},
		"sso_login_failed": {vigil.ActionLogin, denied}, "magic_link_login_initiated": {vigil.ActionLogin, none}, "social_login_succeeded": {vigil.ActionLogin, ok}, "user_logged_out": {vigil.ActionLogout, ok}, "anonymous_mobile_login_attempted": {vigil.ActionLogin, none},
		"api_key_created": {vigil.ActionGrant, ok}, "service_key_created": {vigil.ActionGrant, ok}, "mcp_server_created": {vigil.ActionGrant, ok}, "group_member_added": {vigil.ActionGrant, ok}, "role_assignment_granted": {vigil.ActionGrant, ok},
		"org_user_invite_sent": {vigil.ActionGrant, ok}, "org_user_invite_re_sent": {vigil.ActionGrant, ok}, "scim_user_created": {vigil.ActionGrant, ok}, "claude_gdrive_integration_created": {vigil.ActionGrant, ok}, "rbac_role_permission_added": {vigil.ActionGrant, ok}, "org_join_request_approved": {vigil.ActionGrant, ok},
		"admin_api_key_deleted": {vigil.ActionConfigure, ok}, "org_claude_code_data_sharing_enabled": {vigil.ActionConfigure, ok}, "org_ip_restriction_deleted": {vigil.ActionConfigure, ok}, "org_sso_toggled": {vigil.ActionConfigure, ok}, "org_sso_connection_deactivated": {vigil.ActionConfigure, ok},
		"claude_organization_settings_updated": {vigil.ActionConfigure, ok}, "role_assignment_revoked": {vigil.ActionConfigure, ok}, "platform_spend_limit_deleted": {vigil.ActionConfigure, ok}, "org_creation_blocked": {vigil.ActionConfigure, denied}, "session_revoked": {vigil.ActionConfigure, ok},
		"claude_skill_created": {vigil.ActionConfigure, ok}, "claude_gdrive_integration_deleted": {vigil.ActionConfigure, ok}, "extra_usage_credit_granted": {vigil.ActionConfigure, ok}, "org_bulk_delete_initiated": {vigil.ActionConfigure, none},
		"": {vigil.ActionConfigure, ok}, "_": {vigil.ActionConfigure, ok},
	} {
		if a, o := action(kind); a != want.action || o != want.outcome {
			t.Errorf("%s: %s %q, want %s %q", kind, a, o, want.action, want.outcome)
		}
	}
}
