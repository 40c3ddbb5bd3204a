// Package slacktest is a Slack for tests: it speaks the part of Slack's API by which
// vigil tells cases and is answered, keeps what it is told, and misbehaves as it is told.
//
// Tests of the alerts and of the whole service use it, behind a real server or over
// connections in memory. It may be called concurrently. It keeps every message.
package slacktest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The workspace that New makes.
const (
	Team    = "T1"
	Channel = "C1"
)

// Message is one that the workspace holds.
type Message struct {
	// TS names it. Thread is the ts of the message that it is below, empty for none.
	TS, Thread string
	// Text and Blocks are what it shows now, Metadata what came with it.
	Text, Blocks, Metadata string
	// Posted is when it came, Edits how often it was changed since.
	Posted time.Time
	Edits  int
}

// BlockIDs are the block_ids of what it shows.
func (m *Message) BlockIDs() []string {
	var blocks []struct {
		ID string `json:"block_id"`
	}
	if json.Unmarshal([]byte(m.Blocks), &blocks) != nil {
		return nil
	}
	var out []string
	for _, b := range blocks {
		if b.ID != "" {
			out = append(out, b.ID)
		}
	}
	return out
}

// Call is one that came.
type Call struct {
	// Method is Slack's name of it, "chat.postMessage".
	Method string
	// Args are its arguments; those that are no text are as JSON.
	Args map[string]string
	At   time.Time
}

// Workspace is an http.Handler that answers as Slack does.
type Workspace struct {
	token string

	mu       sync.Mutex // guards the rest
	next     int
	messages map[string]*Message
	calls    []Call
	counts   map[string]int
	script   map[string][]http.HandlerFunc
	down     http.HandlerFunc
	stored   func(Call)
	answered func(Call)
}

// New makes a workspace with one channel that takes one bot token.
func New(token string) *Workspace {
	return &Workspace{token: token, messages: map[string]*Message{}, counts: map[string]int{}, script: map[string][]http.HandlerFunc{}}
}

// Script takes the next calls of a method, one each; nil behaves as Slack does.
func (w *Workspace) Script(method string, faults ...http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.script[method] = append(w.script[method], faults...)
}

// Down has a fault answer all calls from now on; nil ends it.
func (w *Workspace) Down(fault http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = fault
}

// Watch calls stored once a message is posted and its answer not yet sent, and answered
// once the answer is on its way. Both may be nil, and must not call the workspace.
func (w *Workspace) Watch(stored, answered func(Call)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stored, w.answered = stored, answered
}

// Messages are those that it holds, the first first.
func (w *Workspace) Messages() []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Message
	for _, ts := range slices.Sorted(maps.Keys(w.messages)) {
		out = append(out, *w.messages[ts])
	}
	return out
}

// Calls are those that came, the first first; Count how many of a method.
func (w *Workspace) Calls() []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

// Count is how many calls of a method came.
func (w *Workspace) Count(method string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[method]
}

// ServeHTTP answers a call of Slack's API, at any path that ends in the method's name.
func (w *Workspace) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	c := Call{Method: r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], Args: map[string]string{}, At: time.Now()}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var args map[string]json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&args) // what is no JSON has no arguments
		for k, v := range args {
			var s string
			if json.Unmarshal(v, &s) != nil {
				s = string(v)
			}
			c.Args[k] = s
		}
	} else {
		_ = r.ParseForm() // what is no form has no arguments
		for k := range r.PostForm {
			c.Args[k] = r.PostForm.Get(k)
		}
		if token == "" {
			token = c.Args["token"]
		}
	}
	_, _ = io.Copy(io.Discard, r.Body)
	delete(c.Args, "token")

	w.mu.Lock()
	w.calls = append(w.calls, c)
	w.counts[c.Method]++
	fault := w.down
	if s := w.script[c.Method]; fault == nil && len(s) > 0 {
		fault, w.script[c.Method] = s[0], s[1:]
	}
	var answer map[string]any
	if fault == nil {
		if answer = map[string]any{"ok": false, "error": "invalid_auth"}; token == w.token {
			answer = w.answer(&c)
		}
	}
	stored, answered := w.stored, w.answered
	w.mu.Unlock()
	if fault != nil {
		fault(rw, r)
		return
	}
	posted := c.Method == "chat.postMessage" && answer["ok"] == true
	if posted && stored != nil {
		stored(c)
	}
	body, err := json.Marshal(answer)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = rw.Write(body) // who has hung up misses it
	if posted && answered != nil {
		_ = http.NewResponseController(rw).Flush()
		answered(c)
	}
}

