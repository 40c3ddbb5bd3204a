// Package client speaks with vigil's HTTP API.
//
//	c, err := client.New(client.Config{URL: "https://vigil.example.com", Token: os.Getenv("VIGIL_TOKEN")})
//	for f, err := range c.Findings(ctx, client.FindingFilter{Min: vigil.SeverityHigh}) {
//		…
//	}
//
// Each method is one question, under a context. What is busy is asked again, as often and
// as late as the answer says. A write brings a key along that is made for it, so that one
// whose answer was lost is not done twice. Errors of the service are an *Error with a code
// of a closed set. A Client is safe for concurrent use.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vigil/internal/api"
)

// Config is what a client is made with.
type Config struct {
	// URL is the console's address, such as https://vigil.example.com. Required.
	URL string
	// Token is an API token. Empty sends none.
	Token string
	// HTTP does the requests; nil means one with a timeout of a minute.
	HTTP *http.Client
	// Retries is how often a question is asked again where the service is busy or was
	// not reached; negative means never, zero means 4.
	Retries int
	// Header is sent along with each request.
	Header http.Header
}

// Client asks one vigil.
type Client struct {
	cfg  Config
	base string
}

// maxAnswer bounds what is read of an answer, maxWait how long is waited between two
// attempts.
const (
	maxAnswer = 256 << 20
	maxWait   = 30 * time.Second
)

// New makes a client. It asks nothing yet.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no address of a vigil: write it as https://vigil.example.com", cfg.URL)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the address of a vigil has neither a user nor a question in it: give the token by itself")
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{Timeout: time.Minute}
	}
	if cfg.Retries == 0 {
		cfg.Retries = 4
	}
	return &Client{cfg: cfg, base: strings.TrimSuffix(u.String(), "/")}, nil
}

// Close lets go of connections that are idle.
func (c *Client) Close() error {
	c.cfg.HTTP.CloseIdleConnections()
	return nil
}

// request is one question.
type request struct {
	method, path string
	query        url.Values
	body         any
	// seen is the revision that who asks looked at, 0 for none.
	seen int
}

// do asks, and reads the answer into what is given.
func (c *Client) do(ctx context.Context, q request, into any) error {
	var body []byte
	if q.body != nil {
		var err error
		if body, err = json.Marshal(q.body); err != nil {
			return fmt.Errorf("write request: %w", err)
		}
	}
	key := ""
	if q.method != http.MethodGet {
		key = rand.Text() // the same one for each attempt
	}
	return c.again(ctx, func() (time.Duration, error) { return c.try(ctx, q, body, key, into) })
}

// again tries until it is answered, or not worth it any more.
func (c *Client) again(ctx context.Context, try func() (again time.Duration, err error)) error {
	for attempt := 0; ; attempt++ {
		again, err := try()
		if err == nil || again < 0 || attempt >= c.cfg.Retries {
			return err
		}
		again = min(max(again, 100*time.Millisecond<<attempt), maxWait)
		wait := time.NewTimer(again)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}

// try asks once. again is how long to wait before it is worth asking again, negative for
// never.
func (c *Client) try(ctx context.Context, q request, body []byte, key string, into any) (again time.Duration, err error) {
	resp, err := c.send(ctx, c.cfg.HTTP, q, body, key)
	if err != nil {
		if ctx.Err() != nil {
			return -1, err
		}
		return 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, fmt.Errorf("read vigil's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return problem(resp, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return -1, fmt.Errorf("read vigil's answer: %w", err)
	}
	return -1, nil
}

// send sends a request once.
func (c *Client) send(ctx context.Context, by *http.Client, q request, body []byte, key string) (*http.Response, error) {
	address := c.base + "/api/v1" + q.path
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, q.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask vigil: %w", err)
	}
	for name, values := range c.cfg.Header {
		req.Header[name] = values
	}
	if q.method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
	}
	if q.seen > 0 {
		req.Header.Set("If-Match", `"`+strconv.Itoa(q.seen)+`"`)
	}
	if c.cfg.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.cfg.Token)
	}
	resp, err := by.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask vigil: %w", err)
	}
	return resp, nil
}

// problem is what an answer that is none says, and how long to wait before it is worth
// asking again, negative for never.
func problem(resp *http.Response, answer []byte) (again time.Duration, err error) {
	e := &Error{Status: resp.StatusCode}
	var said api.Problem
	if json.Unmarshal(answer, &said) == nil && said.Headline != "" {
		e.Code, e.Title, e.Detail = said.Code, said.Headline, said.Remedy
	}
	if resp.StatusCode != http.StatusServiceUnavailable && resp.StatusCode != http.StatusTooManyRequests {
		return -1, e
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // what is no number asks for no wait
	return time.Duration(max(0, seconds)) * time.Second, e
}

// path makes an address below /api/v1 out of parts, of which each is one segment.
func path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}
