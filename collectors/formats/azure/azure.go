// Package azure reads what Azure and Entra ID log in the form of resource logs, as
// diagnostic settings put them into a storage account, an event hub or a workspace:
// sign-ins, the directory's audit log, Graph's activity, the activity log, Storage,
// Cosmos DB, Key Vault, SQL auditing, Azure OpenAI, gateways and what other services
// log about their callers. The category says which of them a record is. Sign-ins and
// audits as Graph returns them, and the activity log as its API does, are read too.
//
// Of Cosmos DB the query's text and the rows that it returned come in a record of their
// own. Both are joined by the activity's id: whichever comes first is held until the
// other comes, at most maxHeld events and for heldFor of the log's own time.
package azure

import (
	"bytes"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/statement"
)

// Name is what the configuration calls the format.
const Name = "azure"

// maxShapes bounds how many shapes of queries are remembered, by all streams together.
const maxShapes = 4096

// New returns the format.
func New() formats.Format {
	parser := statement.NewParser(maxShapes)
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Azure and Entra ID (sign-ins, audit, activity, Storage, Cosmos DB, Key Vault, SQL auditing, OpenAI)", Group: formats.GroupClouds,
			Actor: formats.Partly, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.Partly, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Switch keys off in Storage and Cosmos DB: who uses a key is not told, only which key it was.",
		},
		JSON: sure,
		New: func(opts formats.Options) (record.Reader, error) {
			for _, category := range [...]string{"QueryRuntimeStatistics", "SQLSecurityAuditEvents"} {
				if bytes.Contains(opts.Sample, []byte(category)) {
					parser.Warm()
				}
			}
			return &reader{cosmos: newCosmos(parser, opts.Mapping), sql: parser.Reader(opts.Mapping)}, nil
		},
	})
}

// foreign are categories that other formats read.
var foreign = []string{"mysql", "postgresql"}

func sure(v gjson.Result) float64 {
	a := entry{v: v}
	category, resource := a.raw("category").String(), strings.ToLower(a.raw("resourceId").String())
	low := strings.ToLower(category)
	for _, f := range foreign {
		if strings.HasPrefix(low, f) {
			return 0
		}
	}
	if strings.Contains(resource, "microsoft.databricks/") {
		return 0
	}
	ours := strings.HasPrefix(resource, "/subscriptions/") || strings.HasPrefix(resource, "/tenants/")
	named := a.raw("operationName").Exists() || a.raw("EventName").Exists() || a.raw("properties").Exists()
	switch {
	case ours && category != "" && named:
		return 0.95
	case ours && a.raw("operationName").Exists() && (a.raw("callerIpAddress").Exists() || a.raw("caller").Exists() || a.raw("resultType").Exists()):
		return 0.9
	case v.Get("createdDateTime").Exists() && v.Get("userPrincipalName").Exists() && v.Get("status.errorCode").Exists() && v.Get("appId").Exists():
		return 0.95 // Graph's signIn
	case v.Get("activityDisplayName").Exists() && v.Get("initiatedBy").Exists() && v.Get("targetResources").Exists():
		return 0.95 // Graph's directoryAudit
	case (low == "dataplanerequests" || low == "queryruntimestatistics") && v.Get("properties.activityId").Exists():
		return 0.9
	case strings.HasSuffix(low, "signinlogs") || low == "auditlogs" && a.raw("properties").Exists():
		return 0.9 // a tenant's log whose resource was taken out
	}
	return 0
}

// entry is one record.
type entry struct {
	r *record.Record
	// v is the whole, p its properties: the whole again where there are none.
	v, p gjson.Result
}

// raw is a value at the top, in the case that Azure writes or in lower case.
func (a entry) raw(key string) gjson.Result {
	if x := a.v.Get(key); x.Exists() {
		return x
	}
	return a.v.Get(strings.ToLower(key))
}

// top is the first of the keys at the top that is not empty.
func (a entry) top(keys ...string) string {
	for _, k := range keys {
		if s := a.r.String(a.raw(k), 512); s != "" {
			return s
		}
	}
	return ""
}

// prop is the first of the paths in the properties that is not empty.
func (a entry) prop(paths ...string) string {
	for _, k := range paths {
		if s := a.r.String(a.p.Get(k), 512); s != "" {
			return s
		}
	}
	return ""
}

