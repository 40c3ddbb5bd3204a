package drill

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/detector"
)

// Result is what drills came to.
type Result struct {
	Intensity float64  `json:"intensity"`
	Seeds     []uint64 `json:"seeds"`
	// Feeds are the kinds of fact that the detector was told.
	Feeds []vigil.FactKind `json:"feeds"`
	// Traffic describes in what was staged, of the last seed.
	Traffic   Traffic   `json:"traffic"`
	Scenarios []Figures `json:"scenarios"`
	Overall   Overall   `json:"overall"`

	grounds  []Ground
	examples []Example
}

// Traffic is the traffic's size.
type Traffic struct {
	Events    int64     `json:"events"`
	Actors    int       `json:"actors"`
	Customers int       `json:"customers"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
}

// Ground is what a world came to besides its breaches.
type Ground struct {
	Actors int     `json:"actors"`
	Days   float64 `json:"days"`
	// Findings are about neither a breach nor a trap, Traps about traps.
	Findings  int      `json:"findings"`
	Traps     int      `json:"trap_findings"`
	Sentences []string `json:"sentences,omitempty"`
}

// Figures are a scenario's four figures, over all seeds. Medians count a breach
// that was not found as never found and all of it exposed.
type Figures struct {
	ID    string `json:"id"`
	Row   string `json:"row"`
	Name  string `json:"name"`
	Kind  Kind   `json:"kind"`
	About string `json:"about"`
	Quiet string `json:"trap"`
	// Found of Of seeds; Unfit says why it could not be staged.
	Found int    `json:"found"`
	Of    int    `json:"of"`
	Unfit string `json:"unfit,omitempty"`
	// Exposed is the median number of customers shown before the first finding,
	// Taken that of all that were shown.
	Exposed float64 `json:"exposed"`
	Taken   float64 `json:"taken"`
	// Seconds is the median time to detection from the first bad access; absent
	// when most were never found.
	Seconds *float64 `json:"seconds,omitempty"`
	// False is the number of findings that match no breach, of a day for each 1,000
	// actors, in the worlds of this scenario; traps count.
	False float64 `json:"false_per_1000_actors_day"`
	// TrapQuiet is in how many seeds the trap raised nothing.
	TrapQuiet int       `json:"trap_quiet"`
	Runs      []Outcome `json:"runs,omitempty"`

	actorDays float64
	findings  float64
}

// Outcome is one staging.
type Outcome struct {
	Seed  uint64 `json:"seed"`
	Found bool   `json:"found"`
	// Detected is the event time of the first finding, Seconds how long after the
	// first bad access, at least zero.
	Detected *time.Time `json:"detected,omitempty"`
	Seconds  *float64   `json:"seconds,omitempty"`
	// Taking is how long after the first access that showed somebody's data, where
	// preparations came before it.
	Taking  *float64 `json:"seconds_from_taking,omitempty"`
	Exposed int64    `json:"exposed"`
	Taken   int64    `json:"taken"`
	// Finding is the first one about the breach, Findings how many there are.
	Finding  *vigil.Finding `json:"finding,omitempty"`
	Findings int            `json:"findings"`
	// Masked says, of a breach that was not found, which finding had been told of
	// its actors before, covered it, and did not grow by it.
	Masked string `json:"masked_by,omitempty"`
	// TrapFindings are about the trap.
	TrapFindings []string `json:"trap_findings,omitempty"`
	Truth        Truth    `json:"truth"`
	Trap         Truth    `json:"trap"`
	// Curve is the evidence over time, when asked for.
	Curve *Curve `json:"curve,omitempty"`
}

// Curve is the largest evidence about a breach's actors, log10, in steps of time.
type Curve struct {
	Start  time.Time `json:"start"`
	Step   float64   `json:"step_seconds"`
	Values []float64 `json:"values"`
	// Shown counts the customers shown by the end of each step.
	Shown []int64 `json:"shown"`
	// Line is the lowest line that any lane has to cross, log10; zero when none
	// could speak.
	Line float64 `json:"line"`
}

// Overall sums up.
type Overall struct {
	// Rows of the catalogue that were staged, Found those of which every variant
	// was found in most seeds; Recall is the share of single stagings found.
	Rows   int     `json:"rows"`
	Found  int     `json:"found"`
	Recall float64 `json:"recall"`
	// ByKind has the medians over all stagings of a kind.
	ByKind []KindFigures `json:"by_kind"`
	// False counts all findings that match no breach, Background those that are
	// about no trap either, of a day for each 1,000 actors.
	False      float64 `json:"false_per_1000_actors_day"`
	Background float64 `json:"background_per_1000_actors_day"`
	// TrapsQuiet of Traps stagings raised nothing.
	TrapsQuiet int `json:"traps_quiet"`
	Traps      int `json:"traps"`
	// Grounds are the worlds, in the order in which they were run.
	Grounds []Ground `json:"worlds"`
}

// KindFigures are the medians of a kind of breach.
type KindFigures struct {
	Kind    Kind     `json:"kind"`
	Found   int      `json:"found"`
	Of      int      `json:"of"`
	Exposed float64  `json:"exposed"`
	Seconds *float64 `json:"seconds,omitempty"`
}

func newResult(opts Options) *Result {
	r := &Result{Intensity: opts.Intensity, Seeds: opts.Seeds, Feeds: opts.Feeds}
	if r.Feeds == nil {
		r.Feeds = []vigil.FactKind{}
	}
	for _, s := range opts.Scenarios {
		r.Scenarios = append(r.Scenarios, Figures{ID: s.ID, Row: s.Row(), Name: s.Name, Kind: s.Kind, About: s.About, Quiet: s.Quiet})
	}
	return r
}

func (r *Result) survey(s *Scene) {
	r.Traffic = trafficOf(s)
}

func trafficOf(s *Scene) Traffic {
	return Traffic{Events: s.Events, Actors: s.Actors(), Customers: s.Customers.Distinct, Start: s.Start, End: s.End}
}

// add takes in one staging.
func (r *Result) add(p *pair, seed uint64, found []*told, of map[*told]*Act, ground Ground, lanes []detector.Lane) {
	i := slices.IndexFunc(r.Scenarios, func(f Figures) bool { return f.ID == p.scenario.ID })
	figures := &r.Scenarios[i]
	if p.unfit != "" {
		figures.Unfit = p.unfit
		return
	}
	o := Outcome{Seed: seed, Truth: p.breach.Truth(), Trap: p.trap.Truth()}
	var first time.Time
	for _, f := range found {
		switch of[f] {
		case p.breach:
			since := f.since(p.breach)
			o.Findings++
			if first.IsZero() || since.Before(first) {
				first = since
				last := f.Finding
				last.SubjectIDs = nil // the truth has them
				o.Finding = &last
			}
		case p.trap:
			o.TrapFindings = append(o.TrapFindings, f.Sentence)
		}
	}
	o.Taken = o.Truth.Subjects
	o.Exposed = o.Taken
	if first.IsZero() {
		o.Masked = mask(found, p.breach)
	} else {
		o.Found, o.Detected = true, &first
		seconds := max(0, first.Sub(p.breach.Since).Seconds())
		o.Seconds = &seconds
		taking := max(0, first.Sub(p.breach.taking()).Seconds())
		o.Taking = &taking
		o.Exposed = p.breach.exposed(first)
		figures.Found++
	}
	if p.curve != nil {
		o.Curve = p.curve.told(p.breach, o.Finding, lanes)
	}
	if len(o.TrapFindings) == 0 {
		figures.TrapQuiet++
	}
	figures.Of++
	figures.actorDays += float64(ground.Actors) * ground.Days
	// Of the world's traps only the own one is held against a scenario.
	figures.findings += float64(ground.Findings + len(o.TrapFindings))
	figures.Runs = append(figures.Runs, o)
}

// mask is the first finding that covers a breach and tells nothing of it.
func mask(found []*told, a *Act) string {
	for _, f := range found {
		if a.share(f) > 0 && f.early(a) {
			return fmt.Sprintf("%s (told %s)", f.Sentence, f.first.Format(time.DateTime))
		}
	}
	return ""
}

func (c *curve) told(a *Act, f *vigil.Finding, lanes []detector.Lane) *Curve {
	// Evidence stands until the next event changes it.
	for i := 1; i < len(c.values); i++ {
		if !c.heard[i] {
			c.values[i] = c.values[i-1]
		}
	}
	out := &Curve{Start: c.from, Step: c.step.Seconds(), Values: c.values, Shown: a.shown(c.from, c.step, len(c.values))}
	if f != nil && f.Threshold > 0 {
		out.Line = f.Threshold
		return out
	}
	for _, l := range lanes {
		if l.Ready && (out.Line == 0 || l.Threshold < out.Line) {
			out.Line = l.Threshold
		}
	}
	return out
}

// sum works out the medians and the overall figures.
func (r *Result) sum() {
	o := &r.Overall
	rows := map[string]bool{}
	stagings, found := 0, 0
	byKind := map[Kind][]Outcome{}
	for i := range r.Scenarios {
		f := &r.Scenarios[i]
		if f.Of == 0 {
			continue
		}
		f.Unfit = ""
		f.Exposed, f.Seconds = medians(f.Runs)
		f.Taken = median(f.Runs, func(o Outcome) float64 { return float64(o.Taken) })
		if f.actorDays > 0 {
			f.False = f.findings / f.actorDays * 1000
		}
		ok, seen := rows[f.Row]
		rows[f.Row] = (ok || !seen) && f.Found*2 > f.Of
		stagings += f.Of
		found += f.Found
		o.Traps += f.Of
		o.TrapsQuiet += f.TrapQuiet
		byKind[f.Kind] = append(byKind[f.Kind], f.Runs...)
	}
	o.Rows = len(rows)
	for _, ok := range rows {
		if ok {
			o.Found++
		}
	}
	if stagings > 0 {
		o.Recall = float64(found) / float64(stagings)
	}
	for _, kind := range []Kind{RecordByRecord, Bulk, LowAndSlow} {
		runs := byKind[kind]
		if len(runs) == 0 {
			continue
		}
		k := KindFigures{Kind: kind, Of: len(runs)}
		for _, x := range runs {
			if x.Found {
				k.Found++
			}
		}
		k.Exposed, k.Seconds = medians(runs)
		o.ByKind = append(o.ByKind, k)
	}
	actorDays, none, traps := 0.0, 0.0, 0.0
	for _, g := range r.grounds {
		actorDays += float64(g.Actors) * g.Days
		none += float64(g.Findings)
		traps += float64(g.Traps)
	}
	o.Grounds = r.grounds
	if actorDays > 0 {
		o.Background = none / actorDays * 1000
		o.False = (none + traps) / actorDays * 1000
	}
}

// medians are over all stagings: one that was not found exposed all, and was
// never found.
func medians(runs []Outcome) (exposed float64, seconds *float64) {
	exposed = median(runs, func(o Outcome) float64 { return float64(o.Exposed) })
	const never = 1e18
	s := median(runs, func(o Outcome) float64 {
		if o.Seconds == nil {
			return never
		}
		return *o.Seconds
	})
	if s < never/4 {
		seconds = &s
	}
	return exposed, seconds
}

func median(runs []Outcome, of func(Outcome) float64) float64 {
	if len(runs) == 0 {
		return 0
	}
	values := make([]float64, len(runs))
	for i, o := range runs {
		values[i] = of(o)
	}
	slices.SortFunc(values, cmp.Compare[float64])
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// Failed lists the rows that were not found in most seeds.
func (r *Result) Failed() []string {
	var out []string
	for _, f := range r.Scenarios {
		if f.Of > 0 && f.Found*2 <= f.Of {
			out = append(out, strings.Clone(f.ID))
		}
	}
	return out
}
