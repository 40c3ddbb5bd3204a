package talk

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// bodyTime is how long a request's body may take to come.
const bodyTime = 5 * time.Second

// Handler takes what Slack sends by HTTP, at PathActions, PathCommands and PathEvents.
// What is not signed by Slack, or comes again, is answered by a bare 401 and counted;
// what can't be taken now by 503, and what is signed but makes no sense by 400.
func (t *Talk) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+PathActions, t.signed(t.actions))
	mux.HandleFunc("POST "+PathCommands, t.signed(t.commands))
	mux.HandleFunc("POST "+PathEvents, t.signed(t.events))
	return mux
}

// signed lets through what Slack signed, and nothing else.
func (t *Talk) signed(next func(body []byte, contentType string) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, why := t.authentic(w, r)
		if why != "" {
			t.counts.add("refused_" + string(why))
			if why == refusedFull {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		answer, err := next(body, r.Header.Get("Content-Type"))
		switch {
		case errors.Is(err, errBusy):
			w.WriteHeader(http.StatusServiceUnavailable)
		case err != nil:
			t.odd(err)
			w.WriteHeader(http.StatusBadRequest)
		case answer == nil:
			w.WriteHeader(http.StatusOK)
		default:
			if s, ok := answer.(challenge); ok {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				w.Header().Set("X-Content-Type-Options", "nosniff")
				_, _ = io.WriteString(w, string(s))
				return
			}
			raw, err := json.Marshal(answer)
			if err != nil {
				t.log.Error("slack: an answer can't be written", slog.String("error", t.scrub(err.Error())))
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(raw)
		}
	}
}

// authentic reads a request and judges it.
func (t *Talk) authentic(w http.ResponseWriter, r *http.Request) ([]byte, refusal) {
	ts, signature, why := t.verify.head(r.Header, t.now())
	if why != "" {
		return nil, why
	}
	// A server that can't bound the time bounds it itself.
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	_ = rc.SetReadDeadline(time.Time{})
	if err != nil {
		return nil, refusedBody
	}
	return body, t.verify.body(ts, signature, body, t.now())
}

// odd notes what Slack signed and we don't understand.
func (t *Talk) odd(err error) {
	t.counts.add("odd")
	t.log.Warn("slack: something came that vigil does not understand", slog.String("reason", t.scrub(err.Error())))
}

// form reads a form whose fields each come once.
func form(body []byte, contentType string) (url.Values, error) {
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, bad("it is no form")
	}
	f, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, bad("its form is broken")
	}
	for _, v := range f {
		if len(v) != 1 {
			return nil, bad("a field of its form comes twice")
		}
	}
	return f, nil
}

func (t *Talk) actions(body []byte, contentType string) (any, error) {
	f, err := form(body, contentType)
	if err != nil {
		return nil, err
	}
	if f.Get("ssl_check") == "1" {
		return nil, nil
	}
	in, err := parsePayload([]byte(f.Get("payload")))
	if err != nil {
		return nil, err
	}
	return t.take(in)
}

func (t *Talk) commands(body []byte, contentType string) (any, error) {
	f, err := form(body, contentType)
	if err != nil {
		return nil, err
	}
	if f.Get("ssl_check") == "1" {
		return nil, nil
	}
	in, err := parseCommand(f)
	if err != nil {
		return nil, err
	}
	return t.take(in)
}

// challenge is Slack's word when an address is set, to be given back.
type challenge string

// event is what the Events API tells.
type event struct {
	Type      string
	Challenge string
	ID        string `json:"event_id"`
	Event     struct{ Type string }
}

func (t *Talk) events(body []byte, _ string) (any, error) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, bad("it is not its JSON")
	}
	if e.Type == "url_verification" {
		if e.Challenge == "" || len(e.Challenge) > 500 || strings.ContainsFunc(e.Challenge, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, bad("the challenge is none")
		}
		return challenge(e.Challenge), nil
	}
	t.event(e)
	return nil, nil
}

// event is told of the app's removal; all else is let be.
func (t *Talk) event(e event) {
	if e.Type != "event_callback" || e.Event.Type != EventUninstalled && e.Event.Type != EventRevoked {
		return
	}
	if len(e.ID) > maxID || !t.once.first("event/"+e.ID) {
		t.counts.add("repeated")
		return
	}
	t.counts.add(e.Event.Type)
	t.log.Error("slack: the app was removed from the workspace or its tokens revoked: install it again and set its new tokens", slog.String("event", e.Event.Type))
	if t.revoked != nil {
		t.revoked(e.Event.Type)
	}
}
