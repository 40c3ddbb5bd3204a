package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"vigil/alerts/slack"
	"vigil/alerts/slack/talk"
	"vigil/internal/config"
)

// interactive reports whether what people press in Slack is answered.
func interactive(cfg *config.Config) bool {
	return cfg.Slack.Token.IsSet() && (cfg.Slack.AppToken.IsSet() || cfg.Slack.SigningSecret.IsSet())
}

// newTalk makes what answers in Slack; nil where nothing is to be answered.
func newTalk(cfg *config.Config, console string, opts talk.Options) (*talk.Talk, error) {
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
	t, err := talk.New(tc, opts)
	if err != nil {
		return nil, fmt.Errorf("set up what is pressed in Slack: %w", err)
	}
	return t, nil
}

// newTalk makes what answers in Slack by the desk of this service.
func (a *App) newTalk(cfg *config.Config) (*talk.Talk, error) {
	t, err := newTalk(cfg, a.consoleOf(cfg), talk.Options{
		Desk: a.newCaseDesk(), Logger: a.logger, Now: a.opts.Now, Mention: a.mention,
		Revoked: func(event string) {
			a.logger.Error("Slack says that the app was taken out of the workspace: findings go by the fallback until it is installed again", "event", event)
			a.troubles.set("Channel "+slackName, "the app was taken out of the workspace: install it again and set its new tokens")
		},
	})
	return t, err
}

// talk starts answering in Slack; its stop lets what is under way end.
func (a *App) talk(ctx context.Context, cfg *config.Config, t *talk.Talk) (stop func(context.Context) error) {
	a.talking.Store(t)
	if t == nil {
		return nil
	}
	return stopAll(
		func(ctx context.Context) error {
			if err := t.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			return nil
		},
		a.background(ctx, "answers in Slack", func(ctx context.Context) error {
			if !cfg.Slack.AppToken.IsSet() {
				<-ctx.Done() // Slack posts what is pressed
				return nil
			}
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
	// talk is who answers in Slack just now, nil for nobody.
	talk func() *talk.Talk
	now  func() time.Time

	gate chan struct{} // held while it is read; guards the rest
	of   *talk.Talk
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
	t := m.talk()
	if t == nil {
		return nil, errors.New("nobody answers in Slack")
	}
	if m.of == t && m.now().Sub(m.at) < membersFor {
		return m.all, nil
	}
	list, err := t.Directory().List(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]member, len(list))
	for i := range list {
		all[i] = member{id: list[i].ID, email: list[i].Email}
	}
	m.of, m.all, m.at = t, all, m.now()
	return all, nil
}
