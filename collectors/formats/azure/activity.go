package azure

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
)

// activityCategories are those of the activity log.
var activityCategories = map[string]bool{
	"administrative": true, "policy": true, "security": true, "alert": true, "recommendation": true, "servicehealth": true, "resourcehealth": true, "autoscale": true,
	"write": true, "delete": true, "action": true,
}

// deeds are operations of the control plane that do more than their last word says, by
// their end.
var deeds = []struct {
	end      string
	action   vigil.Action
	resource string
}{
	{"/roleassignments/write", vigil.ActionGrant, "role"}, {"/roledefinitions/write", vigil.ActionGrant, "role"}, {"/elevateaccess/action", vigil.ActionGrant, "role/User Access Administrator"},
	{"/rolebindings/write", vigil.ActionGrant, "role"}, {"/clusterrolebindings/write", vigil.ActionGrant, "role"}, {"/roles/write", vigil.ActionGrant, "role"},
	{"/accesspolicies/write", vigil.ActionGrant, "access policy"}, {"/sqlroleassignments/write", vigil.ActionGrant, "role"}, {"/federatedidentitycredentials/write", vigil.ActionGrant, "credential"},
	{"/roleassignments/delete", vigil.ActionConfigure, "role"}, {"/listaccountsas/action", vigil.ActionGrant, "shared access signature"}, {"/listservicesas/action", vigil.ActionGrant, "shared access signature"},
	{"/generateuserdelegationkey/action", vigil.ActionGrant, "shared access signature"}, {"/regeneratekey/action", vigil.ActionConfigure, "keys"},
	{"/listkeys/action", vigil.ActionRead, "keys"}, {"/readonlykeys/action", vigil.ActionRead, "keys"}, {"/listconnectionstrings/action", vigil.ActionRead, "keys"},
	{"/listcredentials/action", vigil.ActionRead, "keys"}, {"/listclusteradmincredential/action", vigil.ActionRead, "keys"}, {"/listclusterusercredential/action", vigil.ActionRead, "keys"},
	{"/listsecrets/action", vigil.ActionRead, "keys"}, {"/publishxml/action", vigil.ActionRead, "keys"}, {"/getsecret/action", vigil.ActionRead, "secrets"},
	{"/begingetaccess/action", vigil.ActionExport, "disk"}, {"/snapshots/write", vigil.ActionExport, "snapshot"}, {"/exporttemplate/action", vigil.ActionRead, "template"},
	{"/export/action", vigil.ActionExport, "database"}, {"/diagnosticsettings/delete", vigil.ActionConfigure, "diagnostic settings"}, {"/diagnosticsettings/write", vigil.ActionConfigure, "diagnostic settings"},
	{"/auditingsettings/write", vigil.ActionConfigure, "audit log"}, {"/locks/delete", vigil.ActionConfigure, "lock"}, {"/firewallrules/write", vigil.ActionConfigure, "firewall rule"},
}

// controlAction says what an operation such as Microsoft.Storage/storageAccounts/write
// does, and to what.
func controlAction(operation string) (vigil.Action, string) {
	low := strings.ToLower(operation)
	for _, d := range deeds {
		if strings.HasSuffix(low, d.end) {
			return d.action, d.resource
		}
	}
	parts := strings.Split(low, "/")
	verb := parts[len(parts)-1]
	kind := strings.Join(parts[min(1, len(parts)-1):max(1, len(parts)-1)], "/")
	switch verb {
	case "read":
		return vigil.ActionRead, kind
	case "write":
		return vigil.ActionConfigure, kind
	case "delete", "purge":
		return vigil.ActionDelete, kind
	case "action":
		// The word before says what is done: listKeys, purge, restart.
		parts = strings.Split(operation, "/")
		kind = strings.Join(parts[min(1, len(parts)-1):max(1, len(parts)-2)], "/")
		did := ""
		if len(parts) >= 2 {
			did = parts[len(parts)-2]
		}
		act := formats.Verb(did)
		if act == vigil.ActionOther || act == vigil.ActionWrite {
			act = vigil.ActionConfigure
		}
		return act, strings.ToLower(kind)
	}
	return formats.Verb(operation), kind
}

