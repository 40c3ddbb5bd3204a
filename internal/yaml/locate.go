package yaml

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// locate finds the line and column, from 1, of the rune at offset of a scalar's
// value in the text that it was written in: quotes, folded lines and indentation
// are in the text and not in the value. It walks along both; white space matches
// any white space, and the marks of escapes are passed over.
func locate(text string, from *token.Position, value string, offset int) (line, column int) {
	line = 1
	for line < from.Line {
		_, rest, more := strings.Cut(text, "\n")
		if !more {
			break
		}
		text = rest
		line++
	}
	// A block's token stands on its first line, though its column is not told.
	column = 1
	step := func() {
		r, n := utf8.DecodeRuneInString(text)
		text = text[n:]
		column++
		if r == '\n' {
			line++
			column = 1
		}
	}
	for column < from.Column && text != "" && text[0] != '\n' {
		step()
	}
	space := func() {
		for text != "" {
			if r, _ := utf8.DecodeRuneInString(text); !unicode.IsSpace(r) {
				return
			}
			step()
		}
	}
	if text != "" && (text[0] == '"' || text[0] == '\'') && !strings.HasPrefix(value, text[:1]) {
		step()
	}
	if text != "" && (text[0] == '|' || text[0] == '>') && !strings.HasPrefix(value, text[:1]) {
		for text != "" && text[0] != '\n' {
			step()
		}
	}
	runes := []rune(value)
	for i, r := range runes {
		if !unicode.IsSpace(r) {
			space()
			if strings.HasPrefix(text, `\`) && r != '\\' {
				step()
			}
		}
		if i >= offset || text == "" {
			break
		}
		if !unicode.IsSpace(r) {
			step()
			if r == '\'' && strings.HasPrefix(text, "'") && (i+1 == len(runes) || runes[i+1] != '\'') {
				step() // a quote in single quotes is written twice
			}
		}
	}
	return line, column
}
