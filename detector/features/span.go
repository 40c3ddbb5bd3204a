package features

import (
	"vigil"
	"vigil/detector/reasons"
	"vigil/models/novelty"
	"vigil/models/sequence"
)

// Span is what one actor did in one epoch of one lane.
type Span struct {
	Index int64
	Open  bool

	// First and Last are the event times (Unix nanoseconds) of what it holds.
	First, Last int64

	counts                  [Counts]float64
	sizes                   [Sizes]float64
	sizeKnown               [Sizes]bool
	outcomeKnown            bool
	subjects, conversations Distinct

	// Rare is, for each category, the least probable value of the span.
	Rare [Categories]Rare
	// Away is how long, in days, the actor had been away when the span began.
	Away float64

	order    sequence.Order
	rhythm   sequence.Rhythm
	surprise sequence.Surprise
	burst    float64 // -1 while no event told any
	page     PageSize
	others   int64 // events that show nothing to their actor
	opened   opened
	reasoned float64
	reasons  told
}

// told is what the reasons of a span's reads come to.
type told struct {
	// looked are those that were looked for.
	looked reasons.Reason
	// verified and awaited count reads: with a reason that somebody else put down, and
	// in a time of which the unusual was announced.
	verified, awaited float64
	// without are the customers of whom none was found.
	without Distinct
}

// Rare is the least probable value among a span's distinct values.
type Rare struct {
	// Values is how many distinct values were judged.
	Values float64
	P      float64
	Label  string
	Frame  novelty.Frame
	// First is the quarter-hour in which the actor first used it, zero for now.
	First int64
}

// Begin opens the span for epoch i.
func (s *Span) Begin(i int64) {
	s.Index, s.Open = i, true
	s.First, s.Last = 0, 0
	s.counts = [Counts]float64{}
	s.sizes = [Sizes]float64{}
	s.sizeKnown = [Sizes]bool{}
	s.outcomeKnown = false
	s.subjects.Reset()
	s.conversations.Reset()
	s.reasons.reset()
	s.Rare = [Categories]Rare{}
	s.Away, s.burst, s.reasoned, s.others = 0, -1, 0, 0
	s.page = PageSize{Raw: -1}
	s.opened.reset()
	s.order, s.rhythm, s.surprise = sequence.Order{}, sequence.Rhythm{}, sequence.Surprise{}
}

// End closes the span. What its sets held has been told by then, and is let go of:
// most of the time most actors have nothing but closed spans.
func (s *Span) End() {
	s.Open = false
	s.subjects.Reset()
	s.conversations.Reset()
	s.reasons.without.Reset()
}

func (t *told) reset() {
	t.without.Reset()
	t.looked, t.verified, t.awaited = 0, 0, 0
}

// Add counts an event, of which why tells the reasons. What shows no data to its actor (a write, a sign-in) is in
// no count but that of refusals; its categories are judged all the same.
func (s *Span) Add(e *vigil.Event, why reasons.Checked) {
	t := e.Time.UnixNano()
	if s.First == 0 || t < s.First {
		s.First = t
	}
	s.Last = max(s.Last, t)
	if e.Outcome != vigil.OutcomeUnspecified {
		s.outcomeKnown = true
		if e.Outcome == vigil.OutcomeDenied {
			s.counts[Denied]++
		}
	}
	if !e.Action.Discloses() {
		s.others++
		return
	}
	s.counts[Events]++
	s.reasons.add(e, why)
	if why.Found.Excuses() {
		s.reasoned++
	} else {
		s.order.Add(int(e.Step))
	}
	s.rhythm.Add(t)
	if e.Unbounded {
		s.counts[Unbounded]++
	}
	for _, id := range e.Subjects {
		s.subjects.Add(id, ExactLimit)
	}
	s.subjects.AddUnnamed(Unnamed(e))
	if e.Conversation != "" {
		s.conversations.Add(e.Conversation, ExactLimit)
	}
	if e.Rows >= 0 {
		s.sizes[0] += float64(e.Rows)
		s.sizeKnown[0] = true
	}
	if e.Bytes >= 0 {
		s.sizes[Bytes-Rows] += float64(e.Bytes)
		s.sizeKnown[Bytes-Rows] = true
	}
}

// AddNew counts a value that the actor never used before.
func (s *Span) AddNew() { s.counts[New]++ }

// Reasons is the number of the span's reads, and of those that named a reason.
func (s *Span) Reasons() (reads, reasoned float64) { return s.counts[Events], s.reasoned }

// LookUp notes whose record was opened or written about. It is asked of days.
func (s *Span) LookUp(e *vigil.Event, why reasons.Checked) { s.opened.add(e, why.Found.Excuses()) }

// AddStep notes the probability of what the event did after those before it.
func (s *Span) AddStep(p float64) { s.surprise.Add(p) }

// AddBurst notes the score of the burst that an event is part of.
func (s *Span) AddBurst(score float64) { s.burst = max(s.burst, score) }

// Largest is the access of the span that stands out most by its size.
func (s *Span) Largest() PageSize { return s.page }

// AddPage notes how unusual the size of an access is, and reports whether that is
// more than the span had known: worth a look at once.
func (s *Span) AddPage(p PageSize) (news bool) {
	if p.Raw <= s.page.Raw {
		return false
	}
	news = p.Raw > max(s.page.Raw, pageNews)+1
	s.page = p
	return news
}

// AddStrangers counts subjects that neither the actor nor its team knew.
func (s *Span) AddStrangers(n int) { s.counts[Strangers] += float64(n) }

// AddSplit counts a change of client within a session.
func (s *Span) AddSplit() { s.counts[Splits]++ }

