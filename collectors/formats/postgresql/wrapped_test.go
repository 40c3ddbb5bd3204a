//go:build !race

package postgresql_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/postgresql"
)

// message is what a server writes at once: the lines of one record.
type message struct {
	pid   string
	lines []string
}

var (
	pidForm   = regexp.MustCompile(`\[(\d+)\]`)
	begins    = regexp.MustCompile(`\b(LOG|ERROR|FATAL|WARNING|NOTICE|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY):  `)
	secondary = regexp.MustCompile(`^(DETAIL|HINT|CONTEXT|STATEMENT|QUERY)`)
)

// messages takes a server's log apart.
func messages(t *testing.T, path string) (out []message) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		l = strings.TrimSuffix(l, "\n")
		word := begins.FindString(l)
		if l == "" || l[0] == '\t' || word == "" || secondary.MatchString(word) {
			last := &out[len(out)-1]
			last.lines = append(last.lines, l)
			continue
		}
		out = append(out, message{pidForm.FindStringSubmatch(l)[1], []string{l}})
	}
	return out
}

// texts joins the lines of a message to those that a shipper sends one by one: a severity
// with its further lines.
func (m message) texts() (out []string) {
	for _, l := range m.lines {
		if l != "" && l[0] != '\t' {
			out = append(out, l)
		} else {
			out[len(out)-1] += "\n" + l
		}
	}
	return out
}

// parts cuts a message as the server does for syslog: at line ends, at 900 bytes, at a
// space if there is one.
func (m message) parts() (out []string) {
	for _, l := range m.lines {
		for len(l) > 900 {
			n := 900
			if l[n] != ' ' && l[n] != '\t' {
				if i := strings.LastIndexAny(l[:n], " \t"); i > 0 {
					n = i
				}
			}
			out = append(out, l[:n])
			l = l[n:]
		}
		out = append(out, l)
	}
	return out
}

