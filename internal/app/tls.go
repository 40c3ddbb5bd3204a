package app

import (
	"crypto/tls"
	"errors"
	"fmt"

	"vigil/internal/config"
)

// tlsOf makes what a client needs to trust a server as t says; nil for nil, which is a
// connection without TLS where the way in knows such a thing.
func tlsOf(t *config.TLS) (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		var err error
		if out.RootCAs, err = config.CertPool(t.CA); err != nil {
			return nil, fmt.Errorf("read tls.ca: %w", err)
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, errors.New("tls.cert and tls.key go together: name both files, or neither")
	}
	if t.Cert != "" {
		load := func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
			if err != nil {
				return nil, fmt.Errorf("read tls.cert and tls.key: %w", err)
			}
			return &pair, nil
		}
		if _, err := load(); err != nil {
			return nil, err
		}
		out.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	}
	return out, nil
}
