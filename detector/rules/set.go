package rules

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/vm"

	"vigil"
	"vigil/detector/rules/builtin"
	"vigil/internal/yaml"
)

// Set is rules that run together. It does not change.
type Set struct {
	rules []*Rule
	byID  map[string]*Rule
}

// New makes a set. Of rules with one id the last counts, so that a user's may take
// the place of one that is built in; those that are disabled do not run.
func New(rules []*Rule) *Set {
	s := &Set{byID: map[string]*Rule{}}
	for _, r := range rules {
		s.byID[r.ID] = r
	}
	for _, r := range s.byID {
		if !r.Disabled {
			s.rules = append(s.rules, r)
		}
	}
	slices.SortFunc(s.rules, func(a, b *Rule) int { return cmp.Compare(a.ID, b.ID) })
	return s
}

// Rules are those that run, sorted by id.
func (s *Set) Rules() []*Rule { return s.rules }

// Off are those that their files switch off, sorted by id.
func (s *Set) Off() (off []*Rule) {
	for _, id := range slices.Sorted(maps.Keys(s.byID)) {
		if r := s.byID[id]; r.Disabled {
			off = append(off, r)
		}
	}
	return off
}

// Marks names all rules, those that are switched off too, sorted by id, by the digests
// of their files.
func (s *Set) Marks() []vigil.RuleMark {
	marks := make([]vigil.RuleMark, 0, len(s.byID))
	for _, id := range slices.Sorted(maps.Keys(s.byID)) {
		r := s.byID[id]
		marks = append(marks, vigil.RuleMark{ID: id, Digest: fmt.Sprintf("%x", sha256.Sum256([]byte(r.Text))), Off: r.Disabled})
	}
	return marks
}

// Find returns the rule of an id, nil when there is none.
func (s *Set) Find(id string) *Rule { return s.byID[id] }

// Builtin returns the rules that come with the program. A problem in one of them is
// the program's own, which its tests would have told.
func Builtin() ([]*Rule, error) {
	files, err := builtin.Files()
	if err != nil {
		return nil, fmt.Errorf("read built-in rules: %w", err)
	}
	var out []*Rule
	for _, f := range files {
		r, wrong := Load(f.Name, f.Text)
		if len(wrong) > 0 {
			return nil, &yaml.Error{Problems: wrong}
		}
		r.Builtin = true
		out = append(out, r)
	}
	return out, nil
}

// Hit is a rule that fired on an access.
type Hit struct {
	Rule *Rule
	// Key names what the rule makes one finding of: a conversation, a customer, a day;
	// empty for the actor.
	Key string
	// Customers are those of the whole conversation, sorted, when that is what the rule
	// is about.
	Customers []string
	// Concerned are those of the access's customers whom the rule is about, where it is
	// not about all of them.
	Concerned []string
	// Words are what the rule's texts name of the access.
	Words []string
}

// Failure is that a rule's condition could not be judged.
type Failure struct {
	Rule    *Rule
	Events  int64
	Message string
}

// Watch runs a set over the events of one shard. It is for one goroutine.
type Watch struct {
	set     *Set
	off     func(*Rule) bool
	machine vm.VM
	env     Env
	view    *view

	conversations conversations
	memories      memories
	failed        []Failure // by rule, since Failures was last called
	hits          []Hit
}

// Watch makes a watch that has seen nothing. off says which rules are switched off;
// nil for none.
func (s *Set) Watch(off func(*Rule) bool) *Watch {
	w := &Watch{set: s, off: off, conversations: newConversations(), memories: newMemories(), failed: make([]Failure, len(s.rules))}
	w.view = newView(&w.env)
	return w
}

