package detector

import (
	"vigil"
	"vigil/detector/features"
)

// session is the client of an actor's latest session, by hash.
type session struct {
	ID, Network, Agent uint64
}

// follow adds to the actor's open spans what one event tells in the light of
// those before: customers that nobody around had read, and a session that goes on
// from elsewhere.
func (sh *shard) follow(a *actor, e *vigil.Event, tr *trace, values *[features.Categories]features.Value) {
	strangers := int(tr.strangers.Load())
	split := a.session.moved(e, values)
	burst, edge := tr.score()
	if strangers == 0 && !split && !edge {
		return
	}
	for l := range features.Lane(features.Lanes) {
		la := &a.Lane[l]
		if !la.span.Open || la.span.Index != l.Index(e.Time.UnixNano()) {
			continue
		}
		la.span.AddStrangers(strangers)
		if edge {
			la.span.AddBurst(burst)
		}
		if split {
			la.span.AddSplit()
		}
	}
}

// moved notes the event's client and reports whether its session was going on from
// another network or with another program a moment ago. Two clients in turn count
// each time.
func (s *session) moved(e *vigil.Event, values *[features.Categories]features.Value) bool {
	if e.Session == "" || e.Late {
		return false
	}
	id := features.Hash(e.Session)
	network, program := values[features.Network].Hash, values[features.Agent].Hash
	differs := func(a, b uint64) bool { return a != 0 && b != 0 && a != b }
	moved := s.ID == id && (differs(s.Network, network) || differs(s.Agent, program))
	*s = session{id, network, program}
	return moved
}
