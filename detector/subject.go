package detector

import (
	"cmp"
	"slices"
	"strings"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
	"vigil/models/calibrate"
)

// subject is what is known of one customer: who read it lately, and how many do
// in a day. It is small, for there are many.
type subject struct {
	Hash uint64
	// Seen is the day of the last reading, Judged that of the last close.
	Seen, Judged int32
	// Readers and Teams are the latest distinct ones, the newest first.
	Readers [6]uint64
	Teams   [2]uint64
	// Brought is the latest reader to whom, and to whose team, it was a stranger, and
	// BroughtAt the quarter of an hour of that.
	Brought   uint64
	BroughtAt int32

	Past     stream
	Detector calibrate.Detector

	// Open says that the day was begun. Today counts its distinct readers without a
	// reason; First is the first of them.
	Open      bool
	Today     int32
	FirstHash uint64
	FirstName string
	// Next is the number of readers at which the day is judged early.
	Next float64
}

// crowd is a day's readers of one subject, once there are two.
type crowd struct {
	ID      string
	Tenant  string
	Readers names
	// Worked are those who wrote about the subject today: they had work to do there,
	// and are no readers to wonder about.
	Worked names
	Events int64
	Rows   int64 // Unknown until a source tells
	Start  int64
	Last   int64
	affair *affair
}

// subjects holds the customers of a shard.
type subjects struct {
	Day    int64
	known  map[uint64]*subject
	crowds map[uint64]*crowd
	// spare are crowds of earlier days, to be used again.
	spare []*crowd
	// touched lists today's, in order of first reading.
	touched []*subject
	// open lists findings about subjects, in order of opening.
	open  []*affair
	limit int
}

func newSubjects(limit int) subjects {
	return subjects{known: map[uint64]*subject{}, crowds: map[uint64]*crowd{}, limit: max(limit, 16)}
}

const (
	// crowdLimit bounds the readers of one day that are told apart.
	crowdLimit = 2048
	// actorList bounds the actors that a finding names.
	actorList = 50
)

// subject folds the reading of one customer.
func (t *targets) subject(e *vigil.Event, r reach, now int64, out *trace) {
	if e.Outcome == vigil.OutcomeDenied || e.Outcome == vigil.OutcomeError {
		return
	}
	if !e.Action.Discloses() {
		if e.Action == vigil.ActionWrite {
			t.worked(e, r, now, out)
		}
		return
	}
	ss := &t.subjects
	s := ss.known[r.hash]
	if s == nil {
		if len(ss.known) >= ss.limit {
			ss.evict()
		}
		s = &subject{Hash: r.hash}
		ss.known[r.hash] = s
	}
	who := readerOf(e, out)
	// Where assignments are told, only those who are given any are onlookers without.
	why := &out.why
	reason := why.Found.Explains() || t.shared.book.Assigns() && !why.Looked.Work()
	if s.meet(who) {
		s.Brought, s.BroughtAt = who.actor, int32(features.Quarter.Index(now))
		if !why.Found.Explains() {
			out.strangers.Add(1)
		}
	}
	if int64(s.Seen) != ss.Day {
		s.Past.forget(float64(ss.Day - int64(s.Seen)))
		s.Seen = int32(ss.Day)
	}
	if reason || reasons.IsList(e) {
		return // no reader to wonder about
	}
	t.reader(s, e, r, who.actor, now)
}

// meet notes the reader and reports whether neither it nor its team had read the
// subject lately.
func (s *subject) meet(who reader) (stranger bool) {
	known := push(s.Readers[:], who.actor)
	if who.team == 0 {
		return !known
	}
	return !push(s.Teams[:], who.team) && !known
}

// push moves id to the front of recent and reports whether it was there.
func push(recent []uint64, id uint64) (known bool) {
	at := slices.Index(recent, id)
	if known = at >= 0; !known {
		at = len(recent) - 1
	}
	copy(recent[1:at+1], recent[:at])
	recent[0] = id
	return known
}

// reader counts a reader of today.
func (t *targets) reader(s *subject, e *vigil.Event, r reach, actor uint64, now int64) {
	ss := &t.subjects
	c := ss.crowds[s.Hash]
	if !s.Open {
		t.open(s)
	}
	if c == nil {
		switch {
		case s.Today == 0:
			s.Today, s.FirstHash, s.FirstName = 1, actor, e.Actor.ID
			return
		case actor == s.FirstHash:
			return
		}
		c = t.crowd(s, e, r, now)
	}
	c.Events++
	c.Last = now
	if e.Rows >= 0 {
		c.Rows = max(c.Rows, 0) + e.Rows
	}
	if len(c.Readers) >= crowdLimit || c.Worked.has(actor) || !c.Readers.add(actor, e.Actor.ID) {
		return
	}
	s.Today++
	if !t.shared.budget.Ready[lineSubject] || float64(s.Today) < s.Next {
		return
	}
	s.Next = float64(s.Today) * lookFactor
	rd := t.judgeSubject(s)
	t.weighSubject(s, c, &rd, now)
}

// open begins the subject's day.
func (t *targets) open(s *subject) {
	s.Open, s.Today, s.FirstHash = true, 0, 0
	s.Next = t.shared.Flows[flowReaders].nextLook(&s.Past)
	t.subjects.touched = append(t.subjects.touched, s)
}

