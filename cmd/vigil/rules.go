package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"vigil/dashboards/phrase"
	"vigil/detector/rules"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
)

type rulesCommand struct {
	List    rulesListCommand    `cmd:"" help:"List the rules, built in and your own, with what each needs."`
	Show    rulesShowCommand    `cmd:"" help:"Print a rule's file."`
	Preview rulesPreviewCommand `cmd:"" help:"Run a rule over history and say what it would have found."`
	History rulesHistoryCommand `cmd:"" help:"Say which rules judged from when on."`
}

// ownRules names the configuration whose rules are read.
type ownRules struct {
	Config string `short:"c" placeholder:"FILE" help:"The configuration whose rules stand beside the built-in ones."`
}

// load reads the rules, and the kinds of feed that the configuration has; nil
// without one.
func (o ownRules) load() (set *rules.Set, feeds map[string]bool, err error) {
	var patterns []string
	if o.Config != "" {
		cfg, err := config.Load(o.Config, app.Known())
		if err != nil {
			return nil, nil, err
		}
		patterns, feeds = cfg.Rules, map[string]bool{}
		for _, f := range cfg.Feeds {
			feeds[string(f.Kind)] = true
		}
	}
	set, wrong := app.LoadRules(patterns)
	if len(wrong) > 0 {
		return nil, nil, &config.Error{Problems: wrong}
	}
	return set, feeds, nil
}

type rulesListCommand struct {
	ownRules `embed:""`
	JSON     bool `name:"json" help:"Print one rule a line as JSON."`
}

// Help is shown below the flags.
func (rulesListCommand) Help() string {
	return `Shows each rule, how severe it is, what it makes one finding of, and the kinds of feed that its condition
asks: without any of them it fires by its other fields alone, or never. With a configuration, those for
which it has no feed are marked.

Examples:

    vigil rules list
    vigil rules list -c vigil.yaml --json | jq -r .id`
}

// ruleLine is a rule in a list.
type ruleLine struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Severity string     `json:"severity"`
	Once     rules.Once `json:"once"`
	From     string     `json:"from"`
	Needs    [][]string `json:"needs,omitempty"`
	// Lacks are those of Needs for which the configuration has no feed.
	Lacks      [][]string        `json:"lacks,omitempty"`
	Fields     []string          `json:"fields"`
	Frameworks []rules.Framework `json:"frameworks,omitempty"`
}

func lineOf(r *rules.Rule, feeds map[string]bool) ruleLine {
	l := ruleLine{ID: r.ID, Name: r.Name, Severity: string(r.Severity), Once: r.Once, From: r.File, Needs: r.Needs(), Fields: r.Names(), Frameworks: r.Frameworks}
	if r.Builtin {
		l.From = "built in"
	}
	for _, group := range l.Needs {
		if feeds != nil && !slices.ContainsFunc(group, func(kind string) bool { return feeds[kind] }) {
			l.Lacks = append(l.Lacks, group)
		}
	}
	return l
}

// needs says which kinds of feed the rule asks, one of each group.
func (l ruleLine) needs() string {
	var groups []string
	for _, g := range l.Needs {
		words := strings.Join(g, " or ")
		if slices.ContainsFunc(l.Lacks, func(lack []string) bool { return slices.Equal(lack, g) }) {
			words += " (no feed)"
		}
		groups = append(groups, words)
	}
	if len(groups) == 0 {
		return "nothing"
	}
	return strings.Join(groups, "; ")
}

// Run lists.
func (c *rulesListCommand) Run(io streams) error {
	set, feeds, err := c.load()
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(io.out)
		encoder.SetEscapeHTML(false)
		for _, r := range set.Rules() {
			if err := encoder.Encode(lineOf(r, feeds)); err != nil {
				return fmt.Errorf("print rule: %w", err)
			}
		}
		return nil
	}
	t := columns(io.out, "id", "severity", "once per", "asks feeds of", "from")
	for _, r := range set.Rules() {
		l := lineOf(r, feeds)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.ID, l.Severity, l.Once, l.needs(), printable(l.From))
	}
	return t.Flush()
}

type rulesShowCommand struct {
	ownRules `embed:""`
	ID       string `arg:"" help:"The rule's id (see vigil rules list)."`
}

// Help is shown below the flags.
func (rulesShowCommand) Help() string {
	return `Prints the file as it is, so that a built-in rule can be taken as the beginning of your own. A rule of your
own with the same id takes its place.

Examples:

    vigil rules show tenant-crossed > rules/tenant-crossed.yaml`
}

// Run prints.
func (c *rulesShowCommand) Run(io streams) error {
	set, _, err := c.load()
	if err != nil {
		return err
	}
	r := set.Find(c.ID)
	if r == nil {
		return &usageError{fmt.Errorf("there is no rule %q; vigil rules list shows them", c.ID)}
	}
	_, err = fmt.Fprint(io.out, r.Text)
	return err
}

