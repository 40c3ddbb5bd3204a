package detector

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"vigil"
	"vigil/detector/features"
	"vigil/models/peers"
)

// Where neither the source nor the configuration says what role or team an actor
// has, its peers are those who work alike: the same actions on the same resources,
// by the same kinds of query, at the same hours. Such groups are learnt once a day
// (models/peers) and lie within the actor's kind, where that is given. An actor
// joins one when it has been known for a day; before, its kind's or everyone's
// frame is its own. Who is suspected neither shapes the groups nor changes its own.

const (
	// enoughToLearn is from how many actors groups are learnt.
	enoughToLearn = 2 * minPeers
	// learnedMark begins the team in the key of a learned group, and its id follows. No
	// given team is likely to be called so.
	learnedMark = "~|"
	// peersSeed orders the sample. It is always the same, so that a fit changes by what
	// actors do only.
	peersSeed = 1
)

// learnedKey names a learned group; the group around it is the kind.
func learnedKey(kind vigil.ActorKind, id int) string {
	return groupKey(kind, "", learnedMark+strconv.Itoa(id))
}

// learnedID is the id of the learned group of that key, 0 for one that was given.
func learnedID(key string) int {
	_, id, ok := strings.Cut(key, "||"+learnedMark)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(id)
	if err != nil {
		return 0
	}
	return n
}

// unplaced says that nobody told the actor's role or team.
func (a *actor) unplaced() bool { return a.Role == "" && a.Team == "" }

// placed is the key of the actor's group: what was given, or what was learnt.
func (a *actor) placed() string {
	if a.unplaced() && a.Learned != 0 {
		return learnedKey(a.Kind, a.Learned)
	}
	return groupKey(a.Kind, a.Role, a.Team)
}

// The categories by which actors are alike.
var alike = [...]struct {
	category features.Category
	family   peers.Family
}{{features.Action, peers.Action}, {features.Resource, peers.Resource}, {features.Shape, peers.Shape}, {features.Hour, peers.Hour}}

// profile is what the actor does: by how many quarters of an hour it met each value
// in, the latest the heaviest.
func (a *actor) profile() peers.Profile {
	n := 0
	for _, by := range alike {
		n += len(a.Values[by.category].Values)
	}
	fs := make([]peers.Feature, 0, n)
	for _, by := range alike {
		for i := range a.Values[by.category].Values {
			v := &a.Values[by.category].Values[i]
			fs = append(fs, peers.Feature{Family: by.family, Hash: v.Hash, Weight: v.Weight})
		}
	}
	return peers.NewProfile(a.Key, fs)
}

// learnPeers fits the learned groups anew at now, and places actors in them.
func (s *shared) learnPeers(shards []*shard, now int64) {
	type ranked struct {
		hash uint64
		*actor
	}
	var sample []ranked
	for _, sh := range shards {
		for _, a := range sh.actors {
			if a.unplaced() && a.Seen-a.Born >= probation && a.trust() == 1 {
				sample = append(sample, ranked{features.Hash(a.Key), a})
			}
		}
	}
	if len(sample) >= enoughToLearn {
		if len(sample) > fitSample {
			slices.SortFunc(sample, func(a, b ranked) int { return cmp.Or(cmp.Compare(a.hash, b.hash), strings.Compare(a.Key, b.Key)) })
			sample = sample[:fitSample]
		}
		profiles := make([]peers.Profile, len(sample))
		for i, a := range sample {
			profiles[i] = a.profile()
		}
		s.Peers = peers.Fit(profiles, s.Peers, peersSeed)
	}
	if s.Peers == nil {
		return
	}
	for _, sh := range shards {
		for _, a := range sh.actors {
			if s.place(a, now) {
				sh.dirty = true
			}
		}
	}
	for _, key := range slices.Clone(s.keys) {
		if id := learnedID(key); id != 0 && !s.Peers.Has(id) {
			s.drop(key)
		}
	}
}

// place finds the actor's learned group at now and reports whether that changed.
func (s *shared) place(a *actor, now int64) bool {
	if !a.unplaced() || a.Seen-a.Born < probation {
		return false
	}
	if s.Peers.Has(a.Learned) && (a.trust() < 1 || now-a.Seen > 24*hourNanos) {
		return false // nothing to go by
	}
	a.Learned = s.Peers.Assign(a.profile(), a.Learned)
	key := a.placed()
	s.join(key)
	if key == a.Group {
		return false
	}
	a.Group = one(key)
	return true
}

// drop forgets a learned group that is no more.
func (s *shared) drop(key string) {
	if t := s.teams[key]; t != nil {
		if t.affair != nil {
			s.endTeam(t)
		}
		delete(s.teams, key)
	}
	delete(s.groups, key)
	if at, ok := slices.BinarySearch(s.keys, key); ok {
		s.keys = slices.Delete(s.keys, at, at+1)
	}
}
