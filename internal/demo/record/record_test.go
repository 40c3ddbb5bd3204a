package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"vigil/internal/demo"
)

// TestMain lets the test binary be the program that it tests: recording runs
// itself again inside a namespace.
func TestMain(m *testing.M) {
	if inNamespace() {
		if err := run(context.Background(), os.Args[1:], os.Stderr); err != nil {
			os.Stderr.WriteString("record: " + err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// needServer skips where nothing can be recorded.
func needServer(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: recording needs root, for a network namespace")
	}
	for _, f := range []string{"/usr/lib/postgresql/15/bin/initdb", "/usr/lib/postgresql/15/lib/pgaudit.so"} {
		if _, err := os.Stat(f); err != nil {
			t.Skipf("SKIPPED: recording needs PostgreSQL 15 with pgaudit: %v: install postgresql-15 and postgresql-15-pgaudit", err)
		}
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("SKIPPED: recording needs the program ip: install iproute2")
	}
	probe := exec.Command("unshare", "--net", "--mount", "true")
	if out, err := probe.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: namespaces are not permitted here: %v: %s", err, out)
	}
}

func TestRecordOneDay(t *testing.T) {
	t.Parallel()
	needServer(t)
	dir := t.TempDir()
	var said bytes.Buffer
	err := run(t.Context(), []string{"-out", dir, "-days", "1", "-agents", "3", "-level", "3", "-quiet", "-keep", filepath.Join(dir, "plain.log")}, &said)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.Bytes())
	}
	f, err := os.Open(filepath.Join(dir, demo.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dec, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	var log bytes.Buffer
	if _, err := log.ReadFrom(dec); err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(filepath.Join(dir, "plain.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(plain, log.Bytes()) {
		t.Error("the archive holds something else than the plain log")
	}
	key, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth demo.Truth
	if err := json.Unmarshal(key, &truth); err != nil {
		t.Fatal(err)
	}
	if n := int64(bytes.Count(log.Bytes(), []byte("\n"))); n != truth.Lines {
		t.Errorf("%d lines, the key says %d", n, truth.Lines)
	}
	_, _, want := rehearse(t, "-days", "1", "-agents", "3")
	if truth.Statements != want.Statements || truth.Digest != want.Digest {
		t.Errorf("%d statements (%s) were sent, the rehearsal had %d (%s)", truth.Statements, truth.Digest, want.Statements, want.Digest)
	}
	for line := range strings.Lines(log.String()) {
		if !strings.HasPrefix(line, "2026-11-03 ") && !strings.HasPrefix(line, "\t") {
			t.Fatalf("a line is outside the day: %q", line)
		}
	}
	for _, s := range []string{"AUDIT: SESSION", "user=bot_chat", "client=198.51.100.23", "connection authorized: user=emea.maria", "READ,COPY,,,COPY public.messages TO STDOUT"} {
		if !strings.Contains(log.String(), s) {
			t.Errorf("the log holds no %q", s)
		}
	}
	if strings.Contains(log.String(), password) {
		t.Error("the log holds the password")
	}
}

func TestNothingIsWrittenWhenTheServerIsMissing(t *testing.T) {
	t.Parallel()
	needServer(t)
	dir := t.TempDir()
	var said bytes.Buffer
	err := run(t.Context(), []string{"-out", dir, "-pgbin", dir}, &said)
	if err == nil || !strings.Contains(said.String(), "postgresql-15") {
		t.Errorf("got %v and %q, want an error that says what to install", err, said.String())
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
