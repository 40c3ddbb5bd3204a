package app_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/privacy"
	"vigil/internal/vault"
)

const (
	token      = "a-push-token-for-tests"
	slackToken = "xoxb-1234-for-tests"
)

// watched is a running service of a test.
type watched struct {
	*app.App
	t      *testing.T
	output *buffer
	logs   *buffer
}

// buffer is a bytes.Buffer that may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// configure is a configuration with a push source "bot" and, when logs are
// named, a file source "files".
func configure(t *testing.T, dir string, logs ...string) *config.Config {
	t.Helper()
	cfg := config.DefaultConfig()
	cfg.DataDir, cfg.Listen = dir, "127.0.0.1:0"
	cfg.Sources = []config.Source{{Name: "bot", Push: &config.Push{Token: config.NewSecret(token)}}}
	if len(logs) > 0 {
		cfg.Sources = append(cfg.Sources, config.Source{Name: "files", File: logs, Store: "helpdesk"})
	}
	return cfg
}

func begin(t *testing.T, cfg *config.Config, opts app.Options) *watched {
	t.Helper()
	w := &watched{t: t, output: &buffer{}, logs: &buffer{}}
	opts.Output = w.output
	if opts.Door == nil {
		opts.Door = everybody()
	}
	opts.Logger = slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a, err := app.New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	w.App = a
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return w
}

// end stops the service now instead of at the test's end.
func (w *watched) end() {
	w.t.Helper()
	if err := w.Stop(w.t.Context()); err != nil {
		w.t.Fatalf("stop: %v", err)
	}
}

// status is what the console's twin tells.
type status struct {
	Events      int64  `json:"events"`
	Quarantined int64  `json:"quarantined"`
	Note        string `json:"note"`
	Sources     []struct {
		Name        string `json:"name"`
		Events      int64  `json:"events"`
		Quarantined int64  `json:"quarantined"`
	} `json:"sources"`
	Rules struct {
		Running int `json:"running"`
		Off     []struct {
			ID      string `json:"id"`
			Builtin bool   `json:"builtin"`
			Why     string `json:"why"`
		} `json:"off"`
	} `json:"rules"`
}

func (s status) accepted(source string) int64 {
	for _, one := range s.Sources {
		if one.Name == source {
			return one.Events
		}
	}
	return -1
}

