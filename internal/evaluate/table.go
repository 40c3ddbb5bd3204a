package evaluate

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"vigil/internal/metrics"
	"vigil/internal/metrics/nab"
)

// Insert puts text between the markers of a name in a Markdown document, in place of
// what stands there; a document without the markers gets them at its end. Doing it
// twice changes nothing.
func Insert(doc, name, text string) (string, error) {
	begin, end := "<!-- detection:"+name+" -->\n", "<!-- /detection:"+name+" -->\n"
	block := begin + strings.TrimRight(text, "\n") + "\n" + end
	from, to := strings.Index(doc, begin), strings.Index(doc, end)
	switch {
	case from < 0 && to < 0:
		if doc != "" && !strings.HasSuffix(doc, "\n\n") {
			doc = strings.TrimRight(doc, "\n") + "\n\n"
		}
		return doc + block, nil
	case from < 0 || to < from:
		return "", fmt.Errorf("write the table %q: its markers are not a pair", name)
	}
	return doc[:from] + block + doc[to+len(end):], nil
}

// table writes a Markdown table.
type table struct{ strings.Builder }

func newTable(heads ...string) *table {
	t := &table{}
	t.row(heads...)
	t.WriteString("|" + strings.Repeat("---|", len(heads)) + "\n")
	return t
}

func (t *table) row(cells ...string) { t.WriteString("| " + strings.Join(cells, " | ") + " |\n") }

// part writes a share with three digits, without the zero ahead of the point.
func part(v float64) string {
	s := fmt.Sprintf("%.3f", v)
	return strings.TrimPrefix(s, "0")
}

// rate writes events per second, in thousands.
func rate(n int, cpu time.Duration) string { return thousands(float64(n) / max(cpu.Seconds(), 1e-6)) }

func thousands(v float64) string {
	if v >= 1e6 {
		return fmt.Sprintf("%.2f M", v/1e6)
	}
	return fmt.Sprintf("%.0f k", v/1e3)
}

// EventTable is the table of a set of events: each of vigil's scores, the merged one
// first, and the peers' below.
func EventTable(s *Scores, peers []PeerRow) (string, error) {
	t := newTable("score", "ROC-AUC", "AP", "events per CPU-s")
	for _, name := range s.Names {
		q, err := metrics.Measure(s.By[name], s.Labels)
		if err != nil {
			return "", fmt.Errorf("measure %s: %w", name, err)
		}
		speed := ""
		if name == merged {
			speed = rate(s.Events, s.CPU)
		}
		t.row("vigil, "+name, part(q.AUC), part(q.AP), speed)
	}
	for _, p := range peers {
		switch {
		case errors.Is(p.Err, ErrNotInstalled):
			t.row(p.Name, "not installed", "", "")
		case p.Err != nil:
			t.row(p.Name, "failed", "", "")
		default:
			t.row(p.Name, fmt.Sprintf("%s (%s to %s)", part(p.Quality.AUC), part(p.Low), part(p.Up)), part(p.Quality.AP), thousands(p.Rate))
		}
	}
	positives := 0
	for _, l := range s.Labels {
		positives += int(truth(l))
	}
	return fmt.Sprintf("%d events, %.1f%% of them attacks; %d got a score.\n\n%s",
		len(s.Labels), 100*float64(positives)/float64(max(1, len(s.Labels))), s.Events, t.String()), nil
}

// PeerRow is a peer's line of a table.
type PeerRow struct {
	Name string
	PeerResult
	Err error
}

// NABTable is the table of the Numenta Anomaly Benchmark.
func NABTable(r NABResult) string {
	t := newTable("score", "NAB standard score", "windows found", "false alarms", "best threshold")
	for _, row := range []struct {
		name string
		r    nab.Result
	}{{"vigil, news", r.News}, {"vigil, surprise", r.Surprise}, {"windowed Gaussian", r.Gaussian}} {
		t.row(row.name, fmt.Sprintf("%.1f", row.r.Score), fmt.Sprintf("%d of %d", row.r.Found, row.r.Found+row.r.Missed),
			fmt.Sprint(row.r.FalseAlarms), fmt.Sprintf("%.2f", row.r.Threshold))
	}
	f := newTable("part", "series", "windows found by news", "false alarms")
	for _, p := range r.Folders {
		f.row(p.Name, fmt.Sprint(p.Series), fmt.Sprintf("%d of %d", p.Found, p.Windows), fmt.Sprint(p.FalseAlarm))
	}
	return fmt.Sprintf("%d series, %d points, %d windows; %s points per CPU-s, starting the program for each series included.\n\n%s\n%s",
		r.Series, r.Points, r.Windows, rate(r.Points, r.CPU), t.String(), f.String())
}

// CloudTable is the table of the labelled series of Microsoft services.
func CloudTable(r CloudResult) string {
	t := newTable("series", "how many", "ROC-AUC", "AP", "best F1", "windowed Gaussian: ROC-AUC", "AP")
	for _, g := range append(r.Groups[:len(r.Groups):len(r.Groups)], r.All) {
		if g.Measured == 0 {
			t.row(g.Name, fmt.Sprint(g.Series), "no point is labelled", "", "", "", "")
			continue
		}
		n := fmt.Sprint(g.Series)
		if g.Measured < g.Series {
			n += fmt.Sprintf(" (%d with labels)", g.Measured)
		}
		t.row(g.Name, n, part(g.AUC), part(g.AP), part(g.F1), part(g.GaussianAUC), part(g.GaussianAP))
	}
	return fmt.Sprintf("%d points; means over the series that have labels, by surprise of each point.\n\n%s", r.All.Points, t.String())
}
