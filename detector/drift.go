package detector

import (
	"math"
	"slices"

	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/elementary"
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

// pace counts a closed day, with weight w in the actor's own pace. A drift is what
// goes on: one wild day counts to the week as what one day in a hundred brings, and
// to the pace, once there is one, as little more.
func (a *actor) pace(day int64, j *judged, exposure, w float64) {
	k, _ := termKind(j.Term)
	i := slices.Index(driftKinds[:], k)
	if i < 0 {
		return
	}
	d := &a.Drift
	d.age(day)
	d.Week[i].Add(math.Min(j.Seen, j.Counts.Mean+2.33*j.Counts.SD()), exposure, 1)
	seen := j.Seen
	if d.Pace[i].Settled() {
		seen = math.Min(seen, j.Counts.Mean+6*j.Counts.SD()+1)
	}
	d.Pace[i].Lately.Add(seen, exposure, w)
}

// age lets the days until day pass.
func (d *drift) age(day int64) {
	if d.Day == 0 {
		d.Day = day
	}
	if day <= d.Day {
		return
	}
	for i := range d.Pace {
		d.Pace[i].Forget(float64(day - d.Day))
	}
	d.Day = day
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

// The tail of drifts: it begins at the quantile driftFrom of the peers' scores and is
// exponential, as -log10 of a probability is, with the scale that its own upper half
// has (a median, which who drifts for months can't move), at least theory's. It
// tells p-values two decades beyond what ranks alone could, and no smaller.
const (
	driftFrom    = 0.9
	driftBeyond  = 0.01
	driftMinimum = 30 // scores
)

// driftP is the p-value of a drift's standardised score among its peers'. A week of
// a group has few scores, and none of ranks or fitted tails would tell a slight
// drift from a large one before months have passed. own is the weight of the actor's
// own weeks that stood out: they lie among the largest scores, and are left out.
func driftP(t *calibrate.Table, spread calibrate.Spread, own, z, tie float64) float64 {
	if t.N < driftMinimum {
		return t.P(z, tie)
	}
	s := calibrate.Sketch{Bins: t.Mass, N: t.N}
	own = math.Min(own, t.N/10)
	at := func(q float64) float64 {
		above := (1-q)*(t.N-own) + own
		u, _, _ := s.Excess(1 - above/t.N)
		return u
	}
	from := at(driftFrom)
	if z <= from {
		return t.P(z, tie)
	}
	half := at((1 + driftFrom) / 2)
	unit := calibrate.Level{}.Standard(1, spread) - calibrate.Level{}.Standard(0, spread)
	sigma := math.Max(theoryScale*unit, (half-from)/math.Ln2)
	return math.Max((1-driftFrom)*elementary.Exp(-(z-from)/sigma), driftBeyond/(t.N+1))
}

// strayedWeight is how much of a table the actor's own weeks that stood out make
// up. A group's table holds them twice, since everyone's stand behind its own.
func (a *actor) strayedWeight() (sum float64) {
	for k := range min(a.Drift.Strayed, 100) {
		sum += 1 / float64(1+k)
	}
	if a.group != nil {
		sum *= 2
	}
	return sum
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
// A group that slows down says nothing against who does not. It works in scratch, and
// returns it.
func (g *group) fitGrowth(members []*actor, wider *group, scratch []float64) []float64 {
	for i := range driftKinds {
		wide := 0.0
		if wider != nil {
			wide = wider.Growth[i]
		}
		logs := scratch[:0]
		for _, a := range members {
			if log, ok := a.Drift.Pace[i].Growth(); ok {
				logs = append(logs, log)
			}
		}
		scratch = logs
		own := wide
		if n := len(logs); n > 0 {
			slices.Sort(logs)
			median := (logs[(n-1)/2] + logs[n/2]) / 2
			own = (float64(n)*median + growthPrior*wide) / float64(n+growthPrior)
		}
		g.Growth[i] = math.Min(math.Max(own, 0), math.Log(mostGrowth))
	}
	return scratch
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
