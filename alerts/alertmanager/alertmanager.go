// Package alertmanager tells cases as alerts of the Prometheus Alertmanager, by its API
// v2, and leaves routing, repeating and silencing to it.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently. An Alertmanager keeps alerts in memory, and ends one whose end has come.
// So each is sent with an end far ahead (Config.Lasts), is sent again at each change, and
// ends at once when the case is resolved. What identifies an alert is its labels (see
// labels): when the severity rises, the alert of the old one ends as the new one begins.
// Refresh sends all open cases again, for Alertmanagers that were restarted and for cases
// that stay open longer than Lasts.
//
// Several Alertmanagers of one cluster are told all of it, at the same time: it is
// delivered when one took it. Digests and notices that are no alarm are not sent. The
// package does not queue and does not retry: it says by the error's type whether the
// pipeline should. To send something again changes nothing.
//
// Label values are words of closed sets and the case's ID; foreign text is in annotations
// alone, without the marks of HTML and of chats.
package alertmanager

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/internal/outbound"
)

const (
	// DefaultLasts is how long an alert lasts that is not sent again.
	DefaultLasts = 7 * 24 * time.Hour
	// noticeLasts is how long a notice lasts, which nobody resolves.
	noticeLasts = time.Hour
	// maxURLs bounds the addresses, maxLabels the labels that are added.
	maxURLs   = 10
	maxLabels = 20
	// batch is how many alerts one request of Refresh holds.
	batch = 100
)

// Secret is a password or token. It prints as "[redacted]".
type Secret = outbound.Secret

// Config is what a user writes.
type Config struct {
	// URLs are where the Alertmanagers of one cluster answer, without "/api/v2/alerts";
	// one to ten. Required.
	URLs []string `yaml:"urls"`
	// User and Password are for basic authentication; both empty for none.
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
	// Token is a bearer token instead; empty for none.
	Token Secret `yaml:"token"`
	// Labels are added to each alert, at most 20, such as {env: prod}. They can't be
	// alertname, service, severity, case or about.
	Labels map[string]string `yaml:"labels"`
	// Lasts is after how long an alert ends by itself that vigil neither sent again nor
	// ended; zero means 168 h (a week), at least 1 h.
	Lasts time.Duration `yaml:"lasts"`
	// AllowPrivate lets the addresses be in a private network, and http. Default false.
	AllowPrivate bool `yaml:"allow_private"`
	// Timeout bounds one request; zero means 10 s, at most 2 min.
	Timeout time.Duration `yaml:"timeout"`
	// CAFile holds certificates (PEM) of authorities that are trusted besides the
	// system's; empty for none.
	CAFile string `yaml:"ca_file"`
	// ConsoleURL is the console's address as people reach it. Empty leaves links out.
	ConsoleURL string `yaml:"-"`
}

// Options is what code passes.
type Options struct {
	// Name is the notifier's, where there are several; empty means "alertmanager".
	Name string
	// Logger says when one of several Alertmanagers stops taking alerts; nil means none.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Notifier sends to one cluster. It implements alerts.Notifier.
type Notifier struct {
	cfg    Config
	name   string
	bases  []string
	header http.Header
	client *outbound.Client
	log    *slog.Logger
	now    func() time.Time

	mu   sync.Mutex     // guards down
	down map[int]string // by the address's index, the failure that was logged last
}

var _ alerts.Notifier = (*Notifier)(nil)

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// New makes a notifier. It does not touch the network: Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	switch {
	case len(cfg.URLs) == 0:
		return nil, errors.New("alertmanager urls are missing: give the addresses of the cluster's Alertmanagers, such as https://alertmanager.example:9093")
	case len(cfg.URLs) > maxURLs:
		return nil, fmt.Errorf("alertmanager urls are more than %d", maxURLs)
	case cfg.Lasts < 0 || cfg.Lasts > 0 && cfg.Lasts < time.Hour:
		return nil, fmt.Errorf("alertmanager lasts is %s: an hour is the least", cfg.Lasts)
	case cfg.Token != "" && (cfg.User != "" || cfg.Password != ""):
		return nil, errors.New("alertmanager has both a token and a user: give one of them")
	case (cfg.User == "") != (cfg.Password == ""):
		return nil, errors.New("alertmanager needs user and password together")
	case strings.Contains(cfg.User, ":"):
		return nil, errors.New("alertmanager user holds a colon, which no user of basic authentication can")
	case len(cfg.Labels) > maxLabels:
		return nil, fmt.Errorf("alertmanager labels are more than %d", maxLabels)
	}
	for k, v := range cfg.Labels {
		switch {
		case !labelName.MatchString(k) || len(k) > maxLabel:
			return nil, fmt.Errorf("alertmanager label %q is no name of a label: letters, digits and underscores", k)
		case k == "alertname" || k == "service" || k == "severity" || k == "case" || k == "about":
			return nil, fmt.Errorf("alertmanager label %q is vigil's own: give it another name", k)
		case v == "" || text(v, maxLabel) != v:
			return nil, fmt.Errorf("alertmanager label %q has a value that is empty, too long or holds marks", k)
		}
	}
	if cfg.Lasts == 0 {
		cfg.Lasts = DefaultLasts
	}
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	switch {
	case cfg.Token != "":
		header.Set("Authorization", "Bearer "+string(cfg.Token))
	case cfg.User != "":
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(cfg.User+":"+string(cfg.Password))))
	}
	if strings.ContainsFunc(header.Get("Authorization"), func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, errors.New("alertmanager token holds a character that no token has: copy it again")
	}
	client, err := outbound.New(outbound.Config{
		Channel: "alertmanager", Timeout: cfg.Timeout, AllowPrivate: cfg.AllowPrivate, CAFile: cfg.CAFile,
		Remedies: map[int]string{
			http.StatusUnauthorized: "check alertmanager.user and password, or token",
			http.StatusForbidden:    "check alertmanager.user and password, or token",
			http.StatusNotFound:     "check alertmanager.urls: give them without /api/v2/alerts, and with the path by which the Alertmanager is reached (--web.route-prefix)",
		},
	})
	if err != nil {
		return nil, err
	}
	n := &Notifier{cfg: cfg, name: opts.Name, header: header, client: client, log: opts.Logger, now: opts.Now, down: map[int]string{}}
	for i, u := range cfg.URLs {
		if err := client.CheckURL(Secret(u)); err != nil {
			return nil, fmt.Errorf("alertmanager urls[%d]: %w", i, err)
		}
		n.bases = append(n.bases, strings.TrimSuffix(u, "/"))
	}
	if n.name == "" {
		n.name = "alertmanager"
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.now == nil {
		n.now = time.Now
	}
	return n, nil
}

