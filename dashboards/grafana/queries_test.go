package grafana_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/ledger"
	"vigil/internal/series"
	"vigil/internal/series/influx"
	"vigil/internal/series/influx/influxtest"
)

const bucket = "vigil/autogen"

// TestQueries runs every query of every dashboard against a real server with what vigil
// wrote to it.
func TestQueries(t *testing.T) {
	t.Parallel()
	s := influxtest.New(t)
	s.InfluxQL(t, "CREATE DATABASE vigil")
	now := time.Now().UTC().Truncate(time.Minute)
	write(t, s, now)
	names := written(t, s)
	documented(t, names)
	for path, text := range made(t) {
		if !strings.HasPrefix(path, "dashboards/") {
			continue
		}
		d := decode(t, text)
		exist(t, path, text, names)
		all, some := map[string]string{}, map[string]string{}
		for _, v := range d.Templating.List {
			if v.Type != "query" {
				continue
			}
			values := map[string]bool{}
			for _, row := range s.Flux(t, interpolate(v.Query, nil, now)) {
				values[row["_value"]] = true
			}
			if len(values) < 2 {
				t.Errorf("%s: the variable %s has the values %v", path, v.Name, values)
			}
			all[v.Name], some[v.Name] = ".*", regex(slices.Sorted(maps.Keys(values)))
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				for _, chosen := range []map[string]string{all, some} {
					if !shows(s.Flux(t, interpolate(q.Query, chosen, now))) {
						t.Errorf("%s: %q shows nothing with %v:\n%s", path, p.Title, chosen, interpolate(q.Query, chosen, now))
					}
				}
			}
		}
	}
	narrowed(t, s, now)
}

// narrowed sees that the variables choose what they name, and what has no such tag is
// among all.
func narrowed(t *testing.T, s *influxtest.Server, now time.Time) {
	t.Helper()
	query := ""
	for _, p := range decode(t, made(t)["dashboards/vigil-access.json"]).Panels {
		if p.Title == "Accesses" {
			query = p.Targets[0].Query
		}
	}
	const each = 60 // of one source, store and tenant there is one a minute for an hour
	for _, c := range []struct {
		source, store, tenant []string
		want                  int
	}{
		{nil, nil, nil, 4 * each},
		{[]string{"pg"}, nil, nil, 2 * each},
		{[]string{"pg"}, []string{"crm", "helpdesk"}, nil, 2 * each},
		{nil, []string{"helpdesk"}, nil, 2 * each},
		{nil, nil, []string{"acme (eu)/1"}, 2 * each},
		{[]string{"pg"}, nil, []string{"acme (eu)/1"}, each},
	} {
		chosen := map[string]string{"source": regex(c.source), "store": regex(c.store), "tenant": regex(c.tenant)}
		rows := s.Flux(t, interpolate(query, chosen, now))
		if len(rows) != 1 || rows[0]["_value"] != strconv.Itoa(c.want) {
			t.Errorf("%v: %v, want %d", c, rows, c.want)
		}
	}
}

// interpolate puts in what Grafana does: the chosen values, the last 3 hours, and a point
// every 10 minutes.
func interpolate(query string, chosen map[string]string, now time.Time) string {
	for name, value := range chosen {
		query = strings.ReplaceAll(query, "${"+name+":regex}", value)
	}
	return strings.NewReplacer("${bucket}", bucket, "v.timeRangeStart", now.Add(-3*time.Hour).Format(time.RFC3339Nano),
		"v.timeRangeStop", now.Add(time.Hour).Format(time.RFC3339Nano), "v.windowPeriod", (10 * time.Minute).String()).Replace(query)
}

// special are the characters that Grafana escapes in values for regular expressions.
var special = regexp.MustCompile(`[\\^$*+?.()|[\]{}/]`)

// regex is how Grafana writes values as a regular expression; none are all.
func regex(values []string) string {
	if len(values) == 0 {
		return ".*"
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = special.ReplaceAllString(v, `\$0`)
	}
	if len(out) == 1 {
		return out[0]
	}
	return "(" + strings.Join(out, "|") + ")"
}

