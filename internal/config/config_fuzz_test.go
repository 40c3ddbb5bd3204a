package config_test

import (
	"errors"
	"testing"

	"vigil/internal/config"
)

// Whatever the text, the loader answers with a configuration or with problems
// that say something.
func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("sources: [{name: a, file: /x}]\n"))
	f.Add([]byte("a: &x [*x]\n<<: *x\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Add([]byte("data_dir: |\n  x\n y\n"))
	f.Add([]byte("- - - -\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg, err := config.Parse("fuzz.yaml", text, known())
		if (cfg == nil) == (err == nil) {
			t.Fatalf("Parse = %v, %v", cfg, err)
		}
		var bad *config.Error
		if err != nil && (!errors.As(err, &bad) || len(bad.Problems) == 0) {
			t.Fatalf("unhelpful: %v", err)
		}
		if bad != nil {
			for _, p := range bad.Problems {
				if p.Message == "" || p.File == "" {
					t.Fatalf("a problem says nothing: %+v", p)
				}
			}
		}
	})
}
