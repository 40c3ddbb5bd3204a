package sample

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"vigil"
	"vigil/internal/access"
	"vigil/internal/api"
)

// Desk works on the cases of a Reader, and keeps exceptions and silences. It is safe for
// concurrent use.
type Desk struct {
	reader *Reader

	mu         sync.Mutex
	done       map[string]bool // keys of deeds
	acts       []api.CaseAct
	colleagues []api.Colleague
	exceptions []vigil.Exception
	silences   []vigil.Silence
	fill       func(v any)
}

// NewDesk has one exception and one silence that hold, and one each that is over.
func NewDesk(r *Reader) *Desk {
	v := Vendor()
	at := Now().Add(-time.Hour)
	x := vigil.Exception{
		ID: "x-00c0ffee00c0ffee", Finding: v.ID, By: "actor-81mz5t2wbob6c", Note: "The move to the new help desk, agreed with Dara.", Time: at, Actor: v.Actor,
		Who: vigil.Who{Actor: v.Actor, Tenant: v.Tenant}, Scope: vigil.ScopeNetwork, Values: []string{"203.0.113.0/24"}, Period: vigil.Period{From: at, To: at.AddDate(0, 1, 0)},
	}
	over := x
	over.ID, over.Ended, over.EndedBy = "x-0123456789abcdef", true, "actor-3x9qv7r0ann1k"
	s := vigil.Silence{
		ID: "s-00c0ffee00c0ffee", By: "actor-3x9qv7r0ann1k", Note: "Load test on staging until tonight.", Time: at, From: at, To: at.AddDate(0, 0, 1),
		Match: vigil.Match{Stores: []string{"staging"}, MaxSeverity: vigil.SeverityMedium},
	}
	quiet := s
	quiet.ID, quiet.From, quiet.To = "s-0123456789abcdef", at.AddDate(0, 0, -3), at.AddDate(0, 0, -2)
	return &Desk{
		reader: r, done: map[string]bool{}, exceptions: []vigil.Exception{x, over}, silences: []vigil.Silence{s, quiet},
		colleagues: []api.Colleague{{By: "actor-81mz5t2wbob6c", Roles: []access.Role{access.RoleResponder}}, {By: "actor-3x9qv7r0ann1k", Roles: []access.Role{access.RoleAnalyst, access.RolePrivacy}}},
	}
}

// Hostilely has every text of exceptions, silences and colleagues be one of texts.
func (d *Desk) Hostilely(texts []string) *Desk {
	at := 0
	d.fill = func(v any) { Fill(v, texts, at); at++ }
	for i := range d.exceptions {
		x := &d.exceptions[i]
		id, scope, period, ended := x.ID, x.Scope, x.Period, x.Ended
		d.fill(x)
		x.ID, x.Scope, x.Period, x.Ended = id, scope, period, ended
	}
	for i := range d.silences {
		s := &d.silences[i]
		id, from, to, ended := s.ID, s.From, s.To, s.Ended
		d.fill(s)
		s.ID, s.From, s.To, s.Ended = id, from, to, ended
	}
	for i := range d.colleagues {
		d.fill(&d.colleagues[i])
	}
	return d
}

// Acts are the deeds that were done.
func (d *Desk) Acts() []api.CaseAct {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.acts)
}

