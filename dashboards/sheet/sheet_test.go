package sheet_test

import (
	"encoding/csv"
	"errors"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"vigil/dashboards/sheet"
)

// parts are the cells that a program may see in a text, at whatever character it parts them.
func parts(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;|\t\n\"", r) })
}

func computed(text string) bool {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	return text != "" && strings.ContainsAny(text[:1], "=+-@") || strings.HasPrefix(text, "＝") || strings.HasPrefix(text, "＋") || strings.HasPrefix(text, "－") || strings.HasPrefix(text, "＠")
}

// TestNoCellIsAFormula draws any texts: none begins as a formula, wherever a cell may begin,
// and a reader of CSV gets back what was meant to be written.
func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	pieces := []string{"=", "+", "-", "@", "＝", "＋", ",", ";", "\n", "\r", "\t", `"`, "'", " ", "\u00a0", "\u200b", "\ufeff", "\x00", "cmd|' /C calc'!A0", "HYPERLINK(", "a", "1", "\xff"}
	cell := rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "pieces"), "")
	}))
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(cell, 1, 5).Draw(t, "cells")
		var b strings.Builder
		w := sheet.New(&b, make([]string, len(cells))...)
		w.Row(cells...)
		if w.Err() != nil {
			t.Fatal(w.Err())
		}
		rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != len(cells) {
			t.Fatalf("%q reads as %q, %v", b.String(), rows, err)
		}
		for i, got := range rows[1] {
			if got != sheet.Guard(cells[i]) {
				t.Fatalf("%q was written, %q read", sheet.Guard(cells[i]), got)
			}
			for _, part := range parts(got) {
				if computed(part) {
					t.Fatalf("%q holds the formula %q", got, part)
				}
			}
		}
	})
}

func TestPlainTextStaysAsItIs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"subject-9f0xqw54jvm3b": "subject-9f0xqw54jvm3b", "2026-11-02T09:00:00Z": "2026-11-02T09:00:00Z", "Ann O'Hara": "Ann O'Hara",
		"=1+1": "'=1+1", " =1": " '=1", "a;=1": "a;'=1", "-5": "'-5", "a-b": "a-b",
	} {
		if got := sheet.Guard(in); got != want {
			t.Errorf("%q is written as %q, want %q", in, got, want)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestErrorsAreKept(t *testing.T) {
	t.Parallel()
	w := sheet.New(full{}, "a")
	if w.Row("b"); w.Err() == nil {
		t.Error("no error of a full disk")
	}
}
