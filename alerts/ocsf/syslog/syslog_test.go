package syslog_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/ocsf"
	"vigil/alerts/ocsf/syslog"
)

func notifier(t testing.TB, cfg syslog.Config) *syslog.Notifier {
	t.Helper()
	n, err := syslog.New(cfg, syslog.Options{Console: alertstest.Console})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func message(i int) alerts.Message {
	f := alertstest.Export()
	f.ID = fmt.Sprintf("f-%03d", i)
	return alertstest.Message(f)
}

// receiver takes octet-counted frames, or datagrams, as a SIEM does.
type receiver struct {
	addr string
	got  chan string
}

func listen(t testing.TB, cfg *tls.Config) *receiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{l.Addr().String(), make(chan string, 1000)}
	if cfg != nil {
		l = tls.NewListener(l, cfg)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for {
					count, err := in.ReadString(' ')
					if err != nil {
						return
					}
					n, err := strconv.Atoi(strings.TrimSuffix(count, " "))
					if err != nil {
						t.Errorf("the length is %q", count)
						return
					}
					frame := make([]byte, n)
					if _, err := io.ReadFull(in, frame); err != nil {
						t.Errorf("a frame of %d breaks off: %v", n, err)
						return
					}
					r.got <- string(frame)
				}
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return r
}

var header = regexp.MustCompile(`^<(\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ([!-~]{1,255}) ([!-~]{1,48}) (\d+) ([!-~]{1,32}) - (\{.*\})$`)

// parse takes a message apart.
func parse(t testing.TB, text string) (pri, host, app, kind string, event map[string]any) {
	t.Helper()
	m := header.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no RFC 5424: %.200q", text)
	}
	if err := json.Unmarshal([]byte(m[6]), &event); err != nil {
		t.Fatal(err)
	}
	return m[1], m[2], m[3], m[5], event
}

func uid(event map[string]any) any { return event["metadata"].(map[string]any)["uid"] }

// TestTells: each sample arrives in order, by each transport, in a header that fits.
func TestTells(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	a.issue(t, "siem")
	a.issue(t, "vigil")
	pair, err := tls.LoadX509KeyPair(a.path("siem.pem"), a.path("siem-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	server := &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	for _, transport := range []syslog.Transport{syslog.TCP, syslog.TLS, syslog.UDP} {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			cfg := syslog.Config{Transport: transport, Hostname: "watch\n er", AppName: "vig\til " + strings.Repeat("é", 100), Facility: "authpriv"}
			var r *receiver
			switch transport {
			case syslog.TLS:
				r = listen(t, server)
				cfg.TLS = ocsf.TLS{CA: a.path("ca.pem"), Cert: a.path("vigil.pem"), Key: a.path("vigil-key.pem")}
			case syslog.TCP:
				r = listen(t, nil)
			default:
				r = datagrams(t)
			}
			cfg.Address = r.addr
			n := notifier(t, cfg)
			if err := n.Check(t.Context()); err != nil {
				t.Errorf("check: %v", err)
			}
			samples := alertstest.Samples()
			for i, text := range alertstest.Injections()[:8] {
				m := alertstest.Message(alertstest.Evil(text))
				m.ID = fmt.Sprintf("injection-%d", i)
				samples[m.ID] = m
			}
			for name, m := range samples {
				receipt, err := n.Notify(t.Context(), m)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if receipt == "" {
					continue
				}
				text := <-r.got
				if len(text) > syslog.DefaultMaxBytes+200 {
					t.Errorf("%s: %d bytes", name, len(text))
				}
				pri, host, app, kind, event := parse(t, text)
				level := map[any]string{"Critical": "82", "High": "83", "Medium": "84", "Low": "85", "Informational": "86"}[event["severity"]]
				if uid(event) != receipt || pri != level || host != "watch__er" || !strings.HasPrefix(app, "vig_il_") || kind != m.Kind {
					t.Errorf("%s: uid %v, receipt %s, priority %s, host %q, app %q, kind %q", name, uid(event), receipt, pri, host, app, kind)
				}
			}
			if len(r.got) != 0 {
				t.Errorf("%d messages more", len(r.got))
			}
		})
	}
}

func datagrams(t testing.TB) *receiver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{conn.LocalAddr().String(), make(chan string, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 1<<16)
		for {
			n, _, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			r.got <- string(b[:n])
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return r
}

// retry wants an error that is to be tried again.
func retry(t *testing.T, name string, err error, doubt bool) {
	t.Helper()
	var r *alerts.RetryError
	if !errors.As(err, &r) || r.InDoubt != doubt {
		t.Errorf("%s: %v (in doubt %v), want to be tried again, in doubt %v", name, err, r != nil && r.InDoubt, doubt)
	}
}

// TestNobodyThere: what can't be sent is tried again.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	for _, transport := range []syslog.Transport{syslog.TCP, syslog.TLS, syslog.UDP} {
		n := notifier(t, syslog.Config{Address: address, Transport: transport})
		_, err := n.Notify(t.Context(), message(1))
		retry(t, string(transport), err, false)
		if err := n.Check(t.Context()); transport != syslog.UDP && err == nil {
			t.Errorf("%s: the check says nothing", transport)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = notifier(t, syslog.Config{Address: address}).Notify(ctx, message(1))
	retry(t, "cancelled before", err, false)
}

// TestNotTaken: a connection that breaks off, and one that a receiver no longer ends, are
// in doubt; a receiver that never ends one is believed.
func TestNotTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var mu sync.Mutex
	how := "reset"
	release := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			h := how
			mu.Unlock()
			wg.Go(func() {
				defer conn.Close()
				switch h {
				case "reset":
					_, _ = conn.Read(make([]byte, 1))
					_ = conn.(*net.TCPConn).SetLinger(0)
				case "silent":
					<-release
				default:
					_, _ = io.Copy(io.Discard, conn)
				}
			})
		}
	})
	set := func(s string) { mu.Lock(); how = s; mu.Unlock() }
	n := notifier(t, syslog.Config{Address: l.Addr().String(), Timeout: 500 * time.Millisecond})
	patient := notifier(t, syslog.Config{Address: l.Addr().String()})
	_, err = n.Notify(t.Context(), message(1))
	retry(t, "reset", err, true)
	set("silent")
	if _, err := patient.Notify(t.Context(), message(1)); err != nil {
		t.Errorf("a receiver that keeps connections open: %v", err)
	}
	set("well")
	if _, err := n.Notify(t.Context(), message(2)); err != nil {
		t.Error(err)
	}
	set("silent")
	_, err = n.Notify(t.Context(), message(3))
	retry(t, "silent after it was not", err, true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = patient.Notify(ctx, message(3))
	retry(t, "cancelled while waiting", err, true)
	close(release)
	_ = l.Close()
	wg.Wait()
}

