package app

import (
	"fmt"
	"testing"

	"vigil/internal/api"
)

// Dump returns everything that a running service keeps, as text: what is packed
// on disk is unpacked here.
func Dump(t *testing.T, a *App) []string {
	t.Helper()
	var out []string
	ctx := t.Context()
	for after := uint64(0); ; {
		entries, err := a.ledger.Entries(ctx, after, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			break
		}
		for _, e := range entries {
			after = e.Seq
			for _, event := range e.Events {
				out = append(out, fmt.Sprintf("%+v", *event))
			}
		}
	}
	page, err := a.ledger.Findings(ctx, api.FindingFilter{Limit: 1_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range page.Findings {
		out = append(out, fmt.Sprintf("%+v", f))
	}
	quarantined, err := a.ledger.Quarantined(ctx, 1_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range quarantined {
		out = append(out, fmt.Sprintf("%+v", q))
	}
	snapshot, _, err := a.ledger.LoadSnapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range snapshot.Parts {
		out = append(out, string(p.Data))
	}
	if len(out) == 0 {
		t.Fatal("nothing is kept")
	}
	return out
}

// DumpDemo does what Dump does, for a demo.
func DumpDemo(t *testing.T, d *Demo) []string { return Dump(t, d.app) }

// Digest sums up the day, as the schedule does.
func Digest(t *testing.T, a *App) {
	t.Helper()
	if err := a.digest(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Judged waits until everything accepted is judged.
func Judged(t *testing.T, a *App) {
	t.Helper()
	if err := a.judged(t.Context()); err != nil {
		t.Fatal(err)
	}
}
