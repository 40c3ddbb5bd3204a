//go:build !race

package postgresql_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/postgresql"
	"vigil/collectors/formats/presets"
)

// outcome is one line of an expected file: an event or what was set aside.
type outcome struct {
	Event    *vigil.Event `json:"event,omitempty"`
	SetAside string       `json:"set_aside,omitempty"`
	Line     int64        `json:"line,omitempty"`
}

// caseOptions is options.json.
type caseOptions struct {
	Preset string            `json:"preset"`
	Params map[string]string `json:"params"`
	Store  string            `json:"store"`
	// Blind withholds the sample, so that the decoder finds its variant by itself.
	Blind bool `json:"blind"`
}

func TestCases(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob("testdata/*/input.*")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	f := postgresql.New()
	for _, path := range inputs {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			input, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var o caseOptions
			if text, err := os.ReadFile(filepath.Join(dir, "options.json")); err == nil {
				if err := json.Unmarshal(text, &o); err != nil {
					t.Fatal(err)
				}
			}
			opts := formats.Options{Source: "db", Store: o.Store, File: "input", Params: o.Params}
			if o.Preset != "" {
				m, ok := presets.Named(o.Preset)
				if !ok {
					t.Fatalf("no preset %q", o.Preset)
				}
				opts.Mapping = m
			}
			if !o.Blind {
				opts.Sample = input[:min(len(input), 64<<10)]
			}
			var got bytes.Buffer
			for _, r := range decode(t, f, opts, input) {
				line, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				got.Write(append(line, '\n'))
			}
			expected := filepath.Join(dir, "expected.ndjson")
			if formatstest.Updating() {
				if err := os.WriteFile(expected, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(expected)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lines(want), lines(got.Bytes())); diff != "" {
				t.Errorf("events differ (-want +got):\n%s", diff)
			}
		})
	}
}

func lines(text []byte) []string {
	var out []string
	for l := range bytes.Lines(text) {
		out = append(out, string(bytes.TrimRight(l, "\n")))
	}
	return out
}

// decode runs a whole input through a new decoder.
func decode(t testing.TB, f formats.Format, opts formats.Options, input []byte) []outcome {
	t.Helper()
	d, err := f.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	var out []outcome
	emit := func(e *vigil.Event, _ formats.Line) {
		if err := e.Validate(); err != nil {
			t.Errorf("line %d: event is not valid: %v", e.Origin.Line, err)
		}
		out = append(out, outcome{Event: e})
	}
	note := func(err error) {
		var bad *formats.Error
		if err == nil {
			return
		}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				if errors.As(e, &bad) {
					out = append(out, outcome{SetAside: bad.Code + ": " + bad.Reason, Line: bad.Line.Number})
				}
			}
			return
		}
		if !errors.As(err, &bad) {
			t.Fatalf("not a *formats.Error: %v", err)
		}
		out = append(out, outcome{SetAside: bad.Code + ": " + bad.Reason, Line: bad.Line.Number})
	}
	feed(input, func(l formats.Line) { note(d.Decode(l, emit)) })
	note(d.Flush(emit))
	return out
}

// feed cuts input into lines. The text is overwritten after each call: a decoder
// that keeps it shows.
func feed(input []byte, f func(formats.Line)) {
	r := bufio.NewReaderSize(bytes.NewReader(input), 64<<10)
	var off, n int64
	buf := make([]byte, 0, 4096)
	for {
		text, err := r.ReadBytes('\n')
		if len(text) > 0 {
			n++
			buf = append(buf[:0], bytes.TrimSuffix(text, []byte("\n"))...)
			f(formats.Line{Text: buf, Offset: off, Number: n})
			for i := range buf {
				buf[i] = 'X'
			}
			off += int64(len(text))
		}
		if err != nil {
			return
		}
	}
}
