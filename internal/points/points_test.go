package points_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"vigil/internal/points"
)

func decode(t *testing.T, d *points.Decoder, lines ...string) (got []points.Point, bad []string) {
	t.Helper()
	for _, l := range lines {
		p, err := d.Decode(l)
		var e *points.Error
		switch {
		case err == nil:
			got = append(got, p)
		case errors.As(err, &e):
			bad = append(bad, e.Code)
		case errors.Is(err, points.ErrMissing):
			bad = append(bad, "missing")
		case !errors.Is(err, points.ErrHeader):
			t.Fatalf("%q: %v", l, err)
		}
	}
	return got, bad
}

func TestTimes(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 2, 15, 4, 0, 0, time.UTC)
	for _, s := range []string{
		"2026-11-02 15:04:00", "2026-11-02 15:04:00.000", "2026-11-02T15:04:00Z", "2026-11-02T16:04:00+01:00", "2026-11-02T15:04:00",
		"2026-11-02 15:04", "11/2/2026 15:04", "11/02/2026 15:04:00", "11/2/2026 3:04 PM", "2026/11/02 15:04:00", "2.11.2026 15:04",
		"2026-11-02 15:04:00 UTC", "2026-11-02 16:04:00 +0100", "1793631840", "1793631840.0", "1793631840000", "1793631840000000", "1793631840000000000",
		`"2026-11-02 15:04:00"`, " 2026-11-02 15:04:00 ",
	} {
		got, bad := decode(t, points.New("", ""), "Time,Value", s+",1.5")
		if len(bad) > 0 || len(got) != 1 || !got[0].Time.Equal(want) || got[0].Value != 1.5 {
			t.Errorf("%s: %v, %v", s, got, bad)
		}
	}
	for _, s := range []string{"", "yesterday", "13/13/2026 10:00", "12", "0001-01-01 00:00:00", "2926-01-01 00:00:00", "-5", "1e300", "99999999999999999999"} {
		if got, bad := decode(t, points.New("", ""), "time,value", s+",1"); len(got) > 0 || len(bad) != 1 || bad[0] != "time" {
			t.Errorf("%q: %v, %v", s, got, bad)
		}
	}
}

func TestColumnsAreFound(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string]string{
		"named":          "timestamp,value\n2026-11-02,3",
		"other order":    "host,Value,TimeStamp\na,3,2026-11-02",
		"quoted":         `"TimeStamp","Value","Label"` + "\n" + `"2026-11-02","3","0"`,
		"semicolons":     "time;value\n2026-11-02;3",
		"tabs":           "time\tvalue\n2026-11-02\t3",
		"two columns":    "time,requests per second\n2026-11-02,3",
		"no header":      "2026-11-02,3",
		"no header more": "a,2026-11-02,x,3",
		"comma in field": "name,time,value\n\"a,\"\"b\"\"\",2026-11-02,3",
		"a row without":  "2026-11-01,\n2026-11-02,3",
		"short of names": "\n\ntime,value,note\n2026-11-02,3",
	} {
		got, bad := decode(t, points.New("", ""), strings.Split(lines, "\n")...)
		if strings.Trim(strings.Join(bad, ""), "misng") != "" || len(got) != 1 || got[0].Value != 3 || got[0].Time.Day() != 2 {
			t.Errorf("%s: %v, %v", name, got, bad)
		}
	}
	got, bad := decode(t, points.New("When", "Load"), "time,value,when,load", "x,y,2026-11-02,3")
	if len(bad) > 0 || len(got) != 1 || got[0].Value != 3 {
		t.Errorf("asked for: %v, %v", got, bad)
	}
	if got, bad := decode(t, points.New("when", "value"), "time,value", "2026-11-02,3"); len(got) > 0 || len(bad) != 2 || bad[0] != "columns" {
		t.Errorf("a column that isn't there: %v, %v", got, bad)
	}
}

func TestBadRowsAreToldApart(t *testing.T) {
	t.Parallel()
	got, bad := decode(t, points.New("", ""), "time,value", "2026-11-02,1", "2026-11-03", "2026-11-03,x", "2026-11-03,NaN", "2026-11-03,", "2026-11-03,inf", "2026-11-03,1,2,3", `"2026-11-03,5`)
	want := []string{"columns", "value", "missing", "missing", "value", "columns"}
	if len(got) != 2 || strings.Join(bad, " ") != strings.Join(want, " ") {
		t.Errorf("%v, %v", got, bad)
	}
}
