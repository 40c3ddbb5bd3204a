package app_test

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigil"
	"vigil/internal/app"
)

// TestTheLogSaysWhenNobodyListened stops the service for two hours, and lets its machine
// sleep for one.
func TestTheLogSaysWhenNobodyListened(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	clock.Store(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).UnixNano())
	now := func() time.Time { return time.Unix(0, clock.Load()).UTC() }
	cfg := configure(t, t.TempDir())
	absences := func(w *watched) (out []vigil.Absence) {
		for _, c := range app.Controls(t, w.App) {
			data, ok := strings.CutPrefix(c, vigil.ControlAbsence+" ")
			if !ok {
				continue
			}
			var a vigil.Absence
			if err := json.Unmarshal([]byte(data), &a); err != nil {
				t.Fatal(err)
			}
			out = append(out, a)
		}
		return out
	}
	first := begin(t, cfg, app.Options{Now: now})
	if got := absences(first); len(got) != 0 {
		t.Fatalf("at the first start: %+v", got)
	}
	app.Pulse(t, first.App)
	stopped := now()
	first.end()
	clock.Add(int64(2 * time.Hour))

	second := begin(t, cfg, app.Options{Now: now})
	got := absences(second)
	if len(got) != 1 || !got[0].From.Equal(stopped) || !got[0].To.Equal(now()) {
		t.Fatalf("after two hours: %+v", got)
	}
	clock.Add(int64(30 * time.Second))
	app.Pulse(t, second.App)
	if got = absences(second); len(got) != 1 {
		t.Fatalf("after half a minute: %+v", got)
	}
	clock.Add(int64(time.Hour))
	app.Pulse(t, second.App)
	app.Pulse(t, second.App)
	if got = absences(second); len(got) != 2 || got[1].To.Sub(got[1].From) != time.Hour {
		t.Errorf("after an hour's sleep: %+v", got)
	}
}
