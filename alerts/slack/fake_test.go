package slack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil/alerts/slack"
)

const canary = "xoxb-canary-2718281828"

// post is one message that the server holds.
type post struct{ blocks, text, thread, broadcast, metadata string }

// fakeSlack speaks the part of Slack's API that the package uses, as Slack does:
// form-encoded calls, JSON answers, errors with status 200.
type fakeSlack struct {
	*httptest.Server

	token string // the one that it takes

	mu    sync.Mutex // guards the rest
	next  int
	posts map[string]post // by ts
	calls []string
	// script takes the calls to come, one each; nil behaves as Slack does.
	script []http.HandlerFunc
	// of takes all calls of a method.
	of     map[string]http.HandlerFunc
	forms  []map[string]string
	files  map[string][]byte // uploaded and completed, by ID
	loose  map[string][]byte // uploaded only
	shared map[string]string // the thread in which a file was shared, by its ID
	// unready is how many edits with a picture are refused, as while Slack looks at a
	// file.
	unready int
	scopes  string
	channel map[string]any
	page    int // messages in a page of history; zero means what is asked for
}

func newFake(t *testing.T, script ...http.HandlerFunc) *fakeSlack {
	t.Helper()
	f := newService(script...)
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// newService is a fake without a server.
func newService(script ...http.HandlerFunc) *fakeSlack {
	return &fakeSlack{
		token: canary, posts: map[string]post{}, script: script, of: map[string]http.HandlerFunc{}, files: map[string][]byte{}, loose: map[string][]byte{}, shared: map[string]string{},
		scopes:  "chat:write,files:write,groups:history,groups:read,commands,im:write,users:read,users:read.email",
		channel: map[string]any{"id": "C1", "name": "alerts", "is_channel": true, "is_private": true, "is_member": true},
	}
}

func (f *fakeSlack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what came before the client gave up is looked at as it is
	r.Body = io.NopCloser(bytes.NewReader(body))
	form := map[string]string{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		_ = r.ParseMultipartForm(1 << 20)
	} else {
		_ = r.ParseForm()
		for k := range r.PostForm {
			form[k] = r.PostForm.Get(k)
		}
	}
	method := strings.TrimPrefix(r.URL.Path, "/api/")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, method)
	f.forms = append(f.forms, form)
	h := f.of[method]
	if len(f.script) > 0 {
		h = f.script[0]
		f.script = f.script[1:]
	}
	if h != nil {
		// A handler that hangs must not hold the lock.
		f.mu.Unlock()
		defer f.mu.Lock()
		h(w, r)
		return
	}
	f.answer(w, r, method, form)
}

// answer answers as Slack does. The caller holds the lock.
func (f *fakeSlack) answer(w http.ResponseWriter, r *http.Request, method string, form map[string]string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-OAuth-Scopes", f.scopes)
	say := func(v map[string]any) {
		v["ok"] = true
		_ = json.NewEncoder(w).Encode(v)
	}
	refuse := func(code string) {
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": false, "error": code})
	}
	if form["token"] != f.token && r.Header.Get("Authorization") != "Bearer "+f.token {
		refuse("invalid_auth")
		return
	}
	switch method {
	case "auth.test":
		say(map[string]any{"user_id": "U1", "team_id": "T1"})
	case "conversations.info":
		if form["channel"] != f.channel["id"] {
			refuse("channel_not_found")
			return
		}
		say(map[string]any{"channel": f.channel})
	case "chat.postMessage", "chat.update":
		if code := f.take(method, form); code != "" {
			refuse(code)
			return
		}
		ts := form["ts"]
		if ts == "" {
			ts = stamp(f.next)
		}
		say(map[string]any{"channel": form["channel"], "ts": ts, "message": map[string]any{"text": form["text"]}})
	case "conversations.history", "conversations.replies":
		f.history(say, method, form)
	case "files.getUploadURLExternal":
		f.next++
		id := fmt.Sprintf("F%d", f.next)
		say(map[string]any{"upload_url": "http://" + r.Host + "/upload/" + id, "file_id": id})
	case "files.completeUploadExternal":
		var files []struct{ ID, Title string }
		_ = json.Unmarshal([]byte(form["files"]), &files)
		if len(files) != 1 || f.loose[files[0].ID] == nil {
			refuse("file_not_found")
			return
		}
		id := files[0].ID
		f.files[id] = f.loose[id]
		if form["channel_id"] != "" {
			f.shared[id] = form["channel_id"] + "/" + form["thread_ts"]
		}
		say(map[string]any{"files": []map[string]any{{"id": id, "title": files[0].Title}}})
	default:
		if id, ok := strings.CutPrefix(r.URL.Path, "/upload/"); ok {
			f.upload(w, r, id)
			return
		}
		refuse("unknown_method")
	}
}

