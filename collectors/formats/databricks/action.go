package databricks

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// kind is what an action does: nothing where it is no access.
type kind struct {
	action   vigil.Action
	resource string
	// reads says that its parameters hold a statement.
	reads bool
}

// kinds are actions by their name in lower case; others are told by the verb in their
// name. The same name means the same in all services, but for a few below.
var kinds = map[string]kind{
	"commandsubmit": {vigil.ActionRead, "", true}, "runcommand": {vigil.ActionExecute, "notebooks", true}, "executefastquery": {vigil.ActionRead, "", true},
	"executeadhocquery": {vigil.ActionRead, "", true}, "executesavedquery": {vigil.ActionRead, "", true}, "executestatement": {vigil.ActionRead, "", true},
	// What submits, and what ends a command, is told by the above.
	"commandfinish": {}, "submitcommand": {}, "attachnotebook": {}, "detachnotebook": {},
	"downloadpreviewresults": {vigil.ActionExport, "results", false}, "downloadlargeresults": {vigil.ActionExport, "results", false},
	"downloadqueryresult": {vigil.ActionExport, "results", false}, "downloadnotebookresults": {vigil.ActionExport, "results", false},
	"workspaceexport": {vigil.ActionExport, "notebooks", false}, "exportnotebook": {vigil.ActionExport, "notebooks", false},
	"login": {vigil.ActionLogin, "", false}, "tokenlogin": {vigil.ActionLogin, "", false}, "samllogin": {vigil.ActionLogin, "", false}, "oidcbrowserlogin": {vigil.ActionLogin, "", false},
	"aadbrowserlogin": {vigil.ActionLogin, "", false}, "aadtokenlogin": {vigil.ActionLogin, "", false}, "certlogin": {vigil.ActionLogin, "", false},
	"mfalogin": {vigil.ActionLogin, "", false}, "jwtlogin": {vigil.ActionLogin, "", false}, "passwordlogin": {vigil.ActionLogin, "", false}, "oidctokenauthorization": {vigil.ActionLogin, "", false},
	"ipaccessdenied": {vigil.ActionLogin, "", false}, "accountipaclsvalidationfailed": {vigil.ActionLogin, "", false}, "logout": {vigil.ActionLogout, "", false},
	"setadmin": {vigil.ActionGrant, "users", false}, "setaccountadmin": {vigil.ActionGrant, "users", false}, "addusertoadmingroup": {vigil.ActionGrant, "users", false},
	"modifyuserrole": {vigil.ActionGrant, "users", false}, "addprincipaltogroup": {vigil.ActionGrant, "groups", false}, "addprincipalstogroup": {vigil.ActionGrant, "groups", false},
	"createuser": {vigil.ActionGrant, "users", false}, "adduser": {vigil.ActionGrant, "users", false}, "activateuser": {vigil.ActionGrant, "users", false},
	"generatedbtoken": {vigil.ActionGrant, "tokens", false}, "createtoken": {vigil.ActionGrant, "tokens", false}, "revokedbtoken": {vigil.ActionConfigure, "tokens", false},
	"updatepermissions": {vigil.ActionGrant, "", false}, "changedbtokenacl": {vigil.ActionGrant, "tokens", false}, "changeclusteracl": {vigil.ActionGrant, "clusters", false},
	"changeworkspaceacl": {vigil.ActionGrant, "workspace", false}, "changepermissions": {vigil.ActionGrant, "", false}, "updateroleassignment": {vigil.ActionGrant, "", false},
	"removeadmin": {vigil.ActionConfigure, "users", false}, "removeaccountadmin": {vigil.ActionConfigure, "users", false}, "removeprincipalfromgroup": {vigil.ActionConfigure, "groups", false},
	"creategroup": {vigil.ActionConfigure, "groups", false}, "removegroup": {vigil.ActionConfigure, "groups", false}, "changepassword": {vigil.ActionConfigure, "users", false},
	"deactivateuser": {vigil.ActionConfigure, "users", false}, "deleteuser": {vigil.ActionConfigure, "users", false}, "garbagecollectdbtoken": {},
	"createrecipient": {vigil.ActionShare, "recipients", false}, "updaterecipient": {vigil.ActionShare, "recipients", false}, "rotaterecipienttoken": {vigil.ActionShare, "recipients", false},
	"createshare": {vigil.ActionShare, "shares", false}, "updateshare": {vigil.ActionShare, "shares", false}, "updatesharepermissions": {vigil.ActionShare, "shares", false},
	"deltasharingquerytable": {vigil.ActionRead, "", false}, "deltasharingqueriedtable": {vigil.ActionRead, "", false}, "deltasharingquerytablechanges": {vigil.ActionRead, "", false},
	"generatetemporarytablecredential": {vigil.ActionRead, "", false}, "generatetemporaryvolumecredential": {vigil.ActionRead, "volumes", false},
	"generatetemporarypathcredential": {vigil.ActionRead, "paths", false}, "queryvectorindex": {vigil.ActionSearch, "", false},
	"getsecret": {vigil.ActionRead, "secrets", false}, "listsecrets": {vigil.ActionSearch, "secrets", false}, "putsecret": {vigil.ActionWrite, "secrets", false},
	"workspaceconfedit": {vigil.ActionConfigure, "workspace", false}, "updateworkspacesettings": {vigil.ActionConfigure, "workspace", false}, "updateaccountsettings": {vigil.ActionConfigure, "account", false},
	"setsetting": {vigil.ActionConfigure, "settings", false}, "updateloggingconfig": {vigil.ActionConfigure, "audit", false}, "deletelogdelivery": {vigil.ActionConfigure, "audit", false},
	"installlibraryonallclusters": {vigil.ActionConfigure, "clusters", false}, "runnow": {vigil.ActionExecute, "jobs", false}, "submitrun": {vigil.ActionExecute, "jobs", false},
	"runstart": {}, "runsucceeded": {}, "runfailed": {}, "runtriggered": {}, "resize": {}, "createresult": {}, "startresult": {}, "deleteresult": {}, "resizeresult": {},
	"executecommand": {vigil.ActionExecute, "clusters", false}, "opennotebook": {vigil.ActionRead, "notebooks", false},
}

// configured are services whose changes are settings.
var configured = map[string]bool{
	"ssoconfigbackend": true, "clusters": true, "clusterpolicies": true, "globalinitscripts": true, "instancepools": true, "iamrole": true, "ipaccesslists": true, "workspacesettings": true,
}

func kindOf(service, name string) kind {
	if k, ok := kinds[strings.ToLower(name)]; ok {
		return k
	}
	k := kind{action: formats.Verb(name)}
	if configured[strings.ToLower(service)] && (k.action == vigil.ActionWrite || k.action == vigil.ActionOther) {
		k.action = vigil.ActionConfigure
	}
	return k
}
