package azure

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
)

// grants are words in the directory's operations by which somebody gets more than
// before; the first that fits counts. After Entra's list of audit activities.
var grants = []struct{ word, resource string }{
	{"elevated their access", "role/User Access Administrator"}, {"member to role", "role"}, {"from role", "role"}, {"from group", "group"}, {"role assignment", "role"}, {"role definition", "role"},
	{"member to group", "group"}, {"owner to", "ownership"}, {"consent to", "consent"}, {"oauth2permissiongrant", "consent"}, {"delegated permission grant", "consent"},
	{"app role assignment", "application role"}, {"service principal credentials", "credential"}, {"certificates and secrets", "credential"},
	{"access package assignment", "access package"}, {"federated identity credential", "credential"}, {"device registered owner", "device"},
}

// settings are words of what is a setting rather than somebody's record.
var settings = []string{"policy", "policies", "application", "service principal", "domain", "authentication", "strong auth", "directory", "company", "settings", "federation", "partner", "conditional", "named location", "device"}

// directoryAction says what an operation of the directory does.
func directoryAction(operation string) (vigil.Action, string) {
	low := strings.ToLower(operation)
	verb := formats.Verb(low)
	removes := strings.HasPrefix(low, "remove") || strings.HasPrefix(low, "delete") || strings.HasPrefix(low, "end ") || strings.Contains(low, "revoke")
	for _, g := range grants {
		if strings.Contains(low, g.word) {
			if removes {
				return vigil.ActionConfigure, g.resource
			}
			return vigil.ActionGrant, g.resource
		}
	}
	switch {
	case strings.Contains(low, "password"):
		return vigil.ActionConfigure, "password"
	case verb == vigil.ActionExport || strings.Contains(low, "download"):
		return vigil.ActionExport, "directory"
	case strings.Contains(low, "impersonat"):
		return vigil.ActionImpersonate, "directory"
	}
	for _, s := range settings {
		if strings.Contains(low, s) {
			return vigil.ActionConfigure, s
		}
	}
	for _, kind := range [...]string{"user", "group"} {
		if strings.Contains(low, kind) {
			if verb == vigil.ActionOther {
				verb = vigil.ActionConfigure
			}
			return verb, kind
		}
	}
	return verb, "directory"
}

// directory reads the directory's audit log.
func (a entry) directory() (*vigil.Event, error) {
	e, err := a.event()
	if err != nil {
		return nil, err
	}
	operation := first(a.top("operationName"), a.prop("activityDisplayName"))
	e.Action, e.Resource = directoryAction(operation)
	e.Shape, e.Store = operation, "entra id"
	e.ID = a.prop("id")
	e.IP = formats.Address(first(a.prop("initiatedBy.user.ipAddress"), a.top("callerIpAddress")))
	if user := a.prop("initiatedBy.user.userPrincipalName", "initiatedBy.user.id"); user != "" {
		e.Actor.ID, e.Actor.Kind = user, vigil.KindHuman
	} else if app := a.prop("initiatedBy.app.displayName", "initiatedBy.app.servicePrincipalName", "initiatedBy.app.servicePrincipalId", "initiatedBy.app.appId"); app != "" {
		e.Actor.ID, e.Actor.Kind = app, vigil.KindService
	} else if e.Actor.ID = a.top("identity"); e.Actor.ID == "" {
		// The directory's own services name themselves alone.
		if e.Actor.ID = a.prop("loggedByService"); e.Actor.ID != "" {
			e.Actor.Kind = vigil.KindService
		}
	}
	if err := nobody(e); err != nil {
		return nil, err
	}
	a.p.Get("additionalDetails").ForEach(func(_, d gjson.Result) bool {
		if strings.EqualFold(d.Get("key").Str, "User-Agent") {
			e.UserAgent = a.r.String(d.Get("value"), 512)
		}
		return true
	})
	seen := map[string]bool{strings.ToLower(e.Actor.ID): true}
	a.p.Get("targetResources").ForEach(func(_, t gjson.Result) bool {
		t.Get("modifiedProperties").ForEach(func(_, m gjson.Result) bool {
			if m.Get("displayName").Str == "Role.DisplayName" && (e.Resource == "role") {
				for _, key := range [...]string{"newValue", "oldValue"} {
					if role := strings.Trim(a.r.String(m.Get(key), 128), `"`); role != "" {
						e.Resource = "role/" + role
						break
					}
				}
			}
			return true
		})
		if e.Resource == "role" && strings.EqualFold(t.Get("type").Str, "role") {
			if role := a.r.String(t.Get("displayName"), 128); role != "" {
				e.Resource = "role/" + role
			}
		}
		if name := a.r.String(t.Get("userPrincipalName"), 256); name != "" && !seen[strings.ToLower(name)] && len(e.Subjects) < vigil.MaxSubjects {
			seen[strings.ToLower(name)] = true
			e.Subjects = append(e.Subjects, name)
		}
		return true
	})
	if len(e.Subjects) > 0 {
		e.SubjectCount = int64(len(e.Subjects))
	}
	switch strings.ToLower(first(a.prop("result"), a.top("result"), a.top("resultSignature"))) {
	case "success":
		e.Outcome = vigil.OutcomeSuccess
	case "failure", "timeout":
		e.Outcome = vigil.OutcomeError
	}
	return e, nil
}
