package detector

import (
	"math"
	"slices"
	"strings"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
	"vigil/models/novelty"
)

// quiet is how long after its last evidence a finding closes.
var quiet = [features.Lanes]int64{12 * hourNanos, 3 * 24 * hourNanos, 14 * 24 * hourNanos}

// incident is an actor's open finding in the making.
type incident struct {
	Finding vigil.Finding
	// Lane is the lane that declared it; -1 for a rule.
	Lane int
	// Told is how much of it was said when it last came out.
	Told told
	// LastEvidence is the event time of the last evidence for it.
	LastEvidence int64
	Terms        map[int]trail
	Foreign      bool // from a network that is new to everyone
	// New is what came since it was last told as news.
	New renewal
	// Settled says that somebody said what it was: it is no reason any more to learn
	// less of the rest.
	Settled bool

	// held is what the evidence covers; since, what came after it. It joins held
	// when more evidence comes, and is dropped when the finding closes.
	held, since holding
}

// holding is what a stretch of accesses touched.
type holding struct {
	Events    int64
	Others    int64 // what shows nothing to its actor: writes, sign-ins
	Rows      float64
	RowsTold  bool
	End       int64
	Resources map[string]struct{}
	Networks  map[string]struct{}
	Classes   map[string]struct{}
	// Looked are the reasons that were looked for; without are the customers for whom
	// none was found.
	Looked   reasons.Reason
	subjects features.Distinct
	convers  features.Distinct
	without  features.Distinct
}

func newHolding() holding {
	return holding{Resources: map[string]struct{}{}, Networks: map[string]struct{}{}, Classes: map[string]struct{}{}}
}

// add counts an event, of which why tells the reasons.
func (h *holding) add(e *vigil.Event, why reasons.Checked) {
	h.End = max(h.End, e.Time.UnixNano())
	if e.Network != "" && len(h.Networks) < listLimit {
		h.Networks[e.Network] = struct{}{}
	}
	if !e.Action.Discloses() {
		h.Others++
		return
	}
	h.Events++
	if e.Rows >= 0 {
		h.Rows += float64(e.Rows)
		h.RowsTold = true
	}
	for _, id := range e.Subjects {
		h.subjects.Add(id, vigil.MaxSubjects)
	}
	h.subjects.AddUnnamed(features.Unnamed(e))
	h.Looked |= why.Looked
	if why.Unjustified() {
		for _, id := range e.Subjects {
			h.without.Add(id, vigil.MaxSubjects)
		}
		h.without.AddUnnamed(features.Unnamed(e))
	}
	if e.Conversation != "" {
		h.convers.Add(e.Conversation, vigil.MaxSubjects)
	}
	h.place(e)
}

// place notes what was touched, and of what class it is.
func (h *holding) place(e *vigil.Event) {
	if e.ResourceClass != "" && len(h.Classes) < listLimit {
		h.Classes[e.ResourceClass] = struct{}{}
	}
	if e.Resource != "" && len(h.Resources) < listLimit {
		name := e.Resource
		if e.Store != "" {
			name = e.Store + "/" + name
		}
		h.Resources[name] = struct{}{}
	}
}

// list tells f what was touched.
func (h *holding) list(f *vigil.Finding) {
	f.Resources, f.Stores = split(h.Resources)
	f.Networks, f.Classes = sorted(h.Networks), sorted(h.Classes)
}

// take counts what a lane's run of evidence held, and its open span.
func (h *holding) take(la *lane) {
	if r := la.Run; r != nil {
		h.Events += int64(r.Events)
		h.Others += r.Others
		h.Rows += r.Rows
		h.RowsTold = h.RowsTold || r.RowsTold
		h.subjects.Merge(&r.subjects, vigil.MaxSubjects)
		h.convers.Merge(&r.convers, vigil.MaxSubjects)
		h.without.Merge(&r.without, vigil.MaxSubjects)
		h.Looked |= r.Looked
	}
	if !la.span.Open {
		return
	}
	h.End = max(h.End, la.span.Last)
	h.Events += int64(la.span.Value(features.Events))
	h.Others += la.span.Others()
	if la.span.Told(features.Rows) {
		h.Rows += la.span.Value(features.Rows)
		h.RowsTold = true
	}
	h.subjects.Merge(la.span.Subjects(), vigil.MaxSubjects)
	h.convers.Merge(la.span.Conversations(), vigil.MaxSubjects)
	without, looked := la.span.Unreasoned()
	h.without.Merge(without, vigil.MaxSubjects)
	h.Looked |= looked
}

