package detector

import (
	"cmp"
	"slices"
	"strings"

	"vigil"
	"vigil/detector/features"
	"vigil/models/calibrate"
)

// network is one network from which actors come.
type network struct {
	Hash  uint64
	Label string
	// Seen is the last quarter in which anybody came, Judged the last closed one.
	Seen, Judged int64
	Newcomers    stream
	Refused      stream
	Detector     calibrate.Detector
	// Regulars are the actors that came from here and got in, with the day they last
	// did.
	Regulars map[uint64]int32

	// now is the open quarter.
	now *visit
}

// visit is what came from a network within one quarter of an hour.
type visit struct {
	Actors       names
	New          names
	Refused      names
	Subjects     features.Distinct
	Events       int64
	Start, Last  int64
	NextNewcomer float64
	NextRefused  float64
}

// networks holds the networks of a shard.
type networks struct {
	Quarter int64
	known   map[uint64]*network
	touched []*network
	open    []*affair
	// spare are visits of earlier quarters, to be used again.
	spare []*visit
	limit int
}

func newNetworks(limit int) networks {
	return networks{known: map[uint64]*network{}, limit: max(limit, 16)}
}

// visit makes an empty visit, or takes an old one.
func (ns *networks) visit() *visit {
	n := len(ns.spare)
	if n == 0 {
		return &visit{}
	}
	v := ns.spare[n-1]
	ns.spare = ns.spare[:n-1]
	return v
}

// reset empties the visit, whose small sets keep their memory.
func (v *visit) reset() {
	v.Actors.reset()
	v.New.reset()
	v.Refused.reset()
	v.Subjects.Reset()
	*v = visit{Actors: v.Actors, New: v.New, Refused: v.Refused, Subjects: v.Subjects}
}

// network folds an event from a network.
func (t *targets) network(e *vigil.Event, r reach, now int64, tr *trace) {
	ns := &t.networks
	n := ns.known[r.hash]
	if n == nil {
		if len(ns.known) >= ns.limit {
			ns.evict()
		}
		n = &network{Hash: r.hash, Label: strings.Clone(e.Network), Regulars: map[uint64]int32{}}
		ns.known[r.hash] = n
	}
	if n.now == nil {
		days := float64(ns.Quarter-n.Seen) / 96
		n.Newcomers.forget(days)
		n.Refused.forget(days)
		n.Seen = ns.Quarter
		n.now = ns.visit()
		n.now.Start = now
		n.now.NextNewcomer = t.shared.Flows[flowNewcomers].nextLook(&n.Newcomers)
		n.now.NextRefused = t.shared.Flows[flowRefused].nextLook(&n.Refused)
		ns.touched = append(ns.touched, n)
	}
	v := n.now
	v.Events++
	v.Last = now
	actor := tr.actor
	if e.Action.Discloses() {
		for _, id := range e.Subjects {
			v.Subjects.Add(id, features.ExactLimit)
		}
	}
	due := false
	if len(v.Actors) < crowdLimit && v.Actors.add(actor, e.Actor.ID) {
		if _, known := n.Regulars[actor]; !known {
			v.New.add(actor, e.Actor.ID)
		}
		if c := float64(len(v.New)); c >= v.NextNewcomer {
			v.NextNewcomer, due = c*lookFactor, true
		}
	}
	switch {
	case e.Outcome != vigil.OutcomeDenied:
		// Who gets in after all had mistyped.
		v.Refused.remove(actor)
		n.regular(actor, features.Day.Index(now))
	case len(v.Refused) < crowdLimit:
		if _, known := n.Regulars[actor]; known {
			break
		}
		if v.Refused.add(actor, e.Actor.ID) {
			if c := float64(len(v.Refused)); c >= v.NextRefused {
				v.NextRefused, due = c*lookFactor, true
			}
		}
	}
	if due && t.shared.budget.Ready[lineNetwork] {
		rds, ev := t.judgeNetwork(n)
		t.weighNetwork(n, rds[:], ev, now)
	}
}

// networkHalfLife is how fast the evidence about a network fades, in quarters:
// three days. Passwords are tried out at leisure.
const networkHalfLife = 3 * 96

// The weights of a network's two questions: new names are usual where an office
// goes online, many refused ones are not.
const (
	newcomersWeight = 0.3
	refusedWeight   = 0.7
)

// company is the exposure of a quarter to newcomers: those who come along, and one
// more. Where many come who belong there, as colleagues of one employer do on the
// morning of a campaign, new ones are among them; a thief's list brings none.
func (v *visit) company() float64 { return 1 + float64(len(v.Actors)-len(v.New)) }

// regularLimit bounds the regulars of one network that are remembered.
const regularLimit = 1024

// regular notes that the actor came and was not refused.
func (n *network) regular(actor uint64, day int64) {
	if _, known := n.Regulars[actor]; !known && len(n.Regulars) >= regularLimit {
		n.forgetRegulars()
	}
	n.Regulars[actor] = int32(day)
}

