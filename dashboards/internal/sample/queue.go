package sample

import (
	"cmp"
	"context"
	"slices"
	"time"

	"vigil"
	"vigil/internal/api"
)

// QueueCase is the case that a finding begins which belongs to no other.
func QueueCase(f *vigil.Finding) vigil.Case {
	return vigil.Case{
		ID: "c-" + f.ID[2:], Revision: 1, State: vigil.CaseNew, About: f.About,
		Actor: f.Actor, ActorKind: f.ActorKind, Role: f.Role, Team: f.Team, Tenant: f.Tenant, Subject: f.Subject, Source: f.Source, Network: f.Network,
		Findings: []string{f.ID}, Total: 1, Lead: f.ID, Severity: f.Severity, Harm: f.Harm, Open: f.State == vigil.StateOpen,
		Start: f.Start, End: f.End, Opened: f.Detected, Stores: f.Stores, Sources: f.Sources,
	}
}

// Queue implements api.CaseQueue: in the order of adding, with a place after each case.
func (r *Reader) Queue(ctx context.Context, f api.QueueFilter) (api.QueuePage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "Queue"); err != nil {
		return api.QueuePage{}, err
	}
	page, listed, after := api.QueuePage{Spent: Spent(), Total: vigil.Unknown}, map[string]bool{}, f.After == ""
	for i := range r.findings {
		lead := r.findings[i]
		c := QueueCase(&lead)
		if held := r.caseOf(lead.ID); held != nil {
			c = held.Case
		}
		if listed[c.ID] || !fits(&c, &f) {
			continue
		}
		listed[c.ID] = true
		fresh := !r.seen[c.ID] && c.State == vigil.CaseNew
		if fresh {
			page.News++
		}
		if f.New && !fresh {
			continue
		}
		if !after {
			after = f.After == c.ID
			continue
		}
		if len(page.Items) == cmp.Or(f.Limit, 50) {
			page.Next = page.Items[len(page.Items)-1].Case.ID
			break
		}
		page.Items = append(page.Items, api.QueueItem{Case: c, Lead: lead, New: fresh})
	}
	if f.Owner == "" && !f.Unowned && f.About == "" && f.Place == "" && !f.New && f.OpenedFrom.IsZero() && f.OpenedTo.IsZero() {
		page.Total = int64(len(listed))
	}
	return page, nil
}

func fits(c *vigil.Case, f *api.QueueFilter) bool {
	return c.Severity.Rank() >= f.MinSeverity.Rank() && (f.State == "" || c.State == f.State) && (!f.Unresolved || c.State != vigil.CaseResolved) &&
		(f.Owner == "" || c.Owner == f.Owner) && (!f.Unowned || c.Owner == "") && (f.About == "" || c.About == f.About) &&
		(f.Place == "" || slices.Contains(append(slices.Clone(c.Stores), c.Sources...), f.Place)) &&
		!c.Opened.Before(f.OpenedFrom) && (f.OpenedTo.IsZero() || c.Opened.Before(f.OpenedTo))
}

// See notes that everything is seen.
func (r *Reader) See() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.findings {
		r.seen["c-"+r.findings[i].ID[2:]] = true
	}
}

// CaseFile implements api.CaseQueue.
func (r *Reader) CaseFile(ctx context.Context, id string) (api.CaseFile, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "CaseFile"); err != nil {
		return api.CaseFile{}, err
	}
	file := api.CaseFile{}
	for i := range r.cases {
		if r.cases[i].Case.ID == id {
			file.CaseView = r.cases[i]
		}
	}
	for i := range r.findings {
		if c := QueueCase(&r.findings[i]); c.ID == id && file.Case.ID == "" {
			file.CaseView = api.CaseView{Case: c, Events: []vigil.CaseEvent{{N: 1, Case: id, Time: c.Opened, By: "vigil", Kind: vigil.CaseOpened, Text: string(c.Severity)}}, Total: 1}
		}
	}
	if file.Case.ID == "" {
		return api.CaseFile{}, api.ErrNotFound
	}
	for _, f := range r.findings {
		switch c := QueueCase(&f); {
		case f.ID == file.Case.Lead:
			file.Lead = f
			file.Findings = append([]vigil.Finding{f}, file.Findings...)
		case slices.Contains(file.Case.Findings, f.ID):
			file.Findings = append(file.Findings, f)
		case c.Actor != "" && c.Actor == file.Case.Actor:
			file.Related = append(file.Related, c)
		}
	}
	r.seen[id] = true
	return file, nil
}

// Spent is what came of the budget lately.
func Spent() api.Spent {
	return api.Spent{
		Until: Now(), Lanes: []api.LaneSpent{
			{Lane: "day", Week: 2, Month: 7}, {Lane: "quarter", Week: 3, Month: 5}, {Lane: "rule", Week: 4, Month: 11}, {Lane: "subject", Week: 0, Month: 1},
		},
		Below: &api.Below{Replay: "r-3", Asked: Now().Add(-26 * time.Hour), From: Now().AddDate(0, 0, -30), To: Now(), Budget: 2, New: 9},
	}
}

// Judged is a resolved case of a finding.
func Judged(f *vigil.Finding, w vigil.Word) api.CaseView {
	v := Case(f)
	v.Case.State, v.Case.Word = vigil.CaseResolved, w
	v.Case.Touched = &vigil.Touch{Mark: vigil.Mark{By: v.Case.Owner, Time: Now().Add(-time.Hour)}, Revision: v.Case.Revision}
	return v
}
