package elasticsearch

import (
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/record"
)

// The bounds of what is taken of one query.
const (
	maxLevels = 24
	maxFields = 48
	// wholeIndex is the page from which a search without a condition reads an index as a
	// whole. Searches always have a page size.
	wholeIndex = 1000
)

// dated is what names of indices made anew every so often end with.
var dated = regexp.MustCompile(`-[0-9][0-9.\-_]*$`)

// resource sets what e is about: the first index that the mapping names, else the first.
func (d *reader) resource(r *record.Record, e *vigil.Event, indices []string) (table formats.Table) {
	for i, name := range indices {
		name = strings.ToLower(r.Clean(name, 255))
		base := dated.ReplaceAllString(name, "")
		if i == 0 {
			e.Resource = base
		}
		if d.opts.Mapping == nil {
			break
		}
		for _, n := range []string{name, base} {
			if t, ok := d.opts.Mapping.Tables[n]; ok {
				e.Resource, e.ResourceClass = base, t.Class
				return t
			}
		}
	}
	return table
}

// query is a request's body being read.
type query struct {
	r     *record.Record
	table formats.Table
	found formats.Found
	keys  []string
	// bounded says that there is a condition.
	bounded, confined bool
}

// body adds to e what a request's body says; size is the page where it names none, or
// vigil.Unknown.
func (d *reader) body(r *record.Record, e *vigil.Event, table formats.Table, text string, size int64) {
	q := &query{r: r, table: table}
	v := gjson.Parse(text)
	if !v.IsObject() || len(text) > record.MaxRecord || !gjson.Valid(text) || nested(text) > record.MaxDepth {
		return
	}
	if n := formats.Count(v.Get("size").String()); n != vigil.Unknown {
		size = n
	}
	e.Limit = size
	q.clause(v.Get("query"), 0, true)
	for _, key := range []string{"knn", "retriever", "post_filter"} {
		if v.Get(key).Exists() {
			q.bounded = true
			q.clause(v.Get(key+".filter"), 0, true)
		}
	}
	v.Get("docs").ForEach(func(_, doc gjson.Result) bool { // _mget
		q.id(doc.Get("_id"))
		return true
	})
	v.Get("ids").ForEach(func(_, id gjson.Result) bool {
		q.id(id)
		return true
	})
	source := v.Get("_source")
	if source.IsObject() {
		source = source.Get("includes")
	}
	for _, list := range []gjson.Result{source, v.Get("fields")} {
		list.ForEach(func(_, f gjson.Result) bool {
			name := f.Str
			if f.IsObject() {
				name = f.Get("field").Str
			}
			if name = r.Clean(formats.GeneralName(name), 64); name != "" {
				e.Fields = append(e.Fields, name)
			}
			return len(e.Fields) < maxFields
		})
	}
	q.found.Fill(e, q.confined)
	e.Unbounded = !q.bounded && len(q.found.Subjects) == 0 && size >= wholeIndex
	if len(q.keys) > 0 {
		e.Shape += " " + strings.Join(q.keys, ",")
	}
	if len(e.Shape) > 200 {
		e.Shape = e.Shape[:200]
	}
}

func nested(s string) (most int) {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{', '[':
			depth++
			most = max(most, depth)
		case '}', ']':
			depth--
		}
	}
	return most
}

// id takes the id of a document: what the mapping says of _id.
func (q *query) id(v gjson.Result) {
	q.bounded = true
	if m := q.table.Columns["_id"]; m != "" {
		q.found.Add(m, v.String())
		q.confined = q.confined || m == formats.MeansSubject
	}
}

// clause reads a clause of the query language. confines says that all hits fulfil it.
func (q *query) clause(v gjson.Result, depth int, confines bool) {
	if depth > maxLevels {
		return
	}
	if v.IsArray() {
		v.ForEach(func(_, item gjson.Result) bool {
			q.clause(item, depth+1, confines)
			return true
		})
		return
	}
	v.ForEach(func(k, c gjson.Result) bool {
		switch k.Str {
		case "match_all", "boost", "_name":
		case "match_none":
			q.bounded = true
		case "bool":
			c.ForEach(func(k, part gjson.Result) bool {
				switch k.Str {
				case "must", "filter":
					q.clause(part, depth+1, confines)
				case "should":
					q.clause(part, depth+1, false)
				}
				return true
			})
		case "constant_score", "nested", "function_score", "has_child", "has_parent", "script_score", "boosting":
			for _, key := range []string{"query", "filter", "positive"} {
				q.clause(c.Get(key), depth+1, confines)
			}
		case "dis_max":
			q.clause(c.Get("queries"), depth+1, false)
		case "ids":
			q.keys = q.key("_id")
			c.Get("values").ForEach(func(_, id gjson.Result) bool {
				q.id(id)
				return true
			})
		case "term", "terms", "match", "match_phrase":
			q.bounded = true
			c.ForEach(func(field, value gjson.Result) bool {
				if field.Str != "boost" && field.Str != "_name" {
					q.compare(field.Str, value, confines, k.Str == "match")
				}
				return true
			})
		default:
			// Ranges, text searches and all else: a condition, and fields' names.
			q.bounded = true
			if c.IsObject() {
				c.ForEach(func(field, value gjson.Result) bool {
					if value.IsObject() {
						q.keys = q.key(field.Str + "." + k.Str)
					}
					return true
				})
			}
		}
		return true
	})
}

// compare reads a field that is compared with one value or several.
func (q *query) compare(field string, value gjson.Result, confines, text bool) {
	q.keys = q.key(field)
	name := strings.TrimSuffix(field, ".keyword")
	m := q.table.Columns[name]
	if m == "" {
		m = q.table.Columns[strings.ToLower(name)]
	}
	if m == "" {
		return
	}
	add := func(v gjson.Result) {
		if s := v.String(); v.Type == gjson.String && s != "" || v.Type == gjson.Number {
			q.found.Add(m, s)
			q.confined = q.confined || confines && m == formats.MeansSubject
		}
	}
	switch {
	case value.IsArray():
		value.ForEach(func(_, v gjson.Result) bool {
			add(v)
			return true
		})
	case value.IsObject():
		for _, key := range []string{"value", "query"} {
			add(value.Get(key))
		}
	default:
		add(value)
	}
}

func (q *query) key(k string) []string {
	k = q.r.Clean(formats.GeneralName(k), 64)
	if k == "" || len(q.keys) >= 16 {
		return q.keys
	}
	for _, have := range q.keys {
		if have == k {
			return q.keys
		}
	}
	return append(q.keys, k)
}
