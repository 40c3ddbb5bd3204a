package googleworkspace

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// meaning is what an event does, and to what where the name tells. An empty action is no
// access.
type meaning struct {
	action   vigil.Action
	resource string
}

// names has the events whose name does not tell what they do, by application. After
// Google's reference of audit activity events.
var names = map[string]map[string]meaning{
	"login": {
		"login_success": {vigil.ActionLogin, "google"}, "login_failure": {vigil.ActionLogin, "google"}, "login_challenge": {vigil.ActionLogin, "google"},
		"login_verification": {vigil.ActionLogin, "google"}, "logout": {vigil.ActionLogout, "google"}, "suspicious_login": {vigil.ActionLogin, "google"},
		"suspicious_login_less_secure_app": {vigil.ActionLogin, "google"}, "suspicious_programmatic_login": {vigil.ActionLogin, "google"},
		"email_forwarding_out_of_domain": {vigil.ActionShare, "mailbox"}, "user_signed_out_due_to_suspicious_session_cookie": {vigil.ActionLogout, "google"},
		"gov_attack_warning": {vigil.ActionOther, "account"}, "risky_sensitive_action_allowed": {vigil.ActionOther, "account"}, "risky_sensitive_action_blocked": {vigil.ActionOther, "account"},
	},
	"user_accounts": {"email_forwarding_out_of_domain": {vigil.ActionShare, "mailbox"}},
	"saml":          {"login_success": {vigil.ActionLogin, "saml"}, "login_failure": {vigil.ActionLogin, "saml"}},
	"drive": {
		"view": {vigil.ActionRead, ""}, "access_item_content": {vigil.ActionRead, ""}, "prefetch_item_content": {vigil.ActionRead, ""}, "sync_item_content": {vigil.ActionExport, ""},
		"download": {vigil.ActionExport, ""}, "print": {vigil.ActionExport, ""}, "email_as_attachment": {vigil.ActionShare, ""}, "email_collaborators": {vigil.ActionOther, ""},
		"source_copy": {vigil.ActionRead, ""}, "sheets_import_range": {vigil.ActionRead, ""}, "sheets_import_range_access_change": {vigil.ActionShare, ""}, "sheets_import_url": {vigil.ActionWrite, ""},
		"connected_sheets_query": {vigil.ActionSearch, ""}, "access_url": {vigil.ActionRead, ""}, "add_to_folder": {vigil.ActionWrite, ""}, "remove_from_folder": {vigil.ActionWrite, ""},
		"untrash": {vigil.ActionWrite, ""}, "change_owner": {vigil.ActionGrant, ""}, "change_user_access": {vigil.ActionShare, ""}, "change_document_visibility": {vigil.ActionShare, ""},
		"change_document_access_scope": {vigil.ActionShare, ""}, "change_user_access_hierarchy_reconciled": {vigil.ActionShare, ""}, "change_document_visibility_hierarchy_reconciled": {vigil.ActionShare, ""},
		"change_document_access_scope_hierarchy_reconciled": {vigil.ActionShare, ""}, "change_acl_editors": {vigil.ActionConfigure, ""}, "shared_drive_membership_change": {vigil.ActionShare, ""},
		"team_drive_membership_change": {vigil.ActionShare, ""}, "shared_drive_settings_change": {vigil.ActionConfigure, ""}, "team_drive_settings_change": {vigil.ActionConfigure, ""},
		"publish_change": {vigil.ActionShare, ""}, "request_access": {vigil.ActionOther, ""}, "deny_access_request": {vigil.ActionConfigure, ""}, "expire_access_request": {},
	},
	"admin": {
		"ASSIGN_ROLE": {vigil.ActionGrant, "role"}, "ADD_PRIVILEGE": {vigil.ActionGrant, "role"}, "CREATE_ROLE": {vigil.ActionGrant, "role"}, "UPDATE_ROLE": {vigil.ActionGrant, "role"},
		"GRANT_ADMIN_PRIVILEGE": {vigil.ActionGrant, "role/super admin"}, "GRANT_DELEGATED_ADMIN_PRIVILEGES": {vigil.ActionGrant, "role"},
		"AUTHORIZE_API_CLIENT_ACCESS": {vigil.ActionGrant, "api client"}, "ADD_GROUP_MEMBER": {vigil.ActionGrant, "group"}, "UPDATE_GROUP_MEMBER": {vigil.ActionGrant, "group"},
		"GENERATE_TRANSFER_TOKEN": {vigil.ActionGrant, "token"}, "CREATE_DEVICE_ENROLLMENT_TOKEN": {vigil.ActionGrant, "token"}, "CREATE_ENROLLMENT_TOKEN": {vigil.ActionGrant, "token"},
		"CREATE_PLAY_FOR_WORK_TOKEN": {vigil.ActionGrant, "token"}, "ADD_TRUSTED_DOMAINS": {vigil.ActionGrant, "trusted domain"}, "TRANSFER_DOCUMENT_OWNERSHIP": {vigil.ActionGrant, "documents"},
		"ADD_APPLICATION": {vigil.ActionGrant, "application"}, "ADD_APPLICATION_TO_WHITELIST": {vigil.ActionGrant, "application"},
		"CREATE_USER": {vigil.ActionWrite, "user"}, "DELETE_USER": {vigil.ActionDelete, "user"}, "CREATE_GROUP": {vigil.ActionWrite, "group"}, "DELETE_GROUP": {vigil.ActionDelete, "group"},
		"UNDELETE_USER": {vigil.ActionWrite, "user"}, "BULK_UPLOAD": {vigil.ActionWrite, "user"},
		"EMAIL_LOG_SEARCH": {vigil.ActionSearch, "mail log"}, "SECURITY_INVESTIGATION_QUERY": {vigil.ActionSearch, "investigation"}, "SECURITY_INVESTIGATION_CONTENT_ACCESS": {vigil.ActionRead, "mail"},
		"SECURITY_INVESTIGATION_EXPORT_QUERY": {vigil.ActionExport, "investigation"}, "CUSTOMER_TAKEOUT_CREATED": {vigil.ActionExport, "data export"},
		"CUSTOMER_TAKEOUT_SUCCEEDED": {vigil.ActionExport, "data export"}, "CUSTOMER_TAKEOUT_DOWNLOADED": {vigil.ActionExport, "data export"}, "REQUEST_MAILBOX_DUMP": {vigil.ActionExport, "mailbox"},
		"REQUEST_ACCOUNT_INFO": {vigil.ActionExport, "account"}, "CREATE_EMAIL_MONITOR": {vigil.ActionShare, "mailbox"}, "DRIVE_DATA_RESTORE": {vigil.ActionWrite, "documents"},
		"CREATE_DATA_TRANSFER_REQUEST": {vigil.ActionExport, "user"}, "CHANGE_PASSWORD": {vigil.ActionConfigure, "password"}, "CHANGE_LOGIN_ACTIVITY_TRACE": {vigil.ActionConfigure, "audit log"},
	},
	"token": {"authorize": {vigil.ActionGrant, "oauth token"}, "revoke": {vigil.ActionConfigure, "oauth token"}, "activity": {vigil.ActionRead, "api"}, "request": {vigil.ActionOther, "oauth token"},
		"ACCESS_DENY_EVENT": {vigil.ActionLogin, "context-aware access"}},
	"context_aware_access": {"ACCESS_DENY_EVENT": {vigil.ActionLogin, "context-aware access"}, "ACCESS_DENY_INTERNAL_ERROR_EVENT": {vigil.ActionLogin, "context-aware access"}, "MONITOR_MODE_ACCESS_DENY_EVENT": {vigil.ActionLogin, "context-aware access"}},
	"calendar": {
		"change_calendar_acls": {vigil.ActionShare, "calendar"}, "change_calendar_country": {vigil.ActionConfigure, "calendar"}, "add_event_guest": {vigil.ActionShare, "calendar event"},
		"remove_event_guest": {vigil.ActionWrite, "calendar event"}, "print_preview": {vigil.ActionExport, "calendar"}, "export_calendar": {vigil.ActionExport, "calendar"},
		"notification_triggered": {}, "change_event_guest_response": {vigil.ActionWrite, "calendar event"}, "add_subscription": {vigil.ActionRead, "calendar"}, "delete_subscription": {},
	},
	"gmail": {"delivery": {vigil.ActionWrite, "mail"}},
	"groups": {"add_user": {vigil.ActionGrant, "group"}, "add_member": {vigil.ActionGrant, "group"}, "approve_join_request": {vigil.ActionGrant, "group"}, "accept_invitation": {vigil.ActionGrant, "group"},
		"join": {vigil.ActionGrant, "group"}, "change_acl_permission": {vigil.ActionShare, "group"}},
	"chat": {"attachment_download": {vigil.ActionExport, "chat"}, "attachment_upload": {vigil.ActionWrite, "chat"}, "message_posted": {vigil.ActionWrite, "chat"}, "conversation_read": {vigil.ActionRead, "chat"},
		"add_room_member": {vigil.ActionGrant, "chat space"}, "history_turned_off": {vigil.ActionConfigure, "chat history"}, "message_edited": {vigil.ActionWrite, "chat"}, "direct_message_started": {vigil.ActionWrite, "chat"}},
	"mobile": {"DEVICE_SYNC_EVENT": {}, "APPLICATION_EVENT": {}, "OS_UPDATED_EVENT": {}, "APP_OPERATION_EVENT": {}, "DEVICE_REGISTER_UNREGISTER_EVENT": {vigil.ActionConfigure, "device"},
		"DEVICE_ACTION_EVENT": {vigil.ActionConfigure, "device"}, "FAILED_PASSWORD_ATTEMPTS_EVENT": {vigil.ActionLogin, "device"}},
	"meet":        {"call_ended": {}, "call_left": {}, "presentation_started": {}, "presentation_stopped": {}, "recording_activity": {vigil.ActionExport, "recording"}, "invitation_sent": {vigil.ActionShare, "call"}},
	"rules":       {"rule_match": {vigil.ActionOther, "rule"}, "rule_trigger": {vigil.ActionOther, "rule"}, "action_complete": {vigil.ActionOther, "rule"}},
	"data_studio": {"VIEW": {vigil.ActionRead, "report"}, "DATA_EXPORT": {vigil.ActionExport, "report"}, "DOWNLOAD_REPORT": {vigil.ActionExport, "report"}, "CHANGE_USER_ACCESS": {vigil.ActionShare, "report"}, "CHANGE_VISIBILITY": {vigil.ActionShare, "report"}},
	"vault": {"search": {vigil.ActionSearch, "vault"}, "view": {vigil.ActionRead, "vault"}, "export": {vigil.ActionExport, "vault"}, "download_export": {vigil.ActionExport, "vault"}, "preview": {vigil.ActionRead, "vault"},
		"add_collaborator": {vigil.ActionGrant, "vault"}},
	"gemini_in_workspace_apps": {"feature_utilization": {vigil.ActionExecute, "gemini"}},
	"gcp":                      {"IMPORT_SSH_PUBLIC_KEY": {vigil.ActionGrant, "ssh key"}},
}

