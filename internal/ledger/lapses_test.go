package ledger_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/internal/ledger"
)

// No lapse is such that its batch can't be taken, or takes room without bound.
func TestAnyLapseIsTaken(t *testing.T) {
	t.Parallel()
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: t.TempDir()}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	far := time.Date(12_026, 1, 1, 0, 0, 0, 0, time.UTC)
	odd := time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("odd", 30*3600))
	if _, _, err := l.Accept(t.Context(), collectors.Batch{Source: "db", Lapses: []vigil.Lapse{
		{Kind: vigil.LapseHole, Start: far, End: far},
		{Kind: vigil.LapseKind(strings.Repeat("x", 1<<20)), Start: odd, End: odd, Text: strings.Repeat("\xff", 1<<20)},
	}}); err != nil {
		t.Fatal(err)
	}
	entries, err := l.Entries(t.Context(), 0, 10)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		var lapse vigil.Lapse
		if err := json.Unmarshal(e.Control.Data, &lapse); err != nil || lapse.End.Year() > 2100 || len(e.Control.Data) > 4096 {
			t.Errorf("%d bytes, %v, %v", len(e.Control.Data), lapse.End, err)
		}
	}
}
