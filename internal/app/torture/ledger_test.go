package torture_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vigil"
	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/ledger"
)

// serveVariable tells the test binary to be a service with this configuration.
const serveVariable = "VIGIL_TORTURE_SERVE"

func TestMain(m *testing.M) {
	if path := os.Getenv(serveVariable); path != "" {
		os.Exit(beService(path))
	}
	os.Exit(m.Run())
}

// beService serves until SIGTERM, as vigil serve does, and says when it is up.
func beService(path string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg, err := config.Load(path, app.Known())
	var a *app.App
	if err == nil {
		a, err = app.New(cfg, app.Options{Output: os.Stderr, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	}
	if err == nil {
		err = a.Start(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stdout, "up")
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
	cmd  *exec.Cmd
	done chan error
	log  string
}

func startChild(t *testing.T, conf, log string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0]), done: make(chan error, 1), log: log}
	c.cmd.Env = append(os.Environ(), serveVariable+"="+conf)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	c.cmd.Stderr = stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() { c.done <- c.cmd.Wait() }()
	if err != nil || line != "up\n" {
		t.Fatalf("the service did not start: %v\n%s", err, tail(log))
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Logf("it took %s to start", took.Round(time.Millisecond))
	}
	return c
}

func (c *child) kill(t *testing.T) {
	t.Helper()
	_ = c.cmd.Process.Kill() // it may have ended by itself, which Wait tells
	<-c.done
}

// stop ends it as an operator does.
func (c *child) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return <-c.done
}

func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4_000):])
}

// writer brings numbered records to one source, as a proper sender of its kind does.
type writer interface {
	// config is the source's entry in the configuration.
	config() string
	// write brings records from number first on, n of them. It returns when its peer has
	// them, or they wait to be sent.
	write(ctx context.Context, first, n int) error
	// flush returns when all that wait are sent.
	flush(ctx context.Context) error
}

// line is record n as a native event. Its number is in the resource, which is no
// person's and so stays as it is.
func line(n int) string {
	at := time.Now().UTC().Add(-time.Minute).Format(time.RFC3339Nano)
	return fmt.Sprintf(`{"time":%q,"actor":"agent-%d","action":"read","resource":"r-%d","subjects":["c%d"]}`, at, n%7, n, n)
}

// All ways in that can promise it lose nothing and double nothing, whatever moment the
// program is killed at. VIGIL_TORTURE=1 makes five minutes of it, as many kills as fit.
func TestKilledWithAllWaysIn(t *testing.T) {
	t.Parallel()
	length, kills := 12*time.Second, 5
	if os.Getenv("VIGIL_TORTURE") != "" {
		length, kills = 5*time.Minute, 120
	}
	dir := t.TempDir()
	data, conf, log := filepath.Join(dir, "data"), filepath.Join(dir, "vigil.yaml"), filepath.Join(dir, "log")
	listen := freeAddress(t)
	writers := map[string]writer{
		"file": newFileWriter(t, dir), "push": newPushWriter(t, listen), "otlp": newOTLPWriter(t, listen),
		"relp": newRELPWriter(t), "kafka": newKafkaWriter(t), "nats": newNATSWriter(t),
	}
	if w := newSQLWriter(t); w != nil {
		writers["sql"] = w
	}
	text := fmt.Sprintf("data_dir: %q\nlisten: %s\nsnapshots: \"@every 1s\"\nsources:\n", data, listen)
	for name, w := range writers {
		text += fmt.Sprintf("  - {name: %s, format: native, %s}\n", name, w.config())
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stop atomic.Bool
	var wg sync.WaitGroup
	written := map[string]*atomic.Int64{}
	for name, w := range writers {
		n := &atomic.Int64{}
		written[name] = n
		wg.Go(func() {
			for pace := time.NewTicker(50 * time.Millisecond); !stop.Load(); <-pace.C {
				if err := w.write(ctx, int(n.Load())+1, 10); err != nil {
					t.Errorf("write to %s: %v", name, err)
					return
				}
				n.Add(10)
			}
		})
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	began, killed := time.Now(), 0
	c := startChild(t, conf, log)
	for time.Since(began) < length && killed < kills {
		select {
		case err := <-c.done:
			t.Fatalf("the service ended by itself: %v\n%s", err, tail(log))
		case <-time.After(time.Duration(random.Int64N(int64(2 * length / time.Duration(kills))))):
		}
		c.kill(t)
		killed++
		c = startChild(t, conf, log)
	}
	stop.Store(true)
	wg.Wait()
	for name, w := range writers {
		within, cancel := context.WithTimeout(ctx, 2*time.Minute)
		if err := w.flush(within); err != nil {
			t.Errorf("send what waits of %s: %v", name, err)
		}
		cancel()
	}
	total := int64(0)
	for _, n := range written {
		total += n.Load()
	}
	// What is read is judged soon after; the service's own count says when all is in.
	awaitEvents(t, c, listen, data, log, total)
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-c.done; err != nil {
		t.Errorf("the service ended with %v\n%s", err, tail(log))
	}
	check(t, data, written)
	t.Logf("%d kills; %d records", killed, total)
}

// check is the ledger check: each record of each source once, and no other.
func check(t *testing.T, data string, written map[string]*atomic.Int64) {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: data}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := map[string]map[int]int{}
	var after uint64
	for {
		entries, err := l.Entries(t.Context(), after, 200)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			break
		}
		for i := range entries {
			after = entries[i].Seq
			if entries[i].Kind == vigil.EntryControl && entries[i].Control.Type == vigil.ControlLapse {
				t.Logf("told: %s", entries[i].Control.Data)
			}
			for _, e := range entries[i].Events {
				n, err := strconv.Atoi(strings.TrimPrefix(e.Resource, "r-"))
				if err != nil {
					t.Errorf("%s: an event that nobody wrote: %q", e.Source, e.Resource)
					continue
				}
				if seen[e.Source] == nil {
					seen[e.Source] = map[int]int{}
				}
				seen[e.Source][n]++
			}
		}
	}
	for name, count := range written {
		n := int(count.Load())
		lost, doubled, invented := 0, 0, 0
		for i := 1; i <= n; i++ {
			if seen[name][i] == 0 {
				lost++
			}
		}
		for i, times := range seen[name] {
			if i < 1 || i > n {
				invented++
			}
			if times > 1 {
				doubled++
			}
		}
		t.Logf("%s: %d written, %d lost, %d doubled", name, n, lost, doubled)
		if lost+doubled+invented > 0 {
			t.Errorf("%s: of %d records %d are lost, %d doubled, %d invented", name, n, lost, doubled, invented)
		}
	}
}
