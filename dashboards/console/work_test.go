//go:build !race

package console_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/dashboards/internal/browser"
	"vigil/internal/app"
	"vigil/internal/config"
)

// aCustomer is one of the help desk's customers, by the id that its store has.
const aCustomer = "customer-7"

// helpDesk is the configuration of a service that reads four weeks of a small help desk, up
// to yesterday: agents at their usual work, a vendor who once comes outside of the hours of
// the contract, an agent who reads on after the last day of work, and one who on the last
// day reads very many customers.
func helpDesk(t *testing.T) *config.Config {
	t.Helper()
	dir := t.TempDir()
	today := time.Now().UTC().Truncate(24 * time.Hour)
	at := func(day int) time.Time { return today.AddDate(0, 0, day-29) }
	chance := rand.New(rand.NewPCG(7, 28)) // the same world each time
	type access struct {
		when                  time.Time
		actor, kind, customer string
	}
	var all []access
	read := func(when time.Time, actor, kind string, customer int) {
		all = append(all, access{when, actor, kind, fmt.Sprint("customer-", customer)})
	}
	for day := 1; day <= 28; day++ {
		for agent := range 8 {
			for quarter := range 32 {
				for range chance.IntN(3) {
					when := at(day).Add(9*time.Hour + time.Duration(quarter)*15*time.Minute + time.Duration(chance.IntN(900))*time.Second)
					read(when, fmt.Sprint("agent-", agent), "human", agent*20+chance.IntN(20))
				}
			}
		}
		night := 0
		if day == 20 {
			night = 13
		}
		read(at(day).Add(time.Duration(10+night)*time.Hour), "vendor-7", "vendor", 200+day)
	}
	for n := range 500 {
		read(at(28).Add(13*time.Hour+time.Duration(5*n)*time.Second), "agent-3", "human", 1000+n)
	}
	slices.SortStableFunc(all, func(a, b access) int { return a.when.Compare(b.when) })
	var log strings.Builder
	for _, a := range all {
		fmt.Fprintf(&log, `{"time":%q,"actor":%q,"actor_kind":%q,"role":"agent","team":"emea","action":"read","resource":"tickets","subjects":[%q],"rows":1}`+"\n",
			a.when.Format(time.RFC3339), a.actor, a.kind, a.customer)
	}
	file := func(name, text string) []string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{path}
	}
	cfg := config.DefaultConfig()
	cfg.DataDir, cfg.Listen = filepath.Join(dir, "data"), "127.0.0.1:0"
	cfg.Sources = []config.Source{{Name: "desk", Format: "native", Store: "helpdesk", File: file("desk.ndjson", log.String())}}
	cfg.Feeds = []config.Feed{
		{Name: "hr", Kind: vigil.FactPerson, File: file("people.csv", "actor,role,team,last_day\nagent-0,agent,emea,"+at(14).Format(time.DateOnly)+"\nagent-1,agent,emea,\n")},
		{Name: "contracts", Kind: vigil.FactContract, File: file("contracts.yaml", "- id: C-77\n  actor: vendor-7\n  hours: 8;9;10;11\n  per_day: 2\n  from: 2024-01-01\n")},
	}
	return cfg
}

// works is a service that people work with, each in a browser of their own.
type works struct {
	cfg     *config.Config
	url     string
	ann, bo *browser.Page
}

const password = "gravel lantern seven"

