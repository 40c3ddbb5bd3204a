// Package report writes the findings of a scan as one HTML file that needs
// nothing else: pictures, style sheet and all, no script, nothing loaded from
// anywhere. It can be mailed, kept with a case, printed, and read in any browser.
//
// The scan command calls it. It is safe for concurrent use. The same report gives
// the same bytes: no clock is read. Its size is bounded: the worst MaxFindings
// findings are shown, what is left out is counted.
package report

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/dashboards/theme"
	"vigil/dashboards/view"
	"vigil/internal/api"
)

// MaxFindings bounds the findings that a report shows.
const MaxFindings = 500

// Report is what is written.
type Report struct {
	// Title stands at the head; empty means "What vigil found".
	Title string
	// Generated is when the report was made; zero leaves it out.
	Generated time.Time
	// Findings are shown in the order given: worst first.
	Findings []vigil.Finding
	// Timelines holds the timeline of a finding by its id, where there is one.
	Timelines map[string]api.Timeline
	Summary   Summary
}

// Summary says what the findings were found in.
type Summary struct {
	// Files are the files that were read.
	Files []string
	// Events were judged, Quarantined records set aside; Reasons counts those by
	// their class. Actors is the number of distinct actors; zero leaves it out.
	Events, Quarantined, Actors int64
	Reasons                     map[string]int64
	// From and To are the first and the last event's time; zero leaves them out.
	From, To time.Time
	// Lanes tells which spans could be judged.
	Lanes []api.Lane
	// Budget is the asked number of false findings a day.
	Budget float64
	// Notes are what a reader must know besides, in plain words.
	Notes []string
}

//go:embed *.gohtml
var files embed.FS

//go:embed report.css
var ownCSS string

type page struct {
	Title, Generated, Span string
	Policy                 string
	Style                  template.HTML
	Cards, Findings        []view.Finding
	More                   string
	Status                 view.Status
	Actors                 string
	Files                  view.List
	Reasons                []view.Reason
	Notes                  []string
}

// HTML writes the report to w. It writes nothing when the report can't be made; an
// error of w is returned as it is.
func HTML(w io.Writer, r Report) error {
	set, err := view.Templates()
	if err != nil {
		return fmt.Errorf("read shared templates: %w", err)
	}
	if set, err = set.ParseFS(files, "*.gohtml"); err != nil {
		return fmt.Errorf("read report template: %w", err)
	}
	css := theme.CSS() + ownCSS
	sum := sha256.Sum256([]byte(css))
	p := page{
		Title: r.Title,
		// The report's own style sheet and nothing else: if a name in a log were
		// ever to come through as markup, it could still load and run nothing.
		Policy:  "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Style:   template.HTML("<style>" + css + "</style>"), //nolint:gosec // our own file
		Status:  view.NewStatus(api.Status{Events: r.Summary.Events, Quarantined: r.Summary.Quarantined, Lanes: r.Summary.Lanes, Budget: r.Summary.Budget, Progress: -1}, time.Time{}),
		Reasons: view.Reasons(r.Summary.Reasons),
		Files:   view.NewList(r.Summary.Files),
	}
	if p.Title == "" {
		p.Title = "What vigil found"
	}
	p.Title = phrase.Text(p.Title, 200)
	if !r.Generated.IsZero() {
		p.Generated = phrase.Moment(r.Generated)
	}
	if !r.Summary.From.IsZero() {
		p.Span = phrase.Range(r.Summary.From, r.Summary.To)
	}
	if r.Summary.Actors > 0 {
		p.Actors = phrase.Plural(r.Summary.Actors, "actor", "actors")
	}
	for _, n := range r.Summary.Notes {
		p.Notes = append(p.Notes, phrase.Prose(n, 600))
	}
	findings := r.Findings
	if len(findings) > MaxFindings {
		p.More = phrase.Count(int64(len(findings) - MaxFindings))
		findings = findings[:MaxFindings]
	}
	for i := range findings {
		f := &findings[i]
		key := "f" + strconv.Itoa(i+1)
		p.Cards = append(p.Cards, view.NewFinding(f, view.Options{Key: "q" + key, Path: "#" + key}))
		full := view.NewFinding(f, view.Options{Key: key})
		full.Draw(f)
		full.DrawTimeline(f, r.Timelines[f.ID])
		p.Findings = append(p.Findings, full)
	}
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, "report", p); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}
