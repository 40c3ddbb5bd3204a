package subjects

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"github.com/axiomhq/hyperloglog"

	"vigil"
	"vigil/internal/api"
)

// MaxListed bounds the customers that are listed exactly: some 60 MB. Of more the first in the
// order of pseudonyms are, and the number of all is estimated.
const MaxListed = 250_000

// maxClasses bounds the classes of data that are told apart; the others count as one.
const maxClasses = 63

// OtherClasses is the class that stands for those that are too many.
const OtherClasses = "(other classes)"

// TouchColumns are the columns of an event that Touched reads.
func TouchColumns() []string {
	return []string{"time", "action", "outcome", "resource_class", "subjects.list.element", "subject_count"}
}

// Touched counts the customers whom accesses name, by New.
type Touched struct {
	most    int
	by      map[string]*touch
	classes map[string]int
	names   []string
	// limit is the pseudonym from which on no more are listed; all counts every one. Both
	// are unset while all are listed.
	limit string
	all   *hyperloglog.Sketch
	sum   api.TouchSum
}

// touch is what is known of one customer. classes holds a bit for each class.
type touch struct {
	shown, unsure int64
	first, last   int64
	classes       uint64
}

// New makes an empty count that lists at most so many; zero means MaxListed.
func New(most int) *Touched {
	if most <= 0 {
		most = MaxListed
	}
	return &Touched{most: most, by: map[string]*touch{}, classes: map[string]int{}}
}

// Add counts an event. Where only is not empty, that customer alone counts.
func (t *Touched) Add(e *vigil.Event, only string) {
	t.sum.Events++
	shown := shows(e)
	class := t.class(e.ResourceClass)
	at := e.Time.UnixNano()
	for _, s := range e.Subjects {
		if only != "" && s != only {
			continue
		}
		if t.all != nil {
			if t.all.Insert([]byte(s)); s >= t.limit {
				continue
			}
		}
		x := t.by[s]
		if x == nil {
			x = &touch{first: at, last: at}
			t.by[s] = x
			if len(t.by) > 2*t.most {
				t.cut()
			}
		}
		x.first, x.last, x.classes = min(x.first, at), max(x.last, at), x.classes|class
		if shown {
			x.shown++
		} else {
			x.unsure++
		}
	}
	if only != "" || !e.Action.Discloses() || failed(e) {
		return
	}
	switch {
	case e.SubjectCount > int64(len(e.Subjects)):
		t.sum.Unnamed += e.SubjectCount - int64(len(e.Subjects))
	case len(e.Subjects) == 0 && e.SubjectCount == vigil.Unknown:
		t.sum.Untold++
	}
}

// Name adds a customer whom a finding of that time names, unless an event did: give them after
// all events.
func (t *Touched) Name(subject string, from, to time.Time) {
	if t.all != nil {
		if t.all.Insert([]byte(subject)); subject >= t.limit {
			return
		}
	}
	if t.by[subject] == nil {
		t.by[subject] = &touch{first: from.UnixNano(), last: to.UnixNano(), classes: t.class("")}
		if len(t.by) > 2*t.most {
			t.cut()
		}
	}
}

// class returns the bit of a class of data.
func (t *Touched) class(name string) uint64 {
	i, known := t.classes[name]
	if !known {
		if len(t.names) >= maxClasses {
			name = OtherClasses
			if i, known = t.classes[name]; known {
				return 1 << i
			}
		}
		i = len(t.names)
		t.names = append(t.names, name)
		t.classes[name] = i
	}
	return 1 << i
}

// cut drops those behind the first.
func (t *Touched) cut() {
	ids := make([]string, 0, len(t.by))
	for s := range t.by {
		ids = append(ids, s)
	}
	slices.Sort(ids)
	if t.all == nil {
		t.all = hyperloglog.New14()
		for _, s := range ids {
			t.all.Insert([]byte(s))
		}
	}
	t.limit = ids[t.most]
	for _, s := range ids[t.most:] {
		delete(t.by, s)
	}
}

// Done returns the sum, and the list in the order of pseudonyms. damaged is how much could
// not be read, asOf the time of counting.
func (t *Touched) Done(damaged int, asOf time.Time) (api.TouchSum, []api.Touched) {
	if len(t.by) > t.most {
		t.cut()
	}
	sum := t.sum
	sum.Damaged, sum.AsOf = damaged, asOf.UTC()
	if t.all != nil {
		sum.Beyond = max(1, int64(t.all.Estimate())-int64(len(t.by)))
	}
	list := make([]api.Touched, 0, len(t.by))
	counts := make([]api.ClassTouched, len(t.names))
	sets := map[uint64][]string{}
	for s, x := range t.by {
		one := api.Touched{Subject: s, Touch: api.TouchPossible, Shown: x.shown, Unsure: x.unsure, First: time.Unix(0, x.first).UTC(), Last: time.Unix(0, x.last).UTC()}
		if x.shown > 0 {
			one.Touch = api.TouchConfirmed
			sum.Confirmed++
		} else {
			sum.Possible++
		}
		for rest := x.classes; rest != 0; rest &= rest - 1 {
			if c := &counts[bits.TrailingZeros64(rest)]; x.shown > 0 {
				c.Confirmed++
			} else {
				c.Possible++
			}
		}
		if sets[x.classes] == nil {
			sets[x.classes] = t.classesOf(x.classes)
		}
		one.Classes = sets[x.classes]
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b api.Touched) int { return cmp.Compare(a.Subject, b.Subject) })
	for i, c := range counts {
		if c.Class = t.names[i]; c.Confirmed+c.Possible > 0 {
			sum.Classes = append(sum.Classes, c)
		}
	}
	slices.SortFunc(sum.Classes, func(a, b api.ClassTouched) int {
		return cmp.Or(cmp.Compare(b.Confirmed, a.Confirmed), cmp.Compare(b.Possible, a.Possible), cmp.Compare(a.Class, b.Class))
	})
	return sum, list
}

func (t *Touched) classesOf(set uint64) []string {
	out := make([]string, 0, bits.OnesCount64(set))
	for ; set != 0; set &= set - 1 {
		out = append(out, t.names[bits.TrailingZeros64(set)])
	}
	slices.Sort(out)
	return out
}
