package app

import (
	"context"
	"fmt"

	"vigil"
	"vigil/internal/drill"
)

// Blindspots is what a meter says of logs and feeds.
type Blindspots struct {
	Events  int64                  `json:"events"`
	Sources []drill.SourceCoverage `json:"sources"`
	Feeds   []vigil.FactKind       `json:"feeds"`
	Rows    []drill.Verdict        `json:"rows"`
}

// MeasureBlindspots reads logs and tells of each row of the threat catalogue whether
// it could be seen in them, with feeds of the kinds given, and what would mend it.
func MeasureBlindspots(ctx context.Context, inputs []Input, feeds []vigil.FactKind) (*Blindspots, error) {
	cover := drill.NewCoverage()
	out := &Blindspots{Feeds: feeds}
	if feeds == nil {
		out.Feeds = []vigil.FactKind{}
	}
	for i := range inputs {
		_, err := inputs[i].each(ctx, func(events []*vigil.Event) error {
			for _, e := range events {
				cover.Add(e)
			}
			out.Events += int64(len(events))
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", inputs[i].Source, err)
		}
	}
	out.Sources, out.Rows = cover.Sources(), drill.Meter(cover, feeds)
	return out, nil
}
