package sample

import (
	"context"
	"reflect"
	"slices"
	"time"

	"vigil"
	"vigil/internal/api"
)

// Case is the case of a finding: somebody has it, the person was asked and answered, and
// the 72-hour clock runs.
func Case(f *vigil.Finding) api.CaseView {
	at := f.Detected
	ann, bob := "actor-3x9qv7r0ann1k", "actor-81mz5t2wbob6c"
	c := vigil.Case{
		ID: "c-" + f.ID[2:], Revision: 7, State: vigil.CaseAcknowledged, About: f.About,
		Actor: f.Actor, ActorKind: f.ActorKind, Role: f.Role, Team: f.Team, Tenant: f.Tenant, Subject: f.Subject, Source: f.Source, Network: f.Network,
		Findings: []string{f.ID, "f-20d4be81f3aa9c17"}, Total: 4, Lead: f.ID, Severity: f.Severity, Harm: f.Harm, Open: true,
		Start: f.Start, End: f.End, Opened: at, Owner: ann,
		Acknowledged: &vigil.Mark{By: ann, Time: at.Add(4 * time.Minute)},
		Aware:        &vigil.Mark{By: bob, Time: at.Add(50 * time.Minute)},
		Asked: &vigil.Asked{Mark: vigil.Mark{By: ann, Time: at.Add(9 * time.Minute)}, To: "actor-who",
			Answered: at.Add(31 * time.Minute), Why: "I was at lunch, and nobody here uses that key at this hour"},
		Told: []string{"mail", "slack"},
	}
	v := api.CaseView{Case: c}
	for i, e := range []vigil.CaseEvent{
		{Time: at, By: "vigil", Kind: vigil.CaseOpened, Text: "high"},
		{Time: at.Add(2 * time.Minute), By: "vigil", Kind: vigil.CaseGrew, Text: "from high to critical"},
		{Time: at.Add(4 * time.Minute), By: ann, Kind: vigil.CaseTaken, Text: "took note of it"},
		{Time: at.Add(9 * time.Minute), By: ann, Kind: vigil.CaseAsked, Text: "asked the person"},
		{Time: at.Add(31 * time.Minute), By: "actor-who", Kind: vigil.CaseAnswered, Text: "it was not them: I was at lunch, and nobody here uses that key at this hour"},
		{Time: at.Add(50 * time.Minute), By: bob, Kind: vigil.CaseAware, Text: "became aware of a breach: the authority is to be notified until 5 Nov 15:09 UTC"},
		{Time: at.Add(55 * time.Minute), By: bob, Kind: vigil.CaseNoted, Text: "The key is revoked. The vendor looks for who had it."},
	} {
		e.N, e.Case = int64(i+1), c.ID
		v.Events = append(v.Events, e)
	}
	v.Total = len(v.Events) + 3
	return v
}

// HostileCase is Case with every text one of texts, in turn beginning with the i-th. The
// ids by which it is looked up are not touched.
func HostileCase(f *vigil.Finding, texts []string, i int) api.CaseView {
	v := Case(f)
	id, first := v.Case.ID, v.Case.Findings[0]
	v.Case.Snoozed, v.Case.SnoozedBy = Now().Add(time.Hour), "x"
	fill := &filler{texts: texts, at: i, numbers: []float64{0}}
	fill.value(reflect.ValueOf(&v).Elem())
	v.Case.ID, v.Case.Findings[0] = id, first
	return v
}

// SetCase says to which case its findings belong.
func (r *Reader) SetCase(v api.CaseView) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cases = slices.DeleteFunc(r.cases, func(x api.CaseView) bool { return x.Case.ID == v.Case.ID })
	r.cases = append(r.cases, v)
}

// caseOf finds the case of a finding, nil for none. The caller holds mu.
func (r *Reader) caseOf(finding string) *api.CaseView {
	for i := range r.cases {
		if slices.Contains(r.cases[i].Case.Findings, finding) {
			return &r.cases[i]
		}
	}
	return nil
}

// Cases implements api.CaseReader.
func (r *Reader) Cases(ctx context.Context, f api.QueueFilter) (api.CasePage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "Cases"); err != nil {
		return api.CasePage{}, err
	}
	var all []vigil.Case
	for i := range r.cases {
		c := &r.cases[i].Case
		if c.Severity.Rank() < f.MinSeverity.Rank() || f.State != "" && c.State != f.State || f.Unresolved && c.State == vigil.CaseResolved {
			continue
		}
		all = append(all, *c)
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	return api.CasePage{Cases: all[:min(f.Limit, len(all))], Total: int64(len(all))}, nil
}

// CaseEvents implements api.CaseReader.
func (r *Reader) CaseEvents(ctx context.Context, id string, after int64, limit int) (out []vigil.CaseEvent, err error) {
	v, err := r.Case(ctx, id)
	for _, e := range v.Events {
		if e.N > after && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, err
}

// Case implements api.CaseReader.
func (r *Reader) Case(ctx context.Context, id string) (api.CaseView, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "Case"); err != nil {
		return api.CaseView{}, err
	}
	for i := range r.cases {
		if r.cases[i].Case.ID == id {
			return r.cases[i], nil
		}
	}
	return api.CaseView{}, api.ErrNotFound
}

// FindingCase implements api.CaseReader.
func (r *Reader) FindingCase(ctx context.Context, id string) (api.CaseView, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin(ctx, "FindingCase"); err != nil {
		return api.CaseView{}, err
	}
	if c := r.caseOf(id); c != nil {
		return *c, nil
	}
	return api.CaseView{}, api.ErrNotFound
}
