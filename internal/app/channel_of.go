package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"vigil/alerts"
	"vigil/alerts/alertmanager"
	"vigil/alerts/email"
	"vigil/alerts/jira"
	"vigil/alerts/ocsf"
	ocsffile "vigil/alerts/ocsf/file"
	ocsfkafka "vigil/alerts/ocsf/kafka"
	ocsfpush "vigil/alerts/ocsf/push"
	ocsfsyslog "vigil/alerts/ocsf/syslog"
	"vigil/alerts/opsgenie"
	"vigil/alerts/pagerduty"
	"vigil/alerts/teams"
	"vigil/alerts/webhook"
	"vigil/internal/config"
)

// channel makes the notifier of one channel. It does not touch the network.
func (m *maker) channel(cfg *config.Config, c *config.Channel) (alerts.Notifier, error) {
	r := &revealer{}
	n, err := m.make(cfg, c, r)
	if r.err != nil {
		return nil, r.err
	}
	return n, err
}

func (m *maker) make(cfg *config.Config, c *config.Channel, r *revealer) (alerts.Notifier, error) {
	switch {
	case c.Slack != nil:
		return m.slack(cfg, c.Slack.Channel)
	case c.Email != nil:
		s := c.Email
		return made(email.New(email.Config{
			Host: s.Host, Port: s.Port, Security: s.Security, Username: s.Username, Password: email.Secret(r.of("password", s.Password)),
			From: s.From, To: s.To, Hello: s.Hello, CAFile: s.CAFile, Timeout: s.Timeout.Std(), ConsoleURL: m.console,
		}, email.Options{Logger: m.logger, Now: m.now}))
	case c.Webhook != nil:
		s := c.Webhook
		return made(webhook.New(webhook.Config{
			URL: webhook.Secret(r.of("url", s.URL)), Secret: webhook.Secret(r.of("secret", s.Secret)), OldSecret: webhook.Secret(r.of("old_secret", s.OldSecret)),
			Headers: headers[webhook.Secret](r, s.Headers), Source: s.Source, AllowPrivate: s.AllowPrivate, CAFile: s.CAFile, Timeout: s.Timeout.Std(), ConsoleURL: m.console,
		}, webhook.Options{Logger: m.logger, Now: m.now}))
	case c.Teams != nil:
		s := c.Teams
		return made(teams.New(teams.Config{
			URL: teams.Secret(r.of("url", s.URL)), AllowPrivate: s.AllowPrivate, CAFile: s.CAFile, Timeout: s.Timeout.Std(), ConsoleURL: m.console,
		}, teams.Options{Logger: m.logger}))
	case c.PagerDuty != nil:
		s := c.PagerDuty
		return made(pagerduty.New(pagerduty.Config{
			RoutingKey: pagerduty.Secret(r.of("routing_key", s.RoutingKey)), Region: s.Region, APIURL: s.APIURL,
			AllowPrivate: s.AllowPrivate, Timeout: s.Timeout.Std(), CAFile: s.CAFile, ConsoleURL: m.console,
		}, pagerduty.Options{Name: c.Name}))
	case c.Opsgenie != nil:
		s := c.Opsgenie
		return made(opsgenie.New(opsgenie.Config{
			APIKey: opsgenie.Secret(r.of("api_key", s.APIKey)), Service: s.Service, Region: s.Region, APIURL: s.APIURL, Teams: s.Teams, Tags: s.Tags,
			AllowPrivate: s.AllowPrivate, Timeout: s.Timeout.Std(), CAFile: s.CAFile, ConsoleURL: m.console,
		}, opsgenie.Options{Name: c.Name}))
	case c.Alertmanager != nil:
		s := c.Alertmanager
		return made(alertmanager.New(alertmanager.Config{
			URLs: s.URLs, User: s.User, Password: alertmanager.Secret(r.of("password", s.Password)), Token: alertmanager.Secret(r.of("token", s.Token)),
			Labels: s.Labels, Lasts: s.Lasts.Std(), AllowPrivate: s.AllowPrivate, Timeout: s.Timeout.Std(), CAFile: s.CAFile, ConsoleURL: m.console,
		}, alertmanager.Options{Name: c.Name, Logger: m.logger, Now: m.now}))
	case c.Jira != nil:
		s := c.Jira
		return made(jira.New(jira.Config{
			URL: s.URL, Edition: s.Edition, User: s.User, Token: jira.Secret(r.of("token", s.Token)), Project: s.Project, IssueType: s.IssueType,
			Priorities: s.Priorities, Labels: s.Labels, Fields: jiraFields(s.Fields), Done: s.Done, Reopen: s.Reopen,
			AllowPrivate: s.AllowPrivate, Timeout: s.Timeout.Std(), CAFile: s.CAFile, ConsoleURL: m.console,
		}, jira.Options{Name: c.Name, Logger: m.logger}))
	}
	return m.siem(c, r)
}