// Name is "alertmanager", or the name that was given.
func (n *Notifier) Name() string { return n.name }

// Notify brings the alert to where the case is, and returns by which labels the
// Alertmanagers then know it. Errors are *alerts.RetryError or *alerts.RefusedError.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	list, receipt := n.plan(m)
	if len(list) == 0 {
		return receipt, nil
	}
	if err := n.post(ctx, list); err != nil {
		return "", err
	}
	return receipt, nil
}

// Refresh sends open cases again, each message with its latest receipt: those that are
// over, and those whose receipt says that they were not sent here, are left out. It is
// to be called every few minutes. Errors are as Notify's.
func (n *Notifier) Refresh(ctx context.Context, open []alerts.Message) error {
	var list []alert
	for _, m := range open {
		if was := parseReceipt(m.Receipt); was.open && m.Notice == nil && known(m) && !m.Over() {
			list = append(list, n.alertOf(m, was, n.cfg.Lasts))
		}
	}
	for len(list) > 0 {
		k := min(batch, len(list))
		if err := n.post(ctx, list[:k]); err != nil {
			return err
		}
		list = list[k:]
	}
	return nil
}

// Check asks each Alertmanager for its status, which tells nobody anything. The error is
// that of the first that does not answer. Errors are as Notify's.
func (n *Notifier) Check(ctx context.Context) error {
	for _, b := range n.bases {
		a, err := n.client.Do(ctx, outbound.Request{Method: http.MethodGet, URL: Secret(b + "/api/v2/status"), Header: n.header})
		if err != nil {
			return err
		}
		var status struct {
			VersionInfo *struct{ Version string }
		}
		if !a.Cut && (json.Unmarshal(a.Body, &status) != nil || status.VersionInfo == nil) {
			return &alerts.RefusedError{Err: errors.New("alertmanager: what answers is no Alertmanager"), Remedy: "check alertmanager.urls", All: true}
		}
	}
	return nil
}

// post sends the list to all Alertmanagers. It succeeds when one took it.
func (n *Notifier) post(ctx context.Context, list []alert) error {
	body, err := json.Marshal(list)
	if err != nil {
		return &alerts.RefusedError{Err: fmt.Errorf("alertmanager: the alert can't be written: %w", err)}
	}
	errs := make([]error, len(n.bases))
	var wg sync.WaitGroup
	for i, b := range n.bases {
		wg.Go(func() {
			a, err := n.client.Do(ctx, outbound.Request{URL: Secret(b + "/api/v2/alerts"), Header: n.header, Body: body})
			if err == nil && strings.Contains(a.Header.Get("Content-Type"), "html") {
				// What stands between may answer 200 to everything, with a page.
				err = &alerts.RetryError{Err: errors.New("alertmanager: a page answers instead of an Alertmanager: is there a proxy at the address?")}
			}
			errs[i] = err
		})
	}
	wg.Wait()
	taken, worst := 0, error(nil)
	for i, err := range errs {
		n.standing(i, err)
		var retry *alerts.RetryError
		switch {
		case err == nil:
			taken++
		case worst == nil || errors.As(err, &retry):
			worst = err // one that may take it later decides
		}
	}
	if taken > 0 {
		return nil
	}
	return worst
}

