package sample

import (
	"context"
	"time"

	"vigil"
	"vigil/internal/api"
)

var (
	_ api.FindingExplorer = (*Reader)(nil)
	_ api.ActorExplorer   = (*Reader)(nil)
)

// FindingAccesses implements api.FindingExplorer.
func (r *Reader) FindingAccesses(ctx context.Context, id string, x api.EventFilter) (api.EventPage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "FindingAccesses"); err != nil {
		return api.EventPage{}, err
	}
	var all []*vigil.Event
	for _, e := range r.events[id] {
		if (x.Resource == "" || e.Resource == x.Resource) && (x.Network == "" || e.Network == x.Network) && (x.Conversation == "" || e.Conversation == x.Conversation) &&
			(x.Outcome == "" || e.Outcome == x.Outcome) && within(e.Time, x.From, x.To) {
			all = append(all, e)
		}
	}
	from := min(x.Offset, len(all))
	to := min(from+x.Limit, len(all))
	return api.EventPage{Events: all[from:to], Total: len(all), More: to < len(all)}, nil
}

func within(t, from, to time.Time) bool {
	return (from.IsZero() || !t.Before(from)) && (to.IsZero() || t.Before(to))
}

// FindingActivity implements api.FindingExplorer: of the events of the finding, and a few
// a day before it.
func (r *Reader) FindingActivity(ctx context.Context, id string, from, to time.Time) (api.Activity, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "FindingActivity"); err != nil {
		return api.Activity{}, err
	}
	for _, f := range r.findings {
		if f.ID == id {
			return activityOf(r.events[id], f.Start.Add(-14*24*time.Hour), f.Start.Add(-56*24*time.Hour), f.End.Add(24*time.Hour), from, to), nil
		}
	}
	return api.Activity{}, api.ErrNotFound
}

// activityOf counts events within a span: by hours and longer, or one by one.
func activityOf(events []*vigil.Event, first, least, most, from, to time.Time) api.Activity {
	if from.IsZero() && to.IsZero() {
		from, to = first, most
	}
	if from.Before(least) {
		from = least
	}
	if to.IsZero() || to.After(most) {
		to = most
	}
	if to.Before(from.Add(time.Second)) {
		to = from.Add(time.Second)
	}
	a := api.Activity{From: from, To: to, Min: least, Max: most}
	// Five a day in office hours, before what there is.
	for day := least.Truncate(24 * time.Hour); len(events) > 0 && day.Before(events[0].Time.Add(-24*time.Hour)); day = day.Add(24 * time.Hour) {
		for i := range 5 {
			e := *events[i%len(events)]
			e.Time = day.Add(time.Duration(9+i) * time.Hour)
			if within(e.Time, from, to) {
				a.Singles = append(a.Singles, &e)
			}
		}
	}
	for _, e := range events {
		if within(e.Time, from, to) {
			a.Singles = append(a.Singles, e)
		}
	}
	a.Total = len(a.Singles)
	var last time.Time
	for _, e := range a.Singles {
		if n := len(a.Sessions); n > 0 && e.Time.Sub(last) < 30*time.Minute {
			a.Sessions[n-1].To = e.Time
			a.Sessions[n-1].Accesses++
		} else {
			a.Sessions = append(a.Sessions, api.Session{From: e.Time, To: e.Time, Accesses: 1})
		}
		last = e.Time
	}
	if to.Sub(from) <= 6*time.Hour {
		return a
	}
	a.Bucket = max(to.Sub(from)/300, time.Minute).Truncate(time.Minute)
	n := int((to.Sub(from) + a.Bucket - 1) / a.Bucket)
	a.Counts, a.Customers = make([]float64, n), make([]float64, n)
	for _, e := range a.Singles {
		i := int(e.Time.Sub(from) / a.Bucket)
		a.Counts[i]++
		a.Customers[i]++
	}
	a.Singles = nil
	return a
}

// networks are those of a vendor's stolen token.
func networks() api.Networks {
	return api.Networks{Past: now.Add(-28 * 24 * time.Hour), Left: 3, Unnamed: 12, Others: 2, List: []api.NetworkUse{
		{Network: "203.0.113.0/24", Country: "NL", ASN: "AS64500 Example Hosting", Accesses: 2140, Refused: 31, First: now.Add(-2 * time.Hour), Last: now},
		{Network: "198.51.100.0/24", Country: "DE", ASN: "AS64496 Example Net", Accesses: 48, Before: 9120, First: now.Add(-2 * time.Hour), Last: now.Add(-time.Hour)},
		{Network: "192.0.2.0/24", Country: "DE", ASN: "AS64496 Example Net", Accesses: 14, Before: 311, First: now.Add(-2 * time.Hour), Last: now.Add(-time.Hour)},
		{Network: "local", Accesses: 1, Before: 2, First: now.Add(-time.Hour), Last: now.Add(-time.Hour)},
	}}
}

// FindingNetworks implements api.FindingExplorer.
func (r *Reader) FindingNetworks(ctx context.Context, id string) (api.Networks, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := networks()
	if r.hostile != nil {
		r.hostile(&n)
	}
	return n, r.begin(ctx, "FindingNetworks")
}

