package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/dashboards/console"
	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
	"vigil/internal/access"
	"vigil/internal/api"
)

// desk is a console in which people work on the sample findings' cases.
func desk(t *testing.T) (http.Handler, *sample.Reader, *sample.Desk) {
	t.Helper()
	r := sample.NewReader(sample.All()...)
	vendor := sample.Vendor()
	r.SetCase(sample.Case(&vendor))
	d := sample.NewDesk(r)
	return serving(t, console.Config{Refresh: 100 * time.Millisecond}, console.Services{Reader: r, Worker: d, Decider: d, Silencer: d}), r, d
}

// of are the fields of a form of the sample person's session.
func of(fields ...string) url.Values {
	v := url.Values{"form": {sample.Person().Form}}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	return v
}

func TestCaseShowsWhatToDo(t *testing.T) {
	t.Parallel()
	h, _, _ := desk(t)
	vendor, export := "/cases/c-"+sample.Vendor().ID[2:], "/cases/c-"+sample.Export().ID[2:]
	body := get(t, h, vendor).body
	for _, want := range []string{"I take it over", "Your verdict", "Write a note", "Hand it over", "Leave it alone", "Expect this from now on", `href="/findings/` + sample.Vendor().ID, "What happened with the case", "72-hour clock"} {
		if !strings.Contains(body, want) {
			t.Errorf("the case lacks %q", want)
		}
	}
	for _, no := range []string{"Start the 72-hour clock", "Whose data", ">Reveal a name"} {
		if strings.Contains(body, no) {
			t.Errorf("the case offers %q", no)
		}
	}
	if body := get(t, h, export).body; !strings.Contains(body, "I take it<") || !strings.Contains(body, "Start the 72-hour clock") {
		t.Error("a new case can't be taken, or its clock not be started")
	}
	// Who may only look is offered nothing, and refused what they send all the same.
	viewer := sample.Person()
	viewer.Roles = []access.Role{access.RoleViewer}
	r := sample.NewReader(sample.All()...)
	looks := servingAs(t, console.Config{}, viewer, console.Services{Reader: r, Worker: sample.NewDesk(r)})
	if body := get(t, looks, export).body; strings.Contains(body, "<form method=\"post\" action=\"/cases/") || strings.Contains(get(t, looks, "/").body, `name="pick"`) {
		t.Error("a viewer is offered a form")
	}
	if got := post(t, looks, export+"/acknowledge", of("seen", "1")); got.code != http.StatusForbidden {
		t.Errorf("a viewer's form is answered with %d", got.code)
	}
}

func TestCaseForms(t *testing.T) {
	t.Parallel()
	h, _, d := desk(t)
	at := "/cases/c-" + sample.Export().ID[2:]
	for i, x := range []struct {
		form   string
		fields url.Values
		said   string
	}{
		{"/acknowledge", of("seen", "1"), "acknowledged"},
		{"/acknowledge", of("seen", "1"), "acknowledged"}, // pressed twice
		{"/note", of("seen", "2", "note", " The key is revoked. "), "noted"},
		{"/assign", of("seen", "3", "to", "actor-81mz5t2wbob6c"), "assigned"},
		{"/snooze", of("seen", "4", "for", "4"), "snoozed"},
		{"/aware", of("seen", "5", "sure", "1"), "aware"},
		{"/verdict", of("seen", "6", "word", "breach", "note", "theirs"), "judged"},
		{"/verdict", of("seen", "7", "word", "back"), "taken-back"},
		{"/exception", of("seen", "8", "scope", "", "for", "30", "note", "agreed", "do", "make"), "expected"},
	} {
		got := post(t, h, at+x.form, x.fields)
		if got.code != http.StatusSeeOther || got.head.Get("Location") != at+"?said="+x.said {
			t.Errorf("%d, %s: status %d to %q", i, x.form, got.code, got.head.Get("Location"))
		}
		if body := get(t, h, at+"?said="+x.said).body; !strings.Contains(body, `class="said notice"`) {
			t.Errorf("%s: nothing is said of it", x.said)
		}
	}
	acts := d.Acts()
	if len(acts) != 8 || acts[1].Note != "The key is revoked." || acts[3].For != 4*time.Hour || acts[5].Word != vigil.WordBreach || !acts[6].TakeBack || acts[7].For != 30*24*time.Hour {
		t.Errorf("done: %+v", acts)
	}
	for name, x := range map[string]struct {
		form   string
		fields url.Values
		code   int
		want   string
	}{
		"stale":        {"/note", of("seen", "2", "note", "late"), 409, "actor-ann did so"},
		"no revision":  {"/note", of("note", "x"), 400, "can&#39;t be read"},
		"bad revision": {"/note", of("seen", "-1", "note", "x"), 400, "can&#39;t be read"},
		"no word":      {"/verdict", of("seen", "9", "word", "guilty"), 422, "Say whether"},
		"not sure":     {"/aware", of("seen", "9"), 422, "Tick that"},
		"snoozed long": {"/snooze", of("seen", "9", "for", "9999"), 422, "1 to 336 hours"},
		"no days":      {"/exception", of("seen", "9", "for", "0"), 422, "1 to 366 days"},
	} {
		if got := post(t, h, at+x.form, x.fields); got.code != x.code || !strings.Contains(got.body, x.want) {
			t.Errorf("%s: status %d, want %d: %.2000s", name, got.code, x.code, got.body)
		}
	}
	if got := post(t, h, "/cases/none/note", of("seen", "1", "note", "x")); got.code != 404 {
		t.Errorf("of no case: status %d", got.code)
	}
	if got := post(t, h, "/cases/seen", of()); got.code != 303 || strings.Contains(get(t, h, "/").body, "badge warn") {
		t.Errorf("everything is marked as seen with %d, and something is new", got.code)
	}
}

