package detector

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unique"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/rules"
	"vigil/models/affinity"
	"vigil/models/calibrate"
	"vigil/models/forest"
	"vigil/models/novelty"
	"vigil/models/sequence"
)

// shardCount is how many virtual shards actors hash to, always. Cores only
// decide who runs which.
const shardCount = 256

const hourNanos = int64(3600 * 1e9)

// shard owns the actors that hash to it. Between merges it reads what is shared
// and writes its own state and delta only.
type shard struct {
	shared *shared
	actors []*actor // in order of first appearance
	byKey  map[string]*actor
	// touched lists, for each lane, the actors with an open span.
	touched [features.Lanes][]*actor
	// index is the epoch that each lane is in.
	index [features.Lanes]int64
	// opened lists the actors with an open finding.
	opened []*actor

	conversations *rules.Conversation
	// edges counts what actors read, at their end.
	edges   *affinity.Sketch
	reader  features.Reader
	delta   delta
	scratch []judged
	scorer  forest.Scorer
	found   []vigil.Finding

	// cold and marks are what is known of actors that made room; see tiers.go.
	cold  map[string]*cold
	marks marks

	limit, coldLimit int // actors held at most, in full and in short
	evicted          int64
	scoring          bool
	models           bool
	dirty            bool
}

func newShard(s *shared, limit, coldLimit int) *shard {
	return &shard{
		shared: s, byKey: map[string]*actor{}, cold: map[string]*cold{}, marks: newMarks(coldLimit), conversations: rules.NewConversation(),
		delta: delta{tells: map[string]uint32{}, told: map[string]int{}, steps: map[string]*sequence.Delta{}, sample: newReservoirs(deltaRows)}, limit: limit, coldLimit: coldLimit,
	}
}

// unit is the weight of one observation at event time t: it doubles every 14
// days, so that older ones fade without being touched.
func unit(t int64) float64 {
	const landmark = 1577836800 // 2020-01-01
	days := float64(t/1e9-landmark) / 86400
	return math.Exp2(math.Min(math.Max(days/halfLifeDays, -1000), 1000))
}

// apply folds one event. With scoring on it returns the event's score.
func (sh *shard) apply(e *vigil.Event, tr *trace) (score Score) {
	sh.dirty = true
	t := e.Time.UnixNano()
	if !e.Late {
		sh.advance(t)
	}
	a := sh.actor(e, t)
	away := float64(t-a.Seen) / (24 * float64(hourNanos))
	if a.Seen == 0 {
		away = 0
	}
	a.Seen = max(a.Seen, t)

	var values [features.Categories]features.Value
	sh.reader.Categories(e, &values)
	sh.note(e)
	for l := range features.Lane(features.Lanes) {
		i := l.Index(t)
		la := &a.Lane[l]
		if e.Late {
			// Late events count where their span is still open, and nowhere else.
			if !la.span.Open || la.span.Index != i {
				continue
			}
		} else if !la.span.Open {
			sh.begin(a, l, i)
			la.span.Away = away
		}
		la.span.Add(e)
		if l == features.Day {
			la.span.LookUp(e)
		}
	}
	sh.follow(a, e, tr)
	step := 1.0
	if !e.Late && e.Action != vigil.ActionLogout {
		step = sh.step(a, e, t)
	}
	// Nobody steals by leaving: what a logout names is not judged.
	met := e.Action != vigil.ActionLogout && sh.meet(a, t, &values)
	if a.open != nil {
		a.open.since.add(e)
	}
	if hit, ok := sh.conversations.Check(e); ok {
		sh.ruleHit(a, e, hit)
	}
	if !e.Late {
		sh.look(a, t, met)
	}
	if sh.scoring {
		score = sh.score(a, e, tr, step, &values)
	}
	return score
}

// advance closes what ended before t.
func (sh *shard) advance(t int64) {
	for l := range features.Lane(features.Lanes) {
		i := l.Index(t)
		if i <= sh.index[l] {
			continue
		}
		sh.dirty = sh.dirty || len(sh.touched[l]) > 0
		for _, a := range sh.touched[l] {
			sh.close(a, l)
		}
		sh.touched[l] = sh.touched[l][:0]
		sh.index[l] = i
	}
	sh.expire(t)
}

