package vigil

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The types of the control records by which people's words enter the log.
const (
	ControlVerdict   = "verdict"   // a Verdict
	ControlException = "exception" // an Exception
)

// Word is what an analyst says of a finding.
type Word string

// The words. Breach and misuse say that it was illegitimate, expected that it was
// not; unknown that it can't be told, which teaches nothing.
const (
	WordBreach   Word = "breach"
	WordMisuse   Word = "misuse"
	WordExpected Word = "expected"
	WordUnknown  Word = "unknown"
)

// Words lists the closed set in a fixed order.
func Words() []Word { return []Word{WordBreach, WordMisuse, WordExpected, WordUnknown} }

// Bad says that the word means an illegitimate access.
func (w Word) Bad() bool { return w == WordBreach || w == WordMisuse }

// Known reports whether w is one of the words.
func (w Word) Known() bool {
	switch w {
	case WordBreach, WordMisuse, WordExpected, WordUnknown:
		return true
	}
	return false
}

// MaxNote bounds an analyst's note, in bytes; MaxBy the name of who speaks.
const (
	MaxNote = 1_000
	MaxBy   = 200
)

// Verdict is an analyst's word about a finding, or that the word is taken back. It
// enters the log as a control record; the latest of a finding is in force.
type Verdict struct {
	Finding string `json:"finding"`
	// Word is empty when the verdict before is taken back.
	Word Word `json:"word,omitempty"`
	// By is the pseudonym of who says so, Note what they remarked.
	By   string    `json:"by"`
	Note string    `json:"note,omitempty"`
	Time time.Time `json:"time"`
	// Whom the finding is about, and when: copied from it, so that the log alone
	// says what is to be taken out of the baselines.
	About  About     `json:"about,omitempty"`
	Actor  string    `json:"actor,omitempty"`
	Tenant string    `json:"tenant,omitempty"`
	Start  time.Time `json:"start,omitzero"`
	End    time.Time `json:"end,omitzero"`
}

// Undone says that the verdict before is taken back.
func (v *Verdict) Undone() bool { return v.Word == "" }

// Clean gives the verdict the form in which it is kept, or says what is wrong.
func (v *Verdict) Clean() error {
	if v.Finding == "" {
		return errors.New("the verdict names no finding")
	}
	if v.Word != "" && !v.Word.Known() {
		return fmt.Errorf("%q is no verdict; say breach, misuse, expected or unknown", v.Word)
	}
	if v.By = plain(v.By, MaxBy); v.By == "" {
		return errors.New("nobody is named who gives the verdict")
	}
	v.Note = plain(v.Note, MaxNote)
	v.Time = v.Time.UTC().Round(0)
	return nil
}

// plain is s on one line, without what does not print, at most max bytes.
func plain(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1 // also what turns the direction of a text
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return strings.TrimSpace(s[:max])
}

// Triage is how likely a finding is a breach, learnt from what people said of
// findings before. It orders the queue and hides nothing.
type Triage struct {
	// Known is false while too little has been said to learn from; P is 0 then, and
	// Why says what is lacking.
	Known bool `json:"known"`
	// P is the calibrated probability, 0 to 1.
	P float64 `json:"p"`
	// Why names what speaks for and against, the weightiest first.
	Why string `json:"why"`
}
