package rest_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"vigil/collectors/rest"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"8.8.8.8", "1.1.1.1", "185.12.80.1", "2606:4700::1111", "2a00:1450:4001::200e", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"} {
		if !rest.Public(netip.MustParseAddr(address)) {
			t.Errorf("%s is not public", address)
		}
	}
	for _, address := range []string{
		"127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
		"192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
		"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::1", "2002:a9fe:a9fe::", "2001:0:808:808::80ff:fffe", "2001:db8::1", "100::1",
		"2600::5efe:7f00:1", "2600::200:5efe:a00:1",
	} {
		if rest.Public(netip.MustParseAddr(address)) {
			t.Errorf("%s is public", address)
		}
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for address, good := range map[string]bool{
		"https://acme.zendesk.com": true, "https://acme.zendesk.com/": true, "https://acme.zendesk.com:8443": true,
		"http://127.0.0.1:80": true, "http://localhost:1": true, "http://[::1]:1": true, "https://10.0.0.1": true,
		"": false, "acme.zendesk.com": false, "ftp://acme.zendesk.com": false, "http://acme.zendesk.com": false, "http://10.0.0.1": false,
		"https://": false, "https://:443": false, "https://user:pass@acme.zendesk.com": false, "https://acme.zendesk.com/api/v2": false,
		"https://acme.zendesk.com?x": false, "https://acme.zendesk.com#x": false, "http://127.1": false, "https://127.1": false, "https://2130706433": false,
		"https://0x7f000001": false, "https://0177.0.0.1": false, "https://127.0.0.1.": false, "https://127.0.0.0x1": false, "http://[::ffff:169.254.169.254]": false,
		"https://[fe80::1%25eth0]x": false, "https://a b": false,
	} {
		if _, err := rest.CheckURL(address); (err == nil) != good {
			t.Errorf("%q: %v, want good %v", address, err, good)
		}
	}
}

// nameserver answers each question with the addresses that it was given.
func nameserver(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer := resolve(buf[:n], addresses); answer != nil {
				if _, err := conn.WriteTo(answer, from); err != nil {
					return
				}
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func resolve(query []byte, addresses []string) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) == 0 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Additionals = true, nil
	for _, text := range addresses {
		ip := netip.MustParseAddr(text)
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0}
		switch {
		case q.Type == dnsmessage.TypeA && ip.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: ip.As4()}})
		case q.Type == dnsmessage.TypeAAAA && ip.Is6():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
		}
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	return out
}

// counted is a server that counts the connections to it.
func counted(t *testing.T, h http.Handler) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			n.Add(1)
		}
	}
	t.Cleanup(s.Close)
	return s, &n
}

func direct(o rest.ClientOptions) rest.ClientOptions {
	o.Proxy = noProxy
	return o
}

// TestRebinding resolves a name that the operator wrote to inner addresses.
func TestRebinding(t *testing.T) {
	t.Parallel()
	s, connections := counted(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("[]")) }))
	s.StartTLS()
	// The test server's certificate is for example.com.
	port := s.URL[strings.LastIndexByte(s.URL, ':'):]
	trust := s.Client().Transport.(*http.Transport).TLSClientConfig
	ask := func(private bool, addresses ...string) error {
		c, err := rest.NewClient(rest.ClientConfig{Product: "Test", URL: "https://example.com" + port, AllowPrivate: private},
			direct(rest.ClientOptions{TLS: trust, Resolver: nameserver(t, addresses...), Auth: rest.NewStatic("Bearer canary")}))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = c.Get(t.Context(), "/list")
		return err
	}
	for _, addresses := range [][]string{
		{"127.0.0.1"}, {"127.1.1.1"}, {"10.0.0.1"}, {"169.254.169.254"}, {"0.0.0.0"}, {"::1"}, {"::ffff:127.0.0.1"}, {"64:ff9b::7f00:1"}, {"fd00::1"}, {"127.0.0.1", "127.0.0.2", "::1"},
	} {
		var inside *rest.InnerError
		if err := ask(false, addresses...); !errors.As(err, &inside) || !strings.Contains(err.Error(), "allow_private") {
			t.Errorf("%v: %v, want an InnerError that names allow_private", addresses, err)
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections were made to an inner address", n)
	}
	if err := ask(true, "127.0.0.1"); err != nil {
		t.Errorf("with allow_private: %v", err)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections with allow_private, want 1", n)
	}
}

// TestElsewhere redirects and points to another server on this machine.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	inside, connections := counted(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("[]")) }))
	inside.Start()
	port := inside.URL[strings.LastIndexByte(inside.URL, ':'):]
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusTemporaryRedirect)
	}))
	t.Cleanup(api.Close)
	c, err := rest.NewClient(rest.ClientConfig{Product: "Test", URL: api.URL}, direct(rest.ClientOptions{Auth: rest.NewStatic("Bearer canary")}))
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{
		inside.URL + "/x", "http://localhost" + port, "http://127.1" + port, "http://0x7f000001" + port, "http://[::1]" + port, "http://[::ffff:127.0.0.1]" + port,
		"//127.0.0.1" + port + "/x", "http://169.254.169.254/latest/meta-data/", "https://" + strings.TrimPrefix(api.URL, "http://"), "file:///etc/passwd",
		"http://a:b@" + strings.TrimPrefix(api.URL, "http://"),
	} {
		var elsewhere *rest.ElsewhereError
		if _, err := c.Get(t.Context(), rest.Query("/", "to", to)); !errors.As(err, &elsewhere) {
			t.Errorf("redirected to %s: %v, want an ElsewhereError", to, err)
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("the error holds the token: %v", err)
		}
		if _, err := c.Get(t.Context(), to); err == nil {
			t.Errorf("asked %s", to)
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections were made to another server", n)
	}
	// Within the host redirects are followed, a few times.
	if _, err := c.Get(t.Context(), rest.Query("/", "to", "/")); err == nil || !strings.Contains(err.Error(), "redirects more than") {
		t.Errorf("endless redirects: %v", err)
	}
}
