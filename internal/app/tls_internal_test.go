package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil/internal/config"
)

// pair writes a certificate for localhost that is its own authority, and its key.
func pair(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A server is verified, a client shows its certificate, and a renewed one is taken up.
func TestTLS(t *testing.T) {
	t.Parallel()
	serverCert, serverKey := pair(t, t.TempDir(), 1)
	dir := t.TempDir()
	cert, key := pair(t, dir, 2)
	served, err := tls.LoadX509KeyPair(serverCert, serverKey)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{served}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	shown := make(chan int64, 8)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			tc := c.(*tls.Conn)
			if tc.HandshakeContext(t.Context()) == nil {
				shown <- tc.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
			}
			c.Close()
		}
	}()
	dial := func(c *config.TLS) error {
		cfg, err := tlsOf(c)
		if err != nil {
			return err
		}
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", ln.Addr().String(), cfg)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	good := &config.TLS{CA: serverCert, Cert: cert, Key: key, ServerName: "localhost"}
	if err := dial(good); err != nil {
		t.Fatal(err)
	}
	if n := <-shown; n != 2 {
		t.Errorf("the client showed certificate %d", n)
	}
	// The same configuration, with the files renewed under it.
	cfg, err := tlsOf(good)
	if err != nil {
		t.Fatal(err)
	}
	pair(t, dir, 3)
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", ln.Addr().String(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if n := <-shown; n != 3 {
		t.Errorf("the client showed certificate %d, not the renewed one", n)
	}
	for what, c := range map[string]*config.TLS{
		"unknown authority":      {Cert: cert, Key: key, ServerName: "localhost"},
		"is valid for localhost": {CA: serverCert, Cert: cert, Key: key, ServerName: "elsewhere"},
		"read tls.ca":            {CA: filepath.Join(dir, "none.pem")},
		"holds no PEM":           {CA: key + "x"},
		"go together":            {Cert: cert},
		"read tls.cert":          {Cert: cert, Key: cert},
	} {
		if what == "holds no PEM" {
			if err := os.WriteFile(key+"x", []byte("hello"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := dial(c); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%+v: got %v, want %q", c, err, what)
		}
	}
	if cfg, err := tlsOf(nil); cfg != nil || err != nil {
		t.Errorf("nil gives %v, %v", cfg, err)
	}
}
