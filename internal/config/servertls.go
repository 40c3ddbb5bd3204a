package config

import (
	"crypto/tls"
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
	if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
		c.at(field+".cert", err.Error(), "name a certificate and the key that belongs to it, both PEM files that vigil may read")
	}
	if t.ClientCA != "" {
		if _, err := CertPool(t.ClientCA); err != nil {
			c.at(field+".client_ca", err.Error(), "name a PEM file of certificates")
		}
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
