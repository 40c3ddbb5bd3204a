package mongodb

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// verbs says what a command does, by its name in lower case. What is not here and not
// in chatter is vigil.ActionOther.
var verbs = map[string]vigil.Action{
	"find": vigil.ActionRead, "query": vigil.ActionRead, "getmore": vigil.ActionRead, "aggregate": vigil.ActionRead, "count": vigil.ActionRead,
	"distinct": vigil.ActionRead, "mapreduce": vigil.ActionRead, "group": vigil.ActionRead, "geonear": vigil.ActionRead, "geosearch": vigil.ActionRead,
	"parallelcollectionscan": vigil.ActionRead, "repaircursor": vigil.ActionRead, "text": vigil.ActionSearch, "dbhash": vigil.ActionRead,
	"usersinfo": vigil.ActionRead, "rolesinfo": vigil.ActionRead, "currentop": vigil.ActionRead, "inprog": vigil.ActionRead, "getlog": vigil.ActionRead,
	"listcollections": vigil.ActionRead, "listdatabases": vigil.ActionRead, "listindexes": vigil.ActionRead,
	"insert": vigil.ActionWrite, "update": vigil.ActionWrite, "findandmodify": vigil.ActionWrite, "bulkwrite": vigil.ActionWrite,
	"delete": vigil.ActionDelete, "remove": vigil.ActionDelete, "drop": vigil.ActionDelete, "dropdatabase": vigil.ActionDelete, "killcursors": "",
	"clonecollection": vigil.ActionExport, "copydb": vigil.ActionExport, "clone": vigil.ActionExport, "clonecollectionascapped": vigil.ActionExport,
	"eval": vigil.ActionExecute, "$eval": vigil.ActionExecute,
	"create": vigil.ActionConfigure, "createindexes": vigil.ActionConfigure, "dropindexes": vigil.ActionConfigure, "deleteindexes": vigil.ActionConfigure,
	"collmod": vigil.ActionConfigure, "renamecollection": vigil.ActionConfigure, "converttocapped": vigil.ActionConfigure, "reindex": vigil.ActionConfigure,
	"compact": vigil.ActionConfigure, "setparameter": vigil.ActionConfigure, "setclusterparameter": vigil.ActionConfigure, "profile": vigil.ActionConfigure,
	"setfeaturecompatibilityversion": vigil.ActionConfigure, "shutdown": vigil.ActionConfigure, "setauditconfig": vigil.ActionConfigure,
	"replsetreconfig": vigil.ActionConfigure, "replsetinitiate": vigil.ActionConfigure, "replsetstepdown": vigil.ActionConfigure, "enablesharding": vigil.ActionConfigure,
	"shardcollection": vigil.ActionConfigure, "addshard": vigil.ActionConfigure, "removeshard": vigil.ActionConfigure, "movechunk": vigil.ActionConfigure,
	"killop": vigil.ActionConfigure, "killsessions": vigil.ActionConfigure, "killallsessions": vigil.ActionConfigure, "fsync": vigil.ActionConfigure,
	"logrotate": vigil.ActionConfigure, "dropuser": vigil.ActionConfigure, "dropallusersfromdatabase": vigil.ActionConfigure, "droprole": vigil.ActionConfigure,
	"dropallrolesfromdatabase": vigil.ActionConfigure, "revokerolesfromuser": vigil.ActionConfigure, "revokerolesfromrole": vigil.ActionConfigure,
	"revokeprivilegesfromrole": vigil.ActionConfigure, "createsearchindexes": vigil.ActionConfigure,
	"createuser": vigil.ActionGrant, "updateuser": vigil.ActionGrant, "grantrolestouser": vigil.ActionGrant, "createrole": vigil.ActionGrant,
	"updaterole": vigil.ActionGrant, "grantrolestorole": vigil.ActionGrant, "grantprivilegestorole": vigil.ActionGrant, "logout": vigil.ActionLogout,
}

