package syslog

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// The bounds of a RELP frame's head, in bytes.
const (
	maxDigits  = 9
	maxCommand = 32
	maxTxnr    = 999_999_999
)

// errRELP is a peer that does not speak RELP.
var errRELP = errors.New("this is no RELP")

// relpFrame is the head of a frame.
type relpFrame struct {
	txnr    int64
	command string
}

// relp is the framing of RELP, the Reliable Event Logging Protocol of Gerhards' librelp:
//
//	TXNR SP COMMAND SP DATALEN [SP DATA] LF
//
// A frame's data is the message; head is what stood before it. As with splitter, at most
// MaxMessage bytes and a few must be there at once.
type relp struct {
	head relpFrame
	// began says that head is read and size bytes of data follow, of which left are still
	// to be skipped once the first MaxMessage are in start.
	began bool
	size  int64
	start []byte
	left  int64
}

func (r *relp) inside() bool { return r.began }

func (r *relp) next(p []byte, eof bool) (f frame, used int, ok bool, err error) {
	if !r.began {
		// librelp ends frames with one LF; more of them, as people at a terminal send, do no harm.
		for used < len(p) && p[used] == '\n' {
			used++
		}
		n, ok, err := r.readHead(p[used:])
		if err != nil || !ok {
			return f, used, false, err
		}
		used += n
	}
	if r.start == nil {
		there := int64(len(p) - used)
		switch {
		case r.size <= MaxMessage && there > r.size:
			end := used + int(r.size)
			if p[end] != '\n' {
				return f, used, false, fmt.Errorf("%w: a frame of %d bytes does not end where it says", errRELP, r.size)
			}
			f = frame{text: p[used:end], whole: true}
			*r = relp{head: r.head}
			return f, end + 1, true, nil
		case r.size <= MaxMessage || there < MaxMessage:
			return f, used, false, nil
		}
		r.start = bytes.Clone(p[used : used+MaxMessage])
		r.left = r.size - MaxMessage
		used += MaxMessage
	}
	if r.left > 0 {
		n := min(r.left, int64(len(p)-used))
		r.left -= n
		used += int(n)
	}
	if r.left > 0 || used == len(p) {
		return f, used, false, nil
	}
	if p[used] != '\n' {
		return f, used, false, fmt.Errorf("%w: a frame of %d bytes does not end where it says", errRELP, r.size)
	}
	f = frame{text: r.start, whole: true, long: r.size}
	*r = relp{head: r.head}
	return f, used + 1, true, nil
}

// readHead reads as far as the space before the data, or, where there is none, up to the
// line end.
func (r *relp) readHead(p []byte) (used int, ok bool, err error) {
	const most = maxDigits + 1 + maxCommand + 1 + maxDigits
	head := p[:min(len(p), most+1)]
	field := func(what string, longest int) ([]byte, byte, bool, error) {
		end := bytes.IndexAny(head, " \n")
		if end < 0 {
			if len(head) > longest {
				return nil, 0, false, fmt.Errorf("%w: the %s of a frame is too long", errRELP, what)
			}
			return nil, 0, false, nil
		}
		if end == 0 || end > longest {
			return nil, 0, false, fmt.Errorf("%w: the %s of a frame has %d bytes", errRELP, what, end)
		}
		text, by := head[:end], head[end]
		head = head[end+1:]
		used += end + 1
		return text, by, true, nil
	}
	txnr, by, ok, err := field("number", maxDigits)
	if err != nil || !ok {
		return 0, false, err
	}
	if by != ' ' {
		return 0, false, fmt.Errorf("%w: a frame has no command", errRELP)
	}
	command, by, ok, err := field("command", maxCommand)
	if err != nil || !ok {
		return 0, false, err
	}
	if by != ' ' {
		return 0, false, fmt.Errorf("%w: a frame has no length", errRELP)
	}
	length, by, ok, err := field("length", maxDigits)
	if err != nil || !ok {
		return 0, false, err
	}
	n, errN := number(txnr)
	size, errSize := number(length)
	switch {
	case errN != nil || errSize != nil:
		return 0, false, fmt.Errorf("%w: a frame does not begin with its number, command and length", errRELP)
	case size > maxCount:
		return 0, false, fmt.Errorf("%w: a frame of %d bytes is announced", errRELP, size)
	case by == '\n' && size > 0:
		return 0, false, fmt.Errorf("%w: a frame has no data where %d bytes are announced", errRELP, size)
	}
	if by == '\n' {
		used-- // the frame's end
	}
	r.head, r.size, r.began = relpFrame{n, string(command)}, size, true
	return used, true, nil
}

func number(text []byte) (int64, error) {
	n := int64(0)
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, errRELP
		}
		n = n*10 + int64(c-'0')
	}
	return n, nil
}

// appendResponse appends the answer to frame txnr: a code and what it says.
func appendResponse(out []byte, txnr int64, answer string) []byte {
	out = strconv.AppendInt(out, txnr, 10)
	out = append(out, " rsp "...)
	out = strconv.AppendInt(out, int64(len(answer)), 10)
	if answer != "" {
		out = append(out, ' ')
		out = append(out, answer...)
	}
	return append(out, '\n')
}

// session is what one RELP connection has agreed on and owes.
type session struct {
	open bool
	last int64
	// owed are the messages that are not acknowledged yet, in order.
	owed []debt
}

// debt is a message that awaits its acknowledgement: its number, and its place, by which
// the decoder says whether its record has come out.
type debt struct{ txnr, at int64 }

// offers is our half of the opening.
const offers = "200 OK\nrelp_version=0\nrelp_software=vigil\ncommands=syslog"

// opening answers the sender's half.
func opening(data []byte) (answer string, ok bool) {
	version, commands := []byte("0"), []byte("syslog")
	for line := range bytes.SplitSeq(data, []byte{'\n'}) {
		key, value, _ := bytes.Cut(bytes.TrimRight(line, "\r"), []byte{'='})
		switch string(key) {
		case "relp_version":
			version = value
		case "commands":
			commands = value
		}
	}
	if v := string(version); v != "0" && v != "1" {
		return "500 only relp_version 0 and 1 are spoken here", false
	}
	for c := range bytes.SplitSeq(commands, []byte{','}) {
		if string(bytes.TrimSpace(c)) == "syslog" {
			return offers, true
		}
	}
	return "500 the command syslog is required", false
}

// number notes a frame's number and says how many are missing before it. A number that
// goes back is an error: the peer is out of step.
func (s *session) number(txnr int64) (missing int64, err error) {
	next := s.last%maxTxnr + 1
	switch {
	case s.last == 0 || txnr == next:
	case txnr > next:
		missing = txnr - next
	default:
		return 0, fmt.Errorf("%w: frame %d comes after %d", errRELP, txnr, s.last)
	}
	s.last = txnr
	return missing, nil
}

// settle appends the acknowledgements of what is kept: all up to the first message that
// the decoder still holds.
func (s *session) settle(out []byte, pending int64, held bool) []byte {
	n := 0
	for ; n < len(s.owed); n++ {
		if held && s.owed[n].at == pending {
			break
		}
		out = appendResponse(out, s.owed[n].txnr, "200 OK")
	}
	s.owed = s.owed[:copy(s.owed, s.owed[n:])]
	return out
}
