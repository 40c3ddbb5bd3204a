package detector

import (
	"vigil/detector/features"
	"vigil/models/novelty"
	"vigil/models/sequence"
	"vigil/models/volume"
)

// lessons are what an actor taught event by event in its open quarter of an hour: the
// sizes of single accesses, and steps. Whether that quarter belongs to a finding is
// known when it closes, so they are kept until then, and then go into the journals or
// are dropped. Values need no such place: they know themselves when they were last met.
type lessons struct {
	Pages []notedPage
	Chain string // the group whose chain the steps went to, empty for everyone's
	Steps []sequence.Step
}

// notedPage is what accesses of one kind taught of their size.
type notedPage struct {
	_    struct{} `cbor:",toarray"`
	Key  uint64
	Size volume.Size
}

const (
	// lessonPages and lessonSteps bound what one quarter keeps of each: further kinds
	// and steps stay where they were taught.
	lessonPages = 16
	lessonSteps = 32
	// spareLessons bounds those that a shard keeps to be used again.
	spareLessons = 64
)

// lessons is where the actor's present quarter is noted, nil between quarters.
func (sh *shard) lessons(a *actor) *lessons {
	if a.Lessons == nil && a.Lane[features.Quarter].span.Open {
		if n := len(sh.lessonsSpare); n > 0 {
			a.Lessons, sh.lessonsSpare = sh.lessonsSpare[n-1], sh.lessonsSpare[:n-1]
		} else {
			a.Lessons = &lessons{Pages: make([]notedPage, 0, 4), Steps: make([]sequence.Step, 0, 8)}
		}
	}
	return a.Lessons
}

// dropLessons ends the actor's quarter.
func (sh *shard) dropLessons(a *actor) {
	if a.Lessons != nil && len(sh.lessonsSpare) < spareLessons {
		*a.Lessons = lessons{Pages: a.Lessons.Pages[:0], Steps: a.Lessons.Steps[:0]}
		sh.lessonsSpare = append(sh.lessonsSpare, a.Lessons)
	}
	a.Lessons = nil
}

// page notes what an access taught of its kind's size.
func (n *lessons) page(key uint64, s volume.Size) {
	if n != nil {
		n.Pages = addPage(n.Pages, key, s, lessonPages)
	}
}

// step notes a step that the group of that key learnt.
func (n *lessons) step(group string, s sequence.Step) {
	if n == nil {
		return
	}
	if len(n.Steps) == 0 {
		n.Chain = group
	}
	if n.Chain == group { // what another group was told is left where it is
		n.Steps = addStep(n.Steps, s, lessonSteps)
	}
}

func addPage(to []notedPage, key uint64, s volume.Size, most int) []notedPage {
	for i := range to {
		if to[i].Key == key {
			to[i].Size.Merge(s)
			return to
		}
	}
	if len(to) < most {
		to = append(to, notedPage{Key: key, Size: s})
	}
	return to
}

func addStep(to []sequence.Step, s sequence.Step, most int) []sequence.Step {
	if !(s.Weight > 0) {
		return to
	}
	for i := range to {
		if to[i].Same(s) {
			to[i].Weight += s.Weight
			return to
		}
	}
	if len(to) < most {
		to = append(to, s)
	}
	return to
}

// forgetPages lets what is noted of one kind's sizes fade as the actor's own does.
func (a *actor) forgetPages(key uint64, keep float64) {
	forget := func(all []notedPage) {
		for i := range all {
			if all[i].Key == key {
				all[i].Size.Forget(keep)
			}
		}
	}
	if a.Lessons != nil {
		forget(a.Lessons.Pages)
	}
	for l := range a.Lane {
		if r := a.Lane[l].Run; r != nil && r.Journal != nil {
			forget(r.Journal.Pages)
		}
	}
	for _, j := range a.Journals {
		for _, j := range [...]*journal{j, j.After, j.Quiet, j.Apart} {
			if j != nil {
				forget(j.Pages)
			}
		}
	}
}

// notedWeight is the weight that a value gained while it was noted, and what the group
// was told of it. Weights decay forward, so it need not fade.
type notedWeight struct {
	Category features.Category
	Value    novelty.Value // of which the weight is the one that was gained
	Told     float64
	ToldDay  int64
}

