// Package rest is what collectors share that ask a product's API for its logs: one
// [Client] of one host, and the [Puller] that reads lists of records page by page.
//
// A product's own package says where its lists are, how pages and cursors look and how it
// is shown who asks; it makes a Client and, where its logs are lists, a Puller, which is
// its collectors.Collector. One goroutine runs a Puller; a Client is safe for several.
//
// What goes out: only to the configured host, by its scheme and port. A redirect, a next
// page or a download elsewhere is refused before anything is connected, so that no token
// leaves and nobody can point vigil at an inner address. A host configured by name that
// resolves to an inner address is refused too, after the resolution, unless that is
// allowed.
//
// What is bounded: an answer by ClientConfig.MaxAnswer, the time of a request by
// ClientConfig.Timeout and a least pace of its body, waits for rate limits by a minute
// (then it is an error, and nothing is asked until the limit ends), the pages of a window,
// the length of cursors, what is remembered of records already taken. A bound that is hit
// is an error or a vigil.Lapse, never silence. No more than one page is held.
//
// In what order: each page is one batch, whose position lets a restart go on behind it.
// Nothing is acknowledged to an API, so nothing is lost by a restart; what an API shows
// only later than PullerConfig.Overlap after its time is not seen.
package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// maxAnswer is the default of ClientConfig.MaxAnswer.
	maxAnswer = 64 << 20
	// maxToken bounds the answer to a request for a token, and of an error.
	maxToken = 1 << 20
	// maxAddress bounds an address that an answer gives, in bytes.
	maxAddress = 8 << 10
	// maxRedirects bounds the redirects within the host.
	maxRedirects = 3
	// maxWait is the longest wait for a limit within a request.
	maxWait = time.Minute
	// maxTries bounds how often a request is made again after such waits.
	maxTries = 4

	defaultTimeout = 60 * time.Second
	dialTimeout    = 10 * time.Second
)

// ClientConfig says which API is asked.
type ClientConfig struct {
	// Product names the API in errors, such as "Zendesk". Required.
	Product string
	// URL is the API's address: https and a host. Plain http is for this machine's own
	// addresses alone. Required.
	URL string
	// AllowPrivate lets the host's name resolve to inner addresses.
	AllowPrivate bool
	// Timeout is how long an answer may stay away, or lag behind the least pace of a
	// body; zero means a minute.
	Timeout time.Duration
	// MaxAnswer bounds an answer that is read whole, unpacked, in bytes; zero means 64 MiB.
	MaxAnswer int64
}

// ClientOptions is what code passes.
type ClientOptions struct {
	// Auth shows who asks. May be nil.
	Auth Auth
	// Header is sent with each request. May be nil.
	Header http.Header
	// Remedy says what to do about a refusal, "" for nothing known. May be nil.
	Remedy func(e *StatusError) string
	// Logger gets what an operator should know; nil means none does.
	Logger *slog.Logger
	// Now tells the time; nil means the clock.
	Now func() time.Time
	// Wait waits; nil waits by a timer. It returns early, with the context's error.
	Wait func(ctx context.Context, d time.Duration) error
	// TLS is how the server is trusted; nil means the system's roots.
	TLS *tls.Config
	// Resolver resolves the host; nil means the system's.
	Resolver *net.Resolver
	// Proxy is as in http.Transport; nil takes the environment's.
	Proxy func(*http.Request) (*url.URL, error)
}

// Client asks one API. It is safe for concurrent use.
type Client struct {
	cfg     ClientConfig
	opts    ClientOptions
	base    *url.URL
	http    *http.Client
	dialing net.Dialer
	guarded bool

	mu   sync.Mutex // guards hold, skew, dated
	hold time.Time
	// skew is how far the server's clock is ahead of ours; dated says that it is known.
	skew  time.Duration
	dated bool
}

// Answer is what the API said.
type Answer struct {
	Body   []byte
	Header http.Header
	// URL is what was asked.
	URL *url.URL
}

