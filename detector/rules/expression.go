package rules

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// The bounds of one expression: its bytes, its parts, and what it may allocate at
// most while it runs, in the machine's own units.
const (
	maxExpression = 4 << 10
	maxNodes      = 400
	memoryBudget  = 10_000
)

// expression is a condition that is ready to run.
type expression struct {
	program *vm.Program
	// guard holds wherever the condition does; exact says that it holds nowhere else,
	// so that the program need not run.
	guard guard
	exact bool
	// fields are those that it names, by index.
	fields map[int]bool
}

// mistake is what is wrong at a rune of an expression.
type mistake struct {
	at              int
	message, remedy string
}

// compile reads an expression. What it returns is nil when there are mistakes.
func compile(text string) (x *expression, wrong []mistake) {
	defer func() {
		if r := recover(); r != nil {
			x, wrong = nil, []mistake{{0, "can't be used", "write it in a simpler way"}}
		}
	}()
	if len(text) > maxExpression {
		return nil, []mistake{{0, fmt.Sprintf("has %d bytes, at most %d are read", len(text), maxExpression), "make two rules of it"}}
	}
	cfg := language()
	tree, err := parser.ParseWithConfig(text, cfg)
	if err != nil {
		return nil, []mistake{told(err)}
	}
	r := &reader{fields: map[int]bool{}, known: map[string]bool{}}
	r.knows(tree.Node)
	r.visit(tree.Node, 0)
	if len(r.wrong) > 0 {
		return nil, r.wrong
	}
	if _, err = checker.Check(tree, cfg); err != nil {
		return nil, []mistake{told(err)}
	}
	r.sums(tree.Node)
	if len(r.wrong) > 0 {
		return nil, r.wrong
	}
	x = &expression{fields: r.fields}
	x.guard, x.exact = guardOf(tree.Node)
	if err := optimizer.Optimize(&tree.Node, cfg); err != nil {
		return nil, []mistake{told(err)}
	}
	if x.program, err = compiler.Compile(tree, cfg); err != nil {
		return nil, []mistake{told(err)}
	}
	return x, nil
}

// language is what expressions are written in.
func language() *conf.Config {
	cfg := conf.CreateNew()
	for _, option := range []expr.Option{
		expr.Env(&Env{}), expr.AsBool(), expr.MaxNodes(maxNodes), expr.DisableIfOperator(),
		expr.Function("known", func(in ...any) (any, error) { return known(in[0].(int64)), nil }, known),
		expr.Function("mentions", func(in ...any) (any, error) { return mentioned(in[0].(string), in[1]) },
			mentions, new(func(string, []any) bool)),
	} {
		option(cfg)
	}
	cfg.Check()
	return cfg
}

// told makes a mistake of the machine's error.
func told(err error) mistake {
	var f *file.Error
	if errors.As(err, &f) {
		remedy := ""
		if strings.Contains(f.Message, "EOF") {
			remedy = "close what is open; in YAML a # behind a space begins a comment, so put such a condition in quotes"
		}
		return mistake{f.From, f.Message, remedy}
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return mistake{0, first, ""}
}

// run asks the machine. An error says that the condition can't be judged.
func (x *expression) run(machine *vm.VM, env *Env) (bool, error) {
	machine.MemoryBudget = memoryBudget
	out, err := machine.Run(x.program, env)
	if err != nil {
		return false, err
	}
	yes, ok := out.(bool)
	if !ok {
		return false, fmt.Errorf("the result is no truth but a %T", out)
	}
	return yes, nil
}

// holds tells whether the condition holds. The guard decides most.
func (x *expression) holds(machine *vm.VM, env *Env, v *view) (bool, error) {
	if !x.guard.may(v) {
		return false, nil
	}
	if x.exact {
		return true, nil
	}
	return x.run(machine, env)
}

// What is let in. Everything else either has no bound, reads a clock, or is of no use
// in a condition.
var (
	operators = []string{"and", "&&", "or", "||", "==", "!=", "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith", "matches", "+", "-", "*", "/", "%"}
	functions = []string{"any", "all", "none", "one", "count", "len", "lower", "upper", "trim", "abs"}
	ours      = []string{"known", "mentions"}
)

// reader walks a tree and notes what is not let in.
type reader struct {
	wrong  []mistake
	fields map[int]bool
	known  map[string]bool // numbers that the expression asks known of
}

func (r *reader) at(n ast.Node, message, remedy string) {
	r.wrong = append(r.wrong, mistake{n.Location().From, message, remedy})
}

// knows collects the numbers of which the expression makes sure that they are known.
func (r *reader) knows(n ast.Node) {
	ast.Walk(&n, visitor(func(n ast.Node) {
		if call, ok := n.(*ast.CallNode); ok && len(call.Arguments) == 1 && nameOf(call.Callee) == "known" {
			r.known[nameOf(call.Arguments[0])] = true
		}
	}))
}

// sums refuses sums of texts, whose length would have no bound.
func (r *reader) sums(n ast.Node) {
	ast.Walk(&n, visitor(func(n ast.Node) {
		if b, ok := n.(*ast.BinaryNode); ok && b.Operator == "+" && (b.Type() == nil || b.Type().Kind() == reflect.String) {
			r.at(n, "texts can't be put together here", "compare them one by one")
		}
	}))
}

type visitor func(ast.Node)

// Visit calls the function.
func (v visitor) Visit(n *ast.Node) { v(*n) }

// visit checks a node and what is below it; inside counts the lists that it is asked
// for each element of.
func (r *reader) visit(n ast.Node, inside int) {
	switch n := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.ConstantNode:
	case *ast.IdentifierNode:
		i := fieldIndex(n.Value)
		if i < 0 {
			r.at(n, fmt.Sprintf("there is no field %q", n.Value), suggest(n.Value, names(), "docs/rules.md lists the fields"))
			return
		}
		r.fields[i] = true
	case *ast.UnaryNode:
		r.visit(n.Node, inside)
	case *ast.BinaryNode:
		r.binary(n, inside)
	case *ast.ConditionalNode:
		r.visit(n.Cond, inside)
		r.visit(n.Exp1, inside)
		r.visit(n.Exp2, inside)
	case *ast.ArrayNode:
		for _, item := range n.Nodes {
			r.visit(item, inside)
		}
	case *ast.BuiltinNode:
		r.builtin(n, inside)
	case *ast.CallNode:
		name := nameOf(n.Callee)
		if !slices.Contains(ours, name) {
			r.at(n, fmt.Sprintf("there is no function %q", name), suggest(name, append(ours, functions...), "the functions are "+strings.Join(append(ours, functions...), ", ")))
			return
		}
		for _, a := range n.Arguments {
			r.visit(a, inside)
		}
	case *ast.PredicateNode:
		r.visit(n.Node, inside)
	case *ast.PointerNode:
		if n.Name != "" {
			r.at(n, fmt.Sprintf("#%s is not known here", n.Name), "# is the element")
		}
	default:
		r.at(n, "this can't be used here", "conditions are made of fields, constants, comparisons, and, or, not, in, and the functions of docs/rules.md")
	}
}

