package cef

import "strings"

// header is what is read of the fields between bars.
type header struct{ vendor, product, id, name string }

// maxKeys bounds the keys of an extension.
const maxKeys = 256

// parse takes a record apart. In the header a bar and a backslash are escaped by a
// backslash, in the extension an equals sign and a backslash.
func parse(s string) (h header, ext map[string]string, ok bool) {
	var field [7]string
	for i := range field {
		end := bar(s)
		if end < 0 {
			if i < 6 {
				return h, nil, false
			}
			// The severity ends the record where there is no extension.
			field[i], s = s, ""
			break
		}
		field[i], s = unescape(s[:end]), s[end+1:]
	}
	h = header{vendor: field[1], product: field[2], id: field[4], name: field[5]}
	return h, extension(s), true
}

// bar finds the next bar that is not escaped.
func bar(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '|':
			return i
		}
	}
	return -1
}

// extension reads key=value pairs. A value may hold spaces: it ends before the last word
// in front of the next equals sign that is not escaped. Of a key given twice the first
// counts.
func extension(s string) map[string]string {
	ext := map[string]string{}
	key, from, word := "", 0, 0 // word is where the latest word begins
	put := func(to int) {
		if _, twice := ext[key]; key != "" && !twice {
			ext[key] = unescape(strings.TrimSpace(s[from:to]))
		}
	}
	for i := 0; i < len(s) && len(ext) < maxKeys; i++ {
		switch s[i] {
		case '\\':
			i++
		case ' ':
			word = i + 1
		case '=':
			if key != "" && word <= from || !isKey(s[word:i]) {
				continue
			}
			put(max(from, word))
			key, from = s[word:i], i+1
		}
	}
	put(len(s))
	return ext
}

// maxKey bounds a key, in bytes.
const maxKey = 64

func isKey(s string) bool {
	if len(s) > maxKey {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c != '_' && c != '.' && c != '-' && c != '[' && c != ']' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}

var escapes = strings.NewReplacer(`\\`, `\`, `\=`, `=`, `\|`, `|`, `\n`, " ", `\r`, " ")

func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return escapes.Replace(s)
}
