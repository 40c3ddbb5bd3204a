// Package outbound is the one way by which alert channels speak HTTP to the world
// outside: bounded, without redirects, and never to an address that an attacker would
// like to be spoken to.
//
// A channel makes one Client and calls Do or Post, which may be called concurrently. What
// went wrong comes back as the pipeline's own errors, *alerts.RetryError or
// *alerts.RefusedError, whose text names the host and never the rest of the address, a
// header or anything else that is secret. Names are resolved first and the address looked
// at right before it is connected to, so that no answer of the DNS leads elsewhere.
// Nothing is retried here. A cancelled context ends the request; if it was sent by then,
// the error says that it is in doubt.
package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"vigil/alerts"
)

// Bounds.
const (
	// DefaultTimeout bounds one request with its answer.
	DefaultTimeout = 10 * time.Second
	// MaxTimeout is the longest that may be configured.
	MaxTimeout = 2 * time.Minute
	// DefaultMaxAnswer bounds what is read of an answer, in bytes.
	DefaultMaxAnswer = 64 << 10
	// maxHeader bounds an answer's header, in bytes.
	maxHeader = 64 << 10
	// agent is who speaks.
	agent = "vigil"
)

// Config is how a channel speaks.
type Config struct {
	// Channel is its name in errors, such as "webhook". Required.
	Channel string
	// Timeout bounds one request with its answer; zero means DefaultTimeout.
	Timeout time.Duration
	// AllowPrivate lets the service be on this machine or in a private network, and be
	// spoken to by plain http. Metadata services, link-local and reserved addresses
	// stay refused.
	AllowPrivate bool
	// MaxAnswer bounds what is read of an answer, in bytes; zero means DefaultMaxAnswer.
	MaxAnswer int64
	// CAFile holds PEM certificates of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string
	// Remedies say what an operator can do about a status (401, 403, 404 ...) in the
	// channel's own words; without, a general sentence is said.
	Remedies map[int]string
}

// Client speaks for one channel.
type Client struct {
	cfg    Config
	http   *http.Client
	tr     *http.Transport
	dialer *net.Dialer
	// proxies are the addresses of the proxies that the environment names: they are the
	// operator's, and may be anywhere.
	proxies sync.Map
}

