package pack_test

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/pack"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func keyOf(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

// contents are a case of two findings with n events each, and one event of somebody else.
func contents(n int) *pack.Contents {
	end := start.Add(time.Hour)
	c := &pack.Contents{
		Of:   pack.Origin{Program: "test", Made: end, LogJudged: 9, AuditRecords: 3, AuditHead: strings.Repeat("ab", 32)},
		Case: vigil.Case{ID: "c-1", Findings: []string{"f-1", "f-2"}, Total: 2, Lead: "f-1"},
		Findings: []vigil.Finding{
			{ID: "f-1", About: vigil.AboutActor, Actor: "actor-a", Start: start, End: end, Events: int64(n), Subjects: int64(n), Sentence: "\u202e<script>"},
			{ID: "f-2", About: vigil.AboutTeam, Actors: []string{"actor-b"}, Start: start, End: end, Events: int64(n) + 5, Subjects: vigil.Unknown},
		},
		Timeline: []vigil.CaseEvent{{N: 1, Case: "c-1", Time: start, By: "vigil", Kind: vigil.CaseOpened}},
		Notices:  []vigil.Notice{{Case: "c-1", Revision: 1}},
	}
	c.Events = func(yield func(*vigil.Event) error) error {
		for i := range 2*n + 1 {
			e := vigil.NewEvent()
			e.ID, e.Time, e.Source = fmt.Sprint("e-", i), start.Add(time.Duration(i)*time.Second), "db"
			e.Actor.ID = []string{"actor-a", "actor-b"}[i%2]
			if i == 2*n {
				e.Actor.ID = "actor-else"
			}
			e.Action, e.Rows, e.Session = vigil.ActionRead, 3, fmt.Sprint("s-", i/10)
			e.Subjects = []string{fmt.Sprint("subject-", i%7)}
			e.Origin = vigil.Origin{File: "log \"1\"", Line: int64(i), Hash: uint64(i) << 50}
			if err := yield(e); err != nil {
				return err
			}
		}
		return nil
	}
	c.Audit = func(yield func(pack.AuditRecord) error) error {
		previous := make([]byte, 32)
		for i := range uint64(3) {
			r := pack.AuditRecord{N: i + 1, Time: start.Add(time.Duration(i)), Who: "actor-ann", What: "case read", Object: "case c-1", Previous: hex.EncodeToString(previous)}
			previous = pack.HashOf(&r, previous)
			r.Hash = hex.EncodeToString(previous)
			if i == 2 {
				c.Of.AuditHead = r.Hash
			}
			if err := yield(r); err != nil {
				return err
			}
		}
		return nil
	}
	// The head is known before the pack is made.
	if err := c.Audit(func(pack.AuditRecord) error { return nil }); err != nil {
		panic(err)
	}
	return c
}

func write(t testing.TB, c *pack.Contents, key ed25519.PrivateKey) ([]byte, pack.Manifest) {
	t.Helper()
	var b bytes.Buffer
	m, err := pack.Write(&b, c, key)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), m
}