// standing logs when one of several begins or ceases to fail: with one alone the
// pipeline says it.
func (n *Notifier) standing(i int, err error) {
	if len(n.bases) == 1 {
		return
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	n.mu.Lock()
	was := n.down[i]
	n.down[i] = text
	n.mu.Unlock()
	switch text {
	case was:
	case "":
		n.log.Info("an Alertmanager takes alerts again", slog.Int("index", i))
	default:
		n.log.Warn("one of the Alertmanagers does not take alerts", slog.Int("index", i), slog.String("error", text))
	}
}

// told is by which labels the Alertmanagers know a case, by its receipt.
type told struct {
	open     bool
	severity vigil.Severity
	about    vigil.About
	// start is when the alert began: one that is ended needs the same.
	start time.Time
}

func (t told) String() string {
	state := "closed"
	if t.open {
		state = "open"
	}
	return state + "/" + severityWord(t.severity) + "/" + aboutWord(t.about) + "/" + strconv.FormatInt(t.start.Unix(), 10)
}

// parseReceipt reads what an earlier Notify returned; anything else is nothing told.
func parseReceipt(r string) told {
	p := strings.Split(r, "/")
	if len(p) != 4 || p[0] != "open" && p[0] != "closed" {
		return told{}
	}
	sec, err := strconv.ParseInt(p[3], 10, 64)
	if err != nil {
		return told{}
	}
	return told{p[0] == "open", vigil.Severity(p[1]), vigil.About(p[2]), time.Unix(sec, 0).UTC()}
}

// notSent is the receipt of what is not for an Alertmanager.
const notSent = "not-sent"

// known reports whether the message is of a kind that becomes an alert.
func known(m alerts.Message) bool {
	return (m.Kind == alerts.KindCase || m.Kind == alerts.KindFinding) && (m.Case != nil || m.Finding != nil)
}

// plan says which alerts bring the Alertmanagers to where the case is, and the receipt
// that holds afterwards.
func (n *Notifier) plan(m alerts.Message) ([]alert, string) {
	now := n.now().UTC().Truncate(time.Second)
	if m.Notice != nil {
		if m.Notice.Severity.Rank() == 0 {
			return nil, notSent
		}
		is := told{true, m.Notice.Severity, "", now}
		return []alert{n.alertOf(m, is, noticeLasts)}, is.String()
	}
	if !known(m) {
		return nil, notSent
	}
	was := parseReceipt(m.Receipt)
	is := told{true, m.Severity(), about(m), was.start}
	if is.start.IsZero() {
		is.start = began(m)
	}
	// One that is to begin later would wait for it; one that never began begins now.
	if is.start.IsZero() || is.start.After(now) {
		is.start = now
	}
	if m.Over() {
		switch {
		case was.open:
			was.open = false
			return []alert{n.alertOf(m, was, 0)}, was.String()
		case m.Receipt == "" && m.InDoubt:
			is.open = false
			return []alert{n.alertOf(m, is, 0)}, is.String()
		case m.Receipt == "":
			return nil, notSent
		}
		return nil, m.Receipt
	}
	var list []alert
	// A milder case keeps the alert of its gravest time.
	if was.open && is.severity.Rank() < was.severity.Rank() {
		is.severity = was.severity
	}
	if was.open {
		is.about = was.about
	}
	if was.open && severityWord(is.severity) != severityWord(was.severity) {
		milder := n.alertOf(m, was, 0)
		// Whoever is told of its end must not take it for the case's.
		milder.Annotations["summary"] = text("It got graver. "+milder.Annotations["summary"], maxText)
		milder.Annotations["description"] = "The alert of severity " + severityWord(is.severity) + " goes on from here."
		list = append(list, milder)
	}
	return append(list, n.alertOf(m, is, n.cfg.Lasts)), is.String()
}

// alertOf makes the alert by which the case is known, which ends after lasts: at once
// for zero.
func (n *Notifier) alertOf(m alerts.Message, t told, lasts time.Duration) alert {
	card := alerts.CardOf(m, n.cfg.ConsoleURL)
	name := nameCase
	if m.Notice != nil {
		name = nameNotice
	}
	ends := n.now().UTC().Truncate(time.Second).Add(lasts)
	if ends.Before(t.start) {
		ends = t.start
	}
	return alert{Labels: n.labels(name, m.Thread(), t.severity, t.about), Annotations: annotations(m, card), StartsAt: t.start, EndsAt: ends, GeneratorURL: card.Link}
}
