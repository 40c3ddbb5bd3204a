package rules_test

import (
	"testing"

	"vigil/detector/rules"
)

// TestBuiltin runs the examples of each rule that comes with the program.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	all, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 12 {
		t.Fatalf("%d rules came with the program", len(all))
	}
	for _, r := range all {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			if r.File != "builtin/"+r.ID+".yaml" {
				t.Errorf("it stands in %s", r.File)
			}
			if len(r.Frameworks) == 0 || r.About == "" {
				t.Error("it says neither what it is for nor where a catalogue has it")
			}
			for _, p := range r.Try() {
				t.Error(p)
			}
		})
	}
}