// Work implements api.CaseWorker.
func (d *Desk) Work(ctx context.Context, a api.CaseAct) (api.CaseDone, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	file, err := d.reader.CaseFile(ctx, a.Case)
	if err != nil {
		return api.CaseDone{}, err
	}
	c, who, now := file.Case, api.PersonOf(ctx).By, Now()
	question := "On Mon 2 Nov 2026 between 14:02 and 14:41 UTC an account of yours read data of 212 customers in pg-eu. That is more or other than usual. Was this you, and what was it for?"
	if a.Preview && a.Deed == access.DeedAsk {
		return api.CaseDone{Case: c, Question: question}, nil
	}
	if a.Preview {
		covered := &api.CaseCovered{Since: now.AddDate(0, 0, -30), Says: "this account from 203.0.113.0/24", Events: 212, Of: 340, Wholly: []vigil.Finding{file.Lead}, WhollyTotal: 3, Breaches: 1}
		return api.CaseDone{Case: c, Covered: covered}, nil
	}
	if d.done[a.Key] {
		return api.CaseDone{Case: c}, nil
	}
	if c.Touched != nil && c.Touched.Revision > a.Seen {
		return api.CaseDone{}, fmt.Errorf("%w: %w", api.ErrStale, api.NewProblem(http.StatusConflict, "This case was changed while you looked at it", c.Touched.By+" did so. Nothing of yours was done."))
	}
	event := vigil.CaseEvent{Case: c.ID, N: int64(file.Total + 1), Time: now, By: who, Kind: vigil.CaseNoted, Text: a.Note}
	switch a.Deed {
	case access.DeedAcknowledge:
		c.State, c.Owner, c.Acknowledged, event.Kind = vigil.CaseAcknowledged, who, &vigil.Mark{By: who, Time: now}, vigil.CaseTaken
	case access.DeedAssign:
		if c.Owner, event.Kind = a.To, vigil.CaseAssigned; a.To == "" {
			c.Owner = who
		}
	case access.DeedVerdict:
		c.State, c.Word, event.Kind, event.Text = vigil.CaseResolved, a.Word, vigil.CaseJudged, "judged it: "+string(a.Word)
		if a.TakeBack {
			c.State, c.Word, event.Kind = vigil.CaseAcknowledged, "", vigil.CaseReopened
		}
	case access.DeedAware:
		c.Aware, event.Kind = &vigil.Mark{By: who, Time: now}, vigil.CaseAware
	case access.DeedSnooze:
		c.Snoozed, c.SnoozedBy, event.Kind = now.Add(a.For), who, vigil.CaseSnoozed
	case access.DeedAsk:
		c.Asked, event.Kind = &vigil.Asked{Mark: vigil.Mark{By: who, Time: now}, To: "actor-asked"}, vigil.CaseAsked
	case access.DeedExpect:
		event.Kind = vigil.CaseExcepted
	}
	c.Revision++
	c.Touched = &vigil.Touch{Mark: vigil.Mark{By: who, Time: now}, Revision: c.Revision}
	d.done[a.Key], d.acts = true, append(d.acts, a)
	d.reader.SetCase(api.CaseView{Case: c, Events: append(slices.Clone(file.Events), event), Total: file.Total + 1})
	return api.CaseDone{Case: c}, nil
}

// Colleagues implements api.CaseWorker.
func (d *Desk) Colleagues(context.Context) ([]api.Colleague, error) { return d.colleagues, nil }

// SeeAll implements api.CaseWorker.
func (d *Desk) SeeAll(context.Context) error {
	d.reader.See()
	return nil
}

// Decide implements api.Decider, of which the pages use but the exceptions.
func (d *Desk) Decide(context.Context, api.Saying) (vigil.Verdict, error) {
	return vigil.Verdict{}, api.ErrRefused
}

// Expect implements api.Decider.
func (d *Desk) Expect(context.Context, api.Expecting) (api.Covered, error) {
	return api.Covered{}, api.ErrRefused
}

// Judged implements api.Decider.
func (d *Desk) Judged(context.Context) ([]vigil.Finding, error) { return nil, nil }

// Exceptions implements api.Decider.
func (d *Desk) Exceptions(context.Context) ([]vigil.Exception, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.exceptions), nil
}

// EndException implements api.Decider.
func (d *Desk) EndException(_ context.Context, id, by string) (vigil.Exception, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.exceptions {
		x := &d.exceptions[i]
		switch {
		case x.ID != id:
		case x.Ended:
			return *x, fmt.Errorf("%w: exception %s is ended already", api.ErrRefused, id)
		default:
			x.Ended, x.EndedBy = true, by
			return *x, nil
		}
	}
	return vigil.Exception{}, api.ErrNotFound
}

// Silence implements api.Silencer.
func (d *Desk) Silence(ctx context.Context, a api.Silencing) (api.Silenced, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := vigil.Silence{ID: fmt.Sprintf("s-%d", len(d.silences)), By: "actor-ann", Note: a.Note, Time: Now(), From: Now(), To: Now().Add(time.Duration(a.For) * time.Second), Match: a.Match}
	if err := a.Match.Clean(); err != nil {
		return api.Silenced{}, fmt.Errorf("%w: %w", api.ErrRefused, err)
	}
	out := api.Silenced{Silence: s, Since: Now().AddDate(0, 0, -30), Findings: []string{Vendor().ID}, Total: 4, Breaches: 1, Says: "findings, of store pg"}
	if d.fill != nil {
		d.fill(&out.Says)
	}
	if !a.Preview && !d.done[api.DeedOf(ctx)] {
		d.done[api.DeedOf(ctx)] = true
		d.silences = append([]vigil.Silence{s}, d.silences...)
	}
	return out, nil
}

// EndSilence implements api.Silencer.
func (d *Desk) EndSilence(_ context.Context, id, by string) (vigil.Silence, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.silences {
		if s := &d.silences[i]; s.ID == id {
			s.Ended, s.EndedBy = true, by
			return *s, nil
		}
	}
	return vigil.Silence{}, api.ErrNotFound
}

// Silences implements api.Silencer.
func (d *Desk) Silences(context.Context) ([]vigil.Silence, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.silences), nil
}
