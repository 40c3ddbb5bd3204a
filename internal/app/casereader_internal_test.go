package app

import (
	"errors"
	"slices"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/internal/api"
)

// What the console shows of a case is what people did, and each look at it is recorded.
func TestConsoleReadsCases(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	now := func() time.Time { return o.clock }
	r := newReader(&App{ledger: o.book.ledger, desk: o.desk.desk, opts: Options{Now: now}})
	if _, err := r.FindingCase(t.Context(), "f-1"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("no such finding: %v", err)
	}
	o.find(bulk("f-1", "actor-1", vigil.SeverityHigh), bulk("f-2", "actor-2", vigil.SeverityLow))
	id := o.theCase("f-1").ID
	o.must("U0ANN", alerts.Act{Deed: alerts.DeedAcknowledge, Case: id})
	for i := range api.MaxCaseEvents {
		o.must("U0ANN", alerts.Act{Deed: alerts.DeedNote, Case: id, Note: "looked at it again, " + string(rune('a'+i%26))})
	}

	v, err := r.FindingCase(t.Context(), "f-1")
	if err != nil {
		t.Fatal(err)
	}
	if v.Case.ID != id || v.Case.State != vigil.CaseAcknowledged || v.Case.Acknowledged == nil {
		t.Errorf("case %+v", v.Case)
	}
	n := len(v.Events)
	if n != api.MaxCaseEvents || v.Total != n+2 || v.Events[n-1].Text != "looked at it again, x" || v.Events[0].Kind != vigil.CaseNoted ||
		!slices.IsSortedFunc(v.Events, func(a, b vigil.CaseEvent) int { return int(a.N - b.N) }) {
		t.Errorf("%d events of %d: %+v ... %+v", n, v.Total, v.Events[0], v.Events[n-1])
	}
	if same, err := r.Case(t.Context(), id); err != nil || same.Case.Revision != v.Case.Revision || same.Total != v.Total {
		t.Errorf("by its own id: %+v, %v", same.Case, err)
	}
	if _, err := r.Case(t.Context(), "c-none"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("no such case: %v", err)
	}
	for want, f := range map[int64]api.QueueFilter{2: {Unresolved: true}, 1: {State: vigil.CaseNew}, 0: {State: vigil.CaseResolved}} {
		if page, err := r.Cases(t.Context(), f); err != nil || page.Total != want || int64(len(page.Cases)) != want {
			t.Errorf("%+v: %d cases, %v", f, page.Total, err)
		}
	}
	page, err := r.Findings(t.Context(), api.FindingFilter{})
	if err != nil || len(page.Findings) != 2 || page.Cases["f-1"].ID != id || page.Cases["f-2"].State != vigil.CaseNew {
		t.Errorf("the queue knows cases %+v, %v", page.Cases, err)
	}
	for _, what := range []string{"case read", "cases listed", "findings listed"} {
		if !o.audited(what) {
			t.Errorf("%q is not in the audit log", what)
		}
	}
	// What can't be recorded is not shown.
	o.clock = o.clock.Add(time.Hour)
	if err := o.book.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if v, err := r.Cases(t.Context(), api.QueueFilter{}); err == nil || len(v.Cases) > 0 {
		t.Error("cases are shown without a record")
	}
}