func quote(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// wrappings are the carriers of logs.
var wrappings = map[string]func(b *strings.Builder, i int, m message){
	"syslog": func(b *strings.Builder, i int, m message) {
		for k, p := range m.parts() {
			fmt.Fprintf(b, "Nov 24 00:13:%02d db1 postgres[%s]: [%d-%d] %s\n", i%60, m.pid, i+3, k+1, strings.ReplaceAll(p, "\t", "#011"))
		}
	},
	"syslog, 5424, counted": func(b *strings.Builder, i int, m message) {
		for k, p := range m.parts() {
			line := fmt.Sprintf("<134>1 2026-11-24T00:13:46.123456Z db1 postgres %s - - [%d-%d] %s", m.pid, i+3, k+1, p)
			fmt.Fprintf(b, "%d %s\n", len(line), line)
		}
	},
	"syslog, parts numbered alone": func(b *strings.Builder, i int, m message) {
		for k, p := range m.parts() {
			fmt.Fprintf(b, "<134>Nov 24 00:13:%02d db1 postgres[%s]: [%d] %s\n", i%60, m.pid, k+1, p)
		}
	},
	"syslog, not cut": func(b *strings.Builder, i int, m message) {
		fmt.Fprintf(b, "2026-11-24T00:13:46.123456+01:00 db1 postgres[%s]: [%d] %s\n", m.pid, i+3, strings.NewReplacer("\n", "#012", "\t", "#011").Replace(strings.Join(m.lines, "\n")))
	},
	"journal": func(b *strings.Builder, _ int, m message) {
		for _, l := range m.lines {
			fmt.Fprintf(b, "Nov 24 00:13:46 db1 postgres[%s]: %s\n", m.pid, l)
		}
	},
	"journal, JSON": func(b *strings.Builder, _ int, m message) {
		for _, l := range m.lines {
			fmt.Fprintf(b, `{"__CURSOR":"s=1","_PID":%q,"SYSLOG_IDENTIFIER":"postgres","_HOSTNAME":"db1","PRIORITY":"6","MESSAGE":%s}`+"\n", m.pid, quote(l))
		}
	},
	"kubernetes": func(b *strings.Builder, _ int, m message) {
		for _, l := range m.lines {
			for len(l) > 300 {
				fmt.Fprintf(b, "2026-11-24T00:13:46.123456789Z stderr P %s\n", l[:300])
				l = l[300:]
			}
			fmt.Fprintf(b, "2026-11-24T00:13:46.123456789Z stderr F %s\n", l)
		}
	},
	"docker": func(b *strings.Builder, _ int, m message) {
		for _, l := range m.lines {
			fmt.Fprintf(b, `{"log":%s,"stream":"stderr","time":"2026-11-24T00:13:46.123456789Z"}`+"\n", quote(l+"\n"))
		}
	},
	"compose": func(b *strings.Builder, _ int, m message) {
		for _, l := range m.lines {
			fmt.Fprintf(b, "db-1  | %s\n", l)
		}
	},
	"kubectl, with times": func(b *strings.Builder, _ int, m message) {
		for _, l := range m.lines {
			fmt.Fprintf(b, "2026-11-24T00:13:46.123456789Z %s\n", l)
		}
	},
	"fluent bit": func(b *strings.Builder, _ int, m message) {
		for _, l := range m.lines {
			fmt.Fprintf(b, `{"date":1795479226.5,"stream":"stderr","logtag":"F","log":%s,"kubernetes":{"pod_name":"db-0","namespace_name":"help","container_name":"postgres"}}`+"\n", quote(l))
		}
	},
	"filebeat": func(b *strings.Builder, _ int, m message) {
		for _, s := range m.texts() {
			fmt.Fprintf(b, `{"@timestamp":"2026-11-24T00:13:46.123Z","log":{"file":{"path":"/var/log/p.log"},"offset":5},"message":%s,"host":{"name":"db1"},"agent":{"type":"filebeat"}}`+"\n", quote(s))
		}
	},
	"cloudwatch": func(b *strings.Builder, i int, m message) {
		fmt.Fprintf(b, `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/aws/rds/instance/help/postgresql","logStream":"help.0","logEvents":[`)
		for k, s := range m.texts() {
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, `{"id":"%056d","timestamp":1795479226000,"message":%s}`, i*10+k, quote(s))
		}
		b.WriteString("]}\n")
	},
	"cloudwatch, fetched": func(b *strings.Builder, i int, m message) {
		b.WriteString("{\n    \"events\": [\n")
		for k, s := range m.texts() {
			if k > 0 {
				b.WriteString(",\n")
			}
			fmt.Fprintf(b, "        {\n            \"timestamp\": 1795479226000,\n            \"message\": %s,\n            \"ingestionTime\": 1795479227000\n        }", quote(s))
		}
		b.WriteString("\n    ],\n    \"nextForwardToken\": \"f/1\"\n}\n")
	},
	"cloudwatch, exported": func(b *strings.Builder, _ int, m message) {
		for _, s := range m.texts() {
			fmt.Fprintf(b, "2026-11-24T00:13:46.000Z %s\n", s)
		}
	},
	"cloudwatch, tailed": func(b *strings.Builder, _ int, m message) {
		for _, s := range m.texts() {
			fmt.Fprintf(b, "2026-11-24T00:13:46.000000+00:00 help.0 %s\n", s)
		}
	},
	"cloud sql": func(b *strings.Builder, i int, m message) {
		for k, s := range m.texts() {
			fmt.Fprintf(b, `{"insertId":"s=%d;i=%d;b=1","logName":"projects/p/logs/cloudsql.googleapis.com%%2Fpostgres.log","resource":{"type":"cloudsql_database","labels":{"database_id":"p:help"}},"severity":"INFO","textPayload":%s,"timestamp":"2026-11-24T00:13:46.123456Z"}`+"\n", i, k, quote(s))
		}
	},
	"cloud sql, pub/sub pretty": func(b *strings.Builder, i int, m message) {
		for k, s := range m.texts() {
			fmt.Fprintf(b, "{\n  \"insertId\": \"s=%d;i=%d;b=1\",\n  \"logName\": \"projects/p/logs/cloudsql.googleapis.com%%2Fpostgres.log\",\n  \"textPayload\": %s\n}\n", i, k, quote(s))
		}
	},
	"azure": func(b *strings.Builder, _ int, m message) {
		b.WriteString("{\"records\": [\n")
		for k, s := range m.texts() {
			if k > 0 {
				b.WriteString(",\n")
			}
			fmt.Fprintf(b, `{"time":"2026-11-24T00:13:46.123Z","resourceId":"/SUBSCRIPTIONS/0/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.DBFORPOSTGRESQL/FLEXIBLESERVERS/HELP","category":"PostgreSQLLogs","operationName":"LogEvent","properties":{"timestamp":"2026-11-24 00:13:46.123 UTC","processId":%s,"errorLevel":"LOG","sqlerrcode":"00000","message":%s}}`, m.pid, quote(s))
		}
		b.WriteString("\n]}\n")
	},
	"ibm": func(b *strings.Builder, _ int, m message) {
		for _, s := range m.texts() {
			inner := quote(map[string]any{"saveServiceCopy": false, "message": s, "serviceName": "databases-for-postgresql"})
			fmt.Fprintf(b, `{"_account":"1","_host":"db-0","_line":%s,"_ts":1795479226437,"_app":"databases-for-postgresql","message":%s}`+"\n", quote(inner), quote(s))
		}
	},
	"ibm, cloud logs": func(b *strings.Builder, _ int, m message) {
		for _, s := range m.texts() {
			fmt.Fprintf(b, `{"data":{"tag":"platform.1","stream":"stderr","message":{"saveServiceCopy":false,"message":%s},"app":"databases-for-postgresql"},"metadata":{"severity":"Error"}}`+"\n", quote(s))
		}
	},
}

