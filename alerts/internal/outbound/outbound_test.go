package outbound_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigil/alerts"
	"vigil/alerts/internal/outbound"
)

const canary = "canary-2718281828"

func client(t *testing.T, cfg outbound.Config) *outbound.Client {
	t.Helper()
	cfg.Channel = "webhook"
	c, err := outbound.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func address(srv *httptest.Server) outbound.Secret {
	return outbound.Secret(srv.URL + "/hooks/" + canary + "?key=" + canary + "%2Fx")
}

func TestPost(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("User-Agent") != "vigil" || r.ContentLength != 2 {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		w.Header().Set("X-Id", "7")
		fmt.Fprint(w, `{"id":"7"}`)
	})
	c := client(t, outbound.Config{AllowPrivate: true})
	a, err := c.Post(t.Context(), address(srv), http.Header{"Content-Type": {"application/json"}}, []byte(`{}`))
	if err != nil || a.Status != 200 || a.Header.Get("X-Id") != "7" {
		t.Fatalf("%+v, %v", a, err)
	}
	var v struct{ ID string }
	if err := a.JSON(&v); err != nil || v.ID != "7" {
		t.Errorf("%+v, %v", v, err)
	}
	// Without the operator's word, this machine is not spoken to, by name or number.
	var refused *alerts.RefusedError
	if _, err := client(t, outbound.Config{}).Post(t.Context(), address(srv), nil, nil); !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	retry := func(after time.Duration, doubt bool) func(error) bool {
		return func(err error) bool {
			var r *alerts.RetryError
			return errors.As(err, &r) && r.After == after && r.InDoubt == doubt
		}
	}
	refused := func(all bool) func(error) bool {
		return func(err error) bool {
			var r *alerts.RefusedError
			return errors.As(err, &r) && r.All == all && r.Remedy != ""
		}
	}
	for _, tc := range []struct {
		status int
		after  string
		ok     func(error) bool
	}{
		{200, "", func(err error) bool { return err == nil }},
		{202, "", func(err error) bool { return err == nil }},
		{204, "", func(err error) bool { return err == nil }},
		{429, "30", retry(30*time.Second, false)},
		{429, "", retry(0, false)},
		{429, "-5", retry(0, false)},
		{429, "soon", retry(0, false)},
		{429, "99999999999999999999", retry(outbound.MaxAfter, false)},
		{429, "Mon, 01 Jan 2001 00:00:00 GMT", retry(0, false)},
		{408, "1", retry(time.Second, false)},
		{425, "", retry(0, false)},
		{500, "", retry(0, true)},
		{502, "", retry(0, true)},
		{503, "3600", retry(time.Hour, false)},
		{504, "7200", retry(time.Hour, true)},
		{301, "", refused(true)},
		{302, "", refused(true)},
		{304, "", refused(true)},
		{400, "", refused(false)},
		{401, "", refused(true)},
		{403, "", refused(true)},
		{404, "", refused(true)},
		{405, "", refused(true)},
		{407, "", refused(true)},
		{410, "", refused(true)},
		{413, "", refused(false)},
		{422, "", refused(false)},
	} {
		t.Run(fmt.Sprint(tc.status, " ", tc.after), func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				w.Header().Set("Retry-After", tc.after)
				w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
				w.WriteHeader(tc.status)
				if tc.status != 204 && tc.status != 304 {
					fmt.Fprintf(w, "no: %s\n\x1b[31m %s %s", r.URL, r.Header.Get("Authorization"), strings.Repeat("x", 5000))
				}
			})
			c := client(t, outbound.Config{AllowPrivate: true})
			a, err := c.Post(t.Context(), address(srv), http.Header{"Authorization": {"Bearer " + canary}}, []byte("{}"))
			if !tc.ok(err) || a.Status != tc.status {
				t.Errorf("%#v", err)
			}
			if err != nil && (strings.Contains(err.Error(), canary) || len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\n\x1b")) {
				t.Errorf("the error is unfit: %q", err)
			}
			if n := calls.Load(); n != 1 {
				t.Errorf("%d calls: a redirect was followed", n)
			}
		})
	}
}

