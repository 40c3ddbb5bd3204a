package file_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/alertstest"
	"vigil/alerts/ocsf/file"
)

func notifier(t testing.TB, cfg file.Config, opts file.Options) *file.Notifier {
	t.Helper()
	n, err := file.New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

func tell(t testing.TB, n *file.Notifier, m alerts.Message) string {
	t.Helper()
	receipt, err := n.Notify(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// uids are those of the events in files, in order. Each line must be one.
func uids(t testing.TB, paths ...string) (out []string) {
	t.Helper()
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var e struct{ Metadata struct{ UID string } }
			if err := json.Unmarshal(line, &e); err != nil || e.Metadata.UID == "" || line[len(line)-1] != '\n' {
				t.Errorf("%s: %.60q is no event: %v", p, line, err)
			}
			out = append(out, e.Metadata.UID)
		}
	}
	return out
}

func message(i int) alerts.Message {
	f := alertstest.Export()
	f.ID = fmt.Sprintf("f-%03d", i)
	return alertstest.Message(f)
}

func list(t testing.TB, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// TestTells: each sample that a SIEM is told is a line, and the rest none.
func TestTells(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "findings.jsonl")
	n := notifier(t, file.Config{Path: path}, file.Options{Name: "siem", Console: alertstest.Console})
	var want []string
	for name, m := range alertstest.Samples() {
		receipt := tell(t, n, m)
		silent := m.Kind == alerts.KindDigest || m.Kind == alerts.KindNotice && m.Notice.Severity == ""
		if silent != (receipt == "") {
			t.Errorf("%s: receipt %q", name, receipt)
		}
		if receipt != "" {
			want = append(want, receipt)
		}
	}
	for i, text := range alertstest.Injections() {
		m := alertstest.Message(alertstest.Evil(text))
		m.ID = fmt.Sprintf("injection-%d", i)
		want = append(want, tell(t, n, m))
	}
	if got := uids(t, path); !slices.Equal(got, want) {
		t.Errorf("got %d events %q, want %d", len(got), got, len(want))
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || n.Name() != "siem" {
		t.Errorf("mode %v, %v; name %q", info.Mode(), err, n.Name())
	}
}

// TestMoved: whatever others do to the file, the next event is in the one at the path, and
// none is lost.
func TestMoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, moved := filepath.Join(dir, "f"), filepath.Join(dir, "moved")
	n := notifier(t, file.Config{Path: path}, file.Options{})
	tell(t, n, message(1))
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	tell(t, n, message(2))
	if got := uids(t, moved, path); len(got) != 2 {
		t.Errorf("after a rename: %q", got)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("the successor has mode %v", info.Mode())
	}
	// As logrotate does with "create".
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tell(t, n, message(3))
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o644 {
		t.Errorf("a file that was there has mode %v", info.Mode())
	}
	if got := uids(t, moved, path); len(got) != 2 {
		t.Errorf("after a rename with a new file: %q", got)
	}
	// As logrotate does with "copytruncate".
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	tell(t, n, message(4))
	if got := uids(t, path); len(got) != 1 || !strings.HasPrefix(got[0], "f-004") {
		t.Errorf("after it was cut back: %q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	tell(t, n, message(5))
	if got := uids(t, path); len(got) != 1 {
		t.Errorf("after it was removed: %q", got)
	}
}

// TestRotation: by size and by day, each event once, only so many files, all of them 0600.
func TestRotation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f.jsonl")
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(23 * time.Hour)
	opts := file.Options{Now: func() time.Time { return now }}
	n := notifier(t, file.Config{Path: path, RotateBytes: 1, Keep: 3}, opts)
	bystander := filepath.Join(dir, "f.jsonl.20260101T000000Z.gz")
	if err := os.WriteFile(bystander, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		tell(t, n, message(i))
	}
	stamp := "f.jsonl." + now.Format("20060102T150405.00000000")
	want := []string{"f.jsonl", "f.jsonl.20260101T000000Z.gz", stamp + "2Z", stamp + "3Z", stamp + "4Z"}
	if got := list(t, dir); !slices.Equal(got, want) {
		t.Fatalf("files %q, want %q", got, want)
	}
	for _, name := range want {
		if info, _ := os.Stat(filepath.Join(dir, name)); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if got := uids(t, filepath.Join(dir, want[2]), filepath.Join(dir, want[3]), filepath.Join(dir, want[4]), path); len(got) != 4 || !strings.HasPrefix(got[3], "f-005") {
		t.Errorf("events %q", got)
	}

	path = filepath.Join(t.TempDir(), "f")
	n = notifier(t, file.Config{Path: path}, opts)
	tell(t, n, message(1))
	now = now.Add(59 * time.Minute)
	tell(t, n, message(2))
	if got := list(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("within a day: %q", got)
	}
	// Also when the program was started anew in between, and only with the first event.
	_ = n.Close()
	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Minute)
	n = notifier(t, file.Config{Path: path}, opts)
	if err := n.Check(t.Context()); err != nil || len(list(t, filepath.Dir(path))) != 1 {
		t.Errorf("a check set the file aside: %v", err)
	}
	tell(t, n, message(3))
	tell(t, n, message(4))
	if got := list(t, filepath.Dir(path)); len(got) != 2 || len(uids(t, path)) != 2 {
		t.Errorf("on the next day: %q", got)
	}
	now = now.Add(72 * time.Hour)
	off := notifier(t, file.Config{Path: path, RotateBytes: -1, RotateEvery: -1}, opts)
	tell(t, off, message(5))
	if got := list(t, filepath.Dir(path)); len(got) != 2 {
		t.Errorf("with rotation off: %q", got)
	}
}

// TestTorn: a line that a kill cut off does not spoil the next one.
func TestTorn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	n := notifier(t, file.Config{Path: path}, file.Options{})
	tell(t, n, message(1))
	_ = n.Close()
	text, _ := os.ReadFile(path)
	if err := os.WriteFile(path, append(text, text[:len(text)/2]...), 0o600); err != nil {
		t.Fatal(err)
	}
	tell(t, n, message(2))
	text, _ = os.ReadFile(path)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != 3 || json.Valid([]byte(lines[1])) || !json.Valid([]byte(lines[0])) || !json.Valid([]byte(lines[2])) {
		t.Errorf("%d lines", len(lines))
	}
}

// TestFails: what can't be written is to be tried again, and is told when it can.
func TestFails(t *testing.T) {
	t.Parallel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	must(syscall.Mkfifo(pipe, 0o600))
	plain := filepath.Join(dir, "plain")
	must(os.WriteFile(plain, nil, 0o600))
	for _, path := range []string{filepath.Join(dir, "none", "f"), dir, pipe, filepath.Join(plain, "f"), "/dev/full", "a\x00b"} {
		n := notifier(t, file.Config{Path: path}, file.Options{})
		_, err := n.Notify(t.Context(), message(1))
		var retry *alerts.RetryError
		if !errors.As(err, &retry) || n.Check(t.Context()) == nil {
			t.Errorf("%q: %v, check %v", path, err, n.Check(t.Context()))
		}
	}
	late := filepath.Join(dir, "late", "f")
	n := notifier(t, file.Config{Path: late}, file.Options{})
	if _, err := n.Notify(t.Context(), message(1)); err == nil {
		t.Error("no error")
	}
	must(os.Mkdir(filepath.Dir(late), 0o700))
	tell(t, n, message(1))
	if len(uids(t, late)) != 1 {
		t.Error("not told afterwards")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var retry *alerts.RetryError
	if _, err := n.Notify(ctx, message(2)); !errors.As(err, &retry) || len(uids(t, late)) != 1 {
		t.Errorf("cancelled before: %v", err)
	}
}

// TestDiskFull: a write that fails in the middle leaves no half event that the next one
// would join.
func TestDiskFull(t *testing.T) {
	// Not in parallel: the limit is the process's.
	path := filepath.Join(t.TempDir(), "f")
	n := notifier(t, file.Config{Path: path}, file.Options{})
	tell(t, n, message(1))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	limit := was
	limit.Cur = uint64(info.Size()) + 100
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Skipf("NOT CHECKED: no limit can be set: %v", err)
	}
	_, err = n.Notify(t.Context(), message(2))
	var retry *alerts.RetryError
	_ = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was)
	if !errors.As(err, &retry) || !retry.InDoubt {
		t.Errorf("a write that fails: %v", err)
	}
	tell(t, n, message(2))
	text, _ := os.ReadFile(path)
	var good []string
	for line := range bytes.Lines(text) {
		if json.Valid(line) {
			good = append(good, string(line))
		}
	}
	if len(good) != 2 || strings.Count(string(text), "\n") != 3 {
		t.Errorf("%d events in %d lines", len(good), strings.Count(string(text), "\n"))
	}
}

// TestTogether: lines of several callers do not mix, also where the file is set aside
// meanwhile.
func TestTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := notifier(t, file.Config{Path: filepath.Join(dir, "f"), RotateBytes: 20_000, Keep: -1, Sync: file.SyncNever}, file.Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				if _, err := n.Notify(t.Context(), message(100*i+j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var paths []string
	for _, name := range list(t, dir) {
		paths = append(paths, filepath.Join(dir, name))
	}
	got := uids(t, paths...)
	slices.Sort(got)
	if len(got) != 80 || len(slices.Compact(got)) != 80 || len(paths) < 3 {
		t.Errorf("%d events in %d files", len(got), len(paths))
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, cfg := range []file.Config{{}, {Path: "f", Sync: "sometimes"}, {Path: "f", MaxBytes: 5}, {Path: "f", RotateEvery: time.Second}} {
		if _, err := file.New(cfg, file.Options{}); err == nil || !strings.HasPrefix(err.Error(), "siem file: ") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	n := notifier(t, file.Config{Path: filepath.Join(t.TempDir(), "f")}, file.Options{})
	if err := n.Check(t.Context()); err != nil || n.Name() != "siem-file" {
		t.Errorf("%v, name %q", err, n.Name())
	}
}
