package native_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/native"
)

const documented = `{"time":"2026-11-02T09:14:05.123Z","id":"e-1","actor":"maria","actor_kind":"human","role":"agent","team":"emea","tenant":"shop","principal":"cust-9","session":"s-1","conversation":"c-991","action":"read","store":"helpdesk",` +
	`"resource":"messages","resource_class":"chat","subjects":["cust-17"],"subject_count":1,"rows":12,"bytes":3400,"fields":["email"],"ip":"198.51.100.7","user_agent":"Mozilla/5.0","app":"console","shape":"select messages","outcome":"success","ticket":"T-5","purpose":"support","limit":50,"resource_tenant":"shop",` +
	`"destination":{"kind":"webhook","network":"203.0.113.0/24","region":"us"}}`

func decoder(t testing.TB, opts formats.Options) formats.Decoder {
	t.Helper()
	d, err := native.Format().New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func decode(t testing.TB, d formats.Decoder, line string) (*vigil.Event, error) {
	t.Helper()
	var got *vigil.Event
	err := d.Decode(formats.Line{Text: []byte(line), Offset: 70, Number: 3}, func(e *vigil.Event, _ formats.Line) {
		if got != nil {
			t.Fatal("two events from one line")
		}
		got = e
	})
	return got, err
}

func TestDocumentedForm(t *testing.T) {
	t.Parallel()
	got, err := decode(t, decoder(t, formats.Options{Source: "feed", Store: "other", File: "f"}), documented)
	if err != nil {
		t.Fatal(err)
	}
	want := &vigil.Event{
		ID: "e-1", Time: time.Date(2026, 11, 2, 9, 14, 5, 123e6, time.UTC), Source: "feed",
		Actor:     vigil.Actor{ID: "maria", Kind: vigil.KindHuman, Role: "agent", Team: "emea", Tenant: "shop", App: "console"},
		Principal: "cust-9", Session: "s-1", Conversation: "c-991", Action: vigil.ActionRead,
		Store: "helpdesk", Resource: "messages", ResourceClass: "chat", ResourceTenant: "shop",
		Subjects: []string{"cust-17"}, SubjectCount: 1, Rows: 12, Bytes: 3400, Limit: 50, Fields: []string{"email"},
		Ticket: "T-5", Purpose: "support", IP: "198.51.100.7", UserAgent: "Mozilla/5.0",
		Outcome: vigil.OutcomeSuccess, Shape: "select messages",
		Destination: &vigil.Destination{Kind: "webhook", Network: "203.0.113.0/24", Region: "us"},
		Origin:      vigil.Origin{File: "f", Offset: 70, Line: 3, Hash: formats.RecordHash([]byte(documented))},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLeastForm(t *testing.T) {
	t.Parallel()
	d := decoder(t, formats.Options{Source: "feed", Store: "kv", File: "f"})
	const line = `{"actor":17,"action":"export","time":1793610845,"colour":{"deep":[1,{"x":2}]},"rows":null}`
	got, err := decode(t, d, line)
	if err != nil {
		t.Fatal(err)
	}
	want := vigil.NewEvent()
	want.Time, want.Actor.ID, want.Action = time.Unix(1793610845, 0).UTC(), "17", vigil.ActionExport
	want.Source, want.Store = "feed", "kv"
	want.Origin = vigil.Origin{File: "f", Offset: 70, Line: 3, Hash: formats.RecordHash([]byte(line))}
	want.ID = got.ID
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	again, err := decode(t, decoder(t, formats.Options{Source: "feed", File: "f"}), line)
	if err != nil || again.ID != got.ID || len(got.ID) != 24 {
		t.Errorf("the same record has ids %q and %q (%v)", got.ID, again.ID, err)
	}
	other, err := decode(t, decoder(t, formats.Options{Source: "feed2", File: "f"}), line)
	if err != nil || other.ID == got.ID {
		t.Errorf("another source's record has the same id %q (%v)", other.ID, err)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 2, 9, 14, 5, 123_000_000, time.UTC)
	for _, form := range []string{
		`"2026-11-02T09:14:05.123Z"`, `"2026-11-02T10:14:05.123+01:00"`, `"2026-11-02 09:14:05.123Z"`,
		`1793610845.123`, `1793610845123`, `1793610845123000`, `1793610845123000000`, `1793610845123.000`,
	} {
		e, err := decode(t, decoder(t, formats.Options{}), `{"time":`+form+`,"actor":"a","action":"read"}`)
		if err != nil || !e.Time.Equal(want) || e.Time.Location() != time.UTC {
			t.Errorf("%s: %v, %v", form, e, err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	event := func(more string) string { return `{"time":1793610845,"actor":"a","action":"read"` + more + `}` }
	for _, c := range []struct{ name, line, code, says string }{
		{"no json", `hello`, "json", "no JSON object"},
		{"array", `[1]`, "json", "no JSON object"},
		{"cut", event("")[:30], "json", "cut off"},
		{"twice", event(`,"actor":"b"`), "json", "twice"},
		{"twice escaped", event(`,"\u0061ctor":"b"`), "json", "twice"},
		{"twice deep", event(`,"x":{"y":1,"y":2}`), "json", "twice"},
		{"not utf-8", event(",\"role\":\"\xff\""), "json", "byte"},
		{"more", event("") + " 1", "json", "after the object"},
		{"deep", event(`,"x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70)), "json", "64 levels"},
		{"very deep", event(`,"x":` + strings.Repeat(`{"a":`, 100_000)), "json", "64 levels"},
		{"many keys", event(manyKeys(1_001)), "json", "1000 keys"},
		{"no time", `{"actor":"a","action":"read"}`, "time", "time is missing"},
		{"bad time", `{"time":"yesterday","actor":"a","action":"read"}`, "time", "RFC 3339"},
		{"no zone", `{"time":"2026-11-02T09:14:05","actor":"a","action":"read"}`, "time", "offset"},
		{"old time", `{"time":5,"actor":"a","action":"read"}`, "time", "1990"},
		{"huge time", `{"time":99999999999999999999999,"actor":"a","action":"read"}`, "time", "RFC 3339"},
		{"no actor", `{"time":1793610845,"action":"read"}`, "actor", "actor is missing"},
		{"no action", `{"time":1793610845,"actor":"a"}`, "action", "action is missing"},
		{"bad action", `{"time":1793610845,"actor":"a","action":"peek"}`, "action", "not one of"},
		{"bad kind", event(`,"actor_kind":"alien"`), "actor", "alien"},
		{"bad outcome", event(`,"outcome":"meh"`), "field", "meh"},
		{"negative", event(`,"rows":-1`), "count", "whole number"},
		{"fraction", event(`,"rows":1.5`), "count", "whole number"},
		{"huge count", event(`,"bytes":9999999999999999999`), "count", "whole number"},
		{"count as text", event(`,"limit":"5"`), "count", "whole number"},
		{"actor as object", `{"time":1793610845,"actor":{},"action":"read"}`, "field", "string"},
		{"subjects as text", event(`,"subjects":"x"`), "field", "list"},
		{"subjects deep", event(`,"subjects":[["x"]]`), "field", "string"},
		{"destination as text", event(`,"destination":"x"`), "field", "object"},
		{"unbounded as text", event(`,"unbounded":"x"`), "field", "true or false"},
		{"long actor", event(`,"role":"` + strings.Repeat("x", 20_000) + `"`), "field", "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := decoder(t, formats.Options{})
			e, err := decode(t, d, c.line)
			var fe *formats.Error
			if !errors.As(err, &fe) || e != nil {
				t.Fatalf("got event %v, error %v", e, err)
			}
			if fe.Code != c.code || !strings.Contains(fe.Reason, c.says) {
				t.Errorf("got %s: %s; want %s: ...%s...", fe.Code, fe.Reason, c.code, c.says)
			}
			if _, err := decode(t, d, documented); err != nil {
				t.Errorf("the next line fails: %v", err)
			}
		})
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":1`, i)
	}
	return b.String()
}

func TestManySubjects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n     int
		count string
		kept  int
		want  int64
	}{
		{3, "", 3, vigil.Unknown},
		{3, `,"subject_count":2`, 3, 3},
		{3, `,"subject_count":5`, 3, 5},
		{500, `,"subject_count":0`, 500, 500},
		{10_001, "", 10_000, 10_001},
		{12_000, `,"subject_count":11000`, 10_000, 12_000},
		{12_000, `,"subject_count":90000`, 10_000, 90_000},
		{0, `,"subject_count":7`, 0, 7},
	} {
		ids := make([]string, c.n)
		for i := range ids {
			ids[i] = fmt.Sprintf("s%d", i)
		}
		for _, before := range []bool{true, false} {
			list := `,"subjects":["` + strings.Join(ids, `","`) + `"]`
			if c.n == 0 {
				list = `,"subjects":[]`
			}
			more := list + c.count
			if before {
				more = c.count + list
			}
			e, err := decode(t, decoder(t, formats.Options{}), `{"time":1793610845,"actor":"a","action":"read"`+more+`}`)
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Subjects) != c.kept || e.SubjectCount != c.want {
				t.Errorf("%d%s: kept %d, count %d", c.n, c.count, len(e.Subjects), e.SubjectCount)
			}
			for i, s := range e.Subjects {
				if s != ids[i] {
					t.Fatalf("subject %d is %q", i, s)
				}
			}
		}
	}
}

// Lists cut from one slab must not run into each other.
func TestListsAreApart(t *testing.T) {
	t.Parallel()
	d := decoder(t, formats.Options{})
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(0, 700), 1, 12).Draw(rt, "sizes")
		var events []*vigil.Event
		for n, size := range sizes {
			e := vigil.NewEvent()
			e.Time, e.Actor.ID, e.Action = time.Unix(1793610845, 0), "a", vigil.ActionRead
			for i := range size {
				e.Subjects = append(e.Subjects, fmt.Sprintf("%d/%d", n, i))
			}
			got, err := decode(t, d, string(native.Append(nil, e)))
			if err != nil {
				rt.Fatal(err)
			}
			events = append(events, got)
		}
		for n, e := range events {
			if len(e.Subjects) != sizes[n] {
				rt.Fatalf("list %d has %d entries", n, len(e.Subjects))
			}
			for i, s := range e.Subjects {
				if s != fmt.Sprintf("%d/%d", n, i) {
					rt.Fatalf("list %d entry %d is %q", n, i, s)
				}
			}
			_ = append(e.Subjects, "spill")
		}
	})
}

func TestAppendDecodesToTheSame(t *testing.T) {
	t.Parallel()
	d := decoder(t, formats.Options{})
	rapid.Check(t, func(rt *rapid.T) {
		want := drawEvent(rt)
		got, err := decode(t, d, string(native.Append(nil, want)))
		if err != nil {
			rt.Fatalf("%s: %v", native.Append(nil, want), err)
		}
		got.Origin = vigil.Origin{}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// The event drawn must set every field, so that a new one can't be forgotten.
func TestDrawnEventIsFull(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		v := reflect.ValueOf(*drawEvent(rt))
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				seen[v.Type().Field(i).Name] = true
			}
		}
	})
	typ := reflect.TypeFor[vigil.Event]()
	for i := range typ.NumField() {
		if name := typ.Field(i).Name; name != "Origin" && !seen[name] {
			t.Errorf("no drawn event has %s set", name)
		}
	}
}

func drawEvent(rt *rapid.T) *vigil.Event {
	text := rapid.String().Filter(utf8.ValidString)
	some := rapid.StringN(1, 20, -1).Filter(utf8.ValidString)
	number := rapid.Int64Range(vigil.Unknown, 1e17)
	when := rapid.Custom(func(rt *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(631152000, 4102444799).Draw(rt, "s"), rapid.Int64Range(0, 999999999).Draw(rt, "ns")).UTC()
	})
	draw := func(name string) string { return text.Draw(rt, name) }
	e := &vigil.Event{
		ID: some.Draw(rt, "id"), Time: when.Draw(rt, "time"), Source: draw("source"),
		Actor: vigil.Actor{
			ID: some.Draw(rt, "actor"), Role: draw("role"), Team: draw("team"), Tenant: draw("tenant"), App: draw("app"),
			Kind: rapid.SampledFrom([]vigil.ActorKind{"", vigil.KindHuman, vigil.KindVendor}).Draw(rt, "kind"),
		},
		Principal: draw("principal"), Session: draw("session"), Conversation: draw("conversation"),
		Action: rapid.SampledFrom(vigil.Actions()).Draw(rt, "action"),
		Store:  draw("store"), Resource: draw("resource"), ResourceClass: draw("class"), ResourceTenant: draw("rt"),
		Rows: number.Draw(rt, "rows"), Bytes: number.Draw(rt, "bytes"), Limit: number.Draw(rt, "limit"),
		Unbounded: rapid.Bool().Draw(rt, "unbounded"), Ticket: draw("ticket"), Purpose: draw("purpose"),
		IP: draw("ip"), Network: draw("network"), Country: draw("country"), ASN: draw("asn"), UserAgent: draw("ua"),
		Outcome: rapid.SampledFrom([]vigil.Outcome{"", vigil.OutcomeSuccess, vigil.OutcomeDenied}).Draw(rt, "outcome"),
		Shape:   draw("shape"), Late: rapid.Bool().Draw(rt, "late"), Step: vigil.Step(rapid.IntRange(-1, 2).Draw(rt, "step")),
	}
	if rapid.Bool().Draw(rt, "has received") {
		e.Received = when.Draw(rt, "received")
	}
	if list := rapid.SliceOfN(text, 0, 5).Draw(rt, "subjects"); len(list) > 0 {
		e.Subjects = list
	}
	if list := rapid.SliceOfN(text, 0, 5).Draw(rt, "fields"); len(list) > 0 {
		e.Fields = list
	}
	e.SubjectCount = rapid.SampledFrom([]int64{vigil.Unknown, int64(len(e.Subjects)), 1e6}).Draw(rt, "count")
	if to := (vigil.Destination{Kind: draw("dk"), Network: draw("dn"), Region: draw("dr")}); to != (vigil.Destination{}) {
		e.Destination = &to
	}
	return e
}

func TestDetect(t *testing.T) {
	t.Parallel()
	f := native.Format()
	for _, c := range []struct {
		sample   string
		min, max float64
	}{
		{documented + "\n" + documented[:100], 0.9, 1},
		{"\n\n" + documented, 0.9, 1},
		{`{"remote_addr":"1.2.3.4","status":200}` + "\n", 0, 0},
		{`1.2.3.4 - - [x] "GET / HTTP/1.1"`, 0, 0},
		{"", 0, 0},
	} {
		if got := f.Detect([]byte(c.sample)); got < c.min || got > c.max {
			t.Errorf("%.40q: %v", c.sample, got)
		}
	}
}

func TestUnknownParameter(t *testing.T) {
	t.Parallel()
	if _, err := native.Format().New(formats.Options{Params: map[string]string{"log_format": "x"}}); err == nil {
		t.Error("an unknown parameter passes")
	}
}
