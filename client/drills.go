package client

import (
	"context"
	"net/http"

	"vigil/internal/api"
)

type (
	// Drill is one that is over.
	Drill = api.Drill
	// DrillRunning is the one that runs.
	DrillRunning = api.DrillRunning
	// DrillTraffic says in what breaches are staged.
	DrillTraffic = api.DrillTraffic
	// Scenario is a breach that can be staged.
	Scenario = api.DrillChoice
)

// The traffic of drills.
const (
	DrillRecorded = api.DrillRecorded
	DrillMadeUp   = api.DrillMadeUp
)

// Drills are those that are kept, the newest first, and the one that runs, nil for none.
type Drills struct {
	Running   *DrillRunning `json:"running"`
	Drills    []Drill       `json:"drills"`
	Scenarios []Scenario    `json:"scenarios"`
}

// DrillAsk asks for a drill.
type DrillAsk struct {
	On DrillTraffic `json:"on"`
	// Scenarios are the ids of the breaches to stage; none means all.
	Scenarios []string `json:"scenarios,omitempty"`
	// Intensity scales how much is taken, at most 100; zero means 1.
	Intensity float64 `json:"intensity,omitempty"`
}

// Drills lists the drills.
func (c *Client) Drills(ctx context.Context) (out Drills, err error) {
	err = c.do(ctx, request{method: http.MethodGet, path: "/drills"}, &out)
	return out, err
}

// StartDrill begins to stage breaches. One runs at a time.
func (c *Client) StartDrill(ctx context.Context, ask DrillAsk) (out Drills, err error) {
	err = c.do(ctx, request{method: http.MethodPost, path: "/drills", body: ask}, &out)
	return out, err
}

// StopDrill stops the drill that runs, if it has this id.
func (c *Client) StopDrill(ctx context.Context, id string) (out Drills, err error) {
	err = c.do(ctx, request{method: http.MethodDelete, path: path("drills", id), body: struct{}{}}, &out)
	return out, err
}
