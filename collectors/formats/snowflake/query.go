package snowflake

import (
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
)

// kind is what a query of a type does: nothing where it is no access.
type kind struct {
	action   vigil.Action
	resource string
	// reads says that its text is read for tables and customers.
	reads bool
}

// kinds are the query types; what is not here is told by the start of its name.
var kinds = map[string]kind{
	"SELECT": {vigil.ActionRead, "", true}, "INSERT": {vigil.ActionWrite, "", true}, "UPDATE": {vigil.ActionWrite, "", true}, "MERGE": {vigil.ActionWrite, "", true},
	"MULTI_TABLE_INSERT": {vigil.ActionWrite, "", true}, "DELETE": {vigil.ActionDelete, "", true}, "TRUNCATE_TABLE": {vigil.ActionDelete, "", true},
	"CREATE_TABLE_AS_SELECT": {vigil.ActionExport, "", true}, "COPY": {vigil.ActionWrite, "", false}, "UNLOAD": {vigil.ActionExport, "stage", false},
	"GET_FILES": {vigil.ActionExport, "stage", false}, "PUT_FILES": {vigil.ActionWrite, "stage", false}, "LIST_FILES": {vigil.ActionRead, "stage", false},
	"REMOVE_FILES": {vigil.ActionDelete, "stage", false}, "CALL": {vigil.ActionExecute, "procedure", false},
	"GRANT": {vigil.ActionGrant, "", false}, "REVOKE": {vigil.ActionConfigure, "", false},
	"CREATE_USER": {vigil.ActionGrant, "users", false}, "CREATE_ROLE": {vigil.ActionGrant, "roles", false}, "ALTER_USER": {vigil.ActionConfigure, "users", false},
	"ALTER_ROLE": {vigil.ActionConfigure, "roles", false}, "DROP_USER": {vigil.ActionConfigure, "users", false}, "DROP_ROLE": {vigil.ActionConfigure, "roles", false},
	"SHOW": {vigil.ActionOther, "", false}, "DESCRIBE": {vigil.ActionOther, "", false},
	"USE": {}, "SET": {}, "UNSET": {}, "BEGIN_TRANSACTION": {}, "COMMIT": {}, "ROLLBACK": {}, "ALTER_SESSION": {}, "EXPLAIN": {}, "COMMENT": {},
}

func kindOf(typ string) kind {
	if k, ok := kinds[typ]; ok {
		return k
	}
	word, about, _ := strings.Cut(typ, "_")
	about = strings.ToLower(strings.ReplaceAll(about, "_", " "))
	switch word {
	case "CREATE", "ALTER", "RENAME", "UNDROP":
		return kind{vigil.ActionConfigure, about, false}
	case "DROP":
		return kind{vigil.ActionDelete, about, false}
	case "EXECUTE":
		return kind{vigil.ActionExecute, about, false}
	}
	return kind{vigil.ActionOther, about, typ == "UNKNOWN" || typ == ""}
}

// objects says what a statement is about that its type does not say, by words of its
// text: CREATE SHARE, ALTER SECURITY INTEGRATION.
var objects = []struct {
	word   string
	action vigil.Action
}{
	{"SHARE", vigil.ActionShare}, {"LISTING", vigil.ActionShare}, {"INTEGRATION", vigil.ActionConfigure}, {"NETWORK", vigil.ActionConfigure}, {"STAGE", vigil.ActionConfigure},
	{"USER", vigil.ActionGrant}, {"ROLE", vigil.ActionGrant},
}

