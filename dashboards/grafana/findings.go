package grafana

// findings shows what was found, and how fast people answer.
func findings(bucket string) dashboard {
	ofFinding, ofCase := []string{"severity", "lane"}, []string{"severity"}
	variables := []variable{choose(ofFindings, "severity", "Severity"), choose(ofFindings, "lane", "Lane")}
	found := func(field string, by ...string) string { return summed(ofFindings, field, ofFinding, by...) }
	severities := bars("Found, by severity", "What was found, and how grave is it?", unitCount, by("severity"), found("opened", "severity"))
	severities.FieldConfig.Overrides = []override{coloured("critical", "dark-red"), coloured("high", "red"), coloured("medium", "orange"), coloured("low", "yellow")}
	return assembled("vigil-findings", "vigil: findings", "What was found, and how fast people answer.", bucket, "7d", variables,
		stat("Found", "How many findings were there in the time that is shown?", unitCount, "lastNotNull", total(ofFindings, "opened", ofFinding)),
		stat("Grave", "How many of them were high or critical?", unitCount, "lastNotNull", grave(ofFinding), from(1, "red")),
		stat("Wait for somebody", "How many cases has nobody acknowledged now?", unitCount, "lastNotNull", level(ofProgram, "cases_new", "last", nil), from(1, "yellow"), from(20, "red")),
		stat("In somebody's hands", "How many cases does somebody work on now?", unitCount, "lastNotNull", level(ofProgram, "cases_acknowledged", "last", nil)),
		stat("Until acknowledged", "How long did a case wait until somebody took note of it, on average?", unitSeconds, "lastNotNull", waited(ofCase)),
		stat("Resolved", "How many cases were over?", unitCount, "lastNotNull", total(ofCases, "resolved", ofCase)),
		severities,
		bars("Found, by lane", "In which way was it found: within minutes, a day, a week, by a rule, by whom it is about?", unitCount, by("lane"), found("opened", "lane")),
		lines("Until acknowledged, by severity", "How long did cases wait until somebody took note of them, on average?", unitSeconds, by("severity"), waitedOverTime(ofCase)),
		bars("Cases", "Are cases answered as fast as they come?", unitCount, by("series"),
			named(summed(ofCases, "opened", ofCase), "opened"), named(summed(ofCases, "acknowledged", ofCase), "acknowledged"), named(summed(ofCases, "resolved", ofCase), "resolved")),
		bars("Found, by what it is about", "Is it about a person, a customer, a team, a network or a source?", unitCount, by("about"), found("opened", "about")),
		bars("Found, by kind of actor", "Do people do it, or programs, bots and vendors?", unitCount, by("actor_kind"), found("opened", "actor_kind")),
		lines("Cases that wait", "Does the pile grow?", unitCount, by("series"),
			named(level(ofProgram, "cases_new", "max", nil), "nobody's"), named(level(ofProgram, "cases_acknowledged", "max", nil), "somebody's")),
		bars("Findings that came and went", "Does what was found go on?", unitCount, by("series"), named(found("opened"), "opened"), named(found("closed"), "closed")),
	)
}

func grave(chosen []string) string {
	return shown(ofFindings, []string{"opened"}, chosen) + `  |> filter(fn: (r) => r.severity == "high" or r.severity == "critical")
` + grouped() + "  |> sum()\n"
}

// waited is how long the average case waited until it was acknowledged, in seconds.
func waited(chosen []string) string {
	return shown(ofCases, []string{"waited_seconds", "acknowledged"}, chosen) + grouped("_field") + `  |> sum()
  |> group()
  |> map(fn: (r) => ({all: "all", _field: r._field, _value: r._value}))
  |> pivot(rowKey: ["all"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => r.acknowledged > 0)
  |> map(fn: (r) => ({_value: float(v: r.waited_seconds) / float(v: r.acknowledged)}))
`
}

func waitedOverTime(chosen []string) string {
	return shown(ofCases, []string{"waited_seconds", "acknowledged"}, chosen) + grouped("severity", "_field") + windowed("sum") + `  |> group(columns: ["severity"])
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => r.acknowledged > 0)
  |> map(fn: (r) => ({_time: r._time, severity: r.severity, _value: float(v: r.waited_seconds) / float(v: r.acknowledged)}))
  |> group(columns: ["severity"])
`
}
