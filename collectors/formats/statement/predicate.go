package statement

import "strings"

// predicate walks a condition, noting which columns are held to which slots, and
// says whether it keeps anything out: a comparison with a constant, a query or a
// function does, "true", "1 = 1" and a join of two columns do not. positive is
// false under NOT, where a value names what is left out.
func (w *walker) predicate(v any, sc *scope, positive bool) bool {
	k, n := inner(v)
	switch k {
	case "":
		return false
	case "BoolExpr":
		return w.boolean(n, sc, positive)
	case "A_Expr":
		return w.comparison(n, sc, positive)
	case "SubLink":
		subs := w.sublinks(v, sc)
		return len(subs) > 0
	case "A_Const":
		return false
	case "NullTest", "ColumnRef", "BooleanTest":
		return true
	case "TypeCast":
		return w.predicate(n["arg"], sc, positive)
	}
	w.sublinks(v, sc)
	return hasColumn(v)
}

func (w *walker) boolean(n node, sc *scope, positive bool) bool {
	args := nodes(n, "args")
	switch text(n, "boolop") {
	case "NOT_EXPR":
		return len(args) > 0 && w.predicate(args[0], sc, !positive)
	case "OR_EXPR":
		w.or++
		defer func() { w.or-- }()
		all := len(args) > 0
		for _, a := range args {
			all = w.predicate(a, sc, positive) && all
		}
		return all
	}
	one := false
	for _, a := range args {
		one = w.predicate(a, sc, positive) || one
	}
	return one
}

func (w *walker) comparison(n node, sc *scope, positive bool) bool {
	op := ""
	if l := names(nodes(n, "name")); len(l) > 0 {
		op = l[len(l)-1]
	}
	kind := text(n, "kind")
	l, r := n["lexpr"], n["rexpr"]
	equal := op == "=" && (kind == "AEXPR_OP" || kind == "AEXPR_OP_ANY" || kind == "AEXPR_IN")
	if kind == "AEXPR_NOT_DISTINCT" {
		equal, kind = true, "AEXPR_OP"
	}
	if equal && kind == "AEXPR_OP" {
		if rows := rowItems(l); rows != nil {
			if values := rowItems(r); len(values) == len(rows) {
				bounded := false
				for i := range rows {
					bounded = w.equality(rows[i], values[i], sc, positive, false) || bounded
				}
				return bounded
			}
		}
	}
	if equal {
		return w.equality(l, r, sc, positive, kind == "AEXPR_OP_ANY")
	}
	w.sublinks(l, sc)
	w.sublinks(r, sc)
	lc, rc := hasColumn(l), hasColumn(r)
	return (lc || rc) && !(isColumn(l) && isColumn(r))
}

func rowItems(v any) []any {
	if k, n := inner(v); k == "RowExpr" {
		return nodes(n, "args")
	}
	return nil
}

// equality handles "column = value" in either order, IN lists and = ANY(array).
func (w *walker) equality(l, r any, sc *scope, positive, any bool) bool {
	if !isColumn(l) && isColumn(r) {
		l, r = r, l
	}
	slots, array, fixed := slotsOf(r)
	w.sublinks(l, sc)
	w.sublinks(r, sc)
	if !isColumn(l) {
		return hasColumn(l) || hasColumn(r)
	}
	if !fixed {
		return !isColumn(r)
	}
	if positive {
		if cols, _ := sc.column(columnOf(l)); len(cols) > 0 {
			for _, s := range slots {
				w.p.uses = append(w.p.uses, use{slot: s, columns: cols, array: any || array, alternative: w.or > 0})
			}
		}
	}
	return true
}

// slotsOf finds the slots of a constant, a list of them, or an array of them.
func slotsOf(v any) (slots []int, array, fixed bool) {
	switch k, n := inner(v); k {
	case "List":
		for _, i := range nodes(n, "items") {
			if s, _, ok := slotOf(i); ok {
				fixed = true
				if s >= 0 {
					slots = append(slots, s)
				}
			}
		}
		return slots, false, fixed
	case "A_ArrayExpr":
		for _, i := range nodes(n, "elements") {
			if s, _, ok := slotOf(i); ok && s >= 0 {
				slots = append(slots, s)
			}
		}
		return slots, false, true
	case "TypeCast":
		if inside, _ := inner(n["arg"]); inside == "A_ArrayExpr" {
			return slotsOf(n["arg"])
		}
	}
	s, array, fixed := slotOf(v)
	if s >= 0 {
		slots = []int{s}
	}
	return slots, array, fixed
}

// columnOf is the ColumnRef within a cast or a case-folding call, or nil.
func columnOf(v any) node {
	switch k, n := inner(v); k {
	case "ColumnRef":
		return n
	case "TypeCast", "CollateClause", "RelabelType":
		return columnOf(n["arg"])
	case "FuncCall":
		fn := names(nodes(n, "funcname"))
		if args := nodes(n, "args"); len(fn) > 0 && len(args) == 1 {
			switch strings.ToLower(fn[len(fn)-1]) {
			case "lower", "upper", "btrim":
				return columnOf(args[0])
			}
		}
	}
	return nil
}

func isColumn(v any) bool { return columnOf(v) != nil }

func hasColumn(v any) bool {
	found := false
	visit(v, func(kind string, _ node) bool {
		found = found || kind == "ColumnRef"
		return !found
	})
	return found
}
