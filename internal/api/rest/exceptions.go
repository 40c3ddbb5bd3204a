package rest

import (
	"context"

	"vigil"
	"vigil/internal/api"
)

func (h *Handler) exceptions() resource {
	return resource{name: "exceptions", thing: "exception", there: h.do.Decider != nil, endpoints: []endpoint{
		on("POST /api/v1/findings/{id}/exception", "makeException",
			"Makes an exception out of a finding, or with preview only tells what it would have covered in the last 30 days.", h.makeException),
		on("GET /api/v1/exceptions", "listExceptions", "Lists exceptions, the newest first.", h.listExceptions),
		on("DELETE /api/v1/exceptions/{id}", "endException", "Ends an exception now.", h.endException),
	}}
}

type makeException struct {
	findingID
	Body api.Expecting `body:""`
}

func (h *Handler) makeException(ctx context.Context, in makeException) (api.Covered, error) {
	in.Body.Finding = in.ID
	return h.do.Decider.Expect(ctx, in.Body)
}

// ExceptionList is all exceptions.
type ExceptionList struct {
	Exceptions []vigil.Exception `json:"exceptions"`
}

func (h *Handler) listExceptions(ctx context.Context, _ nothing) (ExceptionList, error) {
	all, err := h.do.Decider.Exceptions(ctx)
	return ExceptionList{Exceptions: all}, err
}

type endException struct {
	// The exception's id.
	ID   string  `path:"id"`
	Body Undoing `body:"optional"`
}

func (h *Handler) endException(ctx context.Context, in endException) (vigil.Exception, error) {
	return h.do.Decider.EndException(ctx, in.ID, in.Body.By)
}
