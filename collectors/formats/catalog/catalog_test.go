package catalog_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/catalog"
)

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range catalog.All() {
		if seen[f.Name()] {
			t.Errorf("two formats are called %q", f.Name())
		}
		seen[f.Name()] = true
		got, err := catalog.ByName(f.Name())
		if err != nil || got.Name() != f.Name() {
			t.Errorf("ByName(%q): %v, %v", f.Name(), got, err)
		}
	}
	for _, name := range []string{"native", "nginx", "postgresql"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
	if _, err := catalog.ByName("mysql"); err == nil || !strings.Contains(err.Error(), "postgresql") {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for sample, want := range map[string]string{
		`{"time":"2026-11-02T09:14:05Z","actor":"a","action":"read"}`:                                                                                                    "native",
		`198.51.100.7 - - [02/Nov/2026:09:14:05 +0000] "GET / HTTP/1.1" 200 5 "-" "-"`:                                                                                   "nginx",
		`{"time_iso8601":"2026-11-02T09:14:05Z","request":"GET / HTTP/1.1","status":200}`:                                                                                "nginx",
		`2026-11-02 09:14:05.123 UTC [77] maria@desk LOG:  statement: SELECT 1`:                                                                                          "postgresql",
		`{"timestamp":"2026-11-02 09:14:05.123 UTC","user":"maria","dbname":"desk","pid":77,"session_id":"6.4d","error_severity":"LOG","message":"statement: SELECT 1"}`: "postgresql",
	} {
		f, sure, err := catalog.Detect([]byte(sample + "\n" + sample + "\n"))
		if err != nil || f.Name() != want || sure <= 0 || sure > 1 {
			t.Errorf("%.50q: %v %v %v, want %s", sample, f, sure, err, want)
		}
	}
	_, _, err := catalog.Detect([]byte("dear diary,\ntoday nothing happened\n"))
	if err == nil || !strings.Contains(err.Error(), "nginx (0 %)") {
		t.Errorf("prose: %v", err)
	}
}

// Real logs of other systems beside the project must be told apart.
func TestRealLogs(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..", "..", "shared", "logs")
	if _, err := os.Stat(root); err != nil {
		t.Skip("SKIPPED: no real logs in ../shared/logs")
	}
	for _, name := range []string{"nginx", "postgresql"} {
		paths, err := filepath.Glob(filepath.Join(root, name, "*.log"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f, _, err := catalog.Detect(b[:min(len(b), formats.MaxSample)])
			got := "none"
			if err == nil {
				got = f.Name()
			}
			if other := got != name && got != "none"; other || name == "nginx" && got == "none" {
				t.Errorf("%s is taken for %s", path, got)
			}
		}
	}
}
