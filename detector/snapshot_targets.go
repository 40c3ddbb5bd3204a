package detector

import (
	"fmt"
	"maps"
	"slices"

	"vigil/detector/features"
	"vigil/models/affinity"
	"vigil/models/calibrate"
)

// targetsState is a shard of targets in the form that is kept.
type targetsState struct {
	Version      int
	Day, Quarter int64
	Subjects     []*subject
	Touched      []uint64
	Crowds       []crowdState
	OpenSubjects []affairState
	Networks     []networkState
	Visited      []uint64
	OpenNetworks []affairState
	Scores       []flowScore
	Again        []notedFlow
	Journals     []*affairJournal
	Peaks        [lines][]float64
	Epochs       [lines]int
	Arrivals     affinity.State
}

type crowdState struct {
	Hash  uint64
	Crowd *crowd
}

type networkState struct {
	Network  *network
	Visit    *visit
	Subjects features.DistinctState
}

type affairState struct {
	Affair   *affair
	Actors   []string
	Subjects features.DistinctState
}

func (a *affair) state() (*affairState, error) {
	if a == nil {
		return nil, nil
	}
	ids, err := a.subjects.State()
	return &affairState{a, slices.Sorted(maps.Keys(a.actors)), ids}, err
}

func (st *affairState) restore() (*affair, error) {
	if st == nil || st.Affair == nil {
		return nil, nil
	}
	a := st.Affair
	a.actors = make(map[string]struct{}, len(st.Actors))
	for _, id := range st.Actors {
		a.actors[id] = struct{}{}
	}
	if a.Best == nil {
		a.Best = map[flow]affairTerm{}
	}
	return a, a.subjects.Restore(st.Subjects)
}

func affairStates(open []*affair) (out []affairState, err error) {
	for _, a := range open {
		st, err := a.state()
		if err != nil {
			return nil, err
		}
		out = append(out, *st)
	}
	return out, nil
}

func restoreAffairs(states []affairState) (out []*affair, err error) {
	for i := range states {
		a, err := states[i].restore()
		if err != nil {
			return nil, err
		}
		if a == nil {
			return nil, fmt.Errorf("an open finding is empty")
		}
		out = append(out, a)
	}
	return out, nil
}

func (t *targets) state() (targetsState, error) {
	ss, ns := &t.subjects, &t.networks
	st := targetsState{
		Version: stateVersion, Day: ss.Day, Quarter: ns.Quarter,
		Scores: t.delta.scores, Again: t.delta.again, Journals: t.journals, Peaks: t.delta.peaks, Epochs: t.delta.epochs,
		Arrivals: t.arrivals.State(),
	}
	for _, h := range sortedKeys(ss.known) {
		st.Subjects = append(st.Subjects, ss.known[h])
	}
	for _, s := range ss.touched {
		st.Touched = append(st.Touched, s.Hash)
	}
	for _, h := range sortedKeys(ss.crowds) {
		st.Crowds = append(st.Crowds, crowdState{h, ss.crowds[h]})
	}
	for _, h := range sortedKeys(ns.known) {
		n := networkState{Network: ns.known[h], Visit: ns.known[h].now}
		if n.Visit != nil {
			var err error
			if n.Subjects, err = n.Visit.Subjects.State(); err != nil {
				return st, err
			}
		}
		st.Networks = append(st.Networks, n)
	}
	for _, n := range ns.touched {
		st.Visited = append(st.Visited, n.Hash)
	}
	var err error
	if st.OpenSubjects, err = affairStates(ss.open); err != nil {
		return st, err
	}
	st.OpenNetworks, err = affairStates(ns.open)
	return st, err
}

