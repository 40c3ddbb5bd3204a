package ledger_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors"
	"vigil/internal/ledger"
)

// reader opens a ledger for reading until the test ends.
func reader(t *testing.T, cfg ledger.Config) *ledger.Ledger {
	t.Helper()
	l, err := ledger.OpenReader(t.Context(), cfg, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// whole reads the log from an entry on.
func whole(t *testing.T, l *ledger.Ledger, after uint64) (all []vigil.Entry) {
	t.Helper()
	for {
		entries, err := l.Entries(t.Context(), after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return all
		}
		after = entries[len(entries)-1].Seq
		all = append(all, entries...)
	}
}

// A reader beside the writer sees the log as it was when it opened, sealed or not, and
// disturbs nothing.
func TestReaderBesideTheWriter(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir(), SegmentEvents: 100}
	l := open(t, cfg, ledger.Options{})
	accept := func(from, n int) uint64 {
		t.Helper()
		seq, _, err := l.Accept(t.Context(), collectors.Batch{Source: "pg", Events: traffic(from, n)})
		if err != nil {
			t.Fatal(err)
		}
		return seq
	}
	accept(0, 60)
	if _, err := l.AcceptControl(t.Context(), vigil.Control{Type: vigil.ControlFacts, Data: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	last := accept(60, 60)
	if err := l.Apply(t.Context(), ledger.Applied{From: 1, Seq: last}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.SealAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	last = accept(120, 10)
	// What the writer is about to finish.
	half := filepath.Join(cfg.Dir, "evidence", "events-1.parquet.1.tmp")
	if err := os.WriteFile(half, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := reader(t, cfg)
	accept(200, 10)
	if diff := cmp.Diff(whole(t, l, 0)[:last], whole(t, r, 0)); diff != "" {
		t.Error(diff)
	}
	if _, _, err := r.Accept(t.Context(), collectors.Batch{Source: "pg", Events: traffic(300, 1)}); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("accept: %v", err)
	}
	if _, err := r.Audit(t.Context(), ledger.AuditRecord{Who: "x", What: "y"}); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("audit: %v", err)
	}
	if s, err := r.Stats(t.Context()); err != nil || s.Last != last || s.Applied != 3 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := os.Stat(half); err != nil {
		t.Errorf("what the writer had begun: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	accept(400, 10)
	// With the writer gone it is all there.
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(whole(t, reader(t, cfg), 0)); got != 6 {
		t.Errorf("%d entries, want 6", got)
	}
}

func TestReaderRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	nowhere := filepath.Join(t.TempDir(), "none")
	if _, err := ledger.OpenReader(t.Context(), ledger.Config{Dir: nowhere}, ledger.Options{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "holds no log") {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := os.Stat(nowhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was made: %v", err)
	}
	cfg := ledger.Config{Dir: t.TempDir()}
	if err := open(t, cfg, ledger.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{"1": "start vigil serve", "999": "a newer vigil wrote it"} {
		mustExec(t, cfg.Dir, `PRAGMA user_version = `+version)
		if l, err := ledger.OpenReader(t.Context(), cfg, ledger.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("schema %s: %v", version, err)
			if l != nil {
				_ = l.Close()
			}
		}
	}
}
