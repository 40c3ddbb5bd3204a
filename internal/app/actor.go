package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/detector"
	"vigil/internal/activity"
	"vigil/internal/api"
	"vigil/internal/evidence"
	"vigil/internal/ledger"
)

const (
	// actorWeeks is of how many weeks an actor's hours are counted, and within which a
	// network counts as used.
	actorWeeks = 4
	week       = 7 * 24 * time.Hour
	// actorActivity is what of an actor's time is shown at first.
	actorActivity = 2 * week
	// maxStores bounds the stores that are told of an actor, sessionsTold the sessions.
	maxStores    = 20
	sessionsTold = 20
	// askModel is how long the model may take to answer: it is asked between two
	// batches of what it judges.
	askModel = time.Second
)

// actorQuery asks for the accesses of one actor.
func actorQuery(tenant, id string) ledger.EventQuery {
	return ledger.EventQuery{Actor: id, Tenant: &tenant}
}

// mayLookAt records that who asks looks at an actor, unless it is themselves.
func (r *reader) mayLookAt(ctx context.Context, tenant, id, what string) error {
	if names := api.PersonOf(ctx).Logins; len(names) > 0 && r.app.people.Load().is(names, tenant, id) {
		return cmp.Or(r.record(ctx, "kept off their own page", "actor "+id), api.ErrOwnCase)
	}
	return r.record(ctx, what, "actor "+id)
}

// Actor implements api.ActorExplorer.
func (r *reader) Actor(ctx context.Context, tenant, id string) (api.ActorView, error) {
	if err := r.mayLookAt(ctx, tenant, id, "actor read"); err != nil {
		return api.ActorView{}, err
	}
	out := api.ActorView{Actor: vigil.Actor{ID: id, Tenant: tenant}, Now: r.eventTime()}
	r.askModel(ctx, tenant, id, &out)
	var err error
	if out.Findings, out.FindingsTotal, err = r.app.ledger.FindingsOf(ctx, id, api.MaxHistory); err != nil {
		return out, err
	}
	out.Findings = r.othersFindings(ctx, out.Findings)
	for i := range out.Findings {
		r.app.desk.triage.rate(&out.Findings[i])
	}
	for i := range out.Findings { // what the model has forgotten they still tell
		f := &out.Findings[i]
		if f.Actor == id && f.Tenant == tenant {
			out.Actor.Kind, out.Actor.Role, out.Actor.Team = cmp.Or(out.Actor.Kind, f.ActorKind), cmp.Or(out.Actor.Role, f.Role), cmp.Or(out.Actor.Team, f.Team)
		}
	}
	return out, nil
}

// eventTime is the time up to which the log is judged, the clock's before anything is.
func (r *reader) eventTime() time.Time {
	if w := r.app.judge().status.Load().Watermark; !w.IsZero() {
		return w
	}
	return r.app.opts.Now().UTC()
}

// ActorLately implements api.ActorExplorer.
func (r *reader) ActorLately(ctx context.Context, tenant, id string) (api.ActorLately, error) {
	if err := r.mayLookAt(ctx, tenant, id, "actor's latest weeks read"); err != nil {
		return api.ActorLately{}, err
	}
	return r.lately(ctx, tenant, id)
}

// lately adds up the actor's latest weeks.
func (r *reader) lately(ctx context.Context, tenant, id string) (api.ActorLately, error) {
	q := actorQuery(tenant, id)
	to := r.eventTime().Truncate(time.Hour).Add(time.Hour)
	// The networks of the last week are told, those of the weeks before it are known.
	q.From, q.To = to.Add(-actorWeeks*week), to
	var seen activity.Week
	networks := activity.Networks{From: to.Add(-week).UnixNano()}
	stores := map[string]struct{}{}
	var times []int64
	var first, last int64
	texts := append(networkTexts(), evidence.TextStore, evidence.TextAction)
	_, err := r.app.ledger.Tally(ctx, q, texts, func(c evidence.Columns) {
		addNetworks(&networks, &c)
		for i, t := range c.Times {
			if vigil.Action(c.Texts[5][i]).Discloses() { // as the model counts what it expects
				seen.Add(t)
			}
			if first == 0 || t < first {
				first = t
			}
			last = max(last, t)
			if s := c.Texts[4][i]; s != "" && len(stores) < maxStores {
				stores[s] = struct{}{}
			}
		}
		if len(times) <= maxTimes {
			times = append(times, c.Times...)
		}
	})
	if err != nil {
		return api.ActorLately{}, err
	}
	out := api.ActorLately{Weeks: actorWeeks, Stores: slices.Sorted(maps.Keys(stores)), Seen: seen[:], Networks: networksOf(&networks)}
	out.Networks.Past = q.From
	if len(times) <= maxTimes {
		sessions, left := sessionsOf(times)
		tell := max(0, len(sessions)-sessionsTold)
		out.Sessions, out.SessionsLeft = sessions[tell:], left+tell
	}
	if last != 0 {
		out.First, out.Last = time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
	}
	return out, nil
}

// askModel adds what the model knows of the actor.
func (r *reader) askModel(ctx context.Context, tenant, id string, out *api.ActorView) {
	ctx, cancel := context.WithTimeout(ctx, askModel)
	defer cancel()
	p, known, err := r.app.judge().profile(ctx, tenant, id)
	switch {
	case err != nil:
		out.Known = api.ModelBusy
		return
	case !known:
		out.Known = api.ModelStranger
		return
	case p.Short:
		out.Known = api.ModelOutline
	default:
		out.Known = api.ModelKnows
	}
	out.Actor, out.Source, out.First, out.Last, out.Expected = p.Actor, p.Source, p.Born, p.Seen, p.Expected
	if p.Peers.Members > 0 {
		kind, rest, _ := strings.Cut(p.Peers.Key, "|")
		role, team, _ := strings.Cut(rest, "|")
		out.Peers = api.Peers{Kind: kind, Role: role, Team: team, Learned: p.Peers.Learned, Members: p.Peers.Members}
	}
	for _, l := range p.Levels {
		out.Levels = append(out.Levels, api.Level{Observation: l.Observation, Own: l.Own, High: l.High, Peers: l.Peers, Everyone: l.Everyone})
	}
	for _, f := range p.Firsts {
		out.Firsts = append(out.Firsts, api.FirstSeen{Category: f.Category, Label: f.Label, First: f.First, Share: f.Share})
	}
	for _, x := range p.Paths {
		out.Paths = append(out.Paths, evidencePath(&x))
	}
}

func evidencePath(x *detector.ProfilePath) api.EvidencePath {
	out := api.EvidencePath{Lane: x.Lane, Ready: x.Ready, Line: x.Line, Now: x.Now}
	for _, s := range x.Steps {
		out.Steps = append(out.Steps, api.Point{Time: s.Time, Value: s.Evidence})
	}
	return out
}

// ActorActivity implements api.ActorExplorer.
func (r *reader) ActorActivity(ctx context.Context, tenant, id string, from, to time.Time) (api.Activity, error) {
	if err := r.mayLookAt(ctx, tenant, id, "actor's timeline read"); err != nil {
		return api.Activity{}, err
	}
	now := r.eventTime().Truncate(time.Hour).Add(time.Hour)
	if from.IsZero() && to.IsZero() {
		from, to = now.Add(-actorActivity), now
	}
	return r.activity(ctx, actorQuery(tenant, id), activitySpan{from, to, now.Add(-explorePast), now}, true)
}

var _ api.ActorExplorer = (*reader)(nil)
