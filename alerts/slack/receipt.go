package slack

import (
	"errors"
	"strings"
)

// receipt is what the outbox keeps of a message, so that it can be edited:
//
//	C0123ABC/1710000000.000100                            a message
//	C0123ABC/1710000000.000100/F0123ABC/0a1b2c3d          whose picture is this file
//	C0123ABC/1710000000.000100/F0123ABC/0a1b2c3d/refused  that Slack did not show yet
//	C0123ABC/1710000000.000100/F0123ABC/0a1b2c3d/thread   that stands in its thread instead
//
// The fourth part is the picture's mark (picture.Chart.Mark).
type receipt struct {
	channel, ts string
	file, mark  string
	state       string
}

// What became of a picture; empty when it is shown.
const (
	pictureRefused = "refused"
	pictureThread  = "thread"
	// pictureToThread is one that is to be put there; it is never kept.
	pictureToThread = "to thread"
)

// errNoReceipt is an answer that Slack does not give: the library takes
// {"ok":false} without an error, and {}, for success.
var errNoReceipt = errors.New("the answer is not Slack's: it names no message")

// String is the form that is kept.
func (r receipt) String() string {
	if r.ts == "" {
		return ""
	}
	s := r.channel + "/" + r.ts
	if r.file != "" {
		s += "/" + r.file + "/" + r.mark
		if r.state != "" {
			s += "/" + r.state
		}
	}
	return s
}

// parseReceipt takes a receipt apart. It reports false for what is none, as of another
// notifier.
func parseReceipt(s string) (receipt, bool) {
	p := strings.Split(s, "/")
	if len(s) > 128 || len(p) < 2 || len(p) > 5 || !isID(p[0]) || p[1] == "" || strings.Trim(p[1], "0123456789.") != "" {
		return receipt{}, false
	}
	r := receipt{channel: p[0], ts: p[1]}
	if len(p) == 2 {
		return r, true
	}
	if len(p) == 3 || !isID(p[2]) || !isID(p[3]) || len(p) == 5 && p[4] != pictureRefused && p[4] != pictureThread {
		return receipt{}, false
	}
	r.file, r.mark = p[2], p[3]
	if len(p) == 5 {
		r.state = p[4]
	}
	return r, true
}

// isID tells what may be an ID of Slack's.
func isID(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-')
	})
}

// receiptOf is the receipt of an answer.
func receiptOf(channel, ts string, err error) (receipt, error) {
	if err != nil {
		return receipt{}, err
	}
	r, ok := parseReceipt(channel + "/" + ts)
	if !ok {
		return receipt{}, errNoReceipt
	}
	return r, nil
}
