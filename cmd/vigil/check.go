package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/feeds"
)

type checkCommand struct {
	Config string `short:"c" required:"" placeholder:"FILE" help:"The configuration file."`
	Live   bool   `help:"Also connect to everything that it names, and say what is missing."`
	JSON   bool   `name:"json" help:"Print one problem a line as JSON: file, line, column, field, message, remedy."`
}

// Help is shown below the flags.
func (checkCommand) Help() string {
	return `Reads the file and the rules and feeds that it names, runs the rules' examples, reads the feeds record by record, looks its
secrets up, and tells every problem with its line, its field and the remedy. Nothing is written, made or connected to. Exits with 1
when there is a problem.

With --live it also connects to each source, to Slack and InfluxDB, and looks at folders and certificates: it says what is missing
(a right, a setting, the network), with the command that mends it. It reads as little as shows that reading works.

Examples:

    vigil check -c vigil.yaml
    vigil check -c vigil.yaml --live
    vigil check -c vigil.yaml --json | jq .field`
}

// Run validates.
func (c *checkCommand) Run(ctx context.Context, io streams) error {
	cfg, err := config.Load(c.Config, app.Known())
	var bad *config.Error
	if c.JSON && errors.As(err, &bad) {
		encoder := json.NewEncoder(io.out)
		for _, p := range bad.Problems {
			if err := encoder.Encode(p); err != nil {
				return fmt.Errorf("print problem: %w", err)
			}
		}
		return fmt.Errorf("%d %s in %s", len(bad.Problems), plural(int64(len(bad.Problems)), "problem", "problems"), c.Config)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		err := c.feedsJSON(io, app.CheckFeeds(cfg))
		if c.Live {
			err = errors.Join(err, c.live(ctx, io, cfg))
		}
		return err
	}
	fmt.Fprintf(io.out, "%s: good, with %d %s and %d actor %s%s\n", printable(c.Config),
		len(cfg.Sources), plural(int64(len(cfg.Sources)), "source", "sources"),
		len(cfg.Actors), plural(int64(len(cfg.Actors)), "rule", "rules"), ruleCount(cfg))
	err = printFeeds(io, app.CheckFeeds(cfg))
	if c.Live {
		err = errors.Join(err, c.live(ctx, io, cfg))
	}
	return err
}

// live tries everything and prints what each try has shown.
func (c *checkCommand) live(ctx context.Context, io streams, cfg *config.Config) error {
	bad := 0
	encoder := json.NewEncoder(io.out)
	for _, l := range app.CheckLive(ctx, cfg) {
		if !l.OK {
			bad++
		}
		if c.JSON {
			if err := encoder.Encode(l); err != nil {
				return fmt.Errorf("print check: %w", err)
			}
			continue
		}
		switch {
		case !l.OK:
			fmt.Fprintf(io.out, "%s: MISSING\n", printable(l.What))
			for line := range strings.SplitSeq(l.Problem, "\n") {
				fmt.Fprintf(io.out, "  %s\n", printable(line))
			}
		case l.Note != "":
			fmt.Fprintf(io.out, "%s: well (%s)\n", printable(l.What), printable(l.Note))
		default:
			fmt.Fprintf(io.out, "%s: well\n", printable(l.What))
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d %s not as it must be", bad, plural(int64(bad), "thing is", "things are"))
	}
	return nil
}

// ruleCount tells of the user's own rules, where there are any.
func ruleCount(cfg *config.Config) string {
	if len(cfg.Rules) == 0 {
		return ""
	}
	set, _ := app.LoadRules(cfg.Rules) // Load has told what is wrong
	n := int64(0)
	for _, r := range set.Rules() {
		if !r.Builtin {
			n++
		}
	}
	return fmt.Sprintf(", and %s %s of your own, their examples told right", count(n), plural(n, "rule", "rules"))
}

// printFeeds tells how each feed stands. A feed that can't be used, or that was
// refused, is an error.
func printFeeds(io streams, checks []app.FeedCheck) error {
	bad := 0
	for i := range checks {
		f := &checks[i]
		if f.Pushed {
			fmt.Fprintf(io.out, "feed %s (%s): is pushed\n", f.Name, f.Kind)
		} else if !f.Unusable {
			fmt.Fprintf(io.out, "feed %s (%s): %s %s, %s set aside\n", f.Name, f.Kind, count(int64(f.Records)), plural(int64(f.Records), "record", "records"), count(int64(f.Aside)))
		}
		for _, p := range f.Problems {
			fmt.Fprintf(io.out, "  %s\n", printable(p.String()))
		}
		if f.Trouble != "" {
			fmt.Fprintf(io.out, "  %s\n", printable(f.Trouble))
		}
		if f.Unusable || f.Trouble != "" {
			bad++
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d %s can't be used as it stands", bad, plural(int64(bad), "feed", "feeds"))
	}
	return nil
}

// feedsJSON prints the feeds' problems, one a line.
func (c *checkCommand) feedsJSON(io streams, checks []app.FeedCheck) error {
	encoder := json.NewEncoder(io.out)
	bad := 0
	for i := range checks {
		f := &checks[i]
		problems := f.Problems
		if f.Trouble != "" {
			problems = append(problems, feeds.Problem{File: c.Config, Field: f.Name, Message: f.Trouble})
		}
		for _, p := range problems {
			if err := encoder.Encode(p); err != nil {
				return fmt.Errorf("print problem: %w", err)
			}
		}
		if f.Unusable || f.Trouble != "" {
			bad++
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d %s can't be used as it stands", bad, plural(int64(bad), "feed", "feeds"))
	}
	return nil
}
