package client_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"vigil/client"
)

// The setting is seen, compared, proposed and answered.
func TestSettingIsProposedAndConfirmed(t *testing.T) {
	t.Parallel()
	var asked []string
	c := serving(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("If-Match")+" "+string(body)))
		fmt.Fprint(w, `{"id":"s-1"}`)
	})
	two := 2.0
	_, err1 := c.Tuning(t.Context())
	_, err2 := c.Difference(t.Context(), 0, 2)
	p, err3 := c.Propose(t.Context(), client.Proposing{PerDay: &two, Only: client.PartBudget, Why: "fewer", Seen: 4})
	for _, err := range []error{err1, err2, err3, c.Confirm(t.Context(), p.ID), c.Withdraw(t.Context(), "s/2")} {
		if err != nil {
			t.Error(err)
		}
	}
	for i, want := range []string{
		"GET /api/v1/tuning", "GET /api/v1/tuning/difference?from=0&to=2", `POST /api/v1/tuning/proposals "4" {"per_day":2,"only":"budget","why":"fewer"}`,
		"POST /api/v1/tuning/proposals/s-1/confirm", "DELETE /api/v1/tuning/proposals/s%2F2",
	} {
		if i >= len(asked) || !strings.HasPrefix(asked[i], want) {
			t.Errorf("question %d: %q, want %q", i, asked, want)
		}
	}
}
