package detector

import (
	"cmp"
	"math"
	"slices"

	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/forest"
	"vigil/models/novelty"
	"vigil/models/sequence"
	"vigil/models/volume"
)

// What an actor teaches while evidence runs or a finding is open is noted, so that it
// can be taken out of the baselines again when somebody says that it was a breach, and
// put back when that is taken back. Baselines are sums that are forgotten, so a journal
// is the sum of what was added to them, forgotten alike: it is as small for a month as
// for an hour, and taking it out at any time leaves what would be there without it.
//
// Taken out are the actor's own rates, sizes, levels and pace, values, sizes of single
// accesses, its habit and its rare steps; of its group and everyone the ranks, seasons,
// values and steps; the rows of forests, and the peaks that fit the line. Sketches of who
// touched what stay: an actor's part in them is capped by the day, and fades.

const (
	// journalScores bounds the ranks that one journal notes, journalSeasons the hours,
	// journalValues the values, journalSteps the steps: further ones are not taken out.
	journalScores  = 2048
	journalSeasons = 336
	journalValues  = 256
	journalSteps   = 256
	// keptJournals is how many findings of an actor can be taken out, the latest.
	keptJournals = 4
	// keptFor is for how long after a finding's end it can be: by then hardly
	// anything is left of what it taught.
	keptFor = 120 * 24 * hourNanos
)

// journal is what an actor taught.
type journal struct {
	// Finding is whose it is, empty while it is that of a run.
	Finding string
	// Since and Until bound the time, Until zero while it goes on.
	Since, Until int64
	// Out says that it is taken out; then the sums are what was taken.
	Out bool
	// After is what was taught after the latest evidence: it joins when more evidence
	// comes. Quiet is what of it was not odd: it joins Apart when the finding closes.
	// Apart is what was taught at little weight only because of the suspicion; Full
	// says that it has been made up for.
	After, Quiet, Apart *journal
	Full                bool

	Own     [features.Lanes]ownSums
	Pace    [len(driftKinds)]volume.Pace
	PaceDay int64

	// Group is to which the rest was told; Day is up to when that is forgotten.
	Group   string
	Day     int64
	Scores  []notedScore // sorted
	Seasons []notedSeason
	Values  []notedValue

	// Known are the weights of values, Pages the sizes of single accesses, Habit how
	// often reads named a reason; Steps went to the chain of the group Chain (empty for
	// everyone's).
	Known []notedWeight
	Pages []notedPage
	Habit habit
	Chain string
	Steps []sequence.Step
	// Peaks are what it told the fits of the lines, Rows what is taken out of the samples
	// of forests.
	Peaks []notedPeak
	Rows  [features.Week][]forest.Item
	// Strangers are customers that were made to forget the actor when it was taken out.
	Strangers []notedStranger
	// Rare are the actor's rare steps as they were when it was taken out.
	Rare [rareSteps]uint32
}

// ownSums are one lane's own baselines, forgotten up to epoch Updated.
type ownSums struct {
	Updated int64
	Counts  [features.Counts]volume.Rate
	Sizes   [features.Sizes]volume.Size
	Level   [terms]calibrate.Level
}

type notedScore struct {
	_    struct{} `cbor:",toarray"`
	Lane uint8
	Term uint8
	Bin  calibrate.Bin
	W    float32
}

func (n notedScore) compare(o notedScore) int {
	return cmp.Or(cmp.Compare(n.Lane, o.Lane), cmp.Compare(n.Term, o.Term), cmp.Compare(n.Bin, o.Bin))
}

type notedSeason struct {
	Lane           features.Lane
	Hour, Class    int
	Seen, Expected float64
}

// notedValue is a value that was taken out, and what the group was told of it.
type notedValue struct {
	Category features.Category
	Value    novelty.Value
	Told     float64
	ToldDay  int64
	// Noted is what of its weight was noted beside, see journal.Known.
	Noted float64
}

// sums are the actor's own baselines of a lane, as they are.
func (a *actor) sums(l features.Lane) (s ownSums, p [len(driftKinds)]volume.Pace) {
	la := &a.Lane[l]
	return ownSums{la.Updated, la.Counts, la.Sizes, la.Level}, a.Drift.Pace
}

