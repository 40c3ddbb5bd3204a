package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vigil/internal/access"
)

// matrixVariable has the matrix written anew instead of compared.
const matrixVariable = "VIGIL_UPDATE_MATRIX"

var (
	setUpLink = regexp.MustCompile(`/set-up\?token=([0-9a-z]+)`)
	wildcard  = regexp.MustCompile(`\{[a-z$.]+\}`)
)

// staff sets up one person of each role, and one of all.
func staff(t *testing.T, w *watched) map[string]*visitor {
	t.Helper()
	admin := visit(t, w)
	if code, body := admin.setUp(w.SetUpLink(), "all", goodPassword); code != http.StatusSeeOther {
		t.Fatalf("set up: %d %s", code, body)
	}
	out := map[string]*visitor{"all": admin, "nobody": visit(t, w)}
	for _, role := range access.Roles() {
		code, body, _ := admin.ask(http.MethodPost, "/people", url.Values{"form": {admin.form("/people")}, "name": {"one-" + string(role)}, "role": {string(role)}})
		link := setUpLink.FindStringSubmatch(body)
		if code != http.StatusOK || link == nil {
			t.Fatalf("invite %s: %d %s", role, code, body)
		}
		v := visit(t, w)
		if code, body := v.setUp(w.URL()+link[0], "", goodPassword); code != http.StatusSeeOther {
			t.Fatalf("set up %s: %d %s", role, code, body)
		}
		out[string(role)] = v
	}
	return out
}

// TestWhoMayAskForWhat asks the real service for each address of the table, as nobody and
// as somebody of each role, and compares who is let through with the matrix that people
// read. What changes something is asked without what it takes besides the role, so that
// nothing is done.
func TestWhoMayAskForWhat(t *testing.T) {
	t.Parallel()
	w := guarded(t, configure(t, t.TempDir()))
	people := staff(t, w)
	columns := []string{"nobody"}
	for _, r := range access.Roles() {
		columns = append(columns, string(r))
	}
	var matrix strings.Builder
	for _, route := range access.Routes() {
		if route.Pattern == "/demo/guise" {
			continue // of the demonstration alone
		}
		var may []string
		for _, who := range columns {
			if passes(t, people[who], route) {
				may = append(may, who)
			}
		}
		fmt.Fprintf(&matrix, "%-6s %-44s %s\n", route.Method, route.Pattern, strings.Join(may, " "))
		// The matrix is what was seen; the table is what was meant.
		for _, r := range access.Roles() {
			if want := access.May([]access.Role{r}, route.Deed); want != strings.Contains(" "+strings.Join(may, " ")+" ", " "+string(r)+" ") {
				t.Errorf("%s: %s is let through: %v, want %v", route.Name(), r, !want, want)
			}
		}
	}
	path := filepath.Join("testdata", "matrix.txt")
	if os.Getenv(matrixVariable) != "" {
		if err := os.WriteFile(path, []byte(matrix.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(golden) != matrix.String() {
		t.Errorf("who may ask for what is other than in %s; look at it, and write it anew with %s=1:\n%s", path, matrixVariable, matrix.String())
	}
}

// passes reports whether somebody's roles let them through to a route.
func passes(t *testing.T, v *visitor, route access.Route) bool {
	t.Helper()
	path := wildcard.ReplaceAllString(strings.TrimSuffix(route.Pattern, "{$}"), "none")
	switch {
	case route.Kind == access.KindStream:
		r, err := http.NewRequestWithContext(t.Context(), route.Method, v.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := v.c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()                                                                  // it would go on for ever
		return res.StatusCode == http.StatusOK || res.StatusCode == http.StatusBadRequest // that it names no topic
	case route.Method == http.MethodGet:
		code, body, to := v.ask(route.Method, path, nil)
		refused := code == http.StatusUnauthorized || code == http.StatusForbidden || strings.HasPrefix(to, "/sign-in?next=") || to == "/sign-in?"
		if code == http.StatusMethodNotAllowed || code >= 500 || code == http.StatusNotFound && strings.Contains(body, "There is no such page") && route.Kind == access.KindPage {
			t.Errorf("%s: %d", route.Name(), code)
		}
		return !refused
	}
	// No form's secret, or a body that is none: what is answered then is told to those alone
	// who may.
	code, body, to := v.ask(route.Method, path, nil, "Content-Type", "text/plain")
	switch {
	case code == http.StatusUnsupportedMediaType, strings.Contains(body, "is not of this session"):
		return true
	case code == http.StatusUnauthorized, strings.Contains(body, "Your role does not allow this"), strings.HasPrefix(to, "/sign-in"):
		return false
	}
	t.Errorf("%s without what it takes is answered %d: %.200s", route.Name(), code, body)
	return false
}

// TestWhatChangesSomethingIsOfOurOwnPages sends what changes something as other sites
// could have a browser send it, in the session of somebody who may everything.
func TestWhatChangesSomethingIsOfOurOwnPages(t *testing.T) {
	t.Parallel()
	w := guarded(t, configure(t, t.TempDir()))
	v := visit(t, w)
	if code, body := v.setUp(w.SetUpLink(), "all", goodPassword); code != http.StatusSeeOther {
		t.Fatalf("set up: %d %s", code, body)
	}
	before := v.cookie()
	for _, route := range access.Routes() {
		if route.Method == http.MethodGet || route.Pattern == "/demo/guise" {
			continue
		}
		path := wildcard.ReplaceAllString(route.Pattern, "none")
		for name, head := range map[string][]string{
			"no origin":      {},
			"foreign origin": {"Origin", "https://evil.example"},
			"null origin":    {"Origin", "null"},
			"cross-site":     {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"},
			"text as JSON":   {"Content-Type", "text/plain"},
			"JSON alone":     {"Content-Type", "application/json"},
		} {
			if code, _, _ := v.ask(route.Method, path, nil, head...); code != http.StatusForbidden && code != http.StatusUnsupportedMediaType {
				t.Errorf("%s, %s: %d", route.Name(), name, code)
			}
		}
	}
	if code, _, _ := v.ask(http.MethodGet, "/account", nil); code != http.StatusOK || v.cookie() != before {
		t.Errorf("something was done: %d", code)
	}
	for _, path := range []string{"/debug/pprof/", "/debug/vars", "/metrics", "/.env", "/.git/config", "/console.token", "/ledger.db", "/admin", "/api", "/v1"} {
		if code, _, _ := visit(t, w).ask(http.MethodGet, path, nil); code != http.StatusNotFound && code != http.StatusUnauthorized {
			t.Errorf("%s: %d", path, code)
		}
	}
}
