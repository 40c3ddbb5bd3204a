// Package formatstest holds what every format's tests share: decoding of a text, golden
// cases, the promises under hostile input.
package formatstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/native"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Updating reports whether -update was given, for tests with golden files of their own.
func Updating() bool { return *update }

// Decode reads a whole text as one stream, in the lines and pieces in which a collector
// gives them.
func Decode(tb testing.TB, f formats.Format, opts formats.Options, text string) (events []*vigil.Event, errs []*formats.Error) {
	tb.Helper()
	if opts.Sample == nil {
		opts.Sample = []byte(text[:min(len(text), formats.MaxSample)])
	}
	dec, err := f.New(opts)
	if err != nil {
		tb.Fatalf("make a decoder: %v", err)
	}
	emit := func(e *vigil.Event, from formats.Line) {
		if err := e.Validate(); err != nil {
			tb.Errorf("line %d gave an event that is none: %v", from.Number, err)
		}
		events = append(events, e)
	}
	Lines(dec, text, func(line formats.Line) { errs = append(errs, split(dec.Decode(line, emit))...) })
	return events, append(errs, split(dec.Flush(emit))...)
}

// Lines cuts a text as collectors do for dec.
func Lines(dec formats.Decoder, text string, give func(formats.Line)) {
	pieces := formats.TakesPieces(dec)
	rest := []byte(text)
	for n := int64(1); len(rest) > 0; n++ {
		line, after, found := bytes.Cut(rest, []byte{'\n'})
		at := int64(len(text) - len(rest))
		for pieces && len(line) >= formats.MaxPiece {
			give(formats.Line{Text: bytes.Clone(line[:formats.MaxPiece]), Offset: at, Number: n, More: true})
			line, at = line[formats.MaxPiece:], at+formats.MaxPiece
		}
		rest = after
		if len(line) <= formats.MaxLine {
			give(formats.Line{Text: bytes.TrimSuffix(bytes.Clone(line), []byte{'\r'}), Offset: at, Number: n})
		}
		if !found {
			break
		}
	}
}

func split(err error) (out []*formats.Error) {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			out = append(out, split(e)...)
		}
		return out
	}
	var fe *formats.Error
	if !errors.As(err, &fe) {
		fe = &formats.Error{Code: "?", Reason: err.Error()}
	}
	return []*formats.Error{fe}
}

// Golden runs the cases under dir: each folder holds an input (any name that starts with
// "input") and what comes out of it, expected.ndjson: a native line per event, and a line
// {"error": code} per record that was set aside. A folder may hold params.json, the
// format's parameters, and mapping.json. Run with -update to write what comes out.
func Golden(t *testing.T, f formats.Format, dir string) {
	t.Helper()
	cases, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, c := range cases {
		inputs, _ := filepath.Glob(filepath.Join(dir, c.Name(), "input*"))
		if len(inputs) == 0 {
			continue
		}
		ran++
		t.Run(c.Name(), func(t *testing.T) {
			t.Parallel()
			golden(t, f, filepath.Join(dir, c.Name()), inputs[0])
		})
	}
	if ran == 0 {
		t.Fatalf("there are no cases under %s", dir)
	}
}

func golden(t *testing.T, f formats.Format, dir, input string) {
	t.Helper()
	opts := formats.Options{Source: "golden", File: "input"}
	read(t, filepath.Join(dir, "params.json"), &opts.Params)
	read(t, filepath.Join(dir, "mapping.json"), &opts.Mapping)
	text, err := os.ReadFile(input)
	if err != nil {
		t.Fatal(err)
	}
	if sure := f.Detect(text[:min(len(text), formats.MaxSample)]); sure < 0.5 && opts.Params == nil {
		t.Errorf("the format is not sure of its own sample: %v", sure)
	}
	events, errs := Decode(t, f, opts, string(text))
	var b []byte
	for _, e := range events {
		b = append(native.Append(b, e), '\n')
	}
	for _, e := range errs {
		line, _ := json.Marshal(map[string]string{"error": e.Code, "reason": e.Reason})
		b = append(append(b, line...), '\n')
	}
	path := filepath.Join(dir, "expected.ndjson")
	if *update {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(b), "\n")); diff != "" {
		t.Error(diff)
	}
}

func read(t *testing.T, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// Seeds gives the lines of the cases' inputs to a fuzz target, and those inputs whole that
// are short: of long ones Go's fuzzer does nothing but make them shorter.
func Seeds(f *testing.F, dir string) {
	f.Helper()
	const short = 2 << 10
	inputs, err := filepath.Glob(filepath.Join(dir, "*", "input*"))
	if err != nil || len(inputs) == 0 {
		f.Fatalf("there are no inputs under %s: %v", dir, err)
	}
	for _, path := range inputs {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(text) <= short {
			f.Add(string(text))
			continue
		}
		for line := range strings.Lines(string(text)) {
			if len(line) <= short {
				f.Add(line)
			}
		}
	}
}

// Fuzz holds what must be so of any input: no panic, valid events, no more events than
// there is text for, the same again from the same, and again after a restart.
func Fuzz(t *testing.T, f formats.Format, opts formats.Options, input string) {
	t.Helper()
	f.Detect([]byte(input))
	once, errs := Decode(t, f, opts, input)
	again, errsAgain := Decode(t, f, opts, input)
	if diff := cmp.Diff(once, again); diff != "" {
		t.Errorf("the same input gave other events: %s", diff)
	}
	if len(errs) != len(errsAgain) {
		t.Errorf("the same input gave %d errors, then %d", len(errs), len(errsAgain))
	}
	dec, err := f.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	Lines(dec, input, func(l formats.Line) { _ = dec.Decode(l, func(*vigil.Event, formats.Line) {}) })
	state, err := dec.State()
	if err != nil {
		t.Fatalf("state: %v", err)
	}
	fresh, err := f.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.Restore(state); err != nil {
		t.Errorf("what State gave can't be restored: %v", err)
	}
}
