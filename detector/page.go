package detector

import (
	"vigil"
	"vigil/detector/features"
	"vigil/models/volume"
)

// pages are the sizes of an actor's single accesses, by what is done to what: a
// retrieval that always brings five passages, a list of at most fifty. A program
// asks for the same page for years, so that the first larger one is news, however
// few they are. The zero key holds all of the actor's accesses.
type pages map[uint64]volume.Size

const (
	// pageKinds bounds the kinds of access that are told apart for an actor.
	pageKinds = 64
	// pageKnown is how many accesses make a kind known: before, all the actor's
	// accesses are what one is held against. pageMemory is how many are remembered.
	pageKnown  = 20
	pageMemory = 500
	// pageScale is the least spread of log1p sizes: what differs by a quarter is the
	// same size.
	pageScale = 0.25
)

// pagePrior is weak: an actor's own accesses are what counts.
var pagePrior = volume.SizePrior{Mean: 2, Kappa: 0.2, A: 2, B: 1}

// page judges the size of one access, and learns it. It reports whether the size is
// worth a look at the open spans.
func (sh *shard) page(a *actor, e *vigil.Event, values *[features.Categories]features.Value) (news bool) {
	n := float64(features.Records(e))
	if n < 0 || e.Late || !e.Action.Discloses() || e.Outcome == vigil.OutcomeDenied || e.Outcome == vigil.OutcomeError {
		return false
	}
	key := stir(values[features.Resource].Hash, values[features.Action].Hash)
	own, known := a.Pages[key]
	all := a.Pages[0]
	held := own
	if own.W < pageKnown {
		held = all
	}
	if held.W >= pageKnown {
		d := held.Predict(pagePrior)
		d.Scale = max(d.Scale, pageScale)
		p := features.PageSize{Raw: d.Surprise(n), Records: n, Usual: d.Median(), Where: values[features.Resource].Label}
		for _, l := range [...]features.Lane{features.Quarter, features.Day} {
			if !a.Lane[l].span.Open || sh.shared.expectsAmount(a, e.Time.UnixNano(), l, features.Page.String(), n) {
				continue
			}
			news = a.Lane[l].span.AddPage(p) || news
		}
	}
	w := a.trust()
	if a.Pages == nil {
		a.Pages = pages{}
	}
	noted := sh.lessons(a)
	if known || len(a.Pages) < pageKinds {
		a.learnPage(noted, key, own, n, w)
	}
	a.learnPage(noted, 0, all, n, w)
	return news
}

// learnPage learns the size n of an access of that kind, of which s was known, and
// notes what it taught.
func (a *actor) learnPage(noted *lessons, key uint64, s volume.Size, n, w float64) {
	if s.W > pageMemory {
		keep := pageMemory / s.W
		s.Forget(keep)
		a.forgetPages(key, keep)
	}
	before := s
	s.Observe(n, pagePrior, w)
	a.Pages[key] = s
	noted.page(key, plus(s, before, -1))
}
