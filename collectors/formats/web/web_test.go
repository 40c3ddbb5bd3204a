package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
)

func TestLooksLikeID(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"4711": true, "3f2504e0-4f89-11d3-9a0c-0305e82c3301": true, "9f86d081884c7d65": true, "deadbeef": false, "jane@example.com": true,
		"2026-11-02": true, "+49-30-123": true, "order-10045": true, "conv_1001": true, "urn:a:1234": true, "01J9ZK3T7Q8V5R2M4N6P8S0W1X": true,
		strings.Repeat("x", 49): true,
		"v1":                    false, "api": false, "oauth2": false, "step-2": false, "utf-8": false, "contacts": false, "export.csv": false, "": false, "a-very-long-name-of-a-page": false,
	} {
		if got := LooksLikeID(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// One path has one template, however many paths were seen.
func TestLearnedTemplatesAreBounded(t *testing.T) {
	t.Parallel()
	p, err := New(formats.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/":                               "/",
		"/customers/4711/orders?x=1":      "/customers/{id}/orders",
		"/a/../b/./c":                     "/b/c",
		strings.Repeat("/ab", 30):         strings.Repeat("/ab", 12) + "/**",
		"/" + strings.Repeat("x y/", 900): "/x y" + strings.Repeat("/x y", 11) + "/**",
	} {
		var f Fields
		f.Set(FieldRequest, "GET "+path+" HTTP/1.1")
		e := vigil.NewEvent()
		if p.Request(e, &f); e.Resource != want {
			t.Errorf("%.40s: %q", path, e.Resource)
		}
	}
}

func TestCommonLogTimes(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"02/Nov/2026:09:14:05 +0000", "31/Dec/1999:23:59:59 -1130", "29/Feb/2024:00:00:00 +0530", "29/Feb/2025:00:00:00 +0530", "00/Jan/2026:00:00:00 +0000",
		"02/anF/2026:09:14:05 +0000", "02/Nov/2026:24:14:05 +0000", "02/Nov/2026:09:60:05 +0000", "02/Nov/2026:09:14:05 *0000", "0x/Nov/2026:09:14:05 +0000",
		"02/Nov/2026:09:14:05 +2400", "02/Nov/2026:09:14:05 +0060", "02/Nov/0000:09:14:05 +0000",
	} {
		want, err := time.Parse("02/Jan/2006:15:04:05 -0700", s)
		got, ok := commonLog(s)
		if ok != (err == nil) || ok && !got.Equal(want) {
			t.Errorf("%s: %v %v, want %v %v", s, got, ok, want, err)
		}
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address, forwarded string
		proxies            int
		want               string
	}{
		{"198.51.100.7", "203.0.113.5", 0, "198.51.100.7"},
		{"10.0.0.2", "203.0.113.5, 198.51.100.7, 10.1.1.1", 0, "198.51.100.7"},
		{"10.0.0.2", "203.0.113.5, 198.51.100.7, 10.1.1.1", 1, "203.0.113.5"},
		{"10.0.0.2", "10.1.1.1", 0, "10.1.1.1"},
		{"10.0.0.2", "-", 0, "10.0.0.2"},
		{"10.0.0.2", "unknown", 0, "10.0.0.2"},
		{"unix:", "", 0, "local"},
		{"203.0.113.5, 10.0.0.2", "", 0, "203.0.113.5"},
	} {
		var f Fields
		f.Set(FieldAddress, c.address)
		f.Set(FieldForwarded, c.forwarded)
		if c.forwarded == "" {
			f = Fields{}
			f.Set(FieldAddress, c.address)
		}
		if got := f.Client(c.proxies); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestCombined(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`198.51.100.7 - maria [02/Nov/2026:09:14:05 +0000] "GET / HTTP/1.1" 200 5 "-" "curl" 7 "x"`:             `198.51.100.7||maria|GET / HTTP/1.1|200|5|curl|7 "x"`,
		`198.51.100.7 id maria [02/Nov/2026:09:14:05 +0000] "GET / HTTP/1.1" 200 -`:                             `198.51.100.7||maria|GET / HTTP/1.1|200|-||`,
		`198.51.100.7 - [x] [02/Nov/2026:09:14:05 +0000] "GET \"/ HTTP/1.1" 200 5 - "curl"`:                     `198.51.100.7||[x]|GET \"/ HTTP/1.1|200|5|curl|`,
		`"10.0.0.1, 203.0.113.5" 10.0.0.2 - - [02/Nov/2026:09:14:05 +0000] "" 400 0`:                            `10.0.0.2|10.0.0.1, 203.0.113.5|-||400|0||`,
		`desk.example.com:443 198.51.100.7 - - [02/Nov/2026:09:14:05 +0000] "-" 408 0 "-" "-" "203.0.113.5, a"`: `198.51.100.7|203.0.113.5, a|-|-|408|0|-|`,
		`[02/Nov/2026:09:14:05 +0000] "GET / HTTP/1.1" 2000 5`:                                                  ``,
		`[02/Nov/2026:09:14:05 +0000] "GET / HTTP/1.1`:                                                          ``,
	} {
		var f Fields
		rest, ok := f.Combined(line)
		got := ""
		if ok {
			got = fmt.Sprint(f.Get(FieldAddress), "|", f.Get(FieldForwarded), "|", f.Get(FieldUser), "|", f.Get(FieldRequest), "|", f.Get(FieldStatus), "|", f.Get(FieldBodyBytes), "|", f.Get(FieldUserAgent), "|", rest)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
}
