package zendesk

import (
	"strings"

	"vigil"
	"vigil/collectors/formats/record"
)

// rights are the items by which somebody is let in: making one grants.
var rights = map[string]bool{
	"api_token": true, "oauth_client": true, "oauth_token": true, "token": true, "user_identity": true, "role": true, "custom_role": true,
	"permission_set": true, "membership": true, "group_membership": true, "organization_membership": true, "app_installation": true, "webhook": true, "target": true,
}

// audit reads an entry of the audit log.
func audit(r *record.Record, e *vigil.Event, emit func(*vigil.Event)) error {
	who(e, r.Get("actor_id"), r.Get("actor_name"))
	source := strings.ToLower(r.Get("source_type"))
	e.Resource = source
	if e.Resource == "" {
		e.Resource = "account"
	}
	did := strings.ToLower(r.Get("action"))
	// Of the description the kind of change is looked at; it is not kept, as people's
	// names are in it.
	about := strings.ToLower(r.Get("change_description") + " " + r.Get("source_label"))
	switch {
	case strings.HasPrefix(did, "login") || strings.HasPrefix(did, "signed in"):
		e.Action = vigil.ActionLogin
		e.Outcome = vigil.OutcomeSuccess
		if strings.Contains(about, "fail") || strings.Contains(about, "unsuccessful") {
			e.Outcome = vigil.OutcomeDenied
		}
	case strings.HasPrefix(did, "logout") || strings.HasPrefix(did, "signed out"):
		e.Action = vigil.ActionLogout
	case strings.HasPrefix(did, "export") || strings.Contains(source, "export"):
		e.Action = vigil.ActionExport
	case strings.Contains(about, "assum"):
		e.Action = vigil.ActionImpersonate
	case source == "user" && strings.Contains(about, "role changed"):
		e.Action = vigil.ActionGrant
	case strings.HasPrefix(did, "create") && rights[source]:
		e.Action = vigil.ActionGrant
	case (source == "ticket" || source == "user" || source == "organization" || source == "attachment") && (strings.HasPrefix(did, "destroy") || strings.HasPrefix(did, "delete")):
		e.Action = vigil.ActionDelete
	case source == "ticket" || source == "organization" || source == "user":
		e.Action = vigil.ActionWrite
	case did == "":
		e.Action = vigil.ActionOther
	default:
		e.Action = vigil.ActionConfigure
	}
	if e.Outcome == "" {
		e.Outcome = vigil.OutcomeSuccess // what is written has happened
	}
	switch id := r.Get("source_id"); {
	case id == "" || id == "0":
	case source == "ticket":
		e.Conversation = id
	case source == "user" && e.Action == vigil.ActionDelete:
		e.Subjects, e.SubjectCount = []string{id}, 1
	}
	e.Shape = strings.TrimSpace(did + " " + source)
	emit(e)
	return nil
}
