package rest

import (
	"context"
	"crypto/rand"

	"vigil/internal/api"
)

func (h *Handler) drills() resource {
	return resource{name: "drills", thing: "drill", there: h.do.Driller != nil, endpoints: []endpoint{
		on("GET /api/v1/drills", "listDrills", "Lists the drills that are kept, the newest first, the one that runs, and the breaches that can be staged.", h.listDrills),
		on("POST /api/v1/drills", "startDrill", "Begins to stage breaches beside what is live, and lists all drills. Ask for the list again until it is among those that are kept. One runs at a time.", h.startDrill),
		on("DELETE /api/v1/drills/{id}", "stopDrill", "Stops the drill that runs, if it has this id.", h.stopDrill),
	}}
}

// DrillList is the drills.
type DrillList struct {
	// Running is the one that runs; not there for none.
	Running *api.DrillRunning `json:"running,omitempty"`
	Drills  []api.Drill       `json:"drills"`
	// Scenarios are the breaches that can be staged.
	Scenarios []api.DrillChoice `json:"scenarios"`
}

func (h *Handler) listDrills(ctx context.Context, _ nothing) (DrillList, error) {
	d, err := h.do.Driller.Drills(ctx)
	return DrillList{Running: d.Running, Drills: d.Kept, Scenarios: d.Choices}, err
}

// Drilling asks for a drill.
type Drilling struct {
	// On is the traffic in which breaches are staged; nothing of it is changed.
	On api.DrillTraffic `json:"on"`
	// Scenarios are the ids of the breaches to stage; none means all.
	Scenarios []string `json:"scenarios,omitempty"`
	// Intensity scales how much is taken: above 0, at most 100. Not there means 1.
	Intensity *float64 `json:"intensity,omitempty"`
}

type startDrill struct {
	Body Drilling `body:""`
}

func (h *Handler) startDrill(ctx context.Context, in startDrill) (DrillList, error) {
	ask := api.DrillAsk{On: in.Body.On, Scenarios: in.Body.Scenarios, Intensity: 1, Key: api.DeedOf(ctx)}
	if in.Body.Intensity != nil {
		ask.Intensity = *in.Body.Intensity
	}
	if ask.Key == "" {
		ask.Key = "api-" + rand.Text() // one that can't come again
	}
	if err := h.do.Driller.StartDrill(ctx, ask); err != nil {
		return DrillList{}, err
	}
	return h.listDrills(ctx, nothing{})
}

type drillID struct {
	// The drill's id.
	ID string `path:"id"`
}

func (h *Handler) stopDrill(ctx context.Context, in drillID) (DrillList, error) {
	if err := h.do.Driller.StopDrill(ctx, in.ID); err != nil {
		return DrillList{}, err
	}
	return h.listDrills(ctx, nothing{})
}
