// Package opsgenie tells cases as alerts of Opsgenie, or of Jira Service Management
// Operations, which takes the same requests at another address.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently. A case is one open alert: the case's ID is the alias by which the
// service recognises what it has already, so that a message that is sent twice pages
// once. A case is created when it is first told, acknowledged when somebody took it and
// closed when it was resolved. The services route an alert by the priority with which it
// is created; so a case that gets graver becomes a new alert of the higher priority, with
// the severity behind the alias, and the milder one is closed. What only grew is not
// sent: the receipt says what the service knows. Replies are notes. Digests are never
// sent, notices only from severity high on. The package does not queue and does not
// retry: it says by the error's type whether the pipeline should.
//
// Requests are accepted before they are processed; what then fails is in the
// integration's log alone. Foreign text has no HTML in it (see text), and the key is
// kept out of every error.
package opsgenie

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/internal/outbound"
)

// The addresses of the services.
const (
	usURL  = "https://api.opsgenie.com/v2"
	euURL  = "https://api.eu.opsgenie.com/v2"
	jsmURL = "https://api.atlassian.com/jsm/ops/integration/v2"
)

// pace keeps well below what Opsgenie lets an account ask in a minute.
const pace = 500 * time.Millisecond

// Secret is an API key. It prints as "[redacted]".
type Secret = outbound.Secret

// Config is what a user writes.
type Config struct {
	// APIKey is the key of an integration "API" of a team, not a user's. Required.
	APIKey Secret `yaml:"api_key"`
	// Service is "opsgenie", or "jsm" for Jira Service Management. Empty means opsgenie.
	Service string `yaml:"service"`
	// Region is where the Opsgenie account lives: "us" or "eu". Empty means us. Jira
	// Service Management has one address for all.
	Region string `yaml:"region"`
	// APIURL is where the API answers, up to and with "/v2"; empty means the service's
	// own.
	APIURL string `yaml:"api_url"`
	// Teams are who is to respond, by the names of teams; empty leaves it to the
	// integration. At most 50. For Opsgenie only: Jira Service Management wants ids, and
	// the integration's own team responds there.
	Teams []string `yaml:"teams"`
	// Tags are added to each alert, at most 10 of 50 characters.
	Tags []string `yaml:"tags"`
	// AllowPrivate lets APIURL be in a private network, and http. Default false.
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
	// Name is the notifier's, where there are several; empty means "opsgenie".
	Name string
}

// Notifier sends to one integration. It implements alerts.Notifier, alerts.Pacer and
// alerts.Threader.
type Notifier struct {
	cfg    Config
	name   string
	base   string
	client *outbound.Client
}

var (
	_ alerts.Notifier = (*Notifier)(nil)
	_ alerts.Pacer    = (*Notifier)(nil)
	_ alerts.Threader = (*Notifier)(nil)
)

