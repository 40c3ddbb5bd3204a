package nginx_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/native"
	"vigil/collectors/formats/nginx"
)

func decoder(t testing.TB, opts formats.Options) formats.Decoder {
	t.Helper()
	d, err := nginx.Format().New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// decode returns the line's event, nil when it has none.
func decode(t testing.TB, d formats.Decoder, line string) (*vigil.Event, error) {
	t.Helper()
	var got *vigil.Event
	err := d.Decode(formats.Line{Text: []byte(line), Offset: 9, Number: 2}, func(e *vigil.Event, _ formats.Line) { got = e })
	return got, err
}

// options is a case's options.json.
type options struct {
	Store   string
	Params  map[string]string
	Mapping *formats.Mapping
}

// Each case is a folder with input.log, options.json if need be, and what comes
// out: native events, and lines that begin with # for what is set aside.
func TestCases(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/*/input.log")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range cases {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			var opts options
			if b, err := os.ReadFile(filepath.Join(dir, "options.json")); err == nil {
				if err := json.Unmarshal(b, &opts); err != nil {
					t.Fatal(err)
				}
			}
			input, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			d := decoder(t, formats.Options{Source: "web", Store: opts.Store, File: "input.log", Params: opts.Params, Mapping: opts.Mapping})
			var out strings.Builder
			emit := func(e *vigil.Event, _ formats.Line) {
				e.ID = ""
				out.Write(append(native.Append(nil, e), '\n'))
			}
			for n, text := range strings.Split(strings.TrimSuffix(string(input), "\n"), "\n") {
				err := d.Decode(formats.Line{Text: []byte(text), Number: int64(n + 1)}, emit)
				var fe *formats.Error
				if errors.As(err, &fe) {
					fmt.Fprintf(&out, "# %d %s: %s\n", n+1, fe.Code, fe.Reason)
				} else if err != nil {
					t.Fatal(err)
				}
			}
			golden := filepath.Join(dir, "expected.ndjson")
			if formatstest.Updating() {
				if err := os.WriteFile(golden, []byte(out.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, value, says string }{
		{"colour", "x", "no parameter"},
		{"log_format", "plain text", "no variable"},
		{"log_format", "$time_local $request", "$status"},
		{"log_format", "$status $request", "needs a time"},
		{"log_format", "$status $msec", "needs the request"},
		{"log_format", "$status$request $msec", "nothing between"},
		{"log_format", "${status", "no }"},
		{"log_format", "$ $status", "names no variable"},
		{"log_format", strings.Repeat("$status ", 5000), "at most"},
		{"trusted_proxies", "many", "0 to 16"},
	} {
		_, err := nginx.Format().New(formats.Options{Params: map[string]string{c.name: c.value}})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s=%.40q: %v", c.name, c.value, err)
		}
	}
	for _, p := range []formats.Path{{Template: "/a/{colour}"}, {Template: "/**/a"}, {Template: "/a", Action: "peek"}} {
		if _, err := nginx.Format().New(formats.Options{Mapping: &formats.Mapping{Paths: []formats.Path{p}}}); err == nil {
			t.Errorf("%+v passes", p)
		}
	}
}

// The whole directive, as it stands in nginx.conf, is understood.
func TestDirective(t *testing.T) {
	t.Parallel()
	d := decoder(t, formats.Options{Params: map[string]string{"log_format": "log_format main escape=default '$remote_addr - $remote_user [$time_local] \"$request\" '\n    '$status $body_bytes_sent';"}})
	e, err := decode(t, d, `198.51.100.7 - maria [02/Nov/2026:09:14:05 +0000] "GET /x HTTP/1.1" 200 5`)
	if err != nil || e.Actor.ID != "maria" || e.Bytes != 5 || e.Resource != "/x" {
		t.Errorf("%+v, %v", e, err)
	}
}

// Nothing of a query's values may get into an event, save mapped ids.
func TestValuesAreDropped(t *testing.T) {
	t.Parallel()
	d := decoder(t, formats.Options{Mapping: &formats.Mapping{Params: map[string]formats.Meaning{"contact": formats.MeansSubject}}})
	e, err := decode(t, d, `198.51.100.7 - - [02/Nov/2026:09:14:05 +0000] "GET /find?contact=c-1,c-2&name=SECRETNAME&token=SECRETTOKEN&SECRETNAME%0A=1 HTTP/1.1" 200 5 "https://desk/?q=SECRETREF" "UA"`)
	if err != nil {
		t.Fatal(err)
	}
	if line := string(native.Append(nil, e)); strings.Contains(line, "SECRET") {
		t.Error(line)
	}
	if diff := cmp.Diff([]string{"c-1", "c-2"}, e.Subjects); diff != "" || e.SubjectCount != 2 {
		t.Error(diff, e.SubjectCount)
	}
}