// actor finds or makes the event's actor. What the source says of it is taken
// anew when it says anything.
func (sh *shard) actor(e *vigil.Event, t int64) *actor {
	key := actorKey(e.Actor.Tenant, e.Actor.ID)
	a := sh.byKey[key]
	if a == nil {
		if len(sh.actors) >= sh.limit {
			sh.evict(t)
		}
		key = strings.Clone(key)
		a = &actor{Key: key, ID: strings.Clone(e.Actor.ID), Tenant: one(e.Actor.Tenant), Born: t}
		sh.recall(a, t)
		sh.byKey[key] = a
		sh.actors = append(sh.actors, a)
	}
	if e.Source != a.Source {
		a.Source = e.Source
	}
	if e.Actor.Kind != a.Kind && e.Actor.Kind != "" || e.Actor.Role != a.Role && e.Actor.Role != "" ||
		e.Actor.Team != a.Team && e.Actor.Team != "" {
		a.Kind, a.Role, a.Team = vigil.ActorKind(one(string(e.Actor.Kind))), one(e.Actor.Role), one(e.Actor.Team)
		a.Group = one(a.placed())
		sh.settle(a)
		if a.home == nil && len(sh.delta.groups) < maxGroups && !slices.Contains(sh.delta.groups, a.Group) {
			sh.delta.groups = append(sh.delta.groups, a.Group)
		}
	}
	return a
}

// one is the copy of s that all share: of what thousands of actors have in common.
func one(s string) string { return unique.Make(s).Value() }

// actorKey names an actor: its tenant, NUL, its id. A tenant that has a NUL itself
// must not pass for another actor's, so then the key has none.
func actorKey(tenant, id string) string {
	if strings.IndexByte(tenant, 0) >= 0 {
		return strconv.Quote(tenant) + strconv.Quote(id)
	}
	return tenant + "\x00" + id
}

// groupKey names the peers of an actor: those of the same kind, role and team.
func groupKey(kind vigil.ActorKind, role, team string) string {
	if kind == "" && role == "" && team == "" {
		return ""
	}
	return string(kind) + "|" + role + "|" + team
}

// wider is the key of the group around a group: its role in all teams; empty when
// there is none. All of a kind are no peers where roles are told: people are agents,
// engineers and customers.
func wider(key string) string {
	kind, rest, _ := strings.Cut(key, "|")
	role, team, _ := strings.Cut(rest, "|")
	switch {
	case team != "" && role != "":
		return kind + "|" + role + "|"
	case kind != "" && learnedID(key) > 0:
		return kind + "||" // whose roles nobody tells
	}
	return ""
}

// regroup looks groups up again after a merge made new ones.
func (sh *shard) regroup() {
	for _, a := range sh.actors {
		sh.settle(a)
	}
}

// settle finds the actor's groups.
func (sh *shard) settle(a *actor) {
	a.home = sh.shared.group(a.Group)
	a.group = a.home.held()
}

// note remembers what the event's source tells.
func (sh *shard) note(e *vigil.Event) {
	var mask uint32
	if len(e.Subjects) > 0 || e.SubjectCount > 0 {
		mask |= 1 << features.Subjects
	}
	if e.Conversation != "" {
		mask |= 1 << features.Conversations
	}
	if e.Outcome != "" {
		mask |= 1 << features.Denied
	}
	if _, ok := sh.delta.told[e.Source]; ok || len(sh.delta.told) < maxSources {
		sh.delta.told[e.Source]++
	}
	if have, ok := sh.delta.tells[e.Source]; have&mask != mask || !ok {
		sh.delta.tells[e.Source] = have | mask
	}
}

// begin opens the actor's span in a lane.
func (sh *shard) begin(a *actor, l features.Lane, i int64) {
	la := &a.Lane[l]
	la.forget(l, i)
	la.span.Begin(i)
	for k := range la.next {
		la.next[k] = float32(math.NaN())
	}
	sh.touched[l] = append(sh.touched[l], a)
}

// settledDays is how long an actor must have been known before what is new to it
// alone counts as new: to a newcomer everything is.
const settledDays = 7

// calendarDays is how long the hours of the week are only learnt: until each has
// come round.
const calendarDays = 8

// What an actor does again within freshQuarters quarters of an hour, a day, is no
// news a second time, however rare it still is: its probability counts as at least
// repeatedP.
const (
	freshQuarters = 96
	repeatedP     = 0.2
)

