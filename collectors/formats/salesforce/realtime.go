package salesforce

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// realTimeName is an event's name without the endings that tell where it was read from.
func realTimeName(s string) string {
	s = strings.TrimPrefix(s, "/event/")
	for _, end := range []string{"Stream", "Store"} {
		s = strings.TrimSuffix(s, end)
	}
	return s
}

// realTime reads a real-time event: what a stream carries, in its envelope or without, or
// a row of the object that stores them.
func (rd *reader) realTime(r *record.Record, emit func(*vigil.Event)) error {
	prefix := ""
	name := realTimeName(r.Get("attributes.type"))
	if r.JSON.Get("data.payload").IsObject() {
		prefix, name = "data.payload.", realTimeName(r.Get("channel"))
	}
	get := func(keys ...string) string {
		for _, k := range keys {
			if s := r.Get(prefix + k); s != "" && s != "N/A" {
				return s
			}
		}
		return ""
	}
	if name == "" {
		name = guess(get)
	}
	at, err := rd.when(r, prefix+"EventDate", prefix+"CreatedDate")
	if err != nil {
		return err
	}
	e := event(r, at)
	if e.Action = realTimeAction(name, get("Operation", "FileAction")); e.Action == "" {
		return nil
	}
	e.ID = get("EventIdentifier", "EventUuid")
	e.IP = formats.Address(get("SourceIp", "ClientIp"))
	e.UserAgent = get("UserAgent", "Browser")
	e.Session = get("LoginKey", "SessionKey")
	e.Actor.App = get("ConnectedAppName", "Application", "Client", "AppName", "ConnectedAppId")
	e.Actor.Role = get("UserType")
	e.Actor.Kind = userKind[e.Actor.Role]
	id, who := get("UserId"), get("Username")
	if name == "LoginAsEvent" && get("DelegatedUsername") != "" {
		e.Resource = "users"
		id, who = "", get("DelegatedUsername")
	}
	rd.actor(e, id, who)
	e.Outcome = realTimeOutcome(name, get)
	e.Rows = r.Int(prefix+"RowsProcessed", prefix+"RowsReturned")
	if run := get("ExecutionIdentifier"); run != "" {
		if _, told := rd.runs.Get(run); told {
			e.Rows = vigil.Unknown
		}
		rd.runs.Put(run, true)
	}
	e.Bytes = r.Int(prefix + "ContentSize")
	if e.Resource == "" {
		e.Resource = get("QueriedEntities", "EvaluatedEntities")
	}
	query(e, r.String(r.JSON.Get(prefix+"Query"), maxQuery))
	if q := get("QueriedEntities"); q != "" {
		e.Resource = q
	}
	touch(e, get("RecordId", "DocumentId", "PermissionSetId"))
	records(e, r, r.JSON.Get(prefix+"Records"))
	if heads := get("ColumnHeaders"); heads != "" && len(e.Fields) == 0 {
		for h := range strings.SplitSeq(strings.Trim(heads, "[]"), ",") {
			if h = strings.TrimSpace(h); h != "" && len(e.Fields) < maxFields {
				e.Fields = append(e.Fields, formats.Clean(h, 80))
			}
		}
	}
	if e.Resource == "" {
		e.Resource = name
	}
	if e.Shape == "" {
		e.Shape = strings.TrimSpace(name + " " + get("Operation", "FileAction"))
	}
	emit(e)
	return nil
}

// guess names an event that does not: by keys that only its kind has.
func guess(get func(...string) string) string {
	switch {
	case get("ReportId", "ReportOperation") != "":
		return "ReportEvent"
	case get("ListViewId") != "":
		return "ListViewEvent"
	case get("ApiType") != "" && get("LoginUrl", "LoginType") == "":
		return "ApiEvent"
	case get("LoginUrl", "LoginType", "LoginGeoId") != "":
		return "LoginEvent"
	case get("VerificationMethod") != "":
		return "IdentityVerificationEvent"
	case get("DelegatedUsername") != "":
		return "LoginAsEvent"
	case get("FileAction") != "":
		return "FileEvent"
	case get("PageUrl") != "":
		return "LightningUriEvent"
	case get("OperationStatus") != "":
		return "UriEvent"
	case get("Query") != "":
		return "BulkApiResultEvent"
	case get("Operation", "Score", "SecurityEventData") == "":
		return "LogoutEvent" // has nothing but what all have
	}
	return "event"
}

