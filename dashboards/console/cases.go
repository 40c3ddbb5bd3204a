package console

import (
	"context"
	"errors"
	"net/http"

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
	v := view.NewCase(&x, finding, h.cfg.Now(), findingPath)
	v.Path = casePath(x.Case.ID)
	return &v, false
}
