package house_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// Packages whose tests all run without the race detector start no goroutine: there
// would be races that nobody looks for.
func TestUnracedPackagesStartNoGoroutine(t *testing.T) {
	t.Parallel()
	raced, unraced, starts := map[string]bool{}, map[string]bool{}, map[string][]string{}
	fset := token.NewFileSet()
	for _, path := range files(t) {
		if !strings.HasSuffix(path, ".go") {
			continue
		}
		folder, text := filepath.Dir(path), read(t, path)
		if strings.HasSuffix(path, "_test.go") {
			if bytes.HasPrefix(text, []byte("//go:build !race\n")) {
				unraced[folder] = true
			} else {
				raced[folder] = true
			}
			continue
		}
		file, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				starts[folder] = append(starts[folder], fset.Position(n.Pos()).String())
			case *ast.CallExpr: // of a WaitGroup or an errgroup
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Go" {
					starts[folder] = append(starts[folder], fset.Position(n.Pos()).String())
				}
			}
			return true
		})
	}
	if len(unraced) < 5 {
		t.Errorf("only %d packages run without the race detector: is the mark another now?", len(unraced))
	}
	for folder := range unraced {
		if !raced[folder] && len(starts[folder]) > 0 {
			t.Errorf("all tests of %s run without the race detector, and it starts goroutines at %v", folder, starts[folder])
		}
	}
}
