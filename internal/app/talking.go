package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/slack/talk"
	"vigil/internal/config"
)

// interactive reports whether what people press in Slack is answered.
func interactive(cfg *config.Config) bool {
	return cfg.Slack.Token.IsSet() && (cfg.Slack.AppToken.IsSet() || cfg.Slack.SigningSecret.IsSet())
}

// newTalk makes what answers in Slack by a desk; nil where nothing is to be answered.
func newTalk(cfg *config.Config, console string, d alerts.Desk, logger *slog.Logger, now func() time.Time) (*talk.Talk, error) {
	if !interactive(cfg) {
		return nil, nil
	}
	tc := talk.Config{APIURL: cfg.Slack.APIURL, ConsoleURL: console}
	for _, s := range []struct {
		field string
		from  config.Secret
		to    *slack.Token
	}{{"token", cfg.Slack.Token, &tc.BotToken}, {"app_token", cfg.Slack.AppToken, &tc.AppToken}, {"signing_secret", cfg.Slack.SigningSecret, &tc.SigningSecret}} {
		value, err := s.from.Reveal()
		if err != nil {
			return nil, fmt.Errorf("read slack.%s: %w", s.field, err)
		}
		*s.to = slack.Token(value)
	}
	t, err := talk.New(tc, talk.Options{Desk: d, Logger: logger, Now: now, Revoked: func(event string) {
		logger.Error("Slack says that the app was taken out of the workspace: findings go by the fallback until it is installed again", "event", event)
	}})
	if err != nil {
		return nil, fmt.Errorf("set up what is pressed in Slack: %w", err)
	}
	return t, nil
}

// newTalk makes what answers in Slack by the desk of this service.
func (a *App) newTalk(cfg *config.Config) (*talk.Talk, error) {
	d := &caseDesk{desk: a.desk, book: a.book, people: a.people.Load, status: a.reader.Status}
	t, err := newTalk(cfg, a.consoleOf(cfg), d, a.logger, a.opts.Now)
	if err != nil || t == nil {
		return nil, err
	}
	d.members = (&members{list: t.Directory().List, now: a.opts.Now, gate: make(chan struct{}, 1)}).get
	return t, nil
}

// talk starts answering in Slack, over a connection of ours where socket says so, and
// else what Slack posts; its stop lets what is under way end.
func (a *App) talk(ctx context.Context, t *talk.Talk, socket bool) (stop func(context.Context) error) {
	a.talking.Store(t)
	if t == nil {
		return nil
	}
	end := func(ctx context.Context) error {
		if err := t.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return nil
	}
	if !socket {
		return end
	}
	return stopAll(
		end,
		a.background(ctx, "answers in Slack", func(ctx context.Context) error {
			// That people can't press is no reason to stop watching.
			if err := t.Run(ctx); err != nil && ctx.Err() == nil {
				a.logger.Error("what is pressed in Slack is not answered", "error", err.Error())
				a.troubles.set("Slack's buttons", err.Error())
			}
			<-ctx.Done()
			return nil
		}))
}

// slackHandler takes what Slack posts, for whoever answers in Slack just now.
func (a *App) slackHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := a.talking.Load()
		if t == nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		t.Handler().ServeHTTP(w, r)
	})
}

// membersFor is how long the list of a workspace's members is used.
const membersFor = 10 * time.Minute

// members remembers for a short while who is in the workspace; nothing of it is kept
// on disk.
type members struct {
	list func(ctx context.Context) ([]talk.Member, error)
	now  func() time.Time

	gate chan struct{} // held while it is read; guards the rest
	all  []member
	at   time.Time
}

func (m *members) get(ctx context.Context) ([]member, error) {
	select {
	case m.gate <- struct{}{}:
		defer func() { <-m.gate }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if m.all != nil && m.now().Sub(m.at) < membersFor {
		return m.all, nil
	}
	list, err := m.list(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]member, len(list))
	for i := range list {
		all[i] = member{id: list[i].ID, email: list[i].Email}
	}
	m.all, m.at = all, m.now()
	return all, nil
}
