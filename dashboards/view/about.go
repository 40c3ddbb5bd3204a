package view

import (
	"vigil"
)

// about is what a finding is about, of the closed set.
func about(f *vigil.Finding) string {
	switch f.About {
	case vigil.AboutSubject, vigil.AboutNetwork, vigil.AboutTeam, vigil.AboutSource:
		return string(f.About)
	}
	return string(vigil.AboutActor)
}

// figures are the counts that say something about what the finding is about.
func figures(f *vigil.Finding) []Figure {
	part := func(one, many string) Figure {
		n := count(int64(len(f.Actors)), one, many)
		if len(f.Actors) >= maxActors {
			n.Value += "+"
		}
		return n
	}
	accesses := count(f.Events, "access", "accesses")
	switch f.About {
	case vigil.AboutSubject:
		return []Figure{part("reader", "readers"), accesses, count(f.Rows, "row", "rows")}
	case vigil.AboutNetwork:
		return []Figure{part("account", "accounts"), accesses, count(f.Subjects, "customer", "customers")}
	case vigil.AboutTeam:
		return []Figure{part("member above the usual", "members above the usual"), accesses}
	case vigil.AboutSource:
		return []Figure{count(f.Events, "event told", "events told")}
	}
	out := []Figure{count(f.Subjects, "customer", "customers"), accesses, count(f.Rows, "row", "rows")}
	if f.Conversations > 0 {
		out = append(out, count(f.Conversations, "conversation", "conversations"))
	}
	return out
}

// tookPart stands over those who took part.
func tookPart(a vigil.About) string {
	switch a {
	case vigil.AboutSubject:
		return "Who read this customer"
	case vigil.AboutNetwork:
		return "Who came from there"
	case vigil.AboutTeam:
		return "Who did more than usual"
	}
	return "Who took part"
}

func timelineOf(a vigil.About) string {
	switch a {
	case vigil.AboutSubject:
		return "Accesses to this customer"
	case vigil.AboutNetwork:
		return "Accesses from this network"
	case vigil.AboutTeam:
		return "Accesses of those members"
	case vigil.AboutSource:
		return "What this source told"
	}
	return "This actor’s accesses"
}

func eventsOf(a vigil.About) string {
	switch a {
	case vigil.AboutSubject:
		return "everybody’s accesses to this customer; those with a stated reason did not count"
	case vigil.AboutNetwork:
		return "everybody’s accesses from this network"
	case vigil.AboutTeam:
		return "accesses of the members named above"
	case vigil.AboutSource:
		return "what this source told, from an hour before it fell silent"
	}
	return ""
}