// join takes over what o holds and leaves it empty.
func (h *holding) join(o *holding) {
	h.Events += o.Events
	h.Others += o.Others
	h.Rows += o.Rows
	h.RowsTold = h.RowsTold || o.RowsTold
	h.End = max(h.End, o.End)
	for _, l := range [...]struct{ into, from map[string]struct{} }{
		{h.Resources, o.Resources}, {h.Networks, o.Networks}, {h.Classes, o.Classes},
	} {
		for _, s := range sorted(l.from) {
			if len(l.into) < listLimit {
				l.into[s] = struct{}{}
			}
		}
	}
	h.subjects.Merge(&o.subjects, vigil.MaxSubjects)
	h.convers.Merge(&o.convers, vigil.MaxSubjects)
	h.without.Merge(&o.without, vigil.MaxSubjects)
	h.Looked |= o.Looked
	*o = newHolding()
}

// confirm notes further evidence at t: what came since belongs to the finding.
func (in *incident) confirm(t int64, r float64) {
	in.LastEvidence = max(in.LastEvidence, t)
	in.Finding.Evidence = max(in.Finding.Evidence, r)
	in.held.join(&in.since)
}

type told struct {
	Subjects, Events, Rows, Conversations int64
	Severity                              vigil.Severity
}

// reopen is how long after its last evidence a closed finding takes up new
// evidence about the same actor, instead of a second finding.
const reopen = 7 * 24 * hourNanos

// listLimit bounds the resources and networks that a finding lists.
const listLimit = 20

// declare opens a finding about the actor, or opens its last one again. all and e
// are the deciding span's judgement, r is log10 of the evidence with it.
func (sh *shard) declare(a *actor, l features.Lane, t int64, all []judged, e, r float64) {
	la := &a.Lane[l]
	start := la.span.First
	if la.Since != 0 {
		start = min(start, la.Since)
	}
	in := a.past
	other := in != nil && in.another(la, all, e)
	if in != nil && t-in.LastEvidence < reopen && !(other && in.apart(la)) {
		// The same story goes on, or nobody can tell.
		in.Finding.State = vigil.StateOpen
		in.Finding.Evidence = max(in.Finding.Evidence, r)
		in.LastEvidence = t
	} else {
		other = false
		in = &incident{Lane: int(l), LastEvidence: t, Terms: map[int]trail{}, held: newHolding(), since: newHolding()}
		in.Finding = vigil.Finding{
			ID: findingID(a.Key, l.String(), start), State: vigil.StateOpen, About: vigil.AboutActor,
			Start: utc(start), Detected: utc(t), Lane: l.String(),
			Evidence: r, Threshold: sh.shared.budget.Line[l],
		}
		in.identify(a)
	}
	a.open, a.past = in, nil
	a.openJournal(l, in.Finding.ID, start, t)
	if !slices.Contains(sh.opened, a) {
		sh.opened = append(sh.opened, a)
	}
	from := la
	if la.span.First <= in.held.End {
		// Part of this span was counted before the finding closed.
		from = &a.Lane[features.Quarter]
	}
	in.held.take(from)
	if la.Run != nil {
		for _, tr := range la.Run.Terms {
			key := tr.Best.Term + terms*int(l)
			in.Terms[key] = in.Terms[key].join(tr)
		}
	}
	in.grow(a, l, all, e)
	in.touched(a, start)
	if in.Finding.Revision == 0 {
		in.Finding.Counterfactual = sh.counterfactual(a, l, all)
		in.Finding.NotJudged = sh.notJudged(a, l)
	}
	if other {
		in.aggravate()
	}
	sh.tell(a, true)
	in.New.tell(t, e, in.breadth())
}

