package gate

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
)

// policy lets a page load our own files and nothing else: no inline script or style, no
// frame around it, no form to elsewhere. A script can turn a string into markup only
// through the one policy of that name, which app.js makes once and gives to htmx alone,
// for what our own server answers.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; " +
	"require-trusted-types-for 'script'; trusted-types vigil"

// FormField is the field in which a form brings Person.Form, FormHeader the header in
// which a script does.
const (
	FormField  = "form"
	FormHeader = "X-Vigil-Form"
)

var (
	errHost = api.NewProblem(http.StatusMisdirectedRequest, "This console does not answer to that name",
		"It answers to localhost and to the names that its configuration lists. Add this one there if it is yours.")
	errForeign = api.NewProblem(http.StatusForbidden, "Another site asked for this", "The console's data can be read from its own pages only. Open it by its address.")
	errNoPage  = api.NewProblem(http.StatusNotFound, "There is no such page", "The address may be mistyped or out of date.")
	errMethod  = api.NewProblem(http.StatusMethodNotAllowed, "This address does not take that", "Look up in the description of the API what it takes.")
	errNotJSON = api.NewProblem(http.StatusUnsupportedMediaType, "This takes JSON only", "Send Content-Type: application/json.")
	errBusy    = api.NewProblem(http.StatusServiceUnavailable, "Too many requests at once", "Try again in a second.")
	errNobody  = api.NewProblem(http.StatusUnauthorized, "Nobody is signed in", "Sign in, or send a token: Authorization: Bearer TOKEN.")
	errMayNot  = api.NewProblem(http.StatusForbidden, "Your role does not allow this", "Ask an administrator of vigil for the role that it needs.")
	errForm    = api.NewProblem(http.StatusForbidden, "This form is not of this session", "Nothing was done. Go back, reload the page, and send it again.")
	errStale   = api.NewProblem(http.StatusUnauthorized, "Prove once more who you are", "Sign in again: what you asked for wants a sign-in of the last fifteen minutes.")
	errDoor    = api.NewProblem(http.StatusServiceUnavailable, "It can't be told who asks", "The store of sessions does not answer. Try again; if it stays so, look at the program's own log.").With(api.CodeInside)
	errInside  = api.NewProblem(http.StatusInternalServerError, "Something went wrong here", "The program's own log tells what. Nothing was changed; try again.")
)

// ServeHTTP implements http.Handler.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Frame-Options", "DENY")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	head.Set("Cache-Control", "no-store")
	if g.cfg.Secure != nil && g.cfg.Secure(r) {
		head.Set("Strict-Transport-Security", "max-age=31536000")
	}

	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			g.cfg.Logger.Error("console: panic", "path", fmt.Sprintf("%q", r.URL.Path), "panic", fmt.Sprintf("%q", fmt.Sprint(p)), "stack", string(debug.Stack()))
			g.cfg.Fail(w, r, errInside)
		}
	}()
	if !g.knows(r.Host) {
		g.cfg.Fail(w, r, errHost)
		return
	}
	if foreign(r) {
		g.cfg.Fail(w, r, errForeign)
		return
	}
	_, name := g.mux.Handler(r)
	row, known := g.routes[name]
	slots := g.slots
	switch {
	case row.Kind == access.KindStream:
		slots = g.streams
	case row.Deed == access.DeedPublic && (row.Kind == access.KindForm || row.Kind == access.KindLead):
		slots = g.open
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	default:
		g.refused.Add(1)
		head.Set("Retry-After", "1")
		g.cfg.Fail(w, r, errBusy)
		return
	}
	if !known {
		g.missed(w, r)
		return
	}
	g.mux.ServeHTTP(w, r)
}

// missed answers what no route takes: with the methods that the address does take.
func (g *Gate) missed(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := g.mux.Handler(other); pattern != "" {
			allow = append(allow, m)
		}
	}
	if len(allow) == 0 {
		g.cfg.Fail(w, r, errNoPage)
		return
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	g.cfg.Fail(w, r, errMethod)
}

