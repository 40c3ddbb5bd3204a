package web

import "strings"

// conversions are strftime's, as package time writes them.
var conversions = map[byte]string{
	'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'e': "_2", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'z': "-0700", 'Z': "MST",
	'b': "Jan", 'h': "Jan", 'B': "January", 'a': "Mon", 'A': "Monday", 'T': "15:04:05", 'R': "15:04", 'D': "01/02/06", 'F': "2006-01-02",
	'c': "Mon Jan _2 15:04:05 2006", 'j': "002", '%': "%", 'n': "\n", 't': "\t",
}

// Strftime turns strftime's way to write a time into that of package time. %3f, %6f and
// %9f are a fraction, as Envoy has it. ok is false for what can't be read back.
func Strftime(s string) (layout string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i >= len(s) {
			return "", false
		}
		if i+1 < len(s) && s[i+1] == 'f' && (s[i] == '3' || s[i] == '6' || s[i] == '9') {
			b.WriteString("000000000"[:s[i]-'0'])
			i++
			continue
		}
		c, ok := conversions[s[i]]
		if !ok {
			return "", false
		}
		b.WriteString(c)
	}
	return b.String(), true
}
