package pgbouncer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/pgbouncer"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, pgbouncer.New(), "testdata")
}

func told(events []*vigil.Event) (got []string) {
	for _, e := range events {
		got = append(got, strings.Join([]string{string(e.Action), e.Actor.ID, e.Store, e.IP, string(e.Outcome)}, " "))
	}
	return got
}

// A user's name may hold the words of the log.
func TestForgedNames(t *testing.T) {
	t.Parallel()
	const start = "2026-11-24 09:14:05.586 UTC [1] LOG C-0x1: "
	for line, want := range map[string]string{
		"help/a@192.0.2.1:1 login attempt: db=help user=boss tls=no@198.51.100.7:2 login attempt: db=help user=a@192.0.2.1:1 login attempt: db=help user=boss tls=no tls=no": "login a@192.0.2.1:1 login attempt: db=help user=boss tls=no help 198.51.100.7 success",
		"help/a closing because: client close request (age=1s)@198.51.100.7:2 login attempt: db=help user=a closing because: client close request (age=1s) tls=no":           "login a closing because: client close request (age=1s) help 198.51.100.7 success",
		"help/a\x1b[31m\u200bdmin@198.51.100.7:2 login attempt: db=help user=a\x1b[31m\u200bdmin tls=no":                                                                     "login admin help 198.51.100.7 success",
	} {
		events, errs := formatstest.Decode(t, pgbouncer.New(), formats.Options{}, start+line+"\n")
		if diff := cmp.Diff([]string{want}, told(events)); diff != "" || len(errs) > 0 {
			t.Errorf("%s %v", diff, errs)
		}
	}
}

// A reader that stops anywhere and goes on where it should brings out each event once.
func TestRestart(t *testing.T) {
	t.Parallel()
	f := pgbouncer.New()
	text, err := os.ReadFile("testdata/file/input.log")
	if err != nil {
		t.Fatal(err)
	}
	all, _ := formatstest.Decode(t, f, formats.Options{}, string(text))
	var want []string
	for _, e := range all {
		want = append(want, e.ID+" "+string(e.Outcome))
	}
	lines := strings.SplitAfter(string(text), "\n")
	for stop := range lines {
		var got []string
		emit := func(e *vigil.Event, _ formats.Line) { got = append(got, e.ID+" "+string(e.Outcome)) }
		read := func(d formats.Decoder, from, to int64) {
			at := int64(0)
			for i, l := range lines {
				if at >= from && at < to && l != "" {
					if err := d.Decode(formats.Line{Text: []byte(strings.TrimSuffix(l, "\n")), Offset: at, Number: int64(i + 1)}, emit); err != nil {
						t.Fatal(err)
					}
				}
				at += int64(len(l))
			}
		}
		one, err := f.New(formats.Options{})
		if err != nil {
			t.Fatal(err)
		}
		at := int64(len(strings.Join(lines[:stop], "")))
		read(one, 0, at)
		if p, ok := one.Pending(); ok {
			at = p
		}
		state, err := one.State()
		if err != nil {
			t.Fatal(err)
		}
		two, err := f.New(formats.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := two.Restore(state); err != nil {
			t.Fatal(err)
		}
		read(two, at, int64(len(text)))
		if err := two.Flush(emit); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stopped before line %d: %s", stop+1, diff)
		}
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	f := pgbouncer.New()
	for _, other := range []string{
		"", "2026-11-24 09:14:05.586 UTC [7] maria@help LOG:  statement: select 1\n", "2026-11-24 09:14:05 UTC [7] ERROR it broke\n",
		`{"a":"b"}` + "\n", "Nov 24 09:14:05 db cron[1]: (root) CMD (x)\n",
	} {
		if sure := f.Detect([]byte(other)); sure >= 0.5 {
			t.Errorf("%q: %v", other, sure)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, p := range []map[string]string{{"log_timezone": "Nowhere/At_All"}, {"year": "then"}, {"zone": "UTC"}} {
		if _, err := pgbouncer.New().New(formats.Options{Params: p}); err == nil {
			t.Errorf("%v is taken", p)
		}
	}
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "..", "shared", "logs", "pgbouncer", "*"))
	if len(files) == 0 {
		t.Skip("SKIPPED: the real sample logs (../shared/logs) are not here; nothing of them was tested")
	}
	f := pgbouncer.New()
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		events, errs := formatstest.Decode(t, f, formats.Options{Source: "pool"}, string(text))
		sure := f.Detect(text[:min(len(text), formats.MaxSample)])
		actions := map[string]int{}
		for _, e := range events {
			actions[string(e.Action)+" "+string(e.Outcome)]++
		}
		t.Logf("%s: sure %.2f, %d lines, %d set aside, %v", filepath.Base(path), sure, strings.Count(string(text), "\n"), len(errs), actions)
		if sure < 0.9 || len(errs)*200 > len(events) {
			t.Errorf("%s: sure %.2f, %d events, %d set aside: %v", path, sure, len(events), len(errs), errs[:min(3, len(errs))])
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range []string{"file", "old", "syslog", "container"} {
		text, err := os.ReadFile("testdata/" + c + "/input.log")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, input string) {
		formatstest.Fuzz(t, pgbouncer.New(), formats.Options{Params: map[string]string{"year": "2026"}}, input)
	})
}
