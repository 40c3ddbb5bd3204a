package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/gate"
)

// testClient waits for no answer for ever.
var testClient = &http.Client{Timeout: 30 * time.Second}

// everybody is a door through which each comes with every role, without signing in, and
// may say in whose name they come, as a command on vigil's own machine may.
func everybody() gate.Door {
	return gate.Open{By: "console", Roles: access.Roles(), Way: api.WayLocal}
}

func serveHTTP(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// dump prints everything that the ledger keeps.
func (w *watched) dump() string {
	w.t.Helper()
	var b strings.Builder
	for _, what := range app.Dump(w.t, w.App) {
		fmt.Fprintf(&b, "%s\n", what)
	}
	return b.String()
}
