// Package talktest is a Slack for tests of what people press and type: it opens
// dialogues, hands out what is told, holds all of it to Slack's limits, and speaks
// Socket Mode. Tests of the talk and of the whole service use it. One test at a time
// presses; what vigil calls may come concurrently.
package talktest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Call is one call of Slack's API.
type Call struct {
	// Method is Slack's name of it, Args what it is given.
	Method string
	Args   map[string]any
	// Answer is the timestamp that a message was given, empty for none.
	Answer string
}

// Str is an argument that is text.
func (c Call) Str(key string) string {
	s, _ := c.Args[key].(string)
	return s
}

// JSON is an argument that is JSON, in a form or in a body.
func (c Call) JSON(key string) []byte {
	if s, ok := c.Args[key].(string); ok {
		return []byte(s)
	}
	raw, _ := json.Marshal(c.Args[key])
	return raw
}

// What the workspace knows of vigil, and vigil of it.
const (
	BotToken = "xoxb-canary-2718281828" //nolint:gosec // opens nothing
	AppToken = "xapp-canary-3141592653" //nolint:gosec // opens nothing
	Secret   = "canary-signing-1618033988"
	Console  = "https://vigil.example:8443/base/"
	// Direct is the timestamp of every direct message.
	Direct = "1700000000.000900"
	// Patient is how long it is waited for what must come.
	Patient = 10 * time.Second
)

// Workspace is Slack, as far as it is needed.
type Workspace struct {
	*httptest.Server
	// Way is how what people do reaches vigil.
	Way Way

	calls chan Call
	socks chan *Sock
	acks  chan Ack

	mu       sync.Mutex // guards the rest
	n        int
	all      []Call
	news     chan struct{}   // closed by the next call
	triggers map[string]bool // true when used
	views    map[string]json.RawMessage
	hash     map[string]string
	script   map[string][]http.HandlerFunc
	// Members are those of users.list; Scopes the bot token's; Info what is known of the
	// channel C1.
	Members []map[string]any
	Scopes  string
	Info    map[string]any
}

// Sock is a Socket Mode connection, as Slack has it.
type Sock struct {
	*websocket.Conn
	mu sync.Mutex // guards writing
}

// Ack is what is acknowledged.
type Ack struct {
	Envelope string          `json:"envelope_id"`
	Payload  json.RawMessage `json:"payload"`
}

// New makes one that ends with the test.
func New(tb testing.TB) *Workspace {
	tb.Helper()
	w := &Workspace{
		calls: make(chan Call, 1000), news: make(chan struct{}), socks: make(chan *Sock, 10), acks: make(chan Ack, 100),
		triggers: map[string]bool{}, views: map[string]json.RawMessage{}, hash: map[string]string{}, script: map[string][]http.HandlerFunc{},
	}
	w.Scopes = "chat:write,files:write,groups:history,groups:read,commands,im:write,users:read,users:read.email"
	w.Info = map[string]any{"id": "C1", "name": "alerts", "is_channel": true, "is_private": true, "is_member": true}
	w.Server = httptest.NewServer(w)
	tb.Cleanup(func() {
		w.CloseClientConnections()
		w.Close()
	})
	return w
}

// Expect scripts the next calls of a method; nil behaves as Slack does.
func (w *Workspace) Expect(method string, hs ...http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.script[method] = append(w.script[method], hs...)
}

// Refuse answers with a code of Slack's.
func Refuse(code string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(rw).Encode(map[string]any{"ok": false, "error": code})
	}
}

// Limited asks to wait.
func Limited(seconds string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", seconds)
		rw.WriteHeader(http.StatusTooManyRequests)
	}
}

// Times is a handler for so many calls.
func Times(n int, h http.HandlerFunc) []http.HandlerFunc {
	return slices.Repeat([]http.HandlerFunc{h}, n)
}

func (w *Workspace) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/link" {
		w.socket(rw, r)
		return
	}
	method := strings.TrimPrefix(r.URL.Path, "/api/")
	body, _ := io.ReadAll(r.Body) // what came before the client gave up is looked at as it is
	c := Call{Method: method, Args: map[string]any{}}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		_ = json.Unmarshal(body, &c.Args)
	} else {
		form, _ := url.ParseQuery(string(body))
		for k := range form {
			c.Args[k] = form.Get(k)
		}
		if token == "" {
			token = form.Get("token")
		}
	}
	w.mu.Lock()
	var h http.HandlerFunc
	if s := w.script[method]; len(s) > 0 {
		h, w.script[method] = s[0], s[1:]
	}
	w.mu.Unlock()
	if h != nil {
		rw.Header().Set("Content-Type", "application/json")
		h(rw, r)
		w.note(c)
		return
	}
	answer := w.answer(c, token)
	c.Answer, _ = answer["ts"].(string)
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("X-OAuth-Scopes", w.Scopes)
	_ = json.NewEncoder(rw).Encode(answer)
	w.note(c)
}

