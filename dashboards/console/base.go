package console

import (
	"net/http"
	"slices"
	"strings"

	"vigil/dashboards/phrase"
	"vigil/internal/access"
	"vigil/internal/api"
)

// base is what every page needs.
type base struct {
	PageTitle, Brand string
	Assets           assetNames
	Live             bool
	// Plots says that the page holds plots that can be zoomed.
	Plots bool
	// Person is who looks, Me what they are called to themselves, Roles their roles in
	// words, Form what their forms bring along.
	Person api.Person
	Me     string
	Roles  []string
	Form   string
	// Nav are the pages at the head of every page, Menu those about who looks; SignOut is
	// where they sign out, empty where nobody signs in.
	Nav, Menu []navLink
	SignOut   string
	// Guises are as whom a demonstration can be looked at; empty where people sign in.
	Guises []api.Guise
	// Said is what came of what they just did, empty for nothing.
	Said string
}

// navLink is a page that stands at the head of every page. Key is pressed after g.
type navLink struct {
	Name, URL, Key string
	Current        bool
	// Waiting counts what waits there for who looks, empty for nothing.
	Waiting string
}

// maxMe bounds the name of who looks.
const maxMe = 40

func (h *Handler) base(r *http.Request, title string, live bool) base {
	who := api.PersonOf(r.Context())
	b := base{
		PageTitle: title + " · " + h.cfg.Brand, Brand: h.cfg.Brand, Assets: h.names, Live: live,
		Person: who, Me: phrase.Text(who.Name, maxMe), Form: who.Form, Said: said(r.URL.Query().Get("said")),
		Nav: h.links(r, who, pages()), Menu: h.links(r, who, ownPages()),
	}
	h.noteWaiting(r, b.Nav)
	if b.Me == "" {
		b.Me = phrase.Text(who.By, maxMe)
	}
	for _, role := range who.Roles {
		b.Roles = append(b.Roles, strings.ReplaceAll(string(role), "_", " "))
	}
	if h.do.Guises != nil {
		b.Guises = h.do.Guises.Guises(r)
	}
	if h.has("POST /sign-out") && who.Way == api.WaySession {
		b.SignOut = "/sign-out"
	}
	return b
}

// headPage is a page to which every page leads.
type headPage struct {
	name, key, url string
	deed           access.Deed
}

// pages are those for everybody's work, in the order in which they stand.
func pages() []headPage {
	return []headPage{
		{"Queue", "q", "/", access.DeedLook},
		{"Drills", "d", "/drills", access.DeedLook},
		{"Sources", "s", "/sources", access.DeedStatus},
		{"Readers", "r", "/readers", access.DeedReaders},
		{"Names", "n", "/reveals", access.DeedReveal},
		{"Reports", "p", "/reports", access.DeedReport},
		{"Audit", "a", "/audit", access.DeedAudit},
		{"Tuning", "t", "/tuning", access.DeedTune},
	}
}

// ownPages are those about who looks, and who else may.
func ownPages() []headPage {
	return []headPage{
		{"Your account", "", "/account", access.DeedSelf},
		{"People", "", "/people", access.DeedPeople},
	}
}

// noteWaiting notes at the page of names how many requests wait that who looks may decide. A
// page is shown without it where that can't be told.
func (h *Handler) noteWaiting(r *http.Request, nav []navLink) {
	at := slices.IndexFunc(nav, func(l navLink) bool { return l.URL == "/reveals" })
	if at < 0 {
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	n, err := h.do.Revealer.WaitingReveals(ctx)
	if err != nil {
		_ = h.readError(r, "names that wait", err) // for the log
		return
	}
	if n > 0 {
		nav[at].Waiting = phrase.Count(int64(n))
	}
}

// has reports whether an address is answered: what leads to it stands only then.
func (h *Handler) has(route string) bool { return h.routes[route] != nil }

// links lists those of some pages that there are and that who looks may see.
func (h *Handler) links(r *http.Request, who api.Person, from []headPage) (out []navLink) {
	for _, p := range from {
		route := "GET " + p.url
		if p.url == "/" {
			route += "{$}"
		}
		if !h.has(route) || !who.May(p.deed) {
			continue
		}
		current := r.URL.Path == p.url || p.url != "/" && strings.HasPrefix(r.URL.Path, p.url+"/")
		out = append(out, navLink{Name: p.name, URL: p.url, Key: p.key, Current: current})
	}
	return out
}
