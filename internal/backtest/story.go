package backtest

import (
	"cmp"
	"slices"
	"time"

	"vigil"
	"vigil/internal/api"
)

// slack is how far apart in time two findings about the same may lie and still tell one
// story: with another line a slow theft is noticed in another span.
const slack = 24 * time.Hour

// key is what a finding is about, save when.
type key struct {
	about       vigil.About
	who, tenant string
	rule        string
}

// story is what of a finding is held for comparing.
type story struct {
	api.ReplayFinding
	key  key
	end  time.Time
	word vigil.Word
	// revision orders what is told of one finding.
	revision int
}

func storyOf(f *vigil.Finding) *story {
	s := &story{
		ReplayFinding: api.ReplayFinding{
			ID: f.ID, About: f.About, Who: whoOf(f), Tenant: f.Tenant, Actors: f.Actors, Lane: f.Lane, Rule: f.Rule, Severity: f.Severity,
			Start: f.Start, Detected: f.Detected, Evidence: f.Evidence, Threshold: f.Threshold, Sentence: f.Sentence,
		},
		end: f.End, revision: f.Revision,
	}
	if f.Detected.After(s.end) {
		s.end = f.Detected
	}
	if f.About == vigil.AboutActor {
		s.Actors = []string{f.Actor}
	}
	s.key = key{f.About, s.Who, f.Tenant, f.Rule}
	if f.Verdict != nil {
		s.word = f.Verdict.Word
	}
	return s
}

// whoOf names what a finding is about.
func whoOf(f *vigil.Finding) string {
	switch f.About {
	case vigil.AboutSubject:
		return f.Subject
	case vigil.AboutNetwork:
		return f.Network
	case vigil.AboutTeam:
		return f.Team
	case vigil.AboutSource:
		return f.Source
	}
	return f.Actor
}

// meets reports whether two findings overlap in time, or nearly.
func (s *story) meets(o *story) bool {
	return !s.Start.After(o.end.Add(slack)) && !o.Start.After(s.end.Add(slack))
}

// shares reports whether somebody took part in both.
func (s *story) shares(o *story) bool {
	return slices.ContainsFunc(s.Actors, func(a string) bool { return slices.Contains(o.Actors, a) })
}

// pair is a story as it was live and as it is judged again; one of them may be nil.
type pair struct{ live, again *story }

// pairUp matches what was live with what is judged again: those of one id, and then, in
// the order in which they were found, those of one key that meet in time.
func pairUp(live, again []*story) (pairs []pair) {
	byID := map[string]*story{}
	for _, s := range again {
		byID[s.ID] = s
	}
	var rest []*story
	for _, s := range live {
		if o := byID[s.ID]; o != nil {
			pairs = append(pairs, pair{s, o})
			delete(byID, s.ID)
			continue
		}
		rest = append(rest, s)
	}
	free := map[key][]*story{}
	for _, s := range inOrder(again) {
		if byID[s.ID] != nil {
			free[s.key] = append(free[s.key], s)
		}
	}
	for _, s := range inOrder(rest) {
		at := slices.IndexFunc(free[s.key], s.meets)
		if at < 0 {
			pairs = append(pairs, pair{live: s})
			continue
		}
		o := free[s.key][at]
		pairs = append(pairs, pair{s, o})
		free[s.key] = slices.Delete(free[s.key], at, at+1)
		delete(byID, o.ID)
	}
	for _, s := range inOrder(again) {
		if byID[s.ID] != nil {
			pairs = append(pairs, pair{again: s})
		}
	}
	return pairs
}

// inOrder sorts by when they were found.
func inOrder(all []*story) []*story {
	out := slices.Clone(all)
	slices.SortFunc(out, func(a, b *story) int { return cmp.Or(a.Detected.Compare(b.Detected), cmp.Compare(a.ID, b.ID)) })
	return out
}
