// Package influxtest starts a real InfluxDB for tests: version 1.8.10, which answers the
// parts of the v2 API that vigil uses. A test that finds no server is skipped, loudly.
package influxtest

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is a real InfluxDB in a folder of its own. It is safe for concurrent use.
type Server struct {
	bin  string
	dir  string
	addr string // host:port of its HTTP API
	user string
	pass string

	mu  sync.Mutex // guards cmd, out
	cmd *exec.Cmd
	out bytes.Buffer
}

// URL is its address.
func (s *Server) URL() string { return "http://" + s.addr }

// Token opens it: user:password.
func (s *Server) Token() string {
	return s.user + ":" + s.pass
}

// influxd finds the server's program.
func influxd(t *testing.T) string {
	t.Helper()
	candidates := []string{os.Getenv("VIGIL_INFLUXD")}
	// Tests run in the folders of their packages, at most so deep in the module.
	for up := "."; len(up) < 20; up = filepath.Join(up, "..") {
		candidates = append(candidates, filepath.Join(up, ".tools", "bin", "influxd"))
	}
	for _, c := range candidates {
		if c == "" {
			continue
		}
		if abs, err := filepath.Abs(c); err == nil {
			if st, err := os.Stat(abs); err == nil && !st.IsDir() {
				return abs
			}
		}
	}
	if p, err := exec.LookPath("influxd"); err == nil {
		return p
	}
	t.Skip("SKIPPED, NOT TESTED: no InfluxDB server found. Run tools/influxd.sh (make test does), or set VIGIL_INFLUXD to the program")
	return ""
}

// FreePort asks the system for a port that is free now.
func FreePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// New starts a server with authentication and one user, and ends it with the test.
func New(t *testing.T) *Server {
	t.Helper()
	s := &Server{bin: influxd(t), dir: t.TempDir()}
	// Another process may take the port between our look and the server's bind:
	// then the server ends, and another port is tried.
	var err error
	for range 3 {
		s.addr = FreePort(t)
		rpc := FreePort(t)
		conf := fmt.Sprintf(`reporting-disabled = true
bind-address = %q
[meta]
  dir = %q
[data]
  dir = %q
  wal-dir = %q
  index-version = "tsi1"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = %q
  flux-enabled = true
  auth-enabled = true
  log-enabled = false
  pprof-enabled = false
`, rpc, filepath.Join(s.dir, "meta"), filepath.Join(s.dir, "data"), filepath.Join(s.dir, "wal"), s.addr)
		if werr := os.WriteFile(filepath.Join(s.dir, "influxd.conf"), []byte(conf), 0o600); werr != nil {
			t.Fatal(werr)
		}
		if err = s.Start(); !errors.Is(err, errEnded) {
			break
		}
	}
	t.Cleanup(s.Kill)
	if err != nil {
		t.Fatalf("start influxd: %v\n%s", err, s.Output())
	}
	s.user, s.pass = "vigil", "hunter2-canary"
	s.InfluxQL(t, fmt.Sprintf(`CREATE USER %s WITH PASSWORD '%s' WITH ALL PRIVILEGES`, s.user, s.pass))
	return s
}

var errEnded = errors.New("influxd ended at once")

// Start runs the program and waits until it answers: it works for some seconds
// before it does, which take long where much else is going on.
func (s *Server) Start() error {
	cmd := exec.CommandContext(context.Background(), s.bin, "run", "-config", filepath.Join(s.dir, "influxd.conf"))
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "GOMAXPROCS=1")
	w := &lockedWriter{s: s}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	s.mu.Lock()
	s.cmd = cmd
	s.mu.Unlock()
	deadline := time.NewTimer(3 * time.Minute)
	defer deadline.Stop()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-ended:
			return errEnded
		case <-deadline.C:
			return errors.New("influxd does not answer")
		case <-poll.C:
			if s.answers() {
				return nil
			}
		}
	}
}

// answers reports whether the server is ready.
func (s *Server) answers() bool {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.URL()+"/ping", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := client().Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusNoContent
}

// client waits for no answer for ever.
func client() *http.Client { return &http.Client{Timeout: time.Minute} }

// Kill ends the server at once, as a crash would.
func (s *Server) Kill() {
	s.mu.Lock()
	cmd := s.cmd
	s.cmd = nil
	s.mu.Unlock()
	if cmd == nil || cmd.Process == nil {
		return
	}
	_ = cmd.Process.Kill()
	// Until its port refuses, so that a test knows that it is gone.
	for range 500 {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", s.addr)
		if err != nil {
			return
		}
		c.Close()
		<-time.After(10 * time.Millisecond)
	}
}

// Output is what the program printed.
func (s *Server) Output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

type lockedWriter struct{ s *Server }

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.s.out.Len() < 1<<20 {
		w.s.out.Write(p)
	}
	return len(p), nil
}

// InfluxQL runs a statement by the 1.x API.
func (s *Server) InfluxQL(t *testing.T, q string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/query", strings.NewReader(url.Values{"q": {q}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if s.user != "" {
		req.SetBasicAuth(s.user, s.pass)
	}
	resp, err := client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(body, []byte(`"error"`)) {
		t.Fatalf("query %q: %d %s %v", q, resp.StatusCode, body, err)
	}
	return string(body)
}

// Flux runs a Flux query by the v2 API and returns its rows by column name.
func (s *Server) Flux(t *testing.T, query string) []map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/api/v2/query", strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/vnd.flux")
	req.Header.Set("Accept", "application/csv")
	req.Header.Set("Authorization", "Token "+s.Token())
	resp, err := client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("flux: %d %s %v", resp.StatusCode, body, err)
	}
	var rows []map[string]string
	for _, table := range strings.Split(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n\n") {
		var lines []string
		for _, l := range strings.Split(table, "\n") {
			if l != "" && !strings.HasPrefix(l, "#") {
				lines = append(lines, l)
			}
		}
		if len(lines) < 2 {
			continue
		}
		recs, err := csv.NewReader(strings.NewReader(strings.Join(lines, "\n"))).ReadAll()
		if err != nil {
			t.Fatalf("flux answer is no CSV: %v\n%s", err, body)
		}
		for _, rec := range recs[1:] {
			row := map[string]string{}
			for i, name := range recs[0] {
				if name != "" && i < len(rec) {
					row[name] = rec[i]
				}
			}
			if e := row["error"]; e != "" {
				t.Fatalf("flux: %s", e)
			}
			rows = append(rows, row)
		}
	}
	return rows
}
