package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"vigil/collectors/formats"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/formats/presets"
	"vigil/internal/config"
	"vigil/internal/schedule"
)

// FormatNames lists the log formats there are.
func FormatNames() []string {
	var names []string
	for _, f := range catalog.All() {
		names = append(names, f.Name())
	}
	return names
}

// FormatInfo is a format for people: its name and what its records tell.
type FormatInfo struct {
	Name string `json:"name"`
	formats.Tells
}

// FormatList tells of the formats that there are, in the catalog's order.
func FormatList() (list []FormatInfo) {
	for _, f := range catalog.All() {
		info := FormatInfo{Name: f.Name()}
		if t, ok := f.(formats.Teller); ok {
			info.Tells = t.Tells()
		}
		list = append(list, info)
	}
	return list
}

// Known returns what a configuration must fit.
func Known() config.Known {
	return config.Known{
		Formats:     FormatNames(),
		Preset:      presets.Named,
		Presets:     presets.Names(),
		Spec:        func(spec string) error { _, err := schedule.Parse(spec); return err },
		Decoder:     tryDecoder,
		Certificate: func(t *config.ServerTLS) error { _, err := serverTLS(t); return err },
		Channel:     tryChannel,
		Policy:      tryPolicy,
		Templates:   tryTemplates,
		Rules:       func(patterns []string) []config.Problem { _, problems := LoadRules(patterns); return problems },
	}
}

// settingOf names the format that a setting belongs to where no format is named.
func settingOf(setting string) string {
	switch setting {
	case "log_line_prefix", "log_timezone", "variant":
		return "postgresql"
	case "log_format", "actor", "session", "address", "trusted_proxies":
		return "nginx"
	}
	return ""
}

// tryDecoder says whether a source's format takes its settings, by making a
// decoder and letting go of it.
func tryDecoder(s *config.Source) error {
	params, err := paramsByFormat(s.Format, s.FormatParams())
	if err != nil {
		return err
	}
	for name, settings := range params {
		f, err := formats.ByName(catalog.All(), name)
		if err != nil {
			return err
		}
		if _, err := f.New(formats.Options{Source: s.Name, Store: s.StoreName(), Params: settings}); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// paramsByFormat sorts settings by the format that they are for: the named one,
// or, where none is named, the one that alone has such a setting.
func paramsByFormat(format string, settings map[string]string) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for name, value := range settings {
		owner := format
		if owner == "" {
			owner = settingOf(name)
		}
		if owner == "" {
			return nil, fmt.Errorf("the setting %q needs the format to be named", name)
		}
		if out[owner] == nil {
			out[owner] = map[string]string{}
		}
		out[owner][name] = value
	}
	if len(out) > 1 {
		return nil, errors.New("these settings are for different formats; log_line_prefix is PostgreSQL's and log_format is nginx's: give one of them")
	}
	return out, nil
}

// mappingOf returns the mapping of a source: its preset with its own settings
// over it.
func mappingOf(m *config.Mapping) (*formats.Mapping, error) {
	var preset *formats.Mapping
	if m.Preset != "" {
		p, ok := presets.Named(m.Preset)
		if !ok {
			return nil, fmt.Errorf("%q is no preset; the presets are %s", m.Preset, strings.Join(slices.Sorted(slices.Values(presets.Names())), ", "))
		}
		preset = p
	}
	return m.Formats(preset), nil
}
