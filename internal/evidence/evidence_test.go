package evidence_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"vigil"
	"vigil/internal/evidence"
)

func open(t testing.TB) (*evidence.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "evidence")
	s, err := evidence.Open(t.Context(), evidence.Config{URL: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, dir
}

var start = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// traffic makes n rows by 41 actors over a day, in batches of 1,000.
func traffic(n int) []evidence.Row {
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([]evidence.Row, n)
	for i := range rows {
		e := vigil.NewEvent()
		e.ID = fmt.Sprintf("%016x", rng.Uint64())
		e.Time = start.Add(time.Duration(i) * 24 * time.Hour / time.Duration(n))
		e.Source, e.Store, e.Resource = "pg-main", "helpdesk", []string{"messages", "contacts"}[rng.IntN(2)]
		e.Actor = vigil.Actor{ID: fmt.Sprintf("agent-%02d", rng.IntN(41)), Kind: vigil.KindHuman, Role: "agent"}
		e.Action, e.Outcome = vigil.ActionRead, vigil.OutcomeSuccess
		e.Session, e.Conversation = fmt.Sprintf("s-%d", i/50), fmt.Sprintf("c-%d", i/3)
		e.Subjects = []string{fmt.Sprintf("cust-%d", rng.IntN(20_000))}
		e.Rows = int64(rng.IntN(20))
		e.Origin = vigil.Origin{File: "postgresql.csv", Offset: int64(i) * 300, Line: int64(i + 1), Hash: rng.Uint64()}
		rows[i] = evidence.Row{Seq: uint64(i/1000 + 1), Offset: uint32(i % 1000), Event: e}
	}
	return rows
}

func TestReadGivesBackTheLog(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	seg, err := s.Write(t.Context(), "a.parquet", traffic(5_000))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Read(t.Context(), seg)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(traffic(5_000), got); diff != "" {
		t.Fatalf("rows differ (-in +out):\n%.3000s", diff)
	}
	want := evidence.Segment{Key: "a.parquet", Rows: 5_000, First: start, Last: got[len(got)-1].Event.Time}
	if diff := cmp.Diff(want, seg, cmpopts.IgnoreFields(evidence.Segment{}, "Size", "Sums")); diff != "" {
		t.Errorf("segment (-want +got):\n%s", diff)
	}
}

func TestEveryFieldIsExact(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	n := 0
	word := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "maria"}), rapid.String())
	list := rapid.Map(rapid.SliceOfN(word, 0, 3), func(l []string) []string {
		if len(l) == 0 {
			return nil
		}
		return l
	})
	moment := rapid.Map(rapid.Int64Range(631152000e9, 4102444799e9), func(ns int64) time.Time { return time.Unix(0, ns).UTC() })
	event := rapid.Custom(func(t *rapid.T) *vigil.Event {
		str := func(name string) string { return word.Draw(t, name) }
		e := &vigil.Event{
			ID: str("id"), Time: moment.Draw(t, "time"), Received: rapid.OneOf(rapid.Just(time.Time{}), moment).Draw(t, "received"),
			Source: str("source"), Actor: vigil.Actor{ID: str("a"), Kind: vigil.ActorKind(str("k")), Role: str("r"), Team: str("t"), Tenant: str("n"), App: str("p")},
			Principal: str("principal"), Session: str("session"), Conversation: str("conversation"), Action: vigil.Action(str("action")),
			Store: str("store"), Resource: str("resource"), ResourceClass: str("class"), ResourceTenant: str("rt"),
			Subjects: list.Draw(t, "subjects"), SubjectCount: rapid.Int64().Draw(t, "sc"), Rows: rapid.Int64().Draw(t, "rows"),
			Bytes: rapid.Int64().Draw(t, "bytes"), Limit: rapid.Int64().Draw(t, "limit"), Fields: list.Draw(t, "fields"),
			Unbounded: rapid.Bool().Draw(t, "u"), Ticket: str("ticket"), Purpose: str("purpose"), IP: str("ip"), Network: str("net"),
			Country: str("country"), ASN: str("asn"), UserAgent: str("agent"), Outcome: vigil.Outcome(str("outcome")), Shape: str("shape"),
			Origin: vigil.Origin{File: str("file"), Offset: rapid.Int64().Draw(t, "off"), Line: rapid.Int64().Draw(t, "line"), Hash: rapid.Uint64().Draw(t, "hash")},
			Late:   rapid.Bool().Draw(t, "late"),
		}
		if rapid.Bool().Draw(t, "d") {
			e.Destination = &vigil.Destination{Kind: str("dk"), Network: str("dn"), Region: str("dr")}
		}
		return e
	})
	rapid.Check(t, func(rt *rapid.T) {
		events := rapid.SliceOfN(event, 1, 8).Draw(rt, "events")
		in, want := make([]evidence.Row, len(events)), make([]evidence.Row, len(events))
		for i, e := range events {
			in[i] = evidence.Row{Seq: 7, Offset: uint32(i), Event: e}
			want[i] = in[i]
		}
		n++
		key := fmt.Sprintf("%d.parquet", n)
		seg, err := s.Write(t.Context(), key, in)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := s.Read(t.Context(), seg)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("rows differ (-in +out):\n%s", diff)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestFindGivesWhatAScanGives(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	all := traffic(30_000)
	seg, err := s.Write(t.Context(), "a.parquet", traffic(30_000))
	if err != nil {
		t.Fatal(err)
	}
	noon := start.Add(12 * time.Hour)
	for name, q := range map[string]evidence.Query{
		"everything":       {},
		"actor":            {Actor: "agent-07"},
		"actor's morning":  {Actor: "agent-07", To: noon},
		"subject":          {Subject: all[123].Event.Subjects[0]},
		"subject later":    {Subject: all[123].Event.Subjects[0], From: noon},
		"session":          {Session: "s-3"},
		"conversation":     {Conversation: "c-77"},
		"actor and thread": {Actor: all[300].Event.Actor.ID, Conversation: all[300].Event.Conversation},
		"hour":             {From: noon, To: noon.Add(time.Hour)},
		"nobody":           {Actor: "nobody"},
		"some actors":      {Actors: []string{"agent-07", "nobody", "agent-31"}, From: noon},
		"no actors":        {Actors: []string{"nobody", "nobody else"}},
		"network":          {Network: all[123].Event.Network, From: noon},
		"no network":       {Network: "nowhere"},
		"source":           {Source: "pg-main", To: start.Add(time.Hour)},
		"no source":        {Source: "nothing"},
		"no subject":       {Subject: "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := map[string]*vigil.Event{}
			for _, row := range all {
				if q.Match(row.Event) {
					want[row.Event.ID] = row.Event
				}
			}
			rows, err := s.Find(t.Context(), seg, q)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]*vigil.Event{}
			for _, row := range rows {
				got[row.Event.ID] = row.Event
			}
			if len(rows) != len(got) {
				t.Errorf("%d rows with %d ids", len(rows), len(got))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("found (-want +got):\n%.2000s", diff)
			}
		})
	}
}