// TestPeopleWorkWithTheService does with the real service, in a real browser, what people
// do with it, from the first account on. Whatever a page complains of, as a breach of its
// policy is, fails it.
func TestPeopleWorkWithTheService(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	cfg := helpDesk(t)
	a, err := app.New(cfg, app.Options{Output: &strings.Builder{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	w := &works{cfg: cfg, url: a.URL(), ann: b.Open(t, a.SetUpLink(), browser.Look{})}
	w.bo = b.Open(t, a.URL(), browser.Look{Apart: true})
	for _, step := range []struct {
		name string
		do   func(*testing.T, *works)
	}{
		{"the first account is set up, and a second person invited", setsUpAccounts},
		{"a finding is worked from the queue to its verdict", worksAFinding},
		{"an exception is made from its preview", makesAnException},
		{"a drill is run on recorded traffic", runsADrill},
		{"two people move the budget", movesTheBudget},
		{"two people go back to an older version", goesBack},
		{"two people have a name shown", revealsAName},
		{"the evidence pack is taken, and verifies", takesThePack},
		{"who read a customer is asked", asksWhoRead},
		{"all of it stands in the audit log, and one signs out", endsTheDay},
	} {
		ok := t.Run(step.name, func(t *testing.T) {
			w.ann.For(t)
			w.bo.For(t)
			step.do(t, w)
		})
		w.ann.For(t)
		w.bo.For(t)
		if !ok {
			w.ann.Shoot("failed-ann")
			w.bo.Shoot("failed-bo")
			t.FailNow() // each builds on what is before it
		}
	}
}

// press clicks, and waits for the page that comes of it.
func press(p *browser.Page, selector, then string) {
	browser.Eval[bool](p, `window.left = true`)
	p.Click(selector)
	p.Wait(`!window.left && document.readyState === "complete" && !!(` + then + `)`)
}

// open goes to an address and waits for what must be there.
func open(p *browser.Page, url, then string) {
	p.Go(url)
	p.Wait(`document.readyState === "complete" && !!(` + then + `)`)
}

// shows is the condition that a text is on the page.
func shows(text string) string { return fmt.Sprintf(`document.body.innerText.includes(%q)`, text) }

func setsUpAccounts(t *testing.T, w *works) {
	w.ann.Fill("#name", "ann")
	w.ann.Fill("#password", password)
	w.ann.Fill("#again", password)
	press(w.ann, "form.act button", `document.querySelector(".menu summary bdi")?.textContent === "ann"`)

	open(w.ann, w.url+"/people", `document.querySelector("#invite")`)
	w.ann.Fill("#name", "bo")
	for _, role := range []string{"responder", "analyst", "privacy_officer"} {
		w.ann.Click(`[aria-labelledby=invite] input[value=` + role + `]`)
	}
	press(w.ann, "[aria-labelledby=invite] button", `document.querySelector(".notice .id")`)
	link := w.ann.Text(".notice .id")

	open(w.bo, link, shows("You will sign in as bo"))
	w.bo.Fill("#password", password)
	w.bo.Fill("#again", password)
	press(w.bo, "form.act button", `document.querySelector(".menu summary bdi")?.textContent === "bo"`)
	w.bo.Click(".menu:not(.narrow) summary")
	press(w.bo, ".drop button", `location.pathname === "/sign-in"`)
	w.bo.Fill("#name", "bo")
	w.bo.Fill("#password", "gravel lantern eight")
	press(w.bo, "form.act button", `document.querySelector("[role=alert]")`)
	w.bo.Faults() // the browser's own note that the answer is 401
	w.bo.Fill("#name", "bo")
	w.bo.Fill("#password", password)
	press(w.bo, "form.act button", `document.querySelector(".menu summary bdi")?.textContent === "bo"`)
}

// opensCase opens the first case of the queue that is of the sort, and returns its address.
func opensCase(t *testing.T, w *works, p *browser.Page, of string) (path string) {
	t.Helper()
	open(p, w.url+"/", `document.querySelector(".card")`)
	path = browser.Eval[string](p, fmt.Sprintf(`Array.from(document.querySelectorAll(".card")).find(c => c.textContent.includes(%q))?.querySelector("a.go").getAttribute("href") ?? ""`, of))
	if path == "" {
		t.Fatalf("no case of the queue tells of %q: %s", of, p.Text("main"))
	}
	open(p, w.url+path, `document.querySelector("#deeds")`)
	return path
}

func worksAFinding(t *testing.T, w *works) {
	open(w.ann, w.url+"/", `document.getElementById("live-mark").textContent === "live"`)
	w.ann.Wait(`document.querySelectorAll(".card").length > 1`) // found by now, and shown by itself
	w.ann.Press("j")
	first := browser.Eval[string](w.ann, `document.activeElement.getAttribute("href")`)
	w.ann.Press("\r")
	w.ann.Wait(fmt.Sprintf(`location.pathname === %q && document.readyState === "complete" && document.querySelector("#deeds") !== null`, first))
	// Bo has it open as well, before ann does anything.
	open(w.bo, w.url+first, `document.querySelector("#verdict")`)
	press(w.ann, ".deeds button.big", `document.querySelector(".said")`)
	press(w.ann, ".caselist a", `location.pathname.startsWith("/findings/")`)
	open(w.ann, w.url+first, `document.querySelector("#verdict")`)
	w.ann.Fill("#v-note", "The contract has ended, and the account was open.")
	press(w.ann, "#verdict button[value=misuse]", `document.querySelector(".said")`)
	if got := w.ann.Text(".panel.case"); !strings.Contains(got, "resolved") {
		t.Errorf("the case stands as %q", got)
	}
	// Who comes second is told, and nothing is done.
	w.bo.Fill("#v-note", "All as usual.")
	press(w.bo, "#verdict button[value=expected]", shows("changed"))
	w.bo.Faults() // the browser's own note that the answer is 409
	open(w.bo, w.url+first, shows("The contract has ended"))
	if got := browser.Eval[string](w.bo, "document.body.innerText"); strings.Contains(got, "All as usual") {
		t.Error("the second verdict was taken")
	}
}

func makesAnException(t *testing.T, w *works) {
	opensCase(t, w, w.ann, "by comparing")
	w.ann.Click("#d-expect summary")
	w.ann.Fill("#x-note", "A campaign: everybody is called that day.")
	press(w.ann, "#d-expect button", shows("Nothing is made yet"))
	if n := browser.Eval[int](w.ann, `document.querySelectorAll("#covers ~ ul a").length`); n == 0 {
		t.Errorf("the preview covers no finding: %s", w.ann.Text("main"))
	}
	press(w.ann, "#make button", `document.querySelector(".said")`)
	open(w.ann, w.url+"/exceptions", shows("A campaign: everybody is called that day."))
}

func runsADrill(t *testing.T, w *works) {
	open(w.ann, w.url+"/drills", `document.querySelector("#run-drill")`)
	w.ann.Click("[name=which][value=some]")
	w.ann.Click("#choices summary")
	w.ann.Click("#choices input")
	press(w.ann, "[aria-labelledby=run-drill] button", `true`)
	w.ann.Wait(`document.querySelectorAll(".drill-rows tbody tr").length === 1`)
	if got := w.ann.Text(".drill-rows tbody"); !strings.Contains(got, "T01") {
		t.Errorf("the board shows %q", got)
	}
}

func movesTheBudget(_ *testing.T, w *works) {
	open(w.ann, w.url+"/tuning", `document.querySelector("#propose")`)
	w.ann.Fill("#per-day", "3")
	w.ann.Fill("#why", "Two of us look each day now.")
	press(w.ann, "[aria-labelledby=budget] [action='/tuning/proposals'] button", shows("so a second person has to confirm it"))
	open(w.bo, w.url+"/tuning", `document.querySelector("#proposal")`)
	press(w.bo, "#answer button[value=confirm]", shows("as two people agreed"))
}

func goesBack(t *testing.T, w *works) {
	open(w.ann, w.url+"/tuning", `document.querySelector("#versions")`)
	press(w.ann, "[aria-labelledby=versions] > p a", shows("Go back to version"))
	press(w.ann, "main form[method=get] button", shows("Go back to version"))
	if got := w.ann.Text("[aria-labelledby=both] tbody"); !strings.Contains(got, "3 a day") || !strings.Contains(got, "by the configuration") {
		t.Errorf("what differs is %q", got)
	}
	w.ann.Fill("#why", "The work of two was not worth it.")
	press(w.ann, "[aria-labelledby=back] form button", shows("so a second person has to confirm it"))
	press(w.ann, "[aria-labelledby=proposal] a", shows("Something is proposed already"))
	open(w.bo, w.url+"/tuning", `document.querySelector("#proposal")`)
	if got := w.bo.Text("[aria-labelledby=proposal]"); !strings.Contains(got, "back to version") || !strings.Contains(got, "not worth it") {
		t.Errorf("proposed is %q", got)
	}
	press(w.bo, "#answer button[value=confirm]", shows("The setting is confirmed"))
	if got := w.bo.Text("[aria-labelledby=versions] tbody tr"); !strings.Contains(got, "in force") || !strings.Contains(got, "not worth it") {
		t.Errorf("the newest version is %q", got)
	}
}

func revealsAName(t *testing.T, w *works) {
	path := opensCase(t, w, w.ann, "vendor")
	actor := w.ann.Text(".who .id")
	open(w.ann, w.url+path+"/reveals", `document.querySelector("[name=pseudonym]")`)
	w.ann.Fill("[name=pseudonym]", actor)
	w.ann.Fill("[name=reason]", "The vendor asks which of its accounts it was.")
	press(w.ann, "main form button", shows("waits for a second person"))
	asked := browser.Eval[string](w.ann, `location.pathname`)
	open(w.bo, w.url+"/reveals", shows(actor))
	press(w.bo, `main a[href="`+asked+`"]`, `document.querySelector("[action$='/approve']")`)
	press(w.bo, "[action$='/approve'] button", shows("vendor-7"))
	open(w.ann, w.url+asked, `document.querySelector(".revealed")`)
	if got := w.ann.Text(".revealed"); got != "vendor-7" {
		t.Errorf("ann is shown %q", got)
	}
	press(w.ann, "[action$='/end'] button", `!document.querySelector(".revealed")`)
}

func takesThePack(t *testing.T, w *works) {
	path := opensCase(t, w, w.ann, "vendor")
	open(w.ann, w.url+path+"/pack", shows("What it holds"))
	file := w.ann.Download(func() { w.ann.Click("main form button") })
	line, _, err := app.ReportKey(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	key, err := app.ParseReportKey(line)
	if err != nil {
		t.Fatal(err)
	}
	r, err := app.VerifyPack(t.Context(), file, key, w.cfg)
	if err != nil || len(r.Problems) > 0 || r.Manifest.Counts.Total.Events == 0 {
		t.Errorf("%v, %q, %+v", err, r.Problems, r.Manifest.Counts.Total)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "vendor-7") {
		t.Error("the pack names somebody")
	}
}

func asksWhoRead(t *testing.T, w *works) {
	open(w.bo, w.url+"/readers", `document.querySelector("[name=customer]")`)
	w.bo.Fill("[name=customer]", aCustomer)
	w.bo.Fill("[name=purpose]", "The customer asks who read them.")
	press(w.bo, "main form button", `document.querySelector("#answer")`)
	if got := w.bo.Text("[aria-labelledby=answer] table"); !strings.Contains(got, "actor-") || strings.Contains(got, "agent-1") {
		t.Errorf("who read %s: %q", aCustomer, got)
	}
	if got := w.bo.Text("main"); strings.Contains(got, aCustomer) {
		t.Error("the page tells the id that was typed")
	}
}

func endsTheDay(t *testing.T, w *works) {
	open(w.ann, w.url+"/audit", `document.querySelector("table")`)
	text := browser.Eval[string](w.ann, "document.body.innerText")
	for _, done := range []string{"verdict", "exception", "drill", "setting proposed", "setting confirmed", "reveal", "pack", "who read a customer"} {
		if !strings.Contains(text, done) {
			t.Errorf("the audit log tells of no %s", done)
		}
	}
	for _, p := range []*browser.Page{w.ann, w.bo} {
		p.Click(".menu:not(.narrow) summary")
		press(p, ".drop form button", `location.pathname === "/sign-in"`)
		open(p, w.url+"/", `location.pathname === "/sign-in"`)
	}
}
