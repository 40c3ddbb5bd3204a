package apache_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil/collectors/formats"
	"vigil/collectors/formats/apache"
	"vigil/collectors/formats/formatstest"
)

func TestCases(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, apache.Format(), "testdata")
}

func TestSamples(t *testing.T) {
	t.Parallel()
	formatstest.Samples{Dirs: []string{"apache"}}.Check(t, apache.Format())
}

func TestLogFormats(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 2, 9, 14, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		format, line string
		params       map[string]string
	}{
		"directive":  {`LogFormat "%h %l %u %t \"%r\" %>s %b" common`, `198.51.100.7 - maria [02/Nov/2026:09:14:05 +0000] "GET /customers/7?x=1 HTTP/1.1" 200 5`, nil},
		"custom log": {`CustomLog logs/access_log "%a %u %t \"%m %U%q\" %s %B"`, `198.51.100.7 maria [02/Nov/2026:09:14:05 +0000] "GET /customers/7?x=1" 200 5`, nil},
		"header": {`%h %{X-User}i %{%Y-%m-%dT%H:%M:%S%z}t %m %U %q %>s %O`, `198.51.100.7 maria 2026-11-02T10:14:05+0100 GET /customers/7 ?x=1 200 5`,
			map[string]string{"actor": "%{X-User}i"}},
		"time in pieces": {`[%{%d/%b/%Y:%H:%M:%S}t.%{msec_frac}t %{%z}t] %a %u "%r" %>s %O`,
			`[02/Nov/2026:10:14:05.000 +0100] 198.51.100.7 maria "GET /customers/7?x=1 HTTP/1.1" 200 5`, nil},
		"seconds":   {`%{sec}t.%{usec_frac}t %a %u "%r" %>s %O %D`, `1793610845.000000 198.51.100.7 maria "GET /customers/7?x=1 HTTP/1.1" 200 5 17`, nil},
		"usec":      {`%{usec}t %a %u "%r" %>s %O %D`, `1793610845000000 198.51.100.7 maria "GET /customers/7?x=1 HTTP/1.1" 200 5 17`, nil},
		"zone":      {`%{%F %T}t %a %u "%r" %>s %O`, `2026-11-02 10:14:05 198.51.100.7 maria "GET /customers/7?x=1 HTTP/1.1" 200 5`, map[string]string{"timezone": "Europe/Berlin"}},
		"forwarded": {`%{X-Forwarded-For}i %h %u %t "%r" %>s %b`, `10.1.1.1, 198.51.100.7 10.0.0.2 maria [02/Nov/2026:09:14:05 +0000] "GET /customers/7?x=1 HTTP/1.1" 200 5`, nil},
		"json": {`{ "time":"%t", "remoteIP":"%a", "user":"%u", "request":"%U", "query":"%q", "method":"%m", "status":%>s, "n": {"bytes":"%B"}}`,
			`{ "time":"[02/Nov/2026:09:14:05 +0000]", "remoteIP":"198.51.100.7", "user":"maria", "request":"/customers/7", "query":"?x=1", "method":"GET", "status":200, "n": {"bytes":"5"}}`, nil},
		"syslog": {`%h %l %u %t "%r" %>s %b`, `<134>Nov  2 09:14:05 web httpd[7]: 198.51.100.7 - maria [02/Nov/2026:09:14:05 +0000] "GET /customers/7?x=1 HTTP/1.1" 200 5`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			params := map[string]string{"log_format": c.format}
			for k, v := range c.params {
				params[k] = v
			}
			events, errs := formatstest.Decode(t, apache.Format(), formats.Options{Source: "s", Params: params}, c.line+"\n")
			if len(events) != 1 || len(errs) != 0 {
				t.Fatalf("%d events, errors %v", len(events), errs)
			}
			e := events[0]
			if e.Actor.ID != "maria" || e.IP != "198.51.100.7" || e.Shape != "GET /customers/{id}?x" || e.Bytes != 5 || e.Outcome != "success" || !e.Time.Equal(want) {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestParametersThatCantBe(t *testing.T) {
	t.Parallel()
	for value, says := range map[string]string{
		"nothing": "no directive", "%t %s": "needs the request", "%r %s": "needs a time", "%h%u %t %r": "nothing between", "%{x": "no }", "%": "ends within",
		`{"a": }`: "is none", strings.Repeat("%t ", 5000): "at most",
	} {
		_, err := apache.Format().New(formats.Options{Params: map[string]string{"log_format": value}})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.30q: %v", value, err)
		}
	}
	for name, value := range map[string]string{"actor": "%u", "trusted_proxies": "-1", "timezone": "Mars/Olympus", "colour": "x"} {
		if _, err := apache.Format().New(formats.Options{Params: map[string]string{name: value}}); err == nil {
			t.Errorf("%s=%s passes", name, value)
		}
	}
}

func FuzzDecode(f *testing.F) {
	cases, err := filepath.Glob("testdata/*/input*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range cases {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b), "")
	}
	f.Add("198.51.100.7 maria [02/Nov/2026:09:14:05 +0000] GET /", `%h %u %t %r`)
	f.Fuzz(func(t *testing.T, input, logFormat string) {
		opts := formats.Options{Source: "s"}
		if logFormat != "" {
			opts.Params = map[string]string{"log_format": logFormat}
			if _, err := apache.Format().New(opts); err != nil {
				return
			}
		}
		formatstest.Fuzz(t, apache.Format(), opts, input)
	})
}