// Check folds e, of which k is known, and returns the rules that fire on it. The slice
// is good until the next call.
func (w *Watch) Check(e *vigil.Event, k *Known) []Hit {
	w.hits = w.hits[:0]
	w.env.fill(e, k)
	conv, further := w.conversations.add(e, k.Linked)
	if conv != nil {
		w.env.FirstCustomer, w.env.ConversationCustomers, w.env.FurtherCustomers = conv.first, int64(len(conv.others)+1), further
	}
	w.env.MemoryOfAnother = w.memories.add(e)
	for i, r := range w.set.rules {
		if r.exceptional || !w.fires(i, r) {
			continue
		}
		customers, first := e.Subjects, w.env.Customer
		some := k.concerned(e, r)
		if len(some) > 0 {
			customers, w.env.Customer = some, some[0]
		}
		h := w.hit(r)
		h.Concerned, w.env.Customer = some, first
		switch r.Once {
		case OnceConversation:
			h.Key = e.Conversation
		case OnceCustomer:
			if len(customers) == 1 {
				h.Key = customers[0]
			}
		case OnceDay:
			h.Key = e.Time.UTC().Format("2006-01-02")
		}
		if conv != nil && r.whole {
			h.Customers = conv.customers()
		}
		w.hits = append(w.hits, h)
	}
	return w.hits
}

// Fires reports whether a rule that asks for a reason (see Rule.AsksReason) fires on e, of
// which k is known, without folding e.
func (w *Watch) Fires(r *Rule, e *vigil.Event, k *Known) bool {
	i := slices.Index(w.set.rules, r)
	if i < 0 {
		return false
	}
	w.env.fill(e, k)
	return w.fires(i, r)
}

// CheckException returns the rules that fire on an exception, like Check.
func (w *Watch) CheckException(x *Exception) []Hit {
	w.hits = w.hits[:0]
	w.env.fillException(x)
	for i, r := range w.set.rules {
		if r.exceptional && w.fires(i, r) {
			h := w.hit(r)
			h.Key = x.ID
			w.hits = append(w.hits, h)
		}
	}
	return w.hits
}

func (w *Watch) fires(i int, r *Rule) bool {
	if !r.when.guard.may(w.view) || w.off != nil && w.off(r) {
		return false
	}
	holds, err := true, error(nil)
	if !r.when.exact {
		holds, err = r.when.run(&w.machine, &w.env)
	}
	if err == nil && holds && r.unless != nil {
		var spared bool
		spared, err = r.unless.holds(&w.machine, &w.env, w.view)
		holds = holds && !spared
	}
	if err != nil {
		f := &w.failed[i]
		f.Rule = r
		f.Events++
		if f.Message == "" {
			f.Message, _, _ = strings.Cut(told(err).message, "\n")
		}
		return false
	}
	return holds
}

func (w *Watch) hit(r *Rule) Hit {
	h := Hit{Rule: r, Words: make([]string, len(r.words))}
	for i, field := range r.words {
		h.Words[i] = strings.Clone(w.env.text(field))
	}
	return h
}

// Failures returns the rules that failed since Forgive was last called, in the set's
// order.
func (w *Watch) Failures() []Failure {
	var out []Failure
	for i := range w.failed {
		if w.failed[i].Events > 0 {
			out = append(out, w.failed[i])
		}
	}
	return out
}

// Forgive forgets the failures.
func (w *Watch) Forgive() { clear(w.failed) }

// State is what a watch remembers, in the form that is kept.
type State struct {
	Conversations []ConversationState
	Memories      []MemoryState
	Failed        []FailureState
}

// FailureState is one rule's failures in the form that is kept.
type FailureState struct {
	_           struct{} `cbor:",toarray"`
	Fingerprint string
	Events      int64
	Message     string
}

// State returns what is remembered.
func (w *Watch) State() State {
	st := State{Conversations: w.conversations.state(), Memories: w.memories.state()}
	for _, f := range w.Failures() {
		st.Failed = append(st.Failed, FailureState{Fingerprint: f.Rule.Fingerprint, Events: f.Events, Message: f.Message})
	}
	return st
}

// Restore takes back a state.
func (w *Watch) Restore(st State) {
	w.conversations.restore(st.Conversations)
	w.memories.restore(st.Memories)
	for _, f := range st.Failed {
		for i, r := range w.set.rules {
			if r.Fingerprint == f.Fingerprint {
				w.failed[i] = Failure{Rule: r, Events: f.Events, Message: f.Message}
			}
		}
	}
}
