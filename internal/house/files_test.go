package house_test

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// maxLines is where a file must be split.
const maxLines = 800

// forbidden is what no text of ours may contain. Words are in parts, or this file
// would contain them.
var forbidden = []struct {
	what string
	re   *regexp.Regexp
}{
	{"a note that something is unfinished", regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX|HA` + `CK)\b`)},
	{"a path of one machine", regexp.MustCompile("(^|[\\s\"'`=:(])/(?:ho" + `me|Us` + `ers|wo` + `rk|ro` + `ot)/[A-Za-z0-9_.-]+`)},
	{"an unresolved merge", regexp.MustCompile(`(?m)^(<{7}|>{7}) `)},
}

// testdata holds other programs' words as they came, so their paths are free.
func foreign(path string) bool {
	return strings.Contains("/"+path, "/testdata/") || strings.HasSuffix(path, ".sum") || path == "LICENSE"
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, path := range files(t) {
		text := read(t, path)
		if bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) || foreign(path) {
			continue
		}
		for _, f := range forbidden {
			if m := f.re.FindIndex(text); m != nil {
				t.Errorf("%s:%d: %s: %q", path, 1+bytes.Count(text[:m[0]], []byte{'\n'}), f.what, text[m[0]:m[1]])
			}
		}
		if i := bytes.IndexByte(text, '\r'); i >= 0 && !strings.HasSuffix(path, ".min.js") {
			t.Errorf("%s:%d: a carriage return", path, 1+bytes.Count(text[:i], []byte{'\n'}))
		}
	}
}

func TestGoFiles(t *testing.T) {
	t.Parallel()
	for _, path := range files(t) {
		if !strings.HasSuffix(path, ".go") {
			continue
		}
		text := read(t, path)
		if n := bytes.Count(text, []byte{'\n'}); n > maxLines && !generated(text) {
			t.Errorf("%s has %d lines: split it", path, n)
		}
		if neat, err := format.Source(text); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		} else if !bytes.Equal(neat, text) {
			t.Errorf("%s is not as gofmt writes it", path)
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		inspect(t, fset, path, file)
	}
}

// inspect reports what a Go file must not do.
func inspect(t *testing.T, fset *token.FileSet, path string, file *ast.File) {
	t.Helper()
	test := strings.HasSuffix(path, "_test.go")
	folder := filepath.ToSlash(filepath.Dir(path))
	r, _ := ruleOf(folder)
	switch name := strings.TrimSuffix(file.Name.Name, "_test"); name {
	case "util", "utils", "common", "helper", "helpers", "types", "misc", "base", "shared":
		t.Errorf("%s: package %s says nothing of what it provides", path, name)
	}
	names := importNames(file)
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			t.Errorf("%s: an init function", fset.Position(f.Pos()))
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := call.X.(*ast.Ident)
		if !ok {
			return true
		}
		switch at := fset.Position(call.Pos()); names[x.Name] + "." + call.Sel.Name {
		case "time.Sleep":
			if test {
				t.Errorf("%s: a test that sleeps", at)
			}
		case "time.Now", "time.Since", "time.Until", "time.After", "time.NewTimer", "time.NewTicker", "time.Tick", "time.AfterFunc":
			if r.pure && !test {
				t.Errorf("%s: reads the clock, but here time is event time", at)
			}
		}
		return true
	})
}

// importNames maps the names by which a file knows its imports to their paths.
func importNames(file *ast.File) map[string]string {
	names := map[string]string{}
	for _, i := range file.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		name := path[strings.LastIndexByte(path, '/')+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		names[name] = path
	}
	return names
}

func generated(text []byte) bool {
	return regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`).Match(text)
}

func TestPackagesAreExplained(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, nil, "./...") {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", p.folder())
		}
	}
}

// link is a Markdown link's target.
var link = regexp.MustCompile(`\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)`)

func TestLinksLead(t *testing.T) {
	t.Parallel()
	for _, path := range files(t) {
		if !strings.HasSuffix(path, ".md") {
			continue
		}
		text := withoutCode(string(read(t, path)))
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") { // another site
				continue
			}
			to := path
			if target != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(path), target))
				if _, err := os.Stat(filepath.Join(top(t), to)); err != nil {
					t.Errorf("%s: %s leads nowhere", path, m[1])
					continue
				}
			}
			if anchor != "" && strings.HasSuffix(to, ".md") && !slices.Contains(anchors(string(read(t, to))), anchor) {
				t.Errorf("%s: %s has no heading #%s", path, to, anchor)
			}
		}
	}
}

// withoutCode blanks fenced blocks and code spans.
func withoutCode(text string) string {
	text = regexp.MustCompile("(?ms)^ *```.*?^ *```").ReplaceAllString(text, "")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(text, "")
}

// anchors lists a page's headings as links name them.
func anchors(text string) []string {
	var out []string
	text = regexp.MustCompile("(?ms)^ *```.*?^ *```").ReplaceAllString(text, "")
	for _, m := range regexp.MustCompile(`(?m)^#{1,6} +(.+?) *#*$`).FindAllStringSubmatch(text, -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])
		for n, name := 1, slug; ; n++ {
			if !slices.Contains(out, name) {
				out = append(out, name)
				break
			}
			name = slug + "-" + string(rune('0'+n))
		}
	}
	return out
}

// files lists the project's files: what git knows or would add, else all that
// is not hidden.
func files(t *testing.T) []string {
	t.Helper()
	dir := top(t)
	if git, err := exec.LookPath("git"); err == nil {
		cmd := exec.CommandContext(t.Context(), git, "-c", "core.quotepath=off", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
		cmd.Dir = dir
		if out, err := cmd.Output(); err == nil && len(out) > 0 {
			var paths []string
			for path := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
				if info, err := os.Lstat(filepath.Join(dir, path)); err == nil && info.Mode().IsRegular() {
					paths = append(paths, path)
				}
			}
			return paths
		}
	}
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != dir && (strings.HasPrefix(name, ".") || name == "bin") {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			paths = append(paths, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top(t), filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