// siem makes the notifiers that hand findings on to a SIEM.
func (m *maker) siem(c *config.Channel, r *revealer) (alerts.Notifier, error) {
	switch {
	case c.OCSFFile != nil:
		s := c.OCSFFile
		return made(ocsffile.New(ocsffile.Config{
			Path: s.Path, RotateBytes: s.RotateBytes, RotateEvery: s.RotateEvery.Std(), Keep: s.Keep, Sync: s.Sync, MaxBytes: s.MaxBytes,
		}, ocsffile.Options{Name: c.Name, Console: m.console, Version: m.version, Now: m.now}))
	case c.OCSFSyslog != nil:
		s := c.OCSFSyslog
		cfg := ocsfsyslog.Config{
			Address: s.Address, Transport: ocsfsyslog.Transport(s.Transport), Facility: s.Facility, AppName: s.AppName, Hostname: s.Hostname,
			MaxBytes: s.MaxBytes, Timeout: s.Timeout.Std(),
		}
		if s.TLS != nil {
			cfg.TLS = ocsf.TLS(*s.TLS)
		}
		return made(ocsfsyslog.New(cfg, ocsfsyslog.Options{Name: c.Name, Console: m.console, Version: m.version, Now: m.now}))
	case c.OCSFHTTP != nil:
		s := c.OCSFHTTP
		return made(ocsfpush.New(ocsfpush.Config{
			URL: ocsfpush.Secret(r.of("url", s.URL)), Format: ocsfpush.Format(s.Format), Token: ocsfpush.Secret(r.of("token", s.Token)), TokenHeader: s.TokenHeader,
			Headers: headers[ocsfpush.Secret](r, s.Headers), Gzip: s.Gzip, Index: s.Index, Source: s.Source, SourceType: s.SourceType, Host: s.Host,
			Acknowledge: s.Acknowledge, AllowPrivate: s.AllowPrivate, CAFile: s.CAFile, MaxBytes: s.MaxBytes, Timeout: s.Timeout.Std(),
		}, ocsfpush.Options{Name: c.Name, Console: m.console, Version: m.version, Now: m.now}))
	case c.OCSFKafka != nil:
		s := c.OCSFKafka
		cfg := ocsfkafka.Config{Brokers: s.Brokers, Topic: s.Topic, MaxBytes: s.MaxBytes, Timeout: s.Timeout.Std()}
		if s.TLS != nil {
			t := ocsf.TLS(*s.TLS)
			cfg.TLS = &t
		}
		if s.SASL != nil {
			cfg.SASL = &ocsfkafka.SASL{Mechanism: s.SASL.Mechanism, User: s.SASL.User, Password: ocsf.Secret(r.of("sasl.password", s.SASL.Password))}
		}
		return made(ocsfkafka.New(cfg, ocsfkafka.Options{Name: c.Name, Console: m.console, Version: m.version, Now: m.now}))
	}
	return nil, errors.New("it says no way to tell")
}

// made keeps a nil pointer from becoming a notifier.
func made[N alerts.Notifier](n N, err error) (alerts.Notifier, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}

// revealer looks secrets up and keeps the first error.
type revealer struct{ err error }

func (r *revealer) of(field string, s config.Secret) string {
	value, err := s.Reveal()
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("read %s: %w", field, err)
	}
	return value
}

// headers looks up the secrets of headers.
func headers[S ~string](r *revealer, in map[string]config.Secret) map[string]S {
	out := make(map[string]S, len(in))
	for _, name := range slices.Sorted(maps.Keys(in)) {
		out[name] = S(r.of("headers."+name, in[name]))
	}
	return out
}

// jiraFields reads what is JSON as JSON, and all else as text.
func jiraFields(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for name, text := range in {
		var v any
		if json.Unmarshal([]byte(text), &v) != nil {
			v = text
		}
		out[name] = v
	}
	return out
}
