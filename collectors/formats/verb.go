package formats

import (
	"unicode"

	"vigil"
)

// verbs are the words by which operations are named, in the forms that logs use.
var verbs = map[string]vigil.Action{
	"get": vigil.ActionRead, "read": vigil.ActionRead, "view": vigil.ActionRead, "viewed": vigil.ActionRead, "access": vigil.ActionRead,
	"accessed": vigil.ActionRead, "open": vigil.ActionRead, "opened": vigil.ActionRead, "preview": vigil.ActionRead, "previewed": vigil.ActionRead,
	"retrieve": vigil.ActionRead, "retrieved": vigil.ActionRead, "fetch": vigil.ActionRead, "show": vigil.ActionRead, "reveal": vigil.ActionRead,
	"head": vigil.ActionRead, "played": vigil.ActionRead, "printed": vigil.ActionRead, "print": vigil.ActionRead,

	"list": vigil.ActionSearch, "listed": vigil.ActionSearch, "search": vigil.ActionSearch, "searched": vigil.ActionSearch, "query": vigil.ActionSearch,
	"queried": vigil.ActionSearch, "find": vigil.ActionSearch, "browse": vigil.ActionSearch, "enumerate": vigil.ActionSearch, "lookup": vigil.ActionSearch,

	"export": vigil.ActionExport, "exported": vigil.ActionExport, "download": vigil.ActionExport, "downloaded": vigil.ActionExport,
	"dump": vigil.ActionExport, "extract": vigil.ActionExport,

	"share": vigil.ActionShare, "shared": vigil.ActionShare, "publish": vigil.ActionShare, "published": vigil.ActionShare, "invite": vigil.ActionShare,
	"invited": vigil.ActionShare, "forward": vigil.ActionShare, "forwarded": vigil.ActionShare,

	"grant": vigil.ActionGrant, "granted": vigil.ActionGrant, "assign": vigil.ActionGrant, "assigned": vigil.ActionGrant, "consent": vigil.ActionGrant,
	"elevate": vigil.ActionGrant, "issue": vigil.ActionGrant, "issued": vigil.ActionGrant, "authorize": vigil.ActionGrant, "authorized": vigil.ActionGrant,

	"set": vigil.ActionConfigure, "enable": vigil.ActionConfigure, "enabled": vigil.ActionConfigure, "disable": vigil.ActionConfigure,
	"disabled": vigil.ActionConfigure, "configure": vigil.ActionConfigure, "activate": vigil.ActionConfigure, "activated": vigil.ActionConfigure,
	"deactivate": vigil.ActionConfigure, "deactivated": vigil.ActionConfigure, "suspend": vigil.ActionConfigure, "suspended": vigil.ActionConfigure,
	"register": vigil.ActionConfigure, "registered": vigil.ActionConfigure, "install": vigil.ActionConfigure, "installed": vigil.ActionConfigure,
	"uninstall": vigil.ActionConfigure, "revoke": vigil.ActionConfigure, "revoked": vigil.ActionConfigure, "rotate": vigil.ActionConfigure,
	"regenerate": vigil.ActionConfigure, "reset": vigil.ActionConfigure, "lock": vigil.ActionConfigure, "unlock": vigil.ActionConfigure,
	"unassign": vigil.ActionConfigure, "unassigned": vigil.ActionConfigure, "block": vigil.ActionConfigure, "unblock": vigil.ActionConfigure,

	"create": vigil.ActionWrite, "created": vigil.ActionWrite, "add": vigil.ActionWrite, "added": vigil.ActionWrite, "update": vigil.ActionWrite,
	"updated": vigil.ActionWrite, "edit": vigil.ActionWrite, "edited": vigil.ActionWrite, "modify": vigil.ActionWrite, "modified": vigil.ActionWrite,
	"change": vigil.ActionWrite, "changed": vigil.ActionWrite, "write": vigil.ActionWrite, "upload": vigil.ActionWrite, "uploaded": vigil.ActionWrite,
	"put": vigil.ActionWrite, "post": vigil.ActionWrite, "posted": vigil.ActionWrite, "insert": vigil.ActionWrite, "move": vigil.ActionWrite,
	"moved": vigil.ActionWrite, "copy": vigil.ActionWrite, "copied": vigil.ActionWrite, "rename": vigil.ActionWrite, "renamed": vigil.ActionWrite,
	"import": vigil.ActionWrite, "imported": vigil.ActionWrite, "restore": vigil.ActionWrite, "restored": vigil.ActionWrite, "save": vigil.ActionWrite,
	"patch": vigil.ActionWrite, "upsert": vigil.ActionWrite, "send": vigil.ActionWrite, "sent": vigil.ActionWrite,
	"append": vigil.ActionWrite, "submit": vigil.ActionWrite, "submitted": vigil.ActionWrite, "replace": vigil.ActionWrite, "archive": vigil.ActionWrite,

	"delete": vigil.ActionDelete, "deleted": vigil.ActionDelete, "remove": vigil.ActionDelete, "removed": vigil.ActionDelete, "purge": vigil.ActionDelete,
	"purged": vigil.ActionDelete, "erase": vigil.ActionDelete, "destroy": vigil.ActionDelete, "drop": vigil.ActionDelete, "recycled": vigil.ActionDelete,
	"trash": vigil.ActionDelete, "trashed": vigil.ActionDelete, "wipe": vigil.ActionDelete,

	"login": vigil.ActionLogin, "logon": vigil.ActionLogin, "signin": vigil.ActionLogin, "authenticate": vigil.ActionLogin, "authenticated": vigil.ActionLogin,
	"logged":  vigil.ActionLogin,
	"logout":  vigil.ActionLogout,
	"signout": vigil.ActionLogout, "logoff": vigil.ActionLogout,
	"impersonate": vigil.ActionImpersonate, "impersonated": vigil.ActionImpersonate,
	"run": vigil.ActionExecute, "execute": vigil.ActionExecute, "executed": vigil.ActionExecute, "invoke": vigil.ActionExecute, "invoked": vigil.ActionExecute,
	"trigger": vigil.ActionExecute, "triggered": vigil.ActionExecute,
}

// Verb is what an operation's name says that it does, by the first of its words that is
// a verb known here: FileDownloaded, user.lifecycle.create, "Add member", GET_OBJECT.
// For names that a format's own table does not have; vigil.ActionOther for none.
func Verb(name string) vigil.Action {
	const most = 256
	name = name[:min(len(name), most)]
	var word [24]byte
	n := 0
	for i := 0; i <= len(name); i++ {
		var c byte
		if i < len(name) {
			c = name[i]
		}
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		// A capital after a small letter begins a word, and so does one before a small
		// letter after capitals.
		begins := letter && unicode.IsUpper(rune(c)) && i > 0 &&
			(name[i-1] >= 'a' && name[i-1] <= 'z' || i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z')
		if !letter || begins {
			if a, ok := verbs[string(word[:min(n, len(word))])]; ok && n <= len(word) {
				return a
			}
			n = 0
		}
		if letter {
			if n < len(word) {
				word[n] = c | 0x20
			}
			n++
		}
	}
	return vigil.ActionOther
}
