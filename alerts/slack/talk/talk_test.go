package talk_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"vigil/alerts/slack/talk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNew(t *testing.T) {
	t.Parallel()
	d := &desk{do: answers}
	for _, c := range []struct {
		cfg  talk.Config
		opts talk.Options
		want string
	}{
		{talk.Config{BotToken: botToken}, talk.Options{}, "no desk"},
		{talk.Config{}, talk.Options{Desk: d}, "bot token is missing"},
		{talk.Config{BotToken: "xoxp-canary"}, talk.Options{Desk: d}, "does not begin with xoxb-"},
		{talk.Config{BotToken: "xoxb-canary\n"}, talk.Options{Desk: d}, "a space"},
		{talk.Config{BotToken: botToken, AppToken: "canary"}, talk.Options{Desk: d}, "does not begin with xapp-"},
		{talk.Config{BotToken: botToken, SigningSecret: "canary "}, talk.Options{Desk: d}, "signing secret holds a space"},
		{talk.Config{BotToken: botToken, APIURL: "ftp://canary"}, talk.Options{Desk: d}, "api_url is not"},
		{talk.Config{BotToken: botToken, APIURL: "https://canary:canary@slack.example"}, talk.Options{Desk: d}, "api_url is not"},
		{talk.Config{BotToken: botToken, ConsoleURL: "canary"}, talk.Options{Desk: d}, "console address is not"},
	} {
		_, err := talk.New(c.cfg, c.opts)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// The secrets don't print.
func TestSecretsDontPrint(t *testing.T) {
	t.Parallel()
	cfg := talk.Config{BotToken: botToken, AppToken: appToken, SigningSecret: secret}
	raw, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var logs strings.Builder
	slog.New(slog.NewJSONHandler(&logs, nil)).Info("x", slog.Any("cfg", cfg), slog.Any("token", cfg.AppToken))
	for _, s := range []string{fmt.Sprintf("%v %+v %#v %s", cfg, cfg, cfg, cfg.SigningSecret), string(raw), logs.String()} {
		lacks(t, s, "canary")
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	o := talk.NewOnce()
	for i := range 30_000 {
		id := fmt.Sprint(i)
		if !o.First(id) || o.First(id) {
			t.Fatalf("%d is not taken once", i)
		}
		if i >= 5000 && o.First(fmt.Sprint(i-5000)) {
			t.Fatalf("%d is forgotten", i-5000)
		}
	}
	if o.Held() > 20_000 {
		t.Errorf("%d are remembered", o.Held())
	}
}

var docs = filepath.Join("..", "..", "..", "docs", "alerts")

// The manifests ask for what the code uses, and nothing that it does not explain.
func TestManifests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(docs, "slack.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"slack-manifest.yaml", "slack-manifest-http.yaml"} {
		raw, err := os.ReadFile(filepath.Join(docs, name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		list := func(key string) []string {
			m := regexp.MustCompile(`(?m)^ *` + key + `:\n((?: +- .*\n)+)`).FindStringSubmatch(text)
			if m == nil {
				t.Fatalf("%s has no %s", name, key)
			}
			var out []string
			for _, l := range strings.Split(strings.TrimSpace(m[1]), "\n") {
				l, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(l), "- "), "#")
				out = append(out, strings.TrimSpace(l))
			}
			return out
		}
		scopes := list("bot")
		for _, s := range talk.Scopes() {
			if !slices.Contains(scopes, s.Name) {
				t.Errorf("%s lacks the scope %s", name, s.Name)
			}
		}
		for _, s := range scopes {
			if !strings.Contains(string(page), "| `"+s+"` |") {
				t.Errorf("slack.md does not say what %s is for", s)
			}
		}
		if events := list("bot_events"); !slices.Equal(events, []string{talk.EventUninstalled, talk.EventRevoked}) {
			t.Errorf("%s: %v", name, events)
		}
		has(t, text, "command: "+talk.Command, "callback_id: "+talk.ShortcutSilence, "messages_tab_enabled: true", "token_rotation_enabled: false")
		if name == "slack-manifest.yaml" {
			has(t, text, "socket_mode_enabled: true")
			lacks(t, text, "url:")
		} else {
			has(t, text, "socket_mode_enabled: false", talk.PathActions, talk.PathCommands, talk.PathEvents)
		}
	}
	has(t, string(page), "`"+talk.AppScope+"`")
}
