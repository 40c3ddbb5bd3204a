package azure

import (
	"sort"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/statement"
)

// maxQueryReaders bounds how many collections' and aliases' readers are kept.
const maxQueryReaders = 64

// queries reads Cosmos DB's query text: SQL in which FROM names not a table but what the
// documents of the collection are called in the query.
type queries struct {
	parser  *statement.Parser
	mapping *formats.Mapping
	readers map[[2]string]*statement.Reader
}

func newQueries(p *statement.Parser, m *formats.Mapping) *queries {
	if m == nil {
		m = &formats.Mapping{}
	}
	return &queries{parser: p, mapping: m, readers: map[[2]string]*statement.Reader{}}
}

// table is what the mapping says of a collection.
func (q *queries) table(collection string) (formats.Table, bool) {
	t, ok := q.mapping.Tables[strings.ToLower(collection)]
	return t, ok
}

// read takes from a query what it selects and of whom. Documents show it with its
// parameters as {"query":...,"parameters":[{"name":"@id","value":"x"}]}, or as bare text.
func (q *queries) read(collection string, text gjson.Result, e *vigil.Event) {
	sql := text.String()
	var params gjson.Result
	if strings.HasPrefix(sql, "{") && gjson.Valid(sql) {
		doc := gjson.Parse(sql)
		sql, params = doc.Get("query").String(), doc.Get("parameters")
	}
	if sql == "" || len(sql) > 64<<10 {
		return
	}
	sql, values := numbered(sql, params)
	res := q.reader(collection, root(sql)).Read(sql, values)
	if len(res) == 0 {
		return
	}
	s := res[0]
	e.Limit, e.Fields = s.Limit, s.Fields
	if top := topOf(sql); top >= 0 {
		e.Limit = top
	}
	e.Unbounded = e.Limit == vigil.Unknown && !hasWord(sql, "where") && !hasWord(sql, "offset")
	e.Shape = s.Shape
	if collection != "" {
		// The hash is the query's; the alias says nothing.
		if _, hash, ok := strings.Cut(s.Shape, "#"); ok {
			e.Shape = "select " + strings.ToLower(collection) + "#" + hash
		}
	}
	e.Subjects, e.SubjectCount, e.ResourceClass = s.Subjects, s.SubjectCount, s.Class
	if len(s.Conversations) == 1 {
		e.Conversation = s.Conversations[0]
	}
	if len(s.Tickets) > 0 {
		e.Ticket = s.Tickets[0]
	}
}

func (q *queries) reader(collection, alias string) *statement.Reader {
	key := [2]string{strings.ToLower(collection), alias}
	if r, ok := q.readers[key]; ok {
		return r
	}
	if len(q.readers) >= maxQueryReaders {
		clear(q.readers)
	}
	m := &formats.Mapping{Tables: map[string]formats.Table{}, Params: q.mapping.Params}
	if t, ok := q.table(collection); ok {
		// Columns are camel case in documents, and SQL folds them.
		folded := formats.Table{Class: t.Class, Columns: map[string]formats.Meaning{}}
		for c, meaning := range t.Columns {
			folded.Columns[strings.ToLower(c)] = meaning
		}
		m.Tables[alias], m.Tables[key[0]] = folded, folded
	}
	r := q.parser.Reader(m)
	q.readers[key] = r
	return r
}

// document takes the id of a document out of its path, where the mapping says that it
// names a customer.
func (q *queries) document(collection, path string, e *vigil.Event) {
	t, ok := q.table(collection)
	if !ok {
		return
	}
	e.ResourceClass = t.Class
	_, id, found := strings.Cut(path, "/docs/")
	if !found || id == "" || strings.Contains(id, "/") {
		return
	}
	switch t.Columns["id"] {
	case formats.MeansSubject:
		e.Subjects, e.SubjectCount = []string{id}, 1
	case formats.MeansConversation:
		e.Conversation = id
	}
}

// numbered replaces the parameters @name by $1, $2, ... and gives their values in that
// order.
func numbered(sql string, params gjson.Result) (string, []string) {
	type param struct{ name, value string }
	var ps []param
	params.ForEach(func(_, p gjson.Result) bool {
		if n := p.Get("name").Str; strings.HasPrefix(n, "@") && len(n) > 1 {
			ps = append(ps, param{n, p.Get("value").String()})
		}
		return len(ps) < 100
	})
	sort.SliceStable(ps, func(i, j int) bool { return len(ps[i].name) > len(ps[j].name) })
	var b strings.Builder
	values := make([]string, len(ps))
	quote := byte(0)
	for i := 0; i < len(sql); {
		c := sql[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '@':
			hit := false
			for n, p := range ps {
				if strings.HasPrefix(sql[i:], p.name) {
					b.WriteString("$" + strconv.Itoa(n+1))
					values[n] = p.value
					i += len(p.name)
					hit = true
					break
				}
			}
			if hit {
				continue
			}
		}
		b.WriteByte(c)
		i++
	}
	return b.String(), values
}

// root is what FROM calls the documents: its name, or the alias behind it.
func root(sql string) string {
	words := strings.Fields(strings.ToLower(sql))
	for i := 0; i+1 < len(words); i++ {
		if words[i] != "from" {
			continue
		}
		name := words[i+1]
		if at := strings.IndexAny(name, ".[("); at >= 0 {
			name = name[:at]
		}
		return strings.Trim(name, `;,)"`)
	}
	return "c"
}

// topOf is the number behind SELECT TOP, -1 for none.
func topOf(sql string) int64 {
	words := strings.Fields(strings.ToLower(sql[:min(len(sql), 256)]))
	for i := 0; i+1 < len(words) && i < 4; i++ {
		if words[i] == "top" {
			return formats.Count(words[i+1])
		}
	}
	return vigil.Unknown
}

func hasWord(sql, word string) bool {
	for w := range strings.FieldsFuncSeq(strings.ToLower(sql), func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }) {
		if w == word {
			return true
		}
	}
	return false
}
