package api

import (
	"time"

	"vigil"
)

// RulePreview is what a rule would have found in a history.
type RulePreview struct {
	Rule string `json:"rule"`
	// From and To bound what was counted, the second excluded; zero for all there was.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Events is how many accesses were looked at, by Actors, on Days days (UTC).
	Events int64 `json:"events"`
	Actors int   `json:"actors"`
	Days   int   `json:"days"`
	// Hits is on how many the rule fired, of HitActors, on HitDays, and Findings what it
	// would have told, at least.
	Hits      int64 `json:"hits"`
	HitActors int   `json:"hit_actors"`
	HitDays   int   `json:"hit_days"`
	Findings  int   `json:"findings"`
	// PerDay is findings by day, Budget how many false ones people accept.
	PerDay float64 `json:"per_day"`
	Budget float64 `json:"budget"`
	// Failed counts accesses on which the condition could not be judged, Failure says
	// why.
	Failed  int64  `json:"failed,omitempty"`
	Failure string `json:"failure,omitempty"`
	// Top are the actors that were hit most.
	Top []PreviewActor `json:"top"`
	// Warnings say what to think about before the rule goes live.
	Warnings []string `json:"warnings,omitempty"`
}

// PreviewActor is one actor in a preview.
type PreviewActor struct {
	Tenant string          `json:"tenant,omitempty"`
	Actor  string          `json:"actor"`
	Kind   vigil.ActorKind `json:"actor_kind,omitempty"`
	Hits   int64           `json:"hits"`
	First  time.Time       `json:"first"`
	Last   time.Time       `json:"last"`
}
