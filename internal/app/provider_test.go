package app_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"vigil/internal/access"
	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/identity/openidtest"
)

// provided starts a service to which people sign in with a real provider.
func provided(t *testing.T) *watched {
	t.Helper()
	p := openidtest.New(t)
	cfg := configure(t, t.TempDir())
	cfg.Accounts.OIDC = &config.OIDC{Name: "Example", Issuer: p.Issuer, ClientID: openidtest.ClientID, ClientSecret: config.NewSecret(openidtest.ClientSecret)}
	cfg.Users = []config.User{
		{Name: "ann", Roles: []access.Role{access.RoleAdmin}},
		{Name: "carl", Email: "carl@example.com", Roles: []access.Role{access.RoleResponder}},
	}
	w := guarded(t, cfg)
	p.Start(w.URL()+"/sign-in/back",
		openidtest.Person{ID: "subject-carl", Username: "carl.c", Password: "of the provider", Email: "Carl@example.com", EmailVerified: true},
		openidtest.Person{ID: "subject-dora", Username: "dora", Password: "of the provider", Email: "dora@example.com", EmailVerified: true},
		openidtest.Person{ID: "subject-mallory", Username: "mallory", Password: "of the provider", Email: "carl@example.com"},
	)
	return w
}

var authRequest = regexp.MustCompile(`name="id" value="([^"]+)"`)

// allow begins a sign-in, signs in at the provider, and returns the address to which it
// leads back.
func (v *visitor) allow(begin, name string) (back string) {
	v.t.Helper()
	code, body, to := v.ask(http.MethodGet, begin, nil)
	if code != http.StatusSeeOther && code != http.StatusFound {
		v.t.Fatalf("begin: %d %s", code, body)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		v.t.Fatal(err)
	}
	// At the provider every redirect is followed but the one that leads back to vigil.
	c := &http.Client{Timeout: testClient.Timeout, Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), v.base) {
			back = r.URL.RequestURI()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	defer c.CloseIdleConnections()
	res, err := c.Get(to)
	if err != nil {
		v.t.Fatal(err)
	}
	page, err := io.ReadAll(res.Body)
	res.Body.Close()
	id := authRequest.FindSubmatch(page)
	if err != nil || id == nil {
		v.t.Fatalf("no form at the provider: %d %s", res.StatusCode, page)
	}
	if res, err = c.PostForm(res.Request.URL.Scheme+"://"+res.Request.URL.Host+"/login/username", url.Values{"id": {string(id[1])}, "username": {name}, "password": {"of the provider"}}); err != nil {
		v.t.Fatal(err)
	}
	res.Body.Close()
	if back == "" {
		v.t.Fatalf("the provider leads nowhere: %d", res.StatusCode)
	}
	return back
}

func TestSignInWithARealProvider(t *testing.T) {
	t.Parallel()
	w := provided(t)
	carl := visit(t, w)
	back := carl.allow("/sign-in/provider?next=%2Fsources", "carl.c")
	// Another browser can't take over what this one began.
	if code, _, _ := visit(t, w).ask(http.MethodGet, back, nil); code != http.StatusUnauthorized {
		t.Errorf("in another browser: %d", code)
	}
	if code, body, to := carl.ask(http.MethodGet, back, nil); code != http.StatusSeeOther || to != "/sources" {
		t.Fatalf("signed in: %d to %q: %s", code, to, body)
	}
	first := carl.cookie()
	if code, body, _ := carl.ask(http.MethodGet, "/account", nil); code != http.StatusOK || !strings.Contains(body, "sign-in provider") {
		t.Errorf("the account: %d", code)
	}
	if code, _, _ := carl.ask(http.MethodGet, "/people", nil); code != http.StatusForbidden {
		t.Errorf("carl is a responder, and is answered %d", code)
	}
	// The same code once more.
	if code, _, _ := carl.ask(http.MethodGet, back, nil); code != http.StatusUnauthorized || carl.cookie() != first {
		t.Errorf("a code that is used up: %d", code)
	}
	// Proved once more, as themselves and as somebody else.
	if code, body, _ := carl.ask(http.MethodGet, carl.allow("/sign-in/provider?again=1&next=%2F", "carl.c"), nil); code != http.StatusSeeOther || carl.cookie() == first {
		t.Errorf("proved once more: %d %s", code, body)
	}
	second := carl.cookie()
	if code, _, _ := carl.ask(http.MethodGet, carl.allow("/sign-in/provider?again=1&next=%2F", "dora"), nil); code < 400 || carl.cookie() != second {
		t.Errorf("dora proved who carl is: %d", code)
	}
	for name, why := range map[string]string{"dora": "vigil does not know you", "mallory": "vigil does not know you"} {
		v := visit(t, w)
		if code, body, _ := v.ask(http.MethodGet, v.allow("/sign-in/provider", name), nil); code != http.StatusForbidden || !strings.Contains(body, why) || v.cookie() != "" {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	trail := strings.Join(app.AuditTrail(t, w.App), "\n")
	dump := w.dump() + w.logs.String() + trail
	for _, secret := range []string{first, "subject-carl", "carl@example.com", "dora@example.com", openidtest.ClientSecret + "\"", back[strings.Index(back, "code=")+5:]} {
		if strings.Contains(strings.ToLower(dump), strings.ToLower(secret)) {
			t.Errorf("%q stands in the ledger or the log", secret)
		}
	}
	for _, want := range []string{"signed in with the provider", "signed in again with the provider", "sign-in refused"} {
		if !strings.Contains(trail, want) {
			t.Errorf("%q is not in the audit log:\n%s", want, trail)
		}
	}
}
