package mongodb_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/mongodb"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, mongodb.New(), "testdata")
}

// Who is on a connection is known after a restart between its login and its query.
func TestConnectionsSurviveARestart(t *testing.T) {
	t.Parallel()
	f := mongodb.New()
	login := `{"t":{"$date":"2026-11-02T09:14:00.200Z"},"s":"I","c":"ACCESS","id":20250,"ctx":"conn41","msg":"Authentication succeeded","attr":{"principalName":"maria","authenticationDatabase":"admin","remote":"198.51.100.7:51234"}}`
	query := `{"t":{"$date":"2026-11-02T09:14:05.123Z"},"s":"I","c":"COMMAND","id":51803,"ctx":"conn41","msg":"Slow query","attr":{"type":"command","ns":"desk.c","command":{"find":"c","filter":{"a":1}},"nreturned":2}}`
	before, err := f.New(formats.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	emit := func(e *vigil.Event, _ formats.Line) { got = append(got, string(e.Action)+" "+e.Actor.ID+" "+e.IP) }
	if err := before.Decode(formats.Line{Text: []byte(login)}, emit); err != nil {
		t.Fatal(err)
	}
	state, err := before.State()
	if err != nil {
		t.Fatal(err)
	}
	after, err := f.New(formats.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := after.Restore(state); err != nil {
		t.Fatal(err)
	}
	if err := after.Decode(formats.Line{Text: []byte(query)}, emit); err != nil {
		t.Fatal(err)
	}
	if want := "login maria 198.51.100.7, read maria 198.51.100.7"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
}

func TestTimezone(t *testing.T) {
	t.Parallel()
	input := "Wed Mar  5 17:15:02.000 [conn1] query desk.c query: { customer: \"c1\" } nreturned:3 reslen:20 110ms\n"
	events, errs := formatstest.Decode(t, mongodb.New(), formats.Options{Params: map[string]string{"timezone": "Europe/Berlin"}}, input)
	if len(errs) > 0 || len(events) != 1 || events[0].Time.Format("2006-01-02 15:04") != "2014-03-05 16:15" {
		t.Errorf("%v %v", events, errs)
	}
	if _, err := mongodb.New().New(formats.Options{Params: map[string]string{"timezone": "Berlin"}}); err == nil || !strings.Contains(err.Error(), "Berlin") {
		t.Errorf("an unknown zone: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*/input*")
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	mapping := &formats.Mapping{Tables: map[string]formats.Table{"customers": {Columns: map[string]formats.Meaning{"_id": formats.MeansSubject}}}}
	format := mongodb.New()
	f.Fuzz(func(t *testing.T, input string) {
		formatstest.Fuzz(t, format, formats.Options{Mapping: mapping}, input)
	})
}
