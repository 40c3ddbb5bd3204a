package config

import (
	"crypto/x509"
	"fmt"
	"os"
)

// ServerTLS says with which certificate a listener shows itself, and whose it asks for.
// The files are read again when they change.
type ServerTLS struct {
	// Cert and Key are PEM files: the certificate with its chain, and its key. Required.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// ClientCA is a PEM file of authorities. When set, only who shows a certificate
	// that one of them signed is let in, beside the token. Empty asks for none.
	ClientCA string `yaml:"client_ca"`
}

func (t *ServerTLS) check(c *checker, field string) {
	if t.Cert == "" || t.Key == "" {
		c.at(field, "needs cert and key", "name the PEM files of the certificate and of its key")
		return
	}
	if c.known.Certificate == nil {
		return
	}
	if err := c.known.Certificate(t); err != nil {
		c.at(field, err.Error(), "name PEM files that vigil may read: a certificate, the key that belongs to it, and authorities")
	}
}

// CertPool reads a PEM file of authorities.
func CertPool(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no PEM certificate", path)
	}
	return pool, nil
}
