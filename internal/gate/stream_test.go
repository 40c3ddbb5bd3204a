package gate_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/gate"
)

// changing is a door behind which somebody may become somebody else.
type changing struct{ who atomic.Pointer[api.Person] }

func (c *changing) Who(*http.Request) (api.Person, error) { return *c.who.Load(), nil }

func TestAStreamEndsWithTheSessionOfWhoOpenedIt(t *testing.T) {
	t.Parallel()
	ann := api.Person{By: "ann", Roles: []access.Role{access.RoleViewer}}
	for name, then := range map[string]api.Person{
		"signed out":     {},
		"somebody else":  {By: "bob", Roles: ann.Roles},
		"role was taken": {By: "ann"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &changing{}
				d.who.Store(&ann)
				g, err := gate.New(gate.Config{Door: d, Fail: func(http.ResponseWriter, *http.Request, *api.Problem) { t.Error("refused") }},
					[]access.Route{{Method: "GET", Pattern: "/stream", Kind: access.KindStream, Deed: access.DeedLook}},
					gate.Handlers{"GET /stream": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }})
				if err != nil {
					t.Fatal(err)
				}
				ended := make(chan time.Duration, 1)
				start := time.Now()
				go func() {
					r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/stream", nil)
					g.ServeHTTP(httptest.NewRecorder(), r)
					ended <- time.Since(start)
				}()
				<-time.After(time.Hour)
				select {
				case d := <-ended:
					t.Fatalf("it ended after %s with nothing changed", d)
				default:
				}
				d.who.Store(&then)
				if over := <-ended - time.Hour; over > 30*time.Second {
					t.Errorf("it went on for %s", over)
				}
			})
		})
	}
}
