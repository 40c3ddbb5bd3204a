// Package redis reads what a Redis, Valkey or KeyDB server's MONITOR tells, as it happens:
// each line goes to the format redis.
//
// The server keeps nothing for who is away, so each time without a connection is told as
// a lapse, with its start and its end. Nothing can be acknowledged either.
//
// A server keeps what a slow reader has not read in its own memory, by default without a
// bound. So one goroutine reads without waiting for anybody, into a queue of at most
// maxQueue bytes; another decodes and hands over. When the queue is full the connection is
// given up, what is in the queue is handed over, and the time away is told. Lines longer
// than maxLine bytes are cut at the connection, behind an argument's last whole character;
// what is cut off is a value or a very long list of keys.
//
// A second connection asks for CLIENT LIST, which says who is behind an address: at the
// start, each minute, and when an address appears that it did not tell, at most every two
// seconds. It also asks for PING every ten seconds, by which a connection that is dead
// without a word is found. What the two connections do themselves is not counted.
//
// A connection of ours rather than a client library's: a library reads a whole line before
// it can be cut, however long its value is, and hides when the peer stops reading.
package redis

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vigil/collectors/decode"
)

// Config says which server is read.
type Config struct {
	// Decode says how lines are read; an empty format is redis. Required.
	Decode decode.Config
	// URL is the server's address: redis://user:password@host:6379, or rediss:// with TLS.
	// Required.
	URL string
	// TLS says whom to trust with rediss; nil trusts whom this machine trusts.
	TLS *tls.Config
}

// Options are what code passes.
type Options struct {
	// Logger gets what an operator should know; nil means none does.
	Logger *slog.Logger
	// Now tells the time; nil means the clock.
	Now func() time.Time
	// Queue bounds what waits to be handed over, in bytes; zero means 32 MiB.
	Queue int
}

// Monitor reads one server; it is a [collectors.Collector].
type Monitor struct {
	cfg   Config
	to    target
	log   *slog.Logger
	now   func() time.Time
	queue int
}

// New makes a collector. The error holds no secret.
func New(cfg Config, opts Options) (*Monitor, error) {
	if cfg.Decode.Format == "" {
		cfg.Decode.Format = "redis" // what a first line looks like need not decide
	}
	if err := cfg.Decode.Check(); err != nil {
		return nil, err
	}
	to, err := parseURL(cfg.URL, cfg.TLS)
	if err != nil {
		return nil, err
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Queue <= 0 {
		opts.Queue = maxQueue
	}
	return &Monitor{cfg: cfg, to: to, log: opts.Logger, now: opts.Now, queue: opts.Queue}, nil
}

// target is where a server is.
type target struct {
	address, user, pass string
	tls                 *tls.Config
}

// CheckURL says what is wrong with a server's address. The error holds nothing of it.
func CheckURL(text string) error {
	_, err := parseURL(text, nil)
	return err
}

func parseURL(text string, trust *tls.Config) (target, error) {
	u, err := url.Parse(text)
	if err != nil {
		return target{}, errors.New("url: can't be read; write redis://user:password@host:6379, with special characters of the password as %xx")
	}
	port := u.Port()
	if port == "" {
		port = "6379"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return target{}, errors.New("url: the port is no number from 1 to 65535")
	}
	to := target{address: net.JoinHostPort(u.Hostname(), port), user: u.User.Username()}
	to.pass, _ = u.User.Password()
	switch {
	case u.Hostname() == "":
		return target{}, errors.New("url: names no host; write redis://user:password@host:6379")
	case strings.Trim(u.Path, "/0123456789") != "" || u.RawQuery != "":
		return target{}, errors.New("url: has something behind the port; MONITOR tells of all databases, and there are no settings")
	case to.user != "" && to.pass == "":
		return target{}, errors.New("url: names a user and no password")
	case u.Scheme == "redis" && trust != nil:
		return target{}, errors.New("url: begins with redis://, by which tls is not used; write rediss://")
	case u.Scheme == "redis":
	case u.Scheme == "rediss":
		to.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		if trust != nil {
			to.tls = trust.Clone()
		}
		if to.tls.ServerName == "" {
			to.tls.ServerName = u.Hostname()
		}
	default:
		return target{}, errors.New("url: begins with neither redis:// nor rediss://")
	}
	return to, nil
}