// meet judges the values that the present quarter had not met, and learns them.
// It reports whether any was new to the actor.
func (sh *shard) meet(a *actor, t int64, values *[features.Categories]features.Value) (met bool) {
	q := features.Quarter.Index(t)
	day := features.Day.Index(t)
	w, learnt := 0.0, 0.0
	for c := range features.Category(features.Categories) {
		v := values[c]
		if v.Label == "" {
			continue
		}
		own := &a.Values[c]
		known := own.Get(v.Hash)
		if known != nil && known.Label == (novelty.Label{}) {
			known.Label = novelty.Intern(v.Label) // it was among the cold
		}
		if known != nil && int64(known.Span) >= q {
			continue // met in this quarter, or by a late event's future
		}
		if w == 0 {
			w = unit(t)
			learnt = w * a.trust()
		}
		if c == features.Hour && t-sh.shared.Started < calendarDays*24*hourNanos {
			// An hour that has not come round yet is new to the calendar, not to people.
			own.Add(v.Hash, v.Label, learnt, q, valueLimit)
			sh.pass(a, c, own.Get(v.Hash), v.Hash, w, day)
			continue
		}
		var peers *novelty.Table
		if a.group != nil {
			peers = &a.group.Values[c]
		}
		p, frame := novelty.Predict(own, peers, &sh.shared.everyone.Values[c], v.Hash, w)
		first := int64(0)
		if known != nil && frame == novelty.Known {
			first = int64(known.First)
			if q-int64(known.Span) <= freshQuarters {
				p = math.Max(p, repeatedP)
			}
		}
		for _, l := range [...]features.Lane{features.Quarter, features.Day} {
			if a.Lane[l].span.Open {
				a.Lane[l].span.Meet(c, p, v.Label, frame, first)
			}
		}
		// A new shift brings many new hours at once; they are one thing, not eight.
		if frame != novelty.Known && c != features.Hour && (t-a.Born >= settledDays*24*hourNanos || frame >= novelty.NewToPeers) {
			met = true
			for l := range features.Lanes {
				if a.Lane[l].span.Open {
					a.Lane[l].span.AddNew()
				}
			}
		}
		own.Add(v.Hash, v.Label, learnt, q, valueLimit)
		if known = own.Get(v.Hash); known != nil {
			known.P, known.Frame = float32(p), frame
			sh.pass(a, c, known, v.Hash, w, day)
		}
	}
	return met
}

// pass tells the wider frames of a value, once a day: an actor counts by days
// there, not by how often it acts.
func (sh *shard) pass(a *actor, c features.Category, v *novelty.Value, hash uint64, w float64, day int64) {
	if v == nil || int64(v.Told) == day || a.open != nil || len(sh.delta.values) >= sh.deltaLimit()/4 {
		return
	}
	v.Told = int32(day)
	sh.delta.values = append(sh.delta.values, valueDelta{a.home, c, features.Value{Hash: hash, Label: v.Label.String()}, w * a.trust(), day})
}

// look judges the actor's open spans early when a count crossed its next look or
// something new was met. Only what can merely grow may speak before the close.
func (sh *shard) look(a *actor, t int64, met bool) {
	for l := range features.Lane(features.Lanes) {
		if !sh.shared.budget.Ready[l] {
			continue
		}
		la := &a.Lane[l]
		due := met && l != features.Week
		for k := range features.Kind(features.Kinds) {
			v := la.span.Value(k)
			if v == 0 {
				continue
			}
			if math.IsNaN(float64(la.next[k])) {
				la.next[k] = float32(sh.nextLook(a, l, k))
			}
			if v > float64(la.next[k]) {
				due = true
				la.next[k] = float32(math.Max(v*lookFactor, v+1))
			}
		}
		if !due {
			continue
		}
		sh.scratch = sh.scratch[:0]
		all, e := sh.judge(a, l, false, sh.scratch)
		sh.scratch = all
		decay := la.decay(l, la.span.Index)
		sh.weigh(a, l, t, all, e, log10(la.Detector.Peek(decay, e)))
	}
}

// telling is the e-value of a span that counts as further evidence for a finding
// that is open already.
const telling = 10

// weigh decides what a span's evidence means: a new finding, more of an open
// one, or nothing. r is log10 of the detector's value with it.
func (sh *shard) weigh(a *actor, l features.Lane, t int64, all []judged, e, r float64) {
	switch {
	case a.open != nil && e >= telling:
		a.open.grow(a, l, all, e)
		a.open.confirm(t, r)
		sh.tell(a, false)
	case a.open == nil && r >= sh.shared.budget.Line[l] && e > 1:
		sh.declare(a, l, t, all, e, r)
	}
}

// close judges a span that ended, moves the evidence and learns.
func (sh *shard) close(a *actor, l features.Lane) {
	la := &a.Lane[l]
	if !la.span.Open {
		return
	}
	sh.scratch = sh.scratch[:0]
	all, e := sh.judge(a, l, true, sh.scratch)
	sh.scratch = all
	sh.conclude(a, l, all, e)
	sh.learn(a, l, all)
	if l == features.Day {
		if !la.span.Told(features.Subjects) || la.span.Value(features.Subjects) > 1 {
			sh.delta.readers++
		}
		sh.member(a, all)
	}
	sh.delta.epochs[l]++
	la.span.End()
}

