package rest

import (
	"context"
	"time"

	"vigil/internal/api"
)

func (h *Handler) status() resource {
	return resource{name: "status", thing: "status", there: true, endpoints: []endpoint{
		on("GET /api/v1/status", "getStatus", "Tells what is judged, what is still learning, and how each source is.", h.getStatus),
	}}
}

// Status is the state of the program.
type Status struct {
	// Events is how many are judged, Quarantined how many records are set aside.
	Events      int64 `json:"events"`
	Quarantined int64 `json:"quarantined"`
	// Watermark is the event time up to which all is judged.
	Watermark time.Time `json:"watermark,omitzero"`
	// Budget is the asked number of false findings a day.
	Budget float64 `json:"budget_per_day"`
	// Note is what the operator must know now; not there when all is well.
	Note string `json:"note,omitempty"`
	// Progress is 0 to 1 while history is replayed, and else not there.
	Progress *float64     `json:"progress,omitempty"`
	Lanes    []api.Lane   `json:"lanes"`
	Sources  []api.Source `json:"sources"`
	Rules    Rules        `json:"rules"`
}

// Rules is which rules run.
type Rules struct {
	Running int       `json:"running"`
	Off     []RuleOff `json:"off"`
}

// RuleOff is a rule that does not run.
type RuleOff struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Builtin says that it came with the program.
	Builtin bool `json:"builtin"`
	// Why is configuration or failure.
	Why string `json:"why"`
}

func (h *Handler) getStatus(ctx context.Context, _ nothing) (Status, error) {
	s, err := h.do.Status(ctx)
	if err != nil {
		return Status{}, err
	}
	out := Status{
		Events: s.Events, Quarantined: s.Quarantined, Watermark: s.Watermark, Budget: s.Budget, Note: s.Note,
		Sources: s.Sources, Rules: Rules{Running: s.Rules},
	}
	if s.Progress >= 0 && s.Progress <= 1 {
		out.Progress = &s.Progress
	}
	out.Lanes = append(out.Lanes, s.Lanes...)
	for _, r := range s.RulesOff {
		out.Rules.Off = append(out.Rules.Off, RuleOff(r))
	}
	return out, nil
}
