// Package gcp reads Google Cloud's audit logs (Cloud Audit Logs): log entries with an
// AuditLog in protoPayload, as Pub/Sub, Cloud Storage or gcloud give them, of every
// service, with what BigQuery, Firestore, Datastore, Cloud SQL, Spanner, Bigtable,
// Cloud Storage and Dialogflow tell beyond that.
//
// The first and last entry of a Firestore operation are one event: the first is held back
// until the last tells how many items came back, at most holdFor of log time and maxHeld
// operations; then it comes out without a number. It comes out at Flush too, and is in
// the state. Of other operations the first entry is the event, and a last one whose first
// was seen counts only when it failed.
//
// Entries of other logs in the same stream pass and yield nothing.
package gcp

import (
	"strconv"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
	"vigil/collectors/formats/statement"
)

// Name is what the configuration calls the format.
const Name = "gcp"

// shapesKept bounds the statement shapes that are remembered.
const shapesKept = 4096

// New returns the format.
func New() formats.Format {
	statements := sync.OnceValue(func() *statement.Parser { return statement.NewParser(shapesKept) })
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Google Cloud audit logs", Group: formats.GroupClouds,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.No, Outcome: formats.Yes, Address: formats.Yes,
			Note: "Reads are told only where Data Access audit logs are switched on; BigQuery and Firestore then tell true numbers of rows.",
		},
		JSON: func(v gjson.Result) float64 {
			p := payload(v)
			if !p.IsObject() {
				return 0
			}
			if strings.HasSuffix(typeOf(p), "AuditLog") || p.Get("methodName").Exists() || p.Get("serviceName").Exists() || p.Get("authenticationInfo").Exists() {
				return 0.96
			}
			return 0
		},
		New: func(opts formats.Options) (record.Reader, error) {
			keys, err := formats.NewKeys(opts.Mapping)
			if err != nil {
				return nil, err
			}
			statements().Warm()
			mapping := opts.Mapping
			if mapping == nil {
				mapping = &formats.Mapping{}
			}
			return &reader{mapping: mapping, keys: keys, statements: statements, operations: newOperations()}, nil
		},
	})
}

// payload is an entry's AuditLog, under the names that tables give it too.
func payload(v gjson.Result) gjson.Result {
	for _, k := range [...]string{"protoPayload", "protopayload", "protopayload_auditlog"} {
		if p := v.Get(k); p.Exists() {
			return p
		}
	}
	return gjson.Result{}
}

// part is a message within the AuditLog, which tables hold as a string of JSON.
func part(p gjson.Result, name string) gjson.Result {
	if m := p.Get(name); m.Exists() {
		return m
	}
	if s := p.Get(name + "Json"); s.Type == gjson.String && gjson.Valid(s.Str) {
		return gjson.Parse(s.Str)
	}
	return gjson.Result{}
}

// typeOf is the type of a message; carriers rename the key, which not all can store.
func typeOf(v gjson.Result) string {
	if t := v.Get("@type"); t.Exists() && t.Str != "" {
		return t.Str
	}
	return v.Get("at_sign_type").Str
}

type reader struct {
	mapping    *formats.Mapping
	keys       *formats.Keys
	statements func() *statement.Parser
	sql        *statement.Reader
	operations
}

// Passes lets entries of other logs pass.
func (r *reader) Passes(v gjson.Result) bool {
	return v.Get("logName").Type == gjson.String && (v.Get("insertId").Exists() || v.Get("timestamp").Exists()) && !payload(v).Exists()
}

// entry is one log entry, taken apart.
type entry struct {
	rec *record.Record
	v   gjson.Result
	// p is the AuditLog, request and metadata are its.
	p, request, metadata gjson.Result
	// service is without its domain, method the whole name and call its last two parts.
	service, method, call string
	// last is the last part of the method's name.
	last string
}

// Read makes the events of one entry.
func (r *reader) Read(rec *record.Record, emit func(*vigil.Event)) error {
	x := &entry{rec: rec, v: rec.JSON, p: payload(rec.JSON)}
	x.request, x.metadata = part(x.p, "request"), part(x.p, "metadata")
	e := rec.Event()
	var ok bool
	for _, at := range [...]gjson.Result{
		x.v.Get("timestamp"), x.p.Get("requestMetadata.requestAttributes.time"), x.v.Get("receiveTimestamp"), x.v.Get("receivetimestamp"),
	} {
		if e.Time, ok = formats.Time(at.String(), nil); ok {
			break
		}
	}
	if !ok {
		return formats.ErrTime("timestamp")
	}
	x.method = rec.Clean(x.p.Get("methodName").Str, 200)
	x.service = rec.Clean(strings.TrimSuffix(x.p.Get("serviceName").Str, ".googleapis.com"), 64)
	if x.service == "" {
		x.service = rec.Clean(strings.TrimSuffix(x.v.Get("resource.labels.service").Str, ".googleapis.com"), 64)
	}
	if a, ok := aliases[x.service]; ok {
		x.service = a
	}
	x.call, x.last = parts(x.method)
	if id := x.v.Get("insertId").Str + x.v.Get("insertid").Str; id != "" {
		// Unique together with the time.
		e.ID = formats.Clean(id, 128) + "." + strconv.FormatInt(e.Time.UnixNano(), 36)
	}
	e.IP = rec.Clean(formats.Address(x.p.Get("requestMetadata.callerIp").Str), 64)
	e.UserAgent = strings.Clone(rec.Clean(x.p.Get("requestMetadata.callerSuppliedUserAgent").Str, 512))
	e.Outcome = outcome(x)
	if e.Store == "" {
		e.Store = x.service
	}
	o := operation(x)
	e.Action, e.ResourceClass, e.Resource = o.action, o.class, o.resource
	if e.Resource == "" {
		e.Resource = x.resource()
	}
	e.Shape = rec.Clean(x.service+":"+x.call, 200)
	e.Actor, ok = actor(x, e.IP)
	told := r.special(x, e)
	if !told {
		return nil
	}
	if e.Actor.ID == "" && !ok {
		return formats.Errorf("actor", "authenticationInfo names nobody")
	}
	r.operation(x, e, emit)
	return nil
}