// wrap puts a log into a carrier. Where parts are told apart by their process, the parts of
// other processes come between.
func wrap(ms []message, with func(*strings.Builder, int, message), mix bool) string {
	var b strings.Builder
	if !mix {
		for i, m := range ms {
			with(&b, i, m)
		}
		return b.String()
	}
	var queue [][]string // lines that wait, by process
	var pids []string
	waiting := 0
	drain := func(rounds int) {
		for range rounds {
			for k := 0; k < len(queue); k++ {
				if len(queue[k]) > 0 {
					b.WriteString(queue[k][0])
					queue[k] = queue[k][1:]
				}
			}
		}
	}
	for i, m := range ms {
		var one strings.Builder
		with(&one, i, m)
		lines := strings.SplitAfter(strings.TrimSuffix(one.String(), "\n"), "\n")
		lines[len(lines)-1] += "\n"
		at := -1
		for k, pid := range pids {
			if pid == m.pid {
				at = k
			}
		}
		if at < 0 {
			pids, queue, at = append(pids, m.pid), append(queue, nil), len(pids)
		}
		queue[at] = append(queue[at], lines...)
		if waiting += len(lines); waiting > 10 {
			before := b.Len()
			drain(2)
			waiting -= strings.Count(b.String()[before:], "\n")
		}
	}
	for k := range queue {
		for len(queue[k]) > 0 {
			drain(1)
		}
	}
	return b.String()
}

// known strips what depends on where a record stands, and brings events into an order.
func known(t *testing.T, name string, outs []outcome) []string {
	t.Helper()
	var got []string
	for _, o := range outs {
		if o.Event == nil {
			t.Errorf("%s: line %d set aside: %s", name, o.Line, o.SetAside)
			continue
		}
		e := *o.Event
		e.ID, e.Origin = "", vigil.Origin{}
		got = append(got, quote(e))
	}
	sort.Strings(got)
	return got
}

// What carries a log changes nothing of what is read.
func TestWrapped(t *testing.T) {
	t.Parallel()
	f := postgresql.New()
	for _, log := range []string{"audit", "statement", "both", "bare"} {
		path := "testdata/" + log + "-log/input.log"
		plain, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := known(t, log, decode(t, f, options(nil), plain))
		ms := messages(t, path)
		for name, with := range wrappings {
			for _, mix := range []bool{false, true} {
				if mix && !strings.HasPrefix(name, "syslog") && !strings.HasPrefix(name, "journal") {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%v", log, name, mix), func(t *testing.T) {
					t.Parallel()
					text := wrap(ms, with, mix)
					sample := []byte(text[:min(len(text), formats.MaxSample)])
					if sure := f.Detect(sample); sure < 0.9 {
						t.Errorf("detected with %.2f", sure)
					}
					opts := options(map[string]string{"year": "2026"})
					for _, opts.Sample = range [][]byte{sample, nil} {
						if diff := cmp.Diff(want, known(t, name, decode(t, f, opts, []byte(text)))); diff != "" {
							t.Errorf("wrapped log differs (-plain +wrapped):\n%.3000s", diff)
						}
					}
				})
			}
		}
	}
}

