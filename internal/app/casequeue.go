package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"vigil"
	"vigil/internal/api"
)

// Queue implements api.CaseQueue.
func (r *reader) Queue(ctx context.Context, f api.QueueFilter) (api.QueuePage, error) {
	page, err := r.Cases(ctx, f)
	if err != nil {
		return api.QueuePage{}, err
	}
	who, l, cases := api.PersonOf(ctx).By, r.app.ledger, page.Cases
	ids := make([]string, len(cases))
	for i := range cases {
		ids[i] = cases[i].ID
	}
	fresh, err := l.NewTo(ctx, who, ids)
	if err != nil {
		return api.QueuePage{}, err
	}
	out := api.QueuePage{Next: page.Next, Total: page.Total}
	r.app.desk.triage.refresh(ctx)
	for i := range cases {
		lead, err := leadOf(ctx, l, &cases[i])
		if err != nil {
			return api.QueuePage{}, err
		}
		r.app.desk.triage.rate(&lead)
		out.Items = append(out.Items, api.QueueItem{Case: cases[i], Lead: lead, New: fresh[cases[i].ID]})
	}
	if out.News, err = l.News(ctx, f, r.viewer(ctx)); err != nil {
		return api.QueuePage{}, err
	}
	if out.Spent, err = r.spent.get(ctx, r.app); err != nil {
		return api.QueuePage{}, err
	}
	if b := r.app.backtests; b != nil {
		out.Spent.Below, out.Spent.Counting, err = b.below(r.app.judge().status.Load().Budget)
	}
	return out, err
}

// CaseFile implements api.CaseQueue. Who has read it has seen what is new of it.
func (r *reader) CaseFile(ctx context.Context, id string) (api.CaseFile, error) {
	view, err := r.Case(ctx, id)
	if err != nil {
		return api.CaseFile{}, err
	}
	file, c, l := api.CaseFile{CaseView: view}, &view.Case, r.app.ledger
	if file.Lead, err = leadOf(ctx, l, c); err != nil {
		return api.CaseFile{}, err
	}
	r.app.desk.triage.refresh(ctx)
	r.app.desk.triage.rate(&file.Lead)
	file.Findings = append(file.Findings, file.Lead)
	for _, one := range c.Findings {
		if one == c.Lead || len(file.Findings) >= api.MaxFileFindings {
			continue
		}
		f, err := l.Finding(ctx, one)
		if gone(err) {
			continue
		}
		if err != nil {
			return api.CaseFile{}, err
		}
		r.app.desk.triage.rate(&f)
		file.Findings = append(file.Findings, f)
	}
	related, err := l.CasesOn(ctx, topicsOf(c, file.Findings), c.ID, api.MaxRelated)
	if err != nil {
		return api.CaseFile{}, err
	}
	if file.Related, _, err = r.others(ctx, related); err != nil {
		return api.CaseFile{}, err
	}
	return file, l.SeeCase(ctx, api.PersonOf(ctx).By, c.ID, r.app.opts.Now())
}

// topicsAtMost bounds the topics by which related cases are looked for.
const topicsAtMost = 200

// topicsOf are the topics of cases that a case may have to do with: its own, and those of
// the people, customers, networks and the team that its findings tell of.
func topicsOf(c *vigil.Case, findings []vigil.Finding) []string {
	seen := map[string]bool{c.Topic(): true}
	add := func(about vigil.About, names ...string) {
		for _, n := range names {
			f := vigil.Finding{About: about, Tenant: c.Tenant}
			switch about {
			case vigil.AboutActor:
				f.Actor = n
			case vigil.AboutSubject:
				f.Subject = n
			case vigil.AboutNetwork:
				f.Network = n
			case vigil.AboutTeam:
				f.Team = n
			}
			// What networks and teams do may be looked at across tenants.
			for _, tenant := range []string{c.Tenant, ""} {
				if f.Tenant = tenant; n != "" && len(seen) < topicsAtMost {
					seen[f.Topic()] = true
				}
			}
		}
	}
	for i := range findings {
		f := &findings[i]
		add(vigil.AboutActor, append([]string{f.Actor}, f.Actors...)...)
		add(vigil.AboutNetwork, append([]string{f.Network}, f.Networks...)...)
		add(vigil.AboutTeam, f.Team)
		add(vigil.AboutSubject, append([]string{f.Subject}, f.SubjectIDs...)...)
	}
	out := make([]string, 0, len(seen))
	for t := range seen {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// The spans over which what came of the budget is told, and for how long that is kept.
const (
	spentLate = 7 * 24 * time.Hour
	spentAll  = 30 * 24 * time.Hour
	spentKept = time.Minute
)

// spentWatch keeps the newest count of what came for a while. It is safe for concurrent
// use.
type spentWatch struct {
	mu    sync.Mutex
	at    time.Time
	spent *api.Spent
}

func (w *spentWatch) get(ctx context.Context, a *App) (api.Spent, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clock := a.opts.Now()
	if w.spent != nil && clock.Sub(w.at).Abs() < spentKept {
		return *w.spent, nil
	}
	now, err := a.desk.eventNow(ctx)
	if err != nil {
		return api.Spent{}, err
	}
	lanes, err := a.ledger.Declared(ctx, now.Add(-spentAll), now.Add(-spentLate), now.Add(time.Minute))
	if err != nil {
		return api.Spent{}, err
	}
	out := api.Spent{Until: now}
	for _, d := range lanes {
		out.Lanes = append(out.Lanes, api.LaneSpent{Lane: d.Lane, Week: d.Late, Month: d.All})
	}
	w.spent, w.at = &out, clock
	return out, nil
}