// TestStrangers: by TLS a receiver that can't prove who it is gets nothing.
func TestStrangers(t *testing.T) {
	t.Parallel()
	a, other := newAuthority(t), newAuthority(t)
	a.issue(t, "siem")
	pair, err := tls.LoadX509KeyPair(a.path("siem.pem"), a.path("siem-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	r := listen(t, &tls.Config{Certificates: []tls.Certificate{pair}})
	for name, c := range map[string]ocsf.TLS{
		"another authority": {CA: other.path("ca.pem")}, "another name": {CA: a.path("ca.pem"), ServerName: "elsewhere"}, "the system's authorities": {},
		"no such file": {CA: a.path("none.pem")}, "no certificate": {CA: a.path("siem-key.pem")}, "half a pair": {Cert: a.path("siem.pem")}, "no pair": {Cert: a.path("siem.pem"), Key: a.path("ca.pem")},
	} {
		n := notifier(t, syslog.Config{Address: r.addr, Transport: syslog.TLS, TLS: c})
		_, err := n.Notify(t.Context(), message(1))
		retry(t, name, err, false)
		if n.Check(t.Context()) == nil {
			t.Errorf("%s: the check says nothing", name)
		}
	}
	if _, err := notifier(t, syslog.Config{Address: r.addr, Transport: syslog.TLS, TLS: ocsf.TLS{CA: a.path("ca.pem"), ServerName: "siem"}}).Notify(t.Context(), message(2)); err != nil {
		t.Error(err)
	}
	if _, _, _, _, event := parse(t, <-r.got); uid(event) != "f-002/1" || len(r.got) != 0 {
		t.Errorf("got %v and %d more", uid(event), len(r.got))
	}
}

// TestCertificateWanted: a receiver that does not take our certificate takes no event.
func TestCertificateWanted(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	a.issue(t, "siem")
	pair, err := tls.LoadX509KeyPair(a.path("siem.pem"), a.path("siem-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	r := listen(t, &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert})
	n := notifier(t, syslog.Config{Address: r.addr, Transport: syslog.TLS, TLS: ocsf.TLS{CA: a.path("ca.pem")}})
	_, err = n.Notify(t.Context(), message(1))
	retry(t, "without a certificate", err, true)
	if n.Check(t.Context()) == nil || len(r.got) != 0 {
		t.Errorf("the check says nothing; %d messages", len(r.got))
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := syslog.Config{Address: "siem.example.org:514"}
	for name, spoil := range map[string]func(c *syslog.Config){
		"no address": func(c *syslog.Config) { c.Address = "" }, "no port": func(c *syslog.Config) { c.Address = "host" }, "port 0": func(c *syslog.Config) { c.Address = "host:0" },
		"named port": func(c *syslog.Config) { c.Address = "host:syslog" }, "transport": func(c *syslog.Config) { c.Transport = "relp" }, "facility": func(c *syslog.Config) { c.Facility = "local8" },
		"small": func(c *syslog.Config) { c.MaxBytes = 1024 }, "large": func(c *syslog.Config) { c.MaxBytes = 1 << 20 }, "datagram": func(c *syslog.Config) { c.Transport, c.MaxBytes = syslog.UDP, 64<<10 },
		"tls": func(c *syslog.Config) { c.TLS.CA = "x" }, "timeout": func(c *syslog.Config) { c.Timeout = -1 },
	} {
		c := good
		spoil(&c)
		if _, err := syslog.New(c, syslog.Options{}); err == nil || !strings.HasPrefix(err.Error(), "siem syslog: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	n, err := syslog.New(good, syslog.Options{Name: "siem"})
	if err != nil || n.Name() != "siem" {
		t.Errorf("%v", err)
	}
}

// TestTogether: frames of several callers do not mix.
func TestTogether(t *testing.T) {
	t.Parallel()
	r := listen(t, nil)
	n := notifier(t, syslog.Config{Address: r.addr, Hostname: "-"})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 5 {
				if _, err := n.Notify(t.Context(), message(10*i+j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var got []string
	for range 20 {
		_, _, _, _, event := parse(t, <-r.got)
		got = append(got, uid(event).(string))
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != 20 {
		t.Errorf("got %q", got)
	}
}

// TestGuarded: no transport leads to a cloud's metadata service.
func TestGuarded(t *testing.T) {
	t.Parallel()
	for _, transport := range []syslog.Transport{syslog.UDP, syslog.TCP, syslog.TLS} {
		n, err := syslog.New(syslog.Config{Address: "169.254.169.254:514", Transport: transport}, syslog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "never spoken to") {
			t.Errorf("%s: %v", transport, err)
		}
	}
}
