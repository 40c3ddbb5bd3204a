package feeds

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// plain returns a text without its byte order mark, or says why it is none.
func plain(name string, text []byte) ([]byte, error) {
	fail := func(line int, message, remedy string) error {
		return &Error{Problem{File: name, Line: line, Message: message, Remedy: remedy}}
	}
	switch {
	case len(text) > MaxText:
		return nil, fail(0, fmt.Sprintf("the text has %d bytes, at most %d are read", len(text), MaxText), "split it into several feeds")
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}), bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		return nil, fail(1, "the text is UTF-16", `save it as UTF-8 (in a spreadsheet: "CSV UTF-8")`)
	}
	text = bytes.TrimPrefix(text, []byte{0xef, 0xbb, 0xbf})
	if at := bytes.IndexByte(text, 0); at >= 0 {
		if at < 4 {
			return nil, fail(1, "the text is UTF-16 or no text at all", `save it as UTF-8 (in a spreadsheet: "CSV UTF-8")`)
		}
		return nil, fail(lineOf(text, at), "there is a zero byte: this is no text", "export it as CSV, JSON or YAML")
	}
	if utf8.Valid(text) {
		return text, nil
	}
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		at += size
	}
	return nil, fail(lineOf(text, at), fmt.Sprintf("the byte 0x%02X is no UTF-8; the text is likely Latin-1 or Windows-1252", text[at]), "save it as UTF-8")
}

func lineOf(text []byte, offset int) int { return 1 + bytes.Count(text[:offset], []byte{'\n'}) }
