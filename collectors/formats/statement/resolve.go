package statement

import (
	"net/url"
	"strconv"
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// resolvedPart is a part read by a mapping.
type resolvedPart struct {
	base  Result // everything that no literal changes
	limit int
	args  []int
	ids   []idSlot
}

// idSlot is a slot that holds ids.
type idSlot struct {
	slot    int
	meaning formats.Meaning
	array   bool
	// exact says that the access is confined to the ids.
	exact bool
}

// TableOf finds a lower-case table name, qualified or not, in a mapping: by its qualified name, its bare name, or
// the default schema's.
func TableOf(m *formats.Mapping, table string) (formats.Table, bool) {
	if t, ok := m.Tables[table]; ok {
		return t, true
	}
	if b := bare(table); b != table {
		t, ok := m.Tables[b]
		return t, ok
	}
	t, ok := m.Tables["public."+table]
	return t, ok
}

// catalogue says that a table is the database's own.
func catalogue(table string) bool {
	return strings.HasPrefix(table, "pg_catalog.") || strings.HasPrefix(table, "information_schema.") ||
		strings.HasPrefix(table, "pg_")
}

// ClassSystem is the resource class of the database's own tables.
const ClassSystem = "system"

func resolve(p *part, m *formats.Mapping) *resolvedPart {
	r := &resolvedPart{limit: p.limit, args: p.args}
	b := &r.base
	b.Command, b.Action, b.Qualified, b.Fields = p.command, p.action, p.tables, p.fields
	b.Shape, b.Destination, b.Lexical, b.Prepares, b.Executes = p.shape, p.destination, p.lexical, p.prepares, p.executes
	b.SubjectCount, b.Limit, b.Resource = vigil.Unknown, vigil.Unknown, p.resource

	chosen, ignored := -1, len(p.tables) > 0
	mapped := func(t string) bool {
		tab, ok := TableOf(m, t)
		return ok && !tab.Ignore
	}
	for i, t := range p.tables {
		b.Tables = append(b.Tables, bare(t))
		if tab, ok := TableOf(m, t); !ok || !tab.Ignore {
			ignored = false
		}
		if chosen < 0 && mapped(t) {
			chosen = i
		}
	}
	b.Ignored = ignored
	switch {
	case chosen >= 0:
		tab, _ := TableOf(m, p.tables[chosen])
		b.Resource, b.Class = bare(p.tables[chosen]), tab.Class
	case len(p.tables) > 0:
		b.Resource = bare(p.tables[0])
		if catalogue(p.tables[0]) {
			b.Class = ClassSystem
		}
	case p.target != "":
		b.Resource = bare(p.target)
	}
	if p.copies && !mapped(p.target) && chosen >= 0 {
		// Mapped data copied to where nothing is known of it.
		b.Action, b.Destination = vigil.ActionExport, "table"
	}
	if b.Action == vigil.ActionRead || b.Action == vigil.ActionExport {
		for _, t := range p.unbounded {
			if mapped(t) || len(m.Tables) == 0 && !catalogue(t) {
				b.Unbounded = true
			}
		}
	}
	seen := make(map[idSlot]bool)
	for _, u := range p.uses {
		if id, ok := meaning(u, m); ok && !seen[id] {
			seen[id] = true
			r.ids = append(r.ids, id)
		}
	}
	return r
}

// meaning finds what a slot's column means, by the first candidate that is mapped.
func meaning(u use, m *formats.Mapping) (idSlot, bool) {
	for _, c := range u.columns {
		if c.table == "" {
			if mean, ok := m.Params[c.name]; ok {
				return idSlot{u.slot, mean, u.array, false}, true
			}
			continue
		}
		if t, ok := TableOf(m, c.table); ok {
			if mean, ok := t.Columns[c.name]; ok {
				return idSlot{u.slot, mean, u.array, !u.alternative}, true
			}
		}
	}
	return idSlot{}, false
}

// result fills in what this statement's literals add.
func (r *resolvedPart) result(l *lexed, params []string) Result {
	res := r.base
	for _, a := range r.args {
		s := ""
		for i := range l.values {
			if int(l.values[i].slot) == a {
				s = l.values[i].decode(params)
				break
			}
		}
		res.Args = append(res.Args, s)
	}
	if r.limit < 0 && len(r.ids) == 0 {
		return res
	}
	confined := true
	var ids collected
	for i := range l.values {
		v := &l.values[i]
		slot := int(v.slot)
		if slot == r.limit {
			if n, err := strconv.ParseInt(v.decode(params), 10, 64); err == nil && n >= 0 {
				res.Limit = n
			}
			continue
		}
		for _, id := range r.ids {
			if id.slot != slot {
				continue
			}
			text := v.decode(params)
			if id.meaning == formats.MeansSubject && !id.exact {
				confined = false
			}
			if id.array || strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") {
				for _, e := range arrayItems(text) {
					ids.add(&res, id.meaning, e)
				}
				continue
			}
			ids.add(&res, id.meaning, text)
		}
	}
	if confined && ids.subjects > 0 {
		res.SubjectCount = ids.subjects
	}
	return res
}

