package detector

import (
	"maps"
	"slices"
	"sync"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
	"vigil/detector/rules"
)

// builtinRules are the rules that come with the program.
var builtinRules = sync.OnceValues(func() (*rules.Set, error) {
	all, err := rules.Builtin()
	if err != nil {
		return nil, err
	}
	return rules.New(all), nil
})

// rulingLimit bounds the findings by rule that one shard remembers. Of more the one
// that was not hit for longest is closed and forgotten.
const rulingLimit = 256

// ruling is a finding by rule in the making: one for each actor, rule, and what the
// rule makes one finding of. Further hits let it grow; it closes when it was quiet for
// as long as other findings are, and opens again by hits within a week.
type ruling struct {
	Finding vigil.Finding
	Told    told
	// Words are what the last hit was told of, for the rule's texts.
	Words []string
	// Last is the event time of the last hit.
	Last int64
	// Held says that it is one too many of its rule's today, and is not told.
	Held bool
	// Owed are its accesses when its rule asks for a reason; Owes says that there were
	// more than are remembered. Explained says that a reason for each was told since.
	Owed      []owed
	Owes      bool
	Explained bool

	held holding
}

// ruled is a ruling that has something to tell.
type ruled struct {
	ruling *ruling
	told   vigil.Finding
}

// rule runs the rules on an event.
func (sh *shard) rule(a *actor, e *vigil.Event, tr *trace) {
	sh.known.Checked, sh.known.PeopleNetwork = tr.why, sh.peopleNetwork(e)
	for _, h := range sh.watch.Check(e, &sh.known) {
		sh.hit(a, e, tr.why, h)
	}
}

// linked reports whether two customers are known to belong together.
func (sh *shard) linked(one, other string) bool { return sh.shared.book.SameHousehold(one, other) }

// concerning says what speaks against an event because of one of its customers.
func (sh *shard) concerning(e *vigil.Event, customer string) reasons.Breach {
	return sh.shared.book.Concerning(e, customer)
}

// hit opens a finding by rule or lets it grow.
func (sh *shard) hit(a *actor, e *vigil.Event, why reasons.Checked, h rules.Hit) {
	t := e.Time.UnixNano()
	key := a.Key + "\x00" + h.Rule.ID + "\x00" + h.Key
	r := sh.rulings[key]
	if r == nil {
		if len(sh.rulings) >= rulingLimit {
			sh.dropRuling()
		}
		r = &ruling{held: newHolding()}
		r.Finding = vigil.Finding{
			ID: findingID(a.Key, "rule\x00"+h.Rule.ID+"\x00"+h.Key, t), State: vigil.StateOpen, About: vigil.AboutActor, Rule: h.Rule.ID, Lane: "rule",
			Start: utc(t), Detected: utc(t), Evidence: ruleEvidence,
		}
		sh.rulings[key] = r
	}
	f := &r.Finding
	reopened := f.State == vigil.StateClosed
	f.State = vigil.StateOpen
	f.Actor, f.ActorKind, f.Role, f.Team, f.Tenant, f.Source = a.ID, a.Kind, a.Role, a.Team, a.Tenant, e.Source
	if start := utc(t); start.Before(f.Start) {
		f.Start = start
	}
	r.Last, r.Words = max(r.Last, t), h.Words
	if h.Rule.AsksReason() {
		r.owe(e, &sh.known)
	}
	if len(h.Concerned) > 0 {
		narrow := *e
		narrow.Subjects, narrow.SubjectCount = h.Concerned, vigil.Unknown
		e = &narrow
	}
	r.held.add(e, why)
	r.held.place(e)
	for _, id := range h.Customers {
		r.held.subjects.Add(id, vigil.MaxSubjects)
	}
	sh.tellRuling(r, reopened)
}

// ruleEvidence is log10 of the evidence that a rule's hit counts as.
const ruleEvidence = 9

