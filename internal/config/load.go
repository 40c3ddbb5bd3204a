package config

import (
	"fmt"
	"io"
	"os"
	"slices"

	"vigil/collectors/formats"
)

// Known is what the rest of the program knows and a configuration must fit. A
// nil func or empty list skips its check.
type Known struct {
	// Formats are the names of log formats.
	Formats []string
	// Preset returns a schema's mapping by name; Presets lists the names.
	Preset  func(name string) (*formats.Mapping, bool)
	Presets []string
	// Spec says whether a cron expression can be used.
	Spec func(spec string) error
	// Decoder says whether a source's format takes its settings.
	Decoder func(source *Source) error
}

// Load reads and validates the file at path. The error is an *Error that lists
// every problem, or says that the file can't be read. Secrets are looked up to
// see whether they are there; nothing is written, made or connected to.
func Load(path string, known Known) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, text, known)
}

// Parse does what Load does with a text that is already read; file names it in
// problems.
func Parse(file string, text []byte, known Known) (*Config, error) {
	cfg := DefaultConfig()
	d := &decoder{file: file}
	d.decode(text, cfg)
	if !slices.ContainsFunc(d.problems, func(p Problem) bool { return p.Field == "" }) {
		c := &checker{decoder: d, known: known, cfg: cfg}
		c.check()
	}
	if len(d.problems) == 0 {
		return cfg, nil
	}
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return nil, &Error{Problems: d.problems}
}
