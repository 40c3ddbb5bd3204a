// Package sheet writes tables that people open in a spreadsheet: CSV (RFC 4180) in which no
// cell is a formula. It is pure and safe for concurrent use; a Writer is one caller's.
//
// A spreadsheet takes a cell that begins with = + - @ for something to compute, and what it computes may
// fetch and send (CWE-1236). So a cell that would begin so gets an apostrophe in front, wherever a
// cell may begin: a program that parts cells at another character than ours sees more of them.
package sheet

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Writer writes rows.
type Writer struct {
	w   io.Writer
	err error
}

// New makes a writer of a table with these headings.
func New(w io.Writer, headings ...string) *Writer {
	s := &Writer{w: w}
	s.Row(headings...)
	return s
}

// Row writes a row. Errors are kept for Err.
func (s *Writer) Row(cells ...string) {
	if s.err != nil {
		return
	}
	var b strings.Builder
	for i, c := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(strings.ReplaceAll(Guard(c), `"`, `""`))
		b.WriteByte('"')
	}
	b.WriteString("\r\n")
	if _, err := io.WriteString(s.w, b.String()); err != nil {
		s.err = fmt.Errorf("write table: %w", err)
	}
}

// Err is the first error.
func (s *Writer) Err() error { return s.err }

// Guard returns a cell's text as it is written: without control characters other than line
// feeds and tabs, and with an apostrophe before each place from which on it could be a formula.
func Guard(cell string) string {
	cell = strings.ToValidUTF8(cell, "\uFFFD")
	var b strings.Builder
	begins := true // a cell may begin here, in some program
	for _, r := range cell {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Cf, r) {
			continue
		}
		if begins && trigger(r) {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		begins = separator(r) || begins && unicode.IsSpace(r)
	}
	return b.String()
}

// trigger reports whether a cell that begins with r is computed. The wide forms count: some
// programs fold them.
func trigger(r rune) bool {
	switch r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠', '−', '﹢', '﹣', '﹦', '﹫', '|', '%':
		return true
	}
	return r == utf8.RuneError
}

// separator reports whether some program parts cells at r.
func separator(r rune) bool {
	return strings.ContainsRune(",;|\t\n'\"", r)
}