// chatter are commands that drivers, monitoring and the cluster itself send: no access.
// Signing in is told by records of its own.
var chatter = words(`hello ismaster ping buildinfo getlasterror getpreverror reseterror whatsmyuri serverstatus dbstats collstats connectionstatus
	connpoolstats hostinfo getparameter getclusterparameter getcmdlineopts getfreemonitoringstatus features top listcommands replsetgetstatus replsetgetconfig
	replsetheartbeat replsetupdateposition replsetrequestvotes replsetgetrbid isdbgrid getshardmap getnonce saslstart saslcontinue authenticate endsessions
	startsession refreshsessions killcursors aborttransaction committransaction coordinatecommittransaction getdiagnosticdata validate datasize explain
	balancerstatus listshards flushrouterconfig setshardversion splitvector planCacheListFilters plancacheclear atlasversion availablequeryoptions
	_isself _recvchunkstatus _shardsvr_ hostInfo driveroidtest lockinfo`)

func words(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(strings.ToLower(s)) {
		m[w] = true
	}
	return m
}

// resources names what commands are about that name no collection.
var resources = map[string]string{
	"usersinfo": "users", "rolesinfo": "roles", "currentop": "operations", "inprog": "operations", "getlog": "log", "listdatabases": "databases",
	"listcollections": "collections", "dropdatabase": "database", "createuser": "users", "updateuser": "users", "grantrolestouser": "users", "dropuser": "users",
	"dropallusersfromdatabase": "users", "revokerolesfromuser": "users", "createrole": "roles", "updaterole": "roles", "grantrolestorole": "roles",
	"grantprivilegestorole": "roles", "droprole": "roles", "revokerolesfromrole": "roles", "revokeprivilegesfromrole": "roles", "setauditconfig": "audit",
	"profile": "profiler", "logout": "session",
}

// The bounds of what is taken of one command.
const (
	maxNames  = 48 // fields, keys of a filter
	maxFilter = 16 // levels of a filter
	maxShape  = 200
)

// command is a command being read.
type command struct {
	r     *record.Record
	table formats.Table
	// mapped says that the mapping names the collection, or names none at all.
	mapped bool
	found  formats.Found
	// keys are those of the filter, in order, for the shape.
	keys   []string
	fields []string
	limit  int64
	// bounded says that there is a predicate; search that it looks for text.
	bounded, search bool
	// reduces says that what comes out is a summary.
	reduces  bool
	exports  bool
	confined bool
}

// name is the command's name: that of its first key, as the protocol has it.
func name(doc gjson.Result) (verb string, arg gjson.Result) {
	doc.ForEach(func(k, v gjson.Result) bool {
		verb, arg = strings.ToLower(k.Str), v
		if verb == "$query" || verb == "query" && v.IsObject() {
			// What carries an old client's command.
			verb, arg = name(v)
		}
		return false
	})
	return verb, arg
}

// fill adds to e what a command says, and reports whether it is an access. verb may be
// empty: then the document tells it.
func (d *reader) fill(r *record.Record, e *vigil.Event, verb, ns string, doc gjson.Result) bool {
	own, arg := name(doc)
	if verb == "" {
		verb = own
	}
	verb = strings.ToLower(verb)
	if chatter[verb] || verb == "" || strings.HasPrefix(verb, "_") {
		return false
	}
	db, collection := split(ns)
	if collection == "" || collection == "$cmd" || strings.HasPrefix(collection, "$cmd.") {
		// The namespace of commands: the command names the collection.
		collection = ""
		if arg.Type == gjson.String && own == verb {
			collection = arg.Str
		}
		if c := doc.Get("collection"); c.Type == gjson.String && verb == "getmore" {
			collection = c.Str
		}
	}
	if resources[verb] != "" {
		collection = resources[verb]
	}
	c := &command{r: r, limit: vigil.Unknown}
	if m := d.opts.Mapping; m != nil {
		var ok bool
		low := strings.ToLower(collection)
		if c.table, ok = m.Tables[strings.ToLower(db)+"."+low]; !ok {
			c.table, ok = m.Tables[low]
		}
		c.mapped = ok || len(m.Tables) == 0
	} else {
		c.mapped = true
	}
	if c.table.Ignore {
		return false
	}
	action, known := verbs[verb]
	if !known {
		action = vigil.ActionOther
	}
	if action == "" || verb == "getlog" && arg.Str == "startupWarnings" { // what shells ask for when they connect
		return false
	}
	c.read(verb, doc, 0)
	switch {
	case action == vigil.ActionWrite && verb == "findandmodify" && doc.Get("remove").Bool():
		action = vigil.ActionDelete
	case c.exports:
		action, e.Destination = vigil.ActionExport, &vigil.Destination{Kind: "table"}
	case action == vigil.ActionRead && c.search:
		action = vigil.ActionSearch
	}
	e.Action = action
	e.Resource, e.ResourceClass = r.Clean(collection, 256), c.table.Class
	if e.Resource == "" {
		e.Resource = r.Clean(db, 128)
	}
	if e.Store == "" {
		e.Store = r.Clean(db, 128)
	}
	c.found.Fill(e, c.confined && !doc.Get("$truncated").Exists())
	e.Limit, e.Fields = c.limit, c.fields
	switch verb {
	case "find", "query", "aggregate", "distinct", "mapreduce", "getmore":
		e.Unbounded = doc.Exists() && c.mapped && !c.bounded && !c.reduces && c.limit == vigil.Unknown && !doc.Get("$truncated").Exists() &&
			(verb != "getmore" || doc.Get("originatingCommand").Exists())
	}
	e.Shape = c.shape(verb, e.Resource)
	return true
}