// add counts a read's reasons.
func (t *told) add(e *vigil.Event, why reasons.Checked) {
	t.looked |= why.Looked
	if why.Found.Counted() {
		t.verified++
	}
	if why.Found&reasons.Awaited != 0 {
		t.awaited++
	}
	if !why.Unjustified() {
		return
	}
	for _, id := range e.Subjects {
		t.without.Add(id, ExactLimit)
	}
	t.without.AddUnnamed(Unnamed(e))
}

// Verified is how many of the span's reads had a reason that somebody else put down,
// Awaited how many fell into a time of which the unusual was announced.
func (s *Span) Verified() (verified, awaited float64) { return s.reasons.verified, s.reasons.awaited }

// Unreasoned is the set of customers for whom no reason was found, and which were
// looked for.
func (s *Span) Unreasoned() (*Distinct, reasons.Reason) { return &s.reasons.without, s.reasons.looked }

// Unnamed is how many subjects e counts beyond those that it names.
func Unnamed(e *vigil.Event) int64 { return max(0, e.SubjectCount-int64(len(e.Subjects))) }

// Value is what the span holds of kind k.
func (s *Span) Value(k Kind) float64 {
	switch k {
	case Subjects:
		return float64(s.subjects.Len())
	case Conversations:
		return float64(s.conversations.Len())
	case Silent:
		return float64(s.opened.silent)
	case Unreasoned:
		return float64(s.reasons.without.Len())
	case Neighbours:
		return float64(s.order.Nears)
	case Rows, Bytes:
		return s.sizes[k-Rows]
	default:
		return s.counts[k]
	}
}

// Told says whether the span's own events tell kind k. Whether an absence of
// subjects means "none" or "not told" depends on the source, which the caller
// knows.
func (s *Span) Told(k Kind) bool {
	switch k {
	case Events, New, Unbounded, Splits:
		return true
	case Denied:
		return s.outcomeKnown
	case Rows, Bytes:
		return s.sizeKnown[k-Rows]
	case Silent:
		return len(s.opened.marks) > 0
	case Unreasoned:
		return s.reasons.looked.Work()
	case Neighbours:
		return s.order.Steps() > 0
	case Subjects, Strangers:
		return s.subjects.Len() > 0
	default:
		return s.conversations.Len() > 0
	}
}

// Others is how many events there were that show no data to their actor.
func (s *Span) Others() int64 { return s.others }

// Subjects and Conversations are the span's distinct ids.
func (s *Span) Subjects() *Distinct { return &s.subjects }

// Conversations is the span's set of conversations.
func (s *Span) Conversations() *Distinct { return &s.conversations }

// Meet notes the judgement of a value that the span had not met before; first is
// when the actor first used it, zero for now.
func (s *Span) Meet(c Category, p float64, label string, frame novelty.Frame, first int64) {
	r := &s.Rare[c]
	r.Values++
	if r.Values == 1 || p < r.P {
		r.P, r.Label, r.Frame, r.First = p, label, frame, first
	}
}

// SpanState is a Span in the form that is kept.
type SpanState struct {
	_                       struct{} `cbor:",toarray"`
	Index                   int64
	Open                    bool
	First, Last             int64
	Counts                  [Counts]float64
	Sizes                   [Sizes]float64
	SizeKnown               [Sizes]bool
	OutcomeKnown            bool
	Subjects, Conversations DistinctState
	Rare                    [Categories]Rare
	Away, Burst             float64
	Page                    PageSize
	Order                   sequence.Order
	Rhythm                  sequence.Rhythm
	Surprise                sequence.Surprise
	Opened                  map[uint64]uint8
	Silent                  int
	Reasoned                float64
	Others                  int64
	Looked                  reasons.Reason
	Verified, Awaited       float64
	Without                 DistinctState
}

// State returns what Restore takes.
func (s *Span) State() (SpanState, error) {
	// What a closed span's sets held is never asked for; when it was, and what was
	// rare in it, may be.
	st := SpanState{
		Index: s.Index, Open: s.Open, First: s.First, Last: s.Last, Counts: s.counts, Sizes: s.sizes,
		SizeKnown: s.sizeKnown, OutcomeKnown: s.outcomeKnown, Rare: s.Rare,
		Away: s.Away, Burst: s.burst, Page: s.page, Order: s.order, Rhythm: s.rhythm, Surprise: s.surprise, Opened: s.opened.marks, Silent: s.opened.silent,
		Reasoned: s.reasoned, Others: s.others, Looked: s.reasons.looked, Verified: s.reasons.verified, Awaited: s.reasons.awaited,
	}
	if !s.Open {
		return st, nil
	}
	var err error
	if st.Subjects, err = s.subjects.State(); err != nil {
		return st, err
	}
	if st.Without, err = s.reasons.without.State(); err != nil {
		return st, err
	}
	st.Conversations, err = s.conversations.State()
	return st, err
}

// Restore takes back a state.
func (s *Span) Restore(st SpanState) error {
	*s = Span{
		Index: st.Index, Open: st.Open, First: st.First, Last: st.Last, counts: st.Counts, sizes: st.Sizes,
		sizeKnown: st.SizeKnown, outcomeKnown: st.OutcomeKnown, Rare: st.Rare,
		Away: st.Away, burst: st.Burst, page: st.Page, order: st.Order, rhythm: st.Rhythm, surprise: st.Surprise,
		opened: opened{st.Opened, st.Silent}, reasoned: st.Reasoned, others: st.Others,
		reasons: told{looked: st.Looked, verified: st.Verified, awaited: st.Awaited},
	}
	if err := s.reasons.without.Restore(st.Without); err != nil {
		return err
	}
	if err := s.subjects.Restore(st.Subjects); err != nil {
		return err
	}
	return s.conversations.Restore(st.Conversations)
}
