package console

import (
	"net/http"
	"sync"
)

// inTwo sends a page in two parts: the first at once, the second when read has added what it
// shows to data. What can't be read then is said in the page: its status is sent. read tells
// whether all could be: else who asks for what is newer than the tag gets all of it again.
func (h *Handler) inTwo(w http.ResponseWriter, r *http.Request, tag, first, second string, data any, read func() (whole bool)) {
	body, err := h.render(first, data)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if _, err := w.Write(body); err != nil {
		return // the client is gone
	}
	_ = http.NewResponseController(w).Flush() // where that can't be, it comes with the rest
	if whole := read(); tag != "" {
		h.halves.note(tag, whole)
	}
	if body, err = h.render(second, data); err != nil {
		_ = h.readError(r, "page", err) // for the log
		body = []byte(`<p class="failed">The rest of this page could not be made. Reload to try again.</p>`)
	}
	_, _ = w.Write(body) // the client may be gone, and there is nobody to tell
}

// maxHalves bounds the tags that are remembered.
const maxHalves = 1_000

// halves are the tags of pages of which a part could not be read. The zero value holds none.
type halves struct {
	mu   sync.Mutex
	tags map[string]struct{}
}

// note remembers a tag unless the page was whole.
func (h *halves) note(tag string, whole bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if whole {
		delete(h.tags, tag)
		return
	}
	if h.tags == nil || len(h.tags) >= maxHalves {
		h.tags = make(map[string]struct{})
	}
	h.tags[tag] = struct{}{}
}

func (h *halves) has(tag string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.tags[tag]
	return ok
}