func TestAfterDates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"Tue, 03 Nov 2026 10:00:30 GMT": 30 * time.Second,
		"Tue, 03 Nov 2026 09:00:30 GMT": 0,
		"Wed, 04 Nov 2026 10:00:30 GMT": outbound.MaxAfter,
		" 7 ":                           7 * time.Second,
		"0":                             0,
		"1.5":                           0,
		"1e9":                           0,
		"+5":                            0,
		"\x00":                          0,
	} {
		if got := outbound.After(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestBroken(t *testing.T) {
	t.Parallel()
	hang := func(w http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 64)
		for err := error(nil); err == nil; _, err = r.Body.Read(buf) {
		}
		<-r.Context().Done()
	}
	reset := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
	for _, tc := range []struct {
		name    string
		handle  http.HandlerFunc
		doubt   bool
		timeout time.Duration
	}{
		{"hang", hang, true, 300 * time.Millisecond},
		{"reset", reset, true, 0},
		{"no HTTP", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprint(conn, "SSH-2.0-"+canary+"\r\n")
			conn.Close()
		}, true, 0},
		{"endless header", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 2000 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 100))
			}
		}, true, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := client(t, outbound.Config{AllowPrivate: true, Timeout: tc.timeout})
			_, err := c.Post(t.Context(), address(serve(t, tc.handle)), nil, []byte("{}"))
			var r *alerts.RetryError
			if !errors.As(err, &r) || r.InDoubt != tc.doubt || strings.Contains(err.Error(), canary) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		srv := serve(t, nil)
		srv.Close()
		c := client(t, outbound.Config{AllowPrivate: true})
		var r *alerts.RetryError
		if _, err := c.Post(t.Context(), address(srv), nil, nil); !errors.As(err, &r) || r.InDoubt || strings.Contains(err.Error(), canary) {
			t.Errorf("%v", err)
		}
		if err := c.Reach(t.Context(), address(srv)); !errors.As(err, &r) || strings.Contains(err.Error(), canary) {
			t.Errorf("%v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		srv := serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); hang(w, r) })
		var r *alerts.RetryError
		if _, err := client(t, outbound.Config{AllowPrivate: true}).Post(ctx, address(srv), nil, []byte("{}")); !errors.As(err, &r) || !r.InDoubt {
			t.Errorf("%v", err)
		}
	})
}

// TestLongAnswers are cut, and those that break off are still answers.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"10 MB": func(w http.ResponseWriter, _ *http.Request) {
			for range 10 << 10 {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		},
		"broken off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"id":`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := client(t, outbound.Config{AllowPrivate: true, MaxAnswer: 1000}).Post(t.Context(), address(serve(t, h)), nil, nil)
			if err != nil || !a.Cut || len(a.Body) > 1000 {
				t.Fatalf("%d bytes, cut %v, %v", len(a.Body), a.Cut, err)
			}
			var r *alerts.RetryError
			if err := a.JSON(new(any)); !errors.As(err, &r) || !r.InDoubt {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestScrub: a service that repeats what is secret does not get it into an error, also
// where its answer is cut.
func TestScrub(t *testing.T) {
	t.Parallel()
	for pad := range 210 {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			fmt.Fprint(w, strings.Repeat("é", pad)+canary+" short-key")
		}))
		c := client(t, outbound.Config{AllowPrivate: true})
		_, err := c.Do(t.Context(), outbound.Request{URL: address(srv), Secrets: []outbound.Secret{"key"}})
		srv.Close()
		if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "key") {
			t.Fatalf("%d: %v", pad, err)
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(srv.Close)
	strange := client(t, outbound.Config{AllowPrivate: true})
	_, err := strange.Post(t.Context(), address(srv), nil, nil)
	for _, err := range []error{err, strange.Reach(t.Context(), address(srv))} {
		var r *alerts.RetryError
		if !errors.As(err, &r) || r.InDoubt || !strings.Contains(err.Error(), "ca_file") || strings.Contains(err.Error(), canary) {
			t.Errorf("%v", err)
		}
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	known := client(t, outbound.Config{AllowPrivate: true, CAFile: file})
	if _, err := known.Post(t.Context(), address(srv), nil, nil); err != nil {
		t.Error(err)
	}
	if err := known.Reach(t.Context(), address(srv)); err != nil {
		t.Error(err)
	}
	wrong := strings.Replace(string(address(srv)), "127.0.0.1", "localhost", 1)
	var r *alerts.RetryError
	if _, err := known.Post(t.Context(), outbound.Secret(wrong), nil, nil); !errors.As(err, &r) || !strings.Contains(err.Error(), "not valid") {
		t.Errorf("%v", err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []outbound.Config{{}, {Channel: "x", Timeout: -1}, {Channel: "x", Timeout: time.Hour}, {Channel: "x", MaxAnswer: -1}, {Channel: "x", CAFile: "/nowhere"}, {Channel: "x", CAFile: empty}} {
		if _, err := outbound.New(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	s := struct{ S outbound.Secret }{canary}
	js, _ := json.Marshal(s)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s.S, "all", s)
	if all := fmt.Sprintf("%v %+v %#v %s %q", s, s, s, js, s.S) + log.String(); strings.Contains(all, canary) {
		t.Errorf("the secret shows: %s", all)
	}
}
