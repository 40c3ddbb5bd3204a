package torture_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// sqlWriter fills an audit table of a PostgreSQL server, by two transactions that overlap:
// the numbers of the one that commits last are lower.
type sqlWriter struct{ url string }

// newSQLWriter starts a server; nil, loudly, where there is none.
func newSQLWriter(t *testing.T) writer {
	t.Helper()
	const bin = "/usr/lib/postgresql/15/bin"
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		t.Log("NOT TESTED: SQL, for want of PostgreSQL 15. Run tools/setup.sh, or install postgresql-15")
		return nil
	}
	// The server refuses to run as root, and its user can't reach a test's folder.
	dir, err := os.MkdirTemp("", "vigil-pg") //nolint:usetesting // as the line before says
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Log("NOT TESTED: SQL: there is no user postgres to run PostgreSQL as")
			return nil
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir, cmd.SysProcAttr = dir, attr
		cmd.Env = []string{"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin", "TZ=UTC"}
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := command("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--locale", "C.UTF-8", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("make the database: %v: %s", err, out)
	}
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	serve := command("postgres", "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port="+port, "-c", "unix_socket_directories=", "-c", "fsync=off")
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGINT)
		_ = serve.Wait()
	})
	w := &sqlWriter{url: "postgres://postgres@" + address + "/postgres?sslmode=disable"}
	for deadline := time.Now().Add(time.Minute); ; {
		err := w.exec(t.Context(), `CREATE TABLE audit (n bigserial PRIMARY KEY, time timestamptz NOT NULL DEFAULT now(), actor text, action text, resource text)`)
		if err == nil {
			return w
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

func (w *sqlWriter) config() string {
	return fmt.Sprintf("sql: {url: %q, table: audit, cursor: n, poll: 1s}", w.url)
}

func (w *sqlWriter) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

const insert = `INSERT INTO audit (actor, action, resource) VALUES ($1, 'read', $2)`

func (w *sqlWriter) write(ctx context.Context, first, n int) error {
	slow, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer slow.Close(ctx)
	fast, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer fast.Close(ctx)
	tx, err := slow.Begin(ctx)
	if err != nil {
		return err
	}
	for i := first; i < first+n; i++ {
		actor, resource := fmt.Sprintf("agent-%d", i%7), fmt.Sprintf("r-%d", i)
		if i < first+n/2 {
			_, err = tx.Exec(ctx, insert, actor, resource)
		} else {
			_, err = fast.Exec(ctx, insert, actor, resource)
		}
		if err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

func (w *sqlWriter) flush(context.Context) error { return nil }
