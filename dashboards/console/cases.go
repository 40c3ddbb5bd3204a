package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"vigil"
	"vigil/dashboards/view"
	"vigil/internal/api"
)

// caseOf reads the case of a finding for its page, which is shown without it when it
// can't be read.
func (h *Handler) caseOf(ctx context.Context, r *http.Request, finding string) (c *view.Case, failed bool) {
	x, err := h.reader.FindingCase(ctx, finding)
	if errors.Is(err, api.ErrNotFound) {
		return nil, false
	}
	if err != nil {
		_ = h.readError(r, "case", err) // for the log
		return nil, true
	}
	v := view.NewCase(&x, finding, h.cfg.Now(), func(id string) string { return "/findings/" + url.PathEscape(id) })
	return &v, false
}

type casesJSON struct {
	Total  int          `json:"total"`
	Offset int          `json:"offset"`
	Cases  []vigil.Case `json:"cases"`
}

type caseJSON struct {
	vigil.Case
	// Events are the latest of EventsTotal.
	Events      []vigil.CaseEvent `json:"events"`
	EventsTotal int               `json:"events_total"`
}

func (h *Handler) apiCases(w http.ResponseWriter, r *http.Request) {
	f, bad := readCaseFilter(r.URL.Query())
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	page, err := h.reader.Cases(ctx, f)
	if err != nil {
		h.fail(w, r, h.readError(r, "cases", err))
		return
	}
	h.content()
	out := casesJSON{Total: page.Total, Offset: f.Offset, Cases: make([]vigil.Case, 0, len(page.Cases))}
	for i := range page.Cases {
		page.Cases[i].Harm = number(page.Cases[i].Harm)
		out.Cases = append(out.Cases, page.Cases[i])
	}
	writeJSON(w, http.StatusOK, out)
}

func readCaseFilter(values url.Values) (f api.CaseFilter, bad *api.Problem) {
	f.MinSeverity = vigil.Severity(values.Get("min"))
	if f.MinSeverity != "" && f.MinSeverity.Rank() == 0 {
		return f, badRequest("“min” is not low, medium, high or critical.")
	}
	switch state := values.Get("state"); state {
	case "":
	case "unresolved":
		f.Unresolved = true
	case string(vigil.CaseNew), string(vigil.CaseAcknowledged), string(vigil.CaseResolved):
		f.State = vigil.CaseState(state)
	default:
		return f, badRequest("“state” is not new, acknowledged, resolved or unresolved.")
	}
	if f.Limit, bad = readNumber(values, "limit", 100, 1, maxListed); bad != nil {
		return f, bad
	}
	f.Offset, bad = readNumber(values, "offset", 0, 0, maxOffset)
	return f, bad
}

func (h *Handler) apiCase(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoCase)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	x, err := h.reader.Case(ctx, id)
	if errors.Is(err, api.ErrNotFound) {
		h.fail(w, r, errNoCase)
		return
	}
	if err != nil {
		h.fail(w, r, h.readError(r, "case", err))
		return
	}
	h.content()
	x.Case.Harm = number(x.Case.Harm)
	out := caseJSON{Case: x.Case, Events: x.Events, EventsTotal: x.Total}
	if out.Events == nil {
		out.Events = []vigil.CaseEvent{}
	}
	writeJSON(w, http.StatusOK, out)
}
