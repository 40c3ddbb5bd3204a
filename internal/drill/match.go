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
	revisions     []revision
	ids           []string
}

// revision is one word of a finding: the end that it reached, and how grave it was.
type revision struct {
	end      time.Time
	evidence float64
	severity int
	events   int64
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
	case "actor", "subject", "network", "team", "source":
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
	if m.lost {
		return f.About == vigil.AboutSource && f.Source == m.source
	}
	for _, id := range f.ids {
		if id == m.who.id || id == m.network || slices.Contains(m.subjects, id) || a.teams[id] && a.actors[m.who] {
			return true
		}
	}
	return false
}

// assign gives each finding the act that it tells of: the one most of whose events
// it covers, a breach before a trap. What tells of none is about nothing.
func assign(found []*told, acts []*Act) map[*told]*Act {
	for _, a := range acts {
		slices.SortStableFunc(a.marks, func(x, y mark) int { return x.at.Compare(y.at) })
	}
	out := map[*told]*Act{}
	for _, f := range found {
		best := 0
		for _, a := range acts {
			n := a.share(f)
			if n == 0 || f.since(a).IsZero() {
				continue
			}
			if n > best || n == best && out[f].Trap && !a.Trap {
				best = n
				out[f] = a
			}
		}
	}
	return out
}

// between counts the act's events after one time and until another that a finding
// covers.
func (a *Act) between(f *told, after, until time.Time) int64 {
	var n int64
	for i := range a.marks {
		if m := &a.marks[i]; m.at.After(after) && !m.at.After(until) && a.names(m, f) {
			n++
		}
	}
	return n
}

// early reports whether a finding was declared before it came to tell of an act:
// at that time it was about nothing.
func (f *told) early(a *Act) bool { return !f.since(a).Equal(f.first) }

// since is when a finding first told of an act: when it was declared, or, when
// that was before the act began, when it grew by it so that people look again:
// ten times the evidence, or another severity, and half of what came on is the
// act's. The same holds of what was declared in preparations and saw little of
// them. Zero is never.
func (f *told) since(a *Act) time.Time {
	begun := a.firstIn(f)
	if begun.IsZero() {
		return time.Time{}
	}
	if !f.first.Before(begun) {
		// Preparations look ordinary and go on for weeks. What was declared in them
		// tells of them when they are half of what it saw.
		if !f.first.Before(a.Since) || len(f.revisions) == 0 || 2*a.between(f, f.Start.Add(-slack), f.first) >= f.revisions[0].events {
			return f.first
		}
		begun = a.Since
	}
	var before *revision
	for i := range f.revisions {
		r := &f.revisions[i]
		if before == nil || r.end.Before(begun) {
			before = r
			continue
		}
		if grew := r.evidence >= before.evidence+1 || r.severity > before.severity; grew && 2*a.between(f, before.end, r.end) >= r.events-before.events {
			return r.end
		}
	}
	return time.Time{}
}
