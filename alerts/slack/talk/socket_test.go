package talk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/slack/talk"
	"vigil/alerts/slack/talk/talktest"
)

// The socket that drops, or that Slack wants refreshed, is opened again, and what is
// pressed then is done.
func TestReconnect(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "socket")
	way := r.Way.(*talktest.OverSocket)
	for _, drop := range []func(*talktest.Sock){
		func(s *talktest.Sock) { s.Send(map[string]any{"type": "disconnect", "reason": "refresh_requested"}) },
		func(s *talktest.Sock) { s.Send(map[string]any{"type": "disconnect", "reason": "warning"}) },
		func(s *talktest.Sock) { _ = s.UnderlyingConn().Close() },
		func(s *talktest.Sock) {
			_ = s.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseServiceRestart, ""), time.Now().Add(time.Second))
		},
		func(s *talktest.Sock) { s.Send(map[string]any{"type": strings.Repeat("x", 2<<20)}) }, // beyond what is read
	} {
		drop(way.Sock)
		way.Sock = r.NewSock(t)
		r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
		if a := r.desk.next(t); a.Deed != alerts.DeedAcknowledge {
			t.Errorf("%+v", a)
		}
		r.Told(t, "UANN")
	}
	if !r.talk.Connected() {
		t.Error("it is not known to be connected")
	}
}

// A press that comes again on another connection, because its acknowledgement was
// lost, is done once.
func TestAgainAfterDrop(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "socket")
	way := r.Way.(*talktest.OverSocket)
	p := r.PressPayload("UANN", slack.ActionAcknowledge, "case-1")
	r.Way.Deliver(t, "interactive", p)
	_ = way.Sock.UnderlyingConn().Close()
	way.Sock = r.NewSock(t)
	r.Way.Deliver(t, "interactive", p)
	r.Press(t, "UANN", slack.ActionNote, "case-1")
	if a := r.desk.next(t); a.Deed != alerts.DeedAcknowledge {
		t.Errorf("%+v", a)
	}
	if a := r.desk.next(t); a.Deed != alerts.DeedLook {
		t.Errorf("%+v", a)
	}
}

// What is no message of Slack's ends nothing.
func TestOddMessages(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "socket")
	way := r.Way.(*talktest.OverSocket)
	for _, m := range []string{
		`{`, `[]`, `"x"`, `{"type":"odd","envelope_id":"e"}`, `{"type":"interactive","payload":{}}`,
		`{"type":"interactive","envelope_id":"` + strings.Repeat("e", 1000) + `","payload":{}}`,
		`{"type":"slash_commands","payload":[]}`,
	} {
		way.Sock.SendText(m)
	}
	// What can't be understood is acknowledged, or it would come again.
	for _, c := range []struct {
		kind    string
		payload any
	}{
		{"interactive", []any{}},
		{"interactive", map[string]any{"type": "block_actions"}},
		{"interactive", map[string]any{"type": "block_actions", "user": 7}},
		{"slash_commands", map[string]any{"user_id": 1}},
		{"slash_commands", []any{}},
		{"events_api", map[string]any{"type": "event_callback"}},
	} {
		if answer, ok := r.Way.Deliver(t, c.kind, c.payload); !ok || len(answer) > 0 {
			t.Errorf("%v: %q", c, answer)
		}
	}
	// A card with a block that the library does not know.
	p := r.PressPayload("UANN", slack.ActionAcknowledge, "case-1")
	p["message"] = map[string]any{"text": "x", "blocks": []any{map[string]any{"type": "of_next_year", "elements": 7}}}
	r.Way.Deliver(t, "interactive", p)
	r.desk.next(t)
}

// What can't be taken is not acknowledged: Slack tells who pressed.
func TestBusySocket(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "socket")
	r.talk.Slots(1)
	gate := make(chan struct{})
	r.desk.will(func(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
		<-gate
		return answers(ctx, a)
	})
	r.Press(t, "UANN", slack.ActionAcknowledge, "case-1")
	way := r.Way.(*talktest.OverSocket)
	way.Sock.Send(map[string]any{"type": "interactive", "envelope_id": "refused", "payload": r.PressPayload("UANN", slack.ActionAcknowledge, "case-2")})
	way.Sock.Send(map[string]any{"type": "slash_commands", "envelope_id": "refused", "payload": r.TypedPayload("UANN", "status")})
	// What comes after them is acknowledged first.
	if answer, ok := r.Way.Deliver(t, "events_api", map[string]any{"type": "event_callback"}); !ok || len(answer) > 0 {
		t.Errorf("%q", answer)
	}
	close(gate)
	r.Told(t, "UANN")
}

