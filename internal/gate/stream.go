package gate

import (
	"context"
	"net/http"
	"sync"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
)

// stream runs a handler that stays, for as long as who opened it is signed in and may: it
// ends within Config.Recheck of a sign-out or of a role that was taken away, and when it
// can't be told who asks.
func (g *Gate) stream(w http.ResponseWriter, r *http.Request, row access.Route, h http.HandlerFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	who := api.PersonOf(ctx)
	asking.Go(func() {
		defer cancel()
		tick := time.NewTicker(g.cfg.Recheck)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			now, err := g.cfg.Door.Who(r)
			if err != nil || now.By != who.By || !now.May(row.Deed) {
				return
			}
		}
	})
	h(w, r.WithContext(ctx))
}