// noting lists the journals into which a closing span of the actor goes, of which e is
// the e-value: those of runs, and of findings that its time overlaps or of which it is
// suspected still.
func (a *actor) noting(l features.Lane, e float64) (all []*journal) {
	start := l.Start(a.Lane[l].span.Index)
	for i := range a.Lane {
		if r := a.Lane[i].Run; r != nil && r.Journal != nil {
			all = append(all, r.Journal)
		}
	}
	for _, j := range a.Journals {
		switch last := j.Until; {
		case last == 0 && a.open != nil && start > a.open.LastEvidence:
			if all = append(all, made(&j.After)); e <= 1 {
				all = append(all, made(&j.Quiet)) // what is odd is not made up for
			}
		case last == 0 || start <= last:
			all = append(all, j)
		case e <= 1 && a.trust() < 1 && a.past != nil && a.past.Finding.ID == j.Finding:
			all = append(all, made(&j.Apart))
		}
	}
	return all
}

// begin gives a run the journal of what it teaches from a time on.
func (r *run) begin(since int64) {
	j := r.old
	if r.old = nil; j == nil {
		j = &journal{}
	}
	*j = journal{Since: since, Scores: j.Scores[:0], Seasons: j.Seasons[:0], Known: j.Known[:0], Pages: j.Pages[:0], Steps: j.Steps[:0]}
	r.Journal = j
}

func made(j **journal) *journal {
	if *j == nil {
		*j = &journal{}
	}
	return *j
}

// discount is how many times as much suspicion lets spans teach less.
const discount = 1/suspectTrust - 1

// makeUp makes up for what suspicion let spans teach less, now that it is settled by
// a word, or takes that back.
func (sh *shard) makeUp(a *actor, j *journal, settled bool) {
	if settled == j.Full {
		return
	}
	if j.Full = settled; j.Apart == nil {
		return
	}
	sh.bring(a, j.Apart)
	if settled {
		sh.post(a, j.Apart, discount)
	} else {
		sh.post(a, j.Apart, -discount)
	}
}

// closeJournal ends the journal of the finding that closes.
func (sh *shard) closeJournal(a *actor) {
	j := a.journalOf(a.open.Finding.ID)
	if j == nil {
		return
	}
	j.Until = max(j.Since, a.open.LastEvidence)
	if quiet := j.Quiet; quiet != nil && !a.open.Settled {
		made(&j.Apart).merge(quiet)
	}
	j.After, j.Quiet = nil, nil
}

// bring forgets what a journal holds up to now.
func (sh *shard) bring(a *actor, j *journal) {
	now := &journal{Day: sh.shared.heard / 24, PaceDay: a.Drift.Day, Habit: habit{Days: a.Habit.Days}}
	for l := range a.Lane {
		now.Own[l].Updated = a.Lane[l].Updated
	}
	j.age(now)
}

// enter adds what a closed span of lane l taught to the journals, and takes it out at
// once where a breach is confirmed that still goes on.
func (sh *shard) enter(a *actor, l features.Lane, all []*journal, reasoned habit, was ownSums, pace [len(driftKinds)]volume.Pace, scores []scoreDelta, seasons []seasonDelta) {
	now, goes := a.sums(l)
	part := &journal{Habit: reasoned}
	if l == features.Quarter {
		sh.met = a.met(sh.met[:0], a.Lane[l].span.Index)
		part.Known = sh.met[:min(len(sh.met), journalValues)]
		if n := a.Lessons; n != nil { // which end with the quarter
			part.Pages, part.Chain, part.Steps = n.Pages, n.Chain, n.Steps
		}
	}
	part.Own[l] = now
	part.Own[l].add(&was, -1)
	part.PaceDay, part.Day, part.Group = a.Drift.Day, sh.shared.heard/24, a.home.key()
	for i := range goes {
		// Age alone changes nothing of it: it is the same before and after within a close.
		part.Pace[i].Lately = volume.Sum{N: max(0, goes[i].Lately.N-pace[i].Lately.N), X: max(0, goes[i].Lately.X-pace[i].Lately.X)}
	}
	for _, s := range scores {
		part.score(notedScore{Lane: s.lane, Term: s.term, Bin: s.bin, W: float32(s.w)})
	}
	for _, s := range seasons {
		part.season(notedSeason{s.lane, s.hour, s.class, s.seen, s.expected})
	}
	out := false
	for _, j := range all {
		if j.Out {
			out = true
			continue
		}
		j.merge(part)
	}
	if out {
		// Once, though it belongs to two findings.
		sh.post(a, part, -1)
		for _, j := range all {
			if j.Out {
				j.merge(part)
				break
			}
		}
	}
}

