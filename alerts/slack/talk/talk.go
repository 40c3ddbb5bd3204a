// Package talk is what people press and type in Slack: the buttons of a card, the
// dialogues behind them, the command /vigil, and the question to the person whom a
// case is about. Each becomes an alerts.Act to an alerts.Desk, and its Outcome what
// they see. The package decides nothing: who may do what is the desk's to say.
//
// What is pressed comes by one of two ways, or both: Socket Mode (Run), for which no
// address of ours need be reachable, and HTTP (Handler), whose requests are signed.
// Behind both is one path: it is taken once (a press that Slack delivers twice is done
// once), answered at once, and worked on in a goroutine of its own, at most maxJobs of
// them; what is beyond that is refused, so that who pressed sees that it failed, and
// counted. A dialogue's submission is answered when it is done, or after patience with
// a waiting page that is replaced later.
//
// Who acts by way of another workspace than the bot token's is a stranger, whatever their
// id. No name is revealed and no reveal approved by way of Slack. What people type is
// bounded, what is shown is escaped, and the three secrets are kept out of every error
// and log line.
package talk

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
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"vigil/alerts"
	cards "vigil/alerts/slack"
)

// Bounds of the work.
const (
	// maxJobs is how many acts are under way at a time.
	maxJobs = 64
	// jobTime is how long one may take.
	jobTime = 30 * time.Second
	// triggerTime is how long after a press a dialogue may be opened; Slack allows 3 s.
	triggerTime = 2500 * time.Millisecond
	// patience is how long Slack waits for an answer of ours; it allows 3 s.
	patience = 1500 * time.Millisecond
	// lookTime is how long a dialogue waits for what it is to show.
	lookTime = 700 * time.Millisecond
	// settle is how long Slack may take to show an answer, before it can be replaced.
	settle = 500 * time.Millisecond
)

// Channel is how alerts.Person names Slack.
const Channel = "slack"

// Config is what a user writes.
type Config struct {
	// BotToken is the app's bot token ("xoxb-..."), with the scopes of Scopes. Required.
	BotToken cards.Token
	// AppToken is an app-level token ("xapp-...") with the scope connections:write, for
	// Socket Mode; empty without it.
	AppToken cards.Token
	// SigningSecret is that of the app's page, for HTTP; empty without it: all requests
	// are refused then.
	SigningSecret cards.Token
	// APIURL is where Slack's API answers; empty means Slack's own.
	APIURL string
	// ConsoleURL is the console's address as people reach it. Empty leaves links out.
	ConsoleURL string
}

// Options is what code passes.
type Options struct {
	// Desk does what people ask. Required.
	Desk alerts.Desk
	// Logger is for what people can't be told; nil means none.
	Logger *slog.Logger
	// HTTPClient carries the calls to Slack; nil means one of its own. Its redirects are
	// not followed, since a request holds the token.
	HTTPClient *http.Client
	// Now is the clock by which signatures are judged; nil means time.Now.
	Now func() time.Time
	// Mention gives the Slack member's id of the user with a pseudonym, empty for none;
	// nil shows pseudonyms.
	Mention func(pseudonym string) string
	// Revoked is told when Slack says that the app was removed from the workspace or its
	// tokens revoked; nil means that it is only logged. It is called at most once a
	// delivery and must not block.
	Revoked func(event string)
}

// Talk takes what is pressed and typed. Its methods may be called concurrently.
type Talk struct {
	cfg     Config
	desk    alerts.Desk
	log     *slog.Logger
	now     func() time.Time
	revoked func(string)
	mention func(string) string
	api     *slack.Client
	http    *http.Client

	verify *verifier
	once   *once
	latest *latest
	counts *counts

	// The waits are fields so that tests need not wait.
	patience, lookTime, settle, triggerTime time.Duration
	wait                                    func(context.Context, time.Duration) error

	ours      atomic.Pointer[home] // nil until Slack was asked
	connected atomic.Bool
	answers   chan struct{} // bounds the answers of the socket that are waited for

	slots  chan struct{}
	work   context.Context // ends with Close
	cancel context.CancelFunc
	jobsMu sync.Mutex // guards closed, and jobs against Add while Wait
	closed bool
	jobs   sync.WaitGroup
}

