package rest

import (
	"context"
	"mime"
	"net/http"
	"time"
)

// handOver answers with a file, as it is made.
func (h *Handler) handOver(w http.ResponseWriter, r *http.Request, of resource, e endpoint, in any) {
	ctx, cancel := context.WithTimeout(r.Context(), e.limit)
	defer cancel()
	name, write, err := e.hand(ctx, in)
	if err != nil {
		h.Fail(w, r, h.problem(r, of, err))
		return
	}
	// A large one takes longer than other answers may. A writer that knows no deadline has none.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(e.limit))
	w.Header().Set("Content-Type", e.media)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	out := &begun{ResponseWriter: w}
	if err := write(ctx, out); err != nil {
		if !out.is {
			w.Header().Del("Content-Disposition")
			h.Fail(w, r, h.problem(r, of, err))
			return
		}
		h.trouble.Say(of.name, err)
		// What was sent is no whole file: who reads it must see that it broke off.
		panic(http.ErrAbortHandler)
	}
	h.trouble.Over()
}

// begun knows whether anything of an answer was sent.
type begun struct {
	http.ResponseWriter
	is bool
}

// Write implements io.Writer.
func (b *begun) Write(p []byte) (int, error) {
	b.is = true
	return b.ResponseWriter.Write(p)
}
