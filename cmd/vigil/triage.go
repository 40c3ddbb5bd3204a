package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"vigil"
	"vigil/dashboards/chart"
	"vigil/internal/app"
	"vigil/internal/config"
)

type triageCommand struct {
	Report triageReportCommand `cmd:"" help:"Learn from four fifths, judge the rest, five times over; tell how good that is."`
	Learn  triageLearnCommand  `cmd:"" help:"Have a vigil learn from drills' findings as well."`
}

type triageReportCommand struct {
	Config   string   `short:"c" placeholder:"FILE" help:"Learn from the verdicts of the vigil with this configuration."`
	Examples []string `sep:"none" placeholder:"FILE" help:"Learn from drills' findings too: a file of vigil drill run --examples. May be given several times."`
	SVG      string   `name:"svg" placeholder:"FILE" help:"Draw the reliability: of what was said to be so likely, how much was."`
	JSON     bool     `name:"json" help:"Print all figures as one JSON object."`
}

// Help is shown below the flags.
func (triageReportCommand) Help() string {
	return `Triage learns from verdicts, and from drills where it is told to, how likely a finding is a breach. It orders
the queue, says how sure it is, and hides nothing. With fewer than 20 of each kind it says that it does
not know yet. No analyst weighs more than all others together.

Examples:

    vigil triage report -c vigil.yaml
    vigil drill run --all --seeds 5 --examples drills.ndjson
    vigil triage report --examples drills.ndjson --svg reliability.svg`
}

// Run evaluates.
func (c *triageReportCommand) Run(ctx context.Context, io streams) error {
	if c.Config == "" && len(c.Examples) == 0 {
		return &usageError{fmt.Errorf("nothing to learn from: give -c for verdicts, --examples for drills' findings, or both")}
	}
	var judged []vigil.Finding
	if c.Config != "" {
		flags := deskFlags{hereFlags: hereFlags{Config: c.Config}}
		err := flags.at(ctx, func(d *app.Desk) (err error) {
			judged, err = d.Judged(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	r, err := app.Triage(ctx, judged, c.Examples)
	if err != nil {
		return err
	}
	if c.SVG != "" {
		points := make([]chart.Reliable, 0, len(r.Bins))
		for _, b := range r.Bins {
			points = append(points, chart.Reliable{Said: b.Said, Was: b.Was, N: b.N})
		}
		if err := os.WriteFile(c.SVG, []byte(chart.Reliability(points)), 0o600); err != nil {
			return fmt.Errorf("draw reliability: %w", err)
		}
	}
	if c.JSON {
		return printJSON(io.out, &r)
	}
	return printTriage(io.out, &r)
}

func printTriage(w io.Writer, r *app.TriageReport) error {
	fmt.Fprintf(w, "learnt from %s: %d about breaches, %d about none; %d of them have an analyst's verdict\n",
		plural(int64(r.Breaches+r.Others), "1 finding", count(int64(r.Breaches+r.Others))+" findings"), r.Breaches, r.Others, r.Verdicts)
	for _, v := range r.Voices {
		fmt.Fprintf(w, "  %s said %d, which weigh as %.0f\n", printable(v.Name), v.Said, v.Weight)
	}
	if !r.Known {
		_, err := fmt.Fprintf(w, "not known yet: %s\n", r.Why)
		return err
	}
	fmt.Fprintf(w, "\non findings not learnt from, five parts:\n")
	fmt.Fprintf(w, "  area under the curve %.3f, average precision %.3f\n", r.AUC, r.AP)
	fmt.Fprintf(w, "  taken for a breach: precision %.2f, recall %.2f, accuracy %.2f\n\n", r.Precision, r.Recall, r.Accuracy)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\ttaken for none\ttaken for a breach\t")
	fmt.Fprintf(t, "is none\t%d\t%d\t\n", r.Confusion[0][0], r.Confusion[0][1])
	fmt.Fprintf(t, "is a breach\t%d\t%d\t\n", r.Confusion[1][0], r.Confusion[1][1])
	fmt.Fprintln(t)
	fmt.Fprintln(t, "said\tfindings\tmean\twere breaches\t")
	for _, b := range r.Bins {
		if b.N > 0 {
			fmt.Fprintf(t, "%.1f to %.1f\t%d\t%.2f\t%.2f\t\n", b.Low, b.High, b.N, b.Said, b.Was)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "what is said is off by %.3f on average; Brier score %.3f\n", r.Error, r.Brier)
	return err
}

type triageLearnCommand struct {
	Config string   `short:"c" default:"vigil.yaml" placeholder:"FILE" help:"The configuration of the vigil that is to learn (default: ${default})."`
	Files  []string `arg:"" name:"file" help:"Files of vigil drill run --examples."`
}

// Run keeps the examples.
func (c *triageLearnCommand) Run(io streams) error {
	cfg, err := config.Load(c.Config, app.Known())
	if err != nil {
		return err
	}
	n, err := app.LearnExamples(cfg.DataDir, c.Files)
	if err != nil {
		return err
	}
	fmt.Fprintf(io.out, "%s %s kept; a running vigil learns from them at its next verdict or start\n", count(int64(n)), plural(int64(n), "finding is", "findings are"))
	return nil
}
