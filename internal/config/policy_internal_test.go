package config

import "testing"

func TestNumbered(t *testing.T) {
	t.Parallel()
	entries := map[string]int{"night": 0, "nights": 1, "night.levels": 2, "a": 3}
	for field, want := range map[string]string{
		"escalations.night.levels[0].after":        "escalations[0].levels[0].after",
		"escalations.nights.levels[1].notify":      "escalations[1].levels[1].notify",
		"escalations.a":                            "escalations[3]",
		"escalations.night":                        "escalations[0]",
		"escalations.unknown.levels[0]":            "escalations.unknown.levels[0]",
		"routes[0].escalation":                     "routes[0].escalation",
		"escalations.night.levels.levels[0].after": "escalations[2].levels[0].after",
	} {
		if got := numbered(field, "escalations", entries); got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
}
