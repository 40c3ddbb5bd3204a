package ledger_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"vigil/collectors"
	"vigil/internal/ledger"
)

func batch(from, n int) collectors.Batch {
	return collectors.Batch{Source: "pg", Position: []byte(fmt.Sprint(from + n)), Events: traffic(from, n)}
}

func TestBelowTheFloorItRefusesAndRecovers(t *testing.T) {
	t.Parallel()
	var free atomic.Int64
	free.Store(1 << 40)
	l := open(t, ledger.Config{}, ledger.Options{Free: func(string) (int64, error) { return free.Load(), nil }})
	accept(t, l, 0, 10)
	free.Store(60 << 20)
	_, _, err := l.Accept(t.Context(), batch(10, 10))
	var full *ledger.FullError
	if !errors.As(err, &full) || full.Free != 60<<20 || full.Floor != 64<<20 || !full.Retryable() {
		t.Fatalf("error %v, want a FullError", err)
	}
	// What is there is still judged, from the reserve.
	applyAll(t, l)
	free.Store(1 << 40)
	accept(t, l, 10, 10)
	if got := events(t, l); len(got) != 20 {
		t.Errorf("%d events, want 20", len(got))
	}
}

// TestFullDisk fills a small file system for real, below the floor and down to
// its last byte.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for name, floor := range map[string]int64{"floor": 4 << 20, "last byte": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
				t.Skipf("SKIPPED, NOT TESTED: a small file system can't be mounted here (%v); run as root", err)
			}
			t.Cleanup(func() {
				if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
					t.Error(err)
				}
			})
			l := open(t, ledger.Config{Dir: filepath.Join(dir, "ledger"), MinFree: floor}, ledger.Options{})
			filler := filepath.Join(dir, "filler")
			accepted := 0
			fill := func() bool {
				t.Helper()
				for range 400 {
					_, _, err := l.Accept(t.Context(), batch(accepted, 1000))
					var full *ledger.FullError
					if errors.As(err, &full) {
						return true
					}
					if err != nil {
						t.Fatalf("after %d events: %v", accepted, err)
					}
					accepted += 1000
				}
				return false
			}
			for round := range 3 {
				if err := os.WriteFile(filler, make([]byte, (12+round)<<20), 0o600); err != nil && !errors.Is(err, unix.ENOSPC) {
					t.Fatal(err)
				}
				if !fill() {
					t.Fatal("the disk never filled")
				}
				// Judging may need a little room too; refused or not, nothing is lost.
				applied := l.Applied()
				if err := l.Apply(t.Context(), ledger.Applied{From: applied + 1, Seq: l.Last()}); err != nil {
					var full *ledger.FullError
					if !errors.As(err, &full) || l.Applied() != applied {
						t.Fatalf("apply on a full disk: %v, applied %d", err, l.Applied())
					}
				}
				if err := os.Remove(filler); err != nil {
					t.Fatal(err)
				}
				applyAll(t, l)
				accept(t, l, accepted, 100)
				accepted += 100
			}
			if got := events(t, l); len(got) != accepted {
				t.Errorf("%d events, %d were accepted", len(got), accepted)
			}
			if damage, err := l.Verify(t.Context()); len(damage) > 0 || err != nil {
				t.Errorf("damage %v, error %v", damage, err)
			}
		})
	}
}
