// Package pagerduty pages people by PagerDuty's Events API v2.
//
// The alerts pipeline calls Notify, one message at a time; it may also be called
// concurrently. A case is one incident: the case's ID is the deduplication key of all
// its events, so that a message that is sent twice pages once. A case is triggered when
// it is first told and when it gets graver, acknowledged when somebody took it, resolved
// when it was. What only grew is not sent: the receipt says what PagerDuty knows. Digests
// are never sent, notices only from severity high on, since each event may wake
// somebody. The package does not queue and does not retry: it says by the error's type
// whether the pipeline should. Events are accepted by PagerDuty before they are
// processed.
//
// All text goes as JSON strings, which PagerDuty shows as plain text; addresses in
// foreign text are made unclickable. The key is kept out of every error.
package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/internal/outbound"
)

// The addresses of PagerDuty's service regions.
const (
	usURL = "https://events.pagerduty.com"
	euURL = "https://events.eu.pagerduty.com"
)

// pace keeps below the 120 events a minute that an integration key may send.
const pace = 600 * time.Millisecond

// Secret is an integration key. It prints as "[redacted]".
type Secret = outbound.Secret

// Config is what a user writes.
type Config struct {
	// RoutingKey is the integration key of a service's integration "Events API v2", 32
	// letters and digits. Required.
	RoutingKey Secret `yaml:"routing_key"`
	// Region is where the account lives: "us" or "eu". Empty means us.
	Region string `yaml:"region"`
	// APIURL is where the Events API answers, without "/v2/enqueue"; empty means the
	// region's own.
	APIURL string `yaml:"api_url"`
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
	// Name is the notifier's, where there are several; empty means "pagerduty".
	Name string
}

// Notifier sends to one integration. It implements alerts.Notifier and alerts.Pacer.
type Notifier struct {
	cfg    Config
	name   string
	url    Secret
	client *outbound.Client
}

var (
	_ alerts.Notifier = (*Notifier)(nil)
	_ alerts.Pacer    = (*Notifier)(nil)
)

// New makes a notifier. It does not touch the network: Check does.
func New(cfg Config, opts Options) (*Notifier, error) {
	switch {
	case cfg.RoutingKey == "":
		return nil, errors.New("pagerduty routing_key is missing: add the integration \"Events API v2\" to a service and give its integration key")
	case len(cfg.RoutingKey) != 32 || strings.ContainsFunc(string(cfg.RoutingKey), notAlphanumeric):
		return nil, errors.New("pagerduty routing_key is not 32 letters and digits: copy the integration key again (an API key of PagerDuty is something else)")
	}
	base := strings.TrimSuffix(cfg.APIURL, "/")
	switch {
	case base != "":
	case cfg.Region == "" || cfg.Region == "us":
		base = usURL
	case cfg.Region == "eu":
		base = euURL
	default:
		return nil, fmt.Errorf("pagerduty region %q is not known: say us or eu", cfg.Region)
	}
	client, err := outbound.New(outbound.Config{
		Channel: "pagerduty", Timeout: cfg.Timeout, AllowPrivate: cfg.AllowPrivate, CAFile: cfg.CAFile,
		Remedies: map[int]string{
			http.StatusForbidden: "check pagerduty.routing_key",
			http.StatusNotFound:  "check pagerduty.region and pagerduty.api_url",
		},
	})
	if err != nil {
		return nil, err
	}
	n := &Notifier{cfg: cfg, name: opts.Name, url: Secret(base + "/v2/enqueue"), client: client}
	if n.name == "" {
		n.name = "pagerduty"
	}
	if err := client.CheckURL(n.url); err != nil {
		return nil, fmt.Errorf("pagerduty api_url: %w", err)
	}
	return n, nil
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// Name is "pagerduty", or the name that was given.
func (n *Notifier) Name() string { return n.name }

// Pace is the least time between two messages.
func (n *Notifier) Pace() time.Duration { return pace }

// Notify brings the incident to where the case is, and returns what PagerDuty then
// knows. Errors are *alerts.RetryError or *alerts.RefusedError.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	acts, receipt := plan(m)
	for _, a := range acts {
		e := event{RoutingKey: string(n.cfg.RoutingKey), Action: a, DedupKey: dedupKey(m.Thread())}
		if a == actTrigger {
			e = n.trigger(m)
		}
		// The first of two may be sent again with the second: PagerDuty adds it to the
		// same incident.
		if err := n.send(ctx, e); err != nil {
			return "", err
		}
	}
	return receipt, nil
}

