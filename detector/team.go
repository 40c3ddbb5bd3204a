package detector

import (
	"maps"
	"math"
	"slices"

	"vigil"
	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/volume"
)

// team is a group of actors judged as one: several that each take a little more
// than usual, together take much more. Its day is held against the sum of what its
// members were expected to do, so that who is off sick does not matter.
type team struct {
	Key      string
	Level    calibrate.Level
	Detector calibrate.Detector
	Judged   int64

	day    teamDay
	affair *affair
}

// teamDay sums the members' days.
type teamDay struct {
	Members         int
	Seen, Mean, Var float64
	// Actors are the members who worked, for the finding to name.
	Actors []teamActor

	// subjects are the customers whom they read, where that is told.
	subjects features.Distinct
}

type teamActor struct {
	ID     string
	Excess float64
	Events int64
}

// memberDay is what a shard tells of one member's closed day.
type memberDay struct {
	group                *group
	actor                string
	seen, mean, variance float64
	events               int64
	subjects             features.Distinct
}

// minMembers is how many members must have worked for a team to be one.
const minMembers = 3

// member tells the team of an actor's closed day: how many customers new to it and
// its team it read, or accesses where no customers are named. One member can't
// make a team's finding alone: it counts to what one day in a hundred brings.
func (sh *shard) member(a *actor, all []judged) {
	if a.home == nil || a.open != nil || len(sh.delta.members) >= sh.deltaLimit()/8 {
		return
	}
	var best *judged
	for i := range all {
		j := &all[i]
		if _, isCount := countTerm(j.Term); !isCount {
			continue
		}
		k, f := termKind(j.Term)
		if f == frameSelf && (k == features.Strangers || k == features.Events && best == nil) {
			best = j
		}
	}
	if best == nil {
		return
	}
	span := &a.Lane[features.Day].span
	m := memberDay{
		group: a.home, actor: a.ID, seen: math.Min(best.Seen, best.Counts.Mean+2.33*best.Counts.SD()),
		mean: best.Counts.Mean, variance: best.Counts.Var, events: int64(span.Value(features.Events)),
	}
	m.subjects.Merge(span.Subjects(), features.ExactLimit) // the span goes on to another day
	sh.delta.members = append(sh.delta.members, m)
}

func (s *shared) takeMember(m *memberDay) {
	t := s.teams[m.group.Key]
	if t == nil {
		t = &team{Key: m.group.Key}
		s.teams[m.group.Key] = t
	}
	t.day.Members++
	t.day.Seen += m.seen
	t.day.Mean += m.mean
	t.day.Var += m.variance
	t.day.Actors = append(t.day.Actors, teamActor{m.actor, m.seen - m.mean, m.events})
	t.day.subjects.Merge(&m.subjects, features.ExactLimit)
}

// closeTeams judges the day that ended.
func (s *shared) closeTeams(day int64) {
	m := &s.Flows[flowTeam]
	for _, key := range slices.Sorted(maps.Keys(s.teams)) {
		t := s.teams[key]
		d := t.day
		t.day = teamDay{}
		if d.Members < minMembers || d.Mean <= 0 {
			continue
		}
		rd := reading{Flow: flowTeam, Seen: d.Seen, Expected: volume.Counts{Mean: d.Mean, Var: math.Max(d.Var, d.Mean*1.0001)}}
		rd.Raw = rd.Expected.Surprise(d.Seen)
		past := stream{Level: t.Level}
		rd.rank(m, &past, hashTie(features.Hash(key), uint64(day)))
		weight := 1.0
		s.budget.Epochs[lineTeam]++
		if s.budget.Ready[lineTeam] {
			decay := evidenceDecay(features.Day, t.Judged, day)
			r := log10(t.Detector.Peek(decay, rd.E))
			s.weighTeam(t, &d, &rd, r, day)
			if r > 0 {
				s.budget.observe(lineTeam, r)
			}
			t.Detector.Step(decay, rd.E)
		}
		if t.affair != nil {
			weight = suspectTrust
		}
		m.Sketch.Add(rd.Z, 1)
		t.Level.Forget(math.Exp2(-1 / halfLifeDays))
		t.Level.Observe(rd.Raw, m.Spread, weight)
		t.Judged = day
	}
}

// endTeam closes the open finding about a team.
func (s *shared) endTeam(t *team) {
	t.affair.Finding.State = vigil.StateClosed
	t.affair.complete()
	s.found = append(s.found, t.affair.copy())
	t.affair, t.Detector.R = nil, 0
}

func (s *shared) weighTeam(t *team, d *teamDay, rd *reading, r float64, day int64) {
	line := s.budget.Line[lineTeam]
	end := features.Day.Start(day + 1)
	switch {
	case t.affair != nil && end-t.affair.LastEvidence > 2*affairQuiet:
		s.endTeam(t)
		return
	case t.affair != nil && rd.E < telling, t.affair == nil && (r < line || rd.E <= 1):
		return
	case t.affair == nil:
		t.affair = newAffair(vigil.AboutTeam, features.Hash(t.Key), lineTeam, features.Day.Start(day), end, r, line)
		t.affair.Finding.Team = teamName(t.Key)
	}
	a := t.affair
	a.take(rd, features.Day, day, r, end)
	slices.SortStableFunc(d.Actors, func(x, y teamActor) int {
		if x.Excess > y.Excess {
			return -1
		}
		if x.Excess < y.Excess {
			return 1
		}
		return 0
	})
	events := int64(0)
	for _, m := range d.Actors {
		events += m.Events
		if m.Excess > 0 && len(a.actors) < actorList {
			a.actor(m.ID)
		}
	}
	a.Finding.Events += events
	a.subjects.Merge(&d.subjects, features.ExactLimit)
	if n := a.subjects.Len(); n > 0 {
		a.Finding.Subjects = n
	}
	a.Finding.End = utc(end)
	a.complete()
	s.found = append(s.found, a.copy())
}
