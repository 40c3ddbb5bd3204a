package alerts_test

import (
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
)

func TestMute(t *testing.T) {
	t.Parallel()
	silence := func(m vigil.Match) []vigil.Silence {
		return []vigil.Silence{{ID: "s", Match: m, From: began.Add(-time.Hour), To: began.Add(24 * time.Hour)}}
	}
	ann := vigil.Match{Actors: []string{"ann"}}
	t.Run("a silence holds, and graver is told", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{})
		d.silences = silence(ann)
		f := about("f", "ann", "medium")
		if got := d.take(f, began); got.Held != vigil.HeldSilence || !got.Later.IsZero() || len(got.Events) != 1 || got.Events[0].Kind != vigil.CaseHeld {
			t.Errorf("%+v", got)
		}
		f.Sentence = "ann read more."
		if got := d.take(f, began.Add(time.Minute)); got.Held != vigil.HeldSilence || len(got.Events) != 0 {
			t.Errorf("it is held twice: %+v", got)
		}
		d.want()
		f.Severity = "high"
		d.take(f, began.Add(2*time.Minute))
		d.want("new slack " + id(f))
		// It is known now, so that further news wait until the silence is over.
		f.Sentence = "ann read even more."
		got := d.take(f, began.Add(time.Hour))
		d.want()
		if got.Later != began.Add(24*time.Hour) {
			t.Errorf("decided again at %v", got.Later)
		}
		d.decide(&d.cases[0], f, got.Later)
		d.want("edit slack " + id(f))
	})
	t.Run("a silence that is over leaves nothing behind", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{})
		d.silences = silence(ann)
		f := about("f", "ann", "low")
		d.take(f, began)
		f.State = vigil.StateClosed
		d.take(f, began.Add(30*time.Hour)) // only that it is over
		d.want()
		g := about("g", "ann", "low")
		d.take(g, began.Add(31*time.Hour)) // something else
		d.want("new slack " + id(f))
	})
	for name, tc := range map[string]struct {
		m    vigil.Match
		held bool
	}{
		"no bound":     {ann, false},
		"min high":     {vigil.Match{Actors: []string{"ann"}, MinSeverity: "high"}, false},
		"max critical": {vigil.Match{Actors: []string{"ann"}, MaxSeverity: "critical"}, true},
		"min critical": {vigil.Match{Actors: []string{"ann"}, MinSeverity: "critical"}, true},
	} {
		t.Run("critical, "+name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, alerts.Policy{})
			d.silences = silence(tc.m)
			if got := d.take(about("f", "ann", "critical"), began); (got.Held == vigil.HeldSilence) != tc.held {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Run("a snooze holds, and graver is told", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{})
		f := about("f", "ann", "medium")
		d.take(f, began)
		d.out()
		d.cases[0].Snoozed = began.Add(3 * time.Hour)
		f.Sentence = "ann read more."
		got := d.take(f, began.Add(time.Hour))
		if d.want(); got.Held != "" || got.Later != began.Add(3*time.Hour) || d.cases[0].Held != "" {
			t.Errorf("%+v", got)
		}
		f.Severity = "high"
		d.take(f, began.Add(2*time.Hour))
		d.want("edit slack "+id(f), "reply "+id(f)+": Now high, medium before. ann read more.")
	})
}
