package postgresql_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/postgresql"
)

// Files that are not this format's: wrapped in syslog or JSON, or another
// program's.
func foreign(name string) bool {
	for _, part := range []string{"expected", "logplex", "syslog", "supavisor", "alloydb", "cockroachdb", "ibmcloud"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	var files []string
	for _, dir := range []string{"postgresql", "pgaudit"} {
		found, _ := filepath.Glob(filepath.Join("..", "..", "..", "..", "shared", "logs", dir, "*"))
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Skip("SKIPPED: the real sample logs (../shared/logs) are not here; nothing of them was tested")
	}
	f := postgresql.New()
	for _, path := range files {
		input, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sample := input[:min(len(input), 64<<10)]
		sure := f.Detect(sample)
		events, bad := 0, 0
		var first string
		for _, o := range decode(t, f, formats.Options{Source: "db", File: path, Sample: sample}, input) {
			if o.Event != nil {
				events++
			} else {
				if bad++; first == "" {
					first = o.SetAside
				}
			}
		}
		total := strings.Count(string(input), "\n")
		t.Logf("%-75s sure %.2f lines %5d events %5d set aside %4d %s", filepath.Base(path), sure, total, events, bad, first)
		if foreign(filepath.Base(path)) {
			continue
		}
		if sure < 0.5 {
			t.Errorf("%s: detected with %.2f only", filepath.Base(path), sure)
		}
		if bad*20 > total+40 {
			t.Errorf("%s: %d of %d lines set aside, first: %s", filepath.Base(path), bad, total, first)
		}
	}
}
