package detector

import (
	"time"

	"vigil"
	"vigil/detector/reasons"
	"vigil/detector/rules"
)

// controlException is the type of the control record by which somebody silences the
// findings about an actor, and exception what it brings.
const controlException = "exception"

type exception struct {
	ID     string    `json:"id"`
	By     string    `json:"by"`
	Actor  string    `json:"actor"`
	Tenant string    `json:"tenant"`
	Time   time.Time `json:"time"`
	Until  time.Time `json:"until"`
}

// except runs the rules on an exception. A finding is about the one who made it.
func (e *Engine) except(made exception) {
	x := rules.Exception{ID: made.ID, By: made.By, Actor: made.Actor, Tenant: made.Tenant, At: made.Time.UTC(), Until: made.Until.UTC()}
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
