package detector

import "time"

// Untaught is a time in which an actor's accesses are judged and teach nothing: somebody
// has said that they were a breach. An engine that judges history again is told so for
// breaches that it does not find by itself; of one that it finds, the verdict in the log
// takes out what was taught.
type Untaught struct {
	Tenant, Actor string
	// From and To bound the event time, both inclusive.
	From, To time.Time
}

// stretch is a time in Unix nanoseconds, both ends inclusive.
type stretch struct{ from, to int64 }

// untaughtByActor sorts times by the key of their actor; nil where there are none.
func untaughtByActor(all []Untaught) map[string][]stretch {
	if len(all) == 0 {
		return nil
	}
	out := map[string][]stretch{}
	for _, u := range all {
		key := string(appendActorKey(nil, u.Tenant, u.Actor))
		out[key] = append(out[key], stretch{u.From.UnixNano(), u.To.UnixNano()})
	}
	return out
}

// untaughtNow reports whether what the actor did last teaches nothing.
func (a *actor) untaughtNow() bool {
	for _, s := range a.untaught {
		if a.Seen >= s.from && a.Seen <= s.to {
			return true
		}
	}
	return false
}
