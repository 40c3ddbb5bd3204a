package gcp

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
)

// special fills in what the entries of some services tell beyond all others'. told is
// false for an entry that is no access of its own.
func (r *reader) special(x *entry, e *vigil.Event) (told bool) {
	if n := x.p.Get("numResponseItems"); n.Exists() && e.Action.Discloses() {
		e.Rows = formats.Count(n.String())
	}
	switch x.service {
	case "bigquery":
		return r.bigQuery(x, e)
	case "cloudsql":
		return r.cloudSQL(x, e)
	case "firestore", "datastore":
		r.documents(x, e)
	case "spanner":
		r.spanner(x, e)
	case "bigtable":
		r.bigtable(x, e)
	case "storage":
		r.objects(x, e)
	case "dialogflow", "discoveryengine", "contactcenterinsights":
		e.Conversation = strings.Clone(x.rec.Clean(after(x.p.Get("resourceName").Str, "/sessions/", "/conversations/"), 256))
	case "logging":
		if s := x.p.Get("resourceName").Str; e.ResourceClass == classAudit && e.Action == vigil.ActionConfigure {
			e.Resource = x.rec.Clean(after(s, "/sinks/", "/buckets/", "/exclusions/"), 256)
		}
	}
	r.policy(x, e)
	destination(x, e)
	for _, k := range [...]string{"enableFlowLogs", "logConfig.enable"} {
		if v := x.request.Get(k); v.Exists() && v.Type == gjson.False && strings.HasPrefix(x.call, "subnetworks.") && x.last != "insert" {
			e.ResourceClass = classAudit
		}
	}
	if e.Limit == vigil.Unknown {
		for _, k := range [...]string{"pageSize", "maxResults"} {
			if n := x.request.Get(k); n.Exists() {
				e.Limit = formats.Count(n.String())
				break
			}
		}
	}
	return true
}

// destination says where an export goes, as far as the call tells.
func destination(x *entry, e *vigil.Event) {
	if e.Action != vigil.ActionExport || e.Destination != nil {
		return
	}
	name := strings.ToLower(x.call)
	switch {
	case strings.Contains(x.request.Raw, `"gs://`) || x.service == "cloudsql" && x.last == "export":
		e.Destination = &vigil.Destination{Kind: "bucket"}
	case strings.Contains(name, "backup") || strings.Contains(name, "snapshot") || strings.Contains(name, "clone") || strings.Contains(name, "restore"):
		e.Destination = &vigil.Destination{Kind: "snapshot"}
	}
}

// after is what stands behind the first of the marks that a name has, up to the next
// slash; empty for none.
func after(name string, marks ...string) string {
	for _, m := range marks {
		if _, rest, ok := strings.Cut(name, m); ok {
			rest, _, _ = strings.Cut(rest, "/")
			return rest
		}
	}
	return ""
}

// policy reads how a policy changed: opened to everybody, or auditing taken out of it.
func (r *reader) policy(x *entry, e *vigil.Event) {
	if e.Action != vigil.ActionGrant || !strings.EqualFold(x.last, "SetIamPolicy") && !strings.EqualFold(x.last, "setIamPermissions") {
		return
	}
	delta := x.p.Get("serviceData.policyDelta")
	if !delta.Exists() {
		delta = x.metadata.Get("policyDelta")
	}
	added, audit := false, false
	delta.Get("bindingDeltas").ForEach(func(_, d gjson.Result) bool {
		if d.Get("action").Str == "ADD" {
			added = true
			if m := d.Get("member").Str; m == "allUsers" || m == "allAuthenticatedUsers" {
				e.Action, e.Destination = vigil.ActionShare, &vigil.Destination{Kind: "public"}
			}
		}
		return true
	})
	delta.Get("auditConfigDeltas").ForEach(func(_, d gjson.Result) bool {
		audit = audit || d.Get("action").Str == "REMOVE" || d.Get("exemptedMember").Str != ""
		return true
	})
	if !delta.Exists() {
		x.request.Get("policy.bindings.#.members").ForEach(func(_, members gjson.Result) bool {
			if strings.Contains(members.Raw, `"allUsers"`) || strings.Contains(members.Raw, `"allAuthenticatedUsers"`) {
				e.Action, e.Destination = vigil.ActionShare, &vigil.Destination{Kind: "public"}
			}
			return true
		})
	}
	if audit {
		e.ResourceClass = classAudit
		if !added {
			e.Action = vigil.ActionConfigure
		}
	}
}

