package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/internal/app"
	"vigil/internal/drill"
	"vigil/internal/traffic"
)

type drillCommand struct {
	List   drillListCommand   `cmd:"" help:"List the breaches that can be staged, each with its trap."`
	Run    drillRunCommand    `cmd:"" help:"Stage breaches and tell which of them are found, when, and after how many customers."`
	Report drillReportCommand `cmd:"" help:"Stage breaches at several intensities and write a page with pictures."`
	Clean  drillCleanCommand  `cmd:"" help:"Stage nothing and count, week by week, what is found all the same."`
	Gain   drillGainCommand   `cmd:"" help:"Tell what each feed is worth: false findings on clean weeks with and without it."`
}

type drillListCommand struct {
	JSON bool `name:"json" help:"Print one drill a line as JSON."`
}

// Help is shown below the flags.
func (drillListCommand) Help() string {
	return `Each drill is a breach and, beside it, a trap: the innocent happening that looks most like it.

Examples:

    vigil drill list
    vigil drill list --json | jq -r .id`
}

// Run lists.
func (c *drillListCommand) Run(io streams) error {
	if c.JSON {
		encoder := json.NewEncoder(io.out)
		encoder.SetEscapeHTML(false)
		for _, s := range drill.Scenarios() {
			line := struct {
				ID    string     `json:"id"`
				Name  string     `json:"name"`
				Kind  drill.Kind `json:"kind"`
				About string     `json:"about"`
				Trap  string     `json:"trap"`
				Needs drill.Need `json:"needs"`
			}{s.ID, s.Name, s.Kind, s.About, s.Quiet, need(&s)}
			if err := encoder.Encode(line); err != nil {
				return err
			}
		}
		return nil
	}
	t := columns(io.out, "id", "breach", "kind", "feeds", "trap")
	for _, s := range drill.Scenarios() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.Name, s.Kind, feedsOf(&s), s.Quiet)
	}
	return t.Flush()
}

func need(s *drill.Scenario) drill.Need {
	n, _ := drill.NeedOf(s.Row())
	return n
}

// feedsOf lists the feeds that a drill's first way to be seen needs, "-" for none.
func feedsOf(s *drill.Scenario) string {
	if n := need(s); len(n.Ways) > 0 && len(n.Ways[0].Feeds) > 0 {
		return joined(n.Ways[0].Feeds)
	}
	return "-"
}

// columns begins a table with its heads.
func columns(w io.Writer, heads ...string) *tabwriter.Writer {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(heads, "\t"))
	return t
}

// drillFlags are what run and report share.
type drillFlags struct {
	IDs       []string `arg:"" optional:"" name:"id" help:"Drills to run (see vigil drill list); all when none is given."`
	All       bool     `help:"Run all drills."`
	Seeds     int      `default:"${seeds}" placeholder:"N" help:"In how many worlds each is staged (default: ${default})."`
	FirstSeed uint64   `default:"1" placeholder:"N" help:"The first world's number; other numbers give other worlds."`
	Actors    int      `default:"120" placeholder:"N" help:"People and machines of the made-up traffic (default: ${default})."`
	Days      int      `default:"42" placeholder:"N" help:"Its length in days (default: ${default})."`
	Goings    string   `name:"happenings" default:"all" placeholder:"LIST" help:"What goes on in it besides: all, none, or names such as spike,vpn (default: ${default})."`
	Feeds     string   `placeholder:"LIST" help:"What other systems tell the detector: all, none, or kinds such as assignment,consent (default: all in made-up traffic, none in recorded)."`
	Budget    float64  `placeholder:"N" help:"False findings a day that people accept (default: one for each 1,000 actors)."`

	drillTraffic `embed:""`
}

