package detector

import (
	"cmp"
	"math"
	"slices"
	"time"

	"vigil"
	"vigil/detector/features"
	"vigil/models/volume"
)

// HoursOfWeek is how many hours a week has; the first is Monday 00:00 UTC.
const HoursOfWeek = 168

// Profile is what the engine knows of one actor now.
type Profile struct {
	Actor vigil.Actor
	// Source is the one last seen through; Born and Seen are the event times of the first
	// and the last access.
	Source     string
	Born, Seen time.Time
	// Short says that only the outline is kept: the actor was away for long, or there are
	// too many. All below is empty then.
	Short bool
	// Expected is how many accesses the model expects of each hour of the week.
	Expected []float64
	// Peers are whom the actor is held against.
	Peers ProfilePeers
	// Levels are what is usual of the actor, of its peers and of everyone.
	Levels []ProfileLevel
	// Firsts are the things that the actor is known by, such as its networks, those that
	// came last first.
	Firsts []ProfileFirst
	// Paths are how the evidence went, by lane.
	Paths []ProfilePath
}

// ProfilePeers are whom an actor is held against. Learned says that the group came of
// what its members do, not of what sources say of them. Members is zero where there are
// none, or too few to be held against.
type ProfilePeers struct {
	Key     string
	Learned bool
	Members int
}

// ProfileLevel is how much of something is usual within a span: the mean for the actor,
// for one of its peers (negative where it has none), and for anyone. High is what the
// actor stays below in 99 of 100 such spans.
type ProfileLevel struct {
	Observation, Span          string
	Own, High, Peers, Everyone float64
}

// ProfileFirst is a thing that an actor uses, when it first did, as far as is
// remembered, and its part of all that it uses of that kind, 0 to 1.
type ProfileFirst struct {
	Category, Label string
	First           time.Time
	Share           float64
}

// ProfilePath is how an actor's evidence went in a lane: log10 of R as each span closed,
// those alone that left any. Line is what it would have to cross now, and Now where it
// stands.
type ProfilePath struct {
	Lane      string
	Ready     bool
	Line, Now float64
	Steps     []ProfileStep
}

// ProfileStep is the end of a span, and log10 of the evidence then.
type ProfileStep struct {
	Time     time.Time
	Evidence float64
}

// Profile tells what is known of an actor; false where nothing is. It changes nothing.
// As all of Engine it must not run beside another call.
func (e *Engine) Profile(tenant, id string) (Profile, bool) {
	h := actorHash(&vigil.Event{Actor: vigil.Actor{ID: id, Tenant: tenant}})
	sh := e.shards[(h^h>>32)%shardCount]
	key := appendActorKey(nil, tenant, id)
	if c := sh.cold[string(key)]; c != nil {
		who := c.Who.Value()
		return Profile{
			Actor:  vigil.Actor{ID: id, Tenant: tenant, Kind: who.Kind, Role: who.Role, Team: who.Team},
			Source: who.Source, Born: utc(c.Born), Seen: utc(c.Seen), Short: true,
		}, true
	}
	a := sh.byKey[string(key)]
	if a == nil {
		return Profile{}, false
	}
	p := Profile{
		Actor:  vigil.Actor{ID: id, Tenant: tenant, Kind: a.Kind, Role: a.Role, Team: a.Team},
		Source: a.Source, Born: utc(a.Born), Seen: utc(a.Seen),
	}
	if g := a.group; g != nil && g.Members >= minPeers {
		p.Peers = ProfilePeers{Key: g.Key, Learned: learnedID(g.Key) > 0, Members: g.Members}
	}
	p.Expected, p.Levels = sh.expected(a), sh.levels(a)
	p.Firsts, p.Paths = a.firsts(), sh.paths(a, e.order.watermark)
	return p, true
}

// frameOf is the group whose habits stand behind the actor's own.
func (sh *shard) frameOf(a *actor) *group {
	if a.group != nil {
		return a.group
	}
	return sh.shared.everyone
}

// expected is the mean number of accesses in each hour of the week. What a quarter-hour
// holds is only known of those in which somebody is at work, and not which those are: so
// a day's expectation is spread over its hours, as its quarter-hours are busy.
func (sh *shard) expected(a *actor) []float64 {
	g, out := sh.frameOf(a), make([]float64, HoursOfWeek)
	const events = features.Events
	for day := 0; day < HoursOfWeek; day += 24 {
		hours, sum := out[day:day+24], 0.0
		for h := range hours {
			hours[h] = a.Lane[features.Quarter].Counts[events].Predict(g.Prior[features.Quarter][events], g.profile[features.Quarter][day+h]).Mean
			sum += hours[h]
		}
		whole := a.Lane[features.Day].Counts[events].Predict(g.Prior[features.Day][events], g.profile[features.Day][day]).Mean
		for h := range hours {
			hours[h] *= whole / max(sum, 1e-9)
		}
	}
	return out
}

// levels are the usual amounts of a day, of what the actor's source tells.
func (sh *shard) levels(a *actor) (out []ProfileLevel) {
	const l = features.Day
	g, everyone := sh.frameOf(a), sh.shared.everyone
	for k := range features.Kind(features.Counts) {
		if k != features.Events && !sh.shared.tells(a, k) {
			continue
		}
		own := a.Lane[l].Counts[k].Predict(g.Prior[l][k], 1)
		level := ProfileLevel{
			Observation: k.String(), Span: l.String(), Own: own.Mean, High: own.Quantile(0.99), Peers: -1,
			Everyone: volume.Rate{}.Predict(everyone.Prior[l][k], 1).Mean,
		}
		if a.group != nil && a.group.Members >= minPeers {
			level.Peers = volume.Rate{}.Predict(g.Prior[l][k], 1).Mean
		}
		out = append(out, level)
	}
	return out
}

// profileFirsts bounds the things of each kind that are told.
const profileFirsts = 12

// firsts lists the actor's networks, resources, programs and so on, of each kind those
// that came last.
func (a *actor) firsts() (out []ProfileFirst) {
	for c := range features.Category(features.Categories) {
		t := &a.Values[c]
		var some []ProfileFirst
		for i := range t.Values {
			v := &t.Values[i]
			if v.First == 0 || t.Total <= 0 {
				continue
			}
			some = append(some, ProfileFirst{
				Category: c.String(), Label: v.Label.String(), First: utc(features.Quarter.Start(int64(v.First))), Share: v.Weight / t.Total,
			})
		}
		slices.SortFunc(some, func(a, b ProfileFirst) int {
			return cmp.Or(b.First.Compare(a.First), cmp.Compare(b.Share, a.Share), cmp.Compare(a.Label, b.Label))
		})
		out = append(out, some[:min(len(some), profileFirsts)]...)
	}
	return out
}

// paths are how the evidence went in each lane, and where it stands at now.
func (sh *shard) paths(a *actor, now int64) (out []ProfilePath) {
	b := &sh.shared.budget
	for l := range features.Lane(features.Lanes) {
		la := &a.Lane[l]
		p := ProfilePath{Lane: l.String(), Ready: b.Ready[l], Line: b.Line[l]}
		if la.Judged != 0 {
			p.Now = math.Max(0, log10(la.Detector.R*la.decay(l, max(la.Judged, l.Index(now)))))
		}
		for _, s := range la.Path {
			p.Steps = append(p.Steps, ProfileStep{Time: utc(l.Start(int64(s.Epoch) + 1)), Evidence: float64(s.R)})
		}
		out = append(out, p)
	}
	return out
}