// Before the person is asked the question is shown; then they are asked once.
func TestAskingIsPreviewed(t *testing.T) {
	t.Parallel()
	h, _, d := desk(t)
	page := "/cases/c-" + sample.Export().ID[2:]
	if body := get(t, h, page).body; !strings.Contains(body, "Ask the person</summary>") || !strings.Contains(body, "knows that they are watched") {
		t.Error("asking is not offered")
	}
	got := post(t, h, page+"/ask", of("seen", "1"))
	for _, want := range []string{"Ask the person?", "an account of yours read data of 212 customers", "Nobody is asked yet", `action="` + page + `/ask"`, `name="seen" value="1"`} {
		if got.code != 200 || !strings.Contains(got.body, want) {
			t.Errorf("status %d, the preview lacks %q", got.code, want)
		}
	}
	if n := len(d.Acts()); n != 0 {
		t.Errorf("%d deeds were done by looking", n)
	}
	for range 2 {
		if got := post(t, h, page+"/ask", of("seen", "1", "do", "ask")); got.code != 303 || got.head.Get("Location") != page+"?said=asked" {
			t.Errorf("status %d to %q", got.code, got.head.Get("Location"))
		}
	}
	body := get(t, h, page+"?said=asked").body
	if acts := d.Acts(); len(acts) != 1 || acts[0].Deed != access.DeedAsk || !strings.Contains(body, "was asked, no answer yet") || !strings.Contains(body, "Ask the person again</summary>") {
		t.Errorf("done: %+v", acts)
	}
	// A program can't be asked.
	if body := get(t, h, "/cases/c-"+sample.Bot().ID[2:]).body; strings.Contains(body, "/ask\"") {
		t.Error("a bot could be asked")
	}
}

func TestExceptionIsPreviewed(t *testing.T) {
	t.Parallel()
	h, _, d := desk(t)
	at := "/cases/c-" + sample.Export().ID[2:] + "/exception"
	got := post(t, h, at, of("seen", "1", "scope", "network", "role", "1", "for", "7", "note", "the move"))
	for _, want := range []string{"this account from 203.0.113.0/24", "212 of 340 accesses", "3 findings", "1 of them was judged a breach", "and 2 more", `name="scope" value="network"`, `name="role" value="1"`, `name="for" value="7"`, `value="the move"`} {
		if got.code != 200 || !strings.Contains(got.body, want) {
			t.Errorf("status %d, the preview lacks %q", got.code, want)
		}
	}
	if got := post(t, h, at, of("seen", "1", "for", "7", "do", "make")); got.code != 200 || !strings.Contains(got.body, "The reason is missing") {
		t.Errorf("without a reason: status %d", got.code)
	}
	if n := len(d.Acts()); n != 0 {
		t.Errorf("%d deeds were done by looking", n)
	}
}