// New makes a Talk. It does not touch the network.
func New(cfg Config, opts Options) (*Talk, error) {
	if opts.Desk == nil {
		return nil, errors.New("slack talk has no desk")
	}
	for _, s := range []struct {
		name, prefix, where string
		v                   cards.Token
	}{
		{"bot token", "xoxb-", "OAuth & Permissions", cfg.BotToken},
		{"app token", "xapp-", "Basic Information, App-Level Tokens", cfg.AppToken},
		{"signing secret", "", "Basic Information, App Credentials", cfg.SigningSecret},
	} {
		switch v := string(s.v); {
		case v == "" && s.prefix == "xoxb-":
			return nil, errors.New("slack bot token is missing: copy it (xoxb-...) from the Slack app's page, OAuth & Permissions")
		case strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' }):
			return nil, fmt.Errorf("slack %s holds a space or a character that none has: copy it again", s.name)
		case v != "" && !strings.HasPrefix(v, s.prefix):
			return nil, fmt.Errorf("slack %s does not begin with %s: copy it from the Slack app's page, %s", s.name, s.prefix, s.where)
		}
	}
	if cfg.APIURL == "" {
		cfg.APIURL = slack.APIURL
	}
	for _, a := range []struct{ name, v string }{{"slack api_url", cfg.APIURL}, {"console address", cfg.ConsoleURL}} {
		if u, err := url.Parse(a.v); a.v != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil) {
			return nil, fmt.Errorf("%s is not an http or https address without a user", a.name)
		}
	}
	// The library puts the method's name right behind the address.
	if !strings.HasSuffix(cfg.APIURL, "/") {
		cfg.APIURL += "/"
	}
	t := &Talk{
		cfg: cfg, desk: opts.Desk, log: opts.Logger, now: opts.Now, revoked: opts.Revoked, mention: opts.Mention,
		once: newOnce(), latest: newLatest(), counts: newCounts(),
		patience: patience, lookTime: lookTime, settle: settle, triggerTime: triggerTime, wait: wait,
		slots: make(chan struct{}, maxJobs), answers: make(chan struct{}, maxJobs),
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if t.now == nil {
		t.now = time.Now
	}
	if t.mention == nil {
		t.mention = func(string) string { return "" }
	}
	t.verify = newVerifier(string(cfg.SigningSecret))
	t.http = client(opts.HTTPClient)
	t.api = slack.New(string(cfg.BotToken),
		slack.OptionAppLevelToken(string(cfg.AppToken)),
		slack.OptionHTTPClient(t.http),
		slack.OptionAPIURL(cfg.APIURL),
		slack.OptionLog(log.New(io.Discard, "", 0)),
	)
	t.work, t.cancel = context.WithCancel(context.Background())
	return t, nil
}

// Close takes nothing more, waits until what is under way is done, and cancels it when
// ctx ends before; its error is then ctx's.
func (t *Talk) Close(ctx context.Context) error {
	t.jobsMu.Lock()
	t.closed = true
	t.jobsMu.Unlock()
	done := make(chan struct{})
	go func() {
		t.jobs.Wait()
		close(done)
	}()
	defer t.cancel()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		t.cancel()
		<-done
		return ctx.Err()
	}
}

// Counts says how often what happened since the start: refused requests by reason
// ("refused_signature"), presses that came twice ("repeated"), that came when too much
// was under way ("busy"), and more. The keys are of a closed set.
func (t *Talk) Counts() map[string]int64 { return t.counts.all() }

// client is the one that was given, or a new one, made safe. It connects sooner than the
// cards' does: a dialogue must open within three seconds.
func client(given *http.Client) *http.Client {
	hc := cards.Client(given, 2*time.Second, 8)
	if hc.Timeout == 0 {
		hc.Timeout = cards.DefaultTimeout
	}
	return hc
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
