package m365

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// meaning is what an operation does. An empty action is no access.
type meaning struct {
	action   vigil.Action
	resource string
}

// operations has the operations whose name does not tell what they do. After
// Microsoft's lists of audit log activities. Names in lower case, without the dot at the end.
var operations = map[string]meaning{
	// The directory.
	"userloggedin": {vigil.ActionLogin, "sign-in"}, "userloginfailed": {vigil.ActionLogin, "sign-in"}, "userloggedoff": {vigil.ActionLogout, "sign-in"},
	"add member to role": {vigil.ActionGrant, "role"}, "add eligible member to role": {vigil.ActionGrant, "role"}, "add scoped member to role": {vigil.ActionGrant, "role"},
	"add member to group": {vigil.ActionGrant, "group"}, "add owner to group": {vigil.ActionGrant, "group"}, "add owner to application": {vigil.ActionGrant, "application"},
	"add owner to service principal": {vigil.ActionGrant, "application"}, "consent to application": {vigil.ActionGrant, "consent"},
	"add oauth2permissiongrant": {vigil.ActionGrant, "consent"}, "add delegated permission grant": {vigil.ActionGrant, "consent"}, "add delegation entry": {vigil.ActionGrant, "consent"},
	"add app role assignment to service principal": {vigil.ActionGrant, "application role"}, "add app role assignment grant to user": {vigil.ActionGrant, "application role"},
	"add app role assignment to group": {vigil.ActionGrant, "application role"}, "add service principal credentials": {vigil.ActionGrant, "credential"},
	"add role definition": {vigil.ActionGrant, "role"}, "add partner to company": {vigil.ActionGrant, "partner"}, "add service principal": {vigil.ActionConfigure, "application"},
	"update application – certificates and secrets management": {vigil.ActionGrant, "credential"}, "update application - certificates and secrets management": {vigil.ActionGrant, "credential"},
	"remove member from role": {vigil.ActionConfigure, "role"}, "remove member from group": {vigil.ActionConfigure, "group"}, "update role definition": {vigil.ActionGrant, "role"},
	"add user": {vigil.ActionWrite, "user"}, "update user": {vigil.ActionWrite, "user"}, "delete user": {vigil.ActionDelete, "user"}, "change user password": {vigil.ActionConfigure, "password"},
	"reset user password": {vigil.ActionConfigure, "password"}, "update stsrefreshtokenvalidfrom timestamp": {vigil.ActionConfigure, "session"}, "add group": {vigil.ActionWrite, "group"},

	// Mailboxes.
	"mailitemsaccessed": {vigil.ActionRead, "mailbox"}, "mailboxlogin": {vigil.ActionLogin, "mailbox"}, "folderbind": {vigil.ActionRead, "mailbox"}, "messagebind": {vigil.ActionRead, "mailbox"},
	"send": {vigil.ActionWrite, "mailbox"}, "sendas": {vigil.ActionWrite, "mailbox"}, "sendonbehalf": {vigil.ActionWrite, "mailbox"}, "create": {vigil.ActionWrite, "mailbox"},
	"update": {vigil.ActionWrite, "mailbox"}, "copy": {vigil.ActionWrite, "mailbox"}, "move": {vigil.ActionWrite, "mailbox"}, "movetodeleteditems": {vigil.ActionDelete, "mailbox"},
	"softdelete": {vigil.ActionDelete, "mailbox"}, "harddelete": {vigil.ActionDelete, "mailbox"}, "recorddelete": {vigil.ActionDelete, "mailbox"},
	"updatefolderpermissions": {vigil.ActionShare, "mailbox"}, "addfolderpermissions": {vigil.ActionShare, "mailbox"}, "modifyfolderpermissions": {vigil.ActionShare, "mailbox"},
	"removefolderpermissions": {vigil.ActionConfigure, "mailbox"}, "updatecalendardelegation": {vigil.ActionGrant, "mailbox"}, "updateinboxrules": {vigil.ActionConfigure, "inbox rule"},
	"applyrecord": {vigil.ActionConfigure, "mailbox"}, "searchqueryinitiatedexchange": {vigil.ActionSearch, "mailbox"}, "searchqueryinitiatedsharepoint": {vigil.ActionSearch, "sharepoint"},
	"add-mailboxpermission": {vigil.ActionGrant, "mailbox"}, "add-recipientpermission": {vigil.ActionGrant, "mailbox"}, "add-mailboxfolderpermission": {vigil.ActionShare, "mailbox"},
	"set-mailboxfolderpermission": {vigil.ActionShare, "mailbox"}, "new-managementroleassignment": {vigil.ActionGrant, "role"}, "add-rolegroupmember": {vigil.ActionGrant, "role"},
	"update-rolegroupmember": {vigil.ActionGrant, "role"}, "add-distributiongroupmember": {vigil.ActionGrant, "distribution group"}, "add-unifiedgrouplinks": {vigil.ActionGrant, "group"},
	"set-adminauditlogconfig": {vigil.ActionConfigure, "audit log"}, "set-mailboxauditbypassassociation": {vigil.ActionConfigure, "audit log"},
	"new-mailboxexportrequest": {vigil.ActionExport, "mailbox"}, "new-mailboxsearch": {vigil.ActionSearch, "mailbox"}, "new-compliancesearch": {vigil.ActionSearch, "content search"},
	"start-compliancesearch": {vigil.ActionSearch, "content search"}, "new-compliancesearchaction": {vigil.ActionExport, "content search"},
	"search-unifiedauditlog": {vigil.ActionSearch, "audit log"}, "search-mailbox": {vigil.ActionSearch, "mailbox"},

	// Files.
	"fileaccessed": {vigil.ActionRead, "file"}, "fileaccessedextended": {vigil.ActionRead, "file"}, "filepreviewed": {vigil.ActionRead, "file"}, "filedownloaded": {vigil.ActionExport, "file"},
	"filesyncdownloadedfull": {vigil.ActionExport, "file"}, "filesyncdownloadedpartial": {vigil.ActionExport, "file"}, "filesyncuploadedfull": {vigil.ActionWrite, "file"},
	"filesyncuploadedpartial": {vigil.ActionWrite, "file"}, "filecopiedtoremovablemedia": {vigil.ActionExport, "file"}, "fileuploadedtocloud": {vigil.ActionShare, "file"},
	"fileprinted": {vigil.ActionExport, "file"}, "filecopiedtonetworkshare": {vigil.ActionExport, "file"}, "filerecycled": {vigil.ActionDelete, "file"}, "folderrecycled": {vigil.ActionDelete, "file"},
	"filecheckedout": {vigil.ActionWrite, "file"}, "filecheckedin": {vigil.ActionWrite, "file"}, "pageprefetched": {}, "clientviewsignaled": {}, "pageviewed": {vigil.ActionRead, "page"},
	"pageviewedextended": {vigil.ActionRead, "page"}, "signinevent": {vigil.ActionLogin, "sharepoint"}, "searchqueryperformed": {vigil.ActionSearch, "sharepoint"},
	"sharingset": {vigil.ActionShare, "file"}, "sharinginvitationcreated": {vigil.ActionShare, "file"}, "sharinginvitationaccepted": {vigil.ActionGrant, "file"},
	"sharingrevoked": {vigil.ActionConfigure, "file"}, "sharinginheritancebroken": {vigil.ActionConfigure, "file"}, "sharingpolicychanged": {vigil.ActionConfigure, "sharing policy"},
	"anonymouslinkcreated": {vigil.ActionShare, "file"}, "anonymouslinkupdated": {vigil.ActionShare, "file"}, "anonymouslinkused": {vigil.ActionRead, "file"}, "anonymouslinkremoved": {vigil.ActionConfigure, "file"},
	"securelinkcreated": {vigil.ActionShare, "file"}, "securelinkupdated": {vigil.ActionShare, "file"}, "securelinkused": {vigil.ActionRead, "file"}, "securelinkdeleted": {vigil.ActionConfigure, "file"},
	"addedtosecurelink": {vigil.ActionShare, "file"}, "removedfromsecurelink": {vigil.ActionConfigure, "file"},
	"companylinkcreated": {vigil.ActionShare, "file"}, "companylinkused": {vigil.ActionRead, "file"}, "companylinkremoved": {vigil.ActionConfigure, "file"},
	"addedtogroup": {vigil.ActionGrant, "group"}, "removedfromgroup": {vigil.ActionConfigure, "group"}, "sitecollectionadminadded": {vigil.ActionGrant, "site administrator"},
	"sitecollectionadminremoved": {vigil.ActionConfigure, "site administrator"}, "sitepermissionsmodified": {vigil.ActionGrant, "site"}, "permissionlevelmodified": {vigil.ActionGrant, "site"},
	"permissionleveladded": {vigil.ActionGrant, "site"}, "accessrequestapproved": {vigil.ActionGrant, "site"}, "accessrequestcreated": {vigil.ActionOther, "site"},
	"groupadded": {vigil.ActionWrite, "group"},

	// Teams.
	"teamssessionstarted": {vigil.ActionLogin, "teams"}, "memberadded": {vigil.ActionGrant, "team"}, "memberremoved": {vigil.ActionConfigure, "team"}, "memberrolechanged": {vigil.ActionGrant, "team"},
	"teamsettingchanged": {vigil.ActionConfigure, "team"}, "channelsettingchanged": {vigil.ActionConfigure, "channel"}, "teamstenantsettingchanged": {vigil.ActionConfigure, "teams settings"},
	"messageslisted": {vigil.ActionSearch, "messages"}, "messageread": {vigil.ActionRead, "messages"}, "messagesread": {vigil.ActionRead, "messages"}, "chatretrieved": {vigil.ActionRead, "chat"},
	"messagehostedcontentread": {vigil.ActionRead, "messages"}, "messagehostedcontentslisted": {vigil.ActionSearch, "messages"}, "messagesexported": {vigil.ActionExport, "messages"},
	"recordingexported": {vigil.ActionExport, "recordings"}, "transcriptsexported": {vigil.ActionExport, "transcripts"}, "appinstalled": {vigil.ActionConfigure, "app"},
	"appdeleted": {vigil.ActionConfigure, "app"}, "appdeletedfromcatalog": {vigil.ActionConfigure, "app"}, "botaddedtoteam": {vigil.ActionGrant, "bot"}, "connectoradded": {vigil.ActionConfigure, "connector"},
	"meetingdetail": {}, "meetingparticipantdetail": {}, "messagesent": {vigil.ActionWrite, "messages"}, "messagecreatedhaslink": {vigil.ActionWrite, "messages"},
	"messageupdated": {vigil.ActionWrite, "messages"}, "messagedeleted": {vigil.ActionDelete, "messages"}, "groupcreation": {vigil.ActionWrite, "group"}, "groupdeletion": {vigil.ActionDelete, "group"},

	// Investigations.
	"searchstarted": {vigil.ActionSearch, "content search"}, "searchcreated": {vigil.ActionSearch, "content search"}, "searchupdated": {vigil.ActionSearch, "content search"},
	"searchreport": {vigil.ActionRead, "content search"}, "searchpreviewed": {vigil.ActionRead, "content search"}, "previewitemlisted": {vigil.ActionRead, "content search"},
	"previewitemrendered": {vigil.ActionRead, "content search"}, "previewitemdownloaded": {vigil.ActionExport, "content search"}, "searchexported": {vigil.ActionExport, "content search"},
	"searchexportdownloaded": {vigil.ActionExport, "content search"}, "viewedsearchexported": {vigil.ActionExport, "content search"}, "caseadded": {vigil.ActionConfigure, "case"},
	"casememberadded": {vigil.ActionGrant, "case"}, "auditsearchcreated": {vigil.ActionSearch, "audit log"}, "auditsearchexportjobcreated": {vigil.ActionExport, "audit log"},
	"dlprulematch": {vigil.ActionOther, "dlp"}, "dlpruleundo": {vigil.ActionOther, "dlp"}, "dlpinfo": {}, "alerttriggered": {}, "alertentitygenerated": {}, "alertupdated": {},

	// Reports, forms, assistants.
	"analyzeinexcel": {vigil.ActionExport, "report"}, "publishtowebreport": {vigil.ActionShare, "report"}, "generateembedtoken": {vigil.ActionGrant, "token"}, "printreport": {vigil.ActionExport, "report"},
	"viewreport": {vigil.ActionRead, "report"}, "exportreport": {vigil.ActionExport, "report"}, "downloadreport": {vigil.ActionExport, "report"}, "sharereport": {vigil.ActionShare, "report"},
	"copilotinteraction": {vigil.ActionExecute, "copilot"}, "crmdefaultactivity": {vigil.ActionOther, "crm"}, "exporttoexcel": {vigil.ActionExport, "crm"}, "retrieve": {vigil.ActionRead, "crm"},
	"retrievemultiple": {vigil.ActionSearch, "crm"},
}