// New makes a notifier. It does not touch the network: Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	if cfg.Service == "" {
		cfg.Service = "opsgenie"
	}
	switch {
	case cfg.APIKey == "":
		return nil, errors.New("opsgenie api_key is missing: add an integration \"API\" to a team and give its key")
	case strings.ContainsFunc(string(cfg.APIKey), func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, errors.New("opsgenie api_key holds a space or a character that no key has: copy it again")
	case cfg.Service != "opsgenie" && cfg.Service != "jsm":
		return nil, fmt.Errorf("opsgenie service %q is not known: say opsgenie or jsm", cfg.Service)
	case cfg.Region != "" && cfg.Region != "us" && cfg.Region != "eu":
		return nil, fmt.Errorf("opsgenie region %q is not known: say us or eu", cfg.Region)
	case cfg.Service == "jsm" && len(cfg.Teams) > 0:
		return nil, errors.New("opsgenie teams can't be given with service jsm: the team of the integration responds; remove them")
	case len(cfg.Teams) > 50:
		return nil, errors.New("opsgenie teams are more than 50")
	case len(cfg.Tags) > 10:
		return nil, errors.New("opsgenie tags are more than 10")
	}
	for _, t := range cfg.Tags {
		if t == "" || text(t, maxTag) != t || strings.Contains(t, ",") {
			return nil, fmt.Errorf("opsgenie tag %q is empty, longer than %d characters, or holds a comma, < or >", t, maxTag)
		}
	}
	base := strings.TrimSuffix(cfg.APIURL, "/")
	switch {
	case base != "":
	case cfg.Service == "jsm":
		base = jsmURL
	case cfg.Region == "eu":
		base = euURL
	default:
		base = usURL
	}
	client, err := outbound.New(outbound.Config{
		Channel: "opsgenie", Timeout: cfg.Timeout, AllowPrivate: cfg.AllowPrivate, CAFile: cfg.CAFile,
		Remedies: map[int]string{
			http.StatusUnauthorized:        "check opsgenie.api_key, opsgenie.service and opsgenie.region: it must be the key of an enabled integration \"API\" of that service and region",
			http.StatusForbidden:           "the integration may not create alerts: let it \"Create and Update\" in its settings",
			http.StatusPaymentRequired:     "the account's plan does not allow it: another plan, or another channel, must be chosen",
			http.StatusNotFound:            "check opsgenie.service, opsgenie.region and opsgenie.api_url",
			http.StatusUnprocessableEntity: "please report it, with the finding's ID; check opsgenie.teams",
		},
	})
	if err != nil {
		return nil, err
	}
	if err := client.CheckURL(Secret(base)); err != nil {
		return nil, fmt.Errorf("opsgenie api_url: %w", err)
	}
	n := &Notifier{cfg: cfg, name: opts.Name, base: base, client: client}
	if n.name == "" {
		n.name = "opsgenie"
	}
	return n, nil
}

// Name is "opsgenie", or the name that was given.
func (n *Notifier) Name() string { return n.name }

// Pace is the least time between two messages.
func (n *Notifier) Pace() time.Duration { return pace }

// Threads says that replies become notes.
func (n *Notifier) Threads() bool { return true }

// Notify brings the alert to where the case is, and returns what the service then
// knows. Errors are *alerts.RetryError or *alerts.RefusedError.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	steps, receipt := plan(m)
	for _, s := range steps {
		// Any of them may be sent again with a later one: the service knows the alias.
		if err := n.do(ctx, m, s); err != nil {
			return "", err
		}
	}
	return receipt, nil
}

// Check closes an alert that does not exist, which tells nobody: it shows that the
// API is reached and takes the key. Errors are as Notify's.
func (n *Notifier) Check(ctx context.Context) error {
	return n.do(ctx, alerts.Message{}, step{verb: doClose, alias: "vigil-check"})
}

func (n *Notifier) do(ctx context.Context, m alerts.Message, s step) error {
	path, body := "/alerts/"+url.PathEscape(s.alias)+"/"+s.verb+"?identifierType=alias", any(action{Source: "vigil", Note: s.note})
	if s.verb == doCreate {
		path, body = "/alerts", n.alertOf(m, s.alias)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return &alerts.RefusedError{Err: fmt.Errorf("opsgenie: the alert can't be written: %w", err)}
	}
	a, err := n.client.Do(ctx, outbound.Request{
		URL: Secret(n.base + path), Body: b, Secrets: []Secret{n.cfg.APIKey},
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "Authorization": {"GenieKey " + string(n.cfg.APIKey)}},
	})
	if err != nil {
		var refused *alerts.RefusedError
		if a.Status == http.StatusPaymentRequired && errors.As(err, &refused) {
			refused.All = true
		}
		return err
	}
	// What stands between may answer 200 to everything.
	var answer struct {
		RequestID string `json:"requestId"`
	}
	if err := a.JSON(&answer); err != nil {
		return err
	}
	if answer.RequestID == "" {
		return &alerts.RetryError{Err: errors.New("opsgenie: the answer does not say that the request was accepted"), InDoubt: true}
	}
	return nil
}

