package talk_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/slack"
	"vigil/alerts/slack/talk"
)

const (
	botToken = "xoxb-canary-2718281828"
	appToken = "xapp-canary-3141592653"
	secret   = "canary-signing-1618033988"
	console  = "https://vigil.example:8443/base/"
	patient  = 10 * time.Second // how long a test waits for what must come
)

// epoch is when the tests are.
var epoch = time.Date(2026, 3, 4, 15, 30, 0, 0, time.UTC)

// desk is a desk that does what a test says.
type desk struct {
	acts chan alerts.Act
	mu   sync.Mutex // guards do
	do   func(context.Context, alerts.Act) (alerts.Outcome, error)
}

func (d *desk) Do(ctx context.Context, a alerts.Act) (alerts.Outcome, error) {
	d.mu.Lock()
	do := d.do
	d.mu.Unlock()
	out, err := do(ctx, a)
	d.acts <- a
	return out, err
}

func (d *desk) will(do func(context.Context, alerts.Act) (alerts.Outcome, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.do = do
}

func (d *desk) next(t testing.TB) alerts.Act {
	t.Helper()
	select {
	case a := <-d.acts:
		return a
	case <-time.After(patient):
		t.Fatal("the desk was not asked")
		return alerts.Act{}
	}
}

func (d *desk) none(t testing.TB) {
	t.Helper()
	select {
	case a := <-d.acts:
		t.Fatalf("the desk was asked: %+v", a)
	default:
	}
}

// room is a workspace, a desk, and the Talk between them.
type room struct {
	*workspace
	desk *desk
	talk *talk.Talk
	logs *syncBuffer
	way  way
}

// way is how Slack reaches us.
type way interface {
	// deliver brings something and returns the answer; ok is false when it was refused.
	deliver(t testing.TB, kind string, payload any) (answer []byte, ok bool)
}

type syncBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newRoom makes one whose waits are long enough for what a test does not delay.
func newRoom(t testing.TB, over string) *room {
	t.Helper()
	r := &room{workspace: newWorkspace(t), logs: &syncBuffer{}}
	r.desk = &desk{acts: make(chan alerts.Act, 1000), do: answers}
	var err error
	r.talk, err = talk.New(talk.Config{
		BotToken: botToken, AppToken: appToken, SigningSecret: secret, APIURL: r.URL + "/api/", ConsoleURL: console,
	}, talk.Options{
		Desk: r.desk, Logger: slog.New(slog.NewTextHandler(r.logs, nil)), Now: func() time.Time { return epoch },
		Mention: func(by string) string {
			if by == "actor-0a11ce" {
				return "U0ALICE"
			}
			return by // no member's id: it is shown as it is
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.talk.Waits(patient, patient, patient, func(ctx context.Context, d time.Duration) error { return ctx.Err() })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patient)
		defer cancel()
		if err := r.talk.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		for _, s := range []string{"canary", "xoxb-", "xapp-", "panic"} {
			if strings.Contains(r.logs.String(), s) {
				t.Errorf("the log holds %q:\n%s", s, r.logs)
			}
		}
	})
	if over == "http" {
		srv := httptest.NewServer(r.talk.Handler())
		t.Cleanup(srv.Close)
		r.way = &overHTTP{url: srv.URL}
		return r
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.talk.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	r.way = &overSocket{w: r.workspace, sock: r.newSock(t)}
	return r
}

func (w *workspace) newSock(t testing.TB) *sock {
	t.Helper()
	select {
	case s := <-w.socks:
		return s
	case <-time.After(patient):
		t.Fatal("no socket was opened")
		return nil
	}
}

type overHTTP struct {
	url string
	n   int
}

func (h *overHTTP) deliver(t testing.TB, kind string, payload any) ([]byte, bool) {
	t.Helper()
	var path, media, body string
	switch kind {
	case "slash_commands":
		f := url.Values{}
		for k, v := range payload.(map[string]any) {
			f.Set(k, v.(string))
		}
		path, body = talk.PathCommands, f.Encode()
	case "events_api":
		raw, _ := json.Marshal(payload)
		path, media, body = talk.PathEvents, "application/json", string(raw)
	default:
		raw, _ := json.Marshal(payload)
		path, body = talk.PathActions, url.Values{"payload": {string(raw)}}.Encode()
	}
	if media == "" {
		media = "application/x-www-form-urlencoded"
	}
	req, _ := http.NewRequest(http.MethodPost, h.url+path, strings.NewReader(body))
	req.Header.Set("Content-Type", media)
	// Slack's requests have their own time; two of one second are told apart by it here.
	h.n++
	ts := strconv.FormatInt(epoch.Unix()-int64(h.n%200), 10)
	req.Header.Set("X-Slack-Request-Timestamp", ts)
	req.Header.Set("X-Slack-Signature", sign(secret, ts, body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return answer, resp.StatusCode == http.StatusOK
}

func sign(secret, ts, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, "v0:"+ts+":"+body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

type overSocket struct {
	w    *workspace
	sock *sock
	n    int
}

func (s *overSocket) deliver(t testing.TB, kind string, payload any) ([]byte, bool) {
	t.Helper()
	s.n++
	id := fmt.Sprintf("envelope-%d", s.n)
	s.sock.send(map[string]any{"type": kind, "envelope_id": id, "payload": payload, "accepts_response_payload": kind != "events_api"})
	select {
	case a := <-s.w.acks:
		if a.Envelope != id {
			t.Fatalf("%s was acknowledged for %s", a.Envelope, id)
		}
		if string(a.Payload) == "null" {
			a.Payload = nil
		}
		return a.Payload, true
	case <-time.After(patient):
		t.Fatal("not acknowledged")
		return nil, false
	}
}

// eachWay runs a test over both ways.
func eachWay(t *testing.T, test func(t *testing.T, r *room)) {
	t.Helper()
	for _, over := range []string{"http", "socket"} {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			test(t, newRoom(t, over))
		})
	}
}

func (w *workspace) trigger() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	id := fmt.Sprintf("%d.42.trigger", w.n)
	w.triggers[id] = false
	return id
}

func (w *workspace) ts() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return fmt.Sprintf("1700000000.%06d", w.n)
}

func by(user string) map[string]any { return map[string]any{"id": user, "team_id": "T1"} }

// pressPayload is a press of a button on a card.
func (r *room) pressPayload(user, action, value string) map[string]any {
	a := map[string]any{"action_id": action, "block_id": "b", "type": "button", "value": value, "action_ts": r.ts()}
	if action == slack.ActionMore { // value is the chosen button's name
		a = map[string]any{"action_id": action, "block_id": "vigil.case/case-1/7", "type": "overflow", "selected_option": map[string]any{"value": value}, "action_ts": r.ts()}
	}
	return map[string]any{
		"type": "block_actions", "user": by(user), "team": map[string]any{"id": "T1"}, "trigger_id": r.trigger(),
		"channel":   map[string]any{"id": "C1"},
		"message":   map[string]any{"text": "Was this you at 14:00? &lt;b&gt;", "ts": "1700000000.000100"},
		"container": map[string]any{"type": "message", "channel_id": "C1", "message_ts": "1700000000.000100"},
		"actions":   []any{a},
	}
}

func (r *room) press(t testing.TB, user, action, value string) {
	t.Helper()
	if answer, ok := r.way.deliver(t, "interactive", r.pressPayload(user, action, value)); !ok || len(answer) > 0 {
		t.Fatalf("a press of %s is answered by %q, %v", action, answer, ok)
	}
}

// dialogue is an open one.
type dialogue struct {
	id   string
	view view
}

type view struct {
	Callback string           `json:"callback_id"`
	Meta     string           `json:"private_metadata"`
	Blocks   []map[string]any `json:"blocks"`
	Submit   map[string]any   `json:"submit"`
	raw      []byte
}

// opened is the dialogue that a press opens.
func (r *room) opened(t testing.TB) dialogue {
	t.Helper()
	c := r.next(t, "views.open")
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, raw := range r.views {
		if bytes.Equal(raw, c.json("view")) {
			return dialogue{id, readView(t, raw)}
		}
	}
	t.Fatal("no dialogue is open")
	return dialogue{}
}

func readView(t testing.TB, raw []byte) view {
	t.Helper()
	var v view
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	v.raw = raw
	checkView(t, raw)
	return v
}

func (v view) text() string { return texts(v.raw) }

// state is what is typed and chosen: a value, or what a select's option or user is.
func (v view) state(values map[string]string) map[string]any {
	out := map[string]any{}
	for _, b := range v.Blocks {
		if b["type"] != "input" {
			continue
		}
		e := b["element"].(map[string]any)
		name := e["action_id"].(string)
		in := map[string]any{"type": e["type"]}
		val, ok := values[name]
		switch e["type"] {
		case "plain_text_input":
			in["value"] = nil
			if !ok {
				val, ok = e["initial_value"].(string)
			}
			if ok {
				in["value"] = val
			}
		case "users_select":
			if ok {
				in["selected_user"] = val
			}
		default:
			in["selected_option"] = nil
			if !ok {
				if o, has := e["initial_option"].(map[string]any); has {
					val, ok = o["value"].(string), true
				}
			}
			if ok {
				in["selected_option"] = map[string]any{"value": val}
			}
		}
		out[b["block_id"].(string)] = map[string]any{name: in}
	}
	return map[string]any{"values": out}
}

func (r *room) viewPayload(d dialogue, values map[string]string) map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return map[string]any{"id": d.id, "hash": r.hash[d.id], "callback_id": d.view.Callback, "private_metadata": d.view.Meta, "state": d.view.state(values)}
}