// conclude moves the actor's evidence by a span that is over.
func (sh *shard) conclude(a *actor, l features.Lane, all []judged, e float64) {
	la := &a.Lane[l]
	i := la.span.Index
	if sh.shared.budget.Ready[l] {
		decay := la.decay(l, i)
		r := log10(la.Detector.Peek(decay, e))
		sh.weigh(a, l, la.span.Last, all, e, r)
		la.Detector.Step(decay, e)
		if la.rise(decay, e) {
			if la.Since == 0 {
				la.Since = la.span.First
			}
			la.Run.add(&la.span)
			la.Run.learn(a, l, all, e)
			la.Run.Peak = max(la.Run.Peak, r)
		} else if la.Since != 0 {
			sh.endRun(a, l)
		}
	}
	la.Judged = i
}

// crossedOnce is how long after a run that crossed the line the same actor's
// further runs tell nothing new about how often the line is crossed.
const crossedOnce = 30 * 24 * hourNanos

// endRun notes how far a run of evidence got, and forgets the run.
func (sh *shard) endRun(a *actor, l features.Lane) {
	la := &a.Lane[l]
	end := la.span.Last
	switch {
	case a.trust() < 1 && la.Run.Peak < sh.shared.budget.Line[l]:
		// Who is suspected anyway must not move the line for all.
	case la.Run.Peak < sh.shared.budget.Line[l]:
		sh.delta.peaks[l] = append(sh.delta.peaks[l], la.Run.Peak)
	case la.Crossed == 0 || end-la.Crossed > crossedOnce:
		sh.delta.peaks[l] = append(sh.delta.peaks[l], la.Run.Peak)
		la.Crossed = end
	}
	la.Rise, la.Since = 0, 0
	la.Run.reset()
}

// deltaLimit bounds the scores that a shard learns between two merges, an hour's:
// more than all its actors bring, even where a day and a week end in it. Beyond,
// a flood of actors that come and go teaches nothing more.
func (sh *shard) deltaLimit() int { return 1<<14 + 8*terms*sh.limit }

// The p-value below which a span is odd enough to teach less, and the least it
// teaches: what is odd once is not yet usual, and what lasts is learnt in the end.
const (
	oddP        = 0.01
	leastTaught = 0.2
)

// believed is the weight with which an observation of that p-value teaches its
// actor's own baselines.
func believed(p float64, own *calibrate.Level) float64 {
	if own.W < calibrate.Newcomer {
		return 1 // nothing is odd yet for one of whom nothing is known
	}
	return math.Max(leastTaught, math.Min(1, p/oddP))
}

// repeated is the weight with which a rare score speaks in its peers' ranks. The
// first of an actor counts in full; the more its own level has risen above its
// peers', the less, so that nobody's days of theft become the tail that they are
// held against.
func repeated(p float64, own *calibrate.Level, peers calibrate.Spread) float64 {
	if p >= 2*oddP {
		return 1
	}
	return 1 / (1 + 2*math.Max(0, own.Above(peers)))
}

// learn teaches the actor's baselines and the calibration from a closed span.
func (sh *shard) learn(a *actor, l features.Lane, all []judged) {
	la := &a.Lane[l]
	g := a.group
	if g == nil {
		g = sh.shared.everyone
	}
	season := l.Season(la.span.Index)
	exposure := g.profile[l][season] * sh.shared.Surge[a.class()].factor(l)
	w := a.trust()
	if l == features.Day {
		a.Habit.learn(&la.span, 1, w)
	}
	voice := w * a.Voice.span(l, la.span.Index)
	limit := sh.deltaLimit()
	for i := range all {
		j := &all[i]
		level := &la.Level[j.Term]
		spread := g.Spread[l][j.Term]
		var z float64
		heard := voice * repeated(j.Alone, level, spread)
		taught := w * believed(j.Alone, level)
		if j.Term == measureTerm(features.Drift) {
			z, heard = level.Standard(j.Raw, spread), a.strayed(j, w)
		} else {
			z = level.Learn(j.Raw, spread, taught)
		}
		if bin, ok := calibrate.BinOf(z); ok && len(sh.delta.scores) < limit {
			sh.delta.scores = append(sh.delta.scores, scoreDelta{a.home, uint8(l), uint8(j.Term), j.Alone < commonP, bin, heard})
		}
		if !isKind(j.Term) {
			continue
		}
		k, f := termKind(j.Term)
		if f != frameSelf {
			continue
		}
		if k.IsCount() {
			if l == features.Day {
				a.pace(la.span.Index, j, exposure, w)
			}
			if k == features.Events && l != features.Week && j.Counts.Mean > 0 && w == 1 {
				sh.delta.seasons = append(sh.delta.seasons, g.seasonal(a, l, season, j.Seen, j.Counts.Mean/exposure))
			}
			la.Counts[k].Observe(j.Seen, g.Prior[l][k], exposure, taught)
		} else {
			la.Sizes[k-features.Rows].Observe(j.Seen, g.Sizes[l][k-features.Rows], taught)
		}
	}
	if l == features.Week {
		a.endWeek(all)
	}
}