// activity reads the activity log.
func (a entry) activity(category string) (*vigil.Event, error) {
	operation := a.operation()
	e, err := a.event()
	if err != nil {
		return nil, err
	}
	e.Action, e.Resource = controlAction(operation)
	e.Shape = strings.ToLower(operation)
	e.ID = a.top("eventDataId")
	c := a.claims()
	e.IP = formats.Address(first(a.top("callerIpAddress"), a.top("httpRequest.clientIpAddress"), c.ip))
	who(e, c, a.top("caller"), a.r.String(a.raw("identity.authorization.evidence.principalId"), 128))
	if e.Actor.ID == "" && e.IP == "" && category != "administrative" && category != "policy" {
		return nil, nil // the platform speaks of itself: health, scaling, alerts
	}
	if nobody(e) != nil {
		e.Actor.ID, e.Actor.Kind = "azure", vigil.KindService // it did the work itself
	}
	e.Actor.Role, e.Actor.App = a.top("identity.authorization.evidence.role"), c.app
	e.Outcome = activityOutcome(first(a.top("resultType"), a.top("status.value"), a.top("status")), first(a.top("resultSignature"), a.top("subStatus.value")))
	return e, nil
}

// who says who called: the user's name, else the object or the application.
func who(e *vigil.Event, c claims, more ...string) {
	switch {
	case c.user != "":
		e.Actor.ID, e.Actor.Kind = c.user, vigil.KindHuman
		if c.kind == "app" {
			e.Actor.Kind = vigil.KindService
		}
	case first(more...) != "":
		e.Actor.ID = first(more...)
		if strings.Contains(e.Actor.ID, "@") {
			e.Actor.Kind = vigil.KindHuman
		}
	case c.object != "":
		e.Actor.ID = c.object
	case c.app != "":
		e.Actor.ID, e.Actor.Kind = c.app, vigil.KindService
	}
	if c.kind == "app" {
		e.Actor.Kind = vigil.KindService
	}
}

// claims are those of a caller's token.
type claims struct{ user, object, app, ip, kind string }

// claims reads a token's claims, whose names may be URLs.
func (a entry) claims() (c claims) {
	all := a.raw("identity.claims")
	if !all.Exists() {
		all = a.raw("identity.claim")
	}
	if !all.Exists() {
		all = a.raw("claims")
	}
	var upn, mail, unique, name string
	all.ForEach(func(k, v gjson.Result) bool {
		key := strings.ToLower(k.Str)
		key = key[strings.LastIndexByte(key, '/')+1:]
		s := a.r.String(v, 256)
		switch key {
		case "upn":
			upn = s
		case "emailaddress":
			mail = s
		case "unique_name":
			unique = s
		case "name":
			if name == "" || strings.Contains(s, "@") {
				name = s
			}
		case "objectidentifier", "oid":
			c.object = s
		case "appid":
			c.app = s
		case "ipaddr":
			c.ip = s
		case "idtyp":
			c.kind = s
		}
		return true
	})
	c.user = first(upn, mail, unique)
	if c.user == "" && strings.Contains(name, "@") {
		c.user = name
	}
	return c
}

func activityOutcome(result, signature string) vigil.Outcome {
	sign := strings.ToLower(signature)
	denied := strings.Contains(sign, "forbidden") || strings.Contains(sign, "unauthorized") || strings.Contains(sign, "authorizationfailed") || strings.Contains(sign, "403") || strings.Contains(sign, "401")
	switch strings.ToLower(result) {
	case "success", "succeeded", "0", "succeed":
		return vigil.OutcomeSuccess
	case "failure", "failed", "fail", "error", "clienterror", "servererror":
		if denied {
			return vigil.OutcomeDenied
		}
		return vigil.OutcomeError
	case "unauthorized", "forbidden":
		return vigil.OutcomeDenied
	case "":
		return formats.OutcomeOfStatus(formats.Count(signature))
	}
	// Started, Accepted: the end comes in a record of its own.
	return vigil.OutcomeUnspecified
}
