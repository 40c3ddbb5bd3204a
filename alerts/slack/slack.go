// Package slack tells cases in a Slack channel, by cards that are edited as a case
// grows, with what is new about it below them.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently. A message is posted by chat.postMessage, and a later revision
// replaces it by chat.update with the receipt of the first (channel and
// timestamp); a message that somebody deleted is posted anew. A case's picture is
// uploaded once its card stands, within a few seconds, and put onto it by an edit; no
// failure of it is one of the card. The package does not queue and does not retry: it
// says by the error's type whether the pipeline should, and after how long. A
// cancelled context ends the request; whether it was posted is then in doubt, the error
// says so, and Find looks.
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
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/picture"
)

const (
	// DefaultTimeout bounds one request.
	DefaultTimeout = 10 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes. The longest is a page of
	// the channel's history.
	maxAnswer = 8 << 20
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
	// Token is the bot token, with the scope chat:write, for pictures files:write, and
	// to find what was delivered before a crash channels:history or groups:history.
	// Required.
	Token Token
	// Channel is the channel's ID ("C0123ABC"). A name works for posting to public
	// channels only. Required.
	Channel string
	// APIURL is where Slack's API answers; empty means Slack's own.
	APIURL string
	// ConsoleURL is the console's address as people reach it, to which a
	// message's relative link is joined. Empty leaves such links out.
	ConsoleURL string
	// Interactive shows the buttons that alerts/slack/talk answers.
	Interactive bool
	// NoPictures leaves the pictures out.
	NoPictures bool
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
	// Mention tells the Slack user ID ("U0123ABC") of one of vigil's own users by their
	// pseudonym, empty for nobody that Slack knows; nil knows nobody. It must be quick.
	Mention func(pseudonym string) string
	// Timeline tells how much there was over time of what a finding is about, nil for
	// unknown; a nil function knows none. Its context ends after two seconds.
	Timeline func(ctx context.Context, f *vigil.Finding) *picture.Timeline
}

// Notifier posts to one channel. It implements alerts.Notifier, alerts.Pacer,
// alerts.Finder and alerts.Threader.
type Notifier struct {
	cfg      Config
	client   *slack.Client
	log      *slog.Logger
	mention  func(string) string
	timeline func(context.Context, *vigil.Finding) *picture.Timeline
	settle   time.Duration // a field so that tests need not wait

	mu            sync.Mutex // guards the rest
	said          map[string]bool
	noPictures    time.Time // no picture is tried before it
	noPictureSaid string    // the failure that was logged last
}

var (
	_ alerts.Notifier = (*Notifier)(nil)
	_ alerts.Pacer    = (*Notifier)(nil)
	_ alerts.Finder   = (*Notifier)(nil)
	_ alerts.Threader = (*Notifier)(nil)
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
	hc := Client(opts.HTTPClient, 5*time.Second, 1)
	hc.Timeout = cfg.Timeout
	client := slack.New(string(cfg.Token),
		slack.OptionHTTPClient(hc),
		slack.OptionAPIURL(cfg.APIURL),
		slack.OptionLog(log.New(io.Discard, "", 0)),
	)
	return &Notifier{
		cfg: cfg, client: client, log: logger, mention: opts.Mention, timeline: opts.Timeline, settle: settle, said: map[string]bool{},
	}, nil
}

// Name is "slack".
func (n *Notifier) Name() string { return "slack" }

// Threads is true: replies go below their card.
func (n *Notifier) Threads() bool { return true }

// Pace is the least time between two messages.
func (n *Notifier) Pace() time.Duration { return pace }
