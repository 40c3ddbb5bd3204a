//go:build !race

package mysql_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/mysql"
)

// A restart after any line loses no event and tells none twice.
func TestRestart(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob(filepath.Join("testdata", "*", "*", "input.log"))
	if err != nil || len(inputs) < 15 {
		t.Fatalf("%d inputs: %v", len(inputs), err)
	}
	f := mysql.New()
	for _, input := range inputs {
		t.Run(input, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			opts := formats.Options{Source: "db", File: "f", Mapping: mapping()}
			events, _ := formatstest.Decode(t, f, opts, string(text))
			var want []string
			for _, e := range events {
				want = append(want, e.ID+" "+line(e))
			}
			lines := bytes.SplitAfter(text, []byte("\n"))
			for stop := 1; stop < len(lines); stop++ {
				var got []string
				emit := func(e *vigil.Event, _ formats.Line) { got = append(got, e.ID+" "+line(e)) }
				before := maker(t, f, opts)
				at := feed(before, lines, 0, stop, emit)
				state, err := before.State()
				if err != nil {
					t.Fatal(err)
				}
				if off, held := before.Pending(); held {
					at = off
				}
				after := maker(t, f, opts)
				if err := after.Restore(state); err != nil {
					t.Fatal(err)
				}
				feed(after, lines, at, len(lines), emit)
				_ = after.Flush(emit)
				// What waits may come out earlier or later among others.
				if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
					t.Fatalf("restarted after line %d: %s", stop, diff)
				}
			}
		})
	}
}

