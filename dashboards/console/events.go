package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"vigil/internal/api"
)

// sendTime bounds one write to a stream: a client that does not read is let go.
const sendTime = 20 * time.Second

var errTopics = badRequest("“topic” names what to listen to: queue, status, drills, finding/ID or case/ID, one to %d of them.", api.MaxTopics)

// events is a stream of server-sent events (HTML Living Standard, 9.2): "changed" names
// the topics that changed, one a line, "beat" says that the stream is still there. The id
// of each is the mark from which a client that comes back goes on. Between two there is at
// least Config.Refresh, however much changes.
func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	topics, bad := readTopics(r.URL.Query())
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	mark := r.Header.Get("Last-Event-ID")
	if mark == "" {
		mark = r.URL.Query().Get("last")
	}
	to := http.NewResponseController(w)
	// The server's own bound is for answers that end.
	if err := to.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return
	}
	send := func(format string, args ...any) error {
		if err := to.SetWriteDeadline(time.Now().Add(sendTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		if _, err := fmt.Fprintf(w, format, args...); err != nil { //nolint:gosec // topics of a closed form; a stream of events is no page
			return err
		}
		return to.Flush()
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold it back
	err := send("retry: 1000\n\n")
	for err == nil {
		mark, err = h.nextEvent(r.Context(), mark, topics, send)
	}
}

// nextEvent waits for one event and sends it.
func (h *Handler) nextEvent(ctx context.Context, mark string, topics []api.Topic, send func(string, ...any) error) (string, error) {
	waiting, cancel := context.WithTimeout(ctx, h.cfg.Beat)
	defer cancel()
	changed, next, err := h.do.Watcher.Changed(waiting, mark, topics)
	switch {
	case ctx.Err() != nil:
		return next, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return next, send("event: beat\nid: %s\ndata: .\n\n", next)
	case err != nil:
		return next, err
	}
	text := fmt.Sprintf("event: changed\nid: %s\n", next)
	for _, t := range changed {
		text += "data: " + string(t) + "\n"
	}
	if err := send("%s\n", text); err != nil {
		return next, err
	}
	rest := time.NewTimer(h.cfg.Refresh)
	defer rest.Stop()
	select {
	case <-rest.C:
		return next, nil
	case <-ctx.Done():
		return next, ctx.Err()
	}
}

func readTopics(values url.Values) (topics []api.Topic, bad *api.Problem) {
	for _, name := range values["topic"] {
		t := api.Topic(name)
		if id := t.ID(); !t.Known() || id != "" && !validID(id) {
			return nil, errTopics
		}
		topics = append(topics, t)
	}
	if len(topics) == 0 || len(topics) > api.MaxTopics {
		return nil, errTopics
	}
	return topics, nil
}
