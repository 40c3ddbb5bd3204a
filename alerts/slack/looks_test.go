package slack_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vigil/alerts"
	"vigil/alerts/picture"
	"vigil/alerts/slack/looks"
	"vigil/alerts/slack/preview"
)

// TestLooks draws the cards as people see them, in a real browser. With -update the
// pictures in testdata are made anew, for people to look at; else a few are made, and
// all that can be said of them without eyes is checked.
func TestLooks(t *testing.T) {
	t.Parallel()
	chart, ok := picture.Of(alerts.CardOf(message(vendor()), "").Bars, nil)
	if !ok {
		t.Fatal("no chart")
	}
	drawn, err := chart.PNG()
	if err != nil {
		t.Fatal(err)
	}
	c := looks.Start(t)
	all := samples()
	names := []string{"case-picture", "reply-reminder"}
	if *update {
		names = looked()
	}
	for _, name := range names {
		c.Take(t, name, blocksOf(t, all[name]), preview.Files{"F0PIC": drawn}, *update)
	}
	if !*update {
		return
	}
	shown, err := os.ReadFile(filepath.Join("testdata", documented))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(documentation, shown, 0o644); err != nil {
		t.Fatal(err)
	}
}

// documented is the picture that the documentation shows, and where it stands there.
const (
	documented    = "case-picture-light.png"
	documentation = "../../docs/images/card.png"
)

// looked are the cards of which there are pictures: of each kind, and one that others
// wrote into.
func looked() []string {
	var out []string
	for name := range samples() {
		kind, _, _ := strings.Cut(name, "-")
		if hostile := strings.Contains(name, "hostile"); name == "case-hostile" || name == "vendor" || !hostile && slices.Contains([]string{"case", "reply", "notice", "digest"}, kind) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// TestEveryCardHasItsPictures keeps the pictures in step with the cards.
func TestEveryCardHasItsPictures(t *testing.T) {
	t.Parallel()
	looks.Complete(t, slices.Collect(maps.Keys(samples())), looked())
	ours, err := os.ReadFile(filepath.Join("testdata", documented))
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err := os.ReadFile(documentation); err != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("%s is not testdata/%s (%v): run with -update where there is a chromium", documentation, documented, err)
	}
}
