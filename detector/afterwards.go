package detector

import (
	"maps"
	"slices"

	"vigil"
	"vigil/detector/reasons"
	"vigil/detector/rules"
)

// owedLimit bounds the accesses of one finding for which a reason may be told afterwards:
// a finding with more of them stays unexplained.
const owedLimit = 32

// later are the reasons that explain an access afterwards: a ticket of whose actor it is,
// whose time covers it.
const later = reasons.Assigned | reasons.Approved

// owed is an access for which a reason may be told afterwards, with what else was known
// of it.
type owed struct {
	Event         vigil.Event
	Against       reasons.Breach
	PeopleNetwork bool
}

// owe remembers an access for which no reason was found, in a finding of a rule that
// asks for one.
func (r *ruling) owe(e *vigil.Event, k *rules.Known) {
	r.Explained = false
	if len(r.Owed) >= owedLimit || len(e.Subjects) > owedLimit || len(e.Fields) > owedLimit {
		r.Owes = true
		return
	}
	kept := *e
	kept.Subjects, kept.Fields = slices.Clone(e.Subjects), slices.Clone(e.Fields)
	kept.Shape, kept.Origin = "", vigil.Origin{}
	r.Owed = append(r.Owed, owed{kept, k.Against, k.PeopleNetwork})
}

// explain closes the findings of rules that ask for a reason, where all accesses have one
// by what feeds have told since. Findings are remembered for a week after their last hit,
// so tickets written later than that explain nothing.
func (e *Engine) explain() []vigil.Finding {
	told := false
	for _, sh := range e.shards {
		for _, key := range slices.Sorted(maps.Keys(sh.rulings)) {
			if r := sh.rulings[key]; len(r.Owed) > 0 && !r.Owes && !r.Explained && sh.explained(r) {
				r.Explained, told = true, true
				sh.closeRuling(r)
			}
		}
	}
	if !told {
		return nil
	}
	return e.collect()
}

// explained reports whether each access of a finding has a ticket now, and its rule would
// be silent about it. What spoke against an access then still does.
func (sh *shard) explained(r *ruling) bool {
	rule := sh.shared.rules.Find(r.Finding.Rule)
	if rule == nil || !rule.AsksReason() {
		return false
	}
	for i := range r.Owed {
		o := &r.Owed[i]
		k := rules.Known{Checked: sh.shared.book.Check(&o.Event), PeopleNetwork: o.PeopleNetwork, Linked: sh.linked, Concerning: sh.concerning}
		k.Against |= o.Against
		if k.Found&later == 0 || sh.watch.Fires(rule, &o.Event, &k) {
			return false
		}
	}
	return true
}

// explanation stands behind the sentence of a finding that was explained afterwards.
const explanation = " A ticket that covers all of it was told afterwards."