// NewClient makes a client. The error says what is wrong with the address.
func NewClient(cfg ClientConfig, opts ClientOptions) (*Client, error) {
	base, err := CheckURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("%s: url: %w", cfg.Product, err)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.MaxAnswer <= 0 {
		cfg.MaxAnswer = maxAnswer
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Wait == nil {
		opts.Wait = wait
	}
	if opts.Proxy == nil {
		opts.Proxy = http.ProxyFromEnvironment
	}
	c := &Client{cfg: cfg, opts: opts, base: base, guarded: !cfg.AllowPrivate && !givesAddress(base.Hostname())}
	c.dialing = net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Resolver: opts.Resolver}
	c.http = &http.Client{
		CheckRedirect: c.redirect,
		Transport: &http.Transport{
			Proxy: opts.Proxy, DialContext: c.dial, TLSClientConfig: opts.TLS, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: cfg.Timeout, IdleConnTimeout: 90 * time.Second,
			MaxIdleConns: 4, MaxResponseHeaderBytes: 256 << 10,
		},
	}
	return c, nil
}

// CheckURL reads an API's address: https, a host and nothing behind it. Plain http is for
// this machine's own addresses.
func CheckURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, errors.New(`is no address; write for example "https://acme.example.com"`)
	case u.User != nil:
		return nil, errors.New("holds a user or a password; give them by their own settings")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, errors.New("must begin with https://, since a token is sent there")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("has something behind the host; give the scheme and the host alone")
	case oddNumber(u.Hostname()):
		return nil, errors.New("names its host by an address that is not written in full; write four numbers with dots between")
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

// Product names the API.
func (c *Client) Product() string { return c.cfg.Product }

// Logger is where the collector that asks says what an operator should know.
func (c *Client) Logger() *slog.Logger { return c.opts.Logger }

// Host is the host that is asked.
func (c *Client) Host() string { return c.base.Host }

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Now is the time by the server's clock where that is known and differs from ours, else
// by ours.
func (c *Client) Now() time.Time {
	now := c.opts.Now()
	if skew, ok := c.Skew(); ok && skew.Abs() > 2*time.Second {
		now = now.Add(skew)
	}
	return now
}

// Skew is how far the server's clock is ahead of ours, to a second; ok is false before
// its first answer.
func (c *Client) Skew() (skew time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skew, c.dated
}

// Resolve makes an address that an answer gave one to ask: it must be of the configured
// scheme, host and port.
func (c *Client) Resolve(address string) (*url.URL, error) {
	if len(address) > maxAddress {
		return nil, fmt.Errorf("%s gives an address of %d bytes, at most %d are taken", c.cfg.Product, len(address), maxAddress)
	}
	u, err := c.base.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%s gives an address that can't be read", c.cfg.Product)
	}
	if !c.own(u) {
		return nil, &ElsewhereError{Product: c.cfg.Product, What: "gives an address", Host: u.Scheme + "://" + u.Host, Own: c.base.Host}
	}
	u.Fragment = ""
	return u, nil
}

// own reports whether u is of the configured scheme, host and port.
func (c *Client) own(u *url.URL) bool {
	return u.Scheme == c.base.Scheme && u.User == nil && strings.EqualFold(u.Hostname(), c.base.Hostname()) && portOf(u) == portOf(c.base)
}

func portOf(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// redirect follows within the host alone, and never with a body, which may hold a secret.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	if !c.own(req.URL) {
		return &ElsewhereError{Product: c.cfg.Product, What: "redirects", Host: req.URL.Scheme + "://" + req.URL.Host, Own: c.base.Host}
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%s redirects more than %d times", c.cfg.Product, maxRedirects)
	}
	if via[0].Method != http.MethodGet {
		return fmt.Errorf("%s redirects a request for a token; is url its address?", c.cfg.Product)
	}
	return nil
}