// objects reads a call to Cloud Storage.
func (r *reader) objects(x *entry, e *vigil.Event) {
	name := x.p.Get("resourceName").Str
	_, key, _ := strings.Cut(name, "/objects/")
	if e.Action == vigil.ActionRead && x.call == "objects.get" {
		if e.Outcome == vigil.OutcomeSuccess {
			e.Rows = 1
		}
		if to := x.metadata.Get("destination").Str; to != "" {
			if b := after(to, "/buckets/"); b != "" && b != e.Resource {
				e.Action, e.Destination = vigil.ActionExport, &vigil.Destination{Kind: "bucket"}
			}
		}
	}
	if key != "" {
		r.match(e, e.Resource+"/"+key)
	}
}

// match takes the ids that a key names.
func (r *reader) match(e *vigil.Event, key string) {
	var found formats.Found
	if p, ok := r.keys.Match(key, &found); ok {
		e.ResourceClass = p.Class
		found.Fill(e, true)
	}
}

// table looks a table or collection up in the mapping.
func (r *reader) table(e *vigil.Event, name string) (formats.Table, bool) {
	t, ok := r.mapping.Tables[strings.ToLower(name)]
	if ok {
		e.ResourceClass = t.Class
	}
	return t, ok
}

// documents reads a call to Firestore or Datastore: which collection, whose documents.
func (r *reader) documents(x *entry, e *vigil.Event) {
	var found formats.Found
	collection, class := "", ""
	add := func(path string) {
		// projects/p/databases/d/documents/users/u-1/chats/c-1
		if _, rest, ok := strings.Cut(path, "/documents/"); ok {
			path = rest
		} else if strings.HasPrefix(path, "projects/") {
			return
		}
		if path = strings.Trim(path, "/"); path == "" {
			return
		}
		if collection == "" {
			collection = collectionOf(path)
		}
		if p, ok := r.keys.Match(path, &found); ok && class == "" {
			class = p.Class
		}
	}
	paths := 0
	each := func(v gjson.Result, at string) {
		v.ForEach(func(_, one gjson.Result) bool {
			s := one.Str
			if at != "" {
				s = one.Get(at).Str
			}
			if s != "" {
				add(s)
				paths++
			}
			return paths < vigil.MaxSubjects
		})
	}
	each(x.request.Get("documents"), "")
	if n := x.request.Get("documents.#"); n.Exists() {
		e.Limit = n.Int()
	}
	each(x.request.Get("addTarget.documents.documents"), "")
	writes, deletes := 0, 0
	x.request.Get("writes").ForEach(func(_, w gjson.Result) bool {
		writes++
		if d := w.Get("delete").Str; d != "" {
			deletes++
			add(d)
		}
		for _, k := range [...]string{"update.name", "transform.document"} {
			if n := w.Get(k).Str; n != "" {
				add(n)
			}
		}
		return writes < vigil.MaxSubjects
	})
	if writes > 0 && writes == deletes {
		e.Action = vigil.ActionDelete
	}
	if n := x.request.Get("name").Str; n != "" {
		add(n)
	}
	each(x.metadata.Get("keys"), "")
	if keys := x.metadata.Get("keys.#").Int(); keys > 0 && e.Rows == vigil.Unknown && e.Action.Discloses() && e.Outcome == vigil.OutcomeSuccess {
		e.Rows = keys
	}
	for _, q := range [...]string{"structuredQuery", "structuredAggregationQuery.structuredQuery", "addTarget.query.structuredQuery", "query"} {
		if query := x.request.Get(q); query.IsObject() {
			r.query(x, e, query, &collection, &found)
			break
		}
	}
	if id := x.request.Get("collectionId").Str; id != "" {
		collection = id
		if _, below, ok := strings.Cut(x.request.Get("parent").Str, "/documents/"); ok && below != "" {
			collection = collectionOf(below) + "/*/" + id
		}
	}
	if collection != "" {
		e.Resource = x.rec.Clean(collection, 256)
		r.table(e, last(collection))
	}
	if class != "" {
		e.ResourceClass = class
	}
	found.Fill(e, true)
}

func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// collectionOf is a document's path without the documents' names: users/*/chats. Every
// second part is one.
func collectionOf(path string) string {
	p := strings.Split(path, "/")
	const most = 16
	p = p[:min(len(p), most)]
	if len(p)%2 == 0 {
		p = p[:len(p)-1]
	}
	for i := 1; i < len(p); i += 2 {
		p[i] = "*"
	}
	return strings.Join(p, "/")
}

// query reads a structured query.
func (r *reader) query(x *entry, e *vigil.Event, q gjson.Result, collection *string, found *formats.Found) {
	if c := q.Get("from.0.collectionId").Str; c != "" {
		*collection = c
	} else if k := q.Get("kind.0.name").Str; k != "" {
		*collection = k
	}
	t, _ := r.mapping.Tables[strings.ToLower(*collection)]
	filter := q.Get("where")
	if !filter.Exists() {
		filter = q.Get("filter")
	}
	r.filter(filter, t, found, 0)
	if n := q.Get("limit"); n.Exists() {
		if n.IsObject() {
			n = n.Get("value")
		}
		e.Limit = formats.Count(n.String())
	}
	e.Unbounded = *collection != "" && !filter.Exists() && e.Limit == vigil.Unknown && x.last != "Listen"
	for _, k := range [...]string{"select.fields", "projection"} {
		q.Get(k).ForEach(func(_, f gjson.Result) bool {
			name := f.Get("fieldPath").Str
			if name == "" {
				name = f.Get("property.name").Str
			}
			if name = x.rec.Clean(name, 128); name != "" && name != "__name__" {
				e.Fields = append(e.Fields, name)
			}
			return len(e.Fields) < 64
		})
	}
}

