// Package page writes what drills came to as one HTML file with pictures: which
// breaches were found, when, after how many customers, how the evidence grew
// towards the line, and at which intensity each is found.
//
// It needs nothing else: no script, nothing loaded from anywhere. The same results
// give the same bytes. It is safe for concurrent use. Its size is bounded by that
// of the catalogue.
package page

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/dashboards/theme"
	"vigil/internal/drill"
)

//go:embed page.gohtml
var source string

//go:embed page.css
var ownCSS string

// view is what the template shows.
type view struct {
	Policy  string
	Style   template.HTML
	Traffic string
	Seeds   string
	Feeds   string
	Sums    []string
	Heads   []string
	Rows    []row
	Drills  []card
}

type row struct {
	ID, Name string
	Key      string
	Found    []mark
	Exposed  string
	After    string
	Quiet    string
	False    string
	Unfit    string
}

// mark is one drill at one intensity.
type mark struct {
	Dots template.HTML
	Text string
}

type card struct {
	Key, ID, Name, Kind string
	Class, State        string
	About, Trap         string
	Needs               []string
	TrapState           string
	TrapSaid            []string
	Facts               []fact
	Curve               template.HTML
	Said, Against       string
	Masked              string
	Taken               string
	Steps               []mark
	Unfit               string
}

type fact struct{ Name, Value string }

// HTML writes the page of results at several intensities, of which the one
// nearest to plain is shown in full. An error of w is returned as it is.
func HTML(w io.Writer, results []*drill.Result) error {
	if len(results) == 0 {
		return errors.New("there are no results to show")
	}
	results = slices.Clone(results)
	slices.SortFunc(results, func(a, b *drill.Result) int { return cmp.Compare(a.Intensity, b.Intensity) })
	plain := results[0]
	for _, r := range results {
		if math.Abs(math.Log(r.Intensity)) < math.Abs(math.Log(plain.Intensity)) {
			plain = r
		}
	}
	t, err := template.New("page").Parse(source)
	if err != nil {
		return fmt.Errorf("read drill page template: %w", err)
	}
	css := theme.CSS() + ownCSS
	sum := sha256.Sum256([]byte(css))
	v := view{
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Style:  template.HTML("<style>" + css + "</style>"), //nolint:gosec // our own file
		Traffic: fmt.Sprintf("%s events of %s and %s, %s", phrase.Count(plain.Traffic.Events),
			phrase.Plural(int64(plain.Traffic.Actors), "actor", "actors"), phrase.Plural(int64(plain.Traffic.Customers), "customer", "customers"),
			phrase.Range(plain.Traffic.Start, plain.Traffic.End)),
		Seeds: phrase.Plural(int64(len(plain.Seeds)), "world", "worlds"),
		Feeds: "without feeds",
	}
	if len(plain.Feeds) > 0 {
		v.Feeds = "with the feeds " + kinds(plain.Feeds)
	}
	for _, r := range results {
		v.Heads = append(v.Heads, "× "+phrase.Number(r.Intensity))
		v.Sums = append(v.Sums, fmt.Sprintf("At intensity %s, %d of %d drills were found; %d of %d traps stayed quiet; %.2f false findings a day for each 1,000 actors.",
			phrase.Number(r.Intensity), r.Overall.Found, r.Overall.Rows, r.Overall.TrapsQuiet, r.Overall.Traps, r.Overall.False))
	}
	for i := range plain.Scenarios {
		f := &plain.Scenarios[i]
		rw := row{ID: f.ID, Key: "drill-" + f.ID, Name: f.Name, Unfit: phrase.Prose(f.Unfit, 300)}
		for _, r := range results {
			rw.Found = append(rw.Found, markOf(r, f.ID))
		}
		if f.Of > 0 {
			rw.Unfit = ""
			rw.Exposed = phrase.Number(f.Exposed) + " of " + phrase.Number(f.Taken)
			rw.After = after(f.Seconds)
			rw.Quiet = fmt.Sprintf("%d of %d", f.TrapQuiet, f.Of)
			rw.False = fmt.Sprintf("%.2f", f.False)
		}
		v.Rows = append(v.Rows, rw)
		v.Drills = append(v.Drills, cardOf(f, results))
	}
	var out bytes.Buffer
	if err := t.Execute(&out, v); err != nil {
		return fmt.Errorf("fill in drill page: %w", err)
	}
	_, err = w.Write(out.Bytes())
	return err
}

// figuresOf finds a drill in a result.
func figuresOf(r *drill.Result, id string) *drill.Figures {
	for i := range r.Scenarios {
		if r.Scenarios[i].ID == id {
			return &r.Scenarios[i]
		}
	}
	return &drill.Figures{}
}

func markOf(r *drill.Result, id string) mark {
	f := figuresOf(r, id)
	if f.Of == 0 {
		return mark{Text: "–"}
	}
	return mark{Dots: dots(f.Found, f.Of), Text: fmt.Sprintf("%d of %d", f.Found, f.Of)}
}

