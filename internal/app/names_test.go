package app_test

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/app"
	"vigil/internal/config"
	"vigil/internal/ledger"
	"vigil/internal/privacy"
)

// headerDoor lets in by a header, for tests of several people.
type headerDoor map[string]api.Person

// Who implements gate.Door.
func (d headerDoor) Who(r *http.Request) (api.Person, error) {
	p := d[r.Header.Get("X-Who")]
	p.Signed = time.Now()
	return p, nil
}

// TestWhoseDataWhoReadAndWhoItWas goes from a case to its customers, from a customer to who
// read them, and with a second person to a name, over the real service.
func TestWhoseDataWhoReadAndWhoItWas(t *testing.T) {
	t.Parallel()
	const key = "a pseudonym key for tests"
	pseudonyms, err := privacy.New([]byte(key), privacy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := configure(t, t.TempDir())
	cfg.PseudonymKey = config.NewSecret(key)
	cfg.Alerts.Officers = []string{"terminal"}
	door := headerDoor{}
	for _, name := range []string{"ann", "bo", "canary-actor"} {
		roles := []access.Role{access.RoleResponder}
		cfg.Users = append(cfg.Users, config.User{Name: name, Roles: roles})
		door[name] = api.Person{Name: name, By: pseudonyms.Actor("", name), Logins: []string{name}, Roles: roles, Way: api.WaySession, Form: "form-" + name}
	}
	token := door["bo"]
	token.Way, token.Form = api.WayToken, ""
	door["token"] = token
	w := begin(t, cfg, app.Options{Door: door})
	ask := func(who, method, path string, form url.Values) (int, string, string) {
		t.Helper()
		var body io.Reader
		if form != nil {
			form.Set("form", door[who].Form)
			body = strings.NewReader(form.Encode())
		}
		r, err := http.NewRequestWithContext(t.Context(), method, w.URL()+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Who", who)
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text), resp.Header.Get("Location")
	}
	get := func(who, path string) string {
		t.Helper()
		code, text, _ := ask(who, "GET", path, nil)
		if code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, code, text)
		}
		return text
	}
	if resp, text := send(t, w.PushURL(), "a-push-token-for-tests", breach(day()), false); resp.StatusCode != http.StatusAccepted {
		t.Fatalf("push: %d %s", resp.StatusCode, text)
	}
	var cases struct{ Cases []vigil.Case }
	until(t, "a case", func() bool {
		_, text, _ := ask("ann", "GET", "/api/v1/cases", nil)
		return json.Unmarshal([]byte(text), &cases) == nil && len(cases.Cases) > 0
	})
	c := cases.Cases[0]
	path := "/cases/" + c.ID

	// Whose data.
	var rows [][]string
	until(t, "all customers", func() bool { // the finding grows while it is judged
		rows, err = csv.NewReader(strings.NewReader(get("ann", path+"/subjects.csv"))).ReadAll()
		return err != nil || len(rows) > 5
	})
	if err != nil || rows[1][0] != pseudonymOf(rows[1][0]) || len(rows[0]) != 7 {
		t.Fatalf("exported: %q, %v", rows, err)
	}
	page := get("ann", path+"/subjects")
	for _, row := range rows[1:] {
		if !strings.Contains(page, row[0]) {
			t.Errorf("%s is not on the page", row[0])
		}
	}
	if get("ann", path+"/subjects.json") == "" || get("ann", path+"/subjects?touch=confirmed") == "" {
		t.Error("no JSON, or no filter")
	}
	for _, own := range []string{"/subjects", "/subjects.csv", "/subjects.json", "/reveals"} {
		if code, text, _ := ask("canary-actor", "GET", path+own, nil); code != http.StatusForbidden {
			t.Errorf("%s shown to whom it is about: %d %.100s", own, code, text)
		}
	}

	// Who has read a customer.
	subject := pseudonyms.Subject("", "canary-customer-1")
	if text := get("ann", "/readers/"+subject); strings.Contains(text, c.Actor) || !strings.Contains(text, "Why do you ask?") {
		t.Error("who read is told without a purpose")
	}
	if code, _, _ := ask("ann", "POST", "/readers", url.Values{"customer": {"canary-customer-1"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("without a purpose: %d", code)
	}
	code, text, to := ask("ann", "POST", "/readers", url.Values{"customer": {"canary-customer-1"}, "purpose": {"canary-customer-1 asked us"}})
	if code != http.StatusSeeOther || to != "/readers/"+subject {
		t.Fatalf("asked: %d to %q %s", code, to, text)
	}
	if text := get("ann", to); !strings.Contains(text, c.Actor) || !strings.Contains(text, c.ID) {
		t.Errorf("who read is not told: %.3000s", text)
	}
	if text := get("ann", to+"/export.csv"); !strings.Contains(text, c.Actor) {
		t.Errorf("exported: %s", text)
	}
	if text := get("ann", to+"/export.json"); !strings.Contains(text, `"actor":"`+c.Actor+`"`) || !strings.Contains(text, `"subjects":["`+subject+`"]`) {
		t.Errorf("exported as JSON: %s", text)
	}
	if code, text, back := ask("bo", "GET", to+"/export.json", nil); code != http.StatusSeeOther || back != to || strings.Contains(text, c.Actor) {
		t.Errorf("somebody else takes it along without a purpose of their own: %d to %q", code, back)
	}
	if text := get("bo", to); strings.Contains(text, c.Actor) {
		t.Error("somebody else is told without a purpose of their own")
	}

	// A name, by two people.
	if code, _, _ := ask("ann", "POST", path+"/reveals", url.Values{"pseudonym": {"actor-0000000000000"}, "reason": {"It must be locked."}}); code != http.StatusUnprocessableEntity {
		t.Errorf("of nobody in the case: %d", code)
	}
	code, text, to = ask("ann", "POST", path+"/reveals", url.Values{"pseudonym": {c.Actor}, "reason": {"The account must be locked."}, "key": {"1"}})
	if code != http.StatusSeeOther {
		t.Fatalf("asked: %d %s", code, text)
	}
	reveal, _, _ := strings.Cut(to, "?")
	for who, waits := range map[string]bool{"bo": true, "ann": false} {
		if got := strings.Contains(get(who, "/"), `1<span class="hidden"> to decide</span>`); got != waits {
			t.Errorf("%s is told that a request waits: %v", who, got)
		}
	}
	until(t, "the officers' message", func() bool { return strings.Contains(w.output.String(), "waits for a second person") })
	if text := w.output.String(); strings.Contains(text, "must be locked") {
		t.Errorf("the message tells the reason: %s", text)
	}
	for who, want := range map[string]int{"ann": 422, "token": 403, "canary-actor": 403} {
		if code, text, _ := ask(who, "POST", reveal+"/approve", url.Values{"seen": {"1"}}); code != want {
			t.Errorf("approved by %s: %d %s", who, code, text)
		}
	}
	if text := get("ann", reveal); strings.Contains(text, "canary") {
		t.Error("shown before it was approved")
	}
	if code, text, _ := ask("bo", "POST", reveal+"/approve", url.Values{"seen": {"1"}}); code != http.StatusSeeOther {
		t.Fatalf("approved: %d %s", code, text)
	}
	if code, _, _ := ask("bo", "POST", reveal+"/approve", url.Values{"seen": {"1"}}); code != http.StatusConflict {
		t.Errorf("approved twice: %d", code)
	}
	if text := get("ann", reveal); !strings.Contains(text, "canary-actor") {
		t.Errorf("not shown: %s", text)
	}
	if _, text, _ := ask("token", "GET", reveal, nil); strings.Contains(text, "canary-actor") {
		t.Error("shown to a token")
	}
	// A customer's name stands in the export while it is revealed.
	_, _, to = ask("ann", "POST", path+"/reveals", url.Values{"pseudonym": {subject}, "reason": {"The customer must be told."}, "key": {"2"}})
	second, _, _ := strings.Cut(to, "?")
	if code, text, _ := ask("bo", "POST", second+"/approve", url.Values{"seen": {"1"}}); code != http.StatusSeeOther {
		t.Fatalf("approved: %d %s", code, text)
	}
	if text := get("ann", path+"/subjects.csv"); !strings.Contains(text, `"canary-customer-1"`) || !strings.Contains(text, `"name"`) {
		t.Errorf("the export has no name: %s", text)
	}
	if text := get("ann", path+"/subjects"); strings.Contains(text, "canary") {
		t.Error("a name on the page of customers")
	}
	if code, _, _ := ask("ann", "POST", reveal+"/end", url.Values{"seen": {"2"}}); code != http.StatusSeeOther {
		t.Errorf("ended: %d", code)
	}
	if text := get("ann", reveal); strings.Contains(text, "canary") {
		t.Error("shown after it was ended")
	}
	w.end()

	// All of it is written down, and no name.
	l, err := ledger.OpenReader(t.Context(), ledger.Config{Dir: cfg.DataDir}, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	records, err := l.AuditLog(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	did := map[string]int{}
	for _, r := range records {
		did[r.What]++
		if strings.Contains(r.Who+r.What+r.Object, "canary") {
			t.Errorf("a name in the audit log: %+v", r)
		}
	}
	for what, least := range map[string]int{
		"whose data looked at": 1, "whose data exported as csv": 1, "whose data exported as json": 1, "asked who read a customer": 1, "looked up who read a customer": 1, "who read a customer exported as csv": 1,
		"name asked for": 2, "name approved": 2, "name shown": 2, "name ended": 1, "own request not approved": 1,
	} {
		if did[what] < least {
			t.Errorf("%q is written down %d times, want %d: %v", what, did[what], least, did)
		}
	}
	if strings.Contains(w.logs.String(), "canary") {
		t.Error("a name in the log")
	}
}

var pseudonym = regexp.MustCompile(`^subject-[0-9a-z]{13}$`)

// pseudonymOf returns s where it is a customer's pseudonym.
func pseudonymOf(s string) string { return pseudonym.FindString(s) }
