package client_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/client"
)

// asked is a request as the service has seen it, without what differs each time.
func asked(t *testing.T, r *http.Request) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return fmt.Sprintf("%s %s %s", r.Method, r.URL, body)
}

// Each question is asked where and as the API takes it.
func TestQuestionsAreAskedAsTheyAreTaken(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for want, ask := range map[string]func(c *client.Client) (any, error){
		"GET /api/v1/findings/f-1/events?from=2026-10-01T00%3A00%3A00Z&limit=5&outcome=denied ": func(c *client.Client) (any, error) {
			return first(c.FindingEvents(t.Context(), "f-1", client.AccessFilter{From: day, Outcome: vigil.OutcomeDenied, Page: 5}))
		},
		"GET /api/v1/cases?about=actor&opened_to=2026-10-01T00%3A00%3A00Z&state=new&unowned=true ": func(c *client.Client) (any, error) {
			return first(c.Cases(t.Context(), client.CaseFilter{State: "new", Unowned: true, About: vigil.AboutActor, OpenedTo: day}))
		},
		"GET /api/v1/cases/c-1/events ": func(c *client.Client) (any, error) { return first(c.CaseEvents(t.Context(), "c-1")) },
		"GET /api/v1/cases/c-1/subjects?class=health&touch=confirmed ": func(c *client.Client) (any, error) {
			return first(c.CaseSubjects(t.Context(), "c-1", client.TouchFilter{Touch: client.TouchConfirmed, Class: "health"}))
		},
		"GET /api/v1/audit?kind=deeds&oldest=true&who=actor-1 ": func(c *client.Client) (any, error) {
			return first(c.Audit(t.Context(), client.AuditFilter{Kind: client.AuditDeeds, Who: "actor-1", Oldest: true}))
		},
		`POST /api/v1/readers {"customer":"4711","purpose":"they asked"}`: func(c *client.Client) (any, error) {
			return c.Readers(t.Context(), client.ReadersAsk{Customer: "4711", Purpose: "they asked"})
		},
		"GET /api/v1/cases/c-1/notice ": func(c *client.Client) (any, error) { return c.Notice(t.Context(), "c-1") },
		"GET /api/v1/sources ":          func(c *client.Client) (any, error) { return c.Sources(t.Context()) },
		"GET /api/v1/colleagues ":       func(c *client.Client) (any, error) { return c.Colleagues(t.Context()) },
		"GET /api/v1/drills ":           func(c *client.Client) (any, error) { return c.Drills(t.Context()) },
		`POST /api/v1/drills {"on":"made-up"}`: func(c *client.Client) (any, error) {
			return c.StartDrill(t.Context(), client.DrillAsk{On: client.DrillMadeUp})
		},
		"DELETE /api/v1/drills/d-1 {}": func(c *client.Client) (any, error) { return c.StopDrill(t.Context(), "d-1") },
	} {
		var got string
		c := serving(t, func(_ int, w http.ResponseWriter, r *http.Request) {
			got = asked(t, r)
			fmt.Fprint(w, `{"events":[],"cases":[],"subjects":[],"records":[]}`)
		})
		if _, err := ask(c); err != nil || got != want {
			t.Errorf("asked %q, want %q, %v", got, want, err)
		}
	}
}

// first is the first of a list, as far as it was read.
func first[T any](list func(yield func(T, error) bool)) (out T, err error) {
	for x, err := range list {
		return x, err
	}
	return out, nil
}

func TestPackIsWrittenAsItComes(t *testing.T) {
	t.Parallel()
	c := serving(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Content-Disposition", "attachment; filename=vigil-evidence-c-1.zip")
		fmt.Fprint(w, "PK ", asked(t, r))
	})
	var out bytes.Buffer
	name, err := c.MakePack(t.Context(), "c-1", &out)
	if err != nil || name != "vigil-evidence-c-1.zip" || out.String() != "PK POST /api/v1/cases/c-1/pack " {
		t.Errorf("%s %q %v", name, out.String(), err)
	}
}

func TestPackThatBreaksOffIsAnError(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w http.ResponseWriter){
		"breaks off": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/zip")
			w.Header().Set("Content-Disposition", "attachment; filename=x.zip")
			fmt.Fprint(w, strings.Repeat("PK", 64<<10))
			panic(http.ErrAbortHandler)
		},
		"is a page":  func(w http.ResponseWriter) { fmt.Fprint(w, "<!doctype html>") },
		"is refused": func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) },
	} {
		c := serving(t, func(_ int, w http.ResponseWriter, _ *http.Request) { answer(w) })
		if _, err := c.MakePack(t.Context(), "c-1", io.Discard); err == nil {
			t.Errorf("one that %s counts as a pack", name)
		}
	}
}
