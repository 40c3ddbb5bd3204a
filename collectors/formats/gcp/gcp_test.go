//go:build !race

package gcp_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/gcp"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, gcp.New(), "testdata")
}

// What waits for its last entry is there after a restart, with its own origin.
func TestOperationsSurviveARestart(t *testing.T) {
	t.Parallel()
	input, err := os.ReadFile(filepath.Join("testdata", "firestore", "input.json"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(input), "\n")
	f := gcp.New()
	before, err := f.New(formats.Options{File: "f"})
	if err != nil {
		t.Fatal(err)
	}
	var got []*vigil.Event
	emit := func(e *vigil.Event, _ formats.Line) { got = append(got, e) }
	if err := before.Decode(formats.Line{Text: []byte(lines[0]), Number: 1}, emit); err != nil || len(got) != 0 {
		t.Fatal(err, got)
	}
	state, err := before.State()
	if err != nil {
		t.Fatal(err)
	}
	after, err := f.New(formats.Options{File: "f"})
	if err != nil {
		t.Fatal(err)
	}
	if err := after.Restore(state); err != nil {
		t.Fatal(err)
	}
	if err := after.Decode(formats.Line{Text: []byte(lines[2]), Number: 3, Offset: 900}, emit); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Rows != 17 || got[0].Limit != 50 || got[0].Origin.Line != 1 {
		t.Errorf("%+v", got)
	}
}

// What waits comes out when the log has gone on for ten minutes, all of it.
func TestOperationsThatNeverEnd(t *testing.T) {
	t.Parallel()
	entry := func(id, at, op string) string {
		return `{"protoPayload":{"authenticationInfo":{"principalEmail":"maria@example.com"},"serviceName":"firestore.googleapis.com","methodName":"google.firestore.v1.Firestore.RunQuery","resourceName":"projects/p/databases/d"},"insertId":"` +
			id + `","timestamp":"2026-11-24T` + at + `Z"` + op + "}\n"
	}
	input := entry("a", "10:00:00", `,"operation":{"id":"1","first":true}`) + entry("b", "10:00:01", `,"operation":{"id":"2","first":true}`) +
		entry("c", "10:09:00", `,"operation":{"id":"3","first":true}`) + entry("d", "10:11:00", "")
	dec, err := gcp.New().New(formats.Options{File: "f"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	emit := func(e *vigil.Event, _ formats.Line) { got = append(got, e.ID[:1]) }
	formatstest.Lines(dec, input, func(l formats.Line) {
		if err := dec.Decode(l, emit); err != nil {
			t.Fatal(err)
		}
	})
	if s := strings.Join(got, ""); s != "dab" {
		t.Errorf("before the end: %q", s)
	}
	if err := dec.Flush(emit); err != nil {
		t.Fatal(err)
	}
	if s := strings.Join(got, ""); s != "dabc" {
		t.Errorf("at the end: %q", s)
	}
}

// No text of a statement stays, nor of what stood in it.
func TestNoLiteralIsKept(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"double quotes": "SELECT a FROM t WHERE name = \"Ada Lovelace\"",
		"single quotes": "SELECT a FROM t WHERE name = 'Ada Lovelace'",
		"escaped":       "SELECT a FROM t WHERE name = \"say \\\"Ada Lovelace\\\"\"",
		"not ended":     "SELECT a FROM `t WHERE name = \"Ada Lovelace",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(sql)
			line := `{"protoPayload":{"authenticationInfo":{"principalEmail":"maria@example.com"},"serviceName":"spanner.googleapis.com","methodName":"google.spanner.v1.Spanner.ExecuteSql","resourceName":"projects/p/instances/i/databases/d/sessions/s","request":{"sql":"` +
				quoted + `"}},"insertId":"a","timestamp":"2026-11-24T10:00:00Z"}`
			events, errs := formatstest.Decode(t, gcp.New(), formats.Options{}, line)
			if len(events) != 1 || len(errs) != 0 {
				t.Fatal(events, errs)
			}
			e := events[0]
			if all := e.Shape + e.Resource + strings.Join(e.Fields, " "); strings.Contains(strings.ToLower(all), "ada") {
				t.Errorf("%q", all)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	inputs, _ := filepath.Glob(filepath.Join("testdata", "*", "input*"))
	for _, p := range inputs {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			// The grammar of SQL is too slow where it is instrumented; it has tests of its own.
			if !strings.Contains(line, `"query"`) && !strings.Contains(line, `"sql"`) && !strings.Contains(line, `"statement"`) {
				f.Add(line)
			}
		}
	}
	format := gcp.New()
	opts := formats.Options{Source: "audit", File: "f", Mapping: &formats.Mapping{
		Tables: map[string]formats.Table{"chats": {Columns: map[string]formats.Meaning{"customer": formats.MeansSubject}}},
		Paths:  []formats.Path{{Template: "users/{subject}/**"}},
	}}
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, format, opts, input) })
}