// New makes a client. It reads CAFile and touches no network.
func New(cfg Config) (*Client, error) {
	switch {
	case cfg.Channel == "":
		return nil, errors.New("the channel has no name")
	case cfg.Timeout < 0 || cfg.Timeout > MaxTimeout:
		return nil, fmt.Errorf("%s timeout %s is not between 0 and %s", cfg.Channel, cfg.Timeout, MaxTimeout)
	case cfg.MaxAnswer < 0:
		return nil, fmt.Errorf("%s: the bound of an answer is negative", cfg.Channel)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.MaxAnswer == 0 {
		cfg.MaxAnswer = DefaultMaxAnswer
	}
	roots, err := Roots(cfg.CAFile)
	if err != nil {
		return nil, fmt.Errorf("%s ca_file: %w", cfg.Channel, err)
	}
	c := &Client{cfg: cfg, dialer: Dialer(cfg.AllowPrivate)}
	c.tr = &http.Transport{
		Proxy:                  c.proxy,
		DialContext:            c.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  cfg.Timeout,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConnsPerHost:    1,
		MaxIdleConns:           4,
		IdleConnTimeout:        60 * time.Second,
		ForceAttemptHTTP2:      true,
	}
	c.http = &http.Client{
		Transport:     c.tr,
		Timeout:       cfg.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Roots are the system's authorities and those of a PEM file, nil for the system's alone.
func Roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return pool, nil
}

// Dialer connects to no address that the guard refuses, whatever a name resolves to. It
// is for channels that speak something other than HTTP.
func Dialer(allowPrivate bool) *net.Dialer {
	return &net.Dialer{
		Timeout:   5 * time.Second,
		KeepAlive: 30 * time.Second,
		Control:   func(_, address string, _ syscall.RawConn) error { return guard(address, allowPrivate) },
	}
}

func (c *Client) proxy(r *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(r)
	if u == nil || err != nil {
		return nil, err
	}
	c.proxies.Store(dialled(u), true)
	return u, nil
}

// target is what is connected to for an address: its proxy, where there is one.
func (c *Client) target(u *url.URL) (address string, secure bool) {
	to := u
	if p, err := c.proxy(&http.Request{URL: u}); err == nil && p != nil {
		to = p
	}
	return dialled(to), to == u && u.Scheme == "https"
}

// dialled is the host and port at which an address is connected to.
func dialled(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if _, ok := c.proxies.Load(address); ok {
		return (&net.Dialer{Timeout: c.dialer.Timeout, KeepAlive: c.dialer.KeepAlive}).DialContext(ctx, network, address)
	}
	return c.dialer.DialContext(ctx, network, address)
}

// Close ends the connections that are kept open.
func (c *Client) Close() { c.tr.CloseIdleConnections() }

// CheckURL says what is wrong with an address, without asking the network. The error
// does not repeat it.
func (c *Client) CheckURL(address Secret) error {
	_, err := parse(string(address), c.cfg.AllowPrivate)
	return err
}

// Request is one request.
type Request struct {
	// Method is an HTTP method; empty means POST.
	Method string
	// URL is the whole address.
	URL Secret
	// Header is added; Content-Type is the caller's to set.
	Header http.Header
	Body   []byte
	// Secrets are what no error may repeat besides the address and the header, such as
	// a key within the body.
	Secrets []Secret
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	// Body is the answer as far as it was read: Cut says that it was longer than allowed
	// or broke off.
	Body []byte
	Cut  bool

	channel string
}

// JSON reads the body, or returns a *alerts.RetryError that is in doubt: what was asked
// was done, and how is not known.
func (a *Answer) JSON(v any) error {
	if a.Cut {
		return &alerts.RetryError{Err: fmt.Errorf("%s: the answer is too long or broke off", a.channel), InDoubt: true}
	}
	if err := json.Unmarshal(a.Body, v); err != nil {
		return &alerts.RetryError{Err: fmt.Errorf("%s: the answer is not the JSON that was expected: is there a proxy or another service at the address?", a.channel), InDoubt: true}
	}
	return nil
}

// Post sends a body. Errors are as Do's.
func (c *Client) Post(ctx context.Context, address Secret, header http.Header, body []byte) (Answer, error) {
	return c.Do(ctx, Request{URL: address, Header: header, Body: body})
}

// Do makes one request. An error is a *alerts.RetryError or *alerts.RefusedError; the
// answer is returned beside it when there was one.
func (c *Client) Do(ctx context.Context, r Request) (Answer, error) {
	u, err := parse(string(r.URL), c.cfg.AllowPrivate)
	if err != nil {
		return Answer{}, &alerts.RefusedError{Err: fmt.Errorf("%s: %w", c.cfg.Channel, err), All: true}
	}
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), bytes.NewReader(r.Body))
	if err != nil {
		return Answer{}, &alerts.RefusedError{Err: fmt.Errorf("%s: the request can't be made", c.cfg.Channel), All: true}
	}
	if len(r.Body) == 0 {
		req.Body, req.GetBody = http.NoBody, nil
	}
	for k, v := range r.Header {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", agent)
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, c.broken(err, u, r, sent.Load())
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode, Header: resp.Header, channel: c.cfg.Channel}
	a.Body, err = io.ReadAll(io.LimitReader(resp.Body, c.cfg.MaxAnswer+1))
	// The status says what became of the request, also when the rest does not come.
	if a.Cut = err != nil || int64(len(a.Body)) > c.cfg.MaxAnswer; a.Cut {
		a.Body = a.Body[:min(int64(len(a.Body)), c.cfg.MaxAnswer)]
	}
	err = c.judge(&a, u, r)
	return a, err
}

// Reach connects to the address, by TLS where it is https, and asks nothing there. Where
// a proxy leads, it reaches the proxy alone. Errors are as Do's.
func (c *Client) Reach(ctx context.Context, address Secret) error {
	u, err := parse(string(address), c.cfg.AllowPrivate)
	if err != nil {
		return &alerts.RefusedError{Err: fmt.Errorf("%s: %w", c.cfg.Channel, err), All: true}
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	to, secure := c.target(u)
	conn, err := c.dial(ctx, "tcp", to)
	if err == nil {
		defer conn.Close()
		if secure {
			cfg := c.tr.TLSClientConfig.Clone()
			cfg.ServerName = u.Hostname()
			err = tls.Client(conn, cfg).HandshakeContext(ctx)
		}
	}
	if err != nil {
		return c.broken(err, u, Request{}, false)
	}
	return nil
}
