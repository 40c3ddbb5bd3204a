// Package m365 reads Microsoft 365's unified audit log: what the Management Activity API
// returns, what Search-UnifiedAuditLog and Graph return (the record is in AuditData,
// there), Purview's CSV export, and Sentinel's OfficeActivity table.
//
// One record is one event. The operation says what was done: by the table in
// operations.go, else by the kind of service and the verb in its name. Names of files,
// subjects of mails and messages' text are not kept: the resource is the site, the
// mailbox, the team or the entity.
package m365

import (
	"bytes"
	"encoding/csv"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// Name is what the configuration calls the format.
const Name = "m365"

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: Name,
		Tells: formats.Tells{
			Title: "Microsoft 365 unified audit log", Group: formats.GroupIdentity,
			Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly, Bytes: formats.Partly, Outcome: formats.Yes, Address: formats.Yes,
			Note: "MailItemsAccessed and searches need mailbox auditing that includes them; records come up to a day late.",
		},
		JSON: sure,
		Text: row,
		New:  func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

// has says whether an object has one of the keys, as the API writes it or in lower case.
func has(v gjson.Result, keys ...string) bool {
	for _, k := range keys {
		if v.Get(k).Exists() || v.Get(strings.ToLower(k)).Exists() {
			return true
		}
	}
	return false
}

// inner is the record where Graph or a shipper wraps it, else v.
func inner(v gjson.Result) gjson.Result {
	if d := v.Get("auditData"); d.IsObject() {
		return d
	}
	if d := v.Get("o365audit"); d.IsObject() {
		return d
	}
	return v
}

func sure(v gjson.Result) float64 {
	v = inner(v)
	switch {
	case v.Get("OfficeWorkload").Exists() && has(v, "Operation") && has(v, "UserId", "UserKey"):
		return 0.95
	case !has(v, "CreationTime") || !has(v, "Operation") || !has(v, "UserId", "UserKey"):
		return 0
	case has(v, "RecordType") && has(v, "OrganizationId", "Workload"):
		return 0.95
	case has(v, "Workload"):
		return 0.7
	}
	return 0.2
}

// row recognises Purview's CSV: its head line, and rows whose AuditData is a quoted
// JSON object.
func row(line []byte) float64 {
	switch {
	case isHead(line):
		return 0.95
	case bytes.Contains(line, []byte(`"{""`)) && bytes.Contains(line, []byte(`""Operation""`)) && bytes.Contains(line, []byte(`""CreationTime""`)):
		return 0.95
	}
	return 0
}

func isHead(line []byte) bool {
	head := line[:min(len(line), 256)]
	return bytes.Contains(head, []byte("AuditData")) && bytes.Contains(head, []byte("CreationDate")) && bytes.Contains(head, []byte("Operation")) &&
		!bytes.ContainsRune(head, '{')
}

type reader struct{}

func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	v := r.JSON
	if !v.Exists() {
		if isHead(r.Text) {
			return nil
		}
		var err error
		if v, err = auditData(r.Text); err != nil {
			return err
		}
	} else {
		v = inner(v)
	}
	a := newAudit(r, v)
	e, err := a.event()
	if e != nil {
		emit(e)
	}
	return err
}

// auditData takes the record out of a row of CSV.
func auditData(line []byte) (gjson.Result, error) {
	fields, err := csv.NewReader(bytes.NewReader(line)).Read()
	if err != nil {
		return gjson.Result{}, formats.Errorf("csv", "the row of CSV can't be read: export it again, without a spreadsheet in between, which cuts long cells")
	}
	for _, f := range fields {
		if strings.HasPrefix(f, "{") && len(f) > 2 {
			if !gjson.Valid(f) {
				break
			}
			if v := gjson.Parse(f); sure(v) >= record.IsRecord {
				return v, nil
			}
		}
	}
	return gjson.Result{}, formats.Errorf("csv", "the row's AuditData can't be read: export it again, without a spreadsheet in between, which cuts long cells")
}

// audit is one record of the audit log: its values by their keys in lower case, since
// some who pass it on write them so.
type audit struct {
	r      *record.Record
	whole  gjson.Result
	values map[string]gjson.Result
}

// maxKeys bounds the keys that are kept; others are looked for one by one.
const maxKeys = 1000

func newAudit(r *record.Record, v gjson.Result) audit {
	a := audit{r, v, make(map[string]gjson.Result, 32)}
	v.ForEach(func(key, value gjson.Result) bool {
		k := strings.ToLower(key.Str)
		if _, twice := a.values[k]; !twice {
			a.values[k] = value
		}
		return len(a.values) < maxKeys
	})
	return a
}

// value is that of a key, or of a path that begins with one.
func (a audit) value(path string) gjson.Result {
	key, rest, deeper := strings.Cut(path, ".")
	v, kept := a.values[strings.ToLower(key)]
	if !kept && len(a.values) == maxKeys {
		if v = a.whole.Get(key); !v.Exists() {
			v = a.whole.Get(strings.ToLower(key))
		}
	}
	if deeper {
		return v.Get(rest)
	}
	return v
}

