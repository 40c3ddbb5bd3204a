package syslog

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// maxPEM bounds a file of certificates, in bytes.
const maxPEM = 1 << 20

// keyring holds our certificate and those of the authorities that vouch for senders, and
// reads their files again when they change. A change that can't be used is told, and the
// last good ones stay. It is safe for concurrent use.
type keyring struct {
	cfg *Config
	log complainer
	now func() time.Time

	mu      sync.Mutex // guards all below
	looked  time.Time
	files   [3]fileState
	current *tls.Config
	leaf    *x509.Certificate
}

// fileState tells whether a file changed.
type fileState struct {
	modified time.Time
	size     int64
}

// lookEvery is how often the files are looked at, at most.
const lookEvery = time.Second

func newKeyring(cfg *Config, opt Options) *keyring {
	return &keyring{cfg: cfg, log: complainer{logger: opt.Logger, now: opt.Now}, now: opt.Now}
}

// config is for one connection: what stands in the files by then.
func (k *keyring) config() *tls.Config {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if now.Sub(k.looked) >= lookEvery {
		k.looked = now
		if k.stats() != k.files {
			if err := k.read(); err != nil {
				k.log.warn("certificate", "changed certificate files can't be used, and the last ones stay in use", "error", err.Error())
			}
		}
	}
	return k.current
}

// load reads the files for the first time.
func (k *keyring) load() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.looked = time.Now()
	return k.read()
}

func (k *keyring) stats() (out [3]fileState) {
	for i, path := range []string{k.cfg.Cert, k.cfg.Key, k.cfg.ClientCA} {
		if info, err := os.Stat(path); err == nil {
			out[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return out
}

// read makes the configuration of what is in the files. The caller holds mu.
func (k *keyring) read() error {
	files := k.stats() // before they are read, so that a change in between is seen
	cert, err := readPEM(k.cfg.Cert)
	if err != nil {
		return err
	}
	key, err := readPEM(k.cfg.Key)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("use the certificate %s with the key %s: %w", k.cfg.Cert, k.cfg.Key, err)
	}
	c := &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, Time: k.now,
		// A session taken up again would not look at certificates anew.
		SessionTicketsDisabled: true,
	}
	if k.cfg.ClientCA != "" {
		text, err := readPEM(k.cfg.ClientCA)
		if err != nil {
			return err
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("use client_ca %s: there is no certificate in it", k.cfg.ClientCA)
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
		c.VerifyConnection = k.known
	}
	k.files, k.current, k.leaf = files, c, pair.Leaf
	return nil
}

// valid says whether our own certificate is valid now: senders would refuse it otherwise.
func (k *keyring) valid(now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.leaf == nil:
		return nil
	case now.After(k.leaf.NotAfter):
		return fmt.Errorf("the certificate %s has expired (%s): put a new one there, it is read without a restart", k.cfg.Cert, k.leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(k.leaf.NotBefore):
		return fmt.Errorf("the certificate %s is valid only from %s on: look at this machine's clock", k.cfg.Cert, k.leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// errName is a sender whose certificate is for none of the allowed names.
var errName = errors.New("the sender's certificate is for none of the names in client_names")

// known refuses senders whose names are not allowed.
func (k *keyring) known(state tls.ConnectionState) error {
	if len(k.cfg.ClientNames) == 0 {
		return nil
	}
	for _, name := range namesOf(state) {
		for _, pattern := range k.cfg.ClientNames {
			if nameFits(name, pattern) {
				return nil
			}
		}
	}
	return errName
}

// namesOf are the names that a verified certificate is for: the alternative names, and
// only where there are none the common name.
func namesOf(state tls.ConnectionState) (names []string) {
	if len(state.VerifiedChains) == 0 || len(state.PeerCertificates) == 0 {
		return nil
	}
	leaf := state.PeerCertificates[0]
	names = append(names, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	for _, uri := range leaf.URIs {
		names = append(names, uri.String())
	}
	names = append(names, leaf.EmailAddresses...)
	if len(names) == 0 && leaf.Subject.CommonName != "" {
		names = append(names, leaf.Subject.CommonName)
	}
	return names
}

// senderName is the first of them, "" for a sender who showed none.
func senderName(state tls.ConnectionState) string {
	if names := namesOf(state); len(names) > 0 {
		return names[0][:min(len(names[0]), 255)]
	}
	return ""
}

// nameFits compares a name with an allowed one, whose first label may be *.
func nameFits(name, pattern string) bool {
	if strings.EqualFold(name, pattern) {
		return true
	}
	rest, wild := strings.CutPrefix(pattern, "*.")
	label, parent, found := strings.Cut(name, ".")
	return wild && found && label != "" && label != "*" && strings.EqualFold(parent, rest)
}

// readPEM reads a file that must be small.
func readPEM(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read a certificate or key: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(text) > maxPEM {
		return nil, fmt.Errorf("read %s: it has more than %d bytes", path, maxPEM)
	}
	return text, nil
}
