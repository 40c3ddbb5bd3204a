package drill

import (
	"fmt"

	"vigil"
)

// Example is a finding of a drill with what is known of it.
type Example struct {
	// Finding is its last word, without the lists of customers and people.
	Finding vigil.Finding `json:"finding"`
	// Breach says that it tells of a staged breach, else it tells of a trap or of
	// nothing.
	Breach bool `json:"breach"`
	// Staging names what it was found in: findings of one staging belong together.
	Staging string `json:"staging"`
}

// Examples are the findings of all worlds, in the order in which they were found.
// What was declared before the breach that it covers is left out: it is neither.
func (r *Result) Examples() []Example { return r.examples }

// label keeps the findings of one world, of which acts are told.
func (r *Result) label(found []*told, of map[*told]*Act, pairs []*pair, world string) {
	names := map[*Act]string{}
	for _, p := range pairs {
		if p.breach != nil {
			names[p.breach], names[p.trap] = p.scenario.ID, p.scenario.ID+" trap"
		}
	}
	for i, f := range found {
		act := of[f]
		if act != nil && !act.Trap && f.early(act) {
			continue
		}
		e := Example{Finding: f.Finding, Breach: act != nil && !act.Trap, Staging: fmt.Sprintf("%s, finding %d", world, i)}
		if act != nil {
			e.Staging = world + ", " + names[act]
		}
		e.Finding.SubjectIDs, e.Finding.Actors = nil, e.Finding.Actors[:min(len(e.Finding.Actors), 20)]
		r.examples = append(r.examples, e)
	}
}
