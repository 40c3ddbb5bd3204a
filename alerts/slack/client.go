package slack

import (
	"io"
	"net"
	"net/http"
	"time"
)

// Client is the one that was given, or a new one that connects within a time and keeps so
// many idle connections, made safe: redirects are not followed, since a request holds the
// token, and answers are cut short. The given one is not changed.
func Client(given *http.Client, connect time.Duration, idle int) *http.Client {
	hc := http.Client{}
	if given != nil {
		hc = *given
	} else {
		hc.Transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: connect,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: idle,
			IdleConnTimeout:     90 * time.Second,
		}
	}
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	next := hc.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	hc.Transport = boundedTransport{next: next}
	return &hc
}

// boundedTransport cuts answers short, so that no server can fill the memory.
type boundedTransport struct{ next http.RoundTripper }

// RoundTrip is http.RoundTripper's.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := resp.Body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(body, maxAnswer), body}
	return resp, nil
}
