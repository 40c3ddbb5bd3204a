package talk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	headerSignature = "X-Slack-Signature"
	headerTimestamp = "X-Slack-Request-Timestamp"
	// window is how far a request's time may be from ours.
	window = 5 * time.Minute
	// maxSeen bounds the signatures that are remembered, about 3 MiB of them. More than
	// fifty presses a second for twenty minutes is not what people do.
	maxSeen = 65_536
)

// refusal is why a request is not Slack's: one of a closed set, to be counted and
// never to be told. The empty one is none.
type refusal string

const (
	refusedOff       refusal = "off"       // there is no signing secret
	refusedBody      refusal = "body"      // too long, or it broke off
	refusedHeaders   refusal = "headers"   // not exactly one of each
	refusedTime      refusal = "time"      // not a time, or not now
	refusedSignature refusal = "signature" // another secret, another body
	refusedReplay    refusal = "replay"    // it came before
	refusedFull      refusal = "full"      // too many came for it to be told from a replay
)

// verifier tells Slack's requests from others: HMAC-SHA256 of "v0:time:body" by the
// signing secret, as Slack's documentation on verifying requests has it. It is
// stricter than that: one header each, lower-case digits, and no request twice.
type verifier struct {
	secret []byte
	max    int // maxSeen

	mu sync.Mutex // guards the rest
	// seen holds the signatures that were accepted, of two generations of which the
	// older one is dropped: each is known for as long as its time is within the window.
	seen, before map[[sha256.Size]byte]struct{}
	turned       time.Time
}

func newVerifier(secret string) *verifier {
	return &verifier{secret: []byte(secret), max: maxSeen, seen: map[[sha256.Size]byte]struct{}{}}
}

// head judges the headers, before a body is read.
func (v *verifier) head(h http.Header, now time.Time) (ts string, signature [sha256.Size]byte, _ refusal) {
	if len(v.secret) == 0 {
		return "", signature, refusedOff
	}
	times, signatures := h.Values(headerTimestamp), h.Values(headerSignature)
	if len(times) != 1 || len(signatures) != 1 {
		return "", signature, refusedHeaders
	}
	ts = times[0]
	if len(ts) < 1 || len(ts) > 11 || ts[0] == '0' || strings.Trim(ts, "0123456789") != "" {
		return "", signature, refusedTime
	}
	at, err := strconv.ParseInt(ts, 10, 64)
	if err != nil || abs(now.Unix()-at) > int64(window/time.Second) {
		return "", signature, refusedTime
	}
	digits, ok := strings.CutPrefix(signatures[0], "v0=")
	if !ok || len(digits) != 2*sha256.Size || strings.Trim(digits, "0123456789abcdef") != "" {
		return "", signature, refusedHeaders
	}
	if _, err := hex.Decode(signature[:], []byte(digits)); err != nil {
		return "", signature, refusedHeaders
	}
	return ts, signature, ""
}

// body judges a request whose headers were judged, and remembers it when it is good.
func (v *verifier) body(ts string, signature [sha256.Size]byte, body []byte, now time.Time) refusal {
	mac := hmac.New(sha256.New, v.secret)
	mac.Write([]byte("v0:" + ts + ":"))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), signature[:]) {
		return refusedSignature
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	// A signature is good until its time, which may be a window ahead, is a window ago.
	if now.Sub(v.turned) > 2*window+time.Second {
		v.seen, v.before, v.turned = map[[sha256.Size]byte]struct{}{}, v.seen, now
	}
	_, here := v.seen[signature]
	_, there := v.before[signature]
	switch {
	case here || there:
		return refusedReplay
	case len(v.seen)+len(v.before) >= v.max:
		return refusedFull
	}
	v.seen[signature] = struct{}{}
	return ""
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
