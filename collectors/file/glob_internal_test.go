package file

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGlob(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a/x.log", "a/b/y.log", "a/b/c/z.log", "a/b/other.txt"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A link to a folder is entered where it is named, and never on the way down.
	for link, to := range map[string]string{"link": "a/b", "a/loop": dir} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string][]string{
		"a/*.log":     {"a/x.log"},
		"a/**/*.log":  {"a/b/c/z.log", "a/b/y.log", "a/x.log"},
		"link/*.log":  {"link/y.log"},
		"**/z.log":    {"a/b/c/z.log"},
		"none/**/*":   nil,
		"a/[x]*":      {"a/x.log"},
		"a/b/**/{y,}": nil,
	} {
		paths, err := glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
		var got []string
		for _, p := range paths {
			rel, _ := filepath.Rel(dir, p)
			got = append(got, rel)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", pattern, diff)
		}
	}
}
