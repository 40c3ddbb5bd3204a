package kafka_test

import (
	"bytes"
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

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"vigil/collectors/kafka"
)

// canary is the password in these tests; nothing may tell it.
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

func allow(kind kmsg.ACLResourceType, name string, op kmsg.ACLOperation) kfake.ACL {
	return kfake.ACL{Resource: kind, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: op, Allow: true}
}

// A cluster that asks for TLS and a password, and allows little: records come where all
// is right, and what is missing is named with its remedy where it is not.
func TestSecuredCluster(t *testing.T) {
	t.Parallel()
	server, pool := certificate(t)
	read := allow(kmsg.ACLResourceTypeTopic, topic, kmsg.ACLOperationRead)
	group := allow(kmsg.ACLResourceTypeGroup, "vigil-"+source, kmsg.ACLOperationRead)
	b := newBroker(t, kfake.TLS(server), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser("PLAIN", "root", canary+"0"),
		kfake.User("PLAIN", "good", canary, read, group), kfake.User("SCRAM-SHA-256", "good256", canary, read, group),
		kfake.User("SCRAM-SHA-512", "good512", canary, read, group),
		kfake.User("PLAIN", "nogroup", canary, read),
		kfake.User("PLAIN", "notopic", canary, group),
		kfake.User("PLAIN", "describes", canary, group, allow(kmsg.ACLResourceTypeTopic, topic, kmsg.ACLOperationDescribe)),
	)
	client := func() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool} }
	var err error
	b.client, err = kgo.NewClient(kgo.SeedBrokers(b.addresses()...), kgo.DialTLSConfig(client()), kgo.SASL(plain.Auth{User: "root", Pass: canary + "0"}.AsMechanism()))
	if err != nil {
		t.Fatal(err)
	}
	b.mustWrite(topic, records(1, 20)...)
	for _, c := range []struct {
		name    string
		sasl    *kafka.SASL
		tls     *tls.Config
		topic   string
		pattern string
		want    []string // nil is well
	}{
		{name: "plain", sasl: &kafka.SASL{Mechanism: kafka.Plain, User: "good", Password: canary}, tls: client()},
		{name: "scram-sha-256", sasl: &kafka.SASL{Mechanism: kafka.ScramSHA256, User: "good256", Password: canary}, tls: client()},
		{name: "scram-sha-512", sasl: &kafka.SASL{Mechanism: kafka.ScramSHA512, User: "good512", Password: canary}, tls: client()},
		{name: "pattern", sasl: &kafka.SASL{Mechanism: kafka.Plain, User: "good", Password: canary}, tls: client(), pattern: "access-.*"},
		{name: "wrong password", sasl: &kafka.SASL{Mechanism: kafka.Plain, User: "good", Password: canary + "x"}, tls: client(), want: []string{"sasl.password"}},
		{name: "wrong scram password", sasl: &kafka.SASL{Mechanism: kafka.ScramSHA512, User: "good512", Password: canary + "x"}, tls: client(), want: []string{"sasl.password"}},
		{name: "no password", tls: client(), want: []string{"sasl"}},
		{name: "no tls", sasl: &kafka.SASL{Mechanism: kafka.ScramSHA512, User: "good512", Password: canary}, want: []string{"tls"}},
		{name: "unknown authority", sasl: &kafka.SASL{Mechanism: kafka.Plain, User: "good", Password: canary}, tls: &tls.Config{MinVersion: tls.VersionTLS12}, want: []string{"tls.ca"}},
		{name: "no group", sasl: &kafka.SASL{Mechanism: kafka.Plain, User: "nogroup", Password: canary}, tls: client(), want: []string{"kafka-acls", "--allow-principal User:nogroup --operation Read --group 'vigil-audit'"}},
		{name: "no topic", sasl: &kafka.SASL{Mechanism: kafka.Plain, User: "notopic", Password: canary}, tls: client(), want: []string{"kafka-acls", "--allow-principal User:notopic --operation Read --operation Describe --topic 'access-log'"}},
		{name: "describe only", sasl: &kafka.SASL{Mechanism: kafka.Plain, User: "describes", Password: canary}, tls: client(), want: []string{"kafka-acls", "--operation Read"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := b.config()
			cfg.SASL, cfg.TLS = c.sasl, c.tls
			if c.pattern != "" {
				cfg.Topics, cfg.Pattern = nil, c.pattern
			}
			var log bytes.Buffer
			k, err := kafka.New(cfg, kafka.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			err = k.Check(t.Context())
			if c.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				cfg.Group = "vigil-" + source
				o := oracle()
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- k.Run(ctx, nil, o) }()
				o.Await(t, "the records, or a share of them", func(events, _, _ int) bool { return events > 0 || c.name != "plain" })
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("all is well")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q lacks %q", err, w)
				}
			}
			if strings.Contains(err.Error(), canary) || strings.Contains(log.String(), canary) {
				t.Errorf("the password is told: %v, %s", err, log.String())
			}
			// Run says the same, instead of waiting.
			if err := k.Run(t.Context(), nil, oracle()); err == nil || strings.Contains(err.Error(), canary) {
				t.Errorf("Run returned %v", err)
			}
		})
	}
}

func TestMissingTopicAndNetwork(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	options := kafka.Options{Logger: slog.New(slog.DiscardHandler)}
	cfg := b.config()
	cfg.Topics = []string{topic, "nowhere"}
	k, err := kafka.New(cfg, options)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{k.Check(t.Context()), k.Run(t.Context(), nil, oracle())} {
		if err == nil || !strings.Contains(err.Error(), "topic nowhere is not there") || !strings.Contains(err.Error(), "kafka-topics") {
			t.Errorf("got %v", err)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close() // nobody listens there now
	cfg.Brokers = []string{ln.Addr().String()}
	if k, err = kafka.New(cfg, options); err != nil {
		t.Fatal(err)
	}
	if err := k.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for want, change := range map[string]func(*kafka.Config){
		"no broker":  func(c *kafka.Config) { c.Brokers = nil },
		"not both":   func(c *kafka.Config) { c.Pattern = "x" },
		"pattern":    func(c *kafka.Config) { c.Topics, c.Pattern = nil, "(" },
		"start":      func(c *kafka.Config) { c.Start = "middle" },
		"mechanism":  func(c *kafka.Config) { c.SASL = &kafka.SASL{Mechanism: "gssapi"} },
		"no source":  func(c *kafka.Config) { c.Decode.Source = "" },
		"no formats": func(c *kafka.Config) { c.Decode.Formats = nil },
	} {
		cfg := b.config()
		change(&cfg)
		if _, err := kafka.New(cfg, kafka.Options{Logger: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