// identify copies what is known of the actor.
func (in *incident) identify(a *actor) {
	f := &in.Finding
	f.Actor, f.ActorKind, f.Role, f.Team, f.Tenant, f.Source = a.ID, a.Kind, a.Role, a.Team, a.Tenant, a.Source
}

// touched lists the resources and networks used since start, and the classes of data.
func (in *incident) touched(a *actor, start int64) {
	q := features.Quarter.Index(start)
	for c, set := range map[features.Category]map[string]struct{}{features.Resource: in.held.Resources, features.Network: in.held.Networks} {
		for _, v := range a.Values[c].Values {
			if int64(v.Span) >= q {
				set[v.Label.String()] = struct{}{}
			}
		}
	}
	a.Classes.since(q, in.held.Classes)
	for c := range a.Lane[features.Quarter].span.Rare {
		r := a.Lane[features.Quarter].span.Rare[c]
		if features.Category(c) == features.Network && r.Values > 0 && r.Frame >= novelty.NewToPeers {
			in.Foreign = true
		}
	}
}

// shares splits log10 e over the terms by their part in the mean.
func shares(all []judged, e float64, each func(j *judged, part float64)) {
	if e <= 1 {
		return
	}
	var sum float64
	for i := range all {
		sum += termWeight(all[i].Term) * all[i].E
	}
	for i := range all {
		j := &all[i]
		part := termWeight(j.Term) * j.E / sum * math.Log10(e)
		// A new network explains more than it weighs: it is kept though it be slight.
		_, isCategory := termCategory(j.Term)
		if part > 0.01 || isCategory && j.P < 0.01 {
			each(j, part)
		}
	}
}

// learn notes which terms the run's evidence came from.
func (r *run) learn(a *actor, l features.Lane, all []judged, e float64) {
	shares(all, e, func(j *judged, part float64) {
		at := slices.IndexFunc(r.Terms, func(tr trail) bool { return tr.Best.Term == j.Term })
		if at < 0 {
			at = len(r.Terms)
			r.Terms = append(r.Terms, trail{})
		}
		r.Terms[at] = r.Terms[at].follow(a, l, j, part)
	})
}

// grow adds a span's terms to the finding.
func (in *incident) grow(a *actor, l features.Lane, all []judged, e float64) {
	shares(all, e, func(j *judged, part float64) {
		key := j.Term + terms*int(l)
		in.Terms[key] = in.Terms[key].follow(a, l, j, part)
	})
}

// follow adds one span's part to a term's trail. A span that is judged early and
// again at its close counts once, at its most.
func (tr trail) follow(a *actor, l features.Lane, j *judged, part float64) trail {
	if i := a.Lane[l].span.Index; tr.Last != i {
		tr.Last, tr.Part = i, 0
	}
	tr.Log += math.Max(0, part-tr.Part)
	tr.Part = math.Max(tr.Part, part)
	if tr.Epoch == 0 || j.E > tr.Best.E || (j.E == tr.Best.E && j.Seen > tr.Best.Seen) {
		tr.Lane, tr.Epoch, tr.Best = l, a.Lane[l].span.Index, *j
	}
	return tr
}

// join adds a later trail of the same term: of a finding that opens again.
func (tr trail) join(o trail) trail {
	o.Log += tr.Log
	if tr.Best.E > o.Best.E {
		o.Lane, o.Epoch, o.Best = tr.Lane, tr.Epoch, tr.Best
	}
	return o
}