// A token that will never do is an error that says what to do.
func TestBadTokens(t *testing.T) {
	t.Parallel()
	for code, remedy := range map[string]string{
		"invalid_auth": "copy it again", "not_authed": "copy it", "account_inactive": "install the Slack app again", "token_revoked": "install the Slack app again",
		"not_allowed_token_type": "xapp-", "missing_scope": "compare its scopes", "no_permission": talk.AppScope, "token_expired": "token rotation",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			w := talktest.New(t)
			w.Expect("apps.connections.open", talktest.Refuse(code))
			tk, err := talk.New(talk.Config{BotToken: botToken, AppToken: appToken, APIURL: w.URL + "/api"}, talk.Options{Desk: &desk{do: answers}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patient)
			defer cancel()
			err = tk.Run(ctx)
			var refused *alerts.RefusedError
			if !errors.As(err, &refused) || !refused.All || !strings.Contains(refused.Remedy, remedy) || !strings.Contains(err.Error(), code) {
				t.Errorf("%v", err)
			}
			if strings.Contains(fmt.Sprint(err), "canary") {
				t.Errorf("it holds a secret: %v", err)
			}
		})
	}
	tk, err := talk.New(talk.Config{BotToken: botToken}, talk.Options{Desk: &desk{do: answers}})
	if err != nil {
		t.Fatal(err)
	}
	if err := tk.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "connections:write") {
		t.Errorf("%v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	if err := r.talk.Check(t.Context()); err != nil {
		t.Error(err)
	}
	r.Next(t, "apps.connections.open")
	for _, method := range []string{"auth.test", "apps.connections.open"} {
		r.Expect(method, talktest.Refuse("token_revoked"), talktest.Refuse("internal_error"))
		err := r.talk.Check(t.Context())
		var refused *alerts.RefusedError
		if !errors.As(err, &refused) || !strings.Contains(refused.Remedy, "install the Slack app again") {
			t.Errorf("%s: %v", method, err)
		}
		err = r.talk.Check(t.Context())
		var retry *alerts.RetryError
		if !errors.As(err, &retry) || !strings.Contains(err.Error(), "internal_error") {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// What passes is waited out: Slack that answers 500, that asks to wait, that gives an
// address where nobody is.
func TestConnectAgain(t *testing.T) {
	t.Parallel()
	w := talktest.New(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	w.Expect("apps.connections.open",
		func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) },
		talktest.Refuse("internal_error"),
		func(rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(rw, `{"ok":true,"url":%q}`, "ws"+strings.TrimPrefix(gone.URL, "http")+"/?ticket=canary-ticket")
		},
	)
	logs := &syncBuffer{}
	tk, err := talk.New(talk.Config{BotToken: botToken, AppToken: appToken, APIURL: w.URL + "/api/"}, talk.Options{Desk: &desk{do: answers}, Logger: slog.New(slog.NewTextHandler(logs, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tk.Run(ctx) }()
	w.NewSock(t)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	if tk.Connected() {
		t.Error("it says that it is connected")
	}
	has(t, logs.String(), "HTTP status 500", "internal_error", "refused")
	lacks(t, logs.String(), "canary")
}

// The app's removal is told once, by either way.
func TestRevoked(t *testing.T) {
	t.Parallel()
	for _, over := range []string{"http", "socket"} {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, over)
			for _, e := range []string{talk.EventUninstalled, talk.EventUninstalled, "message", talk.EventRevoked} {
				if answer, ok := r.Way.Deliver(t, "events_api", map[string]any{"type": "event_callback", "event_id": "Ev" + e, "event": map[string]any{"type": e}}); !ok || len(answer) > 0 {
					t.Errorf("%q", answer)
				}
			}
			c := r.talk.Counts()
			if c[talk.EventUninstalled] != 1 || c[talk.EventRevoked] != 1 || c["message"] != 0 {
				t.Errorf("%v", c)
			}
			has(t, r.logs.String(), "install it again")
		})
	}
	told := make(chan string, 3)
	w := talktest.New(t)
	tk, err := talk.New(talk.Config{BotToken: botToken, SigningSecret: secret, APIURL: w.URL}, talk.Options{Desk: &desk{do: answers}, Now: func() time.Time { return epoch }, Revoked: func(e string) { told <- e }})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(tk.Handler())
	t.Cleanup(srv.Close)
	way := &talktest.OverHTTP{URL: srv.URL, Now: func() time.Time { return epoch }}
	way.Deliver(t, "events_api", map[string]any{"type": "event_callback", "event_id": "Ev1", "event": map[string]any{"type": talk.EventRevoked}})
	if e := <-told; e != talk.EventRevoked {
		t.Error(e)
	}
	if answer, ok := way.Deliver(t, "events_api", map[string]any{"type": "url_verification", "challenge": "3eZbrw1aB10FEMAGAZd4FyFQ"}); !ok || string(answer) != "3eZbrw1aB10FEMAGAZd4FyFQ" {
		t.Errorf("%q", answer)
	}
	for _, odd := range []any{map[string]any{"type": "url_verification", "challenge": "<script>\n"}, map[string]any{"type": "url_verification"}, []any{}} {
		if _, ok := way.Deliver(t, "events_api", odd); ok {
			t.Errorf("%v is taken", odd)
		}
	}
}

func TestMember(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "http")
	for i := range 450 {
		r.Members = append(r.Members, map[string]any{"id": fmt.Sprintf("U%d", i), "team_id": "T1", "profile": map[string]any{"email": fmt.Sprintf("p%d@acme.example", i), "real_name": "P"}})
	}
	r.Members[1]["deleted"], r.Members[2]["is_bot"], r.Members[3]["id"] = true, true, "USLACKBOT"
	r.Expect("users.list", nil)
	r.Expect("users.list", talktest.Times(2, talktest.Limited("30"))...)
	got, err := r.talk.Directory().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 447 || got[0] != (talk.Member{ID: "U0", Workspace: "T1", Email: "p0@acme.example", Name: "P"}) || got[1].ID != "U4" {
		t.Errorf("%d: %+v", len(got), got[:2])
	}

	for i := range r.Members {
		r.Members[i]["profile"] = map[string]any{}
	}
	if _, err := r.talk.Directory().List(t.Context()); err == nil || !strings.Contains(err.Error(), "users:read.email") {
		t.Errorf("%v", err)
	}
	r.Expect("users.list", talktest.Refuse("missing_scope"))
	if _, err := r.talk.Directory().List(t.Context()); err == nil || !strings.Contains(err.Error(), "scopes") {
		t.Errorf("%v", err)
	}
	r.Expect("users.list", talktest.Times(6, talktest.Limited("1"))...)
	if _, err := r.talk.Directory().List(t.Context()); err == nil || !strings.Contains(err.Error(), "429") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.talk.Directory().List(ctx); err == nil {
		t.Error("no error")
	}
}

// More people than are looked through is an error, not a part of them.
func TestTooManyMembers(t *testing.T) {
	t.Parallel()
	page := make([]map[string]any, 5000)
	for i := range page {
		page[i] = map[string]any{"id": fmt.Sprintf("U%d", i), "team_id": "T1", "profile": map[string]any{"email": "a@b.example"}}
	}
	raw, err := json.Marshal(map[string]any{"ok": true, "team_id": "T1", "members": page, "response_metadata": map[string]any{"next_cursor": "more"}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(raw) }))
	t.Cleanup(srv.Close)
	tk, err := talk.New(talk.Config{BotToken: botToken, APIURL: srv.URL}, talk.Options{Desk: &desk{do: answers}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tk.Directory().List(t.Context()); err == nil || !strings.Contains(err.Error(), "more than 50000") || got != nil {
		t.Errorf("%d %v", len(got), err)
	}
}
