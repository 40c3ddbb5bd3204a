package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealRuns holds the summary to what go test itself says of a small module.
func TestRealRuns(t *testing.T) {
	t.Parallel()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command in PATH")
	}
	const good = `package x
import "testing"
func TestGood(t *testing.T) {}
func TestTable(t *testing.T) { t.Run("a", func(t *testing.T) {}); t.Run("b", func(t *testing.T) {}) }
func TestSkips(t *testing.T) { t.Skip("the moon is full") }
`
	for _, c := range []struct {
		name     string
		file     string
		ok       bool
		last     string
		contains []string
	}{
		{"good", good, true, "3 passed, 0 failed, 1 skipped", []string{"TestSkips: x_test.go:5: the moon is full", "ok    x  4 tests"}},
		{"bad", good + `
func TestBad(t *testing.T) { t.Run("fine", func(t *testing.T) {}); t.Run("deep/er", func(t *testing.T) { t.Log("first"); t.Error("it broke") }) }
`, false, "4 passed, 1 failed, 1 skipped", []string{"--- FAIL: x TestBad/deep/er", "first", "it broke", "FAIL  x"}},
		{"parent", good + `
func TestOdd(t *testing.T) { t.Run("fine", func(t *testing.T) {}); t.Error("after the children") }
`, false, "4 passed, 1 failed, 1 skipped", []string{"after the children"}},
		{"panic", good + `
func TestPanic(t *testing.T) { panic("oh no") }
`, false, "3 passed, 1 failed, 1 skipped", []string{"oh no", "goroutine"}},
		{"exit", good + `
func TestZ(t *testing.T) { println("leaving"); exit(3) }
`, false, "3 passed, 1 failed, 1 skipped", []string{"leaving", "never ended"}},
		{"build", good + "func TestX(t *testing.T) { undefined() }\n", false, "0 passed, 1 failed, 0 skipped",
			[]string{"undefined: undefined", "no test ran"}},
		{"none", "package x\n", false, "0 passed, 0 failed, 0 skipped", []string{"no test ran"}},
		{"only skips", "package x\nimport \"testing\"\nfunc TestS(t *testing.T) { t.Skip() }\n", false,
			"0 passed, 0 failed, 1 skipped", []string{"no reason given", "no test ran"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "go.mod", "module x\n\ngo 1.26\n")
			write(t, dir, "x.go", "package x\n\nimport \"os\"\n\nfunc exit(n int) { os.Exit(n) }\n\nvar _ = exit\n")
			write(t, dir, "x_test.go", c.file)
			cmd := exec.CommandContext(t.Context(), goTool, "test", "-json", "-count=1", "./...")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
			raw, _ := cmd.Output() // a failing run exits 1, and its output is what matters
			var out bytes.Buffer
			last := filepath.Join(dir, "last")
			ok, err := run(bytes.NewReader(raw), &out, last)
			if err != nil {
				t.Fatal(err)
			}
			text := out.String()
			if ok != c.ok {
				t.Errorf("all well: %v, want %v", ok, c.ok)
			}
			if !strings.HasSuffix(text, "\n"+c.last+"\n") {
				t.Errorf("last line is not %q", c.last)
			}
			for _, want := range c.contains {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing", want)
				}
			}
			if b, err := os.ReadFile(last); err != nil || string(b) != c.last+"\n" {
				t.Errorf("file says %q, %v", b, err)
			}
			if t.Failed() {
				t.Logf("output:\n%s", text)
			}
		})
	}
}

func TestBrokenStream(t *testing.T) {
	t.Parallel()
	const in = "go: some notice\n" +
		`{"Action":"run","Package":"p","Test":"TestA"}` + "\n" +
		`{"Action":"pass","Package":"p","Test":"TestA"}` + "\n" +
		`{"Action":"ru`
	var out bytes.Buffer
	ok, err := run(strings.NewReader(in), &out, "")
	if err != nil || ok {
		t.Errorf("a stream that breaks off: %v, %v", ok, err)
	}
	for _, want := range []string{"go: some notice", "ends before the package does", "1 passed, 1 failed, 0 skipped"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from\n%s", want, out.String())
		}
	}
}

func TestLongOutputIsCut(t *testing.T) {
	t.Parallel()
	u := &test{}
	for range 3 * keep / 100 {
		u.add(strings.Repeat("x", 99) + "\n")
	}
	if n := len(u.text()); n > keep+100 {
		t.Errorf("%d bytes are held", n)
	}
	if !strings.Contains(u.text(), "lines left out") {
		t.Error("nothing says that lines are left out")
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
