package gcp

import (
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/statement"
)

// statement reads SQL into e. tables, where the entry names them, win over those of the
// text. It reports whether the text is an access.
func (r *reader) statement(x *entry, e *vigil.Event, text string, tables []string) bool {
	resource, shape, class := e.Resource, e.Shape, e.ResourceClass
	read := false
	var results []statement.Result
	if text = text[:min(len(text), maxSQL)]; text != "" {
		if r.sql == nil {
			r.sql = r.statements().Reader(r.mapping)
		}
		results = r.sql.Read(text, nil)
	}
	for _, res := range results {
		if res.Action == "" || res.Ignored || read {
			continue
		}
		res.Fill(e)
		e.Shape, read = shape+" "+res.Shape, true
	}
	if !read {
		e.Resource, e.ResourceClass = resource, class
	}
	if e.Resource == "" {
		e.Resource = resource
	}
	chosen := ""
	for _, t := range tables {
		if table, ok := statement.TableOf(r.mapping, strings.ToLower(t)); ok {
			if table.Ignore {
				continue
			}
			e.Resource, e.ResourceClass, chosen = x.rec.Clean(last(strings.ReplaceAll(t, ".", "/")), 128), table.Class, t
			break
		}
	}
	if chosen == "" && len(tables) > 0 && (!read || e.Action.Discloses()) {
		e.Resource = x.rec.Clean(last(strings.ReplaceAll(tables[0], ".", "/")), 128)
	}
	return read
}

// maxSQL bounds the text of a statement that is read; what is longer is cut.
const maxSQL = 128 << 10

// dashed is a table's full name whose project has dashes, which need no quotes in BigQuery.
var dashed = regexp.MustCompile(`\b([A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)+\.[A-Za-z0-9_]+\.[A-Za-z0-9_$]+)\b`)