func maker(t testing.TB, f formats.Format, opts formats.Options) formats.Decoder {
	t.Helper()
	d, err := f.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// feed gives the lines that begin at or after an offset, up to a number of lines, and
// returns where they end.
func feed(d formats.Decoder, lines [][]byte, from int64, upto int, emit formats.Emit) (at int64) {
	for i, l := range lines[:upto] {
		if at >= from && len(l) > 0 {
			_ = d.Decode(formats.Line{Text: bytes.TrimSuffix(bytes.Clone(l), []byte("\n")), Offset: at, Number: int64(i + 1)}, emit)
		}
		at += int64(len(l))
	}
	return at
}

func sorted(l []string) map[string]int {
	m := map[string]int{}
	for _, s := range l {
		m[s]++
	}
	return m
}

// What waits can be saved and restored, whatever bytes it holds.
func TestStateOfBrokenText(t *testing.T) {
	t.Parallel()
	for _, input := range []string{
		"261124  9:14:05\t   12 Connect\tmaria\xff@198.51.1\x00\x80.7 on de\xfesk\n",
		"20261124 09:14:05,db1,ma\xffria,198.51.100.7,5,13,READ,de\xffsk,con\xfftacts,\n",
		"<AUDIT_RECORD NAME=\"TableRead\" TIMESTAMP=\"2026-11-24T09:14:06 UTC\" CONNECTION_ID=\"\xff\" USER=\"a\" TABLE=\"b\" SQLTEXT=\"select 1\"/>\n",
	} {
		formatstest.Fuzz(t, mysql.New(), formats.Options{Source: "db"}, input)
	}
}

// Another file under the same name is read from its start, whatever waited.
func TestRestartOnAnotherFile(t *testing.T) {
	t.Parallel()
	f := mysql.New()
	d := maker(t, f, formats.Options{})
	none := func(*vigil.Event, formats.Line) {}
	_ = d.Decode(formats.Line{Text: []byte("20261124 09:14:05,db1,maria,198.51.100.7,5,13,READ,desk,contacts,"), Offset: 0, Number: 1}, none)
	_ = d.Decode(formats.Line{Text: []byte("20261124 09:14:05,db1,maria,198.51.100.7,5,13,READ,desk,messages,"), Offset: 66, Number: 2}, none)
	state, err := d.State()
	if err != nil {
		t.Fatal(err)
	}
	fresh := maker(t, f, formats.Options{})
	if err := fresh.Restore(state); err != nil {
		t.Fatal(err)
	}
	var got []string
	emit := func(e *vigil.Event, _ formats.Line) { got = append(got, line(e)) }
	_ = fresh.Decode(formats.Line{Text: []byte("20261124 09:15:05,db1,nora,198.51.100.8,6,14,QUERY,desk,'select * from contacts',0"), Offset: 0, Number: 1}, emit)
	_ = fresh.Flush(emit)
	want := []string{"maria read on=contacts ip=198.51.100.7", "nora read on=contacts whole was=success ip=198.51.100.8"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	f := mysql.New()
	const connect = "2026-11-24T09:14:01.000000Z\t   12 Connect\tmaria@198.51.100.7 on desk using TCP/IP\n"
	query := func(sql string) string { return "2026-11-24T09:14:02.000000Z\t   12 Query\t" + sql + "\n" }
	for name, c := range map[string]struct {
		input  string
		events int
		codes  string
	}{
		"a statement of 900 KiB":      {connect + query("SELECT * FROM contacts WHERE x = '"+strings.Repeat("a", 900<<10)+"'"), 2, ""},
		"a statement of 3 MiB":        {connect + query("SELECT * FROM contacts WHERE x = '"+strings.Repeat("a", 3<<20)+"'") + query("SELECT 1 FROM contacts"), 2, "too-long"},
		"a million lines":             {connect + query("SELECT 1 FROM contacts -- "+strings.Repeat("\n", 1<<20)) + query("SELECT 1 FROM contacts"), 2, "too-long"},
		"deep parentheses":            {connect + query("SELECT "+strings.Repeat("(", 100_000)+"1 FROM contacts"), 2, ""},
		"no UTF-8 and terminal codes": {strings.ReplaceAll(connect, "maria", "ma\x1b[31mri\xff\u200ba") + query("SELECT \xff FROM contacts"), 2, ""},
		"numbers too large":           {"# User@Host: a[a] @  [192.0.2.1]  Id: 99999999999999999999999\n# Query_time: 1 Rows_sent: 99999999999999999999\nSET timestamp=99999999999999999999;\nselect 1 from t;\n", 0, "time"},
		"no time":                     {"\t\t     5 Connect\ta@192.0.2.1 on desk\n\t\t     5 Query\tselect 1 from t\n", 0, "time time"},
		"no user":                     {"# Time: 2026-11-24T09:14:05.811234Z\n# Query_time: 1\nSET timestamp=1795511645;\nselect 1 from t;\n", 0, "actor"},
		"a name with a comma":         {"20261124 09:14:05,db1,a,b,192.0.2.1,5,13,QUERY,desk,'select 1 from t',0\n", 1, ""},
		"a quote that is left open, and others' work": {connect + query("SELECT '") + strings.Repeat(query("SELECT 1 FROM contacts"), 20), 21, ""},
		"binary": {"\x00\x01\x02\n\x7fELF\n", 0, "format format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events, errs := formatstest.Decode(t, f, formats.Options{Source: "db"}, c.input)
			var codes []string
			for _, e := range errs {
				codes = append(codes, e.Code)
			}
			if len(events) != c.events || strings.Join(codes, " ") != c.codes {
				t.Errorf("%d events, want %d; errors %q, want %q", len(events), c.events, codes, c.codes)
			}
			for _, e := range events {
				if strings.ContainsAny(e.Actor.ID, "\x1b\u200b") || e.Actor.ID == "" {
					t.Errorf("actor %q", e.Actor.ID)
				}
			}
		})
	}
}

// What is remembered is bounded.
func TestBounded(t *testing.T) {
	t.Parallel()
	d := maker(t, mysql.New(), formats.Options{})
	emit := func(*vigil.Event, formats.Line) {}
	var at int64
	give := func(text string) {
		_ = d.Decode(formats.Line{Text: []byte(text), Offset: at, Number: at + 1}, emit)
		at += int64(len(text)) + 1
	}
	for i := range 50_000 {
		give(fmt.Sprintf("2026-11-24T09:14:01.000000Z\t%d Connect\tmaria%d@198.51.100.7 on desk using TCP/IP", i, i))
		give(fmt.Sprintf("20261124 09:14:05,db1,maria,198.51.100.7,%d,13,READ,desk,contacts%d,", i, i))
	}
	state, err := d.State()
	if err != nil {
		t.Fatal(err)
	}
	if len(state) > 8<<20 {
		t.Errorf("the state has %d bytes", len(state))
	}
	fresh := maker(t, mysql.New(), formats.Options{})
	if err := fresh.Restore(state); err != nil {
		t.Error(err)
	}
}

func TestParams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, value, want string }{
		{"zone", "UTC", "unknown param"}, {"time_zone", "Nowhere/Else", "time_zone"},
	} {
		_, err := mysql.NewMariaDB().New(formats.Options{Params: map[string]string{c.name: c.value}})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "mariadb") {
			t.Errorf("%s=%s: %v", c.name, c.value, err)
		}
	}
}
