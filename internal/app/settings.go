package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vigil/detector/rules"
	"vigil/internal/config"
	"vigil/internal/privacy"
)

// KeyVariable is the environment variable from which the commands over files
// take the key of their pseudonyms when no configuration names one.
const KeyVariable = "VIGIL_PSEUDONYM_KEY"

// Settings is what a person says about files to read, on the command line and by
// a configuration. What is given here wins over what the configuration says.
type Settings struct {
	// Files are paths, folders or globs. At least one.
	Files []string
	// Config is the path of a configuration whose mapping, actors, format and
	// budget are used; empty uses none. Source names one of its sources; empty
	// takes the one whose files these are, or the only one there is.
	Config, Source string
	// Format, Preset, LogLinePrefix, LogFormat and Store are as in the
	// configuration.
	Format, Preset, LogLinePrefix, LogFormat, Store string
	// Params are the format's other settings by name.
	Params map[string]string
	// Pseudonyms replaces identifiers.
	Pseudonyms bool
	// Feeds are files that tell reasons, each as "kind=FILE", in place of those of their
	// kind in the configuration; Problem, when set, gets what is wrong in them.
	Feeds   []string
	Problem func(string)
	// EventsOnly leaves out what the configuration's feeds tell.
	EventsOnly bool
}

// Resolved is what Settings come down to.
type Resolved struct {
	Input Input
	// Budget, MaxActors and MaxCold are the configuration's, zero without one.
	Budget    float64
	MaxActors int
	MaxCold   int
	// Rules are those that are built in and the configuration's.
	Rules *rules.Set
	// RandomKey says that pseudonyms are made with a key of this run alone.
	RandomKey bool
}

// Resolve reads the configuration, if there is one, and puts everything
// together. The error says what to change.
func (s Settings) Resolve() (*Resolved, error) {
	if len(s.Files) == 0 {
		return nil, errors.New("no file is given")
	}
	out := &Resolved{}
	source := config.Source{}
	var key config.Secret
	var dataDir string
	var patterns []string
	var configured []config.Feed
	if s.Config != "" {
		cfg, err := config.Load(s.Config, Known())
		if err != nil {
			return nil, err
		}
		from, err := s.pick(cfg)
		if err != nil {
			return nil, err
		}
		source = *from
		out.Input.Actors, out.Budget, out.MaxActors, out.MaxCold = cfg.Actors, cfg.Budget, cfg.MaxActors, cfg.MaxCold
		key, dataDir, patterns = cfg.PseudonymKey, cfg.DataDir, cfg.Rules
		if !s.EventsOnly {
			configured = cfg.Feeds
		}
	} else if s.Source != "" {
		return nil, errors.New("--source names a source of a configuration; give that with -c")
	}
	set, wrong := LoadRules(patterns)
	if len(wrong) > 0 {
		return nil, &config.Error{Problems: wrong}
	}
	out.Rules = set
	s.override(&source)
	in := &out.Input
	in.Files, in.Source, in.Store, in.Tenant, in.Format = s.Files, source.Name, source.Store, source.Tenant, source.Format
	var err error
	if in.Params, err = paramsByFormat(source.Format, source.FormatParams()); err != nil {
		return nil, err
	}
	if in.Mapping, err = mappingOf(&source.Mapping); err != nil {
		return nil, err
	}
	if s.Pseudonyms {
		if in.Pseudonyms, out.RandomKey, err = pseudonymizer(key, dataDir); err != nil {
			return nil, err
		}
	}
	if err := s.readFeeds(in, configured); err != nil {
		return nil, err
	}
	return out, nil
}

