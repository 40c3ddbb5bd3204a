package detector

import (
	"vigil"
	"vigil/detector/reasons"
	"vigil/detector/rules"
)

// except runs the rules on an exception. A finding is about the one who made it. The
// exception protects whom its finding is about, and for whom it holds.
func (e *Engine) except(made *vigil.Exception) {
	x := rules.Exception{ID: made.ID, By: made.By, Actor: made.Actor, Tenant: made.Who.Tenant, At: made.Time.UTC(), Until: made.To.UTC()}
	if made.Who.Actor == made.By {
		x.Actor = made.By
	}
	ev := vigil.NewEvent()
	ev.Time, ev.Action, ev.Actor, ev.Resource = x.At, vigil.ActionConfigure, vigil.Actor{ID: x.By, Tenant: x.Tenant}, "exceptions"
	h := actorHash(ev)
	sh := e.shards[(h^h>>32)%shardCount]
	key := string(appendActorKey(nil, x.Tenant, x.By))
	a := sh.byKey[key]
	if a == nil {
		a = &actor{Key: key, ID: x.By, Tenant: x.Tenant}
	}
	for _, hit := range sh.watch.CheckException(&x) {
		sh.dirty = true
		sh.hit(a, ev, reasons.Checked{}, hit)
	}
}
