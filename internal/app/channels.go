package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/terminal"
	"vigil/internal/config"
)

// slackName is the channel under slack, by which also people in Slack are known.
const slackName = "slack"

// printerName is who prints where no channel is configured.
const printerName = "terminal"

// ways are the notifiers of one configuration.
type ways struct {
	notifiers []alerts.Notifier
	fallbacks []alerts.Notifier
}

// notes tells the outbox about them.
func (w *ways) notes() []channelNote {
	var out []channelNote
	for _, n := range w.notifiers {
		t, ok := n.(alerts.Threader)
		out = append(out, channelNote{name: n.Name(), threads: ok && t.Threads()})
	}
	return out
}

func (w *ways) names() []string {
	var out []string
	for _, n := range w.notifiers {
		out = append(out, n.Name())
	}
	return out
}

// ways makes the notifiers of a configuration, and who steps in for them: the configured
// fallback, and at last whoever reads the standard output.
func (a *App) ways(cfg *config.Config) (*ways, error) {
	console := a.consoleOf(cfg)
	printer, err := terminal.New(a.opts.Output, terminal.Config{ConsoleURL: console})
	if err != nil {
		return nil, fmt.Errorf("set up printing: %w", err)
	}
	w := &ways{}
	if cfg.Slack.Token.IsSet() {
		n, err := newSlack(cfg, cfg.Slack.Channel, console, a.mention, a.logger)
		if err != nil {
			return nil, fmt.Errorf("set up Slack: %w", err)
		}
		w.notifiers = append(w.notifiers, n)
	}
	for i := range cfg.Alerts.Channels {
		c := &cfg.Alerts.Channels[i]
		n, err := a.channel(cfg, c, console)
		if err != nil {
			return nil, fmt.Errorf("set up channel %q: %w", c.Name, err)
		}
		n = named(n, c.Name)
		w.notifiers = append(w.notifiers, n)
		if c.Name == cfg.Alerts.Fallback {
			w.fallbacks = append(w.fallbacks, n)
		}
	}
	if cfg.Alerts.Fallback == slackName && cfg.Slack.Token.IsSet() {
		w.fallbacks = append(w.fallbacks, w.notifiers[0])
	}
	if len(w.notifiers) == 0 {
		w.notifiers = append(w.notifiers, printer)
	} else {
		w.fallbacks = append(w.fallbacks, printer)
	}
	return w, nil
}

// mention is the Slack id of a user by pseudonym, as the configuration in force has it.
func (a *App) mention(by string) string {
	if p := a.people.Load(); p != nil {
		return p.mention(by)
	}
	return ""
}

// channel makes the notifier of one channel.
func (a *App) channel(cfg *config.Config, c *config.Channel, console string) (alerts.Notifier, error) {
	switch {
	case c.Slack != nil:
		return newSlack(cfg, c.Slack.Channel, console, a.mention, a.logger)
	}
	return nil, fmt.Errorf("it says no way to tell")
}

func newSlack(cfg *config.Config, channel, console string, mention func(string) string, logger *slog.Logger) (*slack.Notifier, error) {
	token, err := cfg.Slack.Token.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read slack.token: %w", err)
	}
	return slack.New(slack.Config{
		Token: slack.Token(token), Channel: channel, APIURL: cfg.Slack.APIURL, ConsoleURL: console,
	}, slack.Options{Logger: logger})
}

// named gives a notifier the name of its channel.
func named(n alerts.Notifier, name string) alerts.Notifier {
	w := renamed{n, name}
	if f, ok := n.(alerts.Finder); ok {
		return renamedFinder{w, f}
	}
	return w
}

type renamed struct {
	alerts.Notifier
	name string
}

// Name is the channel's.
func (n renamed) Name() string { return n.name }

// Pace is the notifier's own, none where it has none.
func (n renamed) Pace() time.Duration {
	if p, ok := n.Notifier.(alerts.Pacer); ok {
		return p.Pace()
	}
	return 0
}

// Threads is the notifier's own.
func (n renamed) Threads() bool {
	t, ok := n.Notifier.(alerts.Threader)
	return ok && t.Threads()
}

// Check is the notifier's own, nil where it has none.
func (n renamed) Check(ctx context.Context) error {
	if c, ok := n.Notifier.(checker); ok {
		return c.Check(ctx)
	}
	return nil
}

type renamedFinder struct {
	renamed
	alerts.Finder
}
