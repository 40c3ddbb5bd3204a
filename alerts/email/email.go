// Package email tells cases by mail, through a mail server of the operator's.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently: each call has a connection of its own. Mails can't be edited, so of a
// case's revisions only news is sent: that it began, is graver, was acknowledged,
// answered, resolved, or still waits for somebody. Mere growth is not: Notify then
// returns the receipt that it got and sends nothing. All mails of a case are one thread
// in mail programs: they refer to the first one and keep its subject.
//
// The connection is encrypted unless the configuration says otherwise, and then nothing
// secret goes over it. A mail has a text and an HTML part, both made of escaped text
// alone: no picture, script, or address other than the console's. What a server sends is
// bounded. Nothing is retried here: an error says whether the pipeline should. A
// cancelled context closes the connection; whether the mail was taken by then is said by
// the error to be in doubt. Message-IDs are made of what is told, so that mail programs
// recognise a repetition.
package email

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/internal/outbound"
	"vigil/alerts/internal/told"
)

// Secret is a password. It prints as "[redacted]".
type Secret = outbound.Secret

// The ways of securing the connection.
const (
	// SecurityStartTLS begins in the clear and goes on by TLS before anything is said.
	SecurityStartTLS = "starttls"
	// SecurityTLS is TLS from the first byte.
	SecurityTLS = "tls"
	// SecurityNone is no TLS at all, for a relay on this machine or in a trusted
	// network. No user and password are given then.
	SecurityNone = "none"
)

// Bounds.
const (
	// DefaultTimeout bounds the sending of one mail.
	DefaultTimeout = 30 * time.Second
	// MaxTimeout is the longest that may be configured.
	MaxTimeout = 5 * time.Minute
	// MaxRecipients bounds To.
	MaxRecipients = 50
	// pace is the least time between two mails.
	pace = time.Second
)

// Config is what a user writes.
type Config struct {
	// Host is the mail server's name, as its certificate says it. Required.
	Host string `yaml:"host"`
	// Port is its port; zero means 587 for starttls, 465 for tls and 25 for none.
	Port int `yaml:"port"`
	// Security is "starttls", "tls" or "none"; empty means starttls.
	Security string `yaml:"security"`
	// Username and Password are for servers that ask who sends; empty for those that
	// don't. They are never sent without TLS.
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	// From is the sender, "vigil@example.com" or "vigil <vigil@example.com>". Required.
	From string `yaml:"from"`
	// To are the recipients, each of them seen by the others; at most MaxRecipients.
	// Required.
	To []string `yaml:"to"`
	// Hello is this machine's name for the server; empty means the operating system's.
	Hello string `yaml:"hello"`
	// CAFile holds PEM certificates of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string `yaml:"ca_file"`
	// Timeout bounds the sending of one mail; zero means DefaultTimeout.
	Timeout time.Duration `yaml:"timeout"`
	// ConsoleURL is the console's address as people reach it, to which a message's
	// relative link is joined. Empty leaves such links out.
	ConsoleURL string `yaml:"-"`
}

// Options is what code passes.
type Options struct {
	// Logger is told of recipients that a server does not take; nil means none.
	Logger *slog.Logger
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// Notifier sends mails to one list of recipients. It implements alerts.Notifier and
// alerts.Pacer.
type Notifier struct {
	cfg  Config
	from mail.Address
	to   []mail.Address
	// domain is the sender's: Message-IDs and the List-Id are below it.
	domain string
	server server
	log    *slog.Logger
	now    func() time.Time
}

var (
	_ alerts.Notifier = (*Notifier)(nil)
	_ alerts.Pacer    = (*Notifier)(nil)
)

// New makes a notifier. It reads CAFile and does not touch the network: Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	n := &Notifier{log: opts.Logger, now: opts.Now}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.now == nil {
		n.now = time.Now
	}
	from, err := address(cfg.From)
	if err != nil {
		return nil, fmt.Errorf("email from: %w", err)
	}
	n.from = from
	_, n.domain, _ = strings.Cut(from.Address, "@")
	switch {
	case len(cfg.To) == 0:
		return nil, errors.New("email to is missing: name at least one recipient")
	case len(cfg.To) > MaxRecipients:
		return nil, fmt.Errorf("email to has %d recipients, at most %d: make a mailing list of them", len(cfg.To), MaxRecipients)
	}
	for i, s := range cfg.To {
		a, err := address(s)
		if err != nil {
			return nil, fmt.Errorf("email to[%d]: %w", i, err)
		}
		n.to = append(n.to, a)
	}
	if n.server, err = newServer(&cfg); err != nil {
		return nil, err
	}
	n.cfg = cfg
	return n, nil
}

