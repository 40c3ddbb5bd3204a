package detector

import (
	"encoding/json"
	"fmt"
	"time"

	"vigil"
	"vigil/detector/reasons"
	"vigil/detector/rules"
)

// controlException is the type of the control record by which somebody silences the
// findings about an actor.
const controlException = "exception"

// control folds a control record. Those that are not known are the future's.
func (e *Engine) control(c *vigil.Control) ([]vigil.Finding, error) {
	switch c.Type {
	case vigil.ControlFacts:
		e.learnFacts(c.Data)
		return nil, nil
	case controlException:
	default:
		return nil, nil // of a later version
	}
	var made struct {
		ID     string    `json:"id"`
		By     string    `json:"by"`
		Actor  string    `json:"actor"`
		Tenant string    `json:"tenant"`
		Time   time.Time `json:"time"`
		Until  time.Time `json:"until"`
	}
	if err := json.Unmarshal(c.Data, &made); err != nil {
		return nil, fmt.Errorf("read control record %q: %w", c.Type, err)
	}
	if made.By == "" || made.Time.IsZero() {
		return nil, nil
	}
	e.except(rules.Exception{ID: made.ID, By: made.By, Actor: made.Actor, Tenant: made.Tenant, At: made.Time.UTC(), Until: made.Until.UTC()})
	return e.collect(), nil
}

// except runs the rules on an exception. A finding is about the one who made it.
func (e *Engine) except(x rules.Exception) {
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
		sh.hit(a, ev, hit, reasons.Checked{})
	}
}
