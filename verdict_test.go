package vigil_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"vigil"
)

func TestVerdictsAreCleaned(t *testing.T) {
	t.Parallel()
	v := vigil.Verdict{
		Finding: "f-1", Word: vigil.WordBreach, By: " ann\n ", Time: time.Now(),
		Note: "a\tb\x00\x1b[31m \u202Eevil\xff " + strings.Repeat("ä", vigil.MaxNote),
	}
	if err := v.Clean(); err != nil {
		t.Fatal(err)
	}
	if v.By != "ann" || !strings.HasPrefix(v.Note, "a b[31m evil ä") || len(v.Note) > vigil.MaxNote || !utf8.ValidString(v.Note) {
		t.Errorf("got by %q and note %.40q of %d bytes", v.By, v.Note, len(v.Note))
	}
	for name, bad := range map[string]vigil.Verdict{
		"no finding": {Word: vigil.WordBreach, By: "ann"},
		"no word":    {Finding: "f-1", Word: "guilty", By: "ann"},
		"nobody":     {Finding: "f-1", Word: vigil.WordBreach, By: " \u202E"},
	} {
		if err := bad.Clean(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, w := range vigil.Words() {
		if !w.Known() {
			t.Errorf("%s is not known", w)
		}
	}
}
