package detector

import (
	"math"
	"slices"

	"vigil"
	"vigil/detector/features"
	"vigil/models/calibrate"
)

// renewal is what came to an open finding since it was last told as news. An
// e-detector that has spoken starts again from nothing (Shin, Ramdas and Rinaldo,
// "E-detectors", 2022): only evidence that crosses the line once more, in spans that
// began after the finding was told, is a second alarm.
type renewal struct {
	// Told is the event time (Unix nanoseconds) up to which everything was told.
	Told     int64
	Detector [features.Lanes]calibrate.Detector
	// Peak is log10 of the largest e-value that was told, People the breadth.
	Peak, People float64
	// Raised is by how many steps the severity stands above what the breadth says.
	Raised int
}

const (
	// apart is how long a finding must have been quiet for what follows to be no part
	// of it: a day, so that a night or a shift does not divide a story.
	apart = 24 * hourNanos
	// broader is how many times more people, stronger by how many decades a larger
	// e-value, are more than a story's going on.
	broader, stronger = 4, 1
	// mainPart is the least part of a finding's evidence that a sign must have to be what
	// the finding is about.
	mainPart = 0.1
)

// step closes a span of an open finding.
func (n *renewal) step(l features.Lane, first int64, decay, e float64) {
	if first > n.Told {
		n.Detector[l].Step(decay, e)
	}
}

// tell notes that all was told, at t.
func (n *renewal) tell(t int64, e, people float64) {
	n.Told, n.Detector = max(n.Told, t), [features.Lanes]calibrate.Detector{}
	n.Peak, n.People = math.Max(n.Peak, log10(e)), math.Max(n.People, people)
}

// renewed looks at whether a span of an actor with an open finding, e its e-value, is
// another story than that finding: evidence that came after it has crossed the line
// by itself, and it shows mostly in signs that the finding does not stand on, or is
// several times as strong or broad as what was told. It returns log10 of that
// evidence, 0 where the finding only goes on. After a quiet day such a story is a
// finding of its own. Before, nobody can tell whether it is one: it is told again at
// once, one step graver.
func (sh *shard) renewed(a *actor, l features.Lane, all []judged, e float64) (again float64, own bool) {
	in, la := a.open, &a.Lane[l]
	if la.span.First <= in.New.Told {
		return 0, false // it was told by what it holds
	}
	again = log10(in.New.Detector[l].Peek(la.decay(l, la.span.Index), e))
	if again < sh.shared.budget.Line[l] || !in.another(la, all, e) {
		return 0, false
	}
	return again, in.apart(la)
}

// apart says that the lane's span began after the finding had been quiet for long
// enough to be no part of it.
func (in *incident) apart(la *lane) bool { return la.span.First-in.LastEvidence >= apart }

// aggravate raises the severity above the one told last, where what came does not by
// itself.
func (in *incident) aggravate() {
	if in.severity().Rank() <= in.Told.Severity.Rank() {
		in.New.Raised++
	}
}

// another says whether a span is another story than the finding's.
func (in *incident) another(la *lane, all []judged, e float64) bool {
	if log10(e) >= in.New.Peak+stronger {
		return true
	}
	people := max(la.span.Value(features.Subjects), la.span.Value(features.Conversations), la.span.Value(features.Rows)/100)
	if people >= broader*max(in.New.People, 10) {
		return true
	}
	var known [terms]float64
	total := 0.0
	for key, tr := range in.Terms {
		known[sign(key%terms)] += tr.Log
		total += tr.Log
	}
	other, sum := 0.0, 0.0
	shares(all, e, func(j *judged, part float64) {
		sum += part
		if known[sign(j.Term)] < mainPart*total {
			other += part
		}
	})
	return 2*other > sum
}

// sign is the term in its first frame: against whom a count is too large makes no
// other story of it.
func sign(term int) int {
	if !isKind(term) {
		return term
	}
	k, _ := termKind(term)
	return kindTerm(k, 0)
}

// raised is the severity that many steps above s.
func raised(s vigil.Severity, steps int) vigil.Severity {
	all := [...]vigil.Severity{vigil.SeverityLow, vigil.SeverityMedium, vigil.SeverityHigh, vigil.SeverityCritical}
	at := slices.Index(all[:], s)
	return all[min(at+steps, len(all)-1)]
}