// take keeps a message, or says what is wrong with it.
func (f *fakeSlack) take(method string, form map[string]string) string {
	switch form["channel"] {
	case "C1":
	case "CARCHIVED":
		return "is_archived"
	default:
		return "channel_not_found"
	}
	if form["blocks"] == "" && form["text"] == "" {
		return "no_text"
	}
	if form["blocks"] != "" {
		var blocks []struct {
			Type string
			File struct{ ID string } `json:"slack_file"`
		}
		if err := json.Unmarshal([]byte(form["blocks"]), &blocks); err != nil || len(blocks) > 50 {
			return "invalid_blocks"
		}
		for _, b := range blocks {
			if b.Type != "image" {
				continue
			}
			if f.unready > 0 || f.files[b.File.ID] == nil {
				f.unready--
				return "invalid_blocks"
			}
		}
	}
	ts := form["ts"]
	var old post
	if method == "chat.postMessage" {
		f.next++
		ts = stamp(f.next)
		old = post{thread: form["thread_ts"], broadcast: form["reply_broadcast"], metadata: form["metadata"]}
		if p, ok := f.posts[old.thread]; old.thread != "" && (!ok || p.thread != "") {
			return "thread_not_found"
		}
	} else {
		var ok bool
		if old, ok = f.posts[ts]; !ok {
			return "message_not_found"
		}
	}
	old.blocks, old.text = form["blocks"], form["text"]
	f.posts[ts] = old
	return ""
}

// stamp is the time of the n-th message, a second after the one before.
func stamp(n int) string { return fmt.Sprintf("%d.%06d", 1762160000+n, n) }

func (f *fakeSlack) history(say func(map[string]any), method string, form map[string]string) {
	limit, _ := strconv.Atoi(form["limit"])
	if f.page > 0 {
		limit = f.page
	}
	from, _ := strconv.Atoi(form["cursor"])
	var all []map[string]any
	for _, ts := range slices.Backward(slices.Sorted(maps.Keys(f.posts))) {
		p := f.posts[ts]
		if in := p.thread == form["ts"] || ts == form["ts"]; method == "conversations.replies" && !in || method == "conversations.history" && p.thread != "" && p.broadcast == "" || ts < form["oldest"] {
			continue
		}
		m := map[string]any{"type": "message", "ts": ts, "text": p.text, "blocks": json.RawMessage(p.blocks)}
		if p.blocks == "" {
			delete(m, "blocks")
		}
		if p.metadata != "" && form["include_all_metadata"] == "1" {
			m["metadata"] = json.RawMessage(p.metadata)
		}
		all = append(all, m)
	}
	out := map[string]any{"messages": all[min(from, len(all)):min(from+limit, len(all))]}
	if from+limit < len(all) {
		out["has_more"], out["response_metadata"] = true, map[string]any{"next_cursor": strconv.Itoa(from + limit)}
	}
	say(out)
}

func (f *fakeSlack) upload(w http.ResponseWriter, r *http.Request, id string) {
	file, _, err := r.FormFile("file")
	if err != nil {
		http.Error(w, "no file", http.StatusBadRequest)
		return
	}
	b, _ := io.ReadAll(file)
	if _, err := png.Decode(bytes.NewReader(b)); err != nil {
		http.Error(w, "no picture", http.StatusBadRequest)
		return
	}
	f.loose[id] = b
	fmt.Fprintf(w, "OK - %d", len(b))
}

func (f *fakeSlack) state() (calls []string, posts map[string]post, forms []map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls), maps.Clone(f.posts), slices.Clone(f.forms)
}

// set changes what the server holds.
func (f *fakeSlack) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeSlack) forget() { f.set(func() { f.posts = map[string]post{} }) }

// logged is a log that a test can read.
type logged struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newNotifier makes a notifier on the fake, and fails the test when its log
// tells the token.
func newNotifier(t *testing.T, f *fakeSlack, change func(*slack.Config)) *slack.Notifier {
	t.Helper()
	n, _ := loggingNotifier(t, f, change)
	return n
}

func loggingNotifier(t *testing.T, f *fakeSlack, change func(*slack.Config)) (*slack.Notifier, *logged) {
	t.Helper()
	cfg := slack.Config{Token: canary, Channel: "C1", APIURL: f.URL + "/api", ConsoleURL: console, Timeout: 30 * time.Second, Interactive: true}
	if change != nil {
		change(&cfg)
	}
	log := &logged{}
	n, err := slack.New(cfg, slack.Options{Mention: mention, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	slack.DoNotWait(n)
	t.Cleanup(func() {
		if strings.Contains(log.String(), "canary") || strings.Contains(log.String(), "/upload/") {
			t.Errorf("the log tells a secret: %s", log.String())
		}
	})
	return n, log
}
