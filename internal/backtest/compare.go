package backtest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/internal/api"
)

// maxDifferences bounds the findings that a report lists; it counts all.
const maxDifferences = 500

// maxDays bounds the days of a report.
const maxDays = 1_000

// compare fills in how the stories differ. words are the stories of which people said
// something, whenever.
func compare(r *api.ReplayReport, live, again, words []*story) {
	within := func(s *story) bool { return s != nil && !s.Detected.Before(r.From) && s.Detected.Before(r.To) }
	lanes := map[string]*api.ReplayLane{}
	lane := func(name string) *api.ReplayLane {
		if lanes[name] == nil {
			lanes[name] = &api.ReplayLane{Lane: name}
		}
		return lanes[name]
	}
	days := newDays(r.From, r.To)
	for _, p := range pairUp(live, again) {
		if within(p.live) {
			lane(p.live.Lane).Live++
			days.count(p.live, func(d *api.ReplayDay) { d.Live++ })
		}
		if within(p.again) {
			lane(p.again.Lane).Again++
			days.count(p.again, func(d *api.ReplayDay) { d.Again++ })
		}
		if !within(p.live) && !within(p.again) {
			continue
		}
		d := p.difference()
		if p.live == nil {
			d.Word = wordNear(p.again, words)
		}
		count(&r.All, &p, d.Change)
		switch {
		case d.Word.Bad():
			count(&r.Breaches, &p, d.Change)
		case d.Word == vigil.WordExpected:
			count(&r.Expected, &p, d.Change)
		default:
			count(&r.Unjudged, &p, d.Change)
		}
		if d.Change != api.ReplaySame {
			r.Differences = append(r.Differences, d)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lanes)) {
		r.Lanes = append(r.Lanes, *lanes[name])
	}
	r.Days = days.days
	slices.SortStableFunc(r.Differences, weightier)
	if n := len(r.Differences); n > maxDifferences {
		r.Differences, r.More = r.Differences[:maxDifferences], n-maxDifferences
	}
}

// difference says how the two of a pair differ.
func (p *pair) difference() api.ReplayDifference {
	d := api.ReplayDifference{Change: api.ReplaySame}
	if p.live != nil {
		d.Live, d.Word = &p.live.ReplayFinding, p.live.word
	}
	if p.again != nil {
		d.Again = &p.again.ReplayFinding
	}
	switch {
	case p.live == nil:
		d.Change = api.ReplayNew
	case p.again == nil:
		d.Change = api.ReplayGone
	default:
		d.Seconds = p.again.Detected.Sub(p.live.Detected).Seconds()
		if d.Seconds < 0 {
			d.Change = api.ReplayEarlier
		} else if d.Seconds > 0 {
			d.Change = api.ReplayLater
		}
	}
	return d
}

func count(c *api.ReplayCounts, p *pair, change api.ReplayChange) {
	if p.live != nil {
		c.Live++
	}
	if p.again != nil {
		c.Again++
	}
	switch change {
	case api.ReplaySame:
		c.Same++
	case api.ReplayEarlier:
		c.Earlier++
	case api.ReplayLater:
		c.Later++
	case api.ReplayNew:
		c.New++
	case api.ReplayGone:
		c.Gone++
	}
}

// wordNear is what people said of something that the same people did at the same time: the
// worst of it.
func wordNear(s *story, words []*story) vigil.Word {
	var word vigil.Word
	for _, o := range words {
		if !s.meets(o) || !s.shares(o) {
			continue
		}
		if o.word.Bad() {
			return o.word
		}
		word = cmp.Or(word, o.word)
	}
	return word
}

// weightier orders differences: what people judged first, breaches before the rest, then
// the most severe, then the newest.
func weightier(a, b api.ReplayDifference) int {
	weight := func(w vigil.Word) int {
		switch {
		case w.Bad():
			return 2
		case w == vigil.WordExpected:
			return 1
		}
		return 0
	}
	f, g := cmp.Or(a.Again, a.Live), cmp.Or(b.Again, b.Live)
	return cmp.Or(weight(b.Word)-weight(a.Word), g.Severity.Rank()-f.Severity.Rank(), g.Detected.Compare(f.Detected), strings.Compare(f.ID, g.ID))
}

// calendar counts findings by the day.
type calendar struct {
	from time.Time
	days []api.ReplayDay
}

func newDays(from, to time.Time) *calendar {
	c := &calendar{from: from.UTC().Truncate(24 * time.Hour)}
	for d := c.from; d.Before(to) && len(c.days) < maxDays; d = d.Add(24 * time.Hour) {
		c.days = append(c.days, api.ReplayDay{Day: d})
	}
	return c
}

// count adds a finding to its day, unless it comes from a rule.
func (c *calendar) count(s *story, add func(*api.ReplayDay)) {
	if i := int(s.Detected.Sub(c.from) / (24 * time.Hour)); s.Rule == "" && i >= 0 && i < len(c.days) {
		add(&c.days[i])
	}
}
