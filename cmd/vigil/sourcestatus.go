package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
)

type sourceStatusCommand struct {
	hereFlags `embed:""`

	Quarantine int `default:"0" placeholder:"N" help:"Also list that many records of each source that were set aside, the newest first: where they stand and why, never what is in them."`
}

// maxQuarantineShown bounds --quarantine.
const maxQuarantineShown = 1_000

// Help is shown below the flags.
func (sourceStatusCommand) Help() string {
	return `Looks into the data folder, beside the service when it runs. A source is

    reading     all is well
    behind      it tells of the past: it catches up, or its events come late
    never seen  nothing has come from it yet
    silent      it should have told something by now, and a finding says so
    failing     it can't be read; why stands below (known while the service runs)

Examples:

    vigil sources status -c vigil.yaml
    vigil sources status --quarantine 5
    vigil sources status --json | jq -r 'select(.state != "reading") | .name'`
}

// Run tells.
func (c *sourceStatusCommand) Run(ctx context.Context, io streams) error {
	if c.Quarantine < 0 || c.Quarantine > maxQuarantineShown {
		return &usageError{fmt.Errorf("--quarantine is %d, must be 0 to %d", c.Quarantine, maxQuarantineShown)}
	}
	cfg, err := config.Load(c.Config, app.Known())
	if err != nil {
		return err
	}
	h, err := app.SourceHealth(ctx, cfg, c.Quarantine)
	if err != nil {
		return err
	}
	if c.JSON {
		return c.json(io.out, &h)
	}
	t := columns(io.out, "source", "state", "last event", "lag", "last hour", "usual", "events", "duplicates", "set aside", "read")
	for i := range h.Sources {
		s := &h.Sources[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(s.Name), s.State, ago(s.Last, h.Now), lag(s.Lag), lastHour(s), usual(s),
			count(s.Events), count(s.Duplicates), count(s.Quarantined), ago(s.Accepted, h.Now))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i := range h.Sources {
		aboutSource(io.out, &h.Sources[i])
	}
	quarantined(io.out, h.Quarantined)
	if !h.Running {
		fmt.Fprintln(io.out, "\nNo service runs with this configuration: whether a source could be read now is not known.")
	}
	return nil
}

// statusLine is one line of JSON.
type statusLine struct {
	*api.Source
	Samples []vigil.Quarantined `json:"quarantined_samples,omitempty"`
}

func (c *sourceStatusCommand) json(w io.Writer, h *app.Health) error {
	for i := range h.Sources {
		line := statusLine{Source: &h.Sources[i]}
		for _, q := range h.Quarantined {
			if q.Source == line.Name {
				line.Samples = append(line.Samples, q)
			}
		}
		if err := printJSON(w, line); err != nil {
			return err
		}
	}
	return nil
}

// aboutSource says what ails a source, below the table.
func aboutSource(w io.Writer, s *api.Source) {
	if s.Fault == "" && len(s.Findings) == 0 && len(s.QuarantineReasons) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", printable(s.Name))
	if s.Fault != "" {
		fmt.Fprintf(w, "  can't be read: %s\n", printable(s.Fault))
	}
	for _, f := range s.Findings {
		headline, _ := phrase.Headline(f.Sentence)
		fmt.Fprintf(w, "  %s %s: %s\n", f.Severity, printable(f.ID), printable(headline))
	}
	if len(s.QuarantineReasons) > 0 {
		var why []string
		for _, code := range sortedKeys(s.QuarantineReasons) {
			why = append(why, fmt.Sprintf("%s %s", printable(code), count(s.QuarantineReasons[code])))
		}
		fmt.Fprintf(w, "  set aside: %s\n", strings.Join(why, ", "))
	}
}

func quarantined(w io.Writer, all []vigil.Quarantined) {
	source := ""
	for i := range all {
		q := &all[i]
		if q.Source != source || i == 0 {
			source = q.Source
			fmt.Fprintf(w, "\nset aside of %s\n", printable(source))
		}
		where := printable(q.File)
		if q.Line > 0 {
			where += fmt.Sprintf(":%d", q.Line)
		}
		if where == "" {
			where = "no position"
		}
		fmt.Fprintf(w, "  %s  %s  %s\n", where, printable(q.Code), printable(q.Reason))
	}
}

// ago says how long before now something was.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := now.Sub(t)
	if d < time.Second {
		return "now"
	}
	return span(d) + " ago"
}

// lag is how far behind a source was when anything came from it last.
func lag(d time.Duration) string {
	if d < time.Second {
		return "-"
	}
	return span(d)
}

// span writes a duration by its largest unit.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%s d", count(int64(d/(24*time.Hour))))
}

func lastHour(s *api.Source) string {
	if len(s.PerHour) == 0 {
		return "-"
	}
	return count(s.PerHour[len(s.PerHour)-1])
}

func usual(s *api.Source) string {
	if s.Usual < 0 {
		return "-"
	}
	return count(int64(s.Usual + 0.5))
}
