package sqltable

import (
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vigil/collectors"
)

// Whatever order numbers appear in, each is known exactly once: it was read, or it lies in
// a gap, or it was given up.
func TestGapsHoldAllThatIsMissing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 1))
		order := rng.Perm(400) // numbers 1 to 400, of which a fifth never come
		var gaps []gap
		seen := map[int64]bool{}
		high := int64(0)
		m := moment{now: 1000}
		for len(order) > 0 {
			m.now++
			var ids []int64
			for _, k := range order[:min(len(order), 1+rng.IntN(9))] {
				order = order[1:]
				if k%5 != 0 {
					ids = append(ids, int64(k)+1)
				}
			}
			slices.Sort(ids)
			var left []gap
			for _, g := range gaps {
				var in []int64
				for _, id := range ids {
					if id >= g.From && id <= g.To {
						in = append(in, id)
						if seen[id] {
							t.Fatalf("%d lies in a gap and was seen", id)
						}
						seen[id] = true
					}
				}
				left = append(left, g.fill(in, math.MaxInt64, m)...)
			}
			gaps = left
			for _, id := range ids {
				if id > high {
					gaps = between(gaps, high, id, m, false)
					seen[id], high = true, id
				}
			}
			gaps = bound(gaps, m)
			for n := int64(1); n <= high; n++ {
				in := slices.ContainsFunc(gaps, func(g gap) bool { return n >= g.From && n <= g.To })
				if in == seen[n] {
					t.Fatalf("seed %d: %d: seen %t, in a gap %t", seed, n, seen[n], in)
				}
			}
		}
		for n := range seen {
			if n%5 == 1 {
				t.Fatalf("%d never came", n)
			}
		}
	}
}

// When there are too many gaps nothing is forgotten: they grow together.
func TestGapsAreBounded(t *testing.T) {
	t.Parallel()
	m := moment{now: 1000, xmax: 7}
	var gaps []gap
	for n := int64(0); n < maxGaps+500; n++ {
		gaps = bound(between(gaps, 3*n, 3*n+3, m, false), m)
		if len(gaps) > maxGaps {
			t.Fatalf("%d gaps", len(gaps))
		}
	}
	for n := int64(0); n < maxGaps+500; n++ {
		if !slices.ContainsFunc(gaps, func(g gap) bool { return g.From <= 3*n+1 && 3*n+2 <= g.To }) {
			t.Fatalf("%d is forgotten", 3*n+1)
		}
	}
	for n := int64(1); n < 100; n++ {
		gaps = bound(between(gaps, n*1e9, (n+1)*1e9, m, false), m)
	}
	wide := 0
	for _, g := range gaps {
		if g.Open {
			wide++
		}
	}
	if wide > maxWide || !gaps[slices.IndexFunc(gaps, func(g gap) bool { return g.Open })].Open {
		t.Errorf("%d wide gaps", wide)
	}
}

// A gap is given up when it has settled and the transactions of its time have ended.
func TestGapsAreGivenUp(t *testing.T) {
	t.Parallel()
	const settle = time.Minute
	for _, c := range []struct {
		name    string
		gap     gap
		m       moment
		left    int
		missing int64
	}{
		{"young", gap{From: 1, To: 5000, Seen: 100, asked: true}, moment{now: 159}, 1, 0},
		{"settled", gap{From: 1, To: 5000, Seen: 100, asked: true}, moment{now: 160}, 0, 5000},
		{"of a rollback", gap{From: 1, To: maxHole - 1, Seen: 100, asked: true}, moment{now: 160}, 0, 0},
		{"of before", gap{From: 1, To: 5000, Seen: 100, Quiet: true, asked: true}, moment{now: 160}, 0, 0},
		{"not asked", gap{From: 1, To: 5000, Seen: 100}, moment{now: 160}, 1, 0},
		{"a transaction runs", gap{From: 1, To: 5000, Seen: 100, Xmax: 9, asked: true}, moment{now: 9999, xmin: 8}, 1, 0},
		{"it has ended", gap{From: 1, To: 5000, Seen: 100, Xmax: 9, asked: true}, moment{now: 160, xmin: 9}, 0, 5000},
		{"our clock went back", gap{From: 1, To: 5000, Seen: 500, asked: true}, moment{now: 160}, 1, 0},
		{"wide", gap{From: 1, To: math.MaxInt64 - 1, Seen: 100, Open: true, asked: true}, moment{now: 160}, 1, math.MaxInt64 - 1},
		{"wide and told", gap{From: 1, To: math.MaxInt64 - 1, Seen: 100, Open: true, Told: true, asked: true}, moment{now: 160}, 1, 0},
	} {
		left, missing, _ := giveUp([]gap{c.gap}, c.m, settle)
		if len(left) != c.left || missing != c.missing {
			t.Errorf("%s: %d are left and %d missing, want %d and %d", c.name, len(left), missing, c.left, c.missing)
		}
	}
}

// Bytes that are no position of ours are a fresh start.
func FuzzPosition(f *testing.F) {
	for _, s := range []string{`{"of":"x","high":5,"gaps":[{"f":1,"t":3,"s":9}]}`, `{"of":"x","gaps":[{"f":1,"t":3}]}`, `{`, `null`, `{"of":"x","low":"a","seen":"AAAA"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p := collectors.Position("audit", b, slog.New(slog.DiscardHandler), soundOf("x"))
		if p == nil {
			return
		}
		if !p.sound() || p.Of != "x" {
			t.Errorf("%q became %+v", b, p)
		}
		var l look
		l.restore(p)
	})
}
