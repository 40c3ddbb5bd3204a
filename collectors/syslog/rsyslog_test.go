package syslog_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/syslog"
)

// rsyslogd finds a real rsyslog: unpacked by tools/setup.sh, else the machine's own.
func rsyslogd(t *testing.T) (program, modules, libs string) {
	t.Helper()
	dir, err := filepath.Abs("../../.tools/rsyslog")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "rsyslogd")); err == nil {
		return filepath.Join(dir, "rsyslogd"), filepath.Join(dir, "modules"), filepath.Join(dir, "lib")
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	program, err = exec.LookPath("rsyslogd")
	if err != nil {
		t.Skip("NOT CHECKED: no rsyslogd; tools/setup.sh brings it")
	}
	for _, pattern := range []string{"/usr/lib/*/rsyslog/omrelp.so", "/usr/lib64/rsyslog/omrelp.so", "/usr/lib/rsyslog/omrelp.so"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return program, filepath.Dir(found[0]), ""
		}
	}
	t.Skip("NOT CHECKED: rsyslogd has no omrelp; tools/setup.sh brings it")
	return "", "", ""
}

// daemon is a real rsyslogd that follows a file and sends what is in it.
type daemon struct {
	t    *testing.T
	dir  string
	args []string
	libs string
	cmd  *exec.Cmd
	out  bytes.Buffer
	n    int
}

// newDaemon writes the configuration, with an action that sends.
func newDaemon(t *testing.T, action string) *daemon {
	t.Helper()
	program, modules, libs := rsyslogd(t)
	d := &daemon{t: t, dir: t.TempDir(), libs: libs}
	conf := fmt.Sprintf(`
global(workDirectory="%[1]s" maxMessageSize="64k")
module(load="imfile" mode="inotify")
module(load="omrelp")
template(name="out" type="string" string="<%%PRI%%>1 %%TIMESTAMP:::date-rfc3339%% web vigil-test - - - %%msg%%")
input(type="imfile" file="%[1]s/in.log" tag="vigil-test" ruleset="send" reopenOnTruncate="on")
ruleset(name="send") {
  %[2]s
}
`, d.dir, action)
	for name, text := range map[string]string{"rsyslog.conf": conf, "in.log": ""} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.args = []string{program, "-n", "-C", "-f", d.dir + "/rsyslog.conf", "-i", d.dir + "/pid", "-M", modules}
	d.start()
	t.Cleanup(func() { d.end(syscall.SIGKILL) })
	return d
}

// queue is a queue that keeps on disk what can't be sent.
const queue = `queue.type="LinkedList" queue.filename="q" queue.maxDiskSpace="100m" queue.saveOnShutdown="on" queue.checkpointInterval="1"
    action.resumeRetryCount="-1" action.resumeInterval="1" action.resumeIntervalMax="1"`

func (d *daemon) start() {
	d.t.Helper()
	d.cmd = exec.Command(d.args[0], d.args[1:]...)
	d.cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+d.libs)
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.out
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *daemon) end(how syscall.Signal) {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(how)
	_ = d.cmd.Wait()
	d.cmd = nil
	if d.t.Failed() && d.out.Len() > 0 {
		d.t.Logf("rsyslogd says:\n%s", d.out.String())
	}
}

