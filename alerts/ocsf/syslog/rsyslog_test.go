package syslog_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/ocsf"
	"vigil/alerts/ocsf/syslog"
)

// rsyslogd finds a real rsyslog: unpacked by tools/setup.sh, else the machine's own.
func rsyslogd(t *testing.T) (program, modules, libs string) {
	t.Helper()
	dir, err := filepath.Abs("../../../.tools/rsyslog")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "rsyslogd")); err == nil {
		return filepath.Join(dir, "rsyslogd"), filepath.Join(dir, "modules"), filepath.Join(dir, "lib")
	}
	for _, program := range []string{"/usr/sbin/rsyslogd", "/usr/bin/rsyslogd"} {
		for _, pattern := range []string{"/usr/lib/*/rsyslog/lmnsd_ossl.so", "/usr/lib64/rsyslog/lmnsd_ossl.so", "/usr/lib/rsyslog/lmnsd_ossl.so"} {
			if found, _ := filepath.Glob(pattern); len(found) > 0 {
				if _, err := os.Stat(program); err == nil {
					return program, filepath.Dir(found[0]), ""
				}
			}
		}
	}
	t.Skip("NOT CHECKED: no rsyslogd with rsyslog-openssl; tools/setup.sh brings it")
	return "", "", ""
}

// daemon is a real rsyslogd that writes what it takes to a file.
type daemon struct {
	t    *testing.T
	dir  string
	port string
	cmd  *exec.Cmd
	out  bytes.Buffer
	args []string
	libs string
}

// newDaemon starts one. Its input is a module's load and an input's parameters.
func newDaemon(t *testing.T, load, input, port string) *daemon {
	t.Helper()
	program, modules, libs := rsyslogd(t)
	d := &daemon{t: t, dir: t.TempDir(), libs: libs, port: port}
	conf := fmt.Sprintf(`
global(workDirectory="%[1]s")
%[2]s
template(name="out" type="string" string="%%PRI%% %%HOSTNAME%% %%APP-NAME%% %%MSGID%% %%msg%%\n")
input(%[3]s ruleset="write")
ruleset(name="write") { action(type="omfile" file="%[1]s/out.log" template="out") }
`, d.dir, load, input)
	conf = strings.ReplaceAll(conf, "DIR", d.dir)
	if err := os.WriteFile(filepath.Join(d.dir, "rsyslog.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	d.args = []string{program, "-n", "-C", "-f", d.dir + "/rsyslog.conf", "-i", d.dir + "/pid", "-M", modules}
	d.start()
	t.Cleanup(func() { d.end(syscall.SIGKILL) })
	return d
}

func (d *daemon) start() {
	d.t.Helper()
	d.cmd = exec.Command(d.args[0], d.args[1:]...)
	d.cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+d.libs)
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.out
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.await("it listens", func() bool {
		conn, err := net.DialTimeout("tcp", "127.0.0.1:"+d.port, time.Second)
		if err == nil {
			_ = conn.Close() // it only asked whether somebody listens
		}
		return err == nil
	})
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

func (d *daemon) await(what string, ok func() bool) {
	d.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			d.t.Fatalf("waited in vain until %s; rsyslogd says:\n%s", what, d.out.String())
		}
	}
}

// lines are those that it has written, once there are so many.
func (d *daemon) lines(n int) (out []string) {
	d.t.Helper()
	d.await(fmt.Sprintf("%d lines are written", n), func() bool {
		text, _ := os.ReadFile(filepath.Join(d.dir, "out.log"))
		out = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		return len(out) >= n && len(text) > 0
	})
	return out
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// TestRsyslog sends to a real rsyslog with its own settings, by TCP and TLS: each event
// arrives whole, with its header's fields, in order; while it is stopped, events are to be
// tried again, and none that was taken is lost when it is told to end.
func TestRsyslog(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	a.issue(t, "siem")
	a.issue(t, "vigil")
	for _, transport := range []syslog.Transport{syslog.TCP, syslog.TLS} {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			port := freePort(t)
			load, cfg := `module(load="imtcp")`, syslog.Config{Address: "127.0.0.1:" + port, Transport: transport, Hostname: "watcher"}
			if transport == syslog.TLS {
				load = fmt.Sprintf(`module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/name" PermittedPeer=["vigil"])
global(defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile=%q defaultNetstreamDriverCertFile=%q defaultNetstreamDriverKeyFile=%q)`, a.path("ca.pem"), a.path("siem.pem"), a.path("siem-key.pem"))
				cfg.TLS = ocsf.TLS{CA: a.path("ca.pem"), Cert: a.path("vigil.pem"), Key: a.path("vigil-key.pem")}
			}
			d := newDaemon(t, load, fmt.Sprintf(`type="imtcp" port=%q address="127.0.0.1"`, port), port)
			n := notifier(t, cfg)
			if err := n.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			// A busy rsyslog now and then ends TLS in a way that leaves it open whether it took the
			// event: then the pipeline sends again.
			again := 0
			send := func(m alerts.Message) string {
				t.Helper()
				for {
					receipt, err := n.Notify(t.Context(), m)
					var r *alerts.RetryError
					if err == nil {
						return receipt
					}
					if again++; !errors.As(err, &r) || !r.InDoubt || again > 5 {
						t.Fatalf("%s: %v", m.ID, err)
					}
					t.Logf("sent again: %v", err)
				}
			}
			var want []string
			for _, name := range []string{"case-new", "case-grown", "case-graver", "case-acknowledged", "case-resolved", "walk", "hostile-case", "notice-flood"} {
				want = append(want, send(alertstest.Samples()[name]))
			}
			d.end(syscall.SIGTERM)
			_, err := n.Notify(t.Context(), message(1))
			retry(t, "stopped", err, false)
			d.start()
			want = append(want, send(message(1)))
			var got []string
			lines := d.lines(len(want))
			for _, line := range lines {
				fields := strings.SplitN(line, " ", 5)
				if len(fields) != 5 || fields[1] != "watcher" || fields[2] != "vigil" {
					t.Fatalf("line %.100q", line)
				}
				_, _, _, _, event := parse(t, fmt.Sprintf("<%s>1 2026-11-03T00:00:00.000000Z %s %s 1 %s - %s", fields[0], fields[1], fields[2], fields[3], strings.TrimPrefix(fields[4], " ")))
				// What came again has the same uid.
				if id := uid(event).(string); len(got) == 0 || got[len(got)-1] != id {
					got = append(got, id)
				}
			}
			if !slices.Equal(got, want) || len(lines) > len(want)+again {
				t.Errorf("got %q in %d lines, want %q; %d were sent again", got, len(lines), want, again)
			}
		})
	}
}