// query reads a row of QUERY_HISTORY or of ACCESS_HISTORY, or of both joined.
func (d *reader) query(w row, emit func(*vigil.Event)) error {
	e, err := w.event("START_TIME", "QUERY_START_TIME", "END_TIME")
	if err != nil {
		return err
	}
	e.ID = w.text("QUERY_ID")
	e.Actor.Role, e.Session = w.text("ROLE_NAME"), w.text("SESSION_ID")
	if s, ok := d.sessions.Get(e.Session); ok {
		e.IP, e.Actor.App = s.IP, s.App
	}
	if e.Store == "" {
		e.Store = w.text("DATABASE_NAME")
	}
	typ := strings.ToUpper(w.text("QUERY_TYPE"))
	text := column(w.r.JSON, "QUERY_TEXT").String()
	k := kindOf(typ)
	_, queried := column(w.r.JSON, "QUERY_TEXT").Value().(string)
	if !queried {
		k = kind{action: vigil.ActionRead}
	}
	e.Action, e.Resource, e.Shape = k.action, k.resource, strings.ToLower(typ)
	if typ == "CREATE" || typ == "ALTER" || typ == "DROP" {
		d.object(e, text)
	}
	if k.reads {
		d.statement(e, text, k.action)
	}
	if typ == "UNLOAD" {
		d.statement(e, unloaded(text), k.action)
	}
	d.objects(w, e, queried)
	if e.Action == "" {
		return nil
	}
	if t, ok := d.table(e.Resource); ok && e.ResourceClass == "" {
		if t.Ignore {
			return nil
		}
		e.ResourceClass = t.Class
	}
	switch e.Action {
	case vigil.ActionRead, vigil.ActionSearch:
		e.Rows, e.Bytes = w.count("ROWS_PRODUCED", "ROWS_WRITTEN_TO_RESULT"), w.count("BYTES_WRITTEN_TO_RESULT")
	case vigil.ActionExport:
		e.Rows, e.Bytes = w.count("ROWS_UNLOADED"), w.count("OUTBOUND_DATA_TRANSFER_BYTES")
		if e.Rows <= 0 {
			e.Rows = w.count("ROWS_PRODUCED")
		}
		if e.Bytes <= 0 {
			e.Bytes = w.count("BYTES_WRITTEN")
		}
		if e.Destination == nil {
			e.Destination = &vigil.Destination{Kind: map[string]string{"UNLOAD": "stage", "GET_FILES": "client"}[typ], Region: w.text("OUTBOUND_DATA_TRANSFER_REGION")}
		}
		if e.Destination.Kind == "" {
			e.Destination.Kind = "table"
		}
	case vigil.ActionWrite, vigil.ActionDelete:
		e.Rows = max(w.count("ROWS_INSERTED"), w.count("ROWS_UPDATED"), w.count("ROWS_DELETED"))
		if e.Rows <= 0 {
			e.Rows = w.count("ROWS_PRODUCED")
		}
	}
	e.Outcome = outcome(w)
	emit(e)
	return nil
}

// unloaded is what COPY INTO a stage takes its rows from, as a statement of its own.
func unloaded(text string) string {
	m := from.FindStringSubmatchIndex(text)
	if m == nil {
		return ""
	}
	if text[m[2]] != '(' {
		return "SELECT * FROM " + text[m[2]:m[3]]
	}
	depth := 0
	for i := m[2]; i < len(text); i++ {
		switch text[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return text[m[2]+1 : i]
			}
		}
	}
	return text[m[2]+1:]
}

// from finds a table or a query behind FROM.
var from = regexp.MustCompile(`(?i)\sFROM\s*(\(|[\w."$]+)`)

func outcome(w row) vigil.Outcome {
	switch code := strings.TrimLeft(w.text("ERROR_CODE"), "0"); {
	case code == "3001": // insufficient privileges
		return vigil.OutcomeDenied
	case code != "":
		return vigil.OutcomeError
	}
	switch s := strings.ToUpper(w.text("EXECUTION_STATUS")); {
	case s == "SUCCESS":
		return vigil.OutcomeSuccess
	case strings.HasPrefix(s, "FAIL"), s == "INCIDENT":
		return vigil.OutcomeError
	}
	return vigil.OutcomeUnspecified
}