// answer answers as Slack does. It needs mu.
func (w *Workspace) answer(c *Call) map[string]any {
	ok := func(more map[string]any) map[string]any { more["ok"] = true; return more }
	no := func(code string) map[string]any { return map[string]any{"ok": false, "error": code} }
	switch c.Method {
	case "auth.test":
		return ok(map[string]any{"user_id": "UBOT", "team_id": Team})
	case "conversations.info":
		if c.Args["channel"] != Channel {
			return no("channel_not_found")
		}
		return ok(map[string]any{"channel": map[string]any{"id": Channel, "name": "alerts", "is_channel": true, "is_private": true, "is_member": true}})
	case "chat.postMessage", "chat.update":
		ts, code := w.take(c)
		if code != "" {
			return no(code)
		}
		return ok(map[string]any{"channel": Channel, "ts": ts, "message": map[string]any{"text": c.Args["text"]}})
	case "conversations.history", "conversations.replies":
		return ok(w.history(c))
	case "chat.postEphemeral", "respond":
		return ok(map[string]any{"message_ts": "1.1"})
	case "users.list":
		return ok(map[string]any{"members": []any{}})
	}
	return no("unknown_method")
}

// take keeps a message, or says what is wrong with it.
func (w *Workspace) take(c *Call) (ts, code string) {
	switch {
	case c.Args["channel"] != Channel:
		return "", "channel_not_found"
	case c.Args["blocks"] == "" && c.Args["text"] == "":
		return "", "no_text"
	}
	var blocks []json.RawMessage
	if b := c.Args["blocks"]; b != "" && (json.Unmarshal([]byte(b), &blocks) != nil || len(blocks) > 50) {
		return "", "invalid_blocks"
	}
	m := w.messages[c.Args["ts"]]
	if c.Method == "chat.update" {
		if m == nil {
			return "", "message_not_found"
		}
		m.Edits++
	} else {
		thread := c.Args["thread_ts"]
		if p := w.messages[thread]; thread != "" && (p == nil || p.Thread != "") {
			return "", "thread_not_found"
		}
		w.next++
		// As Slack's, the time of day with a number that makes it unique.
		m = &Message{TS: fmt.Sprintf("%d.%06d", c.At.Unix(), w.next%1_000_000), Thread: thread, Metadata: c.Args["metadata"], Posted: c.At}
		w.messages[m.TS] = m
	}
	m.Text, m.Blocks = c.Args["text"], c.Args["blocks"]
	return m.TS, ""
}

// history lists messages, the newest first.
func (w *Workspace) history(c *Call) map[string]any {
	limit, _ := strconv.Atoi(c.Args["limit"])
	from, _ := strconv.Atoi(c.Args["cursor"])
	all := []map[string]any{}
	for _, ts := range slices.Backward(slices.Sorted(maps.Keys(w.messages))) {
		m := w.messages[ts]
		below := m.Thread == c.Args["ts"] || ts == c.Args["ts"]
		if c.Method == "conversations.replies" && !below || c.Method == "conversations.history" && m.Thread != "" || ts < c.Args["oldest"] {
			continue
		}
		out := map[string]any{"type": "message", "ts": ts, "text": m.Text}
		if m.Blocks != "" {
			out["blocks"] = json.RawMessage(m.Blocks)
		}
		if m.Metadata != "" && c.Args["include_all_metadata"] == "1" {
			out["metadata"] = json.RawMessage(m.Metadata)
		}
		all = append(all, out)
	}
	page := map[string]any{"messages": all[min(from, len(all)):min(from+limit, len(all))]}
	if from+limit < len(all) {
		page["has_more"], page["response_metadata"] = true, map[string]any{"next_cursor": strconv.Itoa(from + limit)}
	}
	return page
}