// collected keeps each id once.
type collected struct {
	seen     map[string]struct{}
	subjects int64
}

// maxID bounds one id, in bytes. A longer value is content, not an id.
const maxID = 256

func (c *collected) add(res *Result, m formats.Meaning, id string) {
	if id == "" || len(id) > maxID {
		return
	}
	var list *[]string
	switch m {
	case formats.MeansSubject:
		list = &res.Subjects
	case formats.MeansConversation:
		list = &res.Conversations
	case formats.MeansTenant:
		list = &res.Tenants
	case formats.MeansTicket:
		list = &res.Tickets
	case formats.MeansLimit:
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && n >= 0 {
			res.Limit = n
		}
		return
	default:
		return
	}
	if len(*list) < 16 && c.seen == nil {
		for _, have := range *list {
			if have == id {
				return
			}
		}
	} else {
		if c.seen == nil {
			c.seen = make(map[string]struct{})
			for m, l := range map[formats.Meaning][]string{formats.MeansSubject: res.Subjects, formats.MeansConversation: res.Conversations,
				formats.MeansTenant: res.Tenants, formats.MeansTicket: res.Tickets} {
				for _, have := range l {
					c.seen[string(m)+":"+have] = struct{}{}
				}
			}
		}
		key := string(m) + ":" + id
		if _, have := c.seen[key]; have {
			return
		}
		c.seen[key] = struct{}{}
	}
	if m == formats.MeansSubject {
		c.subjects++
	}
	if len(*list) < vigil.MaxSubjects {
		*list = append(*list, strings.ToValidUTF8(strings.Clone(id), "_"))
	}
}

// decode gives a literal's value.
func (v *value) decode(params []string) string {
	switch v.kind {
	case kindParam:
		if n := int(v.param); n >= 1 && n <= len(params) {
			return params[n-1]
		}
		return ""
	case kindString:
		if strings.Contains(v.raw, "''") {
			return strings.ReplaceAll(v.raw, "''", "'")
		}
	case kindEscape:
		var b strings.Builder
		for i := 0; i < len(v.raw); i++ {
			c := v.raw[i]
			if (c == '\\' || c == '\'') && i+1 < len(v.raw) {
				i++
				c = v.raw[i]
			}
			b.WriteByte(c)
		}
		return b.String()
	}
	return v.raw
}

// arrayItems takes '{1,"a b",NULL}' apart.
func arrayItems(text string) []string {
	body, ok := strings.CutPrefix(text, "{")
	if !ok {
		return []string{text}
	}
	body = strings.TrimSuffix(body, "}")
	var out []string
	var b strings.Builder
	quoted, was := false, false
	flush := func() {
		s := b.String()
		if was || !strings.EqualFold(s, "null") {
			out = append(out, s)
		}
		b.Reset()
		was = false
	}
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '\\' && i+1 < len(body):
			i++
			b.WriteByte(body[i])
		case c == '"':
			quoted, was = !quoted, true
		case c == ',' && !quoted:
			flush()
		case (c == '{' || c == '}' || c == ' ') && !quoted:
		default:
			b.WriteByte(c)
		}
	}
	flush()
	return out
}

// readComments takes the meanings that a statement's comments carry: key='value'
// with URL escapes, or key:value, comma separated. What the statement itself names
// goes before what its comments say.
func readComments(res *Result, comments []string, params map[string]formats.Meaning) {
	var ids collected
	told := map[formats.Meaning]bool{
		formats.MeansSubject: len(res.Subjects) > 0, formats.MeansConversation: len(res.Conversations) > 0,
		formats.MeansTenant: len(res.Tenants) > 0, formats.MeansTicket: len(res.Tickets) > 0, formats.MeansLimit: res.Limit >= 0,
	}
	for _, c := range comments {
		for pair := range strings.SplitSeq(c, ",") {
			k, v, ok := strings.Cut(pair, "=")
			if !ok {
				if k, v, ok = strings.Cut(pair, ":"); !ok {
					continue
				}
			}
			m, ok := params[strings.TrimSpace(k)]
			if !ok || told[m] {
				continue
			}
			v = strings.Trim(strings.TrimSpace(v), `'"`)
			if u, err := url.PathUnescape(v); err == nil {
				v = u
			}
			ids.add(res, m, v)
		}
	}
}
