package rest

import (
	"context"

	"vigil/internal/api"
)

func (h *Handler) replays() resource {
	return resource{name: "replays", thing: "back-test", there: h.do.Replayer != nil, endpoints: []endpoint{
		on("GET /api/v1/replays", "listReplays", "Lists the back-tests that are kept, the newest first, without their reports.", h.listReplays),
		on("POST /api/v1/replays", "startReplay", "Begins to judge recorded history again, with other budgets or without some rules: ask for it until it is done. One runs at a time.", h.startReplay),
		on("GET /api/v1/replays/{id}", "getReplay", "Tells how far a back-test is, and what came of it.", h.getReplay),
		on("DELETE /api/v1/replays/{id}", "stopReplay", "Stops a back-test that runs; one that is over stays as it is.", h.stopReplay),
	}}
}

// ReplayList is the back-tests that are kept.
type ReplayList struct {
	Replays []api.Replay `json:"replays"`
}

func (h *Handler) listReplays(ctx context.Context, _ nothing) (ReplayList, error) {
	all, err := h.do.Replayer.Replays(ctx)
	return ReplayList{Replays: all}, err
}

type startReplay struct {
	Body api.ReplayAsk `body:""`
}

func (h *Handler) startReplay(ctx context.Context, in startReplay) (api.Replay, error) {
	return h.do.Replayer.StartReplay(ctx, in.Body)
}

type replayID struct {
	// The back-test's id.
	ID string `path:"id"`
}

func (h *Handler) getReplay(ctx context.Context, in replayID) (api.Replay, error) {
	return h.do.Replayer.Replay(ctx, in.ID)
}

func (h *Handler) stopReplay(ctx context.Context, in replayID) (api.Replay, error) {
	if err := h.do.Replayer.StopReplay(ctx, in.ID); err != nil {
		return api.Replay{}, err
	}
	return h.do.Replayer.Replay(ctx, in.ID)
}
