package client

import (
	"context"
	"net/http"

	"vigil/internal/api"
)

type (
	// ReportAsk asks for an audit report of a time.
	ReportAsk = api.ReportAsk
	// Report is one that is kept.
	Report = api.KeptReport
)

// MakeReport begins to make an audit report, and gives the id that it will have.
func (c *Client) MakeReport(ctx context.Context, ask ReportAsk) (id string, err error) {
	var out struct{ ID string }
	err = c.do(ctx, request{method: http.MethodPost, path: "/reports", body: ask}, &out)
	return out.ID, err
}

// Report gives a report; made is false as long as it is being made.
func (c *Client) Report(ctx context.Context, id string) (r Report, made bool, err error) {
	var out struct {
		Made   bool
		Report Report
	}
	err = c.do(ctx, request{method: http.MethodGet, path: path("reports", id)}, &out)
	return out.Report, out.Made, err
}

// Reports lists the reports that are kept, the newest period first.
func (c *Client) Reports(ctx context.Context) ([]Report, error) {
	var out struct{ Reports []Report }
	err := c.do(ctx, request{method: http.MethodGet, path: "/reports"}, &out)
	return out.Reports, err
}
