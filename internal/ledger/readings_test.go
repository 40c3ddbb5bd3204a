package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/ledger"
	"vigil/internal/series"
)

func readingAt(minute int, source string, n int64) series.Reading {
	return series.Reading{Start: start.Add(time.Duration(minute) * time.Minute), Source: source, Values: map[string]int64{series.SourceEvents: n}}
}

// Readings wait until they are written, the newest of each minute, and the oldest give
// way when the spool is full.
func TestReadingsWait(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{Spool: true}, ledger.Options{})
	note := func(readings ...series.Reading) {
		t.Helper()
		if err := l.Note(t.Context(), readings); err != nil {
			t.Fatal(err)
		}
	}
	waiting := func(want ...series.Reading) series.Token {
		t.Helper()
		d, err := l.DirtyPoints(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, d.Readings); diff != "" {
			t.Errorf("waiting (-want +got):\n%s", diff)
		}
		return d.Token
	}
	note(readingAt(1, "", 1), readingAt(1, "pg", 2), readingAt(0, "pg", 1))
	if err := l.WaitDirty(t.Context()); err != nil {
		t.Fatal(err)
	}
	token := waiting(readingAt(0, "pg", 1), readingAt(1, "", 1), readingAt(1, "pg", 2))
	note(readingAt(1, "pg", 3)) // while the others are being written
	if err := l.MarkWritten(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	waiting(readingAt(1, "pg", 3))

	note(readingAt(2, "", 1), readingAt(2, "pg", 1), readingAt(3, "", 1), readingAt(4, "", 1))
	dropped, err := l.DropDirty(t.Context(), 2)
	if err != nil || dropped != 2 {
		t.Errorf("dropped %d windows, error %v; want 2", dropped, err)
	}
	waiting(readingAt(3, "", 1), readingAt(4, "", 1))
	if stats, err := l.Stats(t.Context()); err != nil || stats.DirtyWindows != 2 || stats.DroppedWindows != 2 {
		t.Errorf("stats %+v, error %v", stats, err)
	}
	if _, err := l.Prune(t.Context(), start.Add(10*365*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	waiting()
}

// Without an outside to write to nothing piles up.
func TestReadingsOfNoUse(t *testing.T) {
	t.Parallel()
	l := open(t, ledger.Config{}, ledger.Options{})
	if err := l.Note(t.Context(), []series.Reading{readingAt(0, "", 1)}); err != nil {
		t.Fatal(err)
	}
	if d, err := l.DirtyPoints(t.Context(), 100); err != nil || len(d.Readings) > 0 {
		t.Errorf("waiting %v, error %v", d.Readings, err)
	}
}

// An entry that is not judged waits since it was accepted.
func TestJudgingLag(t *testing.T) {
	t.Parallel()
	clock := start
	l := open(t, ledger.Config{}, ledger.Options{Now: func() time.Time { return clock }})
	lag := func() time.Duration {
		t.Helper()
		d, err := l.JudgingLag(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := lag(); d != 0 {
		t.Errorf("an empty log lags by %s", d)
	}
	var seq uint64
	for range 2 {
		var err error
		if seq, err = l.AcceptTick(t.Context(), vigil.Tick{Watermark: start}); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(time.Minute)
	}
	if d := lag(); d != 2*time.Minute {
		t.Errorf("lag %s, want 2m", d)
	}
	if err := l.Apply(t.Context(), ledger.Applied{From: 1, Seq: seq}); err != nil {
		t.Fatal(err)
	}
	if d := lag(); d != 0 {
		t.Errorf("a judged log lags by %s", d)
	}
}
