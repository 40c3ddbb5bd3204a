package record_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/record"
)

type reader struct{}

func (reader) Read(r *record.Record, emit func(*vigil.Event)) error {
	e := r.Event()
	if r.JSON.Exists() {
		e.ID, e.Actor.ID = r.Get("id"), r.Get("who")
		if r.Get("kind") == "heartbeat" {
			return nil
		}
	} else {
		_, who, _ := strings.Cut(string(r.Text), "WHO ")
		e.Actor.ID = r.Clean(who, 100)
	}
	if e.Actor.ID == "" {
		return formats.Errorf("actor", "nobody")
	}
	if more := r.JSON.Get("more"); more.IsArray() {
		for _, id := range more.Array() {
			f := *e
			f.ID, f.Time, f.Action = id.Str, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), vigil.ActionRead
			f.Actor.ID += id.Str
			emit(&f)
		}
		return nil
	}
	e.Time, e.Action = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), vigil.ActionRead
	emit(e)
	return nil
}

var toy = record.New(record.Spec{
	Name: "toy",
	JSON: func(v gjson.Result) float64 {
		if v.Get("who").Exists() {
			return 0.9
		}
		return 0
	},
	Text: func(line []byte) float64 {
		if strings.HasPrefix(string(line), "WHO ") {
			return 0.8
		}
		return 0
	},
	New: func(formats.Options) (record.Reader, error) { return reader{}, nil },
})

func decode(t *testing.T, input string) []string {
	t.Helper()
	events, errs := formatstest.Decode(t, toy, formats.Options{Source: "s", File: "f"}, input)
	var got []string
	for _, e := range events {
		got = append(got, e.Actor.ID)
	}
	for _, err := range errs {
		got = append(got, "! "+err.Code)
	}
	return got
}