// The requests: to create an alert, and the ends of the addresses for the rest.
const (
	doCreate      = "create"
	doAcknowledge = "acknowledge"
	doClose       = "close"
	doNote        = "notes"
)

// step is one request.
type step struct{ verb, alias, note string }

// told is what the service knows of a case, by its receipt.
type told struct {
	// state is "open", "acknowledged" or "closed", empty for nothing.
	state string
	// severity is that of the alert, alias by what it is known.
	severity vigil.Severity
	alias    string
}

const (
	stateOpen         = "open"
	stateAcknowledged = "acknowledged"
	stateClosed       = "closed"
)

func (t told) open() bool { return t.state == stateOpen || t.state == stateAcknowledged }

func (t told) String() string {
	s := t.severity
	if s.Rank() == 0 {
		s = "none"
	}
	return t.state + "/" + string(s) + "/" + t.alias
}

// parseReceipt reads what an earlier Notify returned; anything else is nothing told.
func parseReceipt(r string) told {
	p := strings.SplitN(r, "/", 3)
	if len(p) != 3 || p[2] == "" || len(r) > maxAlias+32 || aliasOf(p[2]) != p[2] {
		return told{}
	}
	switch p[0] {
	case stateOpen, stateAcknowledged, stateClosed:
		return told{p[0], vigil.Severity(p[1]), p[2]}
	}
	return told{}
}

// notSent is the receipt of what is not for the service.
const notSent = "not-sent"

// plan says which requests bring the alert to where the case is, and the receipt that
// holds afterwards.
func plan(m alerts.Message) (steps []step, receipt string) {
	sev, base := m.Severity(), aliasOf(m.Thread())
	switch {
	case m.Reply != nil:
		return planReply(m)
	case m.Notice != nil:
		if sev.Rank() < vigil.SeverityHigh.Rank() {
			return nil, notSent
		}
		return []step{{verb: doCreate, alias: base}}, told{stateOpen, sev, base}.String()
	case m.Kind != alerts.KindCase && m.Kind != alerts.KindFinding || m.Case == nil && m.Finding == nil:
		return nil, notSent
	}
	was := parseReceipt(m.Receipt)
	if m.Over() {
		switch {
		case was.open():
			return []step{{doClose, was.alias, "Resolved in vigil."}}, told{stateClosed, was.severity, was.alias}.String()
		case was.state == "" && m.InDoubt:
			// What may have been told is closed; what never was wakes nobody.
			return []step{{doClose, base, "Resolved in vigil."}}, told{stateClosed, sev, base}.String()
		case was.state == "":
			return nil, notSent
		}
		return nil, was.String()
	}
	now := was
	switch {
	case !was.open():
		now = told{stateOpen, sev, base}
		steps = append(steps, step{verb: doCreate, alias: base})
	case sev.Rank() > was.severity.Rank():
		now = told{stateOpen, sev, aliasOf(base + "-" + string(sev))}
		steps = append(steps, step{verb: doCreate, alias: now.alias},
			step{doClose, was.alias, "It got graver: the alert " + now.alias + " goes on from here."})
	}
	if m.Case != nil && m.Case.State == vigil.CaseAcknowledged && now.state == stateOpen {
		now.state = stateAcknowledged
		steps = append(steps, step{doAcknowledge, now.alias, "Acknowledged in vigil."})
	}
	return steps, now.String()
}

// planReply adds a note to the card's alert. Without one there is nothing to note it at.
func planReply(m alerts.Message) ([]step, string) {
	card := parseReceipt(m.Parent)
	note := text(m.Reply.Text, maxNote/2)
	if card.state == "" || note == "" {
		return nil, notSent
	}
	if m.Reply.By != "" {
		note += " (" + text(m.Reply.By, maxSource) + ")"
	}
	return []step{{doNote, card.alias, note}}, told{card.state, card.severity, card.alias}.String()
}