type rulesPreviewCommand struct {
	Rule       string   `arg:"" name:"rule" help:"A rule's file, or the id of a built-in rule."`
	Input      []string `placeholder:"LOG" help:"Log files, folders or globs to run it over."`
	DataDir    string   `placeholder:"DIR" help:"Run it over what vigil serve has kept in this folder; serve may run meanwhile."`
	Feed       []string `sep:"none" placeholder:"KIND=FILE" help:"A file that tells reasons for reads, as vigil scan takes it; repeat it for more."`
	Config     string   `short:"c" placeholder:"FILE" help:"Take mapping, actors, format, feeds and budget from this configuration."`
	Source     string   `placeholder:"NAME" help:"The source in the configuration that the files belong to."`
	Format     string   `placeholder:"NAME" help:"The log format; found by itself when left out."`
	Preset     string   `placeholder:"NAME" help:"A schema that vigil knows: chatwoot or rasa."`
	Pseudonyms bool     `help:"Replace people's identifiers by pseudonyms."`
	Budget     float64  `placeholder:"N" help:"False findings a day that people accept (default: the configuration's)."`
	JSON       bool     `name:"json" help:"Print the result as JSON."`
}

// Help is shown below the flags.
func (rulesPreviewCommand) Help() string {
	return `Runs one rule over history before it goes live: on how many accesses it would have fired, of whom, on how
many days, and whether that is more than people would read. What feeds told is known as when it is judged:
over a data folder what stands in its log, over log files what --feed and the configuration's feeds tell.

Examples:

    vigil rules preview rules/night-export.yaml --input /var/log/postgresql/
    vigil rules preview leaver --input /var/log/postgresql/ --feed person=people.csv
    vigil rules preview rules/night-export.yaml --data-dir /var/lib/vigil`
}

// Run previews.
func (c *rulesPreviewCommand) Run(ctx context.Context, io streams) error {
	if (len(c.Input) == 0) == (c.DataDir == "") {
		return &usageError{errors.New("say over what: --input LOG, or --data-dir DIR")}
	}
	if c.DataDir != "" && len(c.Feed) > 0 {
		return &usageError{errors.New("--feed goes with --input: what feeds told is in the log of a data folder")}
	}
	r, err := c.rule()
	if err != nil {
		return err
	}
	var result *api.RulePreview
	if c.DataDir != "" {
		if _, err := os.Stat(c.DataDir); err != nil {
			return fmt.Errorf("look into the data folder: %w", err)
		}
		result, err = app.PreviewLedger(ctx, r, c.DataDir, c.Budget)
	} else {
		in := inputFlags{Files: c.Input, Config: c.Config, Source: c.Source, Format: c.Format, Preset: c.Preset, Pseudonyms: c.Pseudonyms, Feed: c.Feed}
		resolved, bar, rerr := in.resolve(io, listNone)
		if rerr != nil {
			return rerr
		}
		if c.Budget == 0 {
			c.Budget = resolved.Budget
		}
		result, err = app.PreviewFiles(ctx, r, resolved.Input, c.Budget)
		bar.done()
	}
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(io.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(result)
	}
	return printPreview(io.out, result)
}

// rule finds the rule: a file, else one that is built in.
func (c *rulesPreviewCommand) rule() (*rules.Rule, error) {
	if _, err := os.Stat(c.Rule); err != nil {
		set, wrong := app.LoadRules(nil)
		if len(wrong) > 0 {
			return nil, &config.Error{Problems: wrong}
		}
		if r := set.Find(c.Rule); r != nil {
			return r, nil
		}
	}
	r, wrong := app.LoadRule(c.Rule)
	if len(wrong) > 0 {
		return nil, &config.Error{Problems: wrong}
	}
	return r, nil
}

func printPreview(w io.Writer, p *api.RulePreview) error {
	days := func(n int) string { return count(int64(n)) + " " + plural(int64(n), "day", "days") }
	fmt.Fprintf(w, "%s: fires on %s of %s %s, of %s of %s %s, on %s of %s\n", p.Rule, count(p.Hits), count(p.Events), plural(p.Events, "access", "accesses"),
		count(int64(p.HitActors)), count(int64(p.Actors)), plural(int64(p.Actors), "actor", "actors"), count(int64(p.HitDays)), days(p.Days))
	fmt.Fprintf(w, "  at least %s %s, %s a day; the budget is %s\n", count(int64(p.Findings)), plural(int64(p.Findings), "finding", "findings"), phrase.Number(p.PerDay), phrase.Number(p.Budget))
	for _, a := range p.Top {
		name := a.Actor
		if a.Tenant != "" {
			name += " of " + a.Tenant
		}
		fmt.Fprintf(w, "  %s: %s %s, %s to %s\n", printable(name), count(a.Hits), plural(a.Hits, "access", "accesses"),
			a.First.UTC().Format(time.DateTime), a.Last.UTC().Format(time.DateTime))
	}
	for _, s := range p.Warnings {
		if _, err := fmt.Fprintf(w, "warning: %s\n", printable(s)); err != nil {
			return err
		}
	}
	return nil
}
