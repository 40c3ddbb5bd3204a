package web

import (
	"strings"
	"unicode/utf8"
)

// Unescape turns \xNN, and \" and \\, as nginx and Apache write them, into characters.
// What would be a control character or no UTF-8 stays as it stands, so that nothing is
// lost and nothing can pose as a line end.
func Unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return escapeInvalid(s)
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if s[i+1] == '"' || s[i+1] == '\\' {
				i++
				b = append(b, s[i])
				continue
			}
			if c, ok := hexEscape(s[i:]); ok && c >= ' ' && c != 0x7f {
				b = append(b, c)
				i += 3
				continue
			}
		}
		b = append(b, s[i])
	}
	return escapeInvalid(string(b))
}

// hexEscape reads \xNN.
func hexEscape(s string) (byte, bool) {
	if len(s) < 4 || s[1] != 'x' {
		return 0, false
	}
	hi, lo := nibble(s[2]), nibble(s[3])
	return hi<<4 | lo, hi < 16 && lo < 16
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// escapeInvalid writes control characters and bytes that are no UTF-8 as nginx
// would.
func escapeInvalid(s string) string {
	if Printable(s) {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' || r == 0x7f {
			b.WriteString(`\x`)
			b.WriteByte(hex[s[i]>>4])
			b.WriteByte(hex[s[i]&15])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// Printable tells whether s holds no control character and is UTF-8.
func Printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf {
			return printableRunes(s[i:])
		} else if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

func printableRunes(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return false
		}
	}
	return true
}