func TestRecordsAreFoundWhereverTheyLie(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		input string
		want  []string
	}{
		"lines":                        {"{\"who\":\"a\"}\n{\"who\":\"b\"}\n", []string{"a", "b"}},
		"no last line end":             {"{\"who\":\"a\"}\n{\"who\":\"b\"}", []string{"a", "b"}},
		"windows line ends":            {"{\"who\":\"a\"}\r\n{\"who\":\"b\"}\r\n", []string{"a", "b"}},
		"one after another":            {`{"who":"a"}{"who":"b"} {"who":"c"}`, []string{"a", "b", "c"}},
		"over many lines":              {"{\n  \"who\":\n \"a\"\n}\n{\n\"who\": \"b\" }\n", []string{"a", "b"}},
		"array":                        {`[{"who":"a"},{"who":"b"}]`, []string{"a", "b"}},
		"array over lines":             {"[\n{\"who\":\"a\"},\n{\"who\":\"b\"}\n]\n", []string{"a", "b"}},
		"lines with commas":            {"{\"who\":\"a\"},\n{\"who\":\"b\"},\n", []string{"a", "b"}},
		"envelope":                     {`{"Records":[{"who":"a"},{"who":"b"}]}`, []string{"a", "b"}},
		"envelopes in lines":           {"{\"x\":{\"hits\":[{\"_source\":{\"who\":\"a\"}}]}}\n{\"value\":[]}\n", []string{"a", "! format"}},
		"in a string":                  {`{"logEvents":[{"message":"{\"who\":\"a\"}"},{"message":"{\"who\":\"b\"}"}]}`, []string{"a", "b"}},
		"tag without a header":         {"audit[7]: {\"who\":\"a\"},\nsomething: {else\n", []string{"a", "! json"}},
		"many that can't be read":      {`{"Records":[{"who":""},{"who":"a"},{"who":""}]}`, []string{"a", "! actor", "! actor"}},
		"lookup-events":                {`{"Events":[{"CloudTrailEvent":"{\"who\":\"a\"}"}]}`, []string{"a"}},
		"container":                    {`{"log":"WHO a\n","stream":"stdout","time":"2026-01-01T00:00:00Z"}`, []string{"a"}},
		"cri":                          {"2026-01-01T00:00:00.000000000Z stdout F WHO a\n", []string{"a"}},
		"cri in parts":                 {"2026-01-01T00:00:00.000000000Z stdout P WHO a\n2026-01-01T00:00:00.000000000Z stdout F bc\n", []string{"abc"}},
		"cri without the end":          {"2026-01-01T00:00:00.000000000Z stdout P WHO a\n", []string{"! json"}},
		"rfc 5424":                     {"<34>1 2026-10-11T22:14:15.003Z host app - ID47 [x@1 a=\"\\]\"][y@2 b=\"c\"] WHO a\n", []string{"a"}},
		"rfc 5424, json":               {"<34>1 2026-10-11T22:14:15.003Z host app - - - {\"who\":\"a\"}\n", []string{"a"}},
		"rfc 3164":                     {"<34>Oct 11 22:14:15 host app[12]: WHO a\n", []string{"a"}},
		"syslog's file":                {"Oct  1 22:14:15 host app: {\"who\":\"a\"}\n", []string{"a"}},
		"text in syslog of containers": {"2026-01-01T00:00:00.000000000Z stdout F <34>Oct 11 22:14:15 host app[12]: WHO a\n", []string{"a"}},
		"no access":                    {"{\"who\":\"a\",\"kind\":\"heartbeat\"}\n\n", nil},
		"the same twice":               {"{\"who\":\"a\",\"id\":\"1\"}\n{\"who\":\"a\",\"id\":\"1\"}\n", []string{"a"}},
		"several again":                {"{\"who\":\"a\",\"more\":[\"1\",\"1\",\"2\"]}\n{\"who\":\"b\",\"more\":[\"1\",\"1\",\"2\",\"3\"]}\n", []string{"a1", "a1", "a2", "b3"}},
		"something else":               {"{\"what\":\"a\"}\nhello\n{\"who\":\"a\"}\n", []string{"a", "! format", "! format"}},
		"cut off in a line":            {"{\"who\":\"a\n{\"who\":\"b\"}\n", []string{"b", "! json"}},
		"cut off, and a next":          {"{\"who\":\"a\",\"x\":{\"y\":1}\n{\"who\":\"b\"}\n", []string{"b", "! json"}},
		"cut off at the end":           {"{\"who\":\"b\"}\n{\"who\":", []string{"b", "! json"}},
		"behind the JSON":              {"{\"who\":\"a\"} and\n{\"who\":\"b\"}\n", []string{"a", "b", "! json"}},
		"a record in a field":          {`{"who":"a","message":"{\"who\":\"b\"}","log":"WHO c"}`, []string{"a"}},
		"many in a string":             {`{"message":"{\"Records\":[{\"who\":\"a\"},{\"who\":\"b\"}]}"}`, []string{"a"}},
		"text with brackets":           {"[2026] WHO a\nWHO b\n", []string{"b", "! format"}},
		"deep":                         {`{"who":"a","x":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + "}\n{\"who\":\"b\"}\n", []string{"b", "! json"}},
		"deep in a string":             {`{"message":"` + strings.Repeat("[", 50_000) + "\"}\n{\"who\":\"b\"}\n", []string{"b", "! format"}},
		"escaped apostrophes":          {"{\"who\":\"o\\'a\\\\\"}\n{\"who\":\"b\\q\"}\n", []string{"o'a\\", "! json"}},
		"crowded":                      {`{"who":"a",` + strings.Repeat(`"k":1,`, 20_000) + `"z":1}` + "\n{\"who\":\"b\"}\n", []string{"b", "! json"}},
		"odd names":                    {"{\"who\":\"a\\u200bd\\u001b[31mmin\\u202e\"}\n", []string{"admin"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, decode(t, c.input)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALargeDocumentIsTakenElementByElement(t *testing.T) {
	t.Parallel()
	for _, pretty := range []bool{false, true} {
		var b strings.Builder
		b.WriteString(`{"meta":{"a":[1,2]},"Records":[`)
		var want []string
		for i := range 30_000 {
			if i > 0 {
				b.WriteByte(',')
			}
			if pretty {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, `{"who":"a%d","pad":"]}%s"}`, i, strings.Repeat("x", 60))
			want = append(want, fmt.Sprint("a", i))
		}
		b.WriteString("],\"more\":[{\"who\":\"z\"}]}\n{\"who\":\"after\"}\n")
		if diff := cmp.Diff(append(want, "after"), decode(t, b.String())); diff != "" {
			t.Errorf("pretty %t: %.600s", pretty, diff)
		}
	}
}

func TestElementsThatAreTooLargeAreTakenApart(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	var want []string
	b.WriteString(`{"meta":[{"what":1}],"groups":[`)
	for g := range 3 {
		if g > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"labels":[{"key":"x"},{"key":"y"}],"inner":{"Records":[`)
		for i := range 12_000 / (g*g + 1) {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"who":"a%d.%d","pad":"]}%s"}`, g, i, strings.Repeat("x", 120))
			want = append(want, fmt.Sprintf("a%d.%d", g, i))
		}
		b.WriteString("],\"n\":[{\"m\":1}]},\"tail\":[{\"what\":\"not this\"}]}")
	}
	b.WriteString("],\"rest\":{\"who\":\"nor this\"}}\n{\"who\":\"after\"}\n")
	got := decode(t, b.String())
	if diff := cmp.Diff(append(want, "after"), got); diff != "" {
		t.Errorf("%d records, want %d: %.900s", len(got), len(want)+1, diff)
	}
}

func TestARecordThatIsTooLargeIsSetAside(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 3<<20)
	got := decode(t, `{"who":"a","pad":"`+huge+"\"}\n{\"who\":\"b\"}\nWHO "+huge+"\nWHO c\n"+`[{"who":"d","pad":"`+huge+`"},{"who":"e"}]`)
	if diff := cmp.Diff([]string{"b", "c", "e", "! too-long", "! too-long", "! too-long"}, got); diff != "" {
		t.Error(diff)
	}
}

// A sample may end anywhere within a document, behind a bracket too.
func TestDetectInADocumentThatIsCut(t *testing.T) {
	t.Parallel()
	doc := "{\"meta\":[1,{\"x\":[]}],\"Records\":[{\"who\":\"a\",\"x\":[1,{\"y\":2}]},{\"who\":\"b\"},{\"who\":\"c\",\"z\":{}}"
	pad := strings.Repeat(" ", formats.MaxSample-len(doc))
	for cut := strings.Index(doc, "\"b\""); cut <= len(doc); cut++ {
		sample := pad + doc[:cut] + strings.Repeat(" ", len(doc)-cut)
		if got := toy.Detect([]byte(sample)); got < 0.5 {
			t.Errorf("cut behind %q: %v", doc[cut-8:cut], got)
		}
	}
}

// keeper holds the latest event back and lets notes pass.
type keeper struct {
	reader
	held *vigil.Event
}

func (k *keeper) Read(r *record.Record, emit func(*vigil.Event)) error {
	before := k.held
	err := k.reader.Read(r, func(e *vigil.Event) { k.held = e })
	k.held.Origin = r.Origin()
	if before != nil {
		emit(before)
	}
	return err
}

func (k *keeper) Passes(v gjson.Result) bool { return v.Get("note").Exists() }

func (k *keeper) Flush(emit func(*vigil.Event)) error {
	if k.held != nil {
		emit(k.held)
	}
	k.held = nil
	return nil
}

func TestEventsThatAreHeldBackAndRecordsThatPass(t *testing.T) {
	t.Parallel()
	f := record.New(record.Spec{
		Name: "keeper",
		JSON: func(v gjson.Result) float64 {
			if v.Get("who").Exists() {
				return 1
			}
			return 0
		},
		New: func(formats.Options) (record.Reader, error) { return &keeper{}, nil },
	})
	events, errs := formatstest.Decode(t, f, formats.Options{}, "{\"who\":\"a\",\"id\":\"1\"}\n{\"note\":1}\n{\"who\":\"b\",\"id\":\"2\"}\n{\"what\":1}\n")
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprint(e.Actor.ID, e.Origin.Line))
	}
	if diff := cmp.Diff([]string{"a1", "b3"}, got); diff != "" || len(errs) != 1 {
		t.Error(diff, errs)
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	pad := strings.Repeat("x", 1000)
	var long strings.Builder
	for range 100 {
		long.WriteString("{\n\"who\":\"a\",\"pad\":\"" + pad + "\"},")
	}
	for input, want := range map[string]float64{
		"{\"who\":\"a\"}\n{\"who\":\"b\"}\n":  0.9,
		"{\"who\":\"a\"}\n{\"what\":\"b\"}\n": 0.45,
		"WHO a\n":                             0.8,
		"2026-01-01T00:00:00.000000000Z stdout P WHO a\n2026-01-01T00:00:00.000000000Z stdout F bc\n": 0.8,
		"hello\n": 0,
		"":        0,
		("{\"Records\":[" + long.String())[:formats.MaxSample]: 0.9,
	} {
		if got := toy.Detect([]byte(input)); got < want-0.05 || got > want+0.05 {
			t.Errorf("%.40q: %v, want %v", input, got, want)
		}
	}
}

func FuzzFraming(f *testing.F) {
	f.Add("{\"who\":\"a\"}\n[{\"who\":\"b\"}]\n<34>1 - - - - - - WHO c\n")
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, toy, formats.Options{}, input) })
}

