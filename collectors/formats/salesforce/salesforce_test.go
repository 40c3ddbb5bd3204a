package salesforce_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/salesforce"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, salesforce.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{
		Dirs: []string{"salesforce"},
		Disagree: func(field string, e *vigil.Event, x formatstest.Expected) string {
			if field == "actor" && len(x.User.ID) == 18 && strings.EqualFold(x.User.ID[:15], e.Actor.ID) {
				return "an id of 18 characters is the id of 15 with a checksum"
			}
			return ""
		},
	}.Check(t, salesforce.New())
}

func decodeOne(t *testing.T, opts formats.Options, text string) *vigil.Event {
	t.Helper()
	events, errs := formatstest.Decode(t, salesforce.New(), opts, text)
	if len(events) != 1 || len(errs) != 0 {
		t.Fatalf("%d events, %v", len(events), errs)
	}
	return events[0]
}

func TestOneUserIsOneActorInEveryForm(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"EVENT_TYPE":"API","TIMESTAMP":"20260102030405.678","REQUEST_ID":"r","USER_ID":"0055j00000AT6I1"}`,
		`{"EVENT_TYPE":"API","TIMESTAMP":"20260102030405.678","REQUEST_ID":"r","USER_ID":"","USER_ID_DERIVED":"0055j00000AT6I1AAL"}`,
		`{"EventDate":"2026-01-02T03:04:05.678Z","EventIdentifier":"e","UserId":"0055j00000AT6I1AAL","Username":"ana@example.com","LoginKey":"k"}`,
	} {
		if e := decodeOne(t, formats.Options{}, text); e.Actor.ID != "0055j00000AT6I1" {
			t.Errorf("%s: %s", text, e.Actor.ID)
		}
	}
	// A wrong checksum is none: the id is left as it is.
	e := decodeOne(t, formats.Options{}, `{"EVENT_TYPE":"API","TIMESTAMP":"20260102030405","REQUEST_ID":"r","USER_ID":"0055j00000AT6I1AAA"}`)
	if e.Actor.ID != "0055j00000AT6I1AAA" {
		t.Error(e.Actor.ID)
	}
}

func TestTheSameRowAgainIsTheSameEvent(t *testing.T) {
	t.Parallel()
	row := "\"EVENT_TYPE\",\"TIMESTAMP\",\"REQUEST_ID\",\"USER_ID\"\n\"API\",\"20260102030405.678\",\"r\",\"0055j00000AT6I1\"\n"
	hourly := decodeOne(t, formats.Options{File: "hour-1"}, row)
	again := decodeOne(t, formats.Options{File: "hour-2"}, row)
	if hourly.ID != again.ID {
		t.Errorf("%s, then %s", hourly.ID, again.ID)
	}
}

func TestVendors(t *testing.T) {
	t.Parallel()
	opts := formats.Options{Params: map[string]string{"vendors": "0055j00000AT6I1AAL, LeadSync"}}
	for text, want := range map[string]vigil.ActorKind{
		`{"EVENT_TYPE":"API","TIMESTAMP":"20260102030405","USER_ID":"0055j00000AT6I1"}`:                            vigil.KindVendor,
		`{"EVENT_TYPE":"API","TIMESTAMP":"20260102030405","USER_ID":"0055j00000AT6I2","CLIENT_NAME":"LeadSync"}`:   vigil.KindVendor,
		`{"EVENT_TYPE":"API","TIMESTAMP":"20260102030405","USER_ID":"0055j00000AT6I2","CLIENT_NAME":"Dataloader"}`: vigil.KindUnspecified,
	} {
		if e := decodeOne(t, opts, text); e.Actor.Kind != want {
			t.Errorf("%s: %q", text, e.Actor.Kind)
		}
	}
}

func TestTimezone(t *testing.T) {
	t.Parallel()
	row := "\"Date\",\"User\",\"Source Namespace Prefix\",\"Action\",\"Section\",\"Delegate User\"\n\"%s\",\"ana@example.com\",\"\",\"Changed x\",\"Manage Users\",\"\"\n"
	for date, want := range map[string]string{
		"1/2/2026, 3:04:05 PM PST": "2026-01-02T23:04:05Z",
		"1/2/2026 3:04:05 PM":      "2026-01-02T14:04:05Z",
	} {
		e := decodeOne(t, formats.Options{Params: map[string]string{"timezone": "Europe/Berlin"}}, strings.Replace(row, "%s", date, 1))
		if got := e.Time.Format("2006-01-02T15:04:05Z07:00"); got != want {
			t.Errorf("%s: %s, want %s", date, got, want)
		}
	}
	if _, err := salesforce.New().New(formats.Options{Params: map[string]string{"timezone": "Mars"}}); err == nil {
		t.Error("an unknown zone was taken")
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	type result struct {
		Resource, Shape string
		Fields          []string
		Subjects        []string
		Limit           int64
		Unbounded       bool
	}
	for q, want := range map[string]result{
		"SELECT Id, Name, Email FROM Contact":                                          {"Contact", "select Contact", []string{"Id", "Name", "Email"}, nil, -1, true},
		"select Id from Contact where Id = '0035j00000AbCdE' limit 10":                 {"Contact", "select Contact where", []string{"Id"}, []string{"0035j00000AbCdE"}, 10, false},
		"SELECT COUNT() FROM Lead":                                                     {"Lead", "select Lead", nil, nil, -1, true},
		"SELECT Name, (SELECT Id FROM Contacts WHERE Name='x') FROM Account LIMIT 200": {"Account", "select Account", []string{"Name"}, nil, 200, false},
		"SELECT Id FROM Case WHERE Subject = 'it\\'s from Lead where limit 5'":         {"Case", "select Case where", []string{"Id"}, nil, -1, false},
		"SELECT":                     {"ApiEvent", "ApiEvent Query", nil, nil, -1, false},
		"FIND {ana} IN ALL FIELDS":   {"ApiEvent", "ApiEvent Query", nil, nil, -1, false},
		"SELECT Id FROM 'unfinished": {"unfinished", "select unfinished", []string{"Id"}, nil, -1, true},
	} {
		b := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(q)
		e := decodeOne(t, formats.Options{}, `{"EventDate":"2026-01-02T03:04:05Z","EventIdentifier":"e","UserId":"0055j00000AT6I1AAL","attributes":{"type":"ApiEvent"},"Operation":"Query","Query":"`+b+`"}`)
		got := result{e.Resource, e.Shape, e.Fields, e.Subjects, e.Limit, e.Unbounded}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", q, diff)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("\"EVENT_TYPE\",\"TIMESTAMP\",\"USER_ID\",\"URI\",\"QUERY\"\n\"API\",\"20260102030405.678\",\"0055j00000AT6I1\",\"/001/e\",\"select Id from Contact where Id='003000000000001'\"\n")
	f.Add(`{"channel":"/event/ReportEventStream","data":{"payload":{"EventDate":"2026-01-02T03:04:05Z","EventIdentifier":"e","UserId":"005","Operation":"ReportExported","Records":"{\"records\":[{\"Id\":\"003000000000001\"}]}","ColumnHeaders":"[A, B]"}}}`)
	f.Add(`{"Action":"PermSetAssign","Section":"Manage Users","Display":"x","CreatedDate":"2026-01-02T03:04:05.000+0000","CreatedById":"0055j00000AT6I1AAL"}`)
	f.Fuzz(func(t *testing.T, input string) {
		formatstest.Fuzz(t, salesforce.New(), formats.Options{Params: map[string]string{"vendors": "a,b"}}, input)
	})
}
