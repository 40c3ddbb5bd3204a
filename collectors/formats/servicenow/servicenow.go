// Package servicenow reads the tables in which a ServiceNow instance notes what people
// did: events (sysevent), record changes (sys_audit), role changes (sys_audit_role),
// exports (isc_export_event) and transactions (syslog_transaction), as the Table API
// and exports give them.
package servicenow

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// New returns the format.
func New() formats.Format {
	return record.New(record.Spec{
		Name: "servicenow",
		Tells: formats.Tells{
			Title: "ServiceNow", Group: formats.GroupDesks, Actor: formats.Yes, Subjects: formats.Partly, Rows: formats.Partly,
			Bytes: formats.Partly, Outcome: formats.Partly, Address: formats.Partly,
			Note: "Exports tell their rows; reads of single records are in the transactions, by their addresses.",
		},
		JSON: sure,
		CSV:  func(columns []string) float64 { return sure(record.Columns(columns)) },
		New:  func(formats.Options) (record.Reader, error) { return reader{}, nil },
	})
}

func has(v gjson.Result, keys ...string) bool {
	for _, k := range keys {
		if !v.Get(k).Exists() {
			return false
		}
	}
	return true
}

// table tells the tables apart, by columns of theirs.
func table(v gjson.Result) string {
	switch {
	case !has(v, "sys_created_on"):
	case has(v, "tablename", "documentkey", "fieldname"):
		return "sys_audit"
	case has(v, "changed_by", "role", "operation"):
		return "sys_audit_role"
	case strings.Contains(v.Get("sys_class_name").Str, "export_event"), has(v, "records", "size", "table"):
		return "isc_export_event"
	case has(v, "name", "parm1", "parm2"):
		return "sysevent"
	case has(v, "url", "response_time"), has(v, "url", "output_length"), has(v, "url", "remote_ip"):
		return "syslog_transaction"
	}
	return ""
}

func sure(v gjson.Result) float64 {
	if table(v) == "" {
		return 0
	}
	return 0.95
}

// talks are tables whose records are conversations, customers those whose records are
// customers.
var (
	talks = map[string]bool{
		"incident": true, "interaction": true, "sn_customerservice_case": true, "sn_hr_core_case": true, "sc_request": true, "sc_req_item": true,
		"sys_cs_conversation": true, "live_group_profile": true, "chat_queue_entry": true, "task": true, "problem": true, "ticket": true,
	}
	customers = map[string]bool{"customer_contact": true, "csm_consumer": true, "customer_account": true, "sn_customerservice_consumer": true}
)

type reader struct{}

// row gives the values of a row: plain, or those beside which is what is shown.
type row struct{ r *record.Record }

func (w row) get(keys ...string) string {
	for _, k := range keys {
		v := w.r.JSON.Get(k)
		if v.IsObject() {
			for _, inner := range []string{"value", "display_value"} {
				if s := w.r.String(v.Get(inner), 512); s != "" {
					return s
				}
			}
			continue
		}
		if s := w.r.String(v, 512); s != "" {
			return s
		}
	}
	return ""
}

// Read makes an event of a row.
func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	w := row{r}
	e := r.Event()
	created := r.Get("sys_created_on.value", "sys_created_on")
	var ok bool
	if e.Time, ok = formats.Time(created, nil); !ok {
		return formats.ErrTime("sys_created_on")
	}
	if e.Store == "" {
		e.Store = "servicenow"
	}
	e.ID = w.get("sys_id")
	e.Outcome = vigil.OutcomeSuccess
	kind := table(r.JSON)
	var actor string
	switch kind {
	case "sys_audit":
		actor = w.get("user", "sys_created_by")
		changed(w, e)
	case "sys_audit_role":
		actor = w.get("changed_by", "sys_created_by")
		e.Action, e.Resource = vigil.ActionGrant, "sys_user_role"
		if op := strings.ToLower(w.get("operation")); strings.Contains(op, "remov") || strings.Contains(op, "delet") {
			e.Action = vigil.ActionConfigure
		}
		e.Shape = strings.ToLower("role " + w.get("operation"))
	case "isc_export_event":
		actor = w.get("user_name", "user", "sys_created_by")
		e.Action, e.Resource = vigil.ActionExport, w.get("table")
		e.Rows, e.Bytes = formats.Count(w.get("records")), formats.Count(w.get("size"))
		e.Shape = "export " + e.Resource
	case "sysevent":
		if actor = happened(w, e); e.Action == vigil.ActionOther && (actor == "system" || actor == "") {
			return nil // the instance's own clockwork
		}
	default:
		actor = transaction(w, e)
	}
	if e.Resource == "" {
		e.Resource = kind
	}
	switch e.Actor.ID = actor; actor {
	case "":
		return formats.Errorf("actor", "the row names nobody")
	case "system", "glide.maint":
		e.Actor.Kind = vigil.KindService
	case "guest":
		e.Actor.Kind = vigil.KindAnonymous
	}
	emit(e)
	return nil
}

// whose notes whose record it was.
func whose(e *vigil.Event, table, id string) {
	switch {
	case len(id) != 32:
	case talks[table]:
		e.Conversation = id
	case customers[table]:
		e.Subjects, e.SubjectCount = []string{id}, 1
	}
}

