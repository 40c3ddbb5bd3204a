// Package syslog sends findings and cases as OCSF events in syslog messages (RFC 5424) to
// a SIEM's receiver: by UDP (RFC 5426), by TCP with octet counting (RFC 6587), or by TLS
// (RFC 5425).
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently, and then sends one after the other. What fails is a *alerts.RetryError.
//
// Syslog has no acknowledgement. By TCP and TLS each event is a connection of its own,
// which is ended on our side and waited for until the receiver ends its: a receiver that
// has read to the end has taken the event. From one that has never done so in time, as
// some keep connections open, the event counts as taken once it is sent; from one that
// has, it does not. By UDP an event is gone once it is sent, unless the receiver's machine
// says at once that nobody listens: use it only where nothing else is taken.
package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"vigil/alerts"
	"vigil/alerts/internal/outbound"
	"vigil/alerts/ocsf"
)

// Transport is how messages go.
type Transport string

// The transports.
const (
	UDP Transport = "udp"
	TCP Transport = "tcp"
	TLS Transport = "tls"
)

// The defaults of Config.
const (
	// DefaultMaxBytes is what receivers take as they come: rsyslog and others cut what is
	// longer.
	DefaultMaxBytes = 8 << 10
	DefaultTimeout  = 10 * time.Second
	DefaultFacility = "local0"
	DefaultAppName  = "vigil"
)

const (
	// mostBytes is the longest message that is sent, mostDatagram the longest datagram.
	mostBytes    = 64 << 10
	mostDatagram = 60 << 10
	// headerBytes is what a header takes at most: "<nnn>1 ", a time, a host of 255, a name
	// of 48, a kind of 32 and what is between them.
	headerBytes = 384
	// confirm is how long a receiver is waited for that never ended a connection yet,
	// refusal how long a machine may take to say that nobody listens.
	confirm = 2 * time.Second
	refusal = 30 * time.Millisecond
)

var facilities = []string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

// Config is what a user writes.
type Config struct {
	// Address is the receiver's host:port. Required.
	Address string `yaml:"address"`
	// Transport is "udp", "tcp" or "tls"; empty means tcp.
	Transport Transport `yaml:"transport"`
	// TLS says how the receiver is trusted, for the transport tls.
	TLS ocsf.TLS `yaml:"tls"`
	// Facility is syslog's name of what kind of program it is, such as "local0" or
	// "authpriv"; empty means local0.
	Facility string `yaml:"facility"`
	// AppName and Hostname stand in the header; empty means "vigil" and the machine's name.
	AppName  string `yaml:"app_name"`
	Hostname string `yaml:"hostname"`
	// MaxBytes bounds one message with its header, in bytes: what is longer is cut by us,
	// who say so in it, rather than by the receiver. 8 KiB, which is the least, to 64 KiB;
	// zero means 8 KiB.
	MaxBytes int `yaml:"max_bytes"`
	// Timeout bounds one message, with its connection. Zero means 10 seconds.
	Timeout time.Duration `yaml:"timeout"`
}

// Options is what code passes.
type Options struct {
	// Name tells several notifiers of this kind apart; empty means "siem-syslog".
	Name string
	// Console and Version are as in ocsf.Options.
	Console, Version string
	// Now tells the time; nil means the clock.
	Now func() time.Time
}

// Notifier sends to one receiver. It implements alerts.Notifier.
type Notifier struct {
	cfg      Config
	opts     Options
	enc      *ocsf.Encoder
	facility int

	mu sync.Mutex // guards all below, and keeps the order
	// confirms says that the receiver has ended a connection in time before.
	confirms bool
}

var _ alerts.Notifier = (*Notifier)(nil)

// New makes a notifier. It does not touch the network: Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	if cfg.Transport == "" {
		cfg.Transport = TCP
	}
	if cfg.Facility == "" {
		cfg.Facility = DefaultFacility
	}
	if cfg.AppName == "" {
		cfg.AppName = DefaultAppName
	}
	if cfg.Hostname == "" {
		cfg.Hostname, _ = os.Hostname()
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if opts.Name == "" {
		opts.Name = "siem-syslog"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	n := &Notifier{cfg: cfg, opts: opts, facility: -1}
	for i, f := range facilities {
		if f == cfg.Facility {
			n.facility = i
		}
	}
	most := mostBytes
	if cfg.Transport == UDP {
		most = mostDatagram
	}
	host, port, err := net.SplitHostPort(cfg.Address)
	number, perr := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || host == "" || perr != nil || number == 0:
		return nil, fmt.Errorf("siem syslog: address %q is not host:port, such as siem.example.org:6514", cfg.Address)
	case cfg.Transport != UDP && cfg.Transport != TCP && cfg.Transport != TLS:
		return nil, fmt.Errorf("siem syslog: transport %q is none of udp, tcp, tls", cfg.Transport)
	case cfg.Transport != TLS && cfg.TLS != (ocsf.TLS{}):
		return nil, fmt.Errorf("siem syslog: the transport %s has no tls: say transport: tls, or leave it out", cfg.Transport)
	case n.facility < 0:
		return nil, fmt.Errorf("siem syslog: facility %q is none of %s", cfg.Facility, strings.Join(facilities, ", "))
	case cfg.MaxBytes < DefaultMaxBytes || cfg.MaxBytes > most:
		return nil, fmt.Errorf("siem syslog: max_bytes %d is not between %d and %d", cfg.MaxBytes, DefaultMaxBytes, most)
	case cfg.Timeout < 0:
		return nil, fmt.Errorf("siem syslog: timeout %s is negative", cfg.Timeout)
	}
	n.enc, err = ocsf.New(ocsf.Options{Console: opts.Console, Version: opts.Version, MaxBytes: max(cfg.MaxBytes-headerBytes, ocsf.LeastMaxBytes), Now: opts.Now})
	if err != nil {
		return nil, fmt.Errorf("siem syslog: %w", err)
	}
	return n, nil
}