// FindingRelated implements api.FindingExplorer: all other findings are related.
func (r *Reader) FindingRelated(ctx context.Context, id string) (out []api.Related, left int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ties := []api.Tie{{Relation: api.RelatedActor, Name: "p_k4d9x2mq7w"}, {Relation: api.RelatedNetwork, Name: "203.0.113.0/24"}, {Relation: api.RelatedCase, Name: "c-1"}, {Relation: api.RelatedShape, Name: "select cases"}, {Relation: api.RelatedSubject, Name: "s_00001"}}
	if r.hostile != nil {
		r.hostile(&ties)
	}
	for i, f := range r.findings {
		if f.ID == id {
			continue
		}
		if len(out) == 6 {
			left++
			continue
		}
		out = append(out, api.Related{Finding: f, Ties: ties[i%len(ties) : i%len(ties)+1]})
	}
	return out, left, r.begin(ctx, "FindingRelated")
}

// Taint makes what is told beside the findings hold what fill puts into it.
func (r *Reader) Taint(fill func(any)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hostile = fill
}

// Actor implements api.ActorExplorer: the same is known of every actor of a finding.
func (r *Reader) Actor(ctx context.Context, tenant, id string) (api.ActorView, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "Actor"); err != nil {
		return api.ActorView{}, err
	}
	a := actorView(tenant, id)
	a.Findings = r.of(tenant, id)
	if len(a.Findings) == 0 {
		return a, api.ErrNotFound
	}
	a.FindingsTotal = len(a.Findings) + 1
	a.Actor.Kind, a.Actor.Role, a.Actor.Team = a.Findings[0].ActorKind, a.Findings[0].Role, a.Findings[0].Team
	if r.hostile != nil {
		findings := a.Findings
		a.Findings = nil
		r.hostile(&a)
		a.Findings, a.Known = findings, api.ModelKnows
	}
	return a, nil
}

func actorView(tenant, id string) api.ActorView {
	a := api.ActorView{
		Actor: vigil.Actor{ID: id, Tenant: tenant}, Source: "helpdesk", First: now.Add(-90 * 24 * time.Hour), Last: now.Add(-10 * time.Minute), Now: now,
		Expected: make([]float64, 168), Known: api.ModelKnows,
		Peers: api.Peers{Kind: "vendor", Role: "crm-sync", Team: "integrations", Members: 12},
		Levels: []api.Level{
			{Observation: "events", Own: 84, High: 160, Peers: 61, Everyone: 40}, {Observation: "subjects", Own: 24, High: 52, Peers: 21, Everyone: 14},
			{Observation: "denied", Own: 0, High: 2, Peers: 0.1, Everyone: 0.1},
		},
		Firsts: []api.FirstSeen{
			{Category: "network", Label: "203.0.113.0/24", First: now.Add(-2 * time.Hour), Share: 0.02}, {Category: "network", Label: "198.51.100.0/24", First: now.Add(-80 * 24 * time.Hour), Share: 0.9},
			{Category: "resource", Label: "helpdesk/public.messages", First: now.Add(-70 * 24 * time.Hour), Share: 0.4}, {Category: "hour", Label: "22:00", First: now.Add(-3 * time.Hour), Share: 0.01},
		},
	}
	for h := range 168 {
		if working(h) {
			a.Expected[h] = 6 + float64(h%24%5)
		}
	}
	quarter := api.EvidencePath{Lane: "quarter", Ready: true, Line: 4.3, Now: 3.1}
	for i := range 12 {
		quarter.Steps = append(quarter.Steps, api.Point{Time: now.Add(-time.Duration(12-i) * 15 * time.Minute), Value: []float64{0.6, 1.2, 0.3, 0.8, 2.4, 4.9, 8.1, 11.4, 10.2, 9.0, 6.1, 4}[i]})
	}
	a.Paths = []api.EvidencePath{quarter, {Lane: "day", Ready: true, Line: 3.7, Now: 0}, {Lane: "week"}}
	return a
}

// working reports whether an hour of the week is one of work.
func working(h int) bool { return h/24 < 5 && h%24 >= 8 && h%24 < 18 }

// ActorLately implements api.ActorExplorer.
func (r *Reader) ActorLately(ctx context.Context, tenant, id string) (api.ActorLately, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "ActorLately"); err != nil {
		return api.ActorLately{}, err
	}
	a := api.ActorLately{
		Weeks: 4, First: now.Add(-28 * 24 * time.Hour), Last: now.Add(-10 * time.Minute), Stores: []string{"helpdesk", "crm"}, Seen: make([]float64, 168),
		Networks: networks(), SessionsLeft: 41,
		Sessions: []api.Session{{From: now.Add(-30 * time.Hour), To: now.Add(-28 * time.Hour), Accesses: 40}, {From: now.Add(-2 * time.Hour), To: now, Accesses: 2202}},
	}
	for h := range a.Seen {
		if working(h) {
			a.Seen[h] = 4 * (5 + float64((h*7)%6))
		}
	}
	a.Seen[14], a.Seen[15] = 700, 1500
	if r.hostile != nil {
		r.hostile(&a)
	}
	return a, nil
}

// ActorActivity implements api.ActorExplorer.
func (r *Reader) ActorActivity(ctx context.Context, tenant, id string, from, to time.Time) (api.Activity, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "ActorActivity"); err != nil {
		return api.Activity{}, err
	}
	findings := r.of(tenant, id)
	if len(findings) == 0 {
		return api.Activity{}, api.ErrNotFound
	}
	return activityOf(r.events[findings[0].ID], now.Add(-14*24*time.Hour), now.Add(-56*24*time.Hour), now, from, to), nil
}

// of lists the findings of an actor. Once texts are tainted, everybody has the first few.
func (r *Reader) of(tenant, id string) (out []vigil.Finding) {
	for _, f := range r.findings {
		if r.hostile != nil && len(out) < 3 || f.Actor == id && f.Tenant == tenant {
			out = append(out, f)
		}
	}
	return out
}
