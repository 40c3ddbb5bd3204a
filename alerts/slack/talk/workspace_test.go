package talk_test

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

// call is one call of Slack's API.
type call struct {
	method string
	args   map[string]any
}

func (c call) str(key string) string {
	s, _ := c.args[key].(string)
	return s
}

// json is an argument that is JSON, in a form or in a body.
func (c call) json(key string) []byte {
	if s, ok := c.args[key].(string); ok {
		return []byte(s)
	}
	raw, _ := json.Marshal(c.args[key])
	return raw
}

// workspace is Slack, as far as it is needed.
type workspace struct {
	*httptest.Server

	calls chan call
	socks chan *sock
	acks  chan ack

	mu       sync.Mutex // guards the rest
	n        int
	triggers map[string]bool // true when used
	views    map[string]json.RawMessage
	hash     map[string]string
	script   map[string][]http.HandlerFunc
	members  []map[string]any
}

type sock struct {
	*websocket.Conn
	mu sync.Mutex // guards writing
}

type ack struct {
	Envelope string          `json:"envelope_id"`
	Payload  json.RawMessage `json:"payload"`
}

func newWorkspace(t testing.TB) *workspace {
	t.Helper()
	w := &workspace{
		calls: make(chan call, 1000), socks: make(chan *sock, 10), acks: make(chan ack, 100),
		triggers: map[string]bool{}, views: map[string]json.RawMessage{}, hash: map[string]string{}, script: map[string][]http.HandlerFunc{},
	}
	w.Server = httptest.NewServer(w)
	t.Cleanup(func() {
		w.CloseClientConnections()
		w.Close()
	})
	return w
}

// expect scripts the next calls of a method; nil behaves as Slack does.
func (w *workspace) expect(method string, hs ...http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.script[method] = append(w.script[method], hs...)
}

func refuse(code string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(rw).Encode(map[string]any{"ok": false, "error": code})
	}
}

func limited(seconds string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", seconds)
		rw.WriteHeader(http.StatusTooManyRequests)
	}
}

// times is a handler for so many calls.
func times(n int, h http.HandlerFunc) []http.HandlerFunc {
	return slices.Repeat([]http.HandlerFunc{h}, n)
}

func (w *workspace) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/link" {
		w.socket(rw, r)
		return
	}
	method := strings.TrimPrefix(r.URL.Path, "/api/")
	body, _ := io.ReadAll(r.Body)
	c := call{method, map[string]any{}}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		_ = json.Unmarshal(body, &c.args)
	} else {
		form, _ := url.ParseQuery(string(body))
		for k := range form {
			c.args[k] = form.Get(k)
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
		w.calls <- c
		return
	}
	answer := w.answer(c, token)
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(rw).Encode(answer)
	w.calls <- c
}

func (w *workspace) answer(c call, token string) map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	no := func(code string) map[string]any { return map[string]any{"ok": false, "error": code} }
	want := botToken
	if c.method == "apps.connections.open" {
		want = appToken
	}
	if c.method != "respond" && token != want {
		return no("invalid_auth")
	}
	w.n++
	switch c.method {
	case "auth.test":
		return map[string]any{"ok": true, "team_id": "T1", "user_id": "UBOT"}
	case "respond":
		return map[string]any{"ok": true}
	case "apps.connections.open":
		return map[string]any{"ok": true, "url": "ws" + strings.TrimPrefix(w.URL, "http") + "/link?ticket=canary-ticket"}
	case "views.open":
		used, ok := w.triggers[c.str("trigger_id")]
		if !ok || used {
			return no("expired_trigger_id")
		}
		w.triggers[c.str("trigger_id")] = true
		id := fmt.Sprintf("V%d", w.n)
		w.views[id], w.hash[id] = c.json("view"), fmt.Sprintf("h%d", w.n)
		return map[string]any{"ok": true, "view": map[string]any{"id": id, "type": "modal", "hash": w.hash[id]}}
	case "views.update":
		id := c.str("view_id")
		if w.views[id] == nil {
			return no("not_found")
		}
		w.views[id], w.hash[id] = c.json("view"), fmt.Sprintf("h%d", w.n)
		return map[string]any{"ok": true, "view": map[string]any{"id": id, "type": "modal", "hash": w.hash[id]}}
	case "chat.postEphemeral":
		return map[string]any{"ok": true, "message_ts": "1.1"}
	case "chat.postMessage", "chat.update":
		return map[string]any{"ok": true, "channel": c.str("channel"), "ts": "1700000000.000900"}
	case "conversations.open":
		return map[string]any{"ok": true, "channel": map[string]any{"id": "D" + c.str("users")}}
	case "users.info":
		return map[string]any{"ok": true, "user": map[string]any{"id": c.str("user"), "tz": "Asia/Tokyo", "tz_offset": 32400}}
	case "users.list":
		from, _ := strconv.Atoi(c.str("cursor"))
		limit, _ := strconv.Atoi(c.str("limit"))
		to := min(from+limit, len(w.members))
		next := ""
		if to < len(w.members) {
			next = strconv.Itoa(to)
		}
		return map[string]any{"ok": true, "members": w.members[from:to], "response_metadata": map[string]any{"next_cursor": next}}
	}
	return no("unknown_method")
}

var upgrader = websocket.Upgrader{WriteBufferSize: 32 << 10, CheckOrigin: func(*http.Request) bool { return true }}

// socket is one Socket Mode connection: it says hello and hands out what is acknowledged.
func (w *workspace) socket(rw http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(rw, r, nil)
	if err != nil {
		return
	}
	s := &sock{Conn: conn}
	s.send(map[string]any{"type": "hello", "num_connections": 1})
	w.socks <- s
	for {
		var a ack
		if err := conn.ReadJSON(&a); err != nil {
			return
		}
		w.acks <- a
	}
}

func (s *sock) send(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.WriteJSON(v)
}

// next is the next call of a method; those of others before it are skipped.
func (w *workspace) next(t testing.TB, method string) call {
	t.Helper()
	end := time.After(patient)
	for {
		select {
		case c := <-w.calls:
			if c.method == method {
				return c
			}
		case <-end:
			t.Fatalf("%s was not called", method)
		}
	}
}

// none fails when Slack was called.
func (w *workspace) none(t testing.TB) {
	t.Helper()
	select {
	case c := <-w.calls:
		t.Fatalf("%s was called: %v", c.method, c.args)
	default:
	}
}
