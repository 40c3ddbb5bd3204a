package drill

import (
	"cmp"
	"maps"
	"slices"

	"vigil"
)

// arrives is the share of the accesses that a field is of from which on it counts as
// told by a source; enough is the share of all accesses that show data which must
// come from such sources for the field to be there.
const (
	arrives = 0.1
	enough  = 0.5
)

// Coverage sums up which fields arrive, by source. Its memory is bounded by the
// number of sources, at most maxCovered; the rest counts as one.
type Coverage struct {
	sources map[string]*SourceCoverage
}

const maxCovered = 1_000

// SourceCoverage is what one source tells.
type SourceCoverage struct {
	Source string `json:"source"`
	Events int64  `json:"events"`
	// Shows are the accesses that show data which is not public.
	Shows int64 `json:"shows"`
	// Filled is how many have a field, of those that could.
	Filled map[Field]int64 `json:"-"`
	// Share is that as a share, from 0 to 1.
	Share map[Field]float64 `json:"share"`
}

// NewCoverage begins with nothing.
func NewCoverage() *Coverage { return &Coverage{sources: map[string]*SourceCoverage{}} }

// Add takes note of an event.
func (c *Coverage) Add(e *vigil.Event) {
	name := e.Source
	if name == "" {
		name = e.Store
	}
	s := c.sources[name]
	if s == nil {
		if len(c.sources) >= maxCovered {
			name = "others"
		}
		if s = c.sources[name]; s == nil {
			s = &SourceCoverage{Source: name, Filled: map[Field]int64{}}
			c.sources[name] = s
		}
	}
	s.Events++
	switch e.Action {
	case vigil.ActionGrant, vigil.ActionConfigure, vigil.ActionImpersonate:
		s.Filled[FieldAdmin]++
	}
	if e.Destination != nil {
		s.Filled[FieldDestination]++
	}
	if e.Outcome == vigil.OutcomeDenied || e.Outcome == vigil.OutcomeError {
		s.Filled[FieldOutcome]++
	}
	if !e.Action.Discloses() || e.ResourceClass == "public" {
		return
	}
	s.Shows++
	for _, x := range [...]struct {
		field Field
		has   bool
	}{
		{FieldSubjects, len(e.Subjects) > 0 || e.SubjectCount > 0}, {FieldConversation, e.Conversation != ""}, {FieldSession, e.Session != ""},
		{FieldNetwork, networkOf(e) != ""}, {FieldCountry, e.Country != ""}, {FieldTenant, e.ResourceTenant != ""}, {FieldSize, e.Rows >= 0 || e.Bytes >= 0},
		{FieldLimit, e.Limit >= 0}, {FieldFields, len(e.Fields) > 0}, {FieldPurpose, e.Purpose != ""}, {FieldTeam, e.Actor.Team != ""}, {FieldKind, e.Actor.Kind != ""},
	} {
		if x.has {
			s.Filled[x.field]++
		}
	}
}

// share is how much of what could have a field has it. Of what is rare by nature one
// occurrence shows that the source tells it.
func (s *SourceCoverage) share(f Field) float64 {
	n := float64(s.Filled[f])
	switch f {
	case FieldAdmin, FieldDestination, FieldOutcome, FieldPurpose:
		if n > 0 {
			return 1
		}
		return 0
	}
	if s.Shows == 0 {
		return 0
	}
	return n / float64(s.Shows)
}

// Sources lists what each tells, the one that shows most first.
func (c *Coverage) Sources() []SourceCoverage {
	out := make([]SourceCoverage, 0, len(c.sources))
	for _, name := range slices.Sorted(maps.Keys(c.sources)) {
		s := *c.sources[name]
		s.Share = map[Field]float64{}
		for _, f := range Fields() {
			s.Share[f] = s.share(f)
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b SourceCoverage) int { return cmp.Compare(b.Shows, a.Shows) })
	return out
}

// cover is the share of all accesses that show data which come from sources that
// tell a field, and the names of those that show data and don't tell it.
func (c *Coverage) cover(f Field) (share float64, lacks []string) {
	var all, told int64
	for _, s := range c.Sources() {
		all += s.Shows
		if s.share(f) >= arrives {
			told += s.Shows
			continue
		}
		if s.Shows > 0 {
			lacks = append(lacks, s.Source)
		}
	}
	switch {
	case f == FieldAdmin || f == FieldDestination: // one system tells for all
		for _, s := range c.sources {
			if s.share(f) > 0 {
				return 1, nil
			}
		}
		return 0, lacks
	case all == 0:
		return 0, lacks
	}
	return float64(told) / float64(all), lacks
}

// Sight is how much of a row can be seen.
type Sight string

// The sights.
const (
	Seen    Sight = "seen"
	Partial Sight = "partly"
	Blind   Sight = "blind"
)

// Verdict is what a meter says of one row.
type Verdict struct {
	Row   string `json:"row"`
	Name  string `json:"name"`
	Sight Sight  `json:"sight"`
	// By is what shows, empty when nothing does.
	By string `json:"by,omitempty"`
	// Lacks are the fields and feeds that the nearest way to see all of it is short
	// of; Mend is the one setting that would help most.
	Lacks []string `json:"lacks,omitempty"`
	Mend  string   `json:"mend,omitempty"`
}

// Meter says of each row of the catalogue whether it can be seen with what arrives
// and what feeds tell.
func Meter(c *Coverage, feeds []vigil.FactKind) []Verdict {
	names := map[string]string{}
	for _, s := range Scenarios() {
		if names[s.Row()] == "" {
			names[s.Row()] = s.Name
		}
	}
	out := make([]Verdict, 0, len(names))
	for _, n := range Needs() {
		v := judgeNeed(&n, c, feeds)
		v.Name = names[n.Row]
		out = append(out, v)
	}
	return out
}

// judgeNeed takes the best of the ways, and, where that is not all, the one that
// misses least for what would mend it.
func judgeNeed(n *Need, c *Coverage, feeds []vigil.FactKind) Verdict {
	v := Verdict{Row: n.Row, Sight: Blind}
	var nearest *Way
	var lacks []missing
	for i := range n.Ways {
		w := &n.Ways[i]
		sight, miss := w.sight(c, feeds)
		if sight == Seen && !w.Partly {
			return Verdict{Row: n.Row, Sight: Seen, By: w.By}
		}
		if sight != Blind && v.Sight == Blind {
			v.Sight, v.By = Partial, w.By
		}
		if !w.Partly && (nearest == nil || len(miss) < len(lacks)) {
			nearest, lacks = w, miss
		}
	}
	for i, m := range lacks {
		v.Lacks = append(v.Lacks, m.what)
		if i == 0 {
			v.Mend = m.mend
		}
	}
	return v
}

// missing is a field or a feed that a way is short of.
type missing struct{ what, mend string }

// sight is what a way shows: all, a part when some sources lack a field, or nothing.
func (w *Way) sight(c *Coverage, feeds []vigil.FactKind) (Sight, []missing) {
	out := Seen
	var miss []missing
	for _, f := range w.Fields {
		share, lacks := c.cover(f)
		switch {
		case share >= enough:
			continue
		case share > 0 && out == Seen:
			out = Partial
		case share == 0:
			out = Blind
		}
		miss = append(miss, missing{string(f), mendField(f, lacks)})
	}
	for _, k := range w.Feeds {
		if !slices.Contains(feeds, k) {
			out = Blind
			miss = append(miss, missing{"feed " + string(k), mendFeed(k)})
		}
	}
	return out, miss
}
