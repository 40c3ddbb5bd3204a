package redis_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/redis"
)

// program finds the server. Debian's package redis-tools has it as redis-check-rdb: it is
// one program that acts by the name it is called by.
func program(t *testing.T, dir string) string {
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

// start runs a server in a folder of its own and returns its port.
func start(t *testing.T) (port string) {
	t.Helper()
	dir := t.TempDir()
	server := program(t, dir)
	var out bytes.Buffer
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ = net.SplitHostPort(l.Addr().String())
		l.Close()
		out.Reset()
		cmd := exec.Command(server, "--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--daemonize", "no")
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatalf("start %s: %v", server, err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
		if ready(port, ended) {
			return port
		}
	}
	t.Fatalf("the server did not start: %s", out.String())
	return ""
}

// ready waits until the server takes connections, or has ended: its port was taken
// meanwhile.
func ready(port string, ended <-chan struct{}) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			c.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-late:
			return false
		case <-tick.C:
		}
	}
}

// connection speaks the protocol.
type connection struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func connect(t *testing.T, port string) *connection {
	t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return &connection{t, c, bufio.NewReader(c)}
}

// do sends a command and returns its answer, the elements of a list in lines.
func (c *connection) do(args ...string) string {
	c.t.Helper()
	fmt.Fprintf(c, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(c, "$%d\r\n%s\r\n", len(a), a)
	}
	return c.answer()
}

func (c *connection) answer() string {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	line = strings.TrimRight(line, "\r\n")
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '$':
		if n < 0 {
			return ""
		}
		b := make([]byte, n+2)
		for at := 0; at < len(b); {
			k, err := c.in.Read(b[at:])
			if err != nil {
				c.t.Fatal(err)
			}
			at += k
		}
		return string(b[:n])
	case '*':
		var parts []string
		for range max(0, n) {
			parts = append(parts, c.answer())
		}
		return strings.Join(parts, "\n")
	}
	return line
}

// A real server is worked with while MONITOR runs: what comes out is exactly what was
// done.
func TestRealServer(t *testing.T) {
	t.Parallel()
	port := start(t)
	admin := connect(t, port)
	for _, user := range []string{"maria", "bot"} {
		if got := admin.do("ACL", "SETUSER", user, "on", ">secret-"+user, "~*", "&*", "+@all", "-@dangerous"); got != "+OK" {
			t.Fatal(got)
		}
	}
	watch := connect(t, port)
	if got := watch.do("MONITOR"); got != "+OK" {
		t.Fatal(got)
	}
	maria, bot := connect(t, port), connect(t, port)
	maria.do("AUTH", "maria", "secret-maria")
	maria.do("CLIENT", "SETNAME", "desk")
	bot.do("AUTH", "bot", "secret-bot")
	list := admin.do("CLIENT", "LIST")

	maria.do("SET", "customer:17", "Maria \"the first\"\r\n1793610845.000000 [0 192.0.2.66:1] \"GET\" \"customer:9\"")
	maria.do("GET", "customer:17")
	maria.do("MGET", "customer:17", "customer:18")
	maria.do("KEYS", "*") // refused: dangerous
	maria.do("SCAN", "0", "MATCH", "customer:*", "COUNT", "500")
	bot.do("RPUSH", "conversation:42:messages", "hello", "\x00\xff")
	bot.do("LRANGE", "conversation:42:messages", "0", "9")
	bot.do("EVAL", "return redis.call('GET', KEYS[1])", "1", "customer:17")
	bot.do("DEL", "customer:17", "customer:18")
	bot.do("PING")
	admin.do("ECHO", "the end")

	var log strings.Builder
	log.WriteString(list)
	for {
		line := watch.answer()
		if strings.Contains(line, `"the end"`) {
			break
		}
		log.WriteString(strings.TrimPrefix(line, "+") + "\n")
	}
	mapping := &formats.Mapping{Paths: []formats.Path{
		{Template: "customer:{subject}", Resource: "customers"}, {Template: "conversation:{conversation}:messages", Resource: "messages"},
	}}
	// Two logins came before the list was taken, and are at the start of what was watched.
	got := tell(t, log.String(), mapping)
	want := []string{
		"login maria desk auth", "login bot auth",
		"write maria desk set customers [17]",
		"read maria desk get customers [17]",
		"read maria desk mget customers [17 18] limit 2",
		"search maria desk scan customers limit 500",
		"write bot rpush messages in 42",
		"read bot lrange messages in 42 limit 10",
		"execute bot eval customers [17]",
		"read bot get customers [17]",
		"delete bot del customers [17 18]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, log.String())
	}

	// What was refused is in ACL LOG, as redis-cli shows it to a person.
	cli, err := exec.LookPath("redis-cli")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: no redis-cli found: ACL LOG is not tested; install redis-tools")
	}
	connect(t, port).do("AUTH", "maria", "wrong")
	var dump strings.Builder
	for _, args := range [][]string{{"TIME"}, {"ACL", "LOG"}} {
		out, err := exec.Command(cli, append([]string{"-p", port, "--no-raw"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		dump.Write(out)
	}
	want = []string{"login maria auth denied", "search maria desk keys denied"}
	if diff := cmp.Diff(want, tell(t, dump.String(), mapping)); diff != "" {
		t.Errorf("%s\n%s", diff, dump.String())
	}
}

// tell says in short what a text's events are.
func tell(t *testing.T, text string, mapping *formats.Mapping) (out []string) {
	t.Helper()
	events, errs := formatstest.Decode(t, redis.New(), formats.Options{Mapping: mapping}, text)
	for _, e := range errs {
		t.Errorf("set aside: %s in %s", e.Reason, e.Line.Text)
	}
	for _, e := range events {
		if e.IP != "127.0.0.1" || time.Since(e.Time).Abs() > time.Hour {
			t.Errorf("address %q, time %v", e.IP, e.Time)
		}
		s := strings.Join(strings.Fields(fmt.Sprint(e.Action, " ", e.Actor.ID, " ", e.Actor.App, " ", e.Shape)), " ")
		if len(e.Subjects) > 0 {
			s += fmt.Sprint(" ", e.Subjects)
		}
		if e.Conversation != "" {
			s += " in " + e.Conversation
		}
		if e.Limit != vigil.Unknown {
			s += fmt.Sprint(" limit ", e.Limit)
		}
		if e.Outcome != "" {
			s += " " + string(e.Outcome)
		}
		out = append(out, s)
	}
	return out
}