func TestIDsAreStable(t *testing.T) {
	t.Parallel()
	const line = `198.51.100.7 - - [02/Nov/2026:09:14:05 +0000] "GET / HTTP/1.1" 200 5`
	a, err := decode(t, decoder(t, formats.Options{Source: "a", File: "f"}), line)
	if err != nil {
		t.Fatal(err)
	}
	b, err := decode(t, decoder(t, formats.Options{Source: "a", File: "f"}), line)
	if err != nil || a.ID != b.ID || a.ID == "" || a.Origin.Line != 2 || a.Origin.Hash == 0 {
		t.Errorf("%+v %+v %v", a, b, err)
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	f := nginx.Format()
	for sample, sure := range map[string]bool{
		`198.51.100.7 - - [02/Nov/2026:09:14:05 +0000] "GET / HTTP/1.1" 200 5 "-" "-"` + "\ncut": true,
		`{"time_iso8601":"2026-11-02T09:14:05+00:00","request":"GET / HTTP/1.1","status":"200"}`: true,
		`{"time":"2026-11-02T09:14:05Z","actor":"a","action":"read"}`:                            false,
		`2026-11-02 09:14:05 UTC [12]: LOG:  statement: select 1`:                                false,
		"": false, "\n\n": false, "[": false, "{": false, `"`: false,
	} {
		if got := f.Detect([]byte(sample)); (got > 0.5) != sure {
			t.Errorf("%.40q: %v", sample, got)
		}
	}
}

// real finds the samples of real systems that lie beside the project.
func real(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("..", "..", "..", "..", "shared", "logs", "nginx", "*.log"))
	if err != nil || len(found) == 0 {
		t.Skip("SKIPPED: no real nginx logs in ../shared/logs/nginx")
	}
	return found
}

func TestRealLogs(t *testing.T) {
	t.Parallel()
	total, failed := 0, 0
	for _, path := range real(t) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d := decoder(t, formats.Options{})
		sample, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if sure := nginx.Format().Detect(sample); sure < 0.8 {
			t.Errorf("%s: detected at %v", path, sure)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if strings.TrimSpace(lines.Text()) == "" {
				continue
			}
			total++
			if _, err := decode(t, d, lines.Text()); err != nil {
				failed++
				t.Errorf("%s: %v: %.100s", filepath.Base(path), err, lines.Text())
			}
		}
	}
	t.Logf("%d lines, %d not read", total, failed)
}

// Lines that the runtime of containers wrapped.
func TestRealContainerLog(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "logs", "syslog", "crowdsec-cri-logs-cri-logs.log"))
	if err != nil {
		t.Skip("SKIPPED: no real container logs in ../shared/logs/syslog")
	}
	events, errs := formatstest.Decode(t, nginx.Format(), formats.Options{}, string(text))
	if len(events) != 3 || len(errs) != 0 {
		t.Errorf("%d events, %v", len(events), errs)
	}
}

