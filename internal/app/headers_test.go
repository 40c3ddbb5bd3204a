package app_test

import (
	"net/http"
	"strings"
	"testing"

	"vigil/internal/access"
)

// TestHeadersStandOnEveryAnswer asks the real service for each address, as nobody and as
// somebody of every role: what guards a page in the browser stands on errors too.
func TestHeadersStandOnEveryAnswer(t *testing.T) {
	t.Parallel()
	w := guarded(t, configure(t, t.TempDir()))
	v := visit(t, w)
	if code, body := v.setUp(w.SetUpLink(), "all", goodPassword); code != http.StatusSeeOther {
		t.Fatalf("set up: %d %s", code, body)
	}
	want := map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy": "camera=(), geolocation=(), microphone=()", "Strict-Transport-Security": "",
		"Access-Control-Allow-Origin": "", "Server": "",
	}
	for _, route := range append(access.Routes(), access.Route{Method: http.MethodGet, Pattern: "/nothing"}, access.Route{Method: http.MethodPatch, Pattern: "/{$}"}) {
		path := wildcard.ReplaceAllString(strings.TrimSuffix(route.Pattern, "{$}"), "none")
		for who, one := range map[string]*visitor{"nobody": visit(t, w), "all": v} {
			r, err := http.NewRequestWithContext(t.Context(), route.Method, one.base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := one.c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			for name, value := range want {
				if got := res.Header.Get(name); got != value {
					t.Errorf("%s as %s: %s is %q, want %q", route.Name(), who, name, got, value)
				}
			}
			csp := res.Header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "require-trusted-types-for 'script'") || strings.Contains(csp, "unsafe") {
				t.Errorf("%s as %s: the policy is %q", route.Name(), who, csp)
			}
			if cache := res.Header.Get("Cache-Control"); cache != "no-store" && !strings.HasPrefix(path, "/assets/") {
				t.Errorf("%s as %s: it may be kept: %q", route.Name(), who, cache)
			}
			for _, c := range res.Cookies() {
				if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
					t.Errorf("%s as %s: the cookie is %s", route.Name(), who, c)
				}
			}
		}
	}
}
