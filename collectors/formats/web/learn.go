package web

import "strings"

// The bounds of a template that is found by looking.
const (
	maxLearned  = 12 // segments
	maxResource = 256
)

// learn appends the template that a path has by the look of it: {id} for what looks
// like an id, the rest as it stands.
func learn(b []byte, segments []string) []byte {
	start := len(b)
	for i, seg := range segments {
		if i >= maxLearned || len(b)-start+len(seg) > maxResource {
			return append(b, "/**"...)
		}
		b = append(b, '/')
		if LooksLikeID(seg) {
			b = append(b, "{id}"...)
		} else {
			b = append(b, seg...)
		}
	}
	if len(b) == start {
		return append(b, '/')
	}
	return b
}

// LooksLikeID tells whether a path segment is somebody's or something's id: digits, also
// with marks between them (a date, a phone number), a word with a number of three or
// more digits behind it (order-10045), a UUID, eight or more hexadecimal digits, an
// address of mail, or a long token.
func LooksLikeID(s string) bool {
	if len(s) > 48 || strings.IndexByte(s, '@') >= 0 {
		return true
	}
	digit, hex, other, marks, tail := 0, 0, 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digit++
			tail++
			continue
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			hex++
		case c == '-' && len(s) == 36:
		default:
			other++
			if c == '-' || c == '_' || c == ':' || c == '+' {
				marks++
			}
		}
		tail = 0
	}
	switch {
	case digit == 0:
		return false
	case other == 0 && hex == 0:
		return true
	case other == 0:
		return len(s) >= 8
	case other == marks && hex == 0:
		return true
	case tail >= 3 && tail < len(s) && (s[len(s)-tail-1] == '-' || s[len(s)-tail-1] == '_' || s[len(s)-tail-1] == ':'):
		return true
	}
	return len(s) >= 20 && digit >= 4 && !strings.ContainsAny(s, " .")
}
