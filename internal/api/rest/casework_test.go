package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/api/rest"
)

// worker remembers what it was asked to do.
type worker struct {
	api.CaseWorker
	acts []api.CaseAct
}

func (w *worker) Work(_ context.Context, a api.CaseAct) (api.CaseDone, error) {
	if a.Seen == 6 {
		return api.CaseDone{}, fmt.Errorf("%w: %w", api.ErrStale, api.NewProblem(http.StatusConflict, "This case was changed", "actor-9 did so."))
	}
	if a.Key == "" {
		return api.CaseDone{}, api.ErrRefused
	}
	a.Key = ""
	w.acts = append(w.acts, a)
	return api.CaseDone{Text: "done", Case: vigil.Case{ID: a.Case, Revision: 8}}, nil
}

func TestDeedsOnCases(t *testing.T) {
	t.Parallel()
	s, w := newStore(1), &worker{}
	h := servingWith(t, rest.Services{Reader: s, Worker: w, Once: s})
	var want []api.CaseAct
	for _, x := range []struct {
		method, deed, body, match string
		code                      int
		act                       api.CaseAct
	}{
		{"POST", "acknowledge", ``, `"7"`, 200, api.CaseAct{Deed: access.DeedAcknowledge, Seen: 7}},
		{"POST", "assign", `{"to":"actor-3"}`, ``, 200, api.CaseAct{Deed: access.DeedAssign, To: "actor-3"}},
		{"POST", "snooze", `{"for_seconds":3600}`, `*`, 200, api.CaseAct{Deed: access.DeedSnooze, For: time.Hour}},
		{"POST", "note", `{"note":"looked"}`, ``, 200, api.CaseAct{Deed: access.DeedNote, Note: "looked"}},
		{"POST", "aware", `{}`, ``, 200, api.CaseAct{Deed: access.DeedAware}},
		{"POST", "ask", ``, `"7"`, 200, api.CaseAct{Deed: access.DeedAsk, Seen: 7}},
		{"POST", "ask", `{"preview":true}`, ``, 200, api.CaseAct{Deed: access.DeedAsk, Preview: true}},
		{"PUT", "verdict", `{"word":"breach","note":"sure"}`, ``, 200, api.CaseAct{Deed: access.DeedVerdict, Word: vigil.WordBreach, Note: "sure"}},
		{"DELETE", "verdict", ``, ``, 200, api.CaseAct{Deed: access.DeedVerdict, TakeBack: true}},
		{"PUT", "verdict", `{"word":"guilty"}`, ``, 422, api.CaseAct{}},
		{"POST", "snooze", `{"for_seconds":-1}`, ``, 422, api.CaseAct{}},
		{"POST", "snooze", `{"for_seconds":1e9}`, ``, 422, api.CaseAct{}},
		{"POST", "acknowledge", ``, `"6"`, 412, api.CaseAct{}},
		{"POST", "acknowledge", ``, `7`, 400, api.CaseAct{}},
		{"POST", "acknowledge", ``, `"-1"`, 400, api.CaseAct{}},
		{"POST", "acknowledge", `{"deed":"verdict"}`, ``, 400, api.CaseAct{}},
	} {
		head := []string{}
		if x.match != "" {
			head = append(head, "If-Match", x.match)
		}
		got := ask(t, h, x.method, "/api/v1/cases/c-1/"+x.deed, x.body, head...)
		if got.code != x.code {
			t.Errorf("%s %s %s: %d, want %d: %s", x.method, x.deed, x.body, got.code, x.code, got.body)
		}
		if x.code == 412 {
			if p := got.problem(t); p.Code != api.CodeStale || p.Remedy != "actor-9 did so." {
				t.Errorf("stale: %+v", p)
			}
		}
		if x.code == 200 {
			x.act.Case = "c-1"
			want = append(want, x.act)
			if got.head.Get("ETag") != `"8"` {
				t.Errorf("%s: ETag %s", x.deed, got.head.Get("ETag"))
			}
		}
	}
	if diff := cmp.Diff(want, w.acts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
