package rules

import (
	"errors"
	"strings"
)

// wordList finds words in texts, in any case, as words of their own: "psql" in
// "psql 16.2", "audit" in "audit_log", and not in "auditorium".
type wordList struct {
	words []string
	first [256]bool // the bytes that words begin with, in both cases
}

func newWordList(words []string) *wordList {
	l := &wordList{}
	for _, w := range words {
		if w == "" {
			continue
		}
		l.words = append(l.words, w)
		for _, c := range []byte(strings.ToLower(w[:1]) + strings.ToUpper(w[:1])) {
			l.first[c] = true
		}
	}
	return l
}

// in reports whether one of the words stands in text.
func (l *wordList) in(text string) bool {
	for at := range len(text) {
		if !l.first[text[at]] || at > 0 && letter(text[at-1]) {
			continue
		}
		for _, w := range l.words {
			end := at + len(w)
			if end <= len(text) && (end == len(text) || !letter(text[end])) && strings.EqualFold(text[at:end], w) {
				return true
			}
		}
	}
	return false
}

// letter tells what makes a longer word of a word.
func letter(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// mentions is the function of that name for lists of texts.
func mentions(text string, words []string) bool { return newWordList(words).in(text) }

// mentioned is mentions for a list of which the machine does not know the type.
func mentioned(text string, words any) (bool, error) {
	switch list := words.(type) {
	case []string:
		return mentions(text, list), nil
	case []any:
		var texts []string
		for _, w := range list {
			if s, ok := w.(string); ok {
				texts = append(texts, s)
			}
		}
		return mentions(text, texts), nil
	}
	return false, errors.New("mentions needs a list of words")
}

// known is the function of that name.
func known(n int64) bool { return n >= 0 }
