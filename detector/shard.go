package detector

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unique"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
	"vigil/detector/rules"
	"vigil/models/affinity"
	"vigil/models/forest"
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

	// watch runs the rules, and rulings are what they found lately.
	watch   *rules.Watch
	rulings map[string]*ruling
	ruled   []ruled
	known   rules.Known
	// looked is the hour up to which rulings were looked through; offices are the
	// networks of people since the last merge.
	looked  int64
	offices map[uint64]struct{}
	quotas  quotas
	// edges counts what actors read, at their end.
	edges   *affinity.Sketch
	reader  features.Reader
	delta   delta
	scratch []judged
	key     []byte // of the event's actor
	runs    []*run // spare ones
	// lessonsSpare are those of quarters that ended.
	lessonsSpare []*lessons
	met          []notedWeight // of the actor that is judged
	scorer       forest.Scorer
	found        []vigil.Finding

	// cold and marks are what is known of actors that made room; see tiers.go.
	cold  map[string]*cold
	marks marks

	limit, coldLimit int // actors held at most, in full and in short
	evicted          int64
	scoring          bool
	models           bool
	tally            *tally // nil where nothing is counted
	dirty            bool
}

func newShard(s *shared, limit, coldLimit int) *shard {
	sh := &shard{
		shared: s, byKey: map[string]*actor{}, cold: map[string]*cold{}, marks: newMarks(coldLimit),
		watch: s.rules.Watch(s.switchedOff), rulings: map[string]*ruling{}, offices: map[uint64]struct{}{},
		delta: delta{sample: newReservoirs(deltaRows)}, limit: limit, coldLimit: coldLimit,
	}
	sh.known.Linked, sh.known.Concerning = sh.linked, sh.concerning
	return sh
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
	if away >= features.AwayFrom {
		// Who was known to be away has not come back from nowhere.
		away -= sh.shared.book.Absence(e, a.Seen, t)
	}
	a.Seen = max(a.Seen, t)

	var values [features.Categories]features.Value
	sh.reader.Categories(e, &values)
	a.Classes.meet(e.ResourceClass, features.Quarter.Index(t))
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
		la.span.Add(e, tr.why)
		if l == features.Day {
			la.span.LookUp(e, tr.why)
		}
	}
	sh.follow(a, e, tr, &values)
	step := 1.0
	if !e.Late && e.Action != vigil.ActionLogout {
		step = sh.step(a, e, t, &values, tr.why.Found&reasons.Awaited != 0)
	}
	// Nobody steals by leaving: what a logout names is not judged.
	met := e.Action != vigil.ActionLogout && sh.meet(a, t, &values, tr.why.Found)
	if sh.page(a, e, &values) {
		met = true
	}
	if a.open != nil {
		a.open.since.add(e, tr.why)
	}
	sh.rule(a, e, tr)
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
	sh.settleRulings(t)
}

// actor finds or makes the event's actor. What the source says of it is taken
// anew when it says anything.
func (sh *shard) actor(e *vigil.Event, t int64) *actor {
	sh.key = appendActorKey(sh.key[:0], e.Actor.Tenant, e.Actor.ID)
	a := sh.byKey[string(sh.key)] // of which no copy is made
	if a == nil {
		if len(sh.actors) >= sh.limit {
			sh.evict(t)
		}
		key := string(sh.key)
		a = &actor{Key: key, ID: strings.Clone(e.Actor.ID), Tenant: one(e.Actor.Tenant), Born: t}
		sh.recall(a, t)
		a.untaught = sh.shared.untaught[a.Key]
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

// appendActorKey appends an actor's name: its tenant, NUL, its id. A tenant that has a
// NUL itself must not pass for another actor's, so then the key has none.
func appendActorKey(to []byte, tenant, id string) []byte {
	if strings.IndexByte(tenant, 0) >= 0 {
		return strconv.AppendQuote(strconv.AppendQuote(to, tenant), id)
	}
	return append(append(append(to, tenant...), 0), id...)
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
	if d := sh.delta.source(e.Source); d != nil {
		d.events++
		d.tells |= mask
		d.stores.add(e.Store, 1)
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
