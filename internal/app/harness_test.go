package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vigil/internal/app"
)

// testClient waits for no answer for ever.
var testClient = &http.Client{Timeout: 30 * time.Second}

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