func cardOf(f *drill.Figures, results []*drill.Result) card {
	c := card{Key: "drill-" + f.ID, ID: f.ID, Name: f.Name, Kind: string(f.Kind), About: f.About, Trap: f.Quiet, State: "missed", Class: "missed"}
	c.Needs = needs(f.Row)
	if f.Of == 0 {
		c.State, c.Class, c.Unfit = "not run", "unfit", phrase.Prose(f.Unfit, 300)
		return c
	}
	// The first world in which it was found shows how; else the first one.
	o := &f.Runs[0]
	for i := range f.Runs {
		if f.Runs[i].Found {
			o = &f.Runs[i]
			break
		}
	}
	if f.Found > 0 {
		c.Class = "found"
		c.State = fmt.Sprintf("found in %d of %d", f.Found, f.Of)
	} else {
		c.State = fmt.Sprintf("missed in %d of %d", f.Of, f.Of)
	}
	c.Facts = []fact{
		{"By", list(o.Truth.Actors)},
		{"First bad access", phrase.Moment(o.Truth.Since)},
		{"Found", "never"},
		{"Customers before", phrase.Count(o.Exposed) + " of " + phrase.Count(o.Taken)},
	}
	if o.Truth.Lost > 0 {
		c.Facts = append(c.Facts, fact{"Missing from the log", phrase.Plural(int64(o.Truth.Lost), "access", "accesses") + " of " + list(o.Truth.Sources)})
	}
	if o.Detected != nil {
		c.Facts[2].Value = phrase.Moment(*o.Detected) + ", after " + after(o.Seconds)
	}
	if o.Curve != nil {
		c.Curve = evidence(c.Key, o)
	}
	if o.Finding != nil {
		c.Said = phrase.Prose(o.Finding.Sentence, 600)
		c.Against = phrase.Prose(o.Finding.Counterfactual, 600)
	}
	c.Masked = phrase.Prose(o.Masked, 600)
	c.TrapState = fmt.Sprintf("stayed quiet in %d of %d", f.TrapQuiet, f.Of)
	for _, x := range f.Runs {
		for _, s := range x.TrapFindings {
			if len(c.TrapSaid) < 3 {
				c.TrapSaid = append(c.TrapSaid, phrase.Prose(s, 400))
			}
		}
	}
	c.Taken = wouldTake(f.ID, results)
	for _, r := range results {
		g := figuresOf(r, f.ID)
		m := markOf(r, f.ID)
		m.Text = fmt.Sprintf("× %s: %s", phrase.Number(r.Intensity), m.Text)
		if g.Of > 0 {
			m.Text += fmt.Sprintf(", %s customers before", phrase.Number(g.Exposed))
		}
		c.Steps = append(c.Steps, m)
	}
	return c
}

// wouldTake says at which of the intensities a drill is found in most worlds, and
// at every larger one.
func wouldTake(id string, results []*drill.Result) string {
	least := math.Inf(1)
	for _, r := range slices.Backward(results) {
		f := figuresOf(r, id)
		if f.Of == 0 || f.Found*2 <= f.Of {
			break
		}
		least = r.Intensity
	}
	low, high := results[0].Intensity, results[len(results)-1].Intensity
	switch {
	case math.IsInf(least, 1):
		return fmt.Sprintf("Not found in most worlds up to intensity %s.", phrase.Number(high))
	case least == low:
		return fmt.Sprintf("Found in most worlds from intensity %s, the least that was tried.", phrase.Number(low))
	}
	return fmt.Sprintf("Found in most worlds from intensity %s.", phrase.Number(least))
}

func list(names []string) string {
	const most = 4
	out := ""
	for i, n := range names {
		if i == most {
			return out + fmt.Sprintf(" and %d more", len(names)-most)
		}
		if i > 0 {
			out += ", "
		}
		out += phrase.Text(n, 60)
	}
	return out
}

// after says how long detection took.
func after(seconds *float64) string {
	switch {
	case seconds == nil:
		return "never"
	case *seconds < 1:
		return "less than a second"
	}
	return phrase.Length(time.Duration(*seconds * float64(time.Second)))
}

// kinds lists kinds of feed.
func kinds(list []vigil.FactKind) string {
	names := make([]string, len(list))
	for i, k := range list {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// needs says in which ways a row shows, and what must arrive for each.
func needs(row string) []string {
	n, _ := drill.NeedOf(row)
	var out []string
	for _, w := range n.Ways {
		var what []string
		for _, f := range w.Fields {
			what = append(what, string(f))
		}
		if len(w.Feeds) > 0 {
			what = append(what, "feeds "+kinds(w.Feeds))
		}
		if len(what) == 0 {
			what = []string{"nothing more"}
		}
		how := "Shows by "
		if w.Partly {
			how = "In part, by "
		}
		out = append(out, how+w.By+": needs "+strings.Join(what, ", ")+".")
	}
	return out
}
