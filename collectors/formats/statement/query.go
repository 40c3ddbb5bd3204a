package statement

import "strings"

// walker reads one statement's tree into a part.
type walker struct {
	p *part
	// or counts the enclosing ORs.
	or int
	// functions are the functions called, in order.
	functions []string
}

// selectInfo is what a query means to the one around it.
type selectInfo struct {
	// columns maps an output column to what it is.
	columns map[string][]column
	star    bool
	sources []*source
	// unbounded are the tables that it reads without a predicate.
	unbounded []string
}

// resolve finds what an output column of the query is.
func (i *selectInfo) resolve(col string, depth int) []column {
	if c, ok := i.columns[col]; ok {
		return c
	}
	if !i.star {
		return nil
	}
	var out []column
	for _, s := range i.sources {
		out = append(out, s.resolve(col, depth+1)...)
	}
	return out
}

// source is one item of FROM: a table or a query.
type source struct {
	table string
	query *selectInfo
}

func (s *source) resolve(col string, depth int) []column {
	switch {
	case depth > 20:
		return nil
	case s.table != "":
		return []column{{s.table, col}}
	case s.query != nil:
		return s.query.resolve(col, depth)
	}
	return nil
}

// scope is what names mean within one query.
type scope struct {
	outer   *scope
	ctes    map[string]*selectInfo
	aliases map[string]*source
	sources []*source
}

func (s *scope) add(alias string, src *source) {
	if s.aliases == nil {
		s.aliases = make(map[string]*source)
	}
	s.aliases[alias] = src
	s.sources = append(s.sources, src)
}

func aliasOf(n node, otherwise string) string {
	if a := object(n, "alias"); a != nil {
		return strings.ToLower(text(a, "aliasname"))
	}
	return otherwise
}

// column resolves a ColumnRef.
func (s *scope) column(ref node) (cols []column, star bool) {
	var path []string
	for _, f := range nodes(ref, "fields") {
		if k, n := inner(f); k == "String" {
			path = append(path, strings.ToLower(text(n, "sval")))
		} else if k == "A_Star" || asNode(f)["A_Star"] != nil {
			star = true
		}
	}
	if star || len(path) == 0 {
		return nil, star
	}
	col := path[len(path)-1]
	if len(path) >= 2 {
		for sc := s; sc != nil; sc = sc.outer {
			if src, ok := sc.aliases[path[len(path)-2]]; ok {
				return src.resolve(col, 0), false
			}
		}
		return nil, false
	}
	for _, src := range s.sources {
		cols = append(cols, src.resolve(col, 0)...)
	}
	if len(cols) == 0 && s.outer != nil {
		return s.outer.column(ref)
	}
	return cols, false
}

// ctes walks WITH. Each query sees the ones before it.
func (w *walker) ctes(with node, outer *scope) map[string]*selectInfo {
	known := make(map[string]*selectInfo)
	if outer != nil {
		for k, v := range outer.ctes {
			known[k] = v
		}
	}
	for _, c := range nodes(with, "ctes") {
		_, n := inner(c)
		nm := strings.ToLower(text(n, "ctename"))
		known[nm] = &selectInfo{}
		k, q := inner(n["ctequery"])
		switch k {
		case "SelectStmt":
			known[nm] = w.selectStmt(q, outer, known, false)
		case "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt":
			w.modify(k, q, &scope{outer: outer, ctes: known})
		}
	}
	return known
}

// selectStmt walks one query. top says that its columns and limit are the
// statement's own.
func (w *walker) selectStmt(n node, outer *scope, ctes map[string]*selectInfo, top bool) *selectInfo {
	sc := &scope{outer: outer, ctes: ctes}
	if with := object(n, "withClause"); with != nil {
		sc.ctes = w.ctes(with, &scope{outer: outer, ctes: ctes})
	}
	limited := w.limit(n, top)
	if l, r := object(n, "larg"), object(n, "rarg"); l != nil && r != nil {
		li := w.selectStmt(l, outer, sc.ctes, top)
		ri := w.selectStmt(r, outer, sc.ctes, false)
		info := &selectInfo{columns: li.columns, star: li.star || ri.star, sources: append(li.sources, ri.sources...)}
		if !limited {
			info.unbounded = append(append([]string(nil), li.unbounded...), ri.unbounded...)
		}
		return info
	}
	bounded := w.from(nodes(n, "fromClause"), sc)
	bounded = w.predicate(n["whereClause"], sc, true) || bounded
	w.predicate(n["havingClause"], sc, true)
	info := &selectInfo{columns: make(map[string][]column), sources: sc.sources}
	aggregate := w.targets(n, sc, info, top)
	for _, key := range []string{"groupClause", "sortClause", "valuesLists"} {
		w.sublinks(n[key], sc)
	}
	if bounded || limited || aggregate && len(nodes(n, "groupClause")) == 0 {
		return info
	}
	for _, s := range sc.sources {
		if s.table != "" {
			info.unbounded = append(info.unbounded, s.table)
		} else if s.query != nil {
			info.unbounded = append(info.unbounded, s.query.unbounded...)
		}
	}
	return info
}

