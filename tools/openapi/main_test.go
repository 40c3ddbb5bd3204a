package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/internal/api/rest"
)

// The description that is embedded is that of the source as it is.
func TestDescriptionIsOfThisSource(t *testing.T) {
	t.Parallel()
	top, err := topOf()
	if err != nil {
		t.Fatal(err)
	}
	text, err := Make(top)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(rest.Description())); diff != "" {
		t.Errorf("run go generate ./internal/api/rest (-source +embedded):\n%.3000s", diff)
	}
}
