package grafana

import (
	"fmt"
	"strings"
)

// The measurements that vigil writes.
const (
	ofAccess   = "vigil_access"
	ofFindings = "vigil_findings"
	ofCases    = "vigil_cases"
	ofSources  = "vigil_sources"
	ofProgram  = "vigil_program"
)

// A query is Flux, with what Grafana puts in: the time that is shown (v.timeRangeStart,
// v.timeRangeStop), how long one point on the screen is (v.windowPeriod), and variables.

// shown are the points of fields of a measurement within the time that is shown. chosen are
// the tags whose variables narrow them.
func shown(measurement string, fields, chosen []string) string {
	return within("v.timeRangeStart", "v.timeRangeStop", measurement, fields, chosen)
}

// before are the same points a week earlier. The query must begin with weekly.
func before(measurement string, fields, chosen []string) string {
	at := func(t string) string { return "experimental.subDuration(d: 7d, from: " + t + ")" }
	return within(at("v.timeRangeStart"), at("v.timeRangeStop"), measurement, fields, chosen)
}

// weekly is what a query needs ahead that calls before.
const weekly = "import \"experimental\"\n\n"

func within(start, stop, measurement string, fields, chosen []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "from(bucket: \"${bucket}\")\n  |> range(start: %s, stop: %s)\n", start, stop)
	wanted := make([]string, len(fields))
	for i, f := range fields {
		wanted[i] = fmt.Sprintf("r._field == %q", f)
	}
	fmt.Fprintf(&b, "  |> filter(fn: (r) => r._measurement == %q and (%s))\n", measurement, strings.Join(wanted, " or "))
	for _, tag := range chosen {
		// The server itself compares, to whom a tag that is not there is empty: such points
		// are among all, and never among some.
		fmt.Fprintf(&b, "  |> filter(fn: (r) => r.%[1]s =~ /^(${%[1]s:regex})$/)\n", tag)
	}
	return b.String()
}

// grouped merges series into one for each value of the columns. A series is grouped before
// it is windowed: windowing each of hundreds takes many seconds.
func grouped(columns ...string) string {
	if len(columns) == 0 {
		return "  |> group()\n"
	}
	return "  |> group(columns: [\"" + strings.Join(columns, `", "`) + "\"])\n"
}

// windowed makes one point for each on the screen.
func windowed(fn string) string {
	return "  |> aggregateWindow(every: v.windowPeriod, fn: " + fn + ", createEmpty: false)\n"
}

// summed adds up what happened in each point on the screen.
func summed(measurement, fieldName string, chosen []string, by ...string) string {
	return shown(measurement, []string{fieldName}, chosen) + grouped(by...) + windowed("sum")
}

// total adds up what happened in the time that is shown.
func total(measurement, fieldName string, chosen []string, by ...string) string {
	return shown(measurement, []string{fieldName}, chosen) + grouped(by...) + "  |> sum()\n"
}

// level is how high something was in each point on the screen; by says of what.
func level(measurement, fieldName, fn string, chosen []string, by ...string) string {
	return shown(measurement, []string{fieldName}, chosen) + grouped(by...) + windowed(fn)
}

// growth is by how much a count grew in each point on the screen. One that began anew
// counts from there.
func growth(measurement, fieldName string, chosen []string, by ...string) string {
	return shown(measurement, []string{fieldName}, chosen) + grouped(by...) + windowed("max") + "  |> difference(nonNegative: true)\n"
}

// named gives the series of a query a name.
func named(query, name string) string {
	return query + fmt.Sprintf("  |> set(key: \"series\", value: %q)\n  |> group(columns: [\"series\"])\n", name)
}

// againstBefore is a table of totals by a tag, beside those of the week before, and how
// many times as much it is.
func againstBefore(measurement, fieldName string, chosen []string, by string) string {
	one := []string{fieldName}
	return weekly +
		"shown = " + shown(measurement, one, chosen) + grouped(by) + "  |> sum()\n  |> set(key: \"when\", value: \"shown\")\n\n" +
		"before = " + before(measurement, one, chosen) + grouped(by) + "  |> sum()\n  |> set(key: \"when\", value: \"before\")\n\n" +
		"union(tables: [shown, before])\n  |> group()\n" +
		fmt.Sprintf("  |> pivot(rowKey: [%q], columnKey: [\"when\"], valueColumn: \"_value\")\n", by)
}

// tagValues lists the values of a tag in the last weeks, for a variable.
func tagValues(measurement, tag string) string {
	return fmt.Sprintf("import \"influxdata/influxdb/v1\"\n\nv1.tagValues(bucket: \"${bucket}\", tag: %q, predicate: (r) => r._measurement == %q, start: -30d)", tag, measurement)
}
