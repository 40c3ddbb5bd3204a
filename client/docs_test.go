package client_test

import (
	"context"
	"os"
	"strings"
	"testing"
)

// What the documentation shows is what the compiler has seen.
func TestDocumentedExampleIsOfThisPackage(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, found := strings.Cut(string(docs), "```go\n")
	shown, _, _ = strings.Cut(shown, "```")
	indented := "\t" + strings.ReplaceAll(strings.TrimSuffix(shown, "\n"), "\n", "\n\t") + "\n}"
	if !found || !strings.Contains(string(source), indented) {
		t.Errorf("docs/api.md shows what example_test.go does not hold:\n%s", indented)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := worst(ctx); err == nil {
		t.Error("nobody is asked, and all is well")
	}
}
