package slack_test

import (
	"strings"
	"testing"

	"vigil/alerts/slack"
)

// TestInspect: what is wrong with an app or a channel shows before the first message.
func TestInspect(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		f      func(*fakeSlack)
		change func(*slack.Config)
		notes  []string // what each note holds
		fails  string
	}{
		{"all is well", func(*fakeSlack) {}, nil, nil, ""},
		{"only chat:write", func(f *fakeSlack) { f.scopes = "chat:write, incoming-webhook" }, nil, []string{"files:write", "channels:history or groups:history", "commands", "im:write", "users:read:", "users:read.email"}, ""},
		{"without buttons and pictures", func(f *fakeSlack) { f.scopes = "chat:write,channels:history" }, func(c *slack.Config) { c.Interactive, c.NoPictures = false, true }, nil, ""},
		{"may not post", func(f *fakeSlack) { f.scopes = "users:read" }, nil, nil, "chat:write"},
		{"scopes are not told", func(f *fakeSlack) { f.scopes = "" }, nil, nil, ""},
		{"public", func(f *fakeSlack) { f.channel["is_private"] = false }, nil, []string{"readable by everybody in the workspace"}, ""},
		{"not a member", func(f *fakeSlack) { f.channel["is_member"] = false }, nil, nil, "/invite"},
		{"public, joined by its scope", func(f *fakeSlack) {
			f.channel["is_member"], f.channel["is_private"] = false, false
			f.scopes += ",chat:write.public"
		}, nil, []string{"readable by everybody"}, ""},
		{"archived", func(f *fakeSlack) { f.channel["is_archived"] = true }, nil, nil, "unarchive"},
		{"no such channel", func(*fakeSlack) {}, func(c *slack.Config) { c.Channel = "C404" }, nil, "slack.channel"},
		{"by its name", func(*fakeSlack) {}, func(c *slack.Config) { c.Channel = "alerts" }, []string{"give its ID"}, ""},
		{"may not look", func(f *fakeSlack) { f.of["conversations.info"] = says("missing_scope") }, nil, []string{"channels:read and groups:read"}, ""},
		{"revoked", func(f *fakeSlack) { f.of["auth.test"] = says("token_revoked") }, nil, nil, "install the Slack app again"},
		{"a proxy's page", func(f *fakeSlack) { f.of["auth.test"] = answer("text/html", "<html>") }, nil, nil, "can't be read"},
		{"odd channel", func(f *fakeSlack) {
			f.of["conversations.info"] = answer("application/json", `{"ok":true,"channel":{}}`)
		}, nil, []string{"names none"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			tc.f(f)
			n := newNotifier(t, f, tc.change)
			notes, err := n.Inspect(t.Context())
			if (err != nil) != (tc.fails != "") || err != nil && !strings.Contains(err.Error(), tc.fails) {
				t.Fatalf("error %v, want %q", err, tc.fails)
			}
			if (n.Check(t.Context()) != nil) != (err != nil) {
				t.Error("Check says otherwise")
			}
			if len(notes) != len(tc.notes) {
				t.Fatalf("notes %q, want %q", notes, tc.notes)
			}
			for i, want := range tc.notes {
				if !strings.Contains(notes[i], want) {
					t.Errorf("note %q, want %q", notes[i], want)
				}
			}
		})
	}
}
