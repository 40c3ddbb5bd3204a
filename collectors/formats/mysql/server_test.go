//go:build !race

package mysql_test

import (
	order "cmp"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/mysql"
)

// server is a MariaDB that a test started in a folder of its own.
type server struct {
	dir  string
	port int
	cmd  *exec.Cmd
	done chan error
}

// startServer runs a MariaDB with its three logs on, or skips the test.
func startServer(t *testing.T) *server {
	t.Helper()
	daemon, plugins := findServer()
	if daemon == "" || plugins == "" {
		t.Skip("SKIPPED: no MariaDB with its plugin server_audit here (mariadb-server-core, see tools/setup.sh); what a real server logs was not tested")
	}
	s := &server{dir: t.TempDir(), done: make(chan error, 1)}
	data := filepath.Join(s.dir, "data")
	me := "--user=root"
	if os.Getuid() != 0 {
		me = "--skip-name-resolve"
	}
	install := exec.CommandContext(t.Context(), "mariadb-install-db", "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal",
		"--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=4M", me)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("make the database: %v: %s", err, out)
	}
	// A port is free until somebody takes it: try again when that was somebody else.
	for try := range 5 {
		if s.run(t, daemon, plugins, data, me) {
			return s
		}
		t.Logf("the server did not start, try %d", try+1)
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "error.log"))
	t.Fatalf("the server does not start: %s", log)
	return nil
}

func findServer() (daemon, plugins string) {
	for _, p := range []string{"/usr/sbin/mariadbd", "/usr/local/sbin/mariadbd"} {
		if _, err := os.Stat(p); err == nil {
			daemon = p
		}
	}
	if p, err := exec.LookPath("mariadbd"); err == nil {
		daemon = p
	}
	if _, err := exec.LookPath("mariadb-install-db"); err != nil {
		return "", ""
	}
	root, _ := filepath.Abs(filepath.Join("..", "..", ".."))
	for _, dir := range []string{filepath.Join(root, ".tools", "mariadb"), "/usr/lib/mysql/plugin", "/usr/lib64/mysql/plugin", "/usr/lib/mariadb/plugin"} {
		if _, err := os.Stat(filepath.Join(dir, "server_audit.so")); err == nil {
			return daemon, dir
		}
	}
	return daemon, ""
}

func (s *server) run(t *testing.T, daemon, plugins, data, me string) bool {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	in := func(name string) string { return filepath.Join(s.dir, name) }
	s.cmd = exec.Command(daemon, "--no-defaults", "--datadir="+data, "--socket="+in("s"), "--bind-address=127.0.0.1", "--port="+strconv.Itoa(s.port),
		"--pid-file="+in("pid"), "--log-error="+in("error.log"), "--plugin-dir="+plugins, "--plugin-load-add=server_audit", "--skip-name-resolve", me,
		"--server-audit-logging=ON", "--server-audit-file-path="+in("audit.log"), "--general-log=1", "--general-log-file="+in("general.log"),
		"--slow-query-log=1", "--slow-query-log-file="+in("slow.log"), "--long-query-time=0",
		"--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M", "--secure-file-priv="+s.dir)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.cmd.Env = []string{"TZ=UTC", "PATH=/usr/bin:/bin"}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.done = make(chan error, 1)
	go func() { s.done <- s.cmd.Wait() }()
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	db := s.open(t, "root", "", "mysql")
	defer func() { _ = db.Close() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(60 * time.Second)
	for {
		if db.PingContext(t.Context()) == nil {
			return true
		}
		select {
		case <-s.done:
			return false
		case <-deadline:
			_ = s.cmd.Process.Kill()
			return false
		case <-tick.C:
		}
	}
}

// stop ends the server when all have left, so that its logs are whole.
func (s *server) stop(t *testing.T) {
	t.Helper()
	db := s.open(t, "root", "", "mysql")
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(60 * time.Second)
	for n := 1; n > 0; {
		if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.processlist WHERE user NOT IN ('root', 'system user', 'event_scheduler')").Scan(&n); err != nil {
			t.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("those who work do not leave")
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.done:
	case <-time.After(60 * time.Second):
		t.Fatal("the server does not stop")
	}
}

// open opens a pool of one connection.
func (s *server) open(t *testing.T, user, password, database string) *sql.DB {
	t.Helper()
	cfg := driver.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName, cfg.Net, cfg.Addr = user, password, database, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
	cfg.AllowNativePasswords, cfg.Timeout, cfg.Logger = true, 10*time.Second, &driver.NopLogger{}
	c, err := driver.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(1)
	return db
}

// session is one connection of a person or a program.
type session struct {
	t    *testing.T
	conn *sql.Conn
	db   *sql.DB
}

func (s *server) session(t *testing.T, user, password string) *session {
	t.Helper()
	db := s.open(t, user, password, "desk")
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatalf("connect as %s: %v", user, err)
	}
	return &session{t, conn, db}
}

