package influx

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxTag is the length in bytes to which an encoded tag value is held.
const MaxTag = 256

const hexDigits = "0123456789ABCDEF"

// EncodeTag makes a tag value of any string. What the line protocol can't carry
// without doubt (a backslash, control and invisible characters, bytes that are
// no UTF-8) and the percent sign become %XX per byte; DecodeTag undoes it. The
// client escapes comma, space and equals sign itself, but not the backslash, so
// that a value ending in one would swallow the next tag. Values longer than
// MaxTag are cut and end in a hash of the whole, so that two stay two.
func EncodeTag(v string) string {
	plain := len(v) <= MaxTag
	for i := 0; plain && i < len(v); i++ {
		plain = v[i] > ' ' && v[i] < utf8.RuneSelf && v[i] != '\\' && v[i] != '%' && v[i] != 0x7f
	}
	if plain {
		return v
	}
	var b strings.Builder
	b.Grow(len(v) + 16)
	for i := 0; i < len(v); {
		r, size := utf8.DecodeRuneInString(v[i:])
		invalid := r == utf8.RuneError && size == 1
		// IsPrint is letters, marks, numbers, punctuation, symbols and the plain
		// space: no control, no bidi or zero-width character.
		if invalid || r == '\\' || r == '%' || !unicode.IsPrint(r) {
			for _, c := range []byte(v[i : i+size]) {
				b.WriteByte('%')
				b.WriteByte(hexDigits[c>>4])
				b.WriteByte(hexDigits[c&15])
			}
		} else {
			b.WriteString(v[i : i+size])
		}
		i += size
		if b.Len() > MaxTag {
			return cutTag(b.String(), v)
		}
	}
	return b.String()
}

// cutTag cuts an encoded value at a character and appends a hash of the value.
func cutTag(encoded, value string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(value))
	const tail = 2 + 16
	cut := MaxTag - tail
	for cut > 0 && !utf8.RuneStart(encoded[cut]) {
		cut--
	}
	// No half of a %XX.
	if i := strings.LastIndexByte(encoded[:cut], '%'); i >= 0 && cut-i < 3 {
		cut = i
	}
	return fmt.Sprintf("%s..%016x", encoded[:cut], h.Sum64())
}

// DecodeTag returns the value of which EncodeTag made s, where it was not cut.
func DecodeTag(s string) string {
	v, err := url.PathUnescape(s)
	if err != nil {
		return s
	}
	return v
}