// realTimeAction is what an event stands for; empty for Salesforce's own judgements of
// other events.
func realTimeAction(name, operation string) vigil.Action {
	switch name {
	case "LoginEvent", "IdentityVerificationEvent", "IdentityProviderEvent", "LoginHistory":
		return vigil.ActionLogin
	case "LogoutEvent":
		return vigil.ActionLogout
	case "LoginAsEvent":
		return vigil.ActionImpersonate
	case "BulkApiResultEvent":
		return vigil.ActionExport
	case "PermissionSetEvent":
		if strings.Contains(operation, "Unassigned") || strings.Contains(operation, "Removed") {
			return vigil.ActionConfigure
		}
		return vigil.ActionGrant
	case "ReportEvent":
		if strings.HasPrefix(operation, "ReportExport") || strings.HasPrefix(operation, "ReportResultsAdded") {
			return vigil.ActionExport
		}
		return vigil.ActionRead
	case "FileEvent", "FileEventV2":
		switch op := strings.ToUpper(operation); {
		case strings.Contains(op, "DOWNLOAD"):
			return vigil.ActionExport
		case strings.Contains(op, "UPLOAD"):
			return vigil.ActionWrite
		}
		return vigil.ActionRead
	case "ListViewEvent", "ApiEvent":
		return vigil.ActionRead
	case "UriEvent", "LightningUriEvent":
		if a := verbAction(operation, ""); a != "" {
			return a
		}
		return vigil.ActionRead
	}
	if strings.Contains(name, "Anomaly") || name == "CredentialStuffingEvent" || name == "SessionHijackingEvent" || name == "ConcurLongRunApexErrEvent" {
		return ""
	}
	return vigil.ActionOther
}

func realTimeOutcome(name string, get func(...string) string) vigil.Outcome {
	if p := get("PolicyOutcome"); p == "Block" || p == "Denied" || p == "FailedInvalidPassword" {
		return vigil.OutcomeDenied
	}
	switch s := get("Status", "OperationStatus"); {
	case s == "" || s == "Initiated" || s == "InProgress":
		return vigil.OutcomeUnspecified
	case s == "Success" || s == "Succeeded" || s == "AutomatedSuccess":
		return vigil.OutcomeSuccess
	case name == "UriEvent":
		return vigil.OutcomeError
	}
	return vigil.OutcomeDenied
}

// records notes the records that an event names, {"totalSize":1,"records":[{"Id":..}]}
// within a string: their ids, never what they hold.
func records(e *vigil.Event, r *record.Record, v gjson.Result) {
	text := v.Raw
	if v.Type == gjson.String {
		text = v.Str
	}
	if text == "" || !gjson.Valid(text) {
		return
	}
	all := gjson.Parse(text)
	list := all.Get("records")
	n := int64(0)
	list.ForEach(func(_, rec gjson.Result) bool {
		if n++; n > vigil.MaxSubjects {
			return false
		}
		id := r.String(rec.Get("Id"), 18)
		if kind := rec.Get("attributes.type").Str; kind == "Account" || kind == "Contact" || kind == "Lead" {
			if id = userID(id); id != "" {
				e.Subjects = append(e.Subjects, id)
			}
			return true
		}
		touch(e, id)
		return true
	})
	if len(e.Subjects) > 0 && all.Get("totalSize").Int() == n && n <= vigil.MaxSubjects {
		e.SubjectCount = int64(len(e.Subjects))
	}
}
