package rest

import (
	"context"

	"vigil/internal/api"
)

func (h *Handler) reports() resource {
	return resource{name: "reports", thing: "report", there: h.do.Reporter != nil, endpoints: []endpoint{
		on("GET /api/v1/reports", "listReports", "Lists the audit reports that are kept, the newest period first.", h.listReports),
		on("POST /api/v1/reports", "makeReport", "Begins to make an audit report, and tells its id: ask for it until it is made.", h.makeReport),
		on("GET /api/v1/reports/{id}", "getReport", "Tells whether a report is made, and what it is.", h.getReport),
	}}
}

// ReportList is the reports that are kept.
type ReportList struct {
	Reports []api.KeptReport `json:"reports"`
}

func (h *Handler) listReports(ctx context.Context, _ nothing) (ReportList, error) {
	all, err := h.do.Reporter.Reports(ctx)
	return ReportList{Reports: all}, err
}

type makeReport struct {
	Body api.ReportAsk `body:""`
}

// ReportBegun names a report that is being made.
type ReportBegun struct {
	ID string `json:"id"`
}

func (h *Handler) makeReport(ctx context.Context, in makeReport) (ReportBegun, error) {
	id, err := h.do.Reporter.BeginReport(ctx, in.Body)
	return ReportBegun{ID: id}, err
}

type reportID struct {
	// The report's id, such as 2026-10-r1.
	ID string `path:"id"`
}

// ReportStanding is how far a report is.
type ReportStanding struct {
	// Made says that it is there.
	Made bool `json:"made"`
	// Report is it, where it is made.
	Report *api.KeptReport `json:"report,omitempty"`
}

func (h *Handler) getReport(ctx context.Context, in reportID) (ReportStanding, error) {
	k, made, err := h.do.Reporter.Report(ctx, in.ID)
	if err != nil || !made {
		return ReportStanding{}, err
	}
	return ReportStanding{Made: true, Report: &k}, nil
}