// address reads a mail address, with or without a name.
func address(s string) (mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || len(s) > 320 || strings.ContainsFunc(a.Address, func(r rune) bool { return r <= ' ' || r > '~' }) || !strings.Contains(a.Address, "@") {
		return mail.Address{}, fmt.Errorf("%q is no mail address", alerts.Cut(alerts.Clean(s), 80))
	}
	a.Name = alerts.Clean(a.Name)
	return *a, nil
}

// Name is "email".
func (n *Notifier) Name() string { return "email" }

// Pace is the least time between two mails.
func (n *Notifier) Pace() time.Duration { return pace }

// Notify sends a mail when the message is news, and returns the receipt by which a later
// revision tells what is new. Errors are *alerts.RetryError or *alerts.RefusedError.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	now := told.Of(m)
	was, before := told.Parse(m.Receipt)
	before = before && was.Thread == now.Thread
	var news []string
	if before {
		if news = was.News(now); len(news) == 0 {
			return m.Receipt, nil
		}
		now = was.After(now)
	}
	d := n.draft(m, &now, before, told.Words(news))
	refused, err := n.server.send(ctx, d, envelope(n.from), envelope(n.to...))
	if err != nil {
		return "", err
	}
	if len(refused) > 0 {
		n.log.Warn("the mail server does not take some recipients; the others got the mail", slog.Int("refused", len(refused)), slog.String("reason", refused[0]))
	}
	return now.Receipt(), nil
}

// draft makes the mail of a message, which is its thread's first when nothing was told
// before. The thread's subject is kept in now.
func (n *Notifier) draft(m alerts.Message, now *told.State, before bool, news string) draft {
	card := alerts.CardOf(m, n.cfg.ConsoleURL)
	if now.Subject == "" {
		now.Subject = subject(card.Title)
	}
	d := draft{
		From: n.from, To: n.to, Date: n.now(), Card: card, News: news,
		ID: n.id("message", m.ID), Root: n.id("thread", thread(m)), First: !before && m.Kind != alerts.KindReply,
		Subject: now.Subject, List: "vigil alerts <alerts.vigil." + n.domain + ">", Urgent: card.Severity == vigil.SeverityCritical,
	}
	if d.First {
		// The first mail is what the others refer to.
		d.ID = d.Root
	}
	return d
}

// thread is what a message's mails have in common; a reply belongs to its case.
func thread(m alerts.Message) string {
	if m.Kind == alerts.KindReply && m.Case != nil && m.Case.ID != "" {
		return m.Case.ID
	}
	return m.Thread()
}

// id makes a Message-ID, the same for the same thing.
func (n *Notifier) id(kind, what string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + what + "\x00" + n.domain + "\x00" + strings.Join(envelope(n.to...), ",")))
	return "vigil." + hex.EncodeToString(sum[:12]) + "@" + n.domain
}

func envelope(as ...mail.Address) []string {
	out := make([]string, 0, len(as))
	for _, a := range as {
		out = append(out, a.Address)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// maxSubject bounds a subject, in characters.
const maxSubject = 150

func subject(title string) string {
	return alerts.Cut("[vigil] "+defang(alerts.Clean(title)), maxSubject)
}

// Check connects to the server, with TLS and by the user and password, and sends
// nothing. Errors are as Notify's.
func (n *Notifier) Check(ctx context.Context) error { return n.server.check(ctx) }