// add adds f times o, both forgotten up to the same epoch, and leaves no sum negative.
func (s *ownSums) add(o *ownSums, f float32) {
	for k := range s.Counts {
		c, d := &s.Counts[k], &o.Counts[k]
		c.N, c.X, c.R, c.W = max(0, c.N+f*d.N), max(0, c.X+f*d.X), max(0, c.R+f*d.R), max(0, c.W+f*d.W)
	}
	for k := range s.Sizes {
		c, d, f := &s.Sizes[k], &o.Sizes[k], float64(f)
		c.W, c.S1, c.S2 = max(0, c.W+float64(f*d.W)), max(0, c.S1+float64(f*d.S1)), max(0, c.S2+float64(f*d.S2))
	}
	for t := range s.Level {
		c, d := &s.Level[t], &o.Level[t]
		c.W, c.S1, c.S2 = max(0, c.W+f*d.W), max(0, c.S1+f*d.S1), max(0, c.S2+f*d.S2)
	}
}

// forget ages the sums to epoch i, as the lane's own are.
func (s *ownSums) forget(l features.Lane, i int64) {
	if s.Updated != 0 && i > s.Updated {
		la := lane{Updated: s.Updated, Counts: s.Counts, Sizes: s.Sizes, Level: s.Level}
		la.forget(l, i)
		s.Counts, s.Sizes, s.Level = la.Counts, la.Sizes, la.Level
	}
	s.Updated = max(s.Updated, i)
}

// merge adds what o noted; the older of the two is forgotten to the other's time.
func (j *journal) merge(o *journal) {
	j.age(o)
	o.age(j)
	for l := range j.Own {
		if o.Own[l].Updated != 0 {
			j.Own[l].add(&o.Own[l], 1)
		}
	}
	for i := range j.Pace {
		j.Pace[i].Merge(o.Pace[i])
	}
	if j.Group == "" && len(j.Scores)+len(j.Seasons) == 0 {
		j.Group = o.Group
	}
	if j.Group == o.Group { // what was told to another group is left where it is
		for _, s := range o.Scores {
			j.score(s)
		}
		for _, s := range o.Seasons {
			j.season(s)
		}
	}
	for _, n := range o.Known {
		j.weigh(n)
	}
	for _, p := range o.Pages {
		j.Pages = addPage(j.Pages, p.Key, p.Size, pageKinds+1)
	}
	j.Habit.Reads, j.Habit.Reasoned = j.Habit.Reads+o.Habit.Reads, j.Habit.Reasoned+o.Habit.Reasoned
	if len(j.Steps) == 0 {
		j.Chain = o.Chain
	}
	if j.Chain == o.Chain {
		for _, s := range o.Steps {
			j.Steps = addStep(j.Steps, s, journalSteps)
		}
	}
	j.Values = append(j.Values, o.Values...)
	j.Values = j.Values[:min(len(j.Values), journalValues)]
}