// A restart in the middle of a line that a container's runtime has cut reads it from its
// first part on.
func TestPartsOfALineAreReadAgain(t *testing.T) {
	t.Parallel()
	dec, err := toy.New(formats.Options{Source: "s", File: "f"})
	if err != nil {
		t.Fatal(err)
	}
	var got []*vigil.Event
	emit := func(e *vigil.Event, _ formats.Line) { got = append(got, e) }
	for i, text := range []string{"WHO x", "2026-01-01T00:00:00.000000000Z stdout P WHO a", "2026-01-01T00:00:00.000000000Z stdout F b"} {
		if err := dec.Decode(formats.Line{Text: []byte(text), Offset: int64(100 * i), Number: int64(i + 1)}, emit); err != nil {
			t.Fatal(err)
		}
		if at, held := dec.Pending(); held != (i == 1) || held && at != 100 {
			t.Errorf("after line %d: from %d, %t", i+1, at, held)
		}
	}
	if len(got) != 2 || got[1].Actor.ID != "ab" || got[1].Origin.Line != 2 || got[1].Origin.Offset != 100 {
		t.Errorf("%+v", got)
	}
}

func TestEachEventOfARecordThatIsRefusedIsTold(t *testing.T) {
	t.Parallel()
	f := record.New(record.Spec{
		Name: "untimed",
		JSON: func(gjson.Result) float64 { return 1 },
		New:  func(formats.Options) (record.Reader, error) { return untimed{}, nil },
	})
	events, errs := formatstest.Decode(t, f, formats.Options{}, "{\"n\":1}\n")
	if len(events) != 1 || len(errs) != 2 {
		t.Errorf("%d events and %d errors, want 1 and 2: %v", len(events), len(errs), errs)
	}
}

// untimed makes three events of a record, two of which have times that can't be.
type untimed struct{}

func (untimed) Read(r *record.Record, emit func(*vigil.Event)) error {
	for i, year := range []int{1, 2026, 1} {
		e := r.Event()
		e.ID, e.Actor.ID, e.Action, e.Time = fmt.Sprint(i), "a", vigil.ActionRead, time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		emit(e)
	}
	return nil
}
