package nats_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"vigil/collectors/nats"
)

// canary is the secret in these tests; nothing may tell it.
const canary = "canary-7d1f0c"

// certificate makes one for this machine that is its own authority.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// least are the permissions that the documentation names.
func least() *server.Permissions {
	const s, d = "ACCESS", "vigil-audit"
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"$JS.API.STREAM.INFO." + s, "$JS.API.CONSUMER.INFO." + s + "." + d, "$JS.API.CONSUMER.CREATE." + s + "." + d,
			"$JS.API.CONSUMER.CREATE." + s + "." + d + ".>", "$JS.API.CONSUMER.RESET." + s + "." + d,
			"$JS.API.CONSUMER.DELETE." + s + "." + d, "$JS.API.CONSUMER.MSG.NEXT." + s + "." + d, "$JS.ACK." + s + "." + d + ".>",
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
	}
}

// A server that asks for TLS and knows its users: records come where all is right, also
// with the least that is allowed, and what is missing is named with its remedy.
func TestSecuredServer(t *testing.T) {
	t.Parallel()
	cert, pool := certificate(t)
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	none := &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"access.>"}}, Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}}}
	trust := func() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool} }
	p := newPeer(t, func(o *server.Options) {
		o.TLSConfig, o.TLS = cert, true
		o.TLSTimeout = 10
		o.Users = []*server.User{
			{Username: "root", Password: canary + "0"}, {Username: "good", Password: canary, Permissions: least()},
			{Username: "narrow", Password: canary, Permissions: none},
		}
		o.Nkeys = []*server.NkeyUser{{Nkey: public, Permissions: least()}}
	}, natsgo.UserInfo("root", canary+"0"), natsgo.Secure(trust()))
	p.makeStream(jetstream.StreamConfig{})
	p.mustWrite("access.desk", records(1, 20)...)
	var again []byte
	for _, c := range []struct {
		name   string
		change func(*nats.Config)
		want   []string // nil is well
	}{
		{"least permissions", func(c *nats.Config) { c.User, c.Password = "good", canary }, nil},
		{"nkey", func(c *nats.Config) { c.Seed = string(seed) }, nil},
		{"wrong password", func(c *nats.Config) { c.User, c.Password = "good", canary+"x" }, []string{"Authorization", "password"}},
		{"nobody", func(*nats.Config) {}, []string{"Authorization"}},
		{"unknown authority", func(c *nats.Config) {
			c.User, c.Password, c.TLS = "good", canary, &tls.Config{MinVersion: tls.VersionTLS12}
		}, []string{"tls.ca"}},
		{"no permission", func(c *nats.Config) { c.User, c.Password = "narrow", canary }, []string{"not allowed", "$JS.API.STREAM.INFO.ACCESS", "$JS.ACK.ACCESS.vigil-audit.>"}},
		{"no stream", func(c *nats.Config) { c.User, c.Password, c.Stream = "root", canary+"0", "NOWHERE" }, []string{"stream not found", "nats stream add NOWHERE"}},
	} {
		// One after the other: they share the consumer.
		var log strings.Builder
		cfg := p.config()
		cfg.TLS = trust()
		c.change(&cfg)
		n, err := nats.New(cfg, nats.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(c.name, err)
		}
		err = n.Check(t.Context())
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			o := oracle()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			// From the first message on, though a run before this one has acknowledged it.
			go func() { done <- n.Run(ctx, again, o) }()
			o.AwaitRecords(t, 20)
			cancel()
			if err := <-done; err != nil {
				t.Errorf("%s: Run returned %v", c.name, err)
			}
			again = []byte(strings.Replace(string(o.Position()), `"next":21`, `"next":1`, 1))
			continue
		}
		if err == nil {
			t.Errorf("%s: all is well", c.name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q lacks %q", c.name, err, w)
			}
		}
		run := n.Run(t.Context(), nil, oracle())
		if run == nil {
			t.Errorf("%s: Run returned nil", c.name)
		}
		for _, text := range []string{err.Error(), log.String(), run.Error()} {
			if strings.Contains(text, canary) || strings.Contains(text, string(seed)) {
				t.Errorf("%s: the secret is told: %s", c.name, text)
			}
		}
	}
}

func TestNetworkAndToken(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close() // nobody listens there now
	p := newPeer(t, func(o *server.Options) { o.Authorization = canary }, natsgo.Token(canary))
	p.makeStream(jetstream.StreamConfig{})
	for want, change := range map[string]func(*nats.Config){
		"":                  func(c *nats.Config) { c.Token = canary },
		"Authorization":     func(c *nats.Config) { c.Token = "x" },
		"no server answers": func(c *nats.Config) { c.URLs = []string{"nats://" + ln.Addr().String()} },
		"no such file":      func(c *nats.Config) { c.Credentials = "/nowhere/vigil.creds" },
	} {
		cfg := p.config()
		change(&cfg)
		n, err := nats.New(cfg, options)
		if err != nil {
			t.Fatal(err)
		}
		err = n.Check(t.Context())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	plain := newPeer(t, func(o *server.Options) { o.JetStream = false })
	n, err := nats.New(plain.config(), options)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "JetStream is not switched on") {
		t.Errorf("got %v", err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	p := newPeer(t, nil)
	for want, change := range map[string]func(*nats.Config){
		"no server":        func(c *nats.Config) { c.URLs = nil },
		"name of a stream": func(c *nats.Config) { c.Stream = "a.b" },
		"durable":          func(c *nats.Config) { c.Durable = "a b" },
		"start":            func(c *nats.Config) { c.Start = "middle" },
		"seed":             func(c *nats.Config) { c.Seed = canary },
		"several ways":     func(c *nats.Config) { c.User, c.Token = "a", "b" },
		"no source":        func(c *nats.Config) { c.Decode.Source = "" },
	} {
		cfg := p.config()
		change(&cfg)
		_, err := nats.New(cfg, options)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
