package detector

import (
	"cmp"
	"math"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
	"vigil/models/calibrate"
	"vigil/models/novelty"
	"vigil/models/sequence"
	"vigil/models/volume"
)

// valueLimit bounds the values of one category that an actor is remembered by,
// and groupValueLimit those of a group.
const (
	valueLimit      = 192
	groupValueLimit = 4096
)

// actor is all that is known of one actor. Its exported fields are kept in
// snapshots.
type actor struct {
	Key                string // see appendActorKey
	ID                 string
	Kind               vigil.ActorKind
	Role, Team, Tenant string
	// Learned is the id of the learned group, 0 for none; Group is the key of the
	// actor's peers, given or learned.
	Learned int
	Group   string
	// Born and Seen are the event times (Unix nanoseconds) of its first and
	// last event.
	Born, Seen int64

	Lane   [features.Lanes]lane
	Values [features.Categories]novelty.Table
	// Classes are those of the data it touched lately.
	Classes classes

	// Drift is its pace against that of months ago, Voice what it taught today.
	Drift drift
	Voice voice

	Source string // the source last seen through

	// Pages are how much its single accesses show.
	Pages pages

	// Habit is how often its reads name a reason.
	Habit habit

	session session
	// steps is what the actor did last, stepped when.
	steps   sequence.Context
	stepped int64
	rare    [rareSteps]uint32

	// home is the narrowest group of the actor, to which it tells what it learns;
	// group the narrowest that has members enough to be held against.
	home, group *group
	// Lessons are what it taught event by event in its open quarter.
	Lessons *lessons
	// Journals are what it taught in the time of its latest findings.
	Journals []*journal

	// open is the open finding, past the last one that closed.
	open, past *incident
	gone       bool // made room
	// untaught are the times in which it teaches nothing, see Options.Untaught.
	untaught []stretch
}

// lane is an actor's state in one lane of epochs.
type lane struct {
	// Updated is the epoch up to which the sums below have been forgotten.
	Updated int64
	Counts  [features.Counts]volume.Rate
	Sizes   [features.Sizes]volume.Size
	Level   [terms]calibrate.Level

	Detector calibrate.Detector
	// Judged is the last epoch that the detector closed.
	Judged int64
	// Rise is the cumulated log10 of the e-values since their last minimum (Page
	// 1954): where it left zero is the likeliest begin of a change. Since is that
	// time (Unix nanoseconds), zero while Rise is.
	Rise  float64
	Since int64
	// Crossed is when a run last crossed the line.
	Crossed int64
	// Run is what the closed spans since then held, nil while Since is zero.
	Run *run
	// Path is how the evidence went lately.
	Path path

	span features.Span
	// next is, for each kind, the value at which the open span is judged early.
	next [features.Kinds]float32
}

// run sums the closed spans since evidence began to grow.
type run struct {
	Events, Rows      float64
	RowsTold          bool
	Others            int64   // what shows nothing to its actor
	Terms             []trail // one for each term, in order of their first telling
	subjects, convers features.Distinct
	// Looked are the reasons that were looked for; without are the customers for whom
	// none was found.
	Looked  reasons.Reason
	without features.Distinct
	// Peak is the largest log10 R that it reached.
	Peak float64
	// Journal is what was taught meanwhile; old is one that was dropped, of which the
	// room is used again.
	Journal, old *journal
}

// trail is one term's part in a run of evidence: the summed log10 of its share
// in each epoch's factor, and its most telling span.
type trail struct {
	Log  float64
	Lane features.Lane
	// Epoch is that of the most telling span, Best its judgement.
	Epoch int64
	Best  judged
	// Last is the latest span that it counts, Part that span's share of Log.
	Last int64
	Part float64
}

// spareRuns bounds the runs that a shard keeps to be used again.
const spareRuns = 16

// newRun makes an empty run, or takes an old one.
func (sh *shard) newRun() *run {
	n := len(sh.runs)
	if n == 0 {
		return &run{}
	}
	r := sh.runs[n-1]
	sh.runs = sh.runs[:n-1]
	return r
}

// spare keeps a run that is over, empty and with its memory.
func (sh *shard) spare(r *run) {
	if r == nil || len(sh.runs) >= spareRuns {
		return
	}
	clear(r.Terms)
	*r = run{Terms: r.Terms[:0], subjects: r.subjects, convers: r.convers, without: r.without, old: cmp.Or(r.Journal, r.old)}
	r.without.Reset()
	r.subjects.Reset()
	r.convers.Reset()
	sh.runs = append(sh.runs, r)
}

// add counts a closed span.
func (r *run) add(s *features.Span) {
	r.Events += s.Value(features.Events)
	r.Others += s.Others()
	if s.Told(features.Rows) {
		r.Rows += s.Value(features.Rows)
		r.RowsTold = true
	}
	r.subjects.Merge(s.Subjects(), features.ExactLimit)
	r.convers.Merge(s.Conversations(), features.ExactLimit)
	without, looked := s.Unreasoned()
	r.without.Merge(without, features.ExactLimit)
	r.Looked |= looked
}

// halfLife is how fast baselines forget: 14 days.
const halfLifeDays = 14.0

// suspectTrust is how much an actor's accesses teach, its own baselines and the
// ranks of its peers, while a finding about it is open, and afterwards for as long
// as the finding may open again: little, so that a theft does not become its own
// normal, and yet enough that a lasting change of work is learnt in the end.
const suspectTrust = 0.1

// trust is the weight with which the actor's accesses teach.
func (a *actor) trust() float64 {
	if a.untaughtNow() {
		return 0
	}
	if a.open != nil && !a.open.Settled || a.past != nil && !a.past.Settled && a.Seen-a.past.LastEvidence < reopen {
		return suspectTrust
	}
	return 1
}

// rise moves the cumulated evidence by a closed epoch and reports whether it is
// still above zero.
func (l *lane) rise(decay, e float64) bool {
	l.Rise = math.Max(0, decay*l.Rise+math.Log10(e))
	return l.Rise > 0
}

// forget ages the lane's sums to epoch i.
func (l *lane) forget(which features.Lane, i int64) {
	if l.Updated == 0 {
		l.Updated = i
		return
	}
	if i <= l.Updated {
		return
	}
	days := float64(i-l.Updated) * which.Length().Hours() / 24
	keep := math.Exp2(-days / halfLifeDays)
	if which == features.Week {
		// A week lane that forgot half in two weeks would hardly have a past.
		keep = math.Exp2(-days / (4 * halfLifeDays))
	}
	l.Updated = i
	for k := range l.Counts {
		l.Counts[k].Forget(keep)
	}
	for k := range l.Sizes {
		l.Sizes[k].Forget(keep)
	}
	for t := range l.Level {
		l.Level[t].Forget(keep)
	}
}

// evidenceHalfLife is how fast each lane's evidence fades, in epochs. That of
// quarters fades within the hour: what goes on for longer is the matter of days,
// and the quarters of one odd day are not independent of each other.
var evidenceHalfLife = [features.Lanes]float64{2, 14, 8}

// decay is what is left of evidence at epoch i.
func (l *lane) decay(which features.Lane, i int64) float64 {
	return evidenceDecay(which, l.Judged, i)
}
