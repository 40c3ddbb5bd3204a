// Package webhook tells everything to a program of the user's own: each message is a
// CloudEvents 1.0 event in structured JSON, signed in the manner of Standard Webhooks.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently. Each revision of a case is sent, since a program wants them all. The id of
// an event is the same whenever the same message is sent again, so that a receiver that
// keeps ids takes each once; the time of the signature is that of the sending. What is
// sent is the documented JSON of findings and cases without customers' identifiers,
// bounded in size. Nothing is retried here: an error says whether the pipeline should.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigil/alerts"
	"vigil/alerts/internal/outbound"
)

// Secret is an address, a key or a token. It prints as "[redacted]".
type Secret = outbound.Secret

// MaxHeaders bounds Config.Headers.
const MaxHeaders = 20

// Config is what a user writes.
type Config struct {
	// URL is where events are posted, https://... Required.
	URL Secret `yaml:"url"`
	// Secret is the key of the signature: "whsec_" and at least 24 bytes in base64, or
	// any text of at least 24 characters. Required.
	Secret Secret `yaml:"secret"`
	// OldSecret signs too while the receiver changes over to Secret; empty for none.
	OldSecret Secret `yaml:"old_secret"`
	// Headers are sent with each event, such as Authorization; at most MaxHeaders.
	Headers map[string]Secret `yaml:"headers"`
	// Source says in the events who sent them; empty means the console's address, or
	// "/vigil" without one.
	Source string `yaml:"source"`
	// AllowPrivate lets the receiver be on this machine or in a private network, and
	// be spoken to by plain http.
	AllowPrivate bool `yaml:"allow_private"`
	// CAFile holds PEM certificates of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string `yaml:"ca_file"`
	// Timeout bounds one request; zero means outbound.DefaultTimeout, 10 seconds.
	Timeout time.Duration `yaml:"timeout"`
	// ConsoleURL is the console's address as people reach it, to which a message's
	// relative link is joined. Empty leaves such links out.
	ConsoleURL string `yaml:"-"`
}

// Options is what code passes.
type Options struct {
	// Logger is for what is worth a line; nil means none.
	Logger *slog.Logger
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// Notifier posts to one address. It implements alerts.Notifier and alerts.Threader.
type Notifier struct {
	cfg    Config
	client *outbound.Client
	keys   [][]byte
	log    *slog.Logger
	now    func() time.Time
}

var (
	_ alerts.Notifier = (*Notifier)(nil)
	_ alerts.Threader = (*Notifier)(nil)
)

// New makes a notifier. It reads CAFile and does not touch the network: Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	n := &Notifier{cfg: cfg, log: opts.Logger, now: opts.Now}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.now == nil {
		n.now = time.Now
	}
	var err error
	n.client, err = outbound.New(outbound.Config{Channel: "webhook", Timeout: cfg.Timeout, AllowPrivate: cfg.AllowPrivate, CAFile: cfg.CAFile, Remedies: map[int]string{
		http.StatusUnauthorized: "the receiver does not take the signature or the credentials: check webhook.secret and webhook.headers on both sides, and both clocks",
		http.StatusForbidden:    "the receiver does not take the signature or the credentials: check webhook.secret and webhook.headers on both sides, and both clocks",
		http.StatusGone:         "the receiver wants no events any more: remove the webhook, or give another webhook.url",
	}})
	if err != nil {
		return nil, err
	}
	if err := n.client.CheckURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("webhook url: %w", err)
	}
	for _, s := range []struct {
		name     string
		secret   Secret
		required bool
	}{{"secret", cfg.Secret, true}, {"old_secret", cfg.OldSecret, false}} {
		if s.secret == "" && !s.required {
			continue
		}
		key, err := readKey(s.secret)
		if err != nil {
			return nil, fmt.Errorf("webhook %s: %w", s.name, err)
		}
		n.keys = append(n.keys, key)
	}
	if err := checkHeaders(cfg.Headers); err != nil {
		return nil, err
	}
	if n.cfg.Source == "" {
		if n.cfg.Source = cfg.ConsoleURL; n.cfg.Source == "" {
			n.cfg.Source = "/vigil"
		}
	}
	if len(n.cfg.Source) > 500 || strings.ContainsFunc(n.cfg.Source, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("<>\"{}|\\^`", r) }) {
		return nil, errors.New("webhook source is no URI: give one such as https://vigil.example.com or /vigil/eu")
	}
	return n, nil
}

// checkHeaders looks at the headers of the user's own.
func checkHeaders(headers map[string]Secret) error {
	if len(headers) > MaxHeaders {
		return fmt.Errorf("webhook headers are %d, at most %d", len(headers), MaxHeaders)
	}
	for name, value := range headers {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case name == "" || len(name) > 100 || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "":
			return fmt.Errorf("webhook headers: %q is no name of a header", alerts.Cut(alerts.Clean(name), 80))
		case slices.Contains([]string{"Host", "Connection", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "User-Agent", "Proxy-Authorization"}, canonical),
			strings.HasPrefix(canonical, "Content-"), strings.HasPrefix(canonical, "Webhook-"):
			return fmt.Errorf("webhook headers: %s is not yours to set", canonical)
		case len(value) > 8000 || strings.ContainsFunc(string(value), func(r rune) bool { return r < ' ' || r > '~' }):
			return fmt.Errorf("webhook headers: the value of %s is too long, or holds a character that no header has", canonical)
		}
	}
	return nil
}

// Name is "webhook".
func (n *Notifier) Name() string { return "webhook" }

// Threads says that replies are told: they are events of their own.
func (n *Notifier) Threads() bool { return true }

// delivered is the receipt of what was delivered: the next revision updates it.
const delivered = "delivered"

// Notify posts the message's event. Errors are *alerts.RetryError or
// *alerts.RefusedError.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	e, err := n.event(m)
	if err != nil {
		return "", &alerts.RefusedError{Err: fmt.Errorf("webhook: %w", err), Remedy: "please report it, with the finding's ID"}
	}
	body, err := json.Marshal(e)
	if err != nil {
		return "", &alerts.RefusedError{Err: errors.New("webhook: the event can't be written"), Remedy: "please report it, with the finding's ID"}
	}
	header := http.Header{"Content-Type": {"application/cloudevents+json; charset=utf-8"}}
	for k, v := range n.cfg.Headers {
		header.Set(k, string(v))
	}
	at := strconv.FormatInt(n.now().Unix(), 10)
	header.Set(headerID, e.ID)
	header.Set(headerTime, at)
	header.Set(headerSignature, sign(n.keys, e.ID, at, body))
	if _, err := n.client.Post(ctx, n.cfg.URL, header, body); err != nil {
		return "", err
	}
	return delivered, nil
}

// Check connects to the receiver and sends nothing. Errors are as Notify's.
func (n *Notifier) Check(ctx context.Context) error { return n.client.Reach(ctx, n.cfg.URL) }

// Close ends the connections that are kept open.
func (n *Notifier) Close() error {
	n.client.Close()
	return nil
}
