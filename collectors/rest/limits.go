package rest

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// unsaid is the wait for a limit that does not say how long it lasts.
	unsaid = time.Minute
	// longest bounds what a server may ask to wait.
	longest = 24 * time.Hour
	// spent is the share of a daily quota beyond which the rest is left to others, and
	// quotaWait how long then.
	spent     = 0.95
	quotaWait = 15 * time.Minute
)

// patience waits until the API may be asked again.
func (c *Client) patience(ctx context.Context) error {
	c.mu.Lock()
	until := c.hold
	c.mu.Unlock()
	left := until.Sub(c.opts.Now())
	switch {
	case left <= 0:
		return nil
	case left > maxWait:
		return &LimitError{Product: c.cfg.Product, Until: until}
	}
	if err := c.opts.Wait(ctx, left); err != nil {
		return fmt.Errorf("wait for %s's limit: %w", c.cfg.Product, err)
	}
	return nil
}

// holdFor lets nothing be asked for so long.
func (c *Client) holdFor(d time.Duration) {
	d = min(max(d, 0), longest)
	until := c.opts.Now().Add(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	if until.After(c.hold) {
		c.hold = until
	}
}

// noteTime keeps how far the server's clock is from ours.
func (c *Client) noteTime(h http.Header) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew, c.dated = at.Sub(c.opts.Now().Truncate(time.Second)), true
}

// first is the first of the headers that is there.
func first(h http.Header, names ...string) string {
	for _, n := range names {
		if v := strings.TrimSpace(h.Get(n)); v != "" {
			return v
		}
	}
	return ""
}

// noteLimits holds back where an answer says that it was the last for now.
func (c *Client) noteLimits(resp *http.Response) {
	if first(resp.Header, "X-Rate-Limit-Remaining", "X-RateLimit-Remaining", "RateLimit-Remaining") == "0" {
		if d, ok := c.reset(resp.Header); ok {
			c.holdFor(d)
		}
	}
	// Salesforce: api-usage=4800/5000, of a day.
	if usage, ok := strings.CutPrefix(resp.Header.Get("Sforce-Limit-Info"), "api-usage="); ok {
		usage, _, _ = strings.Cut(usage, ",")
		used, most, _ := strings.Cut(usage, "/")
		u, err1 := strconv.ParseFloat(used, 64)
		m, err2 := strconv.ParseFloat(most, 64)
		if err1 == nil && err2 == nil && m > 0 && u >= spent*m {
			c.holdFor(quotaWait)
		}
	}
}

// reset is how long until the limit's window ends: a time, or seconds.
func (c *Client) reset(h http.Header) (time.Duration, bool) {
	text := first(h, "X-Rate-Limit-Reset", "X-RateLimit-Reset", "RateLimit-Reset")
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || n < 0 || n > 1e11 {
		return 0, false
	}
	if n > 1e9 {
		return time.Unix(int64(n), 0).Sub(c.Now()) + time.Second, true
	}
	return time.Duration(n * float64(time.Second)), true
}

// limited reports whether a refusal is one of a limit, and holds back for as long as it
// says.
func (c *Client) limited(resp *http.Response, e *StatusError) bool {
	after := resp.Header.Get("Retry-After")
	switch {
	case e.Status == http.StatusTooManyRequests:
	case e.Status == http.StatusServiceUnavailable && after != "":
	case strings.EqualFold(e.Code, "REQUEST_LIMIT_EXCEEDED"):
		c.holdFor(quotaWait)
		return true
	default:
		return false
	}
	d, ok := retryAfter(after, c.Now())
	if !ok {
		if d, ok = c.reset(resp.Header); !ok {
			d = unsaid
		}
	}
	c.holdFor(d)
	return true
}

// retryAfter reads the header: seconds or a date.
func retryAfter(text string, now time.Time) (time.Duration, bool) {
	if n, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
		if math.IsNaN(n) || n < 0 {
			return 0, false
		}
		return time.Duration(min(n, longest.Seconds()) * float64(time.Second)), true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return max(at.Sub(now), 0), true
}
