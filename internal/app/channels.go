package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
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

// close ends what the notifiers keep open: files, connections and clients. What is still
// told by one of them opens it again.
func (w *ways) close() error {
	var all []error
	for _, n := range w.notifiers {
		if c, ok := bare(n).(io.Closer); ok {
			all = append(all, c.Close())
		}
	}
	return errors.Join(all...)
}

// maker makes notifiers of a configuration.
type maker struct {
	console, version string
	logger           *slog.Logger
	now              func() time.Time
	// mention and timeline are what only the running service knows; both may be nil.
	mention  func(by string) string
	timeline timelineOf
}

func (a *App) maker(cfg *config.Config) *maker {
	return &maker{console: a.consoleOf(cfg), version: a.opts.Version, logger: a.logger, now: a.opts.Now, mention: a.mention, timeline: a.pictured}
}

// ways makes the notifiers of a configuration, and who steps in for them: the configured
// fallback, and at last whoever reads the output.
func (m *maker) ways(cfg *config.Config, output io.Writer) (*ways, error) {
	printer, err := terminal.New(output, terminal.Config{ConsoleURL: m.console})
	if err != nil {
		return nil, fmt.Errorf("set up printing: %w", err)
	}
	w := &ways{}
	add := func(n alerts.Notifier) {
		w.notifiers = append(w.notifiers, n)
		if n.Name() == cfg.Alerts.Fallback {
			w.fallbacks = append(w.fallbacks, n)
		}
	}
	if cfg.Slack.Token.IsSet() {
		n, err := m.slack(cfg, cfg.Slack.Channel)
		if err != nil {
			return nil, fmt.Errorf("set up Slack: %w", err)
		}
		add(n)
	}
	for i := range cfg.Alerts.Channels {
		c := &cfg.Alerts.Channels[i]
		n, err := m.channel(cfg, c)
		if err != nil {
			return nil, fmt.Errorf("set up channel %q: %w", c.Name, err)
		}
		add(named(n, c.Name))
	}
	if len(w.notifiers) == 0 {
		w.notifiers = append(w.notifiers, printer)
	} else {
		w.fallbacks = append(w.fallbacks, printer)
	}
	return w, nil
}

// slack makes the notifier of one Slack channel.
func (m *maker) slack(cfg *config.Config, channel string) (*slack.Notifier, error) {
	token, err := cfg.Slack.Token.Reveal()
	if err != nil {
		return nil, fmt.Errorf("read slack.token: %w", err)
	}
	return slack.New(slack.Config{
		Token: slack.Token(token), Channel: channel, APIURL: cfg.Slack.APIURL, ConsoleURL: m.console, Interactive: interactive(cfg), NoPictures: cfg.Slack.NoPictures,
	}, slack.Options{Logger: m.logger, Mention: m.mention, Timeline: m.timeline})
}

// mention is the Slack id of a user by pseudonym, as the configuration in force has it.
func (a *App) mention(by string) string {
	if p := a.people.Load(); p != nil {
		return p.mention(by)
	}
	return ""
}

// templatesOf reads the folder of templates; nil without one.
func templatesOf(cfg *config.Config) (*alerts.Templates, error) {
	if cfg.Alerts.Templates == "" {
		return nil, nil
	}
	names := cfg.ChannelNames()
	if len(names) == 0 {
		names = []string{printerName}
	}
	return readTemplates(cfg.Alerts.Templates, names)
}

// readTemplates names the folder in its error, which fs.FS leaves out.
func readTemplates(folder string, channels []string) (*alerts.Templates, error) {
	if err := tryTemplates(folder); err != nil {
		return nil, err
	}
	return alerts.ReadTemplates(os.DirFS(folder), channels)
}

// tryTemplates says what is wrong with a folder of templates and can't be helped: that it
// can't be read. A template that is broken is said when it is used, and vigil's own words
// take its place.
func tryTemplates(folder string) error {
	_, err := os.ReadDir(folder)
	var why *fs.PathError
	if errors.As(err, &why) {
		return fmt.Errorf("the folder of templates %q can't be read: %w; name the folder that holds title.tmpl, sentence.tmpl and so on", folder, why.Err)
	}
	return err
}

// tryChannel says whether a way to tell can be made of its settings.
func tryChannel(cfg *config.Config, c *config.Channel) error {
	m := &maker{logger: slog.New(slog.DiscardHandler), now: time.Now}
	_, err := m.channel(cfg, c)
	return err
}

// tryPolicy says what is wrong with who is told what.
func tryPolicy(cfg *config.Config) []error {
	names := cfg.ChannelNames()
	if len(names) == 0 {
		names = []string{printerName}
	}
	policy := policyOf(&cfg.Alerts)
	err := policy.Check(names)
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

// named gives a notifier the name of its channel.
func named(n alerts.Notifier, name string) alerts.Notifier {
	if n.Name() == name {
		return n
	}
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

type renamedFinder struct {
	renamed
	alerts.Finder
}

// bare is the notifier that named has given a name.
func bare(n alerts.Notifier) alerts.Notifier {
	switch r := n.(type) {
	case renamed:
		return r.Notifier
	case renamedFinder:
		return r.Notifier
	}
	return n
}

// inspector is a notifier whose check also notes what is well and yet worth knowing.
type inspector interface {
	Inspect(ctx context.Context) (notes []string, err error)
}

// tryNotifier tries a way to tell without telling anybody anything.
func tryNotifier(ctx context.Context, n alerts.Notifier) (note string, err error) {
	n = bare(n)
	if i, ok := n.(inspector); ok {
		notes, err := i.Inspect(ctx)
		return strings.Join(notes, "; "), err
	}
	if c, ok := n.(checker); ok {
		return "", c.Check(ctx)
	}
	return "can't be tried without telling somebody: send one with vigil alerts test", nil
}
