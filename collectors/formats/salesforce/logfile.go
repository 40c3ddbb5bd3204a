package salesforce

import (
	"fmt"
	"strings"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// logAction is what an event type of event log files stands for.
var logAction = map[string]vigil.Action{
	"API": vigil.ActionRead, "RestApi": vigil.ActionRead, "BulkApi": vigil.ActionRead, "BulkApi2": vigil.ActionRead,
	"BulkApiRequest": vigil.ActionRead, "ApiTotalUsage": vigil.ActionRead, "BulkApiResultEventStore": vigil.ActionExport, "DataCloudQuery": vigil.ActionRead,
	"Report": vigil.ActionRead, "ReportExport": vigil.ActionExport, "AsyncReportRun": vigil.ActionRead, "MultiBlockReport": vigil.ActionRead,
	"Dashboard": vigil.ActionRead, "Search": vigil.ActionSearch, "URI": vigil.ActionRead, "LightningPageView": vigil.ActionRead,
	"AuraRequest": vigil.ActionOther, "VisualforceRequest": vigil.ActionRead, "KnowledgeArticleView": vigil.ActionRead,
	"Sites": vigil.ActionRead, "Console": vigil.ActionRead, "ContinuationCalloutSummary": vigil.ActionExecute,
	"Login": vigil.ActionLogin, "LoginAs": vigil.ActionImpersonate, "Logout": vigil.ActionLogout,
	"ContentTransfer": vigil.ActionRead, "ContentDistribution": vigil.ActionShare, "ContentDocumentLink": vigil.ActionShare,
	"DocumentAttachmentDownloads": vigil.ActionExport, "WaveDownload": vigil.ActionExport, "WaveChange": vigil.ActionRead, "WaveInteraction": vigil.ActionRead,
	"ApexExecution": vigil.ActionExecute, "ApexCallout": vigil.ActionExecute, "ApexSoap": vigil.ActionExecute, "ApexRestApi": vigil.ActionExecute,
	"ApexTrigger": vigil.ActionExecute, "FlowExecution": vigil.ActionExecute, "QueuedExecution": vigil.ActionExecute, "TimeBasedWorkflow": vigil.ActionExecute,
	"ExternalCustomApexCallout": vigil.ActionRead, "ExternalODataCallout": vigil.ActionRead, "ExternalCrossOrgCallout": vigil.ActionRead,
	"ExternalDataSourceCallout": vigil.ActionRead, "PlatformEncryption": vigil.ActionConfigure, "MetadataApiOperation": vigil.ActionConfigure,
	"ChangeSetOperation": vigil.ActionConfigure, "PackageInstall": vigil.ActionConfigure, "Sandbox": vigil.ActionConfigure, "PermissionUpdate": vigil.ActionGrant,
	"GroupMembership": vigil.ActionGrant, "DatabaseSave": vigil.ActionWrite, "BlockedRedirect": vigil.ActionOther,
}

// noAccess are event types of how fast and how well things ran, of clicks that show no
// data, and what Salesforce made of other events.
var noAccess = map[string]bool{
	"LightningError": true, "LightningPerformance": true, "LightningInteraction": true, "LightningLogger": true, "FlowNavMetric": true, "UITracking": true, "WavePerformance": true,
	"ApexUnexpectedException": true, "ConcurrentLongRunningApexLimit": true, "CorsViolation": true, "CSPViolation": true,
	"HostnameRedirects": true, "InsecureExternalAssets": true, "SearchClick": true, "UniqueQuery": true, "OneCommerceUsage": true, "NamedCredential": true,
	"ApiAnomalyEventStore": true, "ReportAnomalyEventStore": true, "CredentialStuffingEventStore": true, "SessionHijackingEventStore": true, "GuestUserAnomalyEventStore": true,
	"LoginAnomalyEventStore": true, "PermissionSetEventStore": false,
}

// requestStatus is what REQUEST_STATUS says; other letters say nothing.
var requestStatus = map[string]vigil.Outcome{
	"S": vigil.OutcomeSuccess, "SUCCESS": vigil.OutcomeSuccess, "R": vigil.OutcomeSuccess,
	"F": vigil.OutcomeError, "N": vigil.OutcomeError, "A": vigil.OutcomeDenied,
}

// userKind is what a user's type says of the actor, by the name or the letter.
var userKind = map[string]vigil.ActorKind{
	"Guest": vigil.KindAnonymous, "G": vigil.KindAnonymous,
	"AutomatedProcess": vigil.KindService, "A": vigil.KindService, "CloudIntegrationUser": vigil.KindService,
	"X": vigil.KindAdmin,
}

// logFile reads a row of an event log file.
func (rd *reader) logFile(r *record.Record, emit func(*vigil.Event)) error {
	kind := r.Get("EVENT_TYPE")
	if kind == "" {
		kind = strings.TrimSuffix(r.Get("attributes.type"), "EventLog")
	}
	if noAccess[kind] {
		return nil
	}
	at, err := rd.when(r, "TIMESTAMP_DERIVED", "TIMESTAMP", "Timestamp")
	if err != nil {
		return err
	}
	e := event(r, at)
	// Files come again, whole, with a higher sequence number or as the file of the day:
	// the same row is the same event. Requests' ids alone are shared by several rows.
	e.ID = fmt.Sprintf("%s-%s-%016x", kind, r.Get("REQUEST_ID", "RequestIdentifier"), formats.RecordHash(r.Text))
	for _, p := range []string{"SOURCE_IP", "CLIENT_IP", "ClientIp", "SourceIp"} {
		if e.IP = formats.Address(r.Get(p)); e.IP != "" {
			break
		}
	}
	if e.UserAgent = r.Get("USER_AGENT", "BROWSER_TYPE", "UserAgent", "BrowserType"); strings.Trim(e.UserAgent, "0123456789") == "" {
		e.UserAgent = "" // Salesforce's number of a browser
	}
	e.Session = r.Get("LOGIN_KEY", "LoginKey", "SESSION_KEY", "SessionKey")
	e.Actor.App = r.Get("CONNECTED_APP_NAME", "CLIENT_NAME", "ClientName", "APP_NAME", "CONNECTED_APP_ID", "ConnectedAppId")
	e.Actor.Role = r.Get("USER_TYPE", "UserType")
	id, name := r.Get("USER_ID", "USER_ID_DERIVED", "UserIdentifier"), r.Get("USER_NAME", "USERNAME", "UserName")
	if kind == "LoginAs" {
		// The administrator is the one who did it, not the user whom they became.
		e.Resource = "users"
		id, name = r.Get("DELEGATED_USER_ID", "DelegatedUserIdentifier"), r.Get("DELEGATED_USER_NAME", "DelegatedUserName")
	}
	e.Actor.Kind = userKind[e.Actor.Role]
	rd.actor(e, id, name)
	e.Outcome = logOutcome(r)
	e.Rows = r.Int("ROWS_PROCESSED", "ROW_COUNT", "NUM_RESULTS", "RECORDS_PROCESSED", "ROWS_RETURNED", "ROWS_FETCHED", "NUMBER_OF_RECORDS", "RowsProcessed", "RowCount", "ResultCount", "ProcessedRecordCount")
	e.Bytes = r.Int("RESPONSE_SIZE", "FILE_SIZE", "FILE_SIZE_BYTES", "SIZE_BYTES", "ResponseSize", "FileSize")
	e.Limit = r.Int("LIMIT")
	e.Action = logAction[kind]
	rd.logDetail(r, e, kind)
	if e.Resource == "" {
		e.Resource = kind
	}
	emit(e)
	return nil
}

// logDetail fills in what differs by type.
func (rd *reader) logDetail(r *record.Record, e *vigil.Event, kind string) {
	if e.Resource == "" {
		e.Resource = r.Get("ENTITY_NAME", "ENTITY_TYPE", "PAGE_ENTITY_TYPE", "ENTITY", "ObjectName", "ObjectType", "EntityName", "QUERIED_ENTITIES", "TRIGGER_NAME", "CLASS_NAME")
	}
	uri := r.Get("URI", "Uri", "PAGE_URL", "API_RESOURCE")
	method := r.Get("METHOD_NAME", "OPERATION_TYPE", "OPERATION", "ACTION", "MethodName", "OperationType")
	query(e, r.String(r.JSON.Get("QUERY"), maxQuery))
	for _, p := range []string{"URI_ID_DERIVED", "PAGE_ENTITY_ID", "DOCUMENT_ID", "DOCUMENT_ID_DERIVED", "ARTICLE_ID", "REPORT_ID", "ReportIdentifier"} {
		touch(e, r.Get(p))
	}
	switch kind {
	case "API", "BulkApi", "BulkApi2", "BulkApiRequest", "BulkApiResultEventStore", "RestApi", "ApiTotalUsage", "ApexRestApi", "ExternalCustomApexCallout", "ExternalODataCallout", "DatabaseSave":
		if verb := verbAction(method, r.Get("HTTP_METHOD", "METHOD", "HttpMethod")); verb != "" && e.Action != vigil.ActionExecute {
			e.Action = verb
			if verb == vigil.ActionRead && kind == "BulkApiResultEventStore" {
				e.Action = vigil.ActionExport
			}
		}
		path(e, uri)
	case "AuraRequest":
		method = auraAction(r.Get("ACTION_MESSAGE"))
		if verb := verbAction(method, ""); verb != "" {
			e.Action = verb
		}
		e.Resource = "aura"
	case "URI", "LightningPageView", "VisualforceRequest", "Sites":
		path(e, uri)
	case "Report", "ReportExport", "AsyncReportRun", "MultiBlockReport":
		path(e, uri)
		switch r.Get("RENDERING_TYPE", "RenderingType") {
		case "X", "C", "P": // Excel, CSV, printable
			e.Action = vigil.ActionExport
		case "E": // sent by mail
			e.Action, e.Destination = vigil.ActionExport, &vigil.Destination{Kind: "mail"}
		}
	case "Search":
		for prefix := range strings.FieldsFuncSeq(r.Get("PREFIXES_SEARCHED"), func(c rune) bool { return c == ',' || c == ' ' || c == ';' }) {
			if o, ok := objects[prefix]; ok && e.Resource == "" {
				e.Resource = o.name
			}
		}
	case "ContentTransfer":
		switch what := strings.ToUpper(r.Get("TRANSACTION_TYPE")); {
		case strings.Contains(what, "DOWNLOAD"):
			e.Action = vigil.ActionExport
		case strings.Contains(what, "UPLOAD"):
			e.Action = vigil.ActionWrite
		}
	case "ApexCallout":
		e.Resource = host(r.Get("URL"))
		e.Destination = &vigil.Destination{Kind: "callout"}
	}
	if e.Action == "" {
		e.Action = vigil.ActionOther
	}
	if e.Shape == "" && method != "" {
		e.Shape = strings.ToLower(method) + " " + e.Resource
	}
}

// logOutcome is how it ended.
func logOutcome(r *record.Record) vigil.Outcome {
	if s := r.Get("LOGIN_STATUS", "LoginStatus"); s != "" {
		if s == "LOGIN_NO_ERROR" || strings.HasSuffix(s, "_SUCCESS") {
			return vigil.OutcomeSuccess
		}
		return vigil.OutcomeDenied
	}
	if code := r.Int("STATUS_CODE", "StatusCode"); code != vigil.Unknown {
		return formats.OutcomeOfStatus(code)
	}
	if o := requestStatus[strings.ToUpper(r.Get("REQUEST_STATUS", "RequestStatus"))]; o != "" {
		return o
	}
	switch r.Get("SUCCESS", "IsSuccess", "STATUS") {
	case "1", "true":
		return vigil.OutcomeSuccess
	case "0", "false":
		return vigil.OutcomeError
	}
	if r.Get("EXCEPTION_MESSAGE") != "" {
		return vigil.OutcomeError
	}
	return vigil.OutcomeUnspecified
}

// verbAction is what the name of a method or of an operation says, by its first word,
// else what HTTP's method says; empty for nothing.
func verbAction(method, http string) vigil.Action {
	m := strings.ToLower(method)
	for _, v := range []struct {
		action vigil.Action
		words  string
	}{
		{vigil.ActionDelete, "delete undelete harddelete hard_delete emptyrecyclebin remove purge merge"},
		{vigil.ActionExport, "export download queryall_result"},
		{vigil.ActionSearch, "search find"},
		{vigil.ActionWrite, "create insert update upsert save set add post submit change edit put patch convertlead process send"},
		{vigil.ActionRead, "query get retrieve describe read list fetch load view select count open refresh"},
		{vigil.ActionLogin, "login"},
		{vigil.ActionLogout, "logout invalidatesessions"},
	} {
		for word := range strings.FieldsSeq(v.words) {
			if strings.HasPrefix(m, word) {
				return v.action
			}
		}
	}
	switch strings.ToUpper(http) {
	case "GET", "HEAD":
		return vigil.ActionRead
	case "POST", "PUT", "PATCH":
		return vigil.ActionWrite
	case "DELETE":
		return vigil.ActionDelete
	}
	return ""
}

// auraAction is the method in a message such as "1$aura://RecordUi/ACTION$getObject=4".
// Of several the last says no more than the first; the first is taken.
func auraAction(message string) string {
	_, method, _ := strings.Cut(message, "ACTION$")
	method, _, _ = strings.Cut(method, "=")
	method, _, _ = strings.Cut(method, ";")
	return method
}

// path notes the object and the record in a path of the user interface or of an API:
// /001..., /lightning/r/Contact/003.../view, /services/data/v60.0/sobjects/Case/500...,
// and whether it queries or searches.
func path(e *vigil.Event, uri string) {
	p, _, _ := strings.Cut(uri, "?")
	segments := strings.Split(strings.Trim(p, "/"), "/")
	if len(segments) > 24 {
		segments = segments[:24]
	}
	for i, seg := range segments {
		touch(e, seg)
		if i == 0 {
			continue
		}
		switch prev := segments[i-1]; {
		case (prev == "sobjects" || prev == "r" || prev == "o") && e.Resource == "":
			e.Resource = formats.Clean(seg, 80)
		case strings.HasPrefix(prev, "v") && seg == "search" && e.Action == vigil.ActionRead:
			e.Action = vigil.ActionSearch
		}
	}
}

// host is the host of a URL, lower case.
func host(url string) string {
	_, rest, found := strings.Cut(url, "://")
	if !found {
		rest = url
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	return formats.Clean(strings.ToLower(rest), 120)
}
