package drill

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"vigil"
	"vigil/internal/traffic"
)

// Kind is how a breach takes what it takes.
type Kind string

// The kinds of breach. Each has an aim of its own (how soon, after how many).
const (
	// RecordByRecord reads customer after customer within hours.
	RecordByRecord Kind = "record-by-record"
	// Bulk takes many customers with each access.
	Bulk Kind = "bulk"
	// LowAndSlow stretches over days, each of which looks nearly usual.
	LowAndSlow Kind = "low-and-slow"
)

// Act is what is staged: a breach, or the trap beside it. It says what to do with
// the traffic, and, once that is merged, holds the truth.
type Act struct {
	Scenario string
	Trap     bool
	// Start and End bound what is to be found, or to stay quiet; Since is the first
	// access that takes what it must not. Preparations lie between Start and Since.
	Start, Since, End time.Time

	actors map[personKey]bool
	own    map[string]bool // customers who may be shown: the thief's own record
	known  int64           // how many customers there are
	// hidden is how many customers an event showed that the log doesn't tell of.
	hidden map[string]int64
	teams  map[string]bool
	events []*vigil.Event
	edits  []edit
	shades []shadow
	told   []traffic.Told // what feeds tell because of it
	marks  []mark         // in the order in which they were merged
}

// mark is the trace of one staged event in the truth.
type mark struct {
	id       string
	at       time.Time
	who      personKey
	network  string
	subjects []string
	// others is how many customers were shown without being named; shows tells
	// whether anything was shown at all.
	others int64
	shows  bool
	// lost says that the log of source should have had this and has not.
	lost   bool
	source string
}

// Truth is what an act was, as it is told.
type Truth struct {
	Start time.Time `json:"start"`
	Since time.Time `json:"since"`
	End   time.Time `json:"end"`
	// Actors, Networks and Teams are whose, sorted.
	Actors   []string `json:"actors"`
	Networks []string `json:"networks,omitempty"`
	Teams    []string `json:"teams,omitempty"`
	// EventIDs are a breach's events in time order; Events counts them. SubjectIDs
	// are the customers that a breach showed by name, Subjects counts those and the
	// unnamed ones.
	EventIDs   []string `json:"event_ids,omitempty"`
	Events     int      `json:"events"`
	SubjectIDs []string `json:"subject_ids,omitempty"`
	Subjects   int64    `json:"subjects"`
	// Sources are those in whose logs it leaves a hole, Lost how many accesses are
	// missing from them.
	Sources []string `json:"sources,omitempty"`
	Lost    int      `json:"lost,omitempty"`
}

// edit changes a person's own events within a time. Change returns false to take
// the event out. With nobody named it is of everybody: then what is taken out is a
// hole in its source's log, and nothing else is changed.
type edit struct {
	who      personKey
	from, to time.Time
	change   func(*vigil.Event) bool
	// mine says that what is left belongs to the act.
	mine bool
}

// shadow makes further events of a person's own ones: share tells how likely, by
// time; a share above one makes several. A shadow comes after a delay.
type shadow struct {
	of       personKey
	from, to time.Time
	share    func(time.Time) float64
	delay    func() time.Duration
	change   func(*vigil.Event)
	draw     func() float64
	// mine says that the shadow belongs to the act, harmless that it shows nobody
	// whom its actor may not see.
	mine, harmless bool
}

// maxMarks bounds the events that an act's truth holds. Only a trap that is all of
// somebody's work comes near; of it the first ones are held.
const maxMarks = 500_000

func keyOf(a *vigil.Actor) personKey { return personKey{a.Tenant, a.ID} }

// record writes an event of the act into its truth.
func (a *Act) record(e *vigil.Event, harmless bool) {
	m := mark{id: e.ID, at: e.Time, who: keyOf(&e.Actor), network: networkOf(e)}
	if !harmless && e.Action.Discloses() && e.Outcome != vigil.OutcomeDenied && e.Outcome != vigil.OutcomeError {
		m.shows = true
		m.subjects = slices.DeleteFunc(slices.Clone(e.Subjects), func(s string) bool { return a.own[s] })
		m.others = max(0, e.SubjectCount-int64(len(e.Subjects))) + a.hidden[e.ID]
	}
	if len(a.marks) < maxMarks {
		a.marks = append(a.marks, m)
	}
	if a.Start.IsZero() || e.Time.Before(a.Start) {
		a.Start = e.Time
	}
	if e.Time.After(a.End) {
		a.End = e.Time
	}
}

