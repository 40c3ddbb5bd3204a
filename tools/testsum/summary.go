package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one line of "go test -json" (see "go doc test2json").
type event struct {
	Action, Package, Test, Output string
	ImportPath                    string // of build output
	FailedBuild                   string
	Elapsed                       float64
}

// keep bounds the output held of one test; what goes beyond is cut in the middle.
const keep = 256 << 10

// test is what is known of one test, or under the empty name of a whole package.
type test struct {
	head, tail []string
	size       int
	cut        int
	result     string
	children   bool
	failed     bool // a child failed
}

func (t *test) add(line string) {
	if t.size += len(line); t.size <= keep/2 {
		t.head = append(t.head, line)
		return
	}
	t.tail = append(t.tail, line)
	for t.size > keep && len(t.tail) > 1 {
		t.size -= len(t.tail[0])
		t.tail = t.tail[1:]
		t.cut++
	}
}

func (t *test) text() string {
	s := strings.Join(t.head, "")
	if t.cut > 0 {
		s += fmt.Sprintf("    ... %d lines left out ...\n", t.cut)
	}
	return s + strings.Join(t.tail, "")
}

// skip is a test that was skipped, and why.
type skip struct{ name, reason string }

// summary gathers the events of all packages.
type summary struct {
	out      io.Writer
	open     map[string]map[string]*test // by package and test
	order    map[string][]string         // tests of a package as they began
	build    map[string]*test            // build output by import path
	failures []string
	skips    []skip
	passed   int
	failed   int
	broken   int // packages that failed outside of any test
	empty    int // packages without tests
}

func newSummary(out io.Writer) *summary {
	return &summary{out: out, open: map[string]map[string]*test{}, order: map[string][]string{}, build: map[string]*test{}}
}

// read takes in the whole stream. A line that is no JSON is shown as it is.
func (s *summary) read(in io.Reader) error {
	r := bufio.NewReaderSize(in, 1<<16)
	for {
		line, err := r.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if line[0] != '{' || json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(s.out, "%s\n", strings.TrimRight(string(line), "\n"))
			} else {
				s.take(e)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read test output: %w", err)
		}
	}
}

func (s *summary) take(e event) {
	switch e.Action {
	case "build-output":
		if s.build[e.ImportPath] == nil {
			s.build[e.ImportPath] = &test{}
		}
		s.build[e.ImportPath].add(e.Output)
		return
	case "build-fail", "start", "bench":
		return
	}
	t := s.test(e.Package, e.Test)
	switch e.Action {
	case "run":
		if i := strings.LastIndexByte(e.Test, '/'); i > 0 {
			s.test(e.Package, e.Test[:i]).children = true
		}
	case "output":
		if !frame(e.Output) {
			t.add(e.Output)
		}
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.finish(e, t)
			return
		}
		s.result(e, t)
	}
}

// frame tells the lines that go test itself puts around a test's output.
func frame(line string) bool {
	line = strings.TrimLeft(line, " ")
	for _, p := range []string{"=== RUN", "=== PAUSE", "=== CONT", "=== NAME", "--- PASS", "--- FAIL", "--- SKIP", "PASS\n", "FAIL\n"} {
		if strings.HasPrefix(line, p) {
			return true
		}
	}
	return false
}

func (s *summary) test(pkg, name string) *test {
	tests := s.open[pkg]
	if tests == nil {
		tests = map[string]*test{}
		s.open[pkg] = tests
	}
	t := tests[name]
	if t == nil {
		t = &test{}
		tests[name] = t
		s.order[pkg] = append(s.order[pkg], name)
	}
	return t
}

// result takes the end of one test.
func (s *summary) result(e event, t *test) {
	t.result = e.Action
	switch e.Action {
	case "pass":
		if !t.children {
			s.passed++
		}
	case "skip":
		if !t.children {
			s.skips = append(s.skips, skip{e.Package + " " + e.Test, reason(t.text())})
		}
	case "fail":
		if i := strings.LastIndexByte(e.Test, '/'); i > 0 {
			for name := e.Test[:i]; ; name = name[:i] {
				s.test(e.Package, name).failed = true
				if i = strings.LastIndexByte(name, '/'); i < 0 {
					break
				}
			}
		}
		if !t.failed {
			s.failed++
		}
		text := t.text()
		// A parent that only failed by its children has nothing more to say.
		if !t.failed || text != "" {
			s.fail(e.Package+" "+e.Test, text)
		}
	}
	t.head, t.tail = nil, nil
}

// reason is the message of a skipped test on one line.
func reason(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" {
			out = append(out, line)
		}
	}
	if text := strings.Join(out, " "); text != "" && !strings.HasSuffix(text, ":") {
		return text
	}
	return strings.TrimSpace(strings.Join(out, " ") + " no reason given")
}

// finish takes the end of a package.
func (s *summary) finish(e event, t *test) {
	tests := 0
	failed := false
	for _, name := range s.order[e.Package] {
		u := s.open[e.Package][name]
		switch {
		case name == "":
		case u.result == "": // it never ended: a panic, os.Exit or the time limit
			if e.Action == "fail" && !u.children {
				s.failed++
				failed = true
				s.fail(e.Package+" "+name+" (never ended)", u.text())
			}
		default:
			if !u.children {
				tests++
			}
			failed = failed || u.result == "fail"
		}
	}
	switch {
	case e.Action == "fail":
		fmt.Fprintf(s.out, "FAIL  %s  %.1fs\n", e.Package, e.Elapsed)
		text := t.text()
		if b := s.build[e.FailedBuild]; b != nil && e.FailedBuild != "" {
			text = b.text() + text
		}
		if !failed {
			s.broken++
			s.fail(e.Package, text)
		} else if strings.Count(text, "\n") > 2 {
			s.fail(e.Package+" (outside of its tests)", text)
		}
	case tests == 0:
		s.empty++
	default:
		fmt.Fprintf(s.out, "ok    %s  %d tests  %.1fs\n", e.Package, tests, e.Elapsed)
	}
	delete(s.open, e.Package)
	delete(s.order, e.Package)
}

func (s *summary) fail(name, text string) {
	s.failures = append(s.failures, fmt.Sprintf("--- FAIL: %s\n%s", name, strings.TrimRight(text, "\n")))
}

// close writes what is left to say, and returns the last line and whether all is well.
func (s *summary) close() (string, bool) {
	for pkg := range s.open { // the stream broke off
		s.broken++
		s.fail(pkg, "the output ends before the package does")
	}
	slices.Sort(s.failures)
	for _, f := range s.failures {
		fmt.Fprintf(s.out, "\n%s\n", f)
	}
	if len(s.skips) > 0 {
		slices.SortFunc(s.skips, func(a, b skip) int { return strings.Compare(a.name, b.name) })
		fmt.Fprintln(s.out, "\nskipped:")
		for _, k := range s.skips {
			fmt.Fprintf(s.out, "  %s: %s\n", k.name, k.reason)
		}
	}
	fmt.Fprintln(s.out)
	if s.empty > 0 {
		fmt.Fprintf(s.out, "%d packages have no tests\n", s.empty)
	}
	if s.broken > 0 {
		fmt.Fprintf(s.out, "%d packages failed outside of any test (counted as failed)\n", s.broken)
	}
	ran := s.passed + s.failed
	if ran == 0 {
		fmt.Fprintln(s.out, "no test ran: that is a failure")
	}
	line := fmt.Sprintf("%d passed, %d failed, %d skipped", s.passed, s.failed+s.broken, len(s.skips))
	fmt.Fprintln(s.out, line)
	return line, ran > 0 && s.failed == 0 && s.broken == 0
}
