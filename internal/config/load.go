package config

import (
	"fmt"
	"io"
	"os"

	"vigil/collectors/formats"
	"vigil/internal/yaml"
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
	// Certificate says whether a listener's certificate can be used.
	Certificate func(t *ServerTLS) error
	// Channel says whether a way to tell can be made of its settings.
	Channel func(cfg *Config, c *Channel) error
	// Policy says what is wrong with who is told what: each error begins with the field
	// under alerts and a colon.
	Policy func(cfg *Config) []error
	// Templates says what is wrong with the folder of templates.
	Templates func(folder string) error
	// Rules reads the user's rules and says what is wrong with their files.
	Rules func(patterns []string) []Problem
}

// Load reads and validates the file at path. The error is an *Error that lists
// every problem, or says that the file can't be read. Secrets are looked up to
// see whether they are there; nothing is written, made or connected to.
func Load(path string, known Known) (*Config, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text, known)
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, yaml.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return text, nil
}

// LoadCollect does what Load does with the configuration of a remote collector.
func LoadCollect(path string, known Known) (*Collect, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	return ParseCollect(path, text, known)
}

// ParseCollect does what LoadCollect does with a text that is already read.
func ParseCollect(file string, text []byte, known Known) (*Collect, error) {
	cfg := DefaultCollect()
	doc := yaml.Decode(file, text, cfg)
	if doc.Whole() {
		c := &checker{Document: doc, known: known, cfg: &Config{Sources: cfg.Sources}}
		c.collect(cfg)
	}
	if problems := doc.Sorted(); len(problems) > 0 {
		return nil, &Error{Problems: problems}
	}
	return cfg, nil
}

// Parse does what Load does with a text that is already read; file names it in
// problems.
func Parse(file string, text []byte, known Known) (*Config, error) {
	cfg := DefaultConfig()
	doc := yaml.Decode(file, text, cfg)
	if doc.Whole() {
		c := &checker{Document: doc, known: known, cfg: cfg}
		c.check()
	}
	problems := doc.Sorted()
	if known.Rules != nil && len(cfg.Rules) > 0 && !doc.Bad("rules") {
		problems = append(problems, known.Rules(cfg.Rules)...)
	}
	if len(problems) == 0 {
		return cfg, nil
	}
	return nil, &Error{Problems: problems}
}

// Problem is one thing that is wrong in a configuration file.
type Problem = yaml.Problem

// Error is of a file that can't be used, with every problem found in it.
type Error = yaml.Error
