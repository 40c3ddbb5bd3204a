package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigil/alerts"
)

const (
	// MaxAfter bounds the wait that a service may ask for.
	MaxAfter = time.Hour
	// maxSaid bounds what an error repeats of an answer, in characters.
	maxSaid = 200
	// leastSecret is how long a part of the address must be to be taken for a secret.
	leastSecret = 6
)

// judge says what an answer's status means: nil for 2xx.
func (c *Client) judge(a *Answer, u *url.URL, r Request) error {
	if a.Status >= 200 && a.Status < 300 {
		return nil
	}
	text := fmt.Sprintf("%s: %s answers with HTTP status %d", c.cfg.Channel, hostOf(u), a.Status)
	if said := scrub(said(a), u, r, maxSaid); said != "" {
		text += " (" + said + ")"
	}
	err := errors.New(text)
	remedy := c.cfg.Remedies[a.Status]
	switch s := a.Status; {
	case s == http.StatusTooManyRequests, s == http.StatusRequestTimeout, s == http.StatusTooEarly, s >= 500:
		// A gateway that gave up on what is behind it does not know what became of it.
		doubt := s >= 500 && s != http.StatusServiceUnavailable && s != http.StatusNotImplemented
		return &alerts.RetryError{Err: err, After: After(a.Header.Get("Retry-After"), time.Now()), InDoubt: doubt}
	case s < 200:
		return &alerts.RetryError{Err: err, InDoubt: true}
	case s < 400:
		return &alerts.RefusedError{Err: err, All: true, Remedy: orElse(remedy, "a redirect is not followed, since the request holds secrets: give the address to which it leads")}
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		return &alerts.RefusedError{Err: err, All: true, Remedy: orElse(remedy, "check the "+c.cfg.Channel+" credentials and address: they may be mistyped, expired or withdrawn")}
	case s == http.StatusNotFound, s == http.StatusGone, s == http.StatusMethodNotAllowed:
		return &alerts.RefusedError{Err: err, All: true, Remedy: orElse(remedy, "check the "+c.cfg.Channel+" address: nothing takes alerts there")}
	case s == http.StatusProxyAuthRequired:
		return &alerts.RefusedError{Err: err, All: true, Remedy: orElse(remedy, "the proxy wants a user and a password: give them in HTTPS_PROXY")}
	}
	return &alerts.RefusedError{Err: err, Remedy: orElse(remedy, "please report it, with the finding's ID")}
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// said is what an answer says, when it is words rather than a page.
func said(a *Answer) string {
	if t := a.Header.Get("Content-Type"); strings.Contains(t, "html") || strings.HasPrefix(strings.TrimSpace(string(a.Body[:min(len(a.Body), 64)])), "<") {
		return ""
	}
	return strings.TrimSpace(string(a.Body))
}

// broken says what became of a request that got no answer.
func (c *Client) broken(err error, u *url.URL, r Request, sent bool) error {
	// net/http repeats the address before the cause.
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	to := c.cfg.Channel + ": " + hostOf(u)
	var refused *addressError
	if errors.As(err, &refused) {
		return &alerts.RefusedError{Err: fmt.Errorf("%s is not spoken to: %w", to, refused.err), All: true}
	}
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		verify  *tls.CertificateVerificationError
		timeout net.Error
	)
	var text string
	switch {
	case errors.Is(err, context.Canceled):
		text = to + " was not waited for: vigil is ending"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		text = to + " does not answer in time"
	case errors.As(err, &unknown):
		text = to + " shows a certificate of an unknown authority: give that authority's certificate in ca_file"
	case errors.As(err, &name), errors.As(err, &invalid), errors.As(err, &verify):
		text = to + " shows a certificate that is not valid: " + scrub(err.Error(), u, r, 300)
	default:
		text = to + " can't be reached: " + scrub(err.Error(), u, r, 300)
	}
	return &alerts.RetryError{Err: errors.New(text), InDoubt: sent}
}

// After reads a Retry-After header: seconds, or a date as of now. What makes no sense
// and what is past is zero; more than MaxAfter is MaxAfter.
func After(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if header == "" {
		return 0
	}
	if strings.Trim(header, "0123456789") == "" {
		n, err := strconv.ParseInt(header, 10, 64)
		if err != nil || n > int64(MaxAfter/time.Second) {
			return MaxAfter
		}
		return time.Duration(n) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), MaxAfter)
}

// scrub makes foreign text fit for an error: one line, short, without what is secret.
func scrub(s string, u *url.URL, r Request, max int) string {
	var secrets []string
	add := func(v string) {
		if len(v) >= leastSecret {
			secrets = append(secrets, v)
		}
	}
	if u != nil {
		add(u.Path)
		add(u.EscapedPath())
		add(u.RawQuery)
		for _, part := range strings.Split(u.Path, "/") {
			add(part)
		}
		for _, vs := range u.Query() {
			for _, v := range vs {
				add(v)
				add(url.QueryEscape(v))
			}
		}
	}
	for k, vs := range r.Header {
		if k == "Content-Type" || k == "Accept" {
			continue
		}
		for _, v := range vs {
			add(v)
			if _, token, ok := strings.Cut(v, " "); ok {
				add(token)
			}
		}
	}
	for _, v := range r.Secrets {
		if v != "" {
			secrets = append(secrets, string(v))
		}
	}
	// The longest first: one may hold another.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, v := range secrets {
		s = strings.ReplaceAll(s, v, redacted)
	}
	return alerts.Cut(alerts.Clean(s), max)
}
