package view

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"time"

	"vigil"
	"vigil/dashboards/chart"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// The bounds of what is shown of a span.
const (
	maxSpanRows = 24 // of the table beside a plot
	maxLanes    = 8  // kinds of thing told apart in a plot of single accesses
	maxLaneName = 28
	maxTold     = 16 // networks in the picture
)

// Place is an address with a span in it, and what else it asks for.
type Place struct {
	// Path is the page's, Hash the part of it, empty for its head.
	Path, Hash string
	// Keep is what the address asks for beside the span.
	Keep url.Values
}

// At is the address that looks at a span.
func (p Place) At(from, to time.Time) string {
	v := url.Values{}
	for name, values := range p.Keep {
		v[name] = values
	}
	v.Set("from", from.UTC().Format(time.RFC3339))
	v.Set("to", to.UTC().Format(time.RFC3339))
	out := p.Path + "?" + v.Encode()
	if p.Hash != "" {
		out += "#" + p.Hash
	}
	return out
}

// Activity is a span of somebody's accesses ready to print.
type Activity struct {
	Chart template.HTML
	Said  string
	Rows  []ActivityRow
	// In, Out, Earlier, Later and All are where the neighbouring spans stand, empty where
	// there are none; Zoomed says that another span than the first is looked at.
	In, Out, Earlier, Later, All string
	Zoomed                       bool
	Damaged                      string
}

// ActivityRow is a line of the table: a stretch of the span, and where it stands alone.
type ActivityRow struct {
	From, To            Moment
	URL                 string
	Accesses, Customers string
	Marked              bool
}

// NewActivity makes it. start and end are marked, such as the finding's span; zero marks
// nothing. key makes the picture's id.
func NewActivity(a *api.Activity, key string, start, end time.Time, at Place, zoomed bool) Activity {
	v := Activity{Said: said(a), Zoomed: zoomed}
	t := timelineOfActivity(a)
	if a.Total > 0 {
		v.Chart = chart.Timeline("t-"+key, t, start, end)
	}
	v.Rows = activityRows(t, start, end, at)
	if a.Damaged > 0 {
		v.Damaged = phrase.Plural(int64(a.Damaged), "part of the log", "parts of the log")
	}
	span := a.To.Sub(a.From)
	if span <= 0 || !at.usable() {
		return v
	}
	mid := a.From.Add(span / 2)
	clamp := func(from, to time.Time) string {
		if from.Before(a.Min) {
			from = a.Min
		}
		if to.After(a.Max) {
			to = a.Max
		}
		if !to.After(from) || from.Equal(a.From) && to.Equal(a.To) {
			return ""
		}
		return at.At(from, to)
	}
	if span > 2*time.Second {
		v.In = clamp(mid.Add(-span/4), mid.Add(span/4))
	}
	v.Out = clamp(mid.Add(-span), mid.Add(span))
	if a.From.After(a.Min) {
		v.Earlier = clamp(a.From.Add(-span/2), a.To.Add(-span/2))
	}
	if a.To.Before(a.Max) {
		v.Later = clamp(a.From.Add(span/2), a.To.Add(span/2))
	}
	v.All = clamp(a.Min, a.Max)
	return v
}

func (p Place) usable() bool { return p.Path != "" }

// said says in words what a span holds.
func said(a *api.Activity) string {
	span := phrase.Range(a.From, a.To)
	if a.To.Sub(a.From) < time.Hour {
		span = phrase.Second(a.From) + " to " + phrase.Second(a.To) + " UTC"
	}
	s := span + ": " + phrase.Plural(int64(a.Total), "access", "accesses")
	if n := len(a.Sessions) + a.SessionsLeft; n > 0 {
		s += " in " + phrase.Plural(int64(n), "session", "sessions")
	}
	switch {
	case a.Total == 0:
	case a.Bucket > 0:
		s += ", a bar for each " + phrase.Bucket(a.Bucket)
	default:
		s += ", each shown by itself"
	}
	return s + "."
}

