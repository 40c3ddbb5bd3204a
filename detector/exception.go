package detector

import (
	"cmp"
	"slices"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
	"vigil/detector/rules"
)

// maxHeld bounds the exceptions that are held; the oldest end first.
const maxHeld = 1000

// except makes, replaces or ends an exception.
func (e *Engine) except(x vigil.Exception) {
	s := e.shared
	s.exceptions = slices.DeleteFunc(s.exceptions, func(o vigil.Exception) bool {
		return o.ID == x.ID || e.order.watermark > o.To.UnixNano()
	})
	if !x.Ended {
		s.exceptions = append(s.exceptions, x)
		s.exceptions = s.exceptions[max(0, len(s.exceptions)-maxHeld):]
		slices.SortFunc(s.exceptions, func(a, b vigil.Exception) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID)) })
	}
	if !x.Ended {
		e.suspectException(&x)
	}
	// What is expected is learnt in full.
	sh, a := e.known(x.Who.Tenant, x.Actor)
	if a == nil {
		return
	}
	for _, in := range [...]*incident{a.open, a.past} {
		if in != nil && in.Finding.ID == x.Finding {
			in.Settled = !x.Ended
			sh.dirty = true
		}
	}
}

// suspectException runs the rules on an exception. A finding is about the one who
// made it.
func (e *Engine) suspectException(made *vigil.Exception) {
	x, ev := deedOf(made)
	sh, a := e.known(x.Tenant, x.By)
	if a == nil {
		a = &actor{Key: string(appendActorKey(nil, x.Tenant, x.By)), ID: x.By, Tenant: x.Tenant}
	}
	for _, hit := range sh.watch.CheckException(&x) {
		sh.dirty = true
		sh.hit(a, ev, reasons.Checked{}, hit)
	}
}

// deedOf is the making of an exception as rules see it, and as an access.
func deedOf(made *vigil.Exception) (rules.Exception, *vigil.Event) {
	x := rules.Exception{ID: made.ID, By: made.By, Actor: made.Actor, Tenant: made.Who.Tenant, At: made.Time, Until: made.To}
	if made.Who.Actor == made.By {
		x.Actor = made.By
	}
	e := vigil.NewEvent()
	e.Time, e.Action, e.Actor, e.Resource = x.At, vigil.ActionConfigure, vigil.Actor{ID: x.By, Tenant: x.Tenant}, "exceptions"
	return x, e
}

// excused reports whether an exception about the actor holds at t and fits.
func (s *shared) excused(a *actor, t int64, fits func(x *vigil.Exception) bool) bool {
	if len(s.exceptions) == 0 {
		return false
	}
	who := vigil.Actor{ID: a.ID, Kind: a.Kind, Role: a.Role, Team: a.Team, Tenant: a.Tenant}
	for i := range s.exceptions {
		if x := &s.exceptions[i]; fits(x) && x.Holds(utc(t)) && x.Who.Fits(&who) {
			return true
		}
	}
	return false
}

// expectsValue reports whether the actor is expected to use a value of a category.
func (s *shared) expectsValue(a *actor, t int64, c features.Category, label string) bool {
	scope := vigil.Scope("")
	switch c {
	case features.Network:
		scope = vigil.ScopeNetwork
	case features.Resource:
		scope = vigil.ScopeResource
	default:
		return false
	}
	return s.excused(a, t, func(x *vigil.Exception) bool { return x.Scope == scope && slices.Contains(x.Values, label) })
}

// expectsAmount reports whether so much of what an observation counts (a kind, or a
// measure that tells an amount) is expected of the actor in a lane's span.
func (s *shared) expectsAmount(a *actor, t int64, l features.Lane, observation string, n float64) bool {
	return s.excused(a, t, func(x *vigil.Exception) bool {
		return x.Scope == vigil.ScopeAmount && slices.ContainsFunc(x.Bounds, func(b vigil.Bound) bool {
			return b.Span == l.String() && b.Observation == observation && n <= b.Most
		})
	})
}

// verdict takes a finding out of the baselines when it is said to be a breach or
// misuse, and puts it back when that is no longer said. Expected ends the suspicion.
func (e *Engine) verdict(v *vigil.Verdict) {
	for _, t := range e.targets {
		if t.takeOut(v.Finding, v.Word.Bad()) {
			return
		}
	}
	sh, a := e.known(v.Tenant, v.Actor)
	if a == nil {
		return
	}
	for _, in := range [...]*incident{a.open, a.past} {
		if in != nil && in.Finding.ID == v.Finding {
			in.Settled = v.Word.Bad() || v.Word == vigil.WordExpected
			sh.dirty = true
		}
	}
	if j := a.journalOf(v.Finding); j != nil {
		if out := v.Word.Bad(); out != j.Out {
			sh.takeOut(a, j, out)
			e.estrange(a, j, out)
		}
		sh.makeUp(a, j, v.Word.Bad() || v.Word == vigil.WordExpected)
	}
}

// known is the shard and the actor of that name, nil when it is not held in full.
func (e *Engine) known(tenant, id string) (*shard, *actor) {
	h := actorHash(&vigil.Event{Actor: vigil.Actor{Tenant: tenant, ID: id}})
	sh := e.shards[(h^h>>32)%shardCount]
	return sh, sh.byKey[string(appendActorKey(nil, tenant, id))]
}
