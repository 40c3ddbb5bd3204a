package statement

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/wasilibs/go-pgquery/parser"

	"vigil"
)

// node is one object of the parse tree. The tree is walked as it stands in JSON:
// the generated types would bring a C parser into builds that have a C compiler.
type node = map[string]any

// grammar guards the parser library. It keeps a pool of machines of its own, of
// which each costs some 2 s to start: one is enough, since statements are parsed
// once per shape. The lock stands here because the pool is the library's global.
var grammar struct {
	sync.Mutex
	// dead is set when the machine trapped: its state is not to be trusted, and
	// statements are read by their words alone from then on.
	dead bool
}

// GrammarAvailable says whether statements are still read by the grammar. It turns
// false, for good, when the grammar's machine failed; they are read by their words
// then. Health checks may show it.
func GrammarAvailable() bool {
	grammar.Lock()
	defer grammar.Unlock()
	return !grammar.dead
}

// maxWeight and maxDepth bound what is given to the grammar: its machine has a
// stack of fixed size that some 1,500 nested expressions exhaust.
const (
	maxWeight  = 700
	maxDepth   = 100
	maxGrammar = 64 << 10
)

// parse reads a normalised text by PostgreSQL's grammar.
func parse(text string) (stmts []node, err error) {
	grammar.Lock()
	defer grammar.Unlock()
	if grammar.dead {
		return nil, fmt.Errorf("parse statement: the grammar is not available")
	}
	defer func() {
		if r := recover(); r != nil {
			grammar.dead = true
			err = fmt.Errorf("parse statement: %v", r)
		}
	}()
	out, err := parser.ParseToJSON(text)
	if err != nil {
		return nil, fmt.Errorf("parse statement: %w", err)
	}
	var tree struct {
		Stmts []node `json:"stmts"`
	}
	if err := json.Unmarshal([]byte(out), &tree); err != nil {
		return nil, fmt.Errorf("parse statement: %w", err)
	}
	return tree.Stmts, nil
}

// inner unwraps {"SelectStmt": {...}}.
func inner(v any) (kind string, n node) {
	m, _ := v.(node)
	for k, w := range m {
		if sub, ok := w.(node); ok && len(m) == 1 {
			return k, sub
		}
	}
	return "", nil
}

func nodes(n node, key string) []any { l, _ := n[key].([]any); return l }
func text(n node, key string) string { s, _ := n[key].(string); return s }
func object(n node, key string) node { m, _ := n[key].(node); return m }
func flag(n node, key string) bool   { b, _ := n[key].(bool); return b }

// name reads a {"String":{"sval":".."}}.
func name(v any) string {
	if k, n := inner(v); k == "String" {
		return text(n, "sval")
	}
	return ""
}

