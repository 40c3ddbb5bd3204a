package console

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"

	"vigil/internal/api"
)

// policy lets the page load its own files and nothing else: no inline script or
// style, no frame around it, no form to elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// httpError is an error that a client may read: what happened, and what to do.
type httpError struct {
	status           int
	headline, remedy string
}

func (e *httpError) Error() string { return e.headline }

var (
	errNoPage    = &httpError{http.StatusNotFound, "There is no such page", "The address may be mistyped or out of date."}
	errNoFinding = &httpError{http.StatusNotFound, "There is no such finding", "It may have been removed when its time to be kept was over."}
	errNoCase    = &httpError{http.StatusNotFound, "There is no such case", "It may have been removed when its time to be kept was over."}
	errHost      = &httpError{http.StatusMisdirectedRequest, "This console does not answer to that name",
		"It answers to localhost and to the names that its configuration lists. Add this one there if it is yours."}
	errForeign = &httpError{http.StatusForbidden, "Another site asked for this", "The console's data can be read from its own pages only. Open it by its address."}
	errMethod  = &httpError{http.StatusMethodNotAllowed, "This console only shows", "Only GET and HEAD are answered here."}
	errRemote  = &httpError{http.StatusForbidden, "Verdicts and exceptions are taken from this machine only",
		"Use the vigil command on the machine that vigil runs on."}
	errNotJSON = &httpError{http.StatusUnsupportedMediaType, "This takes JSON only", "Send Content-Type: application/json."}
	errBusy    = &httpError{http.StatusServiceUnavailable, "Too many requests at once", "Try again in a second."}
	errSlow    = &httpError{http.StatusGatewayTimeout, "The store took too long to answer", "Try again; if it stays so, look at the program's own log."}
	errSealed  = &httpError{http.StatusServiceUnavailable, "Nothing can be shown just now",
		"Each look is recorded before it is granted, and the record can't be written. Is the disk full? Make room: nothing that was accepted is lost, and this page comes back by itself."}
	errInside = &httpError{http.StatusInternalServerError, "Something went wrong here", "The program's own log tells what. Nothing was changed; try again."}
)

func badRequest(format string, args ...any) *httpError {
	return &httpError{http.StatusBadRequest, "That address can't be read", fmt.Sprintf(format, args...)}
}

// guard stands before every route: headers first, so that errors carry them too.
func (h *Handler) guard(next http.Handler) http.Handler {
	var origin http.CrossOriginProtection
	checked := origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		head.Set("Cache-Control", "no-store")

		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				h.cfg.Logger.Error("console: panic", "path", fmt.Sprintf("%q", r.URL.Path), "panic", fmt.Sprintf("%q", fmt.Sprint(p)), "stack", string(debug.Stack()))
				h.fail(w, r, errInside)
			}
		}()
		if !h.knows(r.Host) {
			h.fail(w, r, errHost)
			return
		}
		if bad := h.method(r); bad != nil {
			if bad == errMethod {
				head.Set("Allow", "GET, HEAD")
			}
			h.fail(w, r, bad)
			return
		}
		if foreign(r) {
			h.fail(w, r, errForeign)
			return
		}
		select {
		case h.slots <- struct{}{}:
			defer func() { <-h.slots }()
		default:
			h.refused.Add(1)
			head.Set("Retry-After", "1")
			h.fail(w, r, errBusy)
			return
		}
		checked.ServeHTTP(w, r)
	})
}

// knows tells whether the console answers to the host a request names.
func (h *Handler) knows(host string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		name = host[1 : len(host)-1]
	}
	return h.hosts[strings.ToLower(name)]
}

// method tells what is wrong with a request's method: all but the addresses under
// /v1/ only show.
func (h *Handler) method(r *http.Request) *httpError {
	said := h.cfg.Decider != nil && strings.HasPrefix(r.URL.Path, "/v1/")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if said && !local(r) {
			return errRemote
		}
		return nil
	case http.MethodPost, http.MethodDelete:
		if !said {
			return errMethod
		}
		if !local(r) {
			return errRemote
		}
		// A form or a script of another site can't send this without asking first.
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			return errNotJSON
		}
		return nil
	}
	return errMethod
}

// local tells whether a request comes from this machine itself, under one of its own
// names, and not through a proxy.
func local(r *http.Request) bool {
	name, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		name = strings.Trim(r.Host, "[]")
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	switch strings.ToLower(name) {
	case "localhost", "127.0.0.1", "::1":
	default:
		return false
	}
	return err == nil && peer.Addr().Unmap().IsLoopback() && r.Header.Get("Forwarded") == "" && r.Header.Get("X-Forwarded-For") == ""
}

// foreign tells whether a browser says that another site asks, other than by a
// link that a person followed: links from a chat message must work, reading along
// must not.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
	}
	return false
}

func (h *Handler) context(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), h.cfg.Timeout)
}

// readError turns what a reader returned into what a client may know. Anything
// that is not the client's doing is logged.
func (h *Handler) readError(r *http.Request, what string, err error) *httpError {
	var known *httpError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, api.ErrUnrecorded):
		h.complain(what, err)
		return errSealed
	case errors.Is(err, api.ErrRefused):
		return &httpError{http.StatusUnprocessableEntity, "That can't be done", err.Error()}
	case errors.Is(err, api.ErrNotFound):
		return errNoFinding
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		return errSlow // the client is gone: nobody reads it, and it is no news
	case errors.Is(err, context.DeadlineExceeded):
		h.complain(what, err)
		return errSlow
	}
	h.complain(what, err)
	return errInside
}

// complain logs an error unless it is the one that was logged last: a page that
// renews itself would else repeat it for ever.
func (h *Handler) complain(what string, err error) {
	text := what + ": " + err.Error()
	h.mu.Lock()
	same := text == h.lastFail
	h.lastFail = text
	h.mu.Unlock()
	if !same {
		h.cfg.Logger.Error("console: read", "what", what, "err", fmt.Sprintf("%q", err.Error()))
	}
}

// content notes that reading works again.
func (h *Handler) content() {
	h.mu.Lock()
	was := h.lastFail
	h.lastFail = ""
	h.mu.Unlock()
	if was != "" {
		h.cfg.Logger.Info("console: reading works again")
	}
}

// fail answers with an error, as a page or, under /api/ and /v1/, as JSON.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, e *httpError) {
	if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/v1/") {
		writeJSON(w, e.status, map[string]string{"error": e.headline, "remedy": e.remedy})
		return
	}
	body, err := h.render("error", errorPage{base: h.base(e.headline, false), Headline: e.headline, Remedy: e.remedy})
	if err != nil {
		http.Error(w, e.headline, e.status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Del("ETag")
	w.WriteHeader(e.status)
	_, _ = w.Write(body)
}
