package catalog_test

import (
	"strings"
	"testing"

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
	if _, err := catalog.ByName("no-such"); err == nil || !strings.Contains(err.Error(), "postgresql") {
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
	if err == nil || !strings.Contains(err.Error(), "none of the") {
		t.Errorf("prose: %v", err)
	}
}