// reader reads one stream.
type reader struct {
	cosmos *cosmos
	// sql reads the statements of Azure SQL's auditing.
	sql *statement.Reader
}

// Flush gives out what waits for its other half.
func (r *reader) Flush(emit func(*vigil.Event)) { r.cosmos.flush(emit) }

// Held is where the first of that stands.
func (r *reader) Held() (int64, bool) { return r.cosmos.held() }

func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	a := entry{r: rec, v: rec.JSON, p: rec.JSON}
	switch p := a.raw("properties"); {
	case p.IsObject():
		a.p = p
	case p.Type == gjson.String && strings.HasPrefix(p.Str, "{") && len(p.Str) < record.MaxRecord && gjson.Valid(p.Str):
		a.p = gjson.Parse(p.Str)
	}
	category := strings.ToLower(a.top("category"))
	var e *vigil.Event
	var err error
	switch {
	case strings.HasSuffix(category, "signinlogs") || category == "" && a.v.Get("userPrincipalName").Exists() && a.v.Get("createdDateTime").Exists():
		e, err = a.signin()
	case category == "auditlogs" || a.v.Get("activityDisplayName").Exists():
		e, err = a.directory()
	case category == "microsoftgraphactivitylogs":
		e, err = a.graph()
	case category == "dataplanerequests" || category == "queryruntimestatistics" || cosmosAPIs[category]:
		return r.cosmos.read(a, category, emit)
	case category == "controlplanerequests":
		e, err = a.cosmosControl()
	case strings.HasPrefix(category, "storage") || a.prop("accountName") != "" && a.prop("objectKey") != "":
		e, err = a.storage()
	case category == "auditevent" && strings.Contains(strings.ToLower(a.top("resourceId")), "microsoft.keyvault"):
		e, err = a.vault()
	case category == "sqlsecurityauditevents":
		return a.sql(r.sql, emit)
	case strings.Contains(strings.ToLower(a.top("resourceId")), "microsoft.cognitiveservices/accounts/") && category != "administrative":
		e, err = a.openai(category)
	case webLogs[category]:
		e, err = a.web()
	case category == "kube-audit" || category == "kube-audit-admin":
		e, err = a.kubernetes()
	case activityCategories[category] || category == "" && strings.Contains(a.operation(), "/"):
		e, err = a.activity(category)
	default:
		e, err = a.other(category)
	}
	if e != nil {
		emit(e)
	}
	return err
}

// event begins an event: its time, and whose it is.
func (a entry) event() (*vigil.Event, error) {
	e := a.r.Event()
	for _, s := range [...]string{a.top("time", "timeStamp", "eventTimestamp", "activityDateTime", "createdDateTime", "TimeGenerated", "EventTimeString"),
		a.prop("createdDateTime", "activityDateTime", "timeGenerated", "event_time")} {
		if t, ok := formats.Time(s, nil); ok {
			e.Time = t
			break
		}
		if t, err := time.Parse("1/2/2006 3:04:05 PM -07:00", s); err == nil {
			e.Time = t
			break
		}
	}
	if e.Time.IsZero() {
		return nil, formats.ErrTime("time")
	}
	if e.Store == "" {
		e.Store = storeOf(a.top("resourceId"))
	}
	return e, nil
}

// storeOf is the name of the account, vault or server that a resource id names. Rights
// and diagnostics hang on another resource, which is the one meant.
func storeOf(id string) string {
	low := strings.ToLower(id)
	for {
		at := strings.LastIndex(low, "/providers/")
		if at < 0 {
			return ""
		}
		parts := strings.Split(low[at+len("/providers/"):], "/")
		if len(parts) >= 3 && parts[0] != "microsoft.authorization" && parts[0] != "microsoft.insights" {
			return parts[2]
		}
		low = low[:at]
	}
}

// operation is the operation's name, which the activity log's API puts into an object.
func (a entry) operation() string {
	if s := a.top("operationName"); s != "" {
		return s
	}
	return a.top("operationName.value")
}

// nobody is the actor of a record that names none: the address, if there is one.
func nobody(e *vigil.Event) error {
	if e.Actor.ID != "" {
		return nil
	}
	if e.IP == "" {
		return formats.Errorf("actor", "the record names no caller")
	}
	e.Actor.ID, e.Actor.Kind = e.IP, vigil.KindAnonymous
	return nil
}

// first is the first that is not empty.
func first(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}