func TestSeveralCasesAreJudged(t *testing.T) {
	t.Parallel()
	h, _, _ := desk(t)
	vendor, export := "c-"+sample.Vendor().ID[2:], "c-"+sample.Export().ID[2:]
	if got := post(t, h, "/cases/"+vendor+"/note", of("seen", "7", "note", "meanwhile")); got.code != 303 {
		t.Fatal(got.code)
	}
	form := of("word", "expected", "note", "the nightly export", "pick", vendor+"/7", "pick", export+"/1", "pick", export+"/1", "pick", "c-gone/1", "back", "/?min=high")
	for range 2 { // pressed twice
		got := post(t, h, "/cases/verdicts", form)
		for _, want := range []string{"1 case is judged", "2 are left as they were", "actor-ann did so", "There is no such case", `href="/?min=high"`} {
			if got.code != 200 || !strings.Contains(got.body, want) {
				t.Errorf("status %d, lacks %q", got.code, want)
			}
		}
		if n := strings.Count(got.body, "<td>Judged.</td>"); n != 1 {
			t.Errorf("%d judged", n)
		}
	}
	for name, bad := range map[string]url.Values{
		"none": of("word", "expected"), "no word": of("pick", export+"/1"), "mangled": of("word", "expected", "pick", export), "markup": of("word", "expected", "pick", "<b>/1"),
		"many": of(append([]string{"word", "expected"}, strings.Fields(strings.Repeat("pick c-1/1 ", 101))...)...),
	} {
		if got := post(t, h, "/cases/verdicts", bad); got.code != 422 && got.code != 400 {
			t.Errorf("%s: status %d", name, got.code)
		}
	}
	if body := post(t, h, "/cases/verdicts", of("word", "expected", "pick", export+"/1", "back", "//evil.invalid/")).body; strings.Contains(body, "evil.invalid") {
		t.Error("the way back leads elsewhere")
	}
}

func TestExceptionsAndSilencesPages(t *testing.T) {
	t.Parallel()
	h, _, _ := desk(t)
	body := get(t, h, "/exceptions").body
	for _, want := range []string{"from 203.0.113.0/24", "The move to the new help desk", "End it", "Those that are over", "actor-3x9qv7r0ann1k"} {
		if !strings.Contains(body, want) {
			t.Errorf("the exceptions lack %q", want)
		}
	}
	for range 2 { // pressed twice
		if got := post(t, h, "/exceptions/x-00c0ffee00c0ffee/end", of()); got.code != 303 || got.head.Get("Location") != "/exceptions?said=exception-ended" {
			t.Errorf("end: %d", got.code)
		}
	}
	if body := get(t, h, "/exceptions").body; !strings.Contains(body, "No exception holds") {
		t.Error("it holds still")
	}
	for _, path := range []string{"/exceptions/x-none/end", "/silences/s-none/end"} {
		if got := post(t, h, path, of()); got.code != 404 {
			t.Errorf("%s: %d", path, got.code)
		}
	}
	ask := []string{"stores", "pg, crm", "max", "medium", "for", "4", "note", "load test"}
	got := post(t, h, "/silences", of(ask...))
	for _, want := range []string{"It would have kept back 4 findings", "1 of them was judged a breach", `name="stores" value="pg, crm"`, `name="for" value="4"`} {
		if got.code != 200 || !strings.Contains(got.body, want) {
			t.Errorf("status %d, the preview lacks %q", got.code, want)
		}
	}
	make := of(append(ask, "do", "make", "key", "k")...)
	for range 2 { // pressed twice
		if got := post(t, h, "/silences", make); got.code != 303 {
			t.Errorf("make: %d", got.code)
		}
	}
	if n := strings.Count(get(t, h, "/silences").body, "of store pg or crm"); n != 1 {
		t.Errorf("%d silences were made", n)
	}
	if got := post(t, h, "/silences/s-00c0ffee00c0ffee/end", of()); got.code != 303 {
		t.Errorf("end: %d", got.code)
	}
	for name, bad := range map[string]url.Values{"nothing named": of("for", "4"), "long": of("stores", "pg", "for", "9999"), "no number": of("stores", "pg", "for", "x")} {
		if got := post(t, h, "/silences", bad); got.code != 422 {
			t.Errorf("%s: %d", name, got.code)
		}
	}
}

