package rest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

// Auth shows an API who asks.
type Auth interface {
	// Authorization is the value of the header of that name.
	Authorization(ctx context.Context, c *Client) (string, error)
	// Renew is told that a value was refused, and reports whether another can be had.
	Renew(refused string) bool
}

// Static is a header's value that stays the same. It never prints.
type Static struct{ value string }

// NewStatic makes one of a value, such as "Bearer abc".
func NewStatic(value string) Static { return Static{value} }

// Authorization returns the value.
func (s Static) Authorization(context.Context, *Client) (string, error) { return s.value, nil }

// Renew reports that there is no other.
func (s Static) Renew(string) bool { return false }

// String is the same whatever the value.
func (s Static) String() string { return "[redacted]" }

// GoString is String.
func (s Static) GoString() string { return s.String() }

// Secret is a text that never prints.
type Secret string

// String is the same whatever the secret, and "" for none.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[redacted]"
}

// GoString is String.
func (s Secret) GoString() string { return s.String() }

// MarshalText is String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// TokenRequest is a request for a token.
type TokenRequest struct {
	// Path is where it is posted, Kind the body's media type.
	Path, Kind string
	Body       []byte
}

// Tokens gets tokens that expire (Hardt, RFC 6749, 2012), and others in time. Its zero
// value lacks Ask. It is safe for concurrent use.
type Tokens struct {
	// Ask makes the request. now is the time by the server's clock, as far as known.
	Ask func(now time.Time) (TokenRequest, error)
	// Check looks at the answer; may be nil.
	Check func(c *Client, answer gjson.Result) error

	mu    sync.Mutex // guards value, until
	value string
	until time.Time // zero for a token that does not say when it ends
}

// early is how long before its end a token is not used any more, at most.
const early = time.Minute

// Authorization returns the token in hand, or gets one.
func (t *Tokens) Authorization(ctx context.Context, c *Client) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value != "" && (t.until.IsZero() || c.opts.Now().Before(t.until)) {
		return t.value, nil
	}
	t.value = ""
	req, err := t.Ask(c.Now())
	if err != nil {
		return "", fmt.Errorf("ask %s for a token: %w", c.cfg.Product, err)
	}
	body, err := c.post(ctx, req.Path, req.Kind, req.Body)
	if err != nil {
		return "", fmt.Errorf("get a token: %w", err)
	}
	if !gjson.ValidBytes(body) {
		return "", fmt.Errorf("get a token: %w", c.noJSON(body))
	}
	v := gjson.ParseBytes(body)
	token := v.Get("access_token").Str
	if kind := v.Get("token_type").Str; kind != "" && !strings.EqualFold(kind, "bearer") {
		return "", fmt.Errorf("get a token: %s gives one of another kind than bearer; switch off the proof of possession (DPoP) of the client", c.cfg.Product)
	}
	if token == "" || len(token) > 16<<10 || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("get a token: " + c.cfg.Product + " gives none that can be used")
	}
	if t.Check != nil {
		if err := t.Check(c, v); err != nil {
			return "", fmt.Errorf("get a token: %w", err)
		}
	}
	t.value, t.until = "Bearer "+token, time.Time{}
	if lasts := time.Duration(min(v.Get("expires_in").Float(), 1e9)) * time.Second; lasts > 0 {
		t.until = c.opts.Now().Add(lasts - min(early, lasts/10))
	}
	return t.value, nil
}

// Renew forgets a token that was refused.
func (t *Tokens) Renew(refused string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == refused {
		t.value = ""
	}
	return true
}
