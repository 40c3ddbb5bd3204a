package feeds_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/feeds"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each kind has an example in testdata, which the documentation shows, and what is
// read of it beside it.
func TestExamples(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reasons.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range vigil.FactKinds() {
		found, err := filepath.Glob(filepath.Join("testdata", string(kind)+".*"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no example of %s: %v", kind, err)
		}
		path := found[0]
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), strings.TrimSpace(string(text))) {
			t.Errorf("docs/reasons.md does not show %s as it is", path)
		}
		r, err := feeds.Read(spec(kind), filepath.Base(path), text)
		if err != nil || r.Aside > 0 || len(r.Problems) > 0 {
			t.Fatalf("%s: %v, %v", path, err, r)
		}
		got, err := json.MarshalIndent(r.Facts, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", "golden", string(kind)+".json")
		if *update {
			if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
}
