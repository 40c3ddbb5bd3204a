package detector

import (
	"testing"

	"vigil"
	"vigil/detector/features"
	"vigil/models/peers"
)

func TestALearnedGroupHasAKeyAndAName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind         vigil.ActorKind
		id           int
		around, name string
	}{
		{"", 3, "", "learned group 3"},
		{vigil.KindHuman, 12, "human||", "learned group 12 (human)"},
	} {
		key := learnedKey(c.kind, c.id)
		if got := learnedID(key); got != c.id {
			t.Errorf("%q: id %d", key, got)
		}
		if got := wider(key); got != c.around {
			t.Errorf("%q: the group around it is %q", key, got)
		}
		if got := teamName(key); got != c.name {
			t.Errorf("%q: named %q", key, got)
		}
	}
	for _, key := range []string{"", "human||", "human|agent|", "human|agent|~|3", "||emea", "|~3|", "||~|x"} {
		if id := learnedID(key); id != 0 {
			t.Errorf("%q is learned group %d", key, id)
		}
	}
}

// TestALearnedGroupThatIsNoMoreIsForgotten has a group with an open finding vanish.
func TestALearnedGroupThatIsNoMoreIsForgotten(t *testing.T) {
	t.Parallel()
	s := newShared(newBudget(0), nil)
	keep, gone, given := learnedKey(vigil.KindHuman, 1), learnedKey(vigil.KindHuman, 2), groupKey(vigil.KindHuman, "agent", "emea")
	for _, key := range []string{keep, gone, given} {
		s.join(key)
	}
	s.teams[gone] = &team{Key: gone, affair: newAffair(vigil.AboutTeam, 1, lineTeam, features.Day.Start(1), features.Day.Start(2), 3, 2)}
	s.Peers = &peers.Groups{List: []peers.Group{{ID: 1, Members: 5}}, Next: 3}
	s.learnPeers(nil, 0)
	if s.groups[gone] != nil || s.teams[gone] != nil {
		t.Error("the group is still there")
	}
	if s.groups[keep] == nil || s.groups[given] == nil || len(s.keys) != len(s.groups) {
		t.Errorf("left: %q", s.keys)
	}
	if len(s.found) != 1 || s.found[0].State != vigil.StateClosed {
		t.Errorf("told of its finding: %+v", s.found)
	}
}