// get is the first of the paths that is not empty.
func (a audit) get(paths ...string) string {
	for _, p := range paths {
		if s := a.r.String(a.value(p), 512); s != "" {
			return s
		}
	}
	return ""
}

// named is the value of the first of the names that is in a list of names and values.
func (a audit) named(list, value string, names ...string) (out string) {
	best := len(names)
	a.value(list).ForEach(func(_, item gjson.Result) bool {
		name := item.Get("Name").Str
		for i, n := range names[:best] {
			if n == name {
				if s := a.r.String(item.Get(value), 512); s != "" {
					out, best = s, i
				}
				break
			}
		}
		return best > 0
	})
	return out
}

func (a audit) event() (*vigil.Event, error) {
	operation := strings.TrimRight(a.get("Operation"), ".")
	service := a.get("Workload", "OfficeWorkload")
	m := meaningOf(operation, service)
	if m.action == "" {
		return nil, nil
	}
	e := a.r.Event()
	var ok bool
	if e.Time, ok = formats.Time(a.get("CreationTime", "TimeGenerated"), nil); !ok {
		return nil, formats.ErrTime("CreationTime")
	}
	e.ID, e.Action, e.Resource = a.get("Id", "OfficeId"), m.action, m.resource
	e.Shape = operation
	if e.Store == "" {
		e.Store = service
	}
	for _, key := range [...]string{"ClientIPAddress", "ClientIP", "ActorIpAddress", "Client_IPAddress", "ClientIP_"} {
		if e.IP = address(a.get(key)); e.IP != "" {
			break
		}
	}
	if !a.actor(e) {
		return nil, formats.Errorf("actor", "the record names no user")
	}
	e.Session = a.get("SessionId", "AppAccessContext.AADSessionId", "AppAccessContext.UniqueTokenId")
	e.Actor.App = a.get("ApplicationDisplayName", "AppAccessContext.ClientAppName", "ClientAppName", "ApplicationId")
	if e.UserAgent = a.get("UserAgent"); e.UserAgent == "" {
		if e.UserAgent = a.named("ExtendedProperties", "Value", "UserAgent"); e.UserAgent == "" {
			e.UserAgent = a.get("ClientInfoString")
		}
	}
	e.Outcome = a.outcome(e.Action, operation)
	a.where(e, operation)
	return e, nil
}

// address reads an address, also behind a server's name: EXAMPLE01 (198.51.100.7).
func address(s string) string {
	if _, in, ok := strings.Cut(s, "("); ok {
		s, _, _ = strings.Cut(in, ")")
	}
	return formats.Address(s)
}

// kinds are the user types of the Management Activity API's schema.
var kinds = map[string]vigil.ActorKind{
	"0": vigil.KindHuman, "regular": vigil.KindHuman, "2": vigil.KindAdmin, "admin": vigil.KindAdmin, "3": vigil.KindVendor, "dcadmin": vigil.KindVendor,
	"4": vigil.KindService, "system": vigil.KindService, "5": vigil.KindService, "application": vigil.KindService, "6": vigil.KindService,
	"serviceprincipal": vigil.KindService, "7": vigil.KindService, "custompolicy": vigil.KindService, "8": vigil.KindService, "systempolicy": vigil.KindService,
	"9": vigil.KindVendor, "partnertechnician": vigil.KindVendor, "10": vigil.KindHuman, "guest": vigil.KindHuman,
}

// actor says who did it.
func (a audit) actor(e *vigil.Event) bool {
	for _, key := range [...]string{"UserId", "UserKey"} {
		id := a.get(key)
		if id != "" && !strings.EqualFold(id, "not available") && !strings.EqualFold(id, "unknown") {
			e.Actor.ID = id
			break
		}
	}
	e.Actor.Kind = kinds[strings.ToLower(a.get("UserType"))]
	low := strings.ToLower(e.Actor.ID)
	switch {
	case strings.HasPrefix(low, "urn:spo:anon") || low == "anonymous":
		e.Actor.Kind = vigil.KindAnonymous
	case strings.HasPrefix(low, "urn:spo:guest#"):
		e.Actor.ID = e.Actor.ID[len("urn:spo:guest#"):]
	case strings.HasPrefix(low, "nt authority\\") || low == "app@sharepoint" || strings.HasPrefix(low, "sharepoint\\") || strings.HasPrefix(low, "serviceprincipal_"):
		e.Actor.Kind = vigil.KindService
	case low == "" && e.IP != "":
		e.Actor.ID, e.Actor.Kind = e.IP, vigil.KindAnonymous
	}
	return e.Actor.ID != ""
}

func (a audit) outcome(action vigil.Action, operation string) vigil.Outcome {
	failed := strings.HasSuffix(operation, "LoginFailed")
	switch strings.ToLower(a.get("ResultStatus")) {
	case "failed", "failure", "false", "error", "blocked":
		failed = true
	}
	switch {
	case failed && action == vigil.ActionLogin:
		return vigil.OutcomeDenied
	case failed:
		return vigil.OutcomeError
	}
	// Most services log only what was done, and leave the status out.
	return vigil.OutcomeSuccess
}
