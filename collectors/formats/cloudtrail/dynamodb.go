package cloudtrail

import (
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/aws"
	"vigil/collectors/formats/record"
)

// maxTables bounds the tables of one request that become events; a request may name 100.
const maxTables = 100

// dynamodb reads the parameters of a call to DynamoDB. A call about several tables gives
// an event for each; then all is given out and done is true.
func (r *reader) dynamodb(rec *record.Record, e *vigil.Event, name string, emit func(*vigil.Event)) (done bool) {
	switch name {
	case "GetItem", "PutItem", "UpdateItem", "DeleteItem":
		if name == "GetItem" {
			e.Limit = 1
		}
		r.table(rec, e, r.param("tableName").Str, r.f.request, new(formats.Found))
	case "Query", "Scan":
		r.table(rec, e, r.param("tableName").Str, r.f.request, new(formats.Found))
		e.Unbounded = name == "Scan" && !r.param("filterExpression").Exists() && !r.param("scanFilter").Exists() && !r.param("limit").Exists() &&
			!r.param("exclusiveStartKey").Exists() && !r.param("totalSegments").Exists()
		if name == "Scan" && r.param("totalSegments").Exists() && !r.param("filterExpression").Exists() {
			e.Unbounded = true // a scan in parallel goes over the whole table too
		}
	case "BatchGetItem", "BatchWriteItem":
		tables := r.param("requestItems")
		if !tables.IsObject() {
			return false
		}
		n := 0
		tables.ForEach(func(table, items gjson.Result) bool {
			one := *e
			one.Resource = ""
			r.table(rec, &one, table.Str, items, new(formats.Found))
			if keys := items.Get("keys"); keys.IsArray() {
				one.Limit = items.Get("keys.#").Int()
			}
			emit(&one)
			n++
			return n < maxTables
		})
		return n > 0
	case "TransactGetItems", "TransactWriteItems":
		// One event a table; its items are counted.
		var order []string
		type event struct {
			vigil.Event
			found formats.Found
		}
		byTable := make(map[string]*event)
		r.param("transactItems").ForEach(func(_, item gjson.Result) bool {
			item.ForEach(func(_, op gjson.Result) bool {
				table := op.Get("tableName").Str
				if table == "" {
					return true
				}
				one := byTable[table]
				if one == nil {
					if len(order) >= maxTables {
						return false
					}
					one = &event{Event: *e}
					one.Limit = 0
					byTable[table], order = one, append(order, table)
				}
				r.table(rec, &one.Event, table, op, &one.found)
				one.Limit++
				return true
			})
			return true
		})
		for _, t := range order {
			emit(&byTable[t].Event)
		}
		return len(order) > 0
	case "ExecuteStatement":
		return r.partiQL(e, r.param("statement").Str, emit)
	case "BatchExecuteStatement", "ExecuteTransaction":
		list := r.param("statements")
		if name == "ExecuteTransaction" {
			list = r.param("transactStatements")
		}
		n := 0
		list.ForEach(func(_, s gjson.Result) bool {
			one := *e
			if r.partiQL(&one, s.Get("statement").Str, emit) {
				n++
			}
			return n < maxTables
		})
		return n > 0
	}
	return false
}

// partiQL reads a statement in DynamoDB's dialect of SQL, and gives the event out.
func (r *reader) partiQL(e *vigil.Event, text string, emit func(*vigil.Event)) bool {
	if text == "" || text == hidden {
		return false
	}
	if r.sql == nil {
		r.sql = r.statements().Reader(r.opts.Mapping)
	}
	for _, res := range r.sql.Read(text[:min(len(text), maxSQL)], nil) {
		if res.Action == "" {
			continue
		}
		shape := e.Shape
		res.Fill(e)
		e.Shape = shape + " " + res.Shape
		if n := r.param("limit"); n.Exists() {
			e.Limit = formats.Count(n.String())
		}
		emit(e)
		return true
	}
	return false
}

// table fills in what a request says of one table: whose items, which attributes. found
// holds whose were named before.
func (r *reader) table(rec *record.Record, e *vigil.Event, table string, request gjson.Result, found *formats.Found) {
	name := aws.ResourceName(table)
	e.Resource = rec.Clean(name, 256)
	for _, k := range [...]string{"projectionExpression", "attributesToGet"} {
		if len(e.Fields) == 0 {
			e.Fields = r.attributes(rec, request, k)
		}
	}
	if r.opts.Mapping == nil {
		return
	}
	t, ok := r.opts.Mapping.Tables[strings.ToLower(name)]
	if !ok {
		return
	}
	e.ResourceClass = t.Class
	if len(t.Columns) == 0 {
		return
	}
	keys := func(key gjson.Result) {
		key.ForEach(func(attribute, value gjson.Result) bool {
			if m, ok := t.Columns[strings.ToLower(attribute.Str)]; ok {
				found.Add(m, item(value))
			}
			return true
		})
	}
	keys(request.Get("key"))
	request.Get("keys").ForEach(func(_, key gjson.Result) bool {
		keys(key)
		return true
	})
	found.Fill(e, true)
}

// item is the value of an attribute, plain or with its type ({"S": "c-17"}); empty where
// it is hidden.
func item(v gjson.Result) string {
	if v.IsObject() {
		for _, t := range [...]string{"S", "N", "s", "n"} {
			if x := v.Get(t); x.Exists() {
				v = x
				break
			}
		}
	}
	if v.Type != gjson.String && v.Type != gjson.Number || v.String() == hidden || strings.HasPrefix(v.String(), "***") {
		return ""
	}
	return v.String()
}

// maxFields bounds the attributes of one access that are named.
const maxFields = 64

// attributes are the names in a projection, whether they stand for themselves (#n).
func (r *reader) attributes(rec *record.Record, request gjson.Result, param string) (fields []string) {
	v := request.Get(param)
	add := func(s string) {
		s = strings.TrimSpace(s)
		if strings.HasPrefix(s, "#") {
			if n := request.Get("expressionAttributeNames." + gjson.Escape(s)).Str; n != "" {
				s = n
			}
		}
		if s = rec.Clean(s, 128); s != "" && s != hidden && len(fields) < maxFields {
			fields = append(fields, s)
		}
	}
	switch {
	case v.IsArray():
		v.ForEach(func(_, a gjson.Result) bool {
			add(a.Str)
			return len(fields) < maxFields
		})
	case v.Type == gjson.String:
		for s := range strings.SplitSeq(v.Str, ",") {
			add(s)
		}
	}
	return fields
}
