package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// running is a vigil in a process of its own, and what it says.
type running struct {
	t   *testing.T
	cmd *exec.Cmd

	mu   sync.Mutex // guards all below
	said bytes.Buffer
}

// Write implements io.Writer.
func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.Write(p)
}

func start(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{t: t, cmd: exec.Command("vigil", args...)}
	r.cmd.Stderr = r
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() }) // it has ended by then, if all went well
	return r
}

// says waits until what is said matches, and returns the match.
func (r *running) says(pattern string) []string {
	r.t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	waitFor(r.t, pattern, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		found = re.FindStringSubmatch(r.said.String())
		return found != nil
	}, func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.said.String()
	})
	return found
}

func (r *running) signal(s os.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// stop ends it as an operator does.
func (r *running) stop() {
	r.t.Helper()
	r.signal(syscall.SIGTERM)
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("%v\n%s", err, r.said.String())
	}
}

func waitFor(t *testing.T, what string, ok func() bool, state func() string) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s\n%s", what, state())
		case <-tick.C:
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	oldToken = "an-old-token-of-the-bot"
	newToken = "a-new-token-of-the-bot"
	oneEvent = `{"time":"2026-11-02T09:00:00Z","actor":"ann","action":"read"}` + "\n"
)

// SIGHUP: a bad file changes nothing and is told, a good one is in force at once.
func TestServeReloads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "vigil.yaml")
	config := func(more, token string) string {
		return fmt.Sprintf("data_dir: %q\nlisten: 127.0.0.1:0\n%ssources: [{name: bot, push: {token: %s}}]\n", filepath.Join(dir, "data"), more, token)
	}
	write(t, path, config("", oldToken))
	r := start(t, "serve", "-c", path)
	url := r.says(`events are taken at (\S+)`)[1]
	push := func(token string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(oneEvent))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body) // only the status counts
		return res.StatusCode
	}
	write(t, path, config("lisen: x\n", newToken))
	r.signal(syscall.SIGHUP)
	r.says(`was not reloaded, the old one stays:\n.*did you mean "listen"`)
	if code := push(oldToken); code != http.StatusAccepted {
		t.Errorf("after a bad file the old token is answered %d", code)
	}
	write(t, path, config("", newToken))
	r.signal(syscall.SIGHUP)
	r.says(`vigil: reloaded `)
	if before, after := push(oldToken), push(newToken); before != http.StatusUnauthorized || after != http.StatusAccepted {
		t.Errorf("after a good file the old token is answered %d and the new one %d", before, after)
	}
	r.stop()
	if strings.Contains(r.said.String(), newToken) {
		t.Error("a token is in the log")
	}
}

// A collector far away and a service, as the guide sets them up.
func TestCollectCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	central, far, log := filepath.Join(dir, "vigil.yaml"), filepath.Join(dir, "collect.yaml"), filepath.Join(dir, "app.log")
	key := "the-key-of-the-collector"
	write(t, central, fmt.Sprintf("data_dir: %q\nlisten: 127.0.0.1:0\ncollectors: [{name: edge, key: %s}]\nsources: [{name: far, collector: edge}]\n", filepath.Join(dir, "data"), key))
	serving := start(t, "serve", "-c", central)
	url := serving.says(`the console is at (\S+)`)[1]
	write(t, far, fmt.Sprintf("name: edge\nkey: %s\ncentral: %s\nspool_dir: %q\nsources: [{name: far, file: %q, format: native}]\n", key, url, filepath.Join(dir, "spool"), log))
	if out, err := exec.Command("vigil", "collect", "-c", far, "--check").CombinedOutput(); err != nil || !strings.Contains(string(out), "good, with 1 source") {
		t.Fatalf("%v: %s", err, out)
	}
	write(t, log, oneEvent)
	collecting := start(t, "collect", "-c", far)
	collecting.says(`collecting 1 source for `)
	var status []byte
	waitFor(t, "the event", func() bool {
		token, err := os.ReadFile(filepath.Join(dir, "data", "console.token"))
		if err != nil {
			return false
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/status", nil)
		if err != nil {
			return false
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer res.Body.Close()
		status, err = io.ReadAll(res.Body)
		return err == nil && regexp.MustCompile(`"name":"far"[^}]*"events":1\b`).Match(status)
	}, func() string { return string(status) })
	collecting.stop()
	serving.stop()
	bad := filepath.Join(dir, "bad.yaml")
	write(t, bad, "name: edge\nkey: short\ncentral: http://vigil.example.com\nsources: [{name: far, collector: edge}]\n")
	out, err := exec.Command("vigil", "collect", "-c", bad).CombinedOutput()
	for _, want := range []string{"bad.yaml:2:1: key: has fewer than 16", "central: is not https", "spool_dir: is missing", "collector: is of the central vigil's configuration"} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%q is not in %v: %s", want, err, out)
		}
	}
}