// maxFilter bounds how deep filters are nested.
const maxFilter = 8

// filter takes the ids that a query asks for, where they stand in it.
func (r *reader) filter(f gjson.Result, t formats.Table, found *formats.Found, depth int) {
	if !f.IsObject() || depth > maxFilter || len(t.Columns) == 0 {
		return
	}
	for _, k := range [...]string{"fieldFilter", "propertyFilter"} {
		if one := f.Get(k); one.Exists() {
			field := one.Get("field.fieldPath").Str + one.Get("property.name").Str
			m, ok := t.Columns[strings.ToLower(field)]
			if op := one.Get("op").Str; !ok || op != "EQUAL" && op != "IN" && op != "ARRAY_CONTAINS" {
				continue
			}
			one.Get("value").ForEach(func(key, v gjson.Result) bool {
				switch key.Str {
				case "stringValue", "integerValue":
					found.Add(m, v.String())
				case "arrayValue":
					v.Get("values").ForEach(func(_, s gjson.Result) bool {
						found.Add(m, s.Get("stringValue").String()+s.Get("integerValue").String())
						return true
					})
				}
				return true
			})
		}
	}
	f.Get("compositeFilter.filters").ForEach(func(_, sub gjson.Result) bool {
		r.filter(sub, t, found, depth+1)
		return true
	})
}

// spanner reads a call to Spanner.
func (r *reader) spanner(x *entry, e *vigil.Event) {
	if s := x.request.Get("session").Str; s != "" {
		e.Session = strings.Clone(x.rec.Clean(last(s), 128))
	}
	if db := after(x.p.Get("resourceName").Str+"/", "/databases/"); db != "" {
		e.Resource = x.rec.Clean(db, 128)
	}
	if sql := x.request.Get("sql").Str; sql != "" {
		r.statement(x, e, googleSQL(sql), nil)
		return
	}
	if table := x.request.Get("table").Str; table != "" {
		e.Resource = x.rec.Clean(table, 128)
		r.table(e, e.Resource)
		x.request.Get("columns").ForEach(func(_, c gjson.Result) bool {
			e.Fields = append(e.Fields, x.rec.String(c, 128))
			return len(e.Fields) < 64
		})
		if n := formats.Count(x.request.Get("limit").String()); n > 0 {
			e.Limit = n
		}
		e.Unbounded = x.request.Get("keySet.all").Bool() && e.Limit == vigil.Unknown
		return
	}
	x.request.Get("mutations.0").ForEach(func(key, m gjson.Result) bool {
		e.Resource = x.rec.Clean(m.Get("table").Str, 128)
		r.table(e, e.Resource)
		if key.Str == "delete" {
			e.Action = vigil.ActionDelete
		}
		return false
	})
}

// bigtable reads a call to Bigtable.
func (r *reader) bigtable(x *entry, e *vigil.Event) {
	if table := after(x.request.Get("tableName").Str+"/", "/tables/"); table != "" {
		e.Resource = x.rec.Clean(table, 128)
	}
	// The instance of a query; its tables stand with the permissions.
	if x.last == "ExecuteQuery" {
		x.p.Get("authorizationInfo").ForEach(func(_, a gjson.Result) bool {
			if t := after(a.Get("resource").Str+"/", "/tables/"); t != "" {
				e.Resource = x.rec.Clean(t, 128)
				return false
			}
			return true
		})
		if sql := x.request.Get("query").Str; sql != "" {
			r.statement(x, e, googleSQL(sql), []string{e.Resource})
		}
	}
	r.table(e, e.Resource)
	if x.last != "ReadRows" {
		return
	}
	if n := formats.Count(x.request.Get("rowsLimit").String()); n > 0 {
		e.Limit = n
	}
	rows := x.request.Get("rows")
	var found formats.Found
	rows.Get("rowKeys").ForEach(func(_, k gjson.Result) bool {
		if p, ok := r.keys.Match(e.Resource+"/"+k.String(), &found); ok {
			e.ResourceClass = p.Class
		}
		return true
	})
	found.Fill(e, true)
	e.Unbounded = !rows.Exists() && !x.request.Get("filter").Exists() && e.Limit == vigil.Unknown && e.Outcome == vigil.OutcomeSuccess
}
