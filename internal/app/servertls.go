package app

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"time"

	"vigil/internal/config"
)

// serverTLS makes the settings of a listener. Certificate and authorities are read again
// when their files change, so that a renewal needs no restart; while the new files can't
// be used, the old ones stay. nil gives nil: no TLS.
func serverTLS(c *config.ServerTLS) (*tls.Config, error) {
	if c == nil {
		return nil, nil
	}
	k := &keeper{cfg: *c}
	if err := k.load(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return k.current(), nil },
	}, nil
}

// certificateNote says that a certificate runs out, or "".
func certificateNote(c *config.ServerTLS, now time.Time) string {
	if c == nil {
		return ""
	}
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return "The certificate of push_tls can't be read: " + err.Error() + "."
	}
	switch end := pair.Leaf.NotAfter; {
	case now.After(end):
		return fmt.Sprintf("The certificate of push_tls ran out on %s: senders refuse it until it is renewed.", end.UTC().Format("2 January 2006"))
	case end.Sub(now) < certificateSoon:
		return fmt.Sprintf("The certificate of push_tls runs out on %s.", end.UTC().Format("2 January 2006 15:04 UTC"))
	}
	return ""
}

// certificateSoon is how long before its end a certificate is spoken of.
const certificateSoon = 7 * 24 * time.Hour

// keepCheck is how often the files are looked at, at most.
const keepCheck = 10 * time.Second

// keeper holds a certificate as long as its files are as they were.
type keeper struct {
	cfg config.ServerTLS

	mu      sync.Mutex // guards all below
	now     *tls.Config
	stamp   string
	checked time.Time
}

func (k *keeper) current() *tls.Config {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.checked) >= keepCheck {
		_ = k.loadLocked() // the old one stays
	}
	return k.now
}

func (k *keeper) load() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.loadLocked()
}

func (k *keeper) loadLocked() error {
	k.checked = time.Now()
	stamp := stampOf(k.cfg.Cert, k.cfg.Key, k.cfg.ClientCA)
	if stamp == k.stamp && k.now != nil {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(k.cfg.Cert, k.cfg.Key)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	next := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	if k.cfg.ClientCA != "" {
		var pool *x509.CertPool
		if pool, err = config.CertPool(k.cfg.ClientCA); err != nil {
			return err
		}
		next.ClientCAs, next.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	k.now, k.stamp = next, stamp
	return nil
}

// stampOf tells whether files have changed, by their sizes and times.
func stampOf(paths ...string) string {
	out := ""
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			out += fmt.Sprintf("%d/%d ", info.Size(), info.ModTime().UnixNano())
		}
	}
	return out
}