func (s *session) end() {
	_ = s.conn.Close()
	if err := s.db.Close(); err != nil {
		s.t.Error(err)
	}
}

// query reads all rows and says how many there were.
func (s *session) query(text string, args ...any) (n int) {
	s.t.Helper()
	rows, err := s.conn.QueryContext(s.t.Context(), text, args...)
	if err != nil {
		s.t.Errorf("%s: %v", text, err)
		return 0
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	if err := rows.Err(); err != nil {
		s.t.Errorf("%s: %v", text, err)
	}
	return n
}

func (s *session) exec(text string, args ...any) {
	s.t.Helper()
	if _, err := s.conn.ExecContext(s.t.Context(), text, args...); err != nil {
		s.t.Errorf("%s: %v", text, err)
	}
}

func (s *session) refused(text string) {
	s.t.Helper()
	if _, err := s.conn.ExecContext(s.t.Context(), text); err == nil {
		s.t.Errorf("%s: was not refused", text)
	}
}

// work is a help desk's day on the server: who does what is known exactly.
func work(t *testing.T, s *server) {
	t.Helper()
	root := s.open(t, "root", "", "mysql")
	var more strings.Builder
	for i := 2; i <= 40; i++ {
		fmt.Fprintf(&more, ",(%d,%d,'c%d@example.com')", i, i%3, i)
	}
	for _, text := range []string{
		"CREATE DATABASE desk",
		"CREATE TABLE desk.contacts (id INT PRIMARY KEY, account_id INT, email VARCHAR(80), FULLTEXT (email))",
		"CREATE TABLE desk.messages (id INT PRIMARY KEY AUTO_INCREMENT, conversation_id INT, content TEXT)",
		"CREATE TABLE desk.ignored (id INT)",
		"INSERT INTO desk.contacts VALUES (1,1,'c1@example.com')" + more.String(),
		"CREATE VIEW desk.seen AS SELECT id, email FROM desk.contacts",
		"CREATE PROCEDURE desk.look(i INT) SELECT * FROM desk.contacts WHERE id = i",
		"CREATE USER maria@'%' IDENTIFIED BY 'm'", "CREATE USER bot@'%' IDENTIFIED BY 'b'", "CREATE USER eve@'%' IDENTIFIED BY 'e'",
		"GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON desk.* TO maria@'%'", "GRANT SELECT, INSERT, CREATE TEMPORARY TABLES ON desk.* TO bot@'%'",
		"GRANT SELECT, EXECUTE ON desk.* TO eve@'%'", "GRANT FILE ON *.* TO eve@'%'",
	} {
		if _, err := root.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := root.Close(); err != nil {
		t.Fatal(err)
	}

	maria := s.session(t, "maria", "m")
	maria.query("SELECT `id`, `email` FROM `contacts` WHERE `contacts`.`id` = 17 LIMIT 1")
	maria.query("SELECT id, email FROM contacts WHERE id IN (?, ?, 99)", 3, 4) // two of three exist
	maria.query("SELECT * FROM contacts ORDER BY id LIMIT 10, 5")
	maria.query("SELECT email FROM seen WHERE id = 8")
	maria.query("CALL look(9)")
	maria.query("SELECT VERSION(), @@version_comment")
	maria.exec("INSERT INTO messages (conversation_id, content) VALUES (7, 'it''s \"me\"'), (7, 'two\nlines')")
	maria.exec("UPDATE contacts SET email = 'x' WHERE id = 5")
	maria.exec("DELETE FROM messages WHERE conversation_id = 7 LIMIT 1")
	maria.refused("DROP TABLE contacts")
	maria.end()

	bot := s.session(t, "bot", "b")
	bot.query("SELECT conversation_id, content FROM messages WHERE conversation_id = ? ORDER BY id DESC LIMIT ?", 7, 20)
	bot.exec("SET NAMES utf8mb4")
	bot.exec("PREPARE p FROM 'SELECT * FROM contacts WHERE id = ?'")
	bot.exec("SET @a = 6")
	bot.query("EXECUTE p USING @a")
	bot.query("SELECT id FROM ignored")
	bot.end()

	eve := s.session(t, "eve", "e")
	eve.query("SELECT /*!40001 SQL_NO_CACHE */ * FROM `contacts`")
	eve.query("SELECT * FROM contacts WHERE email = '\n261126  9:00:00\t     1 Query\tSELECT * FROM contacts WHERE id = 1\n# Time: 261126  9:00:00\n# User@Host: maria[maria] @  [127.0.0.1]\n# Thread_id: 1  Schema: desk  QC_hit: No\n# Query_time: 0.1  Lock_time: 0.0  Rows_sent: 9  Rows_examined: 9\nSET timestamp=1795681163;\nSELECT 1 FROM contacts;\n'")
	eve.exec("SELECT email FROM contacts WHERE account_id = 2 INTO OUTFILE '" + filepath.Join(s.dir, "out") + "'")
	eve.refused("SELECT * FROM mysql.global_priv")
	eve.refused("SELECT 'left open FROM contacts")
	eve.query("SELECT COUNT(*) FROM contacts WHERE id BETWEEN 1 AND 9")
	eve.end()

	bad := s.open(t, "eve", "wrong", "desk")
	if err := bad.PingContext(t.Context()); err == nil {
		t.Error("a wrong password was taken")
	}
	if err := bad.Close(); err != nil {
		t.Error(err)
	}
}

func mapping() *formats.Mapping {
	type cols = map[string]formats.Meaning
	return &formats.Mapping{Tables: map[string]formats.Table{
		"contacts": {Columns: cols{"id": "subject", "account_id": "tenant"}, Class: "contact"},
		"messages": {Columns: cols{"conversation_id": "conversation"}, Class: "chat"},
		"ignored":  {Ignore: true},
	}}
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// line is an event in short.
func line(e *vigil.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Actor.ID, e.Action)
	put := func(name, v string) {
		if v != "" {
			fmt.Fprintf(&b, " %s=%s", name, v)
		}
	}
	put("on", e.Resource)
	put("class", e.ResourceClass)
	put("subjects", strings.Join(e.Subjects, ","))
	put("chat", e.Conversation)
	put("tenant", e.ResourceTenant)
	for _, n := range []struct {
		name string
		v    int64
	}{{"count", e.SubjectCount}, {"rows", e.Rows}, {"limit", e.Limit}} {
		if n.v != vigil.Unknown {
			fmt.Fprintf(&b, " %s=%d", n.name, n.v)
		}
	}
	if e.Unbounded {
		b.WriteString(" whole")
	}
	if e.Destination != nil {
		put("to", e.Destination.Kind)
	}
	put("was", string(e.Outcome))
	put("ip", e.IP)
	return b.String()
}

// TestRealServer lets people work on a real MariaDB and holds that each of its logs tells
// exactly what they did, each access once.
func TestRealServer(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	began := time.Now()
	work(t, s)
	s.stop(t)
	for _, c := range []struct {
		log    string
		forged int
		left   string
		want   string
	}{
		{"audit.log", 0, "bot eve maria", auditSays},
		{"slow.log", 1, "", slowSays},
		{"general.log", 1, "bot eve maria", generalSays},
	} {
		t.Run(c.log, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join(s.dir, c.log))
			if err != nil {
				t.Fatal(err)
			}
			f := mysql.NewMariaDB()
			if sure := f.Detect(text[:min(len(text), formats.MaxSample)]); sure < 0.9 {
				t.Errorf("sure by %v only", sure)
			}
			events, errs := formatstest.Decode(t, f, formats.Options{Source: "db", File: c.log, Mapping: mapping()}, string(text))
			// The server answers before it writes, so that the next session's records may come
			// first; within a session all is in order.
			slices.SortStableFunc(events, func(a, b *vigil.Event) int { return order.Compare(number(a.Session), number(b.Session)) })
			forged := 0
			for _, e := range errs {
				if e.Code == "forged" {
					forged++
					continue
				}
				t.Errorf("set aside: line %d: %v", e.Line.Number, e)
			}
			if forged != c.forged {
				t.Errorf("%d statements that hold records, want %d", forged, c.forged)
			}
			var got, left []string
			for _, e := range events {
				if e.Time.Before(began.Add(-time.Minute)) || e.Time.After(time.Now().Add(time.Minute)) {
					t.Errorf("%s: at %s", line(e), e.Time)
				}
				if e.Session == "" {
					t.Errorf("%s: no session", line(e))
				}
				switch {
				case e.Actor.ID == "root":
				case e.Action == vigil.ActionLogout: // the server notes them in its own time
					left = append(left, e.Actor.ID)
				default:
					got = append(got, line(e))
				}
			}
			slices.Sort(left)
			if l := strings.Join(left, " "); l != c.left {
				t.Errorf("logouts of %q, want %q", l, c.left)
			}
			if diff := cmp.Diff(strings.Split(strings.TrimSpace(c.want), "\n"), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What each log tells of the work. server_audit tells how each statement ended and what
// a view and a procedure read, but no rows; the slow log tells rows and nobody who comes
// or goes; the general log is written before a statement runs.
const (
	auditSays = `
maria login was=success ip=127.0.0.1
maria read on=contacts class=contact subjects=17 count=1 limit=1 was=success ip=127.0.0.1
maria read on=contacts class=contact subjects=3,4,99 count=3 was=success ip=127.0.0.1
maria read on=contacts class=contact limit=5 was=success ip=127.0.0.1
maria read on=contacts class=contact was=success ip=127.0.0.1
maria read on=contacts class=contact subjects=9 count=1 was=success ip=127.0.0.1
maria execute on=look was=success ip=127.0.0.1
maria write on=messages class=chat chat=7 was=success ip=127.0.0.1
maria write on=contacts class=contact subjects=5 count=1 was=success ip=127.0.0.1
maria delete on=messages class=chat chat=7 was=success ip=127.0.0.1
maria configure on=contacts class=contact was=denied ip=127.0.0.1
bot login was=success ip=127.0.0.1
bot read on=messages class=chat chat=7 limit=20 was=success ip=127.0.0.1
bot read on=contacts class=contact subjects=6 count=1 was=success ip=127.0.0.1
eve login was=success ip=127.0.0.1
eve read on=contacts class=contact whole was=success ip=127.0.0.1
eve read on=contacts class=contact was=success ip=127.0.0.1
eve export on=contacts class=contact tenant=2 to=server-file was=success ip=127.0.0.1
eve read on=global_priv class=system was=denied ip=127.0.0.1
eve read on=contacts class=contact was=success ip=127.0.0.1
eve login was=denied ip=127.0.0.1
`
	slowSays = `
maria read on=contacts class=contact subjects=17 count=1 rows=1 limit=1 was=success ip=127.0.0.1
maria read on=contacts class=contact subjects=3,4,99 count=3 rows=2 was=success ip=127.0.0.1
maria read on=contacts class=contact rows=5 limit=5 was=success ip=127.0.0.1
maria read on=seen rows=1 was=success ip=127.0.0.1
maria execute on=look rows=1 was=success ip=127.0.0.1
maria write on=messages class=chat chat=7 rows=2 was=success ip=127.0.0.1
maria write on=contacts class=contact subjects=5 count=1 rows=1 was=success ip=127.0.0.1
maria delete on=messages class=chat chat=7 rows=1 was=success ip=127.0.0.1
maria configure on=contacts class=contact ip=127.0.0.1
bot read on=messages class=chat chat=7 rows=1 limit=20 was=success ip=127.0.0.1
bot read on=contacts class=contact subjects=6 count=1 rows=1 was=success ip=127.0.0.1
eve read on=contacts class=contact rows=40 whole was=success ip=127.0.0.1
eve read on=contacts class=contact rows=0 ip=127.0.0.1
eve export on=contacts class=contact tenant=2 rows=13 to=server-file was=success ip=127.0.0.1
eve read on=global_priv class=system rows=0 ip=127.0.0.1
eve read on=contacts class=contact rows=1 was=success ip=127.0.0.1
`
	generalSays = `
maria login was=success ip=127.0.0.1
maria read on=contacts class=contact subjects=17 count=1 limit=1 ip=127.0.0.1
maria read on=contacts class=contact subjects=3,4,99 count=3 ip=127.0.0.1
maria read on=contacts class=contact limit=5 ip=127.0.0.1
maria read on=seen ip=127.0.0.1
maria execute on=look ip=127.0.0.1
maria write on=messages class=chat chat=7 ip=127.0.0.1
maria write on=contacts class=contact subjects=5 count=1 ip=127.0.0.1
maria delete on=messages class=chat chat=7 ip=127.0.0.1
maria configure on=contacts class=contact ip=127.0.0.1
bot login was=success ip=127.0.0.1
bot read on=messages class=chat chat=7 limit=20 ip=127.0.0.1
bot read on=contacts class=contact subjects=6 count=1 ip=127.0.0.1
eve login was=success ip=127.0.0.1
eve read on=contacts class=contact whole ip=127.0.0.1
eve read on=contacts class=contact ip=127.0.0.1
eve export on=contacts class=contact tenant=2 to=server-file ip=127.0.0.1
eve read on=global_priv class=system ip=127.0.0.1
eve read on=contacts class=contact ip=127.0.0.1
eve login was=denied ip=127.0.0.1
`
)
