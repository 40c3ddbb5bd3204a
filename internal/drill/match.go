package drill

import (
	"encoding/json"
	"slices"
	"time"

	"vigil"
)

// told is a finding with what is known of its telling.
type told struct {
	vigil.Finding // its last word
	first         time.Time
	threshold     float64
	// revisions are the words that were said, by the end that each reached.
	ends []time.Time
	ids  []string
}

// slack widens a finding's span: staged events may come moments after the one
// that closed it.
const slack = time.Minute

// idsOf lists every identifier by which a finding names somebody or something.
// It reads the public form, so that what findings come to be about is found by
// whichever field carries it.
func idsOf(f *vigil.Finding) []string {
	var fields map[string]any
	raw, err := json.Marshal(f)
	if err == nil {
		err = json.Unmarshal(raw, &fields)
	}
	if err != nil { // a finding always marshals; one that doesn't names nobody
		return nil
	}
	named := func(keys ...string) []string {
		var out []string
		for _, k := range keys {
			if s, ok := fields[k].(string); ok && s != "" {
				out = append(out, s)
			}
		}
		return out
	}
	about := string(f.About)
	switch about {
	case "actor", "subject", "network", "team":
		if ids := named(about); len(ids) > 0 {
			return ids
		}
	}
	return named("actor", "subject", "network", "team")
}

// share is how many of an act's events a finding covers: those in its time whose
// actor, network, team or customer it names.
func (a *Act) share(f *told) int {
	from, to := f.Start.Add(-slack), f.End.Add(slack)
	i, _ := slices.BinarySearchFunc(a.marks, from, func(m mark, t time.Time) int { return m.at.Compare(t) })
	n := 0
	for ; i < len(a.marks) && !a.marks[i].at.After(to); i++ {
		if a.names(&a.marks[i], f) {
			n++
		}
	}
	return n
}

// firstIn is the time of the act's first event that a finding covers.
func (a *Act) firstIn(f *told) time.Time {
	from := f.Start.Add(-slack)
	for i := range a.marks {
		if !a.marks[i].at.Before(from) && a.names(&a.marks[i], f) {
			return a.marks[i].at
		}
	}
	return time.Time{}
}

func (a *Act) names(m *mark, f *told) bool {
	for _, id := range f.ids {
		if id == m.who.id || id == m.network || slices.Contains(m.subjects, id) || a.teams[id] && a.actors[m.who] {
			return true
		}
	}
	return false
}

// assign gives each finding the act that it is about: the one most of whose
// events it covers, a breach before a trap. What covers none is about nothing.
func assign(found []*told, acts []*Act) map[*told]*Act {
	for _, a := range acts {
		slices.SortStableFunc(a.marks, func(x, y mark) int { return x.at.Compare(y.at) })
	}
	out := map[*told]*Act{}
	for _, f := range found {
		best := 0
		for _, a := range acts {
			n := a.share(f)
			if n > best || n > 0 && n == best && out[f].Trap && !a.Trap {
				best = n
				out[f] = a
			}
		}
	}
	return out
}

// since is when a finding first told of an act: when it was declared, or, when
// that was before the act began, when it first grew by it; zero for never.
func (f *told) since(a *Act) time.Time {
	begun := a.firstIn(f)
	if begun.IsZero() {
		return time.Time{}
	}
	if !f.first.Before(begun) {
		return f.first
	}
	for _, end := range f.ends {
		if !end.Before(begun) {
			return end
		}
	}
	return time.Time{}
}
