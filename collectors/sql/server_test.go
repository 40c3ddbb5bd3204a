package sqltable_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"database/sql"

	_ "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
)

const password = "only-for-the-test"

// server is a database server in a folder of its own, which can be killed and started.
type server struct {
	dir, port string
	mysql     bool
	cmd       *exec.Cmd
	done      chan error
	start     func() *exec.Cmd
	log       string
	databases atomic.Int64
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// startPostgres runs a PostgreSQL, or skips the test.
func startPostgres(t testing.TB) *server {
	t.Helper()
	bin := ""
	for _, dir := range []string{"/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin"} {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			bin = dir
		}
	}
	if bin == "" {
		t.Skip("SKIPPED, NOT TESTED: no PostgreSQL found. Run tools/setup.sh, or install postgresql-15")
	}
	// The server refuses to run as root, and its user can't reach a test's folder.
	dir, err := os.MkdirTemp("", "vigil-pg") //nolint:usetesting // as above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("SKIPPED, NOT TESTED: there is no user postgres to run PostgreSQL as")
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	s := &server{dir: dir, port: freePort(t), log: filepath.Join(t.TempDir(), "log")}
	pw := filepath.Join(dir, "pw")
	if err := os.WriteFile(pw, []byte(password), 0o644); err != nil {
		t.Fatal(err)
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir, cmd.SysProcAttr = dir, attr
		cmd.Env = []string{"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin", "TZ=UTC"}
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := command("initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", pw, "--locale", "C.UTF-8", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("make the database: %v: %s", err, out)
	}
	s.start = func() *exec.Cmd {
		// What was committed is there after a kill, which leaves the system's cache alone.
		return command("postgres", "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port="+s.port, "-c", "unix_socket_directories=",
			"-c", "max_connections=200", "-c", "shared_buffers=32MB", "-c", "fsync=off", "-c", "autovacuum=off", "-c", "timezone=UTC")
	}
	s.up(t)
	return s
}

// startMaria runs a MariaDB, or skips the test.
func startMaria(t testing.TB) *server {
	t.Helper()
	daemon, err := exec.LookPath("mariadbd")
	if err != nil {
		if _, err := os.Stat("/usr/sbin/mariadbd"); err != nil {
			t.Skip("SKIPPED, NOT TESTED: no MariaDB found. Run tools/setup.sh, or install mariadb-server-core")
		}
		daemon = "/usr/sbin/mariadbd"
	}
	s := &server{mysql: true, dir: t.TempDir(), port: freePort(t)}
	s.log = filepath.Join(s.dir, "error.log")
	data := filepath.Join(s.dir, "data")
	me := "--user=root"
	if os.Getuid() != 0 {
		me = "--skip-name-resolve"
	}
	install := exec.Command("mariadb-install-db", "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal",
		"--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=4M", me)
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: make the database: %v: %s", err, out)
	}
	s.start = func() *exec.Cmd {
		cmd := exec.Command(daemon, "--no-defaults", "--datadir="+data, "--socket="+filepath.Join(s.dir, "s"), "--bind-address=127.0.0.1", "--port="+s.port,
			"--pid-file="+filepath.Join(s.dir, "pid"), "--log-error="+s.log, "--skip-name-resolve", me, "--innodb-flush-log-at-trx-commit=2",
			"--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		cmd.Env = []string{"TZ=UTC", "PATH=/usr/bin:/bin"}
		return cmd
	}
	s.up(t)
	return s
}

// ping tells whether the server takes commands.
func (s *server) ping(ctx context.Context) error {
	if s.mysql {
		db, err := sql.Open("mysql", s.dsn("mysql"))
		if err != nil {
			return err
		}
		defer db.Close()
		return db.PingContext(ctx)
	}
	c, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

// up starts the server and waits until it takes commands.
func (s *server) up(t testing.TB) {
	t.Helper()
	if err := s.run(t.Context()); err != nil {
		log, _ := os.ReadFile(s.log)
		t.Fatalf("start the server: %v\n%s", err, log)
	}
	t.Cleanup(func() { _ = s.kill() })
}

func (s *server) run(ctx context.Context) error {
	cmd := s.start()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	s.cmd, s.done = cmd, done
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		if s.ping(ctx) == nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("it ended: %s", out.String())
		case <-late:
			return errors.New("it does not answer within a minute")
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// kill ends the server without a word.
func (s *server) kill() error {
	if s.cmd == nil {
		return nil
	}
	_ = s.cmd.Process.Kill()
	<-s.done
	s.cmd = nil
	if s.mysql {
		return nil
	}
	// The children see that the postmaster is gone, and end; until then their shared
	// memory is in use, and a new one does not start.
	pid := filepath.Join(s.dir, "data", "postmaster.pid")
	_ = os.Remove(pid)
	return nil
}

func (s *server) url(db string) string {
	return "postgres://postgres:" + password + "@127.0.0.1:" + s.port + "/" + db
}

func (s *server) dsn(db string) string {
	return "root@tcp(127.0.0.1:" + s.port + ")/" + db + "?multiStatements=true&time_zone=%27%2B00%3A00%27"
}

// collectURL is what a collector is told.
func (s *server) collectURL(db string) string {
	if s.mysql {
		return "mysql://root@127.0.0.1:" + s.port + "/" + db
	}
	return s.url(db)
}

// database makes an empty one, and returns its name.
func (s *server) database(t testing.TB) string {
	t.Helper()
	name := "test" + strconv.FormatInt(s.databases.Add(1), 10)
	s.exec(t, map[bool]string{true: "mysql", false: "postgres"}[s.mysql], "CREATE DATABASE "+name+map[bool]string{true: " CHARACTER SET utf8mb4"}[s.mysql])
	return name
}

// exec runs statements.
func (s *server) exec(t testing.TB, db string, statements ...string) {
	t.Helper()
	if err := s.try(t.Context(), db, statements...); err != nil {
		t.Fatal(err)
	}
}

func (s *server) try(ctx context.Context, db string, statements ...string) error {
	text := strings.Join(statements, ";\n")
	if s.mysql {
		c, err := sql.Open("mysql", s.dsn(db))
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.ExecContext(ctx, text)
		return err
	}
	c, err := pgx.Connect(ctx, s.url(db))
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	_, err = c.PgConn().Exec(ctx, text).ReadAll()
	return err
}