// tellRuling hands the finding out when it is new or has grown enough.
func (sh *shard) tellRuling(r *ruling, always bool) {
	rule := sh.shared.rules.Find(r.Finding.Rule)
	if rule == nil {
		return // it was taken out of the configuration
	}
	f, h := &r.Finding, &r.held
	f.Subjects, f.Conversations, f.Rows, f.Events, f.End = vigil.Unknown, vigil.Unknown, vigil.Unknown, h.Events+h.Others, utc(h.End)
	if n := h.subjects.Len(); n > 0 {
		f.Subjects = n
	}
	if n := h.convers.Len(); n > 0 {
		f.Conversations = n
	}
	if h.RowsTold {
		f.Rows = int64(min(h.Rows, 1<<62))
	}
	f.Severity = ruleSeverity(rule.Severity, f.Subjects)
	// What a conversation is told again for is another customer.
	grown := grew(f.Subjects, r.Told.Subjects) || f.Severity.Rank() > r.Told.Severity.Rank() ||
		!rule.PerConversation() && (grew(f.Events, r.Told.Events) || grew(f.Rows, r.Told.Rows))
	if !always && !grown {
		return
	}
	f.Harm = ruleHarm[rule.Severity] * float64(max(1, f.Subjects))
	sh.reasons(f, h)
	f.SubjectIDs = h.subjects.IDs()
	h.list(f)
	var reason string
	f.Sentence, reason, f.Counterfactual = rule.Say(who(f), r.Words,
		rules.Counts{Accesses: f.Events, Customers: f.Subjects, Conversations: f.Conversations, Rows: f.Rows})
	if r.Explained {
		f.Sentence, f.Unreasoned = f.Sentence+explanation, 0
	}
	c := vigil.Contribution{
		Model: "rule", Observation: "events", Span: "event", SpanStart: f.Start, Frame: "everyone", Seen: float64(f.Events),
		P: 1e-9, E: 1e9, Share: 1, Text: reason,
	}
	if rule.PerConversation() {
		c.Observation, c.Seen, c.Expected, c.Low, c.High = "subjects", float64(f.Subjects), 1, 1, 1
	}
	f.Contributions = []vigil.Contribution{c}
	f.Revision++
	r.Told = told{Subjects: f.Subjects, Events: f.Events, Rows: f.Rows, Conversations: f.Conversations, Severity: f.Severity}
	sh.ruled = append(sh.ruled, ruled{r, *f})
}

// ruleHarm is the harm of one customer's data by a rule's severity.
var ruleHarm = map[vigil.Severity]float64{
	vigil.SeverityLow: 10, vigil.SeverityMedium: 30, vigil.SeverityHigh: 100, vigil.SeverityCritical: 300,
}

// ruleSeverity is a rule's severity, one higher when more than ten customers are concerned,
// and two when more than a thousand are.
func ruleSeverity(s vigil.Severity, subjects int64) vigil.Severity {
	all := [...]vigil.Severity{vigil.SeverityLow, vigil.SeverityMedium, vigil.SeverityHigh, vigil.SeverityCritical}
	at := max(0, s.Rank()-1)
	if subjects > 10 {
		at++
	}
	if subjects > 1000 {
		at++
	}
	return all[min(at, len(all)-1)]
}

// settleRulings closes, once an hour, the findings by rule that have been quiet, and
// forgets those that have been so for a week.
func (sh *shard) settleRulings(t int64) {
	if t/hourNanos <= sh.looked {
		return
	}
	sh.looked = t / hourNanos
	for key, r := range sh.rulings {
		if r.Finding.State == vigil.StateOpen && t-r.Last >= quiet[features.Quarter] {
			sh.closeRuling(r)
		}
		if t-r.Last >= reopen {
			delete(sh.rulings, key)
			sh.dirty = true
		}
	}
}

// closeRuling tells a finding by rule a last time.
func (sh *shard) closeRuling(r *ruling) {
	r.Finding.State = vigil.StateClosed
	sh.tellRuling(r, true)
	sh.dirty = true
}

// closeRulings tells what grew since it was told a last time, at the end of a bounded input.
func (sh *shard) closeRulings() {
	for _, key := range slices.Sorted(maps.Keys(sh.rulings)) {
		if r := sh.rulings[key]; r.held.Events+r.held.Others != r.Told.Events {
			sh.tellRuling(r, true)
		}
	}
}

// dropRuling closes and forgets the ruling that was not hit for longest.
func (sh *shard) dropRuling() {
	oldest := ""
	for key, r := range sh.rulings {
		if o := sh.rulings[oldest]; o == nil || r.Last < o.Last || r.Last == o.Last && key < oldest {
			oldest = key
		}
	}
	if r := sh.rulings[oldest]; r.Finding.State == vigil.StateOpen {
		sh.closeRuling(r)
	}
	delete(sh.rulings, oldest)
}

// rulingState is a ruling in the form that is kept.
type rulingState struct {
	Key    string
	Ruling *ruling
	Held   holdingState
}

func (sh *shard) stateRules(st *shardState) error {
	st.Rules, st.RulingsLooked, st.Offices = sh.watch.State(), sh.looked, slices.Sorted(maps.Keys(sh.offices))
	for _, key := range slices.Sorted(maps.Keys(sh.rulings)) {
		r := sh.rulings[key]
		held, err := r.held.state()
		if err != nil {
			return err
		}
		st.Rulings = append(st.Rulings, rulingState{key, r, held})
	}
	return nil
}

func (sh *shard) restoreRules(st *shardState) error {
	sh.watch.Restore(st.Rules)
	sh.looked = st.RulingsLooked
	for _, network := range st.Offices {
		sh.offices[network] = struct{}{}
	}
	for i := range st.Rulings {
		r := st.Rulings[i].Ruling
		if r == nil {
			continue
		}
		var err error
		if r.held, err = st.Rulings[i].Held.restore(); err != nil {
			return err
		}
		sh.rulings[st.Rulings[i].Key] = r
	}
	return nil
}
