package rest

import (
	"context"
	"net/http"

	"vigil"
	"vigil/internal/api"
)

var errNoVerdict = api.NewProblem(http.StatusUnprocessableEntity, "That is no verdict", "Say breach, misuse, expected or unknown.")

func (h *Handler) verdicts() resource {
	return resource{name: "verdicts", thing: "finding", there: h.do.Decider != nil, endpoints: []endpoint{
		on("PUT /api/v1/findings/{id}/verdict", "giveVerdict", "Says what a finding was.", h.giveVerdict),
		on("DELETE /api/v1/findings/{id}/verdict", "takeVerdictBack", "Takes the verdict on a finding back.", h.takeVerdictBack),
		on("GET /api/v1/verdicts", "listVerdicts", "Lists the findings with a verdict, the newest first.", h.listVerdicts),
	}}
}

type giveVerdict struct {
	findingID
	Body api.Saying `body:""`
}

func (h *Handler) giveVerdict(ctx context.Context, in giveVerdict) (vigil.Verdict, error) {
	if !in.Body.Word.Known() {
		return vigil.Verdict{}, errNoVerdict
	}
	in.Body.Finding = in.ID
	return h.do.Decider.Decide(ctx, in.Body)
}

// Undoing takes something back.
type Undoing struct {
	// By is the name of who does so: it is taken from a command on vigil's own machine, and
	// else it is who signs in.
	By   string `json:"by,omitempty"`
	Note string `json:"note,omitempty"`
}

type takeVerdictBack struct {
	findingID
	Body Undoing `body:"optional"`
}

func (h *Handler) takeVerdictBack(ctx context.Context, in takeVerdictBack) (vigil.Verdict, error) {
	return h.do.Decider.Decide(ctx, api.Saying{Finding: in.ID, By: in.Body.By, Note: in.Body.Note})
}

// VerdictList is the findings with a verdict.
type VerdictList struct {
	Findings []vigil.Finding `json:"findings"`
}

func (h *Handler) listVerdicts(ctx context.Context, _ nothing) (VerdictList, error) {
	all, err := h.do.Decider.Judged(ctx)
	return VerdictList{Findings: all}, err
}
