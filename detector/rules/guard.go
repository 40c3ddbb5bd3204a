package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// guard is a condition that is decided by looking at fields, in some nanoseconds. It
// holds wherever the expression does that it was made of, and perhaps elsewhere: what
// it can't decide it lets pass.
type guard struct {
	op     guardOp
	at     int // the field
	text   string
	texts  []string
	number int64
	words  *wordList
	parts  []guard
}

type guardOp uint8

const (
	always  guardOp = iota // lets all pass
	isTrue                 // a field that is true
	isText                 // equal to text
	isIn                   // one of texts
	isEqual                // equal to number
	isLess                 // less than number
	isMore                 // more than number
	isWord                 // mentions one of words
	allOf                  // all parts
	oneOf                  // one of parts at least
	isNot                  // not its one part, which must be exact
)

// may tells whether the expression can hold.
func (g *guard) may(v *view) bool {
	switch g.op {
	case isTrue:
		return *v.truths[g.at]
	case isText:
		return *v.texts[g.at] == g.text
	case isIn:
		return slices.Contains(g.texts, *v.texts[g.at])
	case isEqual:
		return *v.numbers[g.at] == g.number
	case isLess:
		return *v.numbers[g.at] < g.number
	case isMore:
		return *v.numbers[g.at] > g.number
	case isWord:
		return g.words.in(*v.texts[g.at])
	case allOf:
		for i := range g.parts {
			if !g.parts[i].may(v) {
				return false
			}
		}
		return true
	case oneOf:
		for i := range g.parts {
			if g.parts[i].may(v) {
				return true
			}
		}
		return false
	case isNot:
		return !g.parts[0].may(v)
	}
	return true
}

// guardOf makes the guard of a condition, and says whether it decides it wholly.
func guardOf(n ast.Node) (g guard, exact bool) {
	switch n := n.(type) {
	case *ast.BoolNode:
		if n.Value {
			return guard{}, true
		}
		return guard{op: isNot, parts: []guard{{}}}, true
	case *ast.IdentifierNode:
		if i := fieldIndex(n.Value); i >= 0 && fieldKinds[i] == isTruth {
			return guard{op: isTrue, at: i}, true
		}
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			if inner, exact := guardOf(n.Node); exact {
				return guard{op: isNot, parts: []guard{inner}}, true
			}
		}
	case *ast.CallNode:
		if i, ok := numberField(firstOf(n.Arguments)); ok && nameOf(n.Callee) == "known" {
			return guard{op: isNot, parts: []guard{{op: isLess, at: i, number: 0}}}, true
		}
		if i, ok := textField(firstOf(n.Arguments)); ok && nameOf(n.Callee) == "mentions" && len(n.Arguments) == 2 {
			if words, ok := constants(n.Arguments[1]); ok {
				return guard{op: isWord, at: i, words: newWordList(words)}, true
			}
		}
	case *ast.BinaryNode:
		return binaryGuard(n)
	}
	return guard{}, false
}

func firstOf(nodes []ast.Node) ast.Node {
	if len(nodes) == 0 {
		return nil
	}
	return nodes[0]
}

// constants are the texts of a list that is written out.
func constants(n ast.Node) ([]string, bool) {
	list, ok := n.(*ast.ArrayNode)
	if !ok {
		return nil, false
	}
	var out []string
	for _, item := range list.Nodes {
		s, ok := item.(*ast.StringNode)
		if !ok {
			return nil, false
		}
		out = append(out, s.Value)
	}
	return out, true
}