// age forgets as much as o is later.
func (j *journal) age(o *journal) {
	for l := range j.Own {
		if i := o.Own[l].Updated; i != 0 {
			j.Own[l].forget(features.Lane(l), i)
		}
	}
	if days := o.PaceDay - j.PaceDay; j.PaceDay != 0 && days > 0 {
		for i := range j.Pace {
			j.Pace[i].Forget(float64(days))
		}
	}
	j.PaceDay = max(j.PaceDay, o.PaceDay)
	j.Habit.forget(o.Habit.Days)
	if days := o.Day - j.Day; j.Day != 0 && days > 0 {
		keep := math.Exp2(-float64(days) / halfLifeDays)
		week := math.Pow(keep, 0.25) // as groups forget
		for i := range j.Scores {
			if s := &j.Scores[i]; s.Lane == uint8(features.Week) {
				s.W *= float32(week)
			} else {
				s.W *= float32(keep)
			}
		}
		for i := range j.Peaks {
			j.Peaks[i].W *= math.Exp2(-float64(days) / (2 * halfLifeDays)) // as in budget.endDay
		}
		for i := range j.Steps {
			j.Steps[i].Weight *= keep
		}
		for i := range j.Seasons {
			j.Seasons[i].Seen, j.Seasons[i].Expected = j.Seasons[i].Seen*keep, j.Seasons[i].Expected*keep
		}
	}
	j.Day = max(j.Day, o.Day)
}

func (j *journal) score(n notedScore) {
	at, ok := slices.BinarySearchFunc(j.Scores, n, notedScore.compare)
	switch {
	case ok:
		j.Scores[at].W += n.W
	case len(j.Scores) < journalScores:
		j.Scores = slices.Insert(j.Scores, at, n)
	}
}

func (j *journal) season(n notedSeason) {
	n.Seen = min(n.Seen, 4*n.Expected) // as much as it is believed
	for i := range j.Seasons {
		if s := &j.Seasons[i]; s.Lane == n.Lane && s.Hour == n.Hour && s.Class == n.Class {
			s.Seen, s.Expected = s.Seen+n.Seen, s.Expected+n.Expected
			return
		}
	}
	if len(j.Seasons) < journalSeasons {
		j.Seasons = append(j.Seasons, n)
	}
}

// journalOf is the journal of a finding, nil when none is kept.
func (a *actor) journalOf(finding string) *journal {
	for _, j := range a.Journals {
		if j.Finding == finding {
			return j
		}
	}
	return nil
}

// confirmed adds what came after the evidence before to what an open finding's journal
// holds, now that more has come.
func (sh *shard) confirmed(a *actor) {
	j := a.journalOf(a.open.Finding.ID)
	if j == nil || j.After == nil {
		return
	}
	after := j.After
	j.After, j.Quiet = nil, nil
	if j.Out {
		sh.post(a, after, -1)
	}
	j.merge(after)
}

// within is what was noted in other lanes' runs since start, empty where nothing was:
// a day's finding may be declared before the day has a run, though its quarters have.
func (a *actor) within(start int64) *journal {
	var best *journal
	for l := range a.Lane {
		if r := a.Lane[l].Run; r != nil && r.Journal != nil && r.Journal.Since >= start && (best == nil || r.Journal.Since < best.Since) {
			best = r.Journal
		}
	}
	if best == nil {
		return &journal{}
	}
	j := *best // the run goes on with its own
	j.Scores, j.Seasons, j.Known = slices.Clone(j.Scores), slices.Clone(j.Seasons), slices.Clone(j.Known)
	j.Pages, j.Steps, j.Values = slices.Clone(j.Pages), slices.Clone(j.Steps), slices.Clone(j.Values)
	return &j
}

// openJournal gives a finding that is declared in lane l the journal of the evidence
// that led to it.
func (a *actor) openJournal(l features.Lane, finding string, start, now int64) {
	var run *journal
	if r := a.Lane[l].Run; r != nil {
		run, r.Journal = r.Journal, nil
	}
	if j := a.journalOf(finding); j != nil { // the same story goes on
		j.Until = 0
		if run != nil && !j.Out {
			j.merge(run)
		}
		return
	}
	if run == nil {
		run = a.within(start)
	}
	run.Finding, run.Since = finding, start
	a.Journals = slices.DeleteFunc(a.Journals, func(j *journal) bool { return j.Until != 0 && now-j.Until > keptFor })
	a.Journals = append(a.Journals, run)
	a.Journals = a.Journals[max(0, len(a.Journals)-keptJournals):]
}