// limit notes LIMIT or FETCH FIRST and says whether there is one.
func (w *walker) limit(n node, top bool) bool {
	v := n["limitCount"]
	if v == nil {
		return false
	}
	if k, c := inner(v); k == "A_Const" && flag(c, "isnull") {
		return false // LIMIT ALL
	}
	slot, _, ok := slotOf(v)
	if top && ok && slot >= 0 && w.p.limit < 0 {
		w.p.limit = slot
	}
	return true
}

// targets walks the select list: output columns, fields, and whether it yields
// nothing but counts and sums.
func (w *walker) targets(n node, sc *scope, info *selectInfo, top bool) (aggregate bool) {
	list := nodes(n, "targetList")
	aggregate = len(list) > 0
	for _, t := range list {
		_, rt := inner(t)
		k, val := inner(rt["val"])
		out := strings.ToLower(text(rt, "name"))
		if k != "FuncCall" || !isAggregate(val) {
			aggregate = false
		}
		if k == "ColumnRef" {
			cols, star := sc.column(val)
			if star {
				info.star = true
				if top {
					w.p.addField("*")
				}
				continue
			}
			fields := nodes(val, "fields")
			col := strings.ToLower(name(fields[len(fields)-1]))
			if out == "" {
				out = col
			}
			if _, whole := sc.aliases[col]; whole && len(fields) == 1 {
				info.star, col = true, "*" // SELECT c FROM contacts c
			}
			info.columns[out] = cols
			if top {
				w.p.addField(col)
			}
			continue
		}
		if top {
			visit(rt["val"], func(kind string, m node) bool {
				if kind == "ColumnRef" {
					f := nodes(m, "fields")
					if col := strings.ToLower(name(f[len(f)-1])); col != "" {
						if _, whole := sc.aliases[col]; whole && len(f) == 1 {
							col = "*" // row_to_json(c)
						}
						w.p.addField(col)
					}
				}
				return kind != "SubLink"
			})
		}
		for _, sub := range w.sublinks(rt["val"], sc) {
			info.sources = append(info.sources, &source{query: sub})
			sc.sources = append(sc.sources, &source{query: &selectInfo{unbounded: sub.unbounded}})
		}
	}
	return aggregate
}

// isAggregate says that a function returns a figure and no data of a row.
func isAggregate(call node) bool {
	if call["over"] != nil {
		return false
	}
	fn := names(nodes(call, "funcname"))
	if len(fn) == 0 {
		return false
	}
	switch fn[len(fn)-1] {
	case "count", "sum", "avg", "stddev", "variance", "bool_and", "bool_or", "every":
		return true
	}
	return false
}

// from walks FROM and says whether a join's condition bounds it.
func (w *walker) from(items []any, sc *scope) (bounded bool) {
	for _, item := range items {
		bounded = w.fromItem(item, sc) || bounded
	}
	return bounded
}

func (w *walker) fromItem(item any, sc *scope) bool {
	k, n := inner(item)
	switch k {
	case "RangeVar":
		t := tableName(n)
		if q, ok := sc.ctes[t]; ok && text(n, "schemaname") == "" {
			sc.add(aliasOf(n, t), &source{query: q})
			return false
		}
		w.p.addTable(t)
		sc.add(aliasOf(n, bare(t)), &source{table: t})
	case "JoinExpr":
		l := w.fromItem(n["larg"], sc)
		r := w.fromItem(n["rarg"], sc)
		q := w.predicate(n["quals"], sc, true)
		if jt := text(n, "jointype"); jt == "JOIN_LEFT" || jt == "JOIN_FULL" {
			q = false // what ON refuses comes out all the same
		}
		return l || r || q
	case "RangeSubselect":
		_, q := inner(n["subquery"])
		info := w.selectStmt(q, sc, sc.ctes, false)
		sc.add(aliasOf(n, ""), &source{query: info})
	case "RangeTableSample":
		w.fromItem(n["relation"], sc)
	case "RangeFunction":
		w.sublinks(n["functions"], sc)
		sc.add(aliasOf(n, ""), &source{})
	}
	return false
}

// sublinks walks the queries and calls within an expression.
func (w *walker) sublinks(v any, sc *scope) (subs []*selectInfo) {
	visit(v, func(kind string, n node) bool {
		switch kind {
		case "SubLink":
			_, q := inner(n["subselect"])
			subs = append(subs, w.selectStmt(q, sc, sc.ctes, false))
			w.sublinks(n["testexpr"], sc)
			return false
		case "FuncCall":
			w.call(n)
		}
		return true
	})
	return subs
}

// call notes a function, and its named arguments.
func (w *walker) call(n node) {
	if fn := names(nodes(n, "funcname")); len(fn) > 0 && len(w.functions) < maxNames {
		w.functions = append(w.functions, strings.ToLower(strings.Join(fn, ".")))
	}
	for _, a := range nodes(n, "args") {
		if k, arg := inner(a); k == "NamedArgExpr" {
			if slot, _, ok := slotOf(arg["arg"]); ok && slot >= 0 {
				w.p.uses = append(w.p.uses, use{slot: slot, columns: []column{{"", strings.ToLower(text(arg, "name"))}}})
			}
		}
	}
}
