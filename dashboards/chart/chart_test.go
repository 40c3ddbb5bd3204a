package chart_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/dashboards/chart"
	"vigil/dashboards/internal/sample"
	"vigil/internal/api"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, svg template.HTML) {
	t.Helper()
	got := strings.ReplaceAll(string(svg), "><", ">\n<") + "\n"
	path := filepath.Join("testdata", name+".svg")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (rewrite it with -update if this is meant):\n%s", path, diff)
	}
}

// elements reads a picture as XML and returns how often each element stands in
// it. Styles, scripts, handlers and references to elsewhere fail the test.
func elements(t *testing.T, svg template.HTML) map[string]int {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	count := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return count
		}
		if err != nil {
			t.Fatalf("not well-formed: %v in %.300s", err, svg)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		count[start.Name.Local]++
		switch start.Name.Local {
		case "svg", "title", "desc", "text", "tspan", "rect", "line", "circle", "path":
		default:
			t.Errorf("element <%s>", start.Name.Local)
		}
		for _, a := range start.Attr {
			switch name := a.Name.Local; {
			case name == "style", name == "href", name == "src", strings.HasPrefix(name, "on"):
				t.Errorf("attribute %s=%q", name, a.Value)
			case strings.Contains(a.Value, "NaN"), strings.Contains(a.Value, "Inf"):
				t.Errorf("%s=%q is no number", name, a.Value)
			}
		}
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]vigil.Finding{"vendor": sample.Vendor(), "export": sample.Export(), "scrape": sample.Scrape(), "rule": sample.Bot(),
		"walk": sample.Walk(), "customer": sample.Customer(), "network": sample.Network(), "team": sample.Team(), "source": sample.Silent()} {
		terms, line := chart.Contributions("c", f.Contributions), chart.Timeline("t", sample.Timeline(&f), f.Start, f.End)
		elements(t, terms)
		elements(t, line)
		golden(t, name+"-contributions", terms)
		golden(t, name+"-timeline", line)
		golden(t, name+"-evidence", chart.Evidence("e", f.Evidence, f.Threshold))
		golden(t, name+"-severity", chart.Severity(f.Severity))
	}
	golden(t, "share", chart.Share(0.46))
}

func TestNothingToDraw(t *testing.T) {
	t.Parallel()
	now := sample.Now()
	for name, svg := range map[string]template.HTML{
		"no contributions": chart.Contributions("c", nil),
		"no timeline":      chart.Timeline("t", api.Timeline{}, now, now),
		"no bucket":        chart.Timeline("t", api.Timeline{Start: now, Events: []float64{1}}, now, now),
		"no start":         chart.Timeline("t", api.Timeline{Bucket: time.Hour, Events: []float64{1}}, now, now),
		"too long":         chart.Timeline("t", api.Timeline{Start: now, Bucket: math.MaxInt64 / 2, Events: make([]float64, 9)}, now, now),
	} {
		if svg != "" {
			t.Errorf("%s: %.80s", name, svg)
		}
	}
}

func TestPicturesAreBounded(t *testing.T) {
	t.Parallel()
	many := make([]vigil.Contribution, 1000)
	for i := range many {
		many[i] = sample.Vendor().Contributions[i%4]
	}
	if n := len(chart.Contributions("c", many)); n > 20_000 {
		t.Errorf("1,000 contributions take %d bytes", n)
	}
	long := api.Timeline{Start: sample.Now(), Bucket: time.Minute, Events: make([]float64, 1_000_000)}
	for i := range long.Events {
		long.Events[i] = float64(i % 97)
	}
	if n := len(chart.Timeline("t", long, sample.Now(), sample.Now().Add(time.Hour))); n > 30_000 {
		t.Errorf("a million buckets take %d bytes", n)
	}
}

