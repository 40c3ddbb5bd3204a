package presets_test

import (
	"slices"
	"strings"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/presets"
)

func TestPresets(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(presets.Names()) {
		t.Error("names are not sorted")
	}
	if _, ok := presets.Named("nothing"); ok {
		t.Error("an unknown preset was found")
	}
	for _, n := range presets.Names() {
		m, ok := presets.Named(n)
		if !ok {
			t.Fatalf("%s: listed and not found", n)
		}
		check := func(where string, mean formats.Meaning) {
			switch mean {
			case formats.MeansSubject, formats.MeansConversation, formats.MeansTenant, formats.MeansTicket, formats.MeansLimit:
			default:
				t.Errorf("%s: %s has the meaning %q", n, where, mean)
			}
		}
		for name, table := range m.Tables {
			if name != strings.ToLower(name) {
				t.Errorf("%s: table %q is not lower case", n, name)
			}
			for c, mean := range table.Columns {
				check(name+"."+c, mean)
			}
		}
		for _, p := range m.Paths {
			for seg := range strings.SplitSeq(p.Template, "/") {
				if in, ok := strings.CutPrefix(seg, "{"); ok {
					check(p.Template, formats.Meaning(strings.TrimSuffix(in, "}")))
				}
			}
			if p.Action != "" && !vigil.Action(p.Action).Valid() {
				t.Errorf("%s: %s has the action %q", n, p.Template, p.Action)
			}
		}
		for k, mean := range m.Params {
			check(k, mean)
		}
		m.Tables["x"] = formats.Table{}
		if again, _ := presets.Named(n); len(again.Tables) == len(m.Tables) {
			t.Errorf("%s: callers share one mapping", n)
		}
	}
}
