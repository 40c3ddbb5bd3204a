//go:build !race

package cloudtrail_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/cloudtrail"
	"vigil/collectors/formats/formatstest"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, cloudtrail.New(), "testdata")
}

// Who began a session is known after a restart too.
func TestSessionsSurviveARestart(t *testing.T) {
	t.Parallel()
	input, err := os.ReadFile(filepath.Join("testdata", "identity", "input.json"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(input), "\n")
	f := cloudtrail.New()
	before, err := f.New(formats.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var last *vigil.Event
	emit := func(e *vigil.Event, _ formats.Line) { last = e }
	if err := before.Decode(formats.Line{Text: []byte(lines[3]), Number: 4}, emit); err != nil {
		t.Fatal(err)
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
	if err := after.Decode(formats.Line{Text: []byte(lines[4]), Number: 5}, emit); err != nil {
		t.Fatal(err)
	}
	if last.Action != vigil.ActionRead || last.Actor.Kind != vigil.KindService {
		t.Errorf("%s by %+v", last.Action, last.Actor)
	}
}

func TestAKeyTemplateThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	m := &formats.Mapping{Paths: []formats.Path{{Template: "chats/{customer}"}}}
	if _, err := cloudtrail.New().New(formats.Options{Mapping: m}); err == nil || !strings.Contains(err.Error(), "chats/{customer}") {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	inputs, _ := filepath.Glob(filepath.Join("testdata", "*", "input*"))
	for _, p := range inputs {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			// The grammar of SQL is too slow where it is instrumented; it has tests of its own.
			if !strings.Contains(line, `tatement"`) && !strings.Contains(line, "queryString") {
				f.Add(line)
			}
		}
	}
	format := cloudtrail.New()
	opts := formats.Options{Source: "trail", File: "f", Mapping: &formats.Mapping{
		Tables: map[string]formats.Table{"contacts": {Columns: map[string]formats.Meaning{"customer_id": formats.MeansSubject}}},
		Paths:  []formats.Path{{Template: "chats/{subject}/**"}},
	}}
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, format, opts, input) })
}
