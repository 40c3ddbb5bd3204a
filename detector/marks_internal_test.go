package detector

import (
	"fmt"
	"math"
	"testing"

	"vigil/detector/features"
)

const markedDay = int64(20_000) * 24 * hourNanos

func TestAMarkKeepsWhatItSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		known int64
		lane  features.Lane
		r     float64
	}{{0, features.Quarter, 0.5}, {3, features.Day, 40}, {900, features.Week, 1e15}, {0, features.Week, 9}} {
		seen := markedDay + 5*hourNanos
		s := newMarks(100)
		s.put("k", newMark(seen-c.known*24*hourNanos, seen, c.lane, c.r))
		if _, ok := s.take("other"); ok {
			t.Error("another key has the mark")
		}
		m, ok := s.take("k")
		if !ok {
			t.Fatalf("%+v: no mark", c)
		}
		if _, again := s.take("k"); again || s.held != 0 {
			t.Errorf("%+v: the mark was taken twice", c)
		}
		now := seen + 40*24*hourNanos
		a := &actor{Born: now}
		m.recall(a, now)
		if days := (a.Seen - a.Born) / (24 * hourNanos); days != c.known {
			t.Errorf("%+v: known for %d days", c, days)
		}
		if away := float64(now-a.Seen) / float64(24*hourNanos); away < 39 || away > 40 {
			t.Errorf("%+v: away for %.2f days", c, away)
		}
		want := log10(c.r)
		if got := log10(a.Lane[c.lane].Detector.R); math.Abs(got-want) > 0.125 || got > want {
			t.Errorf("%+v: evidence %.2f", c, got)
		}
	}
}

// TestOddStrangersWashNobodyOut floods a full table with young actors against whom
// more speaks than against those who have long been there.
func TestOddStrangersWashNobodyOut(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 1000} {
		s := newMarks(limit)
		known := max(1, limit/2)
		for i := range known {
			s.put(fmt.Sprint("agent-", i), newMark(markedDay, markedDay+30*24*hourNanos, features.Week, 30))
		}
		for i := range 100 * limit {
			at := markedDay + 60*24*hourNanos
			s.put(fmt.Sprint("flood-", i), newMark(at, at, features.Quarter, 900))
		}
		for i := range known {
			if _, ok := s.take(fmt.Sprint("agent-", i)); !ok {
				t.Fatalf("agent-%d was pushed out", i)
			}
		}
	}
}

// TestMarksLetGoOfTheLeast floods a full table and looks who is still in it.
func TestMarksLetGoOfTheLeast(t *testing.T) {
	t.Parallel()
	s := newMarks(1000)
	size := 4 * 1024
	for i := range 500 {
		s.put(fmt.Sprint("thief-", i), newMark(markedDay, markedDay+30*24*hourNanos, features.Week, 100))
		s.put(fmt.Sprint("agent-", i), newMark(markedDay, markedDay+30*24*hourNanos, features.Week, 1))
	}
	for i := range 100_000 {
		at := markedDay + 60*24*hourNanos
		s.put(fmt.Sprint("flood-", i), newMark(at, at, features.Quarter, 1))
	}
	if s.held != size || len(s.slots) != size {
		t.Errorf("%d marks in %d places, want %d", s.held, len(s.slots), size)
	}
	back := newMarks(1)
	if err := back.restore(s.state()); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		for _, who := range []string{"thief-", "agent-"} {
			if _, ok := back.take(fmt.Sprint(who, i)); !ok {
				t.Fatalf("%s%d was pushed out", who, i)
			}
		}
	}
	for _, bad := range [][]byte{make([]byte, 7), make([]byte, 8*5), make([]byte, 8)} {
		if err := back.restore(bad); err == nil {
			t.Errorf("a table of %d bytes was taken", len(bad))
		}
	}
}
