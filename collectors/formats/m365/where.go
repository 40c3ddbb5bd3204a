package m365

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
)

// where fills in what the services tell each in its own way: the mailbox, the site, the
// team, the entity, how much, and where it went.
func (a audit) where(e *vigil.Event, operation string) {
	switch strings.ToLower(a.get("Workload", "OfficeWorkload")) {
	case "exchange":
		a.exchange(e, operation)
	case "sharepoint", "onedrive":
		a.sharepoint(e)
	case "microsoftteams":
		e.Conversation = a.get("ChatThreadId")
		if n := a.count("Messages"); n > 0 && e.Action.Discloses() {
			e.Rows = n
		}
	case "azureactivedirectory":
		a.directory(e)
	case "crm", "dynamics365", "dynamics 365":
		a.dynamics(e)
	case "copilot", "microsoft365copilot", "microsoftcopilot":
		e.Conversation = a.get("CopilotEventData.ThreadId")
		if host := a.get("CopilotEventData.AppHost"); host != "" {
			e.Resource = "copilot/" + host
		}
		if n := a.count("CopilotEventData.AccessedResources"); n > 0 {
			e.Rows = n // the files that the answer was made of
		}
	}
}

func (a audit) count(list string) int64 {
	l := a.value(list)
	if !l.IsArray() {
		return 0
	}
	n := int64(0)
	l.ForEach(func(_, _ gjson.Result) bool { n++; return true })
	return n
}

func (a audit) exchange(e *vigil.Event, operation string) {
	if owner := a.get("MailboxOwnerUPN"); owner != "" {
		e.Resource = "mailbox/" + strings.ToLower(owner)
	}
	if strings.EqualFold(operation, "MailItemsAccessed") {
		// A client that syncs takes the whole folder: the items are not listed.
		if strings.EqualFold(a.named("OperationProperties", "Value", "MailAccessType"), "Sync") {
			e.Action = vigil.ActionExport
		}
		bytes, items := int64(0), int64(0)
		a.value("Folders").ForEach(func(_, folder gjson.Result) bool {
			folder.Get("FolderItems").ForEach(func(_, item gjson.Result) bool {
				items++
				if n := formats.Count(item.Get("SizeInBytes").String()); n > 0 {
					bytes += min(n, 1<<40)
				}
				return true
			})
			return true
		})
		if e.Rows = formats.Count(a.get("OperationCount")); e.Rows == vigil.Unknown && items > 0 {
			e.Rows = items
		}
		if bytes > 0 {
			e.Bytes = bytes
		}
	} else if n := a.count("AffectedItems"); n > 0 && e.Action.Discloses() {
		e.Rows = n
	}
	// Mail that is sent on to elsewhere, by whatever cmdlet.
	if to := a.named("Parameters", "Value", "ForwardingSmtpAddress", "ForwardTo", "RedirectTo", "ForwardAsAttachmentTo", "RedirectMessageTo", "BlindCopyTo", "ForwardingAddress"); to != "" {
		e.Action, e.Destination = vigil.ActionShare, &vigil.Destination{Kind: "mail", Network: domain(to)}
	}
}

// domain is the part of an address behind the @.
func domain(address string) string {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return strings.ToLower(strings.TrimRight(address[at+1:], `>"];,`))
	}
	return ""
}

func (a audit) sharepoint(e *vigil.Event) {
	site := a.get("SiteUrl", "Site_Url")
	if site == "" {
		site = a.get("ObjectId", "OfficeObjectId")
	}
	if s := sitePath(site); s != "" {
		e.Resource = s
	}
	if strings.EqualFold(a.get("ItemType"), "file") && e.Action.Discloses() && e.Action != vigil.ActionShare && e.Action != vigil.ActionOther {
		e.Rows = 1
	}
	if e.Action != vigil.ActionShare {
		return
	}
	d := &vigil.Destination{Kind: strings.ToLower(a.get("TargetUserOrGroupType")), Network: domain(a.get("TargetUserOrGroupName"))}
	switch {
	case strings.HasPrefix(e.Shape, "Anonymous"):
		d.Kind = "anonymous link"
	case strings.HasPrefix(e.Shape, "CompanyLink"):
		d.Kind = "company link"
	}
	if d.Kind != "" || d.Network != "" {
		e.Destination = d
	}
}

// sitePath is the site within a URL: "sites/support" of
// https://example.sharepoint.com/sites/support/Shared Documents/a.docx.
func sitePath(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return ""
	}
	host, path, _ := strings.Cut(rest, "/")
	parts := strings.SplitN(path, "/", 3)
	if len(parts) >= 2 && parts[1] != "" && (parts[0] == "sites" || parts[0] == "teams" || parts[0] == "personal") {
		return parts[0] + "/" + parts[1]
	}
	return host
}

func (a audit) directory(e *vigil.Event) {
	if e.Action == vigil.ActionLogin {
		return
	}
	if role := strings.Trim(a.named("ModifiedProperties", "NewValue", "Role.DisplayName"), `"`); role != "" {
		e.Resource = "role/" + role
	}
	// Type 5 is a user's principal name.
	a.value("Target").ForEach(func(_, t gjson.Result) bool {
		if id := a.r.String(t.Get("ID"), 256); t.Get("Type").Int() == 5 && strings.Contains(id, "@") && !strings.EqualFold(id, e.Actor.ID) {
			e.Subjects, e.SubjectCount = []string{id}, 1
			return false
		}
		return true
	})
}

// dynamics reads the record of a customer service system: the entity is the resource,
// and contacts, accounts and leads are whom it is about.
func (a audit) dynamics(e *vigil.Event) {
	entity := strings.ToLower(a.get("EntityName"))
	if entity != "" {
		e.Resource = entity
	}
	if m := a.get("Message"); m != "" {
		if act, ok := crmMessages[strings.ToLower(m)]; ok {
			e.Action, e.Shape = act, m+" "+entity
		}
	}
	a.value("Fields").ForEach(func(_, f gjson.Result) bool {
		if name := a.r.String(f.Get("Name"), 128); name != "" && len(e.Fields) < 100 {
			e.Fields = append(e.Fields, name)
		}
		return true
	})
	ids := a.r.String(a.value("QueryResults"), 1<<20)
	if ids == "" {
		ids = a.get("EntityId")
	}
	n := int64(0)
	person := entity == "contact" || entity == "account" || entity == "lead"
	for id := range strings.FieldsFuncSeq(ids, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
		if n++; person && len(e.Subjects) < vigil.MaxSubjects {
			e.Subjects = append(e.Subjects, id)
		}
	}
	if n > 0 && e.Action.Discloses() {
		e.Rows = n
	}
	if len(e.Subjects) > 0 {
		e.SubjectCount = n
	}
}

var crmMessages = map[string]vigil.Action{
	"retrieve": vigil.ActionRead, "retrievemultiple": vigil.ActionSearch, "exporttoexcel": vigil.ActionExport, "create": vigil.ActionWrite, "update": vigil.ActionWrite,
	"delete": vigil.ActionDelete, "assign": vigil.ActionGrant, "grantaccess": vigil.ActionShare, "modifyaccess": vigil.ActionShare, "bulkdelete": vigil.ActionDelete,
}
