package columnar_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vigil"
	"vigil/internal/evidence/columnar"
)

func newCodec(t testing.TB) *columnar.Codec {
	t.Helper()
	c, err := columnar.New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// anyTime draws times from all that Go can hold in UTC, the zero time often.
func anyTime() *rapid.Generator[time.Time] {
	return rapid.OneOf(
		rapid.Just(time.Time{}),
		rapid.Custom(func(t *rapid.T) time.Time {
			return time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).UTC()
		}),
	)
}

func anyString() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom([]string{"", "a", "b", "maria"}), rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
}

func anyEvent() *rapid.Generator[*vigil.Event] {
	return rapid.Custom(func(t *rapid.T) *vigil.Event {
		str := func(name string) string { return anyString().Draw(t, name) }
		list := func(name string) []string {
			l := rapid.SliceOfN(anyString(), 0, 4).Draw(t, name)
			if len(l) == 0 {
				return nil
			}
			return l
		}
		e := &vigil.Event{
			ID: str("id"), Time: anyTime().Draw(t, "time"), Received: anyTime().Draw(t, "received"), Source: str("source"),
			Actor:     vigil.Actor{ID: str("actor"), Kind: vigil.ActorKind(str("kind")), Role: str("role"), Team: str("team"), Tenant: str("tenant"), App: str("app")},
			Principal: str("principal"), Session: str("session"), Conversation: str("conversation"),
			Action: vigil.Action(str("action")), Store: str("store"), Resource: str("resource"), ResourceClass: str("class"), ResourceTenant: str("resource tenant"),
			Subjects: list("subjects"), SubjectCount: rapid.Int64().Draw(t, "subject count"),
			Rows: rapid.Int64().Draw(t, "rows"), Bytes: rapid.Int64().Draw(t, "bytes"), Limit: rapid.Int64().Draw(t, "limit"),
			Fields: list("fields"), Unbounded: rapid.Bool().Draw(t, "unbounded"), Ticket: str("ticket"), Purpose: str("purpose"),
			IP: str("ip"), Network: str("network"), Country: str("country"), ASN: str("asn"), UserAgent: str("agent"),
			Outcome: vigil.Outcome(str("outcome")), Shape: str("shape"),
			Origin: vigil.Origin{File: str("file"), Offset: rapid.Int64().Draw(t, "offset"), Line: rapid.Int64().Draw(t, "line"), Hash: rapid.Uint64().Draw(t, "hash")},
			Late:   rapid.Bool().Draw(t, "late"),
		}
		if rapid.Bool().Draw(t, "destination") {
			e.Destination = &vigil.Destination{Kind: str("d kind"), Network: str("d network"), Region: str("d region")}
		}
		return e
	})
}

func TestRoundTripIsExact(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(anyEvent(), 0, 20).Draw(t, "events")
		data, err := c.Encode(events)
		if err != nil {
			t.Fatal(err)
		}
		back, err := c.Decode(data, columnar.All)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(events, back); len(events) > 0 && diff != "" {
			t.Fatalf("round trip differs (-in +out):\n%s", diff)
		}
		if len(back) != len(events) {
			t.Fatalf("%d events in, %d out", len(events), len(back))
		}
		again, err := c.Encode(back)
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("encoding again gives other bytes (%v)", err)
		}
	})
}

func sample(n int) []*vigil.Event {
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	events := make([]*vigil.Event, n)
	for i := range events {
		e := vigil.NewEvent()
		e.ID = fmt.Sprintf("%016x", uint64(i+1)*0x9e3779b97f4a7c15)
		e.Time = start.Add(time.Duration(i) * 137 * time.Millisecond)
		e.Received = e.Time.Add(time.Second)
		e.Source, e.Store, e.Resource = "pg-main", "helpdesk", []string{"messages", "conversations", "contacts"}[i%3]
		e.Actor = vigil.Actor{ID: fmt.Sprintf("agent-%02d", i*7%41), Kind: vigil.KindHuman, Role: "agent", Team: "emea"}
		e.Action, e.Outcome = vigil.ActionRead, vigil.OutcomeSuccess
		e.Session, e.Conversation = fmt.Sprintf("s-%d", i/50), fmt.Sprintf("c-%d", i/3)
		e.Subjects, e.SubjectCount = []string{fmt.Sprintf("cust-%d", i*31%5003)}, 1
		e.Rows, e.Bytes = int64(i%17), int64(i%17)*412
		e.Network, e.Shape = "198.51.100.0/24", "b1946ac92492d234"
		e.Origin = vigil.Origin{File: "/var/log/postgresql/postgresql.csv", Offset: int64(i) * 311, Line: int64(i + 1), Hash: uint64(i+1) * 0xbf58476d1ce4e5b9}
		events[i] = e
	}
	return events
}

func TestColumnsAskedFor(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	events := sample(200)
	data, err := c.Encode(events)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Decode(data, columnar.Identity|columnar.Whose)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range got {
		want := &vigil.Event{ID: events[i].ID, Source: events[i].Source, Subjects: events[i].Subjects}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Fatalf("event %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestEveryBitFlipIsFound(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	data, err := c.Encode(sample(20))
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		for bit := range 8 {
			damaged := bytes.Clone(data)
			damaged[i] ^= 1 << bit
			if _, err := c.Decode(damaged, columnar.All); !errors.Is(err, columnar.ErrCorrupt) {
				t.Fatalf("flip of bit %d in byte %d of %d: error %v, want ErrCorrupt", bit, i, len(data), err)
			}
		}
		if _, err := c.Decode(data[:i], columnar.All); !errors.Is(err, columnar.ErrCorrupt) {
			t.Fatalf("cut at byte %d: error %v, want ErrCorrupt", i, err)
		}
	}
}

func TestPackRoundTrip(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	for _, in := range [][]byte{{}, []byte("x"), bytes.Repeat([]byte("state "), 10_000)} {
		packed, err := c.Pack(in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.Unpack(packed)
		if err != nil || !bytes.Equal(in, out) {
			t.Fatalf("unpack of %d bytes: %d bytes, error %v", len(in), len(out), err)
		}
		if _, err := c.Decode(packed, columnar.All); !errors.Is(err, columnar.ErrCorrupt) {
			t.Fatalf("a pack decoded as a batch: error %v, want ErrCorrupt", err)
		}
	}
}

func TestTooManySubjectsAreRefused(t *testing.T) {
	t.Parallel()
	e := vigil.NewEvent()
	e.Subjects = make([]string, vigil.MaxSubjects+1)
	if _, err := newCodec(t).Encode([]*vigil.Event{e}); !errors.Is(err, columnar.ErrTooLarge) {
		t.Fatalf("error %v, want ErrTooLarge", err)
	}
}