// Get asks for an address, which may be a path, and returns the whole answer.
func (c *Client) Get(ctx context.Context, address string) (*Answer, error) {
	body, header, u, err := c.Stream(ctx, address)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := c.read(body, c.cfg.MaxAnswer)
	if err != nil {
		return nil, err
	}
	return &Answer{Body: text, Header: header, URL: u}, nil
}

// Stream asks for an address and returns the answer's body as it comes, of any length but
// at a least pace. The caller closes it. Time between reads does not count.
func (c *Client) Stream(ctx context.Context, address string) (io.ReadCloser, http.Header, *url.URL, error) {
	u, err := c.Resolve(address)
	if err != nil {
		return nil, nil, nil, err
	}
	resp, err := c.ask(ctx, http.MethodGet, u, "", nil) //nolint:bodyclose // the caller closes it
	if err != nil {
		return nil, nil, nil, err
	}
	return streamed{c, resp.Body}, resp.Header, u, nil
}

// streamed is a body whose errors say of whom they are.
type streamed struct {
	c *Client
	io.ReadCloser
}

// Read reads.
func (s streamed) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = s.c.network(err)
	}
	return n, err
}

// post sends a request for a token, without showing one.
func (c *Client) post(ctx context.Context, path, kind string, body []byte) ([]byte, error) {
	u, err := c.Resolve(path)
	if err != nil {
		return nil, err
	}
	resp, err := c.ask(ctx, http.MethodPost, u, kind, body)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return c.read(resp.Body, maxToken)
}

func (c *Client) read(body io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, most+1))
	if err != nil {
		return nil, c.network(err)
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("%w: %s's has more than %d bytes", ErrTooLarge, c.cfg.Product, most)
	}
	return text, nil
}

// ask makes a request until it is answered with success: again after a wait that the
// server asks for, and once more with a new token where the old one is refused.
func (c *Client) ask(ctx context.Context, method string, u *url.URL, kind string, body []byte) (*http.Response, error) {
	renewed := false
	for try := 1; ; try++ {
		if err := c.patience(ctx); err != nil {
			return nil, err
		}
		shown := ""
		if c.opts.Auth != nil && method == http.MethodGet {
			var err error
			if shown, err = c.opts.Auth.Authorization(ctx, c); err != nil {
				return nil, err
			}
		}
		resp, err := c.once(ctx, method, u, kind, body, shown)
		if err != nil {
			return nil, err
		}
		c.noteTime(resp.Header)
		c.noteLimits(resp)
		if resp.StatusCode/100 == 2 {
			return resp, nil
		}
		refusal := c.refusal(resp, method, u)
		resp.Body.Close()
		switch {
		case resp.StatusCode == http.StatusUnauthorized && shown != "" && !renewed && c.opts.Auth.Renew(shown):
			renewed = true
		case c.limited(resp, refusal) && try < maxTries:
		default:
			return nil, refusal
		}
	}
}

// once makes one request. The answer's body is paced, and closing it ends all.
func (c *Client) once(ctx context.Context, method string, u *url.URL, kind string, body []byte, shown string) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(c.cfg.Timeout, func() { cancel(errSlow) })
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		timer.Stop()
		cancel(nil)
		return nil, fmt.Errorf("make a request to %s: %w", c.cfg.Product, err)
	}
	for name, values := range c.opts.Header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "vigil")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if shown != "" {
		req.Header.Set("Authorization", shown)
	}
	resp, err := c.http.Do(req)
	if !timer.Stop() && err == nil {
		resp.Body.Close()
		err = errSlow
	}
	if err != nil {
		if errors.Is(context.Cause(ctx), errSlow) {
			err = errSlow
		}
		cancel(nil)
		return nil, c.network(err)
	}
	resp.Body = newPaced(ctx, cancel, resp.Body, c.cfg.Timeout)
	return resp, nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
