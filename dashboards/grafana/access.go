package grafana

// access shows who reads how much.
func access(bucket string) dashboard {
	chosen := []string{"source", "store", "tenant"}
	variables := []variable{choose(ofAccess, "source", "Source"), choose(ofAccess, "store", "Store"), choose(ofAccess, "tenant", "Tenant")}
	sum := func(field string, by ...string) string { return summed(ofAccess, field, chosen, by...) }
	return assembled("vigil-access", "vigil: access", "Who reads how much of which store, against the week before.", bucket, "24h", variables,
		stat("Records read", "How many records were read in the time that is shown, as far as the sources tell?", unitCount, "lastNotNull", total(ofAccess, "rows", chosen)),
		stat("Accesses", "How many accesses were there?", unitCount, "lastNotNull", total(ofAccess, "events", chosen)),
		stat("Customers named", "How often was a customer named in an access? One who is named twice counts twice.", unitCount, "lastNotNull", total(ofAccess, "subjects", chosen)),
		stat("Bytes read", "How much data was read, as far as the sources tell?", unitBytes, "lastNotNull", total(ofAccess, "bytes", chosen)),
		stat("Denied", "How many accesses were refused?", unitCount, "lastNotNull", total(ofAccess, "denied", chosen)),
		stat("Denied, of all", "Which share of the accesses was refused?", unitShare, "lastNotNull", share(chosen), from(0.05, "yellow"), from(0.2, "red")),
		wide(lines("Records read, against the week before", "Is more read than at the same time a week before?", unitCount, by("series"),
			named(sum("rows"), "now"),
			weekly+named(before(ofAccess, []string{"rows"}, chosen)+grouped()+windowed("sum")+"  |> timeShift(duration: 7d)\n", "a week before"))),
		bars("Records read, by store", "Which store is read, and when?", unitCount, by("store"), sum("rows", "store")),
		bars("Records read, by kind of actor", "Do people read, or programs and bots?", unitCount, by("actor_kind"), sum("rows", "actor_kind")),
		weeks("Records read, by role", "Which role reads more than a week before?", unitCount, "role", "Role", againstBefore(ofAccess, "rows", chosen, "role")),
		weeks("Records read, by store", "Which store is read more than a week before?", unitCount, "store", "Store", againstBefore(ofAccess, "rows", chosen, "store")),
		bars("Denied, by role", "Who is refused, and does it rise?", unitCount, by("role"), sum("denied", "role")),
		bars("Denied, by store", "Where is somebody refused, and does it rise?", unitCount, by("store"), sum("denied", "store")),
		bars("Customers named, by role", "Who touches the data of how many customers?", unitCount, by("role"), sum("subjects", "role")),
		bars("Accesses, by action", "Is it looked at, searched, exported or changed?", unitCount, by("action"), sum("events", "action")),
		weeks("Records read, by tenant", "Which tenant's data is read more than a week before?", unitCount, "tenant", "Tenant", againstBefore(ofAccess, "rows", chosen, "tenant")),
		bars("Bytes read, by store", "Where does much data flow?", unitBytes, by("store"), sum("bytes", "store")),
	)
}

// share is the share of accesses that were refused.
func share(chosen []string) string {
	return shown(ofAccess, []string{"denied", "events"}, chosen) + grouped("_field") + `  |> sum()
  |> group()
  |> map(fn: (r) => ({all: "all", _field: r._field, _value: r._value}))
  |> pivot(rowKey: ["all"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => r.events > 0)
  |> map(fn: (r) => ({_value: float(v: r.denied) / float(v: r.events)}))
`
}
