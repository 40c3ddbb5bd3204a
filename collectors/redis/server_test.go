package redis_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/redis"
)

const password = "canary-password-7731"

// server is a Redis of a test's own.
type server struct {
	program, dir, port string
	args               []string
	// open says that it wants no password: then a writer leaves no login.
	open  bool
	cmd   *exec.Cmd
	ended chan struct{}
}

// program finds the server. Debian's package redis-tools has it as redis-check-rdb: it is
// one program that acts by the name it is called by.
func program(t testing.TB, dir string) string {
	t.Helper()
	if path, err := exec.LookPath("redis-server"); err == nil {
		return path
	}
	path, err := exec.LookPath("redis-check-rdb")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: no Redis server found. Run tools/setup.sh, or install redis-tools")
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	link := filepath.Join(dir, "redis-server")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	return link
}

func start(t testing.TB, args ...string) *server {
	t.Helper()
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	s := &server{program: program(t, dir), dir: dir, port: port, args: append([]string{"--requirepass", password}, args...)}
	if len(args) > 0 && args[0] == "open" {
		s.args, s.open = args[1:], true
	}
	s.up(t)
	t.Cleanup(s.kill)
	return s
}

func (s *server) up(t testing.TB) {
	t.Helper()
	var out bytes.Buffer
	s.cmd = exec.Command(s.program, append([]string{"--port", s.port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--daemonize", "no"},
		s.args...)...)
	s.cmd.Stdout, s.cmd.Stderr = &out, &out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd, ended := s.cmd, make(chan struct{})
	s.ended = ended
	go func() { _ = cmd.Wait(); close(ended) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		if c, err := net.Dial("tcp", "127.0.0.1:"+s.port); err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("the server ended: %s", out.String())
		case <-late:
			t.Fatal("the server does not answer")
		case <-tick.C:
		}
	}
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// do sends commands at once over one connection, and returns what came back.
func (s *server) do(ctx context.Context, commands ...[]string) (string, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+s.port)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	var b strings.Builder
	commands = append(commands, []string{"ECHO", "the-end-of-it"})
	if !s.open {
		commands = append([][]string{{"AUTH", password}}, commands...)
	}
	for _, args := range commands {
		fmt.Fprintf(&b, "*%d\r\n", len(args))
		for _, a := range args {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
		}
	}
	text := b.String()
	go func() { _, _ = c.Write([]byte(text)) }()
	var out bytes.Buffer
	buf := make([]byte, 64<<10)
	for !bytes.HasSuffix(out.Bytes(), []byte("the-end-of-it\r\n")) {
		n, err := c.Read(buf)
		out.Write(buf[:n])
		if err != nil {
			return out.String(), err
		}
	}
	return out.String(), nil
}

func (s *server) must(t testing.TB, commands ...[]string) string {
	t.Helper()
	out, err := s.do(context.WithoutCancel(t.Context()), commands...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var monitors = regexp.MustCompile(`cmdstat_monitor:calls=(\d+)`)

// watched waits until MONITOR was asked for n times since the server started.
func (s *server) watched(ctx context.Context, n int) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		out, err := s.do(ctx, []string{"INFO", "commandstats"})
		if err != nil {
			return err
		}
		if m := monitors.FindStringSubmatch(out); m != nil {
			if calls, _ := strconv.Atoi(m[1]); calls >= n {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("nobody watches"), ctx.Err())
		case <-tick.C:
		}
	}
}

func config(s *server) redis.Config {
	who := ":" + password + "@"
	if s.open {
		who = ""
	}
	return redis.Config{
		URL: "redis://" + who + "127.0.0.1:" + s.port,
		Decode: decode.Config{Source: "cache", Formats: catalog.All(), Mapping: &formats.Mapping{Paths: []formats.Path{
			{Template: "customer:{subject}", Resource: "customers"},
		}}},
	}
}

// peer is a server that is worked with. It tells nothing to who is not there, so writing
// waits for the collector that was made last.
type peer struct {
	*server
	mu   sync.Mutex
	made int
}

func (p *peer) Write(ctx context.Context, rs ...collectorstest.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.watched(ctx, p.made); err != nil {
		return err
	}
	var commands [][]string
	for _, r := range rs {
		commands = append(commands, []string{"GET", fmt.Sprintf("customer:c%d", r.N)})
	}
	_, err := p.do(ctx, commands...)
	return err
}

func (p *peer) Collector() (collectors.Collector, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	return redis.New(config(p.server), redis.Options{})
}

// connect opens a connection that stays, as a user.
func connect(t testing.TB, s *server, user, pass string) func(args ...string) {
	t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+s.port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	do := func(args ...string) {
		t.Helper()
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprintf(c, "*%d\r\n", len(args))
		for _, a := range args {
			fmt.Fprintf(c, "$%d\r\n%s\r\n", len(a), a)
		}
		if _, err := c.Read(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
	}
	do("AUTH", user, pass)
	return do
}
