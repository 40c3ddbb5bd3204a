//go:build !race

package cockroachdb_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/cockroachdb"
	"vigil/collectors/formats/formatstest"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, cockroachdb.New(), "testdata")
}

func TestDetect(t *testing.T) {
	t.Parallel()
	f := cockroachdb.New()
	for _, other := range []string{
		"", "2026-11-24 09:14:05.586 UTC [7] maria@help LOG:  statement: select 1\n", "09:14:05.586 [info] it works\n", "I1124 09:14:05.586000 1 main.go:5] it works\n",
		`{"a":"b"}` + "\n", `{"EventType":"login","Timestamp":"2026-11-24T09:14:05Z"}` + "\n", "Nov 24 09:14:05 db cron[1]: (root) CMD (x)\n",
	} {
		if sure := f.Detect([]byte(other)); sure >= 0.5 {
			t.Errorf("%q: %v", other, sure)
		}
	}
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "..", "shared", "logs", "*", "*cockroachdb*"))
	if len(files) == 0 {
		t.Skip("SKIPPED: the real sample logs (../shared/logs) are not here; nothing of them was tested")
	}
	f := cockroachdb.New()
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		events, errs := formatstest.Decode(t, f, formats.Options{Source: "db"}, string(text))
		sure := f.Detect(text[:min(len(text), formats.MaxSample)])
		bad := 0
		for _, e := range errs {
			if !strings.HasPrefix(string(e.Line.Text), "\",\"") { // the ends of two records that lost their beginnings
				bad++
				t.Logf("line %d: %v", e.Line.Number, e)
			}
		}
		for _, e := range events {
			t.Log(e.Time, e.Action, e.Actor.ID, e.Resource, e.IP, e.Outcome, e.Rows)
		}
		t.Logf("%s: sure %.2f, %d lines, %d events, %d set aside", filepath.Base(path), sure, strings.Count(string(text), "\n"), len(events), len(errs))
		if sure < 0.5 || bad > 0 || len(events) == 0 {
			t.Errorf("%s: sure %.2f, %d events, %d set aside", path, sure, len(events), bad)
		}
	}
}

func FuzzDecode(f *testing.F) {
	formatstest.Seeds(f, "testdata")
	format := cockroachdb.New()
	// The grammar takes seconds to start, which no single input may take.
	formatstest.Decode(f, format, formats.Options{}, `{"Timestamp":1795511645000000000,"EventType":"query_execute","Statement":"SELECT a FROM b","User":"c"}`)
	f.Fuzz(func(t *testing.T, input string) {
		formatstest.Fuzz(t, format, formats.Options{}, input)
	})
}
