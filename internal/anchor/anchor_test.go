package anchor_test

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil/internal/anchor"
)

func key(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func point(n uint64) *anchor.Checkpoint {
	return &anchor.Checkpoint{N: n, Hash: bytes.Repeat([]byte{byte(n)}, 32), Time: time.Date(2026, 11, 2, 9, int(n), 0, 0, time.UTC)}
}

func TestCheckpointsAreAppendedAndRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "checkpoints")
	if _, ok, err := anchor.Last(path, public(key(1))); ok || err != nil {
		t.Errorf("no file: %v, %v", ok, err)
	}
	for _, n := range []uint64{3, 9} {
		if err := anchor.Append(path, point(n), key(1)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, problems, err := anchor.Read(bytes.NewReader(text), public(key(1)))
	if err != nil || len(problems) > 0 || len(all) != 2 || all[1].N != 9 || !all[1].Time.Equal(point(9).Time) {
		t.Errorf("%+v, %q, %v", all, problems, err)
	}
	// A line that was torn is passed over.
	if err := os.WriteFile(path, append(slices.Clone(text), text[:40]...), 0o600); err != nil {
		t.Fatal(err)
	}
	if last, ok, err := anchor.Last(path, public(key(1))); !ok || err != nil || last.N != 9 {
		t.Errorf("%+v, %v, %v", last, ok, err)
	}
	if _, ok, _ := anchor.Last(path, public(key(2))); ok {
		t.Error("another key's checkpoints are taken")
	}
	_, problems, err = anchor.Read(strings.NewReader(point(9).Line(key(1))+point(4).Line(key(1))), public(key(1)))
	if err != nil || len(problems) != 1 || !strings.Contains(problems[0], "cut off") {
		t.Errorf("a log that grew shorter: %q, %v", problems, err)
	}
	if err := anchor.Append(filepath.Join(path, "below", "a-file"), point(1), key(1)); err == nil {
		t.Error("what can't be written is no error")
	}
}

func TestEveryChangedByteIsFound(t *testing.T) {
	t.Parallel()
	line := point(7).Line(key(1))
	for i := range len(line) - 1 {
		for _, bit := range []byte{1, 32} {
			bad := []byte(line)
			bad[i] ^= bit
			if _, err := anchor.Parse(string(bad), public(key(1))); err == nil {
				t.Errorf("byte %d: %q passes", i, bad)
			}
		}
	}
}
