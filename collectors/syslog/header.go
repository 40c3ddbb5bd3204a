package syslog

import (
	"bytes"
	"time"
)

// header is what is looked at of a message's head, to see whether the sender's clock and
// numbers make sense. What the message means is the formats' business.
type header struct {
	// at is zero where the message has no time.
	at        time.Time
	host, app []byte
	// sequence is the number that the originator gives its messages (RFC 5424 section
	// 7.3.1), zero for none.
	sequence int64
}

// readHeader reads a message of RFC 5424 or RFC 3164, with or without its priority. What
// is not there is left out.
func readHeader(text []byte, now time.Time) (h header) {
	if len(text) > 3 && text[0] == '<' {
		end := bytes.IndexByte(text[:min(len(text), 6)], '>')
		if end < 2 {
			return h
		}
		text = text[end+1:]
		if len(text) > 2 && text[0] >= '1' && text[0] <= '9' && text[1] == ' ' {
			return header5424(text[2:])
		}
	}
	switch {
	case len(text) > 16 && text[3] == ' ' && text[6] == ' ' && text[9] == ':' && text[12] == ':' && text[15] == ' ':
		h.at = inYear(text[:15], now)
		text = text[16:]
	case len(text) > 20 && text[4] == '-' && text[10] == 'T':
		stamp, rest, _ := bytes.Cut(text, []byte{' '})
		h.at = stampOf(stamp)
		text = rest
	default:
		return h
	}
	if h.at.IsZero() {
		return h
	}
	host, rest, found := bytes.Cut(text, []byte{' '})
	if !found || len(host) == 0 || host[len(host)-1] == ':' {
		return h
	}
	h.host = host
	if end := bytes.IndexAny(rest[:min(len(rest), 64)], "[: "); end > 0 {
		h.app = rest[:end]
	}
	return h
}

func header5424(text []byte) (h header) {
	var head [5][]byte // time, host, app, process, message id
	for i := range head {
		field, rest, found := bytes.Cut(text, []byte{' '})
		if !found {
			return h
		}
		head[i], text = field, rest
	}
	h.at, h.host, h.app = stampOf(head[0]), head[1], head[2]
	for len(text) > 0 && text[0] == '[' {
		end := elementEnd(text)
		if end < 0 {
			return h
		}
		if element := text[1:end]; bytes.HasPrefix(element, []byte("meta ")) {
			h.sequence = sequenceOf(element)
		}
		text = text[end+1:]
	}
	return h
}

// elementEnd is where a structured data element's bracket closes.
func elementEnd(text []byte) int {
	quoted := false
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			return i
		}
	}
	return -1
}

func sequenceOf(element []byte) int64 {
	const key = ` sequenceId="`
	at := bytes.Index(element, []byte(key))
	if at < 0 {
		return 0
	}
	rest := element[at+len(key):]
	end := bytes.IndexByte(rest[:min(len(rest), 11)], '"')
	if end <= 0 {
		return 0
	}
	n, err := number(rest[:end])
	if err != nil || n > maxSequence {
		return 0
	}
	return n
}

func stampOf(text []byte) time.Time {
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return time.Time{}
	}
	return at
}

// inYear reads a time without year and zone: that of the year which brings it nearest to
// now.
func inYear(text []byte, now time.Time) time.Time {
	at, err := time.Parse(time.Stamp, string(text))
	if err != nil {
		return time.Time{}
	}
	best := time.Time{}
	for year := now.Year() - 1; year <= now.Year()+1; year++ {
		if t := at.AddDate(year, 0, 0); best.IsZero() || t.Sub(now).Abs() < best.Sub(now).Abs() {
			best = t
		}
	}
	return best
}