// submitted is Slack's answer to a submission.
type submitted struct {
	Action string            `json:"response_action"`
	View   json.RawMessage   `json:"view"`
	Errors map[string]string `json:"errors"`
}

func (r *room) submitPayload(user string, d dialogue, values map[string]string) map[string]any {
	return map[string]any{
		"type": "view_submission", "user": by(user), "team": map[string]any{"id": "T1"}, "trigger_id": r.trigger(),
		"view": r.viewPayload(d, values),
	}
}

// submit submits a dialogue, which then shows what the answer says.
func (r *room) submit(t testing.TB, user string, d *dialogue, values map[string]string) submitted {
	t.Helper()
	raw, ok := r.way.deliver(t, "interactive", r.submitPayload(user, *d, values))
	if !ok {
		t.Fatal("the submission was refused")
	}
	var s submitted
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		if len(raw) >= 20<<10 {
			t.Errorf("an answer of %d bytes is dropped by Slack", len(raw))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	switch s.Action {
	case "":
		delete(r.views, d.id)
	case "update":
		d.view = readView(t, s.View)
		r.views[d.id], r.hash[d.id] = s.View, fmt.Sprintf("h%d", r.n)
	case "errors":
		for name := range s.Errors {
			if !strings.Contains(string(d.view.raw), `"block_id":"`+name+`"`) {
				t.Errorf("an error for %q, which is no input", name)
			}
		}
	default:
		t.Errorf("an unknown answer: %s", raw)
	}
	return s
}

// choose changes a choice in a dialogue, and shows what it is updated to.
func (r *room) choose(t testing.TB, user string, d *dialogue, values map[string]string, name string) {
	t.Helper()
	r.way.deliver(t, "interactive", map[string]any{
		"type": "block_actions", "user": by(user), "team": map[string]any{"id": "T1"}, "trigger_id": r.trigger(),
		"container": map[string]any{"type": "view", "view_id": d.id},
		"actions":   []any{map[string]any{"action_id": name, "block_id": name, "type": "static_select", "action_ts": r.ts(), "selected_option": map[string]any{"value": values[name]}}},
		"view":      r.viewPayload(*d, values),
	})
	d.view = readView(t, r.next(t, "views.update").json("view"))
}

// typed is a command.
func (r *room) typed(t testing.TB, user, words string) (string, []byte) {
	t.Helper()
	raw, ok := r.way.deliver(t, "slash_commands", r.typedPayload(user, words))
	if !ok {
		t.Fatal("the command was refused")
	}
	if len(raw) == 0 {
		return "", nil
	}
	var a struct {
		Type   string          `json:"response_type"`
		Blocks json.RawMessage `json:"blocks"`
	}
	if err := json.Unmarshal(raw, &a); err != nil || a.Type != "ephemeral" {
		t.Fatalf("%s: %v", raw, err)
	}
	checkBlocks(t, a.Blocks)
	return texts(a.Blocks), raw
}

func (r *room) typedPayload(user, words string) map[string]any {
	return map[string]any{
		"command": talk.Command, "text": words, "user_id": user, "team_id": "T1", "channel_id": "C9",
		"trigger_id": r.trigger(), "response_url": r.URL + "/api/respond",
	}
}

// told is what somebody is shown, and nobody else.
func (r *room) told(t testing.TB, user string) string {
	t.Helper()
	c := r.next(t, "chat.postEphemeral")
	if c.str("user") != user || c.str("channel") == "" {
		t.Errorf("%s is told in %q", c.str("user"), c.str("channel"))
	}
	checkBlocks(t, c.json("blocks"))
	return texts(c.json("blocks"))
}

func failing(err error) func(context.Context, alerts.Act) (alerts.Outcome, error) {
	return func(context.Context, alerts.Act) (alerts.Outcome, error) { return alerts.Outcome{}, err }
}

var errInner = errors.New("constraint failed: UNIQUE in table cases " + botToken)