// readFeeds reads the feeds that are given, and those of the configuration whose kind
// is not. A configured one that can't be read is told and left out, as in the service.
func (s Settings) readFeeds(in *Input, configured []config.Feed) error {
	problem := s.Problem
	if problem == nil {
		problem = func(string) {}
	}
	given, err := givenFeeds(s.Feeds, in.Tenant)
	if err != nil {
		return err
	}
	take := func(f *config.Feed) error {
		pieces, err := readFeed(f, problem)
		for i := range pieces {
			in.Pseudonyms.Facts(&pieces[i], f.Tenant)
		}
		in.Facts = append(in.Facts, pieces...)
		return err
	}
	for i := range given {
		if err := take(&given[i]); err != nil {
			return err
		}
	}
	for i := range configured {
		f := &configured[i]
		switch {
		case slices.ContainsFunc(given, func(g config.Feed) bool { return g.Kind == f.Kind }):
		case f.Push != nil:
			problem(fmt.Sprintf("feed %s is pushed to the service, so it is left out here; give it with --feed %s=FILE", f.Name, f.Kind))
		default:
			if err := take(f); err != nil {
				problem(fmt.Sprintf("feed %s is left out: %s", f.Name, err))
			}
		}
	}
	return nil
}

// pick finds the configuration's source that the files belong to.
func (s Settings) pick(cfg *config.Config) (*config.Source, error) {
	var names []string
	for i := range cfg.Sources {
		source := &cfg.Sources[i]
		if s.Source != "" && source.Name == s.Source {
			return source, nil
		}
		names = append(names, source.Name)
	}
	if s.Source != "" {
		return nil, fmt.Errorf("%s has no source %q; it has %s", s.Config, s.Source, strings.Join(names, ", "))
	}
	var withFiles []*config.Source
	for i := range cfg.Sources {
		if len(cfg.Sources[i].File) > 0 {
			withFiles = append(withFiles, &cfg.Sources[i])
		}
	}
	switch {
	case len(cfg.Sources) == 1:
		return &cfg.Sources[0], nil
	case len(withFiles) == 1:
		return withFiles[0], nil
	}
	for i := range cfg.Sources {
		for _, glob := range cfg.Sources[i].File {
			if ok, err := filepath.Match(glob, s.Files[0]); err == nil && ok {
				return &cfg.Sources[i], nil
			}
		}
	}
	return nil, fmt.Errorf("%s has several sources; name the one that these files belong to with --source (%s)", s.Config, strings.Join(names, ", "))
}

// override lays what is given on the command line over the source.
func (s Settings) override(source *config.Source) {
	for _, o := range []struct {
		to   *string
		with string
	}{
		{&source.Format, s.Format}, {&source.Mapping.Preset, s.Preset}, {&source.LogLinePrefix, s.LogLinePrefix},
		{&source.LogFormat, s.LogFormat}, {&source.Store, s.Store},
	} {
		if o.with != "" {
			*o.to = o.with
		}
	}
	if len(s.Params) > 0 {
		params := maps.Clone(source.Params)
		if params == nil {
			params = map[string]string{}
		}
		maps.Copy(params, s.Params)
		source.Params = params
	}
}

// pseudonymizer makes one with the configured key, the data folder's, the
// environment's, or a random one, in this order.
func pseudonymizer(configured config.Secret, dataDir string) (p *privacy.Pseudonymizer, random bool, err error) {
	key, err := serviceKey(configured, dataDir, false)
	if err != nil {
		return nil, false, err
	}
	if key == nil {
		key = []byte(os.Getenv(KeyVariable))
	}
	if len(key) == 0 {
		random = true
		key = make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return nil, false, fmt.Errorf("make a pseudonym key: %w", err)
		}
	}
	p, err = privacy.New(key, privacy.Options{})
	return p, random, err
}

// serviceKey returns the key that the service with this configuration uses, nil
// when there is none yet and none may be made.
func serviceKey(configured config.Secret, dataDir string, mayMake bool) ([]byte, error) {
	if configured.IsSet() {
		value, err := configured.Reveal()
		if err != nil {
			return nil, fmt.Errorf("read pseudonym_key: %w", err)
		}
		return []byte(value), nil
	}
	if dataDir == "" || (!mayMake && !privacy.HasKey(dataDir)) {
		return nil, nil
	}
	return privacy.LoadKey(dataDir)
}
