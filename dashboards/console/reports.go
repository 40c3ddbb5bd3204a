package console

import (
	"errors"
	"net/http"

	"vigil/internal/api"
)

var errNoReport = api.NewProblem(http.StatusNotFound, "There is no such report", "List them with: vigil reports list")

// reports lists the audit reports that are kept.
func (h *Handler) reports(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Reporter.Reports(ctx)
	h.answer(w, r, "reports", struct {
		Reports []api.KeptReport `json:"reports"`
	}{append([]api.KeptReport{}, all...)}, err)
}

// makeReport begins to make one, and tells its id: it is asked for until it is there.
func (h *Handler) makeReport(w http.ResponseWriter, r *http.Request) {
	var ask api.ReportAsk
	if bad := sent(w, r, &ask); bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	id, err := h.do.Reporter.BeginReport(ctx, ask)
	h.answer(w, r, "report", struct {
		ID string `json:"id"`
	}{id}, err)
}

// report tells whether one is made, and what it is.
func (h *Handler) report(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	k, made, err := h.do.Reporter.Report(ctx, r.PathValue("id"))
	if errors.Is(err, api.ErrNotFound) {
		err = errNoReport
	}
	h.answer(w, r, "report", struct {
		Made   bool           `json:"made"`
		Report api.KeptReport `json:"report"`
	}{made, k}, err)
}
