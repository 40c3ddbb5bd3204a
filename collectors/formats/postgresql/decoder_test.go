//go:build !race

package postgresql_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/postgresql"
	"vigil/collectors/formats/presets"
)

func options(params map[string]string) formats.Options {
	m, _ := presets.Named("chatwoot")
	return formats.Options{Source: "db", File: "f", Params: params, Mapping: m}
}

// The same sessions, as one server logged them in three forms at once, give the
// same events.
func TestFormsAgree(t *testing.T) {
	t.Parallel()
	f := postgresql.New()
	for _, name := range []string{"audit", "statement", "both", "duration", "bare", "object"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ignore := []string{"ID", "Origin"}
			if name != "audit" {
				// These prefixes do not print everything: the time's fraction, the
				// session's id, and who is refused before the session begins.
				ignore = append(ignore, "Time", "Session", "Actor.App", "IP")
			}
			if name == "bare" || name == "object" {
				ignore = append(ignore, "Store") // of refused logins: no line tells it
			}
			var first []*vigil.Event
			for _, form := range []string{"csv", "json", "log"} {
				dir := "testdata/" + name + "-" + form
				input, err := os.ReadFile(dir + "/input." + form)
				if err != nil {
					t.Fatal(err)
				}
				opts := options(nil)
				opts.Sample = input[:min(len(input), 64<<10)]
				if name == "duration" && form == "log" {
					opts.Params = map[string]string{"log_line_prefix": "%n %p %-10u|%d|%i|%e|%v|%x "}
				}
				if name == "object" && form == "log" {
					opts.Params = map[string]string{"log_line_prefix": "%s %c %l %t %b %P  %Q %% "}
				}
				var events []*vigil.Event
				for _, o := range decode(t, f, opts, input) {
					if o.SetAside != "" {
						t.Errorf("%s: line %d set aside: %s", form, o.Line, o.SetAside)
						continue
					}
					events = append(events, o.Event)
				}
				if first == nil {
					first = events
					continue
				}
				if diff := cmp.Diff(first, events, cmpopts.IgnoreFields(vigil.Event{}, ignore...)); diff != "" {
					t.Errorf("%s differs from csv (-csv +%s):\n%s", form, form, diff)
				}
			}
		})
	}
}

