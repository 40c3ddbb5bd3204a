package app_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vigil/internal/access"
	"vigil/internal/app"
	"vigil/internal/config"
)

// guarded starts a service to whose console people sign in.
func guarded(t *testing.T, cfg *config.Config) *watched {
	t.Helper()
	w := &watched{t: t, output: &buffer{}, logs: &buffer{}}
	a, err := app.New(cfg, app.Options{Output: w.output, Logger: slog.New(slog.NewTextHandler(w.logs, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.App = a
	t.Cleanup(func() {
		if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return w
}

// visitor is somebody with a browser of their own.
type visitor struct {
	t    *testing.T
	base string
	c    *http.Client
}

func visit(t *testing.T, w *watched) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Timeout: testClient.Timeout, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &visitor{t: t, base: w.URL(), c: c}
}

// ask sends a request; fields make it a form.
func (v *visitor) ask(method, path string, fields url.Values, head ...string) (code int, body, to string) {
	v.t.Helper()
	var in io.Reader
	if fields != nil {
		in = strings.NewReader(fields.Encode())
	}
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, in)
	if err != nil {
		v.t.Fatal(err)
	}
	if fields != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", v.base)
	}
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	res, err := v.c.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return res.StatusCode, string(text), res.Header.Get("Location")
}

var formSecret = regexp.MustCompile(`name="form" value="([^"]+)"`)

// form reads the secret that the forms of a page bring along.
func (v *visitor) form(page string) string {
	v.t.Helper()
	_, body, _ := v.ask(http.MethodGet, page, nil)
	found := formSecret.FindStringSubmatch(body)
	if found == nil {
		v.t.Fatalf("%s has no form: %s", page, body)
	}
	return found[1]
}

func (v *visitor) cookie() string {
	u, err := url.Parse(v.base)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range v.c.Jar.Cookies(u) {
		if c.Name == "vigil" {
			return c.Value
		}
	}
	return ""
}

// setUp uses the link of the first run.
func (v *visitor) setUp(link, name, password string) (code int, body string) {
	v.t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		v.t.Fatal(err)
	}
	code, body, _ = v.ask(http.MethodPost, "/set-up", url.Values{
		"form": {v.form(u.RequestURI())}, "token": {u.Query().Get("token")}, "name": {name}, "password": {password}, "again": {password},
	})
	return code, body
}

func (v *visitor) signIn(name, password string) (code int, body string) {
	v.t.Helper()
	code, body, _ = v.ask(http.MethodPost, "/sign-in", url.Values{"form": {v.form("/sign-in")}, "name": {name}, "password": {password}})
	return code, body
}

const goodPassword = "gravel lantern seven"

func TestFirstRunSetsUpTheFirstAccount(t *testing.T) {
	t.Parallel()
	w := guarded(t, configure(t, t.TempDir()))
	link := w.SetUpLink()
	if link == "" {
		t.Fatal("no link to set up the first account")
	}
	v := visit(t, w)
	if code, _, to := v.ask(http.MethodGet, "/findings/f-1?from=50", nil); code != 303 || to != "/sign-in?next=%2Ffindings%2Ff-1%3Ffrom%3D50" {
		t.Errorf("nobody is answered %d and led to %q", code, to)
	}
	if code, _, _ := v.ask(http.MethodGet, "/api/v1/findings", nil); code != 401 {
		t.Errorf("nobody's program is answered %d", code)
	}
	for password, why := range map[string]string{"short": "at least 12", "password1234": "commonest", "ann@example.com1": "your name"} {
		if code, body := v.setUp(link, "Ann@example.com", password); code != 422 || !strings.Contains(body, why) {
			t.Errorf("password %q: %d %s", password, code, body)
		}
	}
	if code, body := v.setUp(link, "Ann@example.com", goodPassword); code != 303 {
		t.Fatalf("set up: %d %s", code, body)
	}
	first := v.cookie()
	if code, body, _ := v.ask(http.MethodGet, "/", nil); code != 200 || !strings.Contains(body, "ann@example.com") {
		t.Errorf("who set it up is answered %d", code)
	}
	other := visit(t, w)
	if code, body, _ := other.ask(http.MethodGet, strings.TrimPrefix(link, w.URL()), nil); code != 410 {
		t.Errorf("the link's second use: %d %s", code, body)
	}
	if code, _ := other.signIn("ann@example.com", "gravel lantern eight"); code != 401 || other.cookie() != "" {
		t.Errorf("a wrong password: %d", code)
	}
	if code, _ := other.signIn("ANN@example.com", goodPassword); code != 303 || other.cookie() == "" || other.cookie() == first {
		t.Errorf("the right password: %d", code)
	}
	// Signed out at one place: at once there, and not at the other.
	if code, _, _ := v.ask(http.MethodPost, "/sign-out", url.Values{"form": {v.form("/")}}); code != 303 {
		t.Errorf("sign out: %d", code)
	}
	if code, _, _ := v.ask(http.MethodGet, "/api/v1/findings", nil, "Cookie", "vigil="+first); code != 401 {
		t.Errorf("the old cookie is answered %d", code)
	}
	if code, _, _ := other.ask(http.MethodGet, "/", nil); code != 200 {
		t.Errorf("the other one is answered %d", code)
	}
	trail := strings.Join(app.AuditTrail(t, w.App), "\n")
	dump := w.dump() + w.logs.String() + trail
	for _, secret := range []string{goodPassword, first, other.cookie(), "ann@example.com", link[strings.Index(link, "=")+1:]} {
		if strings.Contains(strings.ToLower(dump), strings.ToLower(secret)) {
			t.Errorf("%q stands in the ledger or the log", secret)
		}
	}
	for _, want := range []string{"account set up", "sign-in refused", "signed in with a password", "signed out"} {
		if !strings.Contains(trail, want) {
			t.Errorf("%q is not in the audit log", want)
		}
	}
}

func TestFirstAccountIsAnAdministratorsWhereTheConfigurationNamesOne(t *testing.T) {
	t.Parallel()
	cfg := configure(t, t.TempDir())
	cfg.Users = []config.User{{Name: "Ann", Roles: []access.Role{access.RoleAdmin}}, {Name: "bob", Roles: []access.Role{access.RoleViewer}}}
	w := guarded(t, cfg)
	v := visit(t, w)
	for _, name := range []string{"bob", "eve"} {
		if code, body := v.setUp(w.SetUpLink(), name, goodPassword); code != 422 || !strings.Contains(body, "no administrator") {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code, body := v.setUp(w.SetUpLink(), "ann", goodPassword); code != 303 {
		t.Fatalf("ann: %d %s", code, body)
	}
	if code, body, _ := v.ask(http.MethodGet, "/", nil); code != 200 || strings.Contains(body, "analyst") {
		t.Errorf("ann has more than the configuration gives: %d", code)
	}
}

func TestCommandsOfThisMachineComeByTheirToken(t *testing.T) {
	t.Parallel()
	cfg := configure(t, t.TempDir())
	w := guarded(t, cfg)
	path := filepath.Join(cfg.DataDir, "console.token")
	token, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	v := visit(t, w)
	for bearer, want := range map[string]int{strings.TrimSpace(string(token)): 200, "wrong": 401, "": 401, "vgl_wrong": 401} {
		if code, _, _ := v.ask(http.MethodGet, "/api/v1/findings", nil, "Authorization", "Bearer "+bearer); code != want {
			t.Errorf("token %q: %d, want %d", bearer, code, want)
		}
	}
}