func (d *reader) table(name string) (formats.Table, bool) {
	if d.opts.Mapping == nil {
		return formats.Table{}, false
	}
	t, ok := d.opts.Mapping.Tables[strings.ToLower(name)]
	return t, ok
}

// statement adds what the statement's text says. The type that Snowflake gives it wins.
func (d *reader) statement(e *vigil.Event, text string, told vigil.Action) {
	results := d.statements.Read(text, nil)
	if len(results) == 0 {
		return
	}
	res := &results[0]
	for i := range results {
		if len(results[i].Tables) > 0 {
			res = &results[i]
			break
		}
	}
	if told == vigil.ActionOther && res.Action != "" || res.Action == vigil.ActionExport {
		e.Action = res.Action
	}
	if res.Ignored {
		e.Action = ""
		return
	}
	e.Resource, e.ResourceClass, e.Shape = res.Resource, res.Class, res.Shape
	e.Subjects, e.SubjectCount, e.Limit = res.Subjects, res.SubjectCount, res.Limit
	e.Fields, e.Unbounded = res.Fields, res.Unbounded
	if len(res.Conversations) == 1 {
		e.Conversation = res.Conversations[0]
	}
	if len(res.Tenants) == 1 {
		e.ResourceTenant = res.Tenants[0]
	}
	if len(res.Tickets) > 0 {
		e.Ticket = res.Tickets[0]
	}
	if res.Destination != "" {
		e.Destination = &vigil.Destination{Kind: res.Destination}
	}
}

// object reads what CREATE, ALTER and DROP are about where the type is no more than that.
func (d *reader) object(e *vigil.Event, text string) {
	words := strings.Fields(strings.ToUpper(text[:min(len(text), 200)]))
	for _, w := range words[:min(len(words), 8)] {
		for _, o := range objects {
			if w == o.word {
				e.Resource = strings.ToLower(o.word)
				if e.Shape += " " + e.Resource; e.Action != vigil.ActionDelete {
					e.Action = o.action
				}
				return
			}
		}
	}
}

// objects adds what ACCESS_HISTORY knows of a query: tables and columns, through views too.
func (d *reader) objects(w row, e *vigil.Event, queried bool) {
	list := func(name string) gjson.Result {
		v := column(w.r.JSON, name)
		if v.Type == gjson.String && len(v.Str) <= 1<<20 && gjson.Valid(v.Str) {
			v = gjson.Parse(v.Str)
		}
		return v
	}
	known := false
	about := func(v gjson.Result, kept bool) {
		n := 0
		v.ForEach(func(_, o gjson.Result) bool {
			n++
			name := strings.ToLower(w.r.Clean(o.Get("objectName").String(), 512))
			name = strings.Trim(name[strings.LastIndexByte(name, '.')+1:], `"`)
			t, mapped := d.table(name)
			if name == "" || known && !mapped || n > 200 {
				return n <= 200
			}
			if !kept && (e.Resource == "" || !known) || mapped && !known {
				e.Resource, e.ResourceClass, known = name, t.Class, mapped
				if !queried {
					e.Fields = nil
					o.Get("columns").ForEach(func(_, c gjson.Result) bool {
						if f := w.r.Clean(strings.ToLower(c.Get("columnName").String()), 64); f != "" {
							e.Fields = append(e.Fields, f)
						}
						return len(e.Fields) < 48
					})
				}
			}
			return !known
		})
	}
	modified := list("OBJECTS_MODIFIED")
	if !queried && modified.IsArray() && len(modified.Array()) > 0 {
		e.Action = vigil.ActionWrite
	}
	kept := e.Resource != ""
	about(list("BASE_OBJECTS_ACCESSED"), kept)
	if e.Resource == "" {
		about(list("DIRECT_OBJECTS_ACCESSED"), false)
	}
	if e.Resource == "" {
		about(modified, false)
	}
	if !queried {
		e.Shape = strings.TrimSpace(string(e.Action) + " " + e.Resource)
	}
}
