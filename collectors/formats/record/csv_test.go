package record_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/record"
)

var toyTable = record.New(record.Spec{
	Name: "toy",
	JSON: func(v gjson.Result) float64 {
		if v.Get("who").Exists() {
			return 0.9
		}
		return 0
	},
	CSV: func(columns []string) float64 {
		for _, c := range columns {
			if c == "who" || c == "json" {
				return 0.8
			}
		}
		return 0
	},
	New: func(formats.Options) (record.Reader, error) { return reader{}, nil },
})

func TestTables(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(strings.Repeat("x", 1000)+"\n", 1100)
	for name, c := range map[string]struct {
		input string
		want  []string
	}{
		"rows":                    {"id,who\n1,a\n2,b\n", []string{"a", "b"}},
		"quotes":                  {"\"id\",\"who\"\r\n\"1\",\"a, b\"\r\n\"2\",\"the \"\"c\"\"\"\r\n", []string{"a, b", `the "c"`}},
		"semicolons, byte order":  {"\ufeffid;who\n1;a\n", []string{"a"}},
		"tabs":                    {"id\twho\n1\ta\n", []string{"a"}},
		"line ends within":        {"id,who,note\n1,a,\"x\n2,z,\n{\"\"who\"\":1}\"\n3,b,\n", []string{"a", "b"}},
		"names within":            {"id,who,note\n1,a,\"x\nwho,id,note\n9,8,7\"\n3,b,\n", []string{"a", "b"}},
		"names again":             {"id,who\n1,a\nwho,id,more\nb,2,x\n", []string{"a", "b"}},
		"no last line end":        {"id,who\n1,a", []string{"a"}},
		"lines without anything":  {"id,who\n\n1,a\n\n", []string{"a"}},
		"too few":                 {"id,who\n1\n2,b\n", []string{"b", "! csv"}},
		"text behind a quote":     {"id,who\n\"1\"x,a\n2,b\n", []string{"b", "! csv"}},
		"cut off":                 {"id,who\n2,b\n1,\"a", []string{"b", "! csv"}},
		"a quote within a value":  {"id,who\n1,a\"b\n", []string{`a"b`}},
		"a quote that never ends": {"id,who,n\n1,a,\"" + long + "2,b,c\n3,d,e\n", []string{"b", "d", "! too-long"}},
		"far too many values":     {"id,who\n" + strings.Repeat(",", 1<<20-1) + "\n2,b\n", []string{"b", "! csv"}},
		"nobody":                  {"id,who\n1,\n2,b\n", []string{"b", "! actor"}},
		"JSON in a value":         {"n,json\n1,\"{\"\"who\"\":\"\"a\"\"}\"\n2,no\n", []string{"a", "! format"}},
		"JSON behind a table":     {"id,who\n1,a\n{\"who\":\"b\"}\nid,who\n2,c\n", []string{"a", "b", "c"}},
		"other names":             {"id,what\n1,a\n", []string{"! format", "! format"}},
		"odd bytes":               {"id,who\n1,a\xff\u200b\x1b[31mb\n", []string{"a\ufffdb"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events, errs := formatstest.Decode(t, toyTable, formats.Options{}, c.input)
			var got []string
			for _, e := range events {
				got = append(got, e.Actor.ID)
			}
			for _, err := range errs {
				got = append(got, "! "+err.Code)
			}
			// After a quote that never ends lines are taken for rows again, of which
			// most are none.
			if len(got) > 10 {
				got = append(got[:2], "! too-long")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestATableGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	input := "id,who\n1,a\n2,\"b\nc\"\n3,d\n"
	lines := strings.SplitAfter(input, "\n")
	for stop := 1; stop < len(lines)-1; stop++ {
		var got []string
		emit := func(e *vigil.Event, from formats.Line) { got = append(got, fmt.Sprint(from.Number, e.Actor.ID)) }
		dec, err := toyTable.New(formats.Options{})
		if err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		give := func(i int) {
			_ = dec.Decode(formats.Line{Text: []byte(strings.TrimSuffix(lines[i], "\n")), Offset: at, Number: int64(i + 1)}, emit)
			at += int64(len(lines[i]))
		}
		for i := range stop {
			give(i)
		}
		from, held := dec.Pending()
		state, err := dec.State()
		if err != nil {
			t.Fatal(err)
		}
		if dec, err = toyTable.New(formats.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := dec.Restore(state); err != nil {
			t.Fatal(err)
		}
		next := stop
		if held {
			next, at = strings.Count(input[:from], "\n"), from
		}
		for i := next; i < len(lines)-1; i++ {
			give(i)
		}
		if diff := cmp.Diff([]string{"2a", "3b c", "5d"}, got); diff != "" {
			t.Errorf("stopped after %d lines: %s", stop, diff)
		}
	}
}

func TestDetectTables(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]float64{"id,who\n1,a\n": 0.8, "\n\"who\";\"x\"\n": 0.8, "id,what\n1,a\n": 0, "who\na\n": 0} {
		if got := toyTable.Detect([]byte(input)); got != want {
			t.Errorf("%q: %v, want %v", input, got, want)
		}
	}
}

func FuzzTables(f *testing.F) {
	f.Add("who,\xb0\n")
	f.Add("id,who,note\n1,a,\"x\n2\"\n\"3\",b,\"\"\"\"\n")
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, toyTable, formats.Options{}, input) })
}