func names(l []any) []string {
	out := make([]string, 0, len(l))
	for _, v := range l {
		if s := name(v); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// tableName is a RangeVar's name, lower case.
func tableName(rv node) string {
	rel := strings.ToLower(text(rv, "relname"))
	if s := strings.ToLower(text(rv, "schemaname")); s != "" && rel != "" {
		return s + "." + rel
	}
	return rel
}

// slotOf finds the slots of a constant, a parameter, or a cast of one. array says
// that it is an array literal; fixed that the expression is constant at all.
func slotOf(v any) (slot int, array, fixed bool) {
	k, n := inner(v)
	switch k {
	case "A_Const":
		if c := object(n, "ival"); c != nil {
			f, _ := c["ival"].(float64)
			if s, ok := slotOfNumber(int64(f)); ok {
				return s, false, true
			}
		}
		if c := object(n, "sval"); c != nil {
			if s, ok := slotOfString(text(c, "sval")); ok {
				return s, false, true
			}
		}
		return -1, false, true
	case "ParamRef":
		f, _ := n["number"].(float64)
		return int(f) - 1, false, true
	case "TypeCast":
		s, _, ok := slotOf(n["arg"])
		return s, len(nodes(object(n, "typeName"), "arrayBounds")) > 0, ok
	case "A_Expr":
		if text(n, "kind") == "AEXPR_OP" && n["lexpr"] == nil {
			return slotOf(n["rexpr"])
		}
	case "CollateClause":
		return slotOf(n["arg"])
	}
	return -1, false, false
}

// visit calls f for every wrapped node below v, f deciding whether to go deeper.
func visit(v any, f func(kind string, n node) bool) {
	switch t := v.(type) {
	case []any:
		for _, e := range t {
			visit(e, f)
		}
	case node:
		// In the order of keys: the same statement must always read the same.
		for _, k := range slices.Sorted(maps.Keys(t)) {
			w := t[k]
			if sub, ok := w.(node); ok && k[0] >= 'A' && k[0] <= 'Z' {
				if !f(k, sub) {
					continue
				}
			}
			visit(w, f)
		}
	}
}

// relations collects every table named below v into p.
func relations(v any, p *part) {
	if rv := object(asNode(v), "relation"); rv != nil {
		p.addTable(tableName(rv))
	}
	visit(v, func(kind string, n node) bool {
		if kind == "RangeVar" {
			p.addTable(tableName(n))
		} else if rv := object(n, "relation"); rv != nil && rv["relname"] != nil {
			p.addTable(tableName(rv))
		}
		return true
	})
}

func asNode(v any) node { n, _ := v.(node); return n }

// readTree says what one top-level statement does.
func readTree(stmt any) *part {
	p := &part{limit: -1}
	kind, n := inner(stmt)
	w := &walker{p: p}
	w.statement(kind, n)
	return p
}

func (w *walker) statement(kind string, n node) {
	p := w.p
	switch kind {
	case "SelectStmt":
		p.command, p.action = "SELECT", vigil.ActionRead
		info := w.selectStmt(n, nil, nil, true)
		p.unbounded = info.unbounded
		if into := object(object(n, "intoClause"), "rel"); into != nil {
			p.target, p.copies, p.action = tableName(into), true, vigil.ActionWrite
			p.command = "SELECT INTO"
		}
		if len(p.tables) == 0 {
			w.functionsOnly()
		}
	case "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt":
		w.modify(kind, n, nil)
	case "CopyStmt":
		w.copyStmt(n)
	case "CreateTableAsStmt":
		p.command, p.action = "CREATE TABLE AS", vigil.ActionWrite
		p.target, p.copies = tableName(object(object(n, "into"), "rel")), true
		w.nested(n["query"])
	case "ExplainStmt":
		p.command = "EXPLAIN"
		k, q := inner(n["query"])
		analyze := false
		for _, o := range nodes(n, "options") {
			if _, d := inner(o); strings.EqualFold(text(d, "defname"), "analyze") {
				analyze = true
			}
		}
		w.statement(k, q)
		p.command = "EXPLAIN"
		if !analyze {
			p.action, p.unbounded, p.uses = vigil.ActionOther, nil, nil
		}
	case "PrepareStmt":
		k, q := inner(n["query"])
		w.statement(k, q)
		p.prepares = text(n, "name")
	case "ExecuteStmt":
		p.command, p.executes = "EXECUTE", text(n, "name")
		for _, a := range nodes(n, "params") {
			s, _, _ := slotOf(a)
			p.args = append(p.args, s)
		}
	case "DeclareCursorStmt":
		k, q := inner(n["query"])
		w.statement(k, q)
		p.command = "DECLARE CURSOR"
	default:
		w.utility(kind, n)
	}
}

// nested walks a query inside a statement, keeping the statement's own action.
func (w *walker) nested(q any) *selectInfo {
	k, n := inner(q)
	switch k {
	case "SelectStmt":
		info := w.selectStmt(n, nil, nil, true)
		w.p.unbounded = info.unbounded
		return info
	case "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt":
		action, command := w.p.action, w.p.command
		w.modify(k, n, nil)
		w.p.action, w.p.command = action, command
	}
	return &selectInfo{}
}

func (w *walker) copyStmt(n node) {
	p := w.p
	p.command, p.action = "COPY", vigil.ActionExport
	if flag(n, "is_from") {
		p.action = vigil.ActionWrite
	}
	for _, a := range nodes(n, "attlist") {
		p.addField(strings.ToLower(name(a)))
	}
	if rel := object(n, "relation"); rel != nil {
		t := tableName(rel)
		p.addTable(t)
		if p.action == vigil.ActionExport {
			p.unbounded = []string{t}
			if len(p.fields) == 0 {
				p.addField("*")
			}
		}
	} else {
		w.nested(n["query"])
	}
	if p.action == vigil.ActionExport {
		switch {
		case flag(n, "is_program"):
			p.destination = "program"
		case text(n, "filename") != "":
			p.destination = "server-file"
		default:
			p.destination = "client"
		}
	}
}

func (w *walker) modify(kind string, n node, outer *scope) {
	p := w.p
	sc := &scope{outer: outer, ctes: w.ctes(object(n, "withClause"), outer)}
	rel := object(n, "relation")
	t := tableName(rel)
	p.addTable(t)
	sc.add(aliasOf(rel, bare(t)), &source{table: t})
	p.action = vigil.ActionWrite
	switch kind {
	case "InsertStmt":
		p.command = "INSERT"
		var cols []string
		for _, c := range nodes(n, "cols") {
			_, r := inner(c)
			cols = append(cols, strings.ToLower(text(r, "name")))
			p.addField(cols[len(cols)-1])
		}
		_, sel := inner(n["selectStmt"])
		if rows := nodes(sel, "valuesLists"); len(rows) > 0 {
			for _, row := range rows {
				_, l := inner(row)
				for i, v := range nodes(l, "items") {
					if i < len(cols) {
						w.assign(t, cols[i], v)
					}
					w.sublinks(v, sc)
				}
			}
		} else if sel != nil {
			before := len(p.fields)
			info := w.selectStmt(sel, sc, sc.ctes, before == 0)
			p.target, p.copies, p.unbounded = t, len(p.tables) > 1, info.unbounded
		}
	case "UpdateStmt":
		p.command = "UPDATE"
		for _, r := range nodes(n, "targetList") {
			_, rt := inner(r)
			col := strings.ToLower(text(rt, "name"))
			p.addField(col)
			w.assign(t, col, rt["val"])
			w.sublinks(rt["val"], sc)
		}
		w.from(nodes(n, "fromClause"), sc)
		w.predicate(n["whereClause"], sc, true)
	case "DeleteStmt":
		p.command, p.action = "DELETE", vigil.ActionDelete
		w.from(nodes(n, "usingClause"), sc)
		w.predicate(n["whereClause"], sc, true)
	case "MergeStmt":
		p.command = "MERGE"
		w.from([]any{n["sourceRelation"]}, sc)
		w.predicate(n["joinCondition"], sc, true)
	}
	for _, r := range nodes(n, "returningList") {
		_, rt := inner(r)
		w.sublinks(rt["val"], sc)
	}
}

// assign notes that a constant is written to a column.
func (w *walker) assign(table, col string, v any) {
	if slot, _, ok := slotOf(v); ok && slot >= 0 {
		w.p.uses = append(w.p.uses, use{slot: slot, columns: []column{{table, col}}})
	}
}