// aliases are the names of one store in the entries of its parts.
var aliases = map[string]string{
	"bigtableadmin": "bigtable", "bigquerydatatransfer": "bigquery", "bigquerystorage": "bigquery", "storage-component": "storage",
}

// parts are the last two words of a method's name, and the last one.
func parts(method string) (call, last string) {
	sep := func(s string) int { return strings.LastIndexAny(s, ".-/") }
	i := sep(method)
	if i < 0 {
		return method, method
	}
	return method[sep(method[:i])+1:], method[i+1:]
}

// outcome is what the status says: 7 and 16 of gRPC's codes, and HTTP's 401 and 403, are
// denials.
func outcome(x *entry) vigil.Outcome {
	code := x.p.Get("status.code")
	switch {
	case code.Exists() && code.Int() != 0:
		switch code.Int() {
		case 7, 16, 401, 403:
			return vigil.OutcomeDenied
		}
		return vigil.OutcomeError
	case x.p.Get("status.message").Str != "" || x.v.Get("severity").Str == "ERROR" && !x.p.Get("status").Exists():
		return vigil.OutcomeError
	}
	return vigil.OutcomeSuccess
}

// actor is the principal. Of a service account that a person takes on, it is the person,
// and the account is the role.
func actor(x *entry, ip string) (vigil.Actor, bool) {
	info := x.p.Get("authenticationInfo")
	who := vigil.Actor{ID: x.rec.Clean(info.Get("principalEmail").Str, 256)}
	if who.ID == "" {
		subject := info.Get("principalSubject").Str
		if kind, name, ok := strings.Cut(subject, ":"); ok && (kind == "user" || kind == "serviceAccount") {
			subject = name
		}
		who.ID = x.rec.Clean(subject, 256)
	}
	if who.ID == "" {
		if third := info.Get("thirdPartyPrincipal.subject"); third.Exists() {
			who.ID = x.rec.String(third, 256)
		}
	}
	switch {
	case who.ID == "":
		switch {
		case strings.Contains(x.v.Get("logName").Str, "system_event") && x.service != "":
			return vigil.Actor{ID: x.service, Kind: vigil.KindService}, true
		case ip != "":
			// Google leaves out who, when nobody signed in or the caller was refused.
			return vigil.Actor{ID: ip, Kind: vigil.KindAnonymous}, true
		case info.IsObject() || x.p.Get("requestMetadata").IsObject():
			return vigil.Actor{ID: "anonymous", Kind: vigil.KindAnonymous}, true
		}
		return vigil.Actor{}, false
	case serviceAccount(who.ID):
		who.Kind = vigil.KindService
		if person := x.rec.Clean(info.Get("serviceAccountDelegationInfo.0.firstPartyPrincipal.principalEmail").Str, 256); person != "" && !serviceAccount(person) {
			who = vigil.Actor{ID: person, Kind: vigil.KindHuman, Role: who.ID}
		}
	case strings.HasPrefix(who.ID, "principal"):
	case strings.Contains(who.ID, "@"):
		who.Kind = vigil.KindHuman
	}
	return who, true
}

func serviceAccount(email string) bool {
	return strings.HasSuffix(email, ".gserviceaccount.com") || email == "system@google.com" || strings.Contains(email, ".svc.id.goog[")
}

// named are the kinds of resource by which a service's resources are known: what stands
// below them (an object, a session, a version) is one of many.
var named = map[string][]string{
	"storage": {"/buckets/"}, "bigquery": {"/tables/"}, "bigtable": {"/tables/"}, "secretmanager": {"/secrets/"}, "cloudkms": {"/cryptoKeys/"},
	"dialogflow": {"/agents/"}, "discoveryengine": {"/engines/", "/dataStores/"}, "aiplatform": {"/models/", "/endpoints/"},
}

// resource is the last pair of the resource's name, kind and name, or for stores what
// people call it: the bucket, the table.
func (x *entry) resource() string {
	name := x.p.Get("resourceName").Str
	if name == "" {
		name = x.p.Get("authorizationInfo.0.resource").Str
	}
	if s := after(name+"/", named[x.service]...); s != "" {
		return x.rec.Clean(s, 256)
	}
	p := strings.Split(strings.Trim(name, "/"), "/")
	if len(p) > 2 {
		p = p[len(p)-2:]
	}
	return x.rec.Clean(strings.Join(p, "/"), 256)
}
