package rest

import (
	"cmp"
	"context"

	"vigil/internal/api"
)

func (h *Handler) tuning() resource {
	return resource{name: "tuning", thing: "version or proposal", there: h.do.Tuner != nil, endpoints: []endpoint{
		on("GET /api/v1/tuning", "getTuning", "Tells which setting is in force, what is proposed, which settings held before, and how well it all does.", h.getTuning),
		on("GET /api/v1/tuning/difference", "getSettingDifference", "Tells what differs between two versions of the setting, and whether the second can be brought back.", h.getDifference),
		on("POST /api/v1/tuning/proposals", "proposeSetting",
			"Proposes another setting: another budget, what the configuration says, an older version, or what a back-test tried. Nothing changes before a second person confirms it.", h.propose),
		on("POST /api/v1/tuning/proposals/{id}/confirm", "confirmSetting", "Brings what somebody else proposed into force, from the next entry of the log on.", h.confirm),
		on("DELETE /api/v1/tuning/proposals/{id}", "withdrawSetting", "Withdraws what is proposed.", h.withdraw),
	}}
}

func (h *Handler) getTuning(ctx context.Context, _ nothing) (api.TuningView, error) {
	return h.do.Tuner.Tuning(ctx)
}

type differenceAsk struct {
	// The version that is compared; 0 is the one in force.
	From int `query:"from" min:"0" max:"100000" default:"0"`
	// The version with which it is compared; 0 is the one before that in force.
	To int `query:"to" min:"0" max:"100000" default:"0"`
}

func (h *Handler) getDifference(ctx context.Context, in differenceAsk) (api.VersionDifference, error) {
	return h.do.Tuner.Difference(ctx, in.From, in.To)
}

type proposeSetting struct {
	// The revision of the proposals that who asks looked at.
	Seen int           `seen:""`
	Body api.Proposing `body:""`
}

func (h *Handler) propose(ctx context.Context, in proposeSetting) (api.Proposal, error) {
	in.Body.Seen, in.Body.Key = cmp.Or(in.Seen, api.AnyRevision), api.DeedOf(ctx)
	return h.do.Tuner.Propose(ctx, in.Body)
}

type proposalID struct {
	// The proposal's id.
	ID string `path:"id"`
}

// SettingAnswered says what became of a proposal.
type SettingAnswered struct {
	ID string `json:"id"`
	// Confirmed says that it is in force, else it was withdrawn.
	Confirmed bool `json:"confirmed"`
}

func (h *Handler) confirm(ctx context.Context, in proposalID) (SettingAnswered, error) {
	return SettingAnswered{ID: in.ID, Confirmed: true}, h.do.Tuner.Answer(ctx, api.Answering{ID: in.ID, Confirm: true})
}

func (h *Handler) withdraw(ctx context.Context, in proposalID) (SettingAnswered, error) {
	return SettingAnswered{ID: in.ID}, h.do.Tuner.Answer(ctx, api.Answering{ID: in.ID})
}