// tell hands the finding out when it is new or has grown enough to be worth it.
func (sh *shard) tell(a *actor, always bool) {
	in := a.open
	f := &in.Finding
	h := &in.held
	f.Subjects, f.Conversations, f.Rows = vigil.Unknown, vigil.Unknown, vigil.Unknown
	if n := h.subjects.Len(); n > 0 {
		f.Subjects = n
	}
	if n := h.convers.Len(); n > 0 {
		f.Conversations = n
	}
	if h.RowsTold {
		f.Rows = int64(math.Min(h.Rows, 1<<62))
	}
	f.Events, f.End = h.Events, utc(h.End)
	severity := in.severity()
	grown := grew(f.Events, in.Told.Events) || grew(f.Subjects, in.Told.Subjects) || grew(f.Rows, in.Told.Rows) ||
		grew(f.Conversations, in.Told.Conversations) || severity.Rank() > in.Told.Severity.Rank()
	if !always && !grown {
		return
	}
	f.Severity = severity
	f.SubjectIDs = h.subjects.IDs()
	h.list(f)
	f.Contributions = in.contributions(a)
	f.Harm = in.harm()
	sh.reasons(f, h)
	f.Sentence = sentence(f, h.Others, in.telling(a))
	f.Revision++
	in.Told = told{Subjects: f.Subjects, Events: f.Events, Rows: f.Rows, Conversations: f.Conversations, Severity: severity}
	sh.emit(f)
}

// grew says that a count has grown by a quarter since it was told.
func grew(now, told int64) bool { return float64(now) >= 1.25*float64(max(1, told)) && now > told }

func (sh *shard) emit(f *vigil.Finding) {
	out := *f
	out.Contributions = slices.Clone(f.Contributions)
	sh.found = append(sh.found, out)
}

// expire closes findings that have been quiet.
func (sh *shard) expire(t int64) {
	if len(sh.opened) == 0 {
		return
	}
	kept := sh.opened[:0]
	for _, a := range sh.opened {
		in := a.open
		wait := quiet[features.Quarter]
		if in.Lane > 0 {
			wait = quiet[in.Lane]
		}
		if t-in.LastEvidence < wait {
			kept = append(kept, a)
			continue
		}
		sh.finish(a)
		sh.dirty = true
	}
	clear(sh.opened[len(kept):])
	sh.opened = kept
}

// finish closes the actor's finding and starts its evidence afresh.
func (sh *shard) finish(a *actor) {
	a.open.Finding.State = vigil.StateClosed
	sh.closeJournal(a)
	sh.tell(a, true)
	a.open.since = newHolding()
	a.open, a.past = nil, a.open
	for l := range a.Lane {
		a.Lane[l].Detector.R = 0
		if a.Lane[l].Since != 0 {
			sh.endRun(a, features.Lane(l))
		}
	}
}

// breadth is how many people a finding may be about: customers, else
// conversations, else a tenth of the rows.
func (in *incident) breadth() float64 {
	n := max(in.held.subjects.Len(), in.held.convers.Len())
	if n == 0 && in.held.RowsTold {
		return in.held.Rows / 10
	}
	return max(float64(n), in.held.Rows/100)
}

// severity is harm: how many people's data, whether it left for a network that
// nobody knows, and whether more than one story is told in it.
func (in *incident) severity() vigil.Severity {
	n := in.breadth()
	if in.Foreign {
		n *= 10
	}
	s := vigil.SeverityLow
	switch {
	case n >= 1000:
		s = vigil.SeverityCritical
	case n >= 100:
		s = vigil.SeverityHigh
	case n >= 10:
		s = vigil.SeverityMedium
	}
	return raised(s, in.New.Raised)
}

// harm is the expected harm: people, weighed by how far the evidence outruns its
// line.
func (in *incident) harm() float64 {
	n := 1 + in.breadth()
	if in.Foreign {
		n *= 10
	}
	over := math.Pow(10, in.Finding.Evidence-in.Finding.Threshold)
	return n * over / (1 + over)
}

func sorted(set map[string]struct{}) []string {
	out := make([]string, 0, len(set))
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out[:min(len(out), listLimit)]
}

// split separates "store/resource" names.
func split(set map[string]struct{}) (resources, stores []string) {
	names := map[string]struct{}{}
	houses := map[string]struct{}{}
	for s := range set {
		if store, resource, ok := strings.Cut(s, "/"); ok {
			houses[store] = struct{}{}
			s = resource
		}
		names[s] = struct{}{}
	}
	return sorted(names), sorted(houses)
}