// write appends n records to the file that is followed.
func (d *daemon) write(n int) {
	d.t.Helper()
	f, err := os.OpenFile(filepath.Join(d.dir, "in.log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	var text bytes.Buffer
	for range n {
		d.n++
		text.Write(collectorstest.Record{N: d.n, Time: time.Date(2026, 11, 2, 9, 0, d.n, 0, time.UTC)}.Line())
		text.WriteByte('\n')
	}
	if _, err := f.Write(text.Bytes()); err != nil {
		d.t.Fatal(err)
	}
}

// life is one run of a receiver at a fixed address.
type life struct {
	cancel context.CancelFunc
	done   chan error
}

func live(t *testing.T, cfg syslog.Config, position []byte, sink collectors.Sink) *life {
	t.Helper()
	r, err := syslog.New(cfg, syslog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	l := &life{cancel, make(chan error, 1)}
	go func() { l.done <- r.Run(ctx, position, sink) }()
	t.Cleanup(func() { cancel() })
	return l
}

func (l *life) end() error {
	l.cancel()
	err := <-l.done
	l.done <- err
	return err
}

// killable is a sink that takes nothing more once it is dead, as if the process were.
type killable struct {
	collectors.Sink
	dead chan struct{}
}

func (k killable) Accept(ctx context.Context, b collectors.Batch) error {
	select {
	case <-k.dead:
		return context.Canceled
	default:
		return k.Sink.Accept(ctx, b)
	}
}

const round = 500

// A receiver is stopped, killed and started again under a real rsyslog: over RELP nothing
// is lost and nothing counts twice. (rsyslog itself, when it is stopped, may forget what
// was sent and not acknowledged: that is not ours to mend.)
func TestRsyslogRELP(t *testing.T) {
	cfg := syslog.Config{Decode: decoding("native"), Listen: freePort(t, "tcp"), Transport: syslog.RELP}
	host, port, _ := strings.Cut(cfg.Listen, ":")
	d := newDaemon(t, fmt.Sprintf(`action(type="omrelp" target=%q port=%q template="out" timeout="5" %s)`, host, port, queue))
	o := collectorstest.NewOracle(source, nil)
	for i := range 6 {
		k := killable{o, make(chan struct{})}
		l := live(t, cfg, o.Position(), k)
		d.write(round)
		o.AwaitRecords(t, d.n-round/2)
		if i%2 == 0 {
			close(k.dead)
		}
		if err := l.end(); err != nil && i%2 == 1 {
			t.Errorf("stop %d: %v", i, err)
		}
		d.write(round) // while nobody listens
	}
	l := live(t, cfg, o.Position(), o)
	o.AwaitRecords(t, d.n)
	if err := l.end(); err != nil {
		t.Error(err)
	}
	o.Check(t, d.n)
}

// Over TCP and TLS rsyslog can't know what was kept: how much is lost over stops at leisure,
// or sent again so that it counts twice, is logged.
func TestRsyslogStreams(t *testing.T) {
	a := newAuthority(t)
	a.issue(t, "web.example.org", "web.example.org", time.Now().Add(time.Hour))
	for name, transport := range map[string]syslog.Transport{"tcp": syslog.TCP, "tls": syslog.TLS} {
		t.Run(name, func(t *testing.T) {
			cfg := syslog.Config{Decode: decoding("native"), Listen: freePort(t, "tcp"), Transport: transport}
			secure := ""
			if transport == syslog.TLS {
				cfg = a.receiver(cfg.Listen, transport)
				secure = fmt.Sprintf(`StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost"
    StreamDriver.CAFile="%s" StreamDriver.CertFile="%s" StreamDriver.KeyFile="%s"`, a.path("ca.pem"), a.path("web.example.org.pem"), a.path("web.example.org-key.pem"))
			}
			host, port, _ := strings.Cut(cfg.Listen, ":")
			d := newDaemon(t, fmt.Sprintf(`action(type="omfwd" target=%q port=%q protocol="tcp" TCP_Framing="octet-counted" template="out" %s %s)`, host, port, secure, queue))
			all := newTally()
			for i := range 5 {
				l := live(t, cfg, nil, all)
				d.write(round)
				all.await(t, d.n-round/2)
				if err := l.end(); err != nil {
					t.Errorf("stop %d: %v", i, err)
				}
				d.write(round) // while nobody listens
			}
			l := live(t, cfg, nil, all)
			all.await(t, d.n)
			if err := l.end(); err != nil {
				t.Error(err)
			}
			lost, twice := all.count(d.n)
			t.Logf("of %d records over 5 stops at leisure %d are lost and %d came twice", d.n, lost, twice)
			if lost > d.n/10 || twice > d.n/10 {
				t.Errorf("of %d records %d are lost and %d came twice", d.n, lost, twice)
			}
		})
	}
}

// tally is a sink that counts by how many ids each record came.
type tally struct {
	mu  sync.Mutex // guards all below
	ids map[int]map[string]bool
	// last is the highest record that came.
	last int
}

func newTally() *tally { return &tally{ids: map[int]map[string]bool{}} }

func (y *tally) Accept(_ context.Context, b collectors.Batch) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, e := range b.Events {
		n, err := strconv.Atoi(strings.TrimPrefix(e.Subjects[0], "c"))
		if err != nil {
			return err
		}
		if y.ids[n] == nil {
			y.ids[n] = map[string]bool{}
		}
		y.ids[n][e.ID] = true
		y.last = max(y.last, n)
	}
	return nil
}

// await waits for record n or one behind it: that one itself may be lost.
func (y *tally) await(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; <-time.After(20 * time.Millisecond) {
		y.mu.Lock()
		there := y.last >= n
		y.mu.Unlock()
		if there {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("record %d does not come", n)
		}
	}
}

func (y *tally) count(n int) (lost, twice int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for i := 1; i <= n; i++ {
		switch len(y.ids[i]) {
		case 0:
			lost++
		case 1:
		default:
			twice++
		}
	}
	return lost, twice
}

func TestRsyslogUDP(t *testing.T) {
	cfg := syslog.Config{Decode: decoding("native"), Listen: freePort(t, "udp"), Transport: syslog.UDP}
	host, port, _ := strings.Cut(cfg.Listen, ":")
	o := collectorstest.NewOracle(source, nil)
	_, _ = receiver(t, cfg, syslog.Options{}, nil, o)
	d := newDaemon(t, fmt.Sprintf(`action(type="omfwd" target=%q port=%q protocol="udp" template="out")`, host, port))
	d.write(round)
	o.AwaitRecords(t, round)
	o.Check(t, round)
}

// logger of util-linux sends by UDP and TCP.
func TestLogger(t *testing.T) {
	t.Parallel()
	logger, err := exec.LookPath("logger")
	if err != nil {
		t.Skip("NOT CHECKED: no logger")
	}
	for _, c := range []struct {
		transport syslog.Transport
		args      []string
	}{
		{syslog.UDP, []string{"--udp", "--rfc5424"}},
		{syslog.UDP, []string{"--udp", "--rfc3164"}},
		{syslog.TCP, []string{"--tcp", "--rfc5424"}},
		{syslog.TCP, []string{"--tcp", "--rfc3164", "--octet-count"}},
	} {
		t.Run(strings.Join(c.args, ""), func(t *testing.T) {
			t.Parallel()
			o := collectorstest.NewOracle(source, nil)
			addr, _ := receiver(t, syslog.Config{Transport: c.transport}, syslog.Options{}, nil, o)
			host, port, _ := strings.Cut(addr, ":")
			for n := 1; n <= 3; n++ {
				out, err := exec.CommandContext(t.Context(), logger, append(c.args, "--server", host, "--port", port, "--tag", "app", "--size", "8192", line(n))...).CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			o.AwaitRecords(t, 3)
			o.Check(t, 3)
		})
	}
}