// admit lets those through to h who may.
func (g *Gate) admit(row access.Route, h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if row.Kind == access.KindPart || row.Kind == access.KindStream {
			r = r.WithContext(api.WithUnattended(r.Context()))
		}
		who, err := g.cfg.Door.Who(r)
		switch {
		case row.Deed == access.DeedPublic:
			// Who is signed in is known here too; a door that fails is no reason not to show the way in.
		case err != nil:
			g.cfg.Logger.Error("console: it can't be told who asks", "err", fmt.Sprintf("%q", err.Error()))
			g.cfg.Fail(w, r, errDoor)
			return
		case who.By == "":
			g.unsigned(w, r, row, errNobody)
			return
		case !who.May(row.Deed):
			g.cfg.Fail(w, r, errMayNot)
			return
		case row.Fresh && who.Way == api.WaySession && g.cfg.Now().Sub(who.Signed) > FreshFor:
			g.unsigned(w, r, row, errStale)
			return
		}
		if bad := taken(w, r, row, who); bad != nil {
			g.cfg.Fail(w, r, bad)
			return
		}
		r = r.WithContext(api.WithPerson(r.Context(), who))
		if row.Kind == access.KindStream && row.Deed != access.DeedPublic {
			g.stream(w, r, row, h)
			return
		}
		h(w, r)
	})
}

// unsigned leads a person to where they sign in, and back to the page or the file that they
// wanted.
func (g *Gate) unsigned(w http.ResponseWriter, r *http.Request, row access.Route, p *api.Problem) {
	if g.cfg.SignIn == "" || row.Kind == access.KindAPI || row.Kind == access.KindPart || row.Kind == access.KindStream {
		if row.Kind == access.KindAPI {
			w.Header().Set("WWW-Authenticate", `Bearer realm="vigil"`)
		}
		g.cfg.Fail(w, r, p)
		return
	}
	next := url.Values{}
	if row.Kind == access.KindPage || row.Kind == access.KindFile && p == errStale {
		next.Set("next", r.URL.RequestURI())
	}
	if p == errStale {
		next.Set("again", "1")
	}
	http.Redirect(w, r, g.cfg.SignIn+"?"+next.Encode(), http.StatusSeeOther)
}

// taken tells why what was sent is not taken: its form, or where it comes from.
func taken(w http.ResponseWriter, r *http.Request, row access.Route, who api.Person) *api.Problem {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if row.Kind == access.KindAPI {
		// A form or a script of another site can't send this without asking first.
		if err != nil || kind != "application/json" {
			return errNotJSON
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxJSON)
		if who.Form != "" && !same(r.Header.Get(FormHeader), who.Form) {
			return errForm
		}
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(formTime)) // a test's writer knows none
	if err := r.ParseForm(); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return api.NewProblem(http.StatusRequestEntityTooLarge, "This form is too long", "Shorten what you wrote, and send it again.")
		}
		return api.NewProblem(http.StatusBadRequest, "This form can't be read", "Go back, reload the page, and send it again.")
	}
	// A form is of a page of ours, always: programs send JSON.
	if !same(r.PostForm.Get(FormField), who.Form) && !same(r.Header.Get(FormHeader), who.Form) {
		return errForm
	}
	return nil
}

func same(got, want string) bool {
	return got != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}

// knows tells whether the gate answers to the host a request names.
func (g *Gate) knows(host string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		name = host[1 : len(host)-1]
	}
	return g.hosts[strings.ToLower(name)]
}

// foreign tells whether a browser says that another site asks, other than by a link that
// a person followed: links from a chat message must work, reading along must not.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return r.Method != http.MethodGet || r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
	case "same-origin":
		return false // the browser itself says so; its Origin is "null" where no referrer is told
	}
	origin := r.Header.Get("Origin")
	if origin == "" || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host)
}
