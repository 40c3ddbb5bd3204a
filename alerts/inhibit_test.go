package alerts_test

import (
	"slices"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
)

func TestInhibit(t *testing.T) {
	t.Parallel()
	network := func(s vigil.Severity, actors ...string) vigil.Finding {
		f := about("f-net", "", s)
		f.About, f.Network, f.Actors, f.Sentence = vigil.AboutNetwork, "192.0.2.0/24", actors, "Many came from there."
		return f
	}
	ann, ben := about("f-ann", "ann", "high"), about("f-ben", "ben", "medium")
	t.Run("each who took part has a case", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{})
		d.take(ben, began)
		d.take(ann, began)
		d.out()
		n := network("medium", "ann", "ben")
		if got := d.take(n, began.Add(time.Hour)); got.Held != vigil.HeldInhibit {
			t.Errorf("%+v", got)
		}
		d.want("reply " + id(ann) + ": Also network 192.0.2.0/24: Many came from there.")
		n.Sentence = "More came."
		d.take(n, began.Add(2*time.Hour)) // once
		d.want()
		n.Severity = "high" // graver than ben's
		d.take(n, began.Add(3*time.Hour))
		d.want("new slack " + id(n))
	})
	for name, tc := range map[string]struct {
		f    vigil.Finding
		at   time.Duration
		does func(d *desk)
	}{
		"one has none":        {f: network("medium", "ann", "ben", "eve")},
		"graver than one":     {f: network("high", "ann", "ben")},
		"nobody is named":     {f: network("low")},
		"told too long ago":   {f: network("low", "ann"), at: 25 * time.Hour},
		"resolved":            {f: network("low", "ann"), does: func(d *desk) { d.cases[0].State = vigil.CaseResolved }},
		"another tenant's":    {f: func() vigil.Finding { f := network("low", "ann"); f.Tenant = "t"; return f }()},
		"more than are named": {f: network("low", slices.Repeat([]string{"ann"}, 50)...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, alerts.Policy{})
			d.take(ann, began)
			d.take(ben, began)
			d.out()
			if tc.does != nil {
				tc.does(d)
			}
			d.take(tc.f, began.Add(tc.at))
			d.want("new slack " + id(tc.f))
		})
	}
	source := func(id, name, what string, s vigil.Severity, all ...string) vigil.Finding {
		f := about(id, "", s)
		f.About, f.Source, f.Sources, f.Contributions = vigil.AboutSource, name, all, []vigil.Contribution{{Model: "volume", Observation: what}}
		return f
	}
	t.Run("an outage tells a source's silence, and no lapse", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{})
		out := source("f-out", "a", "silence", "high", "a", "b", "c")
		d.take(out, began)
		d.out()
		d.take(source("f-b", "b", "silence", "medium"), began)
		d.want("reply " + id(out) + ": Also source b:  read much.")
		c := source("f-c", "c", "lapse", "medium")
		d.take(c, began)
		d.want("new slack " + id(c))
	})
	t.Run("rules of the user's own", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, alerts.Policy{Inhibit: []alerts.InhibitRule{{
			When: vigil.Match{About: []vigil.About{vigil.AboutSource}}, Mute: vigil.Match{About: []vigil.About{vigil.AboutActor}}, Equal: []string{"store", "tenant"},
		}}})
		s := source("f-s", "pg", "lapse", "low")
		d.take(s, began)
		d.out()
		d.take(ann, began)
		d.want("reply " + id(s) + ": Also person ann: ann read much.")
		crit := about("f-crit", "eve", "critical")
		other := about("f-other", "ben", "low")
		other.Stores = []string{"bot"}
		d.take(crit, began)
		d.take(other, began)
		d.want("new slack "+id(crit), "new slack "+id(other))
	})
}