// TestDamageIsFound flips a bit in each part of a segment, cuts it, and takes it
// away.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	s, dir := open(t)
	seg, err := s.Write(t.Context(), "a.parquet", traffic(3_000))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "a.parquet")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, damaged []byte) {
		t.Helper()
		if err := os.WriteFile(name, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(t.Context(), seg); !errors.Is(err, evidence.ErrCorrupt) {
			t.Errorf("%s: error %v, want ErrCorrupt", what, err)
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		damaged := append([]byte(nil), whole...)
		at := rng.IntN(len(damaged))
		damaged[at] ^= 1 << rng.IntN(8)
		check(fmt.Sprintf("bit flip at byte %d", at), damaged)
	}
	check("cut", whole[:len(whole)/2])
	check("empty", nil)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find(t.Context(), seg, evidence.Query{Actor: "agent-07"}); !errors.Is(err, evidence.ErrCorrupt) {
		t.Errorf("missing: error %v, want ErrCorrupt", err)
	}
	if err := s.Delete(t.Context(), "a.parquet"); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
}

func TestOpenClearsHalfWrittenSegments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	torn := filepath.Join(dir, "a.parquet.18c2.tmp")
	mine := filepath.Join(dir, "notes.tmp")
	for _, name := range []string{torn, mine} {
		if err := os.WriteFile(name, []byte("PAR1"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := evidence.Open(t.Context(), evidence.Config{URL: "file://" + dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := os.Stat(torn); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half-written segment is still there (%v)", err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("another's file is gone: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "file://elsewhere/path", "s3://bucket"} {
		if s, err := evidence.Open(t.Context(), evidence.Config{URL: url}); err == nil {
			s.Close()
			t.Errorf("%q was accepted", url)
		}
	}
}

func TestCancelledWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	s, dir := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Write(ctx, "a.parquet", traffic(10)); err == nil {
		t.Fatal("a cancelled write succeeded")
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