// changed reads a changed field of a record.
func changed(w row, e *vigil.Event) {
	e.Resource = w.get("tablename")
	e.Action = vigil.ActionWrite
	field := w.get("fieldname")
	if strings.EqualFold(field, "DELETED") {
		e.Action = vigil.ActionDelete
	} else if field != "" {
		e.Fields = []string{field}
	}
	switch {
	case e.Action == vigil.ActionDelete:
	case e.Resource == "sys_user_has_role" || e.Resource == "sys_user_grmember" || e.Resource == "sys_group_has_role":
		e.Action = vigil.ActionGrant
	case strings.HasPrefix(e.Resource, "sys_") && e.Resource != "sys_attachment" && e.Resource != "sys_email":
		e.Action = vigil.ActionConfigure
	}
	e.Shape = string(e.Action) + " " + e.Resource
	whose(e, e.Resource, w.get("documentkey"))
}

// eventActions are what events are named for; others are read by the verbs in their
// names.
var eventActions = []struct {
	part   string
	action vigil.Action
}{
	{"login", vigil.ActionLogin}, {"external.authentication", vigil.ActionLogin}, {"logout", vigil.ActionLogout},
	{"impersonation.start", vigil.ActionImpersonate}, {"impersonation.end", vigil.ActionOther}, {"impersonat", vigil.ActionImpersonate},
	{"group_member.added", vigil.ActionGrant}, {"role.added", vigil.ActionGrant}, {"security.elevated_role", vigil.ActionGrant}, {"elevat", vigil.ActionGrant},
	{"group_member.removed", vigil.ActionConfigure}, {"group.", vigil.ActionConfigure}, {"password", vigil.ActionConfigure}, {"property", vigil.ActionConfigure},
	{"attachment.read", vigil.ActionExport}, {"attachment.download", vigil.ActionExport}, {"report.view", vigil.ActionRead}, {"report.run", vigil.ActionRead},
}

// happened reads an event and returns who did it.
func happened(w row, e *vigil.Event) (actor string) {
	name := strings.ToLower(w.get("name"))
	actor = w.get("user_name", "sys_created_by")
	e.Shape, e.Resource = name, w.get("table")
	e.Action = formats.Verb(name)
	for _, a := range eventActions {
		if strings.Contains(name, a.part) {
			e.Action = a.action
			break
		}
	}
	switch e.Action {
	case vigil.ActionLogin, vigil.ActionLogout:
		// The first parameter is who, the second from where; the session that wrote the
		// event is not theirs yet, or no more.
		if who := w.get("parm1"); who != "" {
			actor = who
		}
		for _, p := range []string{"parm2", "parm3", "parm4"} {
			if e.IP == "" {
				e.IP = formats.Address(w.get(p))
			}
		}
		if strings.Contains(name, "fail") || strings.Contains(name, "locked") {
			e.Outcome = vigil.OutcomeDenied
		}
	}
	if e.Resource == "" {
		e.Resource, _, _ = strings.Cut(name, ".")
	}
	whose(e, e.Resource, w.get("instance"))
	return actor
}

// transaction reads a request to the instance and returns who made it.
func transaction(w row, e *vigil.Event) (actor string) {
	e.IP = formats.Address(w.get("remote_ip", "client_ip"))
	e.UserAgent = w.get("user_agent")
	e.Session = w.get("session", "session_id")
	e.Bytes = formats.Count(w.get("output_length", "response_length"))
	target, query, _ := strings.Cut(w.get("url"), "?")
	e.Action = vigil.ActionRead
	segments := strings.Split(strings.Trim(target, "/"), "/")
	last := segments[len(segments)-1]
	id := ""
	switch {
	case strings.Contains(target, "/api/now/") && len(segments) > 3: // api/now/[v2/]table/NAME[/ID]
		for i, s := range segments[:len(segments)-1] {
			if s == "table" || s == "attachment" || s == "stats" {
				e.Resource = formats.Clean(segments[i+1], 80)
			}
		}
		if len(last) == 32 {
			id = last
		}
	case strings.HasSuffix(last, ".do"):
		e.Resource = strings.TrimSuffix(strings.TrimSuffix(formats.Clean(last, 80), ".do"), "_list")
	default:
		e.Resource = formats.Clean(last, 80)
	}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "sys_id", "sysparm_sys_id":
			id = formats.Clean(value, 64)
		case "sysparm_limit":
			e.Limit = formats.Count(value)
		case "CSV", "EXCEL", "XML", "PDF", "JSONv2":
			e.Action = vigil.ActionExport // a list in that form
		}
	}
	switch strings.ToUpper(w.get("http_method", "method")) {
	case "POST", "PUT", "PATCH":
		e.Action = vigil.ActionWrite
	case "DELETE":
		e.Action = vigil.ActionDelete
	}
	switch {
	case strings.HasPrefix(last, "login"):
		e.Action = vigil.ActionLogin
	case strings.HasPrefix(last, "logout"):
		e.Action = vigil.ActionLogout
	}
	e.Shape = strings.TrimSpace(strings.ToLower(w.get("type")) + " " + e.Resource)
	whose(e, e.Resource, id)
	return w.get("sys_created_by", "user_name", "user")
}
