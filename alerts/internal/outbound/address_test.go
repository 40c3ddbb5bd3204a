package outbound_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"vigil/alerts"
	"vigil/alerts/internal/outbound"
)

// hostile are addresses that no alert goes to. own are among them when the service is in
// the operator's own network.
var hostile = []struct {
	address string
	own     bool
}{
	// This machine, in all its spellings.
	{"https://127.0.0.1/h", true},
	{"https://127.255.1.9/h", true},
	{"https://127.1/h", false},
	{"https://127.0.1/h", false},
	{"https://0x7f000001/h", false},
	{"https://0x7f.0.0.1/h", false},
	{"https://2130706433/h", false},
	{"https://017700000001/h", false},
	{"https://0177.0.0.1/h", false},
	{"https://127.000.000.001/h", false},
	{"https://0/h", false},
	{"https://0.0.0.0/h", false},
	{"https://0.1.2.3/h", false},
	{"https://[::]/h", false},
	{"https://[::1]/h", true},
	{"https://[0:0:0:0:0:0:0:1]/h", true},
	{"https://[::ffff:127.0.0.1]/h", true},
	{"https://[::ffff:7f00:1]/h", true},
	{"https://[::127.0.0.1]/h", true},
	{"https://[::ffff:0:127.0.0.1]/h", true},
	{"https://localhost/h", true},
	{"https://localhost./h", true},
	{"https://LOCALHOST/h", true},
	{"https://a.localhost/h", true},
	{"https://127.0.0.1./h", true},
	// What gives away a cloud's keys.
	{"https://169.254.169.254/latest/meta-data", false},
	{"https://169.254.170.2/v2/credentials", false},
	{"https://[::ffff:169.254.169.254]/h", false},
	{"https://[::ffff:a9fe:a9fe]/h", false},
	{"https://[::169.254.169.254]/h", false},
	{"https://[2002:a9fe:a9fe::1]/h", false},
	{"https://[64:ff9b::169.254.169.254]/h", false},
	{"https://[64:ff9b::a9fe:a9fe]/h", false},
	{"https://[64:ff9b:1::a9fe:a9fe]/h", false},
	{"https://[2001:db8:1::5efe:169.254.169.254]/h", false},
	{"https://[2a00:1450::200:5efe:a9fe:a9fe]/h", false},
	{"https://[2001:0:a9fe:a9fe::1]/h", false},
	{"https://2852039166/h", false},
	{"https://0xa9fea9fe/h", false},
	{"https://0251.0376.0251.0376/h", false},
	{"https://metadata.google.internal/h", false},
	{"https://METADATA.google.internal./h", false},
	{"https://metadata/h", false},
	{"https://100.100.100.200/h", false},
	{"https://168.63.129.16/h", false},
	{"https://192.0.0.192/h", false},
	{"https://[fd00:ec2::254]/h", false},
	{"https://[fd20:ce::254]/h", false},
	// Private networks.
	{"https://10.0.0.8/h", true},
	{"https://172.16.0.1/h", true},
	{"https://172.31.255.254/h", true},
	{"https://192.168.1.1/h", true},
	{"https://100.64.0.1/h", true},
	{"https://[fd12:3456::1]/h", true},
	{"https://[fec0::1]/h", true},
	{"https://[2002:c0a8:0101::1]/h", true},
	{"https://[64:ff9b::10.0.0.8]/h", true},
	// Link-local, multicast, reserved, documentation.
	{"https://169.254.0.9/h", false},
	{"https://[fe80::1]/h", false},
	{"https://[fe80::1%25eth0]/h", false},
	{"https://224.0.0.1/h", false},
	{"https://[ff02::1]/h", false},
	{"https://255.255.255.255/h", false},
	{"https://240.0.0.1/h", false},
	{"https://198.18.0.1/h", false},
	{"https://192.0.2.7/h", false},
	{"https://[2001:db8::1]/h", false},
	// Other schemes, other ports, other spellings.
	{"http://example.com/h", true},
	{"file:///etc/passwd", false},
	{"gopher://example.com/_x", false},
	{"ftp://example.com/h", false},
	{"javascript:alert(1)", false},
	{"data:text/plain,x", false},
	{"https:example.com", false},
	{"//example.com/h", false},
	{"example.com/h", false},
	{"https:///h", false},
	{"https://", false},
	{"", false},
	{"https://user@example.com/h", false},
	{"https://user:pw@example.com/h", false},
	{"https://example.com@169.254.169.254/h", false},
	{"https://example.com#@169.254.169.254/h", false},
	{`https://example.com\@169.254.169.254/h`, false},
	{"https://example.com:22/h", false},
	{"https://example.com:25/h", false},
	{"https://example.com:6379/h", false},
	{"https://example.com:0/h", false},
	{"https://example.com:/h", false},
	{"https://example.com:65536/h", false},
	{"https://example.com:443:22/h", false},
	{"https://exam ple.com/h", false},
	{"https://example.com/h\r\nX-Evil: 1", false},
	{"https://example..com/h", false},
	{"https://ex%61mple.com/h", false},
	{"https://１２７.０.０.１/h", false},
	{"https://①②⑦.⓪.⓪.①/h", false},
	{"https://127。0。0。1/h", false},
	{"https://example.com/" + strings.Repeat("a", 5000), false},
}