// A reader that is stopped anywhere and goes on from Pending with State brings
// out each event once.
func TestRestart(t *testing.T) {
	t.Parallel()
	f := postgresql.New()
	for _, path := range []string{"testdata/both-log/input.log", "testdata/bare-log/input.log", "testdata/audit-csv/input.csv", "testdata/duration-json/input.json"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			input, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			opts := options(nil)
			want := make(map[string]vigil.Event)
			for _, o := range decode(t, f, opts, input) {
				if o.Event == nil {
					t.Fatalf("set aside: %s", o.SetAside)
				}
				want[o.Event.ID] = *o.Event
			}
			var offsets []int64
			feed(input, func(l formats.Line) { offsets = append(offsets, l.Offset) })
			for stop := 1; stop < len(offsets); stop += 7 {
				got := make(map[string]int)
				emit := func(e *vigil.Event, _ formats.Line) {
					got[e.ID]++
					if diff := cmp.Diff(want[e.ID], *e); diff != "" {
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

func TestDamage(t *testing.T) {
	t.Parallel()
	f := postgresql.New()
	const csv = `2026-11-24 10:00:00.000 UTC,"agent","help",7,"10.0.0.1:5000",6b04d6ba.7,%d,"SELECT",2026-11-24 09:00:00 UTC,3/4,0,LOG,00000,"statement: select * from contacts where id = %d",,,,,,,,,"app"` + "\n"
	const log = "2026-11-24 10:00:00.000 UTC [7] agent@help LOG:  statement: select * from contacts where id = %d\n"
	line := func(form string, n int) string {
		if form == csv {
			return fmt.Sprintf(csv, n, n)
		}
		return fmt.Sprintf(log, n)
	}
	half := func(form string, n int) string { l := line(form, n); return l[:len(l)-40] + "\n" }
	for _, c := range []struct {
		name, input    string
		subjects, code string
	}{
		{"csv cut within a quote", line(csv, 1) + half(csv, 2) + line(csv, 3) + line(csv, 4), "1 3 4", "truncated"},
		{"csv cut before the quote", line(csv, 1) + "2026-11-24 10:00:00.000 UTC,\"agent\",\"help\"\n" + line(csv, 3), "1 3", "format"},
		{"csv ends within a quote", line(csv, 1) + half(csv, 2), "1", "truncated"},
		{"csv binary", line(csv, 1) + "\x00\x01\x02\x03\n" + line(csv, 3), "1 3", "binary"},
		{"text binary", line(log, 1) + "\x7fELF\x00\x01\n" + line(log, 2), "1 2", "binary"},
		{"text without a time", "hello\n" + line(log, 1), "1", "prefix"},
		{"text begins within a message", "\tWHERE id = 9\n\tAND x\n" + line(log, 1), "1", "truncated"},
		{"unknown zone", strings.Replace(line(log, 1), "UTC", "XYZT", 1) + line(log, 2), "2", "time"},
		{"json cut", `{"timestamp":"2026-11-24 10:00:00.000 UTC","user":"a","error_severity":"LOG","mess` + "\n" +
			`{"timestamp":"2026-11-24 10:00:00.000 UTC","user":"a","dbname":"d","pid":7,"error_severity":"LOG","message":"statement: select * from contacts where id = 4"}` + "\n", "4", "json"},
		{"latin1 in a literal", "2026-11-24 10:00:00.000 UTC [7] agent@help LOG:  statement: select * from contacts where email = 'm\xfcller' and id = 5\n", "5", ""},
		{"forged within a csv literal", fmt.Sprintf(csv, 1, 1)[:len(fmt.Sprintf(csv, 1, 1))-len(`",,,,,,,,,"app"`)-1] +
			" and email = 'x\n2026-11-24 10:00:00.000 UTC,\"\"boss\"\",\"\"help\"\",7,,6b04d6ba.7,1,\"\"SELECT\"\",2026-11-24 09:00:00 UTC,3/4,0,LOG,00000,\"\"statement: select * from contacts where id = 99\"\",,,,,,,,,\n'\",,,,,,,,,\"app\"\n", "1", ""},
		{"forged within a text literal", "2026-11-24 10:00:00.000 UTC [7] agent@help LOG:  statement: select * from contacts where id = 1 and email = 'x\n\t2026-11-24 10:00:00.000 UTC [7] boss@help LOG:  statement: select * from contacts where id = 99\n\t'\n", "1", ""},
		{"nobody", "2026-11-24 10:00:00.000 UTC [7] LOG:  statement: select * from contacts where id = 1\n" + line(log, 2), "2", "actor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var subjects []string
			code := ""
			for _, o := range decode(t, f, options(nil), []byte(c.input)) {
				if o.Event != nil {
					if o.Event.Actor.ID == "boss" {
						t.Error("a forged line was believed")
					}
					subjects = append(subjects, o.Event.Subjects...)
				} else if code == "" {
					code, _, _ = strings.Cut(o.SetAside, ":")
				}
			}
			if got := strings.Join(subjects, " "); got != c.subjects || code != c.code {
				t.Errorf("subjects %q, set aside as %q; want %q and %q", got, code, c.subjects, c.code)
			}
		})
	}
}

// Sessions that work at the same time do not mix.
func TestInterleaved(t *testing.T) {
	t.Parallel()
	var in bytes.Buffer
	at := func(pid int, text string) {
		fmt.Fprintf(&in, "2026-11-24 10:00:00.000 UTC [%d] agent%d@help %s\n", pid, pid, text)
	}
	at(1, "LOG:  statement: select * from contacts where id = 1")
	at(2, "LOG:  statement: select * from contacts where id = 2")
	at(2, "ERROR:  permission denied for table contacts")
	at(2, "STATEMENT:  select * from contacts where id = 2")
	at(1, "LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,select * from contacts where id = 1,<none>,1")
	at(1, "LOG:  duration: 1.0 ms")
	got := make(map[string]vigil.Event)
	for _, o := range decode(t, postgresql.New(), options(nil), in.Bytes()) {
		if o.Event == nil {
			t.Fatal(o.SetAside)
		}
		if _, twice := got[o.Event.Actor.ID]; twice {
			t.Errorf("%s is counted twice", o.Event.Actor.ID)
		}
		got[o.Event.Actor.ID] = *o.Event
	}
	if e := got["agent1"]; e.Outcome != vigil.OutcomeSuccess || e.Rows != 1 {
		t.Errorf("agent1: outcome %q rows %d, want success and 1", e.Outcome, e.Rows)
	}
	if e := got["agent2"]; e.Outcome != vigil.OutcomeDenied {
		t.Errorf("agent2: outcome %q, want denied", e.Outcome)
	}
}

// A failure is no word about an earlier run of the same text that has ended: both
// are told. It is one about a run whose end was not told.
func TestAFailureKeepsTheSuccessBefore(t *testing.T) {
	t.Parallel()
	const one, two = "select * from contacts where id = 1", "select * from contacts where id = 1; select * from messages where id = 2"
	ok := func(stmt int, text, rows string) string {
		return fmt.Sprintf("LOG:  AUDIT: SESSION,%d,1,READ,SELECT,,,%s,<none>%s", stmt, text, rows)
	}
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"again":              {[]string{ok(1, one, ",1"), "ERROR:  canceling statement due to statement timeout", "STATEMENT:  " + one}, "read success, read error"},
		"again and refused":  {[]string{ok(1, one, ",1"), "ERROR:  permission denied for table contacts", "STATEMENT:  " + one}, "read success, read denied"},
		"an end not told":    {[]string{ok(1, one, ""), "ERROR:  canceling statement due to statement timeout", "STATEMENT:  " + one}, "read error"},
		"the second of two":  {[]string{ok(1, two, ",1"), "ERROR:  canceling statement due to statement timeout", "STATEMENT:  " + two}, "read success, read error"},
		"both of two, again": {[]string{ok(1, two, ",1"), ok(2, two, ",1"), "ERROR:  canceling statement due to statement timeout", "STATEMENT:  " + two}, "read success, read success, read error, read error"},
		"without its text":   {[]string{ok(1, one, ",1"), "ERROR:  canceling statement due to statement timeout"}, "read success"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var in bytes.Buffer
			for _, l := range c.lines {
				fmt.Fprintf(&in, "2026-11-24 10:00:00.000 UTC [1] agent@help %s\n", l)
			}
			var got []string
			for _, o := range decode(t, postgresql.New(), options(nil), in.Bytes()) {
				if o.Event == nil {
					t.Fatal(o.SetAside)
				}
				got = append(got, string(o.Event.Action)+" "+string(o.Event.Outcome))
			}
			if got := strings.Join(got, ", "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// What waits comes out after a while, though the session says nothing more.
func TestHoldIsBounded(t *testing.T) {
	t.Parallel()
	d, err := postgresql.New().New(options(map[string]string{"log_line_prefix": "%m [%p] %u@%d "}))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	emit := func(*vigil.Event, formats.Line) { n++ }
	for i, text := range []string{
		"2026-11-24 10:00:00.000 UTC [1] a@b LOG:  statement: select * from contacts where id = 1",
		"2026-11-24 10:00:01.000 UTC [2] a@b LOG:  checkpoint starting: time",
		"2026-11-24 10:00:03.000 UTC [2] a@b LOG:  checkpoint starting: time",
		"2026-11-24 10:00:03.000 UTC [2] a@b LOG:  checkpoint starting: time",
	} {
		if err := d.Decode(formats.Line{Text: []byte(text), Offset: int64(i * 100), Number: int64(i + 1)}, emit); err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("%d events came out, want 1", n)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	f := postgresql.New()
	for _, c := range []struct {
		params map[string]string
		want   string
	}{
		{map[string]string{"log_line_prefix": "%m [%p] %y "}, "%y"},
		{map[string]string{"log_line_prefix": "%u@%d "}, "no time"},
		{map[string]string{"log_line_prefix": "%m %"}, "ends within an escape"},
		{map[string]string{"prefix": "%m"}, `unknown param "prefix"`},
		{map[string]string{"log_timezone": "Nowhere/At_All"}, "log_timezone"},
		{map[string]string{"variant": "syslog"}, "variant"},
	} {
		if _, err := f.New(options(c.params)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want one with %q", c.params, err, c.want)
		}
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	f := postgresql.New()
	for _, c := range []struct{ stamp, zone, want string }{
		{"2026-07-01 12:00:00.5 CEST", "", "2026-07-01T10:00:00.5Z"},
		{"2026-01-01 12:00:00 CET", "", "2026-01-01T11:00:00Z"},
		{"2026-01-01 12:00:00 EST", "", "2026-01-01T17:00:00Z"},
		{"2026-01-01 12:00:00 +0530", "", "2026-01-01T06:30:00Z"},
		{"2026-01-01 12:00:00 -03", "", "2026-01-01T15:00:00Z"},
		{"2026-01-01 12:00:00 IST", "Asia/Jerusalem", "2026-01-01T10:00:00Z"},
		{"2026-10-25 02:30:00 CEST", "Europe/Berlin", "2026-10-25T00:30:00Z"},
		{"2026-10-25 02:30:00 CET", "Europe/Berlin", "2026-10-25T01:30:00Z"},
	} {
		params := map[string]string{}
		if c.zone != "" {
			params["log_timezone"] = c.zone
		}
		out := decode(t, f, options(params), []byte(c.stamp+" [1] a@b LOG:  connection authorized: user=a database=b\n"))
		if len(out) != 1 || out[0].Event == nil {
			t.Errorf("%s: %+v", c.stamp, out)
			continue
		}
		if got := out[0].Event.Time.Format("2006-01-02T15:04:05.999999999Z07:00"); got != c.want {
			t.Errorf("%s in %q is %s, want %s", c.stamp, c.zone, got, c.want)
		}
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	f := postgresql.New()
	for _, other := range []string{
		"", "{}", `{"time":"2026-11-02T09:14:05.123Z","actor":"maria","action":"read"}`,
		`127.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET /a HTTP/1.1" 200 5`,
		"Feb 10 23:15:39 pc cron[10808]: (root) CMD (true)", `{"log":"ready\n","stream":"stdout","time":"2026-11-02T09:14:05.1Z"}`, "a,b,c\n1,2,3\n", "\x00\x01",
	} {
		if got := f.Detect([]byte(other)); got > 0.2 {
			t.Errorf("%.40q is detected with %.2f", other, got)
		}
	}
	for _, dir := range []string{"audit-log/input.log", "statement-log/input.log", "duration-log/input.log", "audit-csv/input.csv", "audit-json/input.json"} {
		input, err := os.ReadFile("testdata/" + dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Detect(input[:8000]); got < 0.9 {
			t.Errorf("%s is detected with %.2f only", dir, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, p := range []string{"audit-log/input.log", "both-csv/input.csv", "duration-json/input.json", "bare-log/input.log"} {
		input, err := os.ReadFile("testdata/" + p)
		if err != nil {
			f.Fatal(err)
		}
		for l := range bytes.Lines(input[:min(len(input), 12_000)]) {
			f.Add(l, "")
		}
		f.Add(input[:3000], "")
	}
	f.Add([]byte("1795479229.098 29627 agent     |help LOG:  AUDIT: OBJECT,1,1,READ,SELECT,,,\"x\",<none>\n"), "%n %p %-10u|%d ")
	format := postgresql.New()
	f.Fuzz(func(t *testing.T, input []byte, prefix string) {
		_ = format.Detect(input)
		opts := options(nil)
		if prefix != "" {
			opts.Params = map[string]string{"log_line_prefix": prefix}
			if _, err := format.New(opts); err != nil {
				return
			}
		}
		first := decode(t, format, opts, input)
		if diff := cmp.Diff(first, decode(t, format, opts, input)); diff != "" {
			t.Errorf("read twice, differs:\n%s", diff)
		}
	})
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0xa1, 1, 1})
	format := postgresql.New()
	f.Fuzz(func(t *testing.T, state []byte) {
		d, err := format.New(options(nil))
		if err != nil {
			t.Fatal(err)
		}
		_ = d.Restore(state)
	})
}