// googleSQL writes what GoogleSQL and MySQL write otherwise in the way of the standard:
// names in backticks become names in double quotes, each part of its own, and texts in
// double quotes become texts in single ones, so that what is a literal is dropped as one.
func googleSQL(sql string) string {
	if len(sql) > maxSQL {
		sql = sql[:maxSQL]
	}
	if !strings.Contains(sql, "`") {
		sql = dashed.ReplaceAllString(sql, "`$1`")
	}
	if !strings.ContainsAny(sql, "`\"") {
		return sql
	}
	var b strings.Builder
	b.Grow(len(sql) + 16)
	for i := 0; i < len(sql); {
		c := sql[i]
		if c != '\'' && c != '"' && c != '`' {
			b.WriteByte(c)
			i++
			continue
		}
		end := i + 1
		for end < len(sql) && sql[end] != c {
			if sql[end] == '\\' && c != '`' {
				end++
			}
			end++
		}
		if end >= len(sql) {
			break // cut within: nobody knows what it was
		}
		inner := sql[i+1 : end]
		if c == '`' {
			for j, part := range strings.Split(inner, ".") {
				if j > 0 {
					b.WriteByte('.')
				}
				b.WriteString(`"` + strings.ReplaceAll(part, `"`, "") + `"`)
			}
		} else {
			b.WriteString("'" + strings.ReplaceAll(strings.ReplaceAll(inner, `\`, ""), "'", "") + "'")
		}
		i = end + 1
	}
	return b.String()
}

// cloudSQL reads a statement that Cloud SQL's auditing tells of, or a call to its API.
func (r *reader) cloudSQL(x *entry, e *vigil.Event) (told bool) {
	if _, instance, ok := strings.Cut(x.v.Get("resource.labels.database_id").Str, ":"); ok {
		e.Store = x.rec.Clean(instance, 128)
	}
	if x.last != "query" {
		destination(x, e)
		return true
	}
	kind := typeOf(x.request)
	user := x.rec.Clean(x.request.Get("user").Str, 128)
	switch user {
	case "cloudsqladmin", "cloudsqlreplica", "cloudsqlagent":
		return false // the service's own upkeep
	case "":
	default:
		e.Actor = vigil.Actor{ID: user}
		if serviceAccount(user) || strings.HasSuffix(user, ".iam") {
			e.Actor.Kind = vigil.KindService
		}
	}
	if ip := formats.Address(x.request.Get("ip").Str); ip != "" {
		e.IP = x.rec.Clean(ip, 64)
	}
	if strings.HasSuffix(kind, "MysqlAuditEntry") || x.request.Get("cmd").Exists() {
		r.mySQL(x, e)
		return true
	}
	return r.postgreSQL(x, e)
}

// postgreSQL reads what pgaudit says. Of a statement that is cut into chunks the first
// tells what it does.
func (r *reader) postgreSQL(x *entry, e *vigil.Event) (told bool) {
	if n := x.request.Get("chunkIndex"); n.Exists() && n.Int() > 1 {
		return false
	}
	if id := x.request.Get("databaseSessionId"); id.Exists() {
		e.Session = strings.Clone(x.rec.String(id, 64))
	}
	e.Resource = x.rec.Clean(x.request.Get("database").Str, 128)
	var tables []string
	if o := x.request.Get("object").Str; o != "" {
		tables = []string{o}
	}
	read := r.statement(x, e, x.request.Get("statement").Str, tables)
	command := x.rec.Clean(strings.ToLower(x.request.Get("command").Str), 32)
	class := x.request.Get("auditClass").Str
	if strings.HasPrefix(class, "MISC") && (!read || e.Action == vigil.ActionOther) {
		return false // VACUUM, CHECKPOINT, BEGIN
	}
	if !read {
		switch class {
		case "READ":
			e.Action = vigil.ActionRead
		case "WRITE":
			e.Action = vigil.ActionWrite
		case "ROLE":
			e.Action = vigil.ActionGrant
		case "DDL":
			e.Action = vigil.ActionConfigure
		}
		e.Shape = x.rec.Clean("cloudsql:"+command, 64)
	}
	return true
}

// mySQL reads what the audit plugin of Cloud SQL for MySQL says.
func (r *reader) mySQL(x *entry, e *vigil.Event) {
	if id := x.request.Get("threadId"); id.Exists() {
		e.Session = strings.Clone(x.rec.String(id, 64))
	}
	if s := x.request.Get("status").String(); strings.HasPrefix(s, "un") || x.request.Get("errCode").Int() != 0 {
		e.Outcome = vigil.OutcomeError
		switch x.request.Get("errCode").Int() {
		case 1044, 1045, 1142, 1143, 1227, 1370, 1410, 1698, 3118: // access denied, in the server's list of errors
			e.Outcome = vigil.OutcomeDenied
		}
	}
	command := x.rec.Clean(strings.ToLower(x.request.Get("cmd").Str), 64)
	e.Shape = "cloudsql:" + command
	switch command {
	case "connect", "failed_connect", "change_user":
		e.Action, e.Resource = vigil.ActionLogin, e.Store
		return
	case "disconnect", "quit":
		e.Action, e.Resource = vigil.ActionLogout, e.Store
		return
	}
	var tables []string
	x.request.Get("objects").ForEach(func(_, o gjson.Result) bool {
		if n := o.Get("name").Str; n != "" {
			if db := o.Get("db").Str; db != "" {
				n = db + "." + n
			}
			tables = append(tables, n)
		}
		return len(tables) < 64
	})
	if db := x.request.Get("objects.0.db").Str; db != "" {
		e.Resource = x.rec.Clean(db, 128)
	}
	if r.statement(x, e, googleSQL(x.request.Get("query").Str), tables) {
		return
	}
	switch first, _, _ := strings.Cut(command, "_"); first {
	case "select", "show", "table":
		e.Action = vigil.ActionRead
	case "insert", "update", "replace", "load", "call":
		e.Action = vigil.ActionWrite
	case "delete", "truncate":
		e.Action = vigil.ActionDelete
	case "grant", "revoke":
		e.Action = vigil.ActionGrant
	case "create", "alter", "drop", "rename", "set":
		e.Action = vigil.ActionConfigure
	default:
		e.Action = vigil.ActionExecute
	}
}