// read reads a command's document.
func (c *command) read(verb string, doc gjson.Result, depth int) {
	if depth > 3 {
		return
	}
	switch verb {
	case "query", "find", "count", "distinct", "mapreduce", "findandmodify", "remove", "update", "delete", "insert", "group", "geonear":
		for _, key := range []string{"filter", "query", "q"} {
			f := doc.Get(key)
			for _, inner := range []string{"$query", "query"} { // {$query: ..., $orderby: ...}
				if q := f.Get(gjson.Escape(inner)); q.IsObject() {
					f = q
				}
			}
			c.filter(f, 0, true)
		}
		if q := doc.Get(gjson.Escape("$query")); q.IsObject() {
			c.filter(q, 0, true)
		}
	}
	switch verb {
	case "query", "find":
		c.page(doc.Get("limit"))
		if doc.Get("singleBatch").Bool() {
			c.page(doc.Get("batchSize"))
		}
		c.project(doc.Get("projection"))
	case "distinct":
		c.field(doc.Get("key").Str)
	case "findandmodify":
		c.project(doc.Get("fields"))
	case "aggregate":
		c.pipeline(doc.Get("pipeline"))
	case "getmore":
		if orig := doc.Get("originatingCommand"); orig.IsObject() {
			v, _ := name(orig)
			c.read(v, orig, depth+1)
		}
		c.filter(doc.Get("q"), 0, true)
	case "update", "delete":
		c.statements(doc.Get(verb + "s"))
	case "bulkwrite":
		c.statements(doc.Get("ops"))
	case "insert":
		n := 0
		doc.Get("documents").ForEach(func(_, v gjson.Result) bool {
			v.ForEach(func(k, v gjson.Result) bool {
				if m := c.meaning(k.Str); m != "" {
					c.found.Add(m, id(v))
				}
				return true
			})
			n++
			return n < vigil.MaxSubjects
		})
	}
}

// statements reads those of a write of several.
func (c *command) statements(list gjson.Result) {
	n := 0
	list.ForEach(func(_, s gjson.Result) bool {
		for _, key := range []string{"q", "filter"} {
			c.filter(s.Get(key), 0, true)
		}
		n++
		return n < 1000
	})
}

func (c *command) page(v gjson.Result) {
	// A negative limit is one, too: of a single batch.
	if n := formats.Count(strings.TrimPrefix(number(v), "-")); n > 0 {
		c.limit = n
	}
}

func (c *command) project(p gjson.Result) {
	p.ForEach(func(k, v gjson.Result) bool {
		if v.Type == gjson.False || v.Type == gjson.Number && v.Num == 0 {
			return true
		}
		c.field(k.Str)
		return len(c.fields) < maxNames
	})
}

func (c *command) field(s string) {
	if s = c.r.Clean(formats.GeneralName(s), 64); s != "" && len(c.fields) < maxNames {
		c.fields = append(c.fields, s)
	}
}

