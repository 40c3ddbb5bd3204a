package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"vigil/alerts"
)

// step is how far a session came.
type step int

const (
	atConnect step = iota
	atFrom
	atTo
	atData
)

// remedies say what an operator can do when the server refuses for good at a step.
var remedies = map[step]string{
	atConnect: "the server refuses this machine: ask its operator to let it send, or use another server",
	atFrom:    "the server does not take the sender: check email.from, and that the user may send for it",
	atTo:      "the server does not take the recipients: check email.to, and that the server relays for this machine",
	atData:    "the server does not take the mail, perhaps by its size or for spam: ask its operator",
}

// classify turns an error of the library into one of the pipeline's, whose text holds
// no password.
func (s server) classify(ctx context.Context, at step, err error, sent bool) error {
	to := "email: " + s.address()
	var code *textproto.Error
	if errors.As(err, &code) {
		said := fmt.Errorf("%s says %d %s", to, code.Code, s.scrub(code.Msg))
		switch {
		case code.Code == 535 || code.Code == 534 || code.Code == 530 || code.Code == 538:
			return &alerts.RefusedError{Err: said, All: true, Remedy: "the server does not take the user and password: check email.username and email.password"}
		case code.Code >= 500 && code.Code < 600:
			return &alerts.RefusedError{Err: said, All: at != atData, Remedy: remedies[at]}
		}
		return &alerts.RetryError{Err: said}
	}
	var (
		unknown x509.UnknownAuthorityError
		verify  *tls.CertificateVerificationError
		name    x509.HostnameError
		plain   tls.RecordHeaderError
		timeout net.Error
		dns     *net.DNSError
	)
	refuse := func(text, remedy string) error {
		return &alerts.RefusedError{Err: errors.New(to + text), All: true, Remedy: remedy}
	}
	text := s.scrub(err.Error())
	switch {
	case strings.Contains(text, "does not support STARTTLS"):
		return refuse(" offers no STARTTLS", `say security: tls (port 465) where it speaks TLS from the start, or security: none for a relay in a trusted network`)
	case strings.Contains(text, "does not support SMTP AUTH"), errors.Is(err, gomail.ErrNoSupportedAuthDiscovered), strings.Contains(text, "unsupported SMTP AUTH type"):
		return refuse(" takes no user and password, or not in a way that vigil knows (SCRAM-SHA-256, PLAIN, LOGIN)", "leave email.username and email.password out, or use the port for submission (587 or 465)")
	case errors.As(err, &plain):
		text = " does not speak TLS there: say security: starttls, or check email.port"
	case errors.As(err, &unknown):
		text = " shows a certificate of an unknown authority: give that authority's certificate in ca_file"
	case errors.As(err, &name), errors.As(err, &verify):
		text = " shows a certificate that is not valid: " + text
	case errors.Is(ctx.Err(), context.Canceled):
		text = " was not waited for: vigil is ending"
	case errors.As(err, &dns) && dns.IsNotFound:
		text = ": there is no such host: check email.host"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, net.ErrClosed):
		text = " does not answer in time"
	case strings.Contains(text, "never spoken to"):
		return refuse(" is not spoken to: "+text, "check email.host")
	default:
		text = " can't be reached, or broke off: " + text
	}
	return &alerts.RetryError{Err: errors.New(to + text), InDoubt: sent}
}

// scrub makes foreign text fit for an error: one line, short, without the password.
func (s server) scrub(text string) string {
	if p := string(s.cfg.Password); p != "" {
		for _, secret := range []string{
			base64.StdEncoding.EncodeToString([]byte("\x00" + s.cfg.Username + "\x00" + p)), base64.StdEncoding.EncodeToString([]byte(p)), p,
		} {
			text = strings.ReplaceAll(text, secret, "[redacted]")
		}
	}
	return alerts.Cut(alerts.Clean(text), 300)
}
