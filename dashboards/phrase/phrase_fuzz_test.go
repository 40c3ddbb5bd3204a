package phrase_test

import (
	"strconv"
	"testing"
	"unicode/utf8"

	"vigil/dashboards/phrase"
)

// FuzzText holds that no text comes through with anything in it that does not
// show, nor longer than its bound allows.
func FuzzText(f *testing.F) {
	for _, s := range []string{"maria", "\u202e\x00\xff", "e\u0301\u0301\u0301\u0301\u0301\u0301", "<script>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := phrase.Text(s, 50)
		if !utf8.ValidString(got) {
			t.Fatalf("%q gave %q", s, got)
		}
		for _, r := range got {
			if !strconv.IsPrint(r) {
				t.Fatalf("%q gave %q, which holds %U", s, got, r)
			}
		}
		// The longest escape of one rune is \U0010ffff.
		if n := utf8.RuneCountInString(got); n > 50*10+1 {
			t.Fatalf("%q gave %d runes", s, n)
		}
	})
}
