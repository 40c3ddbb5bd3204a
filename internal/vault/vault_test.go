package vault_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vigil/internal/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

func open(t testing.TB, dir, key string, c *clock) *vault.Vault {
	t.Helper()
	v, err := vault.Open(t.Context(), vault.Config{Dir: dir, Key: []byte(key)}, vault.Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func shut(t testing.TB, v *vault.Vault) {
	t.Helper()
	if err := v.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

func name(t *testing.T, v *vault.Vault, pseudonym string) string {
	t.Helper()
	n, err := v.Name(t.Context(), pseudonym)
	if err != nil {
		t.Fatalf("%s: %v", pseudonym, err)
	}
	return n
}

const key = "a key of the tests, long enough"

func TestWhatWasSeenLeadsBack(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &clock{at: start}
	v := open(t, dir, key, c)
	long := strings.Repeat("x", vault.MaxName)
	v.Saw("actor-1", "ann@example.com")
	v.Saw("actor-1", "ann@example.com")
	v.Saw("subject-1", "ann@example.com")
	v.Saw("subject-2", long)
	v.Saw("subject-3", long+"x")
	v.Saw("", "nobody")
	v.Saw("subject-4", "")
	if got := name(t, v, "actor-1"); got != "ann@example.com" {
		t.Errorf("actor-1 is %q", got)
	}
	shut(t, v)
	v = open(t, dir, key, c)
	defer shut(t, v)
	if got := name(t, v, "subject-2"); got != long {
		t.Errorf("subject-2 has %d bytes", len(got))
	}
	for _, p := range []string{"subject-3", "subject-4", "", "actor-9"} {
		if _, err := v.Name(t.Context(), p); !errors.Is(err, vault.ErrUnknown) {
			t.Errorf("%q: %v", p, err)
		}
	}
	if n, err := v.Count(t.Context()); err != nil || n != 3 {
		t.Errorf("%d names, %v; want 3", n, err)
	}
}

func TestAnotherKeyOpensNothing(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &clock{at: start}
	v := open(t, dir, key, c)
	v.Saw("actor-1", "ann")
	v.Saw("actor-2", "bo")
	shut(t, v)
	v = open(t, dir, "another key of the tests", c)
	if _, err := v.Name(t.Context(), "actor-1"); !errors.Is(err, vault.ErrKey) {
		t.Errorf("under another key: %v", err)
	}
	v.Saw("actor-1", "ann") // seen again, it is kept anew under the key in force
	if got := name(t, v, "actor-1"); got != "ann" {
		t.Errorf("seen again it is %q", got)
	}
	shut(t, v)
	if _, err := vault.Open(t.Context(), vault.Config{Dir: dir, Key: []byte("short")}, vault.Options{}); err == nil {
		t.Error("a short key was taken")
	}
}

// TestTheFileTellsNoName looks for names in all that lies on disk, while it is open and after.
func TestTheFileTellsNoName(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &clock{at: start}
	v := open(t, dir, key, c)
	for i := range 1_000 {
		v.Saw(fmt.Sprint("actor-", i), fmt.Sprint("canary-", i, "@example.com"))
	}
	name(t, v, "actor-7")
	look := func() {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(data, []byte("canary")) {
				t.Errorf("%s holds a name in the clear", f)
			}
			info, err := os.Stat(f)
			if err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: mode %v, %v", f, info.Mode(), err)
			}
		}
	}
	look()
	shut(t, v)
	look()
}

func TestWhoIsNotSeenGoes(t *testing.T) {
	t.Parallel()
	c := &clock{at: start}
	v := open(t, t.TempDir(), key, c)
	defer shut(t, v)
	v.Saw("actor-gone", "ann")
	v.Saw("actor-here", "bo")
	name(t, v, "actor-gone")
	const day = 24 * time.Hour
	for range 3 {
		c.add(10 * day)
		name(t, v, "actor-here") // the day turns when something is written or read
		v.Saw("actor-here", "bo")
		name(t, v, "actor-here")
	}
	if n, err := v.Prune(t.Context(), c.now().Add(-20*day)); err != nil || n != 1 {
		t.Errorf("%d pruned, %v; want 1", n, err)
	}
	if _, err := v.Name(t.Context(), "actor-gone"); !errors.Is(err, vault.ErrUnknown) {
		t.Errorf("it is still there: %v", err)
	}
	name(t, v, "actor-here")
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	v := open(t, t.TempDir(), key, &clock{at: start})
	defer shut(t, v)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 2_000 {
				v.Saw(fmt.Sprint("subject-", i), fmt.Sprint("c-", i))
				if i%500 == w {
					_, _ = v.Name(t.Context(), fmt.Sprint("subject-", i))
				}
			}
		})
	}
	wg.Wait()
	name(t, v, "subject-1999")
	if n, err := v.Count(t.Context()); err != nil || n != 2_000 {
		t.Errorf("%d names, %v; want 2000", n, err)
	}
}

// TestAFailureIsMadeUpFor shows that what could not be written waits until it can.
func TestAFailureIsMadeUpFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v := open(t, dir, key, &clock{at: start})
	defer shut(t, v)
	v.Saw("actor-1", "ann")
	name(t, v, "actor-1")
	db, err := sql.Open("sqlite", filepath.Join(dir, vault.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rename := func(from, to string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
			t.Fatal(err)
		}
	}
	rename("name", "away")
	v.Saw("actor-2", "bo")
	if _, err := v.Name(t.Context(), "actor-2"); err == nil {
		t.Fatal("it was written to a table that is not there")
	}
	rename("away", "name")
	if got := name(t, v, "actor-2"); got != "bo" {
		t.Errorf("after the failure it is %q", got)
	}
}

func BenchmarkSawAgain(b *testing.B) {
	v := open(b, b.TempDir(), key, &clock{at: start})
	defer shut(b, v)
	ids := make([]string, 10_000)
	for i := range ids {
		ids[i] = fmt.Sprint("subject-", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		v.Saw(ids[i%len(ids)], "somebody")
	}
}

func BenchmarkWrite(b *testing.B) {
	v := open(b, b.TempDir(), key, &clock{at: start})
	defer shut(b, v)
	n := 0
	for b.Loop() {
		for range 10_000 {
			n++
			v.Saw(fmt.Sprint("subject-", n*7919), fmt.Sprint("customer-", n, "@example.com"))
		}
		_, _ = v.Name(b.Context(), "subject-1")
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "names/s")
}
