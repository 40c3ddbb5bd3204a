package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"vigil/internal/demo"
)

// password is everyone's: the server lives for minutes, in a namespace that
// nobody else can reach.
const password = "only-for-the-recording"

// server is a PostgreSQL in the namespace's own home folder.
type server struct {
	bin    string
	cred   *syscall.Credential
	cmd    *exec.Cmd
	exited chan error
}

// newServer makes the database cluster. It runs inside the namespace only.
func newServer(ctx context.Context, bin, systemUser string) (*server, error) {
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		return nil, fmt.Errorf("find PostgreSQL 15: %w: install postgresql-15 and postgresql-15-pgaudit, or give -pgbin", err)
	}
	u, err := user.Lookup(systemUser)
	if err != nil {
		return nil, fmt.Errorf("find the server's user: %w: give -user", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("read the ids of user %q: %w", systemUser, err)
	}
	if err := mountHome(); err != nil {
		return nil, err
	}
	s := &server{bin: bin, cred: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if err := s.init(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *server) init(ctx context.Context) error {
	pw := filepath.Join(home, "pw")
	if err := os.WriteFile(pw, []byte(password), 0o600); err != nil {
		return fmt.Errorf("write the password file: %w", err)
	}
	for _, p := range []string{home, pw} {
		if err := os.Chown(p, int(s.cred.Uid), int(s.cred.Gid)); err != nil {
			return fmt.Errorf("hand over the server's folder: %w", err)
		}
	}
	cmd := s.command(ctx, "initdb", "-D", s.data(), "-U", "postgres", "-A", "scram-sha-256",
		"--pwfile", pw, "--locale", "C.UTF-8", "-E", "UTF8", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the database: %w: %q", err, out)
	}
	hba := filepath.Join(s.data(), "pg_hba.conf")
	f, err := os.OpenFile(hba, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("allow the clients: %w", err)
	}
	_, err = f.WriteString("host all all 0.0.0.0/0 scram-sha-256\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("allow the clients: %w", err)
	}
	return nil
}

func (s *server) data() string { return filepath.Join(home, "15", "main") }

func (s *server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir = home
	cmd.Env = []string{"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred, Pdeathsig: syscall.SIGINT}
	return cmd
}

// auditSettings are the server's, as a shop that audits its help desk has them.
func auditSettings() map[string]string {
	return map[string]string{
		"shared_preload_libraries": "pgaudit",
		"log_line_prefix":          demo.LogLinePrefix,
		// A busy shop's checkpoints, squeezed into the minutes that this takes.
		"checkpoint_timeout":    "30s",
		"log_connections":       "on",
		"log_disconnections":    "on",
		"pgaudit.log":           "read, write, role, ddl",
		"pgaudit.log_catalog":   "off",
		"pgaudit.log_relation":  "on",
		"pgaudit.log_rows":      "on",
		"pgaudit.log_parameter": "on",
	}
}

// start runs the server with its messages appended to logFile.
func (s *server) start(ctx context.Context, logFile *os.File, settings map[string]string) error {
	args := []string{
		"-D", s.data(), "-c", "listen_addresses=" + serverAddr, "-c", "port=" + strconv.Itoa(serverPort),
		"-c", "unix_socket_directories=", "-c", "max_connections=150",
		"-c", "log_destination=stderr", "-c", "logging_collector=off", "-c", "log_timezone=UTC", "-c", "timezone=UTC",
		// Nothing here must outlive the recording, so no time is spent on disks.
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=256MB",
		"-c", "max_wal_size=256MB",
	}
	for k, v := range settings {
		args = append(args, "-c", k+"="+v)
	}
	// The context must not kill it: stop ends it in order.
	cmd := s.command(context.WithoutCancel(ctx), "postgres", args...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.cmd, s.exited = cmd, make(chan error, 1)
	go func() { s.exited <- cmd.Wait() }()
	return s.waitReady(ctx)
}

// waitReady watches the server's own status file: a connection to ask would
// leave a line in the log.
func (s *server) waitReady(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		pidFile, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
		if lines := strings.Split(string(pidFile), "\n"); err == nil && len(lines) >= 8 && strings.TrimSpace(lines[7]) == "ready" {
			return nil
		}
		select {
		case err := <-s.exited:
			s.cmd = nil
			return fmt.Errorf("PostgreSQL ended while starting: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return errors.New("PostgreSQL does not answer within a minute")
		case <-tick.C:
		}
	}
}

// stop ends the server in order ("fast" mode), by force after half a minute.
func (s *server) stop() error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	s.cmd = nil
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	select {
	case err := <-s.exited:
		if err != nil {
			return fmt.Errorf("stop PostgreSQL: %w", err)
		}
		return nil
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("PostgreSQL did not stop within 30 s and was killed"), cmd.Process.Kill())
	}
}

// admin connects as the superuser.
func (s *server) admin(ctx context.Context, database string) (*pgx.Conn, error) {
	c, err := dial(ctx, "postgres", password, "record", serverAddr, database)
	if err != nil {
		return nil, fmt.Errorf("connect as superuser: %w", err)
	}
	return c, nil
}
