package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vigil"
	"vigil/dashboards/report"
	"vigil/detector"
	"vigil/internal/api"
)

// WriteReport writes what a scan found to path, as one HTML file. The input is
// read a second time for the timelines of what was found. The file appears whole
// or not at all.
func WriteReport(ctx context.Context, path string, in Input, result *ScanResult) error {
	lines, err := timelines(ctx, in, result.Findings)
	if err != nil {
		return fmt.Errorf("draw timelines: %w", err)
	}
	return writeWhole(path, func(w io.Writer) error {
		return report.HTML(w, report.Report{Findings: result.Findings, Timelines: lines, Summary: reportSummary(result)})
	})
}

// writeWhole writes a page to path so that the file appears whole or not at all.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".vigil-report-*")
	if err != nil {
		return fmt.Errorf("create report: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()               // the first error counts
			_ = os.Remove(f.Name()) // as above
		}
	}()
	w := bufio.NewWriter(f)
	if err := write(w); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("put report in place: %w", err)
	}
	return nil
}

// timelines reads the input for the events around the worst findings.
func timelines(ctx context.Context, in Input, findings []vigil.Finding) (map[string]api.Timeline, error) {
	findings = findings[:min(len(findings), report.MaxFindings)]
	if len(findings) == 0 {
		return nil, nil
	}
	open := make([]*timeline, len(findings))
	// So that an event is held only against the findings that it may belong to.
	actors, subjects, networks, sources := map[string][]int{}, map[string][]int{}, map[string][]int{}, map[string][]int{}
	for i := range findings {
		f := &findings[i]
		open[i] = newTimeline(f)
		switch f.About {
		case vigil.AboutSubject:
			subjects[f.Subject] = append(subjects[f.Subject], i)
		case vigil.AboutNetwork:
			networks[f.Network] = append(networks[f.Network], i)
		case vigil.AboutSource:
			sources[f.Source] = append(sources[f.Source], i)
		case vigil.AboutTeam:
			for _, a := range f.Actors {
				actors[a] = append(actors[a], i)
			}
		default:
			actors[f.Actor] = append(actors[f.Actor], i)
		}
	}
	in.Quarantine = nil // told the first time
	_, err := in.each(ctx, func(events []*vigil.Event) error {
		for _, e := range events {
			add := func(may []int) {
				for _, i := range may {
					// An event may name a customer twice.
					if open[i].last != e && isAbout(e, &findings[i]) {
						open[i].last = e
						open[i].add(e)
					}
				}
			}
			add(actors[e.Actor.ID])
			add(networks[e.Network])
			add(sources[e.Source])
			if len(subjects) > 0 {
				for _, s := range e.Subjects {
					add(subjects[s])
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make(map[string]api.Timeline, len(findings))
	for i := range findings {
		out[findings[i].ID] = open[i].done()
	}
	return out, nil
}

func reportSummary(result *ScanResult) report.Summary {
	in := &result.Input
	s := report.Summary{
		Events: in.Events, Reasons: in.Quarantined, Actors: int64(result.Detector.Actors),
		Lanes: apiLanes(result.Detector.Lanes), Budget: result.Detector.Budget, Notes: in.Notes,
	}
	for _, f := range in.Files {
		s.Files = append(s.Files, f.Path)
		if !f.First.IsZero() && (s.From.IsZero() || f.First.Before(s.From)) {
			s.From = f.First
		}
		if f.Last.After(s.To) {
			s.To = f.Last
		}
	}
	for _, n := range in.Quarantined {
		s.Quarantined += n
	}
	if result.Dropped > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d milder findings are not listed.", result.Dropped))
	}
	return s
}

func apiLanes(lanes []detector.Lane) []api.Lane {
	out := make([]api.Lane, len(lanes))
	for i, l := range lanes {
		out[i] = api.Lane(l)
	}
	return out
}
