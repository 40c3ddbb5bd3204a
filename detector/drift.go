package detector

import (
	"math"
	"slices"

	"vigil/detector/features"
	"vigil/models/volume"
)

// driftKinds are the kinds whose pace is held against a long reference.
var driftKinds = [...]features.Kind{features.Events, features.Subjects, features.Strangers}

// drift is an actor's pace, of each drift kind, and what the present week holds of
// it. It is learnt from closed days and judged week by week.
type drift struct {
	// Day is the last day that was counted.
	Day  int64
	Pace [len(driftKinds)]volume.Pace
	Week [len(driftKinds)]volume.Sum
	// Strayed is how many weeks in a row stood out.
	Strayed int32
}

const (
	// newcomerDays is how long an actor that came when others were known already is
	// held against its peers' pace where its own reference is slower: people start
	// slowly.
	newcomerDays = 120
	// straying is the raw score (decades) from which a week stands out.
	straying = 1.0
	// growthPrior is how many members of the wider frame stand behind a group's
	// growth, mostGrowth the largest growth that a group is believed.
	growthPrior = 3
	mostGrowth  = 8
)

// pace counts a closed day. A day far beyond what was expected counts as little
// more than a barely surprising one, and with weight w.
func (a *actor) pace(day int64, j *judged, exposure, w float64) {
	k, _ := termKind(j.Term)
	i := slices.Index(driftKinds[:], k)
	if i < 0 {
		return
	}
	d := &a.Drift
	if d.Day == 0 {
		d.Day = day
	}
	if day > d.Day {
		for i := range d.Pace {
			d.Pace[i].Forget(float64(day - d.Day))
		}
		d.Day = day
	}
	limit := j.Counts.Mean + 6*j.Counts.SD() + 1
	d.Pace[i].Lately.Add(math.Min(j.Seen, limit), exposure, w)
	d.Week[i].Add(j.Seen, exposure, 1)
}

// drift asks how far the closing week outran the pace of months ago. Unlike all
// else it is not standardised by the actor's own level: that level would follow the
// drift, and this is what must not get used to it. What the peers do more of as well
// is expected.
func (sh *shard) drift(a *actor) (judged, bool) {
	g := sh.shared.everyone
	if a.group != nil {
		g = a.group
	}
	newcomer := a.Born-sh.shared.Started > settledDays*24*hourNanos && a.Seen-a.Born < newcomerDays*24*hourNanos
	best, ok := judged{Term: measureTerm(features.Drift), Raw: -1}, false
	for i, k := range driftKinds {
		week := a.Drift.Week[i]
		if week.X <= 0 || !a.Drift.Pace[i].Settled() {
			continue
		}
		prior, least := g.Prior[features.Day][k], 0.0
		if newcomer {
			least = prior.Alpha / prior.Beta
		}
		c := a.Drift.Pace[i].Predict(prior, float64(week.X), math.Exp(g.Growth[i]), least)
		// Bonferroni: the largest of so many.
		raw := math.Max(0, c.Surprise(float64(week.N))-math.Log10(float64(len(driftKinds))))
		if ok = true; raw > best.Raw {
			best.Raw, best.Seen, best.Counts, best.Kind = raw, float64(week.N), c, k
		}
	}
	return best, ok
}

// endWeek starts the next week's counts.
func (a *actor) endWeek(all []judged) {
	strayed := false
	for i := range all {
		strayed = strayed || all[i].Term == measureTerm(features.Drift) && all[i].Raw >= straying
	}
	if strayed {
		a.Drift.Strayed++
	} else {
		a.Drift.Strayed = 0
	}
	a.Drift.Week = [len(driftKinds)]volume.Sum{}
}

// fitGrowth finds by how much the group's members go faster than their
// references: the median, which a few can't move, shrunk toward the wider frame's.
// A group that slows down says nothing against who does not.
func (g *group) fitGrowth(members []*actor, wider *group) {
	for i := range driftKinds {
		wide := 0.0
		if wider != nil {
			wide = wider.Growth[i]
		}
		var logs []float64
		for _, a := range members {
			if log, ok := a.Drift.Pace[i].Growth(); ok {
				logs = append(logs, log)
			}
		}
		own := wide
		if n := len(logs); n > 0 {
			slices.Sort(logs)
			median := (logs[(n-1)/2] + logs[n/2]) / 2
			own = (float64(n)*median + growthPrior*wide) / float64(n+growthPrior)
		}
		g.Growth[i] = math.Min(math.Max(own, 0), math.Log(mostGrowth))
	}
}

// strayed is the weight with which a drift's score is learnt: weeks in a row that
// stand out are one excursion, and weigh together little more than one, or who
// drifts for months would be what drifts are ranked against.
func (a *actor) strayed(j *judged, w float64) float64 {
	if j.Raw < straying {
		return w
	}
	return w / float64(1+a.Drift.Strayed)
}