// Name is the notifier's name.
func (n *Notifier) Name() string { return n.opts.Name }

// Notify sends the message's event and returns its uid. A message that a SIEM is not told
// is done with, without a receipt. Errors are *alerts.RetryError, or *alerts.RefusedError
// for what can't be an event.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	e, err := n.enc.Event(m)
	switch {
	case errors.Is(err, ocsf.ErrNoEvent):
		return "", nil
	case err != nil:
		return "", &alerts.RefusedError{Err: err, Remedy: "please report it, with the finding's ID"}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	text := append(n.header(m.Kind, e.Severity), e.JSON...)
	sent, err := n.send(ctx, text)
	if err != nil {
		return "", &alerts.RetryError{Err: err, InDoubt: sent}
	}
	return e.UID, nil
}

// Check connects, by TLS where that is the transport, sends nothing, and says what is
// missing: of a receiver that asks for a certificate also whether it takes ours. By UDP
// there is nothing to be seen.
func (n *Notifier) Check(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	conn, err := n.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if n.cfg.Transport == UDP {
		return nil
	}
	deadline := n.bound(ctx, conn)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	return n.ended(ctx, conn, deadline)
}

// bound gives a connection its time.
func (n *Notifier) bound(ctx context.Context, conn net.Conn) time.Time {
	deadline := time.Now().Add(n.cfg.Timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	_ = conn.SetDeadline(deadline)
	return deadline
}

// header is a message's header, with the space after its structured data.
func (n *Notifier) header(kind string, severity int) []byte {
	// OCSF's informational, low, medium, high, critical.
	level := [...]int{0: 6, 1: 6, 2: 5, 3: 4, 4: 3, 5: 2}[min(max(severity, 0), 5)]
	return fmt.Appendf(nil, "<%d>1 %s %s %s %d %s - ", 8*n.facility+level, n.opts.Now().UTC().Format("2006-01-02T15:04:05.000000Z"),
		field(n.cfg.Hostname, 255), field(n.cfg.AppName, 48), os.Getpid(), field(kind, 32))
}

// field makes a text fit for a field of the header: printable ASCII without spaces.
func field(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), max)]
}

func (n *Notifier) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Timeout)
	defer cancel()
	var conn net.Conn
	var err error
	switch n.cfg.Transport {
	case TLS:
		var cfg *tls.Config
		if cfg, err = n.cfg.TLS.Client(); err != nil {
			return nil, fmt.Errorf("siem syslog: %w", err)
		}
		conn, err = (&tls.Dialer{NetDialer: outbound.Dialer(true), Config: cfg}).DialContext(ctx, "tcp", n.cfg.Address)
	default:
		conn, err = outbound.Dialer(true).DialContext(ctx, string(n.cfg.Transport), n.cfg.Address)
	}
	if err != nil {
		return nil, fmt.Errorf("siem syslog: connect to %s by %s: %w", n.cfg.Address, n.cfg.Transport, err)
	}
	return conn, nil
}

// send sends one message, and says whether any of it may have arrived.
func (n *Notifier) send(ctx context.Context, text []byte) (sent bool, err error) {
	conn, err := n.dial(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	deadline := n.bound(ctx, conn)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if n.cfg.Transport == UDP {
		return n.datagram(conn, text)
	}
	if _, err := conn.Write(append(fmt.Appendf(nil, "%d ", len(text)), text...)); err != nil {
		return true, fmt.Errorf("siem syslog: send to %s: %w", n.cfg.Address, err)
	}
	return true, n.ended(ctx, conn, deadline)
}

func (n *Notifier) datagram(conn net.Conn, text []byte) (bool, error) {
	if _, err := conn.Write(text); err != nil {
		return false, fmt.Errorf("siem syslog: send to %s: %w", n.cfg.Address, err)
	}
	// A machine at which nobody listens says so, and that comes as an error of reading.
	_ = conn.SetReadDeadline(time.Now().Add(refusal))
	var b [1]byte
	if _, err := conn.Read(b[:]); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return false, fmt.Errorf("siem syslog: nobody listens at %s: %w", n.cfg.Address, err)
	}
	return true, nil
}

// ended ends our side of a connection and waits until the receiver ends its own.
func (n *Notifier) ended(ctx context.Context, conn net.Conn, deadline time.Time) error {
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("siem syslog: the connection to %s has no end of its own", n.cfg.Address)
	}
	if err := half.CloseWrite(); err != nil {
		return fmt.Errorf("siem syslog: end the connection to %s: %w", n.cfg.Address, err)
	}
	// A receiver that never ended a connection yet is waited for a little, and then believed.
	soon := time.Now().Add(confirm)
	lenient := !n.confirms && soon.Before(deadline)
	if lenient {
		_ = conn.SetReadDeadline(soon)
		if ctx.Err() != nil {
			_ = conn.SetReadDeadline(time.Unix(1, 0))
		}
	}
	// Receivers say nothing; what one does say is not for us.
	_, err := io.Copy(io.Discard, io.LimitReader(conn, mostBytes))
	switch {
	case err == nil:
		n.confirms = true
		return nil
	case lenient && ctx.Err() == nil && errors.Is(err, os.ErrDeadlineExceeded) && !time.Now().Before(soon):
		return nil
	}
	return fmt.Errorf("siem syslog: %s did not take the event to its end: %w", n.cfg.Address, err)
}