func binaryGuard(n *ast.BinaryNode) (g guard, exact bool) {
	switch n.Operator {
	case "and", "&&", "or", "||":
		op := allOf
		if n.Operator == "or" || n.Operator == "||" {
			op = oneOf
		}
		left, leftExact := guardOf(n.Left)
		right, rightExact := guardOf(n.Right)
		return join(op, left, right), leftExact && rightExact
	case "in":
		list, ok := constants(n.Right)
		i, isField := textField(n.Left)
		if !ok || !isField {
			return guard{}, false
		}
		return guard{op: isIn, at: i, texts: list}, true
	case "==", "!=":
		g, ok := equal(n.Left, n.Right)
		if !ok {
			g, ok = equal(n.Right, n.Left)
		}
		if ok && n.Operator == "!=" {
			g = guard{op: isNot, parts: []guard{g}}
		}
		return g, ok
	case "<", ">", "<=", ">=":
		return compared(n)
	}
	return guard{}, false
}

// join puts two parts together: what lets all pass takes the other's place, and
// parts of the same kind lie side by side, the cheapest first.
func join(op guardOp, left, right guard) guard {
	out := guard{op: op}
	for _, g := range []guard{left, right} {
		if g.op == op {
			out.parts = append(out.parts, g.parts...)
		} else {
			out.parts = append(out.parts, g)
		}
	}
	slices.SortStableFunc(out.parts, func(a, b guard) int { return int(a.op) - int(b.op) })
	if out.parts[0].op == always {
		if op == oneOf {
			return guard{}
		}
		out.parts = slices.DeleteFunc(out.parts, func(g guard) bool { return g.op == always })
	}
	switch len(out.parts) {
	case 0:
		return guard{}
	case 1:
		return out.parts[0]
	}
	return out
}

// equal is the guard of field == constant.
func equal(field, constant ast.Node) (guard, bool) {
	if s, ok := constant.(*ast.StringNode); ok {
		if i, ok := textField(field); ok {
			return guard{op: isText, at: i, text: s.Value}, true
		}
	}
	if b, ok := constant.(*ast.BoolNode); ok {
		if i := fieldIndex(nameOf(field)); i >= 0 && fieldKinds[i] == isTruth {
			g := guard{op: isTrue, at: i}
			if !b.Value {
				g = guard{op: isNot, parts: []guard{g}}
			}
			return g, true
		}
	}
	if i, ok := numberField(field); ok {
		if n, ok := whole(constant); ok {
			return guard{op: isEqual, at: i, number: n}, true
		}
	}
	return guard{}, false
}

// compared is the guard of a comparison by size.
func compared(n *ast.BinaryNode) (guard, bool) {
	op := n.Operator
	i, isField := numberField(n.Left)
	number, told := whole(n.Right)
	if !isField {
		i, isField = numberField(n.Right)
		number, told = whole(n.Left)
		op = map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<="}[op]
	}
	if !isField || !told {
		return guard{}, false
	}
	switch op {
	case "<":
		return guard{op: isLess, at: i, number: number}, true
	case ">":
		return guard{op: isMore, at: i, number: number}, true
	case "<=":
		return guard{op: isNot, parts: []guard{{op: isMore, at: i, number: number}}}, true
	}
	return guard{op: isNot, parts: []guard{{op: isLess, at: i, number: number}}}, true
}

// whole is a whole number that is written out.
func whole(n ast.Node) (int64, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return int64(n.Value), true
	case *ast.UnaryNode:
		if inner, ok := n.Node.(*ast.IntegerNode); ok && n.Operator == "-" {
			return -int64(inner.Value), true
		}
	}
	return 0, false
}

func textField(n ast.Node) (int, bool) {
	i := fieldIndex(nameOf(n))
	return i, i >= 0 && fieldKinds[i] == isWords
}

func numberField(n ast.Node) (int, bool) {
	i := fieldIndex(nameOf(n))
	return i, i >= 0 && fieldKinds[i] == isNumber
}

// kind is what sort of value a field has.
type kind uint8

const (
	isList kind = iota
	isWords
	isNumber
	isTruth
)

var fieldKinds = func() (out [fieldLimit]kind) {
	for i, f := range Fields() {
		out[i] = map[string]kind{"text": isWords, "number": isNumber, "true or false": isTruth}[f.Type]
	}
	return out
}()
