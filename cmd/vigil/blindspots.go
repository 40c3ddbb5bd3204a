package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vigil"
	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/drill"
)

type blindspotsCommand struct {
	Config string   `short:"c" placeholder:"FILE" help:"The configuration: its sources, mappings and feeds are measured."`
	Input  []string `sep:"none" placeholder:"FILE" help:"Read these files, folders or globs instead of what the configuration's sources name."`
	Source string   `placeholder:"NAME" help:"The source in the configuration that the files belong to."`
	Format string   `placeholder:"NAME" help:"The log format (see vigil formats); found by itself when left out."`
	Preset string   `placeholder:"NAME" help:"A schema that vigil knows: chatwoot or rasa."`
	Feeds  string   `placeholder:"LIST" help:"Kinds of feed to count as there besides the configuration's: all, or some such as assignment,consent; none counts none at all."`
	JSON   bool     `name:"json" help:"Print all figures as one JSON object."`
}

// Help is shown below the flags.
func (blindspotsCommand) Help() string {
	return `Reads logs and tells of each kind of breach in the threat catalogue whether it would be seen, seen in part,
or not at all: by which fields arrive in your logs and what your feeds tell. For what is not seen it names
the one setting that would help most. Nothing is judged and nothing is kept.

Examples:

    vigil blindspots -c vigil.yaml
    vigil blindspots --input /var/log/postgresql/ --preset chatwoot
    vigil blindspots --input audit.ndjson --feeds assignment,contract
    vigil blindspots --input audit.ndjson --json | jq -r '.rows[] | select(.sight == "blind") | .mend'`
}

// Run measures.
func (c *blindspotsCommand) Run(ctx context.Context, io streams) error {
	feeds, err := drill.ParseFeeds(c.Feeds)
	if err != nil {
		return &usageError{fmt.Errorf("--feeds: %w", err)}
	}
	var cfg *config.Config
	if c.Config != "" {
		if cfg, err = config.Load(c.Config, app.Known()); err != nil {
			return err
		}
		if c.Feeds != "none" {
			feeds = withFeeds(feeds, cfg.Feeds)
		}
	}
	inputs, err := c.inputs(cfg)
	if err != nil {
		return err
	}
	b, err := app.MeasureBlindspots(ctx, inputs, feeds)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(io.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(b)
	}
	return printBlindspots(io, b)
}

// withFeeds adds the kinds of the configuration's feeds, whether they are read or
// pushed.
func withFeeds(kinds []vigil.FactKind, configured []config.Feed) []vigil.FactKind {
	return slices.DeleteFunc(vigil.FactKinds(), func(k vigil.FactKind) bool {
		return !slices.Contains(kinds, k) && !slices.ContainsFunc(configured, func(f config.Feed) bool { return f.Kind == k })
	})
}

// inputs are the given files, else those of each source of the configuration, nil
// without one.
func (c *blindspotsCommand) inputs(cfg *config.Config) ([]app.Input, error) {
	settings := app.Settings{Files: c.Input, Config: c.Config, Source: c.Source, Format: c.Format, Preset: c.Preset, EventsOnly: true}
	if len(c.Input) > 0 {
		resolved, err := settings.Resolve()
		if err != nil {
			return nil, err
		}
		return []app.Input{resolved.Input}, nil
	}
	if cfg == nil {
		return nil, &usageError{errors.New("nothing to read: give -c or --input")}
	}
	var inputs []app.Input
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		if len(s.File) == 0 || c.Source != "" && s.Name != c.Source {
			continue
		}
		settings.Files, settings.Source = s.File, s.Name
		resolved, err := settings.Resolve()
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, resolved.Input)
	}
	if len(inputs) == 0 {
		return nil, &usageError{fmt.Errorf("no source of %s reads files; give a log with --input", c.Config)}
	}
	return inputs, nil
}

func printBlindspots(io streams, b *app.Blindspots) error {
	t := columns(io.out, "source", "events", "that show data", "fields that arrive")
	for _, s := range b.Sources {
		var told []string
		for _, f := range drill.Fields() {
			if share := s.Share[f]; share > 0 {
				told = append(told, fmt.Sprintf("%s %.0f%%", f, 100*share))
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", printable(s.Source), count(s.Events), count(s.Shows), strings.Join(told, ", "))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(io.out)
	n := map[drill.Sight]int{}
	t = columns(io.out, "id", "breach", "sight", "by", "what would mend it")
	for _, v := range b.Rows {
		n[v.Sight]++
		mend := printable(v.Mend)
		if len(v.Lacks) > 1 {
			mend += fmt.Sprintf("; besides: %s", strings.Join(v.Lacks[1:], ", "))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", v.Row, v.Name, v.Sight, v.By, mend)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	feeds := joined(b.Feeds)
	if feeds == "" {
		feeds = "none"
	}
	_, err := fmt.Fprintf(io.out, "\n%d of %d seen, %d partly, %d blind, with feeds: %s\n", n[drill.Seen], len(b.Rows), n[drill.Partial], n[drill.Blind], feeds)
	return err
}