// Check sends the resolve event of an incident that does not exist, which PagerDuty
// drops: it shows that the API is reached and takes the key's form. Whether the key is
// that of a service only an incident shows. Errors are as Notify's.
func (n *Notifier) Check(ctx context.Context) error {
	return n.send(ctx, event{RoutingKey: string(n.cfg.RoutingKey), Action: actResolve, DedupKey: "vigil-check"})
}

func (n *Notifier) send(ctx context.Context, e event) error {
	body, err := encode(e)
	if err != nil {
		return &alerts.RefusedError{Err: fmt.Errorf("pagerduty: the event can't be written: %w", err)}
	}
	a, err := n.client.Do(ctx, outbound.Request{
		URL: n.url, Body: body, Secrets: []Secret{n.cfg.RoutingKey},
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}},
	})
	switch {
	case a.Status == http.StatusBadRequest:
		return n.badRequest(a, err)
	case err != nil:
		return err
	}
	// What stands between may answer 200 to everything.
	var answer struct{ Status string }
	if err := a.JSON(&answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return &alerts.RetryError{Err: errors.New("pagerduty: the answer does not say that the event was accepted"), InDoubt: true}
	}
	return nil
}

// badRequest tells a key that PagerDuty does not take, which holds for all events, from
// an event that it does not take.
func (n *Notifier) badRequest(a outbound.Answer, err error) error {
	var refused *alerts.RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	said := strings.ToLower(string(a.Body))
	if strings.Contains(said, "routing_key") || strings.Contains(said, "routing key") {
		return &alerts.RefusedError{Err: refused.Err, All: true, Remedy: "check pagerduty.routing_key and pagerduty.region: it must be the integration key of an integration \"Events API v2\""}
	}
	return err
}

// told is what PagerDuty knows of a case, by its receipt.
type told struct {
	// act is the last action, empty for none.
	act string
	// rank is the gravest severity that was triggered.
	rank int
}

func (t told) open() bool { return t.act == actTrigger || t.act == actAcknowledge }

func (t told) String() string {
	for _, s := range []vigil.Severity{vigil.SeverityLow, vigil.SeverityMedium, vigil.SeverityHigh, vigil.SeverityCritical} {
		if s.Rank() == t.rank {
			return t.act + "/" + string(s)
		}
	}
	return t.act + "/none"
}

// parseReceipt reads what an earlier Notify returned; anything else is nothing told.
func parseReceipt(r string) told {
	act, s, ok := strings.Cut(r, "/")
	if !ok || act != actTrigger && act != actAcknowledge && act != actResolve {
		return told{}
	}
	return told{act, vigil.Severity(s).Rank()}
}

// notSent is the receipt of what is not for PagerDuty.
const notSent = "not-sent"

// plan says which events bring the incident to where the case is, and the receipt that
// holds afterwards.
func plan(m alerts.Message) (acts []string, receipt string) {
	rank := m.Severity().Rank()
	if m.Notice != nil {
		if rank < vigil.SeverityHigh.Rank() {
			return nil, notSent
		}
		return []string{actTrigger}, told{actTrigger, rank}.String()
	}
	if m.Kind != alerts.KindCase && m.Kind != alerts.KindFinding || m.Case == nil && m.Finding == nil {
		return nil, notSent
	}
	was := parseReceipt(m.Receipt)
	now := told{was.act, max(was.rank, rank)}
	if m.Over() {
		// What was never told wakes nobody; what may have been is resolved.
		if was.open() || was.act == "" && m.InDoubt {
			return []string{actResolve}, told{actResolve, now.rank}.String()
		}
		if was.act == "" {
			return nil, notSent
		}
		return nil, was.String()
	}
	if !was.open() {
		now.rank = rank
	}
	if !was.open() || rank > was.rank {
		acts, now.act = append(acts, actTrigger), actTrigger
	}
	if m.Case != nil && m.Case.State == vigil.CaseAcknowledged && now.act != actAcknowledge {
		acts, now.act = append(acts, actAcknowledge), actAcknowledge
	}
	return acts, now.String()
}
