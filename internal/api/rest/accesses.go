package rest

import (
	"vigil"
	"vigil/internal/api"
)

// accessesOf are events as they are answered.
func accessesOf(events []*vigil.Event) []api.Access {
	out := make([]api.Access, len(events))
	for i, e := range events {
		out[i] = accessOf(e)
	}
	return out
}

func accessOf(e *vigil.Event) api.Access {
	out := api.Access{
		ID: e.ID, Time: e.Time, Received: e.Received, Source: e.Source,
		Actor: e.Actor.ID, Kind: string(e.Actor.Kind), Role: e.Actor.Role, Team: e.Actor.Team, Tenant: e.Actor.Tenant, App: e.Actor.App,
		Principal: e.Principal, Session: e.Session, Conversation: e.Conversation, Action: string(e.Action),
		Store: e.Store, Resource: e.Resource, ResourceClass: e.ResourceClass, ResourceTenant: e.ResourceTenant,
		Subjects: e.Subjects[:min(len(e.Subjects), api.MaxAccessSubjects)], SubjectCount: known(e.SubjectCount),
		Rows: known(e.Rows), Bytes: known(e.Bytes), Limit: known(e.Limit), Fields: e.Fields, Unbounded: e.Unbounded, Step: int(e.Step),
		Ticket: e.Ticket, Purpose: e.Purpose, Network: e.Network, Country: e.Country, ASN: e.ASN, UserAgent: e.UserAgent,
		Outcome: string(e.Outcome), Shape: e.Shape, Late: e.Late,
	}
	if to := e.Destination; to != nil && *to != (vigil.Destination{}) {
		out.Destination = &api.AccessDestination{Kind: to.Kind, Network: to.Network, Region: to.Region}
	}
	return out
}

// known is a count, nil where the source does not tell it.
func known(n int64) *int64 {
	if n == vigil.Unknown {
		return nil
	}
	return &n
}
