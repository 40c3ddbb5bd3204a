package slack

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Slack reads three kinds of text. In all of them & < > begin something: an
// entity, a mention, a link. In mrkdwn * _ ~ ` and :name: do too. So foreign text
// has & < > escaped everywhere, goes into plain_text where it can, and where it
// must stand in mrkdwn it is either a name in a code span, which Slack shows as
// it is, or prose whose marks are replaced by their look-alikes.

var entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escape makes text safe for every kind of text object, and cuts it so that its
// escaped form has at most max characters, never within an entity.
func escape(s string, max int) string {
	s = defang(s)
	if len(s) <= max && !strings.ContainsAny(s, "&<>") {
		return s
	}
	var b strings.Builder
	n := 0
	for i, r := range s {
		e := string(r)
		switch r {
		case '&', '<', '>':
			e = entities.Replace(e)
		}
		w := utf8.RuneCountInString(e)
		// Room is kept for an ellipsis unless this is the last character.
		if n+w > max-1 && (n+w > max || i+utf8.RuneLen(r) < len(s)) {
			if max > 0 {
				b.WriteString("…")
			}
			return b.String()
		}
		b.WriteString(e)
		n += w
	}
	return b.String()
}

// defang keeps addresses readable but not clickable.
func defang(s string) string { return strings.ReplaceAll(s, "://", "[:]//") }

var emoji = regexp.MustCompile(`:([A-Za-z0-9_+'-]+):`)

// prose makes foreign text safe within mrkdwn: marks become look-alikes that
// mark nothing.
func prose(s string, max int) string {
	// At the head of a line, Slack takes this one for a quotation.
	if t := strings.TrimLeft(s, " "); strings.HasPrefix(t, ">") {
		s = "›" + t[1:]
	}
	if strings.ContainsAny(s, "*~`_:") {
		// Twice, since a colon may end one name and begin the next.
		s = emoji.ReplaceAllString(s, "∶$1∶")
		s = emoji.ReplaceAllString(s, "∶$1∶")
		var b strings.Builder
		rs := []rune(s)
		for i, r := range rs {
			switch r {
			case '*':
				r = '∗'
			case '~':
				r = '∼'
			case '`':
				r = 'ˋ'
			case '_':
				// Within a word it marks nothing, and names keep their form.
				if i == 0 || i == len(rs)-1 || !wordRune(rs[i-1]) || !wordRune(rs[i+1]) {
					r = 'ˍ'
				}
			}
			b.WriteRune(r)
		}
		s = b.String()
	}
	return escape(s, max)
}

func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// code makes a code span of a foreign name.
func code(s string, max int) string {
	s = strings.ReplaceAll(s, "`", "ˋ")
	s = strings.TrimSpace(s)
	if s == "" {
		s = "?"
	}
	return "`" + escape(s, max-2) + "`"
}