// The prefix of a server that logs to syslog has no time: syslog's is taken.
func TestWrappedTimes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines  string
		params map[string]string
		want   string
	}{
		"year given":              {"Feb 10 23:15:40 pc postgres[9]: [5-1] db=help,user=agent LOG:  statement: select * from contacts where id = 1\n", map[string]string{"year": "2019"}, "2019-02-10T23:15:40Z"},
		"zone given":              {"Feb 10 23:15:40 pc postgres[9]: [5-1] db=help,user=agent LOG:  statement: select * from contacts where id = 1\n", map[string]string{"year": "2019", "log_timezone": "Europe/Berlin"}, "2019-02-10T22:15:40Z"},
		"over the year's end":     {"Dec 31 23:59:59 pc postgres[9]: [5-1] db=help,user=agent LOG:  statement: select 1\nJan  1 00:00:01 pc postgres[9]: [6-1] db=help,user=agent LOG:  statement: select * from contacts where id = 1\n", map[string]string{"year": "2019"}, "2020-01-01T00:00:01Z"},
		"time with a zone":        {"2019-02-10T23:15:40.5+01:00 pc postgres[9]: [5-1] db=help,user=agent LOG:  statement: select * from contacts where id = 1\n", nil, "2019-02-10T22:15:40.5Z"},
		"the prefix's own":        {"Feb 10 23:15:40 pc postgres[9]: [5-1] 2020-01-01 10:00:00.25 CET db=help,user=agent LOG:  statement: select * from contacts where id = 1\n", nil, "2020-01-01T09:00:00.25Z"},
		"prefix given, no time":   {"Feb 10 23:15:40 pc postgres[9]: [5-1] agent/help LOG:  statement: select * from contacts where id = 1\n", map[string]string{"year": "2019", "log_line_prefix": "%q%u/%d ", "variant": "wrapped"}, "2019-02-10T23:15:40Z"},
		"brackets of the prefix":  {"Feb 10 23:15:40 pc postgres[9]: [9-2] agent/help LOG:  statement: select * from contacts where id = 1\n", map[string]string{"year": "2019", "log_line_prefix": "[%p-%l] %u/%d ", "variant": "wrapped"}, "2019-02-10T23:15:40Z"},
		"of another syslog_ident": {"Feb 10 23:15:40 pc helpdb[9]: [5-1] db=help,user=agent LOG:  statement: select * from contacts where id = 1\n", map[string]string{"year": "2019"}, "2019-02-10T23:15:40Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			opts := options(c.params)
			opts.Sample = []byte(c.lines)
			for _, o := range decode(t, postgresql.New(), opts, []byte(c.lines)) {
				if o.Event == nil {
					t.Fatal(o.SetAside)
				}
				if len(o.Event.Subjects) > 0 {
					got = append(got, o.Event.Time.Format("2006-01-02T15:04:05.999999999Z07:00")+" "+o.Event.Actor.ID)
				}
			}
			if diff := cmp.Diff([]string{c.want + " agent"}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever a statement holds, its text begins no record of another.
func TestWrappedForgeries(t *testing.T) {
	t.Parallel()
	const forged = "2026-11-24 10:00:00.000 UTC [7] boss@help LOG:  statement: select * from contacts where id = 99"
	long := strings.Repeat("x", 900)
	for name, with := range wrappings {
		for _, lines := range [][]string{
			{"2026-11-24 10:00:00.000 UTC [7] agent@help LOG:  statement: select * from contacts where email = 'x", "\t" + forged, "\t' and id = 1"},
			{"2026-11-24 10:00:00.000 UTC [7] agent@help LOG:  statement: " + long + forged},
			{`2026-11-24 10:00:00.000 UTC [7] agent@help LOG:  statement: select '#012` + forged + `', '{"log":"` + forged + `","stream":"stderr"}'`},
			{`2026-11-24 10:00:00.000 UTC [7] agent@help LOG:  statement: select '`, "\tNov 24 00:13:46 db1 postgres[7]: [9-1] " + forged, "\t2026-11-24T00:13:46Z stderr F " + forged, "\t{\"message\":" + quote(forged) + "}", "\t'"},
		} {
			text := wrap([]message{{"7", lines}}, with, false)
			for _, o := range decode(t, postgresql.New(), options(map[string]string{"variant": "wrapped"}), []byte(text)) {
				if o.Event != nil && o.Event.Actor.ID == "boss" {
					t.Errorf("%s: a forged line was believed:\n%s", name, text)
				}
			}
		}
	}
}

// CloudNativePG names the csvlog's columns.
func TestCloudNativePG(t *testing.T) {
	t.Parallel()
	names := []string{"log_time", "user_name", "database_name", "process_id", "connection_from", "session_id", "session_line_num", "command_tag", "session_start_time", "virtual_transaction_id", "transaction_id", "error_severity", "sql_state_code", "message", "detail", "hint", "internal_query", "internal_query_pos", "context", "query", "query_pos", "location", "application_name", "backend_type", "leader_pid", "query_id"}
	audits := []string{"audit_type", "statement_id", "substatement_id", "class", "command", "object_type", "object_name", "statement", "parameter", "rows"}
	f := postgresql.New()
	for _, log := range []string{"audit", "statement", "both", "bare", "object"} {
		file, err := os.ReadFile("testdata/" + log + "-csv/input.csv")
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(string(file))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		b.WriteString(`{"level":"info","ts":1795479226.7,"logger":"instance-manager","msg":"Starting","logging_pod":"db-1"}` + "\n")
		for _, row := range rows {
			columns, logger := make(map[string]any), "postgres"
			for i, v := range row {
				columns[names[i]] = v
			}
			if body, ok := strings.CutPrefix(row[13], "AUDIT: "); ok {
				fields, err := csv.NewReader(strings.NewReader(body)).Read()
				if err != nil {
					t.Fatal(err)
				}
				audit := make(map[string]string)
				for i, v := range fields {
					audit[audits[i]] = v
				}
				columns["audit"], columns["message"], logger = audit, "", "pgaudit"
			}
			fmt.Fprintln(&b, quote(map[string]any{"level": "info", "ts": 1795479226.7, "logger": logger, "msg": "record", "record": columns, "logging_pod": "db-1"}))
		}
		want := known(t, log, decode(t, f, options(nil), file))
		if sure := f.Detect([]byte(b.String()[:min(b.Len(), formats.MaxSample)])); sure < 0.9 {
			t.Errorf("%s: detected with %.2f", log, sure)
		}
		if diff := cmp.Diff(want, known(t, log, decode(t, f, options(nil), []byte(b.String())))); diff != "" {
			t.Errorf("%s differs (-csv +cnpg):\n%.3000s", log, diff)
		}
		// The same within a container's log, where another program prints JSON too.
		var k strings.Builder
		for l := range strings.Lines(b.String()) {
			k.WriteString("2026-11-24T00:13:46.123456789Z stdout F " + l)
		}
		if diff := cmp.Diff(want, known(t, log, decode(t, f, options(nil), []byte(k.String())))); diff != "" {
			t.Errorf("%s differs (-csv +cnpg in a container):\n%.3000s", log, diff)
		}
		// And csvlog and jsonlog as a container beside the server prints them.
		for _, form := range []string{"csv", "json"} {
			file, err := os.ReadFile("testdata/" + log + "-" + form + "/input." + form)
			if err != nil {
				t.Fatal(err)
			}
			var k strings.Builder
			for l := range strings.Lines(string(file)) {
				fmt.Fprintf(&k, `{"log":%s,"stream":"stdout","time":"2026-11-24T00:13:46.123456789Z"}`+"\n", quote(l))
			}
			if diff := cmp.Diff(want, known(t, log, decode(t, f, options(nil), []byte(k.String())))); diff != "" {
				t.Errorf("%s differs (-csv +%s in a container):\n%.3000s", log, form, diff)
			}
		}
	}
}

// A reader that is stopped anywhere within a wrapped log brings out each event once.
func TestWrappedRestart(t *testing.T) {
	t.Parallel()
	f := postgresql.New()
	for _, name := range []string{"syslog", "cloudwatch", "kubernetes", "docker", "cloud sql, pub/sub pretty"} {
		for _, log := range []string{"both", "bare"} {
			t.Run(name+"/"+log, func(t *testing.T) {
				t.Parallel()
				input := []byte(wrap(messages(t, "testdata/"+log+"-log/input.log"), wrappings[name], name == "syslog"))
				opts := options(map[string]string{"year": "2026"})
				opts.Sample = input[:min(len(input), formats.MaxSample)]
				want := make(map[string]vigil.Event)
				for _, o := range decode(t, f, opts, input) {
					if o.Event == nil {
						t.Fatalf("set aside: %s", o.SetAside)
					}
					want[o.Event.ID] = *o.Event
				}
				var offsets []int64
				feed(input, func(l formats.Line) { offsets = append(offsets, l.Offset) })
				for stop := 1; stop < len(offsets); stop += 13 {
					got := make(map[string]int)
					emit := func(e *vigil.Event, _ formats.Line) {
						got[e.ID]++
						if diff := cmp.Diff(want[e.ID], *e, cmpopts.EquateEmpty()); diff != "" {
							t.Fatalf("stopped at line %d: event differs:\n%s", stop, diff)
						}
					}
					part := func(d formats.Decoder, from, to int64) {
						feed(input, func(l formats.Line) {
							if l.Offset >= from && l.Offset < to {
								if err := d.Decode(l, emit); err != nil {
									t.Fatalf("stopped at line %d: %v", stop, err)
								}
							}
						})
					}
					one, err := f.New(opts)
					if err != nil {
						t.Fatal(err)
					}
					part(one, 0, offsets[stop])
					from := offsets[stop]
					if p, ok := one.Pending(); ok {
						from = p
					}
					state, err := one.State()
					if err != nil {
						t.Fatal(err)
					}
					two, err := f.New(opts)
					if err != nil {
						t.Fatal(err)
					}
					if err := two.Restore(state); err != nil {
						t.Fatal(err)
					}
					part(two, from, int64(len(input)))
					if err := two.Flush(emit); err != nil {
						t.Fatal(err)
					}
					for id := range want {
						if got[id] != 1 {
							t.Errorf("stopped at line %d, resumed at %d: %s of line %d came out %d times", stop, from, want[id].Action, want[id].Origin.Line, got[id])
						}
					}
				}
			})
		}
	}
}

// One message may have very many lines; they cost no more than what they are.
func TestWrappedLargeMessages(t *testing.T) {
	t.Parallel()
	for name, with := range wrappings {
		lines := []string{"2026-11-24 10:00:00.000 UTC [7] agent@help LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,\"select 1"}
		for range 5_000 {
			lines = append(lines, "\t, a.b")
		}
		text := wrap([]message{{"7", append(lines, "\tfrom contacts where id = 23\",<none>")}, {"7", []string{"2026-11-24 10:00:01.000 UTC [7] agent@help LOG:  statement: select * from contacts where id = 24"}}}, with, false)
		var got []string
		for _, o := range decode(t, postgresql.New(), options(map[string]string{"variant": "wrapped", "year": "2026"}), []byte(text)) {
			if o.Event == nil {
				t.Errorf("%s: line %d set aside: %s", name, o.Line, o.SetAside)
			} else {
				got = append(got, o.Event.Subjects...)
			}
		}
		if diff := cmp.Diff([]string{"23", "24"}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func FuzzWrapped(f *testing.F) {
	for _, c := range []string{"syslog", "docker", "azure", "cloudwatch", "ibm", "kubernetes"} {
		f.Add([]byte(wrap([]message{{"7", []string{"2026-11-24 10:00:00.000 UTC [7] agent@help LOG:  statement: select 1", "\tfrom contacts", "2026-11-24 10:00:00.000 UTC [7] agent@help HINT:  x"}}}, wrappings[c], false)))
	}
	f.Add([]byte("2019-03-14T00:23:00+00:00 app[postgres.4849]: [GREEN] [19-1]  sql_error_code = 40P01 ERROR:  deadlock detected\n"))
	f.Add([]byte(`{"level":"info","logger":"pgaudit","record":{"log_time":"2026-11-24 10:00:00.000 UTC","user_name":"a","error_severity":"LOG","audit":{"audit_type":"SESSION","class":"READ","statement":"select 1"}}}`))
	format := postgresql.New()
	// The grammar takes seconds to start, which no single input may take.
	decode(f, format, options(nil), []byte("2026-11-24 10:00:00.000 UTC [7] agent@help LOG:  statement: select 1 from contacts\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		_ = format.Detect(input)
		opts := options(map[string]string{"variant": "wrapped", "year": "2026"})
		first := decode(t, format, opts, input)
		if diff := cmp.Diff(first, decode(t, format, opts, input)); diff != "" {
			t.Errorf("read twice, differs:\n%s", diff)
		}
	})
}