// admitted are those of the open quarter's newcomers that got in.
func (n *network) admitted() (in names) {
	for _, who := range n.now.New {
		if _, ok := n.Regulars[who.Hash]; ok {
			in = append(in, who)
		}
	}
	return in
}

// forgetRegulars lets go of the quarter that came least lately.
func (n *network) forgetRegulars() {
	keys := sortedKeys(n.Regulars)
	slices.SortStableFunc(keys, func(a, b uint64) int { return cmp.Compare(n.Regulars[a], n.Regulars[b]) })
	for _, k := range keys[:len(keys)/4] {
		delete(n.Regulars, k)
	}
}

func (t *targets) judgeNetwork(n *network) (rds [2]reading, e float64) {
	f := &t.shared.Flows
	rds[0] = f[flowNewcomers].judge(flowNewcomers, &n.Newcomers, float64(len(n.now.New)), n.now.company(), hashTie(n.Hash, uint64(t.networks.Quarter)))
	rds[1] = f[flowRefused].judge(flowRefused, &n.Refused, float64(len(n.now.Refused)), 1, hashTie(n.Hash+1, uint64(t.networks.Quarter)))
	return rds, float64(newcomersWeight*rds[0].E) + float64(refusedWeight*rds[1].E)
}

func (t *targets) weighNetwork(n *network, rds []reading, e float64, now int64) {
	line := t.shared.budget.Line[lineNetwork]
	r := log10(n.Detector.Peek(fade(networkHalfLife, n.Judged, t.networks.Quarter), e))
	a := t.networks.find(n.Hash)
	switch {
	case a != nil && e < telling, a == nil && (r < line || e <= 1):
		return
	case a == nil:
		a = newAffair(vigil.AboutNetwork, n.Hash, lineNetwork, n.now.Start, now, r, line)
		a.Finding.Networks = []string{n.Label}
		a.Finding.Network = n.Label
		t.networks.open = append(t.networks.open, a)
		t.opened(a, true, now)
	}
	for i := range rds {
		a.take(&rds[i], features.Quarter, t.networks.Quarter, r, now)
	}
	v := n.now
	for i := range v.Refused {
		a.actor(v.Refused[i].ID)
	}
	for i := range v.New {
		a.actor(v.New[i].ID)
	}
	a.subjects.Merge(&v.Subjects, vigil.MaxSubjects)
	f := &a.Finding
	f.End = utc(v.Last)
	f.Events = a.Before.Events + v.Events
	f.Subjects = vigil.Unknown
	if k := a.subjects.Len(); k > 0 {
		f.Subjects, f.SubjectIDs = k, a.subjects.IDs()
	}
	t.tell(a, false)
}

// closeNetworks judges the quarter that ended.
func (t *targets) closeNetworks() {
	ns := &t.networks
	for _, n := range ns.touched {
		rds, e := t.judgeNetwork(n)
		weight := 1.0
		if t.shared.budget.Ready[lineNetwork] {
			t.weighNetwork(n, rds[:], e, n.now.Last)
			decay := fade(networkHalfLife, n.Judged, ns.Quarter)
			if r := log10(n.Detector.Peek(decay, e)); r > 0 {
				t.delta.peaks[lineNetwork] = append(t.delta.peaks[lineNetwork], r)
			}
			n.Detector.Step(decay, e)
		}
		if a := ns.find(n.Hash); a != nil {
			weight = suspectTrust
			a.Before = affairSums{Events: a.Finding.Events}
		}
		t.delta.epochs[lineNetwork]++
		was := [2]stream{n.Newcomers, n.Refused}
		exposures := [...]float64{n.now.company(), 1}
		for i, s := range [...]*stream{&n.Newcomers, &n.Refused} {
			t.score(&rds[i])
			s.learn(&t.shared.Flows[rds[i].Flow], &rds[i], exposures[i], weight)
		}
		if a := ns.find(n.Hash); a != nil && e > 1 { // what is not odd is its own
			t.enter(a, n.Seen, was, [2]*stream{&n.Newcomers, &n.Refused}, rds[:], n.admitted(), features.Day.Index(n.now.Last))
		}
		n.now.reset()
		ns.spare = append(ns.spare, n.now)
		n.Judged, n.now = ns.Quarter, nil
	}
	t.dirty = t.dirty || len(ns.touched) > 0
	clear(ns.touched)
	ns.touched = ns.touched[:0]
}

func (ns *networks) find(hash uint64) *affair {
	for _, a := range ns.open {
		if a.Key == hash {
			return a
		}
	}
	return nil
}

// evict forgets the quarter of the networks that was heard of least lately.
func (ns *networks) evict() {
	old := make([]*network, 0, len(ns.known))
	for _, n := range ns.known {
		if n.now == nil {
			old = append(old, n)
		}
	}
	slices.SortFunc(old, func(a, b *network) int {
		return cmp.Or(cmp.Compare(a.Seen, b.Seen), cmp.Compare(a.Hash, b.Hash))
	})
	for _, n := range old[:(len(old)+3)/4] {
		delete(ns.known, n.Hash)
	}
}