func (r *reader) builtin(n *ast.BuiltinNode, inside int) {
	if !slices.Contains(functions, n.Name) {
		r.at(n, fmt.Sprintf("the function %q can't be used here", n.Name), "the functions are "+strings.Join(append(ours, functions...), ", "))
		return
	}
	for _, a := range n.Arguments {
		if _, loop := a.(*ast.PredicateNode); loop {
			if inside > 0 {
				r.at(n, "a loop within a loop has no bound", "write two conditions, or two rules")
				return
			}
			r.visit(a, inside+1)
			continue
		}
		r.visit(a, inside)
	}
}

func (r *reader) binary(n *ast.BinaryNode, inside int) {
	if !slices.Contains(operators, n.Operator) {
		r.at(n, fmt.Sprintf("the operator %q can't be used here", n.Operator), "the operators are "+strings.Join(operators, " "))
		return
	}
	if _, constant := n.Right.(*ast.StringNode); n.Operator == "matches" && !constant {
		r.at(n, "the pattern must be written out", `write for example: resource matches "^chat_"`)
		return
	}
	r.visit(n.Left, inside)
	r.visit(n.Right, inside)
	r.closed(nameOf(n.Left), n.Right)
	r.closed(nameOf(n.Right), n.Left)
	if n.Operator == "<" || n.Operator == "<=" || n.Operator == "!=" {
		r.unknown(n.Left)
	}
	if n.Operator == ">" || n.Operator == ">=" || n.Operator == "!=" {
		r.unknown(n.Right)
	}
}

// unknown refuses comparisons that an unknown number would pass by being -1.
func (r *reader) unknown(n ast.Node) {
	name := nameOf(n)
	if i := fieldIndex(name); i < 0 || !Fields()[i].MayBeUnknown || r.known[name] {
		return
	}
	r.at(n, fmt.Sprintf("%s is -1 where nobody tells it, and this would hold then", name), fmt.Sprintf("write known(%s) and ...", name))
}

// closed checks constants that a field of few values is compared with.
func (r *reader) closed(name string, with ast.Node) {
	values := closedSets[name]
	if values == nil {
		return
	}
	check := func(n ast.Node) {
		if s, ok := n.(*ast.StringNode); ok && s.Value != "" && !slices.Contains(values, s.Value) {
			r.at(n, fmt.Sprintf("%q is no %s", s.Value, name), suggest(s.Value, values, "it is one of "+strings.Join(values, ", ")))
		}
	}
	check(with)
	if list, ok := with.(*ast.ArrayNode); ok {
		for _, item := range list.Nodes {
			check(item)
		}
	}
}

// nameOf is a field's or function's name, empty for anything else.
func nameOf(n ast.Node) string {
	if id, ok := n.(*ast.IdentifierNode); ok {
		return id.Value
	}
	return ""
}