// meaningOf finds what an event does.
func meaningOf(app, name string) meaning {
	table := app
	if app == "groups_enterprise" {
		table = "groups"
	}
	if m, ok := names[table][name]; ok {
		return m
	}
	if strings.HasPrefix(name, "login_") || name == "logout" {
		if m, ok := names["login"][name]; ok {
			return m
		}
	}
	verb := formats.Verb(name)
	switch app {
	case "admin":
		return adminMeaning(name, verb)
	case "login", "user_accounts":
		return meaning{vigil.ActionConfigure, "account"} // what else they tell is about the account
	case "groups", "groups_enterprise":
		switch verb {
		case vigil.ActionDelete:
			if name != "delete_group" {
				verb = vigil.ActionConfigure
			}
		case vigil.ActionRead, vigil.ActionSearch, vigil.ActionExport:
		default:
			if !strings.HasPrefix(name, "create_group") {
				verb = vigil.ActionConfigure
			}
		}
		return meaning{verb, "group"}
	}
	return meaning{verb, ""}
}

// adminMeaning reads the console's events: settings, but for what looks and takes away.
func adminMeaning(name string, verb vigil.Action) meaning {
	switch {
	case strings.HasPrefix(name, "DOWNLOAD_") || strings.Contains(name, "_EXPORT"):
		return meaning{vigil.ActionExport, ""}
	case strings.HasPrefix(name, "VIEW_") || strings.HasSuffix(name, "_VIEW"):
		return meaning{vigil.ActionRead, ""}
	case strings.HasSuffix(name, "_SEARCH") || strings.HasSuffix(name, "_QUERY"):
		return meaning{vigil.ActionSearch, ""}
	case verb == vigil.ActionDelete && strings.Contains(name, "USER"):
		return meaning{vigil.ActionDelete, ""}
	}
	return meaning{vigil.ActionConfigure, ""}
}
