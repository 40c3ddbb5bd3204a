package access

// Kind is what sort of address a route is.
type Kind string

// The kinds of route.
const (
	// KindPage is a page, KindPart a part of one that renews itself, KindFile something
	// that a page hands over, such as a picture or an export. All only show.
	KindPage Kind = "page"
	KindPart Kind = "part"
	KindFile Kind = "file"
	// KindForm takes what a page's form sends, and leads on to a page.
	KindForm Kind = "form"
	// KindLead leads on, to the sign-in provider or from it.
	KindLead Kind = "lead"
	// KindAPI takes and gives JSON.
	KindAPI Kind = "api"
	// KindStream stays open, and tells what changes as it does.
	KindStream Kind = "stream"
)

// The deeds of a route for which nobody needs a role.
const (
	// DeedPublic is open to who is not signed in: the sign-in itself, styles, health.
	DeedPublic Deed = "public"
	// DeedSelf is open to who is signed in, whatever their roles.
	DeedSelf Deed = "self"
)

// Route is one address that the program answers, and who may ask for it.
type Route struct {
	// Method and Pattern are as http.ServeMux takes them: "GET", "/cases/{id}".
	Method, Pattern string
	Kind            Kind
	// Deed is what the roles of who asks must allow.
	Deed Deed
	// Fresh asks for a proof of who they are that is not older than FreshFor: for what
	// shows names, or changes what is found.
	Fresh bool
}

// Name is how a handler is tied to its route: "GET /cases/{id}".
func (r Route) Name() string { return r.Method + " " + r.Pattern }

