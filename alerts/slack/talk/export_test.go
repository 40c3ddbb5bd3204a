package talk

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Waits replaces the waits of t: what Slack is waited for, what a dialogue waits for
// what it shows, the pause before an answer is replaced, and all other pauses. A zero
// keeps what was.
func (t *Talk) Waits(patience, look, trigger time.Duration, wait func(context.Context, time.Duration) error) {
	if patience > 0 {
		t.patience = patience
	}
	if look > 0 {
		t.lookTime = look
	}
	if trigger > 0 {
		t.triggerTime = trigger
	}
	if wait != nil {
		t.wait = wait
	}
}

// Slots is how many acts may be under way.
func (t *Talk) Slots(n int) { t.slots = make(chan struct{}, n) }

// Remember is how many signatures are remembered.
func (t *Talk) Remember(n int) { t.verify.max = n }

// Verifier is the verifier, for its fuzz test.
type Verifier struct{ v *verifier }

// NewVerifier makes one.
func NewVerifier(secret string) Verifier { return Verifier{newVerifier(secret)} }

// Judge says why a request is refused, "" for not.
func (v Verifier) Judge(h http.Header, body []byte, now time.Time) string {
	ts, sig, why := v.v.head(h, now)
	if why == "" {
		why = v.v.body(ts, sig, body, now)
	}
	return string(why)
}

// Incoming is what a parser made.
type Incoming = incoming

// Limits says what of a parsed message is beyond its bounds.
func (in *incoming) Limits() string {
	for _, s := range []string{in.by.ID, in.by.Workspace, in.at.Channel, in.at.Message, in.at.Thread, in.action, in.view, in.dialogue, in.ts} {
		if len(s) > maxID {
			return s
		}
	}
	if len(in.value) > maxValue || len(in.block) > maxValue || len(in.words) > maxCommand || len(in.values) > maxInputs || len(in.text) > maxMeta {
		return "a text"
	}
	for k, v := range in.values {
		if len(k) > maxID || len(v) > maxTyped {
			return k
		}
	}
	return ""
}

// ParsePayload and ParseForm are the parsers; Nearest suggests.
var (
	ParsePayload = parsePayload
	Nearest      = func(s string) string { return nearest(s, words) }
	PayloadID    = func(in Incoming) string { return in.id }
)

// ParseForm parses a command's form.
func ParseForm(body []byte) (Incoming, error) {
	f, err := form(body, "application/x-www-form-urlencoded")
	if err != nil {
		return Incoming{}, err
	}
	return parseCommand(f)
}

// CommandOf makes a form of fields.
func CommandOf(fields map[string]string) url.Values {
	f := url.Values{}
	for k, v := range fields {
		f.Set(k, v)
	}
	return f
}

// Once and Latest are what they are within.
type Once struct{ o *once }

// NewOnce makes one.
func NewOnce() Once { return Once{newOnce()} }

// First is first.
func (o Once) First(id string) bool { return o.o.first(id) }

// Held is how many it remembers.
func (o Once) Held() int { return len(o.o.seen) + len(o.o.before) }