// drillTraffic is recorded traffic: the flags by which scan reads it.
type drillTraffic struct {
	Traffic       []string          `sep:"none" placeholder:"FILE" help:"Stage in this recorded traffic instead: a log file, folder or glob, as scan reads them. May be given several times."`
	Config        string            `short:"c" placeholder:"FILE" help:"Take mapping, actors, format and pseudonym key from this configuration."`
	Source        string            `placeholder:"NAME" help:"The source in the configuration that the files belong to."`
	Format        string            `placeholder:"NAME" help:"The log format (see vigil formats); found by itself when left out."`
	Preset        string            `placeholder:"NAME" help:"A schema that vigil knows: chatwoot or rasa."`
	LogLinePrefix string            `placeholder:"PREFIX" help:"PostgreSQL's log_line_prefix, when it isn't found by itself."`
	LogFormat     string            `placeholder:"FORMAT" help:"The log format as nginx, Apache or Envoy are configured, when it isn't found by itself."`
	Param         map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"Another setting of the format."`
	Store         string            `placeholder:"NAME" help:"The system that the logs are of, for events that don't name it."`
	Feed          []string          `sep:"none" placeholder:"KIND=FILE" help:"A file that tells reasons for the recorded reads, as scan takes it; may be given several times."`
	Pseudonyms    bool              `help:"Replace people's identifiers by pseudonyms."`
}

// resolve turns the flags into options. The bar shows how far the drills are.
func (f *drillFlags) resolve(io streams) (app.DrillOptions, *progress, error) {
	var opts app.DrillOptions
	list, err := drill.Named(f.IDs)
	switch {
	case err != nil:
		return opts, nil, &usageError{err}
	case f.All && len(f.IDs) > 0:
		return opts, nil, &usageError{fmt.Errorf("--all and %s: give one of them", strings.Join(f.IDs, " "))}
	case slices.Contains(f.Traffic, "-"):
		return opts, nil, &usageError{errors.New("--traffic - can't be used: traffic is read several times; write it to a file first")}
	case f.Seeds < 1:
		return opts, nil, &usageError{fmt.Errorf("--seeds is %d, must be at least 1", f.Seeds)}
	case f.Actors < 20:
		return opts, nil, &usageError{fmt.Errorf("--actors is %d, must be at least 20 so that each role is there", f.Actors)}
	case f.Days < 10:
		return opts, nil, &usageError{fmt.Errorf("--days is %d, must be at least 10; 37 for all drills", f.Days)}
	case len(f.Feed) > 0 && len(f.Traffic) == 0:
		return opts, nil, &usageError{errors.New("--feed tells of recorded traffic: give that with --traffic; --feeds chooses what is made up")}
	case f.Budget < 0:
		return opts, nil, &usageError{fmt.Errorf("--budget %v is negative; leave it out for the default", f.Budget)}
	}
	if opts.Happenings, err = traffic.ParseSet(f.Goings); err != nil {
		return opts, nil, &usageError{fmt.Errorf("--happenings: %w", err)}
	}
	if f.Feeds == "" && len(f.Traffic) == 0 {
		f.Feeds = "all"
	}
	if opts.Feeds, err = drill.ParseFeeds(f.Feeds); err != nil {
		return opts, nil, &usageError{fmt.Errorf("--feeds: %w", err)}
	}
	opts.Scenarios, opts.Budget, opts.Actors, opts.Days = list, f.Budget, f.Actors, f.Days
	for i := range f.Seeds {
		opts.Seeds = append(opts.Seeds, f.FirstSeed+uint64(i))
	}
	if len(f.Traffic) > 0 {
		t := f.drillTraffic
		in := inputFlags{
			Files: t.Traffic, Config: t.Config, Source: t.Source, Format: t.Format, Preset: t.Preset, LogLinePrefix: t.LogLinePrefix,
			LogFormat: t.LogFormat, Param: t.Param, Store: t.Store, Pseudonyms: t.Pseudonyms, Feed: t.Feed,
		}
		resolved, reading, err := in.resolve(io, listSome)
		if err != nil {
			return opts, nil, err
		}
		reading.done()
		resolved.Input.Progress = nil
		opts.Traffic = &resolved.Input
		if opts.Budget == 0 {
			opts.Budget = resolved.Budget
		}
	}
	bar := newProgress(io.err, "drilling")
	bar.plain = true
	opts.Progress = func(done, total int) { bar.set(int64(done), int64(total)) }
	return opts, bar, nil
}

type drillRunCommand struct {
	drillFlags `embed:""`

	Intensity float64 `default:"1" placeholder:"X" help:"How much is taken: 1 is plain, .25 a quarter of it (default: ${default})."`
	JSON      bool    `name:"json" help:"Print all figures as one JSON object."`
	Examples  string  `placeholder:"FILE" help:"Write each finding, and whether it was about a breach, to this file: triage learns from it."`
}

// Help is shown below the flags.
func (drillRunCommand) Help() string {
	return `Makes up weeks of a help desk's traffic, or reads yours, stages breaches in it, each with a trap beside
it, and judges all of it as scan would. Nothing is written, and the staged breaches are never kept. For
each drill it tells whether it was found, how many customers had been read by then, how long that took,
and how many findings were about nothing. Exits with 0 also when a breach was not found.

Examples:

    vigil drill run T01
    vigil drill run --all --seeds 5 --json > drills.json
    vigil drill run --all --intensity .25
    vigil drill run T07 T22 --traffic /var/log/postgresql/ --preset chatwoot`
}

// Run runs drills.
func (c *drillRunCommand) Run(ctx context.Context, io streams) error {
	if err := checkIntensity(c.Intensity); err != nil {
		return err
	}
	opts, bar, err := c.resolve(io)
	if err != nil {
		return err
	}
	opts.Intensity = c.Intensity
	result, err := app.Drill(ctx, opts)
	bar.done()
	if err != nil {
		return err
	}
	if c.Examples != "" {
		if err := app.WriteExamples(c.Examples, result); err != nil {
			return fmt.Errorf("write examples: %w", err)
		}
	}
	if c.JSON {
		encoder := json.NewEncoder(io.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(result)
	}
	return printDrills(io.out, result)
}

// printDrills is the table of figures, and what they come to.
func printDrills(w io.Writer, r *drill.Result) error {
	var b strings.Builder
	var unfit []string
	t := columns(&b, "id", "breach", "found", "customers before", "of", "after", "false", "trap quiet")
	for _, f := range r.Scenarios {
		if f.Of == 0 {
			fmt.Fprintf(t, "%s\t%s\tnot run\t\t\t\t\t\n", f.ID, f.Name)
			unfit = append(unfit, fmt.Sprintf("%s was not run: this traffic does not fit; %s", f.ID, printable(f.Unfit)))
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%d of %d\t%s\t%s\t%s\t%.2f\t%d of %d\n", f.ID, f.Name, f.Found, f.Of,
			phrase.Number(f.Exposed), phrase.Number(f.Taken), after(f.Seconds), f.False, f.TrapQuiet, f.Of)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, line := range unfit {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	o := r.Overall
	fmt.Fprintf(&b, "\n%d of %d drills found at intensity %s, in %s %s; %d of %d traps stayed quiet\n",
		o.Found, o.Rows, phrase.Number(r.Intensity), count(int64(len(r.Seeds))), plural(int64(len(r.Seeds)), "world", "worlds"), o.TrapsQuiet, o.Traps)
	for _, k := range o.ByKind {
		fmt.Fprintf(&b, "  %s: %d of %d stagings found, median %s customers before, after %s\n", k.Kind, k.Found, k.Of, phrase.Number(k.Exposed), after(k.Seconds))
	}
	if len(r.Feeds) > 0 {
		fmt.Fprintf(&b, "  feeds: %s\n", joined(r.Feeds))
	} else {
		fmt.Fprintf(&b, "  feeds: none\n")
	}
	fmt.Fprintf(&b, "  false findings: %.2f a day for each 1,000 actors, of which %.2f about no trap\n", o.False, o.Background)
	_, err := io.WriteString(w, b.String())
	return err
}

// joined lists kinds of feed.
func joined(kinds []vigil.FactKind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// after says how long detection took.
func after(seconds *float64) string {
	switch {
	case seconds == nil:
		return "never"
	case *seconds < 1:
		return "at once"
	}
	return phrase.Length(time.Duration(*seconds * float64(time.Second)))
}

type drillReportCommand struct {
	drillFlags `embed:""`

	Output      string    `short:"o" required:"" placeholder:"FILE" help:"The page to write: one HTML file that needs nothing else."`
	Intensities []float64 `default:"0.25,0.5,1,2" placeholder:"X,..." help:"How much is taken, each tried (default: ${default})."`
}

// Help is shown below the flags.
func (drillReportCommand) Help() string {
	return `Stages each breach at several intensities and writes a page with pictures: found or not, when, how many
customers had been read by then, how the evidence grew towards the line, and how much it would have taken
to be found.

Examples:

    vigil drill report -o drills.html
    vigil drill report T07 T22 --seeds 3 -o vendor-and-engineer.html
    vigil drill report --traffic audit.ndjson --intensities 0.25,1 -o ours.html`
}

// Run drills and writes the page.
func (c *drillReportCommand) Run(ctx context.Context, io streams) error {
	for _, x := range c.Intensities {
		if err := checkIntensity(x); err != nil {
			return err
		}
	}
	// What can't be written should not take minutes to fail.
	if info, err := os.Stat(filepath.Dir(c.Output)); err != nil || !info.IsDir() {
		return fmt.Errorf("create report: the folder of %q is not there", c.Output)
	}
	opts, bar, err := c.resolve(io)
	if err != nil {
		return err
	}
	err = app.WriteDrillReport(ctx, c.Output, opts, c.Intensities)
	bar.done()
	return err
}

func checkIntensity(x float64) error {
	if x > 0 && x <= 100 {
		return nil
	}
	return &usageError{fmt.Errorf("the intensity %v must be above 0 and at most 100", x)}
}
