package record_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil/collectors/formats/record"
)

func TestSyslog(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][5]string{
		"<34>Oct 11 22:14:15 db1 postgres[12]: [5-1] text":                         {"[5-1] text", "db1", "postgres", "12", "Oct 11 22:14:15"},
		"Oct  1 22:14:15 db1 app: text":                                            {"text", "db1", "app", "", "Oct  1 22:14:15"},
		"2026-10-11T22:14:15.123456+02:00 db1 postgres[12]: text":                  {"text", "db1", "postgres", "12", ""},
		"<134>1 2026-10-11T22:14:15Z db1 postgres 12 - - [5-1] text":               {"[5-1] text", "db1", "postgres", "12", ""},
		"81 <134>1 2026-10-11T22:14:15+00:00 host heroku heroku-postgres - a=1 b":  {"a=1 b", "host", "heroku", "heroku-postgres", ""},
		"80 <134>1 2026-10-11T22:14:15+00:00 host app postgres.12 - [RED] [5-1] a": {"[5-1] a", "host", "app", "postgres.12", ""},
	} {
		inner, c, ok := record.Syslog([]byte(line))
		if diff := cmp.Diff(want, [5]string{string(inner), c.Host, c.App, c.Process, c.Stamp}); !ok || diff != "" {
			t.Errorf("%s: %v %s", line, ok, diff)
		}
	}
}
