package syslog

import (
	"bytes"

	"vigil/collectors/formats"
)

// MaxMessage bounds a message, in bytes. Of a longer one the rest is skipped, and it is
// set aside.
const MaxMessage = formats.MaxLine

// maxCount is the largest length of a message that is believed: more than that is no
// length but the start of a line.
const maxCount = 64 << 20

// frame is one message as it was cut out of what came.
type frame struct {
	// text is valid until the next call.
	text []byte
	// whole says that the message may hold line ends, since it was not cut at them.
	whole bool
	// long is the size of a message of which text is the first MaxMessage bytes, else 0.
	long int64
	// missing is how many bytes were announced that did not come before the end.
	missing int64
}

// framing cuts messages out of a stream. next looks at what is there: used bytes of it
// are done with, ok says that f is a message. With neither it needs more; with bytes alone
// it is to be asked again. eof says that there is no more.
type framing interface {
	next(p []byte, eof bool) (f frame, used int, ok bool, err error)
	// inside says that a message has begun of which the start is used already.
	inside() bool
}

// splitter is the framing of RFC 6587 (Gerhards and Lonvick, Transmission of Syslog
// Messages over TCP, 2012), told for each message anew: octet counting where it begins
// with a number, a space and "<" (or where the last message was counted), else a line.
// At most MaxMessage bytes and a few must be there at once.
type splitter struct {
	counted bool
	// scanned is how far a line was looked through for its end.
	scanned int
	// head is the start of a message that is too long, size what came of it so far; of a
	// counted one left is still to come.
	head    []byte
	size    int64
	left    int64
	skipped skipping
}

type skipping int

const (
	skipNothing skipping = iota
	skipCounted
	skipLine
)

func (s *splitter) inside() bool { return s.skipped != skipNothing }

func (s *splitter) next(p []byte, eof bool) (f frame, used int, ok bool, err error) {
	switch s.skipped {
	case skipCounted:
		n := min(int64(len(p)), s.left)
		s.left -= n
		if s.left > 0 && !eof {
			return f, int(n), false, nil
		}
		f = s.endSkip(s.left)
		f.whole = true
		return f, int(n), true, nil
	case skipLine:
		end := bytes.IndexByte(p, '\n')
		if end < 0 && !eof {
			s.size += int64(len(p))
			return f, len(p), false, nil
		}
		if end < 0 {
			end = len(p)
		}
		s.size += int64(end)
		return s.endSkip(0), min(end+1, len(p)), true, nil
	case skipNothing:
	}
	// Line ends between messages are nobody's.
	for used < len(p) && (p[used] == '\n' || p[used] == '\r' || p[used] == 0) {
		used++
	}
	if used > 0 {
		s.scanned = 0
	}
	p = p[used:]
	if len(p) == 0 {
		return f, used, false, nil
	}
	start, count, known := s.count(p, eof)
	if !known {
		return f, used, false, nil
	}
	if start > 0 {
		f, n, ok := s.countedNext(p, start, count, eof)
		return f, used + n, ok, nil
	}
	f, n, ok := s.lineNext(p, eof)
	return f, used + n, ok, nil
}

// count reads the length before a message: start is where the message begins, zero when
// it has none. known is false where more must be there to tell.
func (s *splitter) count(p []byte, eof bool) (start int, n int64, known bool) {
	if p[0] < '1' || p[0] > '9' {
		return 0, 0, true
	}
	i := 0
	for ; i < len(p) && p[i] >= '0' && p[i] <= '9'; i++ {
		n = n*10 + int64(p[i]-'0')
		if n > maxCount {
			return 0, 0, true
		}
	}
	switch {
	case i == len(p):
		return 0, 0, eof
	case p[i] != ' ':
		return 0, 0, true
	case s.counted:
		return i + 1, n, true
	case i+1 == len(p):
		return 0, 0, eof
	case p[i+1] == '<':
		return i + 1, n, true
	}
	return 0, 0, true
}

func (s *splitter) countedNext(p []byte, start int, n int64, eof bool) (f frame, used int, ok bool) {
	s.counted, s.scanned = true, 0
	there := int64(len(p) - start)
	switch {
	case n <= MaxMessage && there >= n:
		return frame{text: p[start : start+int(n)], whole: true}, start + int(n), true
	case n > MaxMessage && there >= MaxMessage:
		s.head = bytes.Clone(p[start : start+MaxMessage])
		s.size, s.left, s.skipped = n, n-MaxMessage, skipCounted
		return f, start + MaxMessage, false
	case eof:
		return frame{text: p[start:], whole: true, missing: n - there}, len(p), true
	}
	return f, 0, false
}

func (s *splitter) lineNext(p []byte, eof bool) (f frame, used int, ok bool) {
	s.counted = false
	end := bytes.IndexByte(p[s.scanned:], '\n')
	if end >= 0 {
		end += s.scanned
	}
	switch {
	case end > MaxMessage || end < 0 && len(p) > MaxMessage:
		s.head = bytes.Clone(p[:MaxMessage])
		s.size, s.skipped, s.scanned = MaxMessage, skipLine, 0
		return f, MaxMessage, false
	case end >= 0:
		s.scanned = 0
		return frame{text: p[:end]}, end + 1, true
	case eof:
		s.scanned = 0
		return frame{text: p}, len(p), true
	}
	s.scanned = len(p)
	return f, 0, false
}

func (s *splitter) endSkip(missing int64) frame {
	f := frame{text: s.head, long: s.size, missing: missing}
	s.head, s.size, s.left, s.skipped = nil, 0, 0, skipNothing
	return f
}

// clean takes the line end off a message, and makes those within it spaces: what was sent
// as one message must not become two records.
func (f *frame) clean() {
	f.text = bytes.TrimRight(f.text, "\r\n\x00 ")
	if !f.whole {
		return
	}
	for i, c := range f.text {
		if c == '\n' || c == '\r' {
			f.text[i] = ' '
		}
	}
}