func TestHostileAddresses(t *testing.T) {
	t.Parallel()
	for _, private := range []bool{false, true} {
		c := client(t, outbound.Config{AllowPrivate: private})
		for _, h := range hostile {
			err := c.CheckURL(outbound.Secret(h.address))
			if want := h.own && private; (err == nil) != want {
				t.Errorf("allow_private %v, %q: %v", private, h.address, err)
			}
			if err == nil {
				continue
			}
			var refused *alerts.RefusedError
			if _, err := c.Post(t.Context(), outbound.Secret(h.address), nil, nil); !errors.As(err, &refused) || !refused.All {
				t.Errorf("%q is posted to: %v", h.address, err)
			}
		}
		for _, good := range []string{"https://example.com/h", "https://example.com:8443/h?x=1", "https://93.184.215.14/h", "https://[2606:2800:21f:cb07::1]/h", "https://a-b.example_c.com./h", "https://xn--bcher-kva.example/%20"} {
			if err := c.CheckURL(outbound.Secret(good)); err != nil {
				t.Errorf("%q: %v", good, err)
			}
		}
	}
}

// TestRebinding: a name that is harmless by its form and its first answer leads to this
// machine by the next. Nothing is connected to.
func TestRebinding(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"127.0.0.1", "169.254.169.254", "10.1.2.3", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0"} {
		t.Run(to, func(t *testing.T) {
			t.Parallel()
			var connected atomic.Int64
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			srv.Config.ConnState = func(net.Conn, http.ConnState) { connected.Add(1) }
			srv.StartTLS()
			t.Cleanup(srv.Close)
			_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())

			c := client(t, outbound.Config{})
			c.Resolve(dns(t, to))
			_, err := c.Post(t.Context(), outbound.Secret("https://rebind.example:"+port+"/h"), nil, nil)
			var refused *alerts.RefusedError
			if !errors.As(err, &refused) || !refused.All {
				t.Fatalf("%v", err)
			}
			if n := connected.Load(); n != 0 {
				t.Errorf("%d connections", n)
			}
			if err := c.Reach(t.Context(), outbound.Secret("https://rebind.example:"+port+"/h")); !errors.As(err, &refused) {
				t.Errorf("reach: %v", err)
			}
			if n := connected.Load(); n != 0 {
				t.Errorf("%d connections to reach it", n)
			}
		})
	}
}

// dns answers each question with one address.
func dns(t *testing.T, answer string) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	ip := net.ParseIP(answer)
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response = true
			m.Additionals = nil
			q := m.Questions[0]
			h := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}
			switch v4 := ip.To4(); {
			case q.Type == dnsmessage.TypeA && !strings.Contains(answer, ":"):
				m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: [4]byte(v4)}}}
			case q.Type == dnsmessage.TypeAAAA && strings.Contains(answer, ":"):
				m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AAAAResource{AAAA: [16]byte(ip.To16())}}}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// FuzzAddress: what is taken has a host that is neither this machine nor a number.
func FuzzAddress(f *testing.F) {
	for _, h := range hostile {
		f.Add(h.address)
	}
	c, err := outbound.New(outbound.Config{Channel: "fuzz"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, address string) {
		err := c.CheckURL(outbound.Secret(address))
		if err == nil {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, nil)
			if err != nil {
				t.Fatalf("%q is taken, but no request can be made: %v", address, err)
			}
			h := strings.ToLower(strings.Trim(req.URL.Hostname(), "."))
			if req.URL.Scheme != "https" || h == "" || h == "localhost" || strings.HasPrefix(h, "127.") && strings.Trim(h, "0123456789.") == "" || req.URL.User != nil {
				t.Fatalf("%q is taken", address)
			}
			return
		}
		if len(address) > 12 && strings.Contains(err.Error(), address) {
			t.Fatalf("the error repeats the address %q: %v", address, err)
		}
	})
}
