//go:build !race

package detector_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
)

// The only source falls silent, so that ticks alone carry time on. It is missed within two
// minutes of when its pause was two minutes long, by the clock: the same on any number of
// cores, and across a restart.
func TestTicksAloneMissTheOnlySource(t *testing.T) {
	t.Parallel()
	const stop = 50*time.Hour + 17*time.Minute
	log := lived(5*time.Second, stop, 0, stop+30*time.Minute, "bot")
	found := replayed(t, 1, log, 0)
	if len(found) == 0 {
		t.Fatal("it is not missed")
	}
	f := found[0]
	if f.Source != "bot" || f.State != vigil.StateOpen || f.Lane != "source" || f.Evidence < f.Threshold || len(f.Contributions) != 1 || f.Counterfactual == "" {
		t.Errorf("%+v", f)
	}
	// Detected is the watermark; the only source's is a minute behind the clock.
	if after := f.Detected.Sub(healthStart.Add(stop)); after < 110*time.Second || after > 4*time.Minute-time.Minute {
		t.Errorf("missed after %s", after)
	}
	for name, other := range map[string][]vigil.Finding{
		"on four workers": replayed(t, 4, log, 0), "restored before": replayed(t, 2, log, len(log)-300), "restored when it is missed": replayed(t, 2, log, len(log)-60),
	} {
		if diff := cmp.Diff(found, other); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A gap that is over before the next look is found by the event that ends it, and one
// among others that go on as well.
func TestAGapAmongOthers(t *testing.T) {
	t.Parallel()
	const stop = 50*time.Hour + 17*time.Minute
	found := replayed(t, 2, lived(5*time.Second, stop, 130*time.Second, stop+20*time.Minute, "bot", "crm"), 0)
	if len(found) == 0 || found[0].Source != "bot" || found[0].Detected.Sub(healthStart.Add(stop)) > 3*time.Minute {
		t.Fatalf("%+v", found)
	}
	if last := found[len(found)-1]; last.State != vigil.StateClosed || last.ID != found[0].ID {
		t.Errorf("%+v", last)
	}
	if found = replayed(t, 2, lived(5*time.Second, stop, time.Minute, stop+20*time.Minute, "bot", "crm"), 0); len(found) > 0 {
		t.Errorf("of a minute: %+v", found)
	}
}
