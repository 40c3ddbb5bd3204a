package grafana

// sources shows which source is silent, behind, or not read.
func sources(bucket string) dashboard {
	chosen := []string{"source"}
	every := func(field, fn string) string { return level(ofSources, field, fn, chosen, "source") }
	return assembled("vigil-sources", "vigil: sources", "Which source is silent, behind, or can't be read.", bucket, "24h", []variable{choose(ofSources, "source", "Source")},
		stat("Not well", "How many sources are silent, behind or not read now?", unitCount, "lastNotNull", unwell(chosen), from(1, "red")),
		stat("Longest quiet", "For how long has the quietest source sent nothing?", unitSeconds, "lastNotNull", worst("quiet_seconds", chosen), from(3600, "yellow"), from(6*3600, "red")),
		stat("Farthest behind", "How old was the newest event when it came, at the worst source?", unitSeconds, "lastNotNull", worst("lag_seconds", chosen), from(900, "yellow"), from(3600, "red")),
		wide(states()),
		bars("Events", "What does each source send?", unitCount, by("source"), growth(ofSources, "events_total", chosen, "source")),
		lines("Quiet", "Since when has nothing come from a source?", unitSeconds, by("source"), every("quiet_seconds", "max")),
		lines("Behind", "How old are a source's events when they come?", unitSeconds, by("source"), every("lag_seconds", "max")),
		bars("Set aside", "What of a source can't be read? Its page in the console says why.", unitCount, by("source"), growth(ofSources, "quarantined_total", chosen, "source")),
		bars("Offered again", "Which source sends what was there already?", unitCount, by("source"), growth(ofSources, "duplicates_total", chosen, "source")),
	)
}

// states draws how each source was, over time.
func states() panel {
	p := base("state-timeline", "How the sources are", "Which source was silent, behind or not read, and when?", level(ofSources, "state", "max", []string{"source"}, "source"))
	words := map[string]mappingResult{
		"0": {"read", "green", 0}, "1": {"behind", "yellow", 1}, "2": {"silent", "red", 2}, "3": {"can't be read", "dark-red", 3}, "4": {"nothing yet", "text", 4},
	}
	p.FieldConfig.Defaults = field{
		DisplayName: by("source"), Color: &color{Mode: "thresholds"}, Thresholds: plain(), Mappings: []mapping{{"value", words}}, Custom: &custom{FillOpacity: 80},
	}
	p.Options = timelineOptions{
		ShowValue: "auto", RowHeight: 0.9, MergeValues: true, AlignValue: "left",
		Legend:  legend{DisplayMode: "list", Placement: "bottom", ShowLegend: true, Calcs: []string{}},
		Tooltip: tooltip{Mode: "single", Sort: "none"},
	}
	return p
}

// unwell counts the sources whose newest state is none of the good ones.
func unwell(chosen []string) string {
	return shown(ofSources, []string{"state"}, chosen) + grouped("source") + `  |> last()
  |> map(fn: (r) => ({_value: if r._value >= 1 and r._value <= 3 then 1 else 0}))
` + grouped() + "  |> sum()\n"
}

// worst is the largest of the newest values of all sources.
func worst(fieldName string, chosen []string) string {
	return shown(ofSources, []string{fieldName}, chosen) + grouped("source") + "  |> last()\n" + grouped() + "  |> max()\n"
}