// shows reports whether there is a number that is not 0 among rows.
func shows(rows []map[string]string) bool {
	for _, r := range rows {
		for name, v := range r {
			if n, err := strconv.ParseFloat(v, 64); err == nil && n != 0 && name != "table" && name != "result" {
				return true
			}
		}
	}
	return false
}

// write takes all that vigil writes to the server, on the way that it takes.
func write(t *testing.T, s *influxtest.Server, now time.Time) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := ledger.Open(ctx, ledger.Config{Dir: filepath.Join(t.TempDir(), "ledger"), Spool: true}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	seq, err := l.AcceptTick(ctx, vigil.Tick{Watermark: now})
	if err != nil {
		t.Fatal(err)
	}
	caps := series.NewCaps(0, nil)
	week := 7 * 24 * time.Hour
	applied := ledger.Applied{Seq: seq, Points: append(series.Roll(accesses(now.Add(-week)), caps), series.Roll(accesses(now), caps)...), Findings: found(now)}
	if err := l.Apply(ctx, applied); err != nil {
		t.Fatal(err)
	}
	work(ctx, t, l, now)
	for i := range 3 {
		if err := l.Note(ctx, readings(now.Add(time.Duration(-30*i)*time.Minute), int64(10-i))); err != nil {
			t.Fatal(err)
		}
	}
	w, err := influx.New(influx.Config{URL: s.URL(), Token: influx.Secret(s.Token()), Bucket: bucket}, influx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	shipping, done := context.WithCancel(ctx)
	defer done()
	err = series.Ship(shipping, l, w, series.ShipConfig{Interval: time.Millisecond}, series.ShipOptions{Report: func(st series.Shipped) {
		if waiting, err := l.DirtyPoints(ctx, 1); st.Err != nil || (err == nil && waiting.Empty()) {
			done()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if st := w.Stats(); st.Rejected > 0 || st.Failures > 0 || st.Written < 400 {
		t.Fatalf("written: %+v", st)
	}
}

// accesses are those of the hour before a time: two sources with two stores each, one
// access a minute, the tenant only in one of them.
func accesses(end time.Time) (out []*vigil.Event) {
	for i := range 60 {
		for k, source := range []string{"pg", "web"} {
			for j, store := range []string{"crm", "helpdesk"} {
				e := &vigil.Event{
					Source: source, Store: store, Time: end.Add(time.Duration(-i) * time.Minute), Action: vigil.ActionRead, Rows: 5, Bytes: 700, SubjectCount: 2,
					Actor: vigil.Actor{Kind: vigil.KindHuman, Role: "agent"}, Outcome: vigil.OutcomeSuccess,
				}
				if j == 1 {
					e.Actor = vigil.Actor{Kind: vigil.KindService, Role: "export", Tenant: "acme (eu)/1"}
					e.Outcome = vigil.OutcomeDenied
				}
				if k == 1 {
					e.Action = vigil.ActionExport
				}
				if j == 0 && k == 1 {
					e.Actor.Tenant = "other"
				}
				out = append(out, e)
			}
		}
	}
	return out
}

func found(now time.Time) (out []vigil.Finding) {
	for i, severity := range []vigil.Severity{vigil.SeverityLow, vigil.SeverityHigh} {
		out = append(out, vigil.Finding{
			ID: fmt.Sprintf("f-%d", i), Revision: 1, State: vigil.StateClosed, About: vigil.AboutActor, ActorKind: vigil.KindHuman, Actor: "actor-1", Severity: severity,
			Lane: []string{"day", "rule"}[i], Detected: now.Add(-time.Hour), End: now.Add(-time.Hour),
		})
	}
	return out
}

// work takes two cases from their beginning to their end.
func work(ctx context.Context, t *testing.T, l *ledger.Ledger, now time.Time) {
	t.Helper()
	for i, severity := range []vigil.Severity{vigil.SeverityLow, vigil.SeverityHigh} {
		c := vigil.Case{ID: fmt.Sprintf("c-%d", i), State: vigil.CaseNew, About: vigil.AboutActor, Actor: "actor-1", Severity: severity, Opened: now.Add(-time.Hour)}
		for revision, state := range []vigil.CaseState{vigil.CaseNew, vigil.CaseAcknowledged, vigil.CaseResolved} {
			if c.State = state; state == vigil.CaseAcknowledged {
				c.Acknowledged = &vigil.Mark{By: "actor-2", Time: now.Add(-20 * time.Minute)}
			}
			c.Revision = revision + 1
			if err := l.Work(ctx, ledger.Casework{Cases: []ledger.CaseChange{{Case: c, Was: revision}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// readings have every field that there is.
func readings(at time.Time, n int64) []series.Reading {
	values := func(fields []series.Field) map[string]int64 {
		out := map[string]int64{}
		for _, f := range fields {
			out[f.Name] = n
		}
		return out
	}
	out := []series.Reading{{Start: at, Values: values(series.ProgramFields())}}
	for _, source := range []string{"pg", "web"} {
		r := series.Reading{Start: at, Source: source, Values: values(series.SourceFields())}
		r.Values[series.SourceState] = series.StateSilent
		out = append(out, r)
	}
	return out
}

// keys are the names of tags and fields, by measurement.
type keys map[string]map[string]bool

// written asks the server which names there are.
func written(t *testing.T, s *influxtest.Server) keys {
	t.Helper()
	out := keys{}
	for _, what := range []string{"FIELD", "TAG"} {
		var answer struct {
			Results []struct {
				Series []struct {
					Name   string
					Values [][]string
				}
			}
		}
		if err := json.Unmarshal([]byte(s.InfluxQL(t, "SHOW "+what+" KEYS ON vigil")), &answer); err != nil {
			t.Fatal(err)
		}
		for _, m := range answer.Results[0].Series {
			if out[m.Name] == nil {
				out[m.Name] = map[string]bool{}
			}
			for _, v := range m.Values {
				out[m.Name][v[0]] = true
			}
		}
	}
	if len(out) != 5 {
		t.Fatalf("measurements: %v", out)
	}
	return out
}

var (
	saysMeasurement = regexp.MustCompile(`_measurement == "([^"]+)"`)
	saysField       = regexp.MustCompile(`_field == "([^"]+)"`)
	saysTag         = regexp.MustCompile(`r\.(\w+) =~|tag: "(\w+)"`)
)

// exist sees that what a dashboard names was written.
func exist(t *testing.T, path string, text []byte, names keys) {
	t.Helper()
	var queries []string
	d := decode(t, text)
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			queries = append(queries, q.Query)
		}
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			queries = append(queries, v.Query)
		}
	}
	for _, q := range queries {
		m := saysMeasurement.FindStringSubmatch(q)
		if m == nil || names[m[1]] == nil {
			t.Fatalf("%s: a query of no measurement that is written:\n%s", path, q)
		}
		for _, say := range append(saysField.FindAllStringSubmatch(q, -1), saysTag.FindAllStringSubmatch(q, -1)...) {
			if name := say[1] + strings.Join(say[2:], ""); !names[m[1]][name] {
				t.Errorf("%s: %s has no %q", path, m[1], name)
			}
		}
	}
}

// documented sees that the page about them names all that is written, and nothing else.
func documented(t *testing.T, names keys) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "grafana.md"))
	if err != nil {
		t.Fatal(err)
	}
	told, measurement := keys{}, ""
	row := regexp.MustCompile("^\\| `(\\w+)` \\|")
	for line := range strings.Lines(string(text)) {
		if after, ok := strings.CutPrefix(line, "### `"); ok {
			measurement, _, _ = strings.Cut(after, "`")
			told[measurement] = map[string]bool{}
		} else if strings.HasPrefix(line, "#") {
			measurement = ""
		}
		if m := row.FindStringSubmatch(line); m != nil && measurement != "" {
			told[measurement][m[1]] = true
		}
	}
	for m := range names {
		if !maps.Equal(names[m], told[m]) {
			t.Errorf("%s: written are %v, docs/grafana.md tells of %v", m, slices.Sorted(maps.Keys(names[m])), slices.Sorted(maps.Keys(told[m])))
		}
	}
	for m := range told {
		if names[m] == nil {
			t.Errorf("docs/grafana.md tells of %s, which is not written", m)
		}
	}
}
