package console_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"vigil/dashboards/internal/browser"
	"vigil/internal/access"
	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/identity/openidtest"
)

// TestPeopleSignInInABrowser sets up the first account by its link and signs in with its
// password, and then with a real provider, as a person does, with the real service behind
// it.
func TestPeopleSignInInABrowser(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	provider := openidtest.New(t)
	cfg := config.DefaultConfig()
	cfg.DataDir, cfg.Listen = t.TempDir(), "127.0.0.1:0"
	cfg.PseudonymKey = config.NewSecret("a key for this test, long enough")
	cfg.Sources = []config.Source{{Name: "bot", Push: &config.Push{Token: config.NewSecret("0123456789abcdef")}}}
	cfg.Users = []config.User{
		{Name: "ann", Roles: []access.Role{access.RoleAdmin}},
		{Name: "carl", Email: "carl@example.com", Roles: []access.Role{access.RoleResponder}},
	}
	cfg.Accounts.OIDC = &config.OIDC{Name: "Example", Issuer: provider.Issuer, ClientID: openidtest.ClientID, ClientSecret: config.NewSecret(openidtest.ClientSecret)}
	a, err := app.New(cfg, app.Options{Output: &bytes.Buffer{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	provider.Start(a.URL()+"/sign-in/back",
		openidtest.Person{ID: "c", Username: "carl.c", Password: "of the provider", Email: "carl@example.com", EmailVerified: true})

	const password = "gravel lantern seven"
	p := b.Open(t, a.SetUpLink(), browser.Look{})
	barriers(t, p, "set-up")
	write(p, "#name", "ann")
	write(p, "#password", password)
	write(p, "#again", password)
	p.Click("main form button")
	p.Wait(`location.pathname === "/" && document.body.innerText.includes("ann")`)
	p.Go(a.URL() + "/account")
	p.Wait(`document.body.innerText.includes("Where you are signed in")`)
	barriers(t, p, "account")
	signOut(p)

	// A page that was asked for is where the sign-in leads to.
	p.Go(a.URL() + "/people")
	p.Wait(`location.pathname === "/sign-in" && document.querySelector("#password") !== null`)
	barriers(t, p, "sign-in")
	p.Click("main details summary") // a password is the second way, where there is a provider
	write(p, "#name", "ann")
	write(p, "#password", "gravel lantern eight")
	p.Click("form[action='/sign-in'] button")
	p.Wait(`document.querySelector("[role=alert]") !== null`)
	p.Faults() // the browser complains of a 401, as it should be
	write(p, "#name", "")
	write(p, "#password", password)
	p.Click("form[action='/sign-in'] button")
	p.Wait(`location.pathname === "/people" && document.body.innerText.includes("carl")`)
	signOut(p)

	// With the provider: to another site, and back.
	p.Go(a.URL() + "/sources")
	p.Wait(`location.pathname === "/sign-in"`)
	p.Click("a[href^='/sign-in/provider']")
	p.Wait(`location.origin + "/" === "` + provider.Issuer + `" && document.querySelector("#username") !== null`)
	write(p, "#username", "carl.c")
	write(p, "#password", "of the provider")
	p.Click("button")
	p.Wait(`location.origin === "` + a.URL() + `" && location.pathname === "/sources" && document.body.innerText.includes("carl")`)
	for _, fault := range p.Faults() {
		if !strings.Contains(fault, provider.Issuer) {
			t.Errorf("on the way to the provider and back: %s", fault)
		}
	}
	if cookies := browser.Eval[string](p, "document.cookie"); cookies != "" {
		t.Errorf("a script can read %q", cookies)
	}
}

// write types a text into a field, after what stands there.
func write(p *browser.Page, field, text string) {
	p.Click(field)
	if text != "" {
		p.Press(text)
	}
}

func signOut(p *browser.Page) {
	browser.Eval[bool](p, `(() => { document.querySelectorAll("details").forEach(d => { d.open = true }); return true })()`)
	p.Click("form[action='/sign-out'] button")
	p.Wait(`location.pathname === "/sign-in"`)
}

func barriers(t *testing.T, p *browser.Page, page string) {
	t.Helper()
	for _, bar := range p.Barriers() {
		t.Errorf("%s: %s: %s: %+v", page, bar.ID, bar.Help, bar.Nodes)
	}
}
