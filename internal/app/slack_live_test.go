package app_test

import (
	"strings"
	"testing"

	"vigil/alerts/slack/talk/talktest"
	"vigil/internal/app"
	"vigil/internal/config"
)

// What is wrong with a Slack app or its channel is said before the first case, with what
// to do about it.
func TestCheckLiveSlack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(cfg *config.Config, s *talktest.Workspace)
		ok     bool
		says   []string
	}{
		{"all is well", func(*config.Config, *talktest.Workspace) {}, true, nil},
		{"a bad token", func(cfg *config.Config, _ *talktest.Workspace) {
			cfg.Slack.Token = config.NewSecret("xoxb-canary-other")
		}, false, []string{"invalid_auth", "copy the bot token"}},
		{"may not post", func(_ *config.Config, s *talktest.Workspace) { s.Scopes = "commands" }, false, []string{"chat:write"}},
		{"may not ask", func(_ *config.Config, s *talktest.Workspace) {
			s.Scopes = strings.ReplaceAll(s.Scopes, ",im:write", "")
		}, true, []string{"asking the person", "im:write", "install it again"}},
		{"no such channel", func(cfg *config.Config, _ *talktest.Workspace) { cfg.Slack.Channel = "C404" }, false, []string{"channel_not_found", "slack.channel"}},
		{"not in the channel", func(_ *config.Config, s *talktest.Workspace) { s.Info["is_member"] = false }, false, []string{"not_in_channel", "/invite"}},
		{"a public channel", func(_ *config.Config, s *talktest.Workspace) { s.Info["is_private"] = false }, true, []string{"readable by everybody", "make it private"}},
		{"an archived channel", func(_ *config.Config, s *talktest.Workspace) { s.Info["is_archived"] = true }, false, []string{"unarchive"}},
		{"a bad app token", func(cfg *config.Config, _ *talktest.Workspace) {
			cfg.Slack.AppToken = config.NewSecret("xapp-canary-other")
		}, false, []string{"invalid_auth of the app token", "copy it again"}},
		{"the tokens are mixed up", func(cfg *config.Config, _ *talktest.Workspace) {
			cfg.Slack.AppToken = config.NewSecret(talktest.BotToken)
		}, false, []string{"app token does not begin with xapp-"}},
		{"Slack is away", func(cfg *config.Config, _ *talktest.Workspace) { cfg.Slack.APIURL = "http://127.0.0.1:1/api/" }, false, []string{"can't be reached"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := talktest.New(t)
			cfg := slackConfig(t, s)
			cfg.Slack.AppToken = config.NewSecret(talktest.AppToken)
			c.change(cfg, s)
			got := live(t, cfg)["slack"]
			all := got.Problem + got.Note
			if got.OK != c.ok || c.says == nil && all != "" {
				t.Errorf("%+v", got)
			}
			for _, want := range c.says {
				if !strings.Contains(all, want) {
					t.Errorf("%q is not in %q", want, all)
				}
			}
			if strings.Contains(all, "canary") {
				t.Errorf("it tells a secret: %q", all)
			}
		})
	}
}

// A Slack that can't be told shows at start, in the log and in the console, and what was
// found goes to who steps in.
func TestSlackBadTokenAtStart(t *testing.T) {
	t.Parallel()
	w := work(t, func(cfg *config.Config) { cfg.Slack.Token = config.NewSecret("xoxb-canary-other") }, "carla")
	until(t, "the note", func() bool {
		note := w.status().Note
		return strings.Contains(note, "Channel slack can't be used") && strings.Contains(note, "copy the bot token")
	})
	if log := w.logs.String(); !strings.Contains(log, "a way to tell can't be used as it is") || !strings.Contains(log, "channel=slack") || !strings.Contains(log, "invalid_auth") {
		t.Errorf("the log says %s", log)
	}
	until(t, "the fallback", func() bool { return strings.Contains(w.output.String(), "carla's desk") })
	if !strings.Contains(w.get("/"), "Channel slack can&#39;t be used") {
		t.Error("the console does not say so")
	}
}

// Buttons that nobody answers show too, while cases are told all the same.
func TestSlackBadAppTokenAtStart(t *testing.T) {
	t.Parallel()
	w := work(t, func(cfg *config.Config) { cfg.Slack.AppToken = config.NewSecret("xapp-canary-other") }, "carla")
	w.card("carla")
	until(t, "the note", func() bool {
		note := w.status().Note
		return strings.Contains(note, "Slack's buttons can't be used") && strings.Contains(note, "invalid_auth")
	})
	if log := w.logs.String(); !strings.Contains(log, "what is pressed in Slack is not answered") {
		t.Errorf("the log says %s", log)
	}
}

// What is well and yet worth knowing is in the log from the start.
func TestSlackPublicChannelAtStart(t *testing.T) {
	t.Parallel()
	s := talktest.New(t)
	s.Info["is_private"] = false
	w := begin(t, slackConfig(t, s), app.Options{})
	until(t, "the warning", func() bool { return strings.Contains(w.logs.String(), "readable by everybody") })
	if note := w.status().Note; strings.Contains(note, "slack") {
		t.Errorf("the console says %q", note)
	}
}
