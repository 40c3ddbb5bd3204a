package auth0

import (
	"strings"

	"vigil"
)

// meaning is what records of a type are. An empty action is no access.
type meaning struct {
	action   vigil.Action
	resource string
	outcome  vigil.Outcome
}

// byRequest stands for the action that the call's method and path tell.
const byRequest vigil.Action = "request"

const (
	ok     = vigil.OutcomeSuccess
	denied = vigil.OutcomeDenied
	failed = vigil.OutcomeError
	open   = vigil.OutcomeUnspecified
)

// types are Auth0's log event type codes.
var types = map[string]meaning{
	"s": {vigil.ActionLogin, "application", ok}, "ssa": {vigil.ActionLogin, "application", ok}, "scoa": {vigil.ActionLogin, "application", ok}, "sens": {vigil.ActionLogin, "application", ok},
	"seacft": {vigil.ActionLogin, "application", ok}, "seccft": {vigil.ActionLogin, "application", ok}, "sede": {vigil.ActionLogin, "application", ok}, "sepft": {vigil.ActionLogin, "application", ok},
	"sepkoobft": {vigil.ActionLogin, "application", ok}, "sepkotpft": {vigil.ActionLogin, "application", ok}, "sepkrcft": {vigil.ActionLogin, "application", ok}, "serft": {vigil.ActionLogin, "application", ok},
	"scpr": {vigil.ActionConfigure, "password", ok}, "gd_auth_succeed": {vigil.ActionLogin, "mfa", ok}, "gd_otp_rate_limit_exceed": {vigil.ActionLogin, "mfa", denied},
	"gd_auth_failed": {vigil.ActionLogin, "mfa", denied}, "gd_auth_rejected": {vigil.ActionLogin, "mfa", denied}, "gd_recovery_succeed": {vigil.ActionLogin, "mfa", ok},
	"gd_recovery_failed": {vigil.ActionLogin, "mfa", denied}, "gd_auth_email_verification": {vigil.ActionLogin, "mfa", ok}, "gd_webauthn_challenge_failed": {vigil.ActionLogin, "mfa", denied},
	"gd_enrollment_complete": {vigil.ActionConfigure, "mfa", ok}, "gd_unenroll": {vigil.ActionConfigure, "mfa", ok}, "gd_update_device_account": {vigil.ActionConfigure, "mfa", ok}, "gd_user_delete": {vigil.ActionConfigure, "mfa", ok},
	"gd_tenant_update": {vigil.ActionConfigure, "mfa", ok}, "gd_module_switch": {vigil.ActionConfigure, "mfa", ok},
	"f": {vigil.ActionLogin, "application", denied}, "fp": {vigil.ActionLogin, "application", denied}, "fu": {vigil.ActionLogin, "application", denied}, "fsa": {vigil.ActionLogin, "application", denied},
	"fcoa": {vigil.ActionLogin, "application", denied}, "fens": {vigil.ActionLogin, "application", denied}, "fc": {vigil.ActionLogin, "application", denied}, "fco": {vigil.ActionLogin, "application", denied},
	"feacft": {vigil.ActionLogin, "application", denied}, "feccft": {vigil.ActionLogin, "application", denied}, "fede": {vigil.ActionLogin, "application", denied}, "feoobft": {vigil.ActionLogin, "application", denied},
	"feotpft": {vigil.ActionLogin, "application", denied}, "fepft": {vigil.ActionLogin, "application", denied}, "fepotpft": {vigil.ActionLogin, "application", denied}, "fercft": {vigil.ActionLogin, "application", denied},
	"ferrt": {vigil.ActionLogin, "application", denied}, "fertft": {vigil.ActionLogin, "application", denied}, "ferft": {vigil.ActionLogin, "application", denied}, "ublkdu": {vigil.ActionConfigure, "user", ok},
	"limit_wc": {vigil.ActionLogin, "application", denied}, "limit_mu": {vigil.ActionLogin, "application", denied}, "limit_sul": {vigil.ActionLogin, "application", denied}, "limit_ui": {vigil.ActionRead, "user info", denied},
	"limit_delegation": {vigil.ActionGrant, "token", denied}, "pwd_leak": {vigil.ActionLogin, "application", denied}, "signup_pwd_leak": {vigil.ActionLogin, "sign-up", denied}, "reset_pwd_leak": {vigil.ActionLogin, "password", denied},
	"pla": {vigil.ActionLogin, "application", open}, "slo": {vigil.ActionLogout, "application", ok}, "oidc_backchannel_logout_succeeded": {vigil.ActionLogout, "application", ok}, "srrt": {vigil.ActionConfigure, "token", ok},
	"flo": {vigil.ActionLogout, "application", failed}, "oidc_backchannel_logout_failed": {vigil.ActionLogout, "application", failed},
	// A sign-up signs in for the first time.
	"ss": {vigil.ActionLogin, "sign-up", ok}, "fs": {vigil.ActionLogin, "sign-up", failed}, "si": {vigil.ActionGrant, "invitation", ok},
	"sapi": {byRequest, "", ok}, "fapi": {byRequest, "", failed}, "mgmt_api_read": {byRequest, "", ok}, "api_limit": {vigil.ActionOther, "api", denied}, "api_limit_warning": {},
	"sdu": {vigil.ActionDelete, "user", ok}, "fdu": {vigil.ActionDelete, "user", failed}, "scu": {vigil.ActionWrite, "user", ok}, "fcu": {vigil.ActionWrite, "user", failed}, "sce": {vigil.ActionWrite, "user", ok},
	"fce": {vigil.ActionWrite, "user", failed}, "scn": {vigil.ActionWrite, "user", ok}, "fcn": {vigil.ActionWrite, "user", failed}, "scph": {vigil.ActionWrite, "user", ok}, "fcph": {vigil.ActionWrite, "user", failed},
	"sv": {vigil.ActionWrite, "user", ok}, "fv": {vigil.ActionWrite, "user", failed}, "scp": {vigil.ActionConfigure, "password", ok}, "fcp": {vigil.ActionConfigure, "password", failed}, "fcpr": {vigil.ActionConfigure, "password", failed},
	"sd": {vigil.ActionGrant, "token", ok}, "fd": {vigil.ActionGrant, "token", failed}, "du": {vigil.ActionDelete, "user", ok}, "admin_update_launch": {vigil.ActionConfigure, "tenant", ok},
	"actions_execution_failed": {}, "cls": {}, "cs": {}, "cl": {}, "cr": {}, "depnote": {}, "w": {}, "wn": {}, "fn": {}, "sn": {}, "fvr": {}, "svr": {}, "sys_os_update_start": {}, "sys_os_update_end": {}, "sys_update_start": {},
	"sys_update_end": {}, "gd_send_pn": {}, "gd_send_sms": {}, "gd_send_voice": {}, "gd_send_email": {}, "gd_send_pn_failure": {}, "gd_send_sms_failure": {}, "gd_send_voice_failure": {}, "gd_start_auth": {},
	"gd_start_enroll": {}, "mfar": {}, "fsr": {}, "ssr": {}, "too_many_records": {}, "refresh_tokens_revoked": {vigil.ActionConfigure, "token", ok}, "resource_cleanup": {}, "health_monitor": {}, "kms_key_state_changed": {vigil.ActionConfigure, "keys", ok},
	"fpar": {vigil.ActionLogin, "application", denied}, "fpurh": {vigil.ActionConfigure, "password", failed}, "fi": {vigil.ActionGrant, "invitation", failed},
}

// typeOf finds what a code is. Codes that are not known tell by their first letter whether
// it worked.
func typeOf(code string) meaning {
	if m, known := types[code]; known {
		return m
	}
	switch {
	case strings.HasPrefix(code, "se") && strings.HasSuffix(code, "ft"):
		return meaning{vigil.ActionLogin, "application", ok}
	case strings.HasPrefix(code, "fe") && strings.HasSuffix(code, "ft"):
		return meaning{vigil.ActionLogin, "application", denied}
	case strings.HasPrefix(code, "s"):
		return meaning{vigil.ActionOther, "auth0", ok}
	case strings.HasPrefix(code, "f"):
		return meaning{vigil.ActionOther, "auth0", failed}
	}
	return meaning{vigil.ActionOther, "auth0", open}
}
