package sample

import (
	"context"
	"fmt"
	"strings"

	"vigil"
	"vigil/internal/api"
)

// Keeper answers what those who keep sources ask for. With Texts, every text is one of
// those.
type Keeper struct{ Texts []string }

var _ api.SourceKeeper = Keeper{}

// SetAside implements api.SourceKeeper.
func (k Keeper) SetAside(_ context.Context, most int) ([]vigil.Quarantined, error) {
	out := []vigil.Quarantined{
		{Source: "helpdesk-nginx", File: "/var/log/nginx/access.log", Line: 1204, Time: Now(), Reason: "the line is longer than 1 MiB", Code: "too-long", Size: 1_400_000, Hash: 0x5d1e77aa90c3},
		{Source: "postgres-eu", File: "/var/log/postgresql/postgresql.json", Line: 88, Reason: "no time", Code: "time", Size: 412, Hash: 0x99},
	}
	if k.Texts != nil {
		Fill(&out, k.Texts, 11)
	}
	return out[:min(most, len(out))], nil
}

// Sight implements api.SourceKeeper.
func (k Keeper) Sight(context.Context) (api.Sight, error) {
	out := api.Sight{Looked: 50_000, Held: 1_204_332, Feeds: []vigil.FactKind{vigil.FactPerson}}
	for i, seen := range []string{"seen", "blind", "partly", "seen"} {
		x := api.SightRow{ID: fmt.Sprintf("T%02d", i+1), Name: "Mass export by a support agent", Seen: seen, By: "volume"}
		if seen != "seen" {
			x.Lacks, x.Mend = []string{"the conversation", "a shift feed"}, "Have the application name the conversation in each query."
		}
		out.Rows = append(out.Rows, x)
	}
	if k.Texts != nil {
		Fill(&out, k.Texts, 23)
	}
	return out, nil
}

// ReadSample implements api.SourceKeeper.
func (k Keeper) ReadSample(_ context.Context, format string, text []byte) (api.SampleReading, error) {
	if !strings.Contains(string(text), "{") {
		return api.SampleReading{}, fmt.Errorf("%w: no format fits", api.ErrRefused)
	}
	out := api.SampleReading{Format: "native", Next: "ecs", Sure: 0.98, NextSure: 0.2, Problems: []string{"line 2: no time"}, More: 3}
	out.Events = []api.ReadEvent{{Fields: []api.ReadField{{Name: "actor", Value: string(text), Meaning: "who did it", From: "user.name"}, {Name: "format", Value: format}}}}
	if k.Texts != nil {
		Fill(&out, k.Texts, 31)
	}
	return out, nil
}
