package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"vigil/alerts"
	"vigil/alerts/internal/outbound"
)

// maxReceived bounds what is read of a server in one session, in bytes.
const maxReceived = 1 << 20

// server is how the mail server is spoken to.
type server struct {
	cfg Config
	tls *tls.Config
}

// newServer checks what the configuration says of the server, and fills in what it
// leaves out.
func newServer(cfg *Config) (server, error) {
	if cfg.Security == "" {
		cfg.Security = SecurityStartTLS
	}
	ports := map[string]int{SecurityStartTLS: 587, SecurityTLS: 465, SecurityNone: 25}
	switch {
	case cfg.Host == "" || strings.ContainsFunc(cfg.Host, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("/@?#\\%", r) }):
		return server{}, fmt.Errorf("email host %q is no name of a mail server", alerts.Cut(alerts.Clean(cfg.Host), 80))
	case ports[cfg.Security] == 0:
		return server{}, fmt.Errorf("email security %q is none of starttls, tls and none", alerts.Cut(alerts.Clean(cfg.Security), 80))
	case cfg.Port < 0 || cfg.Port > 65535:
		return server{}, fmt.Errorf("email port %d is not between 1 and 65535", cfg.Port)
	case cfg.Timeout < 0 || cfg.Timeout > MaxTimeout:
		return server{}, fmt.Errorf("email timeout %s is not between 0 and %s", cfg.Timeout, MaxTimeout)
	case (cfg.Username == "") != (cfg.Password == ""):
		return server{}, errors.New("email username and password belong together: give both or none")
	case cfg.Username != "" && cfg.Security == SecurityNone:
		return server{}, errors.New("email security is none, by which the password would travel in the clear: say starttls or tls, or leave username and password out")
	case strings.ContainsAny(cfg.Username+string(cfg.Password), "\x00\r\n"):
		return server{}, errors.New("email username or password holds a line break or a zero byte: copy it again")
	case strings.ContainsFunc(cfg.Hello, func(r rune) bool { return r <= ' ' || r > '~' }):
		return server{}, fmt.Errorf("email hello %q is no name of a machine", alerts.Cut(alerts.Clean(cfg.Hello), 80))
	}
	if cfg.Port == 0 {
		cfg.Port = ports[cfg.Security]
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Hello == "" {
		cfg.Hello = "localhost"
		if name, err := os.Hostname(); err == nil && name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
			cfg.Hello = name
		}
	}
	roots, err := outbound.Roots(cfg.CAFile)
	if err != nil {
		return server{}, fmt.Errorf("email ca_file: %w", err)
	}
	return server{cfg: *cfg, tls: &tls.Config{ServerName: strings.Trim(cfg.Host, "[]"), RootCAs: roots, MinVersion: tls.VersionTLS12}}, nil
}

// with opens a session, runs do in it, and closes it.
func (s server) with(ctx context.Context, do func(*smtp.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	opts := []gomail.Option{
		gomail.WithPort(s.cfg.Port), gomail.WithTimeout(s.cfg.Timeout), gomail.WithTLSConfig(s.tls), gomail.WithHELO(s.cfg.Hello), gomail.WithoutSMTPUTF8(),
		gomail.WithDialContextFunc(func(dialCtx context.Context, network, addr string) (net.Conn, error) {
			raw, err := outbound.Dialer(true).DialContext(dialCtx, network, addr)
			if err != nil {
				return nil, err
			}
			// The library's deadlines know nothing of the context.
			context.AfterFunc(ctx, func() { raw.Close() })
			conn := net.Conn(&bounded{Conn: raw, left: maxReceived})
			if s.cfg.Security == SecurityTLS {
				secure := tls.Client(conn, s.tls)
				if err := secure.HandshakeContext(dialCtx); err != nil {
					raw.Close()
					return nil, err
				}
				return secure, nil
			}
			return conn, nil
		}),
	}
	switch s.cfg.Security {
	case SecurityTLS:
		opts = append(opts, gomail.WithSSL())
	case SecurityNone:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.cfg.Username != "" {
		opts = append(opts, gomail.WithUsername(s.cfg.Username), gomail.WithPassword(string(s.cfg.Password)),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	client, err := gomail.NewClient(s.cfg.Host, opts...)
	if err != nil {
		return &alerts.RefusedError{Err: fmt.Errorf("email: %s", s.scrub(err.Error())), All: true, Remedy: "check the email settings"}
	}
	se, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return s.classify(ctx, atConnect, err, false)
	}
	// The end of ctx closes the connection.
	if err := do(se); err != nil {
		return err
	}
	// The mail is delivered: how the server says farewell changes nothing.
	_ = se.Quit()
	return nil
}

func (s server) check(ctx context.Context) error {
	return s.with(ctx, func(se *smtp.Client) error {
		if err := se.Noop(); err != nil {
			return s.classify(ctx, atConnect, err, false)
		}
		return nil
	})
}

// send delivers a mail. It returns why some of the recipients were not taken, when at
// least one was.
func (s server) send(ctx context.Context, d draft, from, to []string) (refused []string, err error) {
	msg, err := d.message()
	if err != nil {
		return nil, &alerts.RefusedError{Err: fmt.Errorf("email: the mail can't be made: %w", err), Remedy: "please report it, with the finding's ID"}
	}
	err = s.with(ctx, func(se *smtp.Client) error {
		if err := se.Mail("<" + from[0] + ">"); err != nil {
			return s.classify(ctx, atFrom, err, false)
		}
		var last error
		for _, r := range to {
			if err := se.Rcpt("<" + r + ">"); err != nil {
				last = s.classify(ctx, atTo, err, false)
				refused = append(refused, last.Error())
			}
		}
		if len(refused) == len(to) {
			return last
		}
		w, err := se.Data()
		if err != nil {
			return s.classify(ctx, atData, err, false)
		}
		if _, err := msg.WriteTo(w); err != nil {
			// Without its last line the server takes no mail.
			return s.classify(ctx, atData, err, false)
		}
		if err := w.Close(); err != nil {
			return s.classify(ctx, atData, err, true)
		}
		return nil
	})
	return refused, err
}

// bounded is a connection of which no more than so much is read.
type bounded struct {
	net.Conn
	left int
}

var errTooMuch = errors.New("the server sends too much")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func (s server) address() string { return net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port)) }