func (t *targets) restore(st *targetsState) error {
	ss, ns := &t.subjects, &t.networks
	ss.Day, ns.Quarter = st.Day, st.Quarter
	t.delta = targetDelta{scores: st.Scores, again: st.Again, peaks: st.Peaks, epochs: st.Epochs}
	t.journals = slices.DeleteFunc(st.Journals, func(j *affairJournal) bool { return j == nil })
	var err error
	if ss.open, err = restoreAffairs(st.OpenSubjects); err != nil {
		return err
	}
	if ns.open, err = restoreAffairs(st.OpenNetworks); err != nil {
		return err
	}
	for _, s := range st.Subjects {
		ss.known[s.Hash] = s
	}
	for _, h := range st.Touched {
		s := ss.known[h]
		if s == nil {
			return fmt.Errorf("a listed customer is missing")
		}
		ss.touched = append(ss.touched, s)
	}
	for _, c := range st.Crowds {
		if c.Crowd == nil {
			return fmt.Errorf("a customer's readers are missing")
		}
		c.Crowd.affair = ss.find(c.Hash)
		ss.crowds[c.Hash] = c.Crowd
	}
	for _, n := range st.Networks {
		if n.Network == nil {
			return fmt.Errorf("a network is missing")
		}
		ns.known[n.Network.Hash] = n.Network
		if n.Network.Regulars == nil {
			n.Network.Regulars = map[uint64]int32{}
		}
		if n.Visit != nil {
			n.Network.now = n.Visit
			if err := n.Visit.Subjects.Restore(n.Subjects); err != nil {
				return err
			}
		}
	}
	for _, h := range st.Visited {
		n := ns.known[h]
		if n == nil || n.now == nil {
			return fmt.Errorf("a listed network is missing")
		}
		ns.touched = append(ns.touched, n)
	}
	return nil
}

// flowState is a flow's model with the ranks that its frozen table was made of.
type flowState struct {
	Model flowModel
	Ranks calibrate.Sketch
}

type teamState struct {
	Team     *team
	Day      teamDay
	Subjects features.DistinctState
	Affair   *affairState
}

type tellerState struct {
	Teller *teller
	Now    float64
	Affair *affairState
}

// circle is the part of the shared state that is about things other than actors.
type circle struct {
	Flows   [flows]flowState
	Teams   []teamState
	Tellers []tellerState
	Rhythms rhythmState
	Lapses  lapses
	Heard   int64
}

func (s *shared) circle() (c circle, err error) {
	c.Heard, c.Rhythms, c.Lapses = s.heard, s.rhythms.state(), s.lapses
	for f := range s.Flows {
		m := s.Flows[f]
		c.Flows[f] = flowState{m, calibrate.Sketch{Bins: m.table.Mass, N: m.table.N}}
	}
	for _, key := range slices.Sorted(maps.Keys(s.teams)) {
		t := s.teams[key]
		a, err := t.affair.state()
		if err != nil {
			return c, err
		}
		ids, err := t.day.subjects.State()
		if err != nil {
			return c, err
		}
		c.Teams = append(c.Teams, teamState{t, t.day, ids, a})
	}
	for _, name := range slices.Sorted(maps.Keys(s.told)) {
		t := s.told[name]
		a, err := t.affair.state()
		if err != nil {
			return c, err
		}
		c.Tellers = append(c.Tellers, tellerState{t, t.now, a})
	}
	return c, nil
}

func (s *shared) restoreCircle(c *circle) error {
	s.heard, s.lapses = c.Heard, c.Lapses
	if slices.Contains(s.lapses, nil) {
		return fmt.Errorf("a source's lapse is missing")
	}
	var err error
	if s.rhythms, err = c.Rhythms.restore(); err != nil {
		return err
	}
	for f := range c.Flows {
		s.Flows[f] = c.Flows[f].Model
		s.Flows[f].table = c.Flows[f].Ranks.Freeze()
	}
	for i := range c.Teams {
		t := c.Teams[i].Team
		if t == nil {
			return fmt.Errorf("a team is missing")
		}
		t.day = c.Teams[i].Day
		err := t.day.subjects.Restore(c.Teams[i].Subjects)
		if err != nil {
			return err
		}
		if t.affair, err = c.Teams[i].Affair.restore(); err != nil {
			return err
		}
		s.teams[t.Key] = t
	}
	for i := range c.Tellers {
		t := c.Tellers[i].Teller
		if t == nil {
			return fmt.Errorf("a source is missing")
		}
		t.now = c.Tellers[i].Now
		if t.affair, err = c.Tellers[i].Affair.restore(); err != nil {
			return err
		}
		s.told[t.Name] = t
	}
	return nil
}