// pipeline reads the stages of an aggregation.
func (c *command) pipeline(stages gjson.Result) {
	n, first := 0, true
	stages.ForEach(func(_, stage gjson.Result) bool {
		stage.ForEach(func(k, v gjson.Result) bool {
			c.key("|" + k.Str)
			switch k.Str {
			case "$match":
				// A filter behind a summary is one of the summary.
				if !c.reduces {
					c.filter(v, 0, first)
				}
			case "$search", "$vectorSearch", "$searchMeta":
				c.search, c.bounded = true, true
				c.page(v.Get("limit"))
			case "$geoNear":
				c.filter(v.Get("query"), 0, first)
				c.bounded = true
			case "$limit":
				c.page(v)
			case "$sample":
				c.page(v.Get("size"))
			case "$group", "$count", "$bucket", "$bucketAuto", "$sortByCount", "$collStats", "$indexStats":
				c.reduces = true
			case "$changeStream":
				c.bounded = false
			case "$project":
				c.project(v)
			case "$out", "$merge":
				c.exports = true
			case "$lookup", "$graphLookup", "$unionWith":
				first = false
			}
			return true
		})
		n++
		return n < 100
	})
}

// filter reads a predicate. confines says that the access is confined by it: it stands
// under no alternative. It reports whether it confines to named subjects.
func (c *command) filter(f gjson.Result, depth int, confines bool) (confined bool) {
	if !f.IsObject() || depth > maxFilter {
		return false
	}
	f.ForEach(func(k, v gjson.Result) bool {
		key := k.Str
		switch key {
		case "$and":
			v.ForEach(func(_, part gjson.Result) bool {
				confined = c.filter(part, depth+1, confines) || confined
				return true
			})
			return true
		case "$or", "$nor":
			all := key == "$or"
			v.ForEach(func(_, part gjson.Result) bool {
				all = c.filter(part, depth+1, false) && all
				return true
			})
			confined = confined || all && v.IsArray()
			return true
		case "$text":
			c.search, c.bounded = true, true
			c.key(key)
			return true
		case "$comment", "$hint", "$orderby":
			return true
		}
		c.bounded = true
		if v.IsObject() && depth < maxFilter {
			if v.Get("$regex").Exists() {
				c.search = true
			}
			c.operators(key, v)
		} else {
			c.key(key)
		}
		if m := c.meaning(key); m != "" {
			named := c.take(m, v)
			confined = confined || named && m == formats.MeansSubject
		}
		return true
	})
	if confines && confined {
		c.confined = true
	}
	return confined
}

// operators notes a key and how it is compared.
func (c *command) operators(key string, v gjson.Result) {
	plain := true
	v.ForEach(func(op, _ gjson.Result) bool {
		switch op.Str {
		case "$oid", "$uuid", "$numberLong", "$numberInt", "$numberDecimal", "$numberDouble", "$date", "$binary", "$type", "$eq":
		default:
			if strings.HasPrefix(op.Str, "$") {
				plain = false
				c.key(key + "." + op.Str)
			}
		}
		return true
	})
	if plain {
		c.key(key)
	}
}

func (c *command) key(k string) {
	k = formats.GeneralName(k)
	if len(c.keys) < maxNames && (k == "" || k[0] == '|' || !slices.Contains(c.keys, k)) {
		c.keys = append(c.keys, k)
	}
}

func (c *command) meaning(key string) formats.Meaning {
	if len(c.table.Columns) == 0 {
		return ""
	}
	if m, ok := c.table.Columns[key]; ok {
		return m
	}
	return c.table.Columns[strings.ToLower(key)]
}

// take adds the ids that a key is compared with; named says that there are any.
func (c *command) take(m formats.Meaning, v gjson.Result) (named bool) {
	if s := id(v); s != "" {
		c.found.Add(m, s)
		return true
	}
	if eq := v.Get("$eq"); eq.Exists() {
		return c.take(m, eq)
	}
	v.Get("$in").ForEach(func(_, item gjson.Result) bool {
		if s := id(item); s != "" {
			c.found.Add(m, s)
			named = true
		}
		return true
	})
	return named
}

// shape is the command with no value in it: its name, the collection, and the keys of its
// filter.
func (c *command) shape(verb, resource string) string {
	var b strings.Builder
	b.WriteString(c.r.Clean(verb, 32))
	if resource != "" {
		b.WriteString(" " + c.r.Clean(resource, 64))
	}
	for i, k := range c.keys {
		k = c.r.Clean(k, 48)
		switch {
		case b.Len()+len(k) > maxShape:
			return b.String() + " ..."
		case strings.HasPrefix(k, "|"), i == 0:
			b.WriteString(" ")
		default:
			b.WriteString(",")
		}
		b.WriteString(k)
	}
	if c.limit != vigil.Unknown {
		b.WriteString(" limit")
	}
	return b.String()
}