func verify(t testing.TB, data []byte, key ed25519.PublicKey) pack.Report {
	t.Helper()
	r, err := pack.Verify(bytes.NewReader(data), int64(len(data)), key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func public(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

func TestPackVerifies(t *testing.T) {
	t.Parallel()
	data, m := write(t, contents(40), keyOf(1))
	if again, _ := write(t, contents(40), keyOf(1)); !bytes.Equal(data, again) {
		t.Error("the same contents give other bytes")
	}
	if m.Counts.Total.Events != 80 || m.Counts.Subjects != 7 || m.Counts.Findings[0].Reads != 40 || m.Counts.Findings[1].Rows != 120 {
		t.Errorf("counts %+v", m.Counts)
	}
	for name, key := range map[string]ed25519.PublicKey{"by the key given": public(keyOf(1)), "by its own": nil} {
		r := verify(t, data, key)
		if len(r.Problems) > 0 || r.Trusted != (key != nil) || len(r.Findings) != 2 {
			t.Errorf("%s: %+v", name, r)
		}
		var says []string
		for _, c := range r.Checks {
			says = append(says, c.What+": "+c.Says)
		}
		for _, want := range []string{"no byte of the zip was changed", "80 accesses, 80 of which showed data, 7 customers", "in its time the pack has 40 and 7 (the rest", "hashes of 3 records"} {
			if !strings.Contains(strings.Join(says, "\n"), want) {
				t.Errorf("%s: nothing says %q: %s", name, want, says)
			}
		}
	}
	if r := verify(t, data, public(keyOf(2))); len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "not signed with the key that was given") {
		t.Errorf("another key: %q", r.Problems)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil || len(z.File) != 10 {
		t.Errorf("another program's zip: %d files, %v", len(z.File), err)
	}
}

// Any byte that is changed, taken out or put in is found.
func TestEveryChangeIsFound(t *testing.T) {
	t.Parallel()
	data, _ := write(t, contents(5), keyOf(1))
	for step, key := range map[int]ed25519.PublicKey{1: nil, 7: public(keyOf(1))} {
		for i := 0; i < len(data); i += step {
			bad := slices.Clone(data)
			bad[i] ^= 1 << (i % 8)
			if r := verify(t, bad, key); len(r.Problems) == 0 {
				t.Fatalf("byte %d of %d was changed and nothing was found", i, len(data))
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		at, n := random.IntN(len(data)), 1+random.IntN(40)
		for what, bad := range map[string][]byte{
			"cut":     data[:at],
			"taken":   slices.Delete(slices.Clone(data), at, min(len(data), at+n)),
			"put in":  slices.Insert(slices.Clone(data), at, bytes.Repeat([]byte{byte(n)}, n)...),
			"at end":  append(slices.Clone(data), byte(n)),
			"doubled": append(slices.Clone(data), data...),
		} {
			if r := verify(t, bad, nil); len(r.Problems) == 0 {
				t.Fatalf("%s at %d by %d: nothing was found", what, at, n)
			}
		}
	}
}

// Who signs anew with a key of their own is found by the key, and what does not follow
// from the events by counting.
func TestForgedPacksAreFound(t *testing.T) {
	t.Parallel()
	c := contents(20)
	c.Findings[0].End = start.Add(10 * time.Second) // fewer events than it says belong to it
	data, _ := write(t, c, keyOf(9))
	if r := verify(t, data, public(keyOf(1))); len(r.Problems) == 0 {
		t.Error("a pack of another key passes")
	}
	c = contents(20)
	c.Audit = func(yield func(pack.AuditRecord) error) error {
		return yield(pack.AuditRecord{N: 1, Time: start, Who: "nobody", What: "case read", Object: "case c-1", Hash: strings.Repeat("00", sha256.Size)})
	}
	if r := verify(t, first(write(t, c, keyOf(1))), nil); len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "hash of record 1") {
		t.Errorf("a record that was made up: %q", r.Problems)
	}
}

func first[A, B any](a A, _ B) A { return a }

func TestPackIsBounded(t *testing.T) {
	t.Parallel()
	c := contents(500)
	c.Most = 600
	data, m := write(t, c, keyOf(1))
	r := verify(t, data, nil)
	if m.LeftOut != 400 || m.Counts.Total.Events != 600 || len(r.Problems) > 0 || !strings.Contains(fmt.Sprint(r.Checks), "400 more events") {
		t.Errorf("%d left out of %d; %q", m.LeftOut, m.Counts.Total.Events, r.Problems)
	}
	gone := errors.New("the log is gone")
	c.Events = func(func(*vigil.Event) error) error { return gone }
	if _, err := pack.Write(&bytes.Buffer{}, c, keyOf(1)); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

// Who signs with a key of their own may pack anything: it takes no more memory for that.
func TestWhatIsReadIsBounded(t *testing.T) {
	t.Parallel()
	c := contents(5)
	for range vigil.MaxCaseFindings {
		c.Findings = append(c.Findings, c.Findings[0])
	}
	if r := verify(t, first(write(t, c, keyOf(1))), nil); len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "more than 200 lines") || len(r.Findings) > vigil.MaxCaseFindings {
		t.Errorf("%d findings: %q", len(r.Findings), r.Problems)
	}
	counts := pack.CountWithin(1_000, contents(5).Findings, 5, strings.Repeat("long ", 50))
	if counts.Total.Events != 5 || counts.Total.Sessions+counts.Total.Subjects+counts.Subjects > 4 || counts.Unlisted == 0 {
		t.Errorf("%+v", counts)
	}
}

func FuzzVerify(f *testing.F) {
	data, _ := write(f, contents(3), keyOf(1))
	f.Add(data)
	f.Add([]byte("PK"))
	f.Fuzz(func(t *testing.T, got []byte) {
		if r := verify(t, got, public(keyOf(1))); len(r.Problems) == 0 && !bytes.Equal(got, data) {
			t.Error("what is not the pack passes")
		}
	})
}
