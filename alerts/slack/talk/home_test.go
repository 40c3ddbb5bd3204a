package talk_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/slack/talk"
)

type deskFunc func(context.Context, alerts.Act) (alerts.Outcome, error)

func (f deskFunc) Do(ctx context.Context, a alerts.Act) (alerts.Outcome, error) { return f(ctx, a) }

// at is a Talk of a workspace that answers as told, by method.
func at(t *testing.T, answers map[string]any, desk alerts.Desk) *talk.Talk {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answers[strings.TrimPrefix(r.URL.Path, "/")])
	}))
	t.Cleanup(srv.Close)
	tk, err := talk.New(talk.Config{BotToken: "xoxb-1", SigningSecret: "signing", APIURL: srv.URL}, talk.Options{Desk: desk})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tk.Close(context.WithoutCancel(t.Context())) })
	return tk
}

// says is what a command of somebody of a workspace is answered.
func says(t *testing.T, tk *talk.Talk, workspace string) string {
	t.Helper()
	body := url.Values{"command": {talk.Command}, "text": {"status"}, "user_id": {"U0ANN"}, "team_id": {workspace}, "channel_id": {"C1"}, "trigger_id": {"1.2." + workspace}}.Encode()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, talk.PathCommands, strings.NewReader(body))
	now := fmt.Sprint(time.Now().Unix())
	mac := hmac.New(sha256.New, []byte("signing"))
	mac.Write([]byte("v0:" + now + ":" + body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Slack-Request-Timestamp", now)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	w := httptest.NewRecorder()
	tk.Handler().ServeHTTP(w, r)
	return w.Body.String()
}

// TestOtherWorkspaces: an id counts within the token's workspace and its organisation, and
// nowhere when it is not known which those are.
func TestOtherWorkspaces(t *testing.T) {
	t.Parallel()
	ok := func(more map[string]any) map[string]any { more["ok"] = true; return more }
	for name, c := range map[string]struct {
		auth      map[string]any
		workspace string
		says      string
	}{
		"here":                     {ok(map[string]any{"team_id": "T1"}), "T1", "done for T1"},
		"in its organisation":      {ok(map[string]any{"team_id": "T1", "enterprise_id": "E1"}), "E1", "done for T1"},
		"elsewhere":                {ok(map[string]any{"team_id": "T1"}), "T2", "You are no user of vigil"},
		"in another organisation":  {ok(map[string]any{"team_id": "T1", "enterprise_id": "E1"}), "E2", "You are no user of vigil"},
		"nowhere":                  {ok(map[string]any{"team_id": "T1"}), "", "You are no user of vigil"},
		"Slack does not say where": {ok(map[string]any{}), "T1", "vigil could not do it"},
		"Slack does not answer":    {map[string]any{"ok": false, "error": "internal_error"}, "T1", "vigil could not do it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tk := at(t, map[string]any{"auth.test": c.auth}, deskFunc(func(_ context.Context, a alerts.Act) (alerts.Outcome, error) {
				return alerts.Outcome{Text: "done for " + a.By.Workspace}, nil
			}))
			if got := says(t, tk, c.workspace); !strings.Contains(got, c.says) {
				t.Errorf("it says %s", got)
			}
		})
	}
}

// TestDirectoryIsOfHere: an account of another company is nobody's whose address it shows.
func TestDirectoryIsOfHere(t *testing.T) {
	t.Parallel()
	member := func(id, team string, more map[string]any) map[string]any {
		m := map[string]any{"id": id, "team_id": team, "profile": map[string]any{"email": "ann@acme.example"}}
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	tk := at(t, map[string]any{
		"auth.test": map[string]any{"ok": true, "team_id": "T1", "enterprise_id": "E1"},
		"users.list": map[string]any{"ok": true, "members": []any{
			member("U1", "T1", nil), member("U2", "T2", nil), member("U3", "T1", map[string]any{"is_stranger": true}),
			member("U4", "T3", map[string]any{"enterprise_user": map[string]any{"enterprise_id": "E1"}}), member("U5", "T4", map[string]any{"enterprise_user": map[string]any{"enterprise_id": "E2"}}),
		}},
	}, deskFunc(nil))
	list, err := tk.Directory().List(t.Context())
	if err != nil || len(list) != 2 || list[0].ID != "U1" || list[1].ID != "U4" {
		t.Errorf("%+v, %v", list, err)
	}
}
