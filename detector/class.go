package detector

import (
	"cmp"
	"slices"

	"vigil/models/novelty"
)

// classLimit bounds the classes of data that an actor is remembered by.
const classLimit = listLimit

// classMet is a sensitivity class and the last quarter of an hour in which the
// actor touched data of it.
type classMet struct {
	Label novelty.Label
	Span  int32
}

// classes are those of one actor, in order of first meeting. They weigh nothing:
// they only say what a finding is about, and it may have begun before it was one.
type classes []classMet

// meet notes that data of a class was touched in quarter q. Of too many the one that
// was met least lately makes room.
func (cs *classes) meet(name string, q int64) {
	if name == "" {
		return
	}
	at := slices.IndexFunc(*cs, func(c classMet) bool { return c.Label.String() == name })
	switch {
	case at >= 0:
		(*cs)[at].Span = max((*cs)[at].Span, int32(q)) // late events reach back
		return
	case len(*cs) >= classLimit:
		oldest := slices.MinFunc(*cs, func(a, b classMet) int { return cmp.Compare(a.Span, b.Span) })
		*cs = slices.DeleteFunc(*cs, func(c classMet) bool { return c == oldest })
	}
	*cs = append(*cs, classMet{Label: novelty.Intern(name), Span: int32(q)})
}

// since adds to set those that were met in quarter q or after.
func (cs classes) since(q int64, set map[string]struct{}) {
	for _, c := range cs {
		if int64(c.Span) >= q {
			set[c.Label.String()] = struct{}{}
		}
	}
}