// Beside some samples lies what another product takes from the same lines.
func TestRealLogsAgainstOthers(t *testing.T) {
	t.Parallel()
	compared := 0
	for _, path := range real(t) {
		b, err := os.ReadFile(path + "-expected.json")
		if err != nil {
			continue
		}
		for _, want := range expected(t, b) {
			if want.original == "" {
				continue
			}
			e, err := decode(t, decoder(t, formats.Options{}), want.original)
			if err != nil {
				t.Errorf("%v: %.80s", err, want.original)
				continue
			}
			compared++
			method, _, _ := strings.Cut(e.Shape, " ")
			if want.method != "" && clean(want.method) && method != want.method {
				t.Errorf("method %q, want %q: %.80s", method, want.method, want.original)
			}
			if want.bytes >= 0 && e.Bytes != want.bytes {
				t.Errorf("bytes %d, want %d: %.80s", e.Bytes, want.bytes, want.original)
			}
			if failed := e.Outcome != vigil.OutcomeSuccess; want.status > 0 && failed != (want.status >= 400) {
				t.Errorf("outcome %q of status %d: %.80s", e.Outcome, want.status, want.original)
			}
			// Behind a content network the other takes the first public address,
			// which the client may invent; we take the last.
			if want.ip != "" && e.IP != want.ip && !strings.HasPrefix(want.original, `"10.5.102.222, 199.96.1.1`) && !private(e.IP) {
				t.Errorf("address %q, want %q: %.80s", e.IP, want.ip, want.original)
			}
			if want.user != "" && e.Actor.ID != want.user {
				t.Errorf("actor %q, want %q: %.80s", e.Actor.ID, want.user, want.original)
			}
		}
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
	t.Logf("%d lines compared", compared)
}

func private(ip string) bool {
	return strings.HasPrefix(ip, "10.") || strings.HasPrefix(ip, "127.") || ip == "localhost" || ip == "local"
}

func clean(method string) bool {
	return method == strings.ToUpper(method) && !strings.HasPrefix(method, "PATCHp")
}

type other struct {
	original, method, ip, user string
	bytes, status              int64
}

// expected reads both shapes of the other's results: dotted keys and nested.
func expected(t *testing.T, b []byte) []other {
	t.Helper()
	var list []map[string]any
	if json.Unmarshal(b, &list) != nil {
		var wrapped struct{ Expected []map[string]any }
		if err := json.Unmarshal(b, &wrapped); err != nil {
			t.Fatal(err)
		}
		list = wrapped.Expected
	}
	var out []other
	for _, m := range list {
		get := func(key string) any {
			if v, ok := m[key]; ok {
				return v
			}
			var cur any = m
			for part := range strings.SplitSeq(key, ".") {
				next, ok := cur.(map[string]any)
				if !ok {
					return nil
				}
				cur = next[part]
			}
			return cur
		}
		text := func(key string) string { s, _ := get(key).(string); return s }
		number := func(key string) int64 {
			if f, ok := get(key).(float64); ok {
				return int64(f)
			}
			return -1
		}
		out = append(out, other{
			original: text("event.original"), method: text("http.request.method"), ip: text("source.ip"), user: text("user.name"),
			bytes: number("http.response.body.bytes"), status: number("http.response.status_code"),
		})
	}
	return out
}

func FuzzDecode(f *testing.F) {
	cases, err := filepath.Glob("testdata/*/input.log")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range cases {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.SplitSeq(string(b), "\n") {
			f.Add(line, "")
		}
	}
	f.Add("1.2.3.4 a b", "$remote_addr $status $request $msec")
	f.Fuzz(func(t *testing.T, line, logFormat string) {
		opts := formats.Options{Mapping: &formats.Mapping{
			Paths:  []formats.Path{{Template: "/c/{subject}/**"}, {Template: "/t/{tenant}/{conversation}"}},
			Params: map[string]formats.Meaning{"id": formats.MeansSubject},
		}}
		if logFormat != "" {
			opts.Params = map[string]string{"log_format": logFormat}
		}
		nginx.Format().Detect([]byte(line))
		d, err := nginx.Format().New(opts)
		if err != nil {
			return
		}
		e, err := decode(t, d, line)
		var fe *formats.Error
		if err != nil && !errors.As(err, &fe) {
			t.Fatal(err)
		}
		if e == nil {
			return
		}
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(e.Resource+e.Actor.ID+e.Shape+e.IP, "\n\r\x00") {
			t.Fatalf("a control character gets through: %+v", e)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	d := decoder(b, formats.Options{Mapping: &formats.Mapping{Paths: []formats.Path{{Template: "/api/v1/accounts/{tenant}/conversations/{conversation}/messages"}}}})
	lines := make([][]byte, 1000)
	for i := range lines {
		lines[i] = fmt.Appendf(nil, `198.51.100.%d - agent%d [02/Nov/2026:09:14:%02d +0000] "GET /api/v1/accounts/7/conversations/%d/messages?before=%d HTTP/1.1" 200 3421 "https://desk.example/app" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"`, i%200, i%40, i/20, i*7, i)
	}
	b.SetBytes(int64(len(lines[0])))
	b.ReportAllocs()
	n := 0
	began := cpu(b)
	for b.Loop() {
		if err := d.Decode(formats.Line{Text: lines[n%1000]}, func(*vigil.Event, formats.Line) {}); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)/(cpu(b)-began).Seconds(), "lines/cpu-s")
}

// cpu is the processor time that this process has used, so that the figure does not
// depend on what else runs.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
