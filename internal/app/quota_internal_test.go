package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil/collectors"
	"vigil/internal/config"
)

// A source that floods is told when to come again; what it may bring on average it can
// bring.
func TestQuota(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	q := newQuota(100, func() time.Time { return now })
	if newQuota(0, nil) != nil {
		t.Error("no quota bounds something")
	}
	taken, refused := 0, 0
	for range 600 { // ten minutes, a flood of 500 a second
		now = now.Add(time.Second)
		for range 5 {
			err := q.check("bot")
			if err == nil {
				q.took(100)
				taken += 100
				continue
			}
			refused++
			var later collectors.Later
			if !errors.As(err, &later) || later.RetryAfter() <= 0 || later.RetryAfter() > time.Minute {
				t.Fatalf("error %v", err)
			}
		}
	}
	// A minute's worth was saved up.
	if want := 600*100 + 60*100; taken < want-200 || taken > want+200 || refused == 0 {
		t.Errorf("%d were taken and %d batches refused, want about %d", taken, refused, want)
	}
	// A clock that goes back gives nothing and takes nothing.
	now = now.Add(-time.Hour)
	before := q.left
	if q.refill(); q.left != before {
		t.Errorf("%v are left, before it were %v", q.left, before)
	}
	// A batch larger than all that may be saved up is taken, and made good.
	now = now.Add(3 * time.Hour)
	if err := q.check("bot"); err != nil {
		t.Fatal(err)
	}
	q.took(60_000)
	var over *overQuota
	if err := q.check("bot"); !errors.As(err, &over) || over.wait < 8*time.Minute {
		t.Errorf("error %v", err)
	}
	now = now.Add(10 * time.Minute)
	if err := q.check("bot"); err != nil {
		t.Error(err)
	}
}

// Certificate writes one with its key, and returns the paths.
func Certificate(t *testing.T, dir, name string, until time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A renewed certificate is shown without a restart; one that is broken meanwhile leaves
// the old one.
func TestCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	soon := time.Now().Add(48 * time.Hour)
	cert, key := Certificate(t, dir, "first.example.com", soon)
	k := &keeper{cfg: config.ServerTLS{Cert: cert, Key: key}}
	if err := k.load(); err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		k.checked = time.Time{} // as if a while had gone by
		return k.current().Certificates[0].Leaf.Subject.CommonName
	}
	if got := shown(); got != "first.example.com" {
		t.Errorf("shows %q", got)
	}
	if err := os.WriteFile(key, []byte("half written"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := shown(); got != "first.example.com" {
		t.Errorf("shows %q while the key is broken", got)
	}
	Certificate(t, dir, "second.example.com", soon)
	if got := shown(); got != "second.example.com" {
		t.Errorf("shows %q after the renewal", got)
	}
	cfg := &config.ServerTLS{Cert: cert, Key: key}
	for _, c := range []struct {
		at   time.Time
		want string
	}{{soon.Add(-30 * 24 * time.Hour), ""}, {soon.Add(-time.Hour), "runs out on"}, {soon.Add(time.Hour), "ran out on"}} {
		if note := certificateNote(cfg, c.at); !strings.Contains(note, c.want) || c.want == "" && note != "" {
			t.Errorf("at %s: %q, want %q", c.at, note, c.want)
		}
	}
	if note := certificateNote(&config.ServerTLS{Cert: cert, Key: filepath.Join(dir, "none")}, soon); !strings.Contains(note, "can't be read") {
		t.Errorf("note %q", note)
	}
	if _, err := serverTLS(&config.ServerTLS{Cert: cert, Key: key, ClientCA: key}); err == nil {
		t.Error("a key is taken for authorities")
	}
	asks, err := serverTLS(&config.ServerTLS{Cert: cert, Key: key, ClientCA: cert})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := asks.GetConfigForClient(nil); err != nil || c.ClientAuth != tls.RequireAndVerifyClientCert {
		t.Errorf("%+v, %v", c, err)
	}
}
