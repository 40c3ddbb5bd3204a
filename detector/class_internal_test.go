package detector

import (
	"fmt"
	"slices"
	"testing"

	"vigil"
	"vigil/detector/reasons"
)

// TestClassesAreRememberedWithinBounds: of too many classes the one met least lately
// makes room; a finding is told those since it began.
func TestClassesAreRememberedWithinBounds(t *testing.T) {
	t.Parallel()
	var cs classes
	since := func(q int64) []string {
		set := map[string]struct{}{}
		cs.since(q, set)
		return sorted(set)
	}
	cs.meet("chat", 10)
	cs.meet("", 11)
	cs.meet("contact", 12)
	cs.meet("chat", 9) // late
	if got := since(10); !slices.Equal(got, []string{"chat", "contact"}) {
		t.Errorf("since 10: %q", got)
	}
	if got := since(11); !slices.Equal(got, []string{"contact"}) {
		t.Errorf("since 11: %q", got)
	}
	for i := range 3 * classLimit {
		cs.meet(fmt.Sprintf("made-up-%02d", i), int64(20+i))
		cs.meet("contact", int64(20+i))
	}
	got := since(0)
	if len(cs) != classLimit || len(got) != classLimit || !slices.Contains(got, "contact") || slices.Contains(got, "chat") || !slices.Contains(got, "made-up-59") {
		t.Errorf("after a flood of classes: %q", got)
	}
}

// TestFindingListsClasses: what joins a finding brings its classes, and only so many.
func TestFindingListsClasses(t *testing.T) {
	t.Parallel()
	h, since := newHolding(), newHolding()
	read := func(class string) *vigil.Event {
		return &vigil.Event{Action: vigil.ActionRead, Store: "desk", Resource: "r-" + class, ResourceClass: class, Rows: vigil.Unknown}
	}
	h.add(read("chat"), reasons.Checked{})
	since.add(read("contact"), reasons.Checked{})
	write := read("audit")
	write.Action = vigil.ActionWrite
	since.add(write, reasons.Checked{})
	h.join(&since)
	var f vigil.Finding
	if h.list(&f); !slices.Equal(f.Classes, []string{"chat", "contact"}) || !slices.Equal(f.Resources, []string{"r-chat", "r-contact"}) {
		t.Errorf("classes %q of %q", f.Classes, f.Resources)
	}
	if len(since.Classes) != 0 {
		t.Errorf("left behind: %v", since.Classes)
	}
	for i := range 3 * listLimit {
		h.add(read(fmt.Sprint(i)), reasons.Checked{})
		since.add(read(fmt.Sprint("more-", i)), reasons.Checked{})
	}
	h.join(&since)
	if h.list(&f); len(f.Classes) != listLimit {
		t.Errorf("%d classes", len(f.Classes))
	}
}
