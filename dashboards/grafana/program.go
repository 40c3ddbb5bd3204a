package grafana

// program shows whether vigil itself is well.
func program(bucket string) dashboard {
	now := func(field string) string { return level(ofProgram, field, "last", nil) }
	high := func(field, name string) string { return named(level(ofProgram, field, "max", nil), name) }
	low := func(field, name string) string { return named(level(ofProgram, field, "min", nil), name) }
	grew := func(field, name string) string { return named(growth(ofProgram, field, nil), name) }
	return assembled("vigil-program", "vigil: the program itself", "Whether vigil itself is well.", bucket, "24h", nil,
		stat("Troubles", "How many things must the operator know of now? The console says which.", unitCount, "lastNotNull", now("troubles"), from(1, "red")),
		stat("Behind", "How long has the oldest event waited to be judged?", unitSeconds, "lastNotNull", now("judging_lag_seconds"), from(60, "yellow"), from(600, "red")),
		stat("Messages that wait", "How many messages wait to be sent?", unitCount, "lastNotNull", now("messages_waiting"), from(20, "yellow"), from(200, "red")),
		stat("Free on the disk", "How much room is left where vigil keeps its data?", unitBytes, "lastNotNull", now("disk_free_bytes")),
		stat("Known", "How many people and programs does it know?", unitCount, "lastNotNull", now("actors")),
		stat("Running for", "Since when does it run without a break?", unitSeconds, "lastNotNull", now("uptime_seconds")),
		bars("Events", "Is as much judged as is taken in?", unitCount, by("series"), grew("accepted_total", "taken in"), grew("judged_total", "judged")),
		lines("Waiting to be judged", "Does judging keep up?", unitCount, by("series"), high("pending_events", "events")),
		lines("Behind", "How long does the oldest event wait, and how old is the newest snapshot?", unitSeconds, by("series"),
			high("judging_lag_seconds", "oldest event"), high("snapshot_age_seconds", "newest snapshot")),
		bars("Not as it should be", "What was set aside, late, damaged, given up, turned away?", unitCount, by("series"),
			grew("quarantined_total", "records set aside"), grew("late_total", "events too late"), grew("damaged_total", "damaged on the disk"),
			grew("messages_given_up_total", "messages given up"), grew("refused_total", "requests turned away")),
		lines("Messages", "Do messages go out?", unitCount, by("series"), high("messages_waiting", "waiting")),
		lines("On the disk", "How fast does it fill?", unitBytes, by("series"), high("kept_bytes", "kept"), low("disk_free_bytes", "free")),
		bars("Past its retention", "How much goes since its time is over?", unitCount, by("series"), grew("pruned_total", "events")),
		lines("These series", "Does InfluxDB take what is written to it?", unitCount, by("series"),
			high("windows_waiting", "minutes that wait"), grew("windows_dropped_total", "minutes given up")),
		lines("Memory", "Does it need more and more?", unitBytes, by("series"), high("heap_bytes", "objects"), high("memory_bytes", "from the system")),
		lines("Goroutines", "Does something pile up?", unitCount, by("series"), high("goroutines", "goroutines")),
	)
}
