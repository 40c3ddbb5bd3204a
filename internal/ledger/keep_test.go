package ledger_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"vigil"
	"vigil/internal/ledger"
)

// sqlExec does to a closed ledger what only a broken disk or an intruder would.
func sqlExec(t testing.TB, dir, query string, args ...any) error {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(t.Context(), query, args...)
	return err
}

func mustExec(t testing.TB, dir, query string, args ...any) {
	t.Helper()
	if err := sqlExec(t, dir, query, args...); err != nil {
		t.Fatal(err)
	}
}

func flip(t testing.TB, dir, table, column, where string) {
	t.Helper()
	mustExec(t, dir, fmt.Sprintf(`UPDATE %[1]s SET %[2]s = CAST(substr(%[2]s, 1, length(%[2]s)/2) || x'5a5a' || substr(%[2]s, length(%[2]s)/2 + 3) AS BLOB) WHERE %[3]s`, table, column, where))
}

func TestSealingChangesNothingButTheForm(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir(), SegmentEvents: 1000}
	l := open(t, cfg, ledger.Options{})
	for i := range 25 {
		accept(t, l, i*100, 100)
		if _, err := l.AcceptTick(t.Context(), vigil.Tick{Watermark: start.Add(time.Duration(i) * time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Apply(t.Context(), ledger.Applied{From: 1, Seq: 40}); err != nil {
		t.Fatal(err)
	}
	queries := map[string]ledger.EventQuery{
		"actor":   {Actor: "agent-07", Limit: 1000},
		"subject": {Subject: traffic(17, 1)[0].Subjects[0], Limit: 1000},
		"page":    {Offset: 990, Limit: 50},
		"hour":    {From: start.Add(time.Minute), To: start.Add(3 * time.Minute), Limit: 3000},
		"session": {Session: "s-3"},
		"nobody":  {Actor: "nobody"},
		"source":  {Source: "other"},
		"members": {Actors: []string{"agent-07", "nobody", "agent-08"}, Limit: 1000},
		"network": {Network: traffic(17, 1)[0].Network, Limit: 1000},
		"nowhere": {Network: "nowhere"},
	}
	before := map[string]ledger.EventPage{}
	for name, q := range queries {
		page, err := l.Events(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		before[name] = page
	}
	if len(before["actor"].Events) == 0 || len(before["members"].Events) <= len(before["actor"].Events) || before["nowhere"].Total != 0 || before["page"].Total != 2500 || !before["page"].More || len(before["page"].Events) != 50 {
		t.Fatalf("queries before sealing: %d by the actor; page of %d, total %d", len(before["actor"].Events), len(before["page"].Events), before["page"].Total)
	}
	timeline, err := l.Timeline(t.Context(), ledger.EventQuery{Actor: "agent-07", From: start, To: start.Add(10 * time.Minute)}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	log := events(t, l)
	sealed, err := l.SealAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sealed != (ledger.Sealed{Segments: 2, Batches: 20, Events: 2000}) {
		t.Errorf("sealed %+v: only what is judged, in segments of 1,000", sealed)
	}
	check := func(when string) {
		t.Helper()
		if diff := cmp.Diff(log, events(t, l)); diff != "" {
			t.Errorf("%s: log (-before +after):\n%.2000s", when, diff)
		}
		for name, q := range queries {
			page, err := l.Events(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before[name], page); diff != "" {
				t.Errorf("%s: %s (-before +after):\n%.2000s", when, name, diff)
			}
		}
		again, err := l.Timeline(t.Context(), ledger.EventQuery{Actor: "agent-07", From: start, To: start.Add(10 * time.Minute)}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(timeline, again); diff != "" {
			t.Errorf("%s: timeline (-before +after):\n%s", when, diff)
		}
	}
	check("sealed")
	l = reopen(t, l, cfg)
	check("reopened")
	if damage, err := l.Verify(t.Context()); len(damage) > 0 || err != nil {
		t.Errorf("damage %v, error %v", damage, err)
	}
}

func TestSealWaitsForAgeAndSize(t *testing.T) {
	t.Parallel()
	clock := start
	l := open(t, ledger.Config{SegmentEvents: 1000, MaxBatches: 20, SealAfter: 5 * time.Minute, SealMaxAge: time.Hour},
		ledger.Options{Now: func() time.Time { return clock }})
	seal := func(at time.Time) int {
		t.Helper()
		applyAll(t, l)
		s, err := l.Seal(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		return s.Batches
	}
	accept(t, l, 0, 999)
	if n := seal(clock.Add(30 * time.Minute)); n != 0 {
		t.Errorf("%d batches sealed that fill no segment", n)
	}
	accept(t, l, 999, 1)
	if n := seal(clock.Add(time.Minute)); n != 0 {
		t.Errorf("%d young batches sealed", n)
	}
	if n := seal(clock.Add(10 * time.Minute)); n != 2 {
		t.Errorf("%d batches sealed, want the 2 that fill a segment", n)
	}
	accept(t, l, 1000, 1)
	if n := seal(clock.Add(time.Hour)); n != 1 {
		t.Errorf("%d old batches sealed, want 1", n)
	}
	for i := range 21 {
		accept(t, l, 2000+i, 1)
	}
	if n := seal(clock); n != 20 {
		t.Errorf("%d of too many batches sealed, want 20", n)
	}
}

// TestWhatACrashLeftIsCleared has a segment that was begun and one that was let
// go of, each with its file still there.
func TestWhatACrashLeftIsCleared(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir()}
	l := open(t, cfg, ledger.Options{})
	accept(t, l, 0, 10)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"writing", "doomed"} {
		mustExec(t, cfg.Dir, `INSERT INTO segment (key, state, first_seq, last_seq) VALUES (?, ?, 1, 1)`, state+".parquet", state)
		if err := os.WriteFile(filepath.Join(cfg.Dir, "evidence", state+".parquet"), []byte("PAR1"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l = open(t, cfg, ledger.Options{})
	left, err := os.ReadDir(filepath.Join(cfg.Dir, "evidence"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if got := events(t, l); len(got) != 10 {
		t.Errorf("%d events, want 10", len(got))
	}
}

func TestSnapshotsAreIncremental(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir(), Snapshots: 2}
	l := open(t, cfg, ledger.Options{})
	for i := range 4 {
		accept(t, l, i, 1)
	}
	applyAll(t, l)
	if _, ok, err := l.LoadSnapshot(t.Context()); ok || err != nil {
		t.Fatalf("a snapshot where there is none (%v)", err)
	}
	part := func(name, data string) ledger.SnapshotPart {
		return ledger.SnapshotPart{Name: name, Data: []byte(data)}
	}
	save := func(s ledger.Snapshot) {
		t.Helper()
		if err := l.SaveSnapshot(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	load := func(want ledger.Snapshot) {
		t.Helper()
		got, ok, err := l.LoadSnapshot(t.Context())
		if err != nil || !ok {
			t.Fatalf("load: %v, error %v", ok, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("snapshot (-want +got):\n%s", diff)
		}
	}
	save(ledger.Snapshot{Seq: 1, Parts: []ledger.SnapshotPart{part("a", "a1"), part("b", "b1"), part("c", "")}})
	save(ledger.Snapshot{Seq: 2, Parts: []ledger.SnapshotPart{part("b", "b2"), {Name: "c"}}})
	load(ledger.Snapshot{Seq: 2, All: true, Parts: []ledger.SnapshotPart{part("a", "a1"), part("b", "b2")}})
	save(ledger.Snapshot{Seq: 3, Parts: []ledger.SnapshotPart{part("a", "a3")}})
	load(ledger.Snapshot{Seq: 3, All: true, Parts: []ledger.SnapshotPart{part("a", "a3"), part("b", "b2")}})
	for _, seq := range []uint64{3, 2, 5} {
		if err := l.SaveSnapshot(t.Context(), ledger.Snapshot{Seq: seq}); !errors.Is(err, ledger.ErrOrder) {
			t.Errorf("snapshot at %d: error %v, want ErrOrder", seq, err)
		}
	}
	// The newest version of a is damaged: the snapshot before takes its place, and
	// the next builds on that one.
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, cfg.Dir, "snapshot_part", "data", "name = 'a' AND seq = 3")
	l = open(t, cfg, ledger.Options{})
	load(ledger.Snapshot{Seq: 2, All: true, Parts: []ledger.SnapshotPart{part("a", "a1"), part("b", "b2")}})
	save(ledger.Snapshot{Seq: 4, Parts: []ledger.SnapshotPart{part("b", "b4")}})
	load(ledger.Snapshot{Seq: 4, All: true, Parts: []ledger.SnapshotPart{part("a", "a1"), part("b", "b4")}})

	// All are damaged: the log still begins at its beginning, so it is judged anew.
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, cfg.Dir, "snapshot_part", "data", "name = 'a'")
	l = open(t, cfg, ledger.Options{})
	if _, ok, err := l.LoadSnapshot(t.Context()); ok || err != nil {
		t.Fatalf("a snapshot of damaged parts: %v, error %v", ok, err)
	}
	save(ledger.Snapshot{Seq: 4, All: true, Parts: []ledger.SnapshotPart{part("z", "z")}})
	load(ledger.Snapshot{Seq: 4, All: true, Parts: []ledger.SnapshotPart{part("z", "z")}})
}

func TestPrune(t *testing.T) {
	t.Parallel()
	clock := start
	cfg := ledger.Config{Dir: t.TempDir(), Retention: 24 * time.Hour, SegmentEvents: 100}
	l := open(t, cfg, ledger.Options{Now: func() time.Time { return clock }})
	for i := range 3 {
		clock = start.Add(time.Duration(i) * 12 * time.Hour)
		accept(t, l, i*100, 100)
		applyAll(t, l)
		if _, err := l.SealAll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	prune := func() ledger.Pruned {
		t.Helper()
		p, err := l.Prune(t.Context(), clock.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := prune(); p.Segments != 0 {
		t.Errorf("pruned %+v without a snapshot at the cut", p)
	}
	if err := l.SaveSnapshot(t.Context(), ledger.Snapshot{Seq: 2, Parts: []ledger.SnapshotPart{{Name: "a", Data: []byte("a")}}}); err != nil {
		t.Fatal(err)
	}
	if p := prune(); p.Segments != 1 || p.Events != 100 || p.Early != 0 {
		t.Errorf("pruned %+v, want the one segment that is a day old", p)
	}
	if _, err := l.Entries(t.Context(), 0, 10); !errors.Is(err, ledger.ErrCut) {
		t.Errorf("error %v, want ErrCut", err)
	}
	entries, err := l.Entries(t.Context(), 1, 10)
	if err != nil || len(entries) != 2 || entries[0].Seq != 2 {
		t.Errorf("%d entries, error %v", len(entries), err)
	}
	files, err := os.ReadDir(filepath.Join(cfg.Dir, "evidence"))
	if err != nil || len(files) != 2 {
		t.Errorf("%d segment files are left (%v), want 2", len(files), err)
	}
	// The snapshot is damaged and the log is cut: nothing but a copy helps, and
	// that is said.
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, cfg.Dir, "snapshot_part", "data", "1")
	l = open(t, cfg, ledger.Options{})
	var damage *ledger.CorruptError
	if _, ok, err := l.LoadSnapshot(t.Context()); ok || !errors.As(err, &damage) {
		t.Errorf("loaded %v, error %v; want a CorruptError", ok, err)
	}
}

func TestPruneKeepsWithinTheSize(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{SegmentEvents: 1000, MaxBytes: 1 << 20}, ledger.Options{})
	for i := range 20 {
		from := i * 2000
		_, _, err := l.Accept(t.Context(), batch(from, 2000))
		var full *ledger.FullError
		if errors.As(err, &full) {
			if full.Max != 1<<20 || !full.Retryable() {
				t.Errorf("refused with %+v", full)
			}
			applyAll(t, l)
			if _, err := l.SealAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			stats, err := l.Stats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if stats.SnapshotSeq < stats.Applied {
				if err := l.SaveSnapshot(t.Context(), ledger.Snapshot{Seq: stats.Applied, Parts: []ledger.SnapshotPart{{Name: "a", Data: []byte("a")}}}); err != nil {
					t.Fatal(err)
				}
			}
			p, err := l.Prune(t.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if p.Early == 0 {
				t.Errorf("nothing was pruned early: %+v", p)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("the size was never reached")
}

// TestDamageIsNamedAndPassed flips bits in each kind of thing that is kept.
func TestDamageIsNamedAndPassed(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir(), SegmentEvents: 100}
	l := open(t, cfg, ledger.Options{})
	for i := range 6 {
		accept(t, l, i*100, 100)
	}
	if err := l.Apply(t.Context(), ledger.Applied{From: 1, Seq: 2, Findings: []vigil.Finding{finding("f-1", 1, 1), finding("f-2", 1, 2)}}); err != nil {
		t.Fatal(err)
	}
	if s, err := l.SealAll(t.Context()); err != nil || s.Segments != 2 {
		t.Fatalf("sealed %+v, error %v", s, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(cfg.Dir, "evidence", "*.parquet"))
	if err != nil || len(files) != 2 {
		t.Fatalf("segments %v (%v)", files, err)
	}
	slices.Sort(files)
	whole, err := os.ReadFile(files[1])
	if err != nil {
		t.Fatal(err)
	}
	whole[len(whole)/3] ^= 4
	if err := os.WriteFile(files[1], whole, 0o600); err != nil {
		t.Fatal(err)
	}
	flip(t, cfg.Dir, "body", "data", "seq = 4")
	mustExec(t, cfg.Dir, `UPDATE entry SET source = 'qg' WHERE seq = 5`)
	flip(t, cfg.Dir, "finding", "data", "id = 'f-2'")
	mustExec(t, cfg.Dir, `UPDATE source SET position = CAST('9' AS BLOB)`)

	l = open(t, cfg, ledger.Options{})
	damage, err := l.Verify(t.Context())
	if err != nil || len(damage) != 4 {
		t.Errorf("verify found %v (error %v), want entries 2, 4, 5 and finding f-2", damage, err)
	}
	var corrupt *ledger.CorruptError
	if _, err := l.Position(t.Context(), "pg"); !errors.As(err, &corrupt) {
		t.Errorf("position: error %v, want a CorruptError", err)
	}
	if _, err := l.Finding(t.Context(), "f-2"); !errors.As(err, &corrupt) || corrupt.What != "finding" {
		t.Errorf("finding: error %v, want a CorruptError", err)
	}
	page, err := l.Events(t.Context(), ledger.EventQuery{Limit: 1000})
	if err != nil || page.Total != 300 || page.Damaged != 3 {
		t.Errorf("events: %d, %d damaged, error %v; want 300 and 3", page.Total, page.Damaged, err)
	}
	var lost []uint64
	seq, seen := uint64(0), 0
	for seq < l.Last() {
		entries, err := l.Entries(t.Context(), seq, 10)
		if errors.As(err, &corrupt) {
			lost = append(lost, corrupt.Seq)
			if err := l.SetAside(t.Context(), corrupt.Seq, ""); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			seq, seen = e.Seq, seen+len(e.Events)
		}
	}
	if diff := cmp.Diff([]uint64{2, 4, 5}, lost); diff != "" || seen != 300 {
		t.Errorf("%d events came through; lost (-want +got):\n%s", seen, diff)
	}
	if err := l.SetAside(t.Context(), 1, "for fun"); err == nil {
		t.Error("a whole entry was set aside")
	}
	applyAll(t, l)
	accept(t, l, 600, 10)
	applyAll(t, l)
	if s, err := l.SealAll(t.Context()); err != nil || s.Batches != 3 {
		t.Errorf("sealed %+v, error %v: want the three whole ones", s, err)
	}
	stats, err := l.Stats(t.Context())
	if err != nil || stats.Damaged != 3 {
		t.Errorf("damaged %d, error %v; want 3", stats.Damaged, err)
	}
}

// TestMissingRow has the row of an entry vanish altogether.
func TestMissingRow(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir()}
	l := open(t, cfg, ledger.Options{})
	for i := range 3 {
		accept(t, l, i*10, 10)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	mustExec(t, cfg.Dir, `DELETE FROM entry WHERE seq = 2`)
	l = open(t, cfg, ledger.Options{})
	entries, err := l.Entries(t.Context(), 0, 10)
	if err == nil && len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	var corrupt *ledger.CorruptError
	if _, err := l.Entries(t.Context(), 1, 10); !errors.As(err, &corrupt) || corrupt.Seq != 2 {
		t.Fatalf("error %v, want entry 2 damaged", err)
	}
	if err := l.SetAside(t.Context(), 2, ""); err != nil {
		t.Fatal(err)
	}
	if got := events(t, l); len(got) != 20 {
		t.Errorf("%d events, want 20", len(got))
	}
}

// TestTornFiles cuts and flips the files themselves. Whatever SQLite makes of
// them, there is an error or a whole log, never a panic, and never a wrong event.
func TestTornFiles(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir()}
	l := open(t, cfg, ledger.Options{})
	for i := range 60 {
		accept(t, l, i*50, 50)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(cfg.Dir, "ledger.db")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]*vigil.Event{}
	for _, e := range traffic(0, 3000) {
		known[e.ID] = e
	}
	found := 0
	try := func(what string, damaged []byte) {
		t.Helper()
		for _, suffix := range []string{"-wal", "-shm"} {
			_ = os.Remove(name + suffix)
		}
		if err := os.WriteFile(name, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := ledger.Open(t.Context(), cfg, ledger.Options{})
		if err != nil {
			found++
			return
		}
		defer l.Close()
		before := found
		seq := uint64(0)
		for seq < l.Last() {
			entries, err := l.Entries(t.Context(), seq, 10)
			if err != nil {
				found = before + 1
				break
			}
			for _, e := range entries {
				seq = e.Seq
				for _, e := range e.Events {
					if diff := cmp.Diff(known[e.ID], e); diff != "" {
						t.Fatalf("%s gave a wrong event:\n%s", what, diff)
					}
				}
			}
		}
	}
	for i := range 60 {
		damaged := bytes.Clone(whole)
		at := (i*7919 + 4096) % len(whole)
		damaged[at] ^= 1 << (i % 8)
		try(fmt.Sprintf("bit flip at %d", at), damaged)
	}
	for i := 1; i < 8; i++ {
		try(fmt.Sprintf("cut at %d/8", i), whole[:len(whole)*i/8])
	}
	if found < 16 {
		t.Errorf("only %d of 67 damages showed; the blobs alone are half of the file", found)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	cfg := ledger.Config{Dir: t.TempDir()}
	if err := open(t, cfg, ledger.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	mustExec(t, cfg.Dir, `PRAGMA user_version = 999`)
	if l, err := ledger.Open(t.Context(), cfg, ledger.Options{}); err == nil {
		_ = l.Close()
		t.Error("a ledger of a newer schema was opened")
	}
}