// Routes is the one table of what is answered. What has no row here is not answered:
// internal/gate builds the program's router from it.
func Routes() []Route {
	page := func(pattern string, d Deed) Route {
		return Route{Method: "GET", Pattern: pattern, Kind: KindPage, Deed: d}
	}
	part := func(pattern string, d Deed) Route {
		return Route{Method: "GET", Pattern: pattern, Kind: KindPart, Deed: d}
	}
	file := func(pattern string, d Deed) Route {
		return Route{Method: "GET", Pattern: pattern, Kind: KindFile, Deed: d}
	}
	form := func(pattern string, d Deed) Route {
		return Route{Method: "POST", Pattern: pattern, Kind: KindForm, Deed: d}
	}
	fresh := func(r Route) Route {
		r.Fresh = true
		return r
	}
	read := func(pattern string, d Deed) Route {
		return Route{Method: "GET", Pattern: pattern, Kind: KindAPI, Deed: d}
	}
	write := func(method, pattern string, d Deed) Route {
		return Route{Method: method, Pattern: pattern, Kind: KindAPI, Deed: d}
	}
	return []Route{
		file("/healthz", DeedPublic),
		file("/assets/{name}", DeedPublic),

		page("/sign-in", DeedPublic),
		form("/sign-in", DeedPublic),
		form("/sign-out", DeedSelf),
		page("/set-up", DeedPublic),
		form("/set-up", DeedPublic),
		form("/demo/guise", DeedSelf),
		{Method: "GET", Pattern: "/sign-in/provider", Kind: KindLead, Deed: DeedPublic},
		{Method: "GET", Pattern: "/sign-in/back", Kind: KindLead, Deed: DeedPublic},

		page("/account", DeedSelf),
		fresh(form("/account/password", DeedSelf)),
		form("/account/sessions", DeedSelf),
		fresh(form("/account/tokens", DeedSelf)),
		form("/account/tokens/{id}", DeedSelf),
		fresh(page("/people", DeedPeople)),
		fresh(form("/people", DeedPeople)),
		fresh(form("/people/{id}/state", DeedPeople)),
		fresh(form("/people/{id}/roles", DeedPeople)),

		page("/{$}", DeedLook),
		part("/live", DeedLook),
		{Method: "GET", Pattern: "/live/events", Kind: KindStream, Deed: DeedLook},
		form("/cases/seen", DeedLook),
		form("/cases/verdicts", DeedVerdict),
		page("/cases/{id}", DeedLook),
		part("/cases/{id}/live", DeedLook),
		form("/cases/{id}/acknowledge", DeedAcknowledge),
		form("/cases/{id}/assign", DeedAssign),
		form("/cases/{id}/snooze", DeedSnooze),
		form("/cases/{id}/note", DeedNote),
		form("/cases/{id}/verdict", DeedVerdict),
		form("/cases/{id}/aware", DeedAware),
		form("/cases/{id}/ask", DeedAsk),
		fresh(form("/cases/{id}/exception", DeedExpect)),
		page("/exceptions", DeedLook),
		fresh(form("/exceptions/{id}/end", DeedExpect)),
		page("/silences", DeedLook),
		form("/silences", DeedSilence),
		form("/silences/{id}/end", DeedSilence),

		page("/findings/{id}", DeedLook),
		part("/findings/{id}/live", DeedLook),
		file("/findings/{id}/timeline.json", DeedLook),
		page("/actors/{id}", DeedActor),
		file("/actors/{id}/timeline.json", DeedActor),
		page("/sources", DeedStatus),
		part("/sources/live", DeedStatus),
		page("/sources/sight", DeedStatus),
		page("/sources/sample", DeedSample),
		form("/sources/sample", DeedSample),
		page("/drills", DeedLook),
		part("/drills/live", DeedLook),
		form("/drills", DeedDrill),
		form("/drills/stop", DeedDrill),

		page("/cases/{id}/subjects", DeedReaders),
		// Names that are revealed stand in these.
		fresh(file("/cases/{id}/subjects.csv", DeedReaders)),
		fresh(file("/cases/{id}/subjects.json", DeedReaders)),
		page("/readers", DeedReaders),
		form("/readers", DeedReaders),
		page("/readers/{id}", DeedReaders),
		file("/readers/{id}/export.csv", DeedReaders),
		file("/readers/{id}/export.json", DeedReaders),
		page("/reveals", DeedReveal),
		page("/cases/{id}/reveals", DeedReveal),
		form("/cases/{id}/reveals", DeedReveal),
		// What shows a name, or lets it be shown, wants a fresh proof of who asks.
		{Method: "GET", Pattern: "/reveals/{id}", Kind: KindPage, Deed: DeedReveal, Fresh: true},
		{Method: "POST", Pattern: "/reveals/{id}/approve", Kind: KindForm, Deed: DeedApprove, Fresh: true},
		form("/reveals/{id}/end", DeedReveal),
		page("/tuning", DeedTune),
		page("/tuning/versions", DeedTune),
		fresh(form("/tuning/proposals", DeedTune)),
		fresh(form("/tuning/proposals/{id}", DeedTune)),
		page("/tuning/replays", DeedTune),
		form("/tuning/replays", DeedTune),
		page("/tuning/replays/{id}", DeedTune),
		form("/tuning/replays/{id}/stop", DeedTune),

		page("/cases/{id}/notice", DeedLook),
		form("/cases/{id}/notice", DeedNotice),
		form("/cases/{id}/notice/sent", DeedNotice),
		file("/cases/{id}/notice/{name}", DeedLook),
		page("/audit", DeedAudit),
		file("/audit/export", DeedAudit),
		page("/reports", DeedReport),
		form("/reports", DeedReport),
		file("/reports/{id}/{name}", DeedReport),
		page("/cases/{id}/pack", DeedPack),
		form("/cases/{id}/pack", DeedPack),

		read("/api/v1/openapi.json", DeedSelf),
		read("/api/v1/findings", DeedLook),
		read("/api/v1/findings/{id}", DeedLook),
		read("/api/v1/cases", DeedLook),
		read("/api/v1/cases/{id}", DeedLook),
		read("/api/v1/status", DeedStatus),

		read("/api/v1/findings/{id}/timeline", DeedLook),
		read("/api/v1/findings/{id}/events", DeedLook),
		read("/api/v1/cases/{id}/events", DeedLook),
		read("/api/v1/cases/{id}/subjects", DeedReaders),
		read("/api/v1/cases/{id}/notice", DeedLook),
		read("/api/v1/cases/{id}/pack", DeedPack),
		write("POST", "/api/v1/cases/{id}/pack", DeedPack),
		read("/api/v1/colleagues", DeedAssign),
		write("POST", "/api/v1/readers", DeedReaders),
		read("/api/v1/sources", DeedStatus),
		read("/api/v1/sources/set-aside", DeedStatus),
		read("/api/v1/audit", DeedAudit),
		read("/api/v1/audit/standing", DeedAudit),
		read("/api/v1/drills", DeedLook),
		write("POST", "/api/v1/drills", DeedDrill),
		write("DELETE", "/api/v1/drills/{id}", DeedDrill),
		write("PUT", "/api/v1/findings/{id}/verdict", DeedVerdict),
		write("DELETE", "/api/v1/findings/{id}/verdict", DeedVerdict),
		write("POST", "/api/v1/findings/{id}/exception", DeedExpect),
		read("/api/v1/exceptions", DeedLook),
		write("DELETE", "/api/v1/exceptions/{id}", DeedExpect),
		read("/api/v1/verdicts", DeedLook),
		write("POST", "/api/v1/cases/{id}/acknowledge", DeedAcknowledge),
		write("POST", "/api/v1/cases/{id}/assign", DeedAssign),
		write("POST", "/api/v1/cases/{id}/snooze", DeedSnooze),
		write("POST", "/api/v1/cases/{id}/note", DeedNote),
		write("POST", "/api/v1/cases/{id}/aware", DeedAware),
		write("POST", "/api/v1/cases/{id}/ask", DeedAsk),
		write("PUT", "/api/v1/cases/{id}/verdict", DeedVerdict),
		write("DELETE", "/api/v1/cases/{id}/verdict", DeedVerdict),
		write("POST", "/api/v1/silences", DeedSilence),
		read("/api/v1/silences", DeedLook),
		write("DELETE", "/api/v1/silences/{id}", DeedSilence),
		read("/api/v1/reports", DeedReport),
		write("POST", "/api/v1/reports", DeedReport),
		read("/api/v1/reports/{id}", DeedReport),
		read("/api/v1/tuning", DeedTune),
		read("/api/v1/tuning/difference", DeedTune),
		fresh(write("POST", "/api/v1/tuning/proposals", DeedTune)),
		fresh(write("POST", "/api/v1/tuning/proposals/{id}/confirm", DeedTune)),
		fresh(write("DELETE", "/api/v1/tuning/proposals/{id}", DeedTune)),
		read("/api/v1/replays", DeedTune),
		write("POST", "/api/v1/replays", DeedTune),
		read("/api/v1/replays/{id}", DeedTune),
		write("DELETE", "/api/v1/replays/{id}", DeedTune),
		read("/api/v1/accounts", DeedPeople),
		fresh(write("POST", "/api/v1/accounts", DeedPeople)),
		fresh(write("PUT", "/api/v1/accounts/{id}/state", DeedPeople)),
		fresh(write("PUT", "/api/v1/accounts/{id}/roles", DeedPeople)),
		read("/api/v1/tokens", DeedSelf),
		fresh(write("POST", "/api/v1/tokens", DeedSelf)),
		write("DELETE", "/api/v1/tokens/{id}", DeedSelf),
	}
}