// crowd begins to tell the day's readers apart.
func (t *targets) crowd(s *subject, e *vigil.Event, r reach, now int64) *crowd {
	c := &crowd{}
	if n := len(t.subjects.spare); n > 0 {
		c, t.subjects.spare = t.subjects.spare[n-1], t.subjects.spare[:n-1]
	}
	*c = crowd{
		ID: strings.Clone(e.Subjects[r.subject]), Tenant: e.ResourceTenant, Rows: vigil.Unknown, Start: now, Last: now,
		Readers: c.Readers, Worked: c.Worked, affair: t.subjects.find(s.Hash),
	}
	if s.Today > 0 {
		c.Readers.add(s.FirstHash, s.FirstName)
		c.Events = 1
	}
	t.subjects.crowds[s.Hash] = c
	return c
}

// worked notes who wrote about a customer that is read today.
func (t *targets) worked(e *vigil.Event, r reach, now int64, tr *trace) {
	s := t.subjects.known[r.hash]
	if s == nil || !s.Open {
		return
	}
	c := t.subjects.crowds[s.Hash]
	if c == nil {
		c = t.crowd(s, e, r, now)
	}
	if len(c.Worked) < crowdLimit {
		c.Worked.add(tr.actor, "")
	}
	if c.Readers.remove(tr.actor) {
		s.Today--
	}
}

func (t *targets) judgeSubject(s *subject) reading {
	return t.shared.Flows[flowReaders].judge(flowReaders, &s.Past, float64(s.Today), t.shared.Surge[people].factor(features.Quarter), hashTie(s.Hash, uint64(t.subjects.Day)))
}

func (s *subject) decay(day int64) float64 {
	return evidenceDecay(features.Day, int64(s.Judged), day)
}

// weighSubject opens or feeds the finding about a customer.
func (t *targets) weighSubject(s *subject, c *crowd, rd *reading, now int64) {
	line := t.shared.budget.Line[lineSubject]
	r := log10(s.Detector.Peek(s.decay(t.subjects.Day), rd.E))
	switch {
	case c == nil:
	case c.affair != nil && rd.E >= telling:
		t.grow(c.affair, c, rd, r, now)
	case c.affair == nil && r >= line && rd.E > 1:
		a := newAffair(vigil.AboutSubject, s.Hash, lineSubject, features.Day.Start(t.subjects.Day), now, r, line)
		a.Finding.Subject, a.Finding.Tenant = c.ID, c.Tenant
		a.Finding.Start = utc(c.Start)
		c.affair = a
		t.subjects.open = append(t.subjects.open, a)
		t.opened(a, false, now)
		t.grow(a, c, rd, r, now)
	}
}

// grow takes a crowd's numbers into its finding, and tells it.
func (t *targets) grow(a *affair, c *crowd, rd *reading, r float64, now int64) {
	a.take(rd, features.Day, t.subjects.Day, r, now)
	for i := range c.Readers {
		a.actor(c.Readers[i].ID)
	}
	f := &a.Finding
	f.End = utc(max(c.Last, c.Start))
	f.Events = a.Before.Events + c.Events
	f.Subjects = 1
	if c.Rows >= 0 {
		f.Rows = max(a.Before.Rows, 0) + c.Rows
	}
	t.tell(a, false)
}

// closeSubjects judges the day that ended.
func (t *targets) closeSubjects() {
	ss := &t.subjects
	m := &t.shared.Flows[flowReaders]
	for _, s := range ss.touched {
		rd := t.judgeSubject(s)
		c := ss.crowds[s.Hash]
		weight := 1.0
		if t.shared.budget.Ready[lineSubject] {
			decay := s.decay(ss.Day)
			r := log10(s.Detector.Peek(decay, rd.E))
			if c != nil {
				t.weighSubject(s, c, &rd, c.Last)
			}
			if r > 0 {
				t.delta.peaks[lineSubject] = append(t.delta.peaks[lineSubject], r)
			}
			s.Detector.Step(decay, rd.E)
		}
		if a := ss.find(s.Hash); a != nil {
			weight = suspectTrust
			if c != nil {
				a.Before = affairSums{Events: a.Finding.Events, Rows: a.Finding.Rows}
			}
		}
		t.delta.epochs[lineSubject]++
		t.score(&rd)
		was := s.Past
		s.Past.learn(m, &rd, 1, weight)
		if a := ss.find(s.Hash); a != nil && rd.E > 1 { // what is not odd is its own
			readers := names{{Hash: s.FirstHash}}
			if c != nil {
				readers = c.Readers
			}
			t.enter(a, int64(s.Seen), [2]stream{was}, [2]*stream{&s.Past}, []reading{rd}, readers, ss.Day)
		}
		s.Judged, s.Open, s.Today, s.FirstName = int32(ss.Day), false, 0, ""
	}
	t.dirty = t.dirty || len(ss.touched) > 0
	clear(ss.touched)
	ss.touched = ss.touched[:0]
	for _, c := range ss.crowds {
		c.Readers.reset()
		c.Worked.reset()
		ss.spare = append(ss.spare, c)
	}
	clear(ss.crowds)
}

func (ss *subjects) find(hash uint64) *affair {
	for _, a := range ss.open {
		if a.Key == hash {
			return a
		}
	}
	return nil
}

// evict forgets the quarter of the customers that was read least lately; today's
// stay.
func (ss *subjects) evict() {
	old := make([]*subject, 0, len(ss.known))
	for _, s := range ss.known {
		if !s.Open {
			old = append(old, s)
		}
	}
	slices.SortFunc(old, func(a, b *subject) int {
		return cmp.Or(cmp.Compare(a.Seen, b.Seen), cmp.Compare(a.Hash, b.Hash))
	})
	for _, s := range old[:(len(old)+3)/4] {
		delete(ss.known, s.Hash)
	}
}
