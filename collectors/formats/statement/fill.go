package statement

import "vigil"

// Fill writes what the statement says into e, save its outcome: a conversation or a
// tenant when there is just one.
func (r *Result) Fill(e *vigil.Event) {
	e.Action, e.Resource, e.ResourceClass = r.Action, r.Resource, r.Class
	e.Subjects, e.SubjectCount, e.Limit = r.Subjects, r.SubjectCount, r.Limit
	e.Fields, e.Unbounded, e.Shape = r.Fields, r.Unbounded, r.Shape
	if len(r.Conversations) == 1 {
		e.Conversation = r.Conversations[0]
	}
	if len(r.Tenants) == 1 {
		e.ResourceTenant = r.Tenants[0]
	}
	if len(r.Tickets) > 0 {
		e.Ticket = r.Tickets[0]
	}
	if r.Destination != "" {
		e.Destination = &vigil.Destination{Kind: r.Destination}
	}
}
