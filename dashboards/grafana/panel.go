package grafana

import "fmt"

// The units of Grafana that are used here.
const (
	unitCount   = "short"
	unitBytes   = "bytes"
	unitSeconds = "s"
	unitShare   = "percentunit"
)

// perMinute is the shortest time between two points: vigil writes one a minute.
const perMinute = "1m"

// height is a panel's, in rows of the grid; a small one's is half. The grid has 24 columns.
const (
	height  = 8
	columns = 24
)

// influx is the source that is chosen above a dashboard.
func influx() ref { return ref{Type: "influxdb", UID: "${datasource}"} }

// base is what all panels have. Queries are named A, B and so on.
func base(kind, title, question string, queries ...string) panel {
	p := panel{
		Type: kind, Title: title, Description: question, Datasource: influx(), Interval: perMinute,
		GridPos: gridPos{H: height, W: columns / 2}, FieldConfig: fieldConfig{Overrides: []override{}},
	}
	for i, q := range queries {
		p.Targets = append(p.Targets, target{RefID: string(rune('A' + i)), Datasource: influx(), Query: q})
	}
	return p
}

// by names a series after its tag; a point without the tag is under its number.
func by(tag string) string { return "${__field.labels." + tag + "}" }

// lines draws series over time.
func lines(title, question, unit, name string, queries ...string) panel {
	p := base("timeseries", title, question, queries...)
	p.FieldConfig.Defaults = field{
		DisplayName: name, Unit: unit, Min: number(0), Color: &color{Mode: "palette-classic"}, Thresholds: plain(),
		Custom: &custom{DrawStyle: "line", LineWidth: 1, FillOpacity: 10, ShowPoints: "auto", SpanNulls: true},
	}
	p.Options = lineOptions{
		Legend:  legend{DisplayMode: "table", Placement: "right", ShowLegend: true, Calcs: []string{"lastNotNull", "max"}},
		Tooltip: tooltip{Mode: "multi", Sort: "desc"},
	}
	return p
}

// bars draws what happened over time, one kind upon the other.
func bars(title, question, unit, name string, queries ...string) panel {
	p := lines(title, question, unit, name, queries...)
	p.FieldConfig.Defaults.Custom = &custom{
		DrawStyle: "bars", LineWidth: 0, FillOpacity: 80, ShowPoints: "never", Stacking: &stacking{Mode: "normal", Group: "A"},
	}
	p.Options = lineOptions{
		Legend:  legend{DisplayMode: "table", Placement: "right", ShowLegend: true, Calcs: []string{"sum"}},
		Tooltip: tooltip{Mode: "multi", Sort: "desc"},
	}
	return p
}

// stat is one number; calc is how it is had from the points: "lastNotNull", "sum" or "max".
func stat(title, question, unit, calc, query string, at ...threshold) panel {
	p := base("stat", title, question, query)
	p.GridPos.H, p.GridPos.W = height/2, columns/6
	steps := plain()
	mode := "none"
	if len(at) > 0 {
		steps.Steps, mode = append(steps.Steps, at...), "value"
	}
	p.FieldConfig.Defaults = field{Unit: unit, NoValue: "0", Color: &color{Mode: "thresholds"}, Thresholds: steps}
	p.Options = statOptions{
		GraphMode: "none", ColorMode: mode, JustifyMode: "auto", TextMode: "value", WideLayout: true, PercentChangeColorMode: "standard", Orientation: "auto",
		ReduceOptions: reduce{Calcs: []string{calc}},
	}
	return p
}

// weeks is a table of totals now and a week before, the most first; what names its rows,
// and shown and before are those of its columns.
func weeks(title, question, unit, tag, what, query string) panel {
	p := base("table", title, question, query)
	p.FieldConfig.Defaults = field{Unit: unit, NoValue: "0", Color: &color{Mode: "thresholds"}, Thresholds: plain()}
	p.FieldConfig.Overrides = []override{renamed(tag, what), renamed("shown", "In this time"), renamed("before", "A week before")}
	p.Options = tableOptions{ShowHeader: true, CellHeight: "sm", SortBy: []sort{{DisplayName: "In this time", Desc: true}}}
	return p
}

func renamed(column, to string) override {
	return override{matcher{ID: "byName", Options: column}, []property{{ID: "displayName", Value: to}}}
}

// coloured gives a series a colour that says what it is.
func coloured(series, name string) override {
	return override{matcher{ID: "byName", Options: series}, []property{{ID: "color", Value: color{Mode: "fixed", FixedColor: name}}}}
}

func number(n int) *int { return &n }

// from is the colour from a value on.
func from(value float64, name string) threshold { return threshold{Color: name, Value: &value} }

func plain() *thresholds {
	return &thresholds{Mode: "absolute", Steps: []threshold{{Color: "green"}}}
}

// placed gives panels their numbers and their places: side by side as long as they fit,
// then below. Panels of one row are of one height.
func placed(panels ...panel) []panel {
	x, y, row := 0, 0, 0
	for i := range panels {
		p := &panels[i]
		if x+p.GridPos.W > columns {
			x, y, row = 0, y+row, 0
		}
		p.ID, p.GridPos.X, p.GridPos.Y = i+1, x, y
		x, row = x+p.GridPos.W, max(row, p.GridPos.H)
	}
	return panels
}

// wide is a panel that fills its row.
func wide(p panel) panel {
	p.GridPos.W = columns
	return p
}

// assembled is a dashboard of panels.
func assembled(uid, title, what, bucket string, span string, chosen []variable, panels ...panel) dashboard {
	return dashboard{
		UID: uid, Title: title, Description: what, Tags: []string{"vigil"}, Timezone: "browser", Editable: true, GraphTooltip: 1,
		SchemaVersion: schemaVersion, Refresh: perMinute, Time: timeRange{From: "now-" + span, To: "now"},
		Links: []link{{
			Title: "vigil", Type: "dashboards", Icon: "external link", Tooltip: "The other dashboards of vigil", Tags: []string{"vigil"},
			AsDropdown: true, IncludeVars: true, KeepTime: true,
		}},
		Annotations: annotations{List: []struct{}{}},
		Templating:  templating{List: append([]variable{chooseDatasource(), chooseBucket(bucket)}, chosen...)},
		Panels:      placed(panels...),
	}
}

func chooseDatasource() variable {
	return variable{
		Type: "datasource", Name: "datasource", Label: "InfluxDB", Description: "Where the series of vigil are.", Query: "influxdb",
		Current: &option{Text: "vigil", Value: "vigil"},
	}
}

func chooseBucket(bucket string) variable {
	o := option{Selected: true, Text: bucket, Value: bucket}
	return variable{
		Type: "textbox", Name: "bucket", Label: "Bucket", Description: "The bucket to which vigil writes; for InfluxDB 1.8 database/retention-policy.",
		Query: bucket, Current: &o, Options: &[]option{o},
	}
}

// choose lets one choose values of a tag: all, or some.
func choose(measurement, tag, label string) variable {
	source, query := influx(), tagValues(measurement, tag)
	return variable{
		Type: "query", Name: tag, Label: label, Description: fmt.Sprintf("Narrows to some values of the tag %s.", tag), Datasource: &source,
		Query: query, Definition: query, Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".*",
		Current: &option{Selected: true, Text: []string{"All"}, Value: []string{"$__all"}},
	}
}