// lose writes down that the log misses an event.
func (a *Act) lose(e *vigil.Event) {
	if len(a.marks) < maxMarks {
		a.marks = append(a.marks, mark{at: e.Time, lost: true, source: e.Source})
	}
}

// unseen writes down that customers are shown at a time, and no log tells of it.
func (a *Act) unseen(at time.Time, source string, customers int64) {
	a.marks = append(a.marks, mark{at: at, lost: true, source: source, others: customers, shows: true})
}

// Truth tells what was staged. It is complete once the traffic is merged.
func (a *Act) Truth() Truth {
	t := Truth{Start: a.Start, Since: a.Since, End: a.End}
	networks, subjects, sources := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range a.marks {
		m := &a.marks[i]
		if m.lost { // what was not logged has no id
			sources[m.source] = true
			t.Lost++
			t.Subjects += m.others
			continue
		}
		t.Events++
		if !a.Trap { // a trap may be all of somebody's weeks
			t.EventIDs = append(t.EventIDs, m.id)
		}
		if m.network != "" {
			networks[m.network] = true
		}
		for _, s := range m.subjects {
			subjects[s] = true
		}
		t.Subjects += m.others
	}
	for k := range a.actors {
		t.Actors = append(t.Actors, k.id)
	}
	slices.Sort(t.Actors)
	t.Networks, t.Teams, t.Sources = sorted(networks), sorted(a.teams), sorted(sources)
	if !a.Trap {
		t.SubjectIDs = sorted(subjects)
	}
	t.Subjects = a.atMost(t.Subjects, len(subjects))
	return t
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// taking is when the act first showed somebody's data.
func (a *Act) taking() time.Time {
	for i := range a.marks {
		if m := &a.marks[i]; m.shows && (m.others > 0 || len(m.subjects) > 0) {
			return m.at
		}
	}
	return a.Since
}

// shown counts the customers shown by the end of each step from a time on.
func (a *Act) shown(from time.Time, step time.Duration, steps int) []int64 {
	out := make([]int64, steps)
	seen := map[string]bool{}
	var unnamed int64
	i := 0
	for k := range out {
		for ; i < len(a.marks) && a.marks[i].at.Before(from.Add(time.Duration(k+1)*step)); i++ {
			m := &a.marks[i]
			if !m.shows {
				continue
			}
			unnamed += m.others
			for _, s := range m.subjects {
				seen[s] = true
			}
		}
		out[k] = a.atMost(unnamed, len(seen))
	}
	return out
}

// exposed counts the customers that the act had shown by a time.
func (a *Act) exposed(until time.Time) int64 {
	seen := map[string]bool{}
	var n int64
	for i := range a.marks {
		m := &a.marks[i]
		if !m.shows || m.at.After(until) {
			continue
		}
		n += m.others
		for _, s := range m.subjects {
			seen[s] = true
		}
	}
	return a.atMost(n, len(seen))
}

// atMost adds unnamed customers to named ones. The same may have been counted
// several times, so that there are no more than there are customers.
func (a *Act) atMost(unnamed int64, named int) int64 {
	return max(int64(named), min(unnamed+int64(named), a.known))
}

// merger brings acts into traffic. Of what is yet to come it holds the staged
// events and the shadows of the last hours.
type merger struct {
	edits  map[personKey][]ofAct[edit]
	shades map[personKey][]ofAct[shadow]
	coming coming
	last   time.Time
	serial int
	// see, when set, gets each event that is merged, and whether it is a breach's.
	see func(e *vigil.Event, breach bool)
}

type ofAct[T any] struct {
	act  *Act
	what T
}

// coming is a heap of staged events, the earliest on top.
type coming []pending

type pending struct {
	e        *vigil.Event
	act      *Act // nil when it belongs to none
	n        int  // keeps the order of equals
	harmless bool
}

// Len counts them.
func (c coming) Len() int { return len(c) }

// Less puts the earlier first.
func (c coming) Less(i, j int) bool {
	return cmp.Or(c[i].e.Time.Compare(c[j].e.Time), cmp.Compare(c[i].n, c[j].n)) < 0
}

// Swap changes places.
func (c coming) Swap(i, j int) { c[i], c[j] = c[j], c[i] }

// Push is heap.Interface's.
func (c *coming) Push(x any) { *c = append(*c, x.(pending)) }

// Pop is heap.Interface's.
func (c *coming) Pop() any {
	old := *c
	x := old[len(old)-1]
	*c = old[:len(old)-1]
	return x
}

// newMerger takes the acts of one world, and clean events that belong to none.
func newMerger(acts []*Act, clean []*vigil.Event) *merger {
	m := &merger{edits: map[personKey][]ofAct[edit]{}, shades: map[personKey][]ofAct[shadow]{}}
	for _, e := range clean {
		m.coming = append(m.coming, pending{e: e, n: len(m.coming)})
	}
	for _, a := range acts {
		for _, e := range a.events {
			m.coming = append(m.coming, pending{e: e, act: a, n: len(m.coming)})
		}
		for _, x := range a.edits {
			m.edits[x.who] = append(m.edits[x.who], ofAct[edit]{a, x})
		}
		for _, x := range a.shades {
			m.shades[x.of] = append(m.shades[x.of], ofAct[shadow]{a, x})
		}
	}
	m.serial = len(m.coming)
	heap.Init(&m.coming)
	return m
}

// merge appends the events with what is staged before and between them to out.
func (m *merger) merge(out, events []*vigil.Event) []*vigil.Event {
	for _, e := range events {
		if e.Time.After(m.last) {
			m.last = e.Time
		}
		out = m.until(out, e.Time)
		key := keyOf(&e.Actor)
		kept, mine := m.edit(key, e)
		if !kept {
			continue
		}
		for _, x := range m.shades[key] {
			m.shade(x, e)
		}
		for _, a := range mine {
			a.record(e, false)
		}
		m.saw(e, false) // the day's work, from wherever it is done
		out = append(out, e)
	}
	return out
}

func (m *merger) edit(key personKey, e *vigil.Event) (kept bool, mine []*Act) {
	for _, x := range m.edits[personKey{}] { // everybody's
		if e.Time.Before(x.what.from) || !e.Time.Before(x.what.to) || x.what.change(e) {
			continue
		}
		x.act.lose(e)
		return false, nil
	}
	for _, x := range m.edits[key] {
		if e.Time.Before(x.what.from) || !e.Time.Before(x.what.to) {
			continue
		}
		if !x.what.change(e) {
			return false, nil
		}
		if x.what.mine {
			mine = append(mine, x.act)
		}
	}
	return true, mine
}

func (m *merger) shade(x ofAct[shadow], e *vigil.Event) {
	s := &x.what
	if e.Time.Before(s.from) || !e.Time.Before(s.to) {
		return
	}
	n := 0
	for share := s.share(e.Time); share > 0; share-- {
		if s.draw() >= share {
			continue
		}
		c := *e
		c.Subjects = slices.Clone(e.Subjects)
		c.ID = e.ID + "." + x.act.Scenario + "." + string(rune('a'+n))
		n++
		c.Time = e.Time.Add(s.delay())
		s.change(&c)
		m.serial++
		p := pending{e: &c, n: m.serial, harmless: s.harmless}
		if s.mine {
			p.act = x.act
		}
		heap.Push(&m.coming, p)
	}
}

// until appends what is staged up to a time.
func (m *merger) until(out []*vigil.Event, t time.Time) []*vigil.Event {
	for len(m.coming) > 0 && !m.coming[0].e.Time.After(t) {
		p := heap.Pop(&m.coming).(pending)
		if p.act != nil {
			p.act.record(p.e, p.harmless)
		}
		m.saw(p.e, p.act != nil && !p.act.Trap)
		out = append(out, p.e)
	}
	return out
}

func (m *merger) saw(e *vigil.Event, breach bool) {
	if m.see != nil {
		m.see(e, breach)
	}
}

// rest appends what is staged up to a while after the last event of the traffic.
func (m *merger) rest(out []*vigil.Event) []*vigil.Event {
	return m.until(out, m.last.Add(12*time.Hour))
}
