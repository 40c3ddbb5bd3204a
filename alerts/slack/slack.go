// Package slack tells findings in a Slack channel, by cards that are edited as a
// finding grows.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently. A message is posted by chat.postMessage, and a later revision
// replaces it by chat.update with the receipt of the first (channel and
// timestamp); a message that somebody deleted is posted anew. The package does
// not queue and does not retry: it says by the error's type whether the pipeline
// should, and after how long. A cancelled context ends the request; whether it
// was posted is then unknown, and a repetition may post it twice.
//
// Everything foreign is escaped and made visible (see escape.go), links are not
// unfolded, and the token is kept out of every error and log line.
package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log" //nolint:depguard // the Slack client takes no other logger; its words are thrown away
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"vigil/alerts"
)

const (
	// DefaultTimeout bounds one request.
	DefaultTimeout = 10 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes. Slack repeats the
	// message in it.
	maxAnswer = 1 << 20
	// pace keeps below Slack's limits for a channel (one message a second) and
	// for edits (fifty a minute).
	pace = 1200 * time.Millisecond
)

// Token is a bot token ("xoxb-..."). It prints as "[redacted]" wherever it is
// formatted, logged or marshalled.
type Token string

const redacted = "[redacted]"

// String hides the token.
func (Token) String() string { return redacted }

// GoString hides the token.
func (Token) GoString() string { return redacted }

// MarshalText hides the token.
func (Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the token.
func (Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// Config is what a user writes.
type Config struct {
	// Token is the bot token, with the scope chat:write. Required.
	Token Token
	// Channel is the channel's ID ("C0123ABC"). A name works for posting to public
	// channels only. Required.
	Channel string
	// APIURL is where Slack's API answers; empty means Slack's own.
	APIURL string
	// ConsoleURL is the console's address as people reach it, to which a
	// message's relative link is joined. Empty leaves such links out.
	ConsoleURL string
	// Timeout bounds one request; zero means DefaultTimeout.
	Timeout time.Duration
}

// Options is what code passes.
type Options struct {
	// HTTPClient carries the requests; nil means one of its own. Its redirects
	// are not followed, since the request holds the token.
	HTTPClient *http.Client
	// Logger is for what the library says; nil means none.
	Logger *slog.Logger
}

// Notifier posts to one channel. It implements alerts.Notifier and alerts.Pacer.
type Notifier struct {
	cfg    Config
	client *slack.Client
	log    *slog.Logger
}

var (
	_ alerts.Notifier = (*Notifier)(nil)
	_ alerts.Pacer    = (*Notifier)(nil)
)

// New makes a notifier. It does not touch the network: Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	switch {
	case cfg.Token == "":
		return nil, errors.New("slack token is missing: make a Slack app with the scope chat:write and give its bot token (xoxb-...)")
	case strings.ContainsFunc(string(cfg.Token), func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, errors.New("slack token holds a space or a character that no token has: copy it again")
	case cfg.Channel == "" || strings.ContainsFunc(cfg.Channel, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return nil, fmt.Errorf("slack channel %q is not a channel: give its ID, such as C0123ABC", cfg.Channel)
	case cfg.Timeout < 0:
		return nil, fmt.Errorf("slack timeout %s is negative", cfg.Timeout)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.APIURL == "" {
		cfg.APIURL = slack.APIURL
	}
	u, err := url.Parse(cfg.APIURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, errors.New("slack api_url is not an http or https address without a user")
	}
	// The library puts the method's name right behind the address.
	if !strings.HasSuffix(cfg.APIURL, "/") {
		cfg.APIURL += "/"
	}
	if cfg.ConsoleURL != "" {
		if u, err := url.Parse(cfg.ConsoleURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return nil, errors.New("console address is not an http or https address without a user")
		}
	}
	logger := opts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	hc := http.Client{}
	if opts.HTTPClient != nil {
		hc = *opts.HTTPClient
	} else {
		hc.Transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: 5 * time.Second,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     90 * time.Second,
		}
	}
	hc.Timeout = cfg.Timeout
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	next := hc.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	hc.Transport = boundedTransport{next: next}
	client := slack.New(string(cfg.Token),
		slack.OptionHTTPClient(&hc),
		slack.OptionAPIURL(cfg.APIURL),
		slack.OptionLog(log.New(io.Discard, "", 0)),
	)
	return &Notifier{cfg: cfg, client: client, log: logger}, nil
}

// Name is "slack".
func (n *Notifier) Name() string { return "slack" }

// Pace is the least time between two messages.
func (n *Notifier) Pace() time.Duration { return pace }

// Notify posts the message, or edits the one that its receipt names, and
// returns the receipt by which a later revision edits it. Errors are
// *alerts.RetryError or *alerts.RefusedError.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	card := alerts.CardOf(m, n.cfg.ConsoleURL)
	opts := options(card)
	if channel, ts, ok := parseReceipt(m.Receipt); ok {
		receipt, err := n.update(ctx, channel, ts, opts)
		if err == nil || !gone(err) {
			return receipt, n.classify(err)
		}
		n.log.Info("the message to edit is gone; it is posted anew", slog.String("reason", slackCode(err)))
	}
	receipt, err := n.post(ctx, opts)
	if err != nil && badBlocks(err) {
		// A card that Slack does not take must not keep the finding from being
		// told: its words go as plain text.
		n.log.Warn("slack does not take the card's form; it is sent as text", slog.String("reason", slackCode(err)))
		receipt, err = n.post(ctx, textOnly(card))
	}
	return receipt, n.classify(err)
}

func (n *Notifier) post(ctx context.Context, opts []slack.MsgOption) (string, error) {
	channel, ts, err := n.client.PostMessageContext(ctx, n.cfg.Channel, opts...)
	return receiptOf(channel, ts, err)
}

func (n *Notifier) update(ctx context.Context, channel, ts string, opts []slack.MsgOption) (string, error) {
	channel, ts, _, err := n.client.UpdateMessageContext(ctx, channel, ts, opts...)
	return receiptOf(channel, ts, err)
}

// errNoReceipt is an answer that Slack does not give: the library takes
// {"ok":false} without an error, and {}, for success.
var errNoReceipt = errors.New("the answer is not Slack's: it names no message")

func receiptOf(channel, ts string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	r := channel + "/" + ts
	if _, _, ok := parseReceipt(r); !ok {
		return "", errNoReceipt
	}
	return r, nil
}

// parseReceipt takes apart "C0123ABC/1710000000.000100".
func parseReceipt(r string) (channel, ts string, ok bool) {
	channel, ts, ok = strings.Cut(r, "/")
	if !ok || channel == "" || ts == "" || len(r) > 128 {
		return "", "", false
	}
	for _, c := range channel {
		if !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-') {
			return "", "", false
		}
	}
	if strings.Trim(ts, "0123456789.") != "" {
		return "", "", false
	}
	return channel, ts, true
}

// Check asks Slack whether the token is valid, so that a bad one shows at start.
// It does not show whether the channel may be posted to. Errors are as Notify's.
func (n *Notifier) Check(ctx context.Context) error {
	_, err := n.client.AuthTestContext(ctx)
	return n.classify(err)
}

// boundedTransport cuts answers short, so that no server can fill the memory.
type boundedTransport struct{ next http.RoundTripper }

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := resp.Body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(body, maxAnswer), body}
	return resp, nil
}
