package client

import (
	"context"
	"iter"
	"net/url"
	"time"

	"vigil"
	"vigil/internal/api"
)

// Access is one event. What the source does not tell is empty or nil.
type Access = api.Access

// AccessFilter narrows the accesses of a finding. The zero filter lists those of the
// finding's own time.
type AccessFilter struct {
	// From and To bound when, the second excluded: at most eight weeks before the finding
	// and a day after it.
	From, To                                 time.Time
	Resource, Network, Conversation, Session string
	Outcome                                  vigil.Outcome
	// Page is how many are asked for at once, 1 to 500; zero means 100.
	Page int
}

// FindingEvents lists the accesses that a finding is about, in order of time.
func (c *Client) FindingEvents(ctx context.Context, finding string, f AccessFilter) iter.Seq2[Access, error] {
	q := url.Values{}
	setTime(q, "from", f.From)
	setTime(q, "to", f.To)
	set(q, "resource", f.Resource)
	set(q, "network", f.Network)
	set(q, "conversation", f.Conversation)
	set(q, "session", f.Session)
	set(q, "outcome", string(f.Outcome))
	return pages[Access](ctx, c, path("findings", finding, "events"), q, f.Page, "events")
}
