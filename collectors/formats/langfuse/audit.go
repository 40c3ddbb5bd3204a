package langfuse

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// resources says what making or changing a thing in Langfuse stands for, where it is
// more than a setting.
var resources = map[string]vigil.Action{
	"apiKey": vigil.ActionGrant, "llmApiKey": vigil.ActionConfigure, "orgMembership": vigil.ActionGrant, "projectMembership": vigil.ActionGrant,
	"membership": vigil.ActionGrant, "membershipInvitation": vigil.ActionGrant,
	"batchExport":            vigil.ActionExport,
	"blobStorageIntegration": vigil.ActionShare, "posthogIntegration": vigil.ActionShare, "mixpanelIntegration": vigil.ActionShare,
	"slackIntegration": vigil.ActionShare, "webCalloutEndpoint": vigil.ActionShare, "automation": vigil.ActionShare,
	"trace": vigil.ActionWrite, "observation": vigil.ActionWrite, "session": vigil.ActionWrite, "score": vigil.ActionWrite, "comment": vigil.ActionWrite,
	"dataset": vigil.ActionWrite, "datasetItem": vigil.ActionWrite, "datasetRun": vigil.ActionWrite, "datasetRunItem": vigil.ActionWrite,
	"prompt": vigil.ActionWrite, "annotationQueueItem": vigil.ActionWrite,
}

// audit reads a row of the audit log.
func audit(r *record.Record, emit func(*vigil.Event)) error {
	e := r.Event()
	var ok bool
	if e.Time, ok = formats.Time(r.Get("createdAt", "created_at"), nil); !ok {
		return formats.ErrTime("createdAt")
	}
	if e.Store == "" {
		e.Store = "langfuse"
	}
	e.ID = r.Get("id")
	user, key := r.Get("userId", "user_id"), r.Get("apiKeyId", "api_key_id")
	switch {
	case user != "":
		e.Actor.ID = user
		if key != "" {
			e.Actor.App = "api key"
		}
	case key != "":
		e.Actor.ID, e.Actor.Kind = key, vigil.KindService
	default:
		return formats.Errorf("actor", "userId and apiKeyId name nobody")
	}
	e.Actor.Role = strings.ToLower(r.Get("userProjectRole", "user_project_role", "userOrgRole", "user_org_role"))
	e.Actor.Tenant = r.Get("orgId", "org_id")
	e.ResourceTenant = e.Actor.Tenant
	e.Resource = r.Get("resourceType", "resource_type")
	did := strings.ToLower(r.Get("action"))
	e.Action, ok = resources[e.Resource]
	switch {
	case strings.Contains(did, "delete"), strings.Contains(did, "remove"):
		e.Action = vigil.ActionDelete
	case strings.Contains(did, "publish"), strings.Contains(did, "share"):
		e.Action = vigil.ActionShare
	case strings.Contains(did, "export"), strings.Contains(did, "download"):
		e.Action = vigil.ActionExport
	case !ok:
		e.Action = vigil.ActionConfigure
	}
	if e.Resource == "session" {
		e.Conversation = r.Get("resourceId", "resource_id")
	}
	e.Shape, e.Outcome = strings.TrimSpace(did+" "+e.Resource), vigil.OutcomeSuccess
	emit(e)
	return nil
}
