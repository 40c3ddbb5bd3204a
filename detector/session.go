package detector

import (
	"cmp"

	"vigil"
	"vigil/detector/features"
)

// session is the client of an actor's latest session, by hash, and the one that it
// moved there from at the time Moved (Unix nanoseconds).
type session struct {
	ID, Network, Agent     uint64
	FromNetwork, FromAgent uint64
	Moved                  int64
}

// returnWithin is how soon (nanoseconds) a session must be back where it was to be in
// two places at once.
const returnWithin = int64(15 * 60 * 1e9)

// follow adds to the actor's open spans what one event tells in the light of
// those before: customers that nobody around had read, and a session that goes on
// from elsewhere.
func (sh *shard) follow(a *actor, e *vigil.Event, tr *trace, values *[features.Categories]features.Value) {
	strangers := int(tr.strangers.Load())
	split := a.session.alternated(e, values)
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

// alternated notes the event's client and reports whether its session is back at a
// network or program that it had left a moment ago: two clients in turn, which is
// what a stolen session looks like and a change of networks does not. They count each
// time.
func (s *session) alternated(e *vigil.Event, values *[features.Categories]features.Value) bool {
	if e.Session == "" || e.Late {
		return false
	}
	id := features.Hash(e.Session)
	network, program := values[features.Network].Hash, values[features.Agent].Hash
	differs := func(a, b uint64) bool { return a != 0 && b != 0 && a != b }
	if s.ID != id {
		*s = session{ID: id, Network: network, Agent: program}
		return false
	}
	t := e.Time.UnixNano()
	back := s.Moved != 0 && t-s.Moved <= returnWithin
	network, program = cmp.Or(network, s.Network), cmp.Or(program, s.Agent)
	movedNetwork, movedProgram := differs(s.Network, network), differs(s.Agent, program)
	alternated := back && (movedNetwork && network == s.FromNetwork || movedProgram && program == s.FromAgent)
	if movedNetwork || movedProgram {
		s.FromNetwork, s.FromAgent, s.Moved = s.Network, s.Agent, t
	}
	s.Network, s.Agent = network, program
	return alternated
}