func TestLongTimelinesKeepTheirTotals(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	line := api.Timeline{Start: start, Bucket: time.Hour, Events: make([]float64, 960), SubjectsNamed: make([]float64, 960)}
	line.Events[10], line.Events[11] = 30, 12
	line.SubjectsNamed[10], line.SubjectsNamed[11] = 30, 12
	svg := string(chart.Timeline("t", line, start.Add(10*time.Hour), start.Add(12*time.Hour)))
	// Two hours stand in each bar: events add up, customers may be the same ones.
	for _, want := range []string{"up to 42 per 2 h", "up to 30 per 2 h"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
}

func TestTheSpanIsShadedWhereItLies(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	line := api.Timeline{Start: start, Bucket: time.Hour, Events: []float64{1, 1, 1, 1}}
	for name, x := range map[string]struct {
		from, to time.Time
		want     string
	}{
		"inside":  {start.Add(time.Hour), start.Add(2 * time.Hour), `class="span" x="25%" y="20" width="25%"`},
		"instant": {start.Add(2 * time.Hour), start.Add(2 * time.Hour), `class="span" x="50%" y="20" width="0.5%"`},
		"over":    {start.Add(-time.Hour), start.Add(99 * time.Hour), `class="span" x="0%" y="20" width="100%"`},
	} {
		if svg := string(chart.Timeline("t", line, x.from, x.to)); !strings.Contains(svg, x.want) {
			t.Errorf("%s: no %s", name, x.want)
		}
	}
	if svg := string(chart.Timeline("t", line, start.Add(-3*time.Hour), start.Add(-2*time.Hour))); strings.Contains(svg, `class="span"`) {
		t.Error("a span outside is shaded")
	}
}

func TestHostileTextsStayText(t *testing.T) {
	t.Parallel()
	payloads := sample.Payloads()
	harmless := sample.Harmless(len(payloads))
	for i := range payloads {
		bad, _ := sample.Hostile(payloads, i)
		good, _ := sample.Hostile(harmless, i)
		got, want := elements(t, chart.Contributions(payloads[i], bad.Contributions)), elements(t, chart.Contributions("c", good.Contributions))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("payload %d changed the picture (-harmless +hostile):\n%s", i, diff)
		}
		elements(t, chart.Evidence(payloads[i], bad.Evidence, bad.Threshold))
	}
}

// FuzzContributions draws any numbers: the picture is well-formed, has no
// coordinate that is no number, and stays small.
func FuzzContributions(f *testing.F) {
	f.Add(281.0, 3.1, 0.0, 9.0, "volume", "", 0.4)
	f.Add(1.0, 0.0004, 0.0, 0.0, "novelty", "203.0.113.0/24", 1.0)
	f.Add(math.Inf(1), math.NaN(), -1.0, math.MaxFloat64, "rule", "", math.NaN())
	f.Fuzz(func(t *testing.T, seen, expected, low, high float64, model, label string, share float64) {
		k := vigil.Contribution{Model: model, Observation: label, Span: label, Frame: model, Seen: seen, Expected: expected, Low: low, High: high, SeenLabel: label, ExpectedLabel: model}
		plain := k
		plain.SeenLabel, plain.Model = "", "volume"
		svg := chart.Contributions("c", []vigil.Contribution{k, plain})
		elements(t, svg)
		elements(t, chart.Evidence(label, seen, expected))
		elements(t, chart.Share(share))
		if len(svg) > 20_000 {
			t.Errorf("%d bytes", len(svg))
		}
	})
}

// FuzzTimeline draws any series over any span.
func FuzzTimeline(f *testing.F) {
	f.Add(int64(1762000000), int64(3600e9), int64(1762003600), int64(7200), []byte{1, 0, 200, 3})
	f.Add(int64(0), int64(1), int64(-1), int64(-1), []byte{})
	f.Fuzz(func(t *testing.T, start, bucket, from, length int64, values []byte) {
		series := make([]float64, len(values))
		for i, v := range values {
			series[i] = float64(v) - 3
			if v == 255 {
				series[i] = math.Inf(1)
			}
		}
		line := api.Timeline{Start: time.Unix(start%1e11, 0), Bucket: time.Duration(bucket), Events: series, SubjectsNamed: series}
		begin := time.Unix(from%1e11, 0)
		if svg := chart.Timeline("t", line, begin, begin.Add(time.Duration(length))); svg != "" {
			elements(t, svg)
		}
	})
}