// browserWorksACase goes with somebody from the queue to a verdict, with two people at one
// case, with an exception from its preview, and with verdicts on several cases.
func browserWorksACase(t *testing.T, b *browser.Browser) {
	h, _, d := desk(t)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	p := b.Open(t, s.URL, browser.Look{})
	p.Wait(`document.getElementById("live-mark").textContent === "live"`)
	p.Click(".card a.go")
	p.Wait(`location.pathname.startsWith("/cases/") && document.readyState === "complete" && document.getElementById("live-mark").textContent === "live"`)
	first := browser.Eval[string](p, `location.pathname`)
	// Somebody else acts while one writes: what is written stays, and one is told.
	browser.Eval[bool](p, `document.getElementById("v-note").focus() || true`)
	p.Press("the vendor's key was stolen")
	if _, err := d.Work(api.WithPerson(t.Context(), api.Person{By: "actor-bob"}), api.CaseAct{Case: strings.TrimPrefix(first, "/cases/"), Deed: access.DeedNote, Note: "I look too", Key: "bob", Seen: 99}); err != nil {
		t.Fatal(err)
	}
	p.Wait(`document.querySelector(".notice.bad") !== null`)
	if got := browser.Eval[string](p, `document.getElementById("v-note").value`); got != "the vendor's key was stolen" {
		t.Errorf("what was written became %q", got)
	}
	if got := p.Text(".notice.bad"); !strings.Contains(got, "actor-bob") {
		t.Errorf("who changed it is not told: %q", got)
	}
	p.Shoot("case-changed")
	p.Click(`#verdict button[value=breach]`)
	p.Wait(`document.querySelector("main h1").textContent === "This case was changed while you looked at it"`)
	p.Faults() // the browser's own note that the answer is 409
	p.Go(s.URL + first)
	p.Click(`#verdict button[value=breach]`)
	p.Wait(`location.search === "?said=judged" && document.querySelector(".panel.case.resolved") !== null`)
	p.Shoot("case-judged")

	p.Go(s.URL + "/cases/c-" + sample.Export().ID[2:])
	p.Click(`#d-expect summary`)
	p.Shoot("case-expect")
	p.Click(`#d-expect button`)
	p.Wait(`document.querySelector("h1").textContent === "Expect this from now on?"`)
	p.Shoot("exception-preview")
	browser.Eval[bool](p, `document.getElementById("x-note").focus() || true`)
	p.Press("agreed")
	// Pressed twice.
	browser.Eval[bool](p, `document.querySelector("#make button").click() || document.querySelector("#make button").click() || true`)
	p.Wait(`location.search === "?said=expected" && document.readyState === "complete"`)

	p.Go(s.URL + "/cases/c-" + sample.Export().ID[2:])
	p.Click(`#d-ask summary`)
	p.Shoot("case-ask")
	p.Click(`#d-ask button`)
	p.Wait(`document.querySelector("h1").textContent === "Ask the person?"`)
	p.Shoot("ask-preview")
	p.Click(`#ask button`)
	p.Wait(`location.search === "?said=asked" && document.readyState === "complete" && document.body.textContent.includes("was asked, no answer yet")`)
	p.Shoot("case-asked")

	p.Go(s.URL)
	p.Click(`input[name=pick]`)
	p.Shoot("queue-picked")
	p.Click(`#bulk button[value=expected]`)
	p.Wait(`document.querySelector("h1").textContent === "1 case is judged"`)
	p.Shoot("bulk-done")
	n := 0
	for _, a := range d.Acts() {
		if a.Deed == access.DeedExpect {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d exceptions were made", n)
	}

	// Without script the same forms stand there.
	q := b.Open(t, s.URL+"/cases/c-"+sample.Bot().ID[2:], browser.Look{NoScript: true})
	if got := q.Text(`form[action$="/acknowledge"] button`); got != "I take it" {
		t.Errorf("without script: %q", got)
	}
	for name, look := range map[string]browser.Look{"light": {}, "dark": {Dark: true}, "phone": {Phone: true}} {
		p := b.Open(t, s.URL+first, look)
		p.Shoot("casefile-" + name)
		for _, path := range []string{"/exceptions", "/silences"} {
			p.Go(s.URL + path)
			p.Shoot(strings.TrimPrefix(path, "/") + "-" + name)
		}
		p.Go(s.URL)
		p.Shoot("cases-" + name)
	}
}

// The same pseudonym in another tenant is somebody else: a case leads to whom it is about.
func TestCaseLeadsToItsActor(t *testing.T) {
	t.Parallel()
	f := sample.Vendor()
	f.Tenant = "acme"
	r := sample.NewReader(f)
	v := sample.Case(&f)
	r.SetCase(v)
	viewer := sample.Person()
	viewer.Roles = []access.Role{access.RoleViewer}
	for want, who := range map[bool]api.Person{true: sample.Person(), false: viewer} {
		h := servingAs(t, console.Config{}, who, console.Services{Reader: r, Actors: r})
		link := `href="/actors/` + v.Case.Actor + `?tenant=acme"`
		if body := get(t, h, "/cases/"+v.Case.ID).body; strings.Contains(body, link) != want {
			t.Errorf("the roles %v are led to the actor: %v", who.Roles, !want)
		}
	}
}