func (w *watched) get(path string) string {
	w.t.Helper()
	code, body := fetch(w.t, w.URL()+path)
	if code != http.StatusOK {
		w.t.Fatalf("GET %s: %d\n%s", path, code, body)
	}
	return body
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := testClient.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (w *watched) status() status { return statusAt(w.t, w.URL()) }

func (w *watched) findings() []vigil.Finding { return findingsAt(w.t, w.URL()) }

func statusAt(t *testing.T, url string) status {
	t.Helper()
	var s status
	decode(t, url+"/api/v1/status", &s)
	return s
}

func findingsAt(t *testing.T, url string) []vigil.Finding {
	t.Helper()
	var list struct{ Findings []vigil.Finding }
	decode(t, url+"/api/v1/findings", &list)
	return list.Findings
}

func decode(t *testing.T, url string, into any) {
	t.Helper()
	code, body := fetch(t, url)
	if code != http.StatusOK {
		t.Fatalf("GET %s: %d\n%s", url, code, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
}

// until waits until ok holds, or fails the test after a while.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(3 * time.Minute) // two cores, other packages beside, the race detector on
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// send pushes a body and returns the answer's code, headers and text.
func send(t *testing.T, url, secret, body string, gz bool) (*http.Response, string) {
	t.Helper()
	var in io.Reader = strings.NewReader(body)
	if gz {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		in = &packed
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	req.Header.Set("Content-Type", "application/x-ndjson")
	if gz {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := testClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// day is when the tests' events happen: some hours ago, so that no clock is ahead.
func day() time.Time { return time.Now().UTC().Add(-6 * time.Hour).Truncate(time.Second) }

// line is one native event.
func line(at time.Time, id, actor, more string) string {
	return fmt.Sprintf(`{"time":%q,"id":%q,"actor":%q,"action":"read"%s}`+"\n", at.Format(time.RFC3339Nano), id, actor, more)
}

func appendFile(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func TestServeTakesFilesAndPushes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "access.log")
	at := day()
	appendFile(t, log, line(at, "f1", "maria", "")+line(at.Add(time.Second), "f2", "maria", ""))
	w := begin(t, configure(t, filepath.Join(dir, "data"), log), app.Options{})

	until(t, "the file's first lines", func() bool { return w.status().accepted("files") == 2 })
	appendFile(t, log, line(at.Add(2*time.Second), "f3", "maria", "")+`{"time":"half`)
	until(t, "the file's next line", func() bool { return w.status().accepted("files") == 3 })

	// Pushed, packed, with one bad line; and once more, as a client does that got
	// no answer.
	body := line(at, "p1", "bot", "") + "no event\n" + line(at.Add(time.Second), "p2", "bot", "")
	for range 2 {
		resp, text := send(t, w.PushURL(), token, body, true)
		if resp.StatusCode != http.StatusAccepted {
			t.Fatalf("push: %d %s", resp.StatusCode, text)
		}
	}
	if resp, text := send(t, w.PushURL(), "wrong-token-wrong-token", body, false); resp.StatusCode != http.StatusUnauthorized || text != "" && strings.Contains(text, token) {
		t.Errorf("push without the token: %d %s", resp.StatusCode, text)
	}
	until(t, "the pushed events", func() bool { return w.status().accepted("bot") == 2 })
	w.end()

	// The next start goes on where this one stopped.
	appendFile(t, log, `-written"}`+"\n"+line(at.Add(3*time.Second), "f4", "maria", ""))
	w = begin(t, configure(t, filepath.Join(dir, "data"), log), app.Options{})
	until(t, "the line written meanwhile", func() bool { return w.status().accepted("files") == 4 })
	s := w.status()
	if s.accepted("bot") != 2 || s.Quarantined < 2 {
		t.Errorf("after the restart: %+v", s)
	}
	if page := w.get("/"); !strings.Contains(page, "<!doctype html>") && !strings.Contains(page, "<!DOCTYPE html>") {
		t.Errorf("the console's page: %.200s", page)
	}
}

// breach is a bot's conversation that reads the data of several customers: a
// rule finds it without any past.
func breach(at time.Time) string {
	var b strings.Builder
	for i := range 6 {
		b.WriteString(line(at.Add(time.Duration(i)*time.Second), fmt.Sprint("canary-event-", i), "canary-actor", fmt.Sprintf(
			`,"actor_kind":"bot","conversation":"canary-chat","principal":"canary-customer-0","session":"canary-session","ticket":"canary-ticket","purpose":"for canary-person","store":"helpdesk","resource":"messages","subjects":["canary-customer-%d"],"ip":"198.51.100.%d"`, i, 70+i)))
	}
	// What comes two minutes later lets the order of the first be settled.
	b.WriteString(line(at.Add(2*time.Minute), "later", "someone", ""))
	return b.String()
}

// slackServer speaks as much of Slack as is needed, and keeps what it is sent.
type slackServer struct {
	buffer
	url string
}

func newSlackServer(t *testing.T) *slackServer {
	t.Helper()
	s := &slackServer{}
	s.url = serveHTTP(t, func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(s, "%s %s\n", r.URL.Path, body)
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprint(rw, `{"ok":true,"channel":"C1","ts":"1.2","message":{"text":"x"}}`)
	})
	return s
}

// One run, end to end, with names that must turn up nowhere: not on disk, not in
// Slack, not in the console, not in the log.
func TestNobodyShows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	slack := newSlackServer(t)
	log := filepath.Join(dir, "access.log")
	cfg := configure(t, filepath.Join(dir, "data"), log)
	cfg.Slack = config.Slack{Token: config.NewSecret(slackToken), Channel: "C1", APIURL: slack.url + "/"}
	cfg.PseudonymKey = config.NewSecret("canary-key-of-enough-bytes")
	w := begin(t, cfg, app.Options{})

	at := day()
	body := breach(at) + `{"time":"2026-11-02T09:00:00Z","actor":"canary-nobody","action":"canary-action"}` + "\n"
	if resp, text := send(t, w.PushURL(), token, body, false); resp.StatusCode != http.StatusAccepted {
		t.Fatalf("push: %d %s", resp.StatusCode, text)
	}
	appendFile(t, log, strings.ReplaceAll(body, "canary-event", "canary-file-event")+"canary-garbage\n")
	until(t, "a finding", func() bool { return len(w.findings()) > 0 })
	until(t, "a card in Slack", func() bool { return strings.Contains(slack.String(), "chat.postMessage") })
	until(t, "the file", func() bool { return w.status().accepted("files") == 7 })

	f := w.findings()[0]
	if f.Rule == "" || !strings.HasPrefix(f.Actor, "actor-") || f.Subjects < 5 || f.Severity.Rank() < vigil.SeverityHigh.Rank() {
		t.Errorf("the finding: %+v", f)
	}
	seen := map[string]string{
		"Slack": slack.String(), "the log": w.logs.String(), "the output": w.output.String(),
		"the queue": w.get("/"), "the finding's page": w.get("/findings/" + f.ID), "the finding's JSON": w.get("/api/v1/findings/" + f.ID),
		"the status": w.get("/api/v1/status"),
	}
	if !strings.Contains(seen["the finding's page"], f.Actor) || !strings.Contains(seen["Slack"], f.Actor) {
		t.Error("the finding's actor is named nowhere")
	}
	kept := w.dump()
	seen["what is kept"] = kept
	if !strings.Contains(kept, f.Actor) {
		t.Error("the kept events don't name the finding's actor")
	}
	w.end()
	err := filepath.WalkDir(cfg.DataDir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		seen[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) < 10 || seen[filepath.Join(cfg.DataDir, vault.FileName)] == "" {
		t.Errorf("only %d places were looked at, or not the vault", len(seen))
	}
	// The vault alone leads back, and its key with it.
	key, err := privacy.LoadVaultKey(cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), vault.Config{Dir: cfg.DataDir, Key: key}, vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for pseudonym, want := range map[string]string{f.Actor: "canary-actor", f.SubjectIDs[0]: "canary-customer-"} {
		if got, err := v.Name(t.Context(), pseudonym); !strings.HasPrefix(got, want) {
			t.Errorf("%s leads back to %q, %v", pseudonym, got, err)
		}
	}
	if err := v.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for where, text := range seen {
		text = strings.ReplaceAll(strings.ToLower(text), strings.ToLower(dir), "")
		for _, name := range []string{"canary", token, slackToken, "198.51.100.7"} {
			if name == slackToken && where == "Slack" {
				continue // that is where it belongs
			}
			if i := strings.Index(text, name); i >= 0 {
				t.Errorf("%q shows in %s: %.200q", name, where, text[max(0, i-60):])
			}
		}
	}
}

func TestFullDiskRefusesAndRecovers(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	free := int64(1 << 40)
	setFree := func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		free = n
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "access.log")
	w := begin(t, configure(t, filepath.Join(dir, "data"), log), app.Options{Free: func(string) (int64, error) {
		mu.Lock()
		defer mu.Unlock()
		return free, nil
	}})
	at := day()
	push := func(id string) int {
		resp, _ := send(t, w.PushURL(), token, line(at, id, "bot", ""), false)
		if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "" {
			t.Error("refused without Retry-After")
		}
		return resp.StatusCode
	}
	if code := push("a"); code != http.StatusAccepted {
		t.Fatalf("push: %d", code)
	}
	setFree(0)
	until(t, "a refusal", func() bool { return push("b") == http.StatusServiceUnavailable })
	if note := w.status().Note; !strings.Contains(note, "Nothing is taken in") {
		t.Errorf("the console says %q", note)
	}
	if page := w.get("/"); !strings.Contains(page, "Nothing is taken in") {
		t.Error("the console's page does not tell of the full disk")
	}
	appendFile(t, log, line(at, "f", "maria", ""))
	setFree(1 << 40)
	until(t, "taking in again", func() bool { return push("b") == http.StatusAccepted })
	until(t, "the file, by itself", func() bool { return w.status().accepted("files") == 1 })
	if s := w.status(); s.accepted("bot") != 2 || s.Note != "" {
		t.Errorf("after the disk: %+v", s)
	}
}

func TestFailedStartLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := begin(t, configure(t, filepath.Join(dir, "a")), app.Options{})
	try := func(change func(cfg *config.Config), want string) {
		t.Helper()
		cfg := configure(t, filepath.Join(dir, "b"))
		change(cfg)
		a, err := app.New(cfg, app.Options{Output: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Start(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("start: %v, not %q", err, want)
		}
	}
	try(func(cfg *config.Config) { cfg.Listen = strings.TrimPrefix(first.URL(), "http://") }, "address already in use")
	if _, err := os.Stat(filepath.Join(dir, "b")); !os.IsNotExist(err) {
		t.Error("a start on a taken address touched the data folder")
	}
	try(func(cfg *config.Config) { cfg.DataDir = filepath.Join(dir, "a") }, "in use by")
	try(func(cfg *config.Config) { cfg.PseudonymKey = config.NewSecret("short") }, "pseudonym key")
	// What failed let go of everything: the same folder starts.
	begin(t, configure(t, filepath.Join(dir, "b")), app.Options{})
}
