//go:build !race

package console_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"vigil/dashboards/internal/browser"
	"vigil/internal/access"
	"vigil/internal/app"
)

// pagesOf tells the route of a page's address, empty for what is none.
func pagesOf() func(address string) string {
	mux := http.NewServeMux()
	for _, r := range access.Routes() {
		if r.Method == http.MethodGet {
			mux.HandleFunc(r.Name(), func(http.ResponseWriter, *http.Request) {})
		}
	}
	kinds := map[string]access.Kind{}
	for _, r := range access.Routes() {
		kinds[r.Name()] = r.Kind
	}
	return func(address string) string {
		_, name := mux.Handler(httptest.NewRequestWithContext(context.Background(), http.MethodGet, address, nil))
		if kinds[name] != access.KindPage {
			return ""
		}
		return name
	}
}

// TestTheDemoFillsThePages follows the links of the real service with the demonstration's
// data, from the queue on, to one page of each kind, and looks at each with axe-core. A
// page of the table to which no link leads fails it, save those that a link alone can't
// open: nobody would find it. With VIGIL_TOUR naming a folder, the pictures of the
// documentation are written there.
func TestTheDemoFillsThePages(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	d, err := app.StartDemo(t.Context(), app.DemoOptions{Output: &bytes.Buffer{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	began := time.Now()
	if err := d.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Furnish(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("the demonstration is furnished after %s", time.Since(began).Round(time.Second))
	p := b.Open(t, d.URL()+"/drills", browser.Look{Dark: os.Getenv("VIGIL_DARK") != ""})
	p.Wait(`document.querySelectorAll(".drill-rows tbody tr").length === 4`) // the drill is over

	route := pagesOf()
	reached := map[string]string{}
	for next := []string{"/"}; len(next) > 0; next = next[1:] {
		name := route(next[0])
		if name == "" || reached[name] != "" {
			continue
		}
		reached[name] = next[0]
		p.Go(d.URL() + next[0])
		first, drawn := p.Drawn()
		t.Logf("%s: first byte after %.0f ms, drawn after %.0f ms (0: not told)", name, first, drawn)
		for _, bar := range p.Barriers() {
			for _, n := range bar.Nodes {
				t.Errorf("%s: %s (%s)\n\t%.300s\n\t%s", next[0], bar.Help, bar.ID, n.HTML, n.FailureSummary)
			}
		}
		if n := p.Wider(); n > 0 {
			t.Errorf("%s: %d px wider than its window", next[0], n)
		}
		for _, fault := range p.Faults() {
			t.Errorf("%s: %s", next[0], fault)
		}
		if picture := tour()[name]; picture != "" {
			if dir := os.Getenv("VIGIL_TOUR"); dir != "" {
				p.Picture(filepath.Join(dir, picture+".png"))
			}
			p.Shoot("demo-" + picture)
		}
		next = append(next, browser.Eval[[]string](p, `Array.from(document.querySelectorAll("a[href]")).filter(a => a.origin === location.origin).map(a => a.pathname + a.search)`)...)
	}
	for _, r := range access.Routes() {
		if r.Kind == access.KindPage && r.Deed != access.DeedPublic && reached[r.Name()] == "" && !reachedOtherwise(r.Pattern) {
			t.Errorf("no link of the demonstration leads to %s", r.Name())
		}
	}
}

// reachedOtherwise names the pages to which a form leads, and those of who signs in, as
// nobody does to a demonstration.
func reachedOtherwise(pattern string) bool {
	return slices.Contains([]string{"/readers/{id}", "/account", "/people"}, pattern)
}

// tour are the pages of which the documentation has pictures, by their route.
func tour() map[string]string {
	return map[string]string{
		"GET /{$}": "queue", "GET /findings/{id}": "finding", "GET /cases/{id}": "case", "GET /cases/{id}/notice": "notice", "GET /actors/{id}": "actor",
		"GET /cases/{id}/subjects": "subjects", "GET /tuning": "tuning", "GET /drills": "drills", "GET /sources/sight": "sight",
	}
}
