package view_test

import (
	"encoding/json"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/dashboards/view"
	"vigil/internal/api"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// What was asked of one thing stands together, whatever it was held against.
func TestFramesStandTogether(t *testing.T) {
	t.Parallel()
	f := vigil.Finding{About: vigil.AboutActor, Contributions: []vigil.Contribution{
		{Model: "volume", Observation: "rows", Span: "day", Frame: "self", Share: 0.4, Text: "1"},
		{Model: "volume", Observation: "subjects", Span: "day", Frame: "self", Share: 0.3, Text: "2"},
		{Model: "volume", Observation: "subjects", Span: "day", Frame: "peers", Share: 0.2, Text: "3"},
		{Model: "volume", Observation: "rows", Span: "quarter", Frame: "self", Share: math.NaN(), Text: "4"},
		{Model: "volume", Observation: "subjects", Span: "day", Frame: "everyone", Share: 0.1, Text: "5"},
	}}
	v := view.NewFinding(&f, view.Options{})
	v.Draw(&f)
	var got string
	for _, c := range v.Contributions {
		got += c.Text
	}
	if got != "23514" {
		t.Errorf("they stand as %s", got)
	}
}

// A plot's numbers are as many as its places, and a gap is no number.
func TestActivityPlot(t *testing.T) {
	t.Parallel()
	a := api.Activity{From: noon, To: noon.Add(time.Hour), Min: noon.Add(-time.Hour), Max: noon.Add(2 * time.Hour), Total: 3, Singles: []*vigil.Event{
		{Time: noon, Resource: "tickets", Outcome: vigil.OutcomeSuccess}, {Time: noon.Add(time.Second), Resource: "<script>", Outcome: vigil.OutcomeDenied}, {Time: noon.Add(2 * time.Second), Store: "pg"},
	}}
	for i := range 20 {
		a.Singles = append(a.Singles, &vigil.Event{Time: noon.Add(time.Duration(3+i) * time.Second), Resource: strings.Repeat("x", i+1)})
	}
	p := view.ActivityPlot(&a, "x", noon, noon.Add(time.Minute))
	if len(p.Lanes) != 8 || p.Lanes[7] != "others" || p.Lanes[0] != "tickets" {
		t.Errorf("lanes: %q", p.Lanes)
	}
	for _, s := range p.Series {
		if len(s.Values) != len(p.At) {
			t.Errorf("%s has %d values at %d places", s.Name, len(s.Values), len(p.At))
		}
	}
	body, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(body); !strings.Contains(text, `"values":[0,null,2`) || !strings.Contains(text, `"values":[null,1,null`) || strings.Contains(text, "<script>") {
		t.Errorf("as JSON: %.400s", text)
	}
	a.Singles, a.Bucket, a.Counts, a.Customers = nil, time.Minute, make([]float64, 60), []float64{2}
	a.Customers = append(a.Customers, make([]float64, 59)...)
	if p = view.ActivityPlot(&a, "x", time.Time{}, time.Time{}); len(p.Series) != 2 || len(p.At) != 60 || p.Bucket != 60 || len(p.Spans) != 0 {
		t.Errorf("counted: %d series at %d places", len(p.Series), len(p.At))
	}
}

// The table leads to each stretch, and keeps what else is asked for.
func TestActivityTable(t *testing.T) {
	t.Parallel()
	a := api.Activity{From: noon, To: noon.Add(100 * time.Minute), Min: noon, Max: noon.Add(200 * time.Minute), Total: 7, Bucket: time.Minute, Counts: make([]float64, 100)}
	a.Counts[3], a.Counts[4], a.Counts[99] = 2, 4, 1
	v := view.NewActivity(&a, "k", noon, noon.Add(time.Minute), view.Place{Path: "/p", Hash: "time", Keep: url.Values{"network": {"10.0.0.0/24"}}}, false)
	if len(v.Rows) != 2 || v.Rows[0].Accesses != "6" || !v.Rows[0].Marked || v.Rows[1].Marked {
		t.Fatalf("rows: %+v", v.Rows)
	}
	if want := "/p?from=2026-11-02T12%3A00%3A00Z&network=10.0.0.0%2F24&to=2026-11-02T12%3A05%3A00Z#time"; v.Rows[0].URL != want {
		t.Errorf("the first leads to %s, want %s", v.Rows[0].URL, want)
	}
	if v.Earlier != "" || v.Later == "" || v.In == "" || v.Out == "" || v.All == "" {
		t.Errorf("at the beginning: earlier %q, later %q, closer %q, wider %q, all %q", v.Earlier, v.Later, v.In, v.Out, v.All)
	}
}
