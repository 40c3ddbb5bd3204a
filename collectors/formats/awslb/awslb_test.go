package awslb_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/awslb"
	"vigil/collectors/formats/formatstest"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, awslb.New(), "testdata")
}

// A file's head stands at its start: after a restart in its midst the columns are known.
func TestColumnsSurviveARestart(t *testing.T) {
	t.Parallel()
	input, err := os.ReadFile(filepath.Join("testdata", "cloudfront-chosen", "input.log"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(input)), "\n")
	f := awslb.New()
	before, err := f.New(formats.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range lines[:2] {
		if err := before.Decode(formats.Line{Text: []byte(l), Number: int64(i + 1)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	state, err := before.State()
	if err != nil {
		t.Fatal(err)
	}
	after, err := f.New(formats.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := after.Restore(state); err != nil {
		t.Fatal(err)
	}
	var got *vigil.Event
	if err := after.Decode(formats.Line{Text: []byte(lines[2]), Number: 3}, func(e *vigil.Event, _ formats.Line) { got = e }); err != nil {
		t.Fatal(err)
	}
	if got == nil || got.IP != "198.51.100.7" || got.Bytes != 71 {
		t.Errorf("%+v", got)
	}
}

func TestColumnsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"c-ip,cs-method", "date,time", strings.Repeat("x,", 300) + "date,cs-uri-stem"} {
		if _, err := awslb.New().New(formats.Options{Params: map[string]string{"fields": list}}); err == nil {
			t.Errorf("%.40q was taken", list)
		}
	}
}

func FuzzDecode(f *testing.F) {
	inputs, _ := filepath.Glob(filepath.Join("testdata", "*", "input*"))
	for _, p := range inputs {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	format := awslb.New()
	opts := formats.Options{Source: "lb", File: "f", Mapping: &formats.Mapping{Paths: []formats.Path{{Template: "/api/{subject}/**"}}}}
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, format, opts, input) })
}
