package ocsf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"vigil/alerts/internal/outbound"
)

// Secret is a password or a token. It prints as "[redacted]" wherever it is formatted,
// logged or marshalled.
type Secret = outbound.Secret

// TLS says how a receiver is trusted, and by which certificate it knows us. Its files are
// read when a connection is made, so that renewed ones come into force by themselves.
type TLS struct {
	// CA is a PEM file with the authorities that may vouch for the receiver; empty means
	// the system's.
	CA string `yaml:"ca"`
	// Cert and Key are PEM files with our certificate and its key, for receivers that ask
	// for one; empty shows none.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// ServerName is the name that the receiver's certificate must be for; empty means the
	// host that we connect to.
	ServerName string `yaml:"server_name"`
}

// Client reads the files. The error names the one that can't be used.
func (t TLS) Client() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if (t.Cert == "") != (t.Key == "") {
		return nil, errors.New("tls: a certificate and its key go together: give both files")
	}
	if t.CA != "" {
		text, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("tls: read ca: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("tls: ca %q holds no certificate in PEM", t.CA)
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("tls: read certificate %q and its key: %w", t.Cert, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}
