package app_test

import (
	"testing"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/detector"
	"vigil/detector/features"
)

// Whatever the detector asks has plain words where it is shown: what is new in it
// fails here first.
func TestEveryObservationHasWords(t *testing.T) {
	t.Parallel()
	var names []string
	for k := range features.Kind(features.Kinds) {
		names = append(names, k.String())
	}
	for c := range features.Category(features.Categories) {
		names = append(names, c.String())
	}
	for m := range features.Measure(features.Measures) {
		names = append(names, m.String())
		c := vigil.Contribution{Model: m.Model(), Observation: m.String()}
		if seen, _ := phrase.Pattern(m.String()); c.Form() == vigil.FormPattern && seen == "out of the ordinary" {
			t.Errorf("measure %q has no words of its own", m)
		}
	}
	for _, name := range names {
		if got := phrase.Observation(name); got == name && name != "network" {
			t.Errorf("observation %q has no words", name)
		}
	}
	engine, err := detector.New(detector.Config{}, detector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range engine.Status().Lanes {
		if phrase.LaneAsks(l.Name) == "" || phrase.Found(l.Name, "") == "by "+l.Name {
			t.Errorf("lane %q has no words", l.Name)
		}
	}
}
