// Package teams tells cases in a channel or chat of Microsoft Teams, by the webhook of a
// workflow, with an Adaptive Card.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently. A workflow's card can't be edited, so of a case's revisions only news is
// posted: that it began, is graver, was acknowledged, answered, resolved, or still waits
// for somebody. Mere growth is not: Notify then returns the receipt that it got and posts
// nothing. All foreign text stands in text runs, which Teams shows as they are: within
// other elements it would read Markdown. A card is made shorter until it has at most
// MaxCard bytes, which is what Teams takes. Nothing is retried here: an error says
// whether the pipeline should.
package teams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"vigil/alerts"
	"vigil/alerts/internal/outbound"
	"vigil/alerts/internal/told"
)

// Secret is an address that holds a key. It prints as "[redacted]".
type Secret = outbound.Secret

const (
	// MaxCard bounds a message, in bytes: Teams refuses more than 28 KB.
	MaxCard = 27 << 10
	// pace keeps below the four requests a second that Teams takes for a channel.
	pace = time.Second
)

// Config is what a user writes.
type Config struct {
	// URL is the webhook of a workflow ("When a Teams webhook request is received"),
	// with its key. Required.
	URL Secret `yaml:"url"`
	// AllowPrivate lets the address be on this machine or in a private network, and be
	// spoken to by plain http, as for a gateway of one's own.
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
	// Logger is told when a card had to be made shorter; nil means none.
	Logger *slog.Logger
}

// Notifier posts to one workflow. It implements alerts.Notifier and alerts.Pacer.
type Notifier struct {
	cfg    Config
	client *outbound.Client
	log    *slog.Logger
}

var (
	_ alerts.Notifier = (*Notifier)(nil)
	_ alerts.Pacer    = (*Notifier)(nil)
)

const (
	askForAddress = "the workflow does not know the address's key: copy the workflow's webhook address again into teams.url"
	askForFlow    = "the workflow is gone: make a new one from the template for webhook alerts, and set teams.url to its address"
	askForSwitch  = "the workflow is switched off: switch it on in Teams, under Workflows"
)

// New makes a notifier. It reads CAFile and does not touch the network: Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	n := &Notifier{cfg: cfg, log: opts.Logger}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	var err error
	n.client, err = outbound.New(outbound.Config{Channel: "teams", Timeout: cfg.Timeout, AllowPrivate: cfg.AllowPrivate, CAFile: cfg.CAFile, Remedies: map[int]string{
		http.StatusUnauthorized: askForAddress, http.StatusForbidden: askForAddress, http.StatusNotFound: askForFlow, http.StatusGone: askForFlow,
	}})
	if err != nil {
		return nil, err
	}
	if err := n.client.CheckURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("teams url: %w", err)
	}
	if u, err := url.Parse(string(cfg.URL)); err == nil && (u.Hostname() == "outlook.office.com" || strings.HasSuffix(u.Hostname(), ".webhook.office.com")) {
		return nil, errors.New("teams url is an Office 365 connector's, which Microsoft has retired: make a workflow from the template for webhook alerts, and give its address")
	}
	return n, nil
}

// Name is "teams".
func (n *Notifier) Name() string { return "teams" }

// Pace is the least time between two cards.
func (n *Notifier) Pace() time.Duration { return pace }

// Notify posts a card when the message is news, and returns the receipt by which a later
// revision tells what is new. Errors are *alerts.RetryError or *alerts.RefusedError.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	now := told.Of(m)
	var news []string
	if was, ok := told.Parse(m.Receipt); ok && was.Thread == now.Thread {
		if news = was.News(now); len(news) == 0 {
			return m.Receipt, nil
		}
		now = was.After(now)
	}
	body, short, err := render(alerts.CardOf(m, n.cfg.ConsoleURL), told.Words(news))
	if err != nil {
		return "", &alerts.RefusedError{Err: fmt.Errorf("teams: %w", err), Remedy: "please report it, with the finding's ID"}
	}
	if short {
		n.log.Info("the card is too long for Teams; it is sent shorter", slog.Int("bytes", len(body)))
	}
	a, err := n.client.Post(ctx, n.cfg.URL, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body)
	if err != nil {
		return "", explain(a, err)
	}
	return now.Receipt(), nil
}

// explain says more of a refusal by the code that Power Automate answers with.
func explain(a outbound.Answer, err error) error {
	var refused *alerts.RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	var said struct{ Error struct{ Code string } }
	if json.Unmarshal(a.Body, &said) != nil {
		return err
	}
	switch code := said.Error.Code; {
	case slices.Contains([]string{"WorkflowTriggerIsNotEnabled", "WorkflowDisabled", "FlowDisabled"}, code):
		refused.All, refused.Remedy = true, askForSwitch
	case slices.Contains([]string{"WorkflowNotFound", "FlowNotFound"}, code):
		refused.All, refused.Remedy = true, askForFlow
	case slices.Contains([]string{"AuthorizationFailed", "DirectApiAuthorizationRequired", "DirectApiInvalidAuthorizationScheme", "AuthenticationFailed"}, code):
		refused.All, refused.Remedy = true, askForAddress
	}
	return err
}

// Check connects to where the workflow is and posts nothing. Errors are as Notify's.
func (n *Notifier) Check(ctx context.Context) error { return n.client.Reach(ctx, n.cfg.URL) }

// Close ends the connections that are kept open.
func (n *Notifier) Close() error {
	n.client.Close()
	return nil
}