// timelineOfActivity is the span as counts, also where single accesses are told.
func timelineOfActivity(a *api.Activity) api.Timeline {
	if a.Bucket > 0 {
		return api.Timeline{Start: a.From, Bucket: a.Bucket, Events: a.Counts, Rows: a.Rows, SubjectsNamed: a.Customers}
	}
	const most = 96
	bucket := max((a.To.Sub(a.From)/most + time.Second - 1).Truncate(time.Second), time.Second)
	n := int((a.To.Sub(a.From) + bucket - 1) / bucket)
	t := api.Timeline{Start: a.From, Bucket: bucket, Events: make([]float64, max(n, 0)), Rows: make([]float64, max(n, 0))}
	for _, e := range a.Singles {
		if i := int(e.Time.Sub(a.From) / bucket); e.Time.Before(a.To) && i >= 0 && i < n {
			t.Events[i]++
			t.Rows[i] += float64(max(e.Rows, 0))
		}
	}
	return t
}

// activityRows puts buckets together until few are left, and leaves out the empty ones.
func activityRows(t api.Timeline, start, end time.Time, at Place) (out []ActivityRow) {
	merge := (len(t.Events) + maxSpanRows - 1) / maxSpanRows
	if merge == 0 {
		return nil
	}
	for i := 0; i < len(t.Events); i += merge {
		n, customers := 0.0, 0.0
		for j := i; j < min(i+merge, len(t.Events)); j++ {
			n += t.Events[j]
			if j < len(t.SubjectsNamed) {
				customers = max(customers, t.SubjectsNamed[j])
			}
		}
		if !(n > 0) {
			continue
		}
		from := t.Start.Add(time.Duration(i) * t.Bucket)
		to := from.Add(time.Duration(min(merge, len(t.Events)-i)) * t.Bucket)
		row := ActivityRow{
			From: second(from), To: second(to), Accesses: phrase.Number(n),
			Marked: !start.IsZero() && from.Before(end) && to.After(start),
		}
		if at.usable() {
			row.URL = at.At(from, to)
		}
		if customers > 0 {
			row.Customers = phrase.Number(customers)
			if merge > 1 {
				row.Customers = "up to " + row.Customers + " a " + phrase.Bucket(t.Bucket)
			}
		}
		out = append(out, row)
	}
	return out
}

func second(t time.Time) Moment { return Moment{ISO: phrase.ISO(t), Text: phrase.Second(t)} }

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// ActivityPlot is a span as a plot that can be zoomed.
func ActivityPlot(a *api.Activity, name string, start, end time.Time) Plot {
	p := Plot{
		Name: name, Said: said(a), X: "time", From: seconds(a.From), To: seconds(a.To), Min: seconds(a.Min), Max: seconds(a.Max), Least: 1, Bucket: a.Bucket.Seconds(),
		At: []float64{}, Series: []PlotSeries{},
	}
	if !start.IsZero() {
		p.Spans = append(p.Spans, PlotSpan{From: seconds(start), To: seconds(end), Name: "the finding", Color: "span"})
	}
	for _, s := range a.Sessions {
		p.Spans = append(p.Spans, PlotSpan{From: seconds(s.From), To: seconds(s.To), Name: "session", Color: "mark", Thin: true})
	}
	if a.Bucket <= 0 {
		p.singles(a.Singles)
		return p
	}
	bars := PlotSeries{Name: "accesses", Kind: "bars", Color: "bar"}
	for i, n := range a.Counts {
		p.At = append(p.At, seconds(a.From.Add(time.Duration(i)*a.Bucket)))
		bars.Values = append(bars.Values, PlotNumber(n))
	}
	p.Series = append(p.Series, bars)
	if slices.Max(append([]float64{0}, a.Customers...)) > 0 {
		line := PlotSeries{Name: "customers", Kind: "steps", Color: "accent", Right: true}
		for _, n := range a.Customers {
			line.Values = append(line.Values, PlotNumber(n))
		}
		p.Series = append(p.Series, line)
	}
	return p
}

// singles lays each access into the lane of what was touched.
func (p *Plot) singles(events []*vigil.Event) {
	lane := map[string]int{}
	for _, e := range events {
		name := phrase.Shorten(phrase.Text(resourceOf(e), maxName), maxLaneName)
		if _, ok := lane[name]; !ok {
			if len(p.Lanes) == maxLanes {
				lane[name] = maxLanes - 1
				p.Lanes[maxLanes-1] = "others"
				continue
			}
			lane[name] = len(p.Lanes)
			p.Lanes = append(p.Lanes, name)
		}
	}
	through, refused := PlotSeries{Name: "let through", Kind: "dots", Color: "accent"}, PlotSeries{Name: "refused or failed", Kind: "dots", Color: "critical"}
	for _, e := range events {
		at := PlotNumber(lane[phrase.Shorten(phrase.Text(resourceOf(e), maxName), maxLaneName)])
		p.At = append(p.At, seconds(e.Time))
		if refusedEvent(e) {
			through.Values, refused.Values = append(through.Values, PlotGap()), append(refused.Values, at)
		} else {
			through.Values, refused.Values = append(through.Values, at), append(refused.Values, PlotGap())
		}
	}
	p.Series = append(p.Series, through, refused)
}

