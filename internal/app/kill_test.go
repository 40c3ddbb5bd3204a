package app_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vigil/internal/app"
	"vigil/internal/config"
)

// serveVariable tells the test binary to be a service on this folder.
const serveVariable = "VIGIL_TEST_SERVE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveVariable); dir != "" {
		os.Exit(beService(dir))
	}
	os.Exit(m.Run())
}

// beService serves until SIGTERM, as vigil serve does, and prints its address.
func beService(dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg := config.DefaultConfig()
	cfg.DataDir, cfg.Listen, cfg.Snapshots = dir, "127.0.0.1:0", "@every 1s"
	cfg.Sources = []config.Source{
		{Name: "bot", Push: &config.Push{Token: config.NewSecret(token)}},
		{Name: "files", File: []string{filepath.Join(filepath.Dir(dir), "*.log")}},
	}
	a, err := app.New(cfg, app.Options{Door: everybody(), Output: os.Stderr, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err == nil {
		err = a.Start(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stdout, a.URL())
	select {
	case <-ctx.Done():
	case err = <-a.Failed():
	}
	if err := errors.Join(err, a.Stop(ctx)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// child is a service in a process of its own.
type child struct {
	cmd *exec.Cmd
	url string
	err buffer
}

func startChild(t *testing.T, dir string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), serveVariable+"="+dir)
	c.cmd.Stderr = &c.err
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	c.url, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = c.cmd.Wait()
		t.Fatalf("the service did not start: %v\n%s", err, c.err.String())
	}
	c.url = strings.TrimSpace(c.url)
	t.Logf("started in %s", time.Since(began).Round(time.Millisecond))
	return c
}

// Killed at random while events come by file and by push, and started again:
// every event counts once, and no finding is lost or doubled.
func TestServeSurvivesKills(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, log := filepath.Join(dir, "data"), filepath.Join(dir, "access.log")
	random := rand.New(rand.NewPCG(1, 2))
	at := day()
	const kills, perBatch, lastBatches = 6, 25, 20
	pushed, written, next := 0, 0, 0
	body := func(batch int) string {
		var b strings.Builder
		for i := range perBatch {
			b.WriteString(line(at.Add(time.Duration(batch)*time.Second), fmt.Sprintf("p-%d-%d", batch, i), "bot", ""))
		}
		return b.String()
	}
	for kill := 0; kill <= kills; kill++ {
		c := startChild(t, data)
		if kill == 0 {
			if resp, text := send(t, c.url+"/v1/events", token, breach(at), false); resp.StatusCode != http.StatusAccepted {
				t.Fatalf("push: %d %s", resp.StatusCode, text)
			}
			pushed += 7
		}
		var killer <-chan time.Time
		if kill < kills {
			killer = time.After(time.Duration(20+random.IntN(300)) * time.Millisecond)
		}
		for alive, last := true, next+lastBatches; alive && (kill < kills || next < last); {
			for range 10 {
				appendFile(t, log, line(at.Add(time.Duration(written)*time.Millisecond), fmt.Sprint("f-", written), "maria", ""))
				written++
			}
			select {
			case <-killer:
				if err := c.cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				alive = false
			default:
			}
			// What was not acknowledged is sent again after the restart.
			if trySend(t, c.url, body(next)) {
				next++
				pushed += perBatch
			}
		}
		if kill < kills {
			_ = c.cmd.Wait() // killed
			continue
		}
		until(t, "all events", func() bool {
			s := statusAt(t, c.url)
			return s.accepted("files") >= int64(written) && s.accepted("bot") >= int64(pushed)
		})
		s := statusAt(t, c.url)
		if s.accepted("files") != int64(written) || s.accepted("bot") != int64(pushed) {
			t.Errorf("%d written, %d pushed; counted %+v", written, pushed, s)
		}
		found := findingsAt(t, c.url)
		if len(found) != 1 || found[0].Rule == "" {
			t.Errorf("%d findings: %+v", len(found), found)
		}
		if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := c.cmd.Wait(); err != nil {
			t.Errorf("a graceful stop: %v\n%s", err, c.err.String())
		}
	}
}

// trySend reports whether the body was acknowledged; a service that is gone does
// not.
func trySend(t *testing.T, url, body string) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/events", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := testClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusAccepted
}
