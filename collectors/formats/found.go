package formats

import (
	"slices"

	"vigil"
)

// maxID bounds an id that is taken for a subject's or a conversation's, in bytes.
const maxID = 256

// Found collects the ids that one access names, each once, by their meaning. The zero
// Found is empty.
type Found struct {
	// Subjects are at most vigil.MaxSubjects, the others at most 64.
	Subjects, Conversations, Tenants, Tickets []string
	// Named is how many subjects were named, more than Subjects holds perhaps.
	Named int64

	known map[string]struct{}
}

// Add notes a value under its meaning. What is no id (empty, too long, not printable)
// is left out, and so is a limit, which is no id.
func (f *Found) Add(m Meaning, value string) {
	if len(value) > maxID {
		return
	}
	if value = Clean(value, maxID); value == "" {
		return
	}
	switch m {
	case MeansSubject:
		if f.known == nil {
			f.known = make(map[string]struct{})
		}
		if _, ok := f.known[value]; ok {
			return
		}
		if len(f.Subjects) < vigil.MaxSubjects {
			f.known[value] = struct{}{}
			f.Subjects = append(f.Subjects, value)
		}
		f.Named++
	case MeansConversation:
		f.Conversations = once(f.Conversations, value)
	case MeansTenant:
		f.Tenants = once(f.Tenants, value)
	case MeansTicket:
		f.Tickets = once(f.Tickets, value)
	}
}

func once(list []string, value string) []string {
	if len(list) >= 64 || slices.Contains(list, value) {
		return list
	}
	return append(list, value)
}

// Fill writes what was found into e: a conversation or a tenant when there is just one.
// confined says that the access is confined to the subjects named, so that their number
// is known.
func (f *Found) Fill(e *vigil.Event, confined bool) {
	e.Subjects = f.Subjects
	if confined && f.Named > 0 {
		e.SubjectCount = f.Named
	}
	if len(f.Conversations) == 1 {
		e.Conversation = f.Conversations[0]
	}
	if len(f.Tenants) == 1 {
		e.ResourceTenant = f.Tenants[0]
	}
	if len(f.Tickets) > 0 {
		e.Ticket = f.Tickets[0]
	}
}