func resourceOf(e *vigil.Event) string {
	switch {
	case e.Resource != "":
		return e.Resource
	case e.Store != "":
		return e.Store
	}
	return string(e.Action)
}

func refusedEvent(e *vigil.Event) bool {
	return e.Outcome == vigil.OutcomeDenied || e.Outcome == vigil.OutcomeError
}

// Networks are from where accesses came, ready to print.
type Networks struct {
	Chart template.HTML
	List  []NetworkRow
	New   int
	// Left, Unnamed and Others say what is not listed, empty for nothing.
	Left, Unnamed, Others string
	Past                  string
}

// NetworkRow is a line of the table of networks. Only is where its accesses stand alone.
type NetworkRow struct {
	Network, Place, Accesses, Refused, Before string
	First, Last                               Moment
	New                                       bool
	Only                                      string
}

// NewNetworks makes them; only says where the accesses of one network stand.
func NewNetworks(n *api.Networks, key string, only func(network string) string) Networks {
	v := Networks{Past: phrase.Moment(n.Past)}
	var bars []chart.NetworkBar
	for i := range n.List {
		x := &n.List[i]
		row := NetworkRow{
			Network: phrase.Text(x.Network, maxName), Place: placeOf(x), Accesses: phrase.Count(int64(x.Accesses)), Before: phrase.Count(int64(x.Before)),
			First: second(x.First), Last: second(x.Last), New: x.New(),
		}
		if x.Refused > 0 {
			row.Refused = phrase.Count(int64(x.Refused))
		}
		if only != nil {
			row.Only = only(x.Network)
		}
		if x.New() {
			v.New++
		}
		v.List = append(v.List, row)
		if len(bars) < maxTold {
			bars = append(bars, chart.NetworkBar{Name: x.Network, Place: row.Place, Accesses: int64(x.Accesses), Before: int64(x.Before), New: x.New()})
		}
	}
	v.Chart = chart.Networks("n-"+key, bars)
	if n.Left > 0 {
		v.Left = phrase.Plural(int64(n.Left), "further network", "further networks")
	}
	if n.Unnamed > 0 {
		v.Unnamed = phrase.Plural(int64(n.Unnamed), "access came", "accesses came")
	}
	if n.Others > 0 {
		v.Others = phrase.Plural(int64(n.Others), "access", "accesses")
	}
	return v
}

func placeOf(x *api.NetworkUse) string {
	place := phrase.Text(x.Country, 60)
	if x.ASN != "" {
		if place != "" {
			place += ", "
		}
		place += phrase.Text(x.ASN, 60)
	}
	return place
}

// Related is a related finding ready to print, and why it is one.
type Related struct {
	Card Finding
	Why  []string
}

// NewRelated makes them; path says where each stands.
func NewRelated(all []api.Related, place func(id string) Options) (out []Related) {
	for i := range all {
		r := Related{Card: NewFinding(&all[i].Finding, place(all[i].Finding.ID))}
		for _, tie := range all[i].Ties {
			if why := tieWords(tie); !slices.Contains(r.Why, why) && len(r.Why) < 6 {
				r.Why = append(r.Why, why)
			}
		}
		out = append(out, r)
	}
	return out
}

func tieWords(t api.Tie) string {
	name := phrase.Text(t.Name, 60)
	switch t.Relation {
	case api.RelatedActor:
		return "the same actor"
	case api.RelatedSubject:
		return "the same customer, " + name
	case api.RelatedNetwork:
		return "the same new network, " + name
	case api.RelatedShape:
		return "the same unusual query, " + name
	case api.RelatedCase:
		return "the same case"
	}
	return fmt.Sprintf("the same %s", phrase.Text(string(t.Relation), 40))
}
