package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"vigil/internal/api/rest"
)

// module is the name before every path of ours.
const module = "vigil"

// Make makes the description from the source below top, the folder of go.mod.
func Make(top string) ([]byte, error) {
	docs := rest.Docs{Text: map[string]string{}, Values: map[string][]string{}}
	done := map[string]bool{}
	for _, t := range rest.Types() {
		path := t.PkgPath()
		if done[path] || path != module && !strings.HasPrefix(path, module+"/") {
			continue
		}
		done[path] = true
		if err := readPackage(filepath.Join(top, strings.TrimPrefix(path, module)), path, docs); err != nil {
			return nil, err
		}
	}
	text, err := rest.Describe(docs)
	if err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

// readPackage reads the comments of the types of a package.
func readPackage(dir, path string, docs rest.Docs) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					doc := spec.Doc
					if doc == nil {
						doc = group.Doc
					}
					readType(path+"."+spec.Name.Name, doc, spec, docs)
				case *ast.ValueSpec:
					if group.Tok == token.CONST {
						readConstant(path, spec, docs)
					}
				}
			}
		}
	}
	return nil
}

func readType(name string, doc *ast.CommentGroup, spec *ast.TypeSpec, docs rest.Docs) {
	docs.Text[name] = words(doc)
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range s.Fields.List {
		text := words(f.Doc)
		if text == "" {
			text = words(f.Comment)
		}
		for _, n := range f.Names {
			docs.Text[name+"."+n.Name] = text
		}
	}
}

// readConstant notes the value of a constant that says its type.
func readConstant(path string, spec *ast.ValueSpec, docs rest.Docs) {
	kind, ok := spec.Type.(*ast.Ident)
	if !ok {
		return
	}
	for _, v := range spec.Values {
		lit, ok := v.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			continue
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && text != "" {
			docs.Values[path+"."+kind.Name] = append(docs.Values[path+"."+kind.Name], text)
		}
	}
}

// words is a comment on one line.
func words(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }

// topOf is the folder of go.mod.
func topOf() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above this folder: run it within vigil's source")
		}
		dir = up
	}
}
