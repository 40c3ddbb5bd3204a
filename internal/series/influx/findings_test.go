package influx_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/ledger"
	"vigil/internal/series"
	"vigil/internal/series/influx/influxtest"
)

// TestFindingsReachTheServer takes findings from the ledger's spool to a real
// server: counted, with tags of closed sets, and never by whom.
func TestFindingsReachTheServer(t *testing.T) {
	t.Parallel()
	s := influxtest.New(t)
	w := newWriter(t, s, "findings", "autogen")
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: filepath.Join(t.TempDir(), "ledger"), Spool: true}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	apply := func(findings ...vigil.Finding) {
		t.Helper()
		seq, err := l.AcceptTick(t.Context(), vigil.Tick{Watermark: start})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Apply(t.Context(), ledger.Applied{Seq: seq, Findings: findings}); err != nil {
			t.Fatal(err)
		}
	}
	f := vigil.Finding{
		ID: "f-1", Revision: 1, State: vigil.StateOpen, About: vigil.AboutActor, ActorKind: vigil.KindVendor, Actor: "actor-1f", Severity: vigil.SeverityHigh,
		Lane: "day", Detected: start.Add(30 * time.Second), End: start.Add(30 * time.Second),
	}
	network := vigil.Finding{
		ID: "f-2", Revision: 1, State: vigil.StateOpen, About: vigil.AboutNetwork, Network: "203.0.113.0/24", Severity: vigil.SeverityLow,
		Lane: "network", Detected: start.Add(70 * time.Second), End: start.Add(70 * time.Second),
	}
	apply(f, network)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	shipped, ended := make(chan series.Shipped, 100), make(chan error, 1)
	go func() {
		ended <- series.Ship(ctx, l, w, series.ShipConfig{Interval: time.Millisecond}, series.ShipOptions{Report: func(st series.Shipped) {
			select {
			case shipped <- st:
			default:
			}
		}})
	}()
	until := func(points int64) {
		t.Helper()
		for {
			select {
			case st := <-shipped:
				if st.Points >= points {
					return
				}
			case <-ctx.Done():
				t.Fatalf("%d points were never written", points)
			}
		}
	}
	until(2)
	f.Revision, f.State = 2, vigil.StateClosed
	apply(f)
	until(3)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	rows := s.Flux(t, `from(bucket:"findings/autogen") |> range(start: 2026-11-01T00:00:00Z, stop: 2026-12-01T00:00:00Z)
 |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value") |> group() |> sort(columns: ["_time"])`)
	want := []map[string]string{
		{"_measurement": "vigil_findings", "_time": "2026-11-03T09:00:00Z", "severity": "high", "lane": "day", "about": "actor", "actor_kind": "vendor", "opened": "1", "closed": "1"},
		{"_measurement": "vigil_findings", "_time": "2026-11-03T09:01:00Z", "severity": "low", "lane": "network", "about": "network", "opened": "1", "closed": "0"},
	}
	for _, r := range rows {
		for _, k := range []string{"result", "table", "_start", "_stop"} {
			delete(r, k)
		}
		if r["actor_kind"] == "" {
			delete(r, "actor_kind")
		}
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}