func (w *Workspace) answer(c Call, token string) map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	no := func(code string) map[string]any { return map[string]any{"ok": false, "error": code} }
	want := BotToken
	if c.Method == "apps.connections.open" {
		want = AppToken
	}
	if c.Method != "respond" && token != want {
		return no("invalid_auth")
	}
	w.n++
	switch c.Method {
	case "auth.test":
		return map[string]any{"ok": true, "team_id": "T1", "user_id": "UBOT"}
	case "respond":
		return map[string]any{"ok": true}
	case "apps.connections.open":
		return map[string]any{"ok": true, "url": "ws" + strings.TrimPrefix(w.URL, "http") + "/link?ticket=canary-ticket"}
	case "views.open":
		used, ok := w.triggers[c.Str("trigger_id")]
		if !ok || used {
			return no("expired_trigger_id")
		}
		w.triggers[c.Str("trigger_id")] = true
		id := fmt.Sprintf("V%d", w.n)
		w.views[id], w.hash[id] = c.JSON("view"), fmt.Sprintf("h%d", w.n)
		return map[string]any{"ok": true, "view": map[string]any{"id": id, "type": "modal", "hash": w.hash[id]}}
	case "views.update":
		id := c.Str("view_id")
		if w.views[id] == nil {
			return no("not_found")
		}
		w.views[id], w.hash[id] = c.JSON("view"), fmt.Sprintf("h%d", w.n)
		return map[string]any{"ok": true, "view": map[string]any{"id": id, "type": "modal", "hash": w.hash[id]}}
	case "chat.postEphemeral":
		return map[string]any{"ok": true, "message_ts": "1.1"}
	case "chat.postMessage", "chat.update":
		ts := c.Str("ts")
		if ts == "" {
			ts = fmt.Sprintf("1700000001.%06d", w.n)
			if strings.HasPrefix(c.Str("channel"), "D") {
				ts = Direct
			}
		}
		return map[string]any{"ok": true, "channel": c.Str("channel"), "ts": ts, "message": map[string]any{"text": c.Str("text")}}
	case "conversations.info":
		if c.Str("channel") != w.Info["id"] {
			return no("channel_not_found")
		}
		return map[string]any{"ok": true, "channel": w.Info}
	case "conversations.open":
		return map[string]any{"ok": true, "channel": map[string]any{"id": "D" + c.Str("users")}}
	case "users.info":
		return map[string]any{"ok": true, "user": map[string]any{"id": c.Str("user"), "tz": "Asia/Tokyo", "tz_offset": 32400}}
	case "users.list":
		from, _ := strconv.Atoi(c.Str("cursor"))
		limit, _ := strconv.Atoi(c.Str("limit"))
		to := min(from+limit, len(w.Members))
		next := ""
		if to < len(w.Members) {
			next = strconv.Itoa(to)
		}
		return map[string]any{"ok": true, "members": w.Members[from:to], "response_metadata": map[string]any{"next_cursor": next}}
	}
	return no("unknown_method")
}

var upgrader = websocket.Upgrader{WriteBufferSize: 32 << 10, CheckOrigin: func(*http.Request) bool { return true }}

// socket is one Socket Mode connection: it says hello and hands out what is acknowledged.
func (w *Workspace) socket(rw http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(rw, r, nil)
	if err != nil {
		return
	}
	s := &Sock{Conn: conn}
	s.Send(map[string]any{"type": "hello", "num_connections": 1})
	w.socks <- s
	for {
		var a Ack
		if err := conn.ReadJSON(&a); err != nil {
			return
		}
		w.acks <- a
	}
}

// SendText sends any text.
func (s *Sock) SendText(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.WriteMessage(websocket.TextMessage, []byte(text)) // who has hung up misses it
}

// Send sends a message.
func (s *Sock) Send(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.WriteJSON(v)
}

// note keeps a call that was answered.
func (w *Workspace) note(c Call) {
	w.mu.Lock()
	w.all = append(w.all, c)
	close(w.news)
	w.news = make(chan struct{})
	w.mu.Unlock()
	w.calls <- c
}

// Find is the first call that fits of all that came or will come.
func (w *Workspace) Find(tb testing.TB, what string, fits func(Call) bool) Call {
	tb.Helper()
	end := time.After(Patient)
	for {
		w.mu.Lock()
		i, news := slices.IndexFunc(w.all, fits), w.news
		var c Call
		if i >= 0 {
			c = w.all[i]
		}
		w.mu.Unlock()
		if i >= 0 {
			return c
		}
		select {
		case <-news:
		case <-end:
			tb.Fatalf("Slack was not told: %s", what)
		}
	}
}

// Next is the next call of a method; those of others before it are skipped.
func (w *Workspace) Next(tb testing.TB, method string) Call {
	tb.Helper()
	end := time.After(Patient)
	for {
		select {
		case c := <-w.calls:
			if c.Method == method {
				return c
			}
		case <-end:
			tb.Fatalf("%s was not called", method)
		}
	}
}

// None fails when Slack was called.
func (w *Workspace) None(tb testing.TB) {
	tb.Helper()
	select {
	case c := <-w.calls:
		tb.Fatalf("%s was called: %v", c.Method, c.Args)
	default:
	}
}