// met appends the values that the quarter of that index counted.
func (a *actor) met(out []notedWeight, q int64) []notedWeight {
	start := features.Quarter.Start(q)
	scale := unit(start)
	for c := range a.Values {
		for _, v := range a.Values[c].Values {
			if int64(v.Span) != q || v.Last <= 0 {
				continue
			}
			n := notedWeight{Category: features.Category(c), Value: v}
			n.Value.Weight = float64(v.Last) * scale
			if v.Spoke {
				n.Told, n.ToldDay = n.Value.Weight, int64(v.Told)
			}
			out = append(out, n)
		}
	}
	return out
}

// weigh adds what a value gained.
func (j *journal) weigh(n notedWeight) {
	if k := j.known(n.Category, n.Value.Hash); k != nil {
		k.Value.Weight += n.Value.Weight
		k.Value.Span, k.Value.Told = max(k.Value.Span, n.Value.Span), max(k.Value.Told, n.Value.Told)
		k.Told, k.ToldDay = k.Told+n.Told, max(k.ToldDay, n.ToldDay)
		return
	}
	if len(j.Known) < journalValues {
		j.Known = append(j.Known, n)
	}
}

func (j *journal) known(c features.Category, hash uint64) *notedWeight {
	for i := range j.Known {
		if k := &j.Known[i]; k.Category == c && k.Value.Hash == hash {
			return k
		}
	}
	return nil
}

// postLessons adds f times the noted values, sizes of single accesses, habit and steps
// to what the actor and its group know. Of f -1 the journal keeps what was there to
// be taken.
func (sh *shard) postLessons(a *actor, j *journal, f float64) {
	least := unit(a.Seen) * weightless
	for i := range j.Known {
		k := &j.Known[i]
		if w := f * k.Value.Weight; w > 0 {
			k.putBack(&a.Values[k.Category], w)
		} else if taken := a.Values[k.Category].Take(k.Value.Hash, -w, least); f == -1 {
			k.Value.Weight = taken
		}
		sh.retell(j.Group, k.Category, &k.Value, f*k.Told, k.ToldDay)
	}
	for i := range j.Pages {
		p := &j.Pages[i]
		have, ok := a.Pages[p.Key]
		if !ok && (f < 0 || a.Pages == nil) {
			continue
		}
		after := plus(have, p.Size, f)
		if a.Pages[p.Key] = after; f == -1 {
			p.Size = plus(have, after, -1)
		}
	}
	reads, reasoned := a.Habit.Reads, a.Habit.Reasoned
	a.Habit.Reads = max(0, reads+float32(f)*j.Habit.Reads)
	a.Habit.Reasoned = min(a.Habit.Reads, max(0, reasoned+float32(f)*j.Habit.Reasoned))
	if f == -1 {
		j.Habit.Reads, j.Habit.Reasoned = reads-a.Habit.Reads, reasoned-a.Habit.Reasoned
	}
	for _, s := range j.Steps {
		s.Weight *= f
		sh.delta.again = append(sh.delta.again, stepAgain{j.Chain, s})
	}
}

// weightless is the part of one observation below which a value is forgotten when its
// weight is taken out.
const weightless = 1e-3

// retell tells a group again of a value, with a weight below zero to take it out.
func (sh *shard) retell(group string, c features.Category, v *novelty.Value, w float64, day int64) {
	if w != 0 {
		sh.delta.values = append(sh.delta.values, valueDelta{sh.shared.group(group), c, features.Value{Hash: v.Hash, Label: v.Label.String()}, w, day})
	}
}

// putBack gives the value the weight w back. One that was met again meanwhile keeps
// both weights.
func (n *notedWeight) putBack(t *novelty.Table, w float64) {
	v := n.Value
	v.Weight = w
	if t.Get(v.Hash) == nil {
		t.Put(v, valueLimit)
	} else {
		t.Merge(&novelty.Table{Values: []novelty.Value{v}}, valueLimit)
	}
}

// plus is s and f times o, and no sum below zero.
func plus(s, o volume.Size, f float64) volume.Size {
	return volume.Size{W: max(0, s.W+float64(f*o.W)), S1: max(0, s.S1+float64(f*o.S1)), S2: max(0, s.S2+float64(f*o.S2))}
}