// meaningOf finds what an operation does.
func meaningOf(operation, service string) meaning {
	low := strings.ToLower(operation)
	if m, ok := operations[low]; ok {
		return m
	}
	service = strings.ToLower(service)
	if verb, noun, ok := strings.Cut(operation, "-"); ok && !strings.Contains(operation, " ") {
		return cmdlet(strings.ToLower(verb), noun)
	}
	m := meaning{formats.Verb(operation), service}
	if service == "azureactivedirectory" && m.resource != "" {
		m.resource = "directory"
		// What is changed in the directory are rights and settings, but for people.
		if (m.action == vigil.ActionWrite || m.action == vigil.ActionDelete) && !strings.Contains(low, "user") && !strings.Contains(low, "group") {
			m.action = vigil.ActionConfigure
		}
	}
	return m
}

// cmdlet reads PowerShell's verbs: all but those that look are settings.
func cmdlet(verb, noun string) meaning {
	switch verb {
	case "get", "test":
		return meaning{vigil.ActionRead, noun}
	case "search", "find":
		return meaning{vigil.ActionSearch, noun}
	case "export":
		return meaning{vigil.ActionExport, noun}
	case "start", "invoke":
		return meaning{vigil.ActionExecute, noun}
	}
	return meaning{vigil.ActionConfigure, noun}
}
