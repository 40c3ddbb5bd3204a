package syslog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"vigil/collectors/decode"
)

// Transport is how messages come.
type Transport string

// The transports.
const (
	// UDP is one message a datagram (RFC 5426).
	UDP Transport = "udp"
	// TCP is a stream of messages (RFC 6587).
	TCP Transport = "tcp"
	// TLS is that within TLS (RFC 5425).
	TLS Transport = "tls"
	// RELP is rsyslog's protocol, which acknowledges messages; within TLS where a
	// certificate is given.
	RELP Transport = "relp"
)

// Transports lists them.
func Transports() []Transport { return []Transport{UDP, TCP, TLS, RELP} }

// The defaults of Config.
const (
	DefaultMaxConnections = 64
	DefaultIdleTimeout    = 24 * time.Hour
)

// The bounds of Config.
const (
	MostConnections = 4096
	LeastIdle       = time.Second
)

// Config is what a user writes.
type Config struct {
	// Decode says whose the messages are and how they are read. Required.
	Decode decode.Config
	// Listen is the host:port at which senders are waited for. Required.
	Listen string
	// Transport is how they come; empty means TCP.
	Transport Transport
	// Cert and Key are PEM files with our certificate and its key: for TLS required, for
	// RELP possible. They are read again when they change.
	Cert, Key string
	// ClientCA is a PEM file with the authorities whose certificates senders must show;
	// empty asks for none. It is read again when it changes.
	ClientCA string
	// ClientNames are the names, one of which a sender's certificate must be for
	// ("*.example.org" is any one label); empty takes any that ClientCA vouches for.
	ClientNames []string
	// From are the networks from which senders may come; empty means any.
	From []netip.Prefix
	// MaxConnections bounds the connections, and of UDP the senders, that are heard at
	// once; zero means 64.
	MaxConnections int
	// IdleTimeout ends a connection on which no message came for so long; zero means 24
	// hours.
	IdleTimeout time.Duration
}

// Options is what code passes.
type Options struct {
	// Logger gets what the operator should know; nil means nothing is told.
	Logger *slog.Logger
	// Listening is told the address once it listens; may be nil.
	Listening func(net.Addr)
	// Now tells the time of arrival; nil means the clock.
	Now func() time.Time
}

// Receiver is the collector. Run may be called again once it has returned.
type Receiver struct {
	cfg Config
	opt Options
}

// New makes a receiver. The error names what can't be used.
func New(cfg Config, opts Options) (*Receiver, error) {
	if cfg.Transport == "" {
		cfg.Transport = TCP
	}
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = DefaultMaxConnections
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = DefaultIdleTimeout
	}
	switch {
	case cfg.Transport != UDP && cfg.Transport != TCP && cfg.Transport != TLS && cfg.Transport != RELP:
		return nil, fmt.Errorf("syslog: transport %q is none of %v", cfg.Transport, Transports())
	case cfg.Listen == "":
		return nil, errors.New("syslog: no address to listen at is given")
	case (cfg.Cert == "") != (cfg.Key == ""):
		return nil, errors.New("syslog: a certificate and its key go together: give both files")
	case cfg.Transport == TLS && cfg.Cert == "":
		return nil, errors.New("syslog: the transport tls needs a certificate and its key")
	case cfg.Cert != "" && cfg.Transport != TLS && cfg.Transport != RELP:
		return nil, fmt.Errorf("syslog: the transport %s has no TLS: use tls or relp, or leave the certificate out", cfg.Transport)
	case cfg.ClientCA != "" && cfg.Cert == "":
		return nil, errors.New("syslog: to ask senders for certificates we need one ourselves: give cert and key")
	case len(cfg.ClientNames) > 0 && cfg.ClientCA == "":
		return nil, errors.New("syslog: names are looked for in certificates that an authority vouches for: give client_ca")
	case cfg.MaxConnections < 1 || cfg.MaxConnections > MostConnections:
		return nil, fmt.Errorf("syslog: %d connections are outside 1 to %d", cfg.MaxConnections, MostConnections)
	case cfg.IdleTimeout < LeastIdle:
		return nil, fmt.Errorf("syslog: an idle time-out of %s is shorter than %s", cfg.IdleTimeout, LeastIdle)
	}
	if err := cfg.Decode.Check(); err != nil {
		return nil, fmt.Errorf("syslog: %w", err)
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Receiver{cfg: cfg, opt: opts}, nil
}

// Check says whether it could listen: the address is free and ours, and the certificates
// can be used. It takes no message.
func (r *Receiver) Check(ctx context.Context) error {
	if r.cfg.Cert != "" {
		k := newKeyring(&r.cfg, r.opt)
		if err := k.load(); err != nil {
			return err
		}
		if err := k.valid(r.opt.Now()); err != nil {
			return err
		}
	}
	if r.cfg.Transport == UDP {
		c, err := listenUDP(ctx, r.cfg.Listen)
		if err != nil {
			return err
		}
		return c.Close()
	}
	l, err := listenTCP(ctx, r.cfg.Listen)
	if err != nil {
		return err
	}
	return l.Close()
}
