package syslog_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vigil/collectors/collectorstest"
	"vigil/collectors/syslog"
)

// authority makes certificates in a folder.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	n    int64
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.key = newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.path("ca.pem"), "CERTIFICATE", raw)
	a.issue(t, "server", "localhost", time.Now().Add(time.Hour))
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

// issue writes file.pem and file-key.pem for a name.
func (a *authority) issue(t testing.TB, file, name string, until time.Time) {
	t.Helper()
	a.n++
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.n + 1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.path(file+".pem"), "CERTIFICATE", raw)
	writePEM(t, a.path(file+"-key.pem"), "PRIVATE KEY", der)
}

func writePEM(t testing.TB, path, kind string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// receiver is the configuration of one that asks for certificates.
func (a *authority) receiver(listen string, transport syslog.Transport) syslog.Config {
	return syslog.Config{
		Decode: decoding("native"), Listen: listen, Transport: transport, Cert: a.path("server.pem"), Key: a.path("server-key.pem"),
		ClientCA: a.path("ca.pem"), ClientNames: []string{"*.example.org"},
	}
}

// client is the configuration of a sender with a certificate for a name, none for "".
func (a *authority) client(t testing.TB, name string) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	c := &tls.Config{RootCAs: pool, ServerName: "localhost"}
	if name != "" {
		if _, err := os.Stat(a.path(name + ".pem")); err != nil {
			a.issue(t, name, name, time.Now().Add(time.Hour))
		}
		pair, err := tls.LoadX509KeyPair(a.path(name+".pem"), a.path(name+"-key.pem"))
		if err != nil {
			t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}

func TestWhoMaySend(t *testing.T) {
	t.Parallel()
	a, other := newAuthority(t), newAuthority(t)
	a.issue(t, "old.example.org", "old.example.org", time.Now().Add(-time.Hour))
	stranger := other.client(t, "web.example.org")
	stranger.RootCAs = a.client(t, "").RootCAs
	old := a.client(t, "")
	pair, err := tls.LoadX509KeyPair(a.path("old.example.org.pem"), a.path("old.example.org-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	old.Certificates = []tls.Certificate{pair}
	o := collectorstest.NewOracle(source, nil)
	addr, _ := receiver(t, a.receiver("", syslog.TLS), syslog.Options{}, nil, o)
	for i, c := range []struct {
		name string
		cfg  *tls.Config
		ok   bool
	}{
		{"none", a.client(t, ""), false},
		{"of another authority", stranger, false},
		{"expired", old, false},
		{"for another name", a.client(t, "web.example.com"), false},
		{"for a name further below", a.client(t, "a.web.example.org"), false},
		{"allowed", a.client(t, "web.example.org"), true},
	} {
		conn, err := tls.Dial("tcp", addr, c.cfg)
		if err == nil {
			_, _ = fmt.Fprintf(conn, "%s\n", message(i+1))
			if !c.ok {
				// With TLS 1.3 the sender hears of the refusal when it reads.
				_, err = conn.Read(make([]byte, 1))
			}
		}
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if conn != nil {
			conn.Close()
		}
	}
	o.Await(t, "the one that is allowed", func(events, _, _ int) bool { return events > 0 })
	if e := o.Event(6); e == nil || e.Origin.File != "syslog:web.example.org" {
		t.Errorf("got %+v", e)
	}
	for n := 1; n < 6; n++ {
		if o.Event(n) != nil {
			t.Errorf("message %d came from one who may not send", n)
		}
	}
}

// A new certificate is shown without a restart, and one that can't be used is not.
func TestCertificatesAreReadAgain(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	addr, _ := receiver(t, a.receiver("", syslog.TLS), syslog.Options{}, nil, collectorstest.NewOracle(source, nil))
	shown := func() string {
		conn, err := tls.Dial("tcp", addr, a.client(t, "web.example.org"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := shown()
	if err := os.WriteFile(a.path("server.pem"), []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Looked at once a second: until then the old one is shown, and so it is after that.
	deadline := time.Now().Add(1500 * time.Millisecond)
	for time.Now().Before(deadline) {
		if got := shown(); got != first {
			t.Fatalf("certificate %s is shown, want %s", got, first)
		}
	}
	a.issue(t, "server", "localhost", time.Now().Add(time.Hour))
	for deadline := time.Now().Add(30 * time.Second); shown() == first; {
		if time.Now().After(deadline) {
			t.Fatal("the new certificate is not shown")
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	good := a.receiver("127.0.0.1:0", syslog.TLS)
	check := func(cfg syslog.Config) error {
		r, err := syslog.New(cfg, syslog.Options{})
		if err != nil {
			return err
		}
		return r.Check(t.Context())
	}
	if err := check(good); err != nil {
		t.Error(err)
	}
	udp := syslog.Config{Decode: decoding("native"), Listen: "127.0.0.1:0", Transport: syslog.UDP}
	if err := check(udp); err != nil {
		t.Error(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	a.issue(t, "old", "localhost", time.Now().Add(-time.Hour))
	for name, change := range map[string]func(c *syslog.Config){
		"address in use":      func(c *syslog.Config) { c.Listen = taken.Addr().String() },
		"no such file":        func(c *syslog.Config) { c.Cert = a.path("none.pem") },
		"key of another":      func(c *syslog.Config) { c.Key = a.path("old-key.pem") },
		"expired":             func(c *syslog.Config) { c.Cert, c.Key = a.path("old.pem"), a.path("old-key.pem") },
		"authority is a key":  func(c *syslog.Config) { c.ClientCA = a.path("server-key.pem") },
		"no key":              func(c *syslog.Config) { c.Key = "" },
		"tls without":         func(c *syslog.Config) { c.Cert, c.Key, c.ClientCA, c.ClientNames = "", "", "", nil },
		"tcp with":            func(c *syslog.Config) { c.Transport = syslog.TCP },
		"names, no authority": func(c *syslog.Config) { c.ClientCA = "" },
		"transport":           func(c *syslog.Config) { c.Transport = "smoke" },
		"nowhere":             func(c *syslog.Config) { c.Listen = "" },
		"connections":         func(c *syslog.Config) { c.MaxConnections = -1 },
		"idle":                func(c *syslog.Config) { c.IdleTimeout = time.Millisecond },
		"format":              func(c *syslog.Config) { c.Decode.Format = "nope" },
	} {
		c := good
		change(&c)
		if err := check(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
